//! Finds what benchmarks and documents have in common: n-grams of words, n-grams of normalised code, and calls.
//!
//! An item of a benchmark is several parts (its prompt, its answer, its tests), each of which is looked for on its own.
//! A document has a part if it has a share of the part's n-grams within a stretch that is not much longer than the
//! part. Two views of a text are compared: its [`words`], as they stand, and the [`tokens`] of its code, in which names,
//! comments, white space and the form of literals do not count. A part that is too short for n-grams of tokens is looked
//! for as a [`whole`].
//!
//! From: OpenCoder, section 4.4 (arXiv 2411.04905): rows with a 10-gram of a test set, or its entry points, are dropped.
//! The share, the stretch and the normalised view are ours.

pub mod calls;
pub mod grams;
pub mod regions;
pub mod tokens;
pub mod whole;
pub mod words;

#[cfg(feature = "python")]
pub mod python;

use crate::hash::fold;

/// Raised when the same texts give other n-grams.
pub const VERSION: u32 = 1;

/// When a document has a part.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Words, or tokens, of an n-gram.
    pub ngram: usize,
    /// Of a part's different n-grams, how many a document must have.
    pub share: f64,
    /// The fewest n-grams that are enough, where a part has as many; all of them where it has fewer.
    pub least: usize,
    /// N-grams that more parts than this have are common, and count for none.
    pub common: usize,
    /// Tokens of the shortest part that is looked for as a whole.
    pub shortest: usize,
}

/// A part that a document has: its row, and the share of its n-grams that were found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Row of the part among those that the index was made of.
    pub part: u32,
    /// Between 0 and 1; 1 for a whole.
    pub share: f32,
}

/// The better of two: the greater share, then the part that comes first.
pub fn better(a: Option<Found>, b: Option<Found>) -> Option<Found> {
    match (a, b) {
        (Some(x), Some(y)) if y.share > x.share || (y.share == x.share && y.part < x.part) => b,
        (None, _) => b,
        _ => a,
    }
}

/// The factor of rolling hashes: odd, without pattern.
pub(crate) const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Mixes a hash so that its low bits depend on all of them.
#[inline(always)]
pub(crate) fn mixed(hash: u64) -> u64 {
    fold(hash ^ 0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9)
}

/// Hashes of all runs of `n` values, in order. `H = Σ value[i] · BASE^(n-1-i)`, mixed.
#[cfg(any(test, feature = "python"))]
pub(crate) fn rolling(values: &[u64], n: usize, mut each: impl FnMut(u64)) {
    if n == 0 || values.len() < n {
        return;
    }
    let top = power(n - 1);
    let mut hash = 0_u64;
    for (at, &value) in values.iter().enumerate() {
        if at >= n {
            hash = hash.wrapping_sub(values[at - n].wrapping_mul(top));
        }
        hash = hash.wrapping_mul(BASE).wrapping_add(value);
        if at + 1 >= n {
            each(mixed(hash));
        }
    }
}

/// `BASE` to the power of `n`.
pub(crate) fn power(n: usize) -> u64 {
    (0..n).fold(1_u64, |power, _| power.wrapping_mul(BASE))
}

#[cfg(test)]
mod tests {
    use super::{Found, better, rolling};

    fn hashes(values: &[u64], n: usize) -> Vec<u64> {
        let mut found = Vec::new();
        rolling(values, n, |hash| found.push(hash));
        found
    }

    #[test]
    fn equal_runs_have_equal_hashes_wherever_they_stand() {
        let (a, b) = (hashes(&[9, 1, 2, 3], 3), hashes(&[1, 2, 3, 7], 3));
        assert_eq!((a.len(), a[1]), (2, b[0]));
        assert_ne!(a[0], b[1]);
        assert!(hashes(&[1, 2], 3).is_empty());
    }

    #[test]
    fn the_greater_share_is_better_then_the_first_part() {
        let found = |part, share| Some(Found { part, share });
        assert_eq!(better(found(2, 0.5), found(1, 0.7)), found(1, 0.7));
        assert_eq!(better(found(2, 0.5), found(1, 0.5)), found(1, 0.5));
        assert_eq!(better(found(2, 0.5), None), found(2, 0.5));
        assert_eq!(better(None, found(1, 0.1)), found(1, 0.1));
    }
}
