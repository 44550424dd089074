//! C.
//!
//! The patterns are those of opc_data_filtering: rough on purpose, because its thresholds were tuned on them. Calls
//! after `return` or `else` count as functions, and so do macros.

use super::scan::{Nearest, Needles, Text, count_lines, last_word, may_be_word};
use super::shares::{flag, per_line, share_of_lines};
use crate::signals::{Applies, Document, signals};
use memchr::{memchr_iter, memchr2};

pub(super) static GOTO: Needles = Needles::literals(&["goto"]);
static PRINT: Needles = Needles::literals(&["printf"]);

/// What the signals of C and C++ are made of.
pub struct Facts {
    functions: usize,
    definitions: usize,
    mains: usize,
    declares: bool,
    no_logic: usize,
    preprocessor: usize,
}

pub(super) fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let text = Text::new(&document.split().code);
        let (functions, definitions) = functions(&text);
        Facts {
            functions,
            definitions,
            mains: text.count_after("main", true, |at| main_end(&text, at)),
            declares: declares(&text),
            no_logic: functions
                + text.count_at_lines(|first| first == b'#', |at| include(&text, at))
                + text.count_at_lines(|first| b"uifdcbsa".contains(&first), |at| simple_variable(&text, at))
                + text.count_at_lines(|first| first == b'r', |at| simple_return(&text, at))
                + text.count_at_lines(|first| first == b'c', |at| class(&text, at)),
            preprocessor: preprocessor(text.text),
        }
    })
}

/// Words, the last of them directly before a bracket. Found from the bracket backwards: what stands before it is looked
/// at by no other bracket. The second number is how many of them have a body.
fn functions(text: &Text<'_>) -> (usize, usize) {
    let (mut count, mut definitions, mut from) = (0, 0, 0);
    for open in memchr_iter(b'(', text.text.as_bytes()) {
        if open < from || !is_called_by_words(&text.text[from..open]) {
            continue;
        }
        let Some(close) = text.find(b')', open) else { break };
        count += 1;
        let name = &text.text[from + last_word(&text.text[from..open])..open];
        definitions += usize::from(!CONTROL.contains(&name) && has_body(text, close + 1));
        from = text.spaces(close + 1);
    }
    (count, definitions)
}

/// Words before a bracket and a block that name no function.
const CONTROL: [&str; 5] = ["if", "for", "while", "switch", "catch"];

/// Whether a body begins at `at`, perhaps behind what C++ says of a method.
fn has_body(text: &Text<'_>, at: usize) -> bool {
    let mut at = text.spaces(at);
    while let Some(next) = text.keyword(at, &["const", "noexcept", "override", "final"]) {
        at = next;
    }
    text.byte(at) == b'{'
}

/// Whether `before` ends with a word, blanks with stars, and a word.
fn is_called_by_words(before: &str) -> bool {
    let last = |text: &str| text.as_bytes().last().copied().unwrap_or(b'(');
    // At most brackets one of these bytes decides.
    if !may_be_word(last(before)) {
        return false;
    }
    let (rest, name) = before.split_at(last_word(before));
    if matches!(last(rest), b'!'..=b')' | b'+'..=b'~') || !starts_as_name(name) {
        return false;
    }
    let words = rest.trim_end_matches(|c: char| c.is_whitespace() || c == '*');
    is_separator(&rest[words.len()..]) && starts_as_name(&words[last_word(words)..])
}

fn starts_as_name(word: &str) -> bool {
    word.as_bytes().first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
}

/// Blanks, stars, at least one blank, at most one star, blanks.
fn is_separator(between: &str) -> bool {
    let blank_start = between.starts_with(char::is_whitespace);
    let mut runs = between.split(char::is_whitespace).filter(|run| !run.is_empty());
    let ends_blank = between.ends_with(char::is_whitespace);
    match (runs.next(), runs.next(), runs.next()) {
        (None, ..) => blank_start,
        (Some(stars), None, _) => ends_blank || (blank_start && stars.len() == 1),
        (Some(_), Some(last), None) => last.len() == 1,
        _ => false,
    }
}

fn main_end(text: &Text<'_>, at: usize) -> Option<usize> {
    let open = text.spaces(at);
    let close = (text.byte(open) == b'(').then(|| text.find(b')', open + 1))??;
    text.literal(text.spaces(close + 1), "{")
}

fn include(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.some_spaces(text.literal(text.spaces(text.literal(at, "#")?), "include")?)?;
    matches!(text.byte(at), b'"' | b'<').then_some(())?;
    memchr2(b'"', b'>', &text.text.as_bytes()[at + 1..]).filter(|&i| i > 0).map(|i| at + i + 2)
}

