//! Code text and comment text, as the signals see them.
//!
//! The thresholds of OpenCoder's filters were tuned on the two texts that its reference implementation cuts a file
//! into (with Pygments), so the signals use the same two texts. This is the one place where they differ from true
//! lexing ([`crate::lex`]); every difference is here, with its reason:
//!
//! 1. *Line ends* ([`normalised`]). The text is lexed without byte order mark, with LF for CR LF and CR, without
//!    newlines around it, and with one at its end: lengths are of that text.
//! 2. *The newline of a line comment* ([`OWNS_NEWLINE`]) belongs to it in some languages. There a line of code with a
//!    comment behind it is joined with the next line; in the others comments are joined with each other.
//! 3. *Documentation strings* of Python are comments, and every triple-quoted string that is first on its line is one
//!    (`docstrings_anywhere`). Its prefix and indentation stay in the code text.
//! 4. *Preprocessor* (`plain_directives`). C: no strings on such lines, the rest of a line after `#include <x>` is
//!    comment, and the body of `#if 0` is code whatever it says. C#: the whole line is code.
//! 5. *JavaScript and TypeScript*: quotes pair up across lines (`quotes_pair_across_lines`) and JSX is code
//!    (`no_jsx`), so an apostrophe in its text opens a string.
//! 6. *Unclosed block comments* are code where the reference looks for the closer first (`unclosed_comment_is_code`,
//!    [`runs_to_end`]).
//! 7. *HTML*: comments in style sheets stay in the code text.
//! 8. *Shell*: a heredoc ends where its word comes next (`loose_heredocs`).
//! 9. *INI*: `;` and `#` begin a comment anywhere on a line (`comments_anywhere`).
//! 10. *Languages without comments* ([`UNSPLIT`]): the reference has a lexer that calls nothing a comment.
//!
//! Two things the reference does are mended rather than kept (see `docs/conformance.md`): languages it has no lexer
//! for are split by their real comments instead of by guesses about lines (D1), and comments it leaves in the code
//! text because its lexer gives them a generic class are taken out (D2).

use crate::lex::{Kind, Quirks, Rules, Span, Syntax, spans_by};
use std::borrow::Cow;
use std::sync::Arc;

/// Languages whose line comments own the newline at their end.
const OWNS_NEWLINE: &[&str] = &[
    "actionscript",
    "ada",
    "ampl",
    "autoit",
    "blitzbasic",
    "blitzmax",
    "boogie",
    "c",
    "c-objdump",
    "chapel",
    "clean",
    "cpp",
    "cpp-objdump",
    "csharp",
    "cuda",
    "dylan",
    "ec",
    "fancy",
    "gosu",
    "hcl",
    "html+php",
    "jsonnet",
    "less",
    "limbo",
    "logos",
    "lsl",
    "modelica",
    "mql4",
    "mql5",
    "nemerle",
    "nesc",
    "nginx",
    "objective-c++",
    "objective-j",
    "pawn",
    "php",
    "pike",
    "plpgsql",
    "pony",
    "promela",
    "qml",
    "reason",
    "rust",
    "scala",
    "scss",
    "shell",
    "sql",
    "systemverilog",
    "vala",
    "verilog",
    "wgsl",
    "x10",
    "zephir",
    "zig",
];

/// Languages in which nothing is taken out.
const UNSPLIT: &[&str] = &[
    "befunge",
    "cirru",
    "diff",
    "handlebars",
    "http",
    "j",
    "jcl",
    "liquid",
    "mako",
    "objdump",
    "procfile",
    "shen",
    "slim",
    "smarty",
    "xquery",
];

/// A document cut in two: what is code, and what is comment, each joined in order with nothing between.
pub struct Split<'a> {
    /// Everything that is not comment.
    pub code: Cow<'a, str>,
    /// The comments.
    pub comments: Cow<'a, str>,
}

