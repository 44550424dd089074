//! Telephone numbers: international (`+44 20 …`), North American (`(212) …-…`), and any after a word that says so.

use super::bytes::{Scan, WORD, contains};
use super::finding::Kind;
use super::numbering::{fiction, whole};

fn separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')' | b'/')
}

/// From `start`, digits with single separators between groups: its end and digits.
fn number(scan: &Scan<'_, '_>, start: usize) -> (usize, Vec<u8>) {
    let (mut at, mut end, mut digits, mut gap) = (start, start, Vec::new(), 0);
    while at < start + 24 {
        let byte = scan.at(at);
        if byte.is_ascii_digit() {
            digits.push(byte - b'0');
            (end, gap) = (at + 1, 0);
        } else if separator(byte) && gap < 2 && !(gap == 1 && byte == scan.at(at - 1)) {
            gap += 1;
        } else if gap == 2
            && digits[0] == 0
            && byte == b' '
            && matches!(&scan.text[at - 2..at], b" /" | b" -")
        {
            gap += 1; // `089 / 2180 - 3291`
        } else {
            break;
        }
        at += 1;
    }
    (end, digits)
}

fn ends(scan: &Scan<'_, '_>, end: usize) -> bool {
    let next = scan.at(end);
    let more = matches!(next, b'.' | b'-' | b':' | b',') && scan.at(end + 1).is_ascii_digit();
    !WORD[next as usize] && !more && !matches!(next, b'%' | b'*' | b'+' | b'#')
}

/// Numbers of films and manuals: 555-01XX, counted up, one digit over and over.
fn invented(digits: &[u8]) -> bool {
    let last = &digits[digits.len().saturating_sub(7)..];
    let counted = digits.windows(6).any(|run| run.windows(2).all(|w| w[1] == (w[0] + 1) % 10));
    let back = digits.windows(6).any(|run| run.windows(2).all(|w| w[0] == w[1] + 1));
    let up = digits.windows(2).filter(|w| w[1] == (w[0] + 1) % 10).count();
    let down = digits.windows(2).filter(|w| w[0] == w[1] + 1).count();
    let same = digits.windows(2).filter(|w| w[1] == w[0]).count();
    // `666 7777`
    let (three, four) = last.split_at(last.len().min(3));
    let runs = last.len() == 7 && [three, four].iter().all(|part| part.iter().all(|d| *d == part[0]));
    // `111 222 333`
    let triples =
        digits.len() > 8 && digits[digits.len() - 6..].chunks(3).all(|c| c.iter().all(|d| *d == c[0]));
    // `55 66 77 88`
    let twice = |pairs: &[u8]| pairs.chunks(2).all(|c| c[0] == c[1]);
    let doubled = digits
        .windows(8)
        .any(|w| twice(w) && w.chunks(2).zip(w[2..].chunks(2)).all(|(a, b)| b[0] == (a[0] + 1) % 10));
    let pairs = digits.len() > 7 && {
        let end = &digits[digits.len() - 6..];
        twice(end) && end.chunks(2).zip(end[2..].chunks(2)).all(|(a, b)| b[0] == a[0] + 1)
    }; // `22 33 44` at the end
    let short = triples || pairs || digits.len() < 9 && digits.windows(3).any(|w| w == [5, 5, 5]);
    short
        || runs
        || last.starts_with(&[5, 5, 5])
            && (digits.len() < 11 || digits[0] == 1 || last.ends_with(&[1, 2, 1, 2])) // of America's plan
        || counted
        || back
        || doubled
        || up + 3 >= digits.len()
        || down + 3 >= digits.len()
        || same + 3 >= digits.len()
        || fiction(digits)
}

