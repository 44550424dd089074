//! HTML.
//!
//! The visible text is that of opc_data_filtering, whose parser is BeautifulSoup 4.12 over `html.parser` of Python
//! 3.11. Neither follows the standard: no tree is repaired, an unclosed comment is text, and a broken character
//! reference can turn what follows into text. Thresholds were tuned on that, so it is followed here to the letter, on
//! counts alone: no tree is built and no text is copied.

use super::flag;
use super::scan::{Text, is_blank};
use crate::signals::{Applies, Document, ratio, signals};
use memchr::{memchr, memchr2};
use regex::Regex;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::LazyLock;

/// Characters of visible text; `None` if the parser gives up.
pub struct Facts(Option<usize>);

fn text_chars(document: &Document<'_>) -> Option<usize> {
    document.language_facts.html.get_or_init(|| Facts(Parser::new(document.content).run())).0
}

/// Elements without content.
const VOID: [&str; 24] = [
    "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image", "img",
    "input", "isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source", "spacer", "track",
    "wbr",
];
/// Elements whose text is not visible.
const HIDDEN: [&str; 5] = ["rp", "rt", "script", "style", "template"];
/// Elements that keep their blanks.
const PRESERVING: [&str; 2] = ["pre", "textarea"];
/// More digits than Python's `int` takes.
const MAX_DECIMAL_DIGITS: usize = 4300;
/// How often the text may be walked for start tags that have no end: each is tried again from its next `<`.
const MAX_WASTED_WALKS: usize = 8;

/// A text between two tags.
#[derive(Default)]
struct Run {
    there: bool,
    chars: usize,
    newline: bool,
    visible: bool,
}

impl Run {
    fn add(&mut self, text: &str) {
        self.there = true;
        self.chars += text.chars().count();
        self.newline |= text.contains('\n');
        self.visible |= text.bytes().any(|byte| !matches!(byte, b' ' | b'\n' | b'\t' | 0x0C | b'\r'));
    }
}

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
    known: Cell<Option<(usize, Option<(usize, usize)>)>>,
}

impl Closer {
    fn new(pattern: &'static Regex) -> Self {
        Self { pattern, known: Cell::new(None) }
    }

    fn find(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        match self.known.get() {
            Some((from, found)) if from <= at && found.is_none_or(|(start, _)| at <= start) => found,
            _ => {
                let found = self.pattern.find_at(text, at).map(|found| (found.start(), found.end()));
                self.known.set(Some((at, found)));
                found
            }
        }
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

struct Parser<'a> {
    text: Text<'a>,
    comment: Closer,
    section: Closer,
    condition: Closer,
    /// Whether it has waited once.
    ended: bool,
    wasted: usize,
    /// The element that is raw text up to its end tag.
    raw: Option<&'static str>,
    stack: Vec<Cow<'a, str>>,
    open: FxHashMap<Cow<'a, str>, usize>,
    /// Void elements whose end tag, should one come, is passed over.
    closed: FxHashMap<Cow<'a, str>, usize>,
    hidden: usize,
    preserving: usize,
    run: Run,
    chars: usize,
}

impl<'a> Parser<'a> {
    fn new(content: &'a str) -> Self {
        Self {
            text: Text::new(content),
            comment: Closer::new(&COMMENT),
            section: Closer::new(&SECTION),
            condition: Closer::new(&CONDITION),
            ended: false,
            wasted: 0,
            raw: None,
            stack: Vec::new(),
            open: FxHashMap::default(),
            closed: FxHashMap::default(),
            hidden: 0,
            preserving: 0,
            run: Run::default(),
            chars: 0,
        }
    }

