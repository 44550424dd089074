//! Paragraphs of comments, cut into sentences.

use super::claims::{
    are_others, copyright_at, is_author, is_claim, is_contact, is_copyright, is_field, is_years_only,
    lettered, names_somebody, starts_copyright,
};
use super::phrases;
use super::pieces::{Class, Piece};
use super::words::{self, Words};
use std::cell::LazyCell;
use std::ops::Range;

/// Part of a sentence within one line.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Number of the piece.
    pub line: usize,
    /// Bytes of the text.
    pub bytes: Range<usize>,
    /// The weight of the phrases that reach into it; [`phrases::DECISIVE`] for a claim.
    pub weight: u32,
    /// How much it speaks of licences.
    pub words: Words,
    /// Whether it is to go.
    pub gone: bool,
}

/// A sentence, or what stands for one: a field, a claim, a title.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// In order.
    pub segments: Vec<Segment>,
    /// It claims rights or names a licence, which is whole by itself.
    pub claim: bool,
    /// The weight of its phrases.
    pub weight: u32,
    /// It begins as notices do.
    pub opens: bool,
    /// It has a phrase that is found in notices only, not just the name of a licence.
    pub grants: bool,
    /// It begins with an author.
    pub author: bool,
    /// It says what the code does, or that a program wrote it: never a notice.
    pub kept: bool,
    /// Bare file names, links and keywords.
    pub trivial: bool,
    /// An address and hardly more.
    pub contact: bool,
    /// Whether it is (part of) a notice.
    pub notice: bool,
}

impl Sentence {
    /// The words of all its segments.
    pub fn words(&self) -> Words {
        self.segments.iter().fold(Words::default(), |sum, s| sum.and(s.words))
    }
}

/// The sentences of the lines `range`, which stand together. Only these lines decide.
pub fn sentences(text: &str, pieces: &[Piece], range: Range<usize>, joined: &mut String) -> Vec<Sentence> {
    let over = carried_over(text, pieces, range.clone(), joined);
    let width = range.clone().map(|n| width(text, &pieces[n])).max().unwrap_or(0);
    let mut found: Vec<Vec<Segment>> = Vec::new();
    for line in range.clone() {
        for (n, bytes) in split(text, pieces[line].body).into_iter().enumerate() {
            let begins = n > 0
                || line == range.start
                || !(over[line - range.start]
                    || continues(
                        text,
                        &pieces[line - 1],
                        &pieces[line],
                        found.last().map_or(&[], |s| s),
                        width,
                    ));
            let words = words::count(&text[bytes.clone()]);
            let segment = Segment { line, bytes, weight: 0, words, gone: false };
            match found.last_mut().filter(|_| !begins) {
                Some(sentence) => sentence.push(segment),
                None => found.push(vec![segment]),
            }
        }
    }
    let mut sentences: Vec<Sentence> =
        found.into_iter().map(|segments| sentence(text, pieces, segments, joined)).collect();
    let first = |s: &Sentence| &text[s.segments[0].bytes.clone()];
    // The third item of a list claims nothing, nor does a key of a menu.
    if sentences.iter().any(|s| lettered(first(s)).next() == Some(0)) {
        let third =
            |s: &&mut Sentence| first(s).get(..3).is_some_and(|start| start.eq_ignore_ascii_case("(c)"));
        for it in sentences.iter_mut().filter(third) {
            (it.claim, it.kept) = (false, true);
        }
    }
    sentences
}

/// Whether a phrase runs over from the line before.
fn carried_over(text: &str, pieces: &[Piece], range: Range<usize>, joined: &mut String) -> Vec<bool> {
    if range.len() < 2 {
        return vec![false; range.len()];
    }
    joined.clear();
    let mut starts = Vec::with_capacity(range.len());
    for line in range {
        starts.push(joined.len());
        for word in pieces[line].text(text).split_whitespace() {
            joined.push_str(word);
            joined.push(' ');
        }
    }
    let mut over = vec![false; starts.len()];
    let mut line = 0;
    for found in phrases::find(joined) {
        while line < starts.len() && starts[line] <= found.start {
            line += 1;
        }
        if line < starts.len() && starts[line] < found.end {
            over[line] = true;
        }
    }
    over
}

