//! One walk over the statements of a module.

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// What one walk over the tree counts.
#[derive(Default)]
pub struct Tree {
    pub functions: usize, // `def`, not `async def`
    pub async_functions: usize,
    pub simple_functions: usize,
    pub classes: usize,
    pub class_fields: usize,
    pub names_bound: usize,
    pub assignments: usize, // of every form, `for` and `with` targets too
    pub passes: usize,
    pub import_lines: usize,
    pub documentable: usize,
    pub documented: usize,
    pub parameters: usize,
    pub annotated: usize,
    pub function_lines: usize,
    pub imports: usize,
    pub relative_imports: usize,
    pub stdlib_imports: usize,
    pub star_imports: usize,
    pub handlers: usize,
    pub bare_handlers: usize,
    pub tests: usize,
    pub globals: usize,
    pub deepest: usize,
    pub has_main_guard: bool,
}

impl Tree {
    /// The counts of a module.
    pub fn of(source: &str, body: &[Stmt]) -> Self {
        let line_ends: Vec<usize> = memchr::memchr_iter(b'\n', source.as_bytes()).collect();
        let mut walk = Walk { line_ends: &line_ends, tree: Self::default(), depth: 0, classes: 0 };
        walk.tree.documentable = 1;
        walk.tree.documented = usize::from(has_docstring(body));
        walk.visit_body(body);
        walk.tree
    }
}

struct Walk<'s> {
    line_ends: &'s [usize],
    tree: Tree,
    depth: usize,
    classes: usize, // how many the statement is in
}

impl Walk<'_> {
    /// How many lines a statement spans.
    fn lines(&self, range: TextRange) -> usize {
        let before = |offset: TextSize| self.line_ends.partition_point(|&end| end < offset.to_usize());
        before(range.end()) - before(range.start()) + 1
    }

    fn function(&mut self, function: &StmtFunctionDef) {
        let lines = self.lines(function.range());
        let tree = &mut self.tree;
        tree.documentable += 1;
        tree.documented += usize::from(has_docstring(&function.body));
        tree.function_lines += lines;
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
        self.tree.stdlib_imports += usize::from(level == 0 && STDLIB.contains(top));
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
            Stmt::Pass(_) => self.tree.passes += 1,
            Stmt::AnnAssign(_) => self.tree.assignments += 1,
            Stmt::With(with) => {
                self.tree.assignments +=
                    with.items.iter().filter(|item| item.optional_vars.is_some()).count();
            }
            Stmt::Assign(assign) => {
                self.tree.assignments += 1;
                self.tree.names_bound += assign.targets.iter().filter(|target| target.is_name_expr()).count();
            }
            Stmt::For(each) => {
                self.tree.assignments += 1;
                self.tree.names_bound += usize::from(!each.is_async && each.target.is_name_expr())
            }
            Stmt::Import(import) => {
                self.tree.import_lines += self.lines(import.range());
                import.names.iter().for_each(|alias| self.import(&alias.name, 0));
            }
            Stmt::ImportFrom(import) => {
                self.tree.import_lines += self.lines(import.range());
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
static STDLIB: LazyLock<FxHashSet<&str>> = LazyLock::new(|| STDLIB_NAMES.split(' ').collect());

const STDLIB_NAMES: &str = "abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb \
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
