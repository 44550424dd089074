//! What tools keep in files of their own: `.netrc`, `.pgpass`, `.npmrc`, Docker's and Composer's accounts, NuGet's keys,
//! Secrets of Kubernetes; and the accounts that curl is given.

use super::bytes::{Scan, WORD, contains, decoded, of_value};
use super::candidate::{LONGEST, Strength, closing, judge, opening, quoted};
use super::finding::Kind;
use super::{tokens, values};

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Whether the words before a place are those of `.netrc`: `machine HOST login NAME`, on one line or on several.
pub(super) fn netrc(scan: &Scan<'_, '_>, start: usize) -> bool {
    let blank = |b: u8| b.is_ascii_whitespace();
    let mut to = start;
    for turn in 0..4 {
        let end = scan.run_before(to, 48, blank);
        let from = scan.run_before(end, 80, |b| !b.is_ascii_whitespace());
        if from == end {
            return false;
        }
        let word = &scan.text[from..end];
        if turn % 2 == 1 {
            match word {
                b"login" | b"account" => {}
                b"machine" => return true,
                // `user jane` on the line before: of msmtp, isync and fetchmail.
                b"user" | b"User" | b"from" => return scan.line_before(start, 16).iter().all(|b| blank(*b)),
                _ => return false,
            }
        } else if turn == 2 && word == b"default" {
            return true;
        }
        to = from;
    }
    true
}

/// `host:5432:database:jane:VALUE` of PostgreSQL's `.pgpass`, from its port on.
pub(super) fn pgpass(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let host = scan.line_before(start, 80);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*' | b'/');
    if !scan.bare_at(start) || host.is_empty() || !host.iter().all(plain) {
        return;
    }
    let field = |from: usize| scan.run_of(from, 64, |b| b > b' ' && b != b':');
    let database = field(end);
    let user = field(database + 1);
    let to = scan.run_of(user + 1, LONGEST, |b| b > b' ');
    let ends = matches!(scan.at(to), b'\n' | b'\r');
    if scan.at(database) == b':' && scan.at(user) == b':' && database > end && user > database + 1 && ends {
        judge(scan, user + 1, to, Strength::Certain);
    }
}

/// An account and a password in base64, whatever they look like.
fn is_pair(value: &str) -> bool {
    let readable = |text: &str| !text.chars().any(|c| c.is_control() || c == '\u{fffd}');
    let pair = |text: Vec<u8>| {
        text.len() > 4 && text.contains(&b':') && std::str::from_utf8(&text).is_ok_and(readable)
    };
    value.len() >= 8 && decoded(value).is_some_and(pair)
}

/// `_auth=VALUE` of npm, `"auth": "VALUE"` of Docker, `npmAuthIdent: VALUE` of Yarn.
pub(super) fn ident(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let stop = if matches!(scan.before(end), b':' | b'"' | b'\'') { end - 1 } else { end };
    let quote = scan.run_of(stop, 1, |b| matches!(b, b'"' | b'\''));
    let sign = scan.run_of(quote, 4, |b| b == b' ');
    if WORD[scan.at(stop) as usize] || !matches!(scan.at(sign), b'=' | b':') {
        return;
    }
    let from = scan.run_of(sign + 1, 8, |b| matches!(b, b' ' | b'"' | b'\''));
    let to = scan.run_of(from, LONGEST, base64);
    let literal = matches!(scan.before(from), b'"' | b'\'') || scan.bare_at(start);
    if literal && is_pair(&scan.string[from..to]) {
        scan.push(from, to, Kind::Password, "authorization");
    }
}

