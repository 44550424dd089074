//! To come.

use super::{Applies, signals};

signals! {
    family "text", version 1, Applies::Text;

    /// To come.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: to come.
    /// From: to come.
    /// Example: python "" → null
    fn num_sentences(_document) { None }
}
