//! Which sentences of the comments of a head are a notice.
//!
//! A *paragraph* is a run of lines with words; [`sentences`] cuts it up. A sentence is a notice if it claims rights, or
//! if it has the phrases of a notice ([`phrases`]) and its other words are those of licences too ([`words`]). What is
//! weaker joins the notice beside it. Of a sentence that runs on, lines without a word of licences stay at either end.
//! In doubt a sentence stays: a title above a copyright line, documentation below it.

use super::claims::{is_contact, names_somebody};
use super::head::Head;
use super::phrases::{DECISIVE, WEAK};
use super::pieces::{Class, Piece, groups};
use super::seen::Seen;
use super::sentences::{Segment, Sentence};
use super::tags;

/// Sets [`Piece::notice`] and [`Piece::part`].
pub fn mark<'a>(text: &'a str, head: &Head, pieces: &mut [Piece], seen: &mut Seen<'a>) {
    let mut all = paragraphs(text, head, pieces, seen);
    for it in &mut all {
        it.sentence.notice = is_notice(&it.sentence);
    }
    // What is weak joins the notice beside it, and so on, down and then up.
    for i in 1..all.len() {
        join(&mut all, i, i - 1);
    }
    for i in (1..all.len()).rev() {
        join(&mut all, i - 1, i);
    }
    join_between(&mut all);
    mark_authors(&mut all);
    for it in all.iter_mut().filter(|it| it.sentence.notice) {
        take(text, &mut it.sentence);
    }
    mark_lines(&all, pieces);
    mark_boxes(text, pieces);
    mark_tags(text, pieces);
}

/// A sentence and where it stands.
struct Placed {
    sentence: Sentence,
    group: usize,
    /// A comment of several lines holds its paragraph.
    enclosed: bool,
    paragraph: usize,
    /// Nothing kept and no code stands between it and the one before.
    follows: bool,
}

fn paragraphs<'a>(text: &'a str, head: &Head, pieces: &[Piece], seen: &mut Seen<'a>) -> Vec<Placed> {
    let worded = |p: &Piece| matches!(p.class, Class::Text | Class::Trivial);
    let mut found: Vec<Placed> = Vec::new();
    let (mut i, mut paragraph) = (0, 0);
    let mut follows = false;
    while i < pieces.len() {
        if !worded(&pieces[i]) {
            follows &= pieces[i].class != Class::Kept;
            i += 1;
            continue;
        }
        let (from, group) = (i, pieces[i].group);
        while i < pieces.len() && worded(&pieces[i]) && pieces[i].group == group {
            i += 1;
        }
        let comment = head.comments[pieces[from].comment];
        let enclosed =
            pieces[from].comment == pieces[i - 1].comment && text[comment.start..comment.end].contains('\n');
        for sentence in seen.sentences(text, pieces, from..i) {
            found.push(Placed { sentence, group, enclosed, paragraph, follows });
            follows = true;
        }
        paragraph += 1;
    }
    found
}

/// Other words for one of licences, in a notice that stands for itself.
const ALONE: u32 = 1;
/// Other words beside a phrase that is found in notices only.
const FEW: u32 = 4;

fn is_notice(sentence: &Sentence) -> bool {
    let words = sentence.words();
    !sentence.kept
        && (sentence.claim
            || sentence.opens
            || sentence.grants && (words.legal >= 2 && words.like(ALONE) || words.passes())
            || sentence.weight >= DECISIVE && words.only())
}

/// Makes sentence `i` a notice if it is weak and the notice `beside` is right next to it.
fn join(all: &mut [Placed], i: usize, beside: usize) {
    let (it, other) = (&all[i], &all[beside]);
    let together = it.paragraph == other.paragraph;
    let linked = together
        || all[i.max(beside)].follows && (it.group == other.group || !(it.enclosed || other.enclosed));
    let s = &it.sentence;
    if s.notice || s.kept || !linked || !other.sentence.notice {
        return;
    }
    let words = s.words();
    all[i].sentence.notice = if together {
        s.contact
            || s.weight >= WEAK && words.like(2)
            || s.weight >= WEAK && words.other == 0
            || s.weight >= DECISIVE && words.other <= FEW
            || (words.sure() || s.weight >= WEAK)
                && (words.legal > 0 && words.passes() || words.legal >= 2 && words.like(1))
    } else {
        s.weight >= WEAK && words.only() && (words.sure() || s.grants)
    };
}

/// Between two sentences of a notice go file names and links, and what speaks of licences at all.
fn join_between(all: &mut [Placed]) {
    for i in 0..all.len() {
        let s = &all[i].sentence;
        if s.notice || s.kept {
            continue;
        }
        let (before, after) = (i.checked_sub(1).map(|n| &all[n]), all.get(i + 1));
        let noticed = |other: Option<&Placed>| {
            other.is_some_and(|o| {
                o.sentence.notice && (o.group == all[i].group || !o.enclosed && !all[i].enclosed)
            })
        };
        let (before, after) = (noticed(before), noticed(after));
        all[i].sentence.notice = if s.trivial {
            before && after
        } else {
            let words = s.words();
            let fits = words.like(1) || words.passes() || s.contact || s.weight >= WEAK && words.other <= FEW;
            before && after && fits
        };
    }
}

