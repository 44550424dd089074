//! The tokens of a page, as `html.parser` of Python 3.11 finds them.

use super::page::Page;
use crate::signals::language::scan::{Text, is_blank};
use memchr::{memchr, memchr2};
use regex::Regex;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::LazyLock;

/// More digits than Python's `int` takes.
const MAX_DECIMAL_DIGITS: usize = 4300;
/// How often the text may be walked for start tags that have no end: each is tried again from its next `<`.
const MAX_WASTED_WALKS: usize = 8;

/// What stands at a `<` and a letter.
enum StartTag<'a> {
    Whole {
        name: Cow<'a, str>,
        end: usize,
        closed: bool,
    },
    /// No tag up to there, but text.
    Text(usize),
    /// Neither; how far it was looked at.
    Incomplete(usize),
}

/// What became of one step.
enum Step {
    To(usize),
    /// The parser waits for more text. The second time what is left is taken as text.
    Wait(usize),
    /// The parser raises an error.
    Fail,
}

/// A closer that is a pattern; the nearest one is remembered, so asking for ever later places is linear.
struct Closer {
    pattern: &'static Regex,
    /// Where it was looked for and what was found, its start at the end of all numbers if nothing.
    known: Cell<Option<(usize, usize, usize)>>,
}

impl Closer {
    fn new(pattern: &'static Regex) -> Self {
        Self { pattern, known: Cell::new(None) }
    }

    fn find(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        let known = self.known.get().filter(|&(from, start, _)| from <= at && at <= start);
        let (_, start, end) = known.unwrap_or_else(|| {
            let found = self.pattern.find_at(text, at);
            (at, found.map_or(usize::MAX, |found| found.start()), found.map_or(0, |found| found.end()))
        });
        self.known.set(Some((known.map_or(at, |(from, ..)| from), start, end)));
        (start != usize::MAX).then_some((start, end))
    }
}

fn compiled(pattern: &str) -> Regex {
    Regex::new(&pattern.replace("_*", r"[\s\x1C-\x1F]*")).expect("a constant pattern")
}

static COMMENT: LazyLock<Regex> = LazyLock::new(|| compiled("--_*>"));
static SECTION: LazyLock<Regex> = LazyLock::new(|| compiled(r"\]_*\]_*>"));
static CONDITION: LazyLock<Regex> = LazyLock::new(|| compiled(r"\]_*>"));
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| compiled("</_*(?i-u:script)_*>"));
static STYLE: LazyLock<Regex> = LazyLock::new(|| compiled("</_*(?i-u:style)_*>"));

/// A parser of one text.
pub struct Parser<'a> {
    text: Text<'a>,
    comment: Closer,
    section: Closer,
    condition: Closer,
    /// Whether it has waited once.
    ended: bool,
    wasted: usize,
    /// The element that is raw text up to its end tag.
    raw: Option<&'static str>,
    page: Page<'a>,
}

impl<'a> Parser<'a> {
    /// At the start of `content`.
    pub fn new(content: &'a str) -> Self {
        Self {
            text: Text::new(content),
            comment: Closer::new(&COMMENT),
            section: Closer::new(&SECTION),
            condition: Closer::new(&CONDITION),
            ended: false,
            wasted: 0,
            raw: None,
            page: Page::default(),
        }
    }

    /// Characters of visible text; `None` if the parser gives up.
    pub fn run(mut self) -> Option<usize> {
        let content = self.text.text;
        let mut at = 0;
        while at < content.len() {
            at = match self.step(at) {
                Step::To(next) => next,
                Step::Fail => return None,
                Step::Wait(next) if !self.ended => {
                    self.ended = true;
                    next
                }
                Step::Wait(next) => {
                    if self.raw.is_none() && next < content.len() {
                        self.page.add(&content[next..]);
                    }
                    break;
                }
            };
        }
        self.page.end_run();
        Some(self.page.chars)
    }

    fn step(&mut self, at: usize) -> Step {
        let content = self.text.text;
        if let Some(name) = self.raw {
            let end = if name == "script" { &SCRIPT } else { &STYLE };
            let Some(found) = end.find_at(content, at) else { return Step::Wait(at) };
            self.page.add(&content[at..found.start()]);
            self.raw = None;
            self.page.end_tag(Cow::Borrowed(name));
            return Step::To(found.end());
        }
        let Some(i) = memchr2(b'&', b'<', &content.as_bytes()[at..]) else {
            self.page.add(&content[at..]);
            return Step::To(content.len());
        };
        if i > 0 {
            self.page.add(&content[at..at + i]);
            return Step::To(at + i);
        }
        match (self.text.byte(at), self.text.byte(at + 1)) {
            (b'&', b'#') => self.numeric_reference(at),
            (b'&', _) => self.named_reference(at),
            _ => self.markup(at),
        }
    }

