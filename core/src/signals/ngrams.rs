//! Repeated runs of words.
//!
//! Exact, without hashing texts: places are sorted by the ten words that begin there. The first two are radix sorts,
//! which leave a third of the places alone; in the others the next eight words are one number, by which small groups
//! are sorted. Neighbours then have the longest n-grams in common that a place has with any other. From: the sorting of
//! suffixes, McIlroy, Bostic and McIlroy 1993, and the common prefixes of neighbours, Kasai et al. 2001.

use super::words::{Words, words};
use super::{Applies, Document, ratio, signals};
use std::cell::RefCell;

/// The largest n that is looked at.
const LONGEST: usize = 10;

/// What the n-grams of a document say. Filled from n = 2 up.
pub struct Ngrams {
    top: [f64; 3],      // n = 2, 3, 4
    marked: [usize; 6], // characters of words in repeated n-grams, n = 5 … 10
    chars: usize,
    boilerplate: [bool; 3], // whether the words of the top n-gram are all reserved
}

/// Tables that are kept from document to document.
#[derive(Default)]
struct Scratch {
    /// The rank of each different word: 0 if it occurs once, else from 1 on.
    ranks: Vec<u32>,
    /// Where the next place goes of those that are sorted, by rank.
    next: Vec<u32>,
    /// Places in order of their words.
    by_word: Vec<u32>,
    /// Places in order of their words and the next ones; the rank of the next above the place.
    by_pair: Vec<u64>,
    /// How many words from each place on occur more than once, 10 at most.
    until_alone: Vec<u8>,
    /// The largest n, if it is 5 or more, of which the n-gram at each place of the document occurs twice.
    reach: Vec<u8>,
    /// The ranks of the words of the document.
    narrow: Vec<u16>,
    /// The same where there are too many for that.
    wide: Vec<u32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Ngrams {
    /// Counts the n-grams of `words` for n = 2 … 10.
    pub fn of(words: &Words) -> Self {
        Self::with(words, u16::MAX as usize)
    }

    /// The same with at most so many ranks in 16 bits each.
    fn with(words: &Words, narrow: usize) -> Self {
        let chars = words.chars();
        let length = |at: usize| words.lengths[words.numbers[at] as usize] as usize;
        SCRATCH.with_borrow_mut(|scratch| {
            let best = if scratch.rank(words) <= narrow {
                let mut ranks = std::mem::take(&mut scratch.narrow);
                let best = scratch.search(words, &mut ranks);
                scratch.narrow = ranks;
                best
            } else {
                let mut ranks = std::mem::take(&mut scratch.wide);
                let best = scratch.search(words, &mut ranks);
                scratch.wide = ranks;
                best
            };
            let top = [2, 3, 4].map(|n| {
                let (count, place) = best[n];
                let one: usize = (place..place + n).take_while(|_| count > 0).map(length).sum();
                ratio(one * count, chars).unwrap_or(0.0)
            });
            let reserved = |at: usize| words.reserved[words.numbers[at] as usize];
            let boilerplate = [2, 3, 4].map(|n| {
                let (count, place) = best[n];
                count > 0 && (place..place + n).all(reserved)
            });
            Self { top, marked: marked(&scratch.reach, length), chars, boilerplate }
        })
    }

    pub(super) fn top(&self, n: usize) -> Option<f64> {
        Some(self.top[n - 2])
    }

    /// Whether the words of the most frequent n-gram are reserved, all of them; n = 2, 3, 4.
    pub(super) fn is_boilerplate(&self, n: usize) -> bool {
        self.boilerplate[n - 2]
    }

    pub(super) fn duplicated(&self, n: usize) -> Option<f64> {
        ratio(self.marked[n - 5], self.chars).or(Some(0.0))
    }
}

/// Characters of the words that are within an n-gram that occurs twice, for n = 5 … 10.
///
/// A word within one of n + 1 is also within one of n, so that how many n there are says which.
fn marked(reach: &[u8], length: impl Fn(usize) -> usize) -> [usize; 6] {
    let (mut sums, mut ends, mut last) = ([0; 7], [0_u32; 6], 0); // by how many n; by n, where the last one ends
    for (at, &n) in (0_u32..).zip(reach) {
        if n > 0 {
            for (size, end) in (5..).zip(&mut ends) {
                *end = if size <= u32::from(n) { at + size } else { *end };
            }
            last = last.max(at + u32::from(n));
        }
        if at < last {
            let within: u32 = ends.iter().map(|&end| u32::from(at < end)).sum();
            sums[within as usize] += length(at as usize);
        }
    }
    std::array::from_fn(|n| sums[n + 1..].iter().sum())
}

/// The rank of a word: of 16 bits, so that eight of them are one number, or of 32.
trait Rank: Copy + Default + Ord + From<u16> {
    /// Eight ranks, the first of them the most significant.
    type Eight: Copy + Ord;
    fn of(rank: u32) -> Self;
    fn number(self) -> u32;
    /// From ranks that are last to first.
    fn eight(backwards: &[Self; 8]) -> Self::Eight;
    /// How many of the first ranks are the same.
    fn common(a: Self::Eight, b: Self::Eight) -> usize;
}

impl Rank for u16 {
    type Eight = u128;
    fn of(rank: u32) -> Self {
        rank as u16
    }
    fn number(self) -> u32 {
        u32::from(self)
    }
    #[inline]
    fn eight(backwards: &[Self; 8]) -> u128 {
        (0..8).fold(0, |all, i| all | u128::from(backwards[i]) << (16 * i))
    }
    #[inline]
    fn common(a: u128, b: u128) -> usize {
        (a ^ b).leading_zeros() as usize / 16
    }
}

impl Rank for u32 {
    type Eight = [u32; 8];
    fn of(rank: u32) -> Self {
        rank
    }
    fn number(self) -> u32 {
        self
    }
    fn eight(&backwards: &[Self; 8]) -> [u32; 8] {
        let mut forwards = backwards;
        forwards.reverse();
        forwards
    }
    fn common(a: [u32; 8], b: [u32; 8]) -> usize {
        a.iter().zip(&b).take_while(|(a, b)| a == b).count()
    }
}

/// By n: how often the most frequent n-gram occurs, and where first.
type Best = [(usize, usize); 5];

impl Scratch {
    /// Ranks the words; how many there are that occur twice or more.
    fn rank(&mut self, words: &Words) -> usize {
        let (mut last, mut all) = (0, 0);
        self.ranks.clear();
        self.next.clear();
        self.next.push(0); // room for rank 0 is behind the others, so that nothing need be asked when sorting
        for &count in &words.counts {
            let again = count > 1;
            last += u32::from(again);
            self.ranks.push(if again { last } else { 0 });
            if again {
                self.next.push(all);
                all += count;
            }
        }
        self.next[0] = all;
        self.by_word.resize(words.numbers.len(), 0);
        self.by_pair.resize(words.numbers.len(), 0);
        last as usize
    }

