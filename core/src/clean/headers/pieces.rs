//! The comments of a head, line by line.

use super::directives::is_directive;
use super::forms;
use super::head::Head;
use super::tags;
use crate::lex::{Kind, Span, Syntax};
use std::ops::Range;

/// What a line of a comment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing.
    Blank,
    /// Nothing, at length: a frame of at least ten marks.
    Frame,
    /// Something a tool obeys, or that is not to be touched.
    Kept,
    /// A file's name, a link, a version control keyword: nothing that would be missed beside a notice.
    Trivial,
    /// A tag and nothing else: `<pre>`, `</copyright>`. It goes with what it encloses.
    Tag,
    /// Words.
    Text,
}

/// One line of one comment.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The comment, by number.
    pub comment: usize,
    /// First byte of the comment on this line.
    pub start: usize,
    /// One past the last, the line end not included.
    pub end: usize,
    /// The words: without openers, closers, frames and blanks around them.
    pub body: (usize, usize),
    /// What it says.
    pub class: Class,
    /// Which lines it stands with: nothing between them, and no comment of several lines beside them.
    pub group: usize,
    /// Whether it is (part of) a notice.
    pub notice: bool,
    /// What goes of it, where it is one in part.
    pub part: Option<(usize, usize)>,
}

impl Piece {
    /// Its words.
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.body.0..self.body.1]
    }
}

/// Length of the opener of a comment: `/*`, `REM`, `"""`.
pub fn opener(comment: &str, kind: Kind, syntax: &Syntax) -> usize {
    if let Some(form) = forms::form(comment, &syntax.name) {
        return form.opener;
    }
    let longest = |openers: &mut dyn Iterator<Item = &String>| {
        let at = |o: &&String| comment.get(..o.len()).is_some_and(|start| start.eq_ignore_ascii_case(o));
        openers.filter(at).map(String::len).max().unwrap_or(0)
    };
    match kind {
        Kind::LineComment => longest(&mut syntax.line_comments.iter()),
        Kind::Docstring => {
            let prefix = comment.find(['"', '\'']).unwrap_or(0);
            prefix + if triple(&comment[prefix..]) { 3 } else { 1 }
        }
        _ => longest(&mut syntax.block_comments.iter().map(|(open, _)| open)),
    }
}

/// Length of the closer of a comment of several lines; 0 if it has none.
pub fn closer(comment: &str, kind: Kind, syntax: &Syntax) -> usize {
    if let Some(form) = forms::form(comment, &syntax.name) {
        return form.closer;
    }
    match kind {
        Kind::LineComment | Kind::Hashbang | Kind::String => 0,
        Kind::Docstring => {
            let prefix = comment.find(['"', '\'']).unwrap_or(0);
            if triple(&comment[prefix..]) { 3 } else { 1 }
        }
        Kind::BlockComment => {
            let ends = syntax.block_comments.iter().filter(|(_, close)| comment.ends_with(close.as_str()));
            ends.map(|(_, close)| close.len()).max().unwrap_or(0)
        }
    }
}

fn triple(quotes: &str) -> bool {
    quotes.starts_with("\"\"\"") || quotes.starts_with("'''")
}

/// Every line of every comment of `head`.
pub fn pieces(text: &str, head: &Head, syntax: &Syntax) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let mut group = 0;
    let mut before: Option<(Span, bool)> = None;
    let mut option: Option<usize> = None;
    for (number, &comment) in head.comments.iter().enumerate() {
        let raw = &text[comment.start..comment.end];
        let many = raw.contains('\n') && comment.kind != Kind::LineComment;
        if let Some((last, last_many)) = before {
            let between = &text[last.end..comment.start];
            let apart = between.matches('\n').count() != 1 || !between.trim().is_empty();
            group += usize::from(apart || many || last_many || last.kind != comment.kind);
        }
        before = Some((comment, many));
        option = option.filter(|_| comment.kind == Kind::LineComment);
        let untouchable = is_untouchable(raw, comment.kind, syntax);
        let inside = comment.start + opener(raw, comment.kind, syntax);
        let close = (comment.end - closer(raw, comment.kind, syntax)).max(inside);
        let mut start = comment.start;
        while start < comment.end {
            let newline = memchr::memchr(b'\n', &text.as_bytes()[start..comment.end]);
            let mut end = newline.map_or(comment.end, |i| start + i);
            let next = newline.map_or(comment.end, |i| start + i + 1);
            if newline.is_some() && end > start && text.as_bytes()[end - 1] == b'\r' {
                end -= 1;
            }
            let from = start.max(inside).min(end);
            let to = end.min(close).max(from);
            let (body, class) = match tags::tag(&text[from..to]) {
                _ if untouchable => (body(text, from, to), Class::Kept),
                _ if is_of_an_option(&text[from..to], comment.kind, &mut option) => {
                    (body(text, from, to), Class::Kept)
                }
                Some(tag) if tag.is_known() => ((from, to), Class::Tag),
                _ => {
                    let body = tags::inside(text, body(text, from, to));
                    (body, classify(text, start, end, body))
                }
            };
            found.push(Piece { comment: number, start, end, body, class, group, notice: false, part: None });
            start = next;
        }
    }
    found
}

