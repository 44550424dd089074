//! Matching by hand, linear on any text.
//!
//! The patterns of these families have open ends ("anything but `)`") and start anywhere, so a backtracking engine, or
//! a linear one that is started again at each line, is quadratic on hostile text. Here an attempt starts once per
//! line or keyword, and a search for a closer remembers where it was found.

use crate::signals::classes::{SPACE, WORD_B, is};
use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use memchr::{memchr, memmem, memrchr};
use std::cell::{Cell, OnceCell};
use std::sync::OnceLock;

/// Whether `c` can be part of a word: alphabetic, mark, decimal digit, connector, joiner.
pub fn is_word(c: char) -> bool {
    is(c, WORD_B)
}

/// Letters and digits of ASCII, and `_`.
static WORD: [bool; 256] = {
    let (mut word, mut byte) = ([false; 256], 0);
    while byte < 128 {
        word[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    word
};

/// Whether `byte` is a word character, or part of a character beyond ASCII, which may be one.
pub fn may_be_word(byte: u8) -> bool {
    WORD[usize::from(byte)] || !byte.is_ascii()
}

/// Where the word characters at the end of `text` begin.
pub fn last_word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let start = bytes.iter().rposition(|&byte| !WORD[usize::from(byte)]).map_or(0, |i| i + 1);
    match start.checked_sub(1).map(|before| bytes[before]) {
        Some(0x80..) => text.trim_end_matches(is_word).len(),
        _ => start,
    }
}

/// Whether `c` is whitespace to `str.strip`, which includes the four separators U+001C to U+001F.
pub fn is_blank(c: char) -> bool {
    is(c, SPACE)
}

/// A text and a place in it to match at.
pub struct Text<'a> {
    /// The whole text.
    pub text: &'a str,
    nearest: [Cell<(u8, usize, usize)>; 4],
    line_starts: OnceCell<LineStarts>,
}

/// Where lines begin, and with which byte, which decides nearly always.
#[derive(Default)]
struct LineStarts {
    places: Vec<usize>,
    bytes: Vec<u8>,
}

impl<'a> Text<'a> {
    /// Nothing has been looked for yet.
    pub fn new(text: &'a str) -> Self {
        Self { text, nearest: Default::default(), line_starts: OnceCell::new() }
    }

    /// The byte at `at`; 0 past the end.
    pub fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Past the whitespace at `at`.
    pub fn spaces(&self, at: usize) -> usize {
        let mut end = at;
        loop {
            match self.text.as_bytes().get(end) {
                Some(b'\t'..=b'\r' | b' ') => end += 1,
                Some(0x80..) => return self.text.len() - self.text[end..].trim_start().len(),
                _ => return end,
            }
        }
    }

    /// Past the whitespace at `at`, of which there must be some.
    pub fn some_spaces(&self, at: usize) -> Option<usize> {
        Some(self.spaces(at)).filter(|&end| end > at)
    }

    /// Past the word characters at `at`.
    pub fn word_end(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = at;
        while end < bytes.len() && WORD[bytes[end] as usize] {
            end += 1;
        }
        if end < bytes.len() && !bytes[end].is_ascii() {
            end += self.text[end..].find(|c| !is_word(c)).unwrap_or(bytes.len() - end);
        }
        end
    }

    /// Past the word at `at`, which must be there.
    pub fn word(&self, at: usize) -> Option<usize> {
        Some(self.word_end(at)).filter(|&end| end > at)
    }

