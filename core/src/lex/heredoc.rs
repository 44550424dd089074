//! Heredocs: what is known of one between its announcement and its body.

/// A heredoc that was announced; its body begins on the next line.
pub struct Heredoc<'a> {
    /// The word that ends it.
    pub word: &'a [u8],
    /// Whether blanks may stand before that.
    pub indented: bool,
}

impl Heredoc<'_> {
    /// Whether this line is its last.
    pub fn ends_with(&self, line: &[u8]) -> bool {
        let line = if self.indented { line.trim_ascii_start() } else { line };
        line.strip_prefix(self.word).is_some_and(is_line_rest)
    }
}

/// Whether nothing but punctuation of the statement around follows a heredoc's word.
pub fn is_line_rest(rest: &[u8]) -> bool {
    rest.iter().all(|b| b.is_ascii_whitespace() || matches!(b, b';' | b',' | b')'))
}
