//! What the Python tests (tests/test_headers.py) do not see: the pieces themselves. They have an example per language.

use super::{seen::Seen, strip, strip_next};
use crate::lex::Syntax;

fn c() -> Syntax {
    Syntax {
        name: "c".into(),
        line_comments: vec!["//".into()],
        block_comments: vec![("/*".into(), "*/".into())],
        ..Syntax::default()
    }
}

fn left(text: &str) -> String {
    strip(text, &c()).map_or_else(|| text.to_owned(), |stripped| stripped.content)
}

#[test]
fn counts_code_points_and_comments() {
    let stripped = strip("// © 2020 Zoë\n\n/* MIT License */\nint a;\n", &c()).unwrap();
    assert_eq!((stripped.content.as_str(), stripped.chars, stripped.notices), ("int a;\n", 33, 2));
}

#[test]
fn opener_and_closer_of_a_mixed_comment_stay() {
    assert_eq!(left("/* Copyright 2020 A.\n *\n * Adds. */\nint a;\n"), "/*\n * Adds. */\nint a;\n");
    assert_eq!(left("/* Adds.\n\n   Copyright 2020 A. */\nint a;\n"), "/* Adds.\n    */\nint a;\n");
}

#[test]
fn code_behind_a_comment_on_its_line_stays() {
    assert_eq!(left("/* Copyright 2020 A. */int a;\n"), "int a;\n");
    assert_eq!(left("/* Copyright 2020 A. *//* Adds. */int a;\n"), "/* Adds. */int a;\n");
}

#[test]
fn a_box_goes_as_a_whole() {
    let text = "/**********************/\n/*       PROJECT       */\n/* Copyright 2020 A.   */\n/**********************/\nint a;\n";
    assert_eq!(left(text), "int a;\n");
}

#[test]
fn a_comment_that_goes_on_beyond_the_limit_is_not_touched() {
    let long = format!("/* Copyright 2020 A.\n{}*/\nint a;\n", " * word\n".repeat(20_000));
    assert_eq!(strip(&long, &c()), None);
}

#[test]
fn a_carriage_return_among_line_feeds_may_end_a_comment_and_may_not() {
    for text in ["// Copyright 2020 A.\rint a;\nint b;\n", "/* Copyright 2020 A. */\rint a;\n"] {
        assert_eq!(left(text), text);
    }
    assert_eq!(left("// Copyright 2020 A.\r\nint a;\r\n"), "int a;\r\n");
    assert_eq!(left("// Copyright 2020 A.\rint a;\r"), "int a;\r");
}

#[test]
fn cuts_never_split_a_character() {
    for text in ["/* ©", "// ©", "/* © 2020 é", "//©2020 ü\n", "/*版权所有*/ü"] {
        for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
            let _ = strip(&text[..end], &c());
        }
    }
}

#[test]
fn a_claim_on_a_line_with_documentation_goes_alone() {
    assert_eq!(
        left("/* A parser of dates. (c) 2020 Foo Inc. It is fast by now. */\nint a;\n"),
        "/* A parser of dates. It is fast by now. */\nint a;\n"
    );
    assert_eq!(
        left("/* Copyright 2020 A.\n   All rights reserved. Adds. */\nint a;\n"),
        "/*\n   Adds. */\nint a;\n"
    );
}

#[test]
fn phrases_are_found_as_words() {
    let found = |text: &str| super::phrases::find(text).len();
    assert_eq!((found("a fileupload "), found("it has issues "), found("as is, ")), (0, 0, 1));
    assert_eq!((found("the lgpl "), found("lgpl2.1 "), found("xlgpl ")), (1, 1, 0));
}

#[test]
fn words_are_weighed() {
    let of_licence = super::words::count("without restriction, including without limitation the rights");
    assert!(of_licence.passes() && of_licence.only());
    let documentation = super::words::count("parses the license file and prints its rows");
    assert!(!documentation.passes() && !documentation.only());
}

#[test]
fn what_was_seen_changes_nothing() {
    let rem = Syntax { name: "batch".into(), line_comments: vec!["REM".into()], ..Syntax::default() };
    let licence = "Licensed under the MIT License;\nyou may not use this file except\nin compliance with it.";
    let rest = licence.replace('\n', "\nREM ");
    let texts = [
        (format!("/* Adds.\n\n{licence}\n*/\nint a;\n"), c()),
        (format!("/* Copyright 2020 Zoë\n\n{licence}\n*/\nint b;\n"), c()),
        (format!("/*\n{licence}\n\nAdds.\n*/\nint c;\n"), c()),
        // The same bytes, of which the markers are others.
        (format!("/*\nREM {rest}\n*/\nint d;\n"), c()),
        (format!("REM {rest}\nECHO\n"), rem),
    ];
    let mut seen = Seen::default();
    let mut removed = 0;
    for (text, syntax) in texts.iter().chain(&texts) {
        let found = strip_next(text, syntax, &mut seen);
        assert_eq!(found, strip(text, syntax), "{text}");
        removed += usize::from(found.is_some());
    }
    assert!(removed >= 8, "{removed}");
}
