//! Go.
//!
//! The patterns are those of opc_data_filtering: rough on purpose, because its thresholds were tuned on them.

use super::scan::{Needles, Text, may_be_word, stripped_with};
use super::shares::{flag, per_line, share_of_lines};
use crate::signals::{Applies, Document, signals};
use memchr::{memchr2, memrchr};

static PRINT: Needles = Needles::literals(&["fmt.Print"]);

/// What the signals of Go are made of.
pub struct Facts {
    functions: usize,
    declares: bool,
    no_logic: usize,
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let text = Text::new(&document.split().code);
        let functions = text.count_at_lines(|first| first == b'f', |at| function(&text, at));
        Facts {
            functions,
            declares: text.is_at_a_line(may_be_word, |at| variable(&text, at)),
            no_logic: functions
                + imports(text.text)
                + text.count_at_lines(|first| first == b'v', |at| simple_variable(&text, at))
                + text.count_at_lines(|first| first == b'r', |at| simple_return(&text, at))
                + text.count_at_lines(|first| first == b't', |at| type_end(&text, at)),
        }
    })
}

/// `func` at the very start of a line, perhaps with a named receiver.
fn function(text: &Text<'_>, at: usize) -> Option<usize> {
    if at > 0 && text.byte(at - 1) != b'\n' {
        return None;
    }
    let at = text.keyword(at, &["func"])?;
    let name = text.spaces(receiver(text, at).unwrap_or(at));
    let open = text.literal(text.spaces(text.word(name)?), "(")?;
    let result = text.spaces(text.find(b')', open)? + 1);
    let end = match text.literal(result, "(") {
        Some(first) => text.find(b')', first).filter(|&close| close > first).map(|close| close + 1),
        None => text.word_or(result, b"[]"),
    };
    Some(text.spaces(end.unwrap_or(result)))
}

fn receiver(text: &Text<'_>, at: usize) -> Option<usize> {
    let name = text.spaces(text.literal(at, "(")?);
    let kind = text.some_spaces(text.word(name)?)?;
    let kind = text.literal(kind, "*").unwrap_or(kind);
    text.literal(text.spaces(text.word(kind)?), ")")
}

/// Lines that import one package, or open a block of imports, whose own lines do not count.
fn imports(code: &str) -> usize {
    let is_import = |line: &str| {
        let quoted = line.strip_prefix("import \"").is_some_and(|rest| rest.ends_with('"'));
        line == "import (" || quoted
    };
    stripped_with(code, "import").filter(|line| is_import(line)).count()
}

fn type_end(text: &Text<'_>, at: usize) -> Option<usize> {
    let name = text.keyword(at, &["type"])?;
    let kind = text.some_spaces(text.word(name)?)?;
    let end = text.literal(kind, "struct").or_else(|| text.literal(kind, "interface"))?;
    text.find(b'}', text.literal(text.spaces(end), "{")?).map(|close| close + 1)
}

fn simple_variable(text: &Text<'_>, at: usize) -> Option<usize> {
    let name = text.keyword(at, &["var"])?;
    let kind = text.some_spaces(text.word(name)?)?;
    statement_end(text, text.word(kind)?)
}

/// Blanks, perhaps a `;`, blanks up to the end of a line.
fn statement_end(text: &Text<'_>, at: usize) -> Option<usize> {
    let next = text.spaces(at);
    text.literal(next, ";").and_then(|after| text.line_end(after)).or_else(|| text.line_end(at))
}

/// Any `return` on one line; a bare one takes the next line with it.
fn simple_return(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.literal(at, "return")?;
    let value = text.spaces(at);
    if value > at && value < text.text.len() && text.byte(value) != b';' {
        let rest = &text.text.as_bytes()[value..];
        let end = value + memchr2(b';', b'\n', rest).unwrap_or(rest.len());
        if let Some(end) = statement_end(text, end) {
            return Some(end);
        }
        return memrchr(b'\n', &text.text.as_bytes()[at..value]).map(|i| at + i);
    }
    statement_end(text, at)
}