    fn markup(&mut self, at: usize) -> Step {
        let end = match self.text.byte(at + 1) {
            byte if byte.is_ascii_alphabetic() => match self.start_tag(at) {
                StartTag::Whole { name, end, closed } => {
                    self.raw = self.page.start(name, closed);
                    Some(end)
                }
                StartTag::Text(end) => {
                    self.page.add(&self.text.text[at..end]);
                    Some(end)
                }
                StartTag::Incomplete(end) => {
                    self.wasted += end - at;
                    if self.wasted / MAX_WASTED_WALKS > self.text.text.len() {
                        return Step::Fail;
                    }
                    None
                }
            },
            b'/' => self.end_tag_at(at),
            b'?' => self.text.find(b'>', at + 2).map(|close| self.unseen(close + 1)),
            b'!' if self.text.literal(at, "<!--").is_some() => {
                self.comment.find(self.text.text, at + 4).map(|(_, end)| self.unseen(end))
            }
            b'!' if self.text.byte(at + 2) == b'[' => match self.marked_section(at + 3) {
                Ok(end) => end,
                Err(()) => return Step::Fail,
            },
            b'!' => self.declaration(at),
            _ if at + 1 < self.text.text.len() => {
                self.page.add("<");
                Some(at + 1)
            }
            _ => return Step::Wait(at),
        };
        match end {
            Some(end) => Step::To(end),
            None if !self.ended => Step::Wait(at),
            None => {
                let close = self.text.find(b'>', at + 1).map(|close| close + 1);
                let end = close.or_else(|| self.text.find(b'<', at + 1)).unwrap_or(at + 1);
                self.page.add(&self.text.text[at..end]);
                Step::To(end)
            }
        }
    }

    /// Past something that ends the run of text and is itself not visible.
    fn unseen(&mut self, end: usize) -> usize {
        self.page.end_run();
        end
    }

    /// `<!doctype`, or what is taken as a comment.
    fn declaration(&mut self, at: usize) -> Option<usize> {
        let start = self.text.text.as_bytes()[at..].get(..9);
        let from = if start.is_some_and(|s| s.eq_ignore_ascii_case(b"<!doctype")) { at + 9 } else { at + 2 };
        self.text.find(b'>', from).map(|close| self.unseen(close + 1))
    }

    /// After `<![`: a section of SGML, or a condition of Microsoft's.
    fn marked_section(&mut self, at: usize) -> Result<Option<usize>, ()> {
        let content = self.text.text;
        if at >= content.len() {
            return Ok(None);
        }
        if !self.text.byte(at).is_ascii_alphabetic() {
            return Err(());
        }
        let rest = &content[at..];
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let end = rest.bytes().position(|byte| !is_name(byte)).unwrap_or(rest.len());
        if self.blanks(at + end) == content.len() {
            return Ok(None);
        }
        let found = match rest[..end].to_ascii_lowercase().as_str() {
            "temp" | "cdata" | "ignore" | "include" | "rcdata" => self.section.find(content, at),
            "if" | "else" | "endif" => self.condition.find(content, at),
            _ => return Err(()),
        };
        Ok(found.map(|(close, end)| {
            self.page.end_run();
            if rest.as_bytes()[..6].eq_ignore_ascii_case(b"cdata[") && at + 6 <= close {
                self.page.add(&content[at + 6..close]);
                self.page.count_run(true); // visible even where text is not
            }
            end
        }))
    }

    fn end_tag_at(&mut self, at: usize) -> Option<usize> {
        let content = self.text.text;
        let first_close = self.text.find(b'>', at + 1)?;
        let name = self.blanks(at + 2);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_');
        if self.text.byte(name).is_ascii_alphabetic() {
            let length = content[name..].bytes().position(|byte| !is_name(byte));
            let end = length.map_or(content.len(), |length| name + length);
            if self.blanks(end) == first_close {
                self.page.end_tag(lower(&content[name..end]));
                return Some(first_close + 1);
            }
        }
        if !self.text.byte(at + 2).is_ascii_alphabetic() {
            let empty = first_close == at + 2;
            return Some(if empty { at + 3 } else { self.unseen(first_close + 1) });
        }
        let end = self.tag_name(at + 2);
        let close = self.text.find(b'>', end)?;
        self.page.end_tag(lower(&content[at + 2..end]));
        Some(close + 1)
    }

