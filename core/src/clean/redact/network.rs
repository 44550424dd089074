//! Public IP addresses. Private, loopback, documentation and reserved ranges stay, and so do networks, resolvers,
//! examples that count up, versions and OIDs.

use super::bytes::{Scan, WORD, contains};
use super::finding::Kind;
use super::{services, versions};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Before numbers that are no address.
const VERSIONS: [&[u8]; 28] = [
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
    b"upgrade",
    b"update",
    b"patch",
    b"bump",
    b"v8 ",
    b"identifier",
    b",v ",
    b"esid",
    b"es6id",
];

/// Octets up to this number are as likely a version's, unless the line speaks of addresses.
const SMALL: u8 = 30;

/// An IPv4 address whose first dot is at `dot`.
#[inline(never)] // see `Redactor::bytes`
pub(super) fn v4(scan: &mut Scan<'_, '_>, dot: usize) {
    if dot == 0 || !scan.text[dot - 1].is_ascii_digit() || !scan.at(dot + 1).is_ascii_digit() {
        return;
    }
    let start = scan.run_before(dot, 4, |b| b.is_ascii_digit());
    let before = scan.before(start);
    let odd = matches!(before, b'.' | b'-' | b'+' | b'^' | b'~' | b'#') && !indexed(scan, start);
    if !scan.fresh(start) || odd {
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
    if among_numbers(scan, start, at) {
        return;
    }
    let next = scan.at(at);
    // Two large numbers are no version's: `203.0.113.9-1057` of a log.
    let large = octets.iter().filter(|octet| **octet > 40).count() > 1;
    let goes_on = next == b'-' && WORD[scan.at(at + 1) as usize] && !large;
    if WORD[next as usize] || goes_on || dotted(scan, at) && !captured(scan, start, at) {
        return;
    }
    let network = prefix(scan, at)
        .or_else(|| mask(scan, at))
        .is_some_and(|bits| bits < 32 && u32::from_be_bytes(octets) << bits == 0);
    if public_v4(octets) && !network && !versioned(scan, start, octets) {
        scan.push(start, at, Kind::Ip, "ipv4");
    }
}

/// Whether `.` and more digits or letters follow.
fn dotted(scan: &Scan<'_, '_>, at: usize) -> bool {
    scan.at(at) == b'.' && WORD[scan.at(at + 1) as usize]
}

/// Whether a decimal number stands before, as in the paths of SVG: `-2.12 3.51.98.32`. Not a time of a log, and not
/// before a port or a word, where paths go on with numbers and single letters.
fn among_numbers(scan: &Scan<'_, '_>, start: usize, end: usize) -> bool {
    if !matches!(scan.before(start), b' ' | b',') {
        return false;
    }
    let from = scan.run_before(start - 1, 20, |b| b.is_ascii_digit() || b == b'.');
    let token = &scan.text[from..start - 1];
    let dots = token.iter().filter(|b| **b == b'.').count();
    let epoch = token.iter().take_while(|b| **b != b'.').count() > 8;
    let next = scan.run_of(end, 2, |b| matches!(b, b' ' | b'\t' | b','));
    let word = scan.run_of(next, 2, |b| b.is_ascii_alphabetic()) == next + 2;
    dots > 0
        && dots != 3
        && token.last().is_some_and(u8::is_ascii_digit)
        && !(epoch || word || scan.before(from) == b':' || scan.at(end) == b':')
}

/// Whether the address is an index of a table of SNMP about addresses: `ipAdEntAddr.198.51.100.7` (RFC 4293).
fn indexed(scan: &Scan<'_, '_>, start: usize) -> bool {
    let name = scan.run_before(start - 1, 32, |b| b.is_ascii_alphabetic());
    scan.before(start) == b'.'
        && [&b"ip"[..], b"tcp", b"udp", b"bgp", b"ospf"].iter().any(|head| {
            scan.text[name..].starts_with(head) && scan.at(name + head.len()).is_ascii_uppercase()
        })
}

/// Whether what follows an address is the port behind a dot that tcpdump writes: `IP 198.51.100.7.443 > `.
fn captured(scan: &Scan<'_, '_>, start: usize, end: usize) -> bool {
    let port = scan.run_of(end + 1, 6, |b| WORD[b as usize] || b == b'-');
    let line = scan.line_before(start, 3);
    line == b"IP " && scan.text[port..].starts_with(b" > ") || line.ends_with(b"> ") && scan.at(port) == b':'
}

/// The bits of the mask behind an address: `/255.255.255.252`, ` netmask 255.255.255.252`, ` 0.0.0.3` of routers.
fn mask(scan: &Scan<'_, '_>, end: usize) -> Option<u32> {
    let word = scan.run_of(end, 12, |b| b" \t/\",'=:".contains(&b) || b.is_ascii_alphabetic());
    let to = scan.run_of(word, 16, |b| b.is_ascii_digit() || b == b'.');
    let gap = &scan.text[end..word];
    let plain = !gap.iter().any(u8::is_ascii_alphabetic) && gap.len() < 2;
    let mask = u32::from(scan.string.get(word..to)?.parse::<Ipv4Addr>().ok()?);
    let mask = if mask >> 8 == 0 && mask > 0 { !mask } else { mask };
    (mask >> 8 == 0x00ff_ffff && mask.leading_ones() + mask.trailing_zeros() == 32)
        .then(|| mask.leading_ones())
        .filter(|_| plain || contains(gap, b"mask"))
}

/// The length of the prefix behind an address: `/26`.
fn prefix(scan: &Scan<'_, '_>, at: usize) -> Option<u32> {
    let to = scan.run_of(at + 1, 4, |b| b.is_ascii_digit());
    let digits = (scan.at(at) == b'/').then(|| &scan.string[at + 1..to])?;
    digits.parse().ok().filter(|bits| *bits <= 128)
}

fn versioned(scan: &Scan<'_, '_>, start: usize, octets: [u8; 4]) -> bool {
    let line = scan.line_before(start, 48);
    let near = &line[line.len().saturating_sub(24)..];
    let large = octets.iter().filter(|octet| **octet > 40).count() > 1;
    let compared = |word: &[u8]| large && word.ends_with(b"=");
    if VERSIONS.iter().any(|word| !compared(word) && contains(near, word))
        || matches!(near, [.., b'v' | b'V' | b'/', b'/'] | [.., b'_', b'v' | b'V'])
    {
        return !contains(near, b"://");
    }
    // A heading's number, "46.2.1.2. Steps"; "Emacs 22.0.50.1".
    let end = scan.run_of(start, 15, |b| b.is_ascii_digit() || b == b'.');
    if versions::required(scan, start) || versions::told(scan, start, end) {
        return true;
    }
    let product = matches!(near, [.., a, b'/'] if a.is_ascii_alphabetic()); // Chrome/1.2.3.4
    let small = octets.iter().all(|octet| *octet <= SMALL)
        || octets[0] < 10 && octets[1..].iter().any(|o| *o < 2)
        || octets[0] <= 2; // 2.5.29.35: an OID
    let heading =
        scan.before(end) == b'.' && octets[0] < 100 && octets[1..].iter().all(|octet| *octet <= SMALL);
    let small = small
        || heading
        || octets[1] == 0 && octets[0] <= SMALL && matches!(line, [.., a, b' '] if a.is_ascii_alphabetic());
    let linked = line.ends_with(b"://");
    product || small && !linked && !versions::ADDRESSES.iter().any(|word| contains(line, word))
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
        || (c == 192 && d == 168) // reversed, private
        || [b, c, d] == [255; 3]
        || [c, d] == [255; 2]
        || services::resolver(address))
}

