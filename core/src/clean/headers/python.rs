//! What Python sees of header removal.

use super::seen::Seen;
use super::{Stripped, strip_next};
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::guard::guarded;
use crate::lex::python::Syntaxes;
use arrow_array::builder::{LargeStringBuilder, UInt32Builder};
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StructArray};
use pyo3::prelude::*;
use std::sync::Arc;

/// Each text without its leading notices: a struct of `content` (null where nothing was removed), `chars_removed` and
/// `notices` (null where content or language is, or where the row made the code panic).
#[pyfunction]
fn strip_headers<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    language: &Bound<'py, PyAny>,
    syntaxes: &Syntaxes,
) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    let language: StringArray = array(language, "language", "string")?;
    check_lengths(&[("content", &content), ("language", &language)])?;
    to_python(py, &py.detach(|| strip_all(&content, &language, syntaxes)))
}

fn strip_all(content: &LargeStringArray, language: &StringArray, syntaxes: &Syntaxes) -> StructArray {
    let rows = content.len();
    let mut left = LargeStringBuilder::new();
    let mut chars = UInt32Builder::with_capacity(rows);
    let mut notices = UInt32Builder::with_capacity(rows);
    let mut seen = Seen::default();
    for row in 0..rows {
        let known = content.is_valid(row) && language.is_valid(row);
        let outcome = known.then(|| {
            let syntax = syntaxes.get(language.value(row));
            guarded(|| syntax.and_then(|syntax| strip_next(content.value(row), syntax, &mut seen)))
        });
        let counts = match &outcome {
            Some(Ok(Some(Stripped { chars, notices, .. }))) => Some((*chars as u32, *notices as u32)),
            Some(Ok(None)) => Some((0, 0)),
            Some(Err(_)) | None => None,
        };
        chars.append_option(counts.map(|(chars, _)| chars));
        notices.append_option(counts.map(|(_, notices)| notices));
        left.append_option(outcome.and_then(Result::ok).flatten().map(|stripped| stripped.content));
    }
    struct_of([
        ("content", Arc::new(left.finish()) as ArrayRef),
        ("chars_removed", Arc::new(chars.finish())),
        ("notices", Arc::new(notices.finish())),
    ])
}

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(strip_headers, m)?)
}
