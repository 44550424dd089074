//! Which lines of the comments of a head are a notice.
//!
//! A *paragraph* is a run of lines with words. Its phrases are weighed ([`phrases`]); its lines are cut into *items*,
//! which begin where a copyright line, an author line or a field (`Key: value`, `@tag`) does. A notice is the item from
//! its first telling line to its last, and the lines its last sentence runs on to. So a title above a copyright line and
//! a sentence of documentation below it stay.

use super::head::Head;
use super::phrases::{self, DECISIVE, WEAK};
use super::pieces::{Class, Piece};
use std::ops::Range;

/// Sets [`Piece::notice`].
pub fn mark(text: &str, head: &Head, pieces: &mut [Piece]) {
    let mut paragraphs = paragraphs(text, head, pieces);
    for paragraph in paragraphs.iter().filter(|p| p.weight >= DECISIVE) {
        mark_items(text, pieces, paragraph, DECISIVE);
    }
    // What is weak joins the notice beside it, and so on, down and then up.
    for i in 1..paragraphs.len() {
        join(text, pieces, &mut paragraphs, i, i - 1);
    }
    for i in (1..paragraphs.len()).rev() {
        join(text, pieces, &mut paragraphs, i - 1, i);
    }
    mark_authors(text, pieces, &paragraphs);
    mark_boxes(text, pieces);
}

struct Paragraph {
    lines: Range<usize>,
    /// Of all its phrases, and of each line.
    weight: u32,
    of_line: Vec<u32>,
    /// Whether a comment of several lines holds it.
    enclosed: bool,
    /// Nothing kept and no code stands between it and the one before.
    follows: bool,
}

fn paragraphs(text: &str, head: &Head, pieces: &[Piece]) -> Vec<Paragraph> {
    let worded = |p: &Piece| matches!(p.class, Class::Text | Class::Trivial);
    let mut found: Vec<Paragraph> = Vec::new();
    let mut i = 0;
    let mut follows = false;
    let mut joined = String::new();
    while i < pieces.len() {
        if !worded(&pieces[i]) {
            follows &= pieces[i].class != Class::Kept;
            i += 1;
            continue;
        }
        let from = i;
        while i < pieces.len() && worded(&pieces[i]) && pieces[i].group == pieces[from].group {
            i += 1;
        }
        let of_line = weigh(text, &pieces[from..i], &mut joined);
        let comment = head.comments[pieces[from].comment];
        let enclosed =
            pieces[from].comment == pieces[i - 1].comment && text[comment.start..comment.end].contains('\n');
        found.push(Paragraph { lines: from..i, weight: of_line.iter().sum(), of_line, enclosed, follows });
        follows = true;
    }
    found
}

/// The weight of each line; a phrase that runs over a line end counts for both.
fn weigh(text: &str, lines: &[Piece], joined: &mut String) -> Vec<u32> {
    joined.clear();
    let mut ends = Vec::with_capacity(lines.len());
    for line in lines {
        for word in line.text(text).split_whitespace() {
            joined.push_str(word);
            joined.push(' ');
        }
        ends.push(joined.len());
    }
    let mut weights: Vec<u32> =
        lines.iter().map(|l| if is_claim_line(l.text(text)) { DECISIVE } else { 0 }).collect();
    let mut line = 0;
    for (weight, start, end) in phrases::find(joined) {
        while ends[line] <= start {
            line += 1;
        }
        let mut touched = line;
        weights[touched] += weight;
        while ends[touched] < end {
            touched += 1;
            weights[touched] += weight;
        }
    }
    weights
}

/// Where items begin within a paragraph.
fn items(text: &str, lines: &[Piece]) -> Vec<usize> {
    let begins = |i: &usize| {
        let line = lines[*i].text(text);
        *i == 0 || is_field(line) || is_author(line) || starts_copyright(line)
    };
    (0..lines.len()).filter(begins).collect()
}

fn mark_items(text: &str, pieces: &mut [Piece], paragraph: &Paragraph, least: u32) {
    let lines = &mut pieces[paragraph.lines.clone()];
    let begins = items(text, lines);
    for (n, &from) in begins.iter().enumerate() {
        let to = begins.get(n + 1).copied().unwrap_or(lines.len());
        let weights = &paragraph.of_line[from..to];
        let Some(first) = weights.iter().position(|&w| w > 0) else { continue };
        // Only a paragraph that is a notice as a whole carries an item that would not be one by itself.
        if weights.iter().sum::<u32>() < least.min(WEAK) {
            continue;
        }
        let last = from + weights.iter().rposition(|&w| w > 0).unwrap_or(first);
        let mut first = from + first;
        while first > from && runs_on(lines[first - 1].text(text), lines[first].text(text)) {
            first -= 1;
        }
        let mut end = last + 1;
        while end < to && runs_on(lines[end - 1].text(text), lines[end].text(text)) {
            end += 1;
        }
        lines[first..end].iter_mut().for_each(|line| line.notice = true);
    }
}