/// Whether the numbers or their digits count up or down: `1.2.3.4`, `123.45.67.89`, `11.22.33.44`, `8.7.6.5`.
fn counted(octets: [u8; 4]) -> bool {
    let digits: Vec<u8> = octets.iter().flat_map(|octet| octet.to_string().into_bytes()).collect();
    let [a, b, c, d] = octets.map(i16::from);
    digits.windows(2).all(|pair| pair[1] == pair[0] + 1)
        || (b - a == c - b && c - b == d - c && ((b - a).abs() > 9 || a < 10 && a != b))
}

/// Whether a registry has handed out the address's block (IANA, IPv6 global unicast assignments), set aside what is
/// for documentation, tunnels and resolvers, and examples whose digits count up.
fn public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let handed_out = match a {
        0x2001 => match b {
            0xdb8 => false,
            0x200..=0xfff | 0x1200..=0x3fff | 0x4000..=0x4fff | 0x5000..=0x5fff | 0x8000..=0xbfff => true,
            _ => false,
        },
        0x2003 => b < 0x4000,
        0x2400..=0x241f | 0x2600..=0x260f | 0x2610 | 0x2620 | 0x2630..=0x263f => true,
        0x2800..=0x280f | 0x2a00..=0x2a1f | 0x2c00..=0x2c0f => true,
        _ => false,
    };
    let machine = address.segments()[4..].iter().any(|segment| *segment != 0);
    handed_out && machine && !services::resolver_v6(address) && !counted_v6(address)
}

/// Whether two groups count up in their digits, or all do from one to the next: `2001:1234:5678::1`, `2001:1:2:3:…`.
fn counted_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let up = |s: u16| (0..3).all(|n| (s >> (4 * n) & 15) == ((s >> (4 * n + 4) & 15) + 1) % 16);
    let steps = segments[1..].windows(2).filter(|w| w[1] == w[0] + 1).count();
    segments[1..].iter().filter(|s| up(**s)).count() > 1 || steps > 3
}

/// An IPv6 address whose first colon is at `colon`.
#[inline(never)] // see `Redactor::bytes`
pub(super) fn v6(scan: &mut Scan<'_, '_>, colon: usize) {
    // Public addresses are 2000::/3: four hex digits before the first colon, 2 or 3 first.
    if colon < 4 || !matches!(scan.text[colon - 4], b'2' | b'3') {
        return;
    }
    let start = colon - 4;
    let hex = scan.text[start..colon].iter().all(u8::is_ascii_hexdigit);
    let sender = scan.line_before(start, 4).eq_ignore_ascii_case(b"ip6:"); // of SPF (RFC 7208)
    if !hex || !scan.fresh(start) || matches!(scan.before(start), b':' | b'.') && !sender {
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
    let network = prefix(scan, end).is_some_and(|bits| bits < 128 && u128::from(address) << bits == 0);
    if public_v6(address) && !network {
        scan.push(start, end, Kind::Ip, "ipv6");
    }
}
