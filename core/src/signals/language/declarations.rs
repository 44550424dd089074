//! What lines of Kotlin and of Swift declare, by the word that they begin with.

use super::tokens::{keyword, stripped};
use crate::signals::Document;

/// The words of a language that matter here.
struct Keywords {
    language: &'static str,
    /// What may stand before a declaration's own word, besides annotations.
    modifiers: &'static [&'static str],
    function: &'static str,
    /// Of classes and what is like them.
    classes: &'static [&'static str],
}

static KEYWORDS: [Keywords; 2] = [
    Keywords {
        language: "kotlin",
        modifiers: &[
            "public",
            "private",
            "protected",
            "internal",
            "open",
            "abstract",
            "final",
            "sealed",
            "data",
            "enum",
            "annotation",
            "inner",
            "override",
            "suspend",
            "inline",
            "operator",
            "infix",
            "tailrec",
            "companion",
            "value",
        ],
        function: "fun",
        classes: &["class", "interface", "object"],
    },
    Keywords {
        language: "swift",
        modifiers: &[
            "public",
            "private",
            "fileprivate",
            "internal",
            "open",
            "final",
            "static",
            "override",
            "mutating",
            "nonisolated",
            "convenience",
            "required",
            "indirect",
            "private(set)",
            "package",
        ],
        function: "func",
        classes: &["class", "struct", "enum", "protocol", "extension", "actor"],
    },
];

/// How many lines there are of each kind.
#[derive(Default)]
pub struct Declarations {
    /// Of functions.
    pub functions: usize,
    /// Of classes and what is like them.
    pub classes: usize,
    /// Of imports, which have no modifiers but annotations.
    pub imports: usize,
}

/// What the lines of a document declare; nothing in a language that is not in the table.
pub fn declarations<'d>(document: &'d Document<'_>) -> &'d Declarations {
    document.derived(|| {
        let mut found = Declarations::default();
        let Some(words) = KEYWORDS.iter().find(|words| words.language == document.language) else {
            return found;
        };
        for line in stripped(document) {
            let word = keyword(line, words.modifiers);
            found.functions += usize::from(word == words.function);
            found.classes += usize::from(words.classes.contains(&word));
            found.imports += usize::from(keyword(line, &[]) == "import");
        }
        found
    })
}
