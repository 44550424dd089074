//! Docstrings and comments of Python, as `frac_chars_comments` counts them.
//!
//! Docstrings come from the syntax tree, so that they are told from other strings that stand alone; comments are
//! tokens, so they are there too where the tree is not.

use crate::signals::classes::{SPACE, is, length};
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::{LexicalErrorType, ParseErrorType, Parsed};
use ruff_text_size::Ranged;
use std::borrow::Cow;

/// The text as the parser wants it: no byte order mark, no carriage returns.
pub fn source(content: &str) -> Cow<'_, str> {
    let text = content.strip_prefix('\u{FEFF}').unwrap_or(content);
    let Some(first) = memchr::memchr(b'\r', text.as_bytes()) else { return Cow::Borrowed(text) };
    let (mut source, mut from) = (String::with_capacity(text.len()), 0);
    for at in memchr::memchr_iter(b'\r', &text.as_bytes()[first..]).map(|i| first + i) {
        source.push_str(&text[from..at]);
        if text.as_bytes().get(at + 1) != Some(&b'\n') {
            source.push('\n');
        }
        from = at + 1;
    }
    source.push_str(&text[from..]);
    Cow::Owned(source)
}

/// Length, in characters, of the docstrings of modules, classes and `def`s, joined by newlines, and of the comments
/// without their `#`, joined by nothing.
pub fn chars(parsed: &Parsed<ModModule>, source: &str) -> usize {
    let text = docstrings(parsed) + "\n" + &comments(parsed, source);
    length(text.trim_matches(|c| is(c, SPACE)))
}

/// Classes, then functions, then the module, and by name within these.
fn docstrings(parsed: &Parsed<ModModule>) -> String {
    if !parsed.errors().is_empty() {
        return String::new();
    }
    let mut found = Docstrings(Vec::new());
    found.add(2, "", &parsed.syntax().body);
    found.visit_body(&parsed.syntax().body);
    found.0.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let texts: Vec<&str> = found.0.iter().map(|(_, _, text)| text.as_str()).collect();
    texts.join("\n")
}

struct Docstrings<'a>(Vec<(u8, &'a str, String)>);

impl<'a> Docstrings<'a> {
    fn add(&mut self, order: u8, name: &'a str, body: &[Stmt]) {
        let Some(Stmt::Expr(first)) = body.first() else { return };
        let Some(string) = first.value.as_string_literal_expr() else { return };
        let text = clean(string.value.to_str());
        if !text.is_empty() {
            self.0.push((order, name, text));
        }
    }
}

impl<'a> StatementVisitor<'a> for Docstrings<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::ClassDef(class) => self.add(0, &class.name, &class.body),
            Stmt::FunctionDef(function) if !function.is_async => self.add(1, &function.name, &function.body),
            _ => {}
        }
        walk_stmt(self, statement);
    }
}

/// Without the indentation that all lines but the first share: `inspect.cleandoc`.
fn clean(text: &str) -> String {
    let text = expand_tabs(text);
    let indentation = |line: &str| {
        let rest = line.trim_start();
        (!rest.is_empty()).then(|| length(&line[..line.len() - rest.len()]))
    };
    let margin = text.split('\n').skip(1).filter_map(indentation).min().unwrap_or(0);
    let cut = |line: &'_ str| match line.as_bytes().get(..margin) {
        Some(start) if start.is_ascii() => margin,
        _ => line.char_indices().nth(margin).map_or(line.len(), |(at, _)| at),
    };
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines[0] = lines[0].trim_start();
    lines[1..].iter_mut().for_each(|line| *line = &line[cut(line)..]);
    let Some(start) = lines.iter().position(|line| !line.is_empty()) else { return String::new() };
    let end = lines.iter().rposition(|line| !line.is_empty()).unwrap_or(start);
    lines[start..=end].join("\n")
}

/// Tabs go to the next multiple of 8.
fn expand_tabs(text: &str) -> Cow<'_, str> {
    if !text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        let width = if c == '\t' { 8 - column % 8 } else { 1 };
        if c == '\t' {
            expanded.extend(std::iter::repeat_n(' ', width));
        } else {
            expanded.push(c);
        }
        column = if matches!(c, '\r' | '\n') { 0 } else { column + width };
    }
    Cow::Owned(expanded)
}

/// All comments, every `#` in them deleted; none if Python's own tokenizer would give up: a bracket or a string that
/// is never closed, or a line that is indented like none above it.
fn comments(parsed: &Parsed<ModModule>, source: &str) -> String {
    let mut open = 0_usize;
    let mut text = String::new();
    for token in parsed.tokens().iter() {
        match token.kind() {
            TokenKind::Comment => {
                source[token.range().to_std_range()].split('#').for_each(|part| text.push_str(part));
            }
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => open += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => open = open.saturating_sub(1),
            _ => {}
        }
    }
    let gives_up = parsed.errors().iter().any(|error| match &error.error {
        ParseErrorType::Lexical(LexicalErrorType::IndentationError) => true,
        ParseErrorType::Lexical(LexicalErrorType::UnclosedStringError) => {
            let opener =
                source[error.location.to_std_range()].trim_start_matches(|c: char| c.is_ascii_alphabetic());
            opener.starts_with("'''") || opener.starts_with("\"\"\"")
        }
        _ => false,
    });
    if gives_up || open > 0 { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{chars, clean, source};
    use ruff_python_ast::PySourceType;
    use ruff_python_parser::parse_unchecked_source;

    fn count(content: &str) -> usize {
        let source = source(content);
        chars(&parse_unchecked_source(&source, PySourceType::Python), &source)
    }

    #[test]
    fn docstrings_are_cleaned() {
        assert_eq!(clean("  a\n    b\n\tc\n\n  "), "a\nb\n    c");
        assert_eq!(clean("\n\n"), "");
    }

    #[test]
    fn docstrings_and_comments_are_counted() {
        assert_eq!(count("'''ab'''\n# c\nx = 'd'\n"), 5); // "ab\n c"
        assert_eq!(count("def f():\n  'a'\nasync def g():\n  'bcd'\nclass C:\n  'ef'\n"), 4); // "ef\na"
        assert_eq!(count("print 1 # two\n'''no docstring'''"), 3);
        assert_eq!(count("(# a\n"), 0);
        assert_eq!(count("\u{FEFF}#! a#b\r\n"), 4);
    }
}
