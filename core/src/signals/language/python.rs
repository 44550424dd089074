//! Signals of Python, from its syntax tree.
//!
//! The tree is that of the current grammar (`ruff_python_parser`), so that a file does not fail for being newer than
//! the interpreter that runs the filter. CPython's limits on nesting hold: 200 brackets, 100 indentations.

use super::stack::with_stack;
use super::{per_line, python_comments, scan, share_of_lines};
use crate::signals::code::any_of;
use crate::signals::{Applies, Document, ratio, signals};
use aho_corasick::AhoCorasick;
use regex::Regex;
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, Parameters, PySourceType, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_python_parser::{Mode, lexer, parse_unchecked_source};
use ruff_text_size::Ranged;
use std::sync::LazyLock;

/// What one walk over the tree counts.
#[derive(Default)]
pub struct Facts {
    /// Length of docstrings and comments; there without a tree too.
    pub comment_chars: usize,
    tree: Option<Tree>,
}

#[derive(Default)]
struct Tree {
    functions: usize, // `def`, not `async def`
    async_functions: usize,
    simple_functions: usize,
    classes: usize,
    class_fields: usize,
    names_bound: usize,
    documentable: usize,
    documented: usize,
    parameters: usize,
    annotated: usize,
    function_lines: usize,
    imports: usize,
    relative_imports: usize,
    stdlib_imports: usize,
    star_imports: usize,
    handlers: usize,
    bare_handlers: usize,
    tests: usize,
    globals: usize,
    deepest: usize,
    has_main_guard: bool,
}

impl Facts {
    fn of(content: &str) -> Self {
        let source = python_comments::source(content);
        let Some(bound) = depth(&source) else { return Self::default() };
        with_stack(bound, || Self::parsed(&source)).unwrap_or_default()
    }

    fn parsed(source: &str) -> Self {
        let parsed = parse_unchecked_source(source, PySourceType::Python);
        let comment_chars = python_comments::chars(&parsed, source);
        // NUL is refused by CPython before it looks at anything else.
        let valid = parsed.errors().is_empty() && !source.contains('\0');
        let tree = valid.then(|| {
            let body = &parsed.syntax().body;
            let mut walk = Walk { source, tree: Tree::default(), depth: 0, classes: 0 };
            walk.tree.documentable = 1;
            walk.tree.documented = usize::from(has_docstring(body));
            walk.visit_body(body);
            walk.tree
        });
        Self { comment_chars, tree }
    }
}

/// An upper bound on how deep the parser recurses; `None` beyond CPython's limits.
///
/// Brackets and indentations nest; within a logical line, operators and dots make chains, which end at a comma. Most
/// files have so few of either that counting bytes is bound enough.
fn depth(source: &str) -> Option<usize> {
    let few = source.bytes().filter(|b| b"([{.+-*/%@&|^~<>=!".contains(b)).count()
        + source.matches("not ").count()
        + source.matches("lambda").count()
        + source.matches(" if ").count()
        + source.matches("await").count();
    if few < 180 && source.bytes().filter(|&b| b == b'\n').count() < 100 {
        return Some(few + 100);
    }
    let mut lexer = lexer::lex(source, Mode::Module);
    let (mut chains, mut indents, mut deepest, mut sum) = (vec![0_usize], 0_usize, 0, 0);
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return Some(deepest + 2 * 100),
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Newline => {
                chains.truncate(1);
                chains[0] = 0;
                sum = chains[0];
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                chains.push(1);
                sum += 1;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                if chains.len() > 1 {
                    sum -= chains.pop().unwrap_or(0);
                }
                chains[0] += usize::from(chains.len() == 1); // f()()() is a chain as well
                sum += usize::from(chains.len() == 1);
            }
            TokenKind::Comma => {
                if let Some(chain) = chains.last_mut() {
                    sum -= *chain;
                    *chain = 1;
                    sum += 1;
                }
            }
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle => {}
            _ => {
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                    sum += 1;
                }
            }
        }
        if chains.len() > 200 || indents > 100 {
            return None;
        }
        deepest = deepest.max(sum);
    }
}

struct Walk<'s> {
    source: &'s str,
    tree: Tree,
    depth: usize,
    classes: usize, // how many the statement is in
}

impl Walk<'_> {
    fn function(&mut self, function: &StmtFunctionDef) {
        let tree = &mut self.tree;
        let source = self.source;
        tree.documentable += 1;
        tree.documented += usize::from(has_docstring(&function.body));
        tree.function_lines += source[function.range().to_std_range()].matches('\n').count() + 1;
        tree.tests += usize::from(function.name.starts_with("test"));
        for parameter in parameters(&function.parameters) {
            tree.parameters += 1;
            tree.annotated += usize::from(parameter.annotation.is_some());
        }
        if function.is_async {
            tree.async_functions += 1;
            return;
        }
        tree.functions += 1;
        tree.simple_functions += usize::from(matches!(&*function.body, [Stmt::Return(_)]));
        tree.names_bound += function.parameters.args.len();
    }

    fn class(&mut self, class: &StmtClassDef) {
        self.tree.classes += 1;
        self.tree.documentable += 1;
        self.tree.documented += usize::from(has_docstring(&class.body));
        if self.classes > 0 {
            return; // classes in classes are not searched for fields
        }
        for statement in &class.body {
            self.tree.class_fields += match statement {
                Stmt::Assign(assign) => assign.targets.iter().filter(|target| target.is_name_expr()).count(),
                Stmt::AnnAssign(_) => 1,
                _ => 0,
            };
        }
    }

    fn import(&mut self, module: &str, level: u32) {
        self.tree.imports += 1;
        let top = module.split('.').next().unwrap_or("");
        self.tree.relative_imports += usize::from(level > 0);
        self.tree.stdlib_imports += usize::from(level == 0 && STDLIB.split(' ').any(|name| name == top));
    }
}

