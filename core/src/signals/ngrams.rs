//! Repeated runs of words.
//!
//! Exact, without hashing texts: an n-gram is named by the place where it first occurs. An (n+1)-gram can occur twice
//! only where both n-grams in it do, and two are equal exactly if those are. So each level looks only at the places
//! that the level before left, and a table of place numbers is all it needs.

use super::interner::{hash, secret};
use super::words::Words;
use super::{Applies, ratio, signals};
use std::cell::RefCell;

/// What the n-grams of a document say. Filled from n = 2 up.
pub struct Ngrams {
    top: [f64; 3],      // n = 2, 3, 4
    marked: [usize; 6], // characters of words in repeated n-grams, n = 5 … 10
    chars: usize,
}

/// No place.
const NONE: u32 = u32::MAX;

/// The n-grams of one n that occur twice or more, and tables that are kept from document to document.
#[derive(Default)]
struct Level {
    /// Where they are, in order.
    places: Vec<u32>,
    /// By place: where the n-gram there is for the first time. Of 1-grams: the number of the word.
    names: Vec<u32>,
    /// By first place: how often the n-gram occurs.
    counts: Vec<u32>,
    /// Hash of an (n+1)-gram → its first place.
    slots: Vec<u32>,
    /// The (n+1)-grams that may occur twice: where they are, and where they are for the first time.
    longer: Vec<(u32, u32)>,
}

thread_local! {
    static LEVEL: RefCell<Level> = RefCell::default();
}

impl Ngrams {
    /// Counts the n-grams of `words` for n = 2 … 10.
    pub fn of(words: &Words) -> Self {
        let mut found = Self { top: [0.0; 3], marked: [0; 6], chars: words.chars() };
        let length = |at: usize| words.lengths[words.numbers[at] as usize] as usize;
        LEVEL.with_borrow_mut(|level| {
            level.start(words);
            for n in 2..=10 {
                let Some((place, count)) = level.extend() else { break };
                if n <= 4 {
                    let chars = (place..place + n).map(length).sum::<usize>() * count;
                    found.top[n - 2] = ratio(chars, found.chars).unwrap_or(0.0);
                } else {
                    let mut covered = 0; // words before this are marked already
                    for place in level.places.iter().map(|&place| place as usize) {
                        found.marked[n - 5] += (covered.max(place)..place + n).map(length).sum::<usize>();
                        covered = place + n;
                    }
                }
            }
        });
        found
    }

    fn top(&self, n: usize) -> Option<f64> {
        Some(self.top[n - 2])
    }

    fn duplicated(&self, n: usize) -> Option<f64> {
        ratio(self.marked[n - 5], self.chars).or(Some(0.0))
    }
}

impl Level {
    /// Takes the words that occur twice or more for 1-grams.
    fn start(&mut self, words: &Words) {
        self.names.clone_from(&words.numbers);
        let places = 0..words.numbers.len() as u32;
        self.places.clear();
        self.places.extend(places.filter(|&at| words.counts[words.numbers[at as usize] as usize] > 1));
        self.counts.clear();
        self.counts.resize(words.numbers.len(), 0);
    }

    /// Goes from n to n + 1. Gives the most frequent, the first of equals: where it first is, and how often it occurs;
    /// `None` if none occurs twice.
    fn extend(&mut self) -> Option<(usize, usize)> {
        let Self { places, names, counts, slots, longer } = self;
        slots.clear();
        slots.resize((places.len() * 2).next_power_of_two().max(16), NONE);
        let (mask, secret) = (slots.len() - 1, secret());
        let key = |at: u32| (names[at as usize], names[at as usize + 1]);
        longer.clear();
        for pair in places.windows(2).filter(|pair| pair[0] + 1 == pair[1]) {
            let (at, mine) = (pair[0], key(pair[0]));
            let mut slot = hash(mine.0.into(), mine.1.into(), secret) as usize & mask;
            let first = loop {
                match slots[slot] {
                    NONE => {
                        slots[slot] = at;
                        counts[at as usize] = 0;
                        break at;
                    }
                    place if key(place) == mine => break place,
                    _ => slot = (slot + 1) & mask,
                }
            };
            counts[first as usize] += 1;
            longer.push((at, first));
        }
        places.clear();
        let mut best = None;
        for &(at, first) in longer.iter() {
            let count = counts[first as usize];
            if count > 1 {
                names[at as usize] = first;
                places.push(at);
                if best.is_none_or(|(_, most)| count > most) {
                    best = Some((first, count));
                }
            }
        }
        best.map(|(place, count)| (place as usize, count as usize))
    }
}

