//! What Python sees of page extraction and of classifiers.

use super::fasttext::{Model, Scratch};
use super::page::extract;
use crate::arrow::{array, struct_of, to_python};
use crate::guard::guarded;
use arrow_array::builder::{LargeStringBuilder, StringBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, Float32Array, LargeListArray, LargeStringArray, StructArray, UInt8Array, UInt32Array,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
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

struct File(UInt8Array);

impl AsRef<[u8]> for File {
    fn as_ref(&self) -> &[u8] {
        self.0.values()
    }
}

/// A classifier of fastText over tokens.
#[pyclass(frozen, name = "FastText", module = "codemill._core")]
struct FastText(Model<File>);

#[pymethods]
impl FastText {
    #[new]
    fn new(data: &Bound<'_, PyAny>, tokens: &Bound<'_, PyAny>) -> PyResult<Self> {
        let data: UInt8Array = array(data, "data", "uint8")?;
        let tokens: LargeStringArray = array(tokens, "tokens", "large_string")?;
        let words = tokens.iter().map(Option::unwrap_or_default);
        Model::read(File(data), words).map(Self).map_err(PyValueError::new_err)
    }

    /// Its labels.
    fn labels(&self) -> Vec<String> {
        self.0.labels().to_vec()
    }

    /// How likely each text has a label.
    #[pyo3(signature = (tokens, *, label, most))]
    fn scores<'py>(
        &self,
        py: Python<'py>,
        tokens: &Bound<'py, PyAny>,
        label: &str,
        most: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        const WANTED: &str = "large_list of uint32";
        let tokens: LargeListArray = array(tokens, "tokens", WANTED)?;
        let ids: &UInt32Array = tokens
            .values()
            .as_primitive_opt::<UInt32Type>()
            .ok_or_else(|| PyTypeError::new_err(format!("tokens: expected an Arrow array of {WANTED}")))?;
        let labels = self.0.labels();
        let label = labels.iter().position(|name| name == label).ok_or_else(|| {
            PyValueError::new_err(format!("no label {label:?}, only {}", labels.join(", ")))
        })?;
        let made = py.detach(|| {
            let mut scratch = Scratch::default();
            let ends = tokens.value_offsets().windows(2);
            let score = |ends: &[i64]| {
                let (start, end) = (ends[0] as usize, ends[1] as usize);
                self.0.score(&ids.values()[start..end.min(start.saturating_add(most))], label, &mut scratch)
            };
            ends.map(score).collect::<Float32Array>()
        });
        to_python(py, &made)
    }
}

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<FastText>()?;
    m.add_function(wrap_pyfunction!(page_text, m)?)
}
