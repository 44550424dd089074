//! Versions of four numbers, by what asks for them: requirements, coordinates, images, fields of manifests.

use super::bytes::{Scan, WORD, contains};

/// Before numbers that are an address.
pub(super) const ADDRESSES: [&[u8]; 40] = [
    b" ip",
    b"_ip",
    b"\"ip",
    b"'ip",
    b"ip=",
    b"ip:",
    b"addr",
    b"host:",
    b"host=",
    b"host\"",
    b"host'",
    b"host ",
    b"hostname",
    b"server",
    b"ping",
    b"dns",
    b"ssh",
    b"connect ",
    b"connect(",
    b"connected",
    b"peer",
    b"proxy",
    b"master",
    b"zone",
    b"gateway",
    b"route",
    b"subnet",
    b"allow ",
    b"deny_",
    b"allow_",
    b"deny ",
    b"forwarded",
    b"resolver",
    b"netmask",
    b"inet",
    b"remote",
    b"endpoint",
    b"listen",
    b"tcp",
    b"udp",
];

/// Words for what has an address, as names of what one is assigned to or asked of.
const HOLDERS: [&[u8]; 37] = [
    b"ip",
    b"addr",
    b"host",
    b"server",
    b"src",
    b"dst",
    b"node",
    b"peer",
    b"dns",
    b"gateway",
    b"gw",
    b"proxy",
    b"remote",
    b"endpoint",
    b"bind",
    b"listen",
    b"url",
    b"upstream",
    b"master",
    b"slave",
    b"replica",
    b"target",
    b"client",
    b"from",
    b"tcp",
    b"udp",
    b"ssh",
    b"router",
    b"subnet",
    b"network",
    b"net",
    b"public",
    b"private",
    b"origin",
    b"source",
    b"destination",
    b"sender",
];

/// Whether a name holds addresses: one of its parts is such a word, `db_host`, `publicIp`, `node1`.
fn holds(name: &[u8]) -> bool {
    let mut from = 0;
    (1..=name.len()).any(|at| {
        let ends = at == name.len()
            || !name[at].is_ascii_alphabetic()
            || name[at].is_ascii_uppercase() && !name[at - 1].is_ascii_uppercase();
        if !ends {
            return false;
        }
        let part = &name[from..at];
        from = if at < name.len() && !name[at].is_ascii_alphabetic() { at + 1 } else { at };
        HOLDERS.iter().any(|word| {
            part.len() >= word.len()
                && (part[..word.len()].eq_ignore_ascii_case(word)
                    && (word.len() > 3 || part.len() <= word.len() + 1)
                    || word.len() > 2 && part[part.len() - word.len()..].eq_ignore_ascii_case(word))
        })
    })
}

