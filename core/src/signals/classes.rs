//! Which characters are words, digits, letters, whitespace: the classes of the two regex engines of the reference.
//!
//! One byte of flags per code point below U+20000, made once per process from the Unicode tables of the crate
//! `unicode-properties`; above that the tables are asked. (The reference ran on Unicode 14, ours is newer: code points
//! assigned since then differ.)

use crate::bytes::{Class, class, padded};
use std::sync::LazyLock;
use unicode_properties::{
    GeneralCategory as Category, GeneralCategoryGroup as Group, UnicodeGeneralCategory,
};

/// A word character of Python's `re`: L*, N*, and `_`.
pub const WORD_A: u8 = 1;
/// A word character of the third-party `regex` module: alphabetic, M*, Nd, Pc, joiners.
pub const WORD_B: u8 = 2;
/// Whitespace of Python's `str`: White_Space and U+001C to U+001F.
pub const SPACE: u8 = 4;
/// `str.isdigit`: Nd, and the 128 characters of No with a digit value.
pub const DIGIT: u8 = 8;
/// Category L*.
pub const LETTER: u8 = 16;
/// Upper case: `Uppercase`.
pub const UPPER: u8 = 32;
/// Lower or title case.
pub const LOWER: u8 = 64;

const TABLED: usize = 0x2_0000;

static TABLE: LazyLock<Box<[u8]>> =
    LazyLock::new(|| (0..TABLED as u32).map(|code| char::from_u32(code).map_or(0, compute)).collect());

/// The classes of ASCII, where most text is.
pub static ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut code = 0;
    while code < 128 {
        let byte = code as u8;
        table[code] = match byte {
            b'0'..=b'9' => WORD_A | WORD_B | DIGIT,
            b'A'..=b'Z' => WORD_A | WORD_B | LETTER | UPPER,
            b'a'..=b'z' => WORD_A | WORD_B | LETTER | LOWER,
            b'_' => WORD_A | WORD_B,
            b'\t'..=b'\r' | b' ' | 0x1C..=0x1F => SPACE,
            _ => 0,
        };
        code += 1;
    }
    table
};

/// The classes of a character, as flags.
#[inline]
pub fn of(c: char) -> u8 {
    let code = c as usize;
    if code < 128 {
        ASCII[code]
    } else if code < TABLED {
        TABLE[code]
    } else {
        compute(c)
    }
}

/// Whether `c` is in any of the classes `flags`.
#[inline]
pub fn is(c: char, flags: u8) -> bool {
    of(c) & flags != 0
}

fn compute(c: char) -> u8 {
    let category = c.general_category();
    let mut flags = 0;
    let (letter, mark, number) = match c.general_category_group() {
        Group::Letter => (true, false, false),
        Group::Mark => (false, true, false),
        Group::Number => (false, false, true),
        _ => (false, false, false),
    };
    let decimal = category == Category::DecimalNumber;
    for (holds, flag) in [
        (letter || number || c == '_', WORD_A),
        (
            c.is_alphabetic()
                || mark
                || decimal
                || category == Category::ConnectorPunctuation
                || matches!(c, '\u{200C}' | '\u{200D}'),
            WORD_B,
        ),
        (c.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&c), SPACE),
        (decimal || has_digit_value(c), DIGIT),
        (letter, LETTER),
        (c.is_uppercase(), UPPER),
        (c.is_lowercase() || category == Category::TitlecaseLetter, LOWER),
    ] {
        if holds {
            flags |= flag;
        }
    }
    flags
}

/// The characters of category No that have a digit value (Unicode, `Numeric_Type=Digit`).
fn has_digit_value(c: char) -> bool {
    matches!(c as u32,
        0xB2..=0xB3 | 0xB9 | 0x1369..=0x1371 | 0x19DA | 0x2070 | 0x2074..=0x2079 | 0x2080..=0x2089 | 0x2460..=0x2468
        | 0x2474..=0x247C | 0x2488..=0x2490 | 0x24EA | 0x24F5..=0x24FD | 0x24FF | 0x2776..=0x277E | 0x2780..=0x2788
        | 0x278A..=0x2792 | 0x10A40..=0x10A43 | 0x10E60..=0x10E68 | 0x11052..=0x1105A | 0x1F100..=0x1F10A)
}

