//! C++: the signals of C, under their own name, because their thresholds differ.

use super::c;
use super::scan::Needles;
use super::shares::share_of_lines;
use crate::signals::{Applies, signals};

static PRINT: Needles = Needles::literals(&["cout", "printf"]);

signals! {
    family "cpp", version 1, Applies::Languages(&["cpp"]);

    /// Functions per code line: words, the last of them directly before a bracket.
    ///
    /// Unit: functions per line; declarations, macros and calls after `return` count.
    /// Null: no code lines.
    /// Why: a file that is a function on every line is a table of stubs; one without any is data.
    /// From: opc_data_filtering, `qsc_codecpp_frac_lines_func_ratio`.
    /// Example: cpp "int f(int a) {\n  g(a);\n}\n" → 0.33333333
    fn cpp_functions_per_line(document) { c::functions_per_line(document) }

    /// Functions with a body per code line.
    ///
    /// Unit: functions per line; declarations, macros and calls do not count, methods outside their class neither.
    /// Null: no code lines.
    /// Why: a file of nothing but one-liners is a table of stubs; a header is not.
    /// From: ours, after `qsc_codecpp_frac_lines_func_ratio` of opc_data_filtering, which counts declarations.
    /// Example: cpp "int f(int a);\nint g() const {\n  return a;\n}\n" → 0.25
    fn cpp_definitions_per_line(document) { c::definitions_per_line(document) }

    /// Whether `bits/stdc++.h` stands in the first 200 characters of the code.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: the mark of contest submissions.
    /// From: opc_data_filtering, `qsc_codecpp_cate_bitsstdc`.
    /// Example: cpp "#define H <bits/stdc++.h>\n" → 1
    fn cpp_includes_bits_stdcpp(document) { c::includes_bits_stdcpp(document) }

    /// Definitions of `main`.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: two of them are two programs pasted into one file.
    /// From: opc_data_filtering, `qsc_codecpp_nums_lines_main`.
    /// Example: cpp "int main(void)\n{\n}\nint main(int n) { }\n" → 2
    fn cpp_num_main(document) { c::num_main(document) }

    /// Code lines that contain `goto`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: common in the output of generators, rare by hand.
    /// From: opc_data_filtering, `qsc_codecpp_frac_lines_goto`.
    /// Example: cpp "a:\n  goto a;\n" → 0.5
    fn cpp_frac_lines_goto(document) { share_of_lines(document, &c::GOTO) }

    /// Whether nothing looks like the declaration of a variable; `return x;` does.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: code that names nothing computes nothing.
    /// From: opc_data_filtering, `qsc_codecpp_cate_var_zero`.
    /// Example: cpp "int *a, b[2];\n" → 0
    fn cpp_has_no_variables(document) { c::has_no_variables(document) }

    /// Functions, includes, variables without value, simple returns and classes per code line.
    ///
    /// Unit: count per line; can exceed 1.
    /// Null: no code lines.
    /// Why: a file of declarations only shows no logic.
    /// From: opc_data_filtering, `qsc_codecpp_score_lines_no_logic`.
    /// Example: cpp "#define X\nint f(int a) {\n  int b;\n  return b;\n}\n" → 0.6
    fn cpp_no_logic_per_line(document) { c::no_logic_per_line(document) }

    /// Code lines that contain `cout` or `printf`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: opc_data_filtering, `qsc_codecpp_frac_lines_print`.
    /// Example: cpp "printf(\"a\");\nf();\n" → 0.5
    fn cpp_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Code lines with a preprocessor directive, or with the letters `struct` or `using`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines, or the extension is that of a header.
    /// Why: a source file that is mostly directives or declarations is a header in disguise.
    /// From: opc_data_filtering, `qsc_codecpp_frac_lines_preprocessor_directives`.
    /// Example: cpp "# define A 1\nint a;\n" → 0.5
    fn cpp_frac_lines_preprocessor(document) { c::frac_lines_preprocessor(document) }
}
