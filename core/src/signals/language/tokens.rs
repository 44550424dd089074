//! What the signals of several languages look for in a line: its first words, and words in it. All linear.

use super::scan::{is_blank, lines};
use super::{Document, per_line};
use memchr::memmem;

/// Code lines that are not blank, stripped.
pub fn stripped<'d>(document: &'d Document<'_>) -> impl Iterator<Item = &'d str> {
    lines(&document.split().code).map(|line| line.trim_matches(is_blank))
}

/// Code lines of which `is` holds, per code line.
pub fn share(document: &Document<'_>, is: impl Fn(&str) -> bool) -> Option<f64> {
    per_line(stripped(document).filter(|line| is(line)).count(), document)
}

/// How often `literal` occurs in the code, without overlap.
pub fn occurrences(document: &Document<'_>, literal: &str) -> usize {
    memmem::find_iter(document.split().code.as_bytes(), literal).count()
}

/// The first word of `line` that is none of `modifiers` and no annotation: letters, digits and `_`.
pub fn keyword<'l>(line: &'l str, modifiers: &[&str]) -> &'l str {
    let word = line.split_whitespace().find(|word| !modifiers.contains(word) && !word.starts_with('@'));
    let word = word.unwrap_or("");
    word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or("")
}

/// Whether `word` stands in `line`, with no letter, digit or `_` beside it.
pub fn has_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    memmem::find_iter(bytes, word)
        .any(|at| !(at > 0 && is_part(bytes.get(at - 1)) || is_part(bytes.get(at + word.len()))))
}

#[cfg(test)]
mod tests {
    use super::{has_word, keyword};

    #[test]
    fn words() {
        assert!(has_word("unsafe { f() }", "unsafe") && has_word("a unsafe", "unsafe"));
        assert!(!has_word("unsafe_code, munsafe", "unsafe"));
        assert_eq!(keyword("pub const fn f()", &["pub", "const"]), "fn");
        assert_eq!(keyword("@A private fun f()", &["private"]), "fun");
        assert_eq!((keyword("import(a)", &[]), keyword("", &[]), keyword("+", &[])), ("import", "", ""));
    }
}
