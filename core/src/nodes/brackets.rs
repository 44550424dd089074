//! What stands in brackets, for programs without a parser.

use crate::lex::Span;
use std::ops::Range;

/// What stands between the brackets that byte `at` is in, from the outside in. Comments and strings have none.
///
/// A bracket that nothing closes is left out, and one that closes nothing.
pub fn around(text: &str, spans: &[Span], at: usize) -> Vec<Range<usize>> {
    let (mut open, mut found): (Vec<(u8, usize)>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let mut opened = [0_usize; 256]; // of each bracket: to search the open ones at every `]` would take a square of time
    let ends = spans.iter().map(|span| span.start).chain([text.len()]);
    let starts = [0].into_iter().chain(spans.iter().map(|span| span.end));
    for (start, end) in starts.zip(ends) {
        for (place, &byte) in
            text.as_bytes()[start..end].iter().enumerate().map(|(i, byte)| (start + i, byte))
        {
            match byte {
                b'(' | b'[' | b'{' => {
                    opened[usize::from(byte)] += 1;
                    open.push((byte, place + 1));
                }
                b')' | b']' | b'}' => {
                    let opener = if byte == b')' { b'(' } else { byte - 2 };
                    if opened[usize::from(opener)] == 0 {
                        continue;
                    }
                    while let Some((byte, inner)) = open.pop() {
                        opened[usize::from(byte)] -= 1;
                        if byte == opener {
                            found.extend(Some(inner..place).filter(|range| range.contains(&at)));
                            break;
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::around;

    #[test]
    fn brackets_that_do_not_match_are_left_out() {
        let inside = |text: &str, at| {
            around(text, &[], at).into_iter().map(|r| text[r].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(inside("{(a]b}", 2), ["(a]b"]);
        assert_eq!(inside("(a))b", 1), ["a"]);
        assert_eq!(inside("((a", 2), Vec::<String>::new());
        assert_eq!(inside("()", 1), Vec::<String>::new());
    }

    #[test]
    fn a_million_brackets_that_do_not_match_take_linear_time() {
        let text = "(".repeat(1 << 20) + &"]".repeat(1 << 20);
        let started = std::time::Instant::now();
        assert!(around(&text, &[], 1 << 20).is_empty());
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    }
}