    /// Looks at all n-grams; notes in `reach` which of 5 and more words occur twice.
    fn search<R: Rank>(&mut self, words: &Words, backwards: &mut Vec<R>) -> Best {
        let count = words.numbers.len();
        backwards.clear();
        backwards.resize(LONGEST, R::default());
        backwards.extend(words.numbers.iter().rev().map(|&word| R::of(self.ranks[word as usize])));
        self.until_alone.clear();
        self.until_alone.resize(count, 0);
        let mut length = 0;
        for (until, rank) in self.until_alone.iter_mut().rev().zip(&backwards[LONGEST..]) {
            length = if rank.number() == 0 { 0 } else { (length + 1).min(LONGEST as u8) };
            *until = length;
        }
        self.reach.clear();
        self.reach.resize(count, 0);
        let starts = self.next.clone();
        self.sort(backwards);
        let mut search = Search {
            backwards: &backwards[..],
            until_alone: &self.until_alone,
            reach: &mut self.reach,
            group: Vec::new(),
            best: Best::default(),
        };
        for (&start, &end) in starts.iter().zip(&self.next).skip(1) {
            let mut rest = &self.by_pair[start as usize..end as usize];
            while let [first, ..] = rest {
                let second = first >> 32;
                let size = rest.iter().take_while(|&pair| pair >> 32 == second).count();
                if size > 1 {
                    search.look(&rest[..size]);
                }
                rest = &rest[size..];
            }
        }
        search.best
    }

    /// Sorts places by their word and the next. `next` becomes where each word's end.
    fn sort<R: Rank>(&mut self, backwards: &[R]) {
        let starts = self.next.clone();
        let forwards = backwards[LONGEST..].iter().rev();
        for (place, rank) in (0..).zip(forwards.clone()) {
            let next = &mut self.next[rank.number() as usize];
            self.by_word[*next as usize] = place;
            *next += 1;
        }
        let ends = std::mem::replace(&mut self.next, starts);
        let before = |place: u32| backwards[backwards.len() - place as usize];
        let mut at = 0;
        for (second, &end) in (0_u64..).zip(&ends).skip(1) {
            for &place in self.by_word[at..end as usize].iter().filter(|&&place| place > 0) {
                let next = &mut self.next[before(place).number() as usize];
                self.by_pair[*next as usize] = second << 32 | u64::from(place - 1);
                *next += 1;
            }
            at = end as usize;
        }
    }
}

struct Search<'a, R: Rank> {
    backwards: &'a [R],
    until_alone: &'a [u8],
    reach: &'a mut [u8],
    group: Vec<(R::Eight, u32)>,
    best: Best,
}

