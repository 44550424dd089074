//! What may stand before a notice although it is no comment: what a language demands in first place.
//!
//! Only what has to come first, or what programs write there by themselves, is here; it stays as it is. A line of code
//! that could as well stand elsewhere ends the head.

/// How something of that kind is read. What it begins with is looked for in any case.
#[derive(Clone, Copy)]
enum Rule {
    /// To the end of its line, unless that opens a block.
    Line(&'static str),
    /// Through a closer.
    Through(&'static str, &'static str),
    /// It and nothing more, if its line ends there.
    Alone(&'static str),
    /// It and nothing more.
    Just(&'static str),
}
use Rule::{Alone, Just, Line, Through};

/// Bytes within which the closer of [`Rule::Through`] must come.
const WITHIN: usize = 2_000;

/// In any language.
const ANYWHERE: &[Rule] = &[
    Just("<?php"),
    Just("<?hh"),
    Through("<?xml", "?>"),
    Through("<%@", "%>"),
    Through("\"use strict\"", "\""),
    Through("'use strict'", "'"),
];

/// By language.
const RULES: &[(&[&str], &[Rule])] = &[
    (
        &["php", "html+php", "hack"],
        &[Alone("<?"), Alone("//strict"), Through("declare(", ";"), Through("namespace ", ";")],
    ),
    (
        &["javascript", "typescript", "tsx", "vue", "svelte", "glimmer js", "glimmer ts"],
        &[
            Through("\"use ", "\""),
            Through("'use ", "'"),
            Just(";"),
            Through("<script", ">"),
            Line(".pragma "),
        ],
    ),
    (
        &["racket", "scheme", "freebasic", "common lisp"],
        &[Line("#lang "), Line("#reader "), Line("#!"), Alone("!#")],
    ),
    (&["scala"], &[Alone("!#"), Line("exec ")]),
    (
        &["visual basic 6.0", "vba", "visual basic .net", "vbscript", "b4x", "xojo", "realbasic"],
        &[
            Line("VERSION "),
            Line("Attribute "),
            Line("Object = "),
            Line("Option "),
            Line("#Region"),
            Line("#End Region"),
            Line("#tag "),
        ],
    ),
    (&["rust"], &[Through("#![", "]")]),
    (&["java", "aspectj", "perl"], &[Through("package ", ";")]),
    (
        &[
            "kotlin",
            "gradle kotlin dsl",
            "groovy",
            "scala",
            "go",
            "xtend",
            "gosu",
            "odin",
            "open policy agent",
            "cue",
            "cangjie",
        ],
        &[Line("@file:"), Line("package ")],
    ),
    (&["raku"], &[Through("use v6", ";")]),
    (&["solidity"], &[Through("pragma ", ";")]),
    (
        &["protocol buffer"],
        &[
            Through("syntax=", ";"),
            Through("syntax =", ";"),
            Through("edition =", ";"),
            Through("edition=", ";"),
        ],
    ),
    (&["cap'n proto"], &[Through("@0x", ";")]),
    (&["d", "zeek"], &[Through("module ", ";")]),
    (
        &["v", "alloy", "f#", "module", "fortran free form"],
        &[Line("module "), Line("#light"), Line("#nowarn")],
    ),
    (&["f#"], &[Line("namespace ")]),
    (&["erlang"], &[Through("-module(", ").")]),
    (&["prolog", "logtalk", "mercury"], &[Line(":- module")]),
    (&["css", "scss", "less", "sass", "postcss", "sugarss", "stylus"], &[Through("@charset", ";")]),
    (
        &[
            "yaml",
            "oasv2-yaml",
            "oasv3-yaml",
            "saltstack",
            "common workflow language",
            "raml",
            "miniyaml",
            "kaitai struct",
        ],
        &[Alone("---"), Line("%YAML"), Line("%TAG")],
    ),
    (&["astro"], &[Alone("---")]),
    (
        &[
            "c",
            "cpp",
            "objective-c",
            "objective-c++",
            "cuda",
            "opencl",
            "hlsl",
            "glsl",
            "metal",
            "swig",
            "ispc",
            "freebasic",
            "qml",
            "pawn",
            "sourcepawn",
            "dtrace",
            "igor pro",
        ],
        &[Line("#pragma once")],
    ),
    (&["pawn", "sourcepawn", "dtrace", "igor pro"], &[Line("#pragma ")]),
    (&["glsl", "pov-ray sdl"], &[Line("#version "), Line("#extension ")]),
    (&["swig"], &[Line("%module")]),
    (
        &["csharp"],
        &[
            Line("#region"),
            Line("#endregion"),
            Line("#nullable"),
            Line("#pragma "),
            Line("#define "),
            Line("#undef "),
            Line("#line "),
            Through("extern alias", ";"),
        ],
    ),
    (&["lex", "yacc", "bison", "jison", "jison lex"], &[Alone("%{"), Line("%option "), Alone("%top{")]),
    (&["ocaml", "standard ml"], &[Alone("{"), Alone("%{")]),
    (
        &["pascal", "oxygene"],
        &[
            Through("unit ", ";"),
            Through("program ", ";"),
            Through("library ", ";"),
            Through("package ", ";"),
        ],
    ),
    (
        &["component pascal", "oberon", "modula-2", "modula-3"],
        &[
            Through("MODULE ", ";"),
            Through("IMPLEMENTATION MODULE ", ";"),
            Through("DEFINITION MODULE ", ";"),
        ],
    ),
    (&["tex"], &[Line("\\NeedsTeXFormat")]),
    (&["texinfo"], &[Line("\\input texinfo"), Line("@setfilename"), Line("@settitle")]),
    (&["lilypond"], &[Line("\\version ")]),
    (&["qml"], &[Line("pragma "), Line(".pragma ")]),
    (&["haml", "scaml"], &[Line("!!!")]),
    (&["pug", "slim"], &[Line("doctype"), Line("extends ")]),
    (
        &["twig", "jinja", "nunjucks", "volt", "html", "liquid"],
        &[Through("{% extends", "%}"), Through("{%- extends", "%}"), Through("{% load", "%}")],
    ),
    (&["smarty", "latte"], &[Through("{extends", "}"), Through("{layout", "}")]),
    (&["blade"], &[Through("@extends(", ")")]),
    (&["edge"], &[Through("@layout(", ")")]),
    (&["closure templates"], &[Through("{namespace ", "}"), Through("{delpackage ", "}")]),
    (&["mako"], &[Through("<%inherit", "/>"), Through("<%page", "/>"), Through("<%namespace", "/>")]),
    (&["freemarker"], &[Through("<#ftl", ">")]),
    (
        &["html+razor"],
        &[
            Line("@page"),
            Line("@model "),
            Line("@using "),
            Line("@inherits "),
            Line("@namespace "),
            Line("@layout "),
        ],
    ),
    (&["java template engine"], &[Line("@import "), Line("@param ")]),
    (&["classic asp"], &[Alone("<%"), Line("Option Explicit")]),
    (
        &["coldfusion"],
        &[Through("<cfsetting", ">"), Through("<cfprocessingdirective", ">"), Through("<cfsilent", ">")],
    ),
    (
        &["html", "html+erb", "html+php", "html+eex", "html+ecr", "ecmarkup"],
        &[Through("<html", ">"), Just("<head>")],
    ),
    (
        &["batchfile"],
        &[
            Line("@echo off"),
            Line("echo off"),
            Line("@setlocal"),
            Line("setlocal"),
            Line("@chcp "),
            Line("chcp "),
            Line("@if \"%DEBUG%\""),
            Line("@cls"),
            Line("@title "),
        ],
    ),
    (&["powershell"], &[Line("using ")]),
    (
        &["autohotkey"],
        &[
            Line("#Requires"),
            Line("#NoEnv"),
            Line("#SingleInstance"),
            Line("#Warn"),
            Line("#NoTrayIcon"),
            Line("#Persistent"),
        ],
    ),
    (
        &["autoit"],
        &[
            Line("#include-once"),
            Line("#region"),
            Line("#endregion"),
            Line("#NoTrayIcon"),
            Line("#RequireAdmin"),
            Line("#AutoIt3Wrapper"),
            Line("#pragma "),
        ],
    ),
    (&["gdscript"], &[Line("extends "), Line("class_name "), Line("@tool"), Alone("tool"), Line("@icon")]),
    (&["gdshader"], &[Through("shader_type ", ";"), Through("render_mode ", ";")]),
    (&["papyrus"], &[Line("scriptname ")]),
    (&["makefile"], &[Line(".POSIX:")]),
    (&["cmake"], &[Through("cmake_minimum_required", ")"), Through("include_guard(", ")")]),
    (&["m4", "m4sugar"], &[Line("divert(-1)"), Through("AC_PREREQ(", ")")]),
    (&["tcl"], &[Line("exec ")]),
    (
        &["xquery", "jsoniq"],
        &[Through("xquery version", ";"), Through("jsoniq version", ";"), Through("module namespace", ";")],
    ),
    (&["openqasm"], &[Through("OPENQASM ", ";")]),
    (&["vcl"], &[Through("vcl ", ";")]),
    (&["glyph bitmap distribution format"], &[Line("STARTFONT ")]),
    (&["adobe font metrics"], &[Line("StartFontMetrics ")]),
    (&["plantuml"], &[Line("@start")]),
    (&["g-code"], &[Alone("%")]),
    (&["dns zone"], &[Line("$TTL"), Line("$ORIGIN")]),
    (&["windows registry entries"], &[Line("Windows Registry Editor"), Line("REGEDIT4")]),
    (&["rpgle"], &[Line("**FREE")]),
    (
        &["cobol"],
        &[
            Line("IDENTIFICATION DIVISION"),
            Line("ID DIVISION"),
            Line("PROGRAM-ID"),
            Line(">>"),
            Line("$SET "),
        ],
    ),
    (&["jcl"], &[Line("// ")]),
    (&["vim script"], &[Line("vim9script"), Line("scriptencoding ")]),
    (&["wdl", "earthly", "stata"], &[Line("version ")]),
    (&["tla"], &[Line("----")]),
    (&["modelica"], &[Through("within ", ";"), Through("within;", ";")]),
    (&["firrtl"], &[Line("FIRRTL version")]),
    (&["lolcode"], &[Line("HAI")]),
    (&["abap"], &[Line("REPORT "), Line("PROGRAM "), Line("FUNCTION-POOL ")]),
    (&["openedge abl"], &[Line("&")]),
    (&["gams"], &[Line("$")]),
    (&["robotframework"], &[Line("*** ")]),
    (&["adblock filter list"], &[Line("[Adblock")]),
    (&["org"], &[Line("#+"), Through(":PROPERTIES:", ":END:")]),
    (&["matlab"], &[Line("function "), Line("classdef "), Alone("1;")]),
    (&["verilog", "systemverilog"], &[Line("`timescale"), Line("`default_nettype")]),
    (&["csound document"], &[Through("<Cs", ">")]),
    (&["restructuredtext"], &[Alone(":orphan:")]),
    (&["bicep"], &[Line("targetScope")]),
    (&["ampl"], &[Line("option ")]),
];

/// Languages whose files can begin with front matter.
const FRONT_MATTER: &[&str] = &[
    "markdown",
    "mdx",
    "mdsvex",
    "rmarkdown",
    "html",
    "css",
    "scss",
    "sass",
    "less",
    "liquid",
    "nunjucks",
    "handlebars",
    "javascript",
    "xml",
    "asciidoc",
    "textile",
];

/// Length of what may stand before a notice although it is code, at the start of `rest`; `first`: nothing is before it.
pub fn prolog(rest: &str, language: &str, first: bool) -> Option<usize> {
    if first && rest.starts_with("#!") && !rest.starts_with("#![") {
        return Some(line(rest));
    }
    if first && FRONT_MATTER.contains(&language) && rest.starts_with("---") {
        return front_matter(rest);
    }
    if starts(rest, "<!doctype") {
        let tag = through(rest, ">", WITHIN)?;
        return if rest[..tag].contains('[') { through(rest, "]>", 2 * WITHIN) } else { Some(tag) };
    }
    if let Some(length) = ANYWHERE.iter().find_map(|rule| rule.read(rest)) {
        // The semicolon of `'use strict';` goes with it.
        return Some(length + usize::from(rest.starts_with(['"', '\'']) && rest[length..].starts_with(';')));
    }
    if matches!(language, "visual basic 6.0" | "vba" | "visual basic .net") && starts(rest, "begin") {
        return form(rest);
    }
    if language == "jcl" && starts(rest, "//") && rest[..line(rest)].contains(" JOB") {
        return Some(line(rest));
    }
    let of_language = RULES.iter().filter(|(names, _)| names.contains(&language));
    of_language.flat_map(|(_, rules)| *rules).find_map(|rule| rule.read(rest))
}

impl Rule {
    fn read(self, rest: &str) -> Option<usize> {
        match self {
            Line(start) => {
                let end = line(rest);
                (starts(rest, start) && !rest[..end].trim_end().ends_with('{')).then_some(end)
            }
            Through(start, closer) if starts(rest, start) => {
                // `'use strict'` and `within;` hold their closer.
                let from = if start.ends_with(closer) { start.len() - closer.len() } else { start.len() };
                Some(from + through(&rest[from..], closer, WITHIN)?)
            }
            Alone(start) => (starts(rest, start) && rest[start.len()..line(rest)].trim().is_empty())
                .then_some(start.len()),
            Just(start) if starts(rest, start) => Some(start.len()),
            Through(..) | Just(_) => None,
        }
    }
}

fn starts(rest: &str, what: &str) -> bool {
    rest.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what))
}

/// Length of the line, its end not included.
fn line(rest: &str) -> usize {
    memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())
}

fn through(rest: &str, closer: &str, within: usize) -> Option<usize> {
    let end = rest.ceil_char_boundary(within.min(rest.len()));
    rest[..end].find(closer).map(|at| at + closer.len())
}

/// `---`, keys and values, `---`.
fn front_matter(rest: &str) -> Option<usize> {
    let mut at = line(rest);
    if !rest[3..at].trim().is_empty() {
        return None;
    }
    while at < rest.len() {
        let start = at + 1;
        at = start + line(&rest[start..]);
        if matches!(rest[start..at].trim_end(), "---" | "...") {
            return Some(at);
        }
    }
    None
}

/// `BEGIN … END` at the start of a form or class of Visual Basic; they nest.
fn form(rest: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        let end = at + line(&rest[at..]);
        let word = rest[at..end].split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        match word.as_str() {
            "begin" | "beginproperty" => depth += 1,
            "end" | "endproperty" if depth <= 1 => return Some(end),
            "end" | "endproperty" => depth -= 1,
            _ => {}
        }
        at = end + 1;
    }
    None
}
