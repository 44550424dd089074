//! The languages whose literals no table can describe: what each changes in the rules of its entry.

use super::place::Place;
use super::quote::{Escape, Extent};
use super::rules::{Dialect, Hook, Rules, Stop, What};
use super::syntax::Syntax;
use super::{javascript, literals, markup, scripting, shell, yaml};
use std::sync::Arc;

impl Rules {
    /// The rules of a language.
    pub fn of(syntax: &Syntax) -> Self {
        let mut rules = Self::of_table(syntax);
        rules.dialect(syntax.dialect.as_deref().unwrap_or(&syntax.name));
        rules.finish();
        rules
    }

    /// The rules of a dialect that needs nothing from the table.
    pub fn named(name: &str) -> Self {
        Self::of(&Syntax { name: name.into(), ..Syntax::default() })
    }

    /// Adds what the table cannot say.
    fn dialect(&mut self, name: &str) {
        use Escape::{Backslash, Doubled, None as Raw};
        use Extent::{Line, Text};
        match name {
            "c" | "cpp" => {
                self.family(if name == "c" { Dialect::C } else { Dialect::Cpp }, literals::c, b"#'\"");
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
            "java" | "go" | "dart" | "groovy" => {
                self.slashes(false);
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
                if name == "go" {
                    self.text("`", "`", Raw, Text);
                } else {
                    self.text("\"\"\"", "\"\"\"", Backslash, Text);
                }
                if matches!(name, "dart" | "groovy") {
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
            "kotlin" | "scala" => {
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
            "python" => {
                self.family(Dialect::Python, literals::python, b"\"'");
                self.openers.retain(|o| !matches!(o.what, What::Text(_)));
                self.line("#", Place::Anywhere);
                self.inside_literals(b"{}:", b":");
            }
            "javascript" | "typescript" => {
                self.family(Dialect::JavaScript, javascript::hook, b"/");
                self.slashes(false);
                self.only_text(&[
                    ("\"", "\"", Backslash, Line),
                    ("'", "'", Backslash, Line),
                    ("`", "`", Backslash, Text),
                ]);
                self.code_inside(&["`"], &[b"${"], false);
                self.braces();
                self.jsx = name == "javascript";
                if self.jsx {
                    self.special_bytes(b"<");
                }
            }
            "ruby" => {
                self.family(Dialect::Ruby, scripting::ruby, b"%/<?$=\"'`");
                self.on_demand(b"\n_");
                self.start = Some(scripting::start);
                self.only_line_comment("#", Place::Anywhere);
                self.braces();
            }
            "perl" => {
                self.family(Dialect::Perl, scripting::perl, b"qmsty/<=$\"'`");
                self.on_demand(b"\n_");
                self.word_stops(b"qmsty");
                self.start = Some(scripting::start);
                self.openers.clear();
                self.line("#", Place::Anywhere);
            }
            "shell" => {
                self.family(Dialect::Shell, shell::hook, b"<$\"'");
                self.on_demand(b"\n");
                self.only_line_comment("#", Place::Word);
                self.only_text(&[("'", "'", Raw, Text)]);
                self.skips = b"\\";
                self.parens();
                self.braces();
            }
            "php" | "hack" => {
                self.family(Dialect::Php, markup::php, b"?<#");
                self.slashes(false);
                self.line("#", Place::Anywhere);
                self.only_text(&[
                    ("\"", "\"", Backslash, Text),
                    ("'", "'", Backslash, Text),
                    ("`", "`", Backslash, Text),
                ]);
                self.line_comment_closer = Some(b"?>");
                if name == "php" {
                    self.start = Some(markup::to_php);
                }
            }
            "html" => {
                self.family(Dialect::Html, markup::html, b"<");
                self.openers.clear();
                self.script = Some(Arc::new(Self::named("javascript")));
                self.style = Some(Arc::new(Self::named("scss")));
                self.block("<!--", "-->", Place::Anywhere);
            }
            "xml" => {
                self.family(Dialect::Xml, markup::html, b"<");
                self.openers.clear();
                self.block("<!--", "-->", Place::Anywhere);
            }
            "sql" => {
                self.openers.clear();
                self.line("--", Place::Anywhere);
                self.block("/*", "*/", Place::Anywhere);
                self.nested = true;
                self.only_text(&[("'", "'", Doubled, Text), ("\"", "\"", Doubled, Text)]);
                self.primes = false;
            }
            "yaml" => {
                self.family(Dialect::Yaml, yaml::hook, b"|>\"'");
                self.openers.clear();
                self.line("#", Place::Blank);
            }
            "css" | "scss" => {
                self.family(Dialect::Css, literals::css, b"u");
                self.word_stops(b"u");
                self.openers.clear();
                self.block("/*", "*/", Place::Anywhere);
                if name != "css" {
                    self.line("//", Place::Anywhere);
                }
                self.only_text(&[("\"", "\"", Backslash, Line), ("'", "'", Backslash, Line)]);
            }
            "lua" => {
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
            "clojure" | "common lisp" | "emacs lisp" | "scheme" | "racket" | "tcl" | "bibtex" | "tex"
            | "lex" | "jflex" | "jison lex" => self.skips = b"\\",
            // `'"'` is a character, `'a` a type, `a'` a name.
            "haskell" | "elm" | "purescript" | "julia" | "ocaml" | "reason" | "rescript" | "f#" | "ada"
            | "vhdl" => {
                self.openers.retain(|o| o.text != b"'");
                self.special_bytes(b"'");
                self.hook = literals::char_or_prime;
            }
            "erlang" => self.skips = b"$",
            "powershell" => self.skips = b"`",
            "ini" => {
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
            self.stops[byte as usize] = Stop::Always;
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

    fn code_inside(&mut self, opens: &[&str], code: &'static [&'static [u8]], doubled: bool) {
        self.texts(opens, |quote| (quote.code, quote.doubled_code) = (code, doubled));
    }

    fn trailing(&mut self, open: &str) {
        self.texts(&[open], |quote| quote.trailing = true);
    }

    fn braces(&mut self) {
        self.inside_literals(b"{}", b"");
    }

    fn parens(&mut self) {
        self.inside_literals(b"()", b"");
    }

    /// Bytes to stop at in code inside a literal only; for those of `special` the hook is called.
    fn inside_literals(&mut self, bytes: &[u8], special: &[u8]) {
        self.inside.extend_from_slice(bytes);
        self.on_demand(special);
    }

    /// Bytes for which the hook is called where the lexer was told to stop at them (`Lexer::stop_at`).
    fn on_demand(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.special[byte as usize] = true;
        }
    }

    /// Bytes that open something only at the start of a word.
    fn word_stops(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.stops[byte as usize] = Stop::AtWord;
        }
    }
}
