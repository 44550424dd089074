//! YAML: quoted scalars, and block scalars, in which `#` is text.

use super::engine::Lexer;
use super::quote::{Escape, Extent, Quote};
use super::span::Kind;

/// Quotes and `|`, `>` where a value begins.
pub fn hook(lexer: &mut Lexer<'_>, at: usize) -> bool {
    if !value_begins(lexer.text, at) {
        return true;
    }
    match lexer.text[at] {
        b'"' => lexer.string(at, at + 1, Quote::new(b"\"", Escape::Backslash, Extent::TextOrCode)),
        b'\'' => lexer.string(at, at + 1, Quote::new(b"'", Escape::Doubled, Extent::TextOrCode)),
        _ => block_scalar(lexer, at),
    };
    true
}

/// Whether the byte before, but for blanks, is one that a value follows.
fn value_begins(text: &[u8], at: usize) -> bool {
    let blanks = text[..at].iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let before = text[..at - blanks].last();
    match before {
        None | Some(b'\n' | b'\r' | b'[' | b'{' | b',') => true,
        Some(b':' | b'-' | b'?') => blanks > 0,
        // After a tag or an anchor (`!!str |`); the word before is looked at only as far as a tag goes.
        Some(_) if blanks > 0 => {
            let word =
                text[..at - blanks].iter().rev().take(80).take_while(|b| !b.is_ascii_whitespace()).count();
            matches!(text[at - blanks - word], b'!' | b'&')
        }
        Some(_) => false,
    }
}

/// `|` or `>` at the end of a line: the lines below it that are indented deeper than what it belongs to.
fn block_scalar(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    let end = lexer.line_end(at);
    let rest = &text[at + 1..end];
    let marks = rest.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-')).count();
    let tail = rest[marks..].trim_ascii();
    if !(tail.is_empty() || (tail[0] == b'#' && rest[marks].is_ascii_whitespace())) {
        return false;
    }
    if !tail.is_empty() {
        let hash = end - rest[marks..].trim_ascii_start().len();
        lexer.line_comment(hash);
    }
    let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |i| i + 1);
    let parent = parent_indent(&text[line..at]);
    let (mut next, mut last) = (end + 1, end + 1);
    while next < text.len() {
        let end = lexer.line_end(next);
        let content = &text[next..end];
        let indent = content.iter().take_while(|&&b| b == b' ').count() as i64;
        let blank = content.trim_ascii().is_empty();
        if !blank && indent <= parent {
            break;
        }
        next = (end + 1).min(text.len());
        if !blank {
            last = next;
        }
    }
    if last <= text.len() {
        lexer.push(Kind::String, end + 1, last);
    }
    lexer.pos = lexer.pos.max(end);
    true
}

/// How deep the mapping or sequence is that holds the scalar; −1 for the document itself.
fn parent_indent(before: &[u8]) -> i64 {
    let mut column = before.iter().take_while(|&&b| b == b' ').count();
    let rest = &before[column..];
    if rest.starts_with(b"---") || rest.is_empty() {
        return -1;
    }
    // `- key: |` belongs to the mapping that begins behind the dash, `- |` to the sequence.
    let mut dash = column;
    while before[column..].starts_with(b"- ") {
        dash = column;
        column += 1;
        column += before[column..].iter().take_while(|&&b| b == b' ').count();
    }
    (if before[column..].contains(&b':') { column } else { dash }) as i64
}
