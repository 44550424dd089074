//! Java.
//!
//! The patterns are those of opc_data_filtering: rough on purpose, because its thresholds were tuned on them.

use super::scan::{Needles, Text, may_be_word};
use super::shares::{flag, per_line, share_of_lines};
use crate::signals::{Applies, Document, ratio, signals};

/// What the signals of Java are made of. Names and modifiers are kept as counts of what is legal and open.
#[derive(Default)]
pub struct Facts {
    functions: usize,
    legal_functions: usize,
    variables: usize,
    legal_variables: usize,
    classes: usize,
    legal_classes: usize,
    no_modifier: usize,
    no_logic: usize,
    definitions: usize,
    declares: bool,
}

static PRINT: Needles = Needles::literals(&["System.out.print"]);

const ACCESS: [&str; 3] = ["public", "protected", "private"];

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let text = Text::new(&document.split().code);
        let functions = text.at_lines(begins_declaration, |at| function(&text, at));
        let variables = text.at_lines(begins_variable, |at| variable(&text, at, true));
        let classes = text.at_lines(|first| b"pfac".contains(&first), |at| class(&text, at).ok_or(at));
        let defined = |at: usize| {
            let (end, _) = function(&text, at)?;
            (text.byte(text.spaces(end)) == b'{').then_some((end, ())).ok_or(end.saturating_sub(1))
        };
        let open = |(_, has_access): &&(&str, bool)| !has_access;
        Facts {
            functions: functions.len(),
            legal_functions: functions.iter().filter(|f| is_legal(f.0, |b| b.is_ascii_alphabetic())).count(),
            variables: variables.len(),
            legal_variables: variables
                .iter()
                .filter(|name| is_legal(name, |b| b.is_ascii_lowercase()))
                .count(),
            classes: classes.len(),
            legal_classes: classes.iter().filter(|c| is_legal(c.0, |b| b.is_ascii_uppercase())).count(),
            no_modifier: functions.iter().filter(open).count() + classes.iter().filter(open).count(),
            definitions: text.at_lines(begins_declaration, defined).len(),
            declares: declares(&text),
            no_logic: functions.len()
                + classes.len()
                + text.count_at_lines(|first| first == b'i', |at| import(&text, at))
                + text.at_lines(begins_variable, |at| variable(&text, at, false)).len()
                + text.count_at_lines(|first| first == b'r', |at| simple_return(&text, at)),
        }
    })
}

fn is_legal(name: &str, first: fn(u8) -> bool) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|&b| first(b)) && bytes[1..].iter().all(u8::is_ascii_alphanumeric)
}

/// Whether a [`declaration`], or modifiers before one, can begin with this byte.
pub(super) fn begins_declaration(byte: u8) -> bool {
    byte == b'<' || may_be_word(byte)
}

/// Whether a variable can: its modifiers, a type that is built in, or one that is written with a capital.
fn begins_variable(byte: u8) -> bool {
    byte.is_ascii_uppercase() || b"pfsibcd".contains(&byte)
}

/// `[<name>] type name (…)` unless the text at `at` begins with one of `never`: the name, and the end.
pub(super) fn declaration<'a>(text: &Text<'a>, at: usize, never: &[&str]) -> Option<(&'a str, usize)> {
    let word = text.spaces(at);
    if never.iter().any(|letters| text.literal(word, letters).is_some()) {
        return None;
    }
    let parameter = text.literal(at, "<").and_then(|name| text.literal(text.word(name)?, ">")).unwrap_or(at);
    let name = text.some_spaces(text.word(text.spaces(parameter))?)?;
    let end = text.word(name)?;
    let open = text.literal(text.spaces(end), "(")?;
    Some((&text.text[name..end], text.find(b')', open)? + 1))
}

/// The places after one, two … of `modifiers`, and whether one of access, which begin with a `p`, is before them.
fn modified<'t>(
    text: &'t Text<'_>,
    at: usize,
    modifiers: &'t [&'t str],
) -> impl Iterator<Item = (usize, bool)> + 't {
    let (mut at, mut access) = (at, false);
    std::iter::from_fn(move || {
        let next = text.keyword(at, modifiers)?;
        access |= text.byte(at) == b'p';
        at = next;
        Some((at, access))
    })
}

