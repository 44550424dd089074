//! Signals: numbers measured on a document. A signal never decides.
//!
//! One file is one family; a signal is one function in it, written inside [`signals!`]. Its name is the name of its
//! column, its doc comment its page in the catalogue: a first sentence, then lines that begin with `Unit:`, `Null:`,
//! `Why:`, `From:` and `Example:`. A new family is a `mod` and its line in [`FAMILIES`].
//!
//! What several signals need is derived once per document, when the first of them asks: see [`Document`].

mod bare;
mod characters;
mod classes;
mod code;
mod document;
mod encoded;
mod find;
mod interner;
mod language;
mod lines;
mod natural;
mod ngrams;
mod split;
mod strings;
mod text;
mod tokens;
mod words;

pub use document::{DocType, Document};
pub use natural::Natural;
pub use split::{Split, split};

#[cfg(feature = "python")]
pub mod python;

/// Every family, in the order of columns.
pub static FAMILIES: &[&Family] = &[
    &characters::FAMILY,
    &lines::FAMILY,
    &words::FAMILY,
    &ngrams::FAMILY,
    &code::FAMILY,
    &tokens::FAMILY,
    &text::FAMILY,
    &language::c::FAMILY,
    &language::cpp::FAMILY,
    &language::csharp::FAMILY,
    &language::go::FAMILY,
    &language::html::FAMILY,
    &language::java::FAMILY,
    &language::python::FAMILY,
    &language::javascript::FAMILY,
    &language::typescript::FAMILY,
    &language::imports::c::FAMILY,
    &language::imports::cpp::FAMILY,
    &language::imports::java::FAMILY,
    &language::imports::go::FAMILY,
    &language::rust::FAMILY,
    &language::php::FAMILY,
    &language::ruby::FAMILY,
    &language::kotlin::FAMILY,
    &language::swift::FAMILY,
    &language::shell::FAMILY,
    &language::sql::FAMILY,
];

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

/// How many signals there are.
pub fn count() -> usize {
    FAMILIES.iter().map(|family| family.signals.len()).sum()
}

/// Measures one document: the value of each signal in the order of columns, and how many panicked.
///
/// A signal that panics is null; the others are not touched by it.
pub fn measure(document: &Document<'_>, wanted: &[bool], values: &mut Vec<Option<f64>>) -> usize {
    let mut failed = 0;
    values.clear();
    for family in FAMILIES {
        let applies = family.applies.to(document);
        for signal in family.signals {
            let asked = applies && wanted[values.len()];
            values.push(asked.then(|| crate::guard::guarded(|| (signal.measure)(document))).and_then(
                |result| {
                    failed += usize::from(result.is_err());
                    result.ok().flatten().filter(|value| value.is_finite())
                },
            ));
        }
    }
    failed
}

/// `part / whole`, rounded to 8 decimals as every ratio is; `None` if the whole is 0.
pub(crate) fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole != 0).then(|| round8(part as f64 / whole as f64))
}

/// Rounds to 8 decimals, half to even on the exact binary value: the same as printing and parsing back.
///
/// Multiplying first is off by at most one part in 2^53, so it decides unless the product is next to a half.
pub(crate) fn round8(value: f64) -> f64 {
    let scaled = value * 1e8;
    if scaled.abs() < 1e15 && ((scaled - scaled.floor()) - 0.5).abs() > scaled.abs().max(1.0) * 1e-15 {
        return scaled.round_ties_even() / 1e8;
    }
    format!("{value:.8}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::{FAMILIES, round8};

    #[test]
    fn rounding_is_printing_and_parsing_back() {
        for i in 0..20_000_u64 {
            let value = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) as f64 / u64::MAX as f64
                * if i % 2 == 0 { 1.0 } else { 40.0 };
            assert_eq!(round8(value), format!("{value:.8}").parse::<f64>().unwrap());
        }
        assert_eq!(round8(0.000_000_005), format!("{:.8}", 0.000_000_005).parse::<f64>().unwrap());
        assert_eq!((round8(1.0 / 512.0), round8(3.0 / 512.0)), (0.001_953_12, 0.005_859_38)); // exact halves
    }

    #[test]
    fn names_are_unique_and_documented() {
        let mut seen = std::collections::HashSet::new();
        for signal in FAMILIES.iter().flat_map(|family| family.signals) {
            assert!(seen.insert(signal.name), "{} twice", signal.name);
            for section in ["Unit:", "Null:", "Why:", "From:", "Example:"] {
                assert!(signal.doc.contains(section), "{} has no line {section}", signal.name);
            }
        }
    }
}