/// `"github-oauth": {"github.com": "VALUE"}` of Composer's `auth.json`.
pub(super) fn composer(scan: &mut Scan<'_, '_>, end: usize) {
    let blank = |b: u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t');
    let mut at = scan.run_of(end, 8, |b| matches!(b, b' ' | b':'));
    if scan.at(at) != b'{' {
        return;
    }
    for _ in 0..4 {
        let open = scan.run_of(at + 1, 64, blank);
        let stop = scan.run_of(open + 1, 80, |b| b > b' ' && b != b'"');
        let sign = scan.run_of(stop + 1, 2, |b| b == b' ');
        let value = scan.run_of(sign + 1, 8, blank);
        let to = scan.run_of(value + 1, LONGEST, |b| b > b' ' && b != b'"');
        if scan.at(open) != b'"' || scan.at(sign) != b':' || scan.at(value) != b'"' || scan.at(to) != b'"' {
            return;
        }
        judge(scan, value + 1, to, Strength::Secret);
        at = scan.run_of(to + 1, 64, blank);
        if scan.at(at) != b',' {
            return;
        }
    }
}

/// `<apikeys><add key="HOST" value="VALUE" />` of NuGet.
pub(super) fn nuget(scan: &mut Scan<'_, '_>, end: usize) {
    let limit = (end + 1024).min(scan.text.len());
    let to = memchr::memmem::find(&scan.text[end..limit], b"</").map_or(limit, |n| end + n);
    let places: Vec<usize> = memchr::memmem::find_iter(&scan.text[end..to], b" value=\"").collect();
    for place in places {
        let from = end + place + 8;
        let stop = scan.run_of(from, LONGEST, |b| b > b' ' && b != b'"');
        judge(scan, from, stop, Strength::Secret);
    }
}

/// `kind: Secret` of Kubernetes: the values below `data:` and `stringData:` in the same document.
pub(super) fn kubernetes(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    const WINDOW: usize = 16 << 10;
    let line = scan.run_before(start, 80, |b| b != b'\n');
    let lead = scan.text[line..start].iter().all(|b| b" \t-\"'".contains(b));
    if start < scan.contained || !lead || WORD[scan.at(end) as usize] {
        return;
    }
    let text = scan.text;
    let first = scan.string.floor_char_boundary(start.saturating_sub(WINDOW).max(scan.contained));
    let from = memchr::memmem::rfind(&text[first..start], b"\n---").map_or(first, |n| first + n);
    let limit = (end + WINDOW).min(text.len());
    let to = memchr::memmem::find(&text[end..limit], b"\n---").map_or(limit, |n| end + n);
    scan.contained = to;
    let mut at = from;
    let mut within: Option<(usize, bool)> = None; // how deep `data:` stands, and whether its values are in base64
    let mut block: Option<usize> = None; // how deep the name of a block of lines stands
    while at < to {
        let stop = memchr::memchr(b'\n', &text[at..to]).map_or(to, |n| at + n);
        let lead = scan.run_of(at, 200, |b| matches!(b, b' ' | b'\t'));
        let (depth, line) = (lead - at, text[lead..stop].trim_ascii_end());
        let end = lead + line.len();
        at = stop + 1;
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if block.is_some_and(|outer| depth > outer) {
            if line.len() >= 8 && line.iter().all(|b| base64(*b)) {
                scan.push(lead, end, Kind::Password, "kubernetes");
            }
            continue;
        }
        block = None;
        if let Some((outer, encoded)) = within
            && depth > outer
        {
            let colon = scan.run_of(lead, 128, |b| WORD[b as usize] || b"-./\"'".contains(&b));
            let value = scan.run_of(colon + 1, 8, |b| matches!(b, b' ' | b'"' | b'\''));
            let mut last = end;
            while last > value && matches!(scan.before(last), b'"' | b'\'' | b',') {
                last -= 1;
            }
            if scan.at(colon) != b':' || value > last {
                continue;
            }
            let text = &scan.string[value..last];
            if text.starts_with(['|', '>']) {
                block = Some(depth);
            } else if encoded && text.len() >= 8 && text.bytes().all(base64) && decoded(text).is_some() {
                scan.push(value, last, Kind::Password, "kubernetes");
            } else if !encoded {
                judge(scan, value, last, Strength::Password);
            }
            continue;
        }
        let word = line.split(|b| b" \"':".contains(b)).find(|word| !word.is_empty()).unwrap_or_default();
        within = match word {
            b"data" => Some((depth, true)),
            b"stringData" => Some((depth, false)),
            _ => None,
        };
    }
}