    fn run(mut self) -> Option<usize> {
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
                        self.run.add(&content[next..]);
                    }
                    break;
                }
            };
        }
        self.end_run();
        Some(self.chars)
    }

    fn step(&mut self, at: usize) -> Step {
        let content = self.text.text;
        if let Some(name) = self.raw {
            let end = if name == "script" { &SCRIPT } else { &STYLE };
            let Some(found) = end.find_at(content, at) else { return Step::Wait(at) };
            self.run.add(&content[at..found.start()]);
            self.raw = None;
            self.end_tag(Cow::Borrowed(name));
            return Step::To(found.end());
        }
        let Some(i) = memchr2(b'&', b'<', &content.as_bytes()[at..]) else {
            self.run.add(&content[at..]);
            return Step::To(content.len());
        };
        if i > 0 {
            self.run.add(&content[at..at + i]);
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
                    self.start(name, closed);
                    Some(end)
                }
                StartTag::Text(end) => {
                    self.run.add(&self.text.text[at..end]);
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
                self.run.add("<");
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
                self.run.add(&self.text.text[at..end]);
                Step::To(end)
            }
        }
    }

    /// Past something that ends the run of text and is itself not visible.
    fn unseen(&mut self, end: usize) -> usize {
        self.end_run();
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
            self.end_run();
            if rest.as_bytes()[..6].eq_ignore_ascii_case(b"cdata[") && at + 6 <= close {
                self.run.add(&content[at + 6..close]);
                self.count_run(true); // visible even where text is not
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
                self.end_tag(lower(&content[name..end]));
                return Some(first_close + 1);
            }
        }
        if !self.text.byte(at + 2).is_ascii_alphabetic() {
            let empty = first_close == at + 2;
            return Some(if empty { at + 3 } else { self.unseen(first_close + 1) });
        }
        let end = self.tag_name(at + 2);
        let close = self.text.find(b'>', end)?;
        self.end_tag(lower(&content[at + 2..end]));
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
            self.run.add("&#");
            return Step::Wait(at + 2);
        }
        if !hexadecimal && end - from > MAX_DECIMAL_DIGITS {
            return Step::Fail;
        }
        let digits = &self.text.text[from..end];
        let number = u32::from_str_radix(digits, if hexadecimal { 16 } else { 10 }).ok();
        let ascii = number.and_then(|n| u8::try_from(n).ok()).filter(u8::is_ascii).map(char::from);
        let mut buffer = [0; 4];
        self.run.add(ascii.unwrap_or('\u{FFFD}').encode_utf8(&mut buffer)); // any other counts as one character too
        Step::To(end + usize::from(bytes[end] == b';'))
    }

    fn named_reference(&mut self, at: usize) -> Step {
        let content = self.text.text;
        let bytes = content.as_bytes();
        if at + 1 == bytes.len() {
            return Step::Wait(at);
        }
        if !bytes[at + 1].is_ascii_alphabetic() {
            self.run.add("&");
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
        self.run.add(named(&content[at + 1..end]).unwrap_or(&content[at..end]));
        Step::To(end + usize::from(bytes[end] == b';'))
    }

    fn start(&mut self, name: Cow<'a, str>, closed: bool) {
        self.end_run();
        self.hidden += usize::from(HIDDEN.contains(&&*name));
        self.preserving += usize::from(PRESERVING.contains(&&*name));
        *self.open.entry(name.clone()).or_default() += 1;
        self.stack.push(name.clone());
        if closed {
            self.end_tag(name);
        } else if VOID.contains(&&*name) {
            self.pop_to(&name);
            *self.closed.entry(name).or_default() += 1;
        } else {
            self.raw = ["script", "style"].into_iter().find(|raw| *raw == name);
        }
    }

    fn end_tag(&mut self, name: Cow<'a, str>) {
        if let Some(count) = self.closed.get_mut(&name).filter(|count| **count > 0) {
            *count -= 1;
            return;
        }
        self.end_run();
        self.pop_to(&name);
    }

    /// Closes the innermost element of this name and all inside it, if there is one.
    fn pop_to(&mut self, name: &str) {
        if self.open.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(top) = self.stack.pop() {
            self.hidden -= usize::from(HIDDEN.contains(&&*top));
            self.preserving -= usize::from(PRESERVING.contains(&&*top));
            *self.open.entry(top.clone()).or_default() -= 1;
            if top == name {
                break;
            }
        }
    }

    fn end_run(&mut self) {
        self.count_run(self.hidden == 0);
    }

    /// Blanks alone are one blank, or one newline: one character.
    fn count_run(&mut self, seen: bool) {
        let run = std::mem::take(&mut self.run);
        if run.there && seen {
            self.chars += if run.visible || self.preserving > 0 { run.chars } else { 1 };
        }
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

signals! {
    family "html", version 1, Applies::Languages(&["html"]);

    /// Whether the parser comes to the end.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: only freaks stop it, such as a character reference of thousands of digits or `<![` before no known word;
    /// as a guard against hostile texts, so does one whose unclosed start tags make it go back over the text eight
    /// times.
    /// From: opc_data_filtering, `qsc_codehtml_cate_ast`.
    /// Example: html "<p>a</b><![unknown[x]]>" → 0
    fn html_parses(document) { flag(text_chars(document).is_some()) }

    /// Length of the visible text: all between tags but scripts, styles, templates and ruby annotations, with
    /// references decoded and blanks between two tags as one.
    ///
    /// Unit: characters.
    /// Null: the parser gave up.
    /// Why: a page with little to read has little to learn from.
    /// From: opc_data_filtering, `qsc_codehtml_num_chars_text`.
    /// Example: html "<p>a &amp; b</p>  \n <script>x</script>" → 6
    fn html_num_chars_text(document) { text_chars(document).map(|chars| chars as f64) }

    /// Share of the content that is visible text, as in `html_num_chars_text`.
    ///
    /// Unit: fraction of characters.
    /// Null: the parser gave up, or the content is empty.
    /// Why: a page that is nearly all markup is a template or the output of a tool.
    /// From: opc_data_filtering, `qsc_codehtml_frac_words_text`, which counts characters in spite of its name.
    /// Example: html "<b>abc</b>" → 0.3
    fn html_frac_chars_text(document) { ratio(text_chars(document)?, document.content.chars().count()) }
}

#[cfg(test)]
mod tests {
    use super::Parser;

    fn chars(content: &str) -> Option<usize> {
        Parser::new(content).run()
    }

    #[test]
    fn blanks_between_tags_are_one() {
        for (content, expected) in [
            ("<p>  \n </p>", 1),
            ("<pre>  \n </pre>", 4),
            ("<p> a </p>", 3),
            ("<br>  </br>  ", 1), // the end tag of a void element ends no text
            ("<b>  </i>  ", 2),
            ("<p>&#32;&Tab; </p>", 1),
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
    }

    #[test]
    fn what_is_hidden() {
        for (content, expected) in [
            ("<script>if (a</b>) x</script >b", 1),
            ("<script>never closed <b>", 0),
            ("<template><p>a</p><![CDATA[bc]]></template>d", 3),
            ("<ruby>a<rt>b</ruby>c", 2),
            ("<script/>a", 1),
            ("<!-- a -- >b<!doctype c><?d>e<!f>", 2),
            ("<!-- never closed", 17),
            ("<![if a]>b<![endif]>", 1),
            ("<![CDATA[]]>", 1),
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
    }

    #[test]
    fn references() {
        for (content, expected) in [
            ("&lt;&copy &nope; &b.c", 1 + 2 + 6 + 4),
            ("&NotEqualTilde;", 2),
            ("a & b &", 7),
            ("&#x41;&#128;&#xFFFFFFFFFF;", 3),
            ("x&a", 2),
            ("&#12a<b>", 8),
            ("&#z;<b>&#z;<b>c", 4 + 8), // the second one makes all after it text
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
        assert_eq!(chars(&format!("&#{};", "1".repeat(4301))), None);
        assert_eq!(chars(&format!("&#{};", "1".repeat(4300))), Some(1));
        assert_eq!(chars("<![x"), Some(4));
        assert_eq!(chars("<![x "), Some(5));
        assert_eq!(chars("<![x]>"), None);
    }

    #[test]
    fn tags() {
        for (content, expected) in [
            ("<a b='>' c=\">\" d=>e", 1),
            ("<a b= '>c", 1),
            ("<a b='>c", 8),
            ("<a b=='>c", 1),
            ("<a\0>b", 5),
            ("< a><3", 6),
            ("</ a></></3>x", 1),
            ("<pre x=/>  ", 2),
            ("<pre x />  ", 1),
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
    }

    #[test]
    fn hostile_texts_are_linear() {
        for piece in [
            "<a ",
            "<a b='",
            "<!--",
            "<![if ",
            "<![cdata[",
            "</",
            "<b>",
            "</b>",
            "&",
            "&#",
            "&a-",
            "<a<",
            "--",
            "]",
        ] {
            for end in ["", ">", "\"", "'>"] {
                chars(&(piece.repeat(1_000_000 / piece.len()) + end));
            }
        }
    }
}
