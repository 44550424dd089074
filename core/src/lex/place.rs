//! Where a comment can begin.

/// Where a comment can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Everywhere.
    Anywhere,
    /// At the start or after whitespace.
    Blank,
    /// Where a word of a shell can begin.
    Word,
    /// First on its line.
    LineStart,
    /// In the first column.
    Column0,
    /// First on its line, or behind what ends or opens a statement: `;`, `&`, `|`, `(`, `@`.
    Statement,
}

impl Place {
    /// The place of that name in the table.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "blank" => Self::Blank,
            "line_start" => Self::LineStart,
            "column_0" => Self::Column0,
            "statement" => Self::Statement,
            _ => return None,
        })
    }
}
