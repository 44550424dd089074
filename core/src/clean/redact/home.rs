//! User names in the paths of home folders: `/home/NAME`, `/Users/NAME/`, `C:\Users\NAME\`, `/u/NAME/`.

use super::Kind;
use super::accounts::{group, someone};
use super::bytes::{Scan, contains};

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
    if place != Place::Windows && scan.at(to) == b'/' && to > from && group(&scan.string[from..to]) {
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
    if last || within {
        scan.push(from, to, Kind::User, "home");
    }
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
