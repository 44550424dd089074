//! What Python sees of cleaning.

use super::redact::{Format, Kind, Redactor as Compiled};
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::guard::guarded;
use arrow_array::builder::{Int32Builder, LargeStringBuilder};
use arrow_array::{Array, ArrayRef, BooleanArray, LargeStringArray, StructArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct FormatIn {
    name: String,
    kind: String,
    anchors: Vec<String>,
    pattern: String,
    of_table: bool,
}

/// Rules and key formats, compiled; see `codemill.cleaning`.
#[pyclass(frozen, module = "codemill._core")]
pub struct Redactor(Compiled);

#[pymethods]
impl Redactor {
    #[new]
    fn new(formats: Vec<FormatIn>) -> PyResult<Self> {
        let mut compiled = Vec::with_capacity(formats.len());
        for format in formats {
            let wrong = |what: String| PyValueError::new_err(format!("pattern {:?}: {what}", format.name));
            let kinds = Kind::ALL.map(Kind::name);
            let kind = Kind::ALL.into_iter().find(|k| k.name() == format.kind);
            let kind = kind.ok_or_else(|| {
                wrong(format!("there is no kind {:?}; there is: {}", format.kind, kinds.join(", ")))
            })?;
            if let Some(short) = format.anchors.iter().find(|a| a.len() < 3) {
                return Err(wrong(format!(
                    "the anchor {short:?} is shorter than 3 bytes, and so too frequent"
                )));
            }
            compiled.push(
                Format::new(
                    format.name.clone(),
                    kind,
                    format.anchors.clone(),
                    &format.pattern,
                    format.of_table,
                )
                .map_err(wrong)?,
            );
        }
        Compiled::new(compiled).map(Self).map_err(PyValueError::new_err)
    }

    /// Redacts each text: a struct of `content` and a count for each kind.
    fn redact<'py>(
        &self,
        py: Python<'py>,
        content: &Bound<'py, PyAny>,
        bare: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let content: LargeStringArray = array(content, "content", "large_string")?;
        let bare: BooleanArray = array(bare, "bare", "bool")?;
        check_lengths(&[("content", &content), ("bare", &bare)])?;
        to_python(py, &py.detach(|| redact_all(&self.0, &content, &bare)))
    }

    /// Start, end (in bytes of UTF-8), kind and rule of what would be replaced in one text.
    fn findings(&self, text: &str, bare: bool) -> Vec<(usize, usize, &'static str, String)> {
        let found = self.0.findings(text, bare);
        found.iter().map(|f| (f.start, f.end, f.kind.name(), f.rule.to_owned())).collect()
    }
}

/// Null content, and a panic on a text: nulls.
fn redact_all(redactor: &Compiled, content: &LargeStringArray, bare: &BooleanArray) -> StructArray {
    let rows = content.len();
    let mut texts = LargeStringBuilder::with_capacity(rows, content.value_data().len());
    let mut counts: [Int32Builder; 7] = std::array::from_fn(|_| Int32Builder::with_capacity(rows));
    for row in 0..rows {
        let bare = bare.is_valid(row) && bare.value(row);
        let done = content.is_valid(row).then(|| guarded(|| redactor.redact(content.value(row), bare)));
        let Some(Ok((text, found))) = done else {
            texts.append_null();
            counts.iter_mut().for_each(Int32Builder::append_null);
            continue;
        };
        texts.append_value(text);
        for (builder, count) in counts.iter_mut().zip(found) {
            builder.append_value(count as i32);
        }
    }
    let mut columns: Vec<(&str, ArrayRef)> = vec![("content", Arc::new(texts.finish()))];
    for (kind, mut builder) in Kind::ALL.iter().zip(counts) {
        columns.push((kind.name(), Arc::new(builder.finish())));
    }
    struct_of(columns)
}

/// Adds this family to the module.
pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Redactor>()
}