/// `+` and a country code, with at least two separators, or at least ten digits in a string of its own.
#[inline(never)] // see `Redactor::bytes`
pub(super) fn international(scan: &mut Scan<'_, '_>, plus: usize) {
    let mut first = scan.at(plus + 1);
    let before = scan.before(plus);
    let apart = first == b' '; // "tel int + 46 8 …"
    if apart || first == b'(' {
        first = scan.at(plus + 2);
    }
    let doubled = before == b'+' && matches!(scan.before(plus - 1), b'"' | b'\'' | b' '); // "++1 (650) …"
    if !(b'1'..=b'9').contains(&first)
        || WORD[before as usize]
        || matches!(before, b'+' | b'.' | b')' | b']' | b'-') && !doubled
    {
        return;
    }
    let called = |scan: &Scan<'_, '_>| {
        let line = scan.line_before(plus, 24);
        [&b"phone"[..], b"tel", b"fax", b"mobile", b"sms", b"call"].iter().any(|word| contains(line, word))
    };
    let from = plus + 1 + usize::from(apart || scan.at(plus + 1) == b'(');
    if apart && !called(scan) {
        return;
    }
    let (mut end, mut digits) = number(scan, from);
    // A number without separators ends where they begin: `+14155550100 11Nov95`.
    let whole_run = scan.run_of(from, 16, |b| b.is_ascii_digit());
    if whole_run - from >= 10 && whole_run < end {
        end = whole_run;
        digits.truncate(whole_run - from);
    }
    if !(8..=15).contains(&digits.len()) || !ends(scan, end) || invented(&digits) {
        return;
    }
    let written = &scan.text[from..end];
    let groups = written.split(|b| separator(*b)).filter(|g| !g.is_empty()).count();
    if groups * 3 > digits.len() * 2 {
        return; // `2.6.2.6.2.6.2`, but not `33 1 23 45 67 89`
    }
    let next = scan.at(end);
    let quoted = matches!(
        if doubled { scan.before(plus - 1) } else { before },
        b'"' | b'\'' | b':' | b'>' | b'`' | b'='
    ) && matches!(next, b'"' | b'\'' | b'<' | b'`' | b'\n' | b'@' | b';' | b'&');
    let told = groups == 1 && digits.len() >= 10 && (called(scan) || in_prose(scan, plus, end));
    let dots = written.iter().filter(|b| **b == b'.').count();
    // `+30 108203682`: a country and the rest in one piece.
    let first_group = written.iter().take_while(|b| b.is_ascii_digit()).count();
    let two = groups == 2
        && digits.len() >= 10
        && first_group <= 3
        && written.get(first_group) == Some(&b' ')
        && !matches!(before, b'/' | b'*');
    // Not the signs and degrees of coordinates: `+394421-1045903`.
    let apart_well = first_group <= if written.get(first_group) == Some(&b'-') { 3 } else { 6 };
    let negative = written.windows(2).any(|w| w == b" -");
    let sum =
        negative || written.windows(3).any(|w| w[0] == b' ' && matches!(w[1], b'-' | b'/') && w[2] == b' ');
    if !sum
        && dots != 1
        && (groups >= 3
            || two
            || (groups == 2 && apart_well || groups == 1 && (quoted || told))
                && digits.len() >= 9
                && whole(&digits))
        && !dated(written)
        && country(&digits)
    {
        scan.push(plus, end, Kind::Phone, "phone");
    }
}

/// Whether a number without separators stands among words, or alone on its line; not as a term of a sum.
fn in_prose(scan: &Scan<'_, '_>, plus: usize, end: usize) -> bool {
    let line = scan.line_before(plus, 80).trim_ascii_end();
    let open = matches!(line.last(), Some(byte) if byte.is_ascii_alphabetic() || b",:@(>".contains(byte));
    let alone = line.is_empty() && scan.at(end) == b'\n';
    let next = scan.at(end);
    let ends = next.is_ascii_whitespace()
        || matches!(next, b',' | b')' | b';' | b'.' | b'}') && !WORD[scan.at(end + 1) as usize];
    end - plus > 11 && ends && (alone || open && scan.before(plus) != b'\n')
}

/// `2012-04-05`.
fn dated(written: &[u8]) -> bool {
    written.windows(10).any(|w| {
        w.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() })
            && matches!(w[0], b'1' | b'2')
    })
}

/// Country codes in use begin so; time zones (+01:00) and sums do not come this far.
fn country(digits: &[u8]) -> bool {
    let needed = if digits[0] == 1 { 11 } else { 9 };
    let [a, b, c] = [digits[0], digits[1], digits[2]];
    let assigned = match (a, b) {
        (1, _) => b >= 2,
        (2, 0 | 7) | (3, 0..=4 | 6 | 9) | (4, 0 | 1 | 3..=9) | (5, 1..=8) | (6, 0..=6) | (7, _) => true,
        (8, 1 | 2 | 4 | 6) | (9, 0..=5 | 8) => true,
        (2, 1) => matches!(c, 1..=3 | 6 | 8),
        (2, 2..=6) | (3, 5 | 7 | 8) | (5, 0 | 9) | (9, 6 | 7 | 9) => true,
        (2, 9) => matches!(c, 0 | 1 | 7..=9),
        (4, 2) => c <= 3,
        (6, 7..=9) | (8, 0 | 5 | 7 | 8) => true,
        _ => false,
    };
    digits.len() >= needed && assigned
}

