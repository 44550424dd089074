//! Signals of Python, from its syntax tree.
//!
//! The tree is that of the current grammar (`ruff_python_parser`), so that a file does not fail for being newer than
//! the interpreter that runs the filter. CPython's limits on nesting hold: 200 brackets, 100 indentations.

mod around;
mod comments;
mod nesting;
mod tree;

use super::scan::{Needles, is_blank};
use super::shares::{per_line, share_of_lines};
use super::stack::with_stack;
use crate::signals::{Applies, Document, ratio, signals};
use memchr::{memchr, memchr2, memmem, memrchr};
use ruff_python_ast::PySourceType;
use ruff_python_parser::parse_unchecked_source;
use tree::Tree;

pub use around::around;

/// What comes of parsing.
#[derive(Default)]
struct Parsed {
    /// Length of docstrings and comments; there without a tree too.
    comment_chars: usize,
    tree: Option<Tree>,
}

/// Bytes of stack for one level of a tree: what taking it down needs. The parser sees to its own stack.
const LEVEL: usize = if cfg!(debug_assertions) { 4 << 10 } else { 512 };

/// Bytes beyond which it is worth while to look for a first error before parsing.
const LONG: usize = 64 << 10;

/// Levels for which there is room without counting tokens first.
const FEW: usize = 1 << 15;

impl Parsed {
    fn of(content: &str) -> Self {
        // Blank lines are tokens to the parser, and nothing to the tree.
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C);
        let content = if content.bytes().all(is_blank) { "" } else { content };
        let source = comments::source(content);
        if source.len() > LONG && memchr(b'#', source.as_bytes()).is_none() && nesting::surely_fails(&source)
        {
            return Self::default(); // neither a tree nor comments
        }
        let mut levels = nesting::at_most(&source, FEW);
        if levels > FEW {
            let Some(exact) = nesting::of_text(&source) else { return Self::default() };
            levels = exact;
        }
        with_stack(levels * LEVEL, || Self::parse(&source)).flatten().unwrap_or_default()
    }

    /// `None` beyond CPython's limits.
    fn parse(source: &str) -> Option<Self> {
        let parsed = parse_unchecked_source(source, PySourceType::Python);
        if parsed.errors().is_empty() {
            nesting::of_tokens(parsed.tokens().iter().map(|token| token.kind()))?;
        } else {
            nesting::of_text(source)?; // the parser takes some tokens for others after an error
        }
        let comment_chars = comments::chars(&parsed, source);
        // NUL is refused by CPython before it looks at anything else.
        let valid = parsed.errors().is_empty() && memchr(0, source.as_bytes()).is_none();
        let tree = valid.then(|| Tree::of(source, &parsed.syntax().body));
        Some(Self { comment_chars, tree })
    }
}

/// How many lines contain a word, whatever its case. `rare`: the place of its rarest letter.
fn lines_with(text: &str, word: &str, rare: usize) -> usize {
    let (bytes, letter) = (text.as_bytes(), word.as_bytes()[rare]);
    let (mut count, mut from) = (0, 0);
    while let Some(i) = memchr2(letter, letter.to_ascii_uppercase(), &bytes[from..]) {
        let at = from + i;
        from = at + 1;
        let start = at.wrapping_sub(rare);
        if bytes
            .get(start..start.wrapping_add(word.len()))
            .is_some_and(|w| w.eq_ignore_ascii_case(word.as_bytes()))
        {
            count += 1;
            let Some(end) = memchr(b'\n', &bytes[from..]) else { break };
            from += end;
        }
    }
    count
}

fn import_lines(document: &Document<'_>) -> usize {
    /// Of its own type, by which it is kept.
    struct ImportLines(usize);
    document.derived(|| ImportLines(lines_with(&document.split().code, "import", 1))).0
}

/// Statements that return, one per line: `^[\s]*return([\s]+[^\n]+)?[\s]*$` in multi-line mode, where blanks may be
/// newlines, so that a bare `return` takes the next line with it.
fn returns(code: &str) -> usize {
    let bytes = code.as_bytes();
    let (mut count, mut from) = (0, 0);
    let finder = memmem::Finder::new("return");
    while let Some(i) = finder.find(&bytes[from..]) {
        let at = from + i;
        let before = code[from..at].trim_end_matches(|c| is_blank(c) && c != '\n');
        let first = before.is_empty() && (from == 0 || bytes[from - 1] == b'\n');
        from = at + "return".len();
        if !(first || before.ends_with('\n')) {
            continue;
        }
        if let Some(end) = return_end(code, from) {
            count += 1;
            from = end;
        }
    }
    count
}

