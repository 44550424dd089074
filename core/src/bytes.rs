//! Classes of bytes, and runs of them, found 64 bytes at a time.

#[cfg(target_arch = "x86_64")]
use crate::cpu::has_avx2;

const BLOCK: usize = 64;

/// A set of byte values.
///
/// Whether a byte is in it is looked up by half bytes: each of up to eight different rows of the 16 × 16 table of bytes
/// has a bit, which `high` sets for the upper halves that have this row and `low` for the lower halves that are in it.
/// From: Langdale and Lemire, *Parsing Gigabytes of JSON per Second* (2019), section 3.1.2.
#[derive(Clone, Debug)]
pub struct Class {
    members: [bool; 256],
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "the portable code looks at members")
    )]
    low: [u8; 16],
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "the portable code looks at members")
    )]
    high: [u8; 16],
}

/// A [`Class`]: the bytes that a pattern matches.
macro_rules! class {
    ($pattern:pat) => {
        $crate::bytes::Class::of({
            let mut members = [false; 256];
            let mut byte = 0;
            while byte < 256 {
                members[byte] = matches!(byte as u8, $pattern);
                byte += 1;
            }
            members
        })
    };
}
pub(crate) use class;

impl Class {
    /// The class of the bytes for which `members` is true. More than eight different rows do not compile.
    pub const fn of(members: [bool; 256]) -> Self {
        let (mut low, mut high) = ([0_u8; 16], [0_u8; 16]);
        let (mut rows, mut count) = ([0_u16; 8], 0);
        let mut upper = 0;
        while upper < 16 {
            let (mut row, mut lower) = (0_u16, 0);
            while lower < 16 {
                row |= (members[upper * 16 + lower] as u16) << lower;
                lower += 1;
            }
            let mut known = 0;
            while known < count && rows[known] != row {
                known += 1;
            }
            if row != 0 {
                if known == count {
                    rows[count] = row;
                    count += 1;
                }
                high[upper] = 1 << known;
            }
            upper += 1;
        }
        let mut lower = 0;
        while lower < 16 {
            let mut row = 0;
            while row < count {
                low[lower] |= ((rows[row] >> lower & 1) as u8) << row;
                row += 1;
            }
            lower += 1;
        }
        Self { members, low, high }
    }

    /// A class of ASCII that can be changed: each upper half has a row of its own.
    pub fn of_ascii(mut members: [bool; 256]) -> Self {
        members[128..].fill(false);
        let mut class = Self {
            members: [false; 256],
            low: [0; 16],
            high: [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        (0..128).filter(|&byte| members[byte as usize]).for_each(|byte| class.set(byte, true));
        class
    }

    /// Puts a byte of ASCII in a class [`Self::of_ascii`], or takes it out.
    pub fn set(&mut self, byte: u8, member: bool) {
        let (row, row_bit) = (&mut self.low[(byte & 15) as usize], 1 << (byte >> 4));
        *row = if member { *row | row_bit } else { *row & !row_bit };
        self.members[byte as usize] = member;
    }

    /// Whether a byte is in it.
    #[inline]
    pub fn has(&self, byte: u8) -> bool {
        self.members[byte as usize]
    }

    /// Bit `i` tells whether `block[i]` is in it.
    #[inline]
    pub fn mask(&self, block: &[u8; BLOCK]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the CPU has these instructions.
            return unsafe { self.mask_avx2(block) };
        }
        self.mask_portable(block)
    }

    #[inline(always)]
    fn mask_portable(&self, block: &[u8; BLOCK]) -> u64 {
        block.iter().rev().fold(0, |mask, &byte| mask << 1 | u64::from(self.has(byte)))
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    fn mask_avx2(&self, block: &[u8; BLOCK]) -> u64 {
        use std::arch::x86_64::*;
        // SAFETY: both tables are 16 bytes; they need not be aligned.
        let (low, high) = unsafe {
            (
                _mm256_broadcastsi128_si256(_mm_loadu_si128(self.low.as_ptr().cast())),
                _mm256_broadcastsi128_si256(_mm_loadu_si128(self.high.as_ptr().cast())),
            )
        };
        let nibble = _mm256_set1_epi8(15);
        let mut mask = 0;
        for half in [0, 32] {
            // SAFETY: `block` is 64 bytes.
            let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(half).cast()) };
            let low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
            let high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble));
            let none = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
            mask |= u64::from(!_mm256_movemask_epi8(none) as u32) << half;
        }
        mask
    }

    /// The maximal runs of its bytes in `text`, in order: where each starts and ends.
    pub fn runs<'t>(&'t self, text: &'t [u8]) -> Runs<'t> {
        Runs { class: self, text, next: 0, inside: 0, edges: [[0; 2]; ROOM / 2], at: 0, found: 0 }
    }

    /// Where the first byte of the class is in `text`.
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let (block, mask) = (0..)
            .zip(blocks)
            .map(|(i, block)| (i, self.mask(block)))
            .find(|(_, mask)| *mask != 0)
            .unwrap_or((blocks.len(), self.mask(&padded(rest)) & !(u64::MAX << rest.len())));
        (mask != 0).then(|| block * BLOCK + mask.trailing_zeros() as usize)
    }
}