/// `212-XXX-XXXX`, `(212) XXX-XXXX`, whose last hyphen is at `hyphen`.
#[inline(never)] // see `Redactor::bytes`
pub(super) fn american(scan: &mut Scan<'_, '_>, hyphen: usize) {
    if scan.at(hyphen) != b'-' || hyphen < 7 {
        return;
    }
    let digits = |from: usize, to: usize| scan.text[from..to].iter().all(u8::is_ascii_digit);
    // `703-4800500` where the line speaks of calls.
    let run = scan.run_of(hyphen + 1, 8, |b| b.is_ascii_digit());
    if run == hyphen + 8 && digits(hyphen - 3, hyphen) {
        let start = hyphen - 3;
        let line = scan.line_before(start, 80);
        let told = [&b"call"[..], b"phone", b"tel"].iter().any(|word| contains(line, word));
        let numbers: Vec<u8> =
            scan.text[start..run].iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
        let first = numbers[0] > 1 && numbers[3] > 1;
        if told
            && first
            && matches!(scan.before(start), b' ' | b'"')
            && ends(scan, run)
            && !invented(&numbers)
        {
            scan.push(start, run, Kind::Phone, "phone");
        }
        return;
    }
    if hyphen + 5 > scan.text.len() || !digits(hyphen + 1, hyphen + 5) || !digits(hyphen - 3, hyphen) {
        return;
    }
    let end = hyphen + 5;
    let mut start = match (scan.text[hyphen - 4], hyphen - 4) {
        (b'-', at) if at >= 3 && digits(at - 3, at) => at - 3,
        (b' ', at) if at >= 3 && digits(at - 3, at) && !scan.text[at.saturating_sub(5)].is_ascii_digit() => {
            at - 3
        }
        (b')', at) if at >= 4 && digits(at - 3, at) && scan.text[at - 4] == b'(' => at - 4,
        (b'-' | b' ', at)
            if at >= 5
                && scan.text[at - 1] == b')'
                && digits(at - 4, at - 1)
                && scan.text[at - 5] == b'(' =>
        {
            at - 5
        }
        _ => return,
    };
    let area = &scan.text[start..hyphen - 3];
    let area = area.iter().find(|b| b.is_ascii_digit()).copied().unwrap_or(b'0');
    if area < b'2' || scan.text[hyphen - 3] < b'2' {
        return;
    }
    if start >= 2
        && matches!(&scan.text[start - 2..start], b"1-" | b"1 ")
        && !WORD[scan.before(start - 2) as usize]
    {
        start -= 2;
    }
    let before = scan.before(start);
    let numbers: Vec<u8> =
        scan.text[start..end].iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
    // `1(817) …`
    let mut before = before;
    if before == b'1' && scan.text[start] == b'(' && !WORD[scan.before(start - 1) as usize] {
        start -= 1;
        before = scan.before(start);
    }
    let dashes = before == b'-' && scan.before(start - 1) == b'-';
    let marked = matches!(before, b'-' | b'.' | b'+' | b'#' | b'/' | b'(' | b'[');
    let free = dashes || !WORD[before as usize] && !marked;
    if free && ends(scan, end) && !invented(&numbers) {
        scan.push(start, end, Kind::Phone, "phone");
    }
}

/// `212.XXX.XXXX`, whose last dot is at `dot`.
#[inline(never)] // see `Redactor::bytes`
pub(super) fn dotted(scan: &mut Scan<'_, '_>, dot: usize) {
    if dot < 7 || scan.text[dot - 4] != b'.' || dot + 5 > scan.text.len() {
        return;
    }
    let (start, end) = (dot - 7, dot + 5);
    let digits = |from: usize, to: usize| scan.text[from..to].iter().all(u8::is_ascii_digit);
    if !digits(start, start + 3) || !digits(start + 4, dot) || !digits(dot + 1, end) {
        return;
    }
    let before = scan.before(start);
    let numbers: Vec<u8> =
        scan.text[start..end].iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
    let free = !WORD[before as usize] && !matches!(before, b'-' | b'.' | b'+' | b'#' | b'/' | b'[' | b'$');
    if free && numbers[0] > 1 && numbers[3] > 1 && ends(scan, end) && !invented(&numbers) {
        scan.push(start, end, Kind::Phone, "phone");
    }
}

/// What may follow a word for a telephone within a name, or stand behind it: `phone_number`, "Fax no."
const OF: &str = " number numbers num no nr nummer numero e s home work mobile office cell private business 1 2 fax value us \
main attr input field str string ";

