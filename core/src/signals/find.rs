//! Words looked for whatever their case, at 16 places or more at a time.

use memchr::memchr;

const BLOCK: usize = 64;

/// Bytes of a word that are compared in every block; the others where those agree.
const LOOKED_AT: usize = 5;

/// Where the first of `words` is in `text`, whatever their case. They are in lower case, of letters, spaces and `-`.
///
/// A loop that compares each of 64 bytes with one letter is vectorised by the compiler; the search for several short
/// words that fold case in `aho-corasick` looks at nearly every byte for itself.
pub fn find_any(text: &[u8], words: &[&str]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if crate::cpu::has_avx2() {
        // SAFETY: the CPU has these instructions.
        return unsafe { find_any_avx2(text, words) };
    }
    find_any_by(text, words)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn find_any_avx2(text: &[u8], words: &[&str]) -> Option<usize> {
    find_any_by(text, words)
}

#[inline(always)]
fn find_any_by(text: &[u8], words: &[&str]) -> Option<usize> {
    let longest = words.iter().map(|word| word.len().min(LOOKED_AT)).max().unwrap_or(0);
    let mut at = 0;
    while let Some(window) = text.get(at..).filter(|window| window.len() >= BLOCK + longest) {
        if words.iter().any(|word| block_has(window, word.as_bytes()))
            && let Some(found) = (at..at + BLOCK).find(|&at| starts_with_any(&text[at..], words))
        {
            return Some(found);
        }
        at += BLOCK;
    }
    // Less than two blocks are left, and zeros after them are no part of a word.
    let (rest, mut last) = (&text[at..], [0; 2 * BLOCK + LOOKED_AT]);
    last[..rest.len()].copy_from_slice(rest);
    let may = |window: &[u8]| words.iter().any(|word| block_has(window, word.as_bytes()));
    if !rest.is_empty() && (may(&last) || may(&last[BLOCK..])) {
        return (at..text.len()).find(|&at| starts_with_any(&text[at..], words));
    }
    None
}

/// Whether `word` may begin at one of the first 64 places.
#[inline(always)]
fn block_has(window: &[u8], word: &[u8]) -> bool {
    let mut agree = [true; BLOCK];
    for (offset, &letter) in word.iter().take(LOOKED_AT).enumerate() {
        for (agree, &byte) in agree.iter_mut().zip(&window[offset..offset + BLOCK]) {
            *agree &= byte | 0x20 == letter;
        }
    }
    agree.iter().fold(false, |any, &agree| any | agree)
}

fn starts_with_any(text: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes())))
}

/// How many lines of `text` contain one of `words`, whatever their case.
pub fn lines_with_any(text: &str, words: &[&str]) -> usize {
    let (mut count, mut from) = (0, 0);
    while let Some(found) = find_any(&text.as_bytes()[from..], words) {
        count += 1;
        let after = from + found;
        from = memchr(b'\n', &text.as_bytes()[after..]).map_or(text.len(), |end| after + end);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{find_any, lines_with_any};

    #[test]
    fn every_place_and_case_is_found() {
        let words = ["todo", "your code here"];
        for before in 0..200 {
            for after in [0, 1, 70] {
                for word in ["todo", "TODO", "tOdO", "Your Code Here"] {
                    let text = "o".repeat(before) + word + &"d".repeat(after);
                    assert_eq!(find_any(text.as_bytes(), &words), Some(before), "{text}");
                }
                let text = "tod".repeat(before) + "your\0code\0here" + &"tod ".repeat(after);
                assert_eq!(find_any(text.as_bytes(), &words), None);
            }
        }
    }

    #[test]
    fn a_line_counts_once() {
        assert_eq!(lines_with_any("todo todo\nx\n\nTODO\nto\ndo", &["todo"]), 2);
        assert_eq!(lines_with_any("", &["todo"]), 0);
    }
}
