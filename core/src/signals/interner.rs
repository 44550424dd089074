//! Numbers for strings: equal strings get equal numbers, compared byte by byte and never by hash alone.

/// A table of strings seen so far. Numbers count from 0 in the order of first sight.
#[derive(Default)]
pub struct Interner {
    bytes: Vec<u8>,
    starts: Vec<u32>, // of each string in `bytes`; one more for the end
    slots: Vec<u32>,  // hash → number + 1; 0 = empty
}

impl Interner {
    /// Forgets all strings and keeps the memory.
    pub fn reset(&mut self) {
        self.bytes.clear();
        self.starts.clear();
        self.slots.fill(0);
    }

    /// How many different strings there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The number of `text`, lower-cased if it is ASCII and `lower`.
    #[inline]
    pub fn number(&mut self, text: &[u8], lower: bool) -> u32 {
        if self.starts.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash(text) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => {
                    let number = self.starts.len() as u32;
                    self.slots[slot] = number + 1;
                    self.starts.push(self.bytes.len() as u32);
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(text);
                    if lower {
                        self.bytes[start..].make_ascii_lowercase();
                    }
                    return number;
                }
                taken => {
                    let known = self.get(taken - 1);
                    if known.len() == text.len()
                        && (if lower { known.eq_ignore_ascii_case(text) } else { known == text })
                    {
                        return taken - 1;
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The string of a number.
    #[inline]
    pub fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let end = self.starts.get(number + 1).map_or(self.bytes.len(), |&end| end as usize);
        &self.bytes[self.starts[number] as usize..end]
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(256);
        self.slots.clear();
        self.slots.resize(size, 0);
        for number in 0..self.starts.len() as u32 {
            let mut slot = hash(self.get(number)) as usize & (size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = number + 1;
        }
    }
}

/// Eight bytes at a time. Equal but for case gives equal hashes (`| 0x20` also moves a few signs: equality decides).
#[inline]
fn hash(text: &[u8]) -> u64 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let fold = |word: u64| word | 0x2020_2020_2020_2020;
    let mut state = text.len() as u64;
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let word = fold(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        state = (state.rotate_left(5) ^ word).wrapping_mul(PRIME);
        state ^= state >> 32;
    }
    let mut last = [0_u8; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    state = (state.rotate_left(5) ^ fold(u64::from_le_bytes(last))).wrapping_mul(PRIME);
    state ^ (state >> 29)
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn equal_strings_have_equal_numbers() {
        let mut table = Interner::default();
        for i in 0..10_000_u32 {
            assert_eq!(table.number(format!("Word {}", i % 5_000).as_bytes(), true), i % 5_000);
        }
        assert_eq!((table.len(), table.get(17)), (5_000, b"word 17".as_slice()));
        let mut exact = Interner::default();
        assert_ne!(exact.number(b"A", false), exact.number(b"a", false));
    }
}
