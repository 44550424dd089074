//! What Python sees of this family.

use crate::arrow::array;
use arrow_array::LargeBinaryArray;
use arrow_pyarrow::ToPyArrow;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Decodes a large_binary array into a record batch of content, encoding, encoding_confidence, content_sha256, reason, detail.
#[pyfunction]
fn decode<'py>(py: Python<'py>, raw: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let raw: LargeBinaryArray = array(raw, "raw", "large_binary")?;
    let batch = py.detach(|| super::decode(&raw)).map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
    batch.to_pyarrow(py)
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(decode, m)?)
}
