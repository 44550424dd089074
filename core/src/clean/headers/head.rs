//! The comments before the first code.

use super::forms;
use super::prolog::prolog;
use crate::lex::{Kind, Span, Syntax, spans_by};

/// Bytes of a text that are looked at; the longest licences people paste have 35,000. A comment that goes on beyond
/// them is not touched.
pub const LIMIT: usize = 1 << 16;

const FIRST_LOOK: usize = 1 << 11;

/// How often a prefix is lexed anew from a later byte; beyond it, nothing more is found.
const AGAIN: usize = 64;

/// What stands before the first code.
pub struct Head {
    /// Comments, docstrings and the hashbang line, in order.
    pub comments: Vec<Span>,
    /// Where code begins, or where looking ended.
    pub code: usize,
}

/// The head of `text`. Lexes a prefix that grows until it reaches into code, so the cost is that of the head.
pub fn head(text: &str, syntax: &Syntax) -> Head {
    head_from(text, syntax, FIRST_LOOK)
}

/// The same, of which at once all that is ever looked at is lexed.
pub fn head_at_once(text: &str, syntax: &Syntax) -> Head {
    head_from(text, syntax, LIMIT)
}

fn head_from(text: &str, syntax: &Syntax, mut size: usize) -> Head {
    loop {
        let prefix = lines_within(text, size);
        let whole = prefix.len() == text.len();
        if let Some(head) = read(prefix, whole, whole || size >= LIMIT, syntax) {
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
fn read(prefix: &str, whole: bool, last: bool, syntax: &Syntax) -> Option<Head> {
    let (rules, language) = (syntax.rules(), syntax.name.as_str());
    let bytes = prefix.as_bytes();
    let mut spans = spans_by(prefix, rules).into_iter().peekable();
    let mut comments = Vec::new();
    let begin = if prefix.starts_with('\u{feff}') { 3 } else { 0 };
    let (mut pos, mut again) = (begin, 0);
    loop {
        pos += bytes[pos..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let mut astray = false;
        while let Some(span) = spans.next_if(|span| span.start < pos) {
            astray |= span.end > pos;
        }
        if astray && again < AGAIN {
            // What was skipped is not what the lexer took it for: it reads on from here.
            again += 1;
            let shifted = |mut span: Span| {
                (span.start, span.end) = (span.start + pos, span.end + pos);
                span
            };
            spans = spans_by(&prefix[pos..], rules)
                .into_iter()
                .map(shifted)
                .collect::<Vec<_>>()
                .into_iter()
                .peekable();
        }
        let found = |(length, kind)| Span { start: pos, end: pos + length, kind };
        let form = forms::form(&prefix[pos..], language).map(|form| found((form.length, form.kind)));
        let spanned = || spans.peek().filter(|span| span.start == pos && span.kind != Kind::String).copied();
        let span = form.or_else(spanned).or_else(|| forms::of_head(&prefix[pos..], syntax).map(found));
        let end = match span {
            Some(span) => span.end,
            None => match prolog(&prefix[pos..], language, pos == begin) {
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
