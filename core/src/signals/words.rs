//! Words.

use super::{Applies, ratio, signals};

/// The normalised words of a document.
pub struct Words {
    /// How many there are.
    pub count: usize,
    /// The sum of their lengths, in characters.
    pub chars: usize,
}

impl Words {
    /// The words of `content`.
    pub fn of(content: &str) -> Self {
        Self { count: content.split_whitespace().count(), chars: 0 }
    }
}

signals! {
    family "words", version 1, Applies::All;

    /// Number of normalised words.
    ///
    /// Unit: words.
    /// Null: never.
    /// Why: a file of a few words teaches nothing.
    /// From: opc_data_filtering, `num_words`.
    /// Example: python "x = snake_case\n" → 3
    fn num_words(document) { Some(document.words().count as f64) }

    /// Mean length of the normalised words.
    ///
    /// Unit: characters.
    /// Null: no words.
    /// Why: very short or long words are not language.
    /// From: opc_data_filtering, `mean_word_length`.
    /// Example: python "ab abcd\n" → 3
    fn mean_word_length_chars(document) { ratio(document.words().chars, document.words().count) }
}
