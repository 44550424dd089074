//! Words of a text, each as a 64-bit hash. See [`super::VERSION`] for what a word is.

use super::simd::Simd;
use crate::hash::{fold, halves};

/// Bytes of text looked at before their words are hashed: masks, positions and hashes then stay in the first cache.
const CHUNK: usize = 4096;
const BLOCK: usize = 64;

/// Positions of the words of one chunk, reused from chunk to chunk.
///
/// One word takes two bytes at least (itself and a separator) or three (a character that begins a word), so that
/// `CHUNK / 2` words end in a chunk at most; a block writes up to 64 positions past the last.
struct Positions {
    at: Box<[usize; CHUNK / 2 + 2 * BLOCK]>,
    len: usize,
}

impl Positions {
    fn new() -> Self {
        Self { at: Box::new([0; CHUNK / 2 + 2 * BLOCK]), len: 0 }
    }

    /// Appends `base` + the position of each bit that is set.
    ///
    /// Why so: most blocks have about eight words. Writing eight positions always, and counting those that are real,
    /// has no branch to predict.
    #[inline(always)]
    fn extend(&mut self, mut bits: u64, base: usize) {
        let count = bits.count_ones() as usize;
        let slots = &mut self.at[self.len..self.len + BLOCK];
        for slot in &mut slots[..8] {
            *slot = base + bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
        }
        if count > 8 {
            for slot in &mut slots[8..16] {
                *slot = base + bits.trailing_zeros() as usize;
                bits &= bits.wrapping_sub(1);
            }
            for slot in &mut slots[16..count.max(16)] {
                *slot = base + bits.trailing_zeros() as usize;
                bits &= bits.wrapping_sub(1);
            }
        }
        self.len += count;
    }
}

/// Finds and hashes words; holds the buffers.
pub struct Words {
    keys: [u64; 2],
    starts: Positions,
    ends: Positions,
    hashes: Vec<u64>,
    simd: Simd,
}

impl Words {
    /// `keys` seed the hash; any two numbers.
    pub fn new(keys: [u64; 2], simd: Simd) -> Self {
        assert!(simd.available(), "{} on a CPU that does not have it", simd.name());
        Self { keys, starts: Positions::new(), ends: Positions::new(), hashes: Vec::new(), simd }
    }