/// The end of a match whose `return` ends at `at`.
fn return_end(code: &str, at: usize) -> Option<usize> {
    let blanks = |at: usize| code.len() - code[at..].trim_start_matches(is_blank).len();
    if at == code.len() {
        return Some(at);
    }
    let value = blanks(at);
    if value == at {
        return None;
    }
    let end = memchr(b'\n', &code.as_bytes()[value..]).map_or(code.len(), |i| value + i);
    let next = blanks(end);
    if next == code.len() {
        return Some(next);
    }
    memrchr(b'\n', &code.as_bytes()[end..next]).map(|i| end + i)
}

static PRINT: Needles = Needles::literals(&["print"]);

fn parsed<'d>(document: &'d Document<'_>) -> &'d Parsed {
    document.derived(|| Parsed::of(document.content))
}

fn tree<'d>(document: &'d Document<'_>) -> Option<&'d Tree> {
    parsed(document).tree.as_ref()
}

/// Characters of docstrings and comments.
pub(super) fn comment_chars(document: &Document<'_>) -> usize {
    parsed(document).comment_chars
}

signals! {
    family "python", version 1, Applies::Languages(&["python"]);

    /// Whether the text parses as Python of the current grammar.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: Python 2, broken merges, templates.
    /// From: opc_data_filtering, `cate_ast`; there with the grammar of the interpreter that runs the filter.
    /// Example: python "print 1\n" → 0
    fn python_parses(document) { Some(f64::from(tree(document).is_some())) }

    /// `def` statements, nested ones and methods included, `async def` not, over code lines.
    ///
    /// Unit: functions per line.
    /// Null: it does not parse, or has no code lines.
    /// Why: lists of stubs.
    /// From: opc_data_filtering, `frac_lines_func_ratio`.
    /// Example: python "def f():\n    return 1\n" → 0.5
    fn python_functions_per_line(document) { per_line(tree(document)?.functions, document) }

    /// Whether no plain name is bound by `=`, by `for`, or as a positional parameter of a `def`.
    ///
    /// Unit: flag.
    /// Null: it does not parse.
    /// Why: configuration, lists of calls.
    /// From: opc_data_filtering, `cate_var_zero`.
    /// Example: python "print(1)\n" → 1
    fn python_has_no_variables(document) { Some(f64::from(tree(document)?.names_bound == 0)) }

    /// Code lines that contain `pass`, in any case and within words too.
    ///
    /// Unit: fraction of code lines; 0 if there are none.
    /// Null: never.
    /// Why: stubs.
    /// From: opc_data_filtering, `frac_lines_pass`.
    /// Example: python "class A:\n    pass\n" → 0.5
    fn python_frac_lines_pass(document) { per_line(lines_with(&document.split().code, "pass", 0), document).or(Some(0.0)) }

    /// `pass` statements over code lines.
    ///
    /// Unit: statements per line.
    /// Null: it does not parse, or has no code lines.
    /// Why: stubs; `password` and `bypass` are not.
    /// From: ours, after `frac_lines_pass` of opc_data_filtering.
    /// Example: python "class A:\n    pass\npassword = ''\nbypass()\n" → 0.25
    fn python_pass_statements_per_line(document) { per_line(tree(document)?.passes, document) }

    /// Whether nothing is declared: no assignment of any form, no target of `for` or `with`, no function and no class.
    ///
    /// Unit: flag.
    /// Null: it does not parse.
    /// Why: what is left gathers other modules, or calls one thing after another.
    /// From: ours, after `cate_var_zero` of opc_data_filtering, which knows few forms.
    /// Example: python "async def f(*, a: int): ...\n" → 0
    fn python_has_no_declarations(document) {
        let tree = tree(document)?;
        Some(f64::from(tree.assignments + tree.functions + tree.async_functions + tree.classes == 0))
    }

    /// Lines of `import` and `from … import`, over code lines.
    ///
    /// Unit: fraction of code lines; more than 1 where two statements share a line.
    /// Null: it does not parse, or has no code lines.
    /// Why: files that only gather others; `important` does not count.
    /// From: ours, after `frac_lines_import` of opc_data_filtering.
    /// Example: python "from a import (\n    b,\n)\nimportant = b\n" → 0.75
    fn python_import_lines_per_line(document) { per_line(tree(document)?.import_lines, document) }

    /// Code lines that contain `import`, in any case and within words too.
    ///
    /// Unit: fraction of code lines; 0 if there are none.
    /// Null: never.
    /// Why: files that only gather others.
    /// From: opc_data_filtering, `frac_lines_import`.
    /// Example: python "import os\nx = 1\n" → 0.5
    fn python_frac_lines_import(document) { per_line(import_lines(document), document).or(Some(0.0)) }

    /// `def`s whose body is one `return`, over code lines.
    ///
    /// Unit: functions per line.
    /// Null: it does not parse, or has no code lines.
    /// Why: getters and stubs.
    /// From: opc_data_filtering, `frac_lines_simplefunc`; not rounded, as there.
    /// Example: python "def f():\n    return 1\n" → 0.5
    fn python_simple_functions_per_line(document) {
        let lines = document.num_code_lines();
        tree(document).filter(|_| lines > 0).map(|tree| tree.simple_functions as f64 / lines as f64)
    }

    /// `def`s, lines with `import`, classes, returns and fields of classes, over code lines.
    ///
    /// Unit: ratio; can exceed 1.
    /// Null: it does not parse, or has no code lines.
    /// Why: what is left is the logic.
    /// From: opc_data_filtering, `score_lines_no_logic`.
    /// Example: python "import os\nclass A:\n    x = 1\n    y()\n" → 0.75
    fn python_no_logic_per_line(document) {
        let tree = tree(document)?;
        let lines = import_lines(document) + returns(&document.split().code);
        per_line(tree.functions + lines + tree.classes + tree.class_fields, document)
    }

    /// Code lines that contain `print`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: exercises, debugging.
    /// From: opc_data_filtering, `frac_lines_print`.
    /// Example: python "print(1)\nx = 1\n" → 0.5
    fn python_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Modules, classes and functions with a docstring, as a share of all.
    ///
    /// Unit: fraction.
    /// Null: it does not parse.
    /// Why: documented code ties words to what they mean.
    /// From: ours.
    /// Example: python "def f():\n    'Does.'\n" → 0.5
    fn python_frac_documented(document) { tree(document).and_then(|tree| ratio(tree.documented, tree.documentable)) }

    /// Parameters with a type annotation, as a share of all but `self` and `cls`.
    ///
    /// Unit: fraction of parameters.
    /// Null: it does not parse, or has no parameters.
    /// Why: annotated code is written with care.
    /// From: ours.
    /// Example: python "def f(a: int, b): ...\n" → 0.5
    fn python_frac_parameters_annotated(document) {
        tree(document).and_then(|tree| ratio(tree.annotated, tree.parameters))
    }

    /// Mean number of lines of a function, nested ones counted in both.
    ///
    /// Unit: lines.
    /// Null: it does not parse, or has no functions.
    /// Why: one-line wrappers at one end, endless scripts at the other.
    /// From: ours.
    /// Example: python "def f():\n    x = 1\n    return x\n" → 3
    fn python_mean_function_lines(document) {
        tree(document).and_then(|tree| ratio(tree.function_lines, tree.functions + tree.async_functions))
    }

    /// Deepest nesting of statements; those at the top are at 1.
    ///
    /// Unit: statements.
    /// Null: it does not parse.
    /// Why: deep nesting is hard to follow, or generated.
    /// From: ours.
    /// Example: python "if a:\n\tif b:\n\t\tc()\n" → 3
    fn python_max_nesting(document) { tree(document).map(|tree| tree.deepest as f64) }

    /// Relative imports as a share of all imported modules.
    ///
    /// Unit: fraction of imports.
    /// Null: it does not parse, or imports nothing.
    /// Why: what a file takes from its own package is missing where it stands alone.
    /// From: ours.
    /// Example: python "import os\nfrom . import x\n" → 0.5
    fn python_frac_relative_imports(document) {
        tree(document).and_then(|tree| ratio(tree.relative_imports, tree.imports))
    }

    /// Modules of Python's own library as a share of all imported modules.
    ///
    /// Unit: fraction of imports.
    /// Null: it does not parse, or imports nothing.
    /// Why: a file that needs nothing else can be run and tested.
    /// From: ours.
    /// Example: python "import os, numpy\n" → 0.5
    fn python_frac_stdlib_imports(document) {
        tree(document).and_then(|tree| ratio(tree.stdlib_imports, tree.imports))
    }

    /// `from x import *`, over imported modules.
    ///
    /// Unit: fraction of imports.
    /// Null: it does not parse, or imports nothing.
    /// Why: names then come from nowhere.
    /// From: ours.
    /// Example: python "from os import *\nimport sys\n" → 0.5
    fn python_frac_star_imports(document) { tree(document).and_then(|tree| ratio(tree.star_imports, tree.imports)) }

    /// `except:` without a class, as a share of all handlers.
    ///
    /// Unit: fraction of handlers.
    /// Null: it does not parse, or handles nothing.
    /// Why: a known mark of careless code.
    /// From: ours; pycodestyle E722.
    /// Example: python "try:\n    f()\nexcept:\n    g()\n" → 1
    fn python_frac_bare_excepts(document) { tree(document).and_then(|tree| ratio(tree.bare_handlers, tree.handlers)) }

    /// Functions whose name begins with `test`, as a share of all.
    ///
    /// Unit: fraction of functions.
    /// Null: it does not parse, or has no functions.
    /// Why: tests read differently from what they test.
    /// From: ours.
    /// Example: python "def test_a(): pass\ndef b(): pass\n" → 0.5
    fn python_frac_test_functions(document) {
        tree(document).and_then(|tree| ratio(tree.tests, tree.functions + tree.async_functions))
    }

    /// `async def`, as a share of all functions.
    ///
    /// Unit: fraction of functions.
    /// Null: it does not parse, or has no functions.
    /// Why: tells servers from scripts.
    /// From: ours.
    /// Example: python "async def a(): pass\ndef b(): pass\n" → 0.5
    fn python_frac_async_functions(document) {
        tree(document).and_then(|tree| ratio(tree.async_functions, tree.functions + tree.async_functions))
    }

    /// Names declared `global`, over code lines.
    ///
    /// Unit: names per line.
    /// Null: it does not parse, or has no code lines.
    /// Why: state shared by hand.
    /// From: ours.
    /// Example: python "def f():\n    global x\n" → 0.5
    fn python_globals_per_line(document) { per_line(tree(document)?.globals, document) }

    /// Whether an `if` at the top compares `__name__`.
    ///
    /// Unit: flag.
    /// Null: it does not parse.
    /// Why: a program, not a module.
    /// From: ours.
    /// Example: python "if __name__ == '__main__':\n    f()\n" → 1
    fn python_has_main_guard(document) { tree(document).map(|tree| f64::from(tree.has_main_guard)) }
}

