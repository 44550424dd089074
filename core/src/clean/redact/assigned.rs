//! Values that are assigned to what is called a password, secret, token or key.

use super::bytes::{Scan, WORD, contains};
use super::candidate::{LONGEST, Strength, closing, judge, opening, quoted};
use super::{told, values};

/// What may follow the anchor within the name; with anything else it names something about a secret (`token_type`).
const ENDS: &str = " 1 2 3 s _1 _2 _key key _key_base _access_key accesskey _access_token _token token _value value _text text \
_string string _secret _password _plain plain _plaintext plaintext word phrase _hex hex _base64 base64 _b64 confirm _confirm \
confirmation _confirmation again _again repeat _repeat _new new _old old _default default _id id _data _cleartext ";
/// Around a string that is passed on as it is: `Some("…")`, `String::from("…")`, `[]byte("…")`.
const WRAPPERS: &str = " Some String::from SecretString::from SecretString Secret SecretStr Secret::new string str \
String bytes byte []byte strPtr stringPtr ptr.To pointer.String pointer.StringPtr aws.String to.Ptr Ok Optional.of of \
Buffer.from QString QStringLiteral QLatin1String NSString _T TEXT T unicode u S s SecureString Password types.StringValue \
to_bytes bytearray bytes.fromhex newPassword new_password Value ";
/// Before "token" in names of what opens something.
const OPENERS: [&str; 24] = [
    "access",
    "auth",
    "refresh",
    "api",
    "session",
    "user",
    "admin",
    "member",
    "bot",
    "bearer",
    "jwt",
    "service",
    "verify",
    "verification",
    "webhook",
    "private",
    "personal",
    "deploy",
    "root",
    "master",
    "security",
    "login",
    "backup",
    "registration",
];
fn known_end(rest: &str) -> bool {
    let rest = rest.to_ascii_lowercase().replace('-', "_");
    rest.len() < 16 && ENDS.contains(&format!(" {rest} "))
}

