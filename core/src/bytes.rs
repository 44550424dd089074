//! Classes of bytes, and runs of them, found 64 bytes at a time.

const BLOCK: usize = 64;

/// A set of byte values.
///
/// Whether a byte is in it is looked up by half bytes: each of up to eight different rows of the 16 × 16 table of bytes
/// has a bit, which `high` sets for the upper halves that have this row and `low` for the lower halves that are in it.
/// From: Langdale and Lemire, *Parsing Gigabytes of JSON per Second* (2019), section 3.1.2.
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

    /// Whether a byte is in it.
    #[inline]
    pub fn has(&self, byte: u8) -> bool {
        self.members[byte as usize]
    }

    /// Bit `i` tells whether `block[i]` is in it.
    #[inline]
    pub fn mask(&self, block: &[u8; BLOCK]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has these instructions.
            return unsafe { self.mask_avx2(block) };
        }
        block.iter().rev().fold(0, |mask, &byte| mask << 1 | u64::from(self.has(byte)))
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
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
        Runs { class: self, text, next: 0, edges: 0, inside: 0 }
    }

    /// Where the first byte of the class is in `text`.
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        self.runs(text).next().map(|(start, _)| start)
    }
}

/// Iterates over the runs of a class. See [`Class::runs`].
pub struct Runs<'t> {
    class: &'t Class,
    text: &'t [u8],
    next: usize, // where the block after the present one starts
    edges: u64,  // places of the present block, not yet passed, at which a run starts or ends
    inside: u64, // 1 if the last byte of the present block is of the class
}

impl Runs<'_> {
    /// The next place at which a run starts or ends.
    #[inline(always)]
    fn edge(&mut self) -> Option<usize> {
        if self.edges == 0 && !self.read() {
            return None;
        }
        let at = self.next - BLOCK + self.edges.trailing_zeros() as usize;
        self.edges &= self.edges - 1;
        Some(at)
    }

    /// Goes to the next block that has edges; false if there is none.
    fn read(&mut self) -> bool {
        while self.edges == 0 {
            let Some(rest) = self.text.get(self.next..).filter(|rest| !rest.is_empty()) else { return false };
            let mask = match rest.first_chunk::<BLOCK>() {
                Some(block) => self.class.mask(block),
                None => {
                    let bits = rest.iter().rev().map(|&byte| u64::from(self.class.has(byte)));
                    bits.fold(0, |mask, bit| mask << 1 | bit)
                }
            };
            self.edges = mask ^ (mask << 1 | self.inside);
            self.inside = mask >> 63;
            self.next += BLOCK;
        }
        true
    }
}

impl Iterator for Runs<'_> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        let start = self.edge()?;
        Some((start, self.edge().unwrap_or(self.text.len())))
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
