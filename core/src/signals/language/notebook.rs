//! Notebooks in their structured form: what is in the cells, which a mark begins and not a line feed.
//!
//! Signals of lines see a cell and the next one as one line, and `size_bytes` counts pictures that are gone.

use memchr::memmem::Finder;
use std::sync::LazyLock;

use crate::signals::{Applies, Document, ratio, signals};

const START: &str = "<jupyter_start>";

/// Marks of the structured form (`codemill.cleaning.notebooks`), and what follows each.
const MARKS: [(&str, Part); 4] = [
    ("<jupyter_text>", Part::Text),
    ("<jupyter_code>", Part::Code),
    ("<jupyter_output>", Part::Output),
    ("<empty_output>", Part::Output),
];

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Text,
    Code,
    Output,
}

/// What the cells of a notebook add up to.
#[derive(Default)]
pub struct Cells {
    code_lines: usize,
    lines: usize,
    longest: usize,
    chars: usize,
    output_chars: usize,
}

impl Cells {
    /// `None` if the text is no notebook in the structured form.
    fn of(content: &str) -> Option<Self> {
        let mut rest = content.strip_prefix(START)?;
        let (mut cells, mut part) = (Self::default(), Part::Text);
        loop {
            let next = next_mark(rest);
            let (end, after) = next.map_or((rest.len(), None), |(at, mark)| (at, Some(mark)));
            cells.add(part, &rest[..end]);
            let Some((mark, kind)) = after else { return Some(cells) };
            rest = &rest[end + mark.len()..];
            part = kind;
        }
    }

    fn add(&mut self, part: Part, text: &str) {
        let chars = text.chars().count();
        self.chars += chars;
        if part == Part::Output {
            self.output_chars += chars;
            return;
        }
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.lines += 1;
            self.code_lines += usize::from(part == Part::Code);
            self.longest = self.longest.max(line.chars().count());
        }
    }
}

/// The next mark and where it is.
fn next_mark(text: &str) -> Option<(usize, (&'static str, Part))> {
    static OPENS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| ["<jupyter_", "<empty_output>"].map(Finder::new));
    let mut from = 0;
    loop {
        let found = |finder: &Finder<'_>| finder.find(&text.as_bytes()[from..]);
        let at = from + OPENS.iter().filter_map(found).min()?;
        if let Some(&mark) = MARKS.iter().find(|(mark, _)| text[at..].starts_with(mark)) {
            return Some((at, mark));
        }
        from = at + 1;
    }
}

fn cells<'d>(document: &'d Document<'_>) -> Option<&'d Cells> {
    document.derived(|| Cells::of(document.content)).as_ref()
}

signals! {
    family "notebook", version 1, Applies::Languages(&["jupyter notebook"]);

    /// Lines of the cells that are not blank, of text and of code; outputs do not count.
    ///
    /// Unit: lines; a cell begins a line.
    /// Null: it is not in the structured form.
    /// Why: marks between cells are no line feeds.
    /// From: ours.
    /// Example: jupyter notebook "<jupyter_start><jupyter_text># A<jupyter_code>a = 1\na<jupyter_output>1\n" → 3
    fn notebook_num_lines(document) { Some(cells(document)?.lines as f64) }

    /// Lines of the code cells that are not blank.
    ///
    /// Unit: lines.
    /// Null: it is not in the structured form.
    /// Why: a notebook without code is a text.
    /// From: ours.
    /// Example: jupyter notebook "<jupyter_start><jupyter_text># A<jupyter_code>a = 1\na<jupyter_output>1\n" → 2
    fn notebook_num_code_lines(document) { Some(cells(document)?.code_lines as f64) }

    /// Longest line of a cell, of text or of code.
    ///
    /// Unit: characters, without the line end.
    /// Null: it is not in the structured form.
    /// Why: data pasted into a cell. The longest raw line is often two cells and an output.
    /// From: ours.
    /// Example: jupyter notebook "<jupyter_start><jupyter_text># A<jupyter_code>a = 1\na<jupyter_output>12345678\n" → 5
    fn notebook_max_line_length_chars(document) { Some(cells(document)?.longest as f64) }

    /// Share of the outputs.
    ///
    /// Unit: fraction of characters, without the marks.
    /// Null: it is not in the structured form, or empty.
    /// Why: a log with a little code around it.
    /// From: ours.
    /// Example: jupyter notebook "<jupyter_start><jupyter_code>ab<jupyter_output>12" → 0.5
    fn notebook_frac_chars_output(document) {
        let cells = cells(document)?;
        ratio(cells.output_chars, cells.chars)
    }
}

#[cfg(test)]
mod tests {
    use super::Cells;

    #[test]
    fn cells_are_parted_by_marks() {
        let text = "<jupyter_start><jupyter_code>a<jupyter_x>\n\nb<empty_output><jupyter_text>long text<jupyter_code>c<jupyter_output>1\n2\n";
        let cells = Cells::of(text).expect("a notebook");
        assert_eq!((cells.code_lines, cells.lines, cells.longest, cells.output_chars), (3, 4, 12, 4));
        assert!(Cells::of("{\"cells\": []}").is_none());
    }
}
