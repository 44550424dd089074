//! Signals of code and data: comments, strings, copies of lines, marks of generated files.

use super::characters::characters;
use super::classes::{SPACE, WORD_B, is, length};
use super::find::{find_any, lines_with_any};
use super::lines::{is_blank, layout, lines};
use super::{Applies, encoded, language, ratio, signals};
use crate::bytes::{Class, class};
use memchr::{memchr, memmem, memrchr};
use regex::Regex;
use std::sync::LazyLock;

/// The first `count` characters of a text.
fn head(text: &str, count: usize) -> &str {
    if let Some(start) = text.get(..count).filter(|start| start.is_ascii()) {
        return start;
    }
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// Whether a text has any of these words, whatever their case.
fn says_any(text: &str, words: &[&str]) -> bool {
    find_any(text.as_bytes(), words).is_some()
}

/// How many lines of `text` with the byte `mark` in them are such that `holds`.
fn lines_where(text: &str, mark: u8, holds: impl Fn(&str) -> bool) -> usize {
    let (bytes, mut count, mut from) = (text.as_bytes(), 0, 0);
    while let Some(at) = memchr(mark, &bytes[from..]).map(|found| from + found) {
        let start = memrchr(b'\n', &bytes[from..at]).map_or(from, |before| from + before + 1);
        from = memchr(b'\n', &bytes[at..]).map_or(text.len(), |end| at + end + 1);
        count += usize::from(holds(&text[start..from]));
    }
    count
}

/// `0x` and hex digits, as whole words, in characters.
pub(super) fn hex_word_chars(text: &str, word: u8) -> usize {
    static STARTS: LazyLock<[memmem::Finder<'_>; 2]> =
        LazyLock::new(|| ["0x", "0X"].map(memmem::Finder::new));
    let bytes = text.as_bytes();
    let mut sum = 0;
    for x in STARTS.iter().flat_map(|start| start.find_iter(bytes)).map(|zero| zero + 1) {
        let digits = bytes[x + 1..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let boundary = |c: Option<char>| !c.is_some_and(|c| is(c, word));
        if digits > 0
            && boundary(text[..x - 1].chars().next_back())
            && boundary(text[x + 1 + digits..].chars().next())
        {
            sum += 2 + digits;
        }
    }
    sum
}

const GENERATED: &[&str] = &["generate", "autogen", "do not edit"];
const PLACEHOLDERS: &[&str] = &["your code here", "fixme", "todo"];
const UNFINISHED: &[&str] = &["todo", "fixme", "xxx", "your code here"];
static MARK_OF_UNFINISHED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u)\b(?:TODO|FIXME|XXX)\b|(?i:your code here)").expect("a constant"));
static CONCATENATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"=\s*["'].+?["']\s*\+\s*["'].+["']"#).expect("a constant"));

static BRACKETS: Class = class!(b'(' | b')' | b'[' | b']' | b'{' | b'}');

signals! {
    family "code", version 1, Applies::CodeAndData;

    /// Size of the file as it was found.
    ///
    /// Unit: bytes.
    /// Null: not known.
    /// Why: files of megabytes are data.
    /// From: opc_data_filtering, `size_file_byte`.
    /// Example: python "x = 1\n" → 6
    fn size_bytes(document) { document.size.map(|size| size as f64) }

    /// Longest raw line, its line end included.
    ///
    /// Unit: characters.
    /// Null: never; 0 for empty content.
    /// Why: minified code, embedded data.
    /// From: opc_data_filtering, `num_chars_line_max`.
    /// Example: python "a\nbcd\n" → 4
    fn max_line_length_chars(document) {
        Some(layout(document).longest as f64)
    }

    /// Mean length of the raw lines, their line ends included.
    ///
    /// Unit: characters.
    /// Null: never; 0 for empty content.
    /// Why: minified code has long lines throughout.
    /// From: opc_data_filtering, `num_chars_line_mean`.
    /// Example: python "a\nbcd\n" → 3
    fn mean_line_length_chars(document) { ratio(characters(document).all, layout(document).count).or(Some(0.0)) }

    /// Share of letters, of any script, among the characters that are not whitespace.
    ///
    /// Unit: fraction of visible characters; 0 if there are none.
    /// Null: never.
    /// Why: code is mostly names.
    /// From: opc_data_filtering, `frac_chars_alphabet`.
    /// Example: python "ab = 1\n" → 0.5
    fn frac_chars_alphabet(document) {
        ratio(characters(document).letter, characters(document).visible()).or(Some(0.0))
    }

    /// Length of the comments over that of the content. Of Python: comments without `#`, and docstrings.
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: a file of nothing but comments, a licence text in a source file.
    /// From: opc_data_filtering, `frac_chars_comments`; split by true syntax in every language.
    /// Example: c "x; // y\n" → 0.625
    fn frac_chars_comments(document) {
        let comments = language::comment_chars(document).unwrap_or_else(|| length(&document.split().comments));
        ratio(comments, characters(document).all)
    }

    /// Whether `<?xml version=` is in the first 100 characters.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: XML under another name.
    /// From: opc_data_filtering, `cate_xml_start`.
    /// Example: html "<?xml version='1.0'?><a/>" → 1
    fn has_xml_declaration(document) {
        Some(f64::from(head(document.content, 100).contains("<?xml version=")))
    }

    /// Whether the first 200 characters speak of `generate`, `autogen` or `do not edit`.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: generated code is endless and the same. (Also true of `# generates the report`.)
    /// From: opc_data_filtering, `cate_autogen`.
    /// Example: go "// Code generated by stringer. DO NOT EDIT.\n" → 1
    fn is_autogenerated(document) { Some(f64::from(says_any(head(document.content, 200), GENERATED))) }

    /// Lines of the code text that occur twice or more, compared without whitespace.
    ///
    /// A line that is `},` or one character long never counts.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: tables and copy and paste.
    /// From: opc_data_filtering, `frac_lines_dupe_lines`.
    /// Example: c "int a;\nint  a;\nint b;\n}\n}\n" → 0.4
    fn frac_lines_dupe_lines(document) {
        ratio(document.code_lines().copied, document.num_code_lines())
    }

    /// Lines of more than 20 words within strings, over code lines.
    ///
    /// Unit: ratio; can exceed 1.
    /// Null: no code lines.
    /// Why: prose in strings.
    /// From: opc_data_filtering, `frac_lines_long_string`.
    /// Example: c "s = \"a b c d e f g h i j k l m n o p q r s t u\";\n" → 1
    fn frac_lines_long_strings(document) { ratio(document.strings().long_lines, document.num_code_lines()) }

    /// Length of the strings over that of the code text.
    ///
    /// Unit: fraction of characters of the code text.
    /// Null: no code.
    /// Why: data in strings.
    /// From: opc_data_filtering, `frac_chars_string_length`.
    /// Example: c "s=\"abcd\";\n" → 0.4
    fn frac_chars_strings(document) { ratio(document.strings().chars, document.code_chars()) }

    /// Length of the words of more than 20 characters in strings, web addresses apart, over that of the code text.
    ///
    /// Unit: fraction of characters of the code text.
    /// Null: no code.
    /// Why: keys, encoded data.
    /// From: opc_data_filtering, `frac_chars_long_word_length`.
    /// Example: c "s=\"abcdefghijklmnopqrstuvwxyz\";\n" → 0.8125
    fn frac_chars_long_words(document) { ratio(document.strings().long_word_chars, document.code_chars()) }

    /// Code lines that assign a sum of string literals.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: generated and obfuscated code.
    /// From: opc_data_filtering, `frac_lines_string_concat`.
    /// Example: java "s = \"a\" + \"b\";\nint x;\n" → 0.5
    fn frac_lines_string_concat(document) {
        let code = &document.split().code;
        let concatenations = lines_where(code, b'+', |line| line.contains('=') && CONCATENATION.is_match(line));
        ratio(concatenations, document.num_code_lines())
    }

    /// Whether most of the content, or more than 1,024 characters in a row, is base64, hex bytes or `\u` escapes.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: binaries written out as text.
    /// From: opc_data_filtering, `cate_encoded_data`; StarCoder.
    /// Example: c "de ad be ef 00 11 22 33\n" → 1
    fn has_encoded_data(document) {
        Some(f64::from(encoded::is_encoded(document.content, characters(document).all)))
    }

    /// Length of hexadecimal numbers over that of the code text.
    ///
    /// Unit: fraction of characters of the code text.
    /// Null: no code.
    /// Why: tables of bytes and addresses.
    /// From: opc_data_filtering, `frac_chars_hex_words`.
    /// Example: c "a=0xff;\n" → 0.5
    fn frac_chars_hex_words(document) {
        ratio(hex_word_chars(&document.split().code, WORD_B), document.code_chars())
    }

    /// Lines of the comment text that say `your code here`, `fixme` or `todo`, over raw lines.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: unfinished code, exercises.
    /// From: opc_data_filtering, `frac_lines_prompt_comments`.
    /// Example: c "x; // TODO\ny;\n" → 0.5
    fn frac_lines_placeholder_comments(document) {
        ratio(lines_with_any(&document.split().comments, PLACEHOLDERS), layout(document).count)
    }

    /// Marks `TODO`, `FIXME` and `XXX` in capitals, and `your code here`, in comments, over raw lines.
    ///
    /// Unit: marks per line.
    /// Null: no lines.
    /// Why: unfinished code; a program that keeps a list of todos is not.
    /// From: ours, after `frac_lines_prompt_comments` of opc_data_filtering.
    /// Example: c "x; // TODO\ny; // a todo\n" → 0.5
    fn unfinished_marks_per_line(document) {
        let comments = &document.split().comments;
        let marks = if says_any(comments, UNFINISHED) { MARK_OF_UNFINISHED.find_iter(comments).count() } else { 0 };
        ratio(marks, layout(document).count)
    }

    /// Code lines that contain `assert`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: tests with more checks than code.
    /// From: opc_data_filtering, `frac_lines_assert`.
    /// Example: python "assert x\ny = 1\n" → 0.5
    fn frac_lines_assert(document) {
        ratio(lines_with_any(&document.split().code, &["assert"]), document.num_code_lines())
    }

    /// Lines of the code text that are not blank.
    ///
    /// Unit: lines.
    /// Null: never.
    /// Why: what most shares of lines are shares of.
    /// From: opc_data_filtering (there within other signals).
    /// Example: c "// a\nx;\n\ny;\n" → 2
    fn num_code_lines(document) { Some(document.num_code_lines() as f64) }

    /// Comment lines that look like code: they end in `;`, `{` or `}`, or call or assign something.
    ///
    /// Unit: fraction of comment lines.
    /// Null: no comment lines.
    /// Why: code that was commented out teaches what was given up.
    /// From: ours.
    /// Example: c "// int a = f(x);\n// adds two numbers\n" → 0.5
    fn frac_lines_commented_out_code(document) {
        let (mut all, mut code) = (0, 0);
        for line in lines(&document.split().comments).filter(|line| !is_blank(line)) {
            all += 1;
            code += usize::from(looks_like_code(line));
        }
        ratio(code, all)
    }

    /// Deepest nesting of brackets in the code text outside its strings.
    ///
    /// Unit: brackets.
    /// Null: no code.
    /// Why: deep nesting is data or generated code.
    /// From: ours.
    /// Example: c "f(g[0], \"((\");\n" → 2
    fn max_bracket_depth(document) {
        let (mut depth, mut deepest) = (0_usize, 0);
        let code = &document.split().code;
        let outside = document.strings().outside(code);
        for (start, end) in BRACKETS.runs(outside) {
            for byte in &outside[start..end] {
                depth = if matches!(byte, b'(' | b'[' | b'{') { depth + 1 } else { depth.saturating_sub(1) };
                deepest = deepest.max(depth);
            }
        }
        (!code.is_empty()).then_some(deepest as f64)
    }

    /// Whether the first 1,000 characters speak of copyright or a licence.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: what the cleaning of headers should have left none of.
    /// From: ours.
    /// Example: c "/* Copyright (c) 2020 */\n" → 1
    fn has_licence_notice(document) { Some(f64::from(says_any(head(document.content, 1000), NOTICE))) }
}

const NOTICE: &[&str] = &["copyright", "spdx-license-identifier", "all rights reserved", "licensed under"];

/// Whether a comment line could be code, by its end, or by an assignment or call without spaces before its bracket.
fn looks_like_code(line: &str) -> bool {
    let text = line.trim_matches(|c: char| is(c, SPACE) || matches!(c, '/' | '*' | '#' | '-' | '!'));
    text.ends_with([';', '{', '}'])
        || text.ends_with(')')
            && text.contains('(')
            && memmem::find(text.as_bytes(), b". ").is_none()
            && text
                .find('(')
                .is_some_and(|at| text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        || memmem::find(text.as_bytes(), b" = ").is_some_and(|end| end > 0 && !text[..end].contains(' '))
}

#[cfg(test)]
mod tests {
    use super::{hex_word_chars, looks_like_code};
    use crate::signals::classes::WORD_B;

    #[test]
    fn hex_numbers_are_whole_words() {
        assert_eq!(hex_word_chars("0xff 0XAB, a0x1 0x 0x1g é0x1", WORD_B), 8);
    }

    #[test]
    fn code_in_comments() {
        assert!(["// x = y", "# return f(x)", "int a;", "} else {"].iter().all(|line| looks_like_code(line)));
        assert!(
            !["// adds two numbers", "# see above (again)", "Note: x."]
                .iter()
                .any(|line| looks_like_code(line))
        );
    }
}
