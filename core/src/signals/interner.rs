//! Numbers for strings: equal strings get equal numbers, compared byte by byte and never by hash alone.

use crate::bytes::Runs;
use crate::hash::{self, fold};
use std::hash::{BuildHasher, RandomState};

/// A table of strings seen so far. Numbers count from 0 in the order of first sight.
pub struct Interner {
    /// Numbers that no document can know, so that none can make its strings collide. Results do not depend on them.
    secret: [u64; 2],
    keys: Vec<Key>,
    slots: Vec<u32>,  // hash → number + 1; 0 = empty
    long: Vec<u8>,    // the strings that do not fit in a key, one after the other
    ends: Vec<usize>, // where each of those ends
}

/// A string of up to 15 bytes, padded with zeros, and its length in the last byte; or, where that is [`LONG`], the
/// hash of a longer one, and which of those it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key([u64; 2]);

const LONG: u64 = 0xFF << 56;

/// What keeps the bytes of a string of each length up to 15, of the first and of the second eight.
const KEEP: [[u64; 2]; 16] = {
    let mut keep = [[0; 2]; 16];
    let mut len = 1;
    while len < 16 {
        keep[len] = [
            if len >= 8 { u64::MAX } else { u64::MAX >> (64 - 8 * len) },
            if len <= 8 { 0 } else { u64::MAX >> (128 - 8 * len) },
        ];
        len += 1;
    }
    keep
};

impl Default for Interner {
    fn default() -> Self {
        let state = RandomState::new();
        Self {
            secret: [state.hash_one(1) | 1, state.hash_one(2) | 1],
            keys: Vec::new(),
            slots: Vec::new(),
            long: Vec::new(),
            ends: Vec::new(),
        }
    }
}

/// A secret hash of two words.
#[inline(always)]
fn mixed(a: u64, b: u64, secret: [u64; 2]) -> u64 {
    fold(a ^ secret[0], b ^ secret[1])
}

impl Key {
    fn is_long(self) -> bool {
        self.0[1] & LONG == LONG
    }

    fn hash(self, secret: [u64; 2]) -> u64 {
        if self.is_long() { self.0[0] } else { mixed(self.0[0], self.0[1], secret) }
    }
}

/// How many strings are hashed before the first is looked for.
const AHEAD: usize = 32;

/// Slots of an empty table, and the most that are kept for the next document.
const SLOTS: usize = 1024;

impl Interner {
    /// Forgets all strings and keeps the memory.
    pub fn reset(&mut self) {
        self.keys.clear();
        self.long.clear();
        self.ends.clear();
        self.slots.truncate(SLOTS);
        self.slots.fill(0);
    }

    /// The number of `text[start..end]`.
    #[inline]
    pub fn number(&mut self, text: &[u8], start: usize, end: usize) -> u32 {
        match KEEP.get(end - start) {
            Some(&keep) => self.short(halves(text, start, end), keep, end - start),
            None => {
                self.make_room(1);
                self.long(&text[start..end])
            }
        }
    }

    /// Calls `each` with the number of each of `runs` that begins with a `wanted` byte, and the run. If `LOWER`, runs
    /// are letters and digits of ASCII, and numbered by their lower case. Returns how many runs
    /// there are.
    ///
    /// Many are hashed before the first is looked for: a look often ends in a mispredicted branch, and what is begun
    /// behind that is begun again.
    #[inline]
    pub fn numbers<const LOWER: bool>(
        &mut self,
        text: &[u8],
        mut runs: Runs<'_>,
        wanted: impl Fn(u8) -> bool,
        mut each: impl FnMut(u32, usize, usize),
    ) -> usize {
        let bits = if LOWER { 0x2020_2020_2020_2020 } else { 0 }; // digits have that bit
        let (mut all, mut ahead) = (0, [(Key([0; 2]), 0); AHEAD]);
        loop {
            let some = runs.some();
            if some.is_empty() {
                return all;
            }
            all += some.len();
            for some in some.chunks_mut(AHEAD) {
                let mut count = 0;
                for i in 0..some.len() {
                    let [start, end] = some[i];
                    let length = end - start;
                    let keep = KEEP[length.min(15)];
                    let [low, high] = halves(text, start, end).map(|half| half | bits);
                    let key = Key([low & keep[0], high & keep[1] | (length as u64) << 56]);
                    ahead[count] = (key, mixed(key.0[0], key.0[1], self.secret));
                    some[count] = [start, end];
                    count += usize::from(wanted(text[start]));
                }
                self.make_room(AHEAD);
                for (&[start, end], &(key, hash)) in some[..count].iter().zip(&ahead) {
                    let number = if end - start < KEEP.len() {
                        self.intern(hash, |_, known| known == key, |_| key)
                    } else if LOWER {
                        self.long(&text[start..end].to_ascii_lowercase())
                    } else {
                        self.long(&text[start..end])
                    };
                    each(number, start, end);
                }
            }
        }
    }

