//! A stack large enough for a recursive parser on a hostile text.
//!
//! The parsers of oxc and ruff recurse as deep as their input nests, and a stack overflow cannot be caught: it ends
//! the process. So callers bound the depth by counting what can deepen it, and parse where there is room for that.

/// Bytes of stack that one level of nesting may take, over parsing and visiting: see the tests of the callers.
///
/// Measured on oxc 0.146 built with optimisation: a bracket takes 1.6 KB. Without, frames are larger.
const LEVEL: usize = if cfg!(debug_assertions) { 16 << 10 } else { 4 << 10 };

/// What is needed however flat the text is.
const BASE: usize = 256 << 10;

/// The largest stack: address space only, of which what is used becomes memory.
const MOST: usize = 1 << 30;

/// Runs `f`, which recurses at most `depth_bound` levels, with room for them.
///
/// `None`, and `f` does not run, if that takes more than 1 GiB. Ordinary files fit on the stack there is.
pub(super) fn with_stack<T>(depth_bound: usize, f: impl FnOnce() -> T) -> Option<T> {
    let needed = depth_bound.checked_mul(LEVEL)?.checked_add(BASE)?;
    if needed > MOST {
        return None;
    }
    let enough = stacker::remaining_stack().is_some_and(|left| left >= needed);
    Some(if enough { f() } else { stacker::grow(needed, f) })
}

#[cfg(test)]
mod tests {
    use super::{LEVEL, MOST, with_stack};

    fn recurse(depth: usize) -> usize {
        let frame = std::hint::black_box([depth; LEVEL / 64]);
        if depth == 0 { 0 } else { recurse(depth - 1) + usize::from(frame[0] == depth) }
    }

    #[test]
    fn there_is_room_for_every_level() {
        for depth in [0, 1, 1000, 20_000] {
            assert_eq!(with_stack(depth, || recurse(depth)), Some(depth));
        }
    }

    #[test]
    fn what_needs_too_much_does_not_run() {
        for depth in [MOST / LEVEL, usize::MAX / 2, usize::MAX] {
            assert_eq!(with_stack(depth, || panic!("ran")), None::<()>);
        }
    }
}
