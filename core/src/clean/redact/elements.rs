//! Names and values that elements and attributes hold: XML, HTML, and the pairs of YAML and JSON that say so in words.

use super::bytes::{Scan, WORD, contains, decoded};
use super::candidate::{LONGEST, Strength, closing, judge, opening};
use super::finding::Kind;
use super::values;

/// `name="password" … value="VALUE"`, `"name": "password", "value": "VALUE"`, `path="password" value='VALUE'`.
pub(super) fn attribute(scan: &mut Scan<'_, '_>, from: usize, strength: Strength) {
    let limit = scan.run_of(from, 100, |b| !matches!(b, b'\n' | b'>' | b'}' | b';' | b'('));
    let window = &scan.text[from..limit];
    let Some(place) = memchr::memmem::find_iter(&window.to_ascii_lowercase(), b"value").find(|n| {
        *n > 0
            && !WORD[window[n - 1] as usize]
            && window[n - 1] != b'-'
            && !WORD[scan.at(from + n + 5) as usize]
    }) else {
        return;
    };
    let at = scan.run_of(from + place + 5, 6, |b| matches!(b, b'"' | b'\'' | b' ' | b':' | b'='));
    let line = scan.line_before(from, 64);
    let strength =
        if contains(line, b"<add key=\"cleartextpassword\"") || line.ends_with(b"<add key=\"Password\"") {
            Strength::Certain // of NuGet
        } else {
            strength
        };
    // The last of these is the quote that opens the value.
    if matches!(scan.before(at), b'"' | b'\'')
        && let Some(stop) = closing(scan, at - 1, at)
    {
        judge(scan, at, stop, strength);
    }
}

/// `- name: DB_PASSWORD`, and on the next line `value: VALUE`; the same of JSON.
pub(super) fn beside(scan: &mut Scan<'_, '_>, start: usize, from: usize, strength: Strength) {
    let line = scan.line_before(start, 80);
    if !(contains(line, b"name") || contains(line, b"key") || contains(line, b"id")) {
        return;
    }
    let next = scan.run_of(from, 80, |b| b" \t\r\n,\"'".contains(&b));
    let word = scan.run_of(next, 16, |b| WORD[b as usize]);
    let colon = scan.run_of(word, 3, |b| matches!(b, b'"' | b'\'' | b' '));
    let known =
        ["value", "default", "defaultValue"].iter().any(|w| scan.string[next..word].eq_ignore_ascii_case(w));
    if !known || !matches!(scan.at(colon), b':' | b'=') {
        return;
    }
    let value = scan.run_of(colon + 1, 8, |b| b == b' ');
    if let Some((open, inner)) = opening(scan, value) {
        if let Some(stop) = closing(scan, open, inner) {
            judge(scan, inner, stop, strength);
        }
    } else if scan.bare_at(start) {
        let to = scan.run_of(value, LONGEST, |b| b > b' ' && b != b',');
        judge(scan, value, to, strength);
    }
}

/// `<name>db.password</name> <value>VALUE</value>` of Hadoop, `<key>password</key> <string>VALUE</string>` of Apple.
pub(super) fn following(scan: &mut Scan<'_, '_>, from: usize, strength: Strength) {
    let close = scan.run_of(from, 24, |b| b != b'>' && b != b'\n');
    let next = scan.run_of(close + 1, 64, |b| b.is_ascii_whitespace());
    let inner = [&b"<value>"[..], b"<string>", b"<Value>"]
        .into_iter()
        .find(|tag| scan.text[next.min(scan.text.len())..].starts_with(tag));
    if let Some(tag) = inner.filter(|_| scan.text[from..].starts_with(b"</")) {
        text(scan, next + tag.len(), strength);
    }
}

/// The text of an element, which may stand on a line of its own.
pub(super) fn text(scan: &mut Scan<'_, '_>, from: usize, strength: Strength) {
    let from = scan.run_of(from, 80, |b| b.is_ascii_whitespace());
    let rest = &scan.text[from.min(scan.text.len())..];
    let from = if rest.starts_with(b"<Value>") || rest.starts_with(b"<value>") { from + 7 } else { from }; // of unattended installations
    let from = if scan.text[from.min(scan.text.len())..].starts_with(b"<![CDATA[") { from + 9 } else { from };
    let to = scan.run_of(from, LONGEST, |b| b > b' ' && b != b'<' && b != b']');
    let close = scan.run_of(to, 80, |b| b.is_ascii_whitespace() || b == b']' || b == b'>');
    if scan.at(close) != b'<' || !(scan.at(close + 1) == b'/' || scan.at(close + 1) == b'!') {
        return;
    }
    // What Maven encrypts: `{VALUE=}`.
    let of_seal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let sealed = scan.at(from) == b'{'
        && to > from + 24
        && scan.run_of(from + 1, LONGEST, of_seal) == to - 1
        && scan.before(to) == b'}';
    if sealed && strength == Strength::Password {
        scan.push(from + 1, to - 1, Kind::Password, "password");
    } else {
        judge(scan, from, to, strength);
    }
}

/// `<password type="plain">VALUE</password>`.
pub(super) fn element(scan: &mut Scan<'_, '_>, from: usize, strength: Strength) {
    let close = scan.run_of(from, 100, |b| !matches!(b, b'\n' | b'>' | b'/'));
    if scan.at(close) != b'>' {
        return;
    }
    // FileZilla's.
    if contains(&scan.text[from..close], b"encoding=\"base64\"") {
        let to = scan.run_of(close + 1, LONGEST, |b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
        let inside = decoded(&scan.string[close + 1..to]).and_then(|bytes| String::from_utf8(bytes).ok());
        if scan.at(to) == b'<' && inside.is_some_and(|text| values::certain(&text)) {
            scan.push(close + 1, to, Kind::Password, "password");
        }
        return;
    }
    text(scan, close + 1, strength);
}
