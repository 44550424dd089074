//! SHA-256 of contents, the stable identity of a document, and what quick hashes of short strings are made of.

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, FixedSizeBinaryArray, LargeBinaryArray, StringArray};
use arrow_buffer::{Buffer, MutableBuffer};
use sha2::{Digest, Sha256};

/// SHA-256 of each value; null where the value is null.
///
/// Speed: uses the CPU's SHA instructions where it has them (`sha2` decides at run time); the result does not depend
/// on them.
pub fn sha256(values: &LargeBinaryArray) -> FixedSizeBinaryArray {
    let mut digests = MutableBuffer::from_len_zeroed(values.len() * 32);
    for (row, slot) in digests.as_slice_mut().chunks_exact_mut(32).enumerate() {
        if values.is_valid(row) {
            slot.copy_from_slice(&Sha256::digest(values.value(row)));
        }
    }
    FixedSizeBinaryArray::new(32, Buffer::from(digests), values.nulls().cloned())
}

/// 32 hex digits: the first half of SHA-256 over the four fields, each preceded by its length.
///
/// A null field is hashed as the length `u64::MAX` and no bytes, so it differs from the empty string; lengths keep
/// ("ab", "c") apart from ("a", "bc"). Never null.
pub fn document_id(fields: [Option<&str>; 4]) -> String {
    let mut hasher = Sha256::new();
    for field in fields {
        match field {
            Some(text) => {
                hasher.update((text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
            None => hasher.update(u64::MAX.to_le_bytes()),
        }
    }
    let mut id = String::with_capacity(32);
    for byte in &hasher.finalize()[..16] {
        for digit in [byte >> 4, byte & 15] {
            id.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    id
}

/// [`document_id`] of each row. The four arrays have the same length.
pub fn document_ids(fields: [&StringArray; 4]) -> StringArray {
    let rows = fields[0].len();
    let mut ids = StringBuilder::with_capacity(rows, rows * 32);
    for row in 0..rows {
        ids.append_value(document_id(fields.map(|f| f.is_valid(row).then(|| f.value(row)))));
    }
    ids.finish()
}

/// The two halves of the product, combined. From: wyhash (Wang Yi), where it is called `mum`.
#[inline(always)]
pub fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Sixteen bytes as two numbers.
#[inline(always)]
pub fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(bytes);
    [both as u64, (both >> 64) as u64]
}

/// What Python sees of this family.
#[cfg(feature = "python")]
pub mod python {
    use super::{LargeBinaryArray, StringArray};
    use crate::arrow::{array, check_lengths, to_python};
    use arrow_array::LargeStringArray;
    use pyo3::prelude::*;

    /// SHA-256 of each value of a large_binary or large_string array.
    #[pyfunction]
    fn sha256<'py>(py: Python<'py>, values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = match array::<LargeStringArray>(values, "values", "large_string") {
            Ok(text) => LargeBinaryArray::from(text),
            Err(_) => array::<LargeBinaryArray>(values, "values", "large_binary or large_string")?,
        };
        to_python(py, &py.detach(|| super::sha256(&bytes)))
    }

    /// The id of each document.
    #[pyfunction]
    fn document_ids<'py>(
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        repo: &Bound<'py, PyAny>,
        path: &Bound<'py, PyAny>,
        revision: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fields: [StringArray; 4] = [
            array(source, "source", "string")?,
            array(repo, "repo", "string")?,
            array(path, "path", "string")?,
            array(revision, "revision", "string")?,
        ];
        let [source, repo, path, revision] = &fields;
        check_lengths(&[("source", source), ("repo", repo), ("path", path), ("revision", revision)])?;
        to_python(py, &py.detach(|| super::document_ids(fields.each_ref())))
    }

    pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
        m.add_function(wrap_pyfunction!(sha256, m)?)?;
        m.add_function(wrap_pyfunction!(document_ids, m)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{document_id, sha256};
    use arrow_array::{Array, LargeBinaryArray};

    #[test]
    fn digests_are_those_of_the_standard() {
        let got = sha256(&LargeBinaryArray::from_opt_vec(vec![Some(b"abc"), None]));
        assert_eq!(got.value(0)[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert!(got.is_null(1));
    }

    #[test]
    fn fields_cannot_run_into_each_other() {
        let base = document_id([Some("s"), Some("ab"), Some("c"), None]);
        assert_eq!(base.len(), 32);
        assert_ne!(base, document_id([Some("s"), Some("a"), Some("bc"), None]));
        assert_ne!(base, document_id([Some("s"), Some("ab"), Some("c"), Some("")]));
    }
}