/// Any number of 8 to 15 digits in groups, after "phone" and a sign: `phone: 020 …`.
pub(super) fn after_word(scan: &mut Scan<'_, '_>, start: usize, end: usize) {
    let part = scan.text[start].is_ascii_uppercase() && scan.before(start).is_ascii_lowercase(); // `homePhone`
    let tele = scan.line_before(start, 4).eq_ignore_ascii_case(b"tele");
    if !scan.fresh(start) && scan.before(start) != b'_' && !part && !tele {
        return;
    }
    let Some(sign) = sign(scan, end) else { return };
    let from = if matches!(scan.at(sign), b'+' | b'(') { sign + 1 } else { sign };
    if !scan.at(from).is_ascii_digit() {
        return;
    }
    let (stop, digits) = number(scan, from);
    let quoted = matches!(scan.before(sign), b'"' | b'\'');
    let groups = scan.text[from..stop].split(|b| separator(*b)).filter(|g| !g.is_empty()).count();
    let element = scan.before(sign) == b'>' && scan.at(stop) == b'<';
    let phrase = contains(&scan.text[end..sign], b" number");
    let shaped = groups >= 2 || phrase || quoted || element || scan.before(sign) == b':' || scan.bare;
    // A local number, in two parts.
    let told =
        scan.text[start..end].eq_ignore_ascii_case(b"tel:") || matches!(scan.before(sign), b' ' | b':');
    let local = digits.len() == 7 && groups == 2 && told && digits[0] > 1 && scan.at(from + 3) == b'-';
    let short = local || digits.len() == 7 && matches!(scan.before(sign), b'=' | b':') && groups == 1;
    if ((8..=15).contains(&digits.len()) || short)
        && !dated(&scan.text[from..stop])
        && (shaped || local || short && scan.bare)
        && ends(scan, stop)
        && !invented(&digits)
    {
        scan.push(sign, stop, Kind::Phone, "phone");
    }
}

/// Where a number would begin behind a word for a telephone, if nothing but signs and words of [`OF`] stand between.
fn sign(scan: &Scan<'_, '_>, end: usize) -> Option<usize> {
    let signs = |from: usize| {
        scan.run_of(from, 16, |b| b" \t\"':=.>,|-#[{".contains(&b) || "：".as_bytes().contains(&b))
    };
    let of = |from: usize, to: usize| {
        let word = scan.string.get(from..to).map(|w| w.trim_matches('_').to_ascii_lowercase());
        word.is_some_and(|word| word.is_empty() || OF.contains(&format!(" {word} ")))
    };
    // `TEL;TYPE=WORK,VOICE:…` of vCard (RFC 6350).
    if scan.before(end) == b';' {
        let colon = scan.run_of(end, 80, |b| b != b':' && b != b'\n' && b != b'"');
        let uri = scan.text[colon..].starts_with(b":tel:");
        return (scan.at(colon) == b':').then_some(colon + if uri { 5 } else { 1 });
    }
    // Words alone may follow: `tel:0800…` has its number there.
    let word = WORD[scan.at(end) as usize] && !scan.at(end).is_ascii_digit();
    let rest = if word { scan.run_of(end, 16, |b| WORD[b as usize]) } else { end };
    if !of(end, rest) {
        return None;
    }
    if let Some(value) = attribute(scan, rest) {
        return Some(value);
    }
    // "Phone (office): …", `fax(kpmg): …`.
    let open = rest + usize::from(scan.at(rest) == b' ');
    let close = scan.run_of(open + 1, 16, |b| b.is_ascii_alphabetic() || b == b' ');
    if scan.at(open) == b'(' && close > open + 1 && scan.at(close) == b')' {
        return Some(signs(close + 1));
    }
    // `phone('…')`
    let argument = scan.run_of(rest + 1, 2, |b| b == b' ');
    if scan.at(rest) == b'(' && matches!(scan.at(argument), b'"' | b'\'') {
        return Some(argument + 1);
    }
    let sign = signs(rest);
    let next = scan.run_of(sign, 8, |b| b.is_ascii_alphabetic());
    if sign == rest + 1 && scan.at(rest) == b' ' && next > sign && of(sign, next) {
        return Some(signs(next)).filter(|to| *to > next); // "phone number: …"
    }
    (sign > rest || matches!(scan.before(end), b':' | b'.' | b' ')).then_some(sign)
}

/// Where the value of an attribute or element begins: `<input type="tel" value="…">`, `<phone type="home">…`.
fn attribute(scan: &Scan<'_, '_>, from: usize) -> Option<usize> {
    if !matches!(scan.at(from), b'"' | b'\'' | b' ') {
        return None;
    }
    let to = scan.run_of(from, 80, |b| !matches!(b, b'\n' | b'<' | b'>' | b';' | b'{' | b'('));
    let inside = &scan.text[from..to];
    let value = [&b" value=\""[..], b" value='"]
        .iter()
        .find_map(|mark| memchr::memmem::find(inside, mark).map(|n| from + n + mark.len()));
    let element = scan.at(to) == b'>' && scan.at(from) == b' ' && inside.contains(&b'=');
    value.or(element.then_some(to + 1))
}
