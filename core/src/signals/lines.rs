//! Lines: how many, how long, how they are laid out.

use super::characters::characters;
use super::classes::{SPACE, WORD_B, is, length};
use super::{Applies, Document, ratio, round8, signals};
use memchr::{memchr, memchr_iter, memmem};
use std::sync::LazyLock;

/// The lines of a text, each with its line feed; a last piece without one is a line too.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let last = text.len() - usize::from(text.ends_with('\n'));
    let ends = memchr_iter(b'\n', &text.as_bytes()[..last]).map(|at| at + 1);
    let mut start = 0;
    ends.chain((!text.is_empty()).then_some(text.len())).map(move |end| {
        let line = &text[start..end];
        start = end;
        line
    })
}

/// Whether a line has nothing but whitespace.
pub fn is_blank(line: &str) -> bool {
    match line.as_bytes().iter().find(|&&byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
        None => true,
        Some(byte) if byte.is_ascii_graphic() => false,
        Some(_) => line.chars().all(|c| is(c, SPACE)),
    }
}

/// What a byte means in a line of data.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Part {
    Sign,
    Digit,
    /// A letter of hex numbers and of what stands behind numbers.
    Suffix,
    Name,
    Quote,
    /// Of a character beyond ASCII.
    Wide,
}

static PARTS: [Part; 256] = {
    let mut parts = [Part::Sign; 256];
    let mut byte = 0;
    while byte < 256 {
        parts[byte] = match byte as u8 {
            b'0'..=b'9' => Part::Digit,
            b'a'..=b'f' | b'x' | b'u' | b'l' | b'A'..=b'F' | b'X' | b'U' | b'L' => Part::Suffix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Part::Name,
            b'"' | b'\'' => Part::Quote,
            0x80.. => Part::Wide,
            _ => Part::Sign,
        };
        byte += 1;
    }
    parts
};

/// A line of a table: numbers and strings with signs between, no names outside quotes; hex numbers count.
fn is_data(line: &str) -> bool {
    let bytes = line.as_bytes();
    let (mut numbers, mut at) = (false, 0);
    loop {
        while let Some(part) = bytes.get(at).map(|&byte| PARTS[byte as usize]).filter(|&p| p <= Part::Digit) {
            numbers |= part == Part::Digit;
            at += 1;
        }
        let Some(&byte) = bytes.get(at) else { return numbers };
        at += 1;
        match PARTS[byte as usize] {
            Part::Quote => {
                let is_close = |close: &usize| bytes[at + close - 1] != b'\\';
                let Some(close) = memchr_iter(byte, &bytes[at..]).find(is_close) else { return false };
                (numbers, at) = (true, at + close + 1);
            }
            // Not at the start of a word.
            Part::Suffix if at > 1 && matches!(PARTS[bytes[at - 2] as usize], Part::Digit | Part::Suffix) => {
            }
            Part::Wide => {
                let c = line[at - 1..].chars().next().unwrap_or(' ');
                if is(c, WORD_B) {
                    return false;
                }
                at += c.len_utf8() - 1;
            }
            _ => return false,
        }
    }
}

/// What signals of raw lines count, in one pass over them.
#[derive(Default)]
pub struct Layout {
    /// How many lines there are.
    pub count: usize,
    /// Length of the longest line, its line end included, in characters.
    pub longest: usize,
    visible_lengths: Vec<u32>, // of lines that are not blank, without their line ends
    sum: u64,                  // of the lengths with line ends
    squares: u128,
    over_120: usize,
    deepest_indent: usize,
    indented: usize,
    mixed: usize,
    trailing: usize,
    crlf: usize,
    signs: usize,
    data: usize,
    longest_run_data: usize,
}

