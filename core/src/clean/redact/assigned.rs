//! Values that are assigned to what is called a password, secret, token or key.

use super::assignment::{Assignment, behind_keyword, operator, value};
use super::bytes::{Scan, WORD, contains};
use super::candidate::{LONGEST, Name, Strength, closing, judge, opening, quoted};
use super::{calls, elements, told, values};

/// What may follow the anchor within the name; with anything else it names something about a secret (`token_type`).
const ENDS: &str = " 1 2 3 s _1 _2 _key key _key_base _access_key accesskey _access_token _token token _value value _text text \
_string string _secret _password _plain plain _plaintext plaintext word phrase _hex hex _base64 base64 _b64 confirm _confirm \
confirmation _confirmation again _again repeat _repeat _new new _old old _default default _id id _data _cleartext .key ";
/// Before "token" in names of what opens something.
const OPENERS: [&str; 50] = [
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
    "gitlab",
    "github",
    "asana",
    "discord",
    "slack",
    "jira",
    "atlassian",
    "bitbucket",
    "heroku",
    "netlify",
    "snyk",
    "sonar",
    "vault",
    "telegram",
    "facebook",
    "twitter",
    "fastly",
    "cloudflare",
    "datadog",
    "okta",
    "zendesk",
    "npm",
    "pypi",
    "identity",
    "oauth",
    "sidekiq",
];
/// Before "token" in names of what is no secret.
const OF_REQUESTS: [&str; 14] = [
    "creation",
    "next",
    "page",
    "continuation",
    "idempotency",
    "request",
    "pagination",
    "handle",
    "csrf",
    "skip",
    "sync",
    "resume",
    "cancel",
    "sequence",
];

/// What to do about something, where a question about it is answered with yes.
type Case<T> = (fn(&Scan<'_, '_>, &T) -> bool, fn(&mut Scan<'_, '_>, &T));

/// Does what the first case says that holds. Whether one did.
fn decide<T>(scan: &mut Scan<'_, '_>, what: &T, cases: &[Case<T>]) -> bool {
    let found = cases.iter().find(|(when, _)| when(scan, what));
    found.inspect(|(_, then)| then(scan, what)).is_some()
}

/// Nothing: what is there is no secret, or another anchor's.
fn leave<T>(_: &mut Scan<'_, '_>, _: &T) {}

/// A string that is assigned.
struct Literal {
    to: Assignment,
    open: usize,
    inner: usize,
    stop: usize,
}

/// What the anchor and its name decide, before anybody asks how much the name says.
const ANCHORS: [Case<Name>; 6] = [
    (is_another_anchor, leave),
    (opens_nothing, leave),
    (is_public, leave),
    (told::is_option, told::option),
    (is_about_a_secret, leave),
    (is_number_of_a_key, leave),
];

/// What the name alone decides.
const NAMES: [Case<Name>; 3] =
    [(is_no_word, leave), (told::is_fallback, told::fallback), (is_command_of_irc, told::find)];

/// What the sign and the name decide.
const ASSIGNMENTS: [Case<Assignment>; 4] = [
    (is_ldif, |scan, a| told::ldif(scan, a.from + 1)),
    (is_argument_of_getter, leave),
    (is_token_of_card, leave),
    (is_symbol, symbol),
];

/// What a string decides.
const LITERALS: [Case<Literal>; 9] = [
    (is_account, |scan, l| elements::object(scan, l.open, l.to.name.strength)),
    (repeats_its_name, leave),
    (is_among_strings, leave),
    (is_attribute, |scan, l| elements::attribute(scan, l.inner - 1, l.to.name.strength)),
    (is_name_below, leave),
    (has_more_arguments, |scan, l| told::last(scan, l.to.name.start, l.inner, l.stop, l.to.name.strength)),
    (is_word_in_list, |scan, l| judge(scan, l.inner, l.stop, Strength::Pass)),
    // `mailPass = "…"`: a part of a name says more than the word, which is also what tests do.
    (is_part_of_name, |scan, l| judge(scan, l.inner, l.stop, Strength::Password)),
    (|_, _| true, |scan, l| judge(scan, l.inner, l.stop, l.to.name.strength)),
];

