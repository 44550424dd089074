//! The comments before the first code.

use crate::lex::{Kind, Rules, Span, spans_by};

/// Bytes of a text that are looked at; the longest licences people paste have 35,000. A comment that goes on beyond
/// them is not touched.
pub const LIMIT: usize = 1 << 16;

const FIRST_LOOK: usize = 1 << 11;

/// What stands before the first code.
pub struct Head {
    /// Comments, docstrings and the hashbang line, in order.
    pub comments: Vec<Span>,
    /// Where code begins, or where looking ended.
    pub code: usize,
}

/// The head of `text`. Lexes a prefix that grows until it reaches into code, so the cost is that of the head.
pub fn head(text: &str, rules: &Rules, language: &str) -> Head {
    let mut size = FIRST_LOOK;
    loop {
        let prefix = lines_within(text, size);
        let whole = prefix.len() == text.len();
        if let Some(head) = read(prefix, whole, whole || size >= LIMIT, rules, language) {
            return head;
        }
        size *= 4;
    }
}

/// The lines of `text` that end within `size` bytes; of a longer line, its beginning.
fn lines_within(text: &str, size: usize) -> &str {
    if text.len() <= size {
        return text;
    }
    let newline = memchr::memrchr(b'\n', &text.as_bytes()[..size]).map(|newline| newline + 1);
    &text[..newline.unwrap_or_else(|| text.floor_char_boundary(size))]
}

/// `None` if the prefix ends within the head, unless it is `whole` or the `last` that is looked at.
fn read(prefix: &str, whole: bool, last: bool, rules: &Rules, language: &str) -> Option<Head> {
    let bytes = prefix.as_bytes();
    let mut spans = spans_by(prefix, rules).into_iter().peekable();
    let mut comments = Vec::new();
    let mut pos = if prefix.starts_with('\u{feff}') { 3 } else { 0 };
    loop {
        pos += bytes[pos..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        while spans.peek().is_some_and(|span| span.start < pos) {
            spans.next();
        }
        let span = spans.peek().filter(|span| span.start == pos && span.kind != Kind::String).copied();
        let end = match span {
            Some(span) => span.end,
            None => match prolog(&prefix[pos..], language) {
                Some(length) => pos + length,
                None if pos < prefix.len() || last => return Some(Head { comments, code: pos }),
                None => return None,
            },
        };
        if end == prefix.len() && !whole {
            // What reaches the end of a prefix may go on beyond it.
            return last.then_some(Head { comments, code: pos });
        }
        comments.extend(span);
        pos = end;
    }
}

/// Length of what may stand before a notice although it is code, at the start of `rest`.
fn prolog(rest: &str, language: &str) -> Option<usize> {
    let starts = |what: &str| rest.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what));
    let through = |closer: &str, within: usize| {
        let end = rest.char_indices().map(|(i, _)| i).find(|&i| i >= within).unwrap_or(rest.len());
        rest[..end].find(closer).map(|at| at + closer.len())
    };
    let line = || Some(rest.find('\n').unwrap_or(rest.len()));
    if starts("<?php") || starts("<?hh ") {
        return Some(5);
    }
    if starts("<?xml") {
        return through("?>", 1000);
    }
    if starts("<!doctype") {
        let tag = through(">", 2000)?;
        return if rest[..tag].contains('[') { through("]>", 4000) } else { Some(tag) };
    }
    if starts("<%@") {
        return through("%>", 1000);
    }
    if starts("\"use strict\"") || starts("'use strict'") {
        return Some(12 + usize::from(rest[12..].starts_with(';')));
    }
    match language {
        "php" if starts("declare(strict_types") => through(";", 100),
        "batchfile" if starts("@echo off") => line(),
        "csharp" if starts("#region") => line(),
        "c" | "cpp" | "objective-c" if starts("#pragma once") => line(),
        "yaml" if starts("---") && rest[3..].starts_with(['\n', '\r']) => Some(3),
        _ => None,
    }
}