/// A function's name and whether it has an access modifier. After a failure nothing among the modifiers that were
/// tried is worth another attempt.
fn function<'a>(text: &Text<'a>, at: usize) -> Result<(usize, (&'a str, bool)), usize> {
    let places = || modified(text, at, &["public", "protected", "private", "static"]);
    let declared = |(place, access): (usize, bool)| {
        let (name, end) = declaration(text, place, &["public", "private", "protected", "else", "if"])?;
        Some((throws(text, end).unwrap_or(end), (name, access)))
    };
    let Some(last) = places().last() else { return declared((at, false)).ok_or(at.saturating_sub(1)) };
    // The earlier places, which a modifier that is taken for a type may begin at, are seldom needed.
    let earlier =
        || places().collect::<Vec<_>>().into_iter().rev().skip(1).chain([(at, false)]).find_map(declared);
    declared(last).or_else(earlier).ok_or(last.0.saturating_sub(1))
}

fn throws(text: &Text<'_>, at: usize) -> Option<usize> {
    text.word_or(text.keyword(text.spaces(at), &["throws"])?, b", ")
}

fn import(text: &Text<'_>, at: usize) -> Option<usize> {
    let end = text.word_or(text.keyword(at, &["import"])?, b".*")?;
    text.line_end(text.literal(text.spaces(end), ";")?)
}

/// The name of a variable, with or without initialiser.
fn variable<'a>(text: &Text<'a>, at: usize, initialised: bool) -> Result<(usize, &'a str), usize> {
    let places = modified(text, at, &["public", "protected", "private", "final", "static"]);
    let last = places.last().map_or(at, |last| last.0); // types are no modifiers, so giving back does not help
    declared(text, last, initialised).ok_or(last.saturating_sub(1).max(at))
}

fn declared<'a>(text: &Text<'a>, at: usize, initialised: bool) -> Option<(usize, &'a str)> {
    let typed = text.keyword(at, &["int", "float", "boolean", "char", "double", "String"]);
    let generic =
        || text.byte(at).is_ascii_uppercase().then(|| text.some_spaces(text.word_or(at, b"<>")?))?;
    let name = typed.or_else(generic)?;
    let end = text.word(name)?;
    let next = text.spaces(end);
    let next = match text.byte(next) {
        b'=' if initialised => text.find(b';', next).filter(|&semicolon| semicolon > next + 1)?,
        _ => next,
    };
    Some((text.literal(next, ";")?, &text.text[name..end]))
}

/// Words that are neither a type nor the name of something that is declared.
const NO_TYPES: [&str; 35] = [
    "abstract",
    "assert",
    "break",
    "case",
    "catch",
    "class",
    "continue",
    "default",
    "do",
    "else",
    "extends",
    "final",
    "finally",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "interface",
    "native",
    "new",
    "package",
    "permits",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "throw",
    "throws",
    "try",
    "while",
];

/// Whether anything is given a type and a name: a field, a local, a parameter, a component; or an enumeration is there.
fn declares(text: &Text<'_>) -> bool {
    let mut at = 0;
    while let Some((start, end)) = text.next_word(at) {
        at = end;
        let word = &text.text[start..end];
        if NO_TYPES.contains(&word) {
            continue;
        }
        let Some((name, after)) = type_end(text, end).and_then(|name| Some((name, text.word(name)?))) else {
            continue;
        };
        if word == "enum"
            || !NO_TYPES.contains(&&text.text[name..after])
                && matches!(text.byte(text.spaces(after)), b'=' | b';' | b',' | b')' | b':' | b'[')
        {
            return true;
        }
    }
    false
}

/// The longest list of type arguments that is looked through.
const ARGUMENTS: usize = 200;

