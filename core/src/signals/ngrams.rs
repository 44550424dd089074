//! To come.

use super::{Applies, signals};

signals! {
    family "ngrams", version 1, Applies::All;

    /// To come.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: to come.
    /// From: to come.
    /// Example: python "" → null
    fn frac_chars_top_2grams(_document) { None }
}