/// Who wrote it goes with the notice: in its group, or in a group of its own next to it.
fn mark_authors(all: &mut [Placed]) {
    let groups = all.last().map_or(0, |last| last.group + 1);
    let (mut noticed, mut authors_only) = (vec![false; groups], vec![true; groups]);
    for it in all.iter() {
        noticed[it.group] |= it.sentence.notice;
        authors_only[it.group] &= it.sentence.author;
    }
    for n in 0..all.len() {
        let group = all[n].group;
        let beside = all[n].follows && n > 0 && noticed[all[n - 1].group] && authors_only[group];
        all[n].sentence.notice |=
            all[n].sentence.author && !all[n].sentence.kept && (noticed[group] || beside);
        if all[n].group != all.get(n + 1).map_or(groups, |next| next.group) {
            // Groups of authors can follow each other.
            noticed[group] |= beside;
        }
    }
}

/// Says which segments of a sentence that is a notice go: all, but for those at its ends that say nothing of licences.
fn take(text: &str, sentence: &mut Sentence) {
    let told = |s: &Segment| s.weight > 0;
    let whole = sentence.words().passes();
    let segments = &mut sentence.segments;
    let first = segments.iter().position(told).unwrap_or(0);
    let last = segments.iter().rposition(told).unwrap_or(segments.len() - 1);
    let names = sentence.claim || sentence.author;
    let fits = |s: &&Segment| {
        let said = &text[s.bytes.clone()];
        s.words.like(2) || s.words.passes() || (names && (names_somebody(said, true) || is_contact(said)))
    };
    // "By using it you agree to be bound by / the terms of this license." goes whole.
    let begins = |s: &Segment| text[s.bytes.clone()].starts_with(char::is_uppercase);
    let before = if first > 0 && whole && begins(&segments[0]) && !segments[1..=first].iter().any(begins) {
        first
    } else {
        segments[..first].iter().rev().take_while(fits).count()
    };
    let after = segments[last + 1..].iter().take_while(fits).count();
    for segment in &mut segments[first - before..=last + after] {
        segment.gone = true;
    }
}

/// Sets what goes of each line.
fn mark_lines(all: &[Placed], pieces: &mut [Piece]) {
    let mut segments = all.iter().flat_map(|it| &it.sentence.segments).peekable();
    while let Some(first) = segments.next() {
        let line = first.line;
        let mut parts = vec![first];
        while let Some(next) = segments.next_if(|next| next.line == line) {
            parts.push(next);
        }
        if parts.iter().all(|part| part.gone) {
            pieces[line].notice = true;
        } else if let Some(from) = parts.iter().position(|part| part.gone) {
            let run = parts[from..].iter().take_while(|part| part.gone).count();
            // With the blanks that set it apart from what stays.
            let start = if from == 0 { parts[0].bytes.start } else { parts[from - 1].bytes.end };
            let end = parts
                .get(from + run)
                .filter(|_| from == 0)
                .map_or(parts[from + run - 1].bytes.end, |next| next.bytes.start);
            pieces[line].part = Some((start, end));
        }
    }
}

/// In a framed box with a notice, names in the middle are its display: the project, its authors.
fn mark_boxes(text: &str, pieces: &mut [Piece]) {
    for group in groups(pieces) {
        let lines = &mut pieces[group];
        let framed =
            lines.len() > 2 && lines[0].class == Class::Frame && lines[lines.len() - 1].class == Class::Frame;
        if !framed || !lines.iter().any(|line| line.notice) {
            continue;
        }
        for line in lines.iter_mut().filter(|line| line.class == Class::Text && line.part.is_none()) {
            line.notice |= is_centred(text, line) && is_display(line.text(text));
        }
    }
}

/// A few words without a small one among them.
fn is_display(line: &str) -> bool {
    line.split_whitespace().count() <= 8 && names_somebody(line, true)
}

/// Tags go with the notice they enclose, and a tag of a notice that encloses nothing goes by itself.
fn mark_tags(text: &str, pieces: &mut [Piece]) {
    for group in groups(pieces) {
        let lines = &mut pieces[group];
        let mut open: Vec<(usize, &str)> = Vec::new();
        for i in 0..lines.len() {
            if lines[i].class != Class::Tag {
                continue;
            }
            let Some(found) = tags::tag(lines[i].text(text)) else { continue };
            if found.empty {
                lines[i].notice = found.is_legal();
            } else if !found.closes {
                open.push((i, found.name));
            } else if let Some(at) = open.iter().rposition(|(_, name)| name.eq_ignore_ascii_case(found.name))
            {
                let first = open[at].0;
                open.truncate(at);
                let worded = |line: &&Piece| matches!(line.class, Class::Text | Class::Trivial | Class::Kept);
                let mut inner = lines[first + 1..i].iter().filter(worded).peekable();
                let some = inner.peek().is_some();
                if inner.all(|line| line.notice) && (some || found.is_legal()) {
                    lines[first].notice = true;
                    lines[i].notice = true;
                }
            }
        }
    }
}

fn is_centred(text: &str, line: &Piece) -> bool {
    let left = text[line.start..line.body.0].chars().filter(|c| *c == ' ').count();
    let right = text[line.body.1..line.end].chars().filter(|c| *c == ' ').count();
    line.end > line.body.1 && (left.min(right) >= 8 || (left.min(right) >= 2 && left.abs_diff(right) <= 1))
}
