//! What Python sees of page extraction.

use super::page::extract;
use crate::arrow::{array, struct_of, to_python};
use crate::guard::guarded;
use arrow_array::builder::{LargeStringBuilder, StringBuilder, UInt32Builder};
use arrow_array::{Array, ArrayRef, LargeStringArray, StructArray};
use pyo3::prelude::*;
use std::sync::Arc;

/// Each page as text: a struct of `content`, `title` and `code_blocks`; null where the page is or where it panicked.
#[pyfunction]
fn page_text<'py>(py: Python<'py>, content: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    to_python(py, &py.detach(|| all(&content)))
}

fn all(pages: &LargeStringArray) -> StructArray {
    let mut texts = LargeStringBuilder::with_capacity(pages.len(), pages.value_data().len() / 8);
    let mut titles = StringBuilder::new();
    let mut blocks = UInt32Builder::with_capacity(pages.len());
    for page in pages.iter() {
        let made = page.and_then(|page| guarded(|| extract(page)).ok());
        blocks.append_option(made.as_ref().map(|made| made.code_blocks));
        titles.append_option(made.as_ref().map(|made| made.title.as_str()));
        texts.append_option(made.map(|made| made.text));
    }
    struct_of([
        ("content", Arc::new(texts.finish()) as ArrayRef),
        ("title", Arc::new(titles.finish())),
        ("code_blocks", Arc::new(blocks.finish())),
    ])
}

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(page_text, m)?)
}
