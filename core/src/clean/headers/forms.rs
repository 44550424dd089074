//! Comments that no pair of opener and closer can tell, before the first code.
//!
//! - brackets of any level: Lua's `--[==[ … ]==]`, CMake's `#[==[ … ]==]`;
//! - comments that go on in the lines below that are indented deeper: Haml, Pug, Slim, Sass, reStructuredText;
//! - a `#` alone on its line in Org, and its comment blocks;
//! - Go's `{{- /* … */ -}}`, whose blanks and hyphens are free.

use crate::lex::{Kind, Syntax};

/// Such a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its kind.
    pub kind: Kind,
    /// Bytes of it all, of the opener, and of the closer.
    pub length: usize,
    /// See above.
    pub opener: usize,
    /// See above.
    pub closer: usize,
}

/// The comment at the start of `rest`.
pub fn form(rest: &str, language: &str) -> Option<Form> {
    match language {
        "lua" | "luau" | "teal" | "terra" | "xmake" => brackets(rest, "--["),
        "cmake" => brackets(rest, "#["),
        "haml" | "scaml" => indented(rest, &["-#", "/"]),
        "pug" => indented(rest, &["//-", "//"]),
        "slim" => indented(rest, &["/!", "/"]),
        "sass" => indented(rest, &["//"]),
        "restructuredtext" if is_remark(rest) => indented(rest, &[".."]),
        "org" => org(rest),
        "go template" => template(rest),
        _ => None,
    }
}

/// A comment that can only stand before the first code, for languages whose dialect has openers of its own.
pub fn of_head(rest: &str, syntax: &Syntax) -> Option<(usize, Kind)> {
    let begins = |open: &str| {
        let word = open.ends_with(|c: char| c.is_ascii_alphanumeric());
        rest.get(..open.len()).is_some_and(|start| start.eq_ignore_ascii_case(open))
            && !(word && rest[open.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    if syntax.head_line_comments.iter().any(|open| begins(open)) {
        let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        return Some((rest[..length].trim_end_matches('\r').len(), Kind::LineComment));
    }
    let (open, close) = syntax.head_block_comments.iter().find(|(open, _)| begins(open))?;
    let at = rest[open.len()..].find(close.as_str())?;
    Some((open.len() + at + close.len(), Kind::BlockComment))
}

/// `opener` is `--[`; then `=` as often as before the closing bracket, and another bracket.
fn brackets(rest: &str, opener: &str) -> Option<Form> {
    let after = rest.strip_prefix(opener)?;
    let level = after.bytes().take_while(|&b| b == b'=').count();
    let inside = after[level..].strip_prefix('[')?;
    let closer = format!("]{}]", &after[..level]);
    let opened = opener.len() + level + 1;
    let at = inside.find(&closer)?;
    Some(Form {
        kind: Kind::BlockComment,
        length: opened + at + closer.len(),
        opener: opened,
        closer: closer.len(),
    })
}

/// A line, and those below that are blank or indented deeper. Without any it is a line comment.
fn indented(rest: &str, openers: &[&str]) -> Option<Form> {
    let opener = openers.iter().find(|opener| rest.starts_with(**opener))?.len();
    // `/[if IE]` of Haml and Slim.
    if rest[opener..].starts_with(['[', '=']) {
        return None;
    }
    let line = |from: usize| memchr::memchr(b'\n', &rest.as_bytes()[from..]).map_or(rest.len(), |i| from + i);
    let first = line(0);
    let (mut at, mut length) = (first, first);
    while at < rest.len() {
        let start = at + 1;
        at = line(start);
        let said = rest[start..at].trim_end();
        if said.is_empty() {
            continue;
        }
        if !said.starts_with([' ', '\t']) {
            break;
        }
        length = at;
    }
    let kind = if length > first { Kind::BlockComment } else { Kind::LineComment };
    let length = rest[..length].trim_end_matches(['\r', '\n']).len();
    Some(Form { kind, length, opener, closer: 0 })
}

/// reStructuredText: `..` before anything but a directive, a target, a footnote or a substitution.
fn is_remark(rest: &str) -> bool {
    let Some(after) = rest.strip_prefix("..") else { return false };
    let line = after.lines().next().unwrap_or("");
    let said = line.trim();
    (line.is_empty() || line.starts_with([' ', '\t']))
        && !said.starts_with(['_', '[', '|'])
        && !said.split_whitespace().next().is_some_and(|word| word.contains("::"))
}

fn org(rest: &str) -> Option<Form> {
    let line = rest.lines().next().unwrap_or("");
    if line.trim_end() == "#" {
        return Some(Form { kind: Kind::LineComment, length: line.len(), opener: 1, closer: 0 });
    }
    if !line.trim_end().eq_ignore_ascii_case("#+begin_comment") {
        return None;
    }
    let closer = "#+end_comment";
    let at = rest.to_ascii_lowercase().find(closer)?;
    let length = at + closer.len();
    Some(Form { kind: Kind::BlockComment, length, opener: line.len(), closer: closer.len() })
}

fn template(rest: &str) -> Option<Form> {
    let blanks = |text: &str| text.len() - text.trim_start().len();
    let dash = |text: &str| usize::from(text.starts_with('-'));
    let mut opener = 2 + dash(rest.strip_prefix("{{")?);
    opener += blanks(&rest[opener..]);
    opener += if rest[opener..].starts_with("/*") { 2 } else { return None };
    let end = opener + rest[opener..].find("*/")?;
    let mut length = end + 2;
    length += blanks(&rest[length..]);
    length += dash(&rest[length..]);
    length += if rest[length..].starts_with("}}") { 2 } else { return None };
    Some(Form { kind: Kind::BlockComment, length, opener, closer: length - end })
}
