//! The text under scan, and small questions about its bytes.

use super::finding::{Finding, Kind};

/// Bytes at which something is looked for.
pub(super) const ANCHOR: [bool; 256] = {
    let mut table = [false; 256];
    table[b'@' as usize] = true;
    table[b'.' as usize] = true;
    table[b':' as usize] = true;
    table[b'+' as usize] = true;
    table[b'-' as usize] = true;
    table[b'~' as usize] = true;
    table
};

const fn class(letters: bool, digits: bool, more: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        table[i] = (letters && byte.is_ascii_alphabetic()) || (digits && byte.is_ascii_digit());
        i += 1;
    }
    let mut j = 0;
    while j < more.len() {
        table[more[j] as usize] = true;
        j += 1;
    }
    table
}

/// Letters, digits and `_`.
pub(super) const WORD: [bool; 256] = class(true, true, b"_");
/// What keys are made of: base64 of both alphabets, dots and colons.
pub(super) const KEY: [bool; 256] = class(true, true, b"_-+/=.~:");

/// A text, what was found in it so far, and what bounds the work.
pub(super) struct Scan<'t, 'r> {
    pub text: &'t [u8],
    pub string: &'t str,
    /// Values without quotes count.
    pub bare: bool,
    pub found: Vec<Finding<'r>>,
    /// Where the run of key characters ends that a format was last tried in, and how often it was.
    pub run: (usize, u32),
    /// The names that were looked for in the whole text, and whether packages are called so.
    pub looked: Vec<(&'t [u8], bool)>,
    /// The next `-----END` at or after a place, `usize::MAX` for none.
    pub closer: Option<(usize, usize)>,
}

impl<'t, 'r> Scan<'t, 'r> {
    pub fn new(string: &'t str, bare: bool) -> Self {
        Self {
            text: string.as_bytes(),
            string,
            bare,
            found: Vec::new(),
            run: (0, 0),
            looked: Vec::new(),
            closer: None,
        }
    }

    pub fn push(&mut self, start: usize, end: usize, kind: Kind, rule: &'r str) {
        self.found.push(Finding { start, end, kind, rule });
    }

    /// The byte at a place; a line feed beyond the ends.
    pub fn at(&self, place: usize) -> u8 {
        self.text.get(place).copied().unwrap_or(b'\n')
    }

    /// The byte before a place.
    pub fn before(&self, place: usize) -> u8 {
        if place == 0 { b'\n' } else { self.at(place - 1) }
    }

    /// Whether no word goes on to the left of `place`. The letter of an escape (`\n`) is no word.
    pub fn fresh(&self, place: usize) -> bool {
        let byte = self.before(place);
        !WORD[byte as usize]
            || (matches!(byte, b'n' | b'r' | b't') && place >= 2 && self.text[place - 2] == b'\\')
    }

    /// How far bytes of a class go from `from`, at most `limit` of them.
    pub fn run_of(&self, from: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text[from.min(self.text.len())..];
        from + rest.iter().take(limit).take_while(|b| class(**b)).count()
    }

    /// The same to the left: where the run that ends before `to` begins.
    pub fn run_before(&self, to: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
        to - self.text[..to].iter().rev().take(limit).take_while(|b| class(**b)).count()
    }

    /// The part of the line before `to`, at most `limit` bytes of it.
    pub fn line_before(&self, to: usize, limit: usize) -> &'t [u8] {
        &self.text[self.run_before(to, limit, |b| b != b'\n')..to]
    }
}

/// Whether `text` contains `word`, which is in lower case, in any case of letters.
pub(super) fn contains(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word))
}
