//! What has been looked for in vain, so that it is not looked for again: this is what keeps lexing linear.

use std::collections::HashMap;

/// Stretches in which a closer is known not to occur, and last places of words that can close.
#[derive(Default)]
pub struct Memo<'a> {
    absent: Vec<(Vec<u8>, usize)>,
    lines: Option<HashMap<&'a [u8], usize>>,
    tags: Option<HashMap<&'a [u8], usize>>,
}

impl<'a> Memo<'a> {
    /// Whether `closer` was looked for from before `at` to beyond it in vain.
    pub fn is_absent(&self, closer: &[u8], at: usize) -> bool {
        self.absent.iter().any(|(known, until)| known == closer && at < *until)
    }

    /// Remembers that `closer` does not occur from here up to `until`.
    pub fn set_absent(&mut self, closer: &[u8], until: usize) {
        if let Some(entry) = self.absent.iter_mut().find(|(known, _)| known == closer) {
            entry.1 = until;
        } else {
            self.absent.push((closer.to_vec(), until));
        }
    }

    /// Whether a line after `at` consists of `word` (blanks around it, and `;`, `,` or `)` after it, do not count).
    ///
    /// The first call reads the whole text, the others look up.
    pub fn has_line(&mut self, text: &'a [u8], word: &[u8], at: usize) -> bool {
        let lines = self.lines.get_or_insert_with(|| {
            let mut last = HashMap::new();
            let mut start = 0;
            for line in text.split_inclusive(|&b| b == b'\n') {
                let word = first_word(line);
                if !word.is_empty() {
                    last.insert(word, start);
                }
                start += line.len();
            }
            last
        });
        lines.get(word).is_some_and(|&last| last > at)
    }

    /// Whether the tag `name` is closed after `at`; reads the text once, as [`Self::has_line`] does.
    pub fn has_closing_tag(&mut self, text: &'a [u8], name: &[u8], at: usize) -> bool {
        let tags = self.tags.get_or_insert_with(|| {
            memchr::memmem::find_iter(text, b"</").map(|i| (tag_name(&text[i + 2..]), i)).collect()
        });
        tags.get(name).is_some_and(|&last| last > at)
    }
}

/// The word a line begins with, after blanks.
pub fn first_word(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80));
    &line[..end.unwrap_or(line.len())]
}

/// The name of a tag, from just behind its `<` or `</`; empty for `<>`.
pub fn tag_name(text: &[u8]) -> &[u8] {
    let name =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.' | b'-' | b':') || *b >= 0x80;
    // A name of 200 letters is no name; without a bound, `</aaa…` would be read once per `<`.
    let end = text.iter().take(200).position(|b| !name(b));
    &text[..end.unwrap_or(text.len().min(200))]
}
