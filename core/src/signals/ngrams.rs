//! Repeated runs of words.
//!
//! Exact, without hashing texts. The places of each word are a group; a group of places at which the same n-gram begins
//! falls into groups of n + 1 by the next word, and a place that is left alone is out for good. Each group is taken
//! to its end before the next is begun, so that what is looked at stays in the cache. From: the sorting of suffixes by
//! a radix sort from the most significant word on, McIlroy, Bostic and McIlroy 1993.

use super::words::Words;
use super::{Applies, ratio, signals};
use std::cell::RefCell;

/// The largest n that is looked at.
const LONGEST: usize = 10;

/// What the n-grams of a document say. Filled from n = 2 up.
pub struct Ngrams {
    top: [f64; 3],      // n = 2, 3, 4
    marked: [usize; 6], // characters of words in repeated n-grams, n = 5 … 10
    chars: usize,
}

/// Tables that are kept from document to document.
#[derive(Default)]
struct Scratch {
    /// Places, in groups within groups: below the place, above the word that decided.
    places: Vec<u64>,
    /// The number of each word of the document; [`ALONE`] if it occurs once.
    words: Vec<u32>,
    /// The largest n, if it is 5 or more, of which the n-gram at each place of the document occurs twice.
    reach: Vec<u8>,
}

/// A word that occurs once, and what is past the end.
const ALONE: u32 = u32::MAX;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Ngrams {
    /// Counts the n-grams of `words` for n = 2 … 10.
    pub fn of(words: &Words) -> Self {
        let chars = words.chars();
        let length = |at: usize| words.lengths[words.numbers[at] as usize] as usize;
        SCRATCH.with_borrow_mut(|scratch| {
            let ends = scratch.group(words);
            let Scratch { places, words, reach } = scratch;
            let mut search = Search { words, places, reach, best: [(0, 0); LONGEST + 1] };
            let mut start = 0;
            for end in ends {
                search.look(start, end, 1);
                start = end;
            }
            let top = [2, 3, 4].map(|n| {
                let (count, place) = search.best[n];
                let one: usize = (place..place + n).take_while(|_| count > 0).map(length).sum();
                ratio(one * count, chars).unwrap_or(0.0)
            });
            Self { top, marked: marked(reach, length), chars }
        })
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

impl Scratch {
    /// Puts the places of each word that occurs twice or more in a group of their own, in order; gives where each ends.
    fn group(&mut self, words: &Words) -> Vec<usize> {
        let (mut ends, mut all) = (Vec::new(), 0);
        let starts = words.counts.iter().map(|&count| {
            let start = all;
            if count > 1 {
                all += count as usize;
                ends.push(all);
            }
            if count > 1 { start } else { usize::MAX }
        });
        let mut next: Vec<usize> = starts.collect();
        self.places.resize(all, 0);
        self.reach.clear();
        self.reach.resize(words.numbers.len(), 0);
        self.words.clear();
        for (place, &word) in (0..).zip(&words.numbers) {
            let next = &mut next[word as usize];
            self.words.push(if *next == usize::MAX { ALONE } else { word });
            if let Some(slot) = self.places.get_mut(*next) {
                *slot = place;
                *next += 1;
            }
        }
        self.words.extend([ALONE; LONGEST]);
        ends
    }
}

struct Search<'a> {
    words: &'a [u32],
    places: &'a mut [u64],
    reach: &'a mut [u8],
    best: [(usize, usize); LONGEST + 1], // by n: how often the most frequent occurs, and where first
}

impl Search<'_> {
    /// Looks at the places from `start` to `end`, at which the same n-gram begins. Uses their room up.
    fn look(&mut self, start: usize, end: usize, n: usize) {
        match self.places[start..end] {
            [] | [_] => {}
            [first, second] => self.pair(first as u32 as usize, second as u32 as usize, n),
            _ => self.refine(start, end, n),
        }
    }

    fn refine(&mut self, start: usize, end: usize, mut n: usize) {
        let group = &mut self.places[start..end];
        let (first, count) = (group[0] as u32 as usize, group.len());
        loop {
            note(&mut self.best[n], count, first);
            let word = self.words[first + n];
            let same = |key: &u64| self.words[*key as u32 as usize + n] == word;
            if n == LONGEST || word == ALONE || !group[1..].iter().all(same) {
                break;
            }
            n += 1;
        }
        if n >= 5 {
            group.iter().for_each(|&key| self.reach[key as u32 as usize] = n as u8);
        }
        if n == LONGEST {
            return;
        }
        let mut kept = 0;
        for at in 0..count {
            let place = group[at] as u32;
            let word = self.words[place as usize + n];
            group[kept] = u64::from(word) << 32 | u64::from(place);
            kept += usize::from(word != ALONE);
        }
        group[..kept].sort_unstable();
        let (mut at, last) = (start, start + kept);
        while at < last {
            let word = self.places[at] >> 32;
            let size = self.places[at..last].iter().take_while(|&key| key >> 32 == word).count();
            self.look(at, at + size, n + 1);
            at += size;
        }
    }

    /// The same of two places; most groups have no more.
    #[inline]
    fn pair(&mut self, first: usize, second: usize, mut n: usize) {
        loop {
            note(&mut self.best[n], 2, first);
            let word = self.words[first + n];
            if n == LONGEST || word == ALONE || self.words[second + n] != word {
                break;
            }
            n += 1;
        }
        if n >= 5 {
            (self.reach[first], self.reach[second]) = (n as u8, n as u8);
        }
    }
}

/// Keeps the most frequent n-gram, the first of equals: how often it occurs, and where first.
#[inline]
fn note(best: &mut (usize, usize), count: usize, first: usize) {
    if count > best.0 || count == best.0 && first < best.1 {
        *best = (count, first);
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