/// Columns up to the last word of a line.
fn width(text: &str, piece: &Piece) -> usize {
    text[piece.start..piece.body.1].chars().count()
}

/// Bytes within which a sentence begins with a phrase: "The authors of …".
const OPENING: usize = 4;

fn sentence(text: &str, pieces: &[Piece], mut segments: Vec<Segment>, joined: &mut String) -> Sentence {
    joined.clear();
    let mut ends = Vec::with_capacity(segments.len());
    let mut claim = false;
    for segment in &mut segments {
        let words = &text[segment.bytes.clone()];
        if is_claim(words) {
            segment.weight = phrases::DECISIVE;
            claim = true;
        }
        for word in words.split_whitespace() {
            joined.push_str(word);
            joined.push(' ');
        }
        ends.push(joined.len());
    }
    let mut weight = 0;
    let words = segments.iter().fold(Words::default(), |sum, s| sum.and(s.words));
    let (mut opens, mut grants) = (false, false);
    let mut at = 0;
    for found in phrases::find(joined) {
        let tells = found.opens && (!found.elsewhere || tells(&joined[found.start..found.end], words));
        weight += if tells || !found.opens { found.weight } else { phrases::WEAK };
        opens |= tells && found.start <= OPENING;
        grants |= tells;
        while ends[at] <= found.start {
            at += 1;
        }
        let mut touched = at;
        segments[touched].weight += found.weight;
        while ends[touched] < found.end {
            touched += 1;
            segments[touched].weight += found.weight;
        }
    }
    let first = &text[segments[0].bytes.clone()];
    Sentence {
        claim,
        weight,
        opens,
        grants,
        author: is_author(first),
        kept: words::marks_generated(joined)
            || (words::tells_what_it_does(joined) && !(claim && is_claim(first) && !is_copyright(first))),
        trivial: segments.iter().all(|s| pieces[s.line].class == Class::Trivial),
        contact: segments.iter().all(|s| is_contact(&text[s.bytes.clone()])),
        notice: false,
        segments,
    }
}

/// Other words beside "this file is part of", which name the project.
const NAMED: u32 = 4;

/// Whether a phrase that documentation can begin with makes a notice of a sentence with these words: more of it is of
/// licences than the phrase, or hardly more than a name follows.
fn tells(phrase: &str, words: Words) -> bool {
    if phrase.to_ascii_lowercase().ends_with("part of") {
        return words.other <= NAMED;
    }
    words.legal > words::count(phrase).legal && words.only()
}

/// The parts of a line that are sentences of their own, or begin or end one.
fn split(text: &str, (start, end): (usize, usize)) -> Vec<Range<usize>> {
    let line = &text[start..end];
    let mut starts = vec![0];
    let bytes = line.as_bytes();
    for (at, _) in line.match_indices(['.', '!', '?', ':']) {
        let rest = &line[at + 1..];
        let next = rest.trim_start();
        if rest.len() == next.len() || next.is_empty() || bytes[at] == b':' {
            continue;
        }
        if next.starts_with(|c: char| c.is_uppercase())
            && ends_sentence(&line[starts[starts.len() - 1]..=at], next)
        {
            starts.push(line.len() - next.len());
        }
    }
    // A claim behind documentation on the same line: "lapi.h: what it is. (c) 2020 …", "a parser - Copyright …".
    let mut cut = Vec::with_capacity(starts.len() + 1);
    for (n, &from) in starts.iter().enumerate() {
        let to = starts.get(n + 1).copied().unwrap_or(line.len());
        let part = line[from..to].trim_end();
        if let Some(at) = copyright_at(part).filter(|&at| at > 0) {
            let before = &part[..at];
            let mark = before.trim_end().chars().next_back().filter(char::is_ascii_punctuation);
            let words = words::count(before);
            // A title may be two words: "jQuery 1.4 | (c) …".
            let least = match mark {
                Some('.' | '!' | '?') => 1,
                Some(_) => 3,
                None => 4,
            };
            if words.other >= least && words.legal == 0 {
                cut.push(start + from..start + from + before.trim_end().len());
                cut.push(start + from + at..start + from + part.len());
                continue;
            }
        }
        cut.push(start + from..start + from + part.len());
    }
    cut
}