/// Cuts `content` into code text and comment text.
///
/// A language nobody has written comments down for is all code.
pub fn split<'a>(content: &'a str, language: &str, syntax: Option<&Syntax>) -> Split<'a> {
    let text = normalised(content);
    let Some(syntax) = syntax.filter(|_| !UNSPLIT.contains(&language)) else {
        return Split { code: text, comments: Cow::Borrowed("") };
    };
    let spans = spans_by(&text, syntax.made.split.get_or_init(|| rules(syntax)));
    let newline = OWNS_NEWLINE.contains(&language);
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    for span in spans.iter().filter(|span| span.kind != Kind::String) {
        let start = cuts.last().map_or(0, |&(_, end)| end).max(span.start);
        cuts.push((start, end_with_newline(&text, span, newline)));
    }
    if cuts.is_empty() {
        return Split { code: text, comments: Cow::Borrowed("") };
    }
    let length = cuts.iter().map(|(start, end)| end - start).sum();
    let (mut code, mut comments) =
        (String::with_capacity(text.len() - length), String::with_capacity(length));
    let mut rest = 0;
    for (start, end) in cuts {
        code.push_str(&text[rest..start]);
        comments.push_str(&text[start..end]);
        rest = end;
    }
    code.push_str(&text[rest..]);
    Split { code: Cow::Owned(code), comments: Cow::Owned(comments) }
}

fn end_with_newline(text: &str, span: &Span, newline: bool) -> usize {
    let lined = matches!(span.kind, Kind::LineComment | Kind::Hashbang);
    span.end + usize::from(newline && lined && text.as_bytes().get(span.end) == Some(&b'\n'))
}

/// The text that is lexed.
fn normalised(content: &str) -> Cow<'_, str> {
    let text = content.strip_prefix('\u{feff}').unwrap_or(content);
    if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        return Cow::Owned(with_plain_line_ends(text));
    }
    let start = text.trim_start_matches('\n');
    let inside = start.trim_end_matches('\n');
    if inside.len() < start.len() {
        return Cow::Borrowed(&start[..=inside.len()]);
    }
    Cow::Owned(format!("{inside}\n"))
}

/// The same for a text with carriage returns.
fn with_plain_line_ends(text: &str) -> String {
    let text = text.trim_matches(['\r', '\n']);
    let mut plain = String::with_capacity(text.len() + 1);
    let mut rest = 0;
    for at in memchr::memchr_iter(b'\r', text.as_bytes()) {
        plain.push_str(&text[rest..at]);
        if text.as_bytes().get(at + 1) != Some(&b'\n') {
            plain.push('\n');
        }
        rest = at + 1;
    }
    plain.push_str(&text[rest..]);
    plain.push('\n');
    plain
}

/// The rules of a language, bent as listed above.
fn rules(syntax: &Syntax) -> Rules {
    let mut quirks = Quirks::default();
    match syntax.name.as_str() {
        "javascript" | "typescript" => {
            quirks.quotes_pair_across_lines = true;
            quirks.no_jsx = true;
        }
        "csharp" | "c" | "cpp" | "cuda" | "c-objdump" | "cpp-objdump" | "objective-c++" => {
            quirks.plain_directives = true;
        }
        "python" | "cython" | "sage" | "mojo" | "numpy" | "starlark" => quirks.docstrings_anywhere = true,
        "ini" => quirks.comments_anywhere = true,
        "shell" => quirks.loose_heredocs = true,
        _ => {}
    }
    quirks.unclosed_comment_is_code = !runs_to_end(&syntax.name);
    let mut rules = Rules::of(syntax).with_quirks(quirks);
    if syntax.name == "html" {
        rules.script =
            Some(Arc::new(self::rules(&Syntax { name: "javascript".into(), ..Syntax::default() })));
        rules.style = None;
    }
    rules
}

/// Languages in which an unclosed comment is one to the end of the text.
fn runs_to_end(language: &str) -> bool {
    matches!(language, "c" | "cpp" | "cuda" | "rust" | "sql" | "kotlin" | "swift" | "php")
}
