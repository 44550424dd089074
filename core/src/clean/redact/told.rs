//! Passwords that no sign assigns: options of commands, attributes, statements of SQL, `.netrc`, headers.

use super::bytes::{Scan, WORD, contains, decoded, of_value};
use super::candidate::{LONGEST, Name, Strength, closing, judge, opening, quoted};
use super::finding::Kind;
use super::{calls, elements, kept, tokens, values};

/// Words before "password" in lines that give one without a sign: routers, `.netrc`, SQL.
const LINES: [&[u8]; 9] = [
    b"username ",
    b"login ",
    b"enable ",
    b"machine ",
    b"user ",
    b"neighbor ",
    b"role ",
    b"account ",
    b"sshpass ",
];

/// After a name without a sign behind it.
pub(super) fn find(scan: &mut Scan<'_, '_>, name: &Name) {
    let &Name { start, end, stop: name, strength, .. } = name;
    if let Some(from) = method(scan, name) {
        let strength = if strength == Strength::Password { Strength::Pass } else { strength };
        if let Some((open, inner)) = opening(scan, from)
            && let Some(stop) = closing(scan, open, inner)
        {
            judge(scan, inner, stop, strength);
        }
        return;
    }
    if let Some((from, to)) = kept::subversion(scan, name) {
        return judge(scan, from, to, Strength::Certain);
    }
    if matches!(scan.at(name), b' ' | b'\t') && is_variable(scan, start) {
        return variable(scan, start, name, strength);
    }
    if let Some(brace) = elements::variable(scan, start, name) {
        return elements::object(scan, brace + 1, strength);
    }
    match scan.at(name) {
        b'"' | b'\'' if matches!(scan.at(name + 1), b'\n' | b'\r' | b',') => {
            elements::beside(scan, start, name + 1, strength)
        }
        b'"' | b'\'' => elements::attribute(scan, name + 1, strength),
        b'\n' | b'\r' if scan.bare_at(start) => elements::beside(scan, start, name, strength),
        b'*' if scan.at(name + 1) == b' ' => {
            // `(defvar *password* "VALUE")`
            if let Some((open, inner)) = opening(scan, name + 2)
                && let Some(stop) = closing(scan, open, inner)
            {
                judge(scan, inner, stop, strength);
            }
        }
        b'<' => elements::following(scan, name, strength),
        b' ' if scan.before(start) == b'<' => elements::element(scan, name, strength),
        b' ' | b'\t' if name == end => spaced(scan, start, end, strength),
        _ => {}
    }
}

/// Statements that set a variable, whose name and value stand behind them.
const SETTERS: [&[u8]; 8] =
    [b"ENV", b"%env", b"%set_env", b"setenv", b"setx", b"setx /M", b"aws configure set", b"npm config set"];

/// Whether a name stands behind one of them, or behind `set -x` of fish.
fn is_variable(scan: &Scan<'_, '_>, start: usize) -> bool {
    let head = scan.run_before(start, 64, |b| WORD[b as usize] || b"-./:".contains(&b));
    let line = scan.line_before(head, 48);
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"$ ").unwrap_or(line);
    let of_option = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'-' | b' ');
    let exports = |rest: &[u8]| rest.iter().all(of_option) && rest.contains(&b'x');
    let first = matches!(scan.before(head), b' ' | b'\t');
    first && (SETTERS.contains(&line) || line.strip_prefix(b"set -").is_some_and(exports))
}

/// `ENV API_KEY VALUE`, `setx DB_PASSWORD VALUE`.
fn variable(scan: &mut Scan<'_, '_>, start: usize, name: usize, strength: Strength) {
    let from = scan.run_of(name, 8, |b| b == b' ' || b == b'\t');
    let strength = if strength == Strength::Password { Strength::Pass } else { strength };
    if let Some((open, inner)) = opening(scan, from) {
        if let Some(stop) = closing(scan, open, inner) {
            judge(scan, inner, stop, strength);
        }
    } else if scan.bare_at(start) || quoted(scan, start) {
        let to = value(scan, from);
        judge(scan, from, to, strength);
    }
}

