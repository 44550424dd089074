//! The parts of a program that a byte is in: nodes of its syntax tree, or what stands in brackets.
//!
//! Python has the tree of ruff, JavaScript and TypeScript that of oxc; every other program, and one that does not
//! parse, its brackets outside of comments and strings.

mod brackets;

use crate::lex::{Syntax, spans};
use crate::signals::{DocType, Document, around};
use std::ops::Range;

#[cfg(feature = "python")]
pub mod python;

/// How a part was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A node of a syntax tree.
    Tree,
    /// What stands between a bracket and the one that closes it.
    Brackets,
}

impl How {
    /// Its name in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Brackets => "brackets",
        }
    }
}

/// One of the parts that byte `at` is in: of n different ones, from the outside in, the one at n · `pick`.
///
/// `None` if it is in none, or nothing is known of the language.
///
/// ```
/// use codemill_core::nodes::{How, node_at};
/// let text = "x = f(1, 2)\n";
/// assert_eq!(node_at(text, "python", None, 6, 0.0), Some((How::Tree, 0..11)));
/// assert_eq!(node_at(text, "python", None, 6, 0.99), Some((How::Tree, 6..7)));
/// ```
pub fn node_at(
    text: &str,
    language: &str,
    syntax: Option<&Syntax>,
    at: usize,
    pick: f64,
) -> Option<(How, Range<usize>)> {
    let document = Document::new(text, language, DocType::Code, syntax);
    let tree = around(&document, at).map(|nodes| (How::Tree, nodes));
    let bracketed = || syntax.map(|syntax| (How::Brackets, brackets::around(text, &spans(text, syntax), at)));
    let (how, mut nodes) = tree.or_else(bracketed)?;
    nodes.retain(|node| text.is_char_boundary(node.start) && text.is_char_boundary(node.end));
    nodes.dedup();
    let last = nodes.len().checked_sub(1)?;
    Some((how, nodes.swap_remove(((pick * nodes.len() as f64) as usize).min(last))))
}

#[cfg(test)]
mod tests {
    use super::{How, node_at};
    use crate::lex::Syntax;

    fn all(text: &str, language: &str, at: &str) -> Vec<String> {
        let syntax = Syntax {
            name: "c".into(),
            line_comments: vec!["//".into()],
            strings: vec![("\"".into(), "\"".into())],
            ..Syntax::default()
        };
        let at = text.find(at).expect("it is there");
        let node = |pick| node_at(text, language, Some(&syntax), at, pick);
        let mut found: Vec<_> = (0..100).filter_map(|i| node(f64::from(i) / 100.0)).collect();
        found.dedup();
        let how = if language == "c" { How::Brackets } else { How::Tree };
        assert!(found.iter().all(|(found, _)| *found == how));
        found.into_iter().map(|(_, node)| text[node].to_owned()).collect()
    }

    #[test]
    fn scripts_have_a_tree() {
        let found = all("const a = 1\nfunction f(b) { return [b, `é${b + 1}`]; }\n", "javascript", "b + 1");
        assert_eq!(found[0], "function f(b) { return [b, `é${b + 1}`]; }");
        assert_eq!(found[1], "{ return [b, `é${b + 1}`]; }");
        assert_eq!(found[found.len() - 2..], ["b + 1", "b"]);
        assert_eq!(
            all("let a: Array<number> = [];\n", "typescript", "number").last().expect("some"),
            "number"
        );
        assert_eq!(all("const a = <b>{c}</b>;\n", "tsx", "c}").last().expect("some"), "c");
    }

    #[test]
    fn other_programs_have_brackets() {
        let text = "int f(int a) { // ) }\n  return g(\"(\", (a), b[1]);\n}\n";
        assert_eq!(all(text, "c", "a)"), ["int a"]);
        let found = all(text, "c", "1]");
        assert_eq!(found[1..], ["\"(\", (a), b[1]", "1"]);
        assert!(found[0].starts_with(" // )") && found[0].ends_with(");\n"));
        assert!(all(text, "c", "int").is_empty());
    }

    #[test]
    fn what_does_not_parse_has_brackets() {
        let syntax = Syntax { name: "python".into(), ..Syntax::default() };
        let found = node_at("print f(x)\n", "python", Some(&syntax), 8, 0.5);
        assert_eq!(found, Some((How::Brackets, 8..9)));
        assert_eq!(node_at("print f(x)\n", "python", None, 8, 0.5), None);
        assert_eq!(node_at("", "python", None, 0, 0.5), None);
    }
}
