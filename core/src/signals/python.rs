//! What Python sees of signals.

use super::language::stack::with_large_stack;
use super::{Applies, DocType, Document, FAMILIES, Natural, count, measure as measure_one};
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::lex::python::Syntaxes;
use arrow_array::builder::{Float64Builder, StringBuilder, UInt32Builder};
use arrow_array::{Array, ArrayRef, Int64Array, LargeStringArray, StringArray, StructArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;

/// Name, family, version, documents and doc comment of each signal, in the order of columns.
#[pyfunction]
fn signals() -> Vec<(&'static str, &'static str, u32, Vec<&'static str>, &'static str)> {
    FAMILIES
        .iter()
        .flat_map(|family| {
            let documents = match family.applies {
                Applies::All => vec!["code", "data", "text"],
                Applies::CodeAndData => vec!["code", "data"],
                Applies::Text => vec!["text"],
                Applies::Languages(names) => names.to_vec(),
            };
            family
                .signals
                .iter()
                .map(move |s| (s.name, family.name, family.version, documents.clone(), s.doc))
        })
        .collect()
}

/// Signals of each document: a struct of one float64 field per signal asked for, `signal_errors` and
/// `natural_language`.
#[pyfunction]
#[pyo3(signature = (content, *, language, doc_type, path, size, syntaxes, signals=None, natural_language=None))]
#[allow(clippy::too_many_arguments)] // one for each column
fn measure<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    language: &Bound<'py, PyAny>,
    doc_type: &Bound<'py, PyAny>,
    path: &Bound<'py, PyAny>,
    size: &Bound<'py, PyAny>,
    syntaxes: &Syntaxes,
    signals: Option<Vec<String>>,
    natural_language: Option<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut columns = Columns {
        content: array(content, "content", "large_string")?,
        language: array(language, "language", "string")?,
        doc_type: array(doc_type, "doc_type", "string")?,
        path: array(path, "path", "string")?,
        size: array(size, "size", "int64")?,
    };
    let natural = match natural_language.as_deref() {
        None => None,
        Some(code) => Some(Natural::from_code(code).ok_or_else(|| {
            PyValueError::new_err(format!("natural_language: expected en, zh or ja, got {code:?}"))
        })?),
    };
    check_lengths(&[
        ("content", &columns.content),
        ("language", &columns.language),
        ("doc_type", &columns.doc_type),
        ("path", &columns.path),
        ("size", &columns.size),
    ])?;
    let names: Vec<&str> = FAMILIES.iter().flat_map(|family| family.signals).map(|s| s.name).collect();
    let wanted = match signals {
        None => vec![true; names.len()],
        Some(asked) => {
            if let Some(unknown) = asked.iter().find(|name| !names.contains(&name.as_str())) {
                return Err(PyValueError::new_err(format!("there is no signal {unknown:?}")));
            }
            names.iter().map(|name| asked.iter().any(|a| a == name)).collect()
        }
    };
    columns.content = with_line_feeds(columns.content);
    to_python(
        py,
        &py.detach(|| with_large_stack(|| measure_all(&columns, syntaxes, natural, &names, &wanted))),
    )
}

struct Columns {
    content: LargeStringArray,
    language: StringArray,
    doc_type: StringArray,
    path: StringArray,
    size: Int64Array,
}

/// The texts; those whose lines end in carriage returns alone, as on the old Macintosh, with line feeds in their place.
fn with_line_feeds(content: LargeStringArray) -> LargeStringArray {
    let old = |text: &str| {
        memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_some_and(|at| {
            text.as_bytes()[at] == b'\r' && memchr::memchr(b'\n', &text.as_bytes()[at..]).is_none()
        })
    };
    if !content.iter().flatten().any(old) {
        return content;
    }
    let plain = |text: &str| if old(text) { text.replace('\r', "\n") } else { text.to_owned() };
    content.iter().map(|text| text.map(plain)).collect()
}

/// Null content, language or type: nulls.
fn measure_all(
    columns: &Columns,
    syntaxes: &Syntaxes,
    given: Option<Natural>,
    names: &[&str],
    wanted: &[bool],
) -> StructArray {
    let rows = columns.content.len();
    let mut builders: Vec<Option<Float64Builder>> =
        wanted.iter().map(|&w| w.then(|| Float64Builder::with_capacity(rows))).collect();
    let mut errors = UInt32Builder::with_capacity(rows);
    let mut natural = StringBuilder::with_capacity(rows, rows * 2);
    let mut values = Vec::with_capacity(count());
    for row in 0..rows {
        match document(columns, syntaxes, row) {
            Some(mut document) => {
                document.natural = given;
                errors.append_value(measure_one(&document, wanted, &mut values) as u32);
                natural.append_value(document.natural().code());
            }
            None => {
                values.clear();
                values.resize(count(), None);
                errors.append_null();
                natural.append_null();
            }
        }
        for (builder, value) in builders.iter_mut().zip(&values) {
            if let Some(builder) = builder {
                builder.append_option(*value);
            }
        }
    }
    let mut fields: Vec<(&str, ArrayRef)> = Vec::new();
    for (name, builder) in names.iter().zip(builders) {
        if let Some(mut builder) = builder {
            fields.push((name, Arc::new(builder.finish())));
        }
    }
    fields.push(("signal_errors", Arc::new(errors.finish())));
    fields.push(("natural_language", Arc::new(natural.finish())));
    struct_of(fields)
}

fn document<'a>(columns: &'a Columns, syntaxes: &'a Syntaxes, row: usize) -> Option<Document<'a>> {
    let text = |array: &'a StringArray| array.is_valid(row).then(|| array.value(row));
    let content = columns.content.is_valid(row).then(|| columns.content.value(row))?;
    let language = text(&columns.language)?;
    let doc_type = match text(&columns.doc_type)? {
        "code" => DocType::Code,
        "data" => DocType::Data,
        "text" | "web" => DocType::Text,
        _ => return None,
    };
    let mut document = Document::new(content, language, doc_type, syntaxes.get(language));
    document.path = text(&columns.path).unwrap_or("");
    document.size = columns.size.is_valid(row).then(|| columns.size.value(row).max(0) as u64);
    Some(document)
}

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(signals, m)?)?;
    m.add_function(wrap_pyfunction!(measure, m)?)
}
