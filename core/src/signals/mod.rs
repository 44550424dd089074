//! Signals: numbers measured on a document. A signal never decides.
//!
//! One file is one family; a signal is one function in it, written inside [`signals!`]. Its name is the name of its
//! column, its doc comment its page in the catalogue: a first sentence, then lines that begin with `Unit:`, `Null:`,
//! `Why:`, `From:` and `Example:`. A new family is a `mod` and its line in [`FAMILIES`].
//!
//! What several signals need is derived once per document, when the first of them asks: see [`Document::derived`].

mod bare;
mod characters;
mod classes;
mod code;
mod code_lines;
mod derived;
mod document;
mod encoded;
mod family;
mod find;
mod interner;
mod language;
mod lines;
mod natural;
mod ngrams;
mod origin;
mod repetition;
mod rounding;
mod split;
mod strings;
mod text;
mod tokens;
mod words;

pub use document::{DocType, Document};
pub(crate) use family::signals;
pub use family::{Applies, Family, Signal};
pub(crate) use language::around;
pub use natural::Natural;
pub(crate) use rounding::{ratio, round8};
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
    &language::notebook::FAMILY,
    &repetition::FAMILY,
    &origin::FAMILY,
];

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

#[cfg(test)]
mod tests {
    use super::FAMILIES;

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
