//! Key formats: an entry of the table, and a user's own pattern, which has the same form.

use super::bytes::{KEY, Scan, WORD};
use super::finding::Kind;
use regex::Regex;

/// How far a pattern sees from its anchor, in bytes; a match that reaches this far goes on to the end of its run.
const WINDOW: usize = 4096;
/// In one run of key characters so many anchors are tried: bounds the work where a run is nothing but anchors.
const TRIES: u32 = 8;
/// A pattern without an anchor sees a line, or such a piece of it, at a time: `find_iter` may take quadratic time.
const PIECE: usize = 16 << 10;

/// One format.
pub struct Format {
    /// The rule's name in findings.
    pub name: String,
    /// What its matches are.
    pub kind: Kind,
    /// Literals of which one stands where the match begins; without any, every line is searched.
    pub anchors: Vec<String>,
    /// Of the table: no word goes on around a match, and examples out of manuals stay. A user's pattern is obeyed.
    pub of_table: bool,
    regex: Regex,
}

impl Format {
    /// Compiles a pattern. If it has a group 1, only that is replaced.
    ///
    /// Error: what `regex` says about a bad or too large pattern, or that it matches nothing at all.
    pub fn new(
        name: String,
        kind: Kind,
        anchors: Vec<String>,
        pattern: &str,
        of_table: bool,
    ) -> Result<Self, String> {
        let whole = if anchors.is_empty() { pattern.to_owned() } else { format!(r"\A(?:{pattern})") };
        let regex =
            regex::RegexBuilder::new(&whole).size_limit(1 << 20).build().map_err(|e| e.to_string())?;
        if regex.is_match("") {
            return Err("the pattern matches the empty text".to_owned());
        }
        Ok(Self { name, kind, anchors, of_table, regex })
    }
}

/// Tries a format at its anchor.
pub(super) fn find<'r>(scan: &mut Scan<'_, 'r>, start: usize, end: usize, format: &'r Format) {
    if (format.of_table && !scan.fresh(start))
        || !format.anchors.iter().any(|a| a.as_bytes() == &scan.text[start..end])
    {
        return;
    }
    if start >= scan.run.0 {
        scan.run = (scan.run_of(start, usize::MAX, |b| KEY[b as usize]).max(end), 0);
    }
    scan.run.1 += 1;
    if scan.run.1 > TRIES {
        return;
    }
    let stop = scan.string.floor_char_boundary((start + WINDOW).min(scan.text.len()));
    let Some(groups) = format.regex.captures(&scan.string[start..stop]) else { return };
    let Some(found) = groups.get(1).or_else(|| groups.get(0)) else { return };
    let (from, mut to) = (start + found.start(), start + found.end());
    if format.of_table && to == stop && stop < scan.text.len() {
        to = scan.run.0.max(to);
    }
    if from < to && (!format.of_table || (!WORD[scan.at(to) as usize] && real(&scan.text[from..to]))) {
        scan.push(from, to, format.kind, &format.name);
    }
}

/// Searches every line for a format without anchors.
pub(super) fn search<'r>(scan: &mut Scan<'_, 'r>, format: &'r Format) {
    let mut from = 0;
    while from < scan.text.len() {
        let limit = scan.string.floor_char_boundary((from + PIECE).min(scan.text.len()));
        let to = memchr::memchr(b'\n', &scan.text[from..limit]).map_or(limit, |n| from + n + 1);
        for groups in format.regex.captures_iter(&scan.string[from..to]) {
            if let Some(found) = groups.get(1).or_else(|| groups.get(0)).filter(|f| !f.is_empty()) {
                scan.push(from + found.start(), from + found.end(), format.kind, &format.name);
            }
        }
        from = to;
    }
}

/// Whether this is no example out of a manual: those say so, or repeat one character.
pub(super) fn real(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[*b as usize] = true);
    let distinct = seen.iter().filter(|s| **s).count();
    distinct >= 7 && !super::bytes::contains(value, b"example") && !super::bytes::contains(value, b"xxxx")
}
