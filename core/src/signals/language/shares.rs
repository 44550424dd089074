//! What many signals of languages come to: shares of the code lines, and flags.

use super::scan::Needles;
use crate::signals::{Document, ratio};

/// `count` per code line; `None` if there are none.
pub fn per_line(count: usize, document: &Document<'_>) -> Option<f64> {
    ratio(count, document.num_code_lines())
}

/// Code lines that contain one of `needles`, per code line.
pub fn share_of_lines(document: &Document<'_>, needles: &Needles) -> Option<f64> {
    per_line(needles.lines(&document.split().code), document)
}

/// 1 for true, 0 for false.
pub fn flag(value: bool) -> Option<f64> {
    Some(f64::from(u8::from(value)))
}
