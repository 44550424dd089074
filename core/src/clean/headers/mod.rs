//! Leading copyright and licence notices are taken out of source files.
//!
//! [`head`] finds the comments before the first code, [`pieces`] reads them line by line, [`sentences`] cuts
//! them into sentences, which are the same for the same paragraph ([`seen`]), [`notice`] says which of them are a
//! notice, [`cut`] takes those out. Whatever is not part of such a comment stays, byte for byte; the result is lexed
//! again, and if its first code does not begin where it should the text is left alone.
//!
//! Linear: no more than the first [`head::LIMIT`] bytes of a text are looked at.

mod claims;
mod cut;
mod directives;
mod forms;
pub mod head;
mod notice;
mod phrases;
mod pieces;
mod prolog;
#[cfg(feature = "python")]
pub mod python;
pub mod seen;
mod sentences;
mod tags;
#[cfg(test)]
mod tests;
mod words;

use crate::lex::Syntax;
use seen::Seen;
use std::borrow::Cow;
use std::ops::Range;

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripped {
    /// The text without its notices.
    pub content: String,
    /// Code points that are gone.
    pub chars: usize,
    /// Comments, or runs of line comments, that lost something.
    pub notices: usize,
}

/// `text` without the notices before its first code; `None` if there are none, or none that can be taken out safely.
///
/// ```
/// use codemill_core::{clean::headers::strip, lex::Syntax};
/// let c = Syntax { name: "c".into(), block_comments: vec![("/*".into(), "*/".into())], ..Syntax::default() };
/// let stripped = strip("/* Copyright 2020 A. Author. MIT License. */\n#include <a.h>\n", &c).unwrap();
/// assert_eq!(stripped.content, "#include <a.h>\n");
/// assert_eq!(strip("/* Adds numbers. */\n#include <a.h>\n", &c), None);
/// ```
pub fn strip(text: &str, syntax: &Syntax) -> Option<Stripped> {
    strip_next(text, syntax, &mut Seen::default())
}

/// [`strip`] of one of many texts, which does not read a paragraph again that was `seen`.
pub fn strip_next<'a>(text: &'a str, syntax: &Syntax, seen: &mut Seen<'a>) -> Option<Stripped> {
    if !only_carriage_returns(text) {
        return strip_lines(text, text, syntax, seen);
    }
    // Lines of the old Macintosh: what is cut is found in a copy whose lines end as all others do.
    strip_lines(text, &text.replace('\r', "\n"), syntax, &mut Seen::default())
}

/// Whether the lines of the head end in carriage returns and nothing else.
fn only_carriage_returns(text: &str) -> bool {
    let head = &text.as_bytes()[..text.len().min(head::LIMIT)];
    memchr::memchr(b'\r', head).is_some() && memchr::memchr(b'\n', head).is_none()
}

/// Whether a cut has a carriage return in it or right behind it that is no part of a line end, among lines that end in
/// line feeds. To some programs it ends a comment, so that code follows, to others it does not.
fn lone_carriage_return(text: &str, cut: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let near = &bytes[cut.start..bytes.len().min(cut.end + 1)];
    memchr::memchr_iter(b'\r', near).any(|at| bytes.get(cut.start + at + 1) != Some(&b'\n'))
}

/// `strip` of `original`, looked at as `text`, which has other line ends of the same length.
fn strip_lines<'a>(original: &str, text: &'a str, syntax: &Syntax, seen: &mut Seen<'a>) -> Option<Stripped> {
    let syntax = &with_head(syntax);
    let formed = matches!(syntax.name.as_str(), "python" | "restructuredtext" | "slim");
    if syntax.line_comments.is_empty() && syntax.block_comments.is_empty() && !formed {
        return None;
    }
    let head = head::head(text, syntax);
    if head.comments.is_empty() || !phrases::any(&text[..head.code]) {
        return None;
    }
    let mut pieces = pieces::pieces(text, &head, syntax);
    notice::mark(text, &head, &mut pieces, seen);
    let (cuts, notices) = cut::cuts(text, &head, &pieces);
    if cuts.is_empty() || cuts.iter().any(|cut| lone_carriage_return(text, cut)) {
        return None;
    }
    let content = cut::without(text, &cuts);
    let removed = text.len() - content.len();
    // A docstring that the end of a prefix cuts can be read as code: then both are lexed at once.
    let same_code = head::head(&content, syntax).code == head.code - removed
        || head::head_at_once(&content, syntax).code + removed == head::head_at_once(text, syntax).code;
    if !same_code || wakes(text, &content, &syntax.name) {
        return None;
    }
    let chars = cuts.iter().map(|cut| text[cut.clone()].chars().count()).sum();
    let content = if std::ptr::eq(original, text) { content } else { cut::without(original, &cuts) };
    Some(Stripped { content, chars, notices })
}

/// The syntax with the comments that can only stand before the first code.
fn with_head(syntax: &Syntax) -> Cow<'_, Syntax> {
    if syntax.head_line_comments.is_empty() && syntax.head_block_comments.is_empty() {
        return Cow::Borrowed(syntax);
    }
    let mut both = syntax.clone();
    both.line_comments.extend_from_slice(&syntax.head_line_comments);
    both.block_comments.extend_from_slice(&syntax.head_block_comments);
    Cow::Owned(both)
}

/// Whether a comment that meant nothing where it was would now be obeyed, because it has come to one of the first lines.
fn wakes(old: &str, new: &str, language: &str) -> bool {
    let obeyed: fn(&str) -> bool = match language {
        "python" => {
            |line| line.contains("coding") && !line.to_ascii_lowercase().replace('_', "-").contains("utf-8")
        }
        "dockerfile" => {
            |line| ["escape", "syntax", "check"].iter().any(|name| line.contains(name)) && line.contains('=')
        }
        // Front matter stands at the very beginning.
        "markdown" => return new.starts_with("---\n") && !old.starts_with("---\n"),
        _ => return false,
    };
    let reach = if language == "python" { 2 } else { 1 };
    new.lines().take(reach).any(|line| {
        line.trim_start().starts_with('#') && obeyed(line) && !old.lines().take(reach).any(|l| l == line)
    })
}
