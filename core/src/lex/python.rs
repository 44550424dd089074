//! What Python sees of lexing.

use super::{Kind, Place, Syntax, spans};
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::guard::guarded;
use arrow_array::builder::LargeStringBuilder;
use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, LargeStringArray, ListArray, StringArray, StructArray, UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct SyntaxIn {
    name: String,
    line_comments: Vec<String>,
    block_comments: Vec<(String, String)>,
    nested_comments: bool,
    comment_places: Vec<(String, String)>,
    strings: Vec<(String, String)>,
    raw_strings: Vec<(String, String)>,
    one_line_strings: bool,
    dialect: Option<String>,
    head_line_comments: Vec<String>,
    head_block_comments: Vec<(String, String)>,
}

impl TryFrom<SyntaxIn> for Syntax {
    type Error = PyErr;

    fn try_from(la: SyntaxIn) -> PyResult<Self> {
        let place = |(opener, name): (String, String)| {
            let place = Place::named(&name);
            let place =
                place.ok_or_else(|| PyValueError::new_err(format!("{}: no place {name:?}", la.name)))?;
            Ok((opener, place))
        };
        Ok(Self {
            comment_places: la.comment_places.into_iter().map(place).collect::<PyResult<_>>()?,
            name: la.name,
            line_comments: la.line_comments,
            block_comments: la.block_comments,
            nested_comments: la.nested_comments,
            strings: la.strings,
            raw_strings: la.raw_strings,
            one_line_strings: la.one_line_strings,
            dialect: la.dialect,
            head_line_comments: la.head_line_comments,
            head_block_comments: la.head_block_comments,
            made: super::Made::default(),
        })
    }
}

/// The comments and strings of every language; see `codemill.languages`.
#[pyclass(frozen, module = "codemill._core")]
pub struct Syntaxes(HashMap<String, Syntax>);

#[pymethods]
impl Syntaxes {
    #[new]
    fn new(languages: Vec<SyntaxIn>) -> PyResult<Self> {
        let named = |la: SyntaxIn| Ok((la.name.clone(), Syntax::try_from(la)?));
        Ok(Self(languages.into_iter().map(named).collect::<PyResult<_>>()?))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

impl Syntaxes {
    /// What is known of a language.
    pub fn get(&self, language: &str) -> Option<&Syntax> {
        self.0.get(language)
    }
}

/// Kind, first byte and last byte + 1 of each comment and string of `text`; empty for a language that is not known.
#[pyfunction]
fn lex(py: Python<'_>, text: &str, language: &str, syntaxes: &Syntaxes) -> Vec<(&'static str, usize, usize)> {
    let syntax = syntaxes.get(language);
    py.detach(|| {
        let found = syntax.map_or_else(Vec::new, |syntax| spans(text, syntax));
        found.iter().map(|span| (span.kind.name(), span.start, span.end)).collect()
    })
}

/// Code text and comment text of `text`, as signals see them.
#[pyfunction]
fn split(py: Python<'_>, text: &str, language: &str, syntaxes: &Syntaxes) -> (String, String) {
    let syntax = syntaxes.get(language);
    py.detach(|| {
        let parts = crate::signals::split(text, language, syntax);
        (parts.code.into_owned(), parts.comments.into_owned())
    })
}

/// The comments and strings of each text: a list of (kind, start, end), null where content or language is, or where the
/// row made the code panic.
#[pyfunction]
fn lex_column<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    language: &Bound<'py, PyAny>,
    syntaxes: &Syntaxes,
) -> PyResult<Bound<'py, PyAny>> {
    let rows = Rows::new(content, language)?;
    to_python(py, &py.detach(|| rows.lexed(syntaxes)))
}

/// Code text and comment text of each text, as signals see them; null like [`lex_column`].
#[pyfunction]
fn split_column<'py>(
    py: Python<'py>,
    content: &Bound<'py, PyAny>,
    language: &Bound<'py, PyAny>,
    syntaxes: &Syntaxes,
) -> PyResult<Bound<'py, PyAny>> {
    let rows = Rows::new(content, language)?;
    to_python(py, &py.detach(|| rows.split(syntaxes)))
}

/// Texts and their languages.
struct Rows {
    content: LargeStringArray,
    language: StringArray,
}

impl Rows {
    fn new(content: &Bound<'_, PyAny>, language: &Bound<'_, PyAny>) -> PyResult<Self> {
        let content: LargeStringArray = array(content, "content", "large_string")?;
        let language: StringArray = array(language, "language", "string")?;
        check_lengths(&[("content", &content), ("language", &language)])?;
        Ok(Self { content, language })
    }

    /// What `read` makes of each row, `None` where it cannot.
    fn each<'a, T>(&'a self, read: impl Fn(&'a str, &'a str) -> T) -> impl Iterator<Item = Option<T>> {
        (0..self.content.len()).map(move |row| {
            let known = self.content.is_valid(row) && self.language.is_valid(row);
            known.then(|| guarded(|| read(self.content.value(row), self.language.value(row))).ok()).flatten()
        })
    }

    fn lexed(&self, syntaxes: &Syntaxes) -> ListArray {
        let (mut kinds, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let (mut lengths, mut valid) = (Vec::new(), Vec::new());
        let read =
            |text, language| syntaxes.get(language).map_or_else(Vec::new, |syntax| spans(text, syntax));
        for row in self.each(read) {
            valid.push(row.is_some());
            let found = row.unwrap_or_default();
            lengths.push(found.len());
            kinds.extend(found.iter().map(|span| span.kind as i8));
            starts.extend(found.iter().map(|span| span.start as u64));
            ends.extend(found.iter().map(|span| span.end as u64));
        }
        let names: StringArray = Kind::ALL.iter().map(|kind| Some(kind.name())).collect();
        let kinds = DictionaryArray::<Int8Type>::new(kinds.into(), Arc::new(names));
        let (starts, ends) = (UInt64Array::from(starts), UInt64Array::from(ends));
        let kinds: ArrayRef = Arc::new(kinds);
        let spans = struct_of([("kind", kinds), ("start", Arc::new(starts)), ("end", Arc::new(ends))]);
        let field = Arc::new(Field::new("span", spans.data_type().clone(), false));
        ListArray::new(field, OffsetBuffer::from_lengths(lengths), Arc::new(spans), Some(valid.into()))
    }

    fn split(&self, syntaxes: &Syntaxes) -> StructArray {
        let (rows, bytes) = (self.content.len(), self.content.value_data().len());
        let mut code = LargeStringBuilder::with_capacity(rows, bytes);
        let mut comments = LargeStringBuilder::new();
        let read = |text, language| crate::signals::split(text, language, syntaxes.get(language));
        for row in self.each(read) {
            code.append_option(row.as_ref().map(|split| &split.code));
            comments.append_option(row.as_ref().map(|split| &split.comments));
        }
        struct_of([("code", Arc::new(code.finish()) as ArrayRef), ("comments", Arc::new(comments.finish()))])
    }
}

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Syntaxes>()?;
    m.add_function(wrap_pyfunction!(lex, m)?)?;
    m.add_function(wrap_pyfunction!(lex_column, m)?)?;
    m.add_function(wrap_pyfunction!(split_column, m)?)?;
    m.add_function(wrap_pyfunction!(split, m)?)
}
