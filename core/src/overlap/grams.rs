//! An index of n-grams, and the part that a document has most of.

use super::{Found, Rule};
use std::collections::HashMap;

/// Of a part with more n-grams than this a quarter is looked for, the same quarter everywhere: those whose hashes begin
/// with two zeros. It makes the index small enough for the caches of a core.
const SAMPLED: usize = 128;

/// N-grams of parts, each with the parts that have it.
pub struct Grams {
    rule: Rule,
    filter: Vec<u64>,
    keys: Vec<u64>,
    numbers: Vec<u32>,
    starts: Vec<u32>,
    parts_of: Vec<u32>,
    parts: Vec<Part>,
}

struct Part {
    row: u32,
    total: u32,
    need: u32,
    stretch: usize,
}

/// Scratch of one thread.
#[derive(Default)]
pub struct Scratch {
    round: u32,
    seen: Vec<u32>,
    counts: Vec<u32>,
    touched: Vec<u32>,
    passed: Vec<u32>,
    hits: Vec<(u32, u32)>,
}

/// Collects the n-grams of parts. Parts with the same n-grams are one: the first.
pub struct Collected {
    rule: Rule,
    pairs: Vec<(u64, u32)>,
    parts: Vec<(u32, usize)>,
    known: HashMap<(u64, usize), u32>,
}

impl Collected {
    /// Nothing yet.
    pub fn new(rule: Rule) -> Self {
        Self { rule, pairs: Vec::new(), parts: Vec::new(), known: HashMap::new() }
    }

    /// Adds the part of a row: its n-grams in order.
    pub fn add(&mut self, row: u32, mut grams: Vec<u64>) {
        let length = grams.len();
        grams.sort_unstable();
        grams.dedup();
        let set = grams.iter().fold(0_u64, |sum, &gram| super::mixed(sum ^ gram));
        if grams.len() > SAMPLED {
            grams.retain(|gram| gram >> 62 == 0);
        }
        if grams.is_empty() || self.known.insert((set, grams.len()), row).is_some() {
            return;
        }
        let part = self.parts.len() as u32;
        self.pairs.extend(grams.into_iter().map(|gram| (gram, part)));
        self.parts.push((row, length));
    }

    /// The index.
    pub fn index(mut self) -> Grams {
        self.pairs.sort_unstable();
        let mut totals = vec![0_u32; self.parts.len()];
        let (mut starts, mut parts_of, mut grams) = (vec![0_u32], Vec::new(), Vec::new());
        for same in self.pairs.chunk_by(|a, b| a.0 == b.0) {
            if same.len() > self.rule.common {
                continue;
            }
            grams.push(same[0].0);
            for &(_, part) in same {
                totals[part as usize] += 1;
                parts_of.push(part);
            }
            starts.push(parts_of.len() as u32);
        }
        let rule = self.rule;
        let parts = self.parts.iter().zip(&totals).map(|(&(row, length), &total)| {
            let share = (rule.share * f64::from(total)).ceil() as u32;
            let need = share.max(total.min(rule.least as u32)).max(1);
            Part { row, total, need, stretch: 2 * length + 3 * rule.ngram }
        });
        let parts = parts.collect();
        Grams::of(rule, &grams, starts, parts_of, parts)
    }
}

impl Grams {
    fn of(rule: Rule, grams: &[u64], starts: Vec<u32>, parts_of: Vec<u32>, parts: Vec<Part>) -> Self {
        let places = (grams.len() * 2).next_power_of_two().max(64);
        let words = (grams.len() / 8).next_power_of_two().max(64);
        let mut made = Self {
            rule,
            filter: vec![0; words],
            keys: vec![0; places],
            numbers: vec![u32::MAX; places],
            starts,
            parts_of,
            parts,
        };
        for (number, &gram) in grams.iter().enumerate() {
            made.filter[(gram >> 32) as usize & (words - 1)] |= bits(gram);
            let mut place = gram as usize & (places - 1);
            while made.numbers[place] != u32::MAX {
                place = (place + 1) & (places - 1);
            }
            made.keys[place] = gram;
            made.numbers[place] = number as u32;
        }
        made
    }

