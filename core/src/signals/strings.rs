//! Strings in the code text, as the reference sees them: quotes pair up blindly, escapes are unknown.
//!
//! At each quote the first of these that matches wins: `'''…'''`, `"""…"""`, `'…'`, `"…"`, each with the shortest body.
//! True strings are the lexer's (`crate::lex`); thresholds were tuned on these.

use super::classes::{SPACE, is, length, raw_words};
use memchr::{memchr, memchr2, memmem};

/// What the strings of a code text add up to.
#[derive(Default)]
pub struct Strings {
    /// Lines within strings, which may span lines, of more than 20 raw words.
    pub long_lines: usize,
    /// Characters in the bodies of strings on one line (tripled quotes may span lines).
    pub chars: usize,
    /// Characters in words of more than 20 characters in those, web addresses apart.
    pub long_word_chars: usize,
    /// Where the bodies of those are.
    bodies: Vec<(u32, u32)>,
}

impl Strings {
    /// Scans `code`, and again where a quote has no partner on its line, for that is where the two variants differ.
    pub fn of(code: &str) -> Self {
        let mut found = Self::default();
        let mut on_lines = Bodies::of(code, false);
        for body in &mut on_lines {
            let start = body.as_ptr() as usize - code.as_ptr() as usize;
            found.bodies.push((start as u32, (start + body.len()) as u32));
            found.chars += length(body);
            if body.len() > 20 {
                let words = body.split(|c| is(c, SPACE)).filter(|word| word.len() > 20 && !has_address(word));
                found.long_word_chars += words.map(length).filter(|&chars| chars > 20).sum::<usize>();
            }
        }
        let is_long = |line: &&str| line.len() > 20 && raw_words(line).nth(20).is_some();
        let long_lines = |body: &str| body.split('\n').filter(is_long).count();
        found.long_lines = if on_lines.unpaired {
            Bodies::of(code, true).map(long_lines).sum()
        } else {
            found.bodies.iter().map(|&(start, end)| long_lines(&code[start as usize..end as usize])).sum()
        };
        found
    }

    /// Calls `each` with every part of the code text between its strings, the quotes included.
    pub fn outside<'a>(&self, code: &'a str, mut each: impl FnMut(&'a str)) {
        let mut from = 0;
        for &(start, end) in &self.bodies {
            each(&code[from..start as usize]);
            from = end as usize;
        }
        each(&code[from..]);
    }
}

/// Whether a word has `http://` or `https://` with something after it.
fn has_address(word: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|start| word.find(start).is_some_and(|at| at + start.len() < word.len()))
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
        let found = memmem::find(&bytes[start..], &[quote; 3]);
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
    use super::{Bodies, Strings};

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
