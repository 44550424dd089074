//! Code text and comment text, as the signals see them.
//!
//! This is the one place where the texts of the signals differ from true lexing (`crate::lex`), and why.

use crate::lex::Syntax;
use std::borrow::Cow;

/// A document cut in two: what is code, and what is comment, each joined in order with nothing between.
pub struct Split<'a> {
    /// Everything that is not comment.
    pub code: Cow<'a, str>,
    /// The comments.
    pub comments: Cow<'a, str>,
}

/// Cuts `content` into code text and comment text.
pub fn split<'a>(content: &'a str, _language: &str, _syntax: Option<&Syntax>) -> Split<'a> {
    Split { code: Cow::Borrowed(content), comments: Cow::Borrowed("") }
}
