//! What this CPU has beyond what every CPU of its kind has. Results never depend on it.

/// Whether it has every feature that is enabled for loops over 256 bits: the integers, and the bit manipulation of the
/// same generation (Haswell, Zen and later).
///
/// Why one question: code that enables `avx2,bmi1,bmi2,popcnt`, or fewer of them, may run if and only if all it
/// enables is there. A feature that such code enables is to be asked for here.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
}

/// The same of 512 bits: with those of 256, AVX-512 F and BW (Skylake-X, Zen 4 and later).
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn has_avx512() -> bool {
    has_avx2() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}
