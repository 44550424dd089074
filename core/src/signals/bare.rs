//! A text without its whitespace, line by line.

use crate::bytes::{Class, class, padded};
use std::borrow::Cow;

/// What is left out: the whitespace of ASCII but for line feeds.
static WHITESPACE: Class = class!(b' ' | b'\t' | 0x0B | 0x0C | b'\r');

/// First bytes of characters beyond ASCII that can be whitespace.
static SUSPECTS: Class = class!(0xC2 | 0xE1..=0xE3);

/// Puts `text` in `bare`, without whitespace other than line feeds.
pub fn bare(text: &str, bare: &mut Vec<u8>) {
    let text = with_plain_whitespace(text);
    let text = text.as_bytes();
    bare.clear();
    bare.resize(text.len() + 64, 0); // a block writes up to 64 bytes, whatever it keeps
    #[cfg(target_arch = "x86_64")]
    if crate::cpu::has_avx2() {
        // SAFETY: the CPU has these instructions.
        let length = unsafe { avx2::squeeze(text, bare) };
        bare.truncate(length);
        return;
    }
    let length = squeeze_portable(text, bare);
    bare.truncate(length);
}

fn squeeze_portable(text: &[u8], bare: &mut [u8]) -> usize {
    squeeze(text, bare, |block, kept, out| {
        let mut length = 0;
        for (i, &byte) in block.iter().enumerate() {
            out[length] = byte; // always, and counted only if it stays: no branch to predict
            length += (kept >> i & 1) as usize;
        }
    })
}

/// The same text with blanks for whitespace beyond ASCII.
fn with_plain_whitespace(text: &str) -> Cow<'_, str> {
    let odd = |(at, _): (usize, usize)| text[at..].chars().next().is_some_and(char::is_whitespace);
    if SUSPECTS.runs(text.as_bytes()).any(odd) {
        return Cow::Owned(text.replace(|c: char| !c.is_ascii() && c.is_whitespace(), " "));
    }
    Cow::Borrowed(text)
}

/// Writes what is kept of each block to the front of the room for it; how much is kept.
#[inline(always)]
fn squeeze(text: &[u8], bare: &mut [u8], write: impl Fn(&[u8; 64], u64, &mut [u8; 64])) -> usize {
    let mut length = 0;
    let mut add = |block: &[u8; 64], real: u64| {
        let kept = !WHITESPACE.mask(block) & real;
        write(block, kept, bare[length..].first_chunk_mut().expect("room for a block"));
        length += kept.count_ones() as usize;
    };
    let (blocks, rest) = text.as_chunks();
    blocks.iter().for_each(|block| add(block, u64::MAX));
    add(&padded(rest), !(u64::MAX << rest.len()));
    length
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    /// By which of eight bytes are kept: where each that is kept comes from.
    static FROM: [[u8; 8]; 256] = {
        let mut table = [[0; 8]; 256];
        let mut kept = 0;
        while kept < 256 {
            let (mut byte, mut length) = (0, 0);
            while byte < 8 {
                if kept >> byte & 1 == 1 {
                    table[kept][length] = byte as u8;
                    length += 1;
                }
                byte += 1;
            }
            kept += 1;
        }
        table
    };

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub fn squeeze(text: &[u8], bare: &mut [u8]) -> usize {
        super::squeeze(text, bare, |block, kept, out| {
            let (eights, mut length) = (block.as_chunks::<8>().0, 0);
            for (i, eight) in eights.iter().enumerate() {
                let kept = (kept >> (8 * i)) as u8;
                // At most the eight bytes of each part before this one have been kept, so that there is room.
                let room: &mut [u8; 8] = out[length..].first_chunk_mut().expect("room for eight bytes");
                *room = shuffled(eight, &FROM[kept as usize]);
                length += kept.count_ones() as usize;
            }
        })
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn shuffled(bytes: &[u8; 8], from: &[u8; 8]) -> [u8; 8] {
        let load = |bytes: &[u8; 8]| _mm_cvtsi64_si128(i64::from_le_bytes(*bytes));
        _mm_cvtsi128_si64(_mm_shuffle_epi8(load(bytes), load(from))).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{bare, squeeze_portable};

    #[test]
    fn whitespace_is_left_out_and_lines_stay() {
        let mut found = Vec::new();
        for before in 0..140 {
            let text = "ab c".repeat(before) + " \t\u{B}\u{C}\r\n\n x\u{1C}y\u{3000}é\u{A0}\u{85}“ ”\n ";
            bare(&text, &mut found);
            assert_eq!(String::from_utf8_lossy(&found), "abc".repeat(before) + "\n\nx\u{1C}yé“”\n");
            let plain = text.replace(['\u{3000}', '\u{A0}', '\u{85}'], " ");
            let mut portable = vec![0; plain.len() + 64];
            let length = squeeze_portable(plain.as_bytes(), &mut portable);
            assert_eq!(portable[..length], found);
        }
        bare("", &mut found);
        assert!(found.is_empty());
    }
}
