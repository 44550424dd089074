//! Signals of single languages, one file each. What their signals share is derived once per document: [`Facts`].

pub mod c;
pub mod cpp;
pub mod csharp;
mod ecmascript;
pub mod go;
pub mod html;
pub mod imports;
pub mod java;
pub mod javascript;
pub mod kotlin;
pub mod php;
pub mod python;
pub mod ruby;
pub mod rust;
mod scan;
pub mod shell;
pub mod sql;
pub(super) mod stack;
pub mod swift;
mod tokens;
pub mod typescript;

use super::Document;
use std::cell::OnceCell;

/// What has been derived from a document of one of these languages so far.
#[derive(Default)]
pub struct Facts {
    c: OnceCell<c::Facts>,
    csharp: OnceCell<csharp::Facts>,
    java: OnceCell<java::Facts>,
    go: OnceCell<go::Facts>,
    python: python::Facts,
    ecmascript: OnceCell<Option<ecmascript::Facts>>,
    html: OnceCell<html::Facts>,
    sql: OnceCell<sql::Facts>,
    rust: OnceCell<rust::Facts>,
    php: OnceCell<php::Facts>,
    ruby: OnceCell<ruby::Facts>,
    kotlin: OnceCell<kotlin::Facts>,
    swift: OnceCell<swift::Facts>,
    shell: OnceCell<shell::Facts>,
}

/// `count` per code line; `None` if there are none.
fn per_line(count: usize, document: &Document<'_>) -> Option<f64> {
    super::ratio(count, document.num_code_lines())
}

/// Code lines that contain one of `needles`, per code line.
fn share_of_lines(document: &Document<'_>, needles: &scan::Needles) -> Option<f64> {
    per_line(needles.lines(&document.split().code), document)
}

fn flag(value: bool) -> Option<f64> {
    Some(f64::from(u8::from(value)))
}

/// Characters of the comments, where a language counts them its own way.
pub(super) fn comment_chars(document: &Document<'_>) -> Option<usize> {
    (document.language == "python").then(|| python::comment_chars(document))
}