pub(super) fn find(scan: &mut Scan<'_, '_>, start: usize, end: usize, strength: Strength) {
    let name = scan.run_of(end, 24, |b| WORD[b as usize] || b == b'-');
    // "pass" within "password" and after `_`: those are anchors of their own, and say more.
    let longer = name > end && matches!(scan.text[end] | 0x20, b'w' | b'p' | b'c');
    if strength == Strength::Pass && (longer || scan.before(start) == b'_') {
        return;
    }
    let before = scan.line_before(start, 14);
    let of = before.to_ascii_lowercase();
    let of = of.trim_ascii_end();
    let of = of.strip_suffix(b"_").or(of.strip_suffix(b"-")).unwrap_or(of);
    let other = [
        &b"creation"[..],
        b"next",
        b"page",
        b"continuation",
        b"idempotency",
        b"request",
        b"pagination",
        b"handle",
        b"csrf",
        b"skip",
        b"sync",
        b"resume",
        b"cancel",
        b"sequence",
    ];
    if strength == Strength::Token && other.iter().any(|word| of.ends_with(word)) {
        return; // of pages and of requests, which open nothing
    }
    if contains(before, b"public") || before.to_ascii_lowercase().ends_with(b"username") {
        return; // `publicKeyToken` of .NET, `UsernamePassword("jane", …)`
    }
    if told::option(scan, start, end, name, strength) || name > end && !known_end(&scan.string[end..name]) {
        return;
    }
    // `secret_id`: what the name is about, unless the value shows itself.
    let about = scan.string[end..name].to_ascii_lowercase();
    if about.ends_with("id") && (contains(&scan.text[start..end], b"key") || strength == Strength::Token) {
        return; // `private_key_id`, `token_id` are no secrets, but where a format knows them
    }
    let opens = |word: &&str| of.ends_with(word.as_bytes());
    let strength = match strength {
        _ if about.ends_with("id") => Strength::Token,
        Strength::Token if OPENERS.iter().any(opens) => Strength::Access,
        other => other,
    };
    // A short anchor must be a word, or one of its parts: `pwd`, `dbPwd`, `DB_PWD`, but no part of another word.
    if end - start < 5 && !scan.fresh(start) && scan.text[start] != b'_' {
        let (a, b) = (scan.text[start - 1], scan.text[start]);
        let shouted = a.is_ascii_uppercase() && scan.text[start..end].iter().all(u8::is_ascii_uppercase);
        let part = (a.is_ascii_lowercase() || a.is_ascii_digit()) && b.is_ascii_uppercase();
        if a != b'_' && !part && !shouted && !joined(scan, start, name) {
            return;
        }
    }
    if told::fallback(scan, start, name, strength) {
        return;
    }
    if &scan.text[start..end] == b"PASS" && scan.text[name..].starts_with(b" :") {
        return told::find(scan, start, end, name, strength); // of IRC
    }
    let Some((sign, from, called)) = operator(scan, start, name) else {
        return told::find(scan, start, end, name, strength);
    };
    if sign == b':' && scan.at(from) == b':' && scan.before(from) == b':' {
        return told::ldif(scan, from + 1);
    }
    // "RefreshTokens (`0006_auto`)" of prose.
    if sign == b'(' && (told::getter(scan, start, strength) || scan.at(name) == b' ' && scan.at(from) == b'`')
    {
        return;
    }
    // Names of tokens in a smart card's address (RFC 7512).
    let card =
        || [&b"pkcs11:"[..], b"manufacturer="].iter().any(|w| contains(scan.line_before(start, 120), w));
    if strength == Strength::Token && sign == b'=' && card() {
        return;
    }
    let from = [&b"with: "[..], b":with => "]
        .iter()
        .find(|word| sign == b',' && scan.text[from..].starts_with(word))
        .map_or(from, |word| from + word.len());
    if scan.at(from) == b':' && scan.before(from) == b' ' {
        let stop = scan.run_of(from + 1, LONGEST, |b| WORD[b as usize]);
        return judge(scan, from + 1, stop, Strength::Pass); // a symbol of Ruby
    }
    let from =
        if called || sign == b':' || sign == b'=' || sign == b',' { unwrapped(scan, from) } else { from };
    // `set_password(user, "VALUE")`
    let word = scan.run_of(from, 40, |b| WORD[b as usize] || b == b'.');
    let second =
        told::argument(scan, word).filter(|_| sign == b'(' && word > from && told::sets(scan, start));
    let from = second.map_or(from, |inner| inner - 1);
    if let Some((open, inner)) = opening(scan, from) {
        let Some(stop) = closing(scan, open, inner) else { return };
        if scan.before(open) == b'{' && scan.at(stop + 1) == b':' {
            return; // accounts and their passwords
        }
        // "The secret", […]: only where the string before is the name.
        let left = scan.run_before(start, 24, |b| WORD[b as usize] || matches!(b, b'-' | b'.'));
        if sign == b',' && scan.at(name) != b',' && !matches!(scan.before(left), b'"' | b'\'' | b'`') {
            return;
        }
        if sign == b',' && scan.text[inner..stop].eq_ignore_ascii_case(b"value") {
            return told::attribute(scan, inner - 1, strength); // {"name": "password", "value": …}
        }
        // `mailPass = "…"`: a part of a name says more than the word, which is also what tests do.
        let part =
            strength == Strength::Pass && start > 0 && WORD[scan.text[start - 1] as usize] && name == end;
        if sign == b'(' && told::argument(scan, stop + 1).is_some() {
            return told::last(scan, start, inner, stop, strength);
        }
        let strength = match strength {
            Strength::Password if sign == b',' => Strength::Pass, // lists of strings
            _ if part => Strength::Password,
            other => other,
        };
        judge(scan, inner, stop, strength);
    } else if sign == b'>' {
        let stop = scan.run_of(from, LONGEST, |b| b > b' ' && b != b'<');
        if scan.at(stop) == b'<' && scan.at(stop + 1) == b'/' {
            judge(scan, from, stop, strength);
        }
    } else if !called && matches!(sign, b'=' | b':') {
        bare(scan, start, name, from, sign, strength);
    }
}

/// `smbpass=`, `newpass = `: the word before is what the password is for.
fn joined(scan: &Scan<'_, '_>, start: usize, name: usize) -> bool {
    const OF: &str = " admin api auth bind cert client db def default ftp http imap irc key keystore ldap link login mail my \
mysql new old oper pg pop proxy rpc root sasl server sip smb smtp sql srv ssh sudo temp test tmp truststore user vnc vpn \
web wifi xauth ";
    let from = scan.run_before(start, 16, |b| WORD[b as usize]);
    // Not in a list of strings.
    let next = scan.run_of(name, 3, |b| b"\"'] ".contains(&b));
    matches!(scan.at(next), b'=' | b':')
        && OF.contains(&format!(" {} ", scan.string[from..start].to_ascii_lowercase()))
}

/// What assigns, after a name: the sign, where the value begins, and whether it is an argument.
fn operator(scan: &Scan<'_, '_>, start: usize, name: usize) -> Option<(u8, usize, bool)> {
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
    at = scan.run_of(at, 32, blank);
    let sign = scan.at(at);
    let after = |n: usize| scan.run_of(n, 16, blank);
    match (sign, scan.at(at + 1)) {
        (b'=' | b'!', b'=') => {
            Some((b'=', after(if scan.at(at + 2) == b'=' { at + 3 } else { at + 2 }), true))
        }
        (b'=', b'>') => Some((b'=', after(at + 2), true)),
        (b':' | b'?' | b'+', b'=') => Some((b'=', after(at + 2), !scan.bare)),
        (b'=', _) => Some((b'=', after(at + 1), false)),
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
        // `password string = "…"` of Go
        (b's' | b'S', _)
            if scan.text[at..].starts_with(b"tring = ") || scan.text[at + 1..].starts_with(b"tring = ") =>
        {
            Some((b'=', after(at + 9), true))
        }
        (b',', _) if quoted => Some((b',', after(at + 1), true)),
        (b'(', _) if !quoted => Some((b'(', after(at + 1), true)),
        (b'>', _) => Some((b'>', at + 1, false)),
        _ => None,
    }
}

