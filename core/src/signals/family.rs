//! What a family of signals is, and how one is written.

use super::document::{DocType, Document};

/// Signals that are defined together and apply to the same documents.
pub struct Family {
    /// The name of its file.
    pub name: &'static str,
    /// Raised when the values of one of its signals change.
    pub version: u32,
    /// Which documents they are measured on; null for others.
    pub applies: Applies,
    /// Its signals, in the order of columns.
    pub signals: &'static [Signal],
}

/// Which documents a family is for.
#[derive(Clone, Copy)]
pub enum Applies {
    /// Every document whose type is known.
    All,
    /// Those of type code or data.
    CodeAndData,
    /// Those of type text or web.
    Text,
    /// Those in one of these languages.
    Languages(&'static [&'static str]),
}

/// One signal.
pub struct Signal {
    /// The name of its function and of its column.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Measures it. `None`: it does not apply, or cannot be computed.
    pub measure: fn(&Document<'_>) -> Option<f64>,
}

impl Applies {
    /// Whether a family is for this document.
    pub fn to(self, document: &Document<'_>) -> bool {
        match self {
            Self::All => true,
            Self::CodeAndData => matches!(document.doc_type, DocType::Code | DocType::Data),
            Self::Text => document.doc_type == DocType::Text,
            Self::Languages(names) => names.contains(&document.language),
        }
    }
}

/// Writes a family: its functions, and the table of them that is its `FAMILY`.
macro_rules! signals {
    (
        family $family:literal, version $version:literal, $applies:expr;
        $( $(#[doc = $doc:literal])+ fn $name:ident($document:ident) $body:block )+
    ) => {
        $( $(#[doc = $doc])+ fn $name($document: &$crate::signals::Document<'_>) -> Option<f64> $body )+

        /// The family of this file.
        pub static FAMILY: $crate::signals::Family = $crate::signals::Family {
            name: $family,
            version: $version,
            applies: $applies,
            signals: &[$( $crate::signals::Signal {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                measure: $name,
            } ),+],
        };
    };
}
pub(crate) use signals;
