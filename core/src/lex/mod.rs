//! Where the comments and strings of a program are, for every language of the table that has either.
//!
//! One pass over the bytes with an explicit stack for what nests, linear on any input: a closer that was not found
//! once is not looked for again.
//!
//! A language is its entry in `codemill/languages/table/`, made into [`rules`] and read by [`engine`]; what no table can
//! describe (raw strings, heredocs, regular expressions, templates) is added by [`dialects`], where to start reading.

mod dialects;
mod engine;
mod heredoc;
mod javascript;
mod literals;
mod markup;
mod memo;
mod place;
mod quote;
mod rules;
mod scripting;
mod shell;
mod span;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

#[cfg(feature = "python")]
pub mod python;

pub(crate) use engine::spans_by;
pub use place::Place;
pub(crate) use rules::{Quirks, Rules};
pub use span::{Kind, Span};
pub use syntax::{Made, Syntax};

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
