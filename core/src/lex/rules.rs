//! The rules of a language: what its entry in the table says, and what its dialect adds to that.
//!
//! [`Rules::of`] is the list of dialects. A dialect may change the strings, name bytes that a *hook* wants to see first
//! (a raw string, a heredoc, a regular expression), or say where a comment can begin.

use super::engine::Lexer;
use super::{Syntax, javascript, literals, markup, scripting, shell, yaml};
use std::sync::Arc;

/// Reads what begins at a byte, if it is something special; `false` leaves the byte to the table.
pub type Hook = for<'a> fn(&mut Lexer<'a>, usize) -> bool;

/// What takes a quote away from its string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// A backslash before it.
    Backslash,
    /// Another one after it.
    Doubled,
    /// Nothing.
    None,
}

/// How far a string goes whose closer is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To the end of its line, which no string of the kind crosses.
    Line,
    /// Nowhere: a quote without partner on its line is code.
    LineOrCode,
    /// To the end of the text.
    Text,
    /// Nowhere: a quote without any partner is code.
    TextOrCode,
}

/// A kind of string, from just behind its opener.
#[derive(Clone, Copy, Debug)]
pub struct Quote<'a> {
    /// What ends it; never empty.
    pub close: &'a [u8],
    /// What does not end it.
    pub escape: Escape,
    /// What becomes of it without a closer.
    pub extent: Extent,
    /// Openers of code inside, each ending in the bracket that its closer pairs with; all begin with one byte.
    pub code: &'static [&'static [u8]],
    /// Whether such an opener, doubled, is text.
    pub doubled_code: bool,
    /// Whether more quotes after the closer belong to the string.
    pub trailing: bool,
}

impl<'a> Quote<'a> {
    /// A string without code inside.
    pub const fn new(close: &'a [u8], escape: Escape, extent: Extent) -> Self {
        Self { close, escape, extent, code: &[], doubled_code: false, trailing: false }
    }

    /// The same with code inside.
    pub const fn with_code(self, code: &'static [&'static [u8]]) -> Self {
        Self { code, ..self }
    }

    /// Whether it ends with its line.
    pub fn is_one_line(&self) -> bool {
        matches!(self.extent, Extent::Line | Extent::LineOrCode)
    }

    /// The next byte of the inside that means something.
    pub fn next_stop(&self, text: &[u8], spec: bool) -> Option<usize> {
        let close = self.close[0];
        let escape = if self.escape == Escape::Backslash { b'\\' } else { close };
        let newline = if self.is_one_line() { b'\n' } else { close };
        let code = self.code.first().map_or(close, |code| code[0]);
        let end = if spec { b'}' } else { close };
        if code == close && end == close && newline == close {
            return memchr::memchr2(close, escape, text);
        }
        text.iter().position(|&b| b == close || b == escape || b == newline || b == code || b == end)
    }
}

/// A string as rules hold it.
#[derive(Clone, Debug)]
pub struct OwnedQuote {
    close: Vec<u8>,
    rest: Quote<'static>,
}

impl OwnedQuote {
    /// As the lexer takes it.
    pub fn borrowed(&self) -> Quote<'_> {
        Quote { close: &self.close, ..self.rest }
    }
}

/// Where a comment can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Everywhere.
    Anywhere,
    /// At the start or after whitespace.
    Blank,
    /// Where a word of a shell can begin.
    Word,
    /// First on its line.
    LineStart,
    /// In the first column.
    Column0,
}

/// What an opener opens.
#[derive(Clone, Debug)]
pub enum What {
    /// A comment to the end of the line.
    Line(Place),
    /// A comment to its closer.
    Block {
        /// The closer.
        close: Vec<u8>,
        /// Where it can begin.
        place: Place,
    },
    /// A string.
    Text(OwnedQuote),
}

/// What opens something.
#[derive(Clone, Debug)]
pub struct Opener {
    /// Its text.
    pub text: Vec<u8>,
    /// What it opens.
    pub what: What,
    word: bool,
}

impl Opener {
    /// Whether it stands at `at`. An opener of letters (REM, dnl) is a word of its own, in either case.
    pub fn is_at(&self, text: &[u8], at: usize) -> bool {
        if !self.word {
            return text[at..].starts_with(&self.text);
        }
        let end = at + self.text.len();
        let word = super::engine::is_word;
        text.len() >= end
            && text[at..end].eq_ignore_ascii_case(&self.text)
            && (at == 0 || !word(text[at - 1]))
            && text.get(end).is_none_or(|&b| !word(b) || !word(self.text[self.text.len() - 1]))
    }
}

