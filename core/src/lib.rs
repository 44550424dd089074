//! The native core of codemill, importable as `codemill._core`.
//!
//! One folder or file per family. A family's algorithms are plain Rust that knows no Python; its `python.rs` (behind
//! the feature `python`) takes Arrow arrays, releases the GIL, and gives Arrow arrays back. A family shows itself to
//! Python in one line of [`python::_core`], and nowhere else.

pub mod arrow;
pub mod bytes;
pub mod clean;
pub mod cpu;
pub mod decode;
pub mod detect;
pub mod guard;
pub mod hash;
pub mod lex;
pub mod nodes;
pub mod overlap;
pub mod signals;
pub mod sketch;
pub mod web;

#[cfg(feature = "python")]
mod python;

#[cfg(feature = "python")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