    /// How many different n-grams are looked for.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of n-grams.
    pub fn ngram(&self) -> usize {
        self.rule.ngram
    }

    /// The best part of a document with these n-grams, in order.
    pub fn found(&self, grams: &[u64], scratch: &mut Scratch) -> Option<Found> {
        scratch.hits.clear();
        let last = self.filter.len() - 1;
        // Without a branch, so that the reads of the filter, which is larger than the nearer caches, go on at once.
        scratch.passed.resize(scratch.passed.len().max(grams.len()), 0);
        let mut passed = 0;
        for (at, &gram) in grams.iter().enumerate() {
            let wanted = bits(gram);
            scratch.passed[passed] = at as u32;
            passed += usize::from(self.filter[(gram >> 32) as usize & last] & wanted == wanted);
        }
        for &at in &scratch.passed[..passed] {
            if let Some(number) = self.number(grams[at as usize]) {
                scratch.hits.push((number, at));
            }
        }
        self.of_hits(scratch)
    }

    fn number(&self, gram: u64) -> Option<u32> {
        let mut place = gram as usize & (self.keys.len() - 1);
        while self.numbers[place] != u32::MAX {
            if self.keys[place] == gram {
                return Some(self.numbers[place]);
            }
            place = (place + 1) & (self.keys.len() - 1);
        }
        None
    }

    fn having(&self, number: u32) -> &[u32] {
        let number = number as usize;
        &self.parts_of[self.starts[number] as usize..self.starts[number + 1] as usize]
    }

    fn of_hits(&self, scratch: &mut Scratch) -> Option<Found> {
        if scratch.hits.is_empty() {
            return None;
        }
        let hits = std::mem::take(&mut scratch.hits);
        let candidates = self.candidates(&hits, scratch);
        let found = if candidates.is_empty() { None } else { self.nearby(&hits, &candidates) };
        scratch.hits = hits;
        found
    }

    /// Parts of which the whole document has enough.
    fn candidates(&self, hits: &[(u32, u32)], scratch: &mut Scratch) -> Vec<u32> {
        // Before they get the size of this index: the last one may have been larger.
        for part in scratch.touched.drain(..) {
            scratch.counts[part as usize] = 0;
        }
        scratch.seen.resize(self.len(), 0);
        scratch.counts.resize(self.parts.len(), 0);
        scratch.round = scratch.round.wrapping_add(1);
        if scratch.round == 0 {
            scratch.seen.fill(0);
            scratch.round = 1;
        }
        for &(number, _) in hits {
            let seen = &mut scratch.seen[number as usize];
            if std::mem::replace(seen, scratch.round) == scratch.round {
                continue;
            }
            for &part in self.having(number) {
                let count = &mut scratch.counts[part as usize];
                if *count == 0 {
                    scratch.touched.push(part);
                }
                *count += 1;
            }
        }
        let enough = |part: &u32| scratch.counts[*part as usize] >= self.parts[*part as usize].need;
        let mut candidates: Vec<u32> = scratch.touched.iter().copied().filter(enough).collect();
        candidates.sort_unstable();
        candidates
    }

    /// The best candidate of which one stretch of the document has enough.
    fn nearby(&self, hits: &[(u32, u32)], candidates: &[u32]) -> Option<Found> {
        let mut of: HashMap<u32, Vec<(u32, u32)>> =
            candidates.iter().map(|&part| (part, Vec::new())).collect();
        for &hit in hits {
            for part in self.having(hit.0) {
                if let Some(own) = of.get_mut(part) {
                    own.push(hit);
                }
            }
        }
        let found = |part: &u32| {
            let part_of = &self.parts[*part as usize];
            let most = densest(&of[part], part_of.stretch);
            (most >= part_of.need)
                .then(|| Found { part: part_of.row, share: most as f32 / part_of.total as f32 })
        };
        candidates.iter().filter_map(found).fold(None, |best, one| super::better(best, Some(one)))
    }
}

