//! Which instructions sketch fastest on this machine: measured once in each process. Results never depend on it.

use super::shingles::Unit;
use super::simd::Simd;
use super::{Options, Sketcher};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Words of the text that is sketched: more shingles than the kernel gets at once.
const WORDS: usize = 3000;

/// Values of its sketch: two passes of the kernel.
const HASHES: usize = 256;

/// Each set of instructions has so many turns, of which the shortest counts: others were disturbed.
const TURNS: usize = 5;

/// The fastest that this CPU has.
///
/// Why a measurement: wider is not faster everywhere. On Zen 4 two multiplications of 256 bits take less time than one
/// of 512: 174 MB/s with AVX2, 160 with AVX-512. It takes about a millisecond.
pub fn fastest() -> Simd {
    static CHOSEN: OnceLock<Simd> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let text: String =
            (0..WORDS).map(|i| format!("word{} ", i.wrapping_mul(2_654_435_761) % 100_003)).collect();
        let available: Vec<Simd> = Simd::ALL.into_iter().filter(|simd| simd.available()).collect();
        shortest(&available, |simd| measured(&text, simd))
    })
}

/// The set with the shortest turn; of two that are equal the wider one.
fn shortest(available: &[Simd], mut turn: impl FnMut(Simd) -> Duration) -> Simd {
    let mut best = vec![Duration::MAX; available.len()];
    for _ in 0..TURNS {
        // In turn, so that what disturbs one for a while disturbs all.
        for (best, &simd) in best.iter_mut().zip(available) {
            *best = (*best).min(turn(simd));
        }
    }
    let place = (0..available.len()).rev().min_by_key(|&i| best[i]);
    place.map_or(Simd::Portable, |i| available[i])
}

fn measured(text: &str, simd: Simd) -> Duration {
    let mut sketcher = Sketcher::new(HASHES, Options { ngram: 5, unit: Unit::Word, seed: 0, simd });
    let began = Instant::now();
    std::hint::black_box(sketcher.sketch(std::hint::black_box(text)));
    began.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_turn_counts_and_not_the_name() {
        let levels = [Simd::Portable, Simd::Avx2, Simd::Avx512];
        let times = |portable: u64, avx2: u64, avx512: u64| {
            move |simd: Simd| {
                Duration::from_nanos(match simd {
                    Simd::Portable => portable,
                    Simd::Avx2 => avx2,
                    _ => avx512,
                })
            }
        };
        assert_eq!(shortest(&levels, times(90, 10, 11)), Simd::Avx2);
        assert_eq!(shortest(&levels, times(90, 10, 9)), Simd::Avx512);
        assert_eq!(shortest(&levels, times(90, 10, 10)), Simd::Avx512);
        assert_eq!(shortest(&levels, times(5, 10, 10)), Simd::Portable);
        let mut turn = 0;
        let disturbed = |simd: Simd| {
            turn += 1;
            Duration::from_nanos(if turn < 4 || simd == Simd::Avx2 { 50 } else { 60 })
        };
        assert_eq!(shortest(&levels, disturbed), Simd::Avx512, "one good turn is enough");
        assert_eq!(shortest(&[], times(1, 1, 1)), Simd::Portable);
    }

    #[test]
    fn what_is_chosen_is_there_and_stays() {
        assert!(fastest().available());
        assert_eq!(fastest(), fastest());
    }
}
