//! Public IP addresses. Private, loopback, documentation and reserved ranges stay, and so do versions and OIDs.

use super::Kind;
use super::bytes::{Scan, WORD, contains};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Names of services rather than of anyone's machine.
const RESOLVERS: [[u8; 4]; 8] = [
    [8, 8, 8, 8],
    [8, 8, 4, 4],
    [1, 1, 1, 1],
    [1, 0, 0, 1],
    [9, 9, 9, 9],
    [208, 67, 222, 222],
    [208, 67, 220, 220],
    [4, 2, 2, 2],
];
/// Before numbers that are no address.
const VERSIONS: [&[u8]; 26] = [
    b" sec ",
    b"sec.",
    b"(see ",
    "\u{a7}".as_bytes(),
    b"version",
    b" ver.",
    b" ver ",
    b"release",
    b"section",
    b"sect.",
    b"chapter",
    b" oid",
    b" rev",
    b"==",
    b">=",
    b"<=",
    b"~=",
    b"build",
    b"asn1",
    b"_v",
    b"upgrade",
    b"update",
    b"patch",
    b"bump",
    b"v8 ",
    b"identifier",
];
/// Before numbers that are one.
const ADDRESSES: [&[u8]; 19] = [
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
    b"connect",
    b"peer",
];
/// Octets up to this number are as likely a version's, unless the line speaks of addresses.
const SMALL: u8 = 30;

/// An IPv4 address whose first dot is at `dot`.
pub(super) fn v4(scan: &mut Scan<'_, '_>, dot: usize) {
    if dot == 0 || !scan.text[dot - 1].is_ascii_digit() || !scan.at(dot + 1).is_ascii_digit() {
        return;
    }
    let start = scan.run_before(dot, 4, |b| b.is_ascii_digit());
    let before = scan.before(start);
    if !scan.fresh(start) || matches!(before, b'.' | b'-' | b'+' | b'^' | b'~' | b'#') {
        return;
    }
    let mut octets = [0u8; 4];
    let mut at = start;
    for (i, octet) in octets.iter_mut().enumerate() {
        let to = scan.run_of(at, 4, |b| b.is_ascii_digit());
        let digits = &scan.string[at..to];
        match digits.parse() {
            Ok(number) if digits.len() == 1 || !digits.starts_with('0') => *octet = number,
            _ => return,
        }
        at = to;
        if i < 3 {
            if scan.at(at) != b'.' {
                return;
            }
            at += 1;
        }
    }
    let next = scan.at(at);
    // Two large numbers are no version's: `203.0.113.9-1057` of a log.
    let large = octets.iter().filter(|octet| **octet > 40).count() > 1;
    let goes_on = next == b'-' && WORD[scan.at(at + 1) as usize] && !large;
    if WORD[next as usize] || goes_on || dotted(scan, at) {
        return;
    }
    if public_v4(octets) && !versioned(scan, start, octets) {
        scan.push(start, at, Kind::Ip, "ipv4");
    }
}

/// Whether `.` and more digits or letters follow.
fn dotted(scan: &Scan<'_, '_>, at: usize) -> bool {
    scan.at(at) == b'.' && WORD[scan.at(at + 1) as usize]
}

fn versioned(scan: &Scan<'_, '_>, start: usize, octets: [u8; 4]) -> bool {
    let line = scan.line_before(start, 48);
    let near = &line[line.len().saturating_sub(24)..];
    let large = octets.iter().filter(|octet| **octet > 40).count() > 1;
    let compared = |word: &[u8]| large && word.ends_with(b"=");
    if VERSIONS.iter().any(|word| !compared(word) && contains(near, word))
        || matches!(near, [.., b'v' | b'V' | b'/', b'/'])
    {
        return !contains(near, b"://");
    }
    let product = matches!(near, [.., a, b'/'] if a.is_ascii_alphabetic()); // Chrome/1.2.3.4
    let small = octets.iter().all(|octet| *octet <= SMALL)
        || octets[0] < 10 && octets[1..].iter().any(|o| *o < 2)
        || octets[0] <= 2; // 2.5.29.35: an OID
    let linked = line.ends_with(b"://");
    product || small && !linked && !ADDRESSES.iter().any(|word| contains(line, word))
}

fn public_v4(octets: [u8; 4]) -> bool {
    let address = Ipv4Addr::from(octets);
    let [a, b, c, d] = octets;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b)) // carrier NAT
        || (a == 198 && matches!(b, 18 | 19)) // benchmarks
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || d == 0 // a network
        || counted(octets) // 12.34.56.78 of examples
        || (a == b && b == c && c == d) // 1.1.1.1, 2.2.2.2 of examples
        || octets == [4, 3, 2, 1]
        || RESOLVERS.contains(&octets))
}

/// Whether the digits count up: `1.2.3.4`, `123.45.67.89`.
fn counted(octets: [u8; 4]) -> bool {
    let digits: Vec<u8> = octets.iter().flat_map(|octet| octet.to_string().into_bytes()).collect();
    digits.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

/// Whether a registry has handed out the address's block (IANA, IPv6 global unicast assignments), set aside what is
/// for documentation, tunnels and resolvers.
fn public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let handed_out = match a {
        0x2001 => b >= 0x200 && b != 0xdb8,
        0x2003 | 0x2400..=0x24ff | 0x2600..=0x260f | 0x2610 | 0x2620 | 0x2630..=0x263f => true,
        0x2800..=0x280f | 0x2a00..=0x2a1f | 0x2c00..=0x2c0f => true,
        _ => false,
    };
    let resolver =
        matches!((a, b, c), (0x2001, 0x4860, 0x4860) | (0x2606, 0x4700, 0x4700) | (0x2620, 0xfe, 0));
    let machine = address.segments()[4..].iter().any(|segment| *segment != 0);
    handed_out && !resolver && machine
}

/// An IPv6 address whose first colon is at `colon`.
pub(super) fn v6(scan: &mut Scan<'_, '_>, colon: usize) {
    // Public addresses are 2000::/3: four hex digits before the first colon, 2 or 3 first.
    if colon < 4 || !matches!(scan.text[colon - 4], b'2' | b'3') {
        return;
    }
    let start = colon - 4;
    let hex = scan.text[start..colon].iter().all(u8::is_ascii_hexdigit);
    if !hex || !scan.fresh(start) || matches!(scan.before(start), b':' | b'.') {
        return;
    }
    let mut end = scan.run_of(start, 46, |b| b.is_ascii_hexdigit() || b == b':');
    if end - start > 39 || WORD[scan.at(end) as usize] {
        return;
    }
    if scan.before(end) == b':' && scan.at(end.wrapping_sub(2)) != b':' {
        end -= 1; // the colon after an address
    }
    let Ok(address) = scan.string[start..end].parse::<Ipv6Addr>() else { return };
    if public_v6(address) {
        scan.push(start, end, Kind::Ip, "ipv6");
    }
}
