//! Where the comments and strings of a program are, for every language of the table that has either.
//!
//! One pass over the bytes with an explicit stack for what nests, linear on any input: a closer that was not found
//! once is not looked for again.
//!
//! A language is its entry in `codemill/languages/table/`, made into [`rules`] and read by [`engine`]; what no table can
//! describe (raw strings, heredocs, regular expressions, templates) is added by [`dialects`], where to start reading.

mod dialects;
mod engine;
mod javascript;
mod literals;
mod markup;
mod memo;
mod quote;
mod rules;
mod scripting;
mod shell;
#[cfg(test)]
mod tests;
mod yaml;

#[cfg(feature = "python")]
pub mod python;

use std::sync::OnceLock;

pub use rules::Place;
pub(crate) use rules::{Quirks, Rules};

/// What a span of a program is. Whatever no span covers is code, whitespace included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `#!…` on the first line, without its line end.
    Hashbang,
    /// From its opener to the end of the line, which is not part of it.
    LineComment,
    /// From opener to closer, both included; to the end of the text where the closer is missing.
    BlockComment,
    /// A string that stands where documentation stands (Python), quotes and prefix included.
    Docstring,
    /// A string, character or regex literal, delimiters and prefix included. A literal with code inside is a span
    /// before, between and after each piece of code: `` `a${ `` and `` }b` ``. The body of a heredoc is one as well.
    String,
}

impl Kind {
    /// All, in order.
    pub const ALL: [Self; 5] =
        [Self::Hashbang, Self::LineComment, Self::BlockComment, Self::Docstring, Self::String];

    /// Its name in Python and in tests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hashbang => "hashbang",
            Self::LineComment => "line_comment",
            Self::BlockComment => "block_comment",
            Self::Docstring => "docstring",
            Self::String => "string",
        }
    }

    /// Whether it is a comment in the language itself; a docstring is not.
    pub fn is_comment(self) -> bool {
        matches!(self, Self::Hashbang | Self::LineComment | Self::BlockComment)
    }
}

/// A run of bytes of one kind. Spans are in order and do not overlap; none is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// What the lexer knows of a language: the facts of its entry in `codemill/languages/table/`.
#[derive(Clone, Debug, Default)]
pub struct Syntax {
    /// The key of the language: "python", "cpp".
    pub name: String,
    /// Openers of comments that run to the end of the line.
    pub line_comments: Vec<String>,
    /// Openers and closers of block comments.
    pub block_comments: Vec<(String, String)>,
    /// Whether block comments nest.
    pub nested_comments: bool,
    /// Openers of comments that cannot begin everywhere, and where they can.
    pub comment_places: Vec<(String, Place)>,
    /// Openers and closers of strings with backslash escapes; longer openers first.
    pub strings: Vec<(String, String)>,
    /// The same without escapes.
    pub raw_strings: Vec<(String, String)>,
    /// Whether a string whose closer is its opener ends with its line.
    pub one_line_strings: bool,
    /// The key of the language whose literals it has; its own where that is `None`.
    pub dialect: Option<String>,
    /// Openers of line comments that can only stand before the first code.
    pub head_line_comments: Vec<String>,
    /// The same of block comments, with their closers.
    pub head_block_comments: Vec<(String, String)>,
    /// What was made of it, so that it is made once; a copy makes its own.
    #[doc(hidden)]
    pub made: Made,
}

/// The rules made of a [`Syntax`]: of the language, and as the signals see it.
#[derive(Debug, Default)]
pub struct Made {
    pub(crate) rules: OnceLock<Rules>,
    pub(crate) split: OnceLock<Rules>,
}

impl Clone for Made {
    /// Nothing: the copy of a syntax is made to be changed.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Syntax {
    /// Its rules.
    pub(crate) fn rules(&self) -> &Rules {
        self.made.rules.get_or_init(|| Rules::of(self))
    }
}

/// The comments and strings of `text`.
///
/// ```
/// use codemill_core::lex::{Kind, Syntax, spans};
/// let syntax = Syntax { name: "c".into(), line_comments: vec!["//".into()], ..Syntax::default() };
/// let found = spans("f(\"//\"); // two\n", &syntax);
/// assert_eq!((found[0].kind, found[1].kind, found[1].start), (Kind::String, Kind::LineComment, 9));
/// ```
pub fn spans(text: &str, syntax: &Syntax) -> Vec<Span> {
    spans_by(text, syntax.rules())
}

/// The comments and strings of `text` under rules that the caller may have bent.
pub(crate) fn spans_by(text: &str, rules: &Rules) -> Vec<Span> {
    engine::Lexer::new(text.as_bytes(), rules).run()
}
