//! Private keys in containers other than PEM: PuTTY's files, PKCS#12, PKCS#8, OpenSSH and Java's key stores in base64,
//! PEM in base64, JSON Web Keys, .NET's XML.

use super::bytes::Scan;
use super::finding::Kind;

/// What base64 begins with that holds a private key. `.` stands for any character of base64: a length.
pub(super) const HEADS: [(&str, &[u8]); 21] = [
    ("LS0tLS1CRUdJTi", b"BQUklWQVRFIEtFW"), // -----BEGIN PRIVATE KEY
    ("LS0tLS1CRUdJTi", b"BSU0EgUFJJVkFUR"),
    ("LS0tLS1CRUdJTi", b"BFQyBQUklWQVRF"),
    ("LS0tLS1CRUdJTi", b"BEU0EgUFJJVkFUR"),
    ("LS0tLS1CRUdJTi", b"BPUEVOU1NIIFBSSVZBVE"),
    ("LS0tLS1CRUdJTi", b"BFTkNSWVBURUQgUFJJVkFUR"),
    ("LS0tLS1CRUdJTi", b"BQR1AgUFJJVkFUR"),
    ("b3BlbnNzaC1rZXktdjE", b""),        // openssh-key-v1
    ("MII", b"...IBADANBgkqhkiG9w0BAQ"), // PKCS#8, RSA
    ("MII", b"...IBAAKC"),               // PKCS#1
    ("MIG", b".AgEAMBMGByqGSM49"),       // PKCS#8, curves
    ("MIG", b"..gEAMBMGByqGSM49"),
    ("MIH", b".AgEAMBMGByqGSM49"),
    ("MHcCAQEEI", b""),               // SEC 1
    ("MC4CAQAwBQYDK2V", b""),         // Ed25519
    ("MII", b"...jBABgkqhkiG9w0BBQ"), // PKCS#8, encrypted
    ("MII", b"...IBAzCC"),            // PKCS#12
    ("MII", b"...IBAzCA"),
    ("MIACAQMwgA", b""),
    ("/u3+7QAAAA", b""), // Java key store
    ("zs7OzgAAAA", b""),
];
/// Bytes of a container, at most.
const LARGEST: usize = 64 << 10;
/// Characters of a line of base64 that goes on.
const SHORTEST: usize = 16;

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Base64 that begins as a private key does, with the lines that it goes on over.
pub(super) fn encoded(scan: &mut Scan<'_, '_>, start: usize, end: usize, number: usize) {
    let (head, rest) = HEADS[number];
    let before = scan.before(start);
    // An escape's letter, `\nMII…`, is none of base64.
    let fresh = !base64(before) || before == b'=' || scan.fresh(start);
    if start < scan.contained || !fresh || &scan.text[start..end] != head.as_bytes() {
        return;
    }
    let begins = scan.text[end..].starts_with(rest)
        || scan.text.len() - end >= rest.len()
            && scan.text[end..].iter().zip(rest).all(|(b, want)| b == want || *want == b'.' && base64(*b));
    if !begins {
        return;
    }
    let first = scan.run_of(end, LARGEST, base64);
    if first - start < 40 {
        return;
    }
    // PEM's own lines are the other rule's.
    if scan.line_before(start, 48).ends_with(b"KEY-----") {
        return;
    }
    let mut to = first;
    while to - start < LARGEST {
        let gap = scan.run_of(to, 24, |b| matches!(b, b'\n' | b'\r' | b' ' | b'\t'));
        let line = scan.run_of(gap, 512, base64);
        let width = line - gap;
        let whole = matches!(scan.at(line), b'\n' | b'\r' | b'"' | b'\'');
        if gap == to
            || scan.text[to] == b' '
            || width < SHORTEST && scan.before(line) != b'='
            || width == 0
            || !whole
        {
            break;
        }
        to = line;
    }
    scan.contained = to;
    scan.push(start, to, Kind::Key, "container");
}

/// `Private-Lines: N` of PuTTY, and the lines.
pub(super) fn putty(scan: &mut Scan<'_, '_>, end: usize) {
    let from = scan.run_of(end, 4, |b| b == b' ');
    let to = scan.run_of(from, 4, |b| b.is_ascii_digit());
    let Ok(lines) = scan.string[from..to].parse::<usize>() else { return };
    let start = scan.run_of(to, 2, |b| matches!(b, b'\r' | b'\n'));
    let (mut at, mut stop) = (start, start);
    for _ in 0..lines.min(400) {
        let line = scan.run_of(at, 128, base64);
        if line == at {
            break;
        }
        stop = line;
        at = scan.run_of(line, 2, |b| matches!(b, b'\r' | b'\n'));
    }
    if stop - start >= SHORTEST && to > from {
        scan.push(start, stop, Kind::Key, "putty");
    }
}

/// The private members of a JSON Web Key (RFC 7518): `"kty": "RSA", … "d": "VALUE"`.
pub(super) fn jwk(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    const WINDOW: usize = 4096;
    if start < scan.contained {
        return;
    }
    let from = scan.run_before(start, WINDOW, |b| b != b'{' && b != b'}').max(scan.contained);
    let to = scan.run_of(end, WINDOW, |b| b != b'}' && b != b'{');
    scan.contained = to;
    let mut at = from;
    while at < to {
        let Some(place) = memchr::memchr2(b'"', b'\'', &scan.text[at..to]) else { return };
        let name = at + place + 1;
        let quote = scan.before(name);
        let stop = scan.run_of(name, 64, |b| b != quote && b != b'\n');
        at = stop + 1;
        if !matches!(&scan.text[name..stop], b"d" | b"p" | b"q" | b"dp" | b"dq" | b"qi" | b"k") || stop >= to
        {
            continue;
        }
        let sign = scan.run_of(at, 4, |b| b == b' ');
        let open = scan.run_of(sign + 1, 8, |b| matches!(b, b' ' | b'\n'));
        if scan.at(sign) != b':' || !matches!(scan.at(open), b'"' | b'\'') {
            continue;
        }
        let value = open + 1;
        let last = scan.run_of(value, WINDOW, base64);
        if last - value >= 20 && super::formats::real(&scan.text[value..last]) {
            scan.push(value, last, Kind::Key, "jwk");
        }
        at = last + 1;
    }
}

/// `<RSAKeyValue>` of .NET: the elements of the private key.
pub(super) fn xml(scan: &mut Scan<'_, '_>, end: usize) {
    if end < scan.contained {
        return;
    }
    let limit = (end + 8192).min(scan.text.len());
    let to = memchr::memmem::find(&scan.text[end..limit], b"</RSAKeyValue").map_or(limit, |n| end + n);
    scan.contained = to;
    for name in [&b"<D>"[..], b"<P>", b"<Q>", b"<DP>", b"<DQ>", b"<InverseQ>"] {
        let Some(place) = memchr::memmem::find(&scan.text[end..to], name) else { continue };
        let from = scan.run_of(end + place + name.len(), 32, |b| b.is_ascii_whitespace());
        let stop = scan.run_of(from, 4096, base64);
        if stop - from >= 20 && scan.at(stop) == b'<' {
            scan.push(from, stop, Kind::Key, "rsa-key-value");
        }
    }
}
