//! Editor modelines: `-*- mode: ruby -*-` (Emacs) and `vim: set ft=ruby:` (Vim, vi, ex).
//!
//! Linguist matches these with two patterns full of look-around; here the delimiters are found first and what lies
//! between them is read by hand, so the cost is linear and bounded by the few lines looked at.

use super::lines::{head, tail};
use memchr::memmem;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Lines looked at from each end of a file.
pub const LINES: usize = 5;
/// Starts of a Vim modeline tried per line: real lines have one, hostile ones could have thousands.
const TRIES: usize = 8;

/// The name that the first modeline gives, which may be no language we know.
pub fn find(data: &[u8]) -> Option<&str> {
    let header = head(data, LINES);
    // A Vimball's modeline speaks of the archive, not of the file.
    if memmem::find(header, b"UseVimball").is_some() {
        return None;
    }
    let footer = if data.len() > header.len() { tail(data, LINES) } else { b"" };
    let name = emacs(header).or_else(|| emacs(footer)).or_else(|| vim(header)).or_else(|| vim(footer))?;
    std::str::from_utf8(name).ok()
}

fn split(region: &[u8]) -> impl Iterator<Item = &[u8]> {
    region.split(|b| matches!(b, b'\n' | b'\r'))
}

fn emacs(region: &[u8]) -> Option<&[u8]> {
    let mut openers = memmem::find_iter(region, b"-*-").peekable();
    openers.peek()?;
    split(region).find_map(|line| {
        let start = memmem::find(line, b"-*-")? + 3;
        let rest = &line[start..];
        short_form(rest).or_else(|| long_form(rest))
    })
}

/// `-*- ruby -*-`, given what follows the opener.
fn short_form(rest: &[u8]) -> Option<&[u8]> {
    let rest = &rest[blank(rest)..];
    let word = &rest[..word(rest)];
    let after = &rest[word.len()..];
    let closes_within = memmem::find_iter(word, b"-*-").any(|at| at > 0);
    if closes_within || after[blank(after)..].starts_with(b"-*-") && !word.is_empty() {
        return mode(rest);
    }
    None
}

/// `-*- foo: bar; mode: ruby; -*-`, given what follows the opener.
fn long_form(rest: &[u8]) -> Option<&[u8]> {
    let lower = rest.to_ascii_lowercase();
    memmem::find_iter(&lower, b"mode").find_map(|at| {
        if at > 0 && !matches!(rest[at - 1], b' ' | b'\t' | b';') {
            return None;
        }
        let after = &rest[at + 4..];
        let after = after[blank(after)..].strip_prefix(b":")?;
        mode(&after[blank(after)..])
    })
}

/// The name at the start of `rest`, if it ends well and the modeline is closed after it.
fn mode(rest: &[u8]) -> Option<&[u8]> {
    let word = &rest[..word(rest)];
    let after = &rest[word.len()..];
    if matches!(after.first(), Some(b' ' | b'\t' | b';')) && memmem::find(after, b"-*-").is_some() {
        return (!word.is_empty()).then_some(word);
    }
    // The name touches the delimiter: `ruby-*-`, but not `ruby--*-`.
    let end = memmem::rfind_iter(word, b"-*-").find(|&at| at > 0 && !matches!(word[at - 1], b'-' | b'*'))?;
    Some(&word[..end])
}

fn blank(text: &[u8]) -> usize {
    text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Length of the run of characters other than `:`, `;` and white space.
fn word(text: &[u8]) -> usize {
    text.iter().take_while(|b| !matches!(b, b':' | b';') && !b.is_ascii_whitespace() && **b != 0x0b).count()
}

static MENTIONS_TYPE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)(?:filetype|ft|syntax)[ \t]*="));
static START: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?-u)(?:(?:^|[ \t])(?:vi|vim(?:[<=>]?[0-9]+)?|Vim(?:[<=>]?[0-9]+)?)|[ \t]ex):")
});
static SET: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)^[ \t]*set?[ \t]"));
static SET_CLOSED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)^[ \t]*set?[ \t][^\r\n:]+:"));
/// From the colon on: options, then the file type. Greedy, so the last type on the line counts.
static OPTIONS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?-u)^(?:(?:[ \t]*:[ \t]*|[ \t])\w*(?:[ \t]*=(?:[^\\\s]|\\.)*)?)*[ \t:](?:filetype|ft|syntax)[ \t]*=(\w+)(?:$|\s|:)",
    )
});

#[allow(clippy::unwrap_used)] // constants, compiled by the tests
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

fn vim(region: &[u8]) -> Option<&[u8]> {
    if !MENTIONS_TYPE.is_match(region) {
        return None;
    }
    split(region).find_map(|line| {
        let mut from = 0;
        for _ in 0..TRIES {
            let start = START.find_at(line, from)?;
            from = start.end();
            let (colon, rest) = (&line[from - 1..], &line[from..]);
            if SET.is_match(rest) && !SET_CLOSED.is_match(rest) {
                continue;
            }
            if let Some(name) = OPTIONS.captures(colon).and_then(|c| c.get(1)) {
                return Some(name.as_bytes());
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn emacs_forms() {
        for (text, want) in [
            ("# -*- ruby -*-", Some("ruby")),
            ("/* -*- C++ -*- */", Some("C++")),
            ("-*-ruby-*-", Some("ruby")),
            ("// -*- foo:bar; mode: c; tab-width: 4 -*-", Some("c")),
            ("-*-mode:perl-*-", Some("perl")),
            ("-*- Mode : Lua ; -*-", Some("Lua")),
            ("-*- foo: bar -*-", None),
            ("-*- mode: ruby", None),
            ("-*- -*-", None),
            ("-*- coding: utf-8 -*-", None),
        ] {
            assert_eq!(find(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn vim_forms() {
        for (text, want) in [
            ("# vim: ft=sh", Some("sh")),
            ("/* vim: set ts=4 ft=cpp noet: */", Some("cpp")),
            ("/* vim: set ft=cpp */", None), // `set` needs a closing colon
            ("# vi: syntax=perl:noai", Some("perl")),
            ("; ex: filetype=lua", Some("lua")),
            ("# flex: ft=sh", None),
            ("# vim<700: ft=ruby", Some("ruby")),
            (r"# vim: titlestring=\ ft=sh ft=awk", Some("awk")),
            ("# Vi: ft=c", None),
        ] {
            assert_eq!(find(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn only_the_first_and_last_lines_count() {
        let far = format!("{}# vim: ft=sh\n{}", "x\n".repeat(6), "x\n".repeat(6));
        assert_eq!(find(far.as_bytes()), None);
        let last = format!("{}# vim: ft=sh\n{}", "x\n".repeat(60), "x\n".repeat(4));
        assert_eq!(find(last.as_bytes()), Some("sh"));
        assert_eq!(find(b"UseVimball\n# vim: ft=sh"), None);
    }

    #[test]
    fn hostile_lines_stay_cheap() {
        let started = std::time::Instant::now();
        for unit in ["-*- ", " vi: ", "mode ", " ft=", "-*-mode:", "vim:set "] {
            find(unit.repeat(1 << 20).as_bytes());
        }
        assert!(started.elapsed().as_secs() < 60);
    }
}