signals! {
    family "ngrams", version 1, Applies::All;

    /// Characters of the most frequent run of 2 normalised words, times its count, as a share of all words' characters.
    ///
    /// Overlapping occurrences count fully, so it can exceed 1; 0 if no run occurs twice.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: one phrase repeated over and over is a template, a table or a loop of a generator.
    /// From: opc_data_filtering, `frac_chars_top_2grams`; Gopher, table A1.
    /// Example: python "a b a b c\n" → 0.8
    fn frac_chars_top_2grams(document) { document.ngrams().top(2) }

    /// Characters of the most frequent run of 3 normalised words, times its count, as a share of all words' characters.
    ///
    /// Overlapping occurrences count fully, so it can exceed 1; 0 if no run occurs twice.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: one phrase repeated over and over is a template, a table or a loop of a generator.
    /// From: opc_data_filtering, `frac_chars_top_3grams`; Gopher, table A1.
    /// Example: python "a b c a b c\n" → 1
    fn frac_chars_top_3grams(document) { document.ngrams().top(3) }

    /// Characters of the most frequent run of 4 normalised words, times its count, as a share of all words' characters.
    ///
    /// Overlapping occurrences count fully, so it can exceed 1; 0 if no run occurs twice.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: one phrase repeated over and over is a template, a table or a loop of a generator.
    /// From: opc_data_filtering, `frac_chars_top_4grams`; Gopher, table A1.
    /// Example: python "a b c d a b c d\n" → 1
    fn frac_chars_top_4grams(document) { document.ngrams().top(4) }

    /// Characters of normalised words that stand in a run of 5 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_5grams`; Gopher, table A1.
    /// Example: python "a b c d e a b c d e z\n" → 0.90909091
    fn frac_chars_dupe_5grams(document) { document.ngrams().duplicated(5) }

    /// Characters of normalised words that stand in a run of 6 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_6grams`; Gopher, table A1.
    /// Example: python "a b c d e f a b c d e f z\n" → 0.92307692
    fn frac_chars_dupe_6grams(document) { document.ngrams().duplicated(6) }

    /// Characters of normalised words that stand in a run of 7 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_7grams`; Gopher, table A1.
    /// Example: python "a b c d e f g a b c d e f g z\n" → 0.93333333
    fn frac_chars_dupe_7grams(document) { document.ngrams().duplicated(7) }

    /// Characters of normalised words that stand in a run of 8 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_8grams`; Gopher, table A1.
    /// Example: python "a b c d e f g h a b c d e f g h z\n" → 0.94117647
    fn frac_chars_dupe_8grams(document) { document.ngrams().duplicated(8) }

    /// Characters of normalised words that stand in a run of 9 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_9grams`; Gopher, table A1.
    /// Example: python "a b c d e f g h i a b c d e f g h i z\n" → 0.94736842
    fn frac_chars_dupe_9grams(document) { document.ngrams().duplicated(9) }

    /// Characters of normalised words that stand in a run of 10 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_10grams`; Gopher, table A1.
    /// Example: python "a b c d e f g h i j a b c d e f g h i j z\n" → 0.95238095
    fn frac_chars_dupe_10grams(document) { document.ngrams().duplicated(10) }
}

#[cfg(test)]
mod tests {
    use super::super::words::Words;
    use super::Ngrams;
    use std::collections::HashMap;

    /// The definitions, word for word.
    fn plain(words: &[&str], n: usize) -> (f64, usize) {
        let mut counts: HashMap<&[&str], usize> = HashMap::new();
        for gram in words.windows(n) {
            *counts.entry(gram).or_default() += 1;
        }
        let mut marked = vec![false; words.len()];
        let mut best: Option<(&[&str], usize)> = None;
        for (at, gram) in words.windows(n).enumerate() {
            if counts[gram] > 1 {
                marked[at..at + n].fill(true);
                if best.is_none_or(|(_, most)| counts[gram] > most) {
                    best = Some((gram, counts[gram]));
                }
            }
        }
        let all: usize = words.iter().map(|word| word.len()).sum();
        let top = best.map_or(0.0, |(gram, count)| (gram.concat().len() * count) as f64 / all as f64);
        (top, words.iter().zip(marked).filter(|(_, marked)| *marked).map(|(word, _)| word.len()).sum())
    }

    #[test]
    fn cascading_gives_what_the_definitions_say() {
        let mut state = 1_u64;
        for round in 0..300 {
            let vocabulary = 2 + round % 7;
            let words: Vec<String> = (0..round % 61)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let word = (state >> 33) % vocabulary as u64;
                    "w".repeat(1 + word as usize)
                })
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let found = Ngrams::of(&Words::of(&words.join(" "), None));
            for n in 2..=4 {
                let (top, _) = plain(&words, n);
                assert!((found.top[n - 2] - top).abs() < 1e-8, "{n}: {words:?}");
            }
            for n in 5..=10 {
                assert_eq!(found.marked[n - 5], plain(&words, n).1, "{n}: {words:?}");
            }
        }
    }
}