/// Methods that type a value into a field, or compare with one.
const METHODS: &str = " val type fill fillIn send_keys sendKeys setValue set_value setText typeText toBe toEqual \
toStrictEqual equal equals eq eql isEqualTo ";

/// Where the argument of a method behind a name begins: `$("#password").val("VALUE")`, `expect(token).to.equal("VALUE")`.
fn method(scan: &Scan<'_, '_>, name: usize) -> Option<usize> {
    let mut at = scan.run_of(name, 4, |b| b"\"'])`".contains(&b));
    for _ in 0..4 {
        if at == name || scan.at(at) != b'.' {
            return None;
        }
        let to = scan.run_of(at + 1, 16, |b| WORD[b as usize]);
        if scan.at(to) == b'(' {
            let known = METHODS.contains(&format!(" {} ", &scan.string[at + 1..to]));
            return known.then(|| scan.run_of(to + 1, 2, |b| b == b' '));
        }
        at = to;
    }
    None
}

/// `${DB_PASSWORD:-VALUE}` of shells and Compose, `${db.password:VALUE}` of Spring: whether it is a placeholder.
pub(super) fn is_fallback(scan: &Scan<'_, '_>, name: &Name) -> bool {
    let head = scan.run_before(name.start, 48, |b| WORD[b as usize] || matches!(b, b'.' | b'-'));
    scan.line_before(head, 2).ends_with(b"${")
}

/// The value of such a placeholder, if it has one.
pub(super) fn fallback(scan: &mut Scan<'_, '_>, name: &Name) {
    let &Name { stop: name, strength, .. } = name;
    let from = scan.run_of(name, 2, |b| matches!(b, b':' | b'-' | b'='));
    let stop = scan.run_of(from, LONGEST, |b| b > b' ' && b < 0x7f && !b"\"'`{}$".contains(&b));
    if from > name && scan.at(stop) == b'}' && !matches!(scan.at(from), b'?' | b'+') {
        judge(scan, from, stop, strength);
    } else if from == name && scan.at(name) == b'}' && scan.bare_at(name) {
        of_robot(scan, name, strength);
    }
}

/// `${PASSWORD}    VALUE` of Robot Framework, on a line of its own: two blanks or more part what stands there.
fn of_robot(scan: &mut Scan<'_, '_>, name: usize, strength: Strength) {
    let head = scan.run_before(name, 64, |b| WORD[b as usize] || matches!(b, b' ' | b'-' | b'.'));
    let sign = scan.run_of(name + 1, 1, |b| b == b' ');
    let sign = if scan.at(sign) == b'=' { sign + 1 } else { name + 1 };
    let from = scan.run_of(sign, 80, |b| matches!(b, b' ' | b'\t'));
    let parted = from > sign + 1 || scan.before(from) == b'\t';
    let to = value(scan, from);
    if scan.line_before(head, 3) == b"${" && parted && matches!(scan.at(to), b'\n' | b'\r') {
        judge(scan, from, to, strength);
    }
}

/// Where the next argument's string begins, behind a string.
pub(super) fn argument(scan: &Scan<'_, '_>, from: usize) -> Option<usize> {
    let comma = scan.run_of(from, 4, |b| b == b' ');
    let next = scan.run_of(comma + 1, 4, |b| b == b' ');
    let some = scan.text[next.min(scan.text.len())..].starts_with(b"Some(\""); // of Rust
    let next = next + 5 * usize::from(some);
    (scan.at(comma) == b',' && matches!(scan.at(next), b'"' | b'\'')).then_some(next + 1)
}

/// What a function does whose argument is the name of a secret, or a question for it.
const GETTERS: [&str; 15] = [
    "get", "fetch", "load", "read", "find", "lookup", "delete", "remove", "revoke", "describe", "list",
    "has", "ask", "prompt", "enter",
];

