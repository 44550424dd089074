//! Comments that tools obey. They stay whatever stands around them.

use std::sync::LazyLock;

/// How the text of such a comment begins, in lower case.
const STARTS: &[&str] = &[
    "!", // a second hashbang, `% !TEX root`
    "#if",
    "$mode",
    "+build",
    "+goose",
    "+k8s:",
    "<reference",
    "<amd-",
    "[if",
    "@charset",
    "@deno",
    "@flow",
    "@format",
    "@generated",
    "@jest-",
    "@jsx",
    "@noflow",
    "@ts-",
    "@vitest",
    "babel-",
    "biome-",
    "c8 ",
    "cgo ",
    "check=",
    "clang-format",
    "code generated",
    "coding:",
    "coding=",
    "cspell:",
    "dart format",
    "deno-",
    "do not edit",
    "dprint-",
    "encoding:",
    "escape=",
    "eslint",
    "ex:",
    "exported ",
    "flake8",
    "fmt:",
    "formatter:",
    "frozen",
    "global ",
    "globals ",
    "go:",
    "gofmt",
    "hadolint",
    "ignore_for_file",
    "isort:",
    "istanbul",
    "jscs:",
    "jshint",
    "jslint",
    "ktlint",
    "language:",
    "language=",
    "lint:",
    "local variables:",
    "luacheck",
    "mypy:",
    "no-lint",
    "nolint",
    "noqa",
    "nosec",
    "options_ghc",
    "oxlint",
    "phpcs",
    "phpstan",
    "prettier",
    "pragma",
    "psalm",
    "pylint",
    "pyright",
    "pytype",
    "raml ",
    "region ",
    "requires -",
    "rubocop",
    "ruff:",
    "shareable_constant_value",
    "shellcheck",
    "sourcemapping",
    "standard ",
    "stylelint",
    "swift-tools-version",
    "swiftformat",
    "swiftlint",
    "syntax=",
    "tslint",
    "type:",
    "typed:",
    "vi:",
    "vim:",
    "warn_indent",
    "webpack",
    "yaml-language-server",
    "yamllint",
    "yapf:",
    "ansiblerequires",
    "# sourcemapping",
    "@ sourcemapping",
];

/// Whether a line of a comment, without its markers, is addressed to a tool.
pub fn is_directive(body: &str) -> bool {
    if body.contains("-*-") {
        return true;
    }
    let mut head = [0; 24];
    let length = body.len().min(head.len());
    head[..length].copy_from_slice(&body.as_bytes()[..length]);
    head.make_ascii_lowercase();
    let begins = |start: &&str| head[..length].starts_with(start.as_bytes());
    BY_FIRST[usize::from(head[0])].iter().any(begins) || names_encoding(body)
}

/// The same by their first byte.
static BY_FIRST: LazyLock<[Vec<&str>; 256]> = LazyLock::new(|| {
    let mut by_first = [const { Vec::new() }; 256];
    for start in STARTS {
        by_first[usize::from(start.as_bytes()[0])].push(*start);
    }
    by_first
});

/// Python's and Ruby's `coding: …` anywhere in a short line.
fn names_encoding(body: &str) -> bool {
    body.len() < 80 && (body.contains("coding: ") || body.contains("coding=") || body.contains(" vim:"))
}
