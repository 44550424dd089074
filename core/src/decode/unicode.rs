//! The encodings of Unicode: byte order marks, and UTF-16 that has none.

use std::borrow::Cow;

/// A byte order mark at the beginning of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The encoding it stands for.
    pub encoding: &'static str,
    /// Unit: bytes.
    pub length: usize,
}

/// The byte order mark that the bytes begin with.
///
/// FF FE 00 00 is UTF-32, although it could be UTF-16 that begins with a NUL: text does not.
pub fn mark(raw: &[u8]) -> Option<Mark> {
    if !matches!(raw.first(), Some(0 | 0xef | 0xfe | 0xff)) {
        return None;
    }
    let marks: [(&[u8], &str); 5] = [
        (b"\xef\xbb\xbf", "utf-8-bom"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ];
    let found = marks.iter().find(|(bytes, _)| raw.starts_with(bytes));
    found.map(|(bytes, encoding)| Mark { encoding, length: bytes.len() })
}

/// The text of bytes in the encoding of a [`Mark`], without that mark.
///
/// Raises: the offset of the first byte that does not follow the encoding.
pub fn decode<'a>(body: &'a [u8], encoding: &str) -> Result<Cow<'a, str>, usize> {
    match encoding {
        "utf-8-bom" => simdutf8::compat::from_utf8(body).map(Cow::Borrowed).map_err(|e| e.valid_up_to()),
        "utf-16-le" => utf16(body, u16::from_le_bytes).map(Cow::Owned),
        "utf-16-be" => utf16(body, u16::from_be_bytes).map(Cow::Owned),
        "utf-32-le" => utf32(body, u32::from_le_bytes).map(Cow::Owned),
        "utf-32-be" => utf32(body, u32::from_be_bytes).map(Cow::Owned),
        other => unreachable!("no mark stands for {other}"),
    }
}

fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, usize> {
    let (pairs, rest) = body.as_chunks::<2>();
    let mut text = String::with_capacity(body.len() / 2 + body.len() / 16);
    let mut at = 0;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let c = decoded.map_err(|_| at)?;
        text.push(c);
        at += c.len_utf16() * 2;
    }
    if rest.is_empty() { Ok(text) } else { Err(at) }
}

fn utf32(body: &[u8], unit: fn([u8; 4]) -> u32) -> Result<String, usize> {
    let (units, rest) = body.as_chunks::<4>();
    let mut text = String::with_capacity(body.len() / 4 + body.len() / 32);
    for (index, bytes) in units.iter().enumerate() {
        text.push(char::from_u32(unit(*bytes)).ok_or(index * 4)?);
    }
    if rest.is_empty() { Ok(text) } else { Err(units.len() * 4) }
}

/// UTF-16 without a byte order mark, if the bytes, which contain a NUL, read as that.
///
/// Shape: the text, and "utf-16-le" or "utf-16-be".
/// Why: every ASCII character of UTF-16 has a NUL, always on the same side. So: the side with more NULs is the high
/// byte; the bytes must decode without an unpaired surrogate, hold no NUL and no other control character, no
/// noncharacter and nothing from the private use areas; and at least a quarter of the characters must be ASCII (half of
/// them in up to 80 characters, or one stray NUL would do), among them a space or a line end unless it is that short. Read the wrong way around, ASCII becomes rare
/// ideographs, and such text has no ASCII at all.
/// Not covered: UTF-16 that is almost wholly ideographs, and UTF-32, without a mark; both are dropped as binary.
pub fn unmarked_utf16(raw: &[u8]) -> Option<(String, &'static str)> {
    let (pairs, rest) = raw.as_chunks::<2>();
    if pairs.len() < 2 || !rest.is_empty() {
        return None;
    }
    let (mut even, mut odd) = (0usize, 0usize);
    for [a, b] in pairs {
        even += usize::from(*a == 0);
        odd += usize::from(*b == 0);
    }
    // Almost every binary file stops here, before anything is decoded.
    if even.max(odd) * 4 < pairs.len() || even.min(odd) * 4 > even.max(odd) {
        return None;
    }
    let encoding = if odd > even { "utf-16-le" } else { "utf-16-be" };
    let text = decode(raw, encoding).ok()?.into_owned();
    let (mut ascii, mut gaps) = (0usize, 0usize);
    for c in text.chars() {
        match c {
            ' ' | '\n' | '\r' | '\t' => gaps += 1,
            '!'..='~' => ascii += 1,
            '\u{c}' | '\u{1b}' => {}
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. => return None,
            _ if (c as u32) & 0xfffe == 0xfffe => return None,
            _ => {}
        }
    }
    let short = pairs.len() <= 80;
    let plausible =
        (ascii + gaps) * if short { 2 } else { 4 } >= pairs.len() && ascii > 0 && (gaps > 0 || short);
    plausible.then_some((text, encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn be(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn utf16_without_a_mark() {
        for text in [
            "#include <windows.h>\r\n// 数据库连接\r\nint main() { return 0; }\r\n",
            "a = 1\n",
            "x=\"\u{1f600}\" \n",
        ] {
            assert_eq!(unmarked_utf16(&le(text)), Some((text.to_owned(), "utf-16-le")));
            assert_eq!(unmarked_utf16(&be(text)), Some((text.to_owned(), "utf-16-be")));
        }
    }

    #[test]
    fn binary_data_is_not_utf16() {
        let mut state = 7u32;
        let mut random = |n: usize| -> Vec<u8> {
            let mut step = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            (0..n).map(|_| step()).collect()
        };
        assert!((0..2000).all(|i| unmarked_utf16(&random(4 + 2 * (i % 40))).is_none()));
        let samples_of_16_bits: Vec<u8> = (0..2000u16).flat_map(|i| (i % 300).to_le_bytes()).collect();
        assert_eq!(unmarked_utf16(&samples_of_16_bits), None);
        assert_eq!(unmarked_utf16(b"ab\0\0cd\0\0"), None);
        assert_eq!(unmarked_utf16(b"name\0value\0"), None);
        assert_eq!(unmarked_utf16(b"nul\0byte"), None);
    }
}