/// Whether a function's argument is the name of a secret: `getSecret("…")`; what is reset is named too, but a password.
pub(super) fn getter(scan: &Scan<'_, '_>, start: usize, strength: Strength) -> bool {
    let from = scan.run_before(start, 32, |b| WORD[b as usize]);
    let head = &scan.string[from..start];
    let of = |verb: &str| {
        head.get(..verb.len()).is_some_and(|h| h.eq_ignore_ascii_case(verb))
            && head[verb.len()..].starts_with(|c: char| c == '_' || c.is_ascii_uppercase())
            || head.eq_ignore_ascii_case(verb)
    };
    GETTERS.iter().any(|verb| of(verb)) || strength != Strength::Password && of("reset")
}

/// Whether a function sets a password, or takes one of an account: `set_password`, `UserPassword`.
pub(super) fn sets(scan: &Scan<'_, '_>, start: usize) -> bool {
    let head = scan.line_before(start, 8).to_ascii_lowercase();
    [&b"set_"[..], b"set", b"add_", b"user", b"change_", b"create_"].iter().any(|word| head.ends_with(word))
}

/// Of several arguments: the last, where an account comes before (`set_password("service", "jane", "VALUE")`), else the
/// first.
pub(super) fn last(scan: &mut Scan<'_, '_>, start: usize, inner: usize, stop: usize, strength: Strength) {
    let (mut from, mut to) = (inner, stop);
    if sets(scan, start) {
        for _ in 0..4 {
            let Some(next) = argument(scan, to + 1) else { break };
            let Some(end) = closing(scan, next - 1, next) else { return };
            (from, to) = (next, end);
        }
    }
    judge(scan, from, to, if strength == Strength::Password { Strength::Pass } else { strength });
}

/// `ConvertTo-SecureString "VALUE" -AsPlainText` of PowerShell, with and without the option's name and quotes.
pub(super) fn secure_string(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let mut from = scan.run_of(end, 4, |b| b == b' ');
    for option in [&b"-AsPlainText "[..], b"-Force ", b"-String ", b"-AsPlainText ", b"-String ", b"-Force "]
    {
        if scan.text.len() > from
            && scan.text[from..].len() >= option.len()
            && scan.text[from..from + option.len()].eq_ignore_ascii_case(option)
        {
            from += option.len();
        }
    }
    if let Some((open, inner)) = opening(scan, from) {
        if let Some(stop) = closing(scan, open, inner) {
            judge(scan, inner, stop, Strength::Certain);
        }
    } else if matches!(scan.at(from), b'-' | b'\n') {
        // `"VALUE" | ConvertTo-SecureString`
        let pipe = scan.run_before(start, 3, |b| b == b' ' || b == b'|');
        if let Some((inner, stop)) = calls::ended(scan, pipe).filter(|_| pipe < start) {
            judge(scan, inner, stop, Strength::Certain);
        }
    } else if !matches!(scan.at(from), b'$' | b'(') {
        let to = value(scan, from);
        judge(scan, from, to, Strength::Password);
    }
}

