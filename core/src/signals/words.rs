//! Normalised words: what they are, and how many, how long, how various.
//!
//! Plain ASCII is cut as it is; anything else is normalised first, in six steps whose order matters (NFKC comes last, so
//! what it makes is neither lower-cased nor stripped of punctuation again).

use super::classes::{SPACE, is, length, raw_words};
use super::interner::Interner;
use super::{Applies, Document, ratio, round8, signals};
use crate::bytes::{Class, class};
use memchr::memchr;
use rustc_hash::FxHashSet;
use std::cell::{Cell, RefCell};
use std::sync::LazyLock;
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
    /// Whether it consists of ASCII digits.
    digits: Vec<bool>,
    /// Whether it is one that many languages reserve: see [`RESERVED`].
    pub reserved: Vec<bool>,
}

thread_local! {
    static TABLE: RefCell<Interner> = RefCell::default();
    /// Room for the next document's: fresh memory for every large document would be cleared by the system each time.
    static NUMBERS: Cell<Vec<u32>> = Cell::default();
}

impl Drop for Words {
    fn drop(&mut self) {
        // The thread may be at its end.
        let _ = NUMBERS.try_with(|numbers| numbers.set(std::mem::take(&mut self.numbers)));
    }
}

impl Words {
    /// The words of `content`; of Chinese text as `segment` cuts them.
    pub fn of(content: &str, segment: Option<fn(&str) -> Vec<&str>>) -> Self {
        TABLE.with_borrow_mut(|table| {
            table.reset();
            let mut words = Self::default();
            words.numbers = NUMBERS.take();
            words.numbers.clear();
            words.read(content, segment, table);
            words
        })
    }

    /// What is plain ASCII is cut as it is, the rest when it has been normalised: of Chinese text all, of others what
    /// is not plain, from the blank or sign of ASCII before it to that after it, which no word goes across.
    fn read(&mut self, content: &str, segment: Option<fn(&str) -> Vec<&str>>, table: &mut Interner) {
        let bytes = content.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let (start, end) = match segment {
                Some(_) => (at, memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1)),
                None => not_plain(bytes, at),
            };
            let plain = &bytes[at..start];
            table.numbers::<true>(
                plain,
                WORD.runs(plain),
                |_| true,
                |number, start, end| {
                    self.add(number, || (end - start, &plain[start..end]));
                },
            );
            at = end;
            if start < end {
                let normal = normalised(&content[start..end]);
                let mut add = |word: &str| {
                    let number = table.number(word.as_bytes(), 0, word.len());
                    self.add(number, || (length(word), word.as_bytes()));
                };
                match segment {
                    Some(segment) => {
                        let words = cut(&normal, segment).into_iter();
                        words.filter(|word| !word.chars().all(|c| is(c, SPACE))).for_each(&mut add);
                    }
                    None => raw_words(&normal).for_each(&mut add),
                }
            }
        }
    }

    /// Adds a word; if it is new, `what` says how many characters it has, and which bytes.
    #[inline]
    fn add<'w>(&mut self, number: u32, what: impl FnOnce() -> (usize, &'w [u8])) {
        self.numbers.push(number);
        if let Some(count) = self.counts.get_mut(number as usize) {
            *count += 1;
            return;
        }
        let (length, word) = what();
        self.counts.push(1);
        self.lengths.push(length as u32);
        self.digits.push(word.iter().all(u8::is_ascii_digit));
        self.reserved.push(is_reserved(word));
    }

    /// How many words there are.
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// How many different ones.
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// The sum of the lengths of all words, in characters.
    pub fn chars(&self) -> usize {
        self.counts.iter().zip(&self.lengths).map(|(&count, &length)| count as usize * length as usize).sum()
    }

    /// How many are among the different ones for which `is` says so, given length and whether it is all digits.
    fn those(&self, is: impl Fn(u32, bool) -> bool) -> usize {
        let facts = self.lengths.iter().zip(&self.digits).zip(&self.counts);
        facts.filter(|&((&length, &digits), _)| is(length, digits)).map(|(_, &count)| count as usize).sum()
    }
}

/// Words of boilerplate: reserved in the widely used languages, or tags and attributes of every page.
const RESERVED: &str = "a abstract and as async await bool boolean break button byte case catch char class const continue def \
    default div do double elif else elseif end endif enum err export extends extern false fi final finally \
    float fn for foreach form from func function get href i id if impl implements import in include input \
    int integer interface internal is label let li long match mut name namespace new nil none not null of \
    option or override package pass private protected pub public raise readonly return returns self set \
    short size span static std string struct super switch table td template then this throw throws to tr \
    true try type typename typeof ul unsigned use using value var virtual void volatile while with yield";

/// Whether a word is one of [`RESERVED`], in any case.
fn is_reserved(word: &[u8]) -> bool {
    static SET: LazyLock<FxHashSet<&[u8]>> =
        LazyLock::new(|| RESERVED.split(' ').map(str::as_bytes).collect());
    let mut lower = [0; 10];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    SET.contains(&*lower)
}

