//! Texts cut into chunks of so many words each.

use super::words::counts;
use arrow_array::{Array, Int64Array, LargeListArray, LargeStringArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use std::sync::Arc;

/// Where the chunks of `words` words of each text end, in bytes from its beginning.
///
/// A chunk begins with a word and ends where the next one begins, so that chunks joined are the text; the first has
/// what comes before the first word as well, and every text has one chunk at least. Null: the text is null.
/// `words` ≥ 1.
pub fn chunk_ends(content: &LargeStringArray, words: usize) -> LargeListArray {
    let mut ends: Vec<i64> = Vec::new();
    let mut offsets: Vec<i64> = vec![0];
    for text in content {
        if let Some(text) = text {
            each_end(text.as_bytes(), words, |end| ends.push(end as i64));
        }
        offsets.push(ends.len() as i64);
    }
    let field = Arc::new(Field::new_list_field(DataType::Int64, true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    LargeListArray::new(field, offsets, Arc::new(Int64Array::from(ends)), content.nulls().cloned())
}

fn each_end(text: &[u8], words: usize, mut end: impl FnMut(usize)) {
    let (mut inside, mut seen) = (false, 0);
    for (at, &byte) in text.iter().enumerate() {
        let word = counts(byte);
        if word && (!inside || byte >= 0xE0) {
            if seen == words {
                end(at);
                seen = 0;
            }
            seen += 1;
        }
        inside = word;
    }
    end(text.len());
}

#[cfg(test)]
mod tests {
    use super::{LargeStringArray, chunk_ends};
    use crate::sketch::shingles::{Shingler, Unit};
    use crate::sketch::simd::Simd;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    fn ends(text: &str, words: usize) -> Vec<i64> {
        let list = chunk_ends(&LargeStringArray::from(vec![Some(text)]), words).value(0);
        list.as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn chunks_begin_with_words_and_cover_the_text() {
        assert_eq!(ends("", 3), [0]);
        assert_eq!(ends(" ( ) ", 3), [5]);
        assert_eq!(ends("a b c", 3), [5]);
        assert_eq!(ends(" a b  (c) d e ", 2), [7, 12, 14]);
        assert_eq!(ends("漢字かな", 3), [9, 12], "characters that begin words");
        assert_eq!(ends("éé été", 1), [5, 10]);
    }

    #[test]
    fn every_chunk_has_as_many_words_as_the_shingler_sees() {
        let text = "fn main() { let 名前 = \"été_9\"; println!(\"{名前} 😀\"); }\n".repeat(700);
        let mut shingler = Shingler::new(1, Unit::Word, 0, Simd::best());
        for words in [1, 7, 4096] {
            let mut start = 0;
            let found = ends(&text, words);
            for (i, &end) in found.iter().enumerate() {
                let count = shingler.each(&text[start..end as usize], |_| ());
                assert!(count == words || i + 1 == found.len() && count <= words, "{count} of {words}");
                start = end as usize;
            }
            assert_eq!(start, text.len());
        }
    }

    #[test]
    fn null_texts_have_null_chunks() {
        let list = chunk_ends(&LargeStringArray::from(vec![None, Some("x")]), 1);
        assert_eq!((list.is_null(0), list.value(1).len()), (true, 1));
    }
}