/// What a value without quotes decides.
const BARE: [Case<Assignment>; 5] = [
    (is_block, block),
    (is_object, |scan, a| elements::object(scan, a.from + 1, a.name.strength)),
    (|_, a| a.sign == b',', |scan, a| elements::beside(scan, a.name.start, a.from, a.name.strength)),
    (|_, a| a.sign == b'>', element),
    (|_, a| !a.called && matches!(a.sign, b'=' | b':'), bare),
];

/// From an anchor on.
pub(super) fn find(scan: &mut Scan<'_, '_>, start: usize, end: usize, anchor: Strength) {
    let stop = scan.run_of(end, 24, |b| WORD[b as usize] || b == b'-');
    // `play.http.secret.key`
    let dotted = scan.text[stop..].starts_with(b".key") && !WORD[scan.at(stop + 4) as usize];
    let stop = stop + 4 * usize::from(dotted && stop == end);
    let name = Name { start, end, stop, anchor, strength: anchor };
    if decide(scan, &name, &ANCHORS) {
        return;
    }
    let name = Name { strength: strength(scan, &name), ..name };
    if decide(scan, &name, &NAMES) {
        return;
    }
    if let Some((from, to)) = calls::compared(scan, start) {
        return judge(scan, from, to, name.strength);
    }
    let Some((sign, from, called)) = operator(scan, start, name.stop) else {
        return told::find(scan, &name);
    };
    let from = if sign == b',' { behind_keyword(scan, from) } else { from };
    let mut assignment = Assignment { name, sign, from, called };
    if decide(scan, &assignment, &ASSIGNMENTS) {
        return;
    }
    assignment.from = value(scan, &assignment);
    let Some((open, inner)) = opening(scan, assignment.from) else {
        decide(scan, &assignment, &BARE);
        return;
    };
    if let Some(stop) = closing(scan, open, inner) {
        decide(scan, &Literal { to: assignment, open, inner, stop }, &LITERALS);
    }
}

/// How much a whole name says.
fn strength(scan: &Scan<'_, '_>, name: &Name) -> Strength {
    match name.anchor {
        // `secret_id`: what the name is about, unless the value shows itself.
        _ if ends_in_id(&scan.text[name.end..name.stop]) => Strength::Token,
        Strength::Token if follows_any(scan, name.start, &OPENERS) => Strength::Access,
        other => other,
    }
}

fn ends_in_id(rest: &[u8]) -> bool {
    rest.last_chunk::<2>().is_some_and(|last| last.eq_ignore_ascii_case(b"id"))
}

/// Whether one of `words` stands before a name, or before the anchor within it.
fn follows_any(scan: &Scan<'_, '_>, start: usize, words: &[&str]) -> bool {
    let before = scan.line_before(start, 14).to_ascii_lowercase();
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b"_").or(before.strip_suffix(b"-")).unwrap_or(before);
    words.iter().any(|word| before.ends_with(word.as_bytes()))
}

/// Whether `text` ends with `word`, in any case of letters.
fn ends_with(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
}

/// "pass" within "password" and after `_`: those are anchors of their own, and say more.
fn is_another_anchor(scan: &Scan<'_, '_>, name: &Name) -> bool {
    let longer = name.stop > name.end && matches!(scan.text[name.end] | 0x20, b'w' | b'p' | b'c');
    let pass = name.anchor == Strength::Pass && name.end == name.start + 4;
    pass && (longer || scan.before(name.start) == b'_')
}

/// Tokens of pages and of requests, which open nothing.
fn opens_nothing(scan: &Scan<'_, '_>, name: &Name) -> bool {
    name.anchor == Strength::Token && follows_any(scan, name.start, &OF_REQUESTS)
}

/// `publicKeyToken` of .NET, `UsernamePassword("jane", …)`.
fn is_public(scan: &Scan<'_, '_>, name: &Name) -> bool {
    let before = scan.line_before(name.start, 14);
    let word = scan.run_before(name.start, 14, |b| WORD[b as usize] || matches!(b, b'-' | b'.'));
    contains(&scan.text[word..name.start], b"public") || ends_with(before, b"username")
}

fn is_about_a_secret(scan: &Scan<'_, '_>, name: &Name) -> bool {
    let rest = &scan.string[name.end..name.stop];
    let known = || {
        let rest = rest.to_ascii_lowercase().replace('-', "_");
        let number = rest.strip_prefix('_').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        rest.len() < 16 && number || rest.len() < 16 && ENDS.contains(&format!(" {rest} "))
    };
    !rest.is_empty() && !known()
}

