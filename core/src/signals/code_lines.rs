//! The lines of the code text.

use super::bare::bare as squeezed;
use super::classes::characters;
use super::interner::Interner;
use memchr::memchr_iter;
use std::cell::RefCell;

/// What is kept from document to document: the numbers of lines, how often each occurs, and the bare text.
#[derive(Default)]
struct Scratch {
    table: Interner,
    counts: Vec<u32>,
    bare: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The lines of the code text that are not blank.
#[derive(Default)]
pub struct CodeLines {
    /// How many there are.
    pub visible: usize,
    /// How many occur twice or more, compared without whitespace; not those that are `},` or one character.
    pub copied: usize,
}

impl CodeLines {
    /// Looks at the lines of `code`.
    pub fn of(code: &str) -> Self {
        SCRATCH.with_borrow_mut(|Scratch { table, counts, bare }| {
            table.reset();
            counts.clear();
            squeezed(code, bare);
            let (mut visible, mut start) = (0, 0);
            for end in memchr_iter(b'\n', bare).chain([bare.len()]) {
                let line = &bare[start..end];
                if line.iter().all(|byte| matches!(byte, 0x1C..=0x1F)) {
                    start = end + 1;
                    continue; // blank: signals count those four as whitespace, Rust does not
                }
                visible += 1;
                if !(line == b"}," || line.len() <= 4 && characters(line) == 1) {
                    match counts.get_mut(table.number(bare, start, end) as usize) {
                        Some(count) => *count += 1,
                        None => counts.push(1),
                    }
                }
                start = end + 1;
            }
            let copied = counts.iter().filter(|&&count| count > 1);
            Self { visible, copied: copied.map(|&count| count as usize).sum() }
        })
    }
}
