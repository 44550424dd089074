//! A document as signals see it: its text, what is known of it, and what several signals derive from it.

use super::characters::Characters;
use super::classes::length;
use super::code::CodeLines;
use super::lines::Layout;
use super::natural::Natural;
use super::ngrams::Ngrams;
use super::split::{Split, split};
use super::strings::Strings;
use super::text;
use super::tokens::Tokens;
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
    /// The natural language of its text; decided by its script if not given.
    pub natural: Option<Natural>,
    script: OnceCell<Natural>,
    characters: OnceCell<Characters>,
    layout: OnceCell<Layout>,
    /// What signals of its language have derived from it.
    pub(crate) language_facts: super::language::Facts,
    split: OnceCell<Split<'a>>,
    code_chars: OnceCell<usize>,
    code_lines: OnceCell<CodeLines>,
    strings: OnceCell<Strings>,
    tokens: OnceCell<Tokens>,
    text_lines: OnceCell<text::LineCounts>,
    raw_words: OnceCell<text::WordCounts>,
    words: OnceCell<Words>,
    ngrams: OnceCell<Ngrams>,
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
            characters: OnceCell::new(),
            layout: OnceCell::new(),
            language_facts: super::language::Facts::default(),
            split: OnceCell::new(),
            code_chars: OnceCell::new(),
            code_lines: OnceCell::new(),
            strings: OnceCell::new(),
            tokens: OnceCell::new(),
            text_lines: OnceCell::new(),
            raw_words: OnceCell::new(),
            words: OnceCell::new(),
            ngrams: OnceCell::new(),
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

    /// Counts of characters by class.
    pub(super) fn characters(&self) -> &Characters {
        self.characters.get_or_init(|| Characters::of(self.content))
    }

    /// How the raw lines are laid out.
    pub(super) fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| Layout::of(self.content))
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

    /// Identifiers and numbers of the code text.
    pub(super) fn tokens(&self) -> &Tokens {
        self.tokens.get_or_init(|| Tokens::of(&self.split().code, self.strings()))
    }

    /// What raw lines count in prose.
    pub(super) fn text_lines(&self) -> &text::LineCounts {
        self.text_lines.get_or_init(|| text::LineCounts::of(self.content))
    }

    /// Counts of raw words.
    pub(super) fn raw_words(&self) -> &text::WordCounts {
        self.raw_words.get_or_init(|| text::WordCounts::of(self.content))
    }

    /// Normalised words.
    pub(super) fn words(&self) -> &Words {
        self.words.get_or_init(|| Words::of(self.content, self.natural().segmenter()))
    }

    /// Repeated runs of normalised words.
    pub(super) fn ngrams(&self) -> &Ngrams {
        self.ngrams.get_or_init(|| Ngrams::of(self.words()))
    }
}