fn asserts(scan: &Scan<'_, '_>, at: usize) -> bool {
    let line = scan.line_before(at, 120);
    [&b"assert"[..], b"expect", b"equal", b"is("].iter().any(|word| contains(line, word))
}

/// Behind `Some(`, `String::from(`, `new SecretString(`: where the string begins that is passed on.
fn unwrapped(scan: &Scan<'_, '_>, from: usize) -> usize {
    let mut at = from;
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

/// `PASSWORD=value` in configuration, and within a string in code (`…;Password=value;`).
fn bare(scan: &mut Scan<'_, '_>, start: usize, name: usize, from: usize, sign: u8, strength: Strength) {
    if scan.before(start) == b'/' {
        return; // `scheme://password:…` of documentation
    }
    let stop = scan.run_of(from, LONGEST, |b| b > b' ' && b < 0x7f && !b";&\"'`,<>()[]{}|\\".contains(&b));
    let next = scan.at(stop);
    let apart =
        matches!(next, b'\n' | b'\r' | b' ' | b'\t' | b';' | b'&' | b'"' | b'\'' | b',' | b'<' | b'`');
    let tight = from > 0 && scan.text[from - 1] == sign;
    let within = sign == b'='
        && tight
        && (matches!(next, b';' | b'&' | b'"' | b'\'' | b' ' | b'\\' | b','))
        && quoted(scan, start);
    let config = scan.bare || sign == b':' && alone(scan, start, from, stop);
    let set = sign == b'=' && tight && exported(scan, start);
    if !(apart && (config || set || commented(scan, start)) || within) {
        return;
    }
    let value = &scan.text[from..stop];
    // `DB_PASSWORD= NEXT=value`
    let next = value.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
    if !tight && next > 2 && value.get(next) == Some(&b'=') {
        return;
    }
    let strength = match strength {
        Strength::Password if sign == b':' && !value.iter().any(u8::is_ascii_digit) => Strength::Secret, // prose: "password: something!"
        Strength::Password if !config && !within && !set => Strength::Pass,
        // `secret = testing123` of servers' configuration: the whole name, and one piece.
        Strength::Secret
            if sign == b'=' && scan.bare && &scan.text[start..name].to_ascii_lowercase()[..] == b"secret" =>
        {
            let one = value.iter().all(u8::is_ascii_alphanumeric);
            if one && scan.fresh(start) { Strength::Pass } else { strength }
        }
        other => other,
    };
    judge(scan, from, stop, strength);
}

/// Whether a variable of the environment is set, as scripts within programs do: `docker run -e DB_PASSWORD=…`.
fn exported(scan: &Scan<'_, '_>, start: usize) -> bool {
    let name = scan.run_before(start, 32, |b| WORD[b as usize]);
    let before = scan.line_before(name, 8);
    [&b"-e "[..], b"--env ", b"export ", b"ENV "].iter().any(|word| before.ends_with(word))
}

/// Whether a comment has begun on the line, in one of the ways of most languages.
fn commented(scan: &Scan<'_, '_>, at: usize) -> bool {
    let line = scan.line_before(at, 120).trim_ascii_start();
    [&b"#"[..], b"//", b"*", b"/*", b"--", b";;", b"%%", b"<!--", b"REM ", b"$ ", b"> "]
        .iter()
        .any(|sign| line.starts_with(sign))
        && !line.starts_with(b"#define")
}

/// Whether a line has nothing but a name, a colon and a value, as YAML has within the strings and comments of programs.
/// A type would stand there in code, so it must not look like one.
fn alone(scan: &Scan<'_, '_>, start: usize, from: usize, stop: usize) -> bool {
    let mark =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'\t' | b'_' | b'-' | b'#' | b'*' | b'/');
    let plain =
        |value: &str| values::words(value) && !value.contains(['!', '@', '#', '$', '%', '^', '&', '*']);
    let quotes = scan.run_of(stop, 3, |b| matches!(b, b'"' | b'\''));
    let ends = matches!(scan.at(stop), b'\n' | b'\r') || quotes > stop && !WORD[scan.at(quotes) as usize];
    ends && !plain(&scan.string[from..stop]) && scan.line_before(start, 80).iter().all(mark)
}
