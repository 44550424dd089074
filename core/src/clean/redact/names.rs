//! Persons where code names them: authors, copyright lines, trailers of commits, bylines, `TODO(name)`.
//!
//! A name is two to five words that begin with a capital, initials and particles among them. Nothing decides that two
//! capitalised words are a person but where they stand, and that no word of theirs is one of companies and projects.

use super::bytes::{Scan, WORD};
use super::finding::Kind;

/// Where a name is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// `@author`, `Author:`, `authors = [`.
    Author,
    /// "Copyright".
    Copyright,
    /// "(c)", which needs a year.
    Sign,
    /// `Signed-off-by:`.
    Trailer,
    /// "written by".
    Byline,
    /// "by" where a line of a comment begins so.
    By,
    /// `TODO(name)`.
    Task,
}

/// Words of companies, projects and sentences; in lower case.
const NO_PERSON: &str = " a academy ag all alliance america american an and any apache apple applications arm array as \
associates association at authority authors automation aws bank based be berkeley board by c ca california canonical \
center centre chromium cloud co code college collective committee communications community company computer computing \
consortium consulting content contributors copyright core corp corporation council creative data department dept design \
developer developers development digital digitalocean distributed docker documentation each eclipse electronics embedded \
engine engines engineering publishers telecom robotics mobility enterprise enterprises eth european ev facebook federal file files for former foundation free from game games \
gmbh gnu go google government group groups hat hewlett holder holders ibm if imagination in inc incorporated industries \
infrastructure initiative innovation institute instruments intel interactive international internet is it its jquery js \
kernel lab labs laboratories laboratory dev optical access crypto institut box cisco wireless telecommunications insurance airlines motors energy electric dynamics analytics semiconductors bancorp language laboratories library license licensed licensing limited linux llc llp \
ltd lp machine maintainers management massachusetts media meta microsoft mit mobile module mozilla ms national nederland \
net network networks new node nokia not notice novell nv nvidia object of on one open or oracle org organization other \
others package packard partners permission physics plc portions print private product products project projects pty \
public publishing python qualcomm r red regents reserved research rights rust samsung sa science sciences sdk see \
semiconductor server service services shanghai silicon sl software solutions source sources standard standards state \
states statement studio studios sun suite support system systems team teams tech technical technologies technology \
test texas that the this to tools trust twitter uber unicode united university use used various ventures version \
video volunteers was web which with work working works year yahoo your you xerox zurich your-name name names full first \
last firstname lastname username email optional null none string user owner yyyy bsd gpl lgpl mpl spdx dual under \
original stichting centrum universität université universidad università hochschule max-planck fraunhofer sarl srl oy ab \
kk as bv spa java javascript api http html json xml utils helper class function method default generic simple base \
basic main index common tekniska högskolan kungliga universitet universiteit universitat uniwersytet politechnika \
politecnico polytechnique école ecole verein stiftung gesellschaft fondation fundação fundación akademie ";
const PARTICLES: &str =
    " van von de der den del della da di du la le el al bin ibn ten ter dos das af av zu y e st ";
/// Single words after `@author` or in `TODO(…)` that are nobody.
const NO_ACCOUNT: &str = " soon later perf performance optimize optimise cleanup fix bug test tests testing docs doc \
everyone anyone someone me you us team high low medium major minor important urgent security python python2 python3 \
windows linux macos mac ios android js ts api ci ssl tls http v1 v2 v3 next refactor maybe now release deprecated unsafe \
async sync build debug exhaustive redox teeos libc musl glibc riscv riscv64 arm arm64 aarch64 x86 x86_64 wasm powerpc mips s390x loongarch msrv semver breaking unstable nightly stable correctness safety const \
simd portability compat speed memory size style naming api-design design api-break upstream crbug issue gh jira feature error errors types typing mypy lint clang gcc ";
const BLANK: [u8; 2] = [b' ', b'\t'];

pub(super) fn find(scan: &mut Scan<'_, '_>, start: usize, end: usize, context: Context) {
    match context {
        Context::Author => author(scan, start, end),
        Context::Copyright => copyright(scan, end, false),
        Context::Sign => copyright(scan, end, true),
        Context::Trailer => {
            let from = scan.run_of(end, 4, |b| BLANK.contains(&b));
            people(scan, from, "trailer");
        }
        Context::Byline => {
            let from = scan.run_of(end, 4, |b| matches!(b, b' ' | b'\t' | b':' | b'"' | b'\''));
            if from > end {
                people(scan, from, "byline");
            }
        }
        Context::By => {
            let line = scan.line_before(start, 24);
            if line.len() < 24 && !line.is_empty() && line.iter().all(|b| b" \t#*-/%;!".contains(b)) {
                people(scan, end, "byline");
            }
        }
        Context::Task => task(scan, start, end),
    }
}

