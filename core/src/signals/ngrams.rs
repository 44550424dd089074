//! Repeated runs of words.
//!
//! Exact, without hashing texts: the places of a document are kept in groups, those at which the same n-gram begins. An
//! (n+1)-gram occurs twice only where both n-grams in it do, and two are equal exactly if those are: so a group of n
//! falls into groups of n + 1 by the groups of the next places, and places that are left alone are out for good. From:
//! the refinement of suffix arrays, Manber and Myers 1990, one word at a time.

use super::words::Words;
use super::{Applies, ratio, signals};
use std::cell::RefCell;

/// What the n-grams of a document say. Filled from n = 2 up.
pub struct Ngrams {
    top: [f64; 3],      // n = 2, 3, 4
    marked: [usize; 6], // characters of words in repeated n-grams, n = 5 … 10
    chars: usize,
}

/// The group of a place whose n-gram does not occur twice.
const ALONE: u32 = u32::MAX;

/// The n-grams of one n that occur twice or more, and tables that are kept from document to document.
#[derive(Default)]
struct Level {
    /// The places at which they begin, group after group, in each in order.
    places: Vec<u32>,
    /// Where each group ends in `places`.
    ends: Vec<u32>,
    /// The group of each place of the document.
    groups: Vec<u32>,
    /// The same as `places` and `ends`, of n + 1.
    next: (Vec<u32>, Vec<u32>),
    /// The group of the next place, and the place, of one group.
    keys: Vec<u64>,
    /// The largest n, if it is 5 or more, of which the n-gram at each place of the document occurs twice.
    reach: Vec<u8>,
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
                    level.places.iter().for_each(|&place| level.reach[place as usize] = n as u8);
                }
            }
            found.marked = marked(&level.reach, length);
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

/// Characters of the words that are within an n-gram that occurs twice, for n = 5 … 10.
fn marked(reach: &[u8], length: impl Fn(usize) -> usize) -> [usize; 6] {
    let (mut sums, mut ends, mut last) = ([0; 6], [0; 6], 0);
    for (at, &n) in reach.iter().enumerate() {
        if n > 0 {
            (5..=n as usize).for_each(|n| ends[n - 5] = at + n);
            last = last.max(at + n as usize);
        }
        if at < last {
            let chars = length(at);
            for (sum, &end) in sums.iter_mut().zip(&ends) {
                *sum += if at < end { chars } else { 0 };
            }
        }
    }
    sums
}

impl Level {
    /// Takes the words that occur twice or more for 1-grams.
    fn start(&mut self, words: &Words) {
        let Self { places, ends, groups, reach, .. } = self;
        reach.clear();
        reach.resize(words.numbers.len(), 0);
        ends.clear();
        // Of each word: its group, and where its next place goes.
        let (mut all, mut word_groups) = (0, Vec::with_capacity(words.counts.len()));
        for &count in &words.counts {
            word_groups.push(if count > 1 { ends.len() as u32 } else { ALONE });
            if count > 1 {
                ends.push(all); // moved to the end below
                all += count;
            }
        }
        places.clear();
        places.resize(all as usize, 0);
        groups.clear();
        for (at, &word) in (0..).zip(&words.numbers) {
            let group = word_groups[word as usize];
            groups.push(group);
            if let Some(end) = ends.get_mut(group as usize) {
                places[*end as usize] = at;
                *end += 1;
            }
        }
    }

    /// Goes from n to n + 1. Gives the most frequent, the first of equals: where it first is, and how often it occurs;
    /// `None` if none occurs twice.
    fn extend(&mut self) -> Option<(usize, usize)> {
        let Self { places, ends, groups, next: (next_places, next_ends), keys, .. } = self;
        next_places.clear();
        next_ends.clear();
        let after = |place: u32| groups.get(place as usize + 1).copied().unwrap_or(ALONE);
        let mut best: Option<(u32, usize)> = None;
        let mut keep = |all: &mut Vec<u32>, start: usize| {
            let (first, count) = (all[start], all.len() - start);
            if best.is_none_or(|(place, most)| count > most || count == most && first < place) {
                best = Some((first, count));
            }
            next_ends.push(all.len() as u32);
        };
        let mut start = 0;
        for &end in ends.iter() {
            let group = &places[start as usize..end as usize];
            start = end;
            let key = after(group[0]);
            let kept = next_places.len();
            if group.iter().all(|&place| after(place) == key) {
                if key != ALONE {
                    next_places.extend_from_slice(group);
                    keep(next_places, kept);
                }
                continue;
            }
            if group.len() == 2 {
                continue;
            }
            keys.clear();
            keys.extend(group.iter().filter_map(|&place| {
                let group = after(place);
                (group != ALONE).then(|| u64::from(group) << 32 | u64::from(place))
            }));
            keys.sort_unstable();
            for equal in keys.chunk_by(|a, b| a >> 32 == b >> 32) {
                let kept = next_places.len();
                if equal.len() > 1 {
                    next_places.extend(equal.iter().map(|&key| key as u32));
                    keep(next_places, kept);
                }
            }
        }
        places.iter().for_each(|&place| groups[place as usize] = ALONE);
        let mut start = 0;
        for (group, &end) in (0..).zip(next_ends.iter()) {
            next_places[start as usize..end as usize]
                .iter()
                .for_each(|&place| groups[place as usize] = group);
            start = end;
        }
        std::mem::swap(places, next_places);
        std::mem::swap(ends, next_ends);
        best.map(|(place, count)| (place as usize, count))
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