/// All parameters of a function but `self` and `cls`.
fn parameters(all: &Parameters) -> impl Iterator<Item = &ruff_python_ast::Parameter> {
    let plain = all.posonlyargs.iter().chain(&all.args).chain(&all.kwonlyargs).map(|p| &p.parameter);
    let star = all.vararg.as_deref().into_iter().chain(all.kwarg.as_deref());
    plain.filter(|p| !matches!(p.name.as_str(), "self" | "cls")).chain(star)
}

fn has_docstring(body: &[Stmt]) -> bool {
    matches!(body.first(), Some(Stmt::Expr(first)) if first.value.is_string_literal_expr())
}

impl<'a> StatementVisitor<'a> for Walk<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let is_class = matches!(statement, Stmt::ClassDef(_));
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Assign(assign) => {
                self.tree.names_bound += assign.targets.iter().filter(|target| target.is_name_expr()).count();
            }
            Stmt::For(each) => {
                self.tree.names_bound += usize::from(!each.is_async && each.target.is_name_expr())
            }
            Stmt::Import(import) => import.names.iter().for_each(|alias| self.import(&alias.name, 0)),
            Stmt::ImportFrom(import) => {
                self.import(import.module.as_deref().unwrap_or(""), import.level);
                self.tree.star_imports += usize::from(import.names.iter().any(|alias| &alias.name == "*"));
            }
            Stmt::Try(attempt) => {
                for handler in &attempt.handlers {
                    let bare = handler.as_except_handler().is_some_and(|handler| handler.type_.is_none());
                    self.tree.handlers += 1;
                    self.tree.bare_handlers += usize::from(bare);
                }
            }
            Stmt::Global(global) => self.tree.globals += global.names.len(),
            Stmt::If(branch) if self.depth == 0 => {
                let names = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id == *"__name__");
                self.tree.has_main_guard |=
                    branch.test.as_compare_expr().is_some_and(|test| names(&test.left));
            }
            _ => {}
        }
        self.depth += 1;
        self.classes += usize::from(is_class);
        self.tree.deepest = self.tree.deepest.max(self.depth);
        walk_stmt(self, statement);
        self.depth -= 1;
        self.classes -= usize::from(is_class);
    }
}

/// The top-level modules of Python 3.11's own library.
const STDLIB: &str = "abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb \
    binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys \
    compileall concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime \
    dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput \
    fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac \
    html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale \
    logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis \
    nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes \
    pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data \
    pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve \
    shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse \
    ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile \
    telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace traceback \
    tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref \
    webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo __future__";

static RETURN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[\s\x1c-\x1f]*return(?:[\s\x1c-\x1f]+[^\n]+)?[\s\x1c-\x1f]*$").expect("a constant")
});

static PASS: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&["pass"]));
static IMPORT: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&["import"]));

/// Lines of the code text that contain a word in any case.
fn lines_with(document: &Document<'_>, word: &AhoCorasick) -> usize {
    let code = document.split().code.as_bytes();
    scan::count_lines(code, |from| word.find(&code[from..]).map(|found| from + found.start()))
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.language_facts.python.get_or_init(|| Facts::of(document.content))
}

fn tree<'d>(document: &'d Document<'_>) -> Option<&'d Tree> {
    facts(document).tree.as_ref()
}

/// Characters of docstrings and comments.
pub(super) fn comment_chars(document: &Document<'_>) -> usize {
    facts(document).comment_chars
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
    fn python_frac_lines_pass(document) { per_line(lines_with(document, &PASS), document).or(Some(0.0)) }

    /// Code lines that contain `import`, in any case and within words too.
    ///
    /// Unit: fraction of code lines; 0 if there are none.
    /// Null: never.
    /// Why: files that only gather others.
    /// From: opc_data_filtering, `frac_lines_import`.
    /// Example: python "import os\nx = 1\n" → 0.5
    fn python_frac_lines_import(document) { per_line(lines_with(document, &IMPORT), document).or(Some(0.0)) }

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
        let code = &document.split().code;
        let imports = lines_with(document, &IMPORT);
        let returns = RETURN.find_iter(code).count();
        per_line(tree.functions + imports + tree.classes + returns + tree.class_fields, document)
    }

    /// Code lines that contain `print`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: exercises, debugging.
    /// From: opc_data_filtering, `frac_lines_print`.
    /// Example: python "print(1)\nx = 1\n" → 0.5
    fn python_frac_lines_print(document) { share_of_lines(document, &["print"]) }

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
    use super::{Facts, depth};

    fn parses(text: &str) -> bool {
        Facts::of(text).tree.is_some()
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
            let _ = Facts::of(&text);
        }
        assert!(parses(&("x = [".to_owned() + &"1.5 + -2, ".repeat(many) + "]\n")));
        assert!(depth(&"(".repeat(300)).is_none() && parses(&("(".repeat(150) + &")".repeat(150))));
    }
}
