//! A candidate for a secret, named by what stands before it: where it begins and ends, and whether it is one.

use super::bytes::Scan;
use super::finding::Kind;
use super::{tokens, values};

/// How much the name says, and so how little the value has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// "password": any value that is not a word.
    Password,
    /// A place that holds a password and nothing else: any value that stands for none.
    Certain,
    /// "pass", which is a verb as well.
    Pass,
    /// "secret", "api_key": the value must look like one.
    Secret,
    /// A cookie of a session.
    Session,
    /// "access_token": a name that says what the token opens.
    Access,
    /// "storage_key": names of places too, so the value must be random.
    Random,
    /// "token": of parsers too, so the value must be long and mixed.
    Token,
}

/// A name that has an anchor in it.
#[derive(Clone, Copy)]
pub(super) struct Name {
    /// Where the anchor begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Where the name ends.
    pub stop: usize,
    /// How much the anchor says.
    pub anchor: Strength,
    /// How much the whole name says.
    pub strength: Strength,
}

/// Bytes of a value, at most.
pub(super) const LONGEST: usize = 512;

/// A quote, escaped or not, after at most two letters of a prefix: where it is, and where the value begins.
pub(super) fn opening(scan: &Scan<'_, '_>, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    // Perl's `q(…)`, Ruby's `%q(…)`, Lua's `[[…]]`.
    let rest = &scan.text[from.min(scan.text.len())..];
    let told = [&b"q("[..], b"q{", b"qq(", b"qq{", b"%q(", b"%Q(", b"%q{", b"[["]
        .into_iter()
        .find(|w| rest.starts_with(w));
    if let Some(word) = told {
        return Some((from + word.len() - 1, from + word.len()));
    }
    while at < from + 2 && b"brufLN@BR$".contains(&scan.at(at)) {
        at += 1;
    }
    // `r#"…"#` of Rust
    if at > from && scan.at(at) == b'#' {
        let raw = scan.run_of(at, 3, |b| b == b'#');
        at = if scan.at(raw) == b'"' { raw } else { at };
    }
    match scan.at(at) {
        quote @ (b'"' | b'\'' | b'`') if scan.at(at + 1) == quote && scan.at(at + 2) == quote => {
            Some((at + 2, at + 3))
        }
        b'"' | b'\'' | b'`' => Some((at, at + 1)),
        b'\\' if matches!(scan.at(at + 1), b'"' | b'\'') => Some((at + 1, at + 2)),
        _ => None,
    }
}

/// Where the string ends that `open` opens; nothing if not on the same line.
pub(super) fn closing(scan: &Scan<'_, '_>, open: usize, inner: usize) -> Option<usize> {
    let escaped = scan.before(open) == b'\\';
    let quote = match scan.text[open] {
        b'(' => b')',
        b'{' => b'}',
        b'[' => b']',
        quote => quote,
    };
    let mut at = inner;
    while at < inner + LONGEST {
        match scan.at(at) {
            b'\n' => return None,
            b'\\' if escaped && scan.at(at + 1) == quote => return Some(at),
            b'\\' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Keeps a value that looks as much like a secret as its name leaves open.
pub(super) fn judge(scan: &mut Scan<'_, '_>, from: usize, to: usize, strength: Strength) {
    // A string within one: `password is "…"` between backticks.
    let quotes = matches!(scan.at(from), b'"' | b'\'') && to > from + 1 && scan.at(from) == scan.before(to);
    let (from, to) = if quotes { (from + 1, to - 1) } else { (from, to) };
    // `"\"VALUE\""` of Android's builds, which write code.
    let escaped = to > from + 4
        && scan.at(from) == b'\\'
        && scan.at(from + 1) == b'"'
        && scan.string.get(to - 2..to) == Some("\\\"");
    let (from, to) = if escaped { (from + 2, to - 2) } else { (from, to) };
    let Some(value) = scan.string.get(from..to) else { return };
    let (yes, rule) = match strength {
        Strength::Password => {
            (values::password(value) || values::phrase(value) || tokens::wrapped(value), "password")
        }
        Strength::Certain => (values::certain(value), "password"),
        Strength::Pass => {
            (values::password(value) && values::mixed(value) || tokens::wrapped(value), "password")
        }
        Strength::Secret => (tokens::secret(value) || tokens::django(value) || tokens::salt(value), "secret"),
        Strength::Session => (values::certain(value), "cookie"),
        Strength::Access => (tokens::access(value), "secret"),
        Strength::Random => (tokens::random(value), "secret"),
        Strength::Token => (tokens::token(value), "secret"),
    };
    if yes {
        scan.push(from, to, Kind::Password, rule);
    }
}

/// Whether `at` is within a string of its line, by the parity of quotes before it.
pub(super) fn quoted(scan: &Scan<'_, '_>, at: usize) -> bool {
    let line = scan.line_before(at, 512);
    line.len() < 512 && [b'"', b'\'', b'`'].iter().any(|q| line.iter().filter(|b| *b == q).count() % 2 == 1)
}
