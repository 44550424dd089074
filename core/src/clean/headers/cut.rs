//! From lines that are a notice to the bytes that go.

use super::head::Head;
use super::pieces::{Class, Piece, groups};
use crate::lex::Kind;
use std::ops::Range;

/// What goes, in order, and from how many groups.
pub fn cuts(text: &str, head: &Head, pieces: &[Piece]) -> (Vec<Range<usize>>, usize) {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut notices = 0;
    for group in groups(pieces) {
        let before = found.len();
        let lines = &pieces[group];
        if !lines.iter().any(|line| line.notice || line.part.is_some()) {
            continue;
        }
        let stays = |line: &Piece| match line.class {
            Class::Kept => true,
            Class::Text => !line.notice,
            // A link may be to a specification.
            Class::Trivial => !line.notice && line.text(text).contains("://"),
            Class::Blank | Class::Frame | Class::Tag => false,
        };
        if lines.iter().any(stays) {
            cut_lines(text, head, lines, &mut found);
        } else {
            cut_comments(text, head, lines, &mut found);
        }
        notices += usize::from(found.len() > before);
    }
    let mut cuts = whole_lines(text, head, found);
    for cut in &mut cuts {
        with_region(text, head, cut);
    }
    (cuts, notices)
}

/// `text` without some of it.
pub fn without(text: &str, cuts: &[Range<usize>]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        left.push_str(&text[at..cut.start]);
        at = cut.end;
    }
    left.push_str(&text[at..]);
    left
}

/// Nothing but the notice is in these comments: they go.
fn cut_comments(text: &str, head: &Head, lines: &[Piece], found: &mut Vec<Range<usize>>) {
    for number in lines[0].comment..=lines[lines.len() - 1].comment {
        let comment = head.comments[number];
        let rest = text[comment.end..].split('\n').next().unwrap_or("");
        // A docstring is a statement: it can go only where it has its line for itself.
        if comment.kind != Kind::Docstring || rest.trim().is_empty() {
            found.push(comment.start..comment.end);
        }
    }
}

/// The notice goes out from among other lines.
fn cut_lines(text: &str, head: &Head, lines: &[Piece], found: &mut Vec<Range<usize>>) {
    let mut gone: Vec<bool> = lines.iter().map(|line| line.notice).collect();
    trim(lines, &mut gone, head);
    for (line, gone) in lines.iter().zip(&gone) {
        if let Some((start, end)) = line.part {
            found.push(start..end);
        }
        if !gone {
            continue;
        }
        let comment = head.comments[line.comment];
        if comment.start == line.start && comment.end == line.end {
            found.push(line.start..line.end);
            continue;
        }
        // Of a comment of several lines the opener and the closer stay.
        let opens = comment.start == line.start;
        let closes = comment.end == line.end;
        let from = if opens { line.body.0 } else { first_word(text, line.start) };
        let to = if closes { line.body.1 } else { line.end };
        if closes {
            let marks = text[from..line.body.0].len();
            found.push(
                from + if marks > 0 && text[from..line.body.0].starts_with('*') { marks } else { 0 }..to,
            );
        } else {
            found.push(from..to);
        }
    }
}

