//! JavaScript and TypeScript: regular expressions, and JSX.

use super::engine::{After, Frame, Lexer};
use super::memo::tag_name;
use super::quote::{Escape, Extent, Quote};
use super::span::Kind;
use super::text::{is_word, word_before};

/// Words after which an expression begins.
const BEFORE_EXPRESSION: &[&[u8]] = &[
    b"return",
    b"typeof",
    b"instanceof",
    b"in",
    b"of",
    b"new",
    b"delete",
    b"void",
    b"throw",
    b"case",
    b"do",
    b"else",
    b"yield",
    b"await",
    b"default",
    b"if",
    b"unless",
    b"when",
    b"and",
    b"or",
    b"not",
    b"then",
    b"until",
    b"while",
    b"split",
    b"grep",
    b"map",
    b"join",
];

/// `/` and `<` where an expression begins.
pub fn hook(lexer: &mut Lexer<'_>, at: usize) -> bool {
    if lexer.text[at] == b'<' {
        return lexer.rules.jsx && jsx(lexer, at);
    }
    if matches!(lexer.text.get(at + 1), Some(b'/' | b'*')) {
        return lexer.open(at);
    }
    expression_begins(lexer, at) && regex(lexer, at)
}

/// Whether an expression can begin at `at`: so what precedes it is no value.
pub fn expression_begins(lexer: &Lexer<'_>, at: usize) -> bool {
    let mut end = at;
    let mut newline = false;
    let mut comments = lexer.spans.iter().rev();
    loop {
        let before = lexer.text[..end].trim_ascii_end().len();
        newline |= lexer.text[before..end].contains(&b'\n');
        end = before;
        match comments.next() {
            Some(span) if span.end == end && span.kind.is_comment() => end = span.start,
            Some(span) if span.end == end => return false,
            _ => break,
        }
    }
    let Some(&last) = lexer.text[..end].last() else { return true };
    match last {
        b')' | b']' => false,
        // The end of a block, or of an object that nobody divides on the next line.
        b'}' => newline,
        b'+' | b'-' if end >= 2 && lexer.text[end - 2] == last => false,
        _ if is_word(last) || last == b'$' => {
            let word = word_before(lexer.text, end, 12);
            let member = end > word.len() && matches!(lexer.text[end - word.len() - 1], b'.' | b'$');
            !member && BEFORE_EXPRESSION.contains(&word)
        }
        _ => true,
    }
}

/// A regular expression on one line; in its classes `/` is a character.
pub fn regex(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    if lexer.memo.is_absent(b"/re/", at) {
        return false;
    }
    let (mut i, mut class) = (at + 1, false);
    while let Some(&byte) = text.get(i) {
        match byte {
            b'\n' => break,
            b'\\' => i += 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => {
                let flags = text[i + 1..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
                lexer.push(Kind::String, at, i + 1 + flags);
                return true;
            }
            _ => {}
        }
        i += 1;
    }
    lexer.memo.set_absent(b"/re/", i);
    false
}

/// An element, if `<` begins one: where an expression begins, and either closed by itself or somewhere later.
fn jsx(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let name = tag_name(&lexer.text[at + 1..]);
    let named = name.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'));
    let fragment = lexer.text.get(at + 1) == Some(&b'>');
    if !(named || fragment) || !expression_begins(lexer, at) {
        return false;
    }
    let line = &lexer.text[at..lexer.text.len().min(at + 400)];
    let closes_itself = memchr::memmem::find(line, b"/>").is_some_and(|i| !line[1..i].contains(&b'<'));
    if !closes_itself && !lexer.memo.has_closing_tag(lexer.text, name, at) {
        return false;
    }
    lexer.pos = at + 1 + name.len();
    read_jsx(lexer, 0, true);
    true
}

/// Reads JSX from the present place on until its last element is closed or code begins.
///
/// `elements`: how many are open; `in_tag`: whether this is among the attributes of another one.
pub fn read_jsx(lexer: &mut Lexer<'_>, mut elements: usize, mut in_tag: bool) {
    let text = lexer.text;
    while let Some(&byte) = text.get(lexer.pos) {
        let at = lexer.pos;
        lexer.pos = at + 1;
        if byte == b'{' && lexer.may_nest() {
            let after = After::Jsx { read: read_jsx, elements, in_tag };
            lexer.push_frame(Frame { after, close: b'}', open: b'{', depth: 0 });
            return;
        }
        if !in_tag {
            if byte != b'<' {
                let next = memchr::memchr2(b'<', b'{', &text[at + 1..]);
                lexer.pos = next.map_or(text.len(), |i| at + 1 + i);
            } else if text.get(at + 1) == Some(&b'/') {
                lexer.pos = memchr::memchr(b'>', &text[at..]).map_or(text.len(), |i| at + i + 1);
                elements -= 1;
            } else {
                in_tag = true;
            }
        } else if byte == b'"' || byte == b'\'' {
            lexer.string(at, at + 1, Quote::new(&text[at..=at], Escape::None, Extent::TextOrCode));
        } else if byte == b'/' && matches!(text.get(at + 1), Some(b'/' | b'*')) {
            lexer.open(at);
        } else if byte == b'/' && text.get(at + 1) == Some(&b'>') {
            (lexer.pos, in_tag) = (at + 2, false);
        } else if byte == b'>' && text[at - 1] != b'=' {
            (elements, in_tag) = (elements + 1, false);
        }
        if elements == 0 && !in_tag {
            return;
        }
    }
}