/// Ways in which a lexer can be asked to see less than there is; all off in [`super::spans`].
///
/// They are the part of the signals' split (`crate::signals::split`) that spans cannot be corrected for afterwards;
/// which language has which, and why, is written there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quirks {
    /// A block comment without closer is code.
    pub unclosed_comment_is_code: bool,
    /// Single and double quotes pair up across lines, and a quote without partner is code.
    pub quotes_pair_across_lines: bool,
    /// JSX is code like any other.
    pub no_jsx: bool,
    /// C: no strings on lines of the preprocessor; the rest of a line after `#include <x>` is comment; the body of
    /// `#if 0` is code whatever it contains. C#: such lines are code to their end.
    pub plain_directives: bool,
    /// Python: every triple-quoted string that is first on its line is documentation, and escapes do not count in it.
    pub docstrings_anywhere: bool,
    /// INI: a comment begins anywhere on a line.
    pub comments_anywhere: bool,
    /// Shell: a heredoc ends where its word comes next, be it within a line.
    pub loose_heredocs: bool,
}

/// How one language is read.
#[derive(Clone)]
pub struct Rules {
    openers: Vec<Opener>,
    /// Bytes at which anything can begin.
    pub stops: [bool; 256],
    /// Bytes the hook wants to see.
    pub special: [bool; 256],
    /// The dialect's own reader.
    pub hook: Hook,
    /// What the dialect does before anything else.
    pub start: Option<for<'a> fn(&mut Lexer<'a>)>,
    /// Bytes that take the meaning of the byte after them, in code.
    pub skips: &'static [u8],
    /// Whether block comments nest.
    pub nested: bool,
    /// Whether a backslash at the end of its line carries a line comment on.
    pub continued: bool,
    /// What ends a line comment before its line does (`?>`).
    pub line_comment_closer: Option<&'static [u8]>,
    /// Whether `'` after a word is no quote.
    pub primes: bool,
    /// Whether JSX can occur.
    pub jsx: bool,
    /// HTML: how scripts and style sheets are read; `None` leaves them as they are.
    pub script: Option<Arc<Rules>>,
    /// See `script`.
    pub style: Option<Arc<Rules>>,
    /// What the caller does not want to be seen.
    pub quirks: Quirks,
    /// Which dialect of a family it is.
    pub dialect: Dialect,
}

/// The dialects that share readers and differ in places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The table says it all.
    Table,
    /// C and its descendants with its preprocessor.
    C,
    /// C++ and its relatives: C with raw strings.
    Cpp,
    /// The others are named after their language.
    CSharp,
    /// See above.
    Rust,
    /// See above.
    Swift,
    /// See above.
    Lua,
    /// See above.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// See above.
    Ruby,
    /// See above.
    Perl,
    /// Bourne's and its descendants.
    Shell,
    /// See above.
    Php,
    /// HTML, Vue, Svelte.
    Html,
    /// See above.
    Xml,
    /// See above.
    Yaml,
    /// CSS, SCSS, Less.
    Css,
}

const fn no_hook(_: &mut Lexer<'_>, _: usize) -> bool {
    false
}

impl Rules {
    /// The rules of a language.
    pub fn of(syntax: &Syntax) -> Self {
        let mut rules = Self::of_table(syntax);
        rules.dialect(&syntax.name);
        rules.finish();
        rules
    }

    /// The rules of a dialect that needs nothing from the table.
    pub fn named(name: &str) -> Self {
        Self::of(&Syntax { name: name.into(), ..Syntax::default() })
    }

    /// What the table alone says.
    fn of_table(syntax: &Syntax) -> Self {
        let mut rules = Self {
            openers: Vec::new(),
            stops: [false; 256],
            special: [false; 256],
            hook: no_hook,
            start: Some(hashbang),
            skips: b"",
            nested: syntax.nested_comments,
            continued: false,
            line_comment_closer: None,
            primes: true,
            jsx: false,
            script: None,
            style: None,
            quirks: Quirks::default(),
            dialect: Dialect::Table,
        };
        for (open, close) in &syntax.block_comments {
            // `=begin` of Ruby, `=pod` of Perl: markers in the first column.
            let place = if open.starts_with('=') { Place::Column0 } else { Place::Anywhere };
            rules.block(open, close, place);
        }
        for open in &syntax.line_comments {
            let place = match open.as_str() {
                "*" | "C" | "c" | "::" | "-#" | "//-" | "/" => Place::LineStart,
                _ => Place::Anywhere,
            };
            rules.line(open.trim_end(), place);
        }
        for (strings, escape) in [(&syntax.strings, Escape::Backslash), (&syntax.raw_strings, Escape::None)] {
            for (open, close) in strings {
                let extent = if open == "'" { Extent::LineOrCode } else { Extent::TextOrCode };
                rules.text(open, close, escape, extent);
            }
        }
        // Where nobody wrote strings down, `"http://…"` still is no comment.
        let unknown = syntax.strings.is_empty() && syntax.raw_strings.is_empty();
        if unknown && !syntax.line_comments.is_empty() && !syntax.line_comments.iter().any(|c| c == "\"") {
            rules.text("\"", "\"", Escape::Backslash, Extent::LineOrCode);
        }
        rules
    }

