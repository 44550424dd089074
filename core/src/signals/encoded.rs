//! Data written out as text: base64, columns of hex bytes, `\u` escapes.

use super::classes::{SPACE, WORD_B, is};
use crate::bytes::{Class, class, padded};
use memchr::memchr_iter;

/// What was found: the longest match, and all matches together, in characters.
#[derive(Default)]
struct Found {
    longest: usize,
    all: usize,
}

impl Found {
    fn add(&mut self, chars: usize) {
        self.longest = self.longest.max(chars);
        self.all += chars;
    }
}

/// Whether encoded data makes up most of a text of `chars` characters, or more than 1,024 in a row.
pub fn is_encoded(text: &str, chars: usize) -> bool {
    let mut found = Found::default();
    base64(text.as_bytes(), &mut found);
    escapes(text.as_bytes(), &mut found);
    hex_bytes(text, &mut found);
    found.longest > 1024 || found.all * 2 > chars
}

static BASE64: Class = class!(b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' | b'\n');

/// Runs of 64 or more of the alphabet, line feeds included. Looks at every 64th byte until one is of it.
fn base64(bytes: &[u8], found: &mut Found) {
    let mut start = 0; // nothing of a run is before it
    while let Some(block) = bytes[start..].first_chunk() {
        match !BASE64.mask(block) {
            0 => {
                let more = bytes[start + 64..].iter().position(|&byte| !BASE64.has(byte));
                let end = more.map_or(bytes.len(), |more| start + 64 + more);
                found.add(end - start);
                start = (end + 1).min(bytes.len());
            }
            wrong => start += 64 - wrong.leading_zeros() as usize,
        }
    }
}

/// Eight or more `\uXXXX` in a row.
fn escapes(bytes: &[u8], found: &mut Found) {
    let mut after = 0;
    for start in memchr_iter(b'\\', bytes) {
        if start < after {
            continue;
        }
        let one = |at: usize| {
            bytes
                .get(at..at + 6)
                .is_some_and(|e| e.starts_with(b"\\u") && e[2..].iter().all(u8::is_ascii_hexdigit))
        };
        let count = (0..).take_while(|i| one(start + 6 * i)).count();
        after = start + 6 * count.max(1);
        if count >= 8 {
            found.add(6 * count);
        }
    }
}

/// Eight or more bytes in a row: a word boundary, `0x` or `\x` or nothing, two hex digits, then a comma, or a word
/// boundary and any whitespace. Each step is the only one possible, so nothing is tried twice.
fn hex_bytes(text: &str, found: &mut Found) {
    let bytes = text.as_bytes();
    let mut after = 0; // of the chain before
    for start in short_hex_words(bytes) {
        let at = start - usize::from(bytes[start] == b'x' && start > 0 && bytes[start - 1] == b'\\');
        if at < after {
            continue;
        }
        let (mut end, mut count) = (at, 0_usize);
        while let Some(next) = hex_byte(text, end) {
            (end, count) = (next, count + 1);
        }
        if count >= 8 {
            found.add(super::classes::length(&text[at..end]));
        }
        after = end;
    }
}

static ALPHANUMERIC: Class = class!(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z');
static HEX_DIGIT: Class = class!(b'0'..=b'9' | b'A'..=b'F' | b'a'..=b'f');

/// Where the runs of two to four letters and digits begin that end in two hex digits, as `1f`, `x1f` and `0x1f` do.
fn short_hex_words(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let masks = |at: usize| match bytes.get(at..).unwrap_or_default() {
        [] => (0, 0),
        rest => {
            let short = padded(&rest[..rest.len().min(63)]);
            let block = rest.first_chunk().unwrap_or(&short);
            (ALPHANUMERIC.mask(block), HEX_DIGIT.mask(block))
        }
    };
    let (mut now, mut before) = (masks(0), (0, 0));
    (0..bytes.len()).step_by(64).flat_map(move |base| {
        let next = masks(base + 64);
        // What is `back` places before each place.
        let word = |back: u32| now.0 << back | before.0 >> (64 - back);
        let last = now.0 & !(now.0 >> 1 | next.0 << 63);
        let hex = now.1 & (now.1 << 1 | before.1 >> 63);
        let mut found = last & hex & !(word(2) & word(3) & word(4));
        (now, before) = (next, now);
        std::iter::from_fn(move || {
            let last = (found != 0).then(|| base + found.trailing_zeros() as usize);
            found &= found.wrapping_sub(1);
            let is_word = |at: &usize| ALPHANUMERIC.has(bytes[*at]);
            last.map(|last| {
                (last.saturating_sub(3)..last - 1).rev().take_while(is_word).last().unwrap_or(last - 1)
            })
        })
    })
}

/// Where a byte that starts at `at` ends.
fn hex_byte(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = *bytes.get(at)?;
    let word_before = word_ends_at(text, at);
    let digits = match (first, bytes.get(at + 1)) {
        (b'\\', Some(b'x')) if word_before => at + 2,
        (b'0', Some(b'x')) if !word_before => at + 2,
        _ if first.is_ascii_hexdigit() && !word_before => at,
        _ => return None,
    };
    if !bytes.get(digits..digits + 2)?.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let end = digits + 2;
    if bytes.get(end) == Some(&b',') {
        return Some(end + 1);
    }
    let rest = &text[end..];
    if rest.chars().next().is_some_and(|c| is(c, WORD_B)) {
        return None;
    }
    let spaces = |c: char| is(c, SPACE) && !('\u{1C}'..='\u{1F}').contains(&c);
    Some(text.len() - rest.trim_start_matches(spaces).len())
}

fn word_ends_at(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    match at.checked_sub(1).map(|before| bytes[before]) {
        None => false,
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || byte == b'_',
        Some(_) => text[..at].chars().next_back().is_some_and(|c| is(c, WORD_B)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, base64, escapes, hex_bytes, short_hex_words};

    fn lengths(text: &str) -> [usize; 3] {
        let run = |find: &dyn Fn(&mut Found)| {
            let mut found = Found::default();
            find(&mut found);
            found.all
        };
        [
            run(&|found| base64(text.as_bytes(), found)),
            run(&|found| escapes(text.as_bytes(), found)),
            run(&|found| hex_bytes(text, found)),
        ]
    }

    #[test]
    fn short_hex_words_are_found_wherever_they_stand() {
        for before in 0..130 {
            let text = " ".repeat(before) + "1f;x1f 0x1f,g1 abcde 1 _2b 3c";
            let found: Vec<usize> = short_hex_words(text.as_bytes()).collect();
            assert_eq!(found, [0, 3, 7, 24, 27].map(|at| before + at));
        }
        assert_eq!(short_hex_words(b"").count() + short_hex_words(b"f").count(), 0);
    }

    #[test]
    fn each_pattern_finds_its_own() {
        assert_eq!(lengths(&"A+/=\n".repeat(13)), [65, 0, 0]);
        assert_eq!(lengths(&"A".repeat(63)), [0, 0, 0]);
        assert_eq!(lengths(&"\\u00e9".repeat(8)), [0, 48, 0]);
        assert_eq!(lengths(&"\\u00e9".repeat(7)), [0, 0, 0]);
        assert_eq!(lengths("de ad be ef 00 11 22 33\n")[2], 24);
        assert_eq!(lengths("de ad be ef 00 11 22 xx\n")[2], 0);
        assert_eq!(lengths(&"0x1f,".repeat(8))[2], 40);
        assert_eq!(lengths(&"0x1f, ".repeat(8))[2], 0); // after a comma the next must follow at once
        // Before the first backslash there is no boundary, so the first byte never counts.
        assert_eq!((lengths(&"\\x41".repeat(8))[2], lengths(&"\\x41".repeat(9))[2]), (0, 32));
        assert_eq!(lengths(&format!("41{}", "\\x41".repeat(8)))[2], 34);
    }
}
