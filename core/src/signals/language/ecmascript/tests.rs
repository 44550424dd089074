//! Dialects, counts, and texts that nest deep.

use super::super::stack::with_stack;
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

/// More that nests, in which the parser has to try what it is.
const TRIED: &[(&str, &str, &str)] = &[
    ("(a,", "b", ")"),
    ("([a=", "b", "])"),
    ("({a=", "b", "})"),
    ("(a=b=>", "c", ")"),
    ("async(a=", "b", ")"),
    ("async (a,", "b", ")"),
    ("a?(b):c=>", "d", ""),
    ("a?(b=", "c", "):d"),
    ("a?(b=", "c", "):d=>e:f"),
    ("a?(b)=>", "c", ":d"),
    ("<T>(a=", "b", ")"),
    ("<T,>(a=", "b", ")=>c"),
    ("a<b,", "c", ">(d)"),
    ("a<b<", "c", ""),
    ("a<(b=", "c", ")=>d>(e)"),
    ("a as (b extends infer C extends [", "d", "]?e:f)"),
    ("a as [b extends infer C extends {d:", "e", "}?f:g]"),
    ("(function(a=", "b", "){})"),
    ("(a={b(c=", "d", "){}})"),
    ("(a=`${", "b", "}`)"),
    ("(a=class{b=", "c", "})"),
    ("(/**/a/**/=", "b", ")"),
    ("(\n a\n =", "b", ")"),
    ("for(a of (b=", "c", "));"),
];

/// Bytes of tree that are made while `text` is parsed, tries included; `None` if it is refused.
fn work(text: &str, language: &str) -> Option<usize> {
    let document = Document::new(text, language, DocType::Code, None);
    let dialects = super::dialects(&document);
    let stack = super::stack_for(text, &dialects)?;
    with_stack(stack, || {
        let allocator = oxc_allocator::Allocator::default();
        super::parse_in(&allocator, text, dialects[0]);
        allocator.used_bytes()
    })
}

/// What parsing takes is counted in bytes of tree. A byte of text makes about ten, or what it makes when it is read as
/// often as is allowed.
#[test]
fn no_text_is_parsed_too_often() {
    let inside = "b+c;d=e,".repeat(4000);
    let inside = inside.trim_end_matches([';', ',']).replace(';', ",");
    for (open, middle, close) in NESTED.iter().chain(TRIED) {
        for levels in [3, 30, 300, 3000, 30_000] {
            let plain = format!("x={}{middle}{}", open.repeat(levels), close.repeat(levels));
            let long = format!("x={}[{inside}],{middle}{}", open.repeat(levels), close.repeat(levels));
            for text in [plain, long] {
                for language in ["javascript", "typescript", "tsx"] {
                    let Some(work) = work(&text, language) else { continue };
                    let most = 100 * (super::MOST_AGAIN + 1) * text.len().max(super::FEW_AGAIN);
                    assert!(work <= most, "{open} {levels} {language}: {work} of {} bytes", text.len());
                }
            }
        }
    }
}

fn all_end(bytes: usize) {
    for index in 0..NESTED.len() {
        let text = nested(index, bytes);
        for language in ["javascript", "typescript", "tsx"] {
            parses(&text[2..], language);
            parses(&text, language);
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

#[test]
fn bundles_have_a_tree() {
    let module =
        "function a(b,c){var d=b?c[e(1)]:!f,g={h:2,i:-3};if(d&&g.h>4)return j(d,k=>k+5);else l=m(n,o)}\n";
    assert!(parses(&module.repeat(20_000), "javascript"));
    let entries = if cfg!(debug_assertions) { 50_000 } else { 200_000 }; // frames are larger without optimisation
    assert!(parses(&format!("({{{}}})", "a:[-1,!b],".repeat(entries)), "javascript"));
}

/// Prints what parsing and visiting take of the stack, per level: what `LEVEL` has to be above.
///
///     cargo test --release stack_of_one_level -- --nocapture
#[cfg(target_os = "linux")]
#[test]
fn stack_of_one_level() {
    for (open, middle, close) in NESTED.iter().chain(TRIED) {
        let levels = 900;
        let text = format!("x={}{middle}{}", open.repeat(levels), close.repeat(levels));
        for dialect in [oxc_span::SourceType::script(), oxc_span::SourceType::ts()] {
            let taken = |text: String| {
                let run = move || {
                    super::parse_in(&oxc_allocator::Allocator::default(), &text, dialect);
                    touched()
                };
                let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(run);
                thread.expect("a thread").join().expect("it ends")
            };
            let bytes = taken(text.clone()).saturating_sub(taken("x".to_owned())) / levels;
            println!(
                "{bytes:6} bytes a level of {open} in {}",
                if dialect.is_typescript() { "TypeScript" } else { "JavaScript" }
            );
            let counted = open.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count().max(1);
            assert!(bytes <= counted * super::LEVEL, "{open}: {bytes}");
        }
    }
}

/// Bytes of the present thread's stack that have been touched.
#[cfg(target_os = "linux")]
fn touched() -> usize {
    let here = 0_u8;
    let here = std::ptr::from_ref(&here) as usize;
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux has it");
    let mut inside = false;
    for line in maps.lines() {
        let first = line.split_whitespace().next().unwrap_or("");
        if let Some((start, end)) = first.split_once('-') {
            let bound = |hex: &str| usize::from_str_radix(hex, 16).unwrap_or(0);
            inside = (bound(start)..bound(end)).contains(&here);
        } else if inside && first == "Rss:" {
            let kilobytes: usize = line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0);
            return kilobytes << 10;
        }
    }
    panic!("the stack is in no mapping")
}
