//! What is known of a language before its rules are made.

use super::place::Place;
use super::rules::Rules;
use std::sync::OnceLock;

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
