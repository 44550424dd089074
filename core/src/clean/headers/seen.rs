//! Paragraphs that were cut into sentences already.
//!
//! Files of a project begin alike, and the texts of licences are the same everywhere, but for the line that names who
//! holds the rights.

use super::pieces::{Class, Piece};
use super::sentences::{Sentence, sentences};
use std::collections::HashMap;
use std::ops::Range;

/// The paragraphs of many texts. Grows by an entry for each that differs.
#[derive(Default)]
pub struct Seen<'a> {
    paragraphs: HashMap<&'a str, Paragraph>,
    joined: String,
}

/// Lines and sentences, counted from the first line and its first byte.
struct Paragraph {
    lines: Vec<Line>,
    sentences: Vec<Sentence>,
}

type Line = (usize, (usize, usize), Class);

impl<'a> Seen<'a> {
    /// [`sentences`] of these lines.
    pub fn sentences(&mut self, text: &'a str, pieces: &[Piece], range: Range<usize>) -> Vec<Sentence> {
        let (first, base) = (range.start, pieces[range.start].start);
        let end = pieces[range.end - 1].end;
        let lines = pieces[range.clone()].iter().map(|piece| line(piece, base));
        if let Some(known) =
            self.paragraphs.get(&text[base..end]).filter(|it| lines.clone().eq(it.lines.iter().copied()))
        {
            return known
                .sentences
                .iter()
                .map(|it| moved(it, |line| line + first, |byte| byte + base))
                .collect();
        }
        let found = sentences(text, pieces, range, &mut self.joined);
        let sentences = found.iter().map(|it| moved(it, |line| line - first, |byte| byte - base)).collect();
        self.paragraphs.insert(&text[base..end], Paragraph { lines: lines.collect(), sentences });
        found
    }
}

fn line(piece: &Piece, base: usize) -> Line {
    (piece.start - base, (piece.body.0 - base, piece.body.1 - base), piece.class)
}

fn moved(sentence: &Sentence, line: impl Fn(usize) -> usize, byte: impl Fn(usize) -> usize) -> Sentence {
    let mut moved = sentence.clone();
    for it in &mut moved.segments {
        (it.line, it.bytes) = (line(it.line), byte(it.bytes.start)..byte(it.bytes.end));
    }
    moved
}
