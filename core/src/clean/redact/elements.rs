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
    if !declares(&scan.string[next..word]) || !matches!(scan.at(colon), b':' | b'=') {
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

/// What the value of a parameter is called where it is declared.
fn declares(name: &str) -> bool {
    ["value", "default", "defaultValue"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// `"adminPassword": {"type": "securestring", "defaultValue": "VALUE"}`, `variable "db_password" { default = "VALUE" }`:
/// from behind the brace on. Tokens of parsers have values too.
pub(super) fn object(scan: &mut Scan<'_, '_>, from: usize, strength: Strength) {
    const WINDOW: usize = 600;
    if strength == Strength::Token {
        return;
    }
    let quote = |b: u8| matches!(b, b'"' | b'\'');
    let (mut at, mut depth, mut first) = (from, 0, true); // first: of an entry
    while at < (from + WINDOW).min(scan.text.len()) {
        let name = scan.run_of(at, 1, quote);
        let stop = scan.run_of(name, 16, |b| WORD[b as usize]);
        if first && depth == 0 && declares(&scan.string[name..stop]) {
            let sign = scan.run_of(stop, 24, |b| quote(b) || b == b' ');
            let value = scan.run_of(sign + 1, 8, |b| b == b' ');
            if matches!(scan.at(sign), b':' | b'=')
                && let Some((open, inner)) = opening(scan, value)
                && let Some(stop) = closing(scan, open, inner)
            {
                judge(scan, inner, stop, strength);
            }
            return;
        }
        match scan.text[at] {
            b'"' | b'\'' | b'`' => match closing(scan, at, at + 1) {
                Some(stop) => (at, first) = (stop, false),
                None => return,
            },
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' if depth == 0 => return,
            b'}' | b']' | b')' => depth -= 1,
            b',' | b'\n' => first = true,
            byte => first &= byte.is_ascii_whitespace(),
        }
        at += 1;
    }
}

/// Whether a name is that of a block of Terraform: `variable "db_password" {`. Where its brace is.
pub(super) fn variable(scan: &Scan<'_, '_>, start: usize, name: usize) -> Option<usize> {
    let brace = scan.run_of(name + 1, 4, |b| b == b' ');
    let line = scan.line_before(start, 64).trim_ascii_start();
    (scan.at(brace) == b'{' && line.starts_with(b"variable \"")).then_some(brace)
}

/// `DBPassword:`, and among what stands below it `Default: VALUE`, as CloudFormation declares parameters.
pub(super) fn below(scan: &mut Scan<'_, '_>, start: usize, from: usize, strength: Strength) {
    let head = scan.run_before(start, 64, |b| WORD[b as usize] || b == b'-');
    let line = scan.line_before(head, 80);
    if !line.iter().all(|b| matches!(b, b' ' | b'\t' | b'"' | b'\'')) {
        return;
    }
    let (mut at, mut depth) = (from, None);
    for _ in 0..12 {
        let next = scan.run_of(at, 4, |b| matches!(b, b'\r' | b'\n'));
        let lead = scan.run_of(next, 80, |b| b == b' ');
        if lead - next <= line.len() {
            return;
        }
        let stop = scan.run_of(lead, 16, |b| WORD[b as usize]);
        let child = *depth.get_or_insert(lead - next) == lead - next;
        if child && scan.at(stop) == b':' && declares(&scan.string[lead..stop]) {
            let value = scan.run_of(stop + 1, 8, |b| b == b' ');
            if let Some((open, inner)) = opening(scan, value) {
                if let Some(stop) = closing(scan, open, inner) {
                    judge(scan, inner, stop, strength);
                }
            } else {
                let to = scan.run_of(value, LONGEST, |b| b > b' ');
                let strength = if strength == Strength::Password { Strength::Pass } else { strength };
                judge(scan, value, to, strength);
            }
            return;
        }
        at = scan.run_of(lead, 200, |b| b != b'\n');
        if scan.at(at) != b'\n' {
            return;
        }
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