/// `private_key_id`, `token_id` are no secrets, but where a format knows them.
fn is_number_of_a_key(scan: &Scan<'_, '_>, name: &Name) -> bool {
    ends_in_id(&scan.text[name.end..name.stop])
        && (contains(&scan.text[name.start..name.end], b"key") || name.anchor == Strength::Token)
}

/// A short anchor must be a word, or one of its parts: `pwd`, `dbPwd`, `DB_PWD`, but no part of another word.
fn is_no_word(scan: &Scan<'_, '_>, &Name { start, end, stop, .. }: &Name) -> bool {
    let senha = scan.text[start..end].eq_ignore_ascii_case(b"senha"); // "desenha" draws
    if end - start >= 5 && !senha || scan.fresh(start) || scan.text[start] == b'_' {
        return false;
    }
    let (a, b) = (scan.text[start - 1], scan.text[start]);
    let shouted = a.is_ascii_uppercase() && scan.text[start..end].iter().all(u8::is_ascii_uppercase);
    let part = (a.is_ascii_lowercase() || a.is_ascii_digit()) && b.is_ascii_uppercase();
    a != b'_' && !part && !shouted && !joined(scan, start, stop)
}

/// `PASS :VALUE`.
fn is_command_of_irc(scan: &Scan<'_, '_>, name: &Name) -> bool {
    &scan.text[name.start..name.end] == b"PASS" && scan.text[name.stop..].starts_with(b" :")
}

fn is_ldif(scan: &Scan<'_, '_>, a: &Assignment) -> bool {
    a.sign == b':' && scan.at(a.from) == b':' && scan.before(a.from) == b':'
}

/// `getSecret("NAME")`, and "RefreshTokens (`0006_auto`)" of prose.
fn is_argument_of_getter(scan: &Scan<'_, '_>, a: &Assignment) -> bool {
    let prose = || scan.at(a.name.stop) == b' ' && scan.at(a.from) == b'`';
    a.sign == b'(' && (told::getter(scan, a.name.start, a.name.strength) || prose())
}

/// Names of tokens in a smart card's address (RFC 7512).
fn is_token_of_card(scan: &Scan<'_, '_>, a: &Assignment) -> bool {
    let line = || scan.line_before(a.name.start, 120);
    a.name.strength == Strength::Token
        && a.sign == b'='
        && [&b"pkcs11:"[..], b"manufacturer="].iter().any(|word| contains(line(), word))
}

fn is_symbol(scan: &Scan<'_, '_>, a: &Assignment) -> bool {
    scan.at(a.from) == b':' && scan.before(a.from) == b' '
}

/// A symbol of Ruby.
fn symbol(scan: &mut Scan<'_, '_>, a: &Assignment) {
    let stop = scan.run_of(a.from + 1, LONGEST, |b| WORD[b as usize]);
    judge(scan, a.from + 1, stop, Strength::Pass);
}

/// `{"jane": "VALUE"}`: accounts and their passwords; but `{"value": "VALUE"}`.
fn is_account(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    scan.before(l.open) == b'{' && scan.at(l.stop + 1) == b':'
}

/// `encryptionKey = "encryptionKey1024"`.
fn repeats_its_name(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    let anchor = scan.text[l.to.name.start..l.to.name.end].to_ascii_lowercase();
    anchor.ends_with(b"key") && contains(&scan.text[l.inner..l.stop], &anchor)
}

/// The first name of a mapping that stands on the next line: `password:`, and below it `"min": …`.
fn is_name_below(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    let line = scan.line_before(l.open, 64);
    let indented = line.iter().all(|b| matches!(b, b' ' | b'\t'));
    let next = scan.run_of(l.stop + 1, 2, |b| b == b' ');
    indented && matches!(scan.at(next), b':' | b'=')
}

/// "The secret", […]: only where the string before is the name.
fn is_among_strings(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    let Name { start, stop, .. } = l.to.name;
    let left = scan.run_before(start, 24, |b| WORD[b as usize] || matches!(b, b'-' | b'.'));
    l.to.sign == b',' && scan.at(stop) != b',' && !matches!(scan.before(left), b'"' | b'\'' | b'`')
}

