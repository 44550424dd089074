//! What is found in a program.

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