    /// Calls `sink` with the hashes of the words of `text`, in order, a chunk at a time.
    pub fn each(&mut self, text: &[u8], mut sink: impl FnMut(&[u64])) {
        (self.starts.len, self.ends.len) = (0, 0);
        let mut inside = 0; // 1 where the byte before the chunk belongs to a word
        for base in (0..text.len()).step_by(CHUNK) {
            self.hashes.clear();
            match self.simd {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `new` has checked that the CPU has these instructions.
                Simd::Avx512 => unsafe { self.chunk_avx512(text, base, &mut inside) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                Simd::Avx2 => unsafe { self.chunk_avx2(text, base, &mut inside) },
                #[cfg(target_arch = "aarch64")]
                // SAFETY: as above.
                Simd::Neon => unsafe { self.chunk_neon(text, base, &mut inside) },
                _ => self.chunk(text, base, &mut inside, classify),
            }
            sink(&self.hashes);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
    fn chunk_avx512(&mut self, text: &[u8], base: usize, inside: &mut u64) {
        self.chunk(text, base, inside, |block| x86::classify_avx512(block));
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn chunk_avx2(&mut self, text: &[u8], base: usize, inside: &mut u64) {
        self.chunk(text, base, inside, |block| x86::classify_avx2(block));
    }

    #[cfg(target_arch = "aarch64")]
    #[target_feature(enable = "neon")]
    fn chunk_neon(&mut self, text: &[u8], base: usize, inside: &mut u64) {
        self.chunk(text, base, inside, |block| neon::classify(block));
    }

    /// Hashes the words that end in the chunk at `base`; one that goes on is left as the first of the next chunk.
    #[inline(always)]
    fn chunk(
        &mut self,
        text: &[u8],
        base: usize,
        inside: &mut u64,
        classify: impl Fn(&[u8; BLOCK]) -> (u64, u64),
    ) {
        let chunk = &text[base..text.len().min(base + CHUNK)];
        let (blocks, tail) = chunk.as_chunks::<BLOCK>();
        let mut at = base;
        let mut mark = |block: &[u8; BLOCK], at: usize| {
            let (word, begins) = classify(block);
            let before = word << 1 | *inside;
            self.starts.extend(word & (!before | begins), at);
            self.ends.extend(before & (!word | begins), at);
            *inside = word >> 63;
        };
        for block in blocks {
            mark(block, at);
            at += BLOCK;
        }
        if !tail.is_empty() {
            let mut padded = [0; BLOCK]; // zero separates words
            padded[..tail.len()].copy_from_slice(tail);
            mark(&padded, at);
        }
        if base + CHUNK >= text.len() && *inside == 1 {
            self.ends.extend(1, text.len());
        }
        let words = self.ends.len;
        let pairs = self.starts.at[..words].iter().zip(&self.ends.at[..words]);
        let keys = self.keys;
        self.hashes.extend(pairs.map(|(&start, &end)| hash(text, start, end, keys)));
        if self.starts.len > words {
            self.starts.at[0] = self.starts.at[words];
        }
        self.starts.len -= words;
        self.ends.len = 0;
    }
}

/// Whether a byte belongs to a word.
#[inline(always)]
pub fn counts(byte: u8) -> bool {
    byte >= 0x80 || byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Bits of the bytes that belong to words, and of those that begin a word whatever is before them.
#[inline(always)]
fn classify(block: &[u8; BLOCK]) -> (u64, u64) {
    let (mut word, mut begins) = (0, 0);
    for (i, &byte) in block.iter().enumerate() {
        word |= u64::from(counts(byte)) << i;
        begins |= u64::from(byte >= 0xE0) << i;
    }
    (word, begins)
}

/// Which of the first and second eight bytes belong to a word of each length up to 16.
const KEEP: [[u64; 2]; 17] = {
    let mut keep = [[0; 2]; 17];
    let mut len = 1;
    while len <= 16 {
        keep[len][0] = if len >= 8 { u64::MAX } else { u64::MAX >> (64 - 8 * len) };
        keep[len][1] = if len <= 8 { 0 } else { u64::MAX >> (128 - 8 * len) };
        len += 1;
    }
    keep
};

/// The hash of `text[start..end]`: 16 bytes per multiplication, zeros after the end (no word has zeros in it).
#[inline(always)]
fn hash(text: &[u8], start: usize, end: usize, keys: [u64; 2]) -> u64 {
    let len = end - start;
    match (KEEP.get(len), text[start..].first_chunk()) {
        (Some(keep), Some(bytes)) => {
            let [low, high] = halves(*bytes);
            fold((low & keep[0]) ^ keys[0], (high & keep[1]) ^ keys[1])
        }
        _ => hash_slowly(&text[start..end], keys),
    }
}

/// [`hash`] of a word that is long, or at the end of the text.
#[cold]
#[inline(never)]
fn hash_slowly(word: &[u8], keys: [u64; 2]) -> u64 {
    let (pieces, rest) = word.as_chunks::<16>();
    let mut hash = 0;
    for piece in pieces {
        let [low, high] = halves(*piece);
        hash = fold(low ^ keys[0] ^ hash, high ^ keys[1]);
    }
    if !rest.is_empty() {
        let mut padded = [0; 16];
        padded[..rest.len()].copy_from_slice(rest);
        let [low, high] = halves(padded);
        hash = fold(low ^ keys[0] ^ hash, high ^ keys[1]);
    }
    hash
}

/// By the lower half: 1 digit, 2 `A-O` or `a-o`, 4 `P-Z` or `_`, 8 `p-z`, 16 beyond ASCII.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const LOW: [u8; 16] = {
    let mut table = [16; 16];
    let mut i = 0;
    while i < 16 {
        table[i] |= (i <= 9) as u8
            | ((i >= 1) as u8) << 1
            | ((i <= 10 || i == 15) as u8) << 2
            | ((i <= 10) as u8) << 3;
        i += 1;
    }
    table
};
/// By the upper half: bits here and in [`LOW`] agree where the byte counts.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const HIGH: [u8; 16] = [0, 0, 0, 1, 2, 4, 2, 8, 16, 16, 16, 16, 16, 16, 16, 16];

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! [`super::classify`] with a table look-up per half byte.

    use super::{BLOCK, HIGH, LOW};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub fn classify_avx512(block: &[u8; BLOCK]) -> (u64, u64) {
        // SAFETY: `block` is 64 bytes, and both tables are 16; none need be aligned.
        let (bytes, low, high) = unsafe {
            (
                _mm512_loadu_si512(block.as_ptr().cast()),
                _mm512_broadcast_i32x4(_mm_loadu_si128(LOW.as_ptr().cast())),
                _mm512_broadcast_i32x4(_mm_loadu_si128(HIGH.as_ptr().cast())),
            )
        };
        let nibble = _mm512_set1_epi8(15);
        let low = _mm512_shuffle_epi8(low, _mm512_and_si512(bytes, nibble));
        let high = _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble));
        let begins = _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8(0xE0_u8 as i8));
        (_mm512_test_epi8_mask(low, high), begins)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    pub fn classify_avx2(block: &[u8; BLOCK]) -> (u64, u64) {
        let (mut word, mut begins) = (0, 0);
        for half in [0, 32] {
            // SAFETY: `block` is 64 bytes, and both tables are 16; none need be aligned.
            let (bytes, low, high) = unsafe {
                (
                    _mm256_loadu_si256(block.as_ptr().add(half).cast()),
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(LOW.as_ptr().cast())),
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(HIGH.as_ptr().cast())),
                )
            };
            let nibble = _mm256_set1_epi8(15);
            let low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
            let high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble));
            let other = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
            let lead = _mm256_set1_epi8(0xE0_u8 as i8);
            let lead = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, lead), bytes);
            word |= u64::from(!_mm256_movemask_epi8(other) as u32) << half;
            begins |= u64::from(_mm256_movemask_epi8(lead) as u32) << half;
        }
        (word, begins)
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    //! [`super::classify`] with a table look-up per half byte.

    use super::{BLOCK, HIGH, LOW};
    use std::arch::aarch64::*;
    use std::array::from_fn;

    #[target_feature(enable = "neon")]
    #[inline]
    pub fn classify(block: &[u8; BLOCK]) -> (u64, u64) {
        // SAFETY: `block` is four times 16 bytes, and both tables are 16; none need be aligned.
        let (bytes, low, high): ([uint8x16_t; 4], _, _) = unsafe {
            (
                from_fn(|k| vld1q_u8(block.as_ptr().add(16 * k))),
                vld1q_u8(LOW.as_ptr()),
                vld1q_u8(HIGH.as_ptr()),
            )
        };
        let nibble = vdupq_n_u8(15);
        let counts = from_fn(|k| {
            let by_low = vqtbl1q_u8(low, vandq_u8(bytes[k], nibble));
            vtstq_u8(by_low, vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes[k])))
        });
        let begins = from_fn(|k| vcgeq_u8(bytes[k], vdupq_n_u8(0xE0)));
        (bits(counts), bits(begins))
    }

    /// One bit of each byte that is all ones: their weights within eight bytes, added up in pairs three times.
    #[target_feature(enable = "neon")]
    #[inline]
    fn bits(masks: [uint8x16_t; 4]) -> u64 {
        const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: 16 bytes.
        let weights = unsafe { vld1q_u8(WEIGHTS.as_ptr()) };
        let weighed: [uint8x16_t; 4] = from_fn(|k| vandq_u8(masks[k], weights));
        let sums = vpaddq_u8(vpaddq_u8(weighed[0], weighed[1]), vpaddq_u8(weighed[2], weighed[3]));
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
    }
}
