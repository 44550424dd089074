//! Literals of C and its descendants, of Python, Lua and CSS: what their hooks read.

use super::engine::{After, Lexer};
use super::quote::{Escape, Extent, Quote, raw};
use super::rules::Dialect;
use super::span::Kind;
use super::text::{is_word, word_before};
use memchr::{memchr2, memmem};

/// A closer of raw strings: quotes, then up to 255 hashes (the most Rust allows).
static HASHED: [u8; 258] = {
    let mut bytes = [b'#'; 258];
    (bytes[0], bytes[1], bytes[2]) = (b'"', b'"', b'"');
    bytes
};

const ONE_LINE: Quote<'static> = Quote::new(b"\"", Escape::Backslash, Extent::Line);

/// C and C++: directives, prefixes of literals, raw strings, digit separators.
pub fn c(lexer: &mut Lexer<'_>, at: usize) -> bool {
    match lexer.text[at] {
        b'#' => lexer.line_start_blank(at) && directive(lexer, at),
        b'\'' => c_char(lexer, at),
        _ => c_string(lexer, at),
    }
}

fn c_string(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let prefix = word_before(lexer.text, at, 4);
    let start = at - prefix.len();
    match prefix {
        b"R" | b"LR" | b"uR" | b"UR" | b"u8R" if lexer.rules.dialect == Dialect::Cpp => {
            // A delimiter has at most 16 characters.
            let window = &lexer.text[at + 1..lexer.text.len().min(at + 18)];
            let Some(length) = window.iter().position(|&b| b == b'(') else { return false };
            let delimiter = &window[..length];
            if delimiter.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b')' | b'\\' | b'"')) {
                return false;
            }
            let closer = [b")", delimiter, b"\""].concat();
            let inside = at + 2 + length;
            let end = memmem::find(&lexer.text[inside..], &closer);
            lexer.push(Kind::String, start, end.map_or(lexer.text.len(), |i| inside + i + closer.len()));
            true
        }
        b"L" | b"u" | b"U" | b"u8" => lexer.string(start, at + 1, ONE_LINE),
        _ => false,
    }
}

fn c_char(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let quote = Quote::new(b"'", Escape::Backslash, Extent::LineOrCode);
    let word = word_before(lexer.text, at, 64);
    match word {
        b"" => lexer.string(at, at + 1, quote),
        b"L" | b"u" | b"U" | b"u8" => lexer.string(at - word.len(), at + 1, quote),
        // `1'000`, and the apostrophe of a word in text that is not compiled.
        _ => true,
    }
}

