//! Values that are assigned to what is called a password, secret, token or key.

use super::Kind;
use super::bytes::{Scan, WORD, contains};
use super::values;

/// How much the name says, and so how little the value has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// "password": any value that is not a word.
    Password,
    /// "token", "secret": many things are called so; the value must look like a key.
    Secret,
}

/// What may follow the anchor within the name; with anything else it names something about a secret (`token_type`).
const ENDS: &str = " 1 2 s _key key _key_base _access_key accesskey _access_token _token token _value _text _string \
_secret _password _plain _plaintext word phrase ";
const LONGEST: usize = 512; // bytes of a value

fn known_end(rest: &str) -> bool {
    let rest = rest.to_ascii_lowercase().replace('-', "_");
    ENDS.contains(&format!(" {rest} "))
}

pub(super) fn find(scan: &mut Scan<'_, '_>, start: usize, end: usize, strength: Strength) {
    let name = scan.run_of(end, 24, |b| WORD[b as usize] || b == b'-');
    // "pass" within "password" and after `_`: those are anchors of their own, and say more.
    let word = name > end && matches!(scan.text[end] | 0x20, b'w' | b'p');
    if strength == Strength::Secret && end - start == 4 && (word || scan.before(start) == b'_') {
        return;
    }
    if name > end && !known_end(&scan.string[end..name]) {
        return;
    }
    if contains(&scan.text[start.saturating_sub(9)..start], b"public") {
        return; // `publicKeyToken` of .NET
    }
    // A short anchor must be a word, or one of its parts: `pwd`, `dbPwd`, `DB_PWD`, but no part of another word.
    if end - start < 5 && !scan.fresh(start) && scan.text[start] != b'_' {
        let (a, b) = (scan.text[start - 1], scan.text[start]);
        let shouted = a.is_ascii_uppercase() && scan.text[start..end].iter().all(u8::is_ascii_uppercase);
        if a != b'_' && !(a.is_ascii_lowercase() && b.is_ascii_uppercase()) && !shouted {
            return;
        }
    }
    let Some((sign, from, called)) = operator(scan, name) else { return };
    let quote = opening(scan, from);
    if let Some((open, inner)) = quote {
        let Some(stop) = closing(scan, open, inner) else { return };
        // `mailPass = "…"`: a part of a name says more than the word, which is also what tests do.
        let part =
            end - start == 4 && start > 0 && WORD[scan.text[start - 1] as usize] && scan.text[start] != b'_';
        judge(scan, inner, stop, if part && name == end { Strength::Password } else { strength });
    } else if sign == b'>' {
        let stop = scan.run_of(from, LONGEST, |b| b > b' ' && b != b'<');
        if scan.at(stop) == b'<' && scan.at(stop + 1) == b'/' {
            judge(scan, from, stop, strength);
        }
    } else if !called && matches!(sign, b'=' | b':') {
        bare(scan, start, from, sign, strength);
    }
}

/// What assigns, after a name: the sign, where the value begins, and whether it is an argument.
fn operator(scan: &Scan<'_, '_>, name: usize) -> Option<(u8, usize, bool)> {
    let blank = |b: u8| b == b' ' || b == b'\t';
    let mut at = name;
    let mut quoted = false;
    for _ in 0..3 {
        match scan.at(at) {
            b'\\' if matches!(scan.at(at + 1), b'"' | b'\'') => (at, quoted) = (at + 2, true),
            b'"' | b'\'' | b'`' => (at, quoted) = (at + 1, true),
            b']' if quoted => at += 1,
            _ => break,
        }
    }
    at = scan.run_of(at, 16, blank);
    let sign = scan.at(at);
    let after = |n: usize| scan.run_of(n, 16, blank);
    match (sign, scan.at(at + 1)) {
        (b'=', b'=') => Some((b'=', after(if scan.at(at + 2) == b'=' { at + 3 } else { at + 2 }), true)),
        (b'!', b'=') => Some((b'=', after(if scan.at(at + 2) == b'=' { at + 3 } else { at + 2 }), true)),
        (b'=', b'>') | (b':', b'=') | (b'?', b'=') => Some((b'=', after(at + 2), true)),
        (b'=', _) => Some((b'=', after(at + 1), false)),
        (b':', _) => {
            let typed = scan.run_of(at + 1, 24, |b| WORD[b as usize] || b" &'[]?.|".contains(&b));
            if !quoted && scan.at(typed) == b'=' && scan.at(typed + 1) != b'=' && typed > at + 1 {
                return Some((b'=', after(typed + 1), true));
            }
            Some((b':', after(at + 1), false))
        }
        (b',', _) if quoted => Some((b',', after(at + 1), true)),
        (b'(', _) if !quoted => Some((b'(', at + 1, true)),
        (b'>', _) if !quoted => Some((b'>', at + 1, false)),
        _ => None,
    }
}

