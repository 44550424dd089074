//! Lines: how many, how long, how they are laid out.

use super::classes::{SPACE, WORD_B, is, length};
use super::{Applies, ratio, round8, signals};
use memchr::memchr_iter;

/// The lines of a text, each with its line feed.
pub struct Lines {
    /// Where each ends, in bytes.
    pub ends: Vec<u32>,
    /// How many are not blank.
    pub visible: usize,
}

impl Lines {
    /// Cuts after each line feed; a last piece without one is a line too.
    pub fn of(text: &str) -> Self {
        let mut ends: Vec<u32> = memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1).collect();
        if ends.last().map_or(0, |&end| end as usize) < text.len() {
            ends.push(text.len() as u32);
        }
        let mut lines = Self { ends, visible: 0 };
        lines.visible = lines.iter(text).filter(|line| !is_blank(line)).count();
        lines
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The lines of the same text, in order, blank ones included.
    pub fn iter<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let line = &text[start..end as usize];
            start = end as usize;
            line
        })
    }
}

/// Whether a line has nothing but whitespace.
pub fn is_blank(line: &str) -> bool {
    match line.as_bytes().iter().find(|&&byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
        None => true,
        Some(byte) if byte.is_ascii_graphic() => false,
        Some(_) => line.chars().all(|c| is(c, SPACE)),
    }
}

/// The indentation of a line: its leading blanks and tabs.
fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// A line of signs only, such as `});`.
fn is_signs(line: &str) -> bool {
    !is_blank(line) && !line.chars().any(|c| is(c, WORD_B))
}

