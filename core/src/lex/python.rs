//! What Python sees of lexing.

use super::{Place, Syntax, spans};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::HashMap;

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

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Syntaxes>()?;
    m.add_function(wrap_pyfunction!(lex, m)?)?;
    m.add_function(wrap_pyfunction!(split, m)?)
}