impl Layout {
    /// Looks at the raw lines of `text`.
    pub fn of(text: &str) -> Self {
        let mut layout = Self::default();
        let is_ascii = text.is_ascii();
        let mut run = 0;
        for line in lines(text) {
            layout.count += 1;
            let chars = if is_ascii { line.len() } else { length(line) };
            let body = without_end(line);
            let body_chars = chars - (line.len() - body.len());
            layout.longest = layout.longest.max(chars);
            layout.sum += chars as u64;
            layout.squares += chars as u128 * chars as u128;
            layout.over_120 += usize::from(body_chars > 120);
            layout.trailing += usize::from(body.ends_with([' ', '\t']));
            layout.crlf += usize::from(line.ends_with("\r\n"));
            let (blanks, tabs) = indentation(line);
            // Most lines begin with a name, which settles the rest.
            let name =
                line.as_bytes().get(blanks + tabs).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
            let data = !name && is_data(line);
            run = if data { run + 1 } else { 0 };
            layout.data += usize::from(data);
            layout.longest_run_data = layout.longest_run_data.max(run);
            if name || !is_blank(line) {
                layout.visible_lengths.push(body_chars as u32);
                layout.signs += usize::from(!name && !line.chars().any(|c| is(c, WORD_B)));
                layout.deepest_indent = layout.deepest_indent.max(blanks + 4 * tabs);
                layout.indented += usize::from(blanks + tabs > 0);
                layout.mixed += usize::from(blanks > 0 && tabs > 0);
            }
        }
        layout
    }

    /// How many lines are not blank.
    pub fn visible(&self) -> usize {
        self.visible_lengths.len()
    }
}

/// How many blanks and how many tabs a line begins with.
fn indentation(line: &str) -> (usize, usize) {
    let (mut blanks, mut tabs) = (0, 0);
    for byte in line.bytes() {
        match byte {
            b' ' => blanks += 1,
            b'\t' => tabs += 1,
            _ => break,
        }
    }
    (blanks, tabs)
}

/// A line without the line feed and the carriage returns at its end.
fn without_end(line: &str) -> &str {
    let end = line.bytes().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    &line[..line.len() - end]
}

/// How many lines of `text` contain `needle`.
pub fn lines_with(text: &str, needle: &memmem::Finder<'_>) -> usize {
    let (mut count, mut from) = (0, 0);
    while let Some(found) = needle.find(&text.as_bytes()[from..]) {
        count += 1;
        let after = from + found;
        from = memchr(b'\n', &text.as_bytes()[after..]).map_or(text.len(), |end| after + end);
    }
    count
}

static URL: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("://"));

/// How the raw lines are laid out.
pub fn layout<'d>(document: &'d Document<'_>) -> &'d Layout {
    document.derived(|| Layout::of(document.content))
}

