//! The machine every language runs on: find the next byte that can open something, and read what it opens.

use super::heredoc::Heredoc;
use super::memo::Memo;
use super::place::Place;
use super::quote::{Escape, Extent, Quote};
use super::rules::{Rules, Stop, What};
use super::span::{Kind, Span};
use super::text::{closer_of, is_at, is_word, nested_end, trailing_quotes};
use crate::bytes::{Class, padded};
use memchr::memchr;
use memchr::memmem::{self, Finder};

/// Literals within code within literals, to this depth; beyond it the code counts as text. Nobody writes three, and
/// without a bound a text of openers takes many times its size in memory.
const MAX_DEPTH: usize = 1_000;

/// What stands for no block: none starts there.
const NO_BLOCK: (usize, u64) = (usize::MAX, 0);

/// A literal that was left for the code inside it.
pub struct Frame<'a> {
    /// What goes on after the code.
    pub after: After<'a>,
    /// The byte that ends the code, and the byte that opens a pair with it: `}` and `{`.
    pub close: u8,
    /// See `close`.
    pub open: u8,
    /// Pairs opened and not closed.
    pub depth: usize,
}

/// What goes on after a piece of code inside a literal.
pub enum After<'a> {
    /// The rest of a string. `spec`: the code stood in a format specification of an f-string.
    Text {
        /// The string.
        quote: Quote<'a>,
        /// See above.
        spec: bool,
    },
    /// JSX.
    Jsx {
        /// Reads it on. Named here, so that the lexer need not know the dialect that has it.
        read: for<'l> fn(&mut Lexer<'l>, usize, bool),
        /// Elements that are open.
        elements: usize,
        /// Whether the code stood among attributes.
        in_tag: bool,
    },
}

/// The comments and strings of `text` under rules that the caller may have bent.
pub fn spans_by(text: &str, rules: &Rules) -> Vec<Span> {
    Lexer::new(text.as_bytes(), rules).run()
}