/// `curl -u jane:VALUE`, `--user "jane:VALUE"`, `-u "jane":"VALUE"`, also on the lines that a backslash joins.
pub(super) fn account(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let line = scan.line_before(start, 200);
    // `user = "jane:VALUE"` of `.curlrc`
    let kept = scan.bare_at(start) && scan.text[start] | 32 == b'u' && line.is_empty();
    if !kept && scan.text[start] | 32 == b'u' {
        return;
    }
    let end = if kept { start + 4 } else { end };
    let gap = scan.run_of(end, 4, |b| matches!(b, b' ' | b'='));
    let open = scan.at(gap);
    let enclosed = matches!(open, b'"' | b'\'');
    let escaped = open == b'\\' && matches!(scan.at(gap + 1), b'"' | b'\'');
    let from = gap + usize::from(enclosed) + 2 * usize::from(escaped);
    let of_user = |b: u8| b.is_ascii_alphanumeric() || b"._-@+%{}!#~*^&?".contains(&b);
    let name = scan.run_of(from, 80, of_user);
    let middle = scan.run_of(name, 1, |b| enclosed && b == open);
    if scan.at(middle) != b':' || !kept && !by_curl(scan, start, end) {
        return;
    }
    let empty = enclosed && scan.at(middle + 1) == open;
    let value = scan.run_of(middle + 1, 1, |b| matches!(b, b'"' | b'\''));
    let quote = if value > middle + 1 { scan.at(middle + 1) } else { open };
    let inside = |b: u8| if matches!(quote, b'"' | b'\'') { b != quote && b != b'\n' } else { of_value(b) };
    let to = scan.run_of(value, 128, inside);
    let text = &scan.string[value..to];
    if empty && middle == name || text.is_empty() {
        // `KEY:`: an account without a password is a key.
        if name > from + 7 && tokens::access(&scan.string[from..name])
            || values::password(&scan.string[from..name])
        {
            scan.push(from, name, Kind::Password, "password");
        }
        return;
    }
    let variable =
        text.starts_with('$') || text.starts_with("{{") || text.starts_with('<') || text.contains("${");
    let braced = text.starts_with('{') && text.len() > 10;
    if !variable && braced {
        scan.push(value, to, Kind::Password, "password");
    } else if !variable {
        let strength = if tokens::tangled(text) { Strength::Certain } else { Strength::Password };
        judge(scan, value, to, strength);
    }
}

/// Whether an option is curl's, or HTTPie's; the command may go on over lines that a backslash joins.
fn by_curl(scan: &Scan<'_, '_>, start: usize, end: usize) -> bool {
    if WORD[scan.at(end) as usize] && scan.text[start..end].ends_with(b"user") {
        return false;
    }
    let line = scan.line_before(start, 200);
    if contains(line, b"curl") || contains(line, b"http ") || contains(line, b"https ") {
        return true;
    }
    let back = scan.run_before(start, 600, |_| true);
    let mut lines = scan.text[back..start].split(|b| *b == b'\n').rev().skip(1);
    let mut joined = lines.by_ref().take_while(|line| line.trim_ascii_end().ends_with(b"\\"));
    joined.any(|line| contains(line, b"curl"))
}