/// A line of a table: numbers and strings with signs between, no names outside quotes; hex numbers count.
fn is_data(line: &str) -> bool {
    let (mut numbers, mut quote, mut previous) = (false, None, ' ');
    for c in line.chars() {
        match quote {
            Some(open) if c == open && previous != '\\' => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => (quote, numbers) = (Some(c), true),
            None if c.is_ascii_digit() => numbers = true,
            None if matches!(c, 'x' | 'X' | 'e' | 'E' | 'f' | 'F' | 'u' | 'U' | 'l' | 'L' | 'a'..='d' | 'A'..='D')
                && (previous.is_ascii_hexdigit()
                    || matches!(previous, 'x' | 'X' | 'u' | 'U' | 'l' | 'L')) => {}
            None if is(c, WORD_B) => return false,
            None => {}
        }
        previous = c;
    }
    numbers && quote.is_none()
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
    fn num_lines(document) { Some(document.lines().count() as f64) }

    /// Share of raw lines with nothing but whitespace.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: text double spaced by a converter, or stripped of what stood between.
    /// From: ours.
    /// Example: python "a\n\n\nb\n" → 0.5
    fn frac_lines_blank(document) {
        let lines = document.lines();
        ratio(lines.count() - lines.visible, lines.count())
    }

    /// Median length of the raw lines that are not blank, without their line ends.
    ///
    /// Unit: characters.
    /// Null: no such line.
    /// Why: the mean is carried away by one long line, the median is not.
    /// From: ours.
    /// Example: python "ab\nabcd\n\nabcdef\n" → 4
    fn median_line_length_chars(document) {
        let lines = document.lines().iter(document.content).filter(|line| !is_blank(line));
        let mut lengths: Vec<usize> = lines.map(|line| length(line.trim_end_matches(['\r', '\n']))).collect();
        let middle = lengths.len() / 2;
        (!lengths.is_empty()).then(|| *lengths.select_nth_unstable(middle).1 as f64)
    }

    /// Share of raw lines longer than 120 characters.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: people break lines, generators and minifiers do not.
    /// From: ours; the limit is that of many style guides.
    /// Example: python "a\nb\n" → 0
    fn frac_lines_over_120_chars(document) {
        let over = |line: &&str| line.len() > 120 && length(line.trim_end_matches(['\r', '\n'])) > 120;
        ratio(document.lines().iter(document.content).filter(over).count(), document.lines().count())
    }

    /// Share of the content that is in its longest line.
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: a bundle, an embedded image, a table on one line.
    /// From: ours.
    /// Example: python "abc\nd\n" → 0.66666667
    fn frac_chars_longest_line(document) {
        let longest = document.lines().iter(document.content).map(length).max().unwrap_or(0);
        ratio(longest, document.characters().all)
    }

    /// Deepest indentation of a line that is not blank; a tab counts as 4.
    ///
    /// Unit: columns.
    /// Null: no such line.
    /// Why: deep nesting, or code laid out as a picture.
    /// From: ours.
    /// Example: python "if x:\n    if y:\n\t\tz\n" → 8
    fn max_indent_columns(document) {
        let columns = |line: &str| indentation(line).bytes().map(|b| if b == b'\t' { 4 } else { 1 }).sum::<usize>();
        let lines = document.lines().iter(document.content).filter(|line| !is_blank(line));
        lines.map(columns).max().map(|columns| columns as f64)
    }

    /// Share of the indented lines whose indentation has both blanks and tabs.
    ///
    /// Unit: fraction of indented lines.
    /// Null: no line is indented.
    /// Why: code pasted together from several sources.
    /// From: ours.
    /// Example: c "{\n \tx;\n\ty;\n}\n" → 0.5
    fn frac_lines_mixed_indent(document) {
        let indented = || {
            let lines = document.lines().iter(document.content).filter(|line| !is_blank(line));
            lines.map(indentation).filter(|indent| !indent.is_empty())
        };
        ratio(indented().filter(|indent| indent.contains('\t') && indent.contains(' ')).count(), indented().count())
    }

    /// Share of raw lines with blanks or tabs at their end.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: untidy or machine-made text.
    /// From: ours.
    /// Example: python "a \nb\n" → 0.5
    fn frac_lines_trailing_blanks(document) {
        let lines = document.lines().iter(document.content);
        let trailing = lines.filter(|line| line.trim_end_matches(['\r', '\n']).ends_with([' ', '\t'])).count();
        ratio(trailing, document.lines().count())
    }

    /// Share of raw lines that end in CR LF.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: between 0 and 1 the file has been through two editors or a bad merge.
    /// From: ours.
    /// Example: python "a\r\nb\n" → 0.5
    fn frac_lines_crlf(document) {
        let crlf = document.lines().iter(document.content).filter(|line| line.ends_with("\r\n")).count();
        ratio(crlf, document.lines().count())
    }

    /// Share of raw lines that have signs but no letter and no digit, such as `});`.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: boxes, rulers and closing brackets; high where code was generated or wrapped word by word.
    /// From: ours.
    /// Example: javascript "f(() => {\n});\n" → 0.5
    fn frac_lines_signs_only(document) {
        let signs = document.lines().iter(document.content).filter(|line| is_signs(line)).count();
        ratio(signs, document.lines().count())
    }

    /// Share of raw lines that hold numbers and quoted strings but no names.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: tables in the clothes of code.
    /// From: ours.
    /// Example: c "int t[] = {\n1, 0xff,\n\"a\", 2.5f\n};\n" → 0.5
    fn frac_lines_data(document) {
        ratio(document.lines().iter(document.content).filter(|line| is_data(line)).count(), document.lines().count())
    }

    /// Longest run of such lines of data.
    ///
    /// Unit: lines.
    /// Null: never.
    /// Why: one embedded table can outweigh the code around it.
    /// From: ours.
    /// Example: c "int t[] = {\n1, 2,\n3, 4,\n};\n" → 2
    fn longest_run_data_lines(document) {
        let (mut longest, mut run) = (0_usize, 0_usize);
        for line in document.lines().iter(document.content) {
            run = if is_data(line) { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        Some(longest as f64)
    }

    /// Share of raw lines that name a web address.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: lists of links are no code.
    /// From: ours.
    /// Example: python "# https://example.com\nx = 1\n" → 0.5
    fn frac_lines_with_url(document) {
        let urls = document.lines().iter(document.content).filter(|line| line.contains("://")).count();
        ratio(urls, document.lines().count())
    }

    /// Coefficient of variation of the lengths of raw lines: standard deviation over mean.
    ///
    /// Unit: ratio.
    /// Null: no lines.
    /// Why: near 0 in tables, far above 1 where one line holds everything.
    /// From: ours.
    /// Example: python "abc\nabc\n" → 0
    fn line_length_variation(document) {
        let lengths: Vec<f64> = document.lines().iter(document.content).map(|line| length(line) as f64).collect();
        let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
        let variance = lengths.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / lengths.len() as f64;
        (!lengths.is_empty()).then(|| round8(variance.sqrt() / mean))
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, is_blank, is_data};

    #[test]
    fn only_line_feeds_cut() {
        for (text, lines) in [("", 0), ("a\n", 1), ("a\n\n", 2), ("a\rb\u{85}c\u{2028}", 1), ("a\nb", 2)] {
            assert_eq!(Lines::of(text).count(), lines, "{text:?}");
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
