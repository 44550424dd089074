//! Private keys in PEM armour: the body goes, the BEGIN and END lines stay.
//!
//! A body in one piece becomes one placeholder, so the lines of a raw block become one. Where the body is spread over
//! string literals, each of its lines becomes a placeholder, and quotes and operators stay.

use super::bytes::Scan;
use super::finding::Kind;
use memchr::memmem;

const LARGEST: usize = 32 << 10; // bytes of a block; RSA of 16,384 bits takes 13 kB
const SHORTEST: usize = 16; // base64 characters of a line: shorter ones are prose or code

pub(super) fn find(scan: &mut Scan<'_, '_>, begin: usize) {
    let label = &scan.text[begin..(begin + 64).min(scan.text.len())];
    let Some(end) = memmem::find(label, b"PRIVATE KEY").map(|n| begin + n + 11) else { return };
    let Some(dashes) = memmem::find(&scan.text[end..(end + 12).min(scan.text.len())], b"-----") else {
        return;
    };
    let body = end + dashes + 5;
    let mut stop = closer(scan, body);
    if stop == usize::MAX || stop - body > LARGEST {
        stop = scan.run_of(body, LARGEST, |b| base64(b) || matches!(b, b'\n' | b'\r'));
    }
    let text = &scan.text[body..stop];
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    while from < text.len() {
        if text[from] == b'\\' {
            from += 2; // an escape such as \n, whose letter is not base64
            continue;
        }
        let to = from + text[from..].iter().take_while(|b| base64(**b)).count();
        if to - from >= SHORTEST || (!lines.is_empty() && to - from >= 4) {
            lines.push((from, to));
        }
        from = to.max(from) + 1;
        if to > from - 1 && to < text.len() && text[to] == b'\\' {
            from = to;
        }
    }
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return };
    if lines.iter().all(|(a, b)| b - a < SHORTEST) {
        return;
    }
    let one =
        text[first.0..last.1].iter().all(|b| base64(*b) || matches!(b, b'\n' | b'\r' | b' ' | b'\t' | b'\\'));
    if one {
        let (first, last) = (first.0, last.1);
        scan.push(body + first, body + last, Kind::Key, "pem");
    } else {
        for (a, b) in lines {
            scan.push(body + a, body + b, Kind::Key, "pem");
        }
    }
}

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The next `-----END`; it is looked for once, however many BEGINs there are before it.
fn closer(scan: &mut Scan<'_, '_>, from: usize) -> usize {
    match scan.closer {
        Some((since, found)) if since <= from && from <= found => found,
        _ => {
            let found = memmem::find(&scan.text[from..], b"-----END").map_or(usize::MAX, |n| from + n);
            scan.closer = Some((from, found));
            found
        }
    }
}