/// `Authorization: VALUE`, `Authorization: Token VALUE`, with and without quotes, in headers and calls that set them.
pub(super) fn authorization(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    if !scan.fresh(start) && !matches!(scan.before(start), b'-' | b'_') {
        return;
    }
    let quote = scan.run_of(end, 3, |b| matches!(b, b'"' | b'\'' | b']' | b'\\'));
    let sign = scan.run_of(quote, 4, |b| b == b' ');
    if !matches!(scan.at(sign), b':' | b',' | b'=') {
        return;
    }
    let past = scan.run_of(sign, 2, |b| matches!(b, b':' | b',' | b'=' | b'>'));
    let mut from = scan.run_of(past, 8, |b| matches!(b, b' ' | b'"' | b'\'' | b'`' | b'\\'));
    let literal =
        matches!(scan.before(from), b'"' | b'\'' | b'`') || scan.bare_at(start) || quoted(scan, start);
    let part =
        |from: usize| scan.run_of(from, 1024, |b| b.is_ascii_alphanumeric() || b"-._~+/=@:!$".contains(&b));
    let mut to = part(from);
    // The scheme.
    let scheme = &scan.string[from..to];
    if scan.at(to) == b' ' && scheme.len() < 20 && !scheme.bytes().any(|b| b.is_ascii_digit()) {
        if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic") {
            return basic(scan, to + 1);
        }
        let key = scan.text[to + 1..].starts_with(b"token=") || scan.text[to + 1..].starts_with(b"token:");
        from = scan.run_of(to + 1 + 6 * usize::from(key), 3, |b| matches!(b, b'"' | b'\'' | b'\\'));
        to = part(from);
    }
    if literal {
        judge(scan, from, to, Strength::Access);
    }
}

/// A pair behind `Basic` that does not decode, as in examples that were changed by hand: what is long goes too.
fn basic(scan: &mut Scan<'_, '_>, from: usize) {
    let to = scan.run_of(from, 1024, base64);
    let value = &scan.string[from..to];
    if value.len() >= 20 && tokens::secret(value) {
        scan.push(from, to, Kind::Password, "authorization");
    }
}

/// `echo "VALUE" | docker login --password-stdin`, `echo "jane:VALUE" | chpasswd`, `echo VALUE | sudo -S`.
pub(super) fn piped(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    if scan.text[start..end].ends_with(b" -s") {
        return; // a shell
    }
    let line = scan.line_before(start, 200);
    let from = start - line.len();
    let Some(place) = memchr::memmem::rfind(line, b"echo ").or(memchr::memmem::rfind(line, b"printf "))
    else {
        return;
    };
    let mut at = from + place + 5 + 2 * usize::from(line[place] == b'p');
    for option in [&b"-n "[..], b"-e ", b"-en ", b"-ne "] {
        at += if scan.text[at..].starts_with(option) { option.len() } else { 0 };
    }
    let quote = scan.run_of(at, 2, |b| matches!(b, b'"' | b'\'' | b'\\'));
    let mut value = quote;
    let to = scan.run_of(value, 128, |b| b > b' ' && !b"\"'|\\".contains(&b));
    let pipe = memchr::memchr(b'|', &scan.text[to..start]);
    if scan.text[start..end].starts_with(b"chpasswd") {
        value = scan.run_of(value, 64, |b| b != b':' && b > b' ') + 1;
    }
    if pipe.is_some_and(|n| n < 8) && value < to && (scan.bare_at(start) || quoted(scan, start)) {
        judge(scan, value, to, Strength::Password);
    }
}

/// `sqlplus jane/VALUE@db`, `jdbc:oracle:thin:jane/VALUE@host`.
pub(super) fn oracle(scan: &mut Scan<'_, '_>, end: usize) {
    let option = scan.run_of(end, 12, |b| matches!(b, b'-' | b' ' | b's' | b'S' | b'L' | b'l'));
    let from = if scan.before(option) == b' ' { option } else { end };
    let slash = scan.run_of(from, 40, |b| WORD[b as usize] || matches!(b, b'"' | b'\''));
    let quote = scan.run_of(slash + 1, 1, |b| b == b'"');
    let to = scan.run_of(quote, 64, |b| of_value(b) && b != b'@');
    let at = scan.run_of(to, 1, |b| b == b'"');
    if scan.at(slash) == b'/' && scan.at(at) == b'@' && slash > from {
        judge(scan, quote, to, Strength::Password);
    }
}

