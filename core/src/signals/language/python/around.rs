//! The nodes of a tree that a byte is in.

use super::super::stack::with_stack;
use super::nesting;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal, walk_body};
use ruff_python_ast::{AnyNodeRef, PySourceType, Stmt};
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::{Ranged, TextRange};
use std::ops::Range;

/// Bytes of stack for one level of a tree that is walked down: see `tests::there_is_stack_for_every_level`.
const LEVEL: usize = if cfg!(debug_assertions) { 16 << 10 } else { 4 << 10 };

/// The nodes that byte `at` of a program is in, from the outside in; `None` if there is no tree.
///
/// Statements, expressions and their parts, and the statements of a block together.
pub fn around(source: &str, at: usize) -> Option<Vec<Range<usize>>> {
    let levels = nesting::of_text(source)?;
    let found = || {
        let parsed = parse_unchecked_source(source, PySourceType::Python);
        parsed.errors().is_empty().then(|| {
            let mut around = Around { at, nodes: Vec::new() };
            walk_body(&mut around, &parsed.syntax().body);
            around.nodes
        })
    };
    with_stack(levels * LEVEL, found).flatten()
}

/// Walks down to a byte.
struct Around {
    at: usize,
    nodes: Vec<Range<usize>>,
}

impl Around {
    /// Whether the byte is in a range, which is kept then.
    fn enter(&mut self, range: TextRange) -> bool {
        let range = range.start().to_usize()..range.end().to_usize();
        let inside = range.contains(&self.at);
        if inside {
            self.nodes.push(range);
        }
        inside
    }
}

impl<'a> SourceOrderVisitor<'a> for Around {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if self.enter(node.range()) { TraversalSignal::Traverse } else { TraversalSignal::Skip }
    }

    fn visit_body(&mut self, body: &'a [Stmt]) {
        let (Some(first), Some(last)) = (body.first(), body.last()) else { return };
        if self.enter(TextRange::new(first.start(), last.end())) {
            walk_body(self, body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::around;

    fn texts(source: &str, at: &str) -> Vec<String> {
        let found = around(source, source.find(at).expect("it is there")).expect("a tree");
        found.into_iter().map(|range| source[range].to_owned()).collect()
    }

    #[test]
    fn nodes_from_the_outside_in() {
        let source = "import a\r\n\nclass B:\n    def f(x):\n        y = 'é'\n        return g(x, z=1)\n";
        let found = texts(source, "z=1");
        assert_eq!(found[0], source.trim_end()[source.find("class").expect("it is there")..]);
        assert!(found[1].starts_with("def f") && found[2] == found[1]);
        assert_eq!(found[3], "y = 'é'\n        return g(x, z=1)");
        assert_eq!(found[4..], ["return g(x, z=1)", "g(x, z=1)", "(x, z=1)", "z=1", "z"]);
        assert_eq!(around("x = 1\n\ny = 2\n", 6), Some(vec![]));
        assert_eq!(around("def f(:\n", 4), None);
    }

    /// A stack that is too small ends the process.
    #[test]
    fn there_is_stack_for_every_level() {
        let levels = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
        for (source, at) in [
            (format!("x = {}a{}", "(".repeat(199), ")".repeat(199)), 203),
            (format!("x = {}a", "-".repeat(levels)), levels + 4),
            (format!("x = a{}", "+ a".repeat(levels)), 4),
            (format!("x = a{}", ".a".repeat(levels)), 4),
            (format!("x = a{}", "()".repeat(levels)), 4),
            (format!("x = {}a", "lambda: ".repeat(levels)), 4 + 8 * levels),
            (format!("x = {}a", "a if a else ".repeat(levels)), 4 + 12 * levels),
        ] {
            assert!(around(&source, at).is_none_or(|nodes| nodes.len() > 1), "{}", &source[..20]);
        }
    }
}
