//! Which parts of a text are programs: its fenced blocks, each in the language that its fence names.

use std::ops::Range;

/// The regions of a text, in order and without gaps: each with the word behind its opening fence, if it has one.
///
/// A fence is a line of three or more backticks or tildes, which may be indented, as in CommonMark; a block without a
/// closing fence goes on to the end. What is outside has no word.
pub fn regions(text: &str) -> Vec<(Range<usize>, Option<&str>)> {
    let mut found = Vec::new();
    let (mut begin, mut at) = (0, 0);
    let mut open: Option<(&str, &str)> = None;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        if let Some((fence, word)) = fence(line) {
            let closes = open.is_some_and(|(opener, _)| word.is_empty() && fence.starts_with(opener));
            if closes || open.is_none() {
                found.push((begin..at, open.map(|(_, word)| word)));
                begin = next;
                open = if closes { None } else { Some((fence, word)) };
            }
        }
        at = next;
    }
    found.push((begin..at, open.map(|(_, word)| word)));
    found.retain(|(range, _)| !range.is_empty());
    found
}

/// The run of backticks or tildes that a line begins with, and the word behind it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches([' ', '\t', '>']);
    let first = line.bytes().next().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let run = line.bytes().take_while(|&byte| byte == first).count();
    let (fence, rest) = line.split_at(run);
    let word =
        rest.trim_start_matches([' ', '{', '.']).split(|c: char| c.is_whitespace() || "{},:".contains(c));
    (run >= 3 && !rest.contains('`')).then(|| (fence, word.into_iter().next().unwrap_or("")))
}

#[cfg(test)]
mod tests {
    use super::regions;

    fn of(text: &str) -> Vec<(&str, Option<&str>)> {
        regions(text).into_iter().map(|(range, word)| (&text[range], word)).collect()
    }

    #[test]
    fn fences_make_regions() {
        assert_eq!(of("a\n```python\nb\n```\nc"), [("a\n", None), ("b\n", Some("python")), ("c", None)]);
        assert_eq!(of("~~~\n```\nb\n~~~~\n"), [("```\nb\n", Some(""))]);
        assert_eq!(of("  ``` {.js}\nb"), [("b", Some("js"))]);
        assert_eq!(of("```x``` a\n"), [("```x``` a\n", None)]);
        assert_eq!(of(""), []);
    }
}
