//! What every family needs of Arrow: arrays from Python and back, columns of one length, and structs of columns.
//!
//! It knows no family, so that every `python.rs` can stand on it.

#[cfg(feature = "python")]
use arrow_array::make_array;
use arrow_array::{Array, ArrayRef, StructArray};
#[cfg(feature = "python")]
use arrow_data::ArrayData;
#[cfg(feature = "python")]
use arrow_pyarrow::{FromPyArrow, ToPyArrow};
use arrow_schema::{Field, Fields};
#[cfg(feature = "python")]
use pyo3::exceptions::{PyTypeError, PyValueError};
#[cfg(feature = "python")]
use pyo3::prelude::*;

/// An Arrow array from Python (anything with `__arrow_c_array__`), downcast to the type that is needed.
///
/// Raises: `TypeError` naming the parameter, what was expected and what was given.
#[cfg(feature = "python")]
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
#[cfg(feature = "python")]
pub fn to_python<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Bound<'py, PyAny>> {
    array.to_data().to_pyarrow(py)
}

/// [`same_length`] for Python.
///
/// Raises: `ValueError` naming the parameters and their lengths.
#[cfg(feature = "python")]
pub fn check_lengths(columns: &[(&str, &dyn Array)]) -> PyResult<()> {
    same_length(columns).map_err(PyValueError::new_err)
}

/// Whether columns have the same number of rows.
///
/// Errors: they do not; names and lengths of all.
pub fn same_length(columns: &[(&str, &dyn Array)]) -> Result<(), String> {
    if columns.windows(2).all(|pair| pair[0].1.len() == pair[1].1.len()) {
        return Ok(());
    }
    let (last, names) = columns
        .split_last()
        .map_or(("", vec![]), |(last, names)| (last.0, names.iter().map(|(name, _)| *name).collect()));
    let lengths: Vec<usize> = columns.iter().map(|(_, column)| column.len()).collect();
    Err(format!("{} and {last} must have the same number of rows, got {lengths:?}", names.join(", ")))
}

/// A struct of columns, each of which may have nulls; the struct itself is never null.
pub fn struct_of<'n>(columns: impl IntoIterator<Item = (&'n str, ArrayRef)>) -> StructArray {
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns
        .into_iter()
        .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
        .unzip();
    StructArray::new(Fields::from(fields), columns, None)
}

#[cfg(test)]
mod tests {
    use super::{same_length, struct_of};
    use arrow_array::{Array, Int64Array};
    use std::sync::Arc;

    #[test]
    fn lengths_that_differ_are_named() {
        let (two, three) = (Int64Array::from(vec![1, 2]), Int64Array::from(vec![1, 2, 3]));
        assert_eq!(same_length(&[("a", &two), ("b", &two)]), Ok(()));
        let message = "a, b and c must have the same number of rows, got [2, 2, 3]";
        assert_eq!(same_length(&[("a", &two), ("b", &two), ("c", &three)]), Err(message.to_owned()));
    }

    #[test]
    fn a_struct_has_its_columns_in_order() {
        let column = Arc::new(Int64Array::from(vec![Some(1), None]));
        let made = struct_of([("b", column.clone() as _), ("a", column as _)]);
        assert_eq!((made.column_names(), made.len(), made.null_count()), (vec!["b", "a"], 2, 0));
    }
}
