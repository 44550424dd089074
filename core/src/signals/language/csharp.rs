//! C#.
//!
//! The patterns are those of opc_data_filtering: rough on purpose, because its thresholds were tuned on them.

use super::java::{begins_declaration, declaration};
use super::scan::{Needles, Text};
use super::shares::{flag, per_line, share_of_lines};
use crate::signals::{Applies, Document, signals};
use memchr::memchr2;

static PRINT: Needles = Needles::literals(&["Console.WriteLine"]);

/// What the signals of C# are made of.
pub struct Facts {
    functions: usize,
    definitions: usize,
    declares: bool,
    no_logic: usize,
}

const TYPES: [&str; 14] = [
    "int", "float", "double", "char", "string", "bool", "byte", "sbyte", "short", "ushort", "uint", "long",
    "ulong", "decimal",
];

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let text = Text::new(&document.split().code);
        let functions = text.count_at_lines(begins_declaration, |at| function(&text, at));
        let definitions = text.at_lines(begins_declaration, |at| {
            let end = function(&text, at).ok_or(at)?;
            let body = text.spaces(end);
            let is_body = text.byte(body) == b'{' || text.literal(body, "=>").is_some();
            is_body.then_some((end, ())).ok_or(end.saturating_sub(1))
        });
        Facts {
            functions,
            definitions: definitions.len(),
            declares: declarations(&text, &["var"], Some).next().is_some(),
            no_logic: functions
                + text.count_at_lines(|first| first == b'u', |at| using(&text, at))
                + declarations(&text, &[], |at| text.literal(text.spaces(at), ";")).count()
                + text.count_at_lines(|first| first == b'r', |at| returns(&text, at))
                + text.count_after("class", false, |at| text.word(text.some_spaces(at)?)),
        }
    })
}

/// At most one modifier of access and one of kind; what is not needed of them is given back.
fn function(text: &Text<'_>, at: usize) -> Option<usize> {
    let access = text.keyword(at, &["public", "private", "protected", "internal"]);
    for start in access.into_iter().chain([at]) {
        let kind = text.keyword(start, &["static", "virtual", "override", "abstract", "async"]);
        for start in kind.into_iter().chain([start]) {
            let end = declaration(text, start, &["public", "private", "protected", "if", "else"]);
            if let Some((_, end)) = end {
                return Some(end);
            }
        }
    }
    None
}

fn using(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.keyword(at, &["using"])?;
    let name = text.text[at..].bytes().take_while(|b| b.is_ascii_alphanumeric() || b"_.".contains(b)).count();
    (name > 0).then(|| text.literal(text.spaces(at + name), ";"))?
}

/// The ends of: a type, a name, and what `rest` wants after it.
fn declarations(
    text: &Text<'_>,
    more: &[&str],
    rest: impl Fn(usize) -> Option<usize>,
) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let (start, end) = text.next_word(at)?;
            at = end;
            let word = &text.text[start..end];
            if (3..=7).contains(&word.len())
                && (TYPES.contains(&word) || more.contains(&word))
                && let Some(end) = text.some_spaces(end).and_then(|name| rest(text.word(name)?))
            {
                at = end;
                return Some(end);
            }
        }
    })
}

/// Any `return` up to its `;`, where the value is on one line.
fn returns(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.literal(at, "return")?;
    if text.word_end(at) > at {
        return None;
    }
    let mut end = text.spaces(at);
    if end > at && text.byte(end) != b';' {
        let rest = &text.text.as_bytes()[end..];
        end = text.spaces(end + memchr2(b';', b'\n', rest).unwrap_or(rest.len()));
    }
    text.literal(end, ";")
}

signals! {
    family "csharp", version 1, Applies::Languages(&["csharp"]);

    /// Functions per code line: at a line start a type, a name and a bracket.
    ///
    /// Unit: functions per line; `return f(x)` and `new T(x)` at a line start count.
    /// Null: no code lines.
    /// Why: a file that is a function on every line is a table of stubs.
    /// From: opc_data_filtering, `qsc_codecsharp_frac_lines_func_ratio`.
    /// Example: csharp "public static void F(int a)\n{\n}\n" → 0.33333333
    fn csharp_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Functions with a body per code line.
    ///
    /// Unit: functions per line; those of interfaces and calls do not count.
    /// Null: no code lines.
    /// Why: a file of nothing but one-liners is a table of stubs; an interface is not.
    /// From: ours, after `qsc_codecsharp_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: csharp "int F(int a);\nint G(int a) => a;\n" → 0.5
    fn csharp_definitions_per_line(document) { per_line(facts(document).definitions, document) }

    /// Whether no variable of a built-in type, or `var`, is declared.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: code that names nothing computes nothing.
    /// From: opc_data_filtering, `qsc_codecsharp_cate_var_zero`, which compares a list with 0 and is always 0; this
    /// is what it means.
    /// Example: csharp "Console.WriteLine(1);\n" → 1
    fn csharp_has_no_variables(document) { flag(!facts(document).declares) }

    /// Functions, usings, variables without value, returns and classes per code line.
    ///
    /// Unit: count per line; can exceed 1.
    /// Null: no code lines.
    /// Why: a file of declarations only shows no logic.
    /// From: opc_data_filtering, `qsc_codecsharp_score_lines_no_logic`.
    /// Example: csharp "using A.B;\nclass C {\n  int x;\n  void F() {}\n}\n" → 0.8
    fn csharp_no_logic_per_line(document) { per_line(facts(document).no_logic, document) }

    /// Code lines that contain `Console.WriteLine`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: opc_data_filtering, `qsc_codecsharp_frac_lines_print`.
    /// Example: csharp "Console.WriteLine(1);\nf();\n" → 0.5
    fn csharp_frac_lines_print(document) { share_of_lines(document, &PRINT) }
}

#[cfg(test)]
mod tests {
    use super::{Text, declarations, function, returns};

    #[test]
    fn functions() {
        for (code, there) in [
            ("public async Task F()", true),
            ("public List<int> F()", false),
            ("static if (x)", true), // `static` is given back and taken for the type
            ("if (x)", false),
            ("return f(x)", true),
        ] {
            assert_eq!(function(&Text::new(code), 0).is_some(), there, "{code}");
        }
    }

    #[test]
    fn variables_and_returns() {
        let text = Text::new("int a; bool b ; uint c = 1; printf x;");
        assert_eq!(declarations(&text, &[], |at| text.literal(text.spaces(at), ";")).count(), 2);
        for (code, there) in
            [("return;", true), ("return\n a\n;", true), ("returned;", false), ("return a\nb;", false)]
        {
            assert_eq!(returns(&Text::new(code), 0).is_some(), there, "{code}");
        }
    }
}
