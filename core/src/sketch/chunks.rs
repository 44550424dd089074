//! Texts cut into chunks of so many words each.

use super::words::counts;
use arrow_array::{Array, Int64Array, LargeListArray, LargeStringArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use std::sync::Arc;

/// Where the chunks of `words` words of each text end, in bytes from its beginning.
///
/// A chunk begins with a word and ends where the next one begins, so that chunks joined are the text; the first has
/// what comes before the first word as well, and every text has one chunk at least. A rest of fewer than `least` words
/// belongs to the chunk before it: alone it could not be compared with anything. Null: the text is null.
/// `words` ≥ 1.
pub fn chunk_ends(content: &LargeStringArray, words: usize, least: usize) -> LargeListArray {
    let mut ends: Vec<i64> = Vec::new();
    let mut offsets: Vec<i64> = vec![0];
    for text in content {
        if let Some(text) = text {
            each_end(text.as_bytes(), words, least, |end| ends.push(end as i64));
        }
        offsets.push(ends.len() as i64);
    }
    let field = Arc::new(Field::new_list_field(DataType::Int64, true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    LargeListArray::new(field, offsets, Arc::new(Int64Array::from(ends)), content.nulls().cloned())
}

fn each_end(text: &[u8], words: usize, least: usize, mut end: impl FnMut(usize)) {
    let (mut inside, mut seen, mut before) = (false, 0, None);
    // A word takes two bytes at least, itself and a separator, or three: most files are too short to be looked at.
    let looked_at = if text.len() > 2 * words { text } else { &[] };
    for (at, &byte) in looked_at.iter().enumerate() {
        let word = counts(byte);
        if word && (!inside || byte >= 0xE0) {
            if seen == words {
                before.replace(at).map(&mut end);
                seen = 0;
            }
            seen += 1;
        }
        inside = word;
    }
    before.filter(|_| seen >= least).map(&mut end);
    end(text.len());
}

#[cfg(test)]
mod tests {
    use super::{LargeStringArray, chunk_ends};
    use crate::sketch::fastest::fastest;
    use crate::sketch::shingles::{Shingler, Unit};
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    fn ends(text: &str, words: usize) -> Vec<i64> {
        ends_with(text, words, 1)
    }

    fn ends_with(text: &str, words: usize, least: usize) -> Vec<i64> {
        let list = chunk_ends(&LargeStringArray::from(vec![Some(text)]), words, least).value(0);
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
    fn a_rest_belongs_to_the_chunk_before_it() {
        assert_eq!(ends_with("a b c d e f g h", 3, 2), [6, 12, 15]);
        assert_eq!(ends_with("a b c d e f g h", 3, 3), [6, 15]);
        assert_eq!(ends_with("a b c d e f g", 3, 2), [6, 13]);
        assert_eq!(ends_with("a", 3, 2), [1], "a text has a chunk, however short");
        assert_eq!(ends_with("a b c d e f", 3, 3), [6, 11], "no rest");
    }

    #[test]
    fn every_chunk_has_as_many_words_as_the_shingler_sees() {
        let text = "fn main() { let 名前 = \"été_9\"; println!(\"{名前} 😀\"); }\n".repeat(700);
        let mut shingler = Shingler::new(1, Unit::Word, 0, fastest());
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
        let list = chunk_ends(&LargeStringArray::from(vec![None, Some("x")]), 1, 1);
        assert_eq!((list.is_null(0), list.value(1).len()), (true, 1));
    }
}
