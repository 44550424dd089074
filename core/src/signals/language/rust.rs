//! Rust. Beyond opc_data_filtering, which has no signals for it; the patterns look at lines, not at a tree.

use super::scan::Needles;
use super::shares::{per_line, share_of_lines};
use super::tokens::{keyword, occurrences, stripped};
use crate::signals::{Applies, Document, ratio, signals};

const MODIFIERS: [&str; 8] =
    ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];

static UNSAFE: Needles = Needles::words(&["unsafe"]);
static TESTS: Needles =
    Needles::literals(&["#[test]", "#[cfg(test)]", "assert!(", "assert_eq!(", "assert_ne!("]);
static PRINT: Needles = Needles::literals(&["print!(", "println!(", "dbg!("]);

/// How many lines there are of each kind.
#[derive(Default)]
pub struct Facts {
    functions: usize,
    attributes: usize,
    uses: usize,
    relative_uses: usize,
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let mut facts = Facts::default();
        for line in stripped(document) {
            facts.functions += usize::from(keyword(line, &MODIFIERS) == "fn");
            facts.attributes += usize::from(line.starts_with("#[") || line.starts_with("#!["));
            if let Some(path) = used(line) {
                facts.uses += 1;
                let relative = ["crate::", "super::", "self::"].iter().any(|r| path.starts_with(r));
                facts.relative_uses += usize::from(relative);
            }
        }
        facts
    })
}

/// What a line imports, if it does.
fn used(line: &str) -> Option<&str> {
    if keyword(line, &MODIFIERS[..3]) != "use" {
        return None;
    }
    line.split_once("use").map(|(_, path)| path.trim_start())
}

signals! {
    family "rust", version 1, Applies::Languages(&["rust"]);

    /// Lines that begin with `fn` after modifiers, per code line.
    ///
    /// Unit: functions per line; closures do not count.
    /// Null: no code lines.
    /// Why: none at all is a table of constants or a list of modules; one on every line is a stub of bindings.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: rust "pub const fn f() {}\nlet g = 1;\n" → 0.5
    fn rust_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Code lines with the word `unsafe`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file full of it is a binding to C or a transliteration of it, not Rust as it is taught.
    /// From: ours.
    /// Example: rust "unsafe { f() };\nlet unsafe_code = 1;\n" → 0.5
    fn rust_frac_lines_unsafe(document) { share_of_lines(document, &UNSAFE) }

    /// Calls of `unwrap` and `expect` per code line.
    ///
    /// Unit: calls per line; can exceed 1.
    /// Null: no code lines.
    /// Why: code written with care hands errors on; sketches and tests unwrap.
    /// From: ours.
    /// Example: rust "a.unwrap();\nb.expect(c)?;\nd.unwrap_or(1);\ne()?;\n" → 0.5
    fn rust_unwraps_per_line(document) {
        per_line(occurrences(document, ".unwrap()") + occurrences(document, ".expect("), document)
    }

    /// Code lines that begin with an attribute.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: the output of binding generators carries one on every second line.
    /// From: ours.
    /// Example: rust "#[derive(Clone)]\nstruct A;\n" → 0.5
    fn rust_frac_lines_attributes(document) { per_line(facts(document).attributes, document) }

    /// Code lines with `#[test]`, `#[cfg(test)]` or an assertion.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: tells files of tests, which repeat themselves, from what they test.
    /// From: ours, after `qsc_code_frac_lines_assert` of opc_data_filtering.
    /// Example: rust "#[test]\nfn f() {\nassert_eq!(1, 1);\n}\n" → 0.5
    fn rust_frac_lines_test(document) { share_of_lines(document, &TESTS) }

    /// Imports from the same crate: paths that begin with `crate`, `super` or `self`.
    ///
    /// Unit: fraction of `use` lines.
    /// Null: no `use`.
    /// Why: a file that leans on its own crate cannot be understood, nor run, alone.
    /// From: ours; self-containment is what OpenCoder (arXiv:2411.04905) asks of code for instruction data.
    /// Example: rust "use crate::a;\nuse std::fs;\n" → 0.5
    fn rust_frac_relative_imports(document) {
        let facts = facts(document);
        ratio(facts.relative_uses, facts.uses)
    }

    /// Code lines that print, `dbg!` included.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: ours, after `qsc_codec_frac_lines_print` of opc_data_filtering.
    /// Example: rust "println!();\nf();\n" → 0.5
    fn rust_frac_lines_print(document) { share_of_lines(document, &PRINT) }
}
