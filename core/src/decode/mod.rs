//! Bytes to text: which encoding a file is in, and its content as UTF-8 — or why it has none.
//!
//! [`text::judge`] decides about one document, [`decode`] about a batch. See `docs/encodings.md` for the rules in
//! prose and the measured accuracy.

pub mod binary;
mod declared;
pub mod legacy;
mod single_byte;
pub mod text;
pub mod unicode;

#[cfg(feature = "python")]
pub(crate) mod python;

use crate::guard::guarded;
use arrow_array::builder::{Float32Builder, StringBuilder};
use arrow_array::{Array, ArrayRef, LargeBinaryArray, LargeStringArray, RecordBatch};
use arrow_buffer::{Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::borrow::Cow;
use std::sync::Arc;
use text::Judgement;

/// The columns of [`decode`]'s result.
pub fn schema() -> Schema {
    Schema::new(vec![
        Field::new("content", DataType::LargeUtf8, true),
        Field::new("encoding", DataType::Utf8, true),
        Field::new("encoding_confidence", DataType::Float32, true),
        Field::new("content_sha256", DataType::FixedSizeBinary(32), true),
        Field::new("reason", DataType::Utf8, true),
        Field::new("detail", DataType::Utf8, true),
    ])
}

/// Decodes a batch of files.
///
/// Shape: one row per value, in order; columns as in [`schema`]. A row has either `content`, `encoding` and
/// `encoding_confidence`, or
/// `reason` (`empty`, `binary`, `undecodable`, `crashed`) and mostly `detail`. Null: a null value gives a row of
/// nulls, without a reason. If every document is UTF-8 without a byte order mark, `content` shares the memory of
/// `raw`.
pub fn decode(raw: &LargeBinaryArray) -> Result<RecordBatch, ArrowError> {
    decode_with(raw, text::judge)
}

fn decode_with<'a>(
    raw: &'a LargeBinaryArray,
    judge: impl Fn(&'a [u8]) -> Judgement<'a>,
) -> Result<RecordBatch, ArrowError> {
    let mut encodings = StringBuilder::with_capacity(raw.len(), raw.len() * 5);
    let mut confidences = Float32Builder::with_capacity(raw.len());
    let mut reasons = StringBuilder::with_capacity(raw.len(), 0);
    let mut details = StringBuilder::with_capacity(raw.len(), 0);
    let mut texts: Vec<Option<Cow<'a, str>>> = Vec::with_capacity(raw.len());
    for bytes in raw.iter() {
        let judgement = bytes.map(|b| guarded(|| judge(b)));
        let (text, encoding, reason, detail) = match judgement {
            None => (None, None, None, None),
            Some(Ok(Judgement::Text { text, encoding, confidence })) => {
                (Some(text), Some((encoding, confidence)), None, None)
            }
            Some(Ok(Judgement::Dropped { reason, detail })) => (None, None, Some(reason), detail),
            Some(Err(panic)) => (None, None, Some("crashed"), Some(Cow::Owned(format!("decoding: {panic}")))),
        };
        texts.push(text);
        encodings.append_option(encoding.map(|(name, _)| name));
        confidences.append_option(encoding.map(|(_, confidence)| confidence));
        reasons.append_option(reason);
        details.append_option(detail);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(contents(raw, texts)),
        Arc::new(encodings.finish()),
        Arc::new(confidences.finish()),
        Arc::new(crate::hash::sha256(raw)),
        Arc::new(reasons.finish()),
        Arc::new(details.finish()),
    ];
    RecordBatch::try_new(Arc::new(schema()), columns)
}

/// The texts as one column: the buffers of `raw` itself where every value is text just as it stands.
fn contents(raw: &LargeBinaryArray, texts: Vec<Option<Cow<'_, str>>>) -> LargeStringArray {
    let unchanged = texts.iter().zip(raw.iter()).all(|(text, bytes)| match (text, bytes) {
        // A dropped row must be without bytes: a null slot over bytes that are not UTF-8 trips strict readers.
        (None, bytes) => bytes.is_none_or(<[u8]>::is_empty),
        (Some(text), bytes) => bytes.is_some_and(|b| b.len() == text.len() && b.as_ptr() == text.as_ptr()),
    }) && (raw.null_count() == 0 || nulls_are_bare(raw));
    let present: NullBuffer = texts.iter().map(Option::is_some).collect();
    let nulls = Some(present).filter(|n| n.null_count() > 0);
    if unchanged {
        // SAFETY: each value that is not null was validated as UTF-8 by `judge`, which returned it as a `str` of the
        // same address and length; null slots are empty; the offsets are those of a valid array.
        return unsafe {
            LargeStringArray::new_unchecked(raw.offsets().clone(), raw.values().clone(), nulls)
        };
    }
    let total: usize = texts.iter().flatten().map(|t| t.len()).sum();
    let mut values = MutableBuffer::with_capacity(total);
    let mut offsets: Vec<i64> = Vec::with_capacity(texts.len() + 1);
    offsets.push(0);
    for text in texts {
        // `text` is dropped here, so that transcoded documents do not live twice.
        if let Some(text) = text {
            values.extend_from_slice(text.as_bytes());
        }
        offsets.push(values.len() as i64);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    // SAFETY: `values` is the concatenation of `str`s, cut where they end.
    unsafe { LargeStringArray::new_unchecked(offsets, Buffer::from(values), nulls) }
}

fn nulls_are_bare(raw: &LargeBinaryArray) -> bool {
    raw.offsets().windows(2).enumerate().all(|(row, ends)| raw.is_valid(row) || ends[0] == ends[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> &'a T {
        batch.column_by_name(name).and_then(|c| c.as_any().downcast_ref()).expect(name)
    }

    #[test]
    fn a_document_that_panics_is_dropped_alone() {
        let raw = LargeBinaryArray::from_opt_vec(vec![Some(b"a"), Some(b"boom"), None]);
        let batch = decode_with(&raw, |b| if b == b"boom" { panic!("at byte 3") } else { text::judge(b) });
        let batch = batch.expect("schema");
        let (content, reason) = (
            column::<LargeStringArray>(&batch, "content"),
            column::<arrow_array::StringArray>(&batch, "reason"),
        );
        assert_eq!((content.value(0), content.is_null(1), content.is_null(2)), ("a", true, true));
        assert_eq!((reason.is_null(0), reason.value(1), reason.is_null(2)), (true, "crashed", true));
        let detail = column::<arrow_array::StringArray>(&batch, "detail");
        assert_eq!(detail.value(1), "decoding: at byte 3");
    }

    #[test]
    fn utf8_is_not_copied_and_mixed_batches_are_right() {
        let raw = LargeBinaryArray::from_opt_vec(vec![Some("é".as_bytes()), None, Some(b""), Some(b"x")]);
        let batch = decode(&raw.slice(0, 3)).expect("schema");
        let content = column::<LargeStringArray>(&batch, "content");
        assert_eq!(content.value_data().as_ptr(), raw.value_data().as_ptr());
        assert_eq!((content.value(0), content.null_count()), ("é", 2));

        let raw = LargeBinaryArray::from_opt_vec(vec![Some(b"\xef\xbb\xbfa"), Some(b"\0\x01"), Some(b"b")]);
        let batch = decode(&raw.slice(1, 2)).expect("schema");
        let content = column::<LargeStringArray>(&batch, "content");
        assert_eq!((content.is_null(0), content.value(1)), (true, "b"));
        let batch = decode(&raw).expect("schema");
        let content = column::<LargeStringArray>(&batch, "content");
        assert_eq!((content.value(0), content.is_null(1), content.value(2)), ("a", true, "b"));
    }
}