/// A string that joins an account and a password: `CURLOPT_USERPWD, "jane:VALUE"`, `"Basic " + btoa("jane:VALUE")`.
pub(super) fn joined(scan: &mut Scan<'_, '_>, end: usize) {
    let from = scan.run_of(end, 24, |b| b" ,=>(:".contains(&b) || b.is_ascii_alphabetic() && b != b'b');
    let Some((open, inner)) = opening(scan, from) else { return };
    let Some(stop) = closing(scan, open, inner) else { return };
    let colon = scan.run_of(inner, 80, |b| b > b' ' && b != b':');
    if colon < stop && scan.at(colon) == b':' {
        judge(scan, colon + 1, stop, Strength::Password);
    }
}

/// `BUNDLE_GEMS__HOST__COM: "jane:VALUE"` of Bundler.
pub(super) fn bundle(scan: &mut Scan<'_, '_>, end: usize) {
    let stop = scan.run_of(end, 80, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let from = scan.run_of(stop, 6, |b| b" :=\"'".contains(&b));
    let colon = scan.run_of(from, 64, |b| b.is_ascii_alphanumeric() || b"-_.@%".contains(&b));
    let to = scan.run_of(colon + 1, 128, of_value);
    if scan.string[end..stop].contains("__")
        && matches!(scan.at(stop), b':' | b'=')
        && scan.at(colon) == b':'
        && to > colon + 1
    {
        judge(scan, colon + 1, to, Strength::Certain);
    }
}

/// `[smtp.host]:587 jane:VALUE` of Postfix.
pub(super) fn relay(scan: &mut Scan<'_, '_>, end: usize) {
    let from = scan.run_of(end, 8, |b| matches!(b, b' ' | b'\t'));
    let colon = scan.run_of(from, 80, |b| b > b' ' && b != b':');
    let to = scan.run_of(colon + 1, 128, |b| b > b' ');
    if from > end && scan.at(colon) == b':' && matches!(scan.at(to), b'\n' | b'\r') && scan.bare_at(end) {
        judge(scan, colon + 1, to, Strength::Certain);
    }
}

/// `{"username": "jane", "key": "VALUE"}` of Kaggle.
pub(super) fn kaggle(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let from = scan.run_of(end, 6, |b| b" :\"".contains(&b));
    let to = scan.run_of(from, 64, |b| b.is_ascii_hexdigit());
    let back = scan.run_before(start, 80, |b| b != b'{');
    if to - from == 32 && scan.at(to) == b'"' && contains(&scan.text[back..start], b"\"username\"") {
        judge(scan, from, to, Strength::Secret);
    }
}

/// `"Jwt": {"Key": "VALUE"}` of ASP.NET's settings.
pub(super) fn jwt(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let from = scan.run_of(end, 6, |b| b" :\"".contains(&b));
    let object = scan.run_before(start, 300, |b| b != b'{' && b != b'}');
    if scan.before(object) != b'{' || scan.before(from) != b'"' || from == end {
        return;
    }
    let sign = scan.run_before(object - 1, 80, |b| b.is_ascii_whitespace() || b == b':');
    let name = scan.run_before(sign, 32, |b| WORD[b as usize] || b == b'"');
    if contains(&scan.text[name..sign], b"\"jwt")
        && let Some(stop) = closing(scan, from - 1, from)
    {
        judge(scan, from, stop, Strength::Secret);
    }
}

/// `password`, and on the next lines `V 11` and the value, as Subversion keeps it.
pub(super) fn subversion(scan: &Scan<'_, '_>, name: usize) -> Option<(usize, usize)> {
    let line = scan.run_of(name, 2, |b| matches!(b, b'\r' | b'\n'));
    let to = scan.run_of(line + 2, 4, |b| b.is_ascii_digit());
    let length: usize =
        scan.text.get(line..)?.starts_with(b"V ").then(|| scan.string[line + 2..to].parse().ok())??;
    let from = scan.run_of(to, 2, |b| matches!(b, b'\r' | b'\n'));
    let end = scan.run_of(from, 256, |b| b > b' ');
    (end - from == length && end > from).then_some((from, end))
}
