//! What Python sees of lexing.

use super::Syntax;
use pyo3::prelude::*;
use std::collections::HashMap;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct SyntaxIn {
    name: String,
    line_comments: Vec<String>,
    block_comments: Vec<(String, String)>,
    nested_comments: bool,
    strings: Vec<(String, String)>,
    raw_strings: Vec<(String, String)>,
}

/// The comments and strings of every language; see `codemill.languages`.
#[pyclass(frozen, module = "codemill._core")]
pub struct Syntaxes(HashMap<String, Syntax>);

#[pymethods]
impl Syntaxes {
    #[new]
    fn new(languages: Vec<SyntaxIn>) -> Self {
        Self(
            languages
                .into_iter()
                .map(|la| {
                    let syntax = Syntax {
                        name: la.name.clone(),
                        line_comments: la.line_comments,
                        block_comments: la.block_comments,
                        nested_comments: la.nested_comments,
                        strings: la.strings,
                        raw_strings: la.raw_strings,
                    };
                    (la.name, syntax)
                })
                .collect(),
        )
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

/// Adds this family to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Syntaxes>()
}