/// The last bytes of a text as a block, zeros after them.
#[inline]
pub fn padded(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// So many edges at least are found at a time, if there are; a block has up to 64, and one may be left from before.
const WANTED: usize = 128;
const ROOM: usize = WANTED + BLOCK + 2;

/// Iterates over the runs of a class. See [`Class::runs`].
///
/// Edges are found a hundred at a time, by a loop that has no branch which depends on a byte: handing them out one
/// block at a time cost a mispredicted branch for every block, and a choice of instructions.
pub struct Runs<'t> {
    class: &'t Class,
    text: &'t [u8],
    next: usize, // where the block after those looked at starts
    inside: u64, // 1 if the last byte looked at is of the class
    edges: [[usize; 2]; ROOM / 2],
    at: usize,    // how many runs have been handed out
    found: usize, // how many edges there are
}

impl Runs<'_> {
    /// The next runs, as many as have been found at once; none at the end. They are the caller's to change.
    #[inline]
    pub fn some(&mut self) -> &mut [[usize; 2]] {
        if self.at == self.found / 2 {
            self.read();
        }
        let from = std::mem::replace(&mut self.at, self.found / 2);
        &mut self.edges[from..self.found / 2]
    }

    /// Finds more runs, if there are.
    #[inline(never)]
    fn read(&mut self) {
        self.edges[0] = self.edges[self.found / 2]; // of which only the start is known
        (self.at, self.found) = (0, self.found % 2);
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the CPU has these instructions.
            return unsafe { self.read_avx2() };
        }
        self.read_by(|class, block| class.mask_portable(block));
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn read_avx2(&mut self) {
        self.read_by(|class, block| class.mask_avx2(block));
    }

    #[inline(always)]
    fn read_by(&mut self, mask: impl Fn(&Class, &[u8; BLOCK]) -> u64) {
        let (blocks, _) = self.text[self.next.min(self.text.len())..].as_chunks::<BLOCK>();
        for block in blocks {
            self.add(mask(self.class, block), u64::MAX);
            if self.found >= WANTED {
                return;
            }
        }
        if let Some(rest) = self.text.get(self.next..).filter(|rest| !rest.is_empty()) {
            self.add(mask(self.class, &padded(rest)), !(u64::MAX << rest.len()));
        }
        if self.found % 2 == 1 {
            self.edges.as_flattened_mut()[self.found] = self.text.len();
            self.found += 1;
        }
    }

    /// Adds the edges of a block, of which `real` bytes are text.
    #[inline(always)]
    fn add(&mut self, mask: u64, real: u64) {
        let mask = mask & real;
        let mut edges = (mask ^ (mask << 1 | self.inside)) & real;
        let count = edges.count_ones() as usize;
        let mut room = self.edges.as_flattened_mut()[self.found..].as_chunks_mut::<4>().0.iter_mut();
        while edges != 0 {
            let Some(four) = room.next() else { break };
            for edge in four {
                // Four at a time, real or not, so that few branches are taken.
                *edge = self.next + edges.trailing_zeros() as usize;
                edges &= edges.wrapping_sub(1);
            }
        }
        self.found += count;
        self.inside = mask >> 63;
        self.next += BLOCK;
    }
}

impl Iterator for Runs<'_> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        if self.at == self.found / 2 {
            self.read();
        }
        let [start, end] = *self.edges[..self.found / 2].get(self.at)?;
        self.at += 1;
        Some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::Class;

    const VOWELS: Class =
        class!(b'a' | b'e' | b'i' | b'o' | b'u' | b'A' | b'E' | b'I' | b'O' | b'U' | 0xE9 | 0xFF);

    #[test]
    fn masks_are_what_membership_says() {
        let text: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for block in text.as_chunks().0 {
            for (i, &byte) in block.iter().enumerate() {
                assert_eq!(VOWELS.mask(block) >> i & 1 == 1, VOWELS.has(byte));
            }
            assert_eq!(VOWELS.mask(block), VOWELS.mask_portable(block));
        }
    }

    /// The runs as a CPU without AVX2 finds them.
    fn portable(text: &[u8]) -> Vec<(usize, usize)> {
        let (mut runs, mut all) = (VOWELS.runs(text), Vec::new());
        loop {
            runs.edges[0] = runs.edges[runs.found / 2];
            runs.found %= 2;
            runs.read_by(|class, block| class.mask_portable(block));
            if runs.found < 2 {
                return all;
            }
            all.extend(runs.edges[..runs.found / 2].iter().map(|&[start, end]| (start, end)));
        }
    }

    #[test]
    fn runs_do_not_depend_on_the_cpu() {
        let text: Vec<u8> = (0..4099_u32).map(|i| b"aeiou xyz"[(i * i / 7 % 9) as usize]).collect();
        for end in (0..200).chain([1000, 4095, 4096, 4099]) {
            let found: Vec<_> = VOWELS.runs(&text[..end]).collect();
            assert_eq!(found, portable(&text[..end]));
        }
    }

    #[test]
    fn runs_are_maximal() {
        let runs = |text: &str| VOWELS.runs(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(runs(""), []);
        assert_eq!(runs("beau aei"), [(1, 4), (5, 8)]);
        for before in [0, 1, 62, 63, 64, 65, 128] {
            for long in [1, 2, 63, 64, 65, 129] {
                let text = "x".repeat(before) + &"a".repeat(long);
                assert_eq!(runs(&text), [(before, before + long)]);
                assert_eq!(runs(&(text + "x")), [(before, before + long)]);
            }
        }
        assert_eq!((VOWELS.find(b"xyz"), VOWELS.find(b"xyzE")), (None, Some(3)));
    }
}
