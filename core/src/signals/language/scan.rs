//! Matching by hand, linear on any text.
//!
//! The patterns of these families have open ends ("anything but `)`") and start anywhere, so a backtracking engine, or
//! a linear one that is started again at each line, is quadratic on hostile text. Here an attempt starts once per
//! line or keyword, and a search for a closer remembers where it was found.

use memchr::{memchr, memchr_iter, memmem, memrchr};
use std::cell::Cell;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

/// Whether `c` can be part of a word: alphabetic, mark, decimal digit, connector, joiner.
pub fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_alphabetic()
        || matches!(c, '\u{200C}' | '\u{200D}')
        || matches!(
            c.general_category(),
            Category::NonspacingMark
                | Category::SpacingMark
                | Category::EnclosingMark
                | Category::DecimalNumber
                | Category::ConnectorPunctuation
        )
}

/// Whether `c` is whitespace to `str.strip`, which includes the four separators U+001C to U+001F.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&c)
}

/// A text and a place in it to match at.
pub struct Text<'a> {
    /// The whole text.
    pub text: &'a str,
    nearest: [Cell<(u8, usize, usize)>; 4],
}

impl<'a> Text<'a> {
    /// Nothing has been looked for yet.
    pub fn new(text: &'a str) -> Self {
        Self { text, nearest: Default::default() }
    }

    /// The byte at `at`; 0 past the end.
    pub fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Past the whitespace at `at`.
    pub fn spaces(&self, at: usize) -> usize {
        self.text.len() - self.text[at..].trim_start().len()
    }

    /// Past the whitespace at `at`, of which there must be some.
    pub fn some_spaces(&self, at: usize) -> Option<usize> {
        Some(self.spaces(at)).filter(|&end| end > at)
    }

    /// Past the word characters at `at`.
    pub fn word_end(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = at;
        while end < bytes.len() && (bytes[end].is_ascii_alphanumeric() || bytes[end] == b'_') {
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
        self.text.as_bytes()[at..].starts_with(literal.as_bytes()).then_some(at + literal.len())
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

    /// Matches of `attempt`, each started at the first character of a line that is no whitespace.
    ///
    /// `attempt` gives the end of its match, or where it is worth while to try again: at a line start after that.
    pub fn at_lines<T>(&self, mut attempt: impl FnMut(usize) -> Result<(usize, T), usize>) -> Vec<T> {
        let mut found = Vec::new();
        let mut at = self.spaces(0);
        while at < self.text.len() {
            let next = match attempt(at) {
                Ok((end, value)) => {
                    found.push(value);
                    end
                }
                Err(next) => next.max(at + 1),
            };
            if next < self.text.len() && self.byte(next - 1) == b'\n' {
                at = self.spaces(next);
                continue;
            }
            match memchr(b'\n', &self.text.as_bytes()[next.min(self.text.len())..]) {
                Some(i) => at = self.spaces(next + i + 1),
                None => break,
            }
        }
        found
    }

    /// How many matches of `attempt` there are, each started as in [`Self::at_lines`].
    pub fn count_at_lines(&self, attempt: impl Fn(usize) -> Option<usize>) -> usize {
        self.at_lines(|at| attempt(at).map(|end| (end, ())).ok_or(at)).len()
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

/// The lines of a text that are not blank, each with its newline.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    memchr_iter(b'\n', text.as_bytes()).map(|i| i + 1).chain([text.len()]).filter_map(move |end| {
        let line = &text[start..end];
        start = end;
        (!line.chars().all(is_blank)).then_some(line)
    })
}

/// How many lines of `text` contain one of `needles`. No needle has a line end in it.
pub fn lines_with(text: &str, needles: &[&str]) -> usize {
    let bytes = text.as_bytes();
    let [needle] = needles else {
        let finder = aho_corasick::AhoCorasick::new(needles).expect("a few short literals");
        return count_lines(bytes, |from| finder.find(&bytes[from..]).map(|found| from + found.start()));
    };
    let finder = memmem::Finder::new(needle);
    count_lines(bytes, |from| finder.find(&bytes[from..]).map(|i| from + i))
}

/// How many lines have a place that `find` finds, given where to look from.
pub fn count_lines(bytes: &[u8], find: impl Fn(usize) -> Option<usize>) -> usize {
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
    use super::{Text, lines, lines_with};

    #[test]
    fn lines_are_cut_at_newlines_and_blank_ones_left_out() {
        assert_eq!(lines("a\n \t\r\n\u{1c}\n b").collect::<Vec<_>>(), ["a\n", " b"]);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines_with("goto a; goto b\nx\ngoto c", &["goto"]), 2);
        assert_eq!(lines_with("a b\nb\nc", &["a", "b"]), 2);
    }

    #[test]
    fn attempts_start_at_the_first_word_of_a_line() {
        let text = Text::new("a\n\n  a b a\nb a");
        assert_eq!(text.count_at_lines(|at| text.literal(at, "a")), 2);
        let text = Text::new("a\na\n  a\n"); // the end of a match inside an indentation is no line start
        assert_eq!(text.count_at_lines(|at| Some(text.spaces(text.literal(at, "a")?))), 2);
    }

    #[test]
    fn a_closer_is_looked_for_once() {
        let text = Text::new("a)b)");
        assert_eq!([0, 1, 2, 3, 4].map(|at| text.find(b')', at)), [Some(1), Some(1), Some(3), Some(3), None]);
        assert_eq!((text.find(b';', 0), text.find(b';', 2), text.find(b')', 0)), (None, None, Some(1)));
    }
}
