//! Signals of single languages, one file each. What their signals share is derived once per document: [`Facts`].

pub mod c;
pub mod cpp;
pub mod csharp;
pub mod go;
pub mod java;
mod scan;

use super::Document;
use std::cell::OnceCell;

/// What has been derived from a document of one of these languages so far.
#[derive(Default)]
pub struct Facts {
    code_lines: OnceCell<usize>,
    c: OnceCell<c::Facts>,
    csharp: OnceCell<csharp::Facts>,
    java: OnceCell<java::Facts>,
    go: OnceCell<go::Facts>,
}

/// How many lines of the code text are not blank.
fn code_lines(document: &Document<'_>) -> usize {
    *document.language_facts.code_lines.get_or_init(|| scan::lines(&document.split().code).count())
}

/// `count` per code line; `None` if there are none.
fn per_line(count: usize, document: &Document<'_>) -> Option<f64> {
    super::ratio(count, code_lines(document))
}

/// Code lines that contain one of `needles`, per code line.
fn share_of_lines(document: &Document<'_>, needles: &[&str]) -> Option<f64> {
    per_line(scan::lines_with(&document.split().code, needles), document)
}

fn flag(value: bool) -> Option<f64> {
    Some(f64::from(u8::from(value)))
}

#[cfg(test)]
mod tests {
    use crate::signals::{Applies, DocType, Document, FAMILIES};

    /// `name "text" → value`, the text with the escapes `\n`, `\"` and `\\`.
    fn example(doc: &str) -> (&str, String, Option<f64>) {
        let line =
            doc.lines().find_map(|line| line.trim().strip_prefix("Example:")).expect("names are documented");
        let (left, value) = line.trim().rsplit_once(" → ").expect("an arrow");
        let (language, quoted) = left.split_once(' ').expect("a language");
        let (mut text, mut escaped) = (String::new(), false);
        for c in quoted[1..quoted.len() - 1].chars() {
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (true, 'n') => text.push('\n'),
                _ => text.push(c),
            }
            escaped = c == '\\' && escaped;
        }
        (language, text, value.parse().ok())
    }

    #[test]
    fn examples_hold() {
        for family in FAMILIES.iter().filter(|family| matches!(family.applies, Applies::Languages(_))) {
            for signal in family.signals {
                let (language, text, value) = example(signal.doc);
                let document = Document::new(&text, language, DocType::Code, None);
                assert!(family.applies.to(&document), "{}: {language}", signal.name);
                assert_eq!((signal.measure)(&document), value, "{}: {text:?}", signal.name);
            }
        }
    }
}