fn copyright(scan: &mut Scan<'_, '_>, end: usize, sign: bool) {
    let mut at = end;
    if !sign && scan.text[end..].starts_with(b"Text") {
        at += 4; // SPDX-FileCopyrightText
    }
    let mut year = false;
    // "(c)", "©", years, commas and "by", in any order.
    for _ in 0..24 {
        at = scan.run_of(at, 16, |b| matches!(b, b' ' | b'\t' | b',' | b':' | b'-' | b'.' | b';'));
        let rest = &scan.text[at..(at + 8).min(scan.text.len())];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let skip = match rest {
            _ if digits > 0 => {
                year |= digits == 4;
                digits
            }
            [b'(', b'c' | b'C', b')', ..] => 3,
            [0xc2, 0xa9, ..] => 2,
            [0xe2, 0x80, 0x93 | 0x94, ..] => 3, // dashes
            [b'&', b'c', b'o', b'p', b'y', b';', ..] => 6,
            [b'b' | b'B', b'y' | b'Y', b' ', ..] => 3,
            [b'p' | b'P', b'r', b'e', b's', b'e', b'n', b't', b' ', ..] => 8,
            _ => break,
        };
        at += skip;
    }
    // "(c) Jane Doe, May 1996": where the year comes last.
    let dated = |from: usize| {
        let behind = person(scan.string, from, 2).map(|to| &scan.text[to..(to + 24).min(scan.text.len())]);
        behind.is_some_and(|rest| {
            rest.windows(4)
                .any(|w| w.starts_with(b"19") || w.starts_with(b"20") && w.iter().all(u8::is_ascii_digit))
        })
    };
    if at > end && (year || !sign || dated(at)) {
        people(scan, at, "copyright");
    }
}

/// One name or several, with e-mail addresses and brackets between.
fn people(scan: &mut Scan<'_, '_>, from: usize, rule: &'static str) {
    let mut at = after_company(scan, from).unwrap_or(from);
    for _ in 0..16 {
        let Some(end) = person(scan.string, at, 2) else { return };
        if scan.at(end) != b'(' {
            scan.push(at, end, Kind::Name, rule);
        }
        let mut next = scan.run_of(end, 4, |b| BLANK.contains(&b));
        if let Some(close) = [(b'<', b'>'), (b'(', b')')].iter().find(|pair| pair.0 == scan.at(next)) {
            let inside = scan.run_of(next, 80, |b| b != close.1 && b != b'\n');
            next = if scan.at(inside) == close.1 { inside + 1 } else { return };
        }
        let gap = scan.run_of(next, 4, |b| matches!(b, b' ' | b'\t' | b',' | b'&' | b';' | b'/'));
        let word = &scan.text[gap..(gap + 4).min(scan.text.len())];
        at = if word.eq_ignore_ascii_case(b"and ") { gap + 4 } else { gap };
        if at == next {
            return;
        }
    }
}

/// Where persons begin behind a company, if two or more do: "Acme Services, Jane Doe, John Smith".
fn after_company(scan: &Scan<'_, '_>, from: usize) -> Option<usize> {
    if person(scan.string, from, 2).is_some() {
        return None;
    }
    let comma = scan.run_of(from, 40, |b| b != b',' && b != b'\n');
    let first = comma + 2;
    let next =
        person(scan.string, first, 2).filter(|_| scan.at(comma) == b',' && scan.at(comma + 1) == b' ')?;
    (scan.at(next) == b',' && person(scan.string, next + 2, 2).is_some()).then_some(first)
}

/// The end of a person's name of at least `least` words that begins at `from`.
fn person(text: &str, from: usize, least: usize) -> Option<usize> {
    let mut rest = text.get(from..)?;
    let (mut words, mut full, mut end, mut at) = (0, 0, from, from);
    while words < 6 {
        let length = rest
            .find(|c: char| !(c.is_alphabetic() || matches!(c, '.' | '\'' | '’' | '-')))
            .unwrap_or(rest.len());
        if length > 40 {
            return None;
        }
        let raw = &rest[..length];
        let word = raw.trim_end_matches(['-', '\'', '.']);
        let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
        let lower = word.to_lowercase();
        if word.is_empty() {
            break;
        } else if words > 0 && PARTICLES.contains(&format!(" {lower} ")) && !raw.ends_with('.') {
            at += length; // counts only if a name follows
        } else if NO_PERSON.contains(&format!(" {lower} ")) && !(initial && (raw.ends_with('.') || words > 0))
        {
            // "The Foo Bar Group", "Jane Doe Consulting": nobody, unless the name ended before ("Jane Doe and …").
            if word.starts_with(char::is_uppercase) || words == 0 {
                return None;
            }
            break;
        } else if initial || capitalised(word, words) {
            words += 1;
            full += usize::from(!initial);
            let dot = initial && raw.ends_with('.');
            end = at + word.len() + usize::from(dot);
            at += length;
            if raw.len() > word.len()
                && !dot
                && !(raw.ends_with('.') && matches!(lower.as_str(), "jr" | "sr" | "dr"))
            {
                break;
            }
        } else {
            break;
        }
        rest = &text[at..];
        if !rest.starts_with(' ') {
            break;
        }
        at += 1;
        rest = &rest[1..];
    }
    let company = [
        " Inc", ", Inc", " B.V", " N.V", " S.A", " GmbH", " AG,", " AB,", ", LLC", " LLC", ", Ltd", ", Corp",
        "'s",
    ]
    .iter()
    .any(|s| text[end..].starts_with(s));
    (words >= least && full >= 1 && words <= 5 && !company).then_some(end)
}