/// Past the type whose first word ends at `at`, where a name may begin: arguments in `<>`, brackets, dots.
fn type_end(text: &Text<'_>, at: usize) -> Option<usize> {
    let bytes = text.text.as_bytes();
    let mut end = text.spaces(at);
    if text.byte(end) == b'<' {
        let mut depth = 0;
        let close = bytes[end..].iter().take(ARGUMENTS).position(|&byte| {
            depth += i32::from(byte == b'<') - i32::from(byte == b'>');
            depth == 0 || !(may_be_word(byte) || b"<>,?&.@[] \t\r\n".contains(&byte))
        })?;
        if bytes[end + close] != b'>' {
            return None;
        }
        end = text.spaces(end + close + 1);
    }
    while let Some(inside) = text.literal(end, "[") {
        end = text.spaces(text.literal(text.spaces(inside), "]")?);
    }
    end = text.literal(end, "...").map_or(end, |after| text.spaces(after));
    (end > at && may_be_word(text.byte(end)) && !text.byte(end).is_ascii_digit()).then_some(end)
}

fn simple_return(text: &Text<'_>, at: usize) -> Option<usize> {
    let at = text.literal(at, "return")?;
    if let Some(end) = text.literal(at, ";") {
        return (end == text.text.len() || text.byte(end) == b'\n').then_some(end);
    }
    let value = text.some_spaces(at)?;
    let end = if text.byte(value) == b'"' { text.string(value)? } else { text.word_end(value) };
    text.line_end(text.literal(text.spaces(end), ";")?)
}