/// A quote, escaped or not, after at most two letters of a prefix: where it is, and where the value begins.
fn opening(scan: &Scan<'_, '_>, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while at < from + 2 && matches!(scan.at(at), b'b' | b'r' | b'u' | b'f' | b'L' | b'@' | b'B' | b'R') {
        at += 1;
    }
    match scan.at(at) {
        b'"' | b'\'' | b'`' => Some((at, at + 1)),
        b'\\' if matches!(scan.at(at + 1), b'"' | b'\'') => Some((at + 1, at + 2)),
        _ => None,
    }
}

/// Where the string ends that `open` opens; nothing if not on the same line.
fn closing(scan: &Scan<'_, '_>, open: usize, inner: usize) -> Option<usize> {
    let (quote, escaped) = (scan.text[open], scan.before(open) == b'\\');
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

fn judge(scan: &mut Scan<'_, '_>, from: usize, to: usize, strength: Strength) {
    let Some(value) = scan.string.get(from..to) else { return };
    let (yes, rule) = match strength {
        Strength::Password => (values::password(value), "password"),
        Strength::Secret => (values::token(value), "secret"),
    };
    if yes {
        scan.push(from, to, Kind::Password, rule);
    }
}

/// `PASSWORD=value` in configuration, and within a string in code (`…;Password=value;`).
fn bare(scan: &mut Scan<'_, '_>, start: usize, from: usize, sign: u8, strength: Strength) {
    let stop = scan.run_of(from, LONGEST, |b| b > b' ' && b < 0x7f && !b";&\"'`,<>()[]{}|\\".contains(&b));
    let next = scan.at(stop);
    let config = (scan.bare || sign == b':' && alone(scan, start, from, stop))
        && matches!(next, b'\n' | b'\r' | b' ' | b';' | b'&' | b'"' | b'\'');
    let string = sign == b'='
        && from > 0
        && scan.text[from - 1] == b'='
        && matches!(next, b';' | b'&' | b'"' | b'\'')
        && quoted(scan, start);
    if !config && !string {
        return;
    }
    let value = &scan.text[from..stop];
    let strength = if sign == b':' && strength == Strength::Password && !value.iter().any(u8::is_ascii_digit)
    {
        Strength::Secret // prose: "password: something!"
    } else {
        strength
    };
    judge(scan, from, stop, strength);
}

/// Whether a line has nothing but a name, a colon and a value, as YAML has within the strings and comments of programs.
/// A type would stand there in code, so it must not look like one.
fn alone(scan: &Scan<'_, '_>, start: usize, from: usize, stop: usize) -> bool {
    let mark =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'\t' | b'_' | b'-' | b'#' | b'*' | b'/');
    let plain =
        |value: &str| values::worded(value) && !value.contains(['!', '@', '#', '$', '%', '^', '&', '*']);
    matches!(scan.at(stop), b'\n' | b'\r')
        && !plain(&scan.string[from..stop])
        && scan.line_before(start, 80).iter().all(mark)
}

/// Whether `at` is within a string of its line, by the parity of quotes before it.
fn quoted(scan: &Scan<'_, '_>, at: usize) -> bool {
    let line = scan.line_before(at, 512);
    line.len() < 512 && [b'"', b'\'', b'`'].iter().any(|q| line.iter().filter(|b| *b == q).count() % 2 == 1)
}

/// `--password VALUE` and `--password=VALUE`.
pub(super) fn option(scan: &mut Scan<'_, '_>, end: usize) {
    if !matches!(scan.at(end), b' ' | b'=') || !(scan.bare || quoted(scan, end)) {
        return;
    }
    let quote = usize::from(matches!(scan.at(end + 1), b'"' | b'\''));
    let from = end + 1 + quote;
    let to = scan.run_of(from, LONGEST, |b| b > b' ' && b < 0x7f && !b"\"'`\\,;)]}|".contains(&b));
    judge(scan, from, to, Strength::Password);
}

/// `Authorization: Bearer VALUE`, `Basic VALUE`.
pub(super) fn bearer(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    if scan.text[start..end].eq_ignore_ascii_case(b"basic ")
        && !contains(scan.line_before(start, 40), b"authorization")
    {
        return;
    }
    let to = scan.run_of(end, LONGEST, |b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    if to - end >= 16 && values::token(&scan.string[end..to]) {
        scan.push(end, to, Kind::Password, "authorization");
    }
}
