//! Lines that begin something: who holds the rights, under which licence, who wrote it, and other fields.

use super::words;
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// "© 2020", "(c) 1999", "Copyright 2001", "Copyright: …", "Copyright by …", "Copyright The X Authors"; "License: …",
/// "@license …", ":licence: …".
pub fn is_claim(line: &str) -> bool {
    is_copyright(line) || is_licence_field(line)
}

/// Whether somebody claims the copyright in `line`, not too far from its beginning.
pub fn is_copyright(line: &str) -> bool {
    copyright_at(line).is_some_and(|at| at <= 48)
}

/// Whether `line` begins with that, as good as.
pub fn starts_copyright(line: &str) -> bool {
    copyright_at(line).is_some_and(|at| at <= 12)
}

fn is_licence_field(line: &str) -> bool {
    if starts_with(line, "spdx-") {
        return true;
    }
    let tagged = line.strip_prefix(['@', '\\', ':']);
    let word = tagged.unwrap_or(line);
    let capital = tagged.is_some() || line.starts_with('L');
    let Some(rest) = word.get(7..).filter(|_| starts_with(word, "license") || starts_with(word, "licence"))
    else {
        return false;
    };
    let value = rest.trim_start_matches([' ', '\t', ':']);
    let apart =
        if tagged.is_some() { rest.starts_with([' ', ':']) } else { rest.trim_start().starts_with(':') };
    // "License: how to read one" is a title.
    let names = !value.starts_with(char::is_lowercase) || words::count(value).legal > 0;
    capital && apart && !value.is_empty() && names
}

/// The marks that a claim begins with. None of them can begin within another.
const MARKS: [&str; 5] = ["copyright", "copr.", "(c)", "©", "&copy;"];

/// One automaton for all marks: a walk over the characters took a tenth of the time of all header removal.
static CLAIMS: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(MARKS).expect("a few words"));

/// First byte of the claim.
pub fn copyright_at(line: &str) -> Option<usize> {
    CLAIMS.find_iter(line).find_map(|found| {
        let (before, rest) = (&line[..found.start()], &line[found.end()..]);
        let last = before.chars().next_back();
        // In quotes it is a text that is spoken of.
        if matches!(last, Some('"' | '\'' | '`' | '“' | '‘')) {
            return None;
        }
        let boundary = || !last.is_some_and(char::is_alphanumeric);
        // Items of a list are no claims, and degrees are none either: "Temperature (C) 1980-2010 mean".
        let alone = || {
            lettered(line).next().is_none() && (!before.contains(char::is_alphabetic) || names_a_holder(rest))
        };
        let claims = match MARKS[found.pattern().as_usize()] {
            "copyright" => boundary() && is_claimed(rest, true),
            "copr." => boundary() && is_claimed(rest, false),
            "(c)" => boundary() && is_claimed(rest, false) && alone(),
            _ => is_claimed(rest, false),
        };
        claims.then(|| found.start())
    })
}

/// Where letters stand in brackets, such as those of a list: "(a) …", "Kelvin (K)". Of them `(c)`, `(r)` and `(p)` are
/// marks of rights.
pub fn lettered(line: &str) -> impl Iterator<Item = usize> {
    let bytes = line.as_bytes();
    (0..bytes.len().saturating_sub(2)).filter(move |&at| {
        bytes[at] == b'('
            && bytes[at + 2] == b')'
            && bytes[at + 1].is_ascii_alphabetic()
            && !matches!(bytes[at + 1].to_ascii_lowercase(), b'c' | b'r' | b'p')
            && (at == 0 || bytes[at - 1] == b' ')
    })
}

/// Whether behind the years of a claim somebody is named, or nothing more is said.
fn names_a_holder(rest: &str) -> bool {
    let after =
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | ',' | '-' | '–' | '/'));
    !after.starts_with(char::is_alphabetic) || names_somebody(after, false)
}

/// Whether what follows "(c)" or (`word`) "copyright" names a year or somebody.
fn is_claimed(rest: &str, word: bool) -> bool {
    let after = rest.trim_start_matches([' ', '\t', ':', ',', '-', '@', '=', '*', '<']);
    let year = after.len() >= 4
        && after.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && matches!(after.as_bytes()[0], b'1' | b'2');
    if year {
        return true;
    }
    if word {
        for mark in ["©", "(c)", "[c]", "{c}", "&copy;", "(©)"] {
            if starts_with(after, mark) {
                return is_claimed(&after[mark.len()..], false);
            }
        }
        // "Copyright: who holds the rights" is a field that is explained.
        if rest.trim_start().starts_with(':') {
            let names = after.contains(|c: char| c.is_ascii_digit() || matches!(c, '@' | '©'));
            return names || names_somebody(after, false) || words::count(after).sure();
        }
    }
    (rest.starts_with([' ', '\t']) || !word) && names_somebody(after, !word)
}

/// Words in small letters that names have.
const WITHIN_NAMES: &[&str] = &[
    "and",
    "by",
    "the",
    "of",
    "for",
    "de",
    "la",
    "le",
    "du",
    "des",
    "van",
    "von",
    "der",
    "den",
    "di",
    "da",
    "del",
    "et",
    "al",
    "its",
    "others",
    "affiliates",
    "contributors",
    "authors",
    "author",
    "contributor",
    "all",
    "in",
    "at",
    "und",
    "holders",
    "team",
    "project",
    "developers",
    "a",
    "dos",
    "e",
    "y",
    "en",
    "projet",
    "member",
    "members",
    "group",
    "development",
    "inc",
    "co",
];

