//! Shingles: n consecutive words or characters, each as a 64-bit hash.

use super::simd::Simd;
use super::words::Words;
use crate::hash::fold;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The random numbers that everything seeded is drawn from. From: Steele, Lea, Flood, "Fast splittable pseudorandom
/// number generators", 2014.
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next number.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// What a shingle is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words; what lies between them does not count.
    Word,
    /// Characters (Unicode scalar values), white space included.
    Char,
}

/// Shingles per call of the sink, about.
const BLOCK: usize = 2048;

/// Makes shingles; holds the buffers.
pub struct Shingler {
    words: Words,
    char_key: u64,
    unit: Unit,
    ngram: usize,
    base: u64,
    /// `base` to the power of `ngram`: what the oldest word counts when it leaves.
    leaving: u64,
    /// `ngram` earlier hashes of words, then those of this block.
    recent: Vec<u64>,
    shingles: Vec<u64>,
}

impl Shingler {
    /// `ngram` ≥ 1.
    pub fn new(ngram: usize, unit: Unit, seed: u64, simd: Simd) -> Self {
        let mut random = SplitMix(mix(seed) ^ 0x5348_494E_474C_4553);
        let keys = [random.next(), random.next()];
        let (char_key, base) = (random.next() | 1, random.next() | 1);
        let leaving = (0..ngram).fold(1_u64, |power, _| power.wrapping_mul(base));
        let words = Words::new(keys, simd);
        Self { words, char_key, unit, ngram, base, leaving, recent: Vec::new(), shingles: Vec::new() }
    }

    /// Calls `sink` with the shingles of `text`, in order, in blocks; repeated shingles are repeated.
    ///
    /// Returns how many there are: 0 where the text has no word. One with fewer than n words is one shingle, of all
    /// but its blanks: then it is near to those that differ from it in blanks and line ends alone.
    pub fn each(&mut self, text: &str, mut sink: impl FnMut(&[u64])) -> usize {
        let text = &*composed(text);
        let Self { words, char_key, unit, ngram, base, leaving, recent, shingles } = self;
        let n = *ngram;
        recent.clear();
        recent.resize(n, 0);
        let (mut rolling, mut seen, mut total) = (0_u64, 0_usize, 0_usize);
        let mut roll = |hashes: &[u64]| {
            recent.extend_from_slice(hashes);
            shingles.clear();
            shingles.extend(recent[n..].iter().zip(recent.iter()).map(|(&new, &old)| {
                rolling =
                    rolling.wrapping_mul(*base).wrapping_add(new.wrapping_sub(old.wrapping_mul(*leaving)));
                finish(rolling)
            }));
            recent.drain(..recent.len() - n);
            let incomplete = (n - 1).saturating_sub(seen).min(hashes.len());
            seen += hashes.len();
            let whole = &shingles[incomplete..];
            total += whole.len();
            if !whole.is_empty() {
                sink(whole);
            }
        };
        match unit {
            Unit::Word => words.each(text.as_bytes(), roll),
            Unit::Char => {
                let mut hashes = Vec::with_capacity(BLOCK);
                for c in text.chars() {
                    hashes.push(fold(u64::from(u32::from(c)) ^ *char_key, *base));
                    if hashes.len() == BLOCK {
                        roll(&hashes);
                        hashes.clear();
                    }
                }
                roll(&hashes);
            }
        }
        if seen > 0 && total == 0 {
            let said = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
            sink(&[finish(said.fold(*char_key, |hash, byte| fold(hash ^ u64::from(byte), *base)))]);
            total = 1;
        }
        total
    }

