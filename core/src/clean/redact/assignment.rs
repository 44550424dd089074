//! A sign behind a name, and where the value begins that it assigns.

use super::bytes::{Scan, WORD, contains};
use super::candidate::Name;
use super::told;

/// Around a string that is passed on as it is: `Some("…")`, `String::from("…")`, `[]byte("…")`.
const WRAPPERS: &str = " Some String::from SecretString::from SecretString Secret SecretStr Secret::new string str \
String bytes byte []byte strPtr stringPtr ptr.To pointer.String pointer.StringPtr aws.String to.Ptr Ok Optional.of of \
Buffer.from QString QStringLiteral QLatin1String NSString _T TEXT T unicode u S s SecureString Password types.StringValue \
to_bytes bytearray bytes.fromhex newPassword new_password Value std::string std::wstring std::string_view QString::fromUtf8 ";

/// A sign behind a name, and what it assigns.
pub(super) struct Assignment {
    /// The name.
    pub name: Name,
    /// `=`, `:`, `(`, `,` or `>`, for whatever comes to the same.
    pub sign: u8,
    /// Where the value begins.
    pub from: usize,
    /// Whether it is an argument, or compared.
    pub called: bool,
}

/// What assigns, after a name: the sign, where the value begins, and whether it is an argument.
pub(super) fn operator(scan: &Scan<'_, '_>, start: usize, name: usize) -> Option<(u8, usize, bool)> {
    let blank = |b: u8| b == b' ' || b == b'\t';
    let mut at = name;
    let mut quoted = false;
    for _ in 0..3 {
        match scan.at(at) {
            b'\\' if matches!(scan.at(at + 1), b'"' | b'\'') => (at, quoted) = (at + 2, true),
            b'"' | b'\'' | b'`' => (at, quoted) = (at + 1, true),
            b']' if quoted || scan.before(start) == b':' => at += 1,
            _ => break,
        }
    }
    // `char password[32] = "…"`
    if scan.at(at) == b'[' && !quoted {
        let size = scan.run_of(at + 1, 24, |b| WORD[b as usize]);
        at = if scan.at(size) == b']' { size + 1 } else { at };
    }
    at = scan.run_of(at, 32, blank);
    let sign = scan.at(at);
    // The string may stand on the next line.
    let after = |n: usize| {
        let to = scan.run_of(n, 16, blank);
        let joined = matches!(scan.at(to), b'\\' | b'(') && matches!(scan.at(to + 1), b'\n' | b'\r');
        if !matches!(scan.at(to), b'\n' | b'\r') && !joined {
            return to;
        }
        let next = scan.run_of(to + usize::from(joined), 80, |b| b.is_ascii_whitespace());
        if matches!(scan.at(next), b'"' | b'\'') && to > n.saturating_sub(1) { next } else { to }
    };
    match (sign, scan.at(at + 1)) {
        (b'=' | b'!', b'=') => {
            Some((b'=', after(if scan.at(at + 2) == b'=' { at + 3 } else { at + 2 }), true))
        }
        (b'=', b'>') => Some((b'=', after(at + 2), true)),
        (b':' | b'?' | b'+' | b'.' | b'|' | b'&' | b'^', b'=') => {
            Some((b'=', after(at + 2), !scan.bare_at(at)))
        }
        // `::=` and `:::=` of make, `||=`, `??=`, `&&=`, `//=`
        (b':', b':') if scan.at(at + 2) == b'=' => Some((b'=', after(at + 3), !scan.bare_at(at))),
        (b':', b':') if scan.text[at..].starts_with(b":::=") => {
            Some((b'=', after(at + 4), !scan.bare_at(at)))
        }
        (b'|' | b'?' | b'&' | b'/', next) if next == sign && scan.at(at + 2) == b'=' => {
            Some((b'=', after(at + 3), true))
        }
        // R, Elm and others.
        (b'<', b'-') => Some((b'=', after(at + 2), true)),
        (b'<', b'<') if scan.at(at + 2) == b'-' => Some((b'=', after(at + 3), true)),
        (b'{', b'"') if !quoted => Some((b'=', at + 1, true)),
        // `Password { get; set; } = "…"` of C#
        (b'{', _) if !quoted => property(scan, at + 1).map(|from| (b'=', after(from), true)),
        // `"password" to "…"` of Kotlin, `"password" -> "…"` of Scala
        (b't', b'o') | (b'-', b'>') if quoted && matches!(scan.at(after(at + 2)), b'"' | b'\'') => {
            Some((b'=', after(at + 2), true))
        }
        (b'~', b'>') => Some((b'=', after(at + 2), true)),
        (b'=', _) => Some((b'=', after(at + 1), false)),
        (b':', b':') if matches!(scan.at(after(at + 2)), b'"' | b'\'') => Some((b'=', after(at + 2), true)),
        (b':', b':') => Some((b':', at + 1, false)),
        (b':', _) => {
            let typed = scan.run_of(at + 1, 24, |b| WORD[b as usize] || b" &'[]?.|".contains(&b));
            if !quoted && scan.at(typed) == b'=' && scan.at(typed + 1) != b'=' && typed > at + 1 {
                return Some((b'=', after(typed + 1), true));
            }
            Some((b':', after(at + 1), false))
        }
        (b'|', b'|') | (b'?', b'?') => Some((b'=', after(at + 2), true)),
        // `assertEqual(config.password, "…")`
        (b',', _) if !quoted && asserts(scan, name) => Some((b',', after(at + 1), true)),
        // `{default_pass, "…"}` and `-define(PASSWORD, "…")` of Erlang
        (b',', _) if !quoted && in_tuple(scan, start) => Some((b',', after(at + 1), true)),
        // `ENV.fetch("DB_PASSWORD") { "…" }`, `getenv("DB_PASSWORD") ?: "…"`
        (b')', _) if quoted => instead(scan, at + 1).map(|from| (b'=', from, true)),
        (b'A' | b'a', _)
            if scan.text[at..].len() > 12 && scan.text[at..at + 12].eq_ignore_ascii_case(b"as string = ") =>
        {
            Some((b'=', after(at + 12), true))
        }
        // `password string = "…"` of Go
        (b's' | b'S', _)
            if scan.text[at..].starts_with(b"tring = ") || scan.text[at + 1..].starts_with(b"tring = ") =>
        {
            Some((b'=', after(at + 9), true))
        }
        (b',', _) if quoted => {
            let next = after(at + 1);
            let line = scan.run_of(at + 1, 16, blank);
            let value = scan.string[next.min(scan.text.len())..]
                .get(1..6)
                .is_some_and(|word| word.eq_ignore_ascii_case("value"));
            Some((b',', if value { next } else { line }, true))
        }
        (b'(', _) if !quoted => Some((b'(', after(at + 1), true)),
        (b'>', _) => Some((b'>', at + 1, false)),
        _ => None,
    }
}

