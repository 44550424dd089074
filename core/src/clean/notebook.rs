//! Jupyter notebooks as text in reading order: markdown, code and output. Images and everything else is skipped while
//! the JSON is read, so memory is that of the text; nesting beyond serde_json's 128 levels is an error, not a crash.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::fmt::Write as _;

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `<jupyter_text>`, `<jupyter_code>` and `<jupyter_output>` before each part.
    Structured,
    /// A program: markdown as comments, magics commented out, no output.
    Script,
}

/// Why there is no text: a reason and, in words without content, what was wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable(pub &'static str, pub String);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Notebook {
    cells: Vec<Cell>,
    worksheets: Vec<Worksheet>, // version 3
    metadata: Metadata,
    nbformat: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Worksheet {
    cells: Vec<Cell>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    kernelspec: Named,
    language_info: Named,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    name: Text,
    language: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cell {
    cell_type: Text,
    source: Text,
    input: Text, // version 3
    outputs: Vec<Output>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Output {
    text: Text,
    data: Data,
    ename: Text,
    evalue: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    #[serde(rename = "text/plain")]
    plain: Text,
}

/// A string, or a list of strings that are one; anything else is empty.
#[derive(Default)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Joined)
    }
}

struct Joined;

macro_rules! nothing {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name<E>(self, _: $kind) -> Result<Text, E> { Ok(Text::default()) })*
    };
}

impl<'de> Visitor<'de> for Joined {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        let mut all = String::new();
        while let Some(Text(piece)) = list.next_element()? {
            all.push_str(&piece);
        }
        Ok(Text(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);
}

/// The text of a notebook. `output_chars`: what is kept of the outputs of one cell, in characters.
pub fn text(json: &str, form: Form, output_chars: usize) -> Result<String, Unusable> {
    let notebook: Notebook = serde_json::from_str(json).map_err(|error| {
        // The error's own words may quote the document.
        let what = if error.is_eof() {
            "the JSON ends early"
        } else if error.is_syntax() {
            "no JSON"
        } else {
            "no notebook"
        };
        Unusable("malformed", format!("{what}: line {}, column {}", error.line(), error.column()))
    })?;
    let cells = || notebook.cells.iter().chain(notebook.worksheets.iter().flat_map(|w| &w.cells));
    if notebook.nbformat.is_none() && cells().next().is_none() {
        return Err(Unusable("malformed", "no notebook: neither nbformat nor cells".to_owned()));
    }
    let mut out = String::new();
    for cell in cells() {
        match form {
            Form::Structured => structured(&mut out, cell, output_chars),
            Form::Script => script(&mut out, cell, comment(&notebook.metadata)),
        }
    }
    if out.is_empty() {
        return Err(Unusable("empty", "a notebook without text".to_owned()));
    }
    if form == Form::Structured {
        out.insert_str(0, "<jupyter_start>");
    }
    Ok(out)
}

fn source(cell: &Cell) -> &str {
    let text = if cell.source.0.is_empty() { &cell.input.0 } else { &cell.source.0 };
    text.trim_end()
}

fn structured(out: &mut String, cell: &Cell, output_chars: usize) {
    let code = cell.cell_type.0 == "code";
    let text = source(cell);
    if !text.is_empty() {
        let _ = writeln!(out, "<jupyter_{}>{text}", if code { "code" } else { "text" });
    }
    if !code || output_chars == 0 {
        return;
    }
    let mut shown = String::new();
    for output in &cell.outputs {
        let error = [output.ename.0.as_str(), output.evalue.0.as_str()].join(": ");
        for part in [&output.text.0, &output.data.plain.0, &error] {
            if part != ": " {
                plain(&mut shown, part);
            }
        }
        if shown.len() > 4 * output_chars {
            break; // enough, however wide the characters are
        }
    }
    if let Some((end, _)) = shown.char_indices().nth(output_chars) {
        shown.truncate(end);
        shown.push('…');
    }
    let shown = shown.trim_end();
    if !shown.is_empty() {
        let _ = writeln!(out, "<jupyter_output>{shown}");
    }
}

/// Appends a text and a line end, without the escape sequences of terminals.
fn plain(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(body) = rest.strip_prefix('[') {
            let end = body.find(|c: char| !matches!(c, '0'..='?' | ' '..='/')).unwrap_or(body.len());
            rest = body.get(end..).unwrap_or("");
            rest = rest.strip_prefix(|c: char| matches!(c, '@'..='~')).unwrap_or(rest);
        }
    }
    out.push_str(rest);
    if !text.is_empty() && !text.ends_with('\n') {
        out.push('\n');
    }
}