/// `Jane`, `McGee`, `O'Neil`, `Jean-Luc`, `Ángel`, and after a first name `DUPONT`; also scripts without case.
fn capitalised(word: &str, position: usize) -> bool {
    let mut characters = word.chars();
    let Some(first) = characters.next() else { return false };
    if first.is_lowercase() || word.chars().count() < 2 || word.contains('.') {
        return false;
    }
    let mut previous = first;
    let mut inner = 0;
    for c in characters {
        inner += usize::from(c.is_uppercase() && !matches!(previous, '-' | '\'' | '’'));
        previous = c;
    }
    let prefixed =
        ["Mc", "Mac", "De", "Di", "La", "Le", "Van", "Fitz", "Du", "O'"].iter().any(|p| word.starts_with(p));
    let shouted = word.chars().all(|c| c.is_uppercase() || !c.is_alphabetic());
    inner == 0 || (inner == 1 && prefixed) || (shouted && position > 0 && word.chars().count() > 2)
}

/// `@author NAME`, where one word is enough, and `author: NAME`, `"author": "NAME"`, `authors = ["NAME <…>"]`.
fn author(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let tag = matches!(scan.before(start), b'@' | b'\\')
        && scan.text[start..end].iter().all(u8::is_ascii_lowercase);
    let mut at = scan.run_of(end, 6, |b| b.is_ascii_alphabetic() || b == b'_');
    let rest = scan.string[end..at].trim_end_matches('_').to_ascii_lowercase();
    if !matches!(rest.as_str(), "" | "s" | "_name" | "name" | "(s)") {
        return;
    }
    if scan.text[at..].starts_with(b"(s)") {
        at += 3;
    }
    if tag && matches!(scan.at(at), b' ' | b'\t' | b':' | b'{') {
        let from = scan.run_of(at, 16, |b| matches!(b, b' ' | b'\t' | b':' | b'{' | b'-'));
        if person(scan.string, from, 2).is_some() {
            people(scan, from, "author");
        } else {
            account(scan, from);
        }
        return;
    }
    if scan.before(start) == b'<' && scan.at(at) == b'>' {
        people(scan, at + 1, "author"); // <authors>…</authors>
        return;
    }
    let sign = scan.run_of(at, 4, |b| matches!(b, b'"' | b'\'' | b' ' | b'\t' | b'*'));
    let line = scan.line_before(start, 16);
    let first = line.len() < 16 && line.iter().all(|b| b" \t#*-/%;!".contains(b)) && scan.text[start] == b'A';
    // `:author "Jane Doe"` of Lisp, "Author Jane Doe" where a line begins so.
    if scan.at(at) == b' '
        && (scan.before(start) == b':' && scan.before(sign) == b'"' || first && sign == at + 1)
    {
        people(scan, sign, "author");
        return;
    }
    if !matches!(scan.at(sign), b':' | b'=') || scan.at(sign + 1) == b'=' {
        return;
    }
    let from = scan.run_of(sign + 1, 40, |b| b.is_ascii_whitespace() || b"\"'[{*>u".contains(&b));
    let from = if scan.text[from..].starts_with(b"name") {
        scan.run_of(from + 4, 8, |b| matches!(b, b'"' | b'\'' | b' ' | b':' | b'='))
    } else {
        from
    };
    people(scan, from, "author");
    listed(scan, from);
}

/// The other strings of a list of authors: `["Jane …", "John …"]`.
fn listed(scan: &mut Scan<'_, '_>, from: usize) {
    let mut at = from;
    for _ in 0..32 {
        let end = scan.run_of(at, 120, |b| !matches!(b, b'"' | b'\'' | b'\n'));
        let next = scan.run_of(end + 1, 40, |b| b.is_ascii_whitespace() || b == b',');
        if !matches!(scan.at(end), b'"' | b'\'') || next == end + 1 || scan.at(next) != scan.at(end) {
            return;
        }
        at = next + 1;
        people(scan, at, "author");
    }
}