/// Number of characters of `text`.
pub fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { characters(text.as_bytes()) }
}

/// Number of characters of a text of these bytes: of those that do not continue one.
pub fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| (byte as i8) >= -0x40).count()
}

/// How many raw words there are: runs of word characters, and runs that are neither word nor whitespace.
pub fn raw_words(text: &str) -> RawWords<'_> {
    RawWords { text, at: 0 }
}

/// What raw words of ASCII are made of: word characters, or what is neither those nor whitespace.
pub static WORDS: Class = class!(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_');
/// See [`WORDS`].
pub static SIGNS: Class =
    class!(0..=8 | 0x0E..=0x1B | b'!'..=b'/' | b':'..=b'@' | b'['..=b'^' | b'`' | b'{'..=0x7F);

/// How many of [`raw_words`] there are.
pub fn num_raw_words(text: &str) -> usize {
    if !text.is_ascii() {
        return raw_words(text).count();
    }
    let mut before = [0; 2];
    let mut starts = |block: &[u8; 64], real: u64| {
        let masks = [WORDS.mask(block) & real, SIGNS.mask(block) & real];
        let starts = [0, 1].map(|i| (masks[i] & !(masks[i] << 1 | before[i])).count_ones() as usize);
        before = masks.map(|mask| mask >> 63);
        starts[0] + starts[1]
    };
    let (blocks, rest) = text.as_bytes().as_chunks();
    let whole: usize = blocks.iter().map(|block| starts(block, u64::MAX)).sum();
    whole + starts(&padded(rest), !(u64::MAX << rest.len()))
}

/// The raw words of a text, in order.
pub struct RawWords<'a> {
    text: &'a str,
    at: usize,
}

impl RawWords<'_> {
    /// Which of [`WORD_A`] and [`SPACE`] the character at `at` is, and its length in bytes; `None` at the end.
    #[inline]
    fn kind(&self, at: usize) -> Option<(u8, usize)> {
        let byte = *self.text.as_bytes().get(at)?;
        if byte < 128 {
            return Some((ASCII[byte as usize] & (WORD_A | SPACE), 1));
        }
        let c = self.text[at..].chars().next()?;
        Some((of(c) & (WORD_A | SPACE), c.len_utf8()))
    }
}

impl<'a> Iterator for RawWords<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let (mut kind, mut length) = self.kind(self.at)?;
        while kind & SPACE != 0 {
            self.at += length;
            (kind, length) = self.kind(self.at)?;
        }
        let start = self.at;
        self.at += length;
        while let Some((_, length)) = self.kind(self.at).filter(|&(next, _)| next == kind) {
            self.at += length;
        }
        Some(&self.text[start..self.at])
    }
}

#[cfg(test)]
mod tests {
    use super::{ASCII, DIGIT, LETTER, SPACE, WORD_A, WORD_B, compute, is, length, num_raw_words, raw_words};

    #[test]
    fn ascii_is_what_the_unicode_tables_say() {
        for code in 0..128_u8 {
            assert_eq!(ASCII[code as usize], compute(code as char), "{code:#x}");
        }
    }

    #[test]
    fn the_two_engines_differ_where_they_are_known_to() {
        assert!(is('²', WORD_A) && !is('²', WORD_B) && is('²', DIGIT));
        assert!(!is('\u{301}', WORD_A) && is('\u{301}', WORD_B));
        assert!(is('\u{85}', SPACE) && is('\u{3000}', SPACE) && !is('\u{200B}', SPACE));
        assert!(is('漢', LETTER) && !is('½', DIGIT) && is('½', WORD_A));
        assert_eq!((0..0x11_0000).filter_map(char::from_u32).filter(|&c| is(c, SPACE)).count(), 29);
    }

    #[test]
    fn words_are_runs() {
        assert_eq!(raw_words("don't stop…now").collect::<Vec<_>>(), ["don", "'", "t", "stop", "…", "now"]);
        assert_eq!(raw_words("  ").count(), 0);
        let text: String =
            (0..300_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 25) as u8 as char).collect();
        for end in 0..=text.len() {
            assert_eq!(num_raw_words(&text[..end]), raw_words(&text[..end]).count());
        }
        assert_eq!(length("aé漢\u{1F600}"), 4);
    }
}