fn class<'a>(text: &Text<'a>, at: usize) -> Option<(usize, (&'a str, bool))> {
    let access = text.keyword(at, &ACCESS);
    let kind = access.unwrap_or(at);
    let name = text.keyword(text.keyword(kind, &["final", "abstract"]).unwrap_or(kind), &["class"])?;
    let end = text.word_or(name, b"<>")?;
    Some((end, (&text.text[name..end], access.is_some())))
}

signals! {
    family "java", version 1, Applies::Languages(&["java"]);

    /// Whether no variable is declared.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: code that names nothing computes nothing.
    /// From: opc_data_filtering, `qsc_codejava_cate_var_zero`.
    /// Example: java "final int a = 1;\n" → 0
    fn java_has_no_variables(document) { flag(facts(document).variables == 0) }

    /// Functions per code line: at a line start modifiers, a type, a name and a bracket.
    ///
    /// Unit: functions per line; `return f(x)` and `new T(x)` at a line start count.
    /// Null: no code lines.
    /// Why: a file that is a function on every line is a table of stubs.
    /// From: opc_data_filtering, `qsc_codejava_frac_lines_func_ratio`.
    /// Example: java "public static void f(int a) throws E {\n}\n" → 0.5
    fn java_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Whether nothing is declared with a type and a name: no field, local, parameter, component or enumeration.
    ///
    /// Unit: flag; every type counts, also `long`, arrays, `var` and generic ones.
    /// Null: never.
    /// Why: what is left is a package's page and empty types.
    /// From: ours, after `qsc_codejava_cate_var_zero` of opc_data_filtering, which knows few forms.
    /// Example: java "interface A {\n  void f(Map<String, int[]> a);\n}\n" → 0
    fn java_has_no_declarations(document) { flag(!facts(document).declares) }

    /// Functions with a body per code line.
    ///
    /// Unit: functions per line; those of interfaces and calls do not count.
    /// Null: no code lines.
    /// Why: a file of nothing but one-liners is a table of stubs; an interface is not.
    /// From: ours, after `qsc_codejava_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: java "interface A {\n  void f();\n  default int g() {\n    return 1;\n  }\n}\n" → 0
    fn java_definitions_per_line(document) { per_line(facts(document).definitions, document) }

    /// Functions, imports, variables without value, simple returns and classes per code line.
    ///
    /// Unit: count per line; can exceed 1.
    /// Null: no code lines.
    /// Why: a file of declarations only shows no logic.
    /// From: opc_data_filtering, `qsc_codejava_score_lines_no_logic`.
    /// Example: java "import a.b;\nclass C {\n  int x;\n  int f() {\n    return x;\n  }\n}\n" → 0.71428571
    fn java_no_logic_per_line(document) { per_line(facts(document).no_logic, document) }

    /// Functions and classes without `public`, `protected` or `private`.
    ///
    /// Unit: fraction of functions and classes.
    /// Null: neither functions nor classes.
    /// Why: code written for others says what is theirs to use.
    /// From: opc_data_filtering, `qsc_codejava_frac_words_no_modifier`, which counts those with one; this is what it
    /// means.
    /// Example: java "public class A {\n  int f() {}\n}\n" → 0.5
    fn java_frac_declarations_no_modifier(document) {
        let facts = facts(document);
        ratio(facts.no_modifier, facts.functions + facts.classes)
    }

    /// Variables named as Java programmers name them: a small letter, then letters and digits.
    ///
    /// Unit: fraction of variables.
    /// Null: no variables.
    /// Why: generated and obfuscated code names otherwise.
    /// From: opc_data_filtering, `qsc_codejava_frac_words_legal_var_name`, which looks at the second character of the
    /// declaration; this is what it means.
    /// Example: java "int a1;\nint B;\n" → 0.5
    fn java_frac_legal_variable_names(document) {
        let facts = facts(document);
        ratio(facts.legal_variables, facts.variables)
    }

    /// Functions named with letters and digits, beginning with a letter.
    ///
    /// Unit: fraction of functions.
    /// Null: no functions.
    /// Why: generated and obfuscated code names otherwise.
    /// From: opc_data_filtering, `qsc_codejava_frac_words_legal_func_name`, which looks at the second character of the
    /// declaration; this is what it means.
    /// Example: java "int a() {}\nint b_c() {}\n" → 0.5
    fn java_frac_legal_function_names(document) {
        let facts = facts(document);
        ratio(facts.legal_functions, facts.functions)
    }

    /// Classes named with a capital, then letters and digits; a type parameter counts as illegal.
    ///
    /// Unit: fraction of classes.
    /// Null: no classes.
    /// Why: generated and obfuscated code names otherwise.
    /// From: opc_data_filtering, `qsc_codejava_frac_words_legal_class_name`.
    /// Example: java "class A {}\nclass B<T> {}\n" → 0.5
    fn java_frac_legal_class_names(document) {
        let facts = facts(document);
        ratio(facts.legal_classes, facts.classes)
    }

    /// Code lines that contain `System.out.print`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: opc_data_filtering, `qsc_codejava_frac_lines_print`.
    /// Example: java "System.out.println(1);\nf();\n" → 0.5
    fn java_frac_lines_print(document) { share_of_lines(document, &PRINT) }
}

#[cfg(test)]
mod tests {
    use super::{Text, declares, function, simple_return, variable};

    #[test]
    fn functions() {
        for (code, there) in [
            ("public Foo(int a)", false), // a constructor
            ("public static <T> void f()", true),
            ("static f(x)", true),
            ("final int f()", false),
            ("List<String> f()", false),
            ("else if (x)", false),
        ] {
            assert_eq!(function(&Text::new(code), 0).is_ok(), there, "{code}");
        }
    }

    #[test]
    fn declarations_of_every_form() {
        for code in [
            "long a;",
            "private final Map<String, List<int[]>> a = b();",
            "byte[] a = {};",
            "void f(String... a) {}",
            "record P(int x) {}",
            "for (var x : xs)",
            "enum A { B }",
            "catch (IOException e) {}",
            "a.b.C d;",
        ] {
            assert!(declares(&Text::new(code)), "{code}");
        }
        for code in [
            "package a.b;",
            "import static a.B.c;",
            "public interface A extends B, C {}",
            "class A { A() { super(); } void f() throws D, E { return x; } }",
            "new A(); throw e; i < n;",
            "",
        ] {
            assert!(!declares(&Text::new(code)), "{code}");
        }
        declares(&Text::new(&"a<".repeat(200_000)));
    }

    #[test]
    fn variables_and_returns() {
        for (code, there) in [
            ("long a;", false),
            ("List<T> a;", true),
            ("int a = \n b;", true),
            ("int a =;", false),
            ("int a", false),
        ] {
            assert_eq!(variable(&Text::new(code), 0, true).is_ok(), there, "{code}");
        }
        for (code, there) in [("return;", true), ("return; ", false), ("return \"a\\\"\" ; \n", true)] {
            assert_eq!(simple_return(&Text::new(code), 0).is_some(), there, "{code}");
        }
    }

    #[test]
    fn repeated_modifiers_are_linear() {
        let code = "public\n".repeat(300_000);
        let text = Text::new(&code);
        assert!(text.at_lines(|_| true, |at| function(&text, at)).is_empty());
        assert!(text.at_lines(|_| true, |at| variable(&text, at, true)).is_empty());
    }
}
