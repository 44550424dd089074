//! A document as signals see it: its text, what is known of it, and what several signals derive from it.

use super::classes::length;
use super::code_lines::CodeLines;
use super::derived::Derived;
use super::natural::Natural;
use super::split::{Split, split};
use super::strings::Strings;
use crate::lex::Syntax;
use std::cell::OnceCell;

/// Which kind of document it is; the type of a web page is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocType {
    /// A program.
    Code,
    /// JSON, YAML, CSS and the like.
    Data,
    /// Prose.
    Text,
}

/// A document, and what has been derived from it so far.
pub struct Document<'a> {
    /// Its text, as it is: a byte order mark is a character, CR LF are two.
    pub content: &'a str,
    /// The key of its language in the table.
    pub language: &'a str,
    /// Its type.
    pub doc_type: DocType,
    /// Its path in the repository; may be empty.
    pub path: &'a str,
    /// Its size as it was found, in bytes.
    pub size: Option<u64>,
    /// Comments and strings of its language; `None` if nobody has written them down.
    pub syntax: Option<&'a Syntax>,
    /// The natural language of its text; decided by its script if not given.
    pub natural: Option<Natural>,
    script: OnceCell<Natural>,
    split: OnceCell<Split<'a>>,
    code_chars: OnceCell<usize>,
    code_lines: OnceCell<CodeLines>,
    strings: OnceCell<Strings>,
    derived: Derived,
}

impl<'a> Document<'a> {
    /// A document of which nothing has been derived yet.
    pub fn new(content: &'a str, language: &'a str, doc_type: DocType, syntax: Option<&'a Syntax>) -> Self {
        Self {
            content,
            language,
            doc_type,
            path: "",
            size: None,
            syntax,
            natural: None,
            script: OnceCell::new(),
            derived: Derived::default(),
            split: OnceCell::new(),
            code_chars: OnceCell::new(),
            code_lines: OnceCell::new(),
            strings: OnceCell::new(),
        }
    }

    /// The last part of its path.
    pub fn file_name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    /// The natural language: as given, else `En` for code and data, and what the script says for text.
    pub fn natural(&self) -> Natural {
        self.natural.unwrap_or_else(|| match self.doc_type {
            DocType::Text => *self.script.get_or_init(|| Natural::of(self.content)),
            DocType::Code | DocType::Data => Natural::En,
        })
    }

    /// What `derive` makes of it: once for each type, when the first signal asks.
    ///
    /// A family keeps what its signals share in a type of its own, and says here how it comes about.
    pub(crate) fn derived<T: 'static>(&self, derive: impl FnOnce() -> T) -> &T {
        self.derived.get(derive)
    }

    /// Code text and comment text.
    pub fn split(&self) -> &Split<'a> {
        self.split.get_or_init(|| split(self.content, self.language, self.syntax))
    }

    /// How long the code text is, in characters.
    pub(super) fn code_chars(&self) -> usize {
        *self.code_chars.get_or_init(|| length(&self.split().code))
    }

    /// The lines of the code text.
    pub(super) fn code_lines(&self) -> &CodeLines {
        self.code_lines.get_or_init(|| CodeLines::of(&self.split().code))
    }

    /// Lines of the code text that are not blank: what most shares of lines are shares of.
    pub fn num_code_lines(&self) -> usize {
        self.code_lines().visible
    }

    /// What the strings of the code text add up to.
    pub(super) fn strings(&self) -> &Strings {
        self.strings.get_or_init(|| Strings::of(&self.split().code))
    }
}
