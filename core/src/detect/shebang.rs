//! The interpreter named in a file's first line.

use super::lines;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// `exec tclsh "$0" "$@"`: a shell script that becomes another language's.
static EXEC: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used)] // a constant, compiled by the tests
    Regex::new(r"(?-u)exec (\w+).+\$0.+\$@").unwrap()
});

/// The interpreter after `#!`, without folder and minor version: `#!/usr/bin/env -S python3.11 -u` gives `python3`.
pub fn interpreter(data: &[u8]) -> Option<String> {
    if !data.starts_with(b"#!") {
        return None;
    }
    let line = data[2..data.len().min(lines::MAX)].split(|b| *b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (path, mut rest) = token(line)?;
    let mut script = path.trim_end_matches('/').rsplit('/').next()?;
    if script == "env" {
        loop {
            let (word, after) = token(rest)?;
            let skipped = !after.is_empty() && (is_flag(word) || is_assignment(word));
            rest = after;
            if !skipped {
                script = word;
                break;
            }
        }
    }
    let script = without_minor_version(script);
    if script == "sh" {
        let found = lines::split(lines::head(data, 5)).find_map(|l| EXEC.captures(l)?.get(1));
        if let Some(name) = found {
            return String::from_utf8(name.as_bytes().to_vec()).ok();
        }
    }
    // `osascript -l JavaScript`: the language is no interpreter; leave it to the other strategies.
    if script == "osascript" && rest.contains("-l") {
        return None;
    }
    Some(script.rsplit('/').next()?.to_owned())
}

fn token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn is_flag(word: &str) -> bool {
    match word.strip_prefix("--") {
        Some(long) => !long.is_empty(),
        None => word.strip_prefix('-').is_some_and(|f| f.chars().all(|c| "i0uCSv".contains(c))),
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// "python2.6" → "python2"
fn without_minor_version(script: &str) -> &str {
    match script.rsplit_once('.') {
        Some((name, minor)) if !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => script,
    }
}

#[cfg(test)]
mod tests {
    use super::interpreter;

    #[test]
    fn interpreters() {
        for (line, want) in [
            ("#!/bin/sh", Some("sh")),
            ("#! /usr/bin/perl -w\n", Some("perl")),
            ("#!/usr/bin/env python3.11\nx", Some("python3")),
            ("#!/usr/bin/env -S FOO=bar node --flag", Some("node")),
            ("#!/usr/bin/env --split-string ruby", Some("ruby")),
            ("#!/usr/bin/env", None),
            ("#!perl", Some("perl")),
            ("#!", None),
            (" #!/bin/sh", None),
            ("#!/bin/sh\nexec tclsh \"$0\" \"$@\"\n", Some("tclsh")),
            ("#!/usr/bin/osascript -l JavaScript", None),
            ("#!/usr/bin/osascript", Some("osascript")),
        ] {
            assert_eq!(interpreter(line.as_bytes()).as_deref(), want, "{line}");
        }
    }
}