/// Whether a line explains an option of a program, `-l, --license=NAME  …`, or goes on with that: some programs read
/// their options there. `column` is where the option stands.
fn is_of_an_option(line: &str, kind: Kind, column: &mut Option<usize>) -> bool {
    let words = line.trim_start();
    let indent = line.len() - words.len();
    let long =
        words.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    let mut letters = words.strip_prefix('-').unwrap_or_default().chars();
    let short = letters.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && letters.next().is_none_or(|c| matches!(c, ' ' | ',' | '=' | '[' | '<' | '|'));
    if (long || short) && (indent > 0 || kind != Kind::LineComment) {
        *column = Some(indent);
        return true;
    }
    *column = column.filter(|&column| indent > column && !words.is_empty());
    column.is_some()
}

/// Comments that are no comments, that may end elsewhere than the lexer says, or whose inside another language rules.
fn is_untouchable(raw: &str, kind: Kind, syntax: &Syntax) -> bool {
    let language = syntax.name.as_str();
    // `\u000a` ends a line and `\u002a\u002f` a comment in Java, before anything is lexed.
    if matches!(language, "java" | "java server pages" | "groovy" | "scala") && raw.contains("\\u00") {
        return true;
    }
    match kind {
        Kind::Hashbang => true,
        // A line that a backslash carries on: taking its end would change what the next line is. And line ends that
        // are one to some languages, so that code may follow them.
        Kind::LineComment => {
            raw.trim_end().ends_with('\\')
                || raw.trim_end().ends_with("??/")
                || raw.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        }
        // Plain old documentation has its own section on copyright.
        Kind::BlockComment if matches!(language, "perl" | "raku") && raw.starts_with('=') => true,
        Kind::BlockComment => {
            (closer(raw, kind, syntax) == 0 && forms::form(raw, &syntax.name).is_none())
                || raw.starts_with("<!--#")
                || raw.starts_with("<#PSScriptInfo")
                || raw.starts_with("(* ::")
                || raw.starts_with("{$")
                || raw.starts_with("{-#")
                || raw.starts_with("/*+")
                || raw.starts_with("<!--[")
                || raw.starts_with("<!-->")
                || raw.starts_with("<!--->")
                || (raw.starts_with("<!--") && raw.contains("--!>"))
                || raw.strip_prefix("/*!").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        }
        _ => false,
    }
}

const MARKS: &[char] = &[
    '*', '#', '/', ';', '%', '-', '!', '=', '|', '+', '~', '_', '{', '}', '<', '>', ':', '.', ',', '^', '`',
    '\'', '"', '[', ']', '\\', '&', ')',
];

/// The words within a line of a comment.
fn body(text: &str, start: usize, end: usize) -> (usize, usize) {
    let line = &text[start..end];
    let front = line.trim_start_matches(|c: char| c.is_whitespace() || (MARKS.contains(&c) && !tag(line, c)));
    let start = end - front.len();
    let back =
        front.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '#' | '/' | '=' | '|' | '-'));
    (start, start + back.len())
}

/// `:copyright:` and `\author` keep their marks, `<https://…>` its bracket.
fn tag(line: &str, mark: char) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_whitespace() || (MARKS.contains(&c) && c != mark));
    match mark {
        ':' | '\\' => rest[1..].starts_with(|c: char| c.is_ascii_lowercase()),
        '<' => rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric()),
        _ => false,
    }
}

fn classify(text: &str, start: usize, end: usize, body: (usize, usize)) -> Class {
    let words = &text[body.0..body.1];
    // Hashbangs; PostScript's and TeX's first line; what `escript` passes on.
    if is_directive(words) || ["#!", "%!", "%&", "%%!"].iter().any(|mark| text[start..end].starts_with(mark))
    {
        return Class::Kept;
    }
    if !words.chars().any(|c| c.is_alphanumeric()) {
        let marks = text[start..end].chars().filter(|c| !c.is_whitespace()).count();
        return if marks >= 10 { Class::Frame } else { Class::Blank };
    }
    if is_trivial(words) { Class::Trivial } else { Class::Text }
}

fn is_trivial(words: &str) -> bool {
    let words = words.trim_matches(['<', '>', '"', '(', ')', '.']);
    if words.starts_with('$') && words.ends_with('$') {
        return true;
    }
    if words.contains(char::is_whitespace) {
        return false;
    }
    let extension = words.rsplit_once('.').map(|(_, extension)| extension);
    words.starts_with("http://")
        || words.starts_with("https://")
        || extension
            .is_some_and(|e| (1..=5).contains(&e.len()) && e.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Ranges of pieces of one group.
pub fn groups(pieces: &[Piece]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        match found.last_mut() {
            Some(range) if pieces[range.start].group == piece.group => range.end = i + 1,
            _ => found.push(i..i + 1),
        }
    }
    found
}
