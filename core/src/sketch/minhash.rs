//! The sketch: for each of many hash functions, the smallest value over all shingles; and the digests of its bands.

use super::simd::Simd;
use crate::hash::fold;

/// Hash functions per pass over the shingles: their eight 512-bit accumulators and coefficients stay in registers.
const LANES: usize = 128;

/// Hash functions `x → a·x mod 2³²`, each with its own odd `a`.
///
/// Why no `+ b`: over shingles that are well mixed already it changes nothing that could be measured (bias, error,
/// rate of candidates; `docs/design/sketch.md`), and without it the kernel is 1.4 times as fast.
pub struct MinHash {
    /// Padded to a multiple of [`LANES`] with functions whose result is not handed out.
    coefficients: Vec<u32>,
    mins: Vec<u32>,
    hashes: usize,
    simd: Simd,
}

impl MinHash {
    /// `hashes` functions, drawn from `random`.
    pub fn new(hashes: usize, mut random: impl FnMut() -> u64, simd: Simd) -> Self {
        assert!(simd.available(), "{} on a CPU that does not have it", simd.name());
        let padded = hashes.next_multiple_of(LANES);
        let coefficients = (0..padded).map(|_| (random() >> 32) as u32 | 1).collect();
        Self { coefficients, mins: vec![u32::MAX; padded], hashes, simd }
    }

    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.mins.fill(u32::MAX);
    }

    /// The smallest value of each function over all that was added since [`Self::clear`].
    pub fn values(&self) -> &[u32] {
        &self.mins[..self.hashes]
    }

    /// Adds shingles. None may be 0, the one number that every function maps to itself.
    pub fn add(&mut self, shingles: &[u32]) {
        let (coefficients, mins) = (&self.coefficients, &mut self.mins);
        match self.simd {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `new` has checked that the CPU has these instructions.
            Simd::Avx512 => unsafe { x86::add_avx512(shingles, coefficients, mins) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Simd::Avx2 => unsafe { x86::add_avx2(shingles, coefficients, mins) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Simd::Neon => unsafe { neon::add(shingles, coefficients, mins) },
            _ => add_portable(shingles, coefficients, mins),
        }
    }
}

/// 16 functions at a time, which every compiler turns into vectors where there are any.
fn add_portable(shingles: &[u32], coefficients: &[u32], mins: &mut [u32]) {
    let (coefficients, _) = coefficients.as_chunks::<16>();
    let (mins, _) = mins.as_chunks_mut::<16>();
    for (a, mins) in coefficients.iter().zip(mins) {
        let mut accumulators = *mins;
        for &x in shingles {
            for (min, a) in accumulators.iter_mut().zip(a) {
                *min = (*min).min(a.wrapping_mul(x));
            }
        }
        *mins = accumulators;
    }
}

/// The digest of one band: 64 bits that tell its rows, and which band it is.
///
/// Four chains side by side, because one would wait for its multiplications.
pub fn digest(band: usize, rows: &[u32], keys: [u64; 2]) -> u64 {
    let mut chains: [u64; 4] = std::array::from_fn(|lane| keys[1] ^ (band * 4 + lane) as u64);
    let mut step = |lane: usize, v: [u32; 4]| {
        let half = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        chains[lane] = fold(half(v[0], v[1]) ^ keys[0] ^ chains[lane], half(v[2], v[3]) ^ keys[1]);
    };
    let (quads, rest) = rows.as_chunks::<4>();
    for (i, &quad) in quads.iter().enumerate() {
        step(i % 4, quad);
    }
    if !rest.is_empty() {
        let mut padded = [0; 4]; // bands of one sketch have equal numbers of rows: padding cannot be mistaken
        padded[..rest.len()].copy_from_slice(rest);
        step(quads.len() % 4, padded);
    }
    fold(fold(chains[0], chains[1] ^ keys[0]) ^ chains[2], chains[3] ^ keys[1])
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::LANES;
    use std::arch::x86_64::*;
    use std::array::from_fn;

    const W: usize = LANES / 16;

    /// Limit: one multiplication and one minimum per 16 values; see `docs/near-duplicates.md`.
    #[target_feature(enable = "avx512f")]
    pub fn add_avx512(shingles: &[u32], coefficients: &[u32], mins: &mut [u32]) {
        let (coefficients, _) = coefficients.as_chunks::<LANES>();
        let (mins, _) = mins.as_chunks_mut::<LANES>();
        for (a, mins) in coefficients.iter().zip(mins) {
            // SAFETY: both arrays have LANES numbers, W registers full; they need not be aligned.
            let (a, mut accumulators): ([__m512i; W], [__m512i; W]) = unsafe {
                (
                    from_fn(|k| _mm512_loadu_si512(a.as_ptr().add(16 * k).cast())),
                    from_fn(|k| _mm512_loadu_si512(mins.as_ptr().add(16 * k).cast())),
                )
            };
            for &x in shingles {
                let x = _mm512_set1_epi32(x as i32);
                for k in 0..W {
                    accumulators[k] = _mm512_min_epu32(accumulators[k], _mm512_mullo_epi32(a[k], x));
                }
            }
            for (k, accumulator) in accumulators.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { _mm512_storeu_si512(mins.as_mut_ptr().add(16 * k).cast(), accumulator) }
            }
        }
    }

    /// 32 functions at a time: four accumulators and four coefficients of sixteen registers; more would spill.
    #[target_feature(enable = "avx2")]
    pub fn add_avx2(shingles: &[u32], coefficients: &[u32], mins: &mut [u32]) {
        let (coefficients, _) = coefficients.as_chunks::<32>();
        let (mins, _) = mins.as_chunks_mut::<32>();
        for (a, mins) in coefficients.iter().zip(mins) {
            // SAFETY: both arrays have 32 numbers, 4 registers full; they need not be aligned.
            let (a, mut accumulators): ([__m256i; 4], [__m256i; 4]) = unsafe {
                (
                    from_fn(|k| _mm256_loadu_si256(a.as_ptr().add(8 * k).cast())),
                    from_fn(|k| _mm256_loadu_si256(mins.as_ptr().add(8 * k).cast())),
                )
            };
            for &x in shingles {
                let x = _mm256_set1_epi32(x as i32);
                for k in 0..4 {
                    accumulators[k] = _mm256_min_epu32(accumulators[k], _mm256_mullo_epi32(a[k], x));
                }
            }
            for (k, accumulator) in accumulators.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { _mm256_storeu_si256(mins.as_mut_ptr().add(8 * k).cast(), accumulator) }
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;
    use std::array::from_fn;

    const W: usize = 4;

    /// 16 functions and four shingles at a time: 35 instructions for 64 values. With eight or twelve accumulators
    /// registers spill, because the compiler has all multiplications under way at once (52 and 42 instructions).
    ///
    /// Limit: one multiplication, by a lane, and one minimum per 4 values.
    #[target_feature(enable = "neon")]
    pub fn add(shingles: &[u32], coefficients: &[u32], mins: &mut [u32]) {
        let (coefficients, _) = coefficients.as_chunks::<{ 4 * W }>();
        let (mins, _) = mins.as_chunks_mut::<{ 4 * W }>();
        let (fours, rest) = shingles.as_chunks::<4>();
        for (a, mins) in coefficients.iter().zip(mins) {
            // SAFETY: both arrays have W times four numbers; they need not be aligned.
            let (a, mut accumulators): ([uint32x4_t; W], [uint32x4_t; W]) = unsafe {
                (
                    from_fn(|k| vld1q_u32(a.as_ptr().add(4 * k))),
                    from_fn(|k| vld1q_u32(mins.as_ptr().add(4 * k))),
                )
            };
            for four in fours {
                // SAFETY: four numbers.
                let x = unsafe { vld1q_u32(four.as_ptr()) };
                for k in 0..W {
                    let low = vminq_u32(vmulq_laneq_u32::<0>(a[k], x), vmulq_laneq_u32::<1>(a[k], x));
                    let high = vminq_u32(vmulq_laneq_u32::<2>(a[k], x), vmulq_laneq_u32::<3>(a[k], x));
                    accumulators[k] = vminq_u32(accumulators[k], vminq_u32(low, high));
                }
            }
            for &x in rest {
                for k in 0..W {
                    accumulators[k] = vminq_u32(accumulators[k], vmulq_n_u32(a[k], x));
                }
            }
            for (k, accumulator) in accumulators.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { vst1q_u32(mins.as_mut_ptr().add(4 * k), accumulator) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MinHash, digest};
    use crate::sketch::shingles::SplitMix;
    use crate::sketch::simd::Simd;

    #[test]
    fn every_instruction_set_gives_the_definition() {
        let mut random = SplitMix(5);
        let shingles: Vec<u32> = (0..300).map(|_| random.next() as u32 | 2).collect();
        for simd in Simd::ALL.into_iter().filter(|s| s.available()) {
            for hashes in [1, 127, 128, 200, 256] {
                let mut sketch = MinHash::new(
                    hashes,
                    {
                        let mut r = SplitMix(1);
                        move || r.next()
                    },
                    simd,
                );
                sketch.clear();
                shingles.chunks(77).for_each(|part| sketch.add(part));
                let a = &sketch.coefficients;
                let want = |i: usize| shingles.iter().map(|x| a[i].wrapping_mul(*x)).min().unwrap_or(0);
                let want: Vec<u32> = (0..hashes).map(want).collect();
                assert_eq!(sketch.values(), want, "{} {hashes}", simd.name());
            }
        }
    }

    #[test]
    fn a_digest_tells_every_row_and_the_band() {
        for rows in [1_usize, 3, 4, 5, 16, 17, 128] {
            let values: Vec<u32> = (1..=rows as u32).collect();
            let base = digest(3, &values, [1, 2]);
            assert_ne!(base, digest(4, &values, [1, 2]));
            assert_ne!(base, digest(3, &values, [1, 3]));
            for i in 0..rows {
                let mut other = values.clone();
                other[i] ^= 1 << 31;
                assert_ne!(base, digest(3, &other, [1, 2]), "row {i} of {rows}");
            }
        }
    }
}
