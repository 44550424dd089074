//! What Python sees of nodes.

use super::node_at as one;
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::guard::guarded;
use crate::lex::python::Syntaxes;
use arrow_array::{Array, ArrayRef, Float64Array, LargeStringArray, StringArray, StructArray, UInt64Array};
use pyo3::prelude::*;
use std::sync::Arc;

/// One of the parts of each program that a byte is in; nulls where it is in none.
#[pyfunction]
fn node_at<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    language: &Bound<'py, PyAny>,
    at: &Bound<'py, PyAny>,
    pick: &Bound<'py, PyAny>,
    syntaxes: &Syntaxes,
) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    let language: StringArray = array(language, "language", "string")?;
    let at: UInt64Array = array(at, "at", "uint64")?;
    let pick: Float64Array = array(pick, "pick", "float64")?;
    check_lengths(&[("content", &content), ("language", &language), ("at", &at), ("pick", &pick)])?;
    to_python(py, &py.detach(|| all(&content, &language, &at, &pick, syntaxes)))
}

fn all(
    content: &LargeStringArray,
    language: &StringArray,
    at: &UInt64Array,
    pick: &Float64Array,
    syntaxes: &Syntaxes,
) -> StructArray {
    let columns: [&dyn Array; 4] = [content, language, at, pick];
    let found: Vec<_> = (0..content.len())
        .map(|row| {
            if columns.iter().any(|column| column.is_null(row)) {
                return None;
            }
            let (text, name) = (content.value(row), language.value(row));
            let read = || one(text, name, syntaxes.get(name), at.value(row) as usize, pick.value(row));
            guarded(read).ok().flatten()
        })
        .collect();
    let bound = |of: fn(&std::ops::Range<usize>) -> usize| -> ArrayRef {
        Arc::new(
            found
                .iter()
                .map(|node| node.as_ref().map(|(_, range)| of(range) as u64))
                .collect::<UInt64Array>(),
        )
    };
    let how: StringArray = found.iter().map(|node| node.as_ref().map(|(how, _)| how.name())).collect();
    struct_of([("start", bound(|r| r.start)), ("end", bound(|r| r.end)), ("how", Arc::new(how))])
}

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(node_at, m)?)
}
