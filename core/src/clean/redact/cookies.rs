//! Cookies of sessions, in headers, options and jars.

use super::bytes::{Scan, WORD, contains};
use super::candidate::{Strength, judge};
use super::tokens;

/// In lower case: in names of cookies that log somebody in.
const LOGINS: [&[u8]; 18] = [
    b"sess",
    b"sid",
    b"auth",
    b"token",
    b"login",
    b"logged_in",
    b"remember",
    b"jwt",
    b"identity",
    b"connect.sid",
    b"secret",
    b"aspx",
    b"clearance",
    b"sso",
    b"ident",
    b"access",
    b"credential",
    b"li_at",
];

fn of_name(byte: u8) -> bool {
    WORD[byte as usize] || matches!(byte, b'-' | b'.' | b'!' | b'|')
}

fn of_value(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && !b"\"'`;,<>\\{}()".contains(&byte)
}

/// `curl -b "session=VALUE"`.
pub(super) fn option(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    if contains(scan.line_before(start, 200), b"curl") && matches!(scan.at(end), b' ' | b'=') {
        header(scan, end);
    }
}

/// `Cookie: a=VALUE; session=VALUE` and whatever else begins a list of cookies: the values of those that log in.
pub(super) fn header(scan: &mut Scan<'_, '_>, end: usize) {
    let end = scan.run_of(end, 1, |b| b == b's' || b == b'S');
    let quote = scan.run_of(end, 2, |b| matches!(b, b'"' | b'\'' | b']'));
    let sign = scan.run_of(quote, 4, |b| b == b' ');
    if !matches!(scan.at(sign), b':' | b'=' | b',') && sign == end {
        return;
    }
    let past = scan.run_of(sign, 3, |b| matches!(b, b':' | b'=' | b',' | b'>'));
    let mut at = scan.run_of(past, 6, |b| matches!(b, b' ' | b'"' | b'\'' | b'`'));
    let limit = at + 2048;
    for _ in 0..24 {
        let stop = scan.run_of(at, 80, of_name);
        if scan.at(stop) != b'=' || stop == at || at > limit {
            return;
        }
        let to = scan.run_of(stop + 1, 1024, of_value);
        cookie(scan, at, stop, to);
        let next = scan.run_of(to, 2, |b| matches!(b, b';' | b' '));
        if scan.at(to) != b';' {
            return;
        }
        at = next;
    }
}

fn cookie(scan: &mut Scan<'_, '_>, name: usize, stop: usize, to: usize) {
    if LOGINS.iter().any(|word| contains(&scan.text[name..stop], word)) && logs_in(&scan.string[stop + 1..to])
    {
        judge(scan, stop + 1, to, Strength::Session);
    }
}

/// Whether the value of such a cookie is one of a session, and none of a manual.
fn logs_in(value: &str) -> bool {
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value.len() >= 8 && letters > 0 && digits > 1 || tokens::secret(value)
}

/// The cookies that frameworks call so wherever they stand: `PHPSESSID=VALUE`.
pub(super) fn known(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let word = &scan.text[start..end];
    let suffix = word[0] == b'_';
    let name = word.to_ascii_lowercase();
    let plain = name == b"sessionid" || name == b"session_id" || suffix;
    // In capitals inside it is a name of something else's session.
    let exact = !plain || suffix || word == name;
    let end = scan.run_of(end, 40, |b| b.is_ascii_hexdigit() || b == b'_'); // `wordpress_logged_in_HASH`
    let quote = scan.run_of(end, 1, |b| matches!(b, b'"' | b'\''));
    let fresh = !WORD[scan.before(start) as usize] || scan.fresh(start) || scan.before(start) == b'_';
    let sign = scan.run_of(quote, 1, |b| b == b' ');
    if !(fresh || suffix) || !exact || !matches!(scan.at(sign), b'=' | b':' | b'\t' | b',') {
        return;
    }
    let from = scan.run_of(sign + 1, 3, |b| matches!(b, b' ' | b'"' | b'\''));
    let to = scan.run_of(from, 1024, of_value);
    let value = &scan.string[from..to];
    // In code what is not quoted is an expression.
    let told = !plain || scan.at(end) == b'=' || contains(scan.line_before(start, 120), b"cookie");
    let literal =
        quote > end || matches!(scan.before(from), b'"' | b'\'') || scan.at(end) == b'=' && from == end + 1;
    if literal && told && value.len() >= 16 && tokens::token(value) {
        judge(scan, from, to, Strength::Session);
    }
}
