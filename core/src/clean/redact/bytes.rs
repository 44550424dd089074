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
    /// Where they count although `bare` says no: the parts of a notebook that are no code.
    spoken: Vec<(usize, usize)>,
    /// Where the last container or document ends that was looked at whole.
    pub contained: usize,
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
            spoken: spoken(string),
            contained: 0,
            found: Vec::new(),
            run: (0, 0),
            looked: Vec::new(),
            closer: None,
        }
    }

    pub fn push(&mut self, start: usize, end: usize, kind: Kind, rule: &'r str) {
        self.found.push(Finding { start, end, kind, rule });
    }

    /// Whether values without quotes count at a place.
    pub fn bare_at(&self, place: usize) -> bool {
        self.bare
            || !self.spoken.is_empty() && {
                let next = self.spoken.partition_point(|(start, _)| *start <= place);
                let told = next.checked_sub(1).is_some_and(|n| place < self.spoken[n].1);
                let line = self.line_before(place, 120);
                let cell = memchr::memmem::rfind(line, b"<jupyter_code>").map_or(line, |n| &line[n + 14..]);
                told || matches!(cell.first(), Some(b'!' | b'%'))
            }
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

/// The parts of a notebook's text that are no code: what cells of text say, and what code has put out.
fn spoken(string: &str) -> Vec<(usize, usize)> {
    const CODE: &str = "<jupyter_code>";
    if !string.starts_with("<jupyter_start>") {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for place in memchr::memmem::find_iter(string.as_bytes(), b"<jupyter_") {
        if string[place..].starts_with("<jupyter_output>") || string[place..].starts_with("<jupyter_text>") {
            from = place;
        } else if string[place..].starts_with(CODE) {
            parts.push((from, place));
            from = usize::MAX;
        }
    }
    if from < usize::MAX {
        parts.push((from, string.len()));
    }
    parts.retain(|(from, to)| from < to);
    parts
}

/// Whether `text` contains `word`, which is in lower case, in any case of letters.
pub(super) fn contains(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether a value without quotes may have it.
pub(super) fn of_value(b: u8) -> bool {
    b > b' ' && b < 0x7f && !b"\"'`\\,;)]}|<>".contains(&b)
}

/// Base64, with or without padding; at most a header's length of it.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let (mut bits, mut held, mut out) = (0u32, 0, Vec::with_capacity(text.len() * 3 / 4));
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}
