//! The examples in doc comments, executed: ``Example: LANGUAGE "TEXT" → VALUE``.

use super::{DocType, Document, FAMILIES, Family, Signal};
use crate::lex::Syntax;

fn unquoted(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\').1.then(|| chars.next().expect("an escape")) {
            None => out.push(c),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let code: String = chars.by_ref().take(4).collect();
                out.push(char::from_u32(u32::from_str_radix(&code, 16).expect("hex")).expect("a character"));
            }
            Some(other) => out.push(other),
        }
    }
    out
}

/// As in `codemill/languages/table/`, for the languages that examples are in.
fn syntax(language: &str) -> Syntax {
    let pair = |open: &str, close: &str| (open.to_owned(), close.to_owned());
    let quotes = vec![pair("\"", "\""), pair("'", "'")];
    let (line, block): (&[&str], _) = match language {
        "python" | "ruby" | "shell" | "yaml" => (&["#"], vec![]),
        "html" | "markdown" | "xml" => (&[], vec![pair("<!--", "-->")]),
        "sql" => (&["--"], vec![pair("/*", "*/")]),
        "php" => (&["//", "#"], vec![pair("/*", "*/")]),
        _ => (&["//"], vec![pair("/*", "*/")]),
    };
    Syntax {
        name: language.to_owned(),
        line_comments: line.iter().map(|&s| s.to_owned()).collect(),
        block_comments: block,
        strings: quotes,
        ..Syntax::default()
    }
}

fn check(family: &Family, signal: &Signal) -> Result<(), String> {
    let line =
        signal.doc.lines().find_map(|line| line.trim().strip_prefix("Example: ")).ok_or("no example")?;
    let (language, rest) = line.split_once(' ').ok_or("no language")?;
    let (text, value) = rest.rsplit_once(" → ").ok_or("no arrow")?;
    let text = unquoted(text.trim_matches('"'));
    let doc_type = match language {
        "markdown" | "text" => DocType::Text,
        "json" | "yaml" => DocType::Data,
        _ => DocType::Code,
    };
    let syntax = syntax(language);
    let mut document = Document::new(&text, language, doc_type, Some(&syntax));
    document.size = Some(text.len() as u64);
    if !family.applies.to(&document) {
        return Err(format!("does not apply to {language}"));
    }
    let (found, expected) = ((signal.measure)(&document), value.parse::<f64>().ok());
    if found.map(super::round8) == expected { Ok(()) } else { Err(format!("{found:?}, not {value}")) }
}

#[test]
fn every_example_is_true() {
    let signals =
        || FAMILIES.iter().flat_map(|family| family.signals.iter().map(move |signal| (family, signal)));
    let wrong: Vec<String> = signals()
        .filter_map(|(family, signal)| {
            check(family, signal).err().map(|error| format!("{}: {error}", signal.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