    /// Adds what the table cannot say.
    fn dialect(&mut self, name: &str) {
        use Escape::{Backslash, Doubled, None as Raw};
        use Extent::{Line, Text};
        match name {
            "c" | "c-objdump" | "cpp-objdump" | "objective-c" | "cpp" | "objective-c++" | "cuda"
            | "arduino" => {
                let plain = matches!(name, "c" | "c-objdump" | "objective-c");
                self.family(if plain { Dialect::C } else { Dialect::Cpp }, literals::c, b"#'\"");
                self.slashes(false);
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
                self.continued = true;
            }
            "csharp" => {
                self.family(Dialect::CSharp, literals::csharp, b"#\"@$");
                self.braces();
                self.slashes(false);
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
            }
            "java" | "go" | "dart" | "groovy" | "gradle" => {
                self.slashes(false);
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
                if name == "go" {
                    self.text("`", "`", Raw, Text);
                } else {
                    self.text("\"\"\"", "\"\"\"", Backslash, Text);
                }
                if matches!(name, "dart" | "groovy" | "gradle") {
                    self.text("'''", "'''", Backslash, Text);
                    let marks: &[&str] =
                        if name == "dart" { &["\"\"\"", "\"", "'''", "'"] } else { &["\"\"\"", "\""] };
                    self.code_inside(marks, &[b"${"], false);
                    self.braces();
                }
                if name == "dart" {
                    for quote in ["\"\"\"", "'''", "\"", "'"] {
                        self.text(
                            &format!("r{quote}"),
                            quote,
                            Raw,
                            if quote.len() == 1 { Line } else { Text },
                        );
                    }
                }
            }
            "kotlin" | "gradle kotlin dsl" | "scala" => {
                self.slashes(true);
                self.only_text(&[("\"\"\"", "\"\"\"", Raw, Text), ("\"", "\"", Backslash, Line)]);
                self.code_inside(&["\"\"\"", "\""], &[b"${"], false);
                self.trailing("\"\"\"");
                self.braces();
                self.special_bytes(b"'");
                self.hook = literals::char_or_word;
            }
            "swift" => {
                self.family(Dialect::Swift, literals::swift, b"#");
                self.slashes(true);
                self.only_text(&[("\"\"\"", "\"\"\"", Backslash, Text), ("\"", "\"", Backslash, Line)]);
                self.special_bytes(b"\"");
                self.parens();
            }
            "rust" => {
                self.family(Dialect::Rust, literals::rust, b"'\"");
                self.slashes(true);
                self.only_text(&[("\"", "\"", Backslash, Text)]);
            }
            "python" | "cython" | "starlark" | "sage" | "mojo" | "numpy" | "xonsh" | "snakemake"
            | "easybuild" => {
                self.family(Dialect::Python, literals::python, b"\"':");
                self.openers.retain(|o| !matches!(o.what, What::Text(_)));
                self.line("#", Place::Anywhere);
                self.braces();
            }
            "javascript" | "typescript" | "tsx" | "jsx" | "astro" | "javascript+erb" | "qml" => {
                self.family(Dialect::JavaScript, javascript::hook, b"/");
                self.slashes(false);
                self.only_text(&[
                    ("\"", "\"", Backslash, Line),
                    ("'", "'", Backslash, Line),
                    ("`", "`", Backslash, Text),
                ]);
                self.code_inside(&["`"], &[b"${"], false);
                self.braces();
                self.jsx = matches!(name, "javascript" | "tsx" | "jsx");
                if self.jsx {
                    self.special_bytes(b"<");
                }
            }
            "ruby" | "crystal" => {
                self.family(Dialect::Ruby, scripting::ruby, b"%/<?:$=_\n\"'`");
                self.only_line_comment("#", Place::Anywhere);
                self.braces();
            }
            "perl" => {
                self.family(Dialect::Perl, scripting::perl, b"qmsty/<=_\n$\"'`#-");
                self.openers.clear();
                self.line("#", Place::Anywhere);
            }
            "shell" | "tcsh" | "alpine abuild" | "gentoo ebuild" | "gentoo eclass" => {
                self.family(Dialect::Shell, shell::hook, b"<$\n\"'");
                self.only_line_comment("#", Place::Word);
                self.only_text(&[("'", "'", Raw, Text)]);
                self.skips = b"\\";
                self.parens();
                self.braces();
            }
            "php" | "hack" | "html+php" => {
                self.family(Dialect::Php, markup::php, b"?<#");
                self.slashes(false);
                self.line("#", Place::Anywhere);
                self.only_text(&[
                    ("\"", "\"", Backslash, Text),
                    ("'", "'", Backslash, Text),
                    ("`", "`", Backslash, Text),
                ]);
                self.line_comment_closer = Some(b"?>");
                self.start = Some(markup::to_php);
            }
            "html" | "vue" | "svelte" => {
                self.family(Dialect::Html, markup::html, b"<");
                self.openers.clear();
                self.script = Some(Arc::new(Self::named("javascript")));
                self.style = Some(Arc::new(Self::named("scss")));
                self.block("<!--", "-->", Place::Anywhere);
            }
            "xml" | "svg" | "xslt" | "maven pom" | "ant build system" | "xml property list" => {
                self.family(Dialect::Xml, markup::html, b"<");
                self.openers.clear();
                self.block("<!--", "-->", Place::Anywhere);
            }
            "sql" | "plpgsql" | "plsql" | "tsql" | "sqlpl" | "hiveql" => {
                self.openers.clear();
                self.line("--", Place::Anywhere);
                self.block("/*", "*/", Place::Anywhere);
                self.nested = true;
                self.only_text(&[("'", "'", Doubled, Text), ("\"", "\"", Doubled, Text)]);
                self.primes = false;
            }
            "yaml" | "miniyaml" | "saltstack" | "raml" | "common workflow language" | "clips yaml" => {
                self.family(Dialect::Yaml, yaml::hook, b"|>\"'");
                self.openers.clear();
                self.line("#", Place::Blank);
            }
            "css" | "scss" | "less" | "postcss" => {
                self.family(Dialect::Css, literals::css, b"u");
                self.openers.clear();
                self.block("/*", "*/", Place::Anywhere);
                if name != "css" {
                    self.line("//", Place::Anywhere);
                }
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
            }
            "lua" | "luau" => {
                self.family(Dialect::Lua, literals::lua, b"-[");
                self.openers.clear();
                self.line("--", Place::Anywhere);
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
            }
            "makefile" => {
                self.only_line_comment("#", Place::Anywhere);
                self.openers.retain(|o| !matches!(o.what, What::Text(_)));
                self.continued = true;
                self.skips = b"\\";
            }
            "dockerfile" => {
                self.only_line_comment("#", Place::LineStart);
                self.openers.retain(|o| !matches!(o.what, What::Text(_)));
            }
            "toml" => self.only_text(&[
                ("\"\"\"", "\"\"\"", Backslash, Text),
                ("'''", "'''", Raw, Text),
                ("\"", "\"", Backslash, Line),
                ("'", "'", Raw, Line),
            ]),
            "json" | "json with comments" | "json5" => {
                self.slashes(false);
                self.only_text(&[("\"", "\"", Backslash, Line)]);
                if name == "json5" {
                    self.text("'", "'", Backslash, Line);
                }
            }
            "clojure" | "common lisp" | "emacs lisp" | "scheme" | "racket" | "tcl" | "bibtex" | "tex" => {
                self.skips = b"\\";
            }
            "erlang" => self.skips = b"$",
            "powershell" => self.skips = b"`",
            "ini" | "editorconfig" | "git config" => {
                self.openers.clear();
                self.line("#", Place::LineStart);
                self.line(";", Place::LineStart);
            }
            "nginx" => self.only_line_comment("#", Place::Blank),
            _ => {}
        }
    }

