//! Repeated runs of words where they say something: in texts that are long enough, and of more than boilerplate.

use super::ngrams::ngrams;
use super::words::words;
use super::{Applies, Document, signals};

/// Words below which a few repeats are no sign of anything: a phrase of 2 that occurs four times is a fifth of 40.
const FEW_FOR_PHRASES: usize = 100;

/// The same for passages: two functions of one shape are half of a file of 100 words.
const FEW_FOR_PASSAGES: usize = 200;

fn phrase(document: &Document<'_>, n: usize) -> Option<f64> {
    if words(document).count() < FEW_FOR_PHRASES {
        return None;
    }
    let ngrams = ngrams(document);
    if ngrams.is_boilerplate(n) { Some(0.0) } else { ngrams.top(n) }
}

fn passage(document: &Document<'_>, n: usize) -> Option<f64> {
    (words(document).count() >= FEW_FOR_PASSAGES).then(|| ngrams(document).duplicated(n))?
}

signals! {
    family "repetition", version 1, Applies::All;

    /// `frac_chars_top_2grams` of a text of 100 words or more; 0 if that run is boilerplate, such as `public static`.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: fewer than 100 words.
    /// Why: in a short file a few repeats are a large share, and reserved words stand together in every file.
    /// From: ours, after opc_data_filtering.
    /// Example: python "a b a b c\n" → null
    fn frac_chars_top_phrase_of_2(document) { phrase(document, 2) }

    /// `frac_chars_top_3grams` of a text of 100 words or more; 0 if that run is boilerplate, such as `public static void`.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: fewer than 100 words.
    /// Why: in a short file a few repeats are a large share, and reserved words stand together in every file.
    /// From: ours, after opc_data_filtering.
    /// Example: python "a b c a b c\n" → null
    fn frac_chars_top_phrase_of_3(document) { phrase(document, 3) }

    /// `frac_chars_top_4grams` of a text of 100 words or more; 0 if that run is boilerplate, such as `nil return nil err`.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: fewer than 100 words.
    /// Why: in a short file a few repeats are a large share, and reserved words stand together in every file.
    /// From: ours, after opc_data_filtering.
    /// Example: python "a b c d a b c d\n" → null
    fn frac_chars_top_phrase_of_4(document) { phrase(document, 4) }

    /// `frac_chars_dupe_5grams` of a text of 200 words or more.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: fewer than 200 words.
    /// Why: two functions of one shape are half of a short file.
    /// From: ours, after opc_data_filtering.
    /// Example: python "a b c d e a b c d e z\n" → null
    fn frac_chars_copied_runs_of_5(document) { passage(document, 5) }

    /// `frac_chars_dupe_10grams` of a text of 200 words or more.
    ///
    /// Unit: fraction of the characters of words.
    /// Null: fewer than 200 words.
    /// Why: two functions of one shape are half of a short file.
    /// From: ours, after opc_data_filtering.
    /// Example: python "a b c d e f g h i j a b c d e f g h i j z\n" → null
    fn frac_chars_copied_runs_of_10(document) { passage(document, 10) }
}

#[cfg(test)]
mod tests {
    use super::{passage, phrase};
    use crate::signals::{DocType, Document};

    fn of(text: &str, what: fn(&Document<'_>, usize) -> Option<f64>, n: usize) -> Option<f64> {
        what(&Document::new(text, "java", DocType::Code, None), n)
    }

    #[test]
    fn short_texts_have_no_value() {
        assert_eq!(of(&"cat dog ".repeat(49), phrase, 2), None);
        assert!(of(&"cat dog ".repeat(50), phrase, 2).is_some_and(|value| value > 0.9));
        assert_eq!(of(&"cat dog ".repeat(99), passage, 5), None);
        assert_eq!(of(&"cat dog ".repeat(100), passage, 10), Some(1.0));
    }

    #[test]
    fn boilerplate_is_no_phrase() {
        assert_eq!(of(&"public static ".repeat(60), phrase, 2), Some(0.0));
        assert_eq!(of(&"PUBLIC Static ".repeat(60), phrase, 2), Some(0.0));
        assert!(of(&"public cat ".repeat(60), phrase, 2).is_some_and(|value| value > 0.9));
    }
}