/// The two bits of a word of the filter that stand for an n-gram.
#[inline(always)]
fn bits(gram: u64) -> u64 {
    1 << (gram >> 20 & 63) | 1 << (gram >> 26 & 63)
}

/// The most different n-grams within a stretch of so many places. Hits are in order of their places.
fn densest(hits: &[(u32, u32)], stretch: usize) -> u32 {
    let mut held: HashMap<u32, u32> = HashMap::new();
    let (mut first, mut most) = (0, 0);
    for &(number, at) in hits {
        *held.entry(number).or_default() += 1;
        while (at - hits[first].1) as usize >= stretch {
            if let Some(count) = held.get_mut(&hits[first].0) {
                *count -= 1;
                if *count == 0 {
                    held.remove(&hits[first].0);
                }
            }
            first += 1;
        }
        most = most.max(held.len());
    }
    most as u32
}

#[cfg(test)]
mod tests {
    use super::{Collected, Grams, Scratch};
    use crate::overlap::{Found, Rule};

    const RULE: Rule = Rule { ngram: 10, share: 0.5, least: 4, common: 3, shortest: 10 };

    fn index(parts: &[&[u64]]) -> Grams {
        let mut collected = Collected::new(RULE);
        for (row, part) in parts.iter().enumerate() {
            collected.add(row as u32, part.to_vec());
        }
        collected.index()
    }

    fn found(index: &Grams, grams: &[u64], scratch: &mut Scratch) -> Option<Found> {
        index.found(grams, scratch)
    }

    #[test]
    fn a_part_needs_its_share_and_the_least() {
        let index = index(&[&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[21, 22, 23]]);
        let mut scratch = Scratch::default();
        assert_eq!(found(&index, &[0, 1, 2, 3, 4], &mut scratch), None);
        assert_eq!(found(&index, &[1, 1, 1, 1, 1], &mut scratch), None);
        assert_eq!(found(&index, &[5, 1, 2, 3, 4], &mut scratch), Some(Found { part: 0, share: 0.5 }));
        assert_eq!(found(&index, &[21, 22], &mut scratch), None);
        assert_eq!(found(&index, &[21, 22, 23], &mut scratch), Some(Found { part: 1, share: 1.0 }));
        assert_eq!(found(&index, &[], &mut scratch), None);
    }

    #[test]
    fn scratch_can_be_used_with_another_index() {
        let mut scratch = Scratch::default();
        let (large, small) = (index(&[&[1, 2, 3, 4], &[5, 6, 7, 8]]), index(&[&[1, 2, 3, 4]]));
        assert_eq!(found(&large, &[5, 6, 7, 8], &mut scratch), Some(Found { part: 1, share: 1.0 }));
        assert_eq!(found(&small, &[1, 2, 3, 4], &mut scratch), Some(Found { part: 0, share: 1.0 }));
        assert_eq!(found(&large, &[5, 6, 7, 8], &mut scratch), Some(Found { part: 1, share: 1.0 }));
    }

    #[test]
    fn what_is_scattered_over_a_document_is_not_found() {
        let index = index(&[&[1, 2, 3, 4, 5, 6, 7, 8]]);
        let mut scratch = Scratch::default();
        let far: Vec<u64> =
            (1..=8).flat_map(|gram| std::iter::once(gram).chain((0..30).map(|_| 99))).collect();
        assert_eq!(found(&index, &far, &mut scratch), None);
        let near: Vec<u64> = (1..=8).flat_map(|gram| [gram, 99, 99]).collect();
        assert_eq!(found(&index, &near, &mut scratch), Some(Found { part: 0, share: 1.0 }));
    }

    #[test]
    fn common_ngrams_count_for_no_part_and_equal_parts_are_one() {
        let parts: [&[u64]; 5] = [&[1, 11, 12, 13, 14], &[1, 21], &[1, 31], &[1, 41], &[1, 21]];
        let index = index(&parts);
        let mut scratch = Scratch::default();
        assert_eq!(found(&index, &[1], &mut scratch), None);
        assert_eq!(found(&index, &[21], &mut scratch), Some(Found { part: 1, share: 1.0 }));
        assert_eq!(index.parts.len(), 4);
    }
}
