//! Ruby. Beyond opc_data_filtering, which has no signals for it; the patterns look at lines, not at a tree.

use super::shares::per_line;
use super::tokens::{keyword, stripped};
use crate::signals::{Applies, Document, ratio, signals};

const MODIFIERS: [&str; 4] = ["private", "protected", "public", "memoize"];

/// How many lines there are of each kind.
#[derive(Default)]
pub struct Facts {
    functions: usize,
    requires: usize,
    relative_requires: usize,
    prints: usize,
    classes: usize,
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let mut facts = Facts::default();
        for line in stripped(document) {
            facts.functions += usize::from(keyword(line, &MODIFIERS) == "def");
            match keyword(line, &[]) {
                "require" => facts.requires += 1,
                "require_relative" => facts.relative_requires += 1,
                "puts" | "print" | "p" | "pp" => facts.prints += 1,
                "class" | "module" => facts.classes += 1,
                _ => {}
            }
        }
        facts
    })
}

signals! {
    family "ruby", version 1, Applies::Languages(&["ruby"]);

    /// Lines that begin with `def`, after `private` and the like, per code line.
    ///
    /// Unit: functions per line.
    /// Null: no code lines.
    /// Why: none at all is a configuration or a list; one on every second line is a stub.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: ruby "private def f\n  1\nend\nf\n" → 0.25
    fn ruby_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Lines that begin with `require` or `require_relative`, per code line.
    ///
    /// Unit: lines per line.
    /// Null: no code lines.
    /// Why: a file that mostly loads others says nothing itself.
    /// From: ours.
    /// Example: ruby "require 'set'\nSet.new\n" → 0.5
    fn ruby_imports_per_line(document) {
        let facts = facts(document);
        per_line(facts.requires + facts.relative_requires, document)
    }

    /// Code lines that begin with `puts`, `print`, `p` or `pp`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: ours, after `qsc_codec_frac_lines_print` of opc_data_filtering.
    /// Example: ruby "puts 1\nx = 2\n" → 0.5
    fn ruby_frac_lines_print(document) { per_line(facts(document).prints, document) }

    /// Lines that begin with `class` or `module`, per code line.
    ///
    /// Unit: lines per line.
    /// Null: no code lines.
    /// Why: many with little in them are lists of errors or of models.
    /// From: ours.
    /// Example: ruby "class A\n  b\nend\nclasses\n" → 0.25
    fn ruby_classes_per_line(document) { per_line(facts(document).classes, document) }

    /// `require_relative` among all lines that require.
    ///
    /// Unit: fraction of `require` and `require_relative` lines.
    /// Null: there are none.
    /// Why: a file that leans on its neighbours cannot be understood, nor run, alone.
    /// From: ours; self-containment is what OpenCoder (arXiv:2411.04905) asks of code for instruction data.
    /// Example: ruby "require 'set'\nrequire_relative 'a'\n" → 0.5
    fn ruby_frac_relative_requires(document) {
        let facts = facts(document);
        ratio(facts.relative_requires, facts.requires + facts.relative_requires)
    }
}
