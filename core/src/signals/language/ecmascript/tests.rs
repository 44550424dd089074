//! Dialects, counts, and texts that nest deep.

use super::{depth_bound, facts};
use crate::signals::{DocType, Document};

fn parses_at(text: &str, language: &str, path: &str) -> bool {
    let mut document = Document::new(text, language, DocType::Code, None);
    document.path = path;
    facts(&document).is_some()
}

fn parses(text: &str, language: &str) -> bool {
    parses_at(text, language, "")
}

#[test]
fn dialects() {
    for (text, javascript, typescript, tsx) in [
        ("", true, true, true),
        ("\u{feff}a;", true, true, true),
        ("#!/usr/bin/env node\na;", true, true, true),
        ("await a; export {};", true, true, true),
        ("a?.b ?? 1n;", true, true, true),
        ("<div/>;", true, false, true),
        ("let a = <T>b;", false, true, false),
        ("let a: string;", false, true, true),
        ("return 1;", false, false, false),
        ("a b", false, false, false),
        ("{", false, false, false),
    ] {
        let found = ["javascript", "typescript", "tsx"].map(|language| parses(text, language));
        assert_eq!(found, [javascript, typescript, tsx], "{text}");
    }
    assert!(parses("var await; // import", "javascript")); // no module, so a script
    assert!(parses_at("<div/>;", "javascript", "a/b.jsx"));
    assert!(parses_at("<div/>;", "typescript", "a/b.tsx"));
    assert!(parses_at("export const a: string;", "typescript", "a/b.d.ts"));
}

#[test]
fn counts() {
    let text = "module.exports.a = () => 1;\nmodule.exports.b = -c;\nmodule.exports = d;\n\
                let [e] = f, g;\nconst h = async function () {};\nclass I { j() {\n return k(); } }\n\
                export default class {}\n(function () { return; })();\nexport * from './l';\nimport('m');\n";
    let document = Document::new(text, "javascript", DocType::Code, None);
    let facts = facts(&document).unwrap();
    assert_eq!((facts.named_functions.all, facts.variables.all, facts.named_classes.all), (1, 3, 1));
    assert_eq!((facts.simple_variables, facts.simple_returns, facts.statements), (3, 1, 10));
    assert_eq!((facts.imports, facts.modules, facts.relative_modules), (0, 2, 1));
    assert_eq!((facts.functions, facts.async_functions, facts.nesting), (4, 1, 1));
    assert_eq!((facts.blocks, facts.block_lines), (3, 4));
    assert_eq!((facts.declarations, facts.var_declarations), (2, 0));
}

/// What opens a level, what is at the innermost, and what closes one.
const NESTED: &[(&str, &str, &str)] = &[
    ("(", "a", ")"),
    ("[", "", "]"),
    ("{", "", "}"),
    ("!", "a", ""),
    ("+ ", "a", ""),
    ("a?b:", "c", ""),
    ("a?", "b", ":c"),
    ("if(a)", "b", ""),
    ("if(a);else ", "b", ""),
    ("a=>", "b", ""),
    ("(a)=>", "b", ""),
    ("a=>{", "", "}"),
    ("async a=>", "b", ""),
    ("(a,b=", "c", ")=>d"),
    ("(a=", "c", ")"),
    ("new ", "a", ""),
    ("typeof ", "a", ""),
    ("do ", "a", ""),
    ("for(;;)", ";", ""),
    ("class extends ", "a", "{}"),
    ("function a(){", "", "}"),
    ("a:", ";", ""),
    ("a=", "b", ""),
    ("a**", "b", ""),
    ("a.b.", "c", ""),
    ("a+", "b", ""),
    ("a/", "b", ""),
    ("a&&", "b", ""),
    ("f(", "", ")"),
    ("a[", "b", "]"),
    ("f()", "", "()"),
    ("`${", "a", "}`"),
    ("``", "", ""),
    ("<a>", "", "</a>"),
    ("<a b={", "c", "}/>"),
    ("<T>", "a", ""),
    ("let a:(", "", ")"),
    ("({a:", "b", "})"),
    ("a||b&&c|d^e&f==g<h<<i+j*k**(", "l", ")"),
    ("\"", "", ""),
    ("/*", "", ""),
    ("a<", "b", ">"),
    ("A<B<", "C", ">>(d)"),
    ("class{a=", "b", "}"),
    ("@a ", "class B{}", ""),
];

fn nested(index: usize, bytes: usize) -> String {
    let (open, middle, close) = NESTED[index];
    let times = bytes / (open.len() + close.len());
    ["x=", &open.repeat(times), middle, &close.repeat(times)].concat()
}

fn all_end(bytes: usize) {
    for (index, kind) in NESTED.iter().enumerate() {
        let text = nested(index, bytes);
        for language in ["javascript", "typescript", "tsx"] {
            let start = std::time::Instant::now();
            parses(&text[2..], language);
            parses(&text, language);
            let took = start.elapsed().as_secs_f64();
            assert!(took < 60.0, "{kind:?} {language} {bytes} bytes: {took} s");
        }
    }
}

#[test]
fn deep_nesting_ends() {
    all_end(60);
    all_end(2_000);
    all_end(20_000);
}

#[test]
fn what_nests_deeper_than_there_is_room_for_is_refused() {
    all_end(4 << 20);
    assert!(parses(&nested(0, 1_000), "javascript"));
    assert!(!parses(&nested(0, 4 << 20), "javascript"));
}

#[test]
fn every_level_is_counted() {
    for (index, (open, ..)) in NESTED.iter().enumerate().filter(|(_, kind)| !["\"", "@a "].contains(&kind.0))
    {
        assert!(depth_bound(&nested(index, 100 * open.len())) >= 12, "{open}");
    }
    assert!(depth_bound("const a = 1;\n") < 4);
}