signals! {
    family "lines", version 1, Applies::All;

    /// Number of raw lines: the content cut after every line feed.
    ///
    /// Unit: lines.
    /// Null: never.
    /// Why: a file of a few lines has no structure to learn; one of 100,000 is data.
    /// From: opc_data_filtering, `num_lines`.
    /// Example: python "a\n\nb" → 3
    fn num_lines(document) { Some(layout(document).count as f64) }

    /// Share of raw lines with nothing but whitespace.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: text double spaced by a converter, or stripped of what stood between.
    /// From: ours.
    /// Example: python "a\n\n\nb\n" → 0.5
    fn frac_lines_blank(document) {
        let layout = layout(document);
        ratio(layout.count - layout.visible(), layout.count)
    }

    /// Median length of the raw lines that are not blank, without their line ends.
    ///
    /// Unit: characters.
    /// Null: no such line.
    /// Why: the mean is carried away by one long line, the median is not.
    /// From: ours.
    /// Example: python "ab\nabcd\n\nabcdef\n" → 4
    fn median_line_length_chars(document) {
        let mut lengths = layout(document).visible_lengths.clone();
        let middle = lengths.len() / 2;
        (!lengths.is_empty()).then(|| f64::from(*lengths.select_nth_unstable(middle).1))
    }

    /// Share of raw lines longer than 120 characters.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: people break lines, generators and minifiers do not.
    /// From: ours; the limit is that of many style guides.
    /// Example: python "a\nb\n" → 0
    fn frac_lines_over_120_chars(document) { ratio(layout(document).over_120, layout(document).count) }

    /// Share of the content that is in its longest line.
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: a bundle, an embedded image, a table on one line.
    /// From: ours.
    /// Example: python "abc\nd\n" → 0.66666667
    fn frac_chars_longest_line(document) { ratio(layout(document).longest, characters(document).all) }

    /// Deepest indentation of a line that is not blank; a tab counts as 4.
    ///
    /// Unit: columns.
    /// Null: no such line.
    /// Why: deep nesting, or code laid out as a picture.
    /// From: ours.
    /// Example: python "if x:\n    if y:\n\t\tz\n" → 8
    fn max_indent_columns(document) {
        (layout(document).visible() > 0).then(|| layout(document).deepest_indent as f64)
    }

    /// Share of the indented lines whose indentation has both blanks and tabs.
    ///
    /// Unit: fraction of indented lines.
    /// Null: no line is indented.
    /// Why: code pasted together from several sources.
    /// From: ours.
    /// Example: c "{\n \tx;\n\ty;\n}\n" → 0.5
    fn frac_lines_mixed_indent(document) { ratio(layout(document).mixed, layout(document).indented) }

    /// Share of raw lines with blanks or tabs at their end.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: untidy or machine-made text.
    /// From: ours.
    /// Example: python "a \nb\n" → 0.5
    fn frac_lines_trailing_blanks(document) { ratio(layout(document).trailing, layout(document).count) }

    /// Share of raw lines that end in CR LF.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: between 0 and 1 the file has been through two editors or a bad merge.
    /// From: ours.
    /// Example: python "a\r\nb\n" → 0.5
    fn frac_lines_crlf(document) { ratio(layout(document).crlf, layout(document).count) }

    /// Share of raw lines that have signs but no letter and no digit, such as `});`.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: boxes, rulers and closing brackets; high where code was generated or wrapped word by word.
    /// From: ours.
    /// Example: javascript "f(() => {\n});\n" → 0.5
    fn frac_lines_signs_only(document) { ratio(layout(document).signs, layout(document).count) }

    /// Share of raw lines that hold numbers and quoted strings but no names.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: tables in the clothes of code.
    /// From: ours.
    /// Example: c "int t[] = {\n1, 0xff,\n\"a\", 2.5f\n};\n" → 0.5
    fn frac_lines_data(document) { ratio(layout(document).data, layout(document).count) }

    /// Longest run of such lines of data.
    ///
    /// Unit: lines.
    /// Null: never.
    /// Why: one embedded table can outweigh the code around it.
    /// From: ours.
    /// Example: c "int t[] = {\n1, 2,\n3, 4,\n};\n" → 2
    fn longest_run_data_lines(document) { Some(layout(document).longest_run_data as f64) }

    /// Share of raw lines that name a web address.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: lists of links are no code.
    /// From: ours.
    /// Example: python "# https://example.com\nx = 1\n" → 0.5
    fn frac_lines_with_url(document) { ratio(lines_with(document.content, &URL), layout(document).count) }

    /// Coefficient of variation of the lengths of raw lines: standard deviation over mean.
    ///
    /// Unit: ratio.
    /// Null: no lines.
    /// Why: near 0 in tables, far above 1 where one line holds everything.
    /// From: ours.
    /// Example: python "abc\nabc\n" → 0
    fn line_length_variation(document) {
        // n Σl² - (Σl)² is n² times the variance, exactly.
        let (count, layout) = (layout(document).count as u128, layout(document));
        let spread = (count * layout.squares).saturating_sub(u128::from(layout.sum).pow(2));
        (count > 0).then(|| round8((spread as f64).sqrt() / layout.sum as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::{is_blank, is_data, lines};

    #[test]
    fn only_line_feeds_cut() {
        for (text, count) in [("", 0), ("a\n", 1), ("a\n\n", 2), ("a\rb\u{85}c\u{2028}", 1), ("a\nb", 2)] {
            assert_eq!(lines(text).count(), count, "{text:?}");
            assert_eq!(lines(text).collect::<String>(), text);
        }
        assert!(is_blank(" \t\u{3000}\n") && is_blank("\u{1C}") && !is_blank("\u{200B}"));
        assert!(
            is_data("0x1f, -2.5e3, 'a b',\n")
                && !is_data("x = 1\n")
                && !is_data("};\n")
                && !is_data("return 1\n")
        );
    }
}