fn first_word(text: &str, start: usize) -> usize {
    start + text[start..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Empty lines that only set the notice apart go with it.
fn trim(lines: &[Piece], gone: &mut [bool], head: &Head) {
    let edges: Vec<bool> = (0..lines.len()).map(|i| is_edge(lines, i, head)).collect();
    let edge = |i: usize| edges[i];
    let empty = |i: usize| matches!(lines[i].class, Class::Blank | Class::Frame);
    // Whether the next line that says something goes.
    let mut before_gone = vec![false; lines.len()];
    for i in (1..lines.len()).rev() {
        before_gone[i - 1] = if empty(i) { before_gone[i] } else { gone[i] };
    }
    let mut i = 0;
    while i < lines.len() {
        if !gone[i] {
            i += 1;
            continue;
        }
        let first = i;
        while i < lines.len() && (gone[i] || (empty(i) && before_gone[i] && !edge(i))) {
            gone[i] = true;
            i += 1;
        }
        let open = first == 0 || empty(first - 1) || edge(first - 1);
        while i < lines.len() && empty(i) && !edge(i) {
            let framed =
                lines[i].class == Class::Frame && !(first == 0 || lines[first - 1].class == Class::Frame);
            if !open || framed {
                break;
            }
            gone[i] = true;
            i += 1;
        }
        let ends = i == lines.len() || (edge(i) && empty(i));
        let mut back = first;
        while ends && back > 0 && lines[back - 1].class == Class::Blank && !edge(back - 1) {
            back -= 1;
            gone[back] = true;
        }
    }
}

/// Whether a comment of several lines opens or closes on line `i`.
fn is_edge(lines: &[Piece], i: usize, head: &Head) -> bool {
    let beside = |other: Option<&Piece>| other.is_some_and(|other| other.comment == lines[i].comment);
    let many = beside(lines.get(i + 1)) || i > 0 && beside(lines.get(i - 1));
    let comment = head.comments[lines[i].comment];
    many && (comment.start == lines[i].start || comment.end == lines[i].end)
}

/// Lines of which nothing is left go with their line ends, and so do the empty lines after them where there are empty
/// ones, or nothing, before them.
fn whole_lines(text: &str, head: &Head, found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let mut pending = found.into_iter().peekable();
    while let Some(first) = pending.next() {
        let start = line_start(text, first.start);
        let mut here = vec![first];
        loop {
            let last = here[here.len() - 1].end;
            let end = line_end(text, last);
            match pending.next_if(|next| next.start <= end) {
                Some(next) => here.push(next),
                None => break,
            }
        }
        let end = line_end(text, here[here.len() - 1].end);
        let mut at = start;
        let mut left = false;
        for cut in &here {
            left |= !is_blank(&text[at..cut.start]);
            at = cut.end;
        }
        left |= !is_blank(&text[at..end]);
        if left {
            let apart = here.into_iter().filter(|cut| !parts_lines(text, cut));
            cuts.extend(apart.map(|cut| blanks_around(text, &cut)));
            continue;
        }
        let mut stop = (end + 1).min(text.len());
        let start_of_run = cuts.last().filter(|cut| cut.end == start).map_or(start, |cut| cut.start);
        let more = pending.peek().is_some_and(|next| line_start(text, next.start) == stop);
        if !more && opens(text, start_of_run) {
            stop = after_blank_lines(text, stop, head.code);
        }
        match cuts.last_mut() {
            Some(cut) if cut.end == start => cut.end = stop,
            _ => cuts.push(start..stop),
        }
    }
    cuts
}

/// A region of which nothing is left goes with it: `#region License` and `#endregion` of C#, Visual Basic and AutoIt.
fn with_region(text: &str, head: &Head, cut: &mut Range<usize>) {
    let begins =
        |line: &str, word: &str| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let above = text[..cut.start].trim_end();
    let start = line_start(text, above.len());
    let opened =
        text[start..cut.start].contains('\n') && begins(text[start..above.len()].trim_start(), "#region");
    if !opened || line_start(text, cut.start) != cut.start {
        return; // before the lines below are looked at, which may be long
    }
    let below = cut.end + text[cut.end..].len() - text[cut.end..].trim_start().len();
    let closed = ["#endregion", "#end region"].iter().any(|word| begins(&text[below..], word));
    let end = line_end(text, below);
    if closed && end < head.code {
        let stop = (end + 1).min(text.len());
        *cut = start..if opens(text, start) { after_blank_lines(text, stop, head.code) } else { stop };
    }
}

/// Whether line ends within a cut part what is before it from what is behind it: to JavaScript they end a statement.
fn parts_lines(text: &str, cut: &Range<usize>) -> bool {
    text[cut.clone()].contains('\n')
        && !is_blank(&text[line_start(text, cut.start)..cut.start])
        && !is_blank(&text[cut.end..line_end(text, cut.end)])
}

/// A cut within a line takes the blanks before it, if it reaches the end of the line.
fn blanks_around(text: &str, cut: &Range<usize>) -> Range<usize> {
    if !text[cut.end..line_end(text, cut.end)].trim().is_empty() {
        return cut.clone();
    }
    let before = text[..cut.start].trim_end_matches([' ', '\t']).len();
    before.max(line_start(text, cut.start))..cut.end
}

/// Whether nothing, or an empty line, stands before the line at `start`.
fn opens(text: &str, start: usize) -> bool {
    let before = text[..start].trim_start_matches('\u{feff}');
    before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n")
}

/// Behind the empty lines at `at`, but not into the line of the first code.
fn after_blank_lines(text: &str, mut at: usize, code: usize) -> usize {
    while at < code {
        let end = line_end(text, at);
        if end >= text.len() || !is_blank(&text[at..end]) || end >= code {
            break;
        }
        at = end + 1;
    }
    at
}

fn is_blank(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim().is_empty()
}

fn line_start(text: &str, at: usize) -> usize {
    let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
    text[..at].rfind('\n').map_or(mark, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |i| at + i)
}
