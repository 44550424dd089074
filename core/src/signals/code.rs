//! To come.

use super::{Applies, signals};

signals! {
    family "code", version 1, Applies::CodeAndData;

    /// To come.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: to come.
    /// From: to come.
    /// Example: python "" → null
    fn has_xml_declaration(_document) { None }
}
