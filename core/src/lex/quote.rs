//! Kinds of strings: what ends them, what does not, and how far they go when nothing does.

use memchr::{memchr2, memchr3};

/// What takes a quote away from its string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// A backslash before it.
    Backslash,
    /// Another one after it.
    Doubled,
    /// Nothing.
    None,
}

/// How far a string goes whose closer is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To the end of its line, which no string of the kind crosses.
    Line,
    /// Nowhere: a quote without partner on its line is code.
    LineOrCode,
    /// To the end of the text.
    Text,
    /// Nowhere: a quote without any partner is code.
    TextOrCode,
}

/// A kind of string, from just behind its opener.
#[derive(Clone, Copy, Debug)]
pub struct Quote<'a> {
    /// What ends it; never empty.
    pub close: &'a [u8],
    /// What does not end it.
    pub escape: Escape,
    /// What becomes of it without a closer.
    pub extent: Extent,
    /// Openers of code inside, each ending in the bracket that its closer pairs with; all begin with one byte.
    pub code: &'static [&'static [u8]],
    /// Whether such an opener, doubled, is text.
    pub doubled_code: bool,
    /// Whether more quotes after the closer belong to the string.
    pub trailing: bool,
}

impl<'a> Quote<'a> {
    /// A string without code inside.
    pub const fn new(close: &'a [u8], escape: Escape, extent: Extent) -> Self {
        Self { close, escape, extent, code: &[], doubled_code: false, trailing: false }
    }

    /// The same with code inside.
    pub const fn with_code(self, code: &'static [&'static [u8]]) -> Self {
        Self { code, ..self }
    }

    /// Whether it ends with its line.
    pub fn is_one_line(&self) -> bool {
        matches!(self.extent, Extent::Line | Extent::LineOrCode)
    }

    /// The next byte of the inside that means something.
    pub fn next_stop(&self, text: &[u8], spec: bool) -> Option<usize> {
        let close = self.close[0];
        let escape = if self.escape == Escape::Backslash { b'\\' } else { close };
        let newline = if self.is_one_line() { b'\n' } else { close };
        let code = self.code.first().map_or(close, |code| code[0]);
        let end = if spec { b'}' } else { close };
        match (newline == close, code == close, end == close) {
            (true, true, true) => return memchr2(close, escape, text),
            (false, true, true) => return memchr3(close, escape, newline, text),
            (true, false, true) => return memchr3(close, escape, code, text),
            _ => {}
        }
        text.iter().position(|&b| b == close || b == escape || b == newline || b == code || b == end)
    }
}

/// A string as rules hold it.
#[derive(Clone, Debug)]
pub struct OwnedQuote {
    /// What ends it.
    pub close: Vec<u8>,
    /// The rest; its `close` is empty.
    pub rest: Quote<'static>,
}

impl OwnedQuote {
    /// As the lexer takes it.
    pub fn borrowed(&self) -> Quote<'_> {
        Quote { close: &self.close, ..self.rest }
    }
}

/// A string without escapes, code or line limit that ends with `close`.
pub const fn raw(close: &[u8]) -> Quote<'_> {
    Quote::new(close, Escape::None, Extent::Text)
}