/// Behind the sign of a property that has its value from the start, from its brace on.
fn property(scan: &Scan<'_, '_>, from: usize) -> Option<usize> {
    let close = scan.run_of(from, 48, |b| b.is_ascii_alphabetic() || matches!(b, b' ' | b';'));
    let sign = scan.run_of(close + 1, 4, |b| b == b' ');
    let reads = scan.text[from..close].trim_ascii_start().starts_with(b"get;");
    (reads && scan.at(close) == b'}' && scan.at(sign) == b'=').then_some(sign + 1)
}

/// Whether a name is the first of a tuple, of what `-define` is given, or of a setting of Sinatra (`set :name, …`).
fn in_tuple(scan: &Scan<'_, '_>, start: usize) -> bool {
    let line = scan.line_before(scan.run_before(start, 32, |b| WORD[b as usize]), 10);
    line.ends_with(b"{") || line.ends_with(b"-define(") || line.ends_with(b"set :")
}

/// What is taken where a variable is not set: where it begins, behind the call that asks for it.
fn instead(scan: &Scan<'_, '_>, from: usize) -> Option<usize> {
    const SIGNS: [&str; 9] =
        ["{ ", "{", "|| ", "?? ", "?: ", "or ", ".unwrap_or(", ".orElse(", ".getOrElse("];
    let at = scan.run_of(from, 2, |b| b == b' ');
    let rest = scan.string.get(at..)?;
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    matches!(scan.at(at + sign.len()), b'"' | b'\'').then_some(at + sign.len())
}

fn asserts(scan: &Scan<'_, '_>, at: usize) -> bool {
    let line = scan.line_before(at, 120);
    [&b"assert"[..], b"expect", b"equal", b"is("].iter().any(|word| contains(line, word))
}

/// Behind `Some(`, `String::from(`, `new SecretString(`: where the string begins that is passed on.
fn unwrapped(scan: &Scan<'_, '_>, from: usize) -> usize {
    let binary = scan.text[from.min(scan.text.len())..].starts_with(b"<<\""); // `<<"…">>` of Erlang
    let mut at = from + 2 * usize::from(binary);
    for _ in 0..3 {
        let start = if scan.text[at.min(scan.text.len())..].starts_with(b"new ") { at + 4 } else { at };
        let to = scan.run_of(start, 24, |b| WORD[b as usize] || b".:[]".contains(&b));
        if scan.at(to) != b'(' || to == start || !WRAPPERS.contains(&format!(" {} ", &scan.string[start..to]))
        {
            break;
        }
        at = scan.run_of(to + 1, 4, |b| b == b' ');
    }
    let listed = matches!(scan.at(at), b'[' | b'(' | b'{') && matches!(scan.at(at + 1), b'"' | b'\'');
    if listed { at + 1 } else { at }
}

/// Behind the keyword of an argument: `fill_in "password", with: "VALUE"`.
pub(super) fn behind_keyword(scan: &Scan<'_, '_>, from: usize) -> usize {
    let keyword = [&b"with: "[..], b":with => "].into_iter().find(|word| scan.text[from..].starts_with(word));
    from + keyword.map_or(0, <[u8]>::len)
}

/// Where a value begins: behind what wraps it, and behind the account of `set_password(user, "VALUE")`.
pub(super) fn value(scan: &Scan<'_, '_>, a: &Assignment) -> usize {
    let wrapped = a.called || matches!(a.sign, b':' | b'=' | b',');
    let from = if wrapped { unwrapped(scan, a.from) } else { a.from };
    let word = scan.run_of(from, 40, |b| WORD[b as usize] || b == b'.');
    let second = told::argument(scan, word)
        .filter(|_| a.sign == b'(' && word > from && told::sets(scan, a.name.start));
    second.map_or(from, |inner| inner - 1)
}
