//! Repeated runs of words.
//!
//! Exact, without hashing texts: an n-gram is named by the place where it first occurs. An (n+1)-gram can occur twice
//! only where both n-grams in it do, and two are equal exactly if those are. So each level looks only at the places
//! that the level before left, and a table of place numbers is all it needs.

use super::words::Words;
use super::{Applies, ratio, signals};
use std::cell::RefCell;

/// What the n-grams of a document say. Filled from n = 2 up.
pub struct Ngrams {
    top: [f64; 3],      // n = 2, 3, 4
    marked: [usize; 6], // characters of words in repeated n-grams, n = 5 … 10
    chars: usize,
}

const ONCE: u32 = u32::MAX;

/// Tables of one level, kept from document to document.
#[derive(Default)]
struct Scratch {
    slots: Vec<(u32, u64)>, // first place and key of an (n+1)-gram
    counts: Vec<u32>,       // by first place
    firsts: Vec<u32>,       // of each place that is looked at
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Ngrams {
    /// Counts the n-grams of `words` for n = 2 … 10.
    pub fn of(words: &Words) -> Self {
        let mut found = Self { top: [0.0; 3], marked: [0; 6], chars: words.chars };
        let length = |at: usize| words.lengths[words.numbers[at] as usize] as usize;
        // Names of 1-grams: the word's number, or ONCE.
        let mut names: Vec<u32> =
            words.numbers.iter().map(|&n| if words.counts[n as usize] > 1 { n } else { ONCE }).collect();
        SCRATCH.with_borrow_mut(|scratch| {
            for n in 2..=10 {
                let best = extend(&mut names, scratch);
                if names.is_empty() {
                    break;
                }
                if n <= 4 {
                    if let Some((place, count)) = best {
                        let chars: usize = (place..place + n).map(length).sum();
                        found.top[n - 2] = if words.chars > 0 {
                            super::round8((chars * count) as f64 / words.chars as f64)
                        } else {
                            0.0
                        };
                    }
                } else {
                    let mut covered = 0; // words before this are marked already
                    for place in (0..names.len()).filter(|&place| names[place] != ONCE) {
                        found.marked[n - 5] += (covered.max(place)..place + n).map(length).sum::<usize>();
                        covered = place + n;
                    }
                }
                if best.is_none() {
                    break;
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

/// Turns the names of n-grams into those of (n+1)-grams; the most frequent that occurs twice or more, the first of
/// equals: where it is first, and how often it occurs.
fn extend(names: &mut Vec<u32>, scratch: &mut Scratch) -> Option<(usize, usize)> {
    let places = names.len().saturating_sub(1);
    let key = |at: usize| u64::from(names[at]) << 32 | u64::from(names[at + 1]);
    let alive: Vec<u32> = (0..places as u32)
        .filter(|&at| names[at as usize] != ONCE && names[at as usize + 1] != ONCE)
        .collect();
    let size = (alive.len() * 2).next_power_of_two().max(16);
    let Scratch { slots, counts, firsts } = scratch;
    slots.clear();
    slots.resize(size, (ONCE, 0));
    counts.clear();
    counts.resize(places, 0);
    firsts.clear();
    for &at in &alive {
        let mine = key(at as usize);
        let mut slot = (mine.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (size - 1);
        let first = loop {
            match slots[slot] {
                (ONCE, _) => {
                    slots[slot] = (at, mine);
                    break at;
                }
                (place, theirs) if theirs == mine => break place,
                _ => slot = (slot + 1) & (size - 1),
            }
        };
        firsts.push(first);
        counts[first as usize] += 1;
    }
    names.truncate(places);
    names.fill(ONCE);
    let mut best = None;
    for (&at, &first) in alive.iter().zip(firsts.iter()) {
        let count = counts[first as usize];
        if count > 1 {
            names[at as usize] = first;
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((first, count));
            }
        }
    }
    best.map(|(place, count)| (place as usize, count as usize))
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
