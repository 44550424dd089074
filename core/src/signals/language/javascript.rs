//! JavaScript.
//!
//! Which nodes count as functions, variables and simple is as in opc_data_filtering, whose thresholds were tuned on
//! it; the grammar is the current one, not that of 2017.

use super::ecmascript::{Facts, facts};
use super::scan::Needles;
use super::shares::{flag, per_line, share_of_lines};
use crate::signals::{Applies, Document, ratio, signals};

pub(super) static PRINT: Needles = Needles::literals(&["console.log"]);

/// Functions, imports, variables and returns of something simple, and classes.
fn no_logic(facts: &Facts) -> usize {
    facts.named_functions.all
        + facts.imports
        + facts.simple_variables
        + facts.simple_returns
        + facts.named_classes.all
}

fn tree_per_line(document: &Document<'_>, count: impl FnOnce(&Facts) -> usize) -> Option<f64> {
    per_line(count(facts(document)?), document)
}

signals! {
    family "javascript", version 1, Applies::Languages(&["javascript"]);

    /// Whether it is JavaScript: a module or a script, with JSX if need be.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: what does not parse is cut off, a template, or another language.
    /// From: opc_data_filtering, `qsc_codejavascript_cate_ast`, which knows the language of 2017.
    /// Example: javascript "const a = b?.c ?? <div/>;\n" → 1
    fn javascript_parses(document) { flag(facts(document).is_some()) }

    /// Whether no variable is declared by a name of its own; `module.exports.a = 1` declares one.
    ///
    /// Unit: flag; a name given to a `function` expression is a function's.
    /// Null: does not parse.
    /// Why: code that names nothing computes nothing.
    /// From: opc_data_filtering, `qsc_codejavascript_cate_var_zero`.
    /// Example: javascript "var f = function () {};\n" → 1
    fn javascript_has_no_variables(document) { flag(facts(document)?.variables.all == 0) }

    /// Whether nothing is declared: no variable of any form, no function or class, and nothing is exported.
    ///
    /// Unit: flag; patterns, arrows and methods count, and so does `module.exports = …`.
    /// Null: does not parse.
    /// Why: what is left is data, or calls one thing after another.
    /// From: ours, after `qsc_codejavascript_cate_var_zero` of opc_data_filtering, which knows few forms.
    /// Example: javascript "const { a } = f();\n" → 0
    fn javascript_has_no_declarations(document) {
        let facts = facts(document)?;
        flag(facts.declarations + facts.functions + facts.named_classes.all + facts.exports == 0)
    }

    /// Modules imported, re-exported or required per code line.
    ///
    /// Unit: modules per line.
    /// Null: does not parse; no code lines.
    /// Why: a file that only gathers others shows no logic.
    /// From: ours, after the imports in `javascript_no_logic_per_line`.
    /// Example: javascript "export * from './a';\nf();\n" → 0.5
    fn javascript_modules_per_line(document) { tree_per_line(document, |facts| facts.modules) }

    /// Functions per code line: declarations, `function` expressions given to a variable or to `module.exports.name`.
    ///
    /// Unit: functions per line; methods, and arrow functions given to a variable, do not count.
    /// Null: does not parse; no code lines.
    /// Why: a file that is a function on every line is a table of stubs.
    /// From: opc_data_filtering, `qsc_codejavascript_frac_lines_func_ratio`.
    /// Example: javascript "function f() {\n}\nvar g = function () {};\nvar h = () => 1;\n" → 0.5
    fn javascript_functions_per_line(document) { tree_per_line(document, |facts| facts.named_functions.all) }

    /// Statements at the top level per code line.
    ///
    /// Unit: statements per line.
    /// Null: does not parse; no code lines.
    /// Why: many per line is minified code.
    /// From: opc_data_filtering, `qsc_codejavascript_num_statement_line`.
    /// Example: javascript "'use strict'; a(); b();\n" → 3
    fn javascript_statements_per_line(document) { tree_per_line(document, |facts| facts.statements) }

    /// Functions, imports, variables and returns of a literal, name or unary expression, and classes per code line.
    ///
    /// Unit: count per line; can exceed 1.
    /// Null: does not parse; no code lines.
    /// Why: a file of declarations only shows no logic.
    /// From: opc_data_filtering, `qsc_codejavascript_score_lines_no_logic`.
    /// Example: javascript "import a from 'a';\nlet b = -1;\nlet c = b + 1;\nfunction f() {\n  return b;\n}\n" → 0.66666667
    fn javascript_no_logic_per_line(document) { tree_per_line(document, no_logic) }

    /// Variables named as usual: a small letter or `$`, then ASCII letters and digits.
    ///
    /// Unit: fraction of variables.
    /// Null: does not parse; no variables.
    /// Why: generated and obfuscated code names otherwise.
    /// From: opc_data_filtering, `qsc_codejavascript_frac_words_legal_var_name`.
    /// Example: javascript "let a1, _0x3f;\n" → 0.5
    fn javascript_frac_legal_variable_names(document) {
        let names = &facts(document)?.variables;
        ratio(names.legal, names.all)
    }

    /// Functions named as usual: an ASCII letter or `$`, then ASCII letters and digits.
    ///
    /// Unit: fraction of functions.
    /// Null: does not parse; no functions.
    /// Why: generated and obfuscated code names otherwise.
    /// From: opc_data_filtering, `qsc_codejavascript_frac_words_legal_func_name`.
    /// Example: javascript "function $a() {}\nfunction _b() {}\n" → 0.5
    fn javascript_frac_legal_function_names(document) {
        let names = &facts(document)?.named_functions;
        ratio(names.legal, names.all)
    }

    /// Classes named as usual: a capital, then ASCII letters and digits.
    ///
    /// Unit: fraction of class declarations with a name.
    /// Null: does not parse; no classes.
    /// Why: generated and obfuscated code names otherwise.
    /// From: opc_data_filtering, `qsc_codejavascript_frac_words_legal_class_name`.
    /// Example: javascript "class A {}\nclass b {}\n" → 0.5
    fn javascript_frac_legal_class_names(document) {
        let names = &facts(document)?.named_classes;
        ratio(names.legal, names.all)
    }

    /// Code lines that contain `console.log`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: opc_data_filtering, `qsc_codejavascript_frac_lines_print`.
    /// Example: javascript "console.log(1);\nf();\n" → 0.5
    fn javascript_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Modules imported, re-exported or required whose name begins with a dot.
    ///
    /// Unit: fraction of modules named by a literal, repeats counted.
    /// Null: does not parse; no such module.
    /// Why: what comes from its own repository cannot be understood from this file alone.
    /// From: codemill.
    /// Example: javascript "import a from './a';\nconst b = require('b');\n" → 0.5
    fn javascript_frac_relative_imports(document) {
        let facts = facts(document)?;
        ratio(facts.relative_modules, facts.modules)
    }

    /// How deep functions, methods and arrows are nested in one another.
    ///
    /// Unit: functions; 1 if none contains another.
    /// Null: does not parse.
    /// Why: bundles wrap modules in modules, and callbacks in callbacks are hard to read.
    /// From: codemill.
    /// Example: javascript "function f() {\n  return a.map(b => b);\n}\n" → 2
    fn javascript_max_nesting(document) { Some(facts(document)?.nesting as f64) }

    /// Lines of a function from its first word to its closing brace, on average.
    ///
    /// Unit: lines, blank ones and comments too, of functions with braces; those within it count again.
    /// Null: does not parse; no such function.
    /// Why: a function of hundreds of lines is a bundle or generated, one-liners throughout are stubs or minified.
    /// From: codemill.
    /// Example: javascript "function f() {\n  g();\n}\nconst h = () => {};\n" → 2
    fn javascript_mean_function_lines(document) {
        let facts = facts(document)?;
        ratio(facts.block_lines, facts.blocks)
    }

    /// Functions, methods and arrows that are `async`.
    ///
    /// Unit: fraction of functions.
    /// Null: does not parse; no functions.
    /// Why: a mark of contemporary code, by which it can be balanced against old code.
    /// From: codemill.
    /// Example: javascript "async function f() {}\nconst g = () => 1;\n" → 0.5
    fn javascript_frac_async_functions(document) {
        let facts = facts(document)?;
        ratio(facts.async_functions, facts.functions)
    }

    /// Declarations by `var` among those by `var`, `let` and `const`.
    ///
    /// Unit: fraction of declarations; one may declare several variables.
    /// Null: does not parse; no declarations.
    /// Why: `var` alone is code older than 2015, or compiled down to it.
    /// From: codemill.
    /// Example: javascript "var a, b;\nlet c;\n" → 0.5
    fn javascript_frac_var_declarations(document) {
        let facts = facts(document)?;
        ratio(facts.var_declarations, facts.declarations)
    }

    /// Mean length of the names that are bound or referred to; properties do not count.
    ///
    /// Unit: characters per occurrence.
    /// Null: does not parse; no names.
    /// Why: minifiers shorten these names to one or two letters, and leave properties as they are.
    /// From: codemill.
    /// Example: javascript "const total = a.length;\n" → 3
    fn javascript_mean_identifier_chars(document) {
        let facts = facts(document)?;
        ratio(facts.identifier_chars, facts.identifiers)
    }
}
