//! What Python sees of this family.

use super::fastest::fastest;
use super::shingles::Unit;
use super::simd::Simd;
use super::{Options, VERSION, components::components as connect};
use crate::arrow::{array, check_lengths, to_python};
use arrow_array::{Array, FixedSizeBinaryArray, LargeListArray, LargeStringArray, UInt64Array};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

const MOST_HASHES: usize = 65_536;

/// The sketch of each text.
#[pyfunction]
#[pyo3(signature = (content, *, hashes, ngram, unit, seed, simd = None))]
fn sketch<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    hashes: usize,
    ngram: usize,
    unit: &str,
    seed: u64,
    simd: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    let options = options(ngram, unit, seed, simd)?;
    within("hashes", hashes, MOST_HASHES)?;
    to_python(py, &py.detach(|| super::sketches(&content, hashes, options)))
}

/// The digests of the bands of each text's sketch.
#[pyfunction]
#[pyo3(signature = (content, *, bands, rows, ngram, unit, seed, simd = None))]
#[allow(clippy::too_many_arguments)] // all but two are keyword-only
fn band_keys<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    bands: usize,
    rows: usize,
    ngram: usize,
    unit: &str,
    seed: u64,
    simd: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    let options = options(ngram, unit, seed, simd)?;
    within("bands", bands, MOST_HASHES)?;
    within("rows", rows, MOST_HASHES)?;
    within("bands * rows", bands * rows, MOST_HASHES)?;
    to_python(py, &py.detach(|| super::band_keys(&content, bands, rows, options)))
}

/// The digests of the bands of sketches that are made already.
#[pyfunction]
#[pyo3(signature = (sketches, *, bands, rows, seed))]
fn band_digests<'py>(
    py: Python<'py>,
    sketches: &Bound<'py, PyAny>,
    bands: usize,
    rows: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let sketches: FixedSizeBinaryArray = array(sketches, "sketches", "fixed_size_binary")?;
    within("bands", bands, MOST_HASHES)?;
    within("rows", rows, MOST_HASHES)?;
    let digests = py.detach(|| super::band_digests(&sketches, bands, rows, seed));
    to_python(py, &digests.map_err(PyValueError::new_err)?)
}

/// Where the chunks of so many words of each text end, in bytes from its beginning.
#[pyfunction]
#[pyo3(signature = (content, *, words, least = 1))]
fn chunk_ends<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    words: usize,
    least: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    within("words", words, 1 << 30)?;
    within("least", least, words)?;
    to_python(py, &py.detach(|| super::chunks::chunk_ends(&content, words, least)))
}

/// The distinct shingles of each text.
#[pyfunction]
#[pyo3(signature = (content, *, ngram, unit, seed, simd = None))]
fn shingles<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    ngram: usize,
    unit: &str,
    seed: u64,
    simd: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    let options = options(ngram, unit, seed, simd)?;
    to_python(py, &py.detach(|| super::shingle_sets(&content, options)))
}

/// The share that the sets of each row have in common.
#[pyfunction]
fn jaccard<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let a: LargeListArray = array(a, "a", "large_list of uint64")?;
    let b: LargeListArray = array(b, "b", "large_list of uint64")?;
    to_python(py, &py.detach(|| super::jaccard(&a, &b)).map_err(PyValueError::new_err)?)
}

/// The share of equal values in the sketches of each row.
#[pyfunction]
fn sketch_similarity<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let a: FixedSizeBinaryArray = array(a, "a", "fixed_size_binary")?;
    let b: FixedSizeBinaryArray = array(b, "b", "fixed_size_binary")?;
    to_python(py, &py.detach(|| super::sketch_similarity(&a, &b)).map_err(PyValueError::new_err)?)
}

/// The distinct nodes of pairs, ascending, and for each the smallest node it is connected with.
#[pyfunction]
fn components<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let a: UInt64Array = array(a, "a", "uint64")?;
    let b: UInt64Array = array(b, "b", "uint64")?;
    check_lengths(&[("a", &a), ("b", &b)])?;
    if a.null_count() + b.null_count() > 0 {
        return Err(PyValueError::new_err(
            "a and b: a pair with a null has no end. Hint: leave such rows out",
        ));
    }
    let (nodes, roots) = py.detach(|| connect(a.values(), b.values())).map_err(PyValueError::new_err)?;
    Ok((to_python(py, &UInt64Array::from(nodes))?, to_python(py, &UInt64Array::from(roots))?))
}

/// The sets of instructions that this CPU has, slowest first.
#[pyfunction]
fn simd_levels() -> Vec<&'static str> {
    Simd::ALL.into_iter().filter(|s| s.available()).map(Simd::name).collect()
}

/// The set that is used where none is named: the one that sketches fastest on this machine, as measured once.
#[pyfunction]
fn simd_used(py: Python<'_>) -> &'static str {
    py.detach(fastest).name()
}

fn options(ngram: usize, unit: &str, seed: u64, simd: Option<&str>) -> PyResult<Options> {
    within("ngram", ngram, 256)?;
    let unit = match unit {
        "word" => Unit::Word,
        "char" => Unit::Char,
        _ => return Err(PyValueError::new_err(format!("unit: expected 'word' or 'char', got {unit:?}"))),
    };
    let known = Simd::ALL.map(Simd::name).join(", ");
    let simd = match simd {
        None => fastest(),
        Some(name) => Simd::ALL
            .into_iter()
            .find(|s| s.name() == name)
            .ok_or_else(|| PyValueError::new_err(format!("simd: no {name:?}; known: {known}")))?,
    };
    if !simd.available() {
        return Err(PyValueError::new_err(format!(
            "simd: this CPU does not have {}. Hint: leave it out, and the fastest it has is used",
            simd.name()
        )));
    }
    Ok(Options { ngram, unit, seed, simd })
}

fn within(name: &str, value: usize, most: usize) -> PyResult<()> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("{name}: expected 1 to {most}, got {value}")))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("SKETCH_VERSION", VERSION)?;
    m.add_function(wrap_pyfunction!(sketch, m)?)?;
    m.add_function(wrap_pyfunction!(band_keys, m)?)?;
    m.add_function(wrap_pyfunction!(band_digests, m)?)?;
    m.add_function(wrap_pyfunction!(chunk_ends, m)?)?;
    m.add_function(wrap_pyfunction!(shingles, m)?)?;
    m.add_function(wrap_pyfunction!(jaccard, m)?)?;
    m.add_function(wrap_pyfunction!(sketch_similarity, m)?)?;
    m.add_function(wrap_pyfunction!(components, m)?)?;
    m.add_function(wrap_pyfunction!(simd_levels, m)?)?;
    m.add_function(wrap_pyfunction!(simd_used, m)?)
}