/// `PASSWORD 'VALUE'` of SQL and of languages without brackets, `login jane password VALUE`, `password is "VALUE"`.
fn spaced(scan: &mut Scan<'_, '_>, start: usize, end: usize, strength: Strength) {
    let head = scan.run_before(start, 32, |b| WORD[b as usize]);
    if scan.before(head) == b'$' {
        return; // a variable among arguments
    }
    let mut from = scan.run_of(end, 8, |b| b == b' ' || b == b'\t');
    for word in [&b"is "[..], b"of ", b"to ", b"was ", b"0 ", b"7 "] {
        if scan.text[from..].starts_with(word) {
            from += word.len();
            break;
        }
    }
    let authorization = || contains(scan.line_before(start, 40), b"authorization");
    let strong = match strength {
        Strength::Password => Strength::Pass,
        Strength::Token | Strength::Access if authorization() => Strength::Secret,
        other => other,
    };
    let word = &scan.text[start..end];
    if matches!(word, b"password" | b"passwd" | b"pass" | b"Pass")
        && scan.bare_at(start)
        && kept::netrc(scan, start)
    {
        let quotes = scan.run_of(from, 1, |b| matches!(b, b'"' | b'\''));
        let to = scan.run_of(quotes, LONGEST, |b| b > b' ' && (quotes == from || b != scan.before(quotes)));
        return judge(scan, quotes, to, Strength::Certain);
    }
    if strength == Strength::Pass {
        return protocol(scan, start, end, from); // else "pass 'x'" of tests
    }
    if let Some((open, inner)) = opening(scan, from) {
        if let Some(stop) = closing(scan, open, inner) {
            judge(scan, inner, stop, strong);
        }
        return;
    }
    let line = scan.line_before(start, 120);
    let said = scan.bare_at(start)
        && strength == Strength::Password
        && (scan.text[..from].ends_with(b" is ") || scan.text[..from].ends_with(b" was "));
    let given = strength == Strength::Password
        && (scan.fresh(start) && LINES.iter().any(|word| contains(line, word))
            || scan.text[start..end].eq_ignore_ascii_case(b"requirepass")
            || [&b"ENV "[..], b"%env ", b"%set_env ", b"setenv ", b"set "]
                .iter()
                .any(|word| line.trim_ascii_start().starts_with(word)));
    if (given || said || strong == Strength::Secret && strength != Strength::Secret)
        && (scan.bare_at(start) || quoted(scan, start))
    {
        let mut to = value(scan, from);
        to -= usize::from(said && scan.before(to) == b'.' && to > from);
        judge(scan, from, to, strong);
    } else if strength == Strength::Password && is_setting(scan, head, start, end) {
        let to = value(scan, from);
        if matches!(scan.at(to), b'\n' | b'\r') {
            judge(scan, from, to, strong);
        }
    }
}

/// `bindpw VALUE`, `remote_password VALUE`: whether a name stands first on a line of configuration and is no plain word,
/// as prose has.
fn is_setting(scan: &Scan<'_, '_>, head: usize, start: usize, end: usize) -> bool {
    let known = [&b"bindpw"[..], b"rootpw", b"masterauth"];
    scan.bare_at(start)
        && scan.line_before(head, 80).iter().all(|b| matches!(b, b' ' | b'\t'))
        && (head < start || known.iter().any(|name| scan.text[start..end].eq_ignore_ascii_case(name)))
}

/// `PASS :VALUE` of IRC, `PASS VALUE\r\n` in a string.
fn protocol(scan: &mut Scan<'_, '_>, start: usize, end: usize, from: usize) {
    let colon = scan.at(from) == b':';
    let from = from + usize::from(colon);
    let to = value(scan, from);
    let sent = scan.text[to..].starts_with(b"\\r\\n");
    if &scan.text[start..end] == b"PASS" && (colon && scan.at(from) > b' ' || sent) && quoted(scan, start) {
        judge(scan, from, to, Strength::Password);
    }
}

fn value(scan: &Scan<'_, '_>, from: usize) -> usize {
    scan.run_of(from, LONGEST, of_value)
}

/// `--password VALUE`, `--db-pass=VALUE`, `-Password:VALUE`, `-passin pass:VALUE`: whether it is an option.
pub(super) fn is_option(scan: &Scan<'_, '_>, &Name { start, end, stop, .. }: &Name) -> bool {
    let head = scan.run_before(start, 32, |b| WORD[b as usize] || b == b'-');
    let dashed = scan.at(head) == b'-'
        && head < start
        && matches!(scan.before(head), b' ' | b'"' | b'\'' | b'`' | b'\t' | b'\n' | b'[' | b'(');
    dashed
        && matches!(&scan.string[end..stop], "" | "in" | "out" | "word" | "phrase" | "-in" | "-out")
        && matches!(scan.at(stop), b' ' | b'=' | b':')
        && (scan.bare_at(head) || quoted(scan, head) || scan.at(head + 1) == b'-')
}