fn class(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.spaces(text.word(text.keyword(at, &["class"])?)?);
    match text.byte(at) {
        b'{' => Some(at + 1),
        b':' => text.find(b'{', at).map(|brace| brace + 1),
        _ => None,
    }
}

fn simple_variable(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.keyword(at, &["unsigned"]).unwrap_or(at);
    let at = text.keyword(at, &["int", "float", "double", "char", "bool", "std::string", "auto"])?;
    text.literal(text.spaces(text.word(at)?), ";")
}

fn simple_return(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.spaces(text.literal(at, "return")?);
    let value = match text.byte(at) {
        b'"' | b'\'' => text.string(at)?,
        _ => text.word_end(at),
    };
    text.line_end(text.literal(text.spaces(value), ";")?)
}

/// Whether there is a declaration: two words in a row, perhaps with stars, then `;`, a list, or a value up to a `;`.
/// `return x;` is one too.
fn declares(text: &Text<'_>) -> bool {
    let mut at = 0;
    while let Some((_, word)) = text.next_word(at) {
        at = word;
        let Some(stars) = text.some_spaces(word) else { continue };
        at = stars;
        let name = text.spaces(past_stars(text, stars));
        if text.word_or(name, b"[]").is_some_and(|end| ends_declaration(text, end)) {
            return true;
        }
    }
    false
}

fn past_stars(text: &Text<'_>, mut at: usize) -> usize {
    while text.byte(at) == b'*' {
        at += 1;
    }
    at
}

fn ends_declaration(text: &Text<'_>, mut at: usize) -> bool {
    loop {
        at = text.spaces(at);
        match text.byte(at) {
            b';' => return true,
            b'=' => return text.find(b';', at).is_some(),
            b',' => {
                let name = text.spaces(past_stars(text, text.spaces(at + 1)));
                match text.word_or(name, b"[]") {
                    Some(end) => at = end,
                    None => return false,
                }
            }
            _ => return false,
        }
    }
}

const DIRECTIVES: [&str; 9] =
    ["include", "define", "if", "el", "endif", "error", "pragma", "warning", "undef"];

fn preprocessor(code: &str) -> usize {
    let bytes = code.as_bytes();
    let text = Text::new(code);
    let mut marks = Nearest::new(bytes, ["#", "struct", "using"]);
    count_lines(bytes, |mut from| {
        loop {
            let at = marks.find(from)?;
            if bytes[at] != b'#' || is_directive(&text, at + 1) {
                return Some(at);
            }
            from = at + 1;
        }
    })
}

/// Whether the name of a directive follows on the same line.
fn is_directive(text: &Text<'_>, at: usize) -> bool {
    let rest = text.text[at..].trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
    let is_else = rest.starts_with("else") || rest.starts_with("elif");
    is_else || rest.starts_with("line") || DIRECTIVES.iter().any(|d| *d != "el" && rest.starts_with(d))
}

pub(super) fn functions_per_line(document: &Document<'_>) -> Option<f64> {
    per_line(facts(document).functions, document)
}

pub(super) fn definitions_per_line(document: &Document<'_>) -> Option<f64> {
    per_line(facts(document).definitions, document)
}

pub(super) fn includes_bits_stdcpp(document: &Document<'_>) -> Option<f64> {
    let code = document.split().code.trim_matches(super::scan::is_blank);
    let start: String = code.chars().take(200).flat_map(char::to_lowercase).take(200).collect();
    flag(start.contains("bits/stdc++.h"))
}

pub(super) fn num_main(document: &Document<'_>) -> Option<f64> {
    Some(facts(document).mains as f64)
}

pub(super) fn has_no_variables(document: &Document<'_>) -> Option<f64> {
    flag(!facts(document).declares)
}

pub(super) fn no_logic_per_line(document: &Document<'_>) -> Option<f64> {
    per_line(facts(document).no_logic, document)
}

pub(super) fn frac_lines_preprocessor(document: &Document<'_>) -> Option<f64> {
    let name = document.file_name();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if matches!(extension, "h" | "hpp" | "hxx" | "hh" | "h++") {
        return None;
    }
    per_line(facts(document).preprocessor, document)
}

