//! Which vector instructions are used. Results never depend on it.

/// A set of instructions that the kernels are written for, slowest first.
///
/// `Portable` is plain Rust, which the compiler vectorises with what every CPU of the target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Simd {
    /// Plain Rust.
    Portable,
    /// 128-bit integers of AArch64, which every such CPU has.
    Neon,
    /// 256-bit integers, and the bit manipulation of the same generation (Haswell, Zen and later).
    Avx2,
    /// 512-bit integers: AVX-512 F and BW (Skylake-X, Zen 4 and later).
    Avx512,
}

impl Simd {
    /// Every level, slowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// The name that Python uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this CPU has it.
    pub fn available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => crate::cpu::has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => crate::cpu::has_avx512(),
            #[allow(unreachable_patterns)] // those of another architecture
            _ => false,
        }
    }
}