#[cfg(test)]
mod tests {
    use super::{Parsed, nesting, returns};

    fn parses(text: &str) -> bool {
        Parsed::of(text).tree.is_some()
    }

    #[test]
    fn the_current_grammar_counts() {
        for text in [
            "",
            "x = 1\n",
            "\u{FEFF}x = 1\r\n",
            "type A = int\n",
            "f'{x!r:{w}}'\n",
            "return 1\n",
            "await x\n",
        ] {
            assert!(parses(text), "{text:?}");
        }
        for text in ["print 1\n", "x = \0\n", "%matplotlib inline\n", "(\n", "if x:\ny\n"] {
            assert!(!parses(text), "{text:?}");
        }
    }

    #[test]
    fn returns_are_those_of_the_pattern() {
        let pattern = r"(?m)^[\s\x1c-\x1f]*return(?:[\s\x1c-\x1f]+[^\n]+)?[\s\x1c-\x1f]*$";
        let pattern = regex::Regex::new(pattern).expect("a constant");
        let pieces = ["return", " ", "\n", "a", "\u{a0}", "\x1c", "return a\n", "\n  return\n\n"];
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..seed % 12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += pieces[(seed >> 33) as usize % pieces.len()];
            }
            seed = seed.wrapping_add(1);
            assert_eq!(returns(&text), pattern.find_iter(&text).count(), "{text:?}");
        }
    }

    #[test]
    fn hostile_nesting_has_no_tree_or_a_large_stack() {
        let many = 300_000;
        for text in [
            "(".repeat(many),
            "[".repeat(many),
            "-".repeat(many) + "1",
            "not ".repeat(many) + "1",
            "a+".repeat(many) + "a",
            "a.".repeat(many) + "a",
            "lambda:".repeat(many) + "1",
            "1 if a else ".repeat(many) + "1",
            "a**".repeat(many) + "a",
            "f".to_owned() + &"()".repeat(many),
            "f'{".repeat(many),
            "x = [".to_owned() + &"1.5 + -2, ".repeat(many) + "]",
            "@".repeat(many),
            "await ".repeat(many) + "a",
            "if a:\n".repeat(many),
            "a[0]".repeat(many),
            "\"".repeat(many),
            (0..3000).map(|i| " ".repeat(i) + "if a:\n").collect::<String>(),
            "if a: b\n".to_owned() + &"elif a: b\n".repeat(many),
        ] {
            let _ = Parsed::of(&text);
        }
        assert!(parses(&("x = [".to_owned() + &"1.5 + -2, ".repeat(many) + "]\n")));
        assert!(
            nesting::of_text(&"(".repeat(300)).is_none() && parses(&("(".repeat(150) + &")".repeat(150)))
        );
    }
}