/// What words of plain text are made of.
static WORD: Class = class!(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z');

/// What is not plain: all but ASCII, and control characters, some of which are words of their own.
static SPECIAL: Class = class!(0..=8 | 0x0E..=0x1F | 0x7F..);

/// So many bytes of plain text between two pieces that are not, on one line, are normalised with them.
const NEAR: usize = 32;

/// The next piece at or after `at` that is not plain, with the words of ASCII that touch it.
fn not_plain(bytes: &[u8], at: usize) -> (usize, usize) {
    let Some(first) = SPECIAL.find(&bytes[at..]).map(|found| at + found) else {
        return (bytes.len(), bytes.len());
    };
    let before = bytes[at..first].iter().rposition(|&byte| !WORD.has(byte));
    let mut end = first;
    let mut near = Some(0);
    while let Some(more) = near {
        end += more;
        let is_word = |&byte: &u8| WORD.has(byte) || SPECIAL.has(byte);
        end += bytes[end..].iter().position(|byte| !is_word(byte)).unwrap_or(bytes.len() - end);
        let line = bytes[end..].iter().take(NEAR).take_while(|&&byte| byte != b'\n');
        near = line.copied().position(|byte| SPECIAL.has(byte));
    }
    (before.map_or(at, |before| at + before + 1), end)
}

/// The longest text that is cut into words at once, in bytes: cutting takes many times its memory.
const PIECE: usize = 16 << 10;

/// So many words before the end of a piece are cut again with what follows it, for it may be that the last goes on.
const AGAIN: usize = 16;

/// A normalised line, cut piece by piece.
fn cut(line: &str, segment: fn(&str) -> Vec<&str>) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), line);
    while !rest.is_empty() {
        let piece = &rest[..rest.floor_char_boundary(PIECE)];
        let mut some = segment(piece);
        if piece.len() < rest.len() {
            some.truncate(some.len().saturating_sub(AGAIN).max(1));
        }
        rest = &rest[some.iter().map(|word| word.len()).sum()..];
        words.append(&mut some);
    }
    words
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
    // Characters of ASCII are normal; without them more marks may seem to be in wrong order, never fewer.
    if is_nfkc_quick(spaced.chars().filter(|c| !c.is_ascii())) == IsNormalized::Yes {
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

/// Normalised words.
pub fn words<'d>(document: &'d Document<'_>) -> &'d Words {
    document.derived(|| Words::of(document.content, document.natural().segmenter()))
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
    fn num_words(document) { Some(words(document).count() as f64) }

    /// Mean length of the normalised words.
    ///
    /// Unit: characters.
    /// Null: no words.
    /// Why: natural code has words of 2 to 10; tables of digits and encoded blobs have not.
    /// From: opc_data_filtering, `mean_word_length`; Gopher.
    /// Example: python "ab abcd\n" → 3
    fn mean_word_length_chars(document) {
        let words = words(document);
        ratio(words.chars(), words.count())
    }

    /// Different normalised words, as a share of all.
    ///
    /// Unit: fraction of words.
    /// Null: no words.
    /// Why: low in generated tables, near 1 in lists of names.
    /// From: opc_data_filtering, `frac_words_unique`; RedPajama-V2.
    /// Example: python "a b a b\n" → 0.5
    fn frac_words_unique(document) { ratio(words(document).distinct(), words(document).count()) }

    /// Entropy of the distribution of normalised words.
    ///
    /// Unit: nats.
    /// Null: no words.
    /// Why: low where a few words are repeated, high in dictionaries.
    /// From: opc_data_filtering, `entropy_unigram`; RedPajama-V2. (There for text only; here for every document.)
    /// Example: markdown "a b a b\n" → 0.69314718
    fn unigram_entropy_nats(document) {
        let words = words(document);
        let all = words.count() as f64;
        let sum = |sum: f64, &count: &u32| {
            let share = f64::from(count) / all;
            sum - share * share.ln()
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
        ratio(words(document).those(|_, digits| digits), words(document).count())
    }

    /// Share of normalised words that are a single character.
    ///
    /// Unit: fraction of words.
    /// Null: no words.
    /// Why: minified and obfuscated code has little else.
    /// From: ours.
    /// Example: javascript "var a = b\n" → 0.66666667
    fn frac_words_single_char(document) {
        ratio(words(document).those(|length, _| length == 1), words(document).count())
    }

    /// Length of the longest normalised word.
    ///
    /// Unit: characters.
    /// Null: no words.
    /// Why: encoded data and keys show as one enormous word.
    /// From: ours.
    /// Example: python "x = abcdef\n" → 6
    fn max_word_length_chars(document) {
        words(document).lengths.iter().max().map(|&longest| f64::from(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE, Words, cut, normalised, raw_words};
    use std::collections::HashMap;

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
                (fast.count(), fast.chars(), fast.distinct()),
                (slow.count(), slow.chars(), slow.distinct())
            );
        }
        assert_eq!(Words::of("a\u{1B}b", None).count(), 3);
    }

    #[test]
    fn pieces_give_what_whole_lines_would() {
        let parts = [
            "a",
            "B2",
            "Σ",
            "ΑΣ",
            "\u{301}",
            "\u{315}",
            " ",
            "…",
            "é",
            "İ",
            "\u{202C}",
            "\0",
            "\u{1C}",
            ".",
            "'",
            "_",
            "\n",
            "\t",
            "ﷺ",
            "½",
            "字",
            "。",
            "！",
            "\u{200B}",
            "a plain sentence of ASCII that is long",
        ];
        let mut state = 1_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..state >> 60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += parts[(state >> 33) as usize % parts.len()];
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut numbers = HashMap::new();
            let mut whole = Vec::new();
            for line in text.split_inclusive('\n').map(normalised) {
                for word in raw_words(&line) {
                    let next = numbers.len() as u32;
                    whole.push(*numbers.entry(word.to_owned()).or_insert(next));
                }
            }
            assert_eq!(Words::of(&text, None).numbers, whole, "{text:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_as_a_whole_is() {
        fn threes(text: &str) -> Vec<&str> {
            let ends: Vec<usize> =
                text.char_indices().map(|(at, _)| at).step_by(3).chain([text.len()]).collect();
            ends.windows(2).map(|word| &text[word[0]..word[1]]).collect()
        }
        for length in [0, 1, PIECE / 3, PIECE / 3 + 1, 3 * PIECE] {
            let line = "字".repeat(length);
            assert_eq!(cut(&line, threes), threes(&line));
        }
    }
}