    #[inline]
    fn short(&mut self, halves: [u64; 2], keep: [u64; 2], len: usize) -> u32 {
        let key = Key([halves[0] & keep[0], halves[1] & keep[1] | (len as u64) << 56]);
        self.make_room(1);
        self.intern(mixed(key.0[0], key.0[1], self.secret), |_, known| known == key, |_| key)
    }

    #[inline(never)]
    fn long(&mut self, text: &[u8]) -> u32 {
        let secret = self.secret;
        let mix = |state: u64, [low, high]: [u64; 2]| fold(low ^ secret[0] ^ state, high ^ secret[1]);
        let start = fold(text.len() as u64 ^ secret[0], secret[1]);
        let hash =
            text.as_chunks::<16>().0.iter().fold(start, |state, piece| mix(state, halves(piece, 0, 16)));
        let hash = mix(hash, halves(text, text.len() - 16, text.len())); // the last 16, some of them again
        self.intern(
            hash,
            |table, known| known.is_long() && known.0[0] == hash && table.spelled(known) == text,
            |table| {
                table.long.extend_from_slice(text);
                table.ends.push(table.long.len());
                Key([hash, LONG | (table.ends.len() - 1) as u64])
            },
        )
    }

    /// The bytes of a string that does not fit in a key.
    fn spelled(&self, key: Key) -> &[u8] {
        let at = (key.0[1] & !LONG) as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.long[start..self.ends[at]]
    }

    /// Makes sure that three of four slots stay empty after so many more strings: where fewer were, every fourth look
    /// went to a second slot, and a branch that was seldom foreseen.
    #[inline]
    fn make_room(&mut self, more: usize) {
        while (self.keys.len() + more) * 4 > self.slots.len() {
            self.grow();
        }
    }

    /// The caller has made room.
    #[inline(always)]
    fn intern(
        &mut self,
        hash: u64,
        is_it: impl Fn(&Self, Key) -> bool,
        key: impl FnOnce(&mut Self) -> Key,
    ) -> u32 {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                0 => {
                    let key = key(self);
                    self.keys.push(key);
                    self.slots[slot] = self.keys.len() as u32;
                    return self.keys.len() as u32 - 1;
                }
                taken if is_it(self, self.keys[taken as usize - 1]) => return taken - 1,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(SLOTS);
        let secret = self.secret;
        self.slots.clear();
        self.slots.resize(size, 0);
        for (number, key) in (1..).zip(&self.keys) {
            let mut slot = key.hash(secret) as usize & (size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = number;
        }
    }
}

/// Sixteen bytes from `start`, as two numbers; what is past `end` is anything.
#[inline(always)]
fn halves(text: &[u8], start: usize, end: usize) -> [u64; 2] {
    let mut padded = [0; 16];
    let bytes = text.get(start..).and_then(|rest| rest.first_chunk::<16>()).unwrap_or_else(|| {
        let few = &text[start..end.min(start + 16)];
        padded[..few.len()].copy_from_slice(few);
        &padded
    });
    hash::halves(*bytes)
}

#[cfg(test)]
mod tests {
    use super::Interner;
    use crate::bytes::{Class, class};

    static WORD: Class = class!(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z');

    #[test]
    fn equal_strings_have_equal_numbers() {
        let (mut table, mut lower) = (Interner::default(), Interner::default());
        for round in 0..2 {
            for i in 0..10_000_u32 {
                let text = format!("{}X{}", "a".repeat(i as usize % 40), i % 5_000);
                for text in [text.clone(), text.clone() + " and what follows it"] {
                    assert_eq!(
                        table.number(text.as_bytes(), 0, text.find(' ').unwrap_or(text.len())),
                        i % 5_000
                    );
                }
                let number = lower.number(text.to_lowercase().as_bytes(), 0, text.len());
                let mut again = None;
                let run = WORD.runs(text.as_bytes());
                lower.numbers::<true>(text.as_bytes(), run, |_| true, |found, _, _| again = Some(found));
                assert_eq!(again, Some(number));
            }
            assert_eq!((table.keys.len(), lower.keys.len()), (5_000, 5_000), "{round}");
            table.reset();
            lower.reset();
        }
    }

    #[test]
    fn strings_differ_by_case_by_length_and_by_zeros() {
        let mut table = Interner::default();
        let texts =
            ["", "a", "A", "a\0", "\0", "\0\0", "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaa"];
        for (number, text) in (0..).zip(texts) {
            assert_eq!(table.number(text.as_bytes(), 0, text.len()), number);
        }
        assert_eq!(table.number(b"xaay", 1, 2), 1);
    }
}
