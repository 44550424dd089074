//! What the entry of a language in the table makes of its rules.

use super::place::Place;
use super::quote::{Escape, Extent};
use super::rules::Rules;
use super::shell::hashbang;
use super::syntax::Syntax;

impl Rules {
    /// What the table alone says.
    pub(super) fn of_table(syntax: &Syntax) -> Self {
        let mut rules = Self::none();
        rules.start = Some(hashbang);
        rules.nested = syntax.nested_comments;
        let place = |open: &str, usual| {
            syntax.comment_places.iter().find(|(o, _)| o == open).map_or(usual, |&(_, place)| place)
        };
        for (open, close) in &syntax.block_comments {
            // `=begin` of Ruby, `=pod` of Perl: markers in the first column.
            let usual = if open.starts_with('=') { Place::Column0 } else { Place::Anywhere };
            rules.block(open, close, place(open, usual));
        }
        for open in &syntax.line_comments {
            rules.line(open, place(open, Place::Anywhere));
        }
        for (strings, escape) in [(&syntax.strings, Escape::Backslash), (&syntax.raw_strings, Escape::None)] {
            for (open, close) in strings {
                let one_line = open == "'" || (syntax.one_line_strings && open == close && open.len() == 1);
                let extent = if one_line { Extent::LineOrCode } else { Extent::TextOrCode };
                rules.text(open, close, escape, extent);
            }
        }
        // Where nobody wrote strings down, `"http://…"` still is no comment.
        let unknown = syntax.strings.is_empty() && syntax.raw_strings.is_empty();
        if unknown && !syntax.line_comments.is_empty() && !syntax.line_comments.iter().any(|c| c == "\"") {
            rules.text("\"", "\"", Escape::Backslash, Extent::LineOrCode);
        }
        rules
    }
}