/// Marks paragraph `i` if it is weak and the notice of `beside` is right next to it.
fn join(text: &str, pieces: &mut [Piece], paragraphs: &mut [Paragraph], i: usize, beside: usize) {
    let (it, other) = (&paragraphs[i], &paragraphs[beside]);
    let near = if i > beside { other.lines.end - 1 } else { other.lines.start };
    let linked = paragraphs[i.max(beside)].follows
        && (pieces[it.lines.start].group == pieces[near].group || !(it.enclosed || other.enclosed));
    if !linked || !pieces[near].notice || it.lines.clone().any(|line| pieces[line].notice) {
        return;
    }
    if it.weight >= WEAK {
        mark_items(text, pieces, it, WEAK);
    } else if pieces[it.lines.clone()].iter().all(|line| line.class == Class::Trivial) {
        pieces[it.lines.clone()].iter_mut().for_each(|line| line.notice = true);
    }
}

/// Who wrote it goes with the notice: in its group, or in a group of its own next to it.
fn mark_authors(text: &str, pieces: &mut [Piece], paragraphs: &[Paragraph]) {
    let groups = pieces.last().map_or(0, |last| last.group + 1);
    let (mut noticed, mut worded) = (vec![false; groups], vec![0; groups]);
    for piece in pieces.iter() {
        noticed[piece.group] |= piece.notice;
        worded[piece.group] += usize::from(piece.class == Class::Text);
    }
    for (n, paragraph) in paragraphs.iter().enumerate() {
        let group = pieces[paragraph.lines.start].group;
        let begins = items(text, &pieces[paragraph.lines.clone()]);
        let all_authors = begins.iter().all(|&b| is_author(pieces[paragraph.lines.start + b].text(text)));
        let beside = paragraph.follows && n > 0 && noticed[pieces[paragraphs[n - 1].lines.start].group];
        let alone = worded[group] == paragraph.lines.len();
        if !(noticed[group] || all_authors && beside && alone) {
            continue;
        }
        for (k, &begin) in begins.iter().enumerate() {
            let to = begins.get(k + 1).map_or(paragraph.lines.end, |&next| paragraph.lines.start + next);
            let from = paragraph.lines.start + begin;
            if !is_author(pieces[from].text(text)) {
                continue;
            }
            let mut end = from + 1;
            while end < to
                && (pieces[end - 1].text(text).ends_with(':')
                    || runs_on(pieces[end - 1].text(text), pieces[end].text(text)))
            {
                end += 1;
            }
            pieces[from..end].iter_mut().for_each(|line| line.notice = true);
        }
    }
}

/// In a framed box with a notice, lines in the middle are its display: the project's name, its authors.
fn mark_boxes(text: &str, pieces: &mut [Piece]) {
    for group in groups(pieces) {
        let lines = &mut pieces[group];
        let framed =
            lines.len() > 2 && lines[0].class == Class::Frame && lines[lines.len() - 1].class == Class::Frame;
        if !framed || !lines.iter().any(|line| line.notice) {
            continue;
        }
        for line in lines.iter_mut().filter(|line| line.class == Class::Text) {
            line.notice |= is_centred(text, line);
        }
    }
}

/// Ranges of pieces of one group.
pub fn groups(pieces: &[Piece]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        match found.last_mut() {
            Some(range) if pieces[range.start].group == piece.group => range.end = i + 1,
            _ => found.push(i..i + 1),
        }
    }
    found
}

fn is_centred(text: &str, line: &Piece) -> bool {
    let left = text[line.start..line.body.0].chars().filter(|c| *c == ' ').count();
    let right = text[line.body.1..line.end].chars().filter(|c| *c == ' ').count();
    line.end > line.body.1 && (left.min(right) >= 8 || (left.min(right) >= 2 && left.abs_diff(right) <= 1))
}

/// Whether the sentence of one line goes on in the next.
fn runs_on(line: &str, next: &str) -> bool {
    let contact =
        |c: &str| c.contains("http://") || c.contains("https://") || (c.contains('@') && c.contains('.'));
    if is_field(next) {
        return false;
    }
    if contact(next) && next.split_whitespace().count() <= 6 {
        return true;
    }
    if line.ends_with(['.', '!', '?']) && !line.ends_with("Inc.") && !line.ends_with("Ltd.") {
        return false;
    }
    let hangs = line.ends_with([',', '&', ';', ':', '(', '-'])
        || [" and", " by", " of", " or", " the", " for", " to", " in"]
            .iter()
            .any(|word| line.ends_with(word));
    let shouts = |s: &str| s.chars().any(char::is_alphabetic) && !s.chars().any(char::is_lowercase);
    hangs
        || next.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit() || matches!(c, '<' | '(' | '"'))
        || (shouts(line) && shouts(next))
        || is_years_only(line)
}

/// "Copyright (c) 2000" whose holder is on the next line.
fn is_years_only(line: &str) -> bool {
    is_copyright(line)
        && line.split(|c: char| !c.is_alphanumeric()).all(|word| {
            word.is_empty()
                || word.starts_with(|c: char| c.is_ascii_digit())
                || matches!(word.to_ascii_lowercase().as_str(), "copyright" | "c" | "and")
        })
}

