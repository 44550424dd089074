//! Kotlin. Beyond opc_data_filtering, which has no signals for it; the patterns look at lines, not at a tree.

use super::declarations::declarations;
use super::scan::Needles;
use super::shares::{per_line, share_of_lines};
use crate::signals::{Applies, signals};

static PRINT: Needles = Needles::words(&["print", "println"]);
static NOT_NULL: Needles = Needles::literals(&["!!"]);

signals! {
    family "kotlin", version 1, Applies::Languages(&["kotlin"]);

    /// Lines that begin with `fun` after modifiers and annotations, per code line.
    ///
    /// Unit: functions per line; lambdas do not count.
    /// Null: no code lines.
    /// Why: none at all is a list of constants; one on every line is an interface or a stub.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: kotlin "private suspend fun f() = 1\nval g = 2\n" → 0.5
    fn kotlin_functions_per_line(document) { per_line(declarations(document).functions, document) }

    /// Lines that begin with `import`, per code line.
    ///
    /// Unit: lines per line.
    /// Null: no code lines.
    /// Why: a file that mostly imports wires others together and cannot run alone.
    /// From: ours.
    /// Example: kotlin "import a.b\nval c = b\n" → 0.5
    fn kotlin_imports_per_line(document) { per_line(declarations(document).imports, document) }

    /// Code lines that call `print` or `println`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: ours, after `qsc_codec_frac_lines_print` of opc_data_filtering.
    /// Example: kotlin "println(1)\nfingerprint(2)\n" → 0.5
    fn kotlin_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Lines that begin with `class`, `interface` or `object` after modifiers and annotations, per code line.
    ///
    /// Unit: lines per line.
    /// Null: no code lines.
    /// Why: many with little in them are data carriers written by a tool.
    /// From: ours.
    /// Example: kotlin "data class A(val b: Int)\nval c = A(1)\n" → 0.5
    fn kotlin_classes_per_line(document) { per_line(declarations(document).classes, document) }

    /// Code lines with `!!`, the claim that a value is not null.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: converters from Java leave it behind on every use; people who write Kotlin handle the null.
    /// From: ours.
    /// Example: kotlin "a!!.b()\nc?.d()\n" → 0.5
    fn kotlin_frac_lines_non_null_assertions(document) { share_of_lines(document, &NOT_NULL) }
}