/// The value of such an option.
pub(super) fn option(scan: &mut Scan<'_, '_>, name: &Name) {
    let mut from = name.stop + 1;
    if scan.text[from..].starts_with(b"pass:") {
        from += 5;
    } else if [&b"file:"[..], b"env:", b"fd:"].iter().any(|of| scan.text[from..].starts_with(of)) {
        return; // where OpenSSL reads one
    }
    from += usize::from(matches!(scan.at(from), b'"' | b'\''));
    let to = value(scan, from);
    let strong = match name.anchor {
        Strength::Token | Strength::Access => Strength::Secret,
        Strength::Random => Strength::Random,
        _ => Strength::Password,
    };
    judge(scan, from, to, strong);
}

/// `Authorization: Bearer VALUE`, `Basic VALUE`.
pub(super) fn bearer(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let basic = scan.text[start..end].eq_ignore_ascii_case(b"basic ");
    let to = scan.run_of(end, LONGEST, |b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    let value = &scan.string[end..to];
    let yes = if basic {
        // An account and a password, whatever they look like.
        let pair = |text: Vec<u8>| {
            let readable = |text: &str| !text.chars().any(|c| c.is_control() || c == '\u{fffd}');
            text.len() > 4 && text.contains(&b':') && std::str::from_utf8(&text).is_ok_and(readable)
        };
        let told = scan.text[start] == b'B' || contains(scan.line_before(start, 48), b"auth");
        told && value.len() >= 8 && decoded(value).is_some_and(pair)
    } else {
        value.len() >= 12 && tokens::secret(value)
            || (8..40).contains(&value.len()) && tokens::mixed_case(value)
    };
    if yes {
        scan.push(end, to, Kind::Password, "authorization");
    }
}

/// `userPassword:: VALUE` of LDIF, in base64; what it holds is judged, and hashes stay.
pub(super) fn ldif(scan: &mut Scan<'_, '_>, from: usize) {
    let from = scan.run_of(from, 4, |b| b == b' ');
    let to = scan.run_of(from, LONGEST, |b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    let inside = decoded(&scan.string[from..to]).and_then(|bytes| String::from_utf8(bytes).ok());
    if scan.bare_at(from) && inside.is_some_and(|text| values::password(&text)) {
        scan.push(from, to, Kind::Password, "password");
    }
}

/// `IDENTIFIED BY 'VALUE'` of SQL.
pub(super) fn identified(scan: &mut Scan<'_, '_>, end: usize) {
    let mut from = scan.run_of(end, 4, |b| b == b' ');
    if scan.text[from.min(scan.text.len())..].starts_with(b"PASSWORD ") {
        from += 9;
    }
    if let Some((open, inner)) = opening(scan, from)
        && let Some(stop) = closing(scan, open, inner)
    {
        judge(scan, inner, stop, Strength::Password);
    }
}

/// Commands that take a password behind an option of one letter, and the option as it stands before it.
const COMMANDS: [(&[u8], &[u8]); 35] = [
    (b"sshpass", b" -p"),
    (b"plink", b" -pw "),
    (b"pscp", b" -pw "),
    (b"sqlcmd", b" -P "),
    (b"mongo", b" -p "),
    (b"mongosh", b" -p "),
    (b"mongodump", b" -p "),
    (b"mongorestore", b" -p "),
    (b"xfreerdp", b" /p:"),
    (b"lftp", b" -u "),
    (b"htpasswd", b" -b"),
    (b"rabbitmqctl add_user", b" "),
    (b"rabbitmqctl change_password", b" "),
    (b"mysql", b" -p"),
    (b"mysqldump", b" -p"),
    (b"mysqladmin", b" -p"),
    (b"docker login", b" -p "),
    (b"podman login", b" -p "),
    (b"skopeo login", b" -p "),
    (b"registry login", b" -p "),
    (b"az login", b" -p "),
    (b"oc login", b" -p "),
    (b"cf login", b" -p "),
    (b"openssl", b" -k "),
    (b"ldapsearch", b" -w "),
    (b"ldapmodify", b" -w "),
    (b"ldapadd", b" -w "),
    (b"ldapwhoami", b" -w "),
    (b"redis-cli", b" -a "),
    (b"ipmitool", b" -P "),
    (b"smbclient", b"%"),
    (b"net use", b" /user:"),
    (b"net user", b" "),
    (b"zip -P", b" "),
    (b"unzip -P", b" "),
];

/// `sshpass -p VALUE`, `mysql -u jane -pVALUE`, `smbclient -U jane%VALUE`: from the name of a command.
pub(super) fn command(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let Some((_, option)) = COMMANDS.iter().find(|c| c.0 == &scan.text[start..end]) else { return };
    let limit = scan.run_of(end, 120, |b| b != b'\n' && b != b'|');
    let windows = scan.text[start..end].starts_with(b"net use"); // in PowerShell too, which is read as code
    let spoken = windows || scan.bare_at(start) || quoted(scan, start);
    if !scan.fresh(start) || scan.at(end) != b' ' || !spoken {
        return;
    }
    let Some(place) = memchr::memmem::find(&scan.text[end..limit], option) else { return };
    let mut from = end + place + option.len();
    from = scan.run_of(from, 1, |b| b == b' ' && option.ends_with(b"-p") && start + 7 == end);
    if scan.text[start..end].starts_with(b"rabbitmqctl") {
        from = scan.run_of(from, 64, |b| b > b' ') + 1; // behind the account
    }
    let skip = |from: usize, stop: u8| scan.run_of(from, 80, |b| b > b' ' && b != stop) + 1;
    from = match &scan.text[start..end] {
        b"lftp" => skip(from, b','),
        b"htpasswd" => skip(skip(skip(from, b' '), b' '), b' '), // letters, the file, the account
        b"net use" | b"net user" => skip(from, b' '),            // the account
        _ => from,
    };
    if matches!(scan.before(from), b'\n' | b'\r') {
        return; // the line ends before
    }
    let from = from + usize::from(matches!(scan.at(from), b'"' | b'\''));
    let to = value(scan, from);
    let ends = matches!(scan.at(to), b'\n' | b'\r') || scan.text[to..].starts_with(b" /");
    if ends || &scan.text[start..end] != b"net user" {
        judge(scan, from, to, Strength::Pass);
    }
}

/// `SetBasicAuth("jane", "VALUE")`, `getConnection(url, "jane", "VALUE")`: the last of two or three arguments, strings
/// but for the first.
pub(super) fn pair(scan: &mut Scan<'_, '_>, end: usize) {
    let from = scan.run_of(end, 2, |b| b == b' ');
    let mut at = match opening(scan, from) {
        Some((open, inner)) => closing(scan, open, inner).map(|stop| stop + 1),
        None => Some(scan.run_of(from, 40, |b| WORD[b as usize] || b == b'.')),
    };
    let mut found = None;
    for _ in 0..2 {
        let Some(next) = at.and_then(|at| argument(scan, at)) else { break };
        let Some(stop) = closing(scan, next - 1, next) else { break };
        (found, at) = (Some((next, stop)), Some(stop + 1));
    }
    let anonymous = |stop: usize| scan.before(stop) == b'@'; // `"jane@"`, as FTP asks for
    if let Some((next, stop)) = found.filter(|&(_, stop)| !anonymous(stop)) {
        judge(scan, next, stop, Strength::Pass);
    }
}
