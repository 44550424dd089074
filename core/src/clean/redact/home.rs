//! User names in the paths of home folders: `/home/NAME`, `/Users/NAME/`, `C:\Users\NAME\`, `/u/NAME/`.

use super::accounts::{group, someone};
use super::bytes::{Scan, WORD, contains};
use super::finding::Kind;

/// Folders that hold homes on file servers and large machines: `/export/home/`, `/usr/users/`, `/mnt/data/home/`.
const MOUNTS: &str = " usr opt export exports nfs mnt net data vol volumes srv afs gpfs lustre lus scratch work \
remote media cygdrive system auto automount disk raid sw san nas nas1 fs cluster hpc sysroot rootfs rhome mount pool \
tank zpool storage home homes root google lhome ";
/// In the line before a path that is a route of a site.
const ROUTES: [&[u8]; 12] = [
    b"url",
    b"route",
    b"href",
    b"slug",
    b"redirect",
    b"http",
    b"controller",
    b"visit",
    b"navigate",
    b"rewrite",
    b"get ",
    b"get(",
];

/// What a path is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `/home/`, `/Users/`.
    Unix,
    /// `\Users\`, `\Documents and Settings\`.
    Windows,
    /// `/u/`, which is many other things.
    Short,
}

pub(super) fn find(scan: &mut Scan<'_, '_>, start: usize, end: usize, place: Place) {
    let line = scan.line_before(start, 100);
    if line.ends_with(b"<user>") || !begins(scan, start, end, place) {
        return; // `/home/jane/home/jo/`: what was left alone stays so once the first is replaced
    }
    let separator = if place == Place::Windows { b'\\' } else { b'/' };
    let mut from = end;
    while scan.at(from) == separator && from < end + 2 {
        from += 1; // the backslash is doubled in strings
    }
    let mut to = name(scan, from);
    // Below a folder of one letter accounts begin with it.
    let grouped =
        to > from && group(&scan.string[from..to]) && (to > from + 1 || scan.at(to + 1) == scan.text[from]);
    if place != Place::Windows && scan.at(to) == b'/' && grouped {
        from = to + 1;
        to = name(scan, from);
    }
    if place == Place::Windows && scan.at(to) == b' ' && scan.at(to + 1).is_ascii_uppercase() {
        let more = name(scan, to + 1); // "John Smith"
        to = if scan.at(more) == b'\\' { more } else { to };
    }
    if to - from < 2 || to - from > 32 || !someone(&scan.string[from..to]) {
        return;
    }
    let file = line.ends_with(b"file://") || line.ends_with(b"file:") || place == Place::Windows;
    let near = &line[line.len().saturating_sub(40)..];
    let next = (scan.at(to), scan.at(to + 1));
    let within = matches!(next.0, b'/' | b'\\');
    let path = scan.run_of(to, 80, |b| b > b' ' && !b"\"'`<>)".contains(&b));
    let route = within && scan.before(path) == b'/' && ROUTES[..4].iter().any(|word| contains(near, word));
    let listed = next.0 == b':' && scan.at(to + 1) == b'/'; // of /etc/passwd, of a PATH
    if !file && (route || place == Place::Short && !within && !listed) {
        return;
    }
    let last = match next {
        (b'/', b'"' | b'\'' | b'`' | b'>' | b'<' | b')' | b'\n' | b'\r' | b' ') => true,
        (b'/' | b'\\', _) => false,
        (b'.', more) => matches!(more, b' ' | b'\n' | b'\r' | b'"' | b'\'' | b'<'),
        (byte, _) if ends(byte) => true,
        _ => return,
    };
    if last
        && (!shaped(&scan.text[from..to], place) || !file && ROUTES.iter().any(|word| contains(line, word)))
    {
        return;
    }
    if (last || within) && !(place == Place::Unix && served(scan, start, from, to)) {
        scan.push(from, to, Kind::User, "home");
    }
}

/// Endings of a program's own files.
const OF_PROGRAMS: [&[u8]; 12] = [
    b".cfg",
    b".conf",
    b".ini",
    b".py",
    b".pl",
    b".rb",
    b".sh",
    b".js",
    b".log",
    b".pid",
    b".sock",
    b".service",
];

/// Before the name of a package, where it is used or installed.
const PACKAGED: [&[u8]; 11] = [
    b"require('",
    b"require(\"",
    b"from '",
    b"from \"",
    b"import ",
    b"Package: ",
    b"apt install ",
    b"apt-get install ",
    b"npm install ",
    b"pip install ",
    b"systemctl start ",
];
/// How many names are looked for in the whole of a text: bounds the work.
const LOOKS: usize = 8;

