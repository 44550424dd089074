//! Shells, and what other scripts share with them: heredocs, and the line that names an interpreter.

use super::engine::{After, Lexer};
use super::heredoc::Heredoc;
use super::quote::{Escape, Extent, Quote};
use super::span::Kind;
use super::text::is_word;
use memchr::memmem;

/// Double quotes, `$'…'`, heredocs.
pub fn hook(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let double = Quote::new(b"\"", Escape::Backslash, Extent::Text).with_code(&[b"$(", b"${"]);
    match lexer.text[at] {
        b'"' => lexer.string(at, at + 1, double),
        b'\n' => bodies(lexer, at),
        b'$' if lexer.text.get(at + 1) == Some(&b'\'') => {
            lexer.string(at, at + 2, Quote::new(b"'", Escape::Backslash, Extent::Text))
        }
        // `"${x:-it's}"`: single quotes mean nothing there.
        b'\'' => lexer
            .frames
            .last()
            .is_some_and(|frame| frame.close == b'}' && matches!(frame.after, After::Text { .. })),
        b'<' if lexer.text[at..].starts_with(b"<<<") => {
            lexer.pos = at + 3;
            true
        }
        b'<' if lexer.rules.quirks.loose_heredocs => loose_heredoc(lexer, at),
        b'<' => heredoc(lexer, at, false),
        _ => true,
    }
}

/// `<<` and a word: remembers the heredoc, if the word is on a line of its own later on.
///
/// `tilde`: whether `<<~` is an opener too (Ruby, Perl), and `<<-` allows any blanks before the word.
pub fn heredoc(lexer: &mut Lexer<'_>, at: usize, tilde: bool) -> bool {
    let text = lexer.text;
    if !text[at..].starts_with(b"<<") {
        return false;
    }
    let mut i = at + 2;
    let indented = matches!(text.get(i), Some(b'-')) || (tilde && text.get(i) == Some(&b'~'));
    i += usize::from(indented);
    if !tilde {
        i += text[i..].iter().take_while(|b| **b == b' ').count();
    }
    let quote = text.get(i).copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    let escaped = !tilde && text.get(i) == Some(&b'\\');
    i += usize::from(quote.is_some() || escaped);
    // Longer words than a line are none; without a bound an unclosed quote would be read once per `<<`.
    let word = match quote {
        Some(quote) => {
            let Some(length) = text[i..].iter().take(200).position(|&b| b == quote || b == b'\n') else {
                return false;
            };
            &text[i..i + length]
        }
        None => &text[i..i + text[i..].iter().take(200).take_while(|&&b| is_word(b)).count()],
    };
    if !word.first().is_some_and(|&b| is_word(b) && (quote.is_some() || !b.is_ascii_digit())) {
        return false;
    }
    lexer.pos = i + word.len() + usize::from(quote.is_some());
    if lexer.memo.has_line(text, word, at) {
        lexer.heredocs.push(Heredoc { word, indented });
        lexer.stop_at(b'\n', true);
    }
    true
}

/// Reads the bodies of the heredocs of the line that ends at `newline`.
pub fn bodies(lexer: &mut Lexer<'_>, newline: usize) -> bool {
    let mut start = newline + 1;
    lexer.stop_at(b'\n', false);
    for heredoc in std::mem::take(&mut lexer.heredocs) {
        let mut line = start;
        loop {
            let end = lexer.line_end(line.min(lexer.text.len()));
            if line >= lexer.text.len() || heredoc.ends_with(&lexer.text[line..end]) {
                lexer.push(Kind::String, start, line.min(lexer.text.len()));
                start = (end + 1).min(lexer.text.len());
                lexer.pos = lexer.pos.max(end.min(lexer.text.len()));
                break;
            }
            line = end + 1;
        }
    }
    true
}

/// A heredoc as the reference sees it: from `<<` to where the word comes next.
fn loose_heredoc(lexer: &mut Lexer<'_>, at: usize) -> bool {
    let text = lexer.text;
    if !text[at..].starts_with(b"<<") {
        return false;
    }
    let mut i = at + 2;
    i += usize::from(text.get(i) == Some(&b'-'));
    i += text[i..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    i += usize::from(text.get(i) == Some(&b'\''));
    i += usize::from(text.get(i) == Some(&b'\\'));
    let word = &text[i..i + text[i..].iter().take(200).take_while(|&&b| is_word(b)).count()];
    let inside = i + word.len() + 1;
    if word.is_empty() || inside > text.len() || lexer.memo.is_absent(b"<<", at) {
        return false;
    }
    match memmem::find(&text[inside..], word) {
        Some(end) => lexer.push(Kind::String, at, inside + end + word.len()),
        // One word that does not come again is enough to give up: another search per `<<` would be quadratic.
        None => lexer.memo.set_absent(b"<<", inside),
    }
    lexer.pos = lexer.pos.max(at + 2);
    true
}

/// The first line, where it names an interpreter.
pub fn hashbang(lexer: &mut Lexer<'_>) {
    let bom = if lexer.text.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    // `#![` is an attribute of Rust.
    if lexer.text[bom..].starts_with(b"#!") && lexer.text.get(bom + 2) != Some(&b'[') {
        let end = lexer.line_end(bom);
        let end = lexer.without_cr(bom, end);
        lexer.push(Kind::Hashbang, bom, end);
    }
}
