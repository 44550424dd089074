//! TypeScript, with and without JSX. The reference has no signals for it.

use super::ecmascript::{Facts, facts};
use super::javascript::PRINT;
use super::shares::{flag, per_line, share_of_lines};
use crate::signals::{Applies, Document, ratio, signals};

fn tree_per_line(document: &Document<'_>, count: impl FnOnce(&Facts) -> usize) -> Option<f64> {
    per_line(count(facts(document)?), document)
}

signals! {
    family "typescript", version 1, Applies::Languages(&["typescript", "tsx"]);

    /// Whether it is TypeScript; with JSX where the language or the path says so. Types are not checked.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: what does not parse is cut off, a template, or another language.
    /// From: codemill, as `javascript_parses`.
    /// Example: typescript "let a: string;\n" → 1
    fn typescript_parses(document) { flag(facts(document).is_some()) }

    /// Functions, methods and arrows with a body per code line.
    ///
    /// Unit: functions per line; can exceed 1.
    /// Null: does not parse; no code lines.
    /// Why: a file without any is data or declarations, one full of them is a table of stubs.
    /// From: codemill, as `javascript_functions_per_line`.
    /// Example: typescript "declare function f(): void;\nconst g = () => 1;\n" → 0.5
    fn typescript_functions_per_line(document) { tree_per_line(document, |facts| facts.functions) }

    /// Import declarations per code line.
    ///
    /// Unit: imports per line.
    /// Null: does not parse; no code lines.
    /// Why: a file that only gathers others shows no logic.
    /// From: codemill, after the imports in `javascript_no_logic_per_line`.
    /// Example: typescript "import a from 'a';\nimport b = require('b');\na(b);\nb();\n" → 0.5
    fn typescript_imports_per_line(document) { tree_per_line(document, |facts| facts.imports) }

    /// Modules imported, re-exported or required per code line.
    ///
    /// Unit: modules per line.
    /// Null: does not parse; no code lines.
    /// Why: a file that only gathers others shows no logic.
    /// From: ours, after the imports in `javascript_no_logic_per_line`.
    /// Example: typescript "export * from './a';\nf();\n" → 0.5
    fn typescript_modules_per_line(document) { tree_per_line(document, |facts| facts.modules) }

    /// Type annotations that are `any`.
    ///
    /// Unit: fraction of annotations; `any[]` is not `any`.
    /// Null: does not parse; no annotations.
    /// Why: `any` switches the types off: such code teaches their syntax without their sense.
    /// From: codemill.
    /// Example: typescript "function f(a: any): string {}\n" → 0.5
    fn typescript_frac_any(document) {
        let facts = facts(document)?;
        ratio(facts.any_annotations, facts.annotations)
    }

    /// Interfaces, type aliases and enumerations per code line.
    ///
    /// Unit: declarations per line.
    /// Null: does not parse; no code lines.
    /// Why: a file of nothing else describes an interface of another program, and is often generated from it.
    /// From: codemill.
    /// Example: typescript "interface A {}\ntype B = A;\nenum C {}\nf();\n" → 0.75
    fn typescript_types_per_line(document) { tree_per_line(document, |facts| facts.types) }

    /// Modules imported, re-exported or required whose name begins with a dot.
    ///
    /// Unit: fraction of modules named by a literal, repeats counted.
    /// Null: does not parse; no such module.
    /// Why: what comes from its own repository cannot be understood from this file alone.
    /// From: codemill.
    /// Example: typescript "export * from './a';\nimport { b } from 'b';\n" → 0.5
    fn typescript_frac_relative_imports(document) {
        let facts = facts(document)?;
        ratio(facts.relative_modules, facts.modules)
    }

    /// Code lines that contain `console.log`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: codemill, as `javascript_frac_lines_print`.
    /// Example: typescript "console.log(1);\nf();\n" → 0.5
    fn typescript_frac_lines_print(document) { share_of_lines(document, &PRINT) }
}