/// Capitals that "copyright" goes with in titles: "Copyright notices …", "Copyright Holder".
const NO_NAMES: &[&str] = &[
    "notice",
    "notices",
    "copyright",
    "header",
    "headers",
    "statement",
    "statements",
    "holder",
    "holders",
    "owner",
    "owners",
    "law",
    "laws",
    "year",
    "years",
    "info",
    "information",
    "check",
    "checker",
    "checks",
    "claim",
    "claims",
    "license",
    "licenses",
    "licence",
    "act",
    "symbol",
    "text",
    "line",
    "lines",
    "status",
    "date",
    "dates",
    "issues",
    "protection",
];

/// Whether `text` begins with a name: capitals, up to the end or a mark, and few small words between.
pub fn names_somebody(text: &str, strict: bool) -> bool {
    // "The containerd Authors"
    let mut spare = u32::from(!strict && (starts_with(text, "the ") || starts_with(text, "by ")));
    let mut capitals = 0;
    for (n, word) in text.split_whitespace().take(8).enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.is_empty() {
            if capitals > 0 {
                break;
            }
            continue;
        }
        let lower = bare.to_ascii_lowercase();
        if capitals == 0 && NO_NAMES.contains(&lower.as_str()) {
            return false;
        }
        let capital = bare.starts_with(|c: char| c.is_uppercase() || (!c.is_ascii() && c.is_alphabetic()));
        if capital {
            capitals += 1;
        } else if !(WITHIN_NAMES.contains(&lower.as_str())
            || bare.starts_with(|c: char| c.is_ascii_digit())
            || word.contains(['@', '/'])
            || (!strict && n >= 2 && capitals > 0))
        {
            if spare == 0 {
                return false;
            }
            spare -= 1;
        }
        if capitals > 0 && word.ends_with(['.', ',', ';', ')', '>']) {
            break;
        }
    }
    capitals > 0
}

/// "and others", "et al."
pub fn are_others(text: &str) -> bool {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    (1..=4).contains(&text.split_whitespace().count())
        && text.split_whitespace().all(|word| WITHIN_NAMES.contains(&bare(word).as_str()))
}

fn starts_with(text: &str, what: &str) -> bool {
    text.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what))
}

/// "Copyright (c) 2000" whose holder is on the next line.
pub fn is_years_only(line: &str) -> bool {
    is_copyright(line)
        && line.split(|c: char| !c.is_alphanumeric()).all(|word| {
            word.is_empty()
                || word.starts_with(|c: char| c.is_ascii_digit())
                || matches!(word.to_ascii_lowercase().as_str(), "copyright" | "c" | "and")
        })
}

const AUTHORS: &[&str] = &[
    "author",
    "authors",
    "author(s)",
    "original author",
    "original authors",
    "contributor",
    "contributors",
    "contributor(s)",
    "contributed by",
    "top contributors (to current version)",
    "initial developer",
    "written by",
    "written-by",
    "created by",
    "rewritten by",
    "largely rewritten by",
    "coded by",
    "developed by",
    "programmed by",
    "e-mail",
    "email",
    "www",
    "signed-off-by",
    "major contributors",
];

/// "Author: …", "@author …", "Written by …", `<author>…`.
pub fn is_author(line: &str) -> bool {
    // The Mozilla licence puts the name on the next line.
    if starts_with(line, "the initial developer of the original code is") {
        return true;
    }
    if ["<author", "<owner", "<developer", "<creator", "<contributor"]
        .iter()
        .any(|tag| starts_with(line, tag))
    {
        return true;
    }
    let tagged = line.strip_prefix(['@', '\\', ':']);
    let line = tagged.unwrap_or(line);
    AUTHORS.iter().any(|word| {
        starts_with(line, word) && {
            let rest = &line[word.len()..];
            let by = word.ends_with(" by") || word.ends_with("-by");
            let value = rest.trim_start().trim_start_matches(':');
            tagged.is_some() && rest.starts_with([' ', '\t', ':'])
                || (rest.trim_start().starts_with(':') && (!by || value.is_empty() || names_somebody(value, true)))
                // "Written by hand" is none.
                || (word.ends_with(" by") && rest.starts_with(' ') && names_somebody(rest, true))
                || (*word == "author" && rest.starts_with(' ') && is_name(rest.trim_start()))
        }
    })
}

fn is_name(rest: &str) -> bool {
    rest.split_whitespace().count() <= 5
        && rest.split_whitespace().take(2).all(|w| w.starts_with(char::is_uppercase))
}

/// `Key: value`, `@tag value`, `\tag`, `:field:`.
pub fn is_field(line: &str) -> bool {
    if let Some(tag) = line.strip_prefix(['@', '\\', ':']) {
        return tag.starts_with(|c: char| c.is_ascii_alphabetic());
    }
    let Some((key, value)) = line.split_once(':') else { return false };
    value.starts_with([' ', '\t'])
        && !value.trim().is_empty()
        && key.len() <= 24
        && key.split_whitespace().count() <= 3
        && key.starts_with(|c: char| c.is_uppercase())
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\t' | '-' | '_' | '(' | ')'))
}

/// An address, with hardly anything beside it but a name. A link is one if it leads to a licence.
pub fn is_contact(line: &str) -> bool {
    let link = |w: &str| w.contains("://") || w.starts_with("www.");
    let mail = |w: &str| !link(w) && w.contains('@') && w.contains('.');
    if line.split_whitespace().count() > 6 {
        return false;
    }
    let small = |w: &str| w.trim_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_lowercase);
    let beside = line.split_whitespace().filter(|w| !mail(w) && !link(w) && small(w)).count();
    let licence = |w: &str| link(w) && words::count(w).legal > 0;
    line.split_whitespace().any(mail) && beside <= 1 || line.split_whitespace().all(|w| mail(w) || licence(w))
}
