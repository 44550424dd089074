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

/// Characters of the comments, where a language counts them its own way.
pub(super) fn comment_chars(document: &Document<'_>) -> Option<usize> {
    (document.language == "python").then(|| python::comment_chars(document))
}
