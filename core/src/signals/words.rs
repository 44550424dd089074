//! Normalised words: what they are, and how many, how long, how various.
//!
//! A line of ASCII is cut into words in one pass; a line with anything else is normalised first, in six steps whose
//! order matters (NFKC comes last, so what it makes is neither lower-cased nor stripped of punctuation again).

use super::classes::{SPACE, is, raw_words};
use super::interner::Interner;
use super::{Applies, ratio, round8, signals};
use memchr::memchr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The normalised words of a document, numbered.
#[derive(Default)]
pub struct Words {
    /// The number of each word, in order.
    pub numbers: Vec<u32>,
    /// Length of each different word, in characters.
    pub lengths: Vec<u32>,
    /// How often each different word occurs.
    pub counts: Vec<u32>,
    /// The sum of the lengths of all words.
    pub chars: usize,
    /// How many consist of ASCII digits.
    pub numeric: usize,
}

impl Words {
    /// The words of `content`; of Chinese text as `segment` cuts them.
    pub fn of(content: &str, segment: Option<fn(&str) -> Vec<&str>>) -> Self {
        let mut table = Interner::default();
        let mut numbers = Vec::with_capacity(content.len() / 6);
        let mut rest = content;
        while !rest.is_empty() {
            let cut = memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
            let (line, others) = rest.split_at(cut);
            let start = numbers.len();
            if segment.is_some() || !ascii_words(line.as_bytes(), &mut table, &mut numbers) {
                numbers.truncate(start);
                normalised_words(line, segment, &mut table, &mut numbers);
            }
            rest = others;
        }
        let mut counts = vec![0; table.len()];
        for &number in &numbers {
            counts[number as usize] += 1;
        }
        let lengths: Vec<u32> = (0..table.len() as u32)
            .map(|n| table.get(n).iter().filter(|&&byte| (byte as i8) >= -0x40).count() as u32)
            .collect();
        let chars = numbers.iter().map(|&n| lengths[n as usize] as usize).sum();
        let digits = |n: u32| table.get(n).iter().all(u8::is_ascii_digit);
        let numeric = (0..).zip(&counts).filter(|&(n, _)| digits(n)).map(|(_, &count)| count as usize).sum();
        Self { numbers, lengths, counts, chars, numeric }
    }

    /// How many words there are.
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// How many different ones. (A line that was cut twice can leave words behind that occur nowhere.)
    pub fn distinct(&self) -> usize {
        self.counts.iter().filter(|&&count| count > 0).count()
    }
}

const WORD: u8 = 1; // letters and digits
const SIGN: u8 = 2; // neither word nor space once punctuation is gone: ESC and DEL
const OTHER: u8 = 3; // deleted control characters and whatever is not ASCII

static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => WORD,
            0x1B | 0x7F => SIGN,
            0x00..=0x08 | 0x0E..=0x1A | 0x1C..=0x1F | 0x80..=0xFF => OTHER,
            _ => 0, // whitespace and punctuation
        };
        byte += 1;
    }
    kinds
};

/// Cuts a line of ASCII into words; false if it is not plain enough.
fn ascii_words(line: &[u8], table: &mut Interner, numbers: &mut Vec<u32>) -> bool {
    let mut at = 0;
    while at < line.len() {
        let kind = KINDS[line[at] as usize];
        if kind == 0 {
            at += 1;
            continue;
        }
        if kind == OTHER {
            return false;
        }
        let start = at;
        while at < line.len() && KINDS[line[at] as usize] == kind {
            at += 1;
        }
        numbers.push(table.number(&line[start..at], true));
    }
    true
}

fn normalised_words(
    line: &str,
    segment: Option<fn(&str) -> Vec<&str>>,
    table: &mut Interner,
    numbers: &mut Vec<u32>,
) {
    let line = normalised(line);
    if let Some(segment) = segment {
        let words = segment(&line).into_iter().filter(|word| !word.chars().all(|c| is(c, SPACE)));
        numbers.extend(words.map(|word| table.number(word.as_bytes(), false)));
    } else {
        numbers.extend(raw_words(&line).map(|word| table.number(word.as_bytes(), false)));
    }
}

/// Steps 1 to 6 of the reference's normalisation.
pub(super) fn normalised(line: &str) -> String {
    let replaced: String = line.chars().filter_map(replacement).collect();
    let lower = replaced.to_lowercase(); // with final sigma, as Python has it
    let mut spaced = String::with_capacity(lower.len());
    for word in lower.split(|c| is(c, SPACE)).filter(|word| !word.is_empty()) {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    if is_nfkc_quick(spaced.chars()) == IsNormalized::Yes {
        return spaced;
    }
    spaced.nfkc().collect()
}

/// What stands for a character: nothing for controls, half-width punctuation, and a space for that.
fn replacement(c: char) -> Option<char> {
    let half = match c {
        '\u{0}'..='\u{8}' | '\u{E}'..='\u{1A}' | '\u{1C}'..='\u{1F}' | '\u{202C}' => return None,
        '\u{2009}' | '\u{200B}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => {
            let half = char::from((c as u32 - 0xFEE0) as u8);
            if half.is_ascii_punctuation() { half } else { c }
        }
        '。' | '、' | '“' | '”' | '【' | '】' | '《' | '》' | '「' | '」' | '‘' | '’' => '.',
        '\u{FFE5}' => '\u{A5}',
        _ => c,
    };
    Some(if half.is_ascii_punctuation() { ' ' } else { half })
}

