//! One document: text in some encoding, or dropped for a reason.

use super::{binary, legacy, unicode};
use std::borrow::Cow;

/// What became of the bytes of one document.
#[derive(Debug, PartialEq)]
pub enum Judgement<'a> {
    /// Text; borrowed if the bytes were UTF-8 already.
    Text {
        /// The content, without a byte order mark.
        text: Cow<'a, str>,
        /// What it was decoded from.
        encoding: &'static str,
        /// 1 where the bytes or a declaration in them say so; the probability that a guess is right otherwise.
        confidence: f32,
    },
    /// No text, for one reason.
    Dropped {
        /// `empty`, `binary` or `undecodable`.
        reason: &'static str,
        /// What was found, for the ledger.
        detail: Option<Cow<'static, str>>,
    },
}

/// Decides about one document, in this order.
///
/// 1. No bytes, or only a byte order mark: `empty`.
/// 2. A byte order mark names the encoding. If the bytes then do not follow it: `undecodable`.
/// 3. The signature of a known binary format: `binary`.
/// 4. NUL bytes: UTF-16 without a mark if it reads as that, else `binary`, also where the bytes are valid UTF-8.
/// 5. Too many control characters: `binary`.
/// 6. Valid UTF-8 (or ISO-2022-JP, which hides in ASCII): that.
/// 7. The encoding that the file declares, if the bytes follow it.
/// 8. A legacy encoding if one decodes every byte and reads as text, else `undecodable`.
///
/// The result never contains a U+FFFD that was not in the file.
pub fn judge(raw: &[u8]) -> Judgement<'_> {
    if raw.is_empty() {
        return Judgement::Dropped { reason: "empty", detail: None };
    }
    if let Some(mark) = unicode::mark(raw) {
        return with_mark(raw, mark);
    }
    if let Some(format) = binary::signature(raw) {
        return dropped_binary(format.into());
    }
    if let Some(at) = memchr::memchr(0, raw) {
        return match unicode::unmarked_utf16(raw) {
            Some((text, encoding)) => certain(text.into(), encoding),
            None => dropped_binary(format!("NUL at byte {at}").into()),
        };
    }
    let controls = binary::controls(raw);
    let valid = simdutf8::basic::from_utf8(raw).ok();
    if binary::too_many(controls, raw.len(), valid.is_some()) {
        return dropped_binary(format!("{controls} control characters in {} bytes", raw.len()).into());
    }
    if let Some(text) = valid {
        if let Some(text) = legacy::iso_2022_jp(raw) {
            return certain(text.into(), "iso-2022-jp");
        }
        return match legacy::declared_over_utf8(raw, text) {
            Some(found) => certain(found.text.into(), found.encoding),
            None => certain(text.into(), "utf-8"),
        };
    }
    match legacy::decode(raw) {
        Ok(legacy::Decoded { text, encoding, confidence }) => {
            Judgement::Text { text: text.into(), encoding, confidence }
        }
        Err(detail) => Judgement::Dropped { reason: "undecodable", detail: Some(detail.into()) },
    }
}

fn certain<'a>(text: Cow<'a, str>, encoding: &'static str) -> Judgement<'a> {
    Judgement::Text { text, encoding, confidence: 1.0 }
}

fn dropped_binary(detail: Cow<'static, str>) -> Judgement<'static> {
    Judgement::Dropped { reason: "binary", detail: Some(detail) }
}

fn with_mark(raw: &[u8], mark: unicode::Mark) -> Judgement<'_> {
    let body = &raw[mark.length..];
    if body.is_empty() {
        return Judgement::Dropped {
            reason: "empty",
            detail: Some(format!("only a byte order mark ({})", mark.encoding).into()),
        };
    }
    let text = match unicode::decode(body, mark.encoding) {
        Ok(text) => text,
        Err(at) => {
            let detail = format!("not {} at byte {}", mark.encoding, at + mark.length);
            return Judgement::Dropped { reason: "undecodable", detail: Some(detail.into()) };
        }
    };
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        return dropped_binary(format!("NUL in {}, at byte {at} of the text", mark.encoding).into());
    }
    let controls = binary::controls(text.as_bytes());
    if binary::too_many(controls, text.len(), true) {
        return dropped_binary(format!("{controls} control characters in {} bytes", text.len()).into());
    }
    certain(text, mark.encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(raw: &[u8]) -> (&'static str, String) {
        match judge(raw) {
            Judgement::Dropped { reason, detail } => (reason, detail.unwrap_or_default().into_owned()),
            Judgement::Text { text, encoding, .. } => panic!("{encoding}: {text:?}"),
        }
    }

    fn text(raw: &[u8]) -> (String, &'static str) {
        match judge(raw) {
            Judgement::Text { text, encoding, .. } => (text.into_owned(), encoding),
            Judgement::Dropped { reason, detail } => panic!("{reason}: {detail:?}"),
        }
    }

    #[test]
    fn marks_name_the_encoding_and_are_not_content() {
        let marked: [(&[u8], &str); 5] = [
            (b"\xef\xbb\xbfa\xc3\xa9", "utf-8-bom"),
            (b"\xff\xfea\0\xe9\0", "utf-16-le"),
            (b"\xfe\xff\0a\0\xe9", "utf-16-be"),
            (b"\xff\xfe\0\0a\0\0\0\xe9\0\0\0", "utf-32-le"),
            (b"\0\0\xfe\xff\0\0\0a\0\0\0\xe9", "utf-32-be"),
        ];
        for (raw, encoding) in marked {
            assert_eq!(text(raw), ("aé".to_owned(), encoding));
        }
    }

    #[test]
    fn reasons_say_what_was_found() {
        assert_eq!(reason(b"").0, "empty");
        assert_eq!(reason(b"\xef\xbb\xbf"), ("empty", "only a byte order mark (utf-8-bom)".into()));
        assert_eq!(reason(b"int a;\0"), ("binary", "NUL at byte 6".into()));
        assert_eq!(reason(b"\x89PNG\r\n\x1a\n rest").1, "PNG image");
        assert_eq!(reason(b"\xff\xfea\0\0\xd8"), ("undecodable", "not utf-16-le at byte 4".into()));
        assert_eq!(reason(b"\xff\xfea\0\xe9"), ("undecodable", "not utf-16-le at byte 4".into()));
        assert_eq!(reason(b"\xef\xbb\xbfab\xff"), ("undecodable", "not utf-8-bom at byte 5".into()));
        assert_eq!(reason(b"\xff\xfea\0\0\0").0, "binary");
        assert_eq!(reason(&[1, 2, 3, 4, b'a', b'b']).1, "4 control characters in 6 bytes");
    }

    #[test]
    fn a_replacement_character_of_the_file_stays() {
        assert_eq!(text("a\u{fffd}".as_bytes()), ("a\u{fffd}".to_owned(), "utf-8"));
    }
}