/// A single word after `@author`: an account or a first name, if nothing but an address or the line's end follows.
fn account(scan: &mut Scan<'_, '_>, from: usize) {
    let to = scan.run_of(from, 33, |b| WORD[b as usize] || matches!(b, b'.' | b'-') || b >= 0x80);
    let to = if scan.before(to) == b'.' { to - 1 } else { to };
    let after = scan.run_of(to, 16, |b| BLANK.contains(&b));
    let ends = matches!(scan.at(after), b'\n' | b'\r' | b'<' | b',' | b'*' | b'}')
        || scan.at(after) == b'(' && after > to;
    let Some(word) = scan.string.get(from..to) else { return };
    let lower = format!(" {} ", word.to_lowercase());
    if ends && (2..=32).contains(&word.len()) && word.starts_with(char::is_alphabetic) {
        let nobody = NO_PERSON.contains(&lower) || NO_ACCOUNT.contains(&lower);
        if !nobody {
            scan.push(from, to, Kind::Name, "author");
        }
    }
}

/// `TODO(name): …`.
fn task(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    if !scan.text[start..end - 1].iter().all(u8::is_ascii_uppercase) || !scan.fresh(start) {
        return;
    }
    let to = scan.run_of(end, 33, |b| WORD[b as usize] || matches!(b, b'.' | b'-' | b' '));
    let word = &scan.string[end..to];
    let close = to + usize::from(scan.at(to) == b'@'); // `TODO(name@)`
    let told = scan.at(close) == b')' && matches!(scan.at(close + 1), b':' | b' ' | b'\n' | b'\r');
    let lower = word.to_ascii_lowercase();
    let listed = |list: &str| list.contains(&format!(" {lower} "));
    let plain = !listed(NO_ACCOUNT) && !listed(NO_PERSON) && !lower.ends_with("team");
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let handle =
        !word.contains([' ', '_']) && digits <= 5 && word.starts_with(|c: char| c.is_ascii_lowercase());
    let first = scan.at(close + 1) == b':'
        && word.len() > 2
        && !word.contains(' ')
        && capitalised(word, 0)
        && digits == 0;
    let shaped =
        handle && !(digits > 0 && word.contains('.')) || first || person(scan.string, end, 2) == Some(to);
    if told
        && plain
        && shaped
        && (2..=32).contains(&word.len())
        && word.bytes().filter(|b| *b == b'-').count() < 2
    {
        scan.push(end, to, Kind::Name, "todo");
    }
}

/// Persons beside an address: `Jane Doe <address>`, `address (Jane Doe)`, `name = "Jane Doe", email = "address"`.
pub(super) fn beside_address(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    if scan.text[end..].starts_with(b" (")
        && person(scan.string, end + 2, 2).is_some_and(|to| scan.at(to) == b')')
    {
        people(scan, end + 2, "address");
    }
    match scan.before(start) {
        b'<' => before_bracket(scan, start - 1),
        b'"' => {
            let begin = start - scan.line_before(start, 120).len();
            let line = &scan.text[begin..start];
            for mark in [&b"name = \""[..], b"\"name\": \""] {
                if let Some(n) = memchr::memmem::find(line, mark) {
                    people(scan, begin + n + mark.len(), "address");
                }
            }
        }
        _ => {}
    }
}

/// The words before `<address>`; in a string of its own one word is enough.
fn before_bracket(scan: &mut Scan<'_, '_>, bracket: usize) {
    let mut close = scan.run_before(bracket, 2, |b| b == b' ');
    if close == bracket {
        return;
    }
    if scan.before(close) == b')' {
        let open = scan.run_before(close - 1, 40, |b| b != b'(' && b != b'\n');
        close = scan.run_before(open.saturating_sub(1), 2, |b| b == b' ');
    }
    let begin = scan.run_before(close, 60, |b| !b"\n\"'<>,;:()[]{}*#=/\t|@".contains(&b));
    let mut from = scan.string.ceil_char_boundary(begin.min(close));
    let word = scan.string.get(from..close).unwrap_or("");
    let quoted = matches!(scan.before(from), b'"' | b'\'');
    let single =
        quoted && word.len() > 1 && word.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if single && !NO_PERSON.contains(&format!(" {} ", word.to_lowercase())) {
        scan.push(from, close, Kind::Name, "address");
    }
    while from < close {
        if person(scan.string, from, 2) == Some(close) {
            scan.push(from, close, Kind::Name, "address");
            return;
        }
        match memchr::memchr(b' ', &scan.text[from..close]) {
            Some(n) => from += n + 1,
            None => return,
        }
    }
}
