//! Parts that are too short for n-grams of names told by distances: all their tokens in a row, with the names.

use super::tokens::Token;
use super::{BASE, Found, mixed, power};
use std::collections::HashMap;

/// Tokens by which a place where a part could begin is found.
pub const ANCHOR: usize = 8;

/// Parts by the hash of their first tokens: row, how many tokens, hash of all.
#[derive(Default)]
pub struct Wholes {
    by_anchor: HashMap<u64, Vec<(u32, usize, u64)>>,
    filter: Vec<u64>,
}

/// Sums by which the hash of any run is known: `sums[i]` is of the first `i` tokens.
fn sums(tokens: &[Token]) -> Vec<u64> {
    let mut sums = Vec::with_capacity(tokens.len() + 1);
    let mut sum = 0_u64;
    sums.push(sum);
    for token in tokens {
        sum = sum.wrapping_mul(BASE).wrapping_add(token.symbol);
        sums.push(sum);
    }
    sums
}

fn run(sums: &[u64], at: usize, length: usize, top: u64) -> u64 {
    mixed(sums[at + length].wrapping_sub(sums[at].wrapping_mul(top)))
}

const BITS: usize = 1 << 16;

impl Wholes {
    /// Adds the part of a row, unless it is shorter than an anchor or there already.
    pub fn add(&mut self, row: u32, tokens: &[Token]) {
        if tokens.len() < ANCHOR {
            return;
        }
        let sums = sums(tokens);
        let anchor = run(&sums, 0, ANCHOR, power(ANCHOR));
        let all = run(&sums, 0, tokens.len(), power(tokens.len()));
        let same = self.by_anchor.entry(anchor).or_default();
        if !same.iter().any(|&(_, length, hash)| (length, hash) == (tokens.len(), all)) {
            same.push((row, tokens.len(), all));
        }
        self.filter.resize(BITS / 64, 0);
        let bit = anchor as usize & (BITS - 1);
        self.filter[bit / 64] |= 1 << (bit % 64);
    }

    /// The longest part that stands in these tokens; of equally long ones the first.
    pub fn found(&self, tokens: &[Token]) -> Option<Found> {
        if self.filter.is_empty() || tokens.len() < ANCHOR {
            return None;
        }
        let (sums, top) = (sums(tokens), power(ANCHOR));
        let mut best: Option<(usize, u32)> = None;
        for at in 0..=tokens.len() - ANCHOR {
            let anchor = run(&sums, at, ANCHOR, top);
            let bit = anchor as usize & (BITS - 1);
            if self.filter[bit / 64] >> (bit % 64) & 1 == 0 {
                continue;
            }
            for &(row, length, all) in self.by_anchor.get(&anchor).into_iter().flatten() {
                if at + length <= tokens.len() && run(&sums, at, length, power(length)) == all {
                    let better = best.is_none_or(|(most, first)| (length, first) > (most, row));
                    best = if better { Some((length, row)) } else { best };
                }
            }
        }
        best.map(|(_, part)| Found { part, share: 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::Wholes;
    use crate::overlap::Found;
    use crate::overlap::tokens::{Token, tokens};

    fn of(text: &str) -> Vec<Token> {
        let mut out = Vec::new();
        tokens(text, "python", &[], &mut out);
        out
    }

    #[test]
    fn a_short_function_is_found_with_its_names_only() {
        let mut wholes = Wholes::default();
        wholes.add(3, &of("def flip(n): return not n"));
        wholes.add(4, &of("def flip(n): return not n"));
        wholes.add(5, &of("return 1"));
        let found = Some(Found { part: 3, share: 1.0 });
        assert_eq!(wholes.found(&of("import x\ndef  flip(n):\n    return not n\n\nflip(1)")), found);
        assert_eq!(wholes.found(&of("def flip(m): return not m")), None);
        assert_eq!(wholes.found(&of("def flip(n): return not m")), None);
    }
}
