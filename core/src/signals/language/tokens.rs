//! What the signals of several languages look for in a line: its first words. All linear.

use super::scan;
use crate::signals::Document;
use memchr::memmem;

/// Code lines that are not blank, stripped.
pub fn stripped<'d>(document: &'d Document<'_>) -> scan::Stripped<'d> {
    scan::stripped(&document.split().code)
}

/// Those of them in which `literal` occurs.
pub fn stripped_with<'d>(document: &'d Document<'_>, literal: &str) -> impl Iterator<Item = &'d str> {
    scan::stripped_with(&document.split().code, literal)
}

/// How often `literal` occurs in the code, without overlap.
pub fn occurrences(document: &Document<'_>, literal: &str) -> usize {
    memmem::find_iter(document.split().code.as_bytes(), literal).count()
}

/// The first word of `line` that is none of `modifiers` and no annotation: letters, digits and `_`.
pub fn keyword<'l>(line: &'l str, modifiers: &[&str]) -> &'l str {
    let mut rest = line;
    loop {
        let letters = name_length(rest);
        let word = match rest.as_bytes().get(letters) {
            // Most words are followed by a blank.
            None | Some(b'\t'..=b'\r' | b' ') if letters > 0 => &rest[..letters],
            _ if modifiers.is_empty() && letters > 0 => return &rest[..letters],
            _ => {
                rest = rest.trim_start();
                &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())]
            }
        };
        if word.is_empty() || !(word.starts_with('@') || modifiers.contains(&word)) {
            return &word[..name_length(word)];
        }
        rest = rest[word.len()..].trim_start();
    }
}

fn name_length(text: &str) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.bytes().position(|byte| !is_part(&byte)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::keyword;

    #[test]
    fn words() {
        assert_eq!(keyword("pub const fn f()", &["pub", "const"]), "fn");
        assert_eq!(keyword("@A private fun f()", &["private"]), "fun");
        assert_eq!(keyword("pub(crate)\u{3000}fn f()", &["pub(crate)"]), "fn");
        assert_eq!(keyword("private(set) var", &["private"]), "private");
        assert_eq!((keyword("import(a)", &[]), keyword("", &[]), keyword("+", &[])), ("import", "", ""));
        assert_eq!((keyword("pub", &["pub"]), keyword("@A @B", &[])), ("", ""));
    }
}