/// {"name": "password", "value": …}
fn is_attribute(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    l.to.sign == b',' && scan.text[l.inner..l.stop].eq_ignore_ascii_case(b"value")
}

fn has_more_arguments(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    l.to.sign == b'(' && told::argument(scan, l.stop + 1).is_some()
}

fn is_word_in_list(_: &Scan<'_, '_>, l: &Literal) -> bool {
    l.to.name.strength == Strength::Password && l.to.sign == b','
}

fn is_part_of_name(scan: &Scan<'_, '_>, l: &Literal) -> bool {
    let Name { start, end, stop, strength, .. } = l.to.name;
    strength == Strength::Pass && start > 0 && WORD[scan.text[start - 1] as usize] && stop == end
}

/// `<password>VALUE</password>`.
fn element(scan: &mut Scan<'_, '_>, a: &Assignment) {
    elements::text(scan, a.from, a.name.strength);
}

/// A block of YAML: `password: |`, and the value on the next line.
fn is_block(scan: &Scan<'_, '_>, a: &Assignment) -> bool {
    a.sign == b':' && matches!(scan.at(a.from), b'|' | b'>' | b'\n' | b'\r') && scan.bare_at(a.name.start)
}

/// `"adminPassword": {"type": "securestring", …`
fn is_object(scan: &Scan<'_, '_>, a: &Assignment) -> bool {
    matches!(a.sign, b':' | b'=') && scan.at(a.from) == b'{'
}

fn block(scan: &mut Scan<'_, '_>, a: &Assignment) {
    let folded = matches!(scan.at(a.from), b'|' | b'>');
    let head = a.from + usize::from(folded);
    let stop = scan.run_of(head, 2, |b| matches!(b, b'-' | b'+' | b'1'..=b'9'));
    let from = scan.run_of(stop, 80, |b| b.is_ascii_whitespace());
    let to = scan.run_of(from, LONGEST, |b| b > b' ');
    let indented = matches!(scan.before(from), b' ' | b'\t');
    if matches!(scan.at(stop), b'\n' | b'\r') && matches!(scan.at(to), b'\n' | b'\r') && indented {
        let plain = a.name.strength == Strength::Password && !folded;
        // What is below a name without a sign may be a name itself.
        if folded || !scan.text[from..to].contains(&b':') {
            judge(scan, from, to, if plain { Strength::Pass } else { a.name.strength });
        }
    } else if !folded {
        elements::below(scan, a.name.start, stop, a.name.strength);
    }
}

/// `smbpass=`, `newpass = `: the word before is what the password is for.
fn joined(scan: &Scan<'_, '_>, start: usize, name: usize) -> bool {
    const OF: &str = " admin api auth bind cert client db def default ftp http imap irc key keystore ldap link local login mail my nexus relay remote \
mysql new old oper pg pop proxy rpc root sasl server sip smb smtp sql srv ssh sudo temp test tmp truststore user vnc vpn \
web wifi xauth ";
    let from = scan.run_before(start, 16, |b| WORD[b as usize]);
    // Not in a list of strings.
    let next = scan.run_of(name, 3, |b| b"\"'] ".contains(&b));
    matches!(scan.at(next), b'=' | b':')
        && OF.contains(&format!(" {} ", scan.string[from..start].to_ascii_lowercase()))
}

/// `PASSWORD=value` in configuration, and within a string in code (`…;Password=value;`).
fn bare(scan: &mut Scan<'_, '_>, assignment: &Assignment) {
    let &Assignment { name: Name { start, stop: name, strength, .. }, sign, from, .. } = assignment;
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
    // `{password: VALUE}` of YAML
    let flow = next == b'}'
        && sign == b':'
        && !tight
        && scan.bare_at(start)
        && scan.line_before(start, 120).contains(&b'{');
    let config = scan.bare_at(start) || sign == b':' && alone(scan, start, from, stop);
    let set = sign == b'=' && tight && exported(scan, start);
    if !((apart || flow) && (config || set || commented(scan, start)) || within) {
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
            if sign == b'='
                && scan.bare_at(start)
                && &scan.text[start..name].to_ascii_lowercase()[..] == b"secret" =>
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
    [&b"-e "[..], b"--env ", b"export ", b"ENV ", b"%env ", b"set_env "]
        .iter()
        .any(|word| before.ends_with(word))
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
