//! A document as signals see it: its text, what is known of it, and what several signals derive from it.

use super::split::{Split, split};
use super::words::Words;
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
    /// What signals of its language have derived from it.
    pub(crate) language_facts: super::language::Facts,
    split: OnceCell<Split<'a>>,
    words: OnceCell<Words>,
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
            language_facts: super::language::Facts::default(),
            split: OnceCell::new(),
            words: OnceCell::new(),
        }
    }

    /// The last part of its path.
    pub fn file_name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    /// Code text and comment text.
    pub fn split(&self) -> &Split<'a> {
        self.split.get_or_init(|| split(self.content, self.language, self.syntax))
    }

    /// Normalised words.
    pub fn words(&self) -> &Words {
        self.words.get_or_init(|| Words::of(self.content))
    }
}