fn script(out: &mut String, cell: &Cell, comment: &str) {
    let text = source(cell);
    if text.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let code = cell.cell_type.0 == "code";
    let magic = code && text.trim_start().starts_with("%%"); // the whole cell is in another language
    for line in text.lines() {
        let body = line.trim_start();
        if !code || magic || body.starts_with(['%', '!']) {
            let indent = if code && !magic { &line[..line.len() - body.len()] } else { "" };
            let line = if indent.is_empty() { line } else { body };
            let _ = writeln!(out, "{}", format!("{indent}{comment} {line}").trim_end());
            if !indent.is_empty() && comment == "#" {
                let _ = writeln!(out, "{indent}pass"); // a block must not be left empty
            }
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
}

fn comment(metadata: &Metadata) -> &'static str {
    let names =
        [&metadata.language_info.name.0, &metadata.kernelspec.language.0, &metadata.kernelspec.name.0];
    let name = names.iter().find(|n| !n.is_empty()).map_or("python", |n| n.as_str()).to_lowercase();
    match name.as_str() {
        "javascript" | "typescript" | "scala" | "java" | "kotlin" | "c++" | "c" | "c#" | "f#" | "go"
        | "rust" | "swift" => "//",
        "haskell" | "sql" | "lua" => "--",
        _ => "#",
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Unusable, text};

    const SAMPLE: &str = r##"{"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": [
        {"cell_type": "markdown", "source": ["# Title\n", "words"]},
        {"cell_type": "code", "source": "%matplotlib inline\nprint(1)", "outputs": [
            {"output_type": "stream", "text": ["\u001b[31m1\u001b[0m\n"]},
            {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["/home/x"]}]}]}"##;

    #[test]
    fn both_forms() {
        let structured = "<jupyter_start><jupyter_text># Title\nwords\n<jupyter_code>%matplotlib inline\nprint(1)\n\
                          <jupyter_output>1\n<Figure>\nE: v\n";
        assert_eq!(text(SAMPLE, Form::Structured, 100).unwrap(), structured);
        assert_eq!(
            text(SAMPLE, Form::Script, 0).unwrap(),
            "# # Title\n# words\n\n# %matplotlib inline\nprint(1)\n"
        );
        assert!(text(SAMPLE, Form::Structured, 3).unwrap().ends_with("<jupyter_output>1\n<…\n"));
    }

    #[test]
    fn version_3() {
        let old = r#"{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"],
            "outputs": [{"text": ["1"]}]}]}]}"#;
        assert_eq!(
            text(old, Form::Structured, 9).unwrap(),
            "<jupyter_start><jupyter_code>x = 1\n<jupyter_output>1\n"
        );
    }

    #[test]
    fn what_is_no_notebook_says_so_and_quotes_nothing() {
        for (json, reason) in [
            ("{\"cells\": [", "malformed"),
            ("secret", "malformed"),
            ("{\"a\": \"secret\"}", "malformed"),
            ("{\"nbformat\": 4, \"cells\": \"secret\"}", "malformed"),
            ("{\"nbformat\": 4, \"cells\": []}", "empty"),
        ] {
            let Err(Unusable(found, detail)) = text(json, Form::Structured, 9) else { panic!("{json}") };
            assert_eq!(found, reason, "{json}");
            assert!(!detail.contains("secret"), "{detail}");
        }
    }

    #[test]
    fn deep_and_large_input_is_refused_or_read_within_bounds() {
        let deep = "[".repeat(4_000_000);
        let cells = |what: &str| format!("{{\"nbformat\": 4, \"cells\": {what}}}");
        for json in [deep.clone(), cells(&deep), format!("{{\"a\": {deep}"), "{\"a\":".repeat(1_000_000)] {
            assert_eq!(text(&json, Form::Structured, 9).unwrap_err().0, "malformed");
        }
        let long = cells(&format!("[{}{{}}]", "{},".repeat(1_000_000)));
        assert_eq!(text(&long, Form::Structured, 9).unwrap_err().0, "empty");
    }
}