impl<R: Rank> Search<'_, R> {
    /// The eight words after the two at `place`.
    #[inline]
    fn eight(&self, place: usize) -> R::Eight {
        let end = self.backwards.len() - place - 2;
        R::eight(self.backwards[end - 8..end].try_into().expect("eight"))
    }

    /// Looks at places at which the same two words begin.
    #[inline]
    fn look(&mut self, places: &[u64]) {
        let first = places[0] as u32 as usize;
        note(&mut self.best[2], places.len(), first);
        if let [_, second] = *places {
            self.pair(first, second as u32 as usize);
            return;
        }
        let mut group = std::mem::take(&mut self.group);
        group.clear();
        group.extend(places.iter().map(|&place| (self.eight(place as u32 as usize), place as u32)));
        if group[1..].iter().any(|other| other.0 != group[0].0) {
            group.sort_unstable_by_key(|&(eight, _)| eight); // quick where a million places are equal
        }
        self.neighbours(&group);
        self.group = group;
    }

    #[inline]
    fn pair(&mut self, first: usize, second: usize) {
        let n = 2 + R::common(self.eight(first), self.eight(second));
        let n = n.min(self.until_alone[first] as usize);
        (3..=n.min(4)).for_each(|n| note(&mut self.best[n], 2, first));
        if n >= 5 {
            (self.reach[first], self.reach[second]) = (n as u8, n as u8);
        }
    }

    /// Looks at places in order of the words there.
    fn neighbours(&mut self, group: &[(R::Eight, u32)]) {
        let mut runs = [(1, group[0].1 as usize); 5]; // by n: places with the n-gram so far, and the first of them
        let mut before = 0;
        for pair in group.windows(2) {
            let [(a, left), (b, right)] = [pair[0], pair[1]];
            let (left, right) = (left as usize, right as usize);
            let n = (2 + R::common(a, b)).min(self.until_alone[left] as usize);
            for size in [3, 4] {
                let run = &mut runs[size];
                if n >= size {
                    *run = (run.0 + 1, run.1.min(right));
                    note(&mut self.best[size], run.0, run.1);
                } else {
                    *run = (1, right);
                }
            }
            if before.max(n) >= 5 {
                self.reach[left] = before.max(n) as u8;
            }
            before = n;
        }
        if before >= 5 {
            self.reach[group[group.len() - 1].1 as usize] = before as u8;
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

/// Repeated runs of normalised words.
pub fn ngrams<'d>(document: &'d Document<'_>) -> &'d Ngrams {
    document.derived(|| Ngrams::of(words(document)))
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
    fn frac_chars_top_2grams(document) { ngrams(document).top(2) }

    /// Characters of the most frequent run of 3 normalised words, times its count, as a share of all words' characters.
    ///
    /// Overlapping occurrences count fully, so it can exceed 1; 0 if no run occurs twice.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: one phrase repeated over and over is a template, a table or a loop of a generator.
    /// From: opc_data_filtering, `frac_chars_top_3grams`; Gopher, table A1.
    /// Example: python "a b c a b c\n" → 1
    fn frac_chars_top_3grams(document) { ngrams(document).top(3) }

    /// Characters of the most frequent run of 4 normalised words, times its count, as a share of all words' characters.
    ///
    /// Overlapping occurrences count fully, so it can exceed 1; 0 if no run occurs twice.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: one phrase repeated over and over is a template, a table or a loop of a generator.
    /// From: opc_data_filtering, `frac_chars_top_4grams`; Gopher, table A1.
    /// Example: python "a b c d a b c d\n" → 1
    fn frac_chars_top_4grams(document) { ngrams(document).top(4) }

    /// Characters of normalised words that stand in a run of 5 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_5grams`; Gopher, table A1.
    /// Example: python "a b c d e a b c d e z\n" → 0.90909091
    fn frac_chars_dupe_5grams(document) { ngrams(document).duplicated(5) }

    /// Characters of normalised words that stand in a run of 6 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_6grams`; Gopher, table A1.
    /// Example: python "a b c d e f a b c d e f z\n" → 0.92307692
    fn frac_chars_dupe_6grams(document) { ngrams(document).duplicated(6) }

    /// Characters of normalised words that stand in a run of 7 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_7grams`; Gopher, table A1.
    /// Example: python "a b c d e f g a b c d e f g z\n" → 0.93333333
    fn frac_chars_dupe_7grams(document) { ngrams(document).duplicated(7) }

    /// Characters of normalised words that stand in a run of 8 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_8grams`; Gopher, table A1.
    /// Example: python "a b c d e f g h a b c d e f g h z\n" → 0.94117647
    fn frac_chars_dupe_8grams(document) { ngrams(document).duplicated(8) }

    /// Characters of normalised words that stand in a run of 9 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_9grams`; Gopher, table A1.
    /// Example: python "a b c d e f g h i a b c d e f g h i z\n" → 0.94736842
    fn frac_chars_dupe_9grams(document) { ngrams(document).duplicated(9) }

    /// Characters of normalised words that stand in a run of 10 which occurs twice or more, as a share of all.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: never.
    /// Why: copy and paste within a file.
    /// From: opc_data_filtering, `frac_chars_dupe_10grams`; Gopher, table A1.
    /// Example: python "a b c d e f g h i j a b c d e f g h i j z\n" → 0.95238095
    fn frac_chars_dupe_10grams(document) { ngrams(document).duplicated(10) }
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