/// "© 2020", "(c) 1999", "Copyright 2001", "Copyright: …", "Copyright by …", "Copyright The X Authors".
fn is_copyright(line: &str) -> bool {
    copyright_at(line).is_some_and(|at| at <= 48)
}

fn is_claim_line(line: &str) -> bool {
    is_copyright(line) || is_licence_field(line)
}

/// "License: …", "@license …", ":licence: …".
fn is_licence_field(line: &str) -> bool {
    let tagged = line.strip_prefix(['@', '\\', ':']);
    let word = tagged.unwrap_or(line);
    let capital = tagged.is_some() || line.starts_with('L');
    let Some(rest) = word.get(7..).filter(|_| starts_with(word, "license") || starts_with(word, "licence"))
    else {
        return false;
    };
    let value = rest.trim_start_matches([' ', '\t', ':']);
    let apart =
        if tagged.is_some() { rest.starts_with([' ', ':']) } else { rest.trim_start().starts_with(':') };
    capital && apart && !value.is_empty()
}

fn starts_copyright(line: &str) -> bool {
    copyright_at(line).is_some_and(|at| at <= 12)
}

fn copyright_at(line: &str) -> Option<usize> {
    for (at, _) in line.char_indices() {
        let rest = &line[at..];
        let boundary = at == 0 || !line[..at].ends_with(char::is_alphanumeric);
        if rest.starts_with('©') || rest.starts_with("&copy;") {
            return Some(at);
        }
        if boundary && starts_with(rest, "(c)") && is_claim(&rest[3..], false) {
            return Some(at);
        }
        if boundary && starts_with(rest, "copyright") && is_claim(&rest[9..], true) {
            return Some(at);
        }
        if boundary && starts_with(rest, "copr.") && is_claim(&rest[5..], false) {
            return Some(at);
        }
    }
    None
}

/// Whether what follows "(c)" or "copyright" names a year, or (`named`) somebody.
fn is_claim(rest: &str, named: bool) -> bool {
    let after = rest.trim_start_matches([' ', '\t', ':', ',', '-', '@', '=', '*']);
    let year = |s: &str| {
        s.len() >= 4
            && s.as_bytes()[..4].iter().all(u8::is_ascii_digit)
            && matches!(s.as_bytes()[0], b'1' | b'2')
    };
    if year(after) || (!named && rest.starts_with(' ') && after.starts_with(char::is_uppercase)) {
        return true;
    }
    if !named {
        return false;
    }
    if rest.trim_start().starts_with(':') && !after.is_empty() {
        return true;
    }
    let mark = after.starts_with('©')
        || starts_with(after, "(c)")
        || starts_with(after, "[c]")
        || starts_with(after, "&copy");
    let named = ["by ", "the ", "of the "].iter().any(|word| starts_with(after, word))
        && after.chars().any(char::is_uppercase);
    mark || (rest.starts_with(' ')
        && (named || after.starts_with(char::is_uppercase))
        && !starts_with(after, "notice"))
}

fn starts_with(text: &str, what: &str) -> bool {
    text.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what))
}

const AUTHORS: &[&str] = &[
    "author",
    "authors",
    "author(s)",
    "original author",
    "original authors",
    "contributor",
    "contributors",
    "contributor(s)",
    "contributed by",
    "top contributors (to current version)",
    "initial developer",
    "written by",
    "written-by",
    "created by",
    "rewritten by",
    "largely rewritten by",
    "coded by",
    "developed by",
    "programmed by",
    "e-mail",
    "email",
    "www",
    "signed-off-by",
    "major contributors",
];

/// "Author: …", "@author …", "Written by …".
fn is_author(line: &str) -> bool {
    let tagged = line.strip_prefix(['@', '\\', ':']);
    let line = tagged.unwrap_or(line);
    AUTHORS.iter().any(|word| {
        starts_with(line, word) && {
            let rest = &line[word.len()..];
            tagged.is_some() && rest.starts_with([' ', '\t', ':'])
                || rest.trim_start().starts_with(':')
                || (word.ends_with(" by") && rest.starts_with(' '))
                || (*word == "author" && rest.starts_with(' ') && is_name(rest.trim_start()))
        }
    })
}

fn is_name(rest: &str) -> bool {
    rest.split_whitespace().count() <= 5
        && rest.split_whitespace().take(2).all(|w| w.starts_with(char::is_uppercase))
}

/// `Key: value`, `@tag value`, `\tag`, `:field:`.
fn is_field(line: &str) -> bool {
    if let Some(tag) = line.strip_prefix(['@', '\\', ':']) {
        return tag.starts_with(|c: char| c.is_ascii_alphabetic());
    }
    let Some((key, value)) = line.split_once(':') else { return false };
    value.starts_with([' ', '\t'])
        && !value.trim().is_empty()
        && key.len() <= 24
        && key.split_whitespace().count() <= 3
        && key.starts_with(|c: char| c.is_uppercase())
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\t' | '-' | '_' | '(' | ')'))
}
