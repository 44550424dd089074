//! HTML and XML: tags, scripts and style sheets. PHP: what lies outside of `<?php`.

use super::engine::{Lexer, spans_by};
use super::memo::tag_name;
use super::quote::{Escape, Extent, Quote};
use super::rules::{Dialect, Rules};
use super::span::{Kind, Span};
use super::text::is_word;
use memchr::{memchr, memmem};

/// A tag, with its attributes and, for scripts and style sheets, what is inside.
pub fn html(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    if text[at..].starts_with(b"<!--") {
        return false;
    }
    if text[at..].starts_with(b"<![CDATA[") {
        lexer.pos = past(text, at, b"]]>");
        return true;
    }
    let name = tag_name(&text[at + 1..]);
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return true;
    }
    lexer.pos = at + 1 + name.len();
    attributes(lexer);
    if lexer.rules.dialect != Dialect::Html {
        return true;
    }
    let inner = if name.eq_ignore_ascii_case(b"script") {
        lexer.rules.script.clone()
    } else if name.eq_ignore_ascii_case(b"style") {
        lexer.rules.style.clone()
    } else {
        return true;
    };
    let start = lexer.pos;
    let end = closing_tag(text, start, name);
    if let Some(rules) = inner {
        inside(lexer, start, end, &rules);
    }
    lexer.pos = end;
    true
}

/// Reads a piece in another language.
fn inside(lexer: &mut Lexer<'_>, start: usize, end: usize, rules: &Rules) {
    let Ok(piece) = std::str::from_utf8(&lexer.text[start..end]) else { return };
    let found = spans_by(piece, rules);
    lexer.spans.extend(found.iter().map(|s| Span {
        kind: s.kind,
        start: start + s.start,
        end: start + s.end,
    }));
}

/// Values in quotes, up to the `>` of the tag; a `<` on the way means that there is none.
fn attributes(lexer: &mut Lexer<'_>) {
    let text = lexer.text;
    let stop = |from: usize| text[from..].iter().position(|b| matches!(b, b'<' | b'>' | b'"' | b'\''));
    while let Some(found) = stop(lexer.pos) {
        lexer.pos += found;
        let at = lexer.pos;
        match text[at] {
            b'<' => return,
            b'>' => {
                lexer.pos = at + 1;
                return;
            }
            b'"' | b'\'' if text[..at].trim_ascii_end().last() == Some(&b'=') => {
                lexer.pos = at + 1;
                lexer.string(at, at + 1, Quote::new(&text[at..=at], Escape::None, Extent::TextOrCode));
            }
            _ => lexer.pos = at + 1,
        }
    }
}

/// Where `</name` begins, or the end of the text.
fn closing_tag(text: &[u8], from: usize, name: &[u8]) -> usize {
    memmem::find_iter(&text[from..], b"</")
        .map(|i| from + i)
        .find(|&i| {
            let end = i + 2 + name.len();
            text.len() >= end && text[i + 2..end].eq_ignore_ascii_case(name)
        })
        .unwrap_or(text.len())
}

/// Just behind the next `mark`, or the end of the text.
fn past(text: &[u8], from: usize, mark: &[u8]) -> usize {
    memmem::find(&text[from..], mark).map_or(text.len(), |i| from + i + mark.len())
}

/// Goes to the next piece of PHP.
pub fn to_php(lexer: &mut Lexer<'_>) {
    let mut at = lexer.pos;
    loop {
        at = past(lexer.text, at, b"<?");
        let rest = &lexer.text[at..];
        if !rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"xml")) {
            break;
        }
    }
    lexer.pos = at;
}

/// `?>`, heredocs, attributes.
pub fn php(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    match text[at] {
        b'?' if text.get(at + 1) == Some(&b'>') => {
            lexer.pos = at + 2;
            to_php(lexer);
        }
        b'#' => {
            if text.get(at + 1) != Some(&b'[') {
                return false;
            }
            lexer.pos = at + 2;
        }
        b'<' if text[at..].starts_with(b"<<<") => php_heredoc(lexer, at),
        _ => {}
    }
    true
}

/// `<<<NAME` up to the line that begins with the name.
fn php_heredoc(lexer: &mut Lexer<'_>, at: usize) {
    let text = lexer.text;
    let blanks = text[at + 3..].iter().take(80).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let mut i = at + 3 + blanks;
    i += usize::from(matches!(text.get(i), Some(b'"' | b'\'')));
    let word = &text[i..i + text[i..].iter().take(200).take_while(|&&b| is_word(b)).count()];
    lexer.pos = i + word.len();
    if word.first().is_none_or(u8::is_ascii_digit) {
        return;
    }
    let mut line = memchr(b'\n', &text[i..]).map_or(text.len(), |n| i + n + 1);
    let (body, mut closer) = (line, 0);
    while line < text.len() {
        let end = lexer.line_end(line);
        let indent = text[line..end].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let rest = &text[line + indent..end];
        if rest.starts_with(word) && !rest.get(word.len()).is_some_and(|&b| is_word(b)) {
            closer = indent + word.len();
            break;
        }
        line = end + 1;
    }
    let end = line.min(text.len());
    lexer.push(Kind::String, body, end);
    lexer.pos = end + closer;
}
