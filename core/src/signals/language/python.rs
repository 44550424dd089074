//! To come.

use crate::signals::{Applies, signals};

signals! {
    family "python", version 1, Applies::Languages(&["python"]);

    /// To come.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: to come.
    /// From: to come.
    /// Example: python "" → null
    fn python_parses(_document) { None }
}