    fn start_tag(&self, at: usize) -> StartTag<'a> {
        let content = self.text.text;
        let name = self.tag_name(at + 1);
        let mut i = self.separators(name);
        loop {
            let byte = self.text.byte(i);
            if i == content.len() {
                return StartTag::Incomplete(i);
            }
            if byte == b'>' || byte == b'/' {
                let closed = byte == b'/';
                let end = i + 1 + usize::from(closed);
                return StartTag::Whole { name: lower(&content[at + 1..name]), end, closed };
            }
            let before = content[..i].chars().next_back();
            if !before.is_some_and(|c| matches!(c, '"' | '\'' | '/') || is_blank(c)) {
                return if byte == b'=' { StartTag::Incomplete(i) } else { StartTag::Text(i) };
            }
            i = self.separators(self.attribute(i));
        }
    }

    fn tag_name(&self, at: usize) -> usize {
        let rest = &self.text.text.as_bytes()[at..];
        let stop = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | b' ' | b'/' | b'>' | 0);
        at + rest.iter().position(stop).unwrap_or(rest.len())
    }

    /// Past blanks and slashes, but before the slash of `/>`.
    fn separators(&self, mut at: usize) -> usize {
        loop {
            at = self.blanks(at);
            if self.text.byte(at) != b'/' || self.text.byte(at + 1) == b'>' {
                return at;
            }
            at += 1;
        }
    }

    /// Past an attribute and its value. A quote that is not closed is no quote.
    fn attribute(&self, at: usize) -> usize {
        let content = self.text.text;
        let until = |from: usize, stop: fn(char) -> bool| {
            content[from..].find(stop).map_or(content.len(), |i| from + i)
        };
        let first = content[at..].chars().next().map_or(0, char::len_utf8);
        let name = until(at + first, |c| matches!(c, '/' | '=' | '>') || is_blank(c));
        let sign = self.blanks(name);
        let signs = content[sign..].bytes().take_while(|&byte| byte == b'=').count();
        if signs == 0 {
            return name;
        }
        let value = self.blanks(sign + signs);
        let bare = |from| until(from, |c| c == '>' || is_blank(c));
        let quote = self.text.byte(value);
        if quote != b'"' && quote != b'\'' {
            return bare(value);
        }
        match self.text.find(quote, value + 1) {
            Some(close) => close + 1,
            None if value > sign + signs => value,
            None if signs > 1 => bare(sign + signs - 1),
            None => name,
        }
    }

    fn blanks(&self, at: usize) -> usize {
        let rest = &self.text.text[at.min(self.text.text.len())..];
        self.text.text.len() - rest.trim_start_matches(is_blank).len()
    }

    fn numeric_reference(&mut self, at: usize) -> Step {
        let bytes = self.text.text.as_bytes();
        let hexadecimal = matches!(self.text.byte(at + 2), b'x' | b'X');
        let from = at + 2 + usize::from(hexadecimal);
        let is_digit = |b: &u8| if hexadecimal { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
        let end = from + bytes[from..].iter().take_while(|byte| is_digit(byte)).count();
        if end == from || end == bytes.len() || bytes[end].is_ascii_hexdigit() {
            if memchr(b';', &bytes[at..]).is_none() {
                return Step::Wait(at);
            }
            self.page.add("&#");
            return Step::Wait(at + 2);
        }
        if !hexadecimal && end - from > MAX_DECIMAL_DIGITS {
            return Step::Fail;
        }
        let digits = &self.text.text[from..end];
        let number = u32::from_str_radix(digits, if hexadecimal { 16 } else { 10 }).ok();
        let ascii = number.and_then(|n| u8::try_from(n).ok()).filter(u8::is_ascii).map(char::from);
        let mut buffer = [0; 4];
        self.page.add(ascii.unwrap_or('\u{FFFD}').encode_utf8(&mut buffer)); // any other counts as one character too
        Step::To(end + usize::from(bytes[end] == b';'))
    }

    fn named_reference(&mut self, at: usize) -> Step {
        let content = self.text.text;
        let bytes = content.as_bytes();
        if at + 1 == bytes.len() {
            return Step::Wait(at);
        }
        if !bytes[at + 1].is_ascii_alphabetic() {
            self.page.add("&");
            return Step::To(at + 1);
        }
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let mut end = at + 1 + bytes[at + 1..].iter().take_while(|byte| is_name(byte)).count();
        if end == bytes.len() {
            match bytes[at + 1..].iter().rposition(|byte| !byte.is_ascii_alphanumeric()) {
                Some(i) => end = at + 1 + i,
                // A single letter at the end loses its ampersand.
                None => return Step::Wait(at + usize::from(self.ended && at + 2 == end)),
            }
        }
        self.page.add(named(&content[at + 1..end]).unwrap_or(&content[at..end]));
        Step::To(end + usize::from(bytes[end] == b';'))
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.to_lowercase())
}

/// What a name stands for in the standard's table.
fn named(name: &str) -> Option<&'static str> {
    const LONGEST: usize = 31; // CounterClockwiseContourIntegral
    if name.len() > LONGEST {
        return None;
    }
    let value = htmlize::ENTITIES.get(format!("&{name};").as_bytes())?;
    std::str::from_utf8(value).ok()
}
