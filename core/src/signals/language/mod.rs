//! Signals of single languages, one file each. What their signals share is derived once per document.

pub mod c;
pub mod cpp;
pub mod csharp;
mod declarations;
mod ecmascript;
pub mod go;
pub mod html;
pub mod imports;
pub mod java;
pub mod javascript;
pub mod kotlin;
pub mod notebook;
pub mod php;
pub mod python;
pub mod ruby;
pub mod rust;
mod scan;
mod shares;
pub mod shell;
pub mod sql;
pub(super) mod stack;
pub mod swift;
mod tokens;
pub mod typescript;

use super::Document;
use std::ops::Range;

/// The nodes of the syntax tree that byte `at` is in, from the outside in; `None` if there is no tree.
pub(crate) fn around(document: &Document<'_>, at: usize) -> Option<Vec<Range<usize>>> {
    match document.language {
        "python" => python::around(document.content, at),
        "javascript" | "typescript" | "tsx" => ecmascript::around(document, at),
        _ => None,
    }
}

/// Characters of the comments, where a language counts them its own way.
pub(super) fn comment_chars(document: &Document<'_>) -> Option<usize> {
    (document.language == "python").then(|| python::comment_chars(document))
}
