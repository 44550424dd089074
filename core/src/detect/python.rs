//! What Python sees of detection.

use super::{Clue, Definition, Detection, Disambiguation, Rule, Spec, Table, Unknown, features};
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::guard::guarded;
use arrow_array::builder::{BooleanBuilder, Float32Builder, ListBuilder, StringBuilder, UInt16Builder};
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StructArray};
use arrow_schema::{DataType, Field};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct DefinitionIn {
    name: String,
    doc_type: String,
    extensions: Vec<String>,
    filenames: Vec<String>,
    interpreters: Vec<String>,
    aliases: Vec<String>,
    popular: bool,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct RuleIn {
    languages: Vec<String>,
    when: Vec<Vec<String>>,
    unless: Vec<String>,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct DisambiguationIn {
    extensions: Vec<String>,
    rules: Vec<RuleIn>,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ClueIn {
    language: String,
    sure: Vec<String>,
    likely: Vec<String>,
    never: Vec<String>,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct UnknownIn {
    extensions: Vec<String>,
    patterns: Vec<String>,
    unless: Vec<String>,
}

/// The compiled table of languages; see `codemill.languages`.
#[pyclass(frozen, name = "LanguageTable", module = "codemill._core")]
struct LanguageTable(Table);

#[pymethods]
impl LanguageTable {
    #[new]
    #[pyo3(signature = (*, languages, disambiguations, clues, unknown, vendored, generated, generic, classifier))]
    #[allow(clippy::too_many_arguments)] // by name, and each is a table of its own
    fn new(
        languages: Vec<DefinitionIn>,
        disambiguations: Vec<DisambiguationIn>,
        clues: Vec<ClueIn>,
        unknown: Vec<UnknownIn>,
        vendored: Vec<String>,
        generated: Vec<String>,
        generic: Vec<String>,
        classifier: Vec<u8>,
    ) -> PyResult<Self> {
        let spec = Spec {
            languages: languages.into_iter().map(Definition::from).collect(),
            disambiguations: disambiguations.into_iter().map(Disambiguation::from).collect(),
            clues: clues
                .into_iter()
                .map(|c| Clue { language: c.language, sure: c.sure, likely: c.likely, never: c.never })
                .collect(),
            unknown: unknown
                .into_iter()
                .map(|u| Unknown { extensions: u.extensions, patterns: u.patterns, unless: u.unless })
                .collect(),
            vendored,
            generated,
            generic,
            classifier,
        };
        Table::new(&spec).map(Self).map_err(PyValueError::new_err)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

impl From<DefinitionIn> for Definition {
    fn from(d: DefinitionIn) -> Self {
        Self {
            name: d.name,
            doc_type: d.doc_type,
            extensions: d.extensions,
            filenames: d.filenames,
            interpreters: d.interpreters,
            aliases: d.aliases,
            popular: d.popular,
        }
    }
}

impl From<DisambiguationIn> for Disambiguation {
    fn from(d: DisambiguationIn) -> Self {
        let rule = |r: RuleIn| Rule { languages: r.languages, when: r.when, unless: r.unless };
        Self { extensions: d.extensions, rules: d.rules.into_iter().map(rule).collect() }
    }
}

/// Language, document type, vendored, generated and deciding strategy of each file.
#[pyfunction]
fn detect<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    content: &Bound<'py, PyAny>,
    table: &LanguageTable,
) -> PyResult<Bound<'py, PyAny>> {
    let path: StringArray = array(path, "path", "string")?;
    let content: LargeStringArray = array(content, "content", "large_string")?;
    check_lengths(&[("path", &path), ("content", &content)])?;
    to_python(py, &py.detach(|| detect_all(&table.0, &path, &content)))
}

/// Null path: nulls. A panic on a row gives nulls and the strategy "crashed".
fn detect_all(table: &Table, path: &StringArray, content: &LargeStringArray) -> StructArray {
    let rows = path.len();
    let mut language = StringBuilder::with_capacity(rows, rows * 8);
    let mut doc_type = StringBuilder::with_capacity(rows, rows * 4);
    let mut vendored = BooleanBuilder::with_capacity(rows);
    let mut generated = BooleanBuilder::with_capacity(rows);
    let mut strategy = StringBuilder::with_capacity(rows, rows * 9);
    for row in 0..rows {
        let result = path.is_valid(row).then(|| {
            let text = content.is_valid(row).then(|| content.value(row).as_bytes());
            guarded(|| super::detect(table, path.value(row), text))
        });
        let found = match &result {
            Some(Ok(Detection { language, .. })) => *language,
            _ => None,
        };
        language.append_option(found.map(|(id, _)| table.name(id)));
        doc_type.append_option(found.map(|(id, _)| table.doc_type(id)));
        match result {
            Some(Ok(detection)) => {
                vendored.append_value(detection.is_vendored);
                generated.append_value(detection.is_generated);
                strategy.append_option(found.map(|(_, s)| s.name()));
            }
            Some(Err(_)) | None => {
                vendored.append_null();
                generated.append_null();
                strategy.append_option(result.map(|_| "crashed"));
            }
        }
    }
    struct_of([
        ("language", Arc::new(language.finish()) as ArrayRef),
        ("doc_type", Arc::new(doc_type.finish())),
        ("is_vendored", Arc::new(vendored.finish())),
        ("is_generated", Arc::new(generated.finish())),
        ("strategy", Arc::new(strategy.finish())),
    ])
}

/// What the classifier sees of each text: lists of buckets and of their values, for training.
#[pyfunction]
fn classifier_features<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let content: LargeStringArray = array(content, "content", "large_string")?;
    let (buckets, values) = py.detach(|| {
        let item = |t| Field::new("item", t, false);
        let mut buckets = ListBuilder::new(UInt16Builder::new()).with_field(item(DataType::UInt16));
        let mut values = ListBuilder::new(Float32Builder::new()).with_field(item(DataType::Float32));
        for text in content.iter() {
            for (bucket, value) in features(text.unwrap_or_default().as_bytes()) {
                buckets.values().append_value(bucket);
                values.values().append_value(value);
            }
            buckets.append(true);
            values.append(true);
        }
        (buckets.finish(), values.finish())
    });
    Ok((to_python(py, &buckets)?, to_python(py, &values)?))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<LanguageTable>()?;
    m.add("CLASSIFIER_BUCKETS", super::BUCKETS)?;
    m.add_function(wrap_pyfunction!(detect, m)?)?;
    m.add_function(wrap_pyfunction!(classifier_features, m)?)
}
