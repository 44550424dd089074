//! Strings in the code text, as the reference sees them: quotes pair up blindly, escapes are unknown.
//!
//! At each quote the first of these that matches wins: `'''…'''`, `"""…"""`, `'…'`, `"…"`, each with the shortest body.
//! True strings are the lexer's (`crate::lex`); thresholds were tuned on these.

use super::classes::{SPACE, is, length, num_raw_words};
use memchr::{memchr, memchr2, memmem};
use std::sync::LazyLock;

/// What closes tripled strings of `'` and of `"`.
static TRIPLE: LazyLock<[memmem::Finder<'static>; 2]> =
    LazyLock::new(|| ["'''", "\"\"\""].map(memmem::Finder::new));

/// What the strings of a code text add up to.
#[derive(Default)]
pub struct Strings {
    /// Lines within strings, which may span lines, of more than 20 raw words.
    pub long_lines: usize,
    /// Characters in the bodies of strings on one line (tripled quotes may span lines).
    pub chars: usize,
    /// Characters in words of more than 20 characters in those, web addresses apart.
    pub long_word_chars: usize,
    /// The code text with blanks for those; `None` if there are none.
    blanked: Option<Vec<u8>>,
}

impl Strings {
    /// Scans `code`, and again where a quote has no partner on its line, for that is where the two variants differ.
    pub fn of(code: &str) -> Self {
        let mut found = Self::default();
        let mut on_lines = Bodies::of(code, false);
        let mut long_lines = 0;
        for body in &mut on_lines {
            let start = body.as_ptr() as usize - code.as_ptr() as usize;
            let blanked = found.blanked.get_or_insert_with(|| code.as_bytes().to_vec());
            blanked[start..start + body.len()].fill(b' ');
            found.chars += length(body);
            if body.len() > 20 {
                let words = body.split(|c| is(c, SPACE)).filter(|word| word.len() > 20 && !has_address(word));
                found.long_word_chars += words.map(length).filter(|&chars| chars > 20).sum::<usize>();
                long_lines += num_long_lines(body);
            }
        }
        found.long_lines =
            if on_lines.unpaired { Bodies::of(code, true).map(num_long_lines).sum() } else { long_lines };
        found
    }

    /// The code text with blanks for the bodies of its strings, quotes included.
    pub fn outside<'a>(&'a self, code: &'a str) -> &'a [u8] {
        self.blanked.as_deref().unwrap_or(code.as_bytes())
    }
}

/// How many lines have more than 20 raw words.
fn num_long_lines(body: &str) -> usize {
    body.split('\n').filter(|line| line.len() > 20 && num_raw_words(line) > 20).count()
}

/// Whether a word has `http://` or `https://` with something after it.
fn has_address(word: &str) -> bool {
    let mut signs = memmem::find_iter(word.as_bytes(), b"://").filter(|at| at + 3 < word.len());
    signs.any(|at| word[..at].ends_with("http") || word[..at].ends_with("https"))
}

/// The bodies of strings that are not empty.
struct Bodies<'a> {
    code: &'a str,
    at: usize,
    across_lines: bool,
    no_triple: [bool; 2], // whether no `'''`, no `"""` is left, so that they are looked for once
    unpaired: bool,       // whether a quote had no partner
}

impl<'a> Iterator for Bodies<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.code.as_bytes();
        while let Some(open) = memchr2(b'\'', b'"', bytes.get(self.at..)?).map(|found| self.at + found) {
            let quote = bytes[open];
            let Some((start, end, next)) = self.triple(open, quote).or_else(|| self.single(open, quote))
            else {
                self.at = open + 1;
                self.unpaired = true;
                continue;
            };
            self.at = next;
            if start < end {
                return Some(&self.code[start..end]);
            }
        }
        self.at = bytes.len();
        None
    }
}

impl<'a> Bodies<'a> {
    fn of(code: &'a str, across_lines: bool) -> Self {
        Self { code, at: 0, across_lines, no_triple: [false; 2], unpaired: false }
    }

    /// Body and end of a tripled string that opens at `open`.
    fn triple(&mut self, open: usize, quote: u8) -> Option<(usize, usize, usize)> {
        let bytes = self.code.as_bytes();
        let none = &mut self.no_triple[usize::from(quote == b'"')];
        if *none || bytes.get(open + 1) != Some(&quote) || bytes.get(open + 2) != Some(&quote) {
            return None;
        }
        let start = open + 3;
        let found = TRIPLE[usize::from(quote == b'"')].find(&bytes[start..]);
        *none = found.is_none();
        found.map(|length| (start, start + length, start + length + 3))
    }

    fn single(&self, open: usize, quote: u8) -> Option<(usize, usize, usize)> {
        let rest = &self.code.as_bytes()[open + 1..];
        let length = if self.across_lines {
            memchr(quote, rest)?
        } else {
            memchr2(quote, b'\n', rest).filter(|&at| rest[at] == quote)?
        };
        Some((open + 1, open + 1 + length, open + length + 2))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bodies, Strings, has_address};

    fn bodies(code: &str, across_lines: bool) -> Vec<&str> {
        Bodies::of(code, across_lines).collect()
    }

    #[test]
    fn quotes_pair_blindly() {
        assert_eq!(bodies("x = 'a' + \"b'c\" + ''", true), ["a", "b'c"]);
        assert_eq!(bodies("'''a'b''' \"\"\"c\nd\"\"\"", false), ["a'b", "c\nd"]);
        assert_eq!(bodies("it's\nnot 'x'", true), ["s\nnot "]);
        assert_eq!(bodies("it's\nnot 'x'", false), ["x"]);
        assert_eq!(bodies("'''a'", true), ["a"]); // an empty '' first, then 'a'
        assert_eq!(bodies("\"", true), [""; 0]);
    }

    #[test]
    fn addresses_have_something_after_them() {
        assert!(["http://a", "xhttps://a", "http://http://"].iter().all(|word| has_address(word)));
        assert!(!["http://", "ttp://a", "ahttps://", "é://a"].iter().any(|word| has_address(word)));
    }

    #[test]
    fn hostile_quotes_come_to_an_end() {
        for text in [
            "'".repeat(4_000_001),
            "\"'".repeat(2_000_000),
            "'\n".repeat(2_000_000),
            "''' ".repeat(1_000_001),
        ] {
            Strings::of(&text);
        }
    }
}
