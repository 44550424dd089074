//! Ruby and Perl: literals with delimiters of one's choice, documentation in the first column.

use super::engine::Lexer;
use super::javascript::{expression_begins, regex};
use super::quote::{Escape, Extent, Quote};
use super::shell::{bodies, hashbang, heredoc};
use super::span::Kind;
use super::text::{closer_of, is_word};
use memchr::memmem;

/// The first line, and whether the text has an end of program to look out for.
pub fn start(lexer: &mut Lexer<'_>) {
    hashbang(lexer);
    let ends = [&b"__END__"[..], b"__DATA__"].iter().any(|mark| memmem::find(lexer.text, mark).is_some());
    lexer.stop_at(b'_', ends);
}

/// Ruby.
pub fn ruby(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    let next = text.get(at + 1).copied().unwrap_or(b'\n');
    match text[at] {
        b'=' => !at_column0(lexer, at) || (text[at..].starts_with(b"=begin") && pod(lexer, at, b"\n=end")),
        b'_' => end_of_program(lexer, at, &[b"__END__"]),
        b'\n' => bodies(lexer, at),
        quote @ (b'"' | b'`') => {
            let close: &'static [u8] = if quote == b'"' { b"\"" } else { b"`" };
            lexer.string(at, at + 1, Quote::new(close, Escape::Backslash, Extent::Text).with_code(&[b"#{"]))
        }
        b'\'' => lexer.string(at, at + 1, Quote::new(b"'", Escape::Backslash, Extent::Text)),
        b'$' => skip_if(lexer, at, next.is_ascii_punctuation() && next != b'_'),
        b'?' => {
            let starts = at == 0 || !(is_word(text[at - 1]) || matches!(text[at - 1], b')' | b']' | b'}'));
            skip_if(lexer, at, starts && matches!(next, b'"' | b'\'' | b'`' | b'#' | b'/'))
        }
        b'<' => heredoc(lexer, at, true),
        b'/' => (operand_begins(lexer, at) && regex(lexer, at)) || true_at(lexer, at),
        b'%' => percent(lexer, at, next) || true_at(lexer, at),
        _ => true,
    }
}

/// Perl.
pub fn perl(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    let next = text.get(at + 1).copied().unwrap_or(b'\n');
    match text[at] {
        b'=' => !at_column0(lexer, at) || (next.is_ascii_alphabetic() && pod(lexer, at, b"\n=cut")),
        b'_' => {
            if end_of_program(lexer, at, &[b"__END__", b"__DATA__"]) && lexer.pos == text.len() {
                documentation_in_data(lexer, at);
            }
            true
        }
        b'\n' => bodies(lexer, at),
        b'$' => skip_if(lexer, at, next.is_ascii_punctuation() && !matches!(next, b'_' | b'{' | b'$' | b':')),
        b'"' => lexer.string(at, at + 1, Quote::new(b"\"", Escape::Backslash, Extent::Text)),
        b'`' => lexer.string(at, at + 1, Quote::new(b"`", Escape::Backslash, Extent::Text)),
        // `Foo'bar` is an old way to write `Foo::bar`.
        b'\'' if at > 0 && is_word(text[at - 1]) => true,
        b'\'' => lexer.string(at, at + 1, Quote::new(b"'", Escape::Backslash, Extent::Text)),
        b'<' => heredoc(lexer, at, true),
        b'/' => (operand_begins(lexer, at) && regex(lexer, at)) || true_at(lexer, at),
        _ => quote_like(lexer, at),
    }
}

/// The byte was looked at and is code.
fn true_at(lexer: &mut Lexer<'_>, at: usize) -> bool {
    lexer.pos = lexer.pos.max(at + 1);
    true
}

/// Steps over a byte and the next one.
fn skip_if(lexer: &mut Lexer<'_>, at: usize, skip: bool) -> bool {
    if skip {
        lexer.pos = (at + 2).min(lexer.text.len());
    }
    true
}

fn at_column0(lexer: &Lexer<'_>, at: usize) -> bool {
    at == 0 || lexer.text[at - 1] == b'\n'
}

/// Documentation up to the end of the line that begins with `closer`, or of the text.
fn pod(lexer: &mut Lexer<'_>, at: usize, closer: &[u8]) -> bool {
    let end = memmem::find(&lexer.text[at..], closer).map(|i| lexer.line_end(at + i + closer.len()));
    let end = end.unwrap_or(lexer.text.len());
    lexer.push(Kind::BlockComment, at, lexer.without_cr(at, end));
    true
}