/// A line of the preprocessor.
fn directive(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let plain = lexer.rules.quirks.plain_directives;
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let name_at = at + 1 + lexer.text[at + 1..].iter().take_while(|b| blank(b)).count();
    let length =
        lexer.text[name_at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let name = &lexer.text[name_at..name_at + length];
    let after = name_at + length;
    match name {
        b"include" | b"include_next" | b"import" => {
            let path = after + lexer.text[after..].iter().take_while(|b| blank(b)).count();
            let line = lexer.line_end(path);
            let closer = match lexer.text.get(path) {
                Some(b'<') => b'>',
                Some(b'"') => b'"',
                _ => return false,
            };
            let Some(length) = lexer.text[path + 1..line].iter().position(|&b| b == closer) else {
                return false;
            };
            let end = path + length + 2;
            lexer.push(Kind::String, path, end);
            if plain && name == b"include" {
                let end = lexer.without_cr(end, line);
                // Not a line comment: its newline never belongs to it.
                lexer.push(Kind::BlockComment, path + length + 2, end);
            }
        }
        b"error" | b"warning" => only_comments(lexer, after),
        b"if" if plain && starts_with_zero(&lexer.text[after..]) => lexer.pos = end_of_if_zero(lexer, after),
        _ if plain => only_comments(lexer, after),
        _ => return false,
    }
    true
}

fn starts_with_zero(text: &[u8]) -> bool {
    let blanks = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    blanks > 0 && text.get(blanks) == Some(&b'0')
}

/// The line after the one that ends `#if 0`: an `#else`, `#elif` or `#endif` of its depth.
fn end_of_if_zero(lexer: &Lexer<'_>, from: usize) -> usize {
    let (mut depth, mut line) = (1, lexer.line_end(from) + 1);
    while line < lexer.text.len() {
        let end = lexer.line_end(line);
        let text = lexer.text[line..end].trim_ascii_start();
        if text.starts_with(b"#if") {
            depth += 1;
        } else if [&b"#else"[..], b"#elif", b"#endif"].iter().any(|d| text.starts_with(d)) {
            depth -= 1;
        }
        line = end + 1;
        if depth == 0 {
            break;
        }
    }
    line.min(lexer.text.len())
}

/// The rest of a line in which quotes mean nothing; a comment may carry it on, and so may a backslash.
fn only_comments(lexer: &mut Lexer<'_>, from: usize) {
    let mut i = from;
    while let Some(found) = memchr2(b'/', b'\n', &lexer.text[i..]) {
        i += found;
        lexer.pos = i;
        if lexer.text[i] == b'\n' {
            if !lexer.is_continued(i) {
                return;
            }
        } else if lexer.text[i..].starts_with(b"//") {
            let end = lexer.line_end(i);
            if lexer.rules.quirks.plain_directives {
                lexer.push(Kind::LineComment, i, lexer.without_cr(i, end));
            } else {
                lexer.line_comment(i);
            }
            return;
        } else if lexer.text[i..].starts_with(b"/*") {
            lexer.open(i);
            i = lexer.pos.max(i + 1);
            continue;
        }
        i += 1;
    }
    lexer.pos = lexer.text.len();
}

/// C#: directives, verbatim, interpolated and raw strings.
pub fn csharp(lexer: &mut Lexer<'_>, at: usize) -> bool {
    if lexer.text[at] == b'#' {
        if !lexer.line_start_blank(at) {
            return false;
        }
        let name = lexer.text[at + 1..].trim_ascii_start();
        let is_text =
            [&b"region"[..], b"endregion", b"error", b"warning"].iter().any(|word| name.starts_with(word));
        if lexer.rules.quirks.plain_directives || is_text {
            lexer.pos = lexer.line_end(at);
        } else {
            only_comments(lexer, at + 1);
        }
        return true;
    }
    let marks = lexer.text[at..].iter().take_while(|b| matches!(b, b'@' | b'$')).count();
    let verbatim = lexer.text[at..at + marks].contains(&b'@');
    let dollars = marks - usize::from(verbatim);
    let quotes = lexer.text[at + marks..].iter().take_while(|&&b| b == b'"').count();
    let first = at + marks;
    if quotes == 0 {
        lexer.pos = first.max(at + 1);
        return true;
    }
    let code: &[&[u8]] = match dollars {
        0 => &[],
        1 => &[b"{"],
        2 => &[b"{{"],
        _ => &[],
    };
    if quotes >= 3 && !verbatim {
        let quote = raw(&lexer.text[first..first + quotes]).with_code(code);
        return lexer.string(at, first + quotes, quote);
    }
    let mut quote = Quote::new(b"\"", Escape::Backslash, Extent::Line).with_code(code);
    quote.doubled_code = true;
    if verbatim {
        (quote.escape, quote.extent) = (Escape::Doubled, Extent::Text);
    }
    lexer.string(at, first + 1, quote)
}

/// `'x'`, or the `'` of a lifetime, a symbol, a type variable: nothing.
pub fn char_or_word(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    let end = match text.get(at + 1) {
        Some(b'\\') => text[at + 2..].iter().take(12).skip(1).position(|&b| b == b'\'').map(|i| at + 4 + i),
        Some(&first) => {
            let width = match first {
                0..0x80 => 1,
                0x80..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            (text.get(at + 1 + width) == Some(&b'\'') && first != b'\'').then_some(at + 2 + width)
        }
        None => None,
    };
    if let Some(end) = end {
        let start = if at > 0 && word_before(text, at, 2) == b"b" { at - 1 } else { at };
        lexer.push(Kind::String, start, end);
    }
    true
}

/// The same where `'` after a word is a prime or an attribute: `a' 'x'`, `character'('x')`.
pub fn char_or_prime(lexer: &mut Lexer<'_>, at: usize) -> bool {
    (at > 0 && is_word(lexer.text[at - 1])) || char_or_word(lexer, at)
}

/// Rust: characters and lifetimes, raw strings.
pub fn rust(lexer: &mut Lexer<'_>, at: usize) -> bool {
    if lexer.text[at] == b'\'' {
        return char_or_word(lexer, at);
    }
    let hashes = lexer.text[..at].iter().rev().take(255).take_while(|&&b| b == b'#').count();
    let prefix = word_before(lexer.text, at - hashes, 3);
    let start = at - hashes - prefix.len();
    match prefix {
        b"r" | b"br" | b"cr" => lexer.string(start, at + 1, raw(&HASHED[2..3 + hashes])),
        b"b" | b"c" if hashes == 0 => {
            lexer.string(start, at + 1, Quote::new(b"\"", Escape::Backslash, Extent::Text))
        }
        _ => false,
    }
}

/// Swift: strings with code inside, raw strings.
pub fn swift(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let hashes = lexer.text[at..].iter().take(255).take_while(|&&b| b == b'#').count();
    let first = at + hashes;
    let code: &'static [&'static [u8]] = match hashes {
        0 => &[b"\\("],
        1 => &[b"\\#("],
        _ => &[],
    };
    let escape = if hashes == 0 { Escape::Backslash } else { Escape::None };
    if lexer.text[first..].starts_with(b"\"\"\"") {
        let quote = Quote::new(&HASHED[..3 + hashes], escape, Extent::Text).with_code(code);
        return lexer.string(at, first + 3, quote);
    }
    if lexer.text.get(first) != Some(&b'"') {
        lexer.pos = first.max(at + 1); // `#if`
        return true;
    }
    let quote = Quote::new(&HASHED[2..3 + hashes], escape, Extent::Line).with_code(code);
    lexer.string(at, first + 1, quote)
}

/// Python: strings, and the colons of f-strings.
pub fn python(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let byte = lexer.text[at];
    if matches!(byte, b':') {
        let inside = lexer.frames.last().filter(|frame| frame.depth == 0);
        if let Some(&After::Text { quote, .. }) = inside.map(|frame| &frame.after) {
            lexer.body(at, at + 1, quote, true);
        }
        return true;
    }
    let text = lexer.text;
    let word = word_before(text, at, 3);
    let is_prefix = word.len() <= 2 && word.iter().all(|b| b"rRbBuUfFtT".contains(b));
    let prefix: &[u8] = if is_prefix { word } else { b"" };
    let start = at - prefix.len();
    let triple = text[at + 1..].starts_with(&[byte, byte]);
    let length = if triple { 3 } else { 1 };
    let close = &text[at..at + length];
    let with_code = prefix.iter().any(|b| b"fFtT".contains(b));
    let first = triple && !with_code && lexer.line_start_blank(start);
    if first && lexer.rules.quirks.docstrings_anywhere && !lexer.memo.is_absent(close, at) {
        if let Some(end) = memmem::find(&text[at + 3..], close) {
            lexer.push(Kind::Docstring, at, at + end + 6);
            return true;
        }
        lexer.memo.set_absent(close, text.len());
    }
    let mut quote = Quote::new(close, Escape::Backslash, if triple { Extent::Text } else { Extent::Line });
    if with_code {
        quote = quote.with_code(&[b"{"]);
        quote.doubled_code = true;
    }
    let documentation = !with_code
        && !lexer.rules.quirks.docstrings_anywhere
        && lexer.frames.is_empty()
        && lexer.line_start_blank(start)
        && is_documentation(lexer, start);
    lexer.string(start, at + length, quote);
    // One that is not closed is no statement: CPython reads on behind its quote.
    if documentation
        && let Some(span) = lexer.spans.last_mut()
        && closes(&text[at + length..span.end], close)
    {
        span.kind = Kind::Docstring;
    }
    true
}

/// Whether what stands behind the opener of a string ends in its closer, and not in an escaped one.
fn closes(inside: &[u8], close: &[u8]) -> bool {
    let body = inside.strip_suffix(close);
    body.is_some_and(|body| body.iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0)
}

/// Whether a string that is first on its line stands first in a module, a class or a function.
fn is_documentation(lexer: &Lexer<'_>, start: usize) -> bool {
    let mut end = start;
    for span in lexer.spans.iter().rev() {
        end = lexer.text[..end].trim_ascii_end().len();
        if span.end != end || !span.kind.is_comment() {
            break;
        }
        end = span.start;
    }
    end = lexer.text[..end].trim_ascii_end().len();
    if end == 0 || lexer.text[..end] == *"\u{feff}".as_bytes() {
        return true;
    }
    if lexer.text[end - 1] != b':' {
        return false;
    }
    let line = memchr::memrchr(b'\n', &lexer.text[..end]).map_or(0, |i| i + 1);
    let header = lexer.text[line..end].trim_ascii_start();
    let closes = header.iter().fold(0_i64, |depth, b| match b {
        b')' | b']' => depth + 1,
        b'(' | b'[' => depth - 1,
        _ => depth,
    });
    [&b"def "[..], b"class ", b"async "].iter().any(|word| header.starts_with(word)) || closes > 0
}

/// CSS: `url(…)` without quotes.
pub fn css(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    if !text[at..].starts_with(b"url(") || (at > 0 && is_word(text[at - 1])) {
        return true;
    }
    let inside = at + 4 + text[at + 4..].iter().take(64).take_while(|b| b.is_ascii_whitespace()).count();
    if matches!(text.get(inside), Some(b'"' | b'\'')) {
        return true;
    }
    lexer.string(at, inside, Quote::new(b")", Escape::Backslash, Extent::LineOrCode));
    true
}

/// Lua: long brackets, alone a string, after `--` a comment.
pub fn lua(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let comment = lexer.text[at..].starts_with(b"--[");
    let bracket = if comment { at + 2 } else { at };
    if lexer.text[bracket] != b'[' {
        return false;
    }
    let level = lexer.text[bracket + 1..].iter().take_while(|&&b| b == b'=').count();
    let inside = bracket + 2 + level;
    if lexer.text.get(inside - 1) != Some(&b'[') {
        lexer.pos = if comment { at + 1 } else { inside - 1 };
        return !comment;
    }
    let closer = [&b"]"[..], &lexer.text[bracket + 1..bracket + 1 + level], b"]"].concat();
    let end = memmem::find(&lexer.text[inside..], &closer).map(|i| inside + i + closer.len());
    let kind = if comment { Kind::BlockComment } else { Kind::String };
    lexer.push(kind, at, end.unwrap_or(lexer.text.len()));
    true
}