signals! {
    family "words", version 1, Applies::All;

    /// Number of normalised words: letters and digits in any script, cut at punctuation and `_`.
    ///
    /// Unit: words.
    /// Null: never.
    /// Why: a file of a few words teaches nothing.
    /// From: opc_data_filtering, `num_words`; RedPajama-V2.
    /// Example: python "x = snake_case\n" → 3
    fn num_words(document) { Some(document.words().count() as f64) }

    /// Mean length of the normalised words.
    ///
    /// Unit: characters.
    /// Null: no words.
    /// Why: natural code has words of 2 to 10; tables of digits and encoded blobs have not.
    /// From: opc_data_filtering, `mean_word_length`; Gopher.
    /// Example: python "ab abcd\n" → 3
    fn mean_word_length_chars(document) {
        let words = document.words();
        ratio(words.chars, words.count())
    }

    /// Different normalised words, as a share of all.
    ///
    /// Unit: fraction of words.
    /// Null: no words.
    /// Why: low in generated tables, near 1 in lists of names.
    /// From: opc_data_filtering, `frac_words_unique`; RedPajama-V2.
    /// Example: python "a b a b\n" → 0.5
    fn frac_words_unique(document) { ratio(document.words().distinct(), document.words().count()) }

    /// Entropy of the distribution of normalised words.
    ///
    /// Unit: nats.
    /// Null: no words.
    /// Why: low where a few words are repeated, high in dictionaries.
    /// From: opc_data_filtering, `entropy_unigram`; RedPajama-V2. (There for text only; here for every document.)
    /// Example: markdown "a b a b\n" → 0.69314718
    fn unigram_entropy_nats(document) {
        let words = document.words();
        let all = words.count() as f64;
        let sum = |sum: f64, &count: &u32| {
            let share = f64::from(count) / all;
            if count > 0 { sum - share * share.ln() } else { sum }
        };
        (words.count() > 0).then(|| round8(words.counts.iter().fold(0.0, sum)))
    }

    /// Share of normalised words that consist of digits.
    ///
    /// Unit: fraction of words.
    /// Null: no words.
    /// Why: tables of numbers in the clothes of code.
    /// From: ours.
    /// Example: python "x = [1, 2, 3]\n" → 0.75
    fn frac_words_numeric(document) {
        ratio(document.words().numeric, document.words().count())
    }

    /// Share of normalised words that are a single character.
    ///
    /// Unit: fraction of words.
    /// Null: no words.
    /// Why: minified and obfuscated code has little else.
    /// From: ours.
    /// Example: javascript "var a = b\n" → 0.66666667
    fn frac_words_single_char(document) {
        let words = document.words();
        let single = words.numbers.iter().filter(|&&n| words.lengths[n as usize] == 1).count();
        ratio(single, words.count())
    }

    /// Length of the longest normalised word.
    ///
    /// Unit: characters.
    /// Null: no words.
    /// Why: encoded data and keys show as one enormous word.
    /// From: ours.
    /// Example: python "x = abcdef\n" → 6
    fn max_word_length_chars(document) {
        let words = document.words();
        words.numbers.iter().map(|&n| words.lengths[n as usize]).max().map(f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, normalised};

    #[test]
    fn normalising_follows_the_order_of_its_steps() {
        assert_eq!(normalised("Hello，World！ ＡＢ\n"), "hello world ab");
        assert_eq!(normalised("™ … ½ İ ΣΑΣ"), "TM ... 1⁄2 i\u{307} σας");
        assert_eq!(normalised("a\u{200B}b\u{202C}c\u{0}d"), "a bcd");
        assert_eq!(normalised("「x」《y》￥"), "x y ¥");
    }

    #[test]
    fn a_line_of_ascii_gives_what_normalising_would() {
        for text in
            ["snake_case camelCase x1\n", "a\u{1B}b \u{7F}\n", "tab\tvt\u{B}ff\u{C}\r\n", "", "don't\n"]
        {
            let fast = Words::of(text, None);
            let slow = Words::of(&format!("{text}\u{202C}"), None); // a character that is deleted
            assert_eq!(
                (fast.count(), fast.chars, fast.distinct()),
                (slow.count(), slow.chars, slow.distinct())
            );
        }
        assert_eq!(Words::of("a\u{1B}b", None).count(), 3);
    }
}