/// What follows such a line is data.
fn end_of_program(lexer: &mut Lexer<'_>, at: usize, marks: &[&[u8]]) -> bool {
    if at_column0(lexer, at) {
        let line = lexer.text[at..lexer.text.len().min(at + 12)].split(|&b| b == b'\n').next();
        if line.is_some_and(|line| marks.contains(&line.trim_ascii_end())) {
            lexer.pos = lexer.text.len();
        }
    }
    true
}

fn documentation_in_data(lexer: &mut Lexer<'_>, from: usize) {
    let mut i = from;
    while let Some(found) = memmem::find(&lexer.text[i..], b"\n=") {
        i += found + 1;
        if lexer.text.get(i + 1).is_some_and(u8::is_ascii_alphabetic) {
            pod(lexer, i, b"\n=cut");
            i = lexer.spans.last().map_or(i, |span| span.end);
        }
    }
    lexer.pos = lexer.text.len();
}

/// Whether an operand begins here: also after a word and a blank, if no blank follows (`puts /x/`).
fn operand_begins(lexer: &Lexer<'_>, at: usize) -> bool {
    let blank_before = at > 0 && matches!(lexer.text[at - 1], b' ' | b'\t');
    let blank_after = lexer.text.get(at + 1).is_none_or(|b| b.is_ascii_whitespace() || *b == b'=');
    expression_begins(lexer, at)
        || (blank_before
            && !blank_after
            && lexer.text[..at].trim_ascii_end().last().is_some_and(|&b| is_word(b) && !b.is_ascii_digit()))
}

/// `%w[…]`, `%q(…)`, `%(…)`.
fn percent(lexer: &mut Lexer<'_>, at: usize, next: u8) -> bool {
    let lettered = b"qQwWiIrsx".contains(&next);
    let delimiter_at = at + 1 + usize::from(lettered);
    let Some(&delimiter) = lexer.text.get(delimiter_at) else { return false };
    if !delimiter.is_ascii_punctuation() || delimiter == b'_' || (delimiter == b'=' && !lettered) {
        return false;
    }
    if !operand_begins(lexer, at) {
        return false;
    }
    match delimited_end(lexer, delimiter_at) {
        Some(end) => lexer.push(Kind::String, at, end),
        None => return false,
    }
    true
}

/// `q(…)`, `qw/…/`, `m{…}`, `s/…/…/`, `tr/…/…/`.
fn quote_like(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    if at > 0 && (is_word(text[at - 1]) || b"$@%&>-".contains(&text[at - 1])) {
        return true;
    }
    let length = text[at..].iter().take(3).take_while(|&&b| is_word(b)).count();
    let word = &text[at..at + length];
    if !matches!(word, b"q" | b"qq" | b"qw" | b"qr" | b"qx" | b"m" | b"s" | b"y" | b"tr") {
        return true;
    }
    let blanks = text[at + length..].iter().take(80).take_while(|b| b.is_ascii_whitespace()).count();
    let delimiter_at = at + length + blanks;
    let Some(&delimiter) = text.get(delimiter_at) else { return true };
    let is_delimiter = delimiter.is_ascii_punctuation()
        && !matches!(delimiter, b'_' | b'=' | b',' | b';' | b')' | b'}' | b'>')
        && !(delimiter == b'#' && blanks > 0);
    if !is_delimiter {
        return true;
    }
    let Some(mut end) = delimited_end(lexer, delimiter_at) else { return true };
    if matches!(word, b"s" | b"y" | b"tr") {
        let again = if closer_of(delimiter) == delimiter {
            end - 1
        } else {
            end + text[end..].iter().take_while(|b| b.is_ascii_whitespace()).count()
        };
        let Some(second) = text.get(again).is_some().then(|| delimited_end(lexer, again)).flatten() else {
            return true;
        };
        end = second;
    }
    lexer.push(Kind::String, at, end);
    true
}

/// The end of a literal whose opening delimiter is at `at`; pairs of brackets inside it count.
fn delimited_end(lexer: &mut Lexer<'_>, at: usize) -> Option<usize> {
    let (open, text) = (lexer.text[at], lexer.text);
    let close = closer_of(open);
    let key = [b'%', close];
    if lexer.memo.is_absent(&key, at) {
        return None;
    }
    let (mut i, mut depth) = (at + 1, 1_usize);
    while let Some(&byte) = text.get(i) {
        if byte == b'\\' {
            i += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(i + 1);
            }
        } else if byte == open {
            depth += 1;
        }
        i += 1;
    }
    lexer.memo.set_absent(&key, text.len());
    None
}
