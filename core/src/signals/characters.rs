//! Counts of characters.

use super::{Applies, signals};

signals! {
    family "characters", version 1, Applies::All;

    /// Length of the content.
    ///
    /// Unit: characters (Unicode code points).
    /// Null: never.
    /// Why: very short files teach nothing; very long ones are data.
    /// From: opc_data_filtering, `num_chars`.
    /// Example: python "é = 1\n" → 6
    fn num_chars(document) { Some(document.content.chars().count() as f64) }
}