    /// The next word at or after `at`: where it begins and ends.
    pub fn next_word(&self, at: usize) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        let mut start = at;
        loop {
            match *bytes.get(start)? {
                byte if WORD[byte as usize] => break,
                0x80.. => {
                    start += self.text[start..].find(is_word)?;
                    break;
                }
                _ => start += 1,
            }
        }
        Some((start, self.word_end(start)))
    }

    /// Past the characters at `at` that are word characters or one of `more`; there must be one.
    pub fn word_or(&self, at: usize, more: &[u8]) -> Option<usize> {
        let mut end = at;
        loop {
            let next = self.word_end(end);
            end = if more.contains(&self.byte(next)) && next < self.text.len() {
                next + 1
            } else {
                return Some(next).filter(|&next| next > at);
            };
        }
    }

    /// Past `literal` at `at`.
    pub fn literal(&self, at: usize, literal: &str) -> Option<usize> {
        let (rest, literal) = (&self.text.as_bytes()[at..], literal.as_bytes());
        // Nearly always the first byte decides.
        (rest.first() == literal.first() && rest.starts_with(literal)).then_some(at + literal.len())
    }

    /// Past the first of `literals` that is at `at` and is followed by whitespace, and past that whitespace.
    pub fn keyword(&self, at: usize, literals: &[&str]) -> Option<usize> {
        literals.iter().find_map(|literal| self.some_spaces(self.literal(at, literal)?))
    }

    /// The next `byte` at or after `at`. Found ones are remembered, so asking for ever later places is linear.
    pub fn find(&self, byte: u8, at: usize) -> Option<usize> {
        let slot = self
            .nearest
            .iter()
            .find(|slot| matches!(slot.get().0, b if b == byte || b == 0))
            .unwrap_or(&self.nearest[0]);
        let (known, from, found) = slot.get();
        if known != byte || at < from || at > found {
            let found = memchr(byte, &self.text.as_bytes()[at..]).map_or(usize::MAX, |i| at + i);
            slot.set((byte, at, found));
            return (found != usize::MAX).then_some(found);
        }
        (found != usize::MAX).then_some(found)
    }

    /// Past whitespace up to the end of a line: the last one that whitespace alone leads to.
    pub fn line_end(&self, at: usize) -> Option<usize> {
        let end = self.spaces(at);
        if end == self.text.len() {
            return Some(end);
        }
        memrchr(b'\n', &self.text.as_bytes()[at..end]).map(|i| at + i)
    }

    /// Past a string with backslash escapes whose opener is at `at`; an escape does not cross lines.
    pub fn string(&self, at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut i = at + 1;
        while i < bytes.len() {
            match bytes[i] {
                b'\\' if bytes.get(i + 1) == Some(&b'\n') => return None,
                b'\\' => i += 2,
                byte if byte == bytes[at] => return Some(i + 1),
                _ => i += 1,
            }
        }
        None
    }

    /// Whether no word character stands before `at`.
    pub fn starts_word(&self, at: usize) -> bool {
        match self.text.as_bytes()[..at].last() {
            Some(byte) if byte.is_ascii() => !(byte.is_ascii_alphanumeric() || *byte == b'_'),
            _ => !self.text[..at].chars().next_back().is_some_and(is_word),
        }
    }

    /// The first character of each line that is no whitespace; of several blank lines and the next one, once.
    fn line_starts(&self) -> &LineStarts {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let mut starts = LineStarts::default();
            let mut at = self.spaces(0);
            while at < bytes.len() {
                starts.places.push(at);
                starts.bytes.push(bytes[at]);
                let Some(i) = memchr(b'\n', &bytes[at..]) else { break };
                at = self.spaces(at + i + 1);
            }
            starts
        })
    }

    /// Matches of `attempt`, each started at the first character of a line that is no whitespace.
    ///
    /// `begins` says with which bytes a match can begin at all. `attempt` gives the end of its match, or where it is
    /// worth while to try again: at a line start after that.
    pub fn at_lines<T>(
        &self,
        begins: impl Fn(u8) -> bool,
        mut attempt: impl FnMut(usize) -> Result<(usize, T), usize>,
    ) -> Vec<T> {
        let LineStarts { places, bytes: firsts } = self.line_starts();
        let bytes = self.text.as_bytes();
        let (mut found, mut i) = (Vec::new(), 0);
        while let Some(skipped) = firsts[i..].iter().position(|&first| begins(first)) {
            i += skipped;
            let at = places[i];
            let next = match attempt(at) {
                Ok((end, value)) => {
                    found.push(value);
                    end
                }
                Err(next) => next.max(at + 1),
            };
            i += 1;
            if next <= at + 1 {
                continue;
            }
            let line = if bytes.get(next - 1) == Some(&b'\n') {
                next
            } else {
                match memchr(b'\n', &bytes[next.min(bytes.len())..]) {
                    Some(i) => next + i + 1,
                    None => break,
                }
            };
            while places.get(i).is_some_and(|&start| start < line) {
                i += 1;
            }
        }
        found
    }

    /// How many matches of `attempt` there are, each started as in [`Self::at_lines`].
    pub fn count_at_lines(
        &self,
        begins: impl Fn(u8) -> bool,
        attempt: impl Fn(usize) -> Option<usize>,
    ) -> usize {
        self.at_lines(begins, |at| attempt(at).map(|end| (end, ())).ok_or(at)).len()
    }

    /// Whether `attempt` matches at the first character of a line that is no whitespace.
    pub fn is_at_a_line(
        &self,
        begins: impl Fn(u8) -> bool,
        attempt: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        let LineStarts { places, bytes } = self.line_starts();
        bytes.iter().zip(places).any(|(&first, &at)| begins(first) && attempt(at).is_some())
    }

    /// How many matches of `attempt` there are, each started after an occurrence of one of `literals`.
    ///
    /// The occurrence must start a word if `boundary` is set.
    pub fn count_after(
        &self,
        literal: &str,
        boundary: bool,
        attempt: impl Fn(usize) -> Option<usize>,
    ) -> usize {
        let (mut count, mut from) = (0, 0);
        let finder = memmem::Finder::new(literal);
        while let Some(i) = finder.find(&self.text.as_bytes()[from..]) {
            let at = from + i;
            from = at + 1;
            if (!boundary || self.starts_word(at))
                && let Some(end) = attempt(at + literal.len())
            {
                count += 1;
                from = end;
            }
        }
        count
    }
}