    /// The distinct shingles of `text`, ascending.
    pub fn distinct(&mut self, text: &str) -> Vec<u64> {
        let mut all = Vec::with_capacity(text.len() / 8);
        self.each(text, |block| all.extend_from_slice(block));
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The text in Unicode's composed form: é as one character and as a letter with its accent are the same to readers.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// A polynomial's low bits depend on its words' low bits alone; now every bit depends on all.
#[inline(always)]
fn finish(rolling: u64) -> u64 {
    let z = (rolling ^ rolling >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    z ^ z >> 32
}

/// Leaves out most repetitions, in bounded memory: never a shingle that is new.
///
/// Why: a fifth of the shingles of code repeat earlier ones, and each costs thousands of multiplications. 4,096 slots
/// find 93 % of what 65,536 would, in 16 KiB; those would cost more than they save.
pub struct Repeats {
    slots: Box<[u32; 4096]>,
}

impl Repeats {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self { slots: Box::new([0; 4096]) }
    }

    /// Forgets what was seen.
    pub fn clear(&mut self) {
        self.slots.fill(0);
    }

    /// Appends to `out` the upper half of each shingle, 0 made 1, unless its slot has just that.
    #[inline]
    pub fn filter(&mut self, shingles: &[u64], out: &mut Vec<u32>) {
        let before = out.len();
        out.resize(before + shingles.len(), 0);
        let mut at = before;
        for shingle in shingles {
            let x = ((shingle >> 32) as u32).max(1);
            let slot = &mut self.slots[x as usize % 4096];
            out[at] = x; // overwritten by the next one if it is a repetition: no branch to predict
            at += usize::from(*slot != x);
            *slot = x;
        }
        out.truncate(at);
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Repeats, Shingler, Unit};
    use crate::sketch::fastest::fastest;
    use crate::sketch::simd::Simd;

    fn shingles(text: &str, n: usize, unit: Unit, simd: Simd) -> Vec<u64> {
        let mut all = Vec::new();
        let count = Shingler::new(n, unit, 0, simd).each(text, |block| all.extend_from_slice(block));
        assert_eq!(count, all.len());
        all
    }

    /// Words as the definition says, without any of the code under test.
    fn words(text: &str) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut open = false;
        for c in text.chars() {
            let counts = c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
            if counts && (!open || c.len_utf8() > 2) {
                words.push(String::new());
            }
            if counts && let Some(word) = words.last_mut() {
                word.push(c);
            }
            open = counts;
        }
        words
    }

    #[test]
    fn shingles_are_those_of_the_words_alone() {
        let pieces = [
            "x",
            " ",
            "_y9",
            "\n",
            "été",
            "漢字",
            "😀",
            "(",
            "a_very_long_identifier_of_43_characters_it_is",
            "\0",
        ];
        let mut state = super::SplitMix(3);
        for length in [0, 1, 2, 5, 30, 31, 32, 33, 500, 3000] {
            let text: String = (0..length).map(|_| pieces[(state.next() % 10) as usize]).collect();
            let plain = words(&text).join(" ");
            for simd in Simd::ALL.into_iter().filter(|s| s.available()) {
                for n in [1, 5] {
                    let got = shingles(&text, n, Unit::Word, simd);
                    let said = words(&text).len();
                    if (1..n).contains(&said) {
                        assert_eq!(got.len(), 1, "{text:?}"); // of all its characters, not of the words alone
                        continue;
                    }
                    assert_eq!(got.len(), (said + 1).saturating_sub(n), "{text:?}");
                    assert_eq!(
                        got,
                        shingles(&plain, n, Unit::Word, Simd::Portable),
                        "{} {text:?}",
                        simd.name()
                    );
                }
            }
        }
    }

    #[test]
    fn a_short_text_is_one_shingle_without_its_blanks() {
        let one = |text: &str| shingles(text, 5, Unit::Word, fastest());
        assert_eq!(one("a = 1\r\nb\r\n"), one("a = 1\nb\n"));
        assert_ne!(one("a = 1"), one("a - 1"));
        assert!(one("( )\n").is_empty());
        assert_eq!(one("cafe\u{301} a b c d e"), one("caf\u{e9} a b c d e"));
    }

    #[test]
    fn words_are_told_apart() {
        let different =
            ["a b c d e", "b a c d e", "ab c d e f", "a b c d f", "A b c d e", "a a a a a", "b b b b b"];
        let mut seen: Vec<u64> = different.map(|t| shingles(t, 5, Unit::Word, fastest())[0]).to_vec();
        let long = "q".repeat(40);
        for i in 0..40 {
            let mut word = long.clone().into_bytes();
            word[i] = b'r';
            seen.extend(shingles(&String::from_utf8_lossy(&word), 1, Unit::Word, fastest()));
        }
        seen.extend((1..40).flat_map(|n| shingles(&long[..n], 1, Unit::Word, fastest())));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn characters_count_every_one() {
        let count = |text: &str| shingles(text, 3, Unit::Char, fastest()).len();
        assert_eq!(
            (count(""), count("ab"), count("a b"), count("漢字か"), count(&"é".repeat(5000))),
            (0, 1, 1, 1, 4998)
        );
    }

    #[test]
    fn only_repetitions_are_left_out() {
        let mut state = super::SplitMix(9);
        let all: Vec<u64> = (0..20_000).map(|_| (state.next() % 6000) << 40 | 7).collect();
        let mut out = Vec::new();
        let mut repeats = Repeats::new();
        all.chunks(333).for_each(|part| repeats.filter(part, &mut out));
        let sets = |v: &[u32]| v.iter().copied().collect::<std::collections::BTreeSet<u32>>();
        let want: Vec<u32> = all.iter().map(|z| ((z >> 32) as u32).max(1)).collect();
        assert_eq!(sets(&out), sets(&want));
        assert!(out.len() < all.len());
    }
}