/// Whether a full stop ends what it stands behind.
fn ends_sentence(before: &str, next: &str) -> bool {
    let Some(words) = before.strip_suffix('.') else { return true };
    let last = words.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '>' | '"')).next().unwrap_or("");
    let few = next.split_whitespace().nth(3).is_none();
    match last.to_ascii_lowercase().as_str() {
        "inc" | "ltd" | "corp" | "co" | "llc" | "gmbh" | "ab" | "ag" => !few,
        "dr" | "mr" | "mrs" | "st" | "jr" | "sr" | "vs" | "e.g" | "i.e" | "no" | "vol" | "fig" | "copr"
        | "dept" | "univ" | "prof" | "u.s" | "u.s.a" => false,
        word => word.chars().count() > 1,
    }
}

/// Whether a sentence, or what stands for one, goes on from one line to the next.
fn continues(text: &str, last: &Piece, next: &Piece, sentence: &[Segment], width_of_all: usize) -> bool {
    let (line, after) = (last.text(text), next.text(text));
    if is_field(after) || is_author(after) || starts_copyright(after) || is_item(after) {
        return false;
    }
    let words = LazyCell::new(|| words::count(after));
    let hangs = line.ends_with([',', '&', ';', '(', '-', '/'])
        || [
            " and", " by", " is", " of", " or", " the", " for", " to", " in", " under", " a", " with",
            " see", " See", " et",
        ]
        .iter()
        .any(|word| line.ends_with(word));
    if last.class == Class::Trivial || (next.class == Class::Trivial && !(hangs && is_contact(after))) {
        return false;
    }
    let word = after.split_whitespace().next().map_or(0, |word| word.chars().count());
    let full = width(text, last) + 1 + word > width_of_all;
    let said = sentence.last().map_or("", |s| &text[s.bytes.clone()]);
    if words::tells_what_it_does(after) {
        return false;
    }
    if is_claim(said) {
        // A claim is whole by itself; what goes on must be a name or speak of licences.
        let small =
            after.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit() || matches!(c, '(' | '<'));
        let name = (names_somebody(after, true) && words.other <= 6) || are_others(after);
        let open = [" by", " of", " the"].iter().any(|word| line.ends_with(word));
        return (hangs || is_years_only(said)) && name
            || is_contact(after)
            || open && words.passes()
            || (!said.ends_with(['.', '!', '?'])
                && (small || hangs)
                && (words.like(1) && (words.sure() || !phrases::find(after).is_empty())
                    || (name && words.other <= 4)
                    || (full && line.len() >= 60 && words.passes())));
    }
    if is_author(sentence.first().map_or("", |s| &text[s.bytes.clone()])) {
        return (hangs || line.ends_with(':') || after.starts_with(['<', '(']))
            && names_somebody(after, true)
            || is_contact(after);
    }
    if line.ends_with(['.', '!', '?']) && ends_sentence(line, after) {
        return false;
    }
    let shouts = |s: &str| s.chars().any(char::is_alphabetic) && !s.chars().any(char::is_lowercase);
    if hangs || line.ends_with(':') || (shouts(line) && shouts(after)) {
        return true;
    }
    // "Licensed under the MIT License" may be all.
    let whole =
        line.split(|c: char| !c.is_alphanumeric()).rfind(|word| !word.is_empty()).is_some_and(|word| {
            word.ends_with(|c: char| c.is_ascii_digit())
                || [
                    "license", "licence", "licensed", "licenses", "gpl", "lgpl", "mit", "bsd", "domain",
                    "details", "later",
                ]
                .contains(&word.to_ascii_lowercase().as_str())
        });
    let wrapped = full && line.chars().count() >= 50 && !whole;
    if after.starts_with(|c: char| c.is_uppercase()) {
        return wrapped;
    }
    wrapped || words.like(1) || (full && !whole && words.passes())
}

/// "1. …", "a) …", "(b) …"
fn is_item(line: &str) -> bool {
    let inner = line.strip_prefix('(').unwrap_or(line);
    let mark = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    (1..=2).contains(&mark)
        && inner[mark..].starts_with(['.', ')'])
        && inner[mark + 1..].starts_with(' ')
        && (inner.as_bytes()[0].is_ascii_digit() || mark == 1)
}