/// Whether the text shows a program's account: its path names the program again (`/home/mrtg/cfg/mrtg.cfg`), services
/// are given the account before (`--chown=NAME`), it is an image's (`WORKDIR`), or a package is called so.
fn served(scan: &mut Scan<'_, '_>, start: usize, from: usize, to: usize) -> bool {
    const MADE: [&[u8]; 5] = [b"--chown=", b"runuser ", b"groupadd ", b"--system ", b"useradd -r "];
    let name = &scan.text[from..to];
    if name.len() < 3 {
        return false;
    }
    let path = scan.run_of(to, 120, |b| b.is_ascii_alphanumeric() || b"/._-+".contains(&b));
    let parts: Vec<&[u8]> = scan.text[to..path].split(|b| *b == b'/').skip(1).collect();
    let again = |(n, part): (usize, &&[u8])| {
        let hidden = part.strip_prefix(b".").is_some_and(|rest| rest.starts_with(name)); // `.pgpoolkey`
        // `mrtg`, `mrtg.cfg`, `mrtg-2`, `qpsmtpd`; not `jane.txt`, nor a folder somewhere below.
        part.strip_prefix(name).is_some_and(|rest| match rest {
            [] => n == 0 || n + 1 == parts.len(),
            [b'-', version, ..] => version.is_ascii_digit(),
            _ => OF_PROGRAMS.contains(&rest),
        }) || name.len() > 3 && part.len() > name.len() && (hidden || part.ends_with(name))
    };
    // Sites where people's folders are called after them.
    let hosts = [&b"github.com"[..], b"gitlab.com", b"bitbucket.org", b"mail", b"home", b"media", b"run"];
    let repeated = parts.iter().enumerate().any(again) && !parts.iter().any(|part| hosts.contains(part));
    let line = scan.line_before(start, 80).trim_ascii_start();
    let image = [&b"WORKDIR "[..], b"VOLUME ", b"ENV HOME"].iter().any(|word| line.starts_with(word));
    let begin = scan.run_before(start, 240, |_| true);
    let window = &scan.text[begin..start];
    let made = || {
        MADE.iter().any(|word| {
            memchr::memmem::find(window, word).is_some_and(|at| {
                let end = memchr::memchr(b'\n', &window[at..]).map_or(window.len(), |n| at + n);
                window[at + word.len()..end]
                    .split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))
                    .any(|token| token == name)
            })
        })
    };
    repeated || image || made() || packaged(scan, name)
}

/// Whether a package of the text is called so: `require('NAME')`, `Package: NAME`.
fn packaged<'t>(scan: &mut Scan<'t, '_>, name: &'t [u8]) -> bool {
    if let Some((_, known)) = scan.looked.iter().find(|(looked, _)| *looked == name) {
        return *known;
    }
    let text = scan.text;
    let used = scan.looked.len() < LOOKS
        && memchr::memmem::find_iter(text, name).take(64).any(|at| {
            let end = scan.at(at + name.len());
            !WORD[end as usize] && end != b'-' && PACKAGED.iter().any(|word| text[..at].ends_with(word))
        });
    if scan.looked.len() < LOOKS {
        scan.looked.push((name, used));
    }
    used
}

/// Where the run of a name's characters ends, without the dot of a sentence.
fn name(scan: &Scan<'_, '_>, from: usize) -> usize {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'~') || b >= 0x80;
    let mut to = scan.run_of(from, 33, part);
    while to > from && matches!(scan.text[to - 1], b'.' | b'-') {
        to -= 1;
    }
    to
}

/// What may stand behind a path.
fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`:;,)]}<>|&".contains(&byte)
}

/// Whether it looks like an account where nothing follows that shows it to be a folder.
fn shaped(name: &[u8], place: Place) -> bool {
    let capital = name[0].is_ascii_uppercase() && place != Place::Windows;
    !capital && !name.contains(&b'-') && name.iter().filter(|b| b.is_ascii_digit()).count() < 4
}

/// Whether a path from the root begins at or before `start`, and no route of a site goes on there.
fn begins(scan: &Scan<'_, '_>, start: usize, end: usize, place: Place) -> bool {
    let anchor = &scan.text[start..end];
    let before = scan.before(start);
    let drive = before == b':'
        && start > 1
        && scan.text[start - 2].is_ascii_alphabetic()
        && (start == 2 || !scan.text[start - 3].is_ascii_alphanumeric());
    match place {
        Place::Windows => {
            return anchor.eq_ignore_ascii_case(b"\\users\\")
                || contains(scan.line_before(start, 14), b"documents and");
        }
        Place::Short => return anchor == b"/u/" && (before <= b' ' || b"\"'`:=(,".contains(&before)),
        Place::Unix if drive => return true,
        Place::Unix => {}
    }
    let line = scan.line_before(start, 64);
    // `-I/home/…`, `/c/Users/…` of shells on Windows.
    let option = matches!(line[..], [.., b'-', letter] if letter.is_ascii_alphabetic());
    let shell = matches!(line[..], [.., b'/', letter] if letter.is_ascii_alphabetic());
    if matches!(anchor, b"/home/" | b"/Users/")
        && !matches!(before, b'.' | b'_' | b'-' | b'}' | b')')
        && (scan.fresh(start) || option || shell || line.to_ascii_lowercase().ends_with(b"%3a"))
    {
        return true;
    }
    // Below a folder that holds homes; the path must begin at the root.
    let path = line.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"/._-".contains(b)).count();
    let path = &line[line.len() - path..];
    let head = path.strip_prefix(b"/").unwrap_or(b"");
    let first = head.split(|b| *b == b'/').next().unwrap_or(b"");
    let first = String::from_utf8_lossy(first).to_ascii_lowercase();
    let first = first.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(anchor, b"/home/" | b"/Users/" | b"/users/")
        && path.len() < line.len().max(1) + 1
        && path.starts_with(b"/")
        && !path.starts_with(b"//")
        && MOUNTS.contains(&format!(" {first} "))
        && !first.is_empty()
}
