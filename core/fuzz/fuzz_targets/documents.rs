//! Any bytes, as a document in any language: lexed, split and measured.
//!
//!     cargo install cargo-fuzz
//!     cd core && RUSTC_BOOTSTRAP=1 cargo fuzz run documents -- -max_total_time=600
//!
//! Looked for: panics, stack overflow, spans that overlap or cut a character, values that are not finite, two runs
//! that differ.
#![no_main]

use codemill_core::lex::{Syntax, spans};
use codemill_core::signals::{DocType, Document, count, measure};
use libfuzzer_sys::fuzz_target;

const LANGUAGES: [(&str, DocType); 24] = [
    ("python", DocType::Code), ("c", DocType::Code), ("cpp", DocType::Code), ("csharp", DocType::Code),
    ("java", DocType::Code), ("javascript", DocType::Code), ("typescript", DocType::Code), ("go", DocType::Code),
    ("html", DocType::Code), ("rust", DocType::Code), ("php", DocType::Code), ("ruby", DocType::Code),
    ("shell", DocType::Code), ("sql", DocType::Code), ("kotlin", DocType::Code), ("swift", DocType::Code),
    ("perl", DocType::Code), ("lua", DocType::Code), ("tsx", DocType::Code), ("makefile", DocType::Code),
    ("yaml", DocType::Data), ("css", DocType::Data), ("markdown", DocType::Text), ("text", DocType::Text),
];

fn syntax(language: &str) -> Syntax {
    let pair = |open: &str, close: &str| (open.to_owned(), close.to_owned());
    Syntax {
        name: language.to_owned(),
        line_comments: vec!["//".to_owned(), "#".to_owned()],
        block_comments: vec![pair("/*", "*/"), pair("<!--", "-->")],
        nested_comments: language == "rust",
        strings: vec![pair("\"", "\""), pair("'", "'")],
        raw_strings: vec![pair("`", "`")],
        ..Syntax::default()
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let (language, doc_type) = LANGUAGES[first as usize % LANGUAGES.len()];
    let text = String::from_utf8_lossy(rest);
    let syntax = syntax(language);

    let mut end = 0;
    for span in spans(&text, &syntax) {
        assert!(end <= span.start && span.start < span.end, "{span:?} after {end}");
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end), "{span:?}");
        end = span.end;
    }
    assert!(end <= text.len());

    let run = || {
        let document = Document::new(&text, language, doc_type, Some(&syntax));
        let mut values = Vec::new();
        assert_eq!(measure(&document, &vec![true; count()], &mut values), 0, "a signal panicked");
        values
    };
    let values = run();
    assert!(values.iter().flatten().all(|value| value.is_finite()));
    assert_eq!(values, run());
});