    fn family(&mut self, dialect: Dialect, hook: Hook, special: &[u8]) {
        self.dialect = dialect;
        self.hook = hook;
        self.primes = false;
        self.special_bytes(special);
    }

    /// The bytes the hook is called for.
    fn special_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.special[byte as usize] = true;
        }
    }

    /// `//` and `/* */`, and nothing else from the table.
    fn slashes(&mut self, nested: bool) {
        self.openers.clear();
        self.line("//", Place::Anywhere);
        self.block("/*", "*/", Place::Anywhere);
        self.nested = nested;
        self.primes = false;
    }

    fn only_line_comment(&mut self, open: &str, place: Place) {
        self.openers.retain(|o| matches!(o.what, What::Text(_)));
        self.line(open, place);
    }

    fn only_text(&mut self, quotes: &[(&str, &str, Escape, Extent)]) {
        self.openers.retain(|o| !matches!(o.what, What::Text(_)));
        for (open, close, escape, extent) in quotes {
            self.text(open, close, *escape, *extent);
        }
    }

    fn line(&mut self, open: &str, place: Place) {
        self.add(open, What::Line(place));
    }

    fn block(&mut self, open: &str, close: &str, place: Place) {
        if !close.is_empty() {
            self.add(open, What::Block { close: close.into(), place });
        }
    }

    fn text(&mut self, open: &str, close: &str, escape: Escape, extent: Extent) {
        if !close.is_empty() {
            let rest = Quote::new(b"", escape, extent);
            self.add(open, What::Text(OwnedQuote { close: close.into(), rest }));
        }
    }

    fn add(&mut self, open: &str, what: What) {
        let (text, word) = (open.as_bytes().to_vec(), open.starts_with(|c: char| c.is_ascii_alphabetic()));
        // `r"` of Dart begins with a letter too, but is not a word.
        let word = word && !matches!(what, What::Text(_));
        if !text.is_empty() && !self.openers.iter().any(|o| o.text == text) {
            self.openers.push(Opener { text, what, word });
        }
    }

    fn texts(&mut self, opens: &[&str], change: impl Fn(&mut Quote<'static>)) {
        for opener in &mut self.openers {
            if let What::Text(quote) = &mut opener.what
                && opens.iter().any(|open| open.as_bytes() == opener.text)
            {
                change(&mut quote.rest);
            }
        }
    }

    fn code_inside(&mut self, opens: &[&str], code: &'static [&'static [u8]], doubled: bool) {
        self.texts(opens, |quote| (quote.code, quote.doubled_code) = (code, doubled));
    }

    fn trailing(&mut self, open: &str) {
        self.texts(&[open], |quote| quote.trailing = true);
    }

    fn braces(&mut self) {
        self.stop(b"{}");
    }

    fn parens(&mut self) {
        self.stop(b"()");
    }

    fn stop(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.stops[byte as usize] = true;
        }
    }

    /// Bends the rules.
    pub fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        if quirks.quotes_pair_across_lines {
            self.texts(&["\"", "'"], |quote| quote.extent = Extent::TextOrCode);
        }
        if quirks.comments_anywhere {
            for opener in &mut self.openers {
                if let What::Line(place) = &mut opener.what {
                    *place = Place::Anywhere;
                }
            }
        }
        if quirks.no_jsx {
            self.jsx = false;
        }
        self
    }

    /// Openers in the order in which they are tried, and the bytes to stop at.
    fn finish(&mut self) {
        self.openers.sort_by_key(|o| std::cmp::Reverse(o.text.len()));
        for opener in &self.openers {
            let byte = opener.text[0];
            self.stops[byte as usize] = true;
            if opener.word {
                self.stops[byte.to_ascii_lowercase() as usize] = true;
                self.stops[byte.to_ascii_uppercase() as usize] = true;
            }
        }
        for byte in 0..256 {
            self.stops[byte] |= self.special[byte];
        }
        for &byte in self.skips {
            self.stops[byte as usize] = true;
        }
    }

    /// The openers that begin with a byte, longest first.
    pub fn openers_of(&self, byte: u8) -> impl Iterator<Item = &Opener> {
        self.openers
            .iter()
            .filter(move |o| o.text[0] == byte || (o.word && o.text[0].eq_ignore_ascii_case(&byte)))
    }
}

/// A string without escapes, code or line limit that ends with `close`.
pub const fn raw(close: &[u8]) -> Quote<'_> {
    Quote::new(close, Escape::None, Extent::Text)
}

/// The first line, where it names an interpreter.
fn hashbang(lexer: &mut Lexer<'_>) {
    let bom = if lexer.text.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    // `#![` is an attribute of Rust.
    if lexer.text[bom..].starts_with(b"#!") && lexer.text.get(bom + 2) != Some(&b'[') {
        let end = lexer.line_end(bom);
        let end = lexer.without_cr(bom, end);
        lexer.push(super::Kind::Hashbang, bom, end);
    }
}