/// One pass over one text.
pub struct Lexer<'a> {
    /// The text.
    pub text: &'a [u8],
    /// The next byte to look at.
    pub pos: usize,
    /// The language.
    pub rules: &'a Rules,
    /// What has been found.
    pub spans: Vec<Span>,
    /// Literals around the present code, innermost last.
    pub frames: Vec<Frame<'a>>,
    /// Bytes to stop at here: those of the rules and, for a while, others.
    stops: [Stop; 256],
    /// The same as a class, if they are ASCII.
    class: Option<Class>,
    /// The block that was looked at last, and which of its bytes to stop at.
    block: (usize, u64),
    /// Heredocs whose bodies begin on the next line.
    pub heredocs: Vec<Heredoc<'a>>,
    /// What is not there.
    pub memo: Memo<'a>,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`.
    pub fn new(text: &'a [u8], rules: &'a Rules) -> Self {
        Self {
            text,
            pos: 0,
            rules,
            spans: Vec::new(),
            frames: Vec::new(),
            stops: rules.stops,
            class: rules.class.clone(),
            block: NO_BLOCK,
            heredocs: Vec::new(),
            memo: Memo::default(),
        }
    }

    /// Reads it all.
    pub fn run(mut self) -> Vec<Span> {
        if let Some(start) = self.rules.start {
            start(&mut self);
        }
        while let Some(at) = self.next() {
            self.pos = at + 1;
            let byte = self.text[at];
            if self.rules.special[byte as usize] && (self.rules.hook)(&mut self, at) {
                continue;
            }
            if !self.frames.is_empty() && self.bracket(at, byte) {
                continue;
            }
            if !self.open(at) && self.rules.skips.contains(&byte) {
                self.pos = (at + 2).min(self.text.len());
            }
        }
        self.spans
    }

    /// The next byte that can open something.
    fn next(&mut self) -> Option<usize> {
        let mut at = self.pos.min(self.text.len());
        loop {
            at = self.next_stop(at)?;
            let always = self.stops[self.text[at] as usize] == Stop::Always;
            if always || at == 0 || !is_word(self.text[at - 1]) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// The next byte to stop at, 64 bytes at a time.
    #[inline]
    fn next_stop(&mut self, at: usize) -> Option<usize> {
        let Some(class) = &self.class else {
            return self.text[at..]
                .iter()
                .position(|&b| self.stops[b as usize] != Stop::Never)
                .map(|i| at + i);
        };
        let (mut start, mut from) = (at & !63, u64::MAX << (at & 63));
        while start < self.text.len() {
            if self.block.0 != start {
                let rest = &self.text[start..];
                let mask = rest.first_chunk().map_or_else(
                    || class.mask(&padded(rest)) & !(u64::MAX << rest.len()),
                    |block| class.mask(block),
                );
                self.block = (start, mask);
            }
            let found = self.block.1 & from;
            if found != 0 {
                return Some(start + found.trailing_zeros() as usize);
            }
            (start, from) = (start + 64, u64::MAX);
        }
        None
    }

    /// Stops at a byte from here on, or no longer.
    pub fn stop_at(&mut self, byte: u8, stop: bool) {
        let rule = self.rules.stops[byte as usize];
        self.stops[byte as usize] = if stop { Stop::Always } else { rule };
        if let Some(class) = &mut self.class {
            class.set(byte, stop || rule != Stop::Never);
        }
        self.block = NO_BLOCK;
    }

    /// Whether code inside a literal is still told from the literal.
    pub fn may_nest(&self) -> bool {
        self.frames.len() < MAX_DEPTH
    }

    /// Leaves a literal for the code inside it.
    pub fn push_frame(&mut self, frame: Frame<'a>) {
        if self.frames.is_empty() {
            self.rules.inside.iter().for_each(|&byte| self.stop_at(byte, true));
        }
        self.frames.push(frame);
    }

    /// Goes back to the innermost literal.
    fn pop_frame(&mut self) -> Option<Frame<'a>> {
        let frame = self.frames.pop();
        if self.frames.is_empty() {
            self.rules.inside.iter().for_each(|&byte| self.stop_at(byte, false));
        }
        frame
    }

    /// Counts the brackets of code inside a literal, and goes back to the literal at the last one.
    fn bracket(&mut self, at: usize, byte: u8) -> bool {
        let Some(frame) = self.frames.last_mut() else { return false };
        if byte == frame.open {
            frame.depth += 1;
        } else if byte == frame.close && frame.depth > 0 {
            frame.depth -= 1;
        } else if byte == frame.close {
            let Some(frame) = self.pop_frame() else { return false };
            match frame.after {
                After::Text { quote, spec } => self.body(at, at + 1, quote, spec),
                After::Jsx { read, elements, in_tag } => read(self, elements, in_tag),
            }
        } else {
            return false;
        }
        true
    }

    /// Reads the comment or string that the table says begins at `at`, if one does.
    pub fn open(&mut self, at: usize) -> bool {
        let rules = self.rules;
        for opener in rules.openers_of(self.text[at]) {
            if !opener.is_at(self.text, at) {
                continue;
            }
            let inside = at + opener.text.len();
            let opened = match &opener.what {
                What::Line(place) => self.is_place(*place, at) && self.line_comment(at),
                What::Block { close, place } => {
                    self.is_place(*place, at) && self.block_comment(at, inside, &opener.text, close)
                }
                What::Text(quote) => {
                    self.may_quote(at, &opener.text) && self.string(at, inside, quote.borrowed())
                }
            };
            if opened {
                return true;
            }
        }
        false
    }

    fn is_place(&self, place: Place, at: usize) -> bool {
        match place {
            Place::Anywhere => true,
            Place::Blank => at == 0 || self.text[at - 1].is_ascii_whitespace(),
            Place::Word => {
                at == 0
                    || self.text[at - 1].is_ascii_whitespace()
                    || matches!(self.text[at - 1], b';' | b'&' | b'|' | b'(' | b')' | b'`')
            }
            Place::LineStart => self.line_start_blank(at),
            Place::Column0 => at == 0 || self.text[at - 1] == b'\n',
            Place::Statement => {
                let before = self.text[..at].iter().rev().find(|b| !matches!(b, b' ' | b'\t' | b'\r'));
                before.is_none_or(|b| matches!(b, b'\n' | b';' | b'&' | b'|' | b'(' | b'@'))
            }
        }
    }

    /// Whether nothing but blanks stands before `at` on its line.
    pub fn line_start_blank(&self, at: usize) -> bool {
        // Blanks between two openers are looked at once for each, and an opener ends the look.
        let before = self.text[..at].iter().rev().find(|b| !matches!(b, b' ' | b'\t' | b'\r'));
        before.is_none_or(|&b| b == b'\n')
    }

    /// In languages nobody described further, `'` right after a word is a prime or an apostrophe.
    fn may_quote(&self, at: usize, opener: &[u8]) -> bool {
        !(self.rules.primes && opener == b"'" && at > 0 && is_word(self.text[at - 1]))
    }

    /// Adds a span, if it is not empty.
    pub fn push(&mut self, kind: Kind, start: usize, end: usize) {
        if start < end {
            self.spans.push(Span { kind, start, end });
        }
        self.pos = self.pos.max(end);
    }

    /// The end of the line of `at`: the place of its `\n`, or the end of the text.
    pub fn line_end(&self, at: usize) -> usize {
        memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |i| at + i)
    }

    /// A line comment that begins at `start`.
    pub fn line_comment(&mut self, start: usize) -> bool {
        let mut newline = self.line_end(start);
        while self.rules.continued && self.is_continued(newline) {
            newline = self.line_end(newline + 1);
        }
        let mut end = newline;
        if let Some(closer) = self.rules.line_comment_closer {
            end = memmem::find(&self.text[start..newline], closer).map_or(newline, |i| start + i);
        }
        let end = if end == newline { self.without_cr(start, end) } else { end };
        self.push(Kind::LineComment, start, end);
        self.pos = end;
        true
    }

    /// Whether the newline there is taken back by a backslash before it.
    pub fn is_continued(&self, newline: usize) -> bool {
        let before = self.without_cr(0, newline);
        newline < self.text.len() && before > 0 && self.text[before - 1] == b'\\'
    }

    /// `end`, before a carriage return that belongs to the line end.
    pub fn without_cr(&self, start: usize, end: usize) -> usize {
        if end > start && self.text[end - 1] == b'\r' { end - 1 } else { end }
    }

    /// A block comment: its closer, or the end of the text.
    fn block_comment(&mut self, start: usize, inside: usize, open: &[u8], closer: &Finder<'_>) -> bool {
        let close = closer.needle();
        let end = if self.rules.nested && open != close {
            nested_end(self.text, inside, open, close)
        } else if self.memo.is_absent(close, inside) {
            None
        } else {
            closer.find(&self.text[inside..]).map(|i| inside + i + close.len())
        };
        if end.is_none() && self.rules.quirks.unclosed_comment_is_code {
            self.memo.set_absent(close, self.text.len());
            return false;
        }
        self.push(Kind::BlockComment, start, end.unwrap_or(self.text.len()));
        true
    }

    /// A string that begins at `start` with its opener, whose inside begins at `inside`.
    pub fn string(&mut self, start: usize, inside: usize, quote: Quote<'a>) -> bool {
        let optional = matches!(quote.extent, Extent::LineOrCode | Extent::TextOrCode);
        if optional && self.memo.is_absent(quote.close, inside) {
            return false;
        }
        let before = self.spans.len();
        self.body(start, inside, quote, false);
        self.spans.len() > before
    }

    /// Reads a string on from `from`, inside it; the span begins at `start`.
    ///
    /// `spec`: inside the format specification of an f-string, where `}` ends the code around.
    pub fn body(&mut self, mut start: usize, from: usize, mut quote: Quote<'a>, mut spec: bool) {
        let text = self.text;
        let mut i = from.min(text.len());
        while let Some(found) = quote.next_stop(&text[i..], spec) {
            i += found;
            let byte = text[i];
            // `\(` of Swift is no escape.
            let opener = quote.code.iter().find(|&&o| is_at(text, i, o)).filter(|_| self.may_nest());
            if byte == b'\\' && quote.escape == Escape::Backslash && opener.is_none() {
                let crlf = text[i + 1..].starts_with(b"\r\n");
                i = (i + 2 + usize::from(crlf)).min(text.len());
            } else if is_at(text, i, quote.close) {
                let end = i + quote.close.len();
                if quote.escape == Escape::Doubled && is_at(text, end, quote.close) {
                    i = end + quote.close.len();
                    continue;
                }
                let more = if quote.trailing { trailing_quotes(text, end, quote.close[0]) } else { 0 };
                self.push(Kind::String, start, end + more);
                return;
            } else if byte == b'\n' && quote.is_one_line() {
                return self.unclosed(start, i, quote);
            } else if spec && byte == b'}' {
                self.push(Kind::String, start, i);
                let Some(Frame { after: After::Text { quote: outer, spec: outer_spec }, .. }) =
                    self.pop_frame()
                else {
                    return;
                };
                (start, quote, spec) = (i, outer, outer_spec);
                i += 1;
            } else if let Some(&opener) = opener {
                if quote.doubled_code && !spec && text[i + 1..].starts_with(&opener[..1]) {
                    i += 2; // `{{` is a brace
                    continue;
                }
                let end = i + opener.len();
                self.push(Kind::String, start, end);
                let open = opener[opener.len() - 1];
                let after = After::Text { quote, spec };
                self.push_frame(Frame { after, close: closer_of(open), open, depth: 0 });
                return;
            } else {
                i += 1;
            }
        }
        self.unclosed(start, text.len(), quote);
    }

    /// A string whose closer did not come before `end`.
    fn unclosed(&mut self, start: usize, end: usize, quote: Quote<'a>) {
        if matches!(quote.extent, Extent::LineOrCode | Extent::TextOrCode) {
            self.memo.set_absent(quote.close, end);
            return;
        }
        let end = self.without_cr(start, end);
        self.push(Kind::String, start, end);
        self.pos = end;
    }
}