fn names(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut end = text.word(at)?;
    while let Some(next) = text.literal(text.spaces(end), ",").and_then(|at| text.word(text.spaces(at))) {
        end = next;
    }
    Some(end)
}

/// `var a int`, `const a = 1`, `a, b := f()`, and blocks of them.
fn variable(text: &Text<'_>, at: usize) -> Option<usize> {
    if let Some(next) = text.keyword(at, &["var", "const"]) {
        if let Some(first) = text.literal(next, "(") {
            return text.word_or(text.some_spaces(text.word(text.spaces(first))?)?, b"[]*.=");
        }
        let end = text.spaces(names(text, next)?);
        return text.literal(end, "=").or_else(|| text.word_or(end, b"[]*"));
    }
    text.literal(text.spaces(names(text, at)?), ":=")
}

signals! {
    family "go", version 1, Applies::Languages(&["go"]);

    /// Whether the file holds tests, by its name.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: tests repeat themselves; a corpus wants fewer of them.
    /// From: opc_data_filtering, `qsc_codego_cate_testfile`.
    /// Example: go "" → 0
    fn go_is_test_file(document) { flag(document.file_name().to_lowercase().ends_with("_test.go")) }

    /// Functions per code line; those with type parameters or an unnamed receiver are not seen.
    ///
    /// Unit: functions per line.
    /// Null: no code lines.
    /// Why: a file that is a function on every line is a table of stubs.
    /// From: opc_data_filtering, `qsc_codego_frac_lines_func_ratio`.
    /// Example: go "func (t *T) f(a int) error {\n}\n" → 0.5
    fn go_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Whether no variable or constant is declared.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: code that names nothing computes nothing.
    /// From: opc_data_filtering, `qsc_codego_cate_var_zero`, which compares a list with 0 and is always 0; this is
    /// what it means.
    /// Example: go "a, b := f()\n" → 0
    fn go_has_no_variables(document) { flag(!facts(document).declares) }

    /// Functions, imports, variables without value, one-line returns and types per code line.
    ///
    /// Unit: count per line; can exceed 1.
    /// Null: no code lines.
    /// Why: a file of declarations only shows no logic.
    /// From: opc_data_filtering, `qsc_codego_score_lines_no_logic`.
    /// Example: go "import \"fmt\"\nvar a int\nfunc f() int {\n  return a\n}\n" → 0.8
    fn go_no_logic_per_line(document) { per_line(facts(document).no_logic, document) }

    /// Code lines that contain `fmt.Print`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: opc_data_filtering, `qsc_codego_frac_lines_print`.
    /// Example: go "fmt.Println(1)\nf()\n" → 0.5
    fn go_frac_lines_print(document) { share_of_lines(document, &PRINT) }
}

#[cfg(test)]
mod tests {
    use super::{Text, function, simple_return, variable};

    #[test]
    fn functions() {
        let text =
            Text::new("func a()\nfunc b() {\n}\n func c() {}\nfunc (T) d() {}\nfunc e() (int, error) {\n");
        assert_eq!(text.count_at_lines(|first| first == b'f', |at| function(&text, at)), 2); // the second `func` is taken for a result of a
    }

    #[test]
    fn returns() {
        let text = Text::new("return\n}\n  return a, b ;\nreturn a; b\nreturned\n");
        assert_eq!(text.count_at_lines(|first| first == b'r', |at| simple_return(&text, at)), 2);
    }

    #[test]
    fn variables() {
        for (code, there) in [
            ("var a, b []int", true),
            ("const A = 1", true),
            ("x := 1", true),
            ("var (\n a int\n)", true),
            ("x = 1", false),
        ] {
            assert_eq!(variable(&Text::new(code), 0).is_some(), there, "{code}");
        }
    }
}