/// The lines of a text that are not blank, stripped of what [`is_blank`].
pub fn stripped(text: &str) -> Stripped<'_> {
    Stripped { text, at: 0 }
}

/// Those of them in which `literal` occurs, which has no blank in it.
pub fn stripped_with<'t>(text: &'t str, literal: &str) -> impl Iterator<Item = &'t str> {
    let (mut lines, finder) = (stripped(text), Finder::new(literal).into_owned());
    std::iter::from_fn(move || {
        lines.skip_to(&finder);
        lines.next()
    })
}

/// See [`stripped`].
pub struct Stripped<'a> {
    text: &'a str,
    at: usize,
}

impl Stripped<'_> {
    /// Passes over the lines before the next one with this literal; over all if there is none.
    pub fn skip_to(&mut self, literal: &Finder<'_>) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += match literal.find(rest) {
            Some(at) => memrchr(b'\n', &rest[..at]).map_or(0, |i| i + 1),
            None => rest.len(),
        };
    }
}

impl<'a> Iterator for Stripped<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let start = blanks(bytes, self.at);
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |i| start + i);
            let line = strip(&self.text[start..end]);
            self.at = end;
            if !line.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

fn is_ascii_blank(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | 0x1C..=b' ')
}

/// Past the blanks of ASCII at `at`.
fn blanks(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| !is_ascii_blank(byte)).map_or(bytes.len(), |i| at + i)
}

/// Without blanks at either end.
fn strip(line: &str) -> &str {
    let bytes = line.as_bytes();
    let end = bytes.iter().rposition(|&byte| !is_ascii_blank(byte)).map_or(0, |i| i + 1);
    let start = blanks(&bytes[..end], 0);
    let line = &line[start..end];
    match (line.as_bytes().first(), line.as_bytes().last()) {
        (Some(first), Some(last)) if *first >= 0x80 || *last >= 0x80 => line.trim_matches(is_blank),
        _ => line,
    }
}

/// Literals to look for in every document of a language, compiled once. None has a line end in it.
pub struct Needles {
    literals: &'static [&'static str],
    /// Whether letters, digits or `_` beside it are a match's undoing.
    words: bool,
    finder: OnceLock<AhoCorasick>,
}

impl Needles {
    /// These, wherever they stand.
    pub const fn literals(literals: &'static [&'static str]) -> Self {
        Self { literals, words: false, finder: OnceLock::new() }
    }

    /// These where no letter, digit or `_` stands beside them.
    pub const fn words(literals: &'static [&'static str]) -> Self {
        Self { literals, words: true, finder: OnceLock::new() }
    }

    /// How many lines of `text` have one of them.
    pub fn lines(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        match *self.literals {
            [one] if !self.words => count_lines(bytes, Nearest::new(bytes, [one]).finding()),
            [one, other] if !self.words => count_lines(bytes, Nearest::new(bytes, [one, other]).finding()),
            _ => self.lines_of_many(bytes),
        }
    }

    fn lines_of_many(&self, bytes: &[u8]) -> usize {
        // The longest match: where it is part of a longer word, so is every shorter one.
        let finder = self.finder.get_or_init(|| {
            AhoCorasick::builder()
                .match_kind(aho_corasick::MatchKind::LeftmostLongest)
                .build(self.literals)
                .expect("a few short literals")
        });
        let is_part = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        count_lines(bytes, |mut from| {
            loop {
                let found = finder.find(&bytes[from..])?;
                let (start, end) = (from + found.start(), from + found.end());
                if !self.words || !(start > 0 && is_part(start - 1) || is_part(end)) {
                    return Some(start);
                }
                from = start + 1;
            }
        })
    }
}

