//! To come.

use super::{Applies, signals};

signals! {
    family "lines", version 1, Applies::All;

    /// To come.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: to come.
    /// From: to come.
    /// Example: python "" → null
    fn num_lines(_document) { None }
}