/// Whether what stands before numbers asks for a version of something: `foo>=N`, `group:name:N`, `scope/name@N`,
/// `"name" % "N"`, `gem 'name', '~> N'`, `name: N`.
pub(super) fn required(scan: &Scan<'_, '_>, start: usize) -> bool {
    let line = scan.line_before(start, 120);
    if [&b"find_package("[..], b"find_dependency("].iter().any(|call| contains(line, call)) {
        return true; // of CMake
    }
    let quote = usize::from(matches!(scan.before(start), b'"' | b'\''));
    let open = scan.run_before(start - quote, 2, |b| b == b' ');
    let sign = scan.run_before(open, 3, |b| b"=<>!~^@:%,".contains(&b));
    let signs = &scan.text[sign..open];
    let of_name = |b: u8| WORD[b as usize] || matches!(b, b'-' | b'.' | b'/' | b']' | b'@');
    let gap = scan.run_before(sign, 3, |b| b == b' ');
    let mark = usize::from(matches!(scan.before(gap), b'"' | b'\''));
    let name = scan.run_before(gap - mark, 64, of_name);
    let name_text = &scan.text[name..gap - mark];
    let letters = name_text.iter().any(u8::is_ascii_alphabetic);
    let low = scan.run_of(start, 15, |b| b.is_ascii_digit() || b == b'.');
    let low =
        scan.string[start..low].split('.').take(4).all(|octet| octet.parse().is_ok_and(|n: u16| n < 100));
    let compared =
        matches!(signs, b">=" | b"<=" | b"==" | b"!=" | b"~=" | b"===" | b"~>" | b"^" | b"~" | b">" | b"<");
    match signs {
        // Of Ruby, Elixir and Podfiles: the sign stands within the quotes.
        b"~>" | b"^" | b"~" => true,
        _ if compared && letters && !holds(name_text) => quote == 0 || signs == b"~=",
        // `,<5.6.7.8` and `,!=5.6.7.8` go on with what was asked.
        [b',', ..] if signs.len() > 1 => true,
        b"=" if scan.before(gap) == b'(' => true, // Debian's `(= N)`
        b"@" => {
            let url =
                scan.line_before(start, 200).rsplit(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
            let path = url.splitn(4, |b| *b == b'/').nth(3).is_some();
            let scoped = url.starts_with(b"@") || url.contains(&b'/') && !contains(url, b"://");
            path || scoped || low && installs(scan.line_before(start, 120))
        }
        b"%" => true, // sbt
        b":" if open == start && quote == 0 => {
            // A coordinate or an image: `group:name:N`, `corp/name:N`.
            let before = scan.before(name);
            let group = scan.run_before(name - usize::from(before == b':'), 64, of_name);
            let grouped = before == b':' && group < name - 1 && !holds(&scan.text[group..name - 1]);
            let path = name_text.contains(&b'/') && !name_text.starts_with(b"/");
            let told = holds(name_text) || before == b':' && !grouped;
            letters && !told && (grouped || path || low)
        }
        b":" | b"=" | b"=>" | b":=" => letters && low && !holds(name_text),
        // `[group/name "N"]` of Leiningen, `gem 'name', 'N'`, `pod 'name', 'N'`.
        b"," if quote == 1 && mark == 1 => low && letters && installs(scan.line_before(name, 40)),
        b"" if quote == 1 && open < start - 1 => low && scan.before(name) == b'[' && letters,
        b"" if quote == 0 && scan.before(start) == b'(' => {
            low && scan.run_before(start - 1, 1, |b| b == b' ') < start - 1
                && scan.at(scan.run_of(start, 15, |b| b.is_ascii_digit() || b == b'.')) == b')'
                && scan.line_before(start, 80).iter().all(|b| of_name(*b) || matches!(b, b' ' | b'('))
                && !holds(scan.line_before(start, 80))
        }
        b"" => {
            // `lib/name2/N/`
            let path = scan.before(start) == b'/' && scan.before(start - 1).is_ascii_digit();
            let part = scan
                .run_before(start.saturating_sub(1), 40, |b| WORD[b as usize] || matches!(b, b'-' | b'.'));
            path && scan.text[part..start].first().is_some_and(u8::is_ascii_alphabetic)
        }
        _ => false,
    }
}

/// Whether the text around numbers says that they are a version: `@since N`, `GeneratedCode("tool", "N")`, `-ge 'N'`,
/// the heading of a release with its date, "from N to N".
pub(super) fn told(scan: &Scan<'_, '_>, start: usize, end: usize) -> bool {
    let quote = |b: u8| matches!(b, b'"' | b'\'' | b'`');
    let open = scan.run_before(start, 2, |b| quote(b) || b == b'v');
    let close = scan.run_of(end, 2, quote);
    let line = scan.line_before(open, 160);
    let near = line.trim_ascii_end();
    // PowerShell orders versions; addresses are only equal or not.
    if [&b" -ge"[..], b" -gt", b" -le", b" -lt"].iter().any(|sign| near.ends_with(sign)) {
        return true;
    }
    let name = scan.run_before(open, 4, |b| b" (=:".contains(&b));
    if name < open && ends_with(scan.line_before(name, 5), b"since") {
        return true;
    }
    quote(scan.before(start)) && near.ends_with(b"\",") && contains(line, b"generatedcode")
        || dated(scan, start, end)
        || changed(scan, line, open, close)
}

fn ends_with(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
}

/// Whether a line has nothing but numbers and a date: `## 1.2.3.4 (2020-01-01)`, `[1.2.3.4] - 2020-01-01`.
fn dated(scan: &Scan<'_, '_>, start: usize, end: usize) -> bool {
    let head = scan.line_before(start, 16);
    let from = scan.run_of(end, 6, |b| b" ]-(:,".contains(&b));
    let to = scan.run_of(from, 10, |b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.'));
    let date = &scan.text[from..to];
    let year = date.first_chunk::<2>().is_some_and(|year| matches!(year, b"19" | b"20"));
    let stop = scan.run_of(to, 3, |b| b") \r".contains(&b));
    head.iter().all(|b| b" \t#*=[v".contains(b))
        && from > end
        && date.len() == 10
        && year
        && matches!(date[4], b'-' | b'/' | b'.')
        && date[4] == date[7]
        && scan.at(stop) == b'\n'
}

/// Whether a line tells of another version: "Bumped foo from N to N", and nothing of addresses.
fn changed(scan: &Scan<'_, '_>, line: &[u8], open: usize, close: usize) -> bool {
    const WORDS: [&[u8]; 6] = [b"bump", b"upgrad", b"updat", b"downgrad", b"version", b"release"];
    let of_number = |b: u8| b.is_ascii_digit() || b".`'\"v".contains(&b);
    let first = line.ends_with(b"from ") && {
        let rest = &scan.text[close..];
        rest.starts_with(b" to ") && scan.run_of(close + 4, 3, of_number) > close + 5
    };
    let second = line.ends_with(b" to ") && {
        let from = scan.run_before(open - 4, 20, of_number);
        from + 4 < open && scan.line_before(from, 5) == b"from "
    };
    (first || second)
        && WORDS.iter().any(|word| contains(line, word))
        && !ADDRESSES.iter().any(|word| contains(line, word))
}

/// Whether a line installs packages, or names one.
fn installs(line: &[u8]) -> bool {
    let words: [&[u8]; 16] = [
        b"install", b"npm ", b"yarn ", b"pnpm ", b"gem ", b"pod ", b"brew ", b"uses:", b"apt", b"pip",
        b"require", b"npx ", b"package", b"docker", b"image", b"cargo ",
    ];
    words.iter().any(|word| contains(line, word))
}