/// A few literals, each looked for by itself: with vectors that takes less than one automaton for all of them.
pub struct Nearest<'a, const N: usize> {
    bytes: &'a [u8],
    finders: [Finder<'a>; N],
    /// Where each occurs next, as far as it was looked for.
    known: [Option<usize>; N],
}

impl<'a, const N: usize> Nearest<'a, N> {
    /// Nothing has been looked for yet.
    pub fn new(bytes: &'a [u8], literals: [&'a str; N]) -> Self {
        Self { bytes, finders: literals.map(Finder::new), known: [None; N] }
    }

    /// The nearest occurrence of any of them at or after `from`, which only grows.
    pub fn find(&mut self, from: usize) -> Option<usize> {
        for (finder, known) in self.finders.iter().zip(&mut self.known) {
            if known.is_none_or(|at| at < from) {
                *known = Some(finder.find(&self.bytes[from..]).map_or(usize::MAX, |i| from + i));
            }
        }
        self.known.iter().flatten().copied().min().filter(|&at| at != usize::MAX)
    }

    /// The same as a function.
    pub fn finding(mut self) -> impl FnMut(usize) -> Option<usize> {
        move |from| self.find(from)
    }
}

/// How many lines have a place that `find` finds, given where to look from.
pub fn count_lines(bytes: &[u8], mut find: impl FnMut(usize) -> Option<usize>) -> usize {
    let (mut count, mut from) = (0, 0);
    while let Some(at) = find(from) {
        count += 1;
        match memchr(b'\n', &bytes[at..]) {
            Some(i) => from = at + i + 1,
            None => break,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{Needles, Text, last_word, stripped, stripped_with};

    #[test]
    fn lines_are_cut_at_newlines_and_blank_ones_left_out() {
        let text = "a \u{3000}\n \t\r\n\u{1c}\n b\u{a0}c\t\n\u{a0}\n\u{3000}d";
        assert_eq!(stripped(text).collect::<Vec<_>>(), ["a", "b\u{a0}c", "d"]);
        assert_eq!((stripped("").count(), stripped("\n").count()), (0, 0));
    }

    #[test]
    fn lines_with_a_literal() {
        let text = "a\n \u{3000}b a \nc\n\n a";
        assert_eq!(stripped_with(text, "a").collect::<Vec<_>>(), ["a", "b a", "a"]);
        assert_eq!(stripped_with(text, "d").count(), 0);
    }

    #[test]
    fn words_at_the_end() {
        for (text, word) in
            [("a.b1_", "b1_"), ("a b\u{e9}c", "b\u{e9}c"), ("a\u{2014}b", "b"), ("a ", ""), ("a", "a")]
        {
            assert_eq!(&text[last_word(text)..], word);
        }
    }

    #[test]
    fn needles_count_once_per_line() {
        assert_eq!(Needles::literals(&["goto"]).lines("goto a; goto b\nx\ngoto c"), 2);
        assert_eq!(Needles::literals(&["a", "b"]).lines("a b\nb\nc"), 2);
        assert_eq!(Needles::words(&["print", "print_r"]).lines("print_rs print_r\nprint\nprints"), 2);
        assert_eq!(Needles::words(&["a"]).lines("aa ba a_ _a a\naa"), 1);
    }

    #[test]
    fn attempts_start_at_the_first_word_of_a_line() {
        let text = Text::new("a\n\n  a b a\nb a");
        assert_eq!(text.count_at_lines(|_| true, |at| text.literal(at, "a")), 2);
        let text = Text::new("a\na\n  a\n"); // the end of a match inside an indentation is no line start
        assert_eq!(
            text.count_at_lines(|first| first == b'a', |at| Some(text.spaces(text.literal(at, "a")?))),
            2
        );
        assert!(text.is_at_a_line(|first| first == b'a', |at| text.literal(at, "a\na\n ")));
        assert!(!text.is_at_a_line(|first| first == b'b', Some));
    }

    #[test]
    fn a_closer_is_looked_for_once() {
        let text = Text::new("a)b)");
        assert_eq!([0, 1, 2, 3, 4].map(|at| text.find(b')', at)), [Some(1), Some(1), Some(3), Some(3), None]);
        assert_eq!((text.find(b';', 0), text.find(b';', 2), text.find(b')', 0)), (None, None, Some(1)));
    }
}
