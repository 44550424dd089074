//! The Python module: what every family registers, and the one error type that crosses the boundary.

use arrow_array::{Array, make_array};
use arrow_data::ArrayData;
use arrow_pyarrow::{FromPyArrow, ToPyArrow};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// The native core: Arrow in, Arrow out, GIL released.
#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    crate::hash::python::register(m)?;
    crate::decode::python::register(m)?;
    crate::clean::python::register(m)?;
    crate::detect::python::register(m)?;
    crate::sketch::python::register(m)?;
    crate::lex::python::register(m)?;
    crate::signals::python::register(m)?;
    crate::clean::headers::python::register(m)?;
    Ok(())
}

/// An Arrow array from Python (anything with `__arrow_c_array__`), downcast to the type that is needed.
///
/// Raises: `TypeError` naming the parameter, what was expected and what was given.
pub fn array<T: Array + Clone + 'static>(
    value: &Bound<'_, PyAny>,
    name: &str,
    expected: &str,
) -> PyResult<T> {
    let given = || value.getattr("type").map_or_else(|_| value.get_type().to_string(), |t| t.to_string());
    let complaint =
        || PyTypeError::new_err(format!("{name}: expected an Arrow array of {expected}, got {}", given()));
    let data = ArrayData::from_pyarrow_bound(value).map_err(|_| complaint())?;
    make_array(data).as_any().downcast_ref::<T>().cloned().ok_or_else(complaint)
}

/// An Arrow array handed to Python as a `pyarrow.Array`, without copying its buffers.
pub fn to_python<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Bound<'py, PyAny>> {
    array.to_data().to_pyarrow(py)
}
