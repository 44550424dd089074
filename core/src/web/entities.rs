//! Character references: `&lt;`, `&#8217;`, `&copy` and the like.
//!
//! From: HTML Living Standard, 13.2.5.72 to 80.

use super::tokens::is_name;
use htmlize::ENTITIES;
use memchr::memchr;
use std::borrow::Cow;

/// No name is longer (bytes, with `&` and `;`).
const LONGEST: usize = 33;
/// Of the names that need no `;` none is longer.
const LONGEST_BARE: usize = 7;
/// More digits are no character.
const MAX_DIGITS: usize = 16;

/// What stands for 0x80 to 0x9F: pages mean Windows-1252.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text with its references replaced by what they stand for; what is no reference stays.
pub fn decoded(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let Some(first) = memchr(b'&', bytes) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut at = first;
    loop {
        if let Some(end) = reference(bytes, at, &mut |piece| {
            out.push_str(&text[done..at]);
            out.push_str(piece);
        }) {
            done = end;
            at = end;
        } else {
            at += 1;
        }
        match memchr(b'&', &bytes[at..]) {
            Some(next) => at += next,
            None => break,
        }
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Puts out what the reference at `at` stands for, and returns where it ends.
fn reference(bytes: &[u8], at: usize, put: &mut dyn FnMut(&str)) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'#') {
        return number(bytes, at + 2, put);
    }
    let window = &bytes[at..bytes.len().min(at + LONGEST)];
    let end = 1 + window[1..].iter().take_while(|b| is_name(**b)).count();
    if window.get(end) == Some(&b';')
        && let Some(found) = ENTITIES.get(&window[..=end])
    {
        put(std::str::from_utf8(found).ok()?);
        return Some(at + end + 1);
    }
    for end in (3..=end.min(LONGEST_BARE)).rev() {
        if let Some(found) = ENTITIES.get(&window[..end]) {
            put(std::str::from_utf8(found).ok()?);
            return Some(at + end);
        }
    }
    None
}

fn number(bytes: &[u8], at: usize, put: &mut dyn FnMut(&str)) -> Option<usize> {
    let hex = bytes.get(at).is_some_and(|b| matches!(b, b'x' | b'X'));
    let start = at + usize::from(hex);
    let digits = bytes[start..]
        .iter()
        .take(MAX_DIGITS)
        .take_while(|b| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() });
    let end = start + digits.count();
    let text = std::str::from_utf8(&bytes[start..end]).ok().filter(|text| !text.is_empty())?;
    let code = u32::from_str_radix(text, if hex { 16 } else { 10 }).unwrap_or(u32::MAX);
    let char = match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => WINDOWS[code as usize - 0x80],
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    put(char.encode_utf8(&mut [0; 4]));
    Some(end + usize::from(bytes.get(end) == Some(&b';')))
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn references_and_what_only_looks_like_one() {
        let cases = [
            ("a &lt;b&gt; &amp;amp; &#39;&#x2019;&#8217;", "a <b> &amp; '’’"),
            ("&copy 1 &notin; &notit; &AMP", "© 1 ∉ ¬it; &"),
            ("a && b &x; &#; &#x; &", "a && b &x; &#; &#x; &"),
            ("&#150;&#0;&#xD800;&#99999999;", "–\u{fffd}\u{fffd}\u{fffd}"),
            ("&nbsp;é&eacute;", "\u{a0}éé"),
        ];
        for (given, wanted) in cases {
            assert_eq!(decoded(given), wanted, "{given}");
        }
    }
}