signals! {
    family "c", version 1, Applies::Languages(&["c"]);

    /// Functions per code line: words, the last of them directly before a bracket.
    ///
    /// Unit: functions per line; declarations, macros and calls after `return` count.
    /// Null: no code lines.
    /// Why: a file that is a function on every line is a table of stubs; one without any is data.
    /// From: opc_data_filtering, `qsc_codec_frac_lines_func_ratio`.
    /// Example: c "int f(int a) {\n  g(a);\n}\n" → 0.33333333
    fn c_functions_per_line(document) { functions_per_line(document) }

    /// Functions with a body per code line.
    ///
    /// Unit: functions per line; declarations, macros and calls do not count, methods outside their class neither.
    /// Null: no code lines.
    /// Why: a file of nothing but one-liners is a table of stubs; a header is not.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering, which counts declarations.
    /// Example: c "int f(int a);\nint g(int a) {\n  return a;\n}\n" → 0.25
    fn c_definitions_per_line(document) { definitions_per_line(document) }

    /// Whether `bits/stdc++.h` stands in the first 200 characters of the code.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: the mark of contest submissions.
    /// From: opc_data_filtering, `qsc_codec_cate_bitsstdc`.
    /// Example: c "#define H <bits/stdc++.h>\n" → 1
    fn c_includes_bits_stdcpp(document) { includes_bits_stdcpp(document) }

    /// Definitions of `main`.
    ///
    /// Unit: count.
    /// Null: never.
    /// Why: two of them are two programs pasted into one file.
    /// From: opc_data_filtering, `qsc_codec_nums_lines_main`.
    /// Example: c "int main(void)\n{\n}\nint main(int n) { }\n" → 2
    fn c_num_main(document) { num_main(document) }

    /// Code lines that contain `goto`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: common in the output of generators, rare by hand.
    /// From: opc_data_filtering, `qsc_codec_frac_lines_goto`.
    /// Example: c "a:\n  goto a;\n" → 0.5
    fn c_frac_lines_goto(document) { share_of_lines(document, &GOTO) }

    /// Whether nothing looks like the declaration of a variable; `return x;` does.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: code that names nothing computes nothing.
    /// From: opc_data_filtering, `qsc_codec_cate_var_zero`.
    /// Example: c "int *a, b[2];\n" → 0
    fn c_has_no_variables(document) { has_no_variables(document) }

    /// Functions, includes, variables without value, simple returns and classes per code line.
    ///
    /// Unit: count per line; can exceed 1.
    /// Null: no code lines.
    /// Why: a file of declarations only shows no logic.
    /// From: opc_data_filtering, `qsc_codec_score_lines_no_logic`.
    /// Example: c "#define X\nint f(int a) {\n  int b;\n  return b;\n}\n" → 0.6
    fn c_no_logic_per_line(document) { no_logic_per_line(document) }

    /// Code lines that contain `printf`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: opc_data_filtering, `qsc_codec_frac_lines_print`.
    /// Example: c "printf(\"a\");\nf();\n" → 0.5
    fn c_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Code lines with a preprocessor directive, or with the letters `struct` or `using`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines, or the extension is that of a header.
    /// Why: a source file that is mostly directives or declarations is a header in disguise.
    /// From: opc_data_filtering, `qsc_codec_frac_lines_preprocessor_directives`.
    /// Example: c "# define A 1\nint a;\n" → 0.5
    fn c_frac_lines_preprocessor(document) { frac_lines_preprocessor(document) }
}

#[cfg(test)]
mod tests {
    use super::{Text, declares, functions, is_separator};

    fn count(code: &str) -> usize {
        functions(&Text::new(code)).0
    }

    #[test]
    fn definitions_have_bodies() {
        let count = |code: &str| functions(&Text::new(code)).1;
        assert_eq!(count("int f(a); int g(b) { return h(b); } int k(c) const\n{ }"), 2);
        assert_eq!(count("else if (x) { } #define M(x) do { } return f(x); } void p(int);"), 0);
    }

    #[test]
    fn functions_are_words_before_a_bracket() {
        assert_eq!(count("int f(a); char *g(b) {} char* h(c)"), 3);
        assert_eq!(count("char **f(x); main (a); f(x); 3a f(x)"), 0);
        assert_eq!(count("return f(x); else if(x) y; define M(x)"), 3);
        assert_eq!(count("int f(int g(int h)) int k("), 1);
    }

    #[test]
    fn stars_may_stand_between_words() {
        for (between, fits) in [
            (" ", true),
            ("* ", true),
            (" *", true),
            (" * *", true),
            ("*", false),
            (" **", false),
            (" * * *", false),
        ] {
            assert_eq!(is_separator(between), fits, "{between:?}");
        }
    }

    #[test]
    fn declarations() {
        for (code, there) in [("int a;", true), ("a *b, c = 1;", true), ("f(a b)", false), ("x = 1;", false)]
        {
            assert_eq!(declares(&Text::new(code)), there, "{code}");
        }
    }

    #[test]
    fn repeated_openers_are_linear() {
        for piece in ["a b(", "a b, ", "main(", "class a:", "a\n", "(a* "] {
            let code = piece.repeat(2_000_000 / piece.len());
            let text = Text::new(&code);
            functions(&text);
            declares(&text);
            text.count_after("main", true, |at| super::main_end(&text, at));
            text.count_at_lines(|_| true, |at| super::class(&text, at));
        }
    }
}
