//! A stack large enough for a recursive parser on a hostile text.
//!
//! The parsers of oxc and ruff recurse as deep as their input nests, and so does what takes a tree down; a stack
//! overflow cannot be caught: it ends the process. So callers bound the depth by counting what can deepen it, and
//! parse where there is room for that.

/// What is needed however flat the text is.
const BASE: usize = 256 << 10;

/// The largest stack: address space only, of which what is used becomes memory.
const MOST: usize = 1 << 30;

/// What ordinary documents take, so that it can be had once for many of them: see [`with_large_stack`].
pub const LARGE: usize = 256 << 20;

/// Runs `f` where there is room for what [`LARGE`] says, so that no [`with_stack`] in it asks the system for less.
#[cfg_attr(not(feature = "python"), allow(dead_code))]
pub fn with_large_stack<T>(f: impl FnOnce() -> T) -> T {
    stacker::grow(LARGE + 2 * BASE, f)
}

/// Runs `f`, which takes at most `bytes` of stack besides a little, with room for them.
///
/// `None`, and `f` does not run, if that is more than 1 GiB. Ordinary files fit on the stack there is.
pub fn with_stack<T>(bytes: usize, f: impl FnOnce() -> T) -> Option<T> {
    let needed = bytes.checked_add(BASE).filter(|&needed| needed <= MOST)?;
    let enough = stacker::remaining_stack().is_some_and(|left| left >= needed);
    Some(if enough { f() } else { stacker::grow(needed, f) })
}

#[cfg(test)]
mod tests {
    use super::{MOST, with_stack};

    const FRAME: usize = 4 << 10;

    fn recurse(depth: usize) -> usize {
        let frame = std::hint::black_box([depth; FRAME / 64]);
        if depth == 0 { 0 } else { recurse(depth - 1) + usize::from(frame[0] == depth) }
    }

    #[test]
    fn there_is_room_for_every_level() {
        for depth in [0, 1, 1000, 20_000] {
            assert_eq!(with_stack(depth * FRAME, || recurse(depth)), Some(depth));
        }
    }

    #[test]
    fn what_needs_too_much_does_not_run() {
        for bytes in [MOST, usize::MAX / 2, usize::MAX] {
            assert_eq!(with_stack(bytes, || panic!("ran")), None::<()>);
        }
    }
}
