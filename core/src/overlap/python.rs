//! What Python sees of this family.

use super::calls::Calls;
use super::grams::{Collected, Grams, Scratch};
use super::regions::regions;
use super::tokens::{Token, ngrams, tokens};
use super::whole::Wholes;
use super::words::words;
use super::{Found, Rule, VERSION, better, rolling};
use crate::arrow::{array, check_lengths, struct_of, to_python};
use crate::guard::guarded;
use crate::lex::{python::Syntaxes, spans};
use arrow_array::builder::{BooleanBuilder, Float32Builder, UInt32Builder};
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StructArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// What is looked for: parts of the items of benchmarks. Immutable; shared by threads.
#[pyclass(frozen, module = "codemill._core")]
struct Overlap {
    rule: Rule,
    words: Grams,
    code: Grams,
    wholes: Wholes,
    calls: Calls,
    aliases: HashMap<String, String>,
}

/// What one document is read into.
#[derive(Default)]
struct Buffers {
    words: Vec<u64>,
    tokens: Vec<Token>,
    grams: Vec<u64>,
    of_words: Scratch,
    of_code: Scratch,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

#[pymethods]
impl Overlap {
    #[new]
    #[pyo3(signature = (view, text, language, name, tests, *, ngram, words_share, code_share, least, common, shortest, aliases, syntaxes))]
    #[allow(clippy::too_many_arguments)] // columns, and keyword-only parameters
    fn new(
        py: Python<'_>,
        view: &Bound<'_, PyAny>,
        text: &Bound<'_, PyAny>,
        language: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        tests: &Bound<'_, PyAny>,
        ngram: usize,
        words_share: f64,
        code_share: f64,
        least: usize,
        common: usize,
        shortest: usize,
        aliases: HashMap<String, String>,
        syntaxes: &Syntaxes,
    ) -> PyResult<Self> {
        let text: LargeStringArray = array(text, "text", "large_string")?;
        let tests: LargeStringArray = array(tests, "tests", "large_string")?;
        let view: StringArray = array(view, "view", "string")?;
        let language: StringArray = array(language, "language", "string")?;
        let name: StringArray = array(name, "name", "string")?;
        check_lengths(&[
            ("view", &view),
            ("text", &text),
            ("language", &language),
            ("name", &name),
            ("tests", &tests),
        ])?;
        if !(1..=16).contains(&ngram) {
            return Err(PyValueError::new_err(format!("ngram: expected 1 to 16, got {ngram}")));
        }
        if let Some(other) = view.iter().flatten().find(|view| !["words", "code", "name"].contains(view)) {
            return Err(PyValueError::new_err(format!(
                "view: no {other:?}. Hint: known are words, code and name"
            )));
        }
        let rule = |share| Rule { ngram, share, least, common, shortest };
        let (mut by_words, mut by_code) =
            (Collected::new(rule(words_share)), Collected::new(rule(code_share)));
        let (mut wholes, mut calls) = (Wholes::default(), Calls::default());
        py.detach(|| {
            let mut held = Buffers::default();
            for row in (0..text.len()).filter(|&row| text.is_valid(row)) {
                let (own, number) = (text.value(row), row as u32);
                let mut grams = Vec::new();
                match view.value(row) {
                    "words" => {
                        words(own, &mut held.words);
                        rolling(&held.words, ngram, |gram| grams.push(gram));
                        by_words.add(number, grams);
                    }
                    "code" => {
                        held.tokens.clear();
                        read(own, language.value(row), syntaxes, &mut held.tokens);
                        if held.tokens.len() >= 2 * ngram {
                            ngrams(&held.tokens, ngram, |gram| grams.push(gram));
                            by_code.add(number, grams);
                        } else if held.tokens.len() >= shortest {
                            wholes.add(number, &held.tokens);
                        }
                    }
                    _ => calls.add(number, name.value(row), own, tests.value(row), "candidate"),
                }
            }
        });
        let (words, code) = (by_words.index(), by_code.index());
        Ok(Self { rule: rule(words_share), words, code, wholes, calls, aliases })
    }

    /// How many different n-grams are looked for.
    fn __len__(&self) -> usize {
        self.words.len() + self.code.len()
    }

    /// The part that each text has most of, and its share.
    #[pyo3(signature = (content, language, *, syntaxes, names = false))]
    fn find<'py>(
        &self,
        py: Python<'py>,
        content: &Bound<'py, PyAny>,
        language: &Bound<'py, PyAny>,
        syntaxes: &Syntaxes,
        names: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let content: LargeStringArray = array(content, "content", "large_string")?;
        let language: StringArray = array(language, "language", "string")?;
        check_lengths(&[("content", &content), ("language", &language)])?;
        to_python(py, &py.detach(|| self.each(&content, &language, syntaxes, names)))
    }
}

impl Overlap {
    fn each(
        &self,
        content: &LargeStringArray,
        language: &StringArray,
        syntaxes: &Syntaxes,
        names: bool,
    ) -> StructArray {
        let rows = content.len();
        let (mut part, mut share) = (UInt32Builder::with_capacity(rows), Float32Builder::with_capacity(rows));
        let mut failed = BooleanBuilder::with_capacity(rows);
        for row in 0..rows {
            let language = language.is_valid(row).then(|| language.value(row));
            let read = || content.is_valid(row).then(|| content.value(row));
            let found = guarded(|| read().and_then(|text| self.one(text, language, syntaxes, names)));
            failed.append_value(found.is_err());
            let found = found.ok().flatten();
            part.append_option(found.map(|found| found.part));
            share.append_option(found.map(|found| found.share));
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("part", Arc::new(part.finish())),
            ("share", Arc::new(share.finish())),
            ("failed", Arc::new(failed.finish())),
        ];
        struct_of(columns)
    }

    fn one(&self, text: &str, language: Option<&str>, syntaxes: &Syntaxes, names: bool) -> Option<Found> {
        BUFFERS.with_borrow_mut(|held| {
            held.tokens.clear();
            match language {
                Some(language) => read(text, language, syntaxes, &mut held.tokens),
                None => {
                    for (range, word) in regions(text) {
                        let word = word.map(str::to_ascii_lowercase).unwrap_or_default();
                        let language = self.aliases.get(&word).map_or("python", String::as_str);
                        read(&text[range], language, syntaxes, &mut held.tokens);
                    }
                }
            }
            words(text, &mut held.words);
            let (n, grams) = (self.rule.ngram, &mut held.grams);
            grams.clear();
            rolling(&held.words, n, |gram| grams.push(gram));
            let by_words = self.words.found(grams, &mut held.of_words);
            grams.clear();
            ngrams(&held.tokens, n, |gram| grams.push(gram));
            let by_code = self.code.found(grams, &mut held.of_code);
            let whole = self.wholes.found(&held.tokens);
            let found = better(better(by_words, by_code), whole);
            found.or_else(|| names.then(|| self.calls.found(text)).flatten())
        })
    }
}

/// Appends the tokens of a program; of a language that is not known without comments and strings.
fn read(text: &str, language: &str, syntaxes: &Syntaxes, out: &mut Vec<Token>) {
    // PHP without its opening tag is prose to the lexer; Hack has no tag.
    let rules = if language == "php" && !text.contains("<?") { "hack" } else { language };
    let found = syntaxes.get(rules).map_or_else(Vec::new, |syntax| spans(text, syntax));
    tokens(text, language, &found, out);
}

/// Adds this family to the module.
pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("OVERLAP_VERSION", VERSION)?;
    m.add_class::<Overlap>()
}
