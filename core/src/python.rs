//! The Python module: what every family registers.

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
    crate::nodes::python::register(m)?;
    crate::overlap::python::register(m)?;
    crate::signals::python::register(m)?;
    crate::clean::headers::python::register(m)?;
    crate::web::python::register(m)?;
    Ok(())
}
