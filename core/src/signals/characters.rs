//! Counts of characters by class.
//!
//! One pass counts bytes by value, which settles everything about ASCII; only other characters are looked at one by one.

use super::classes::{ASCII, DIGIT, LETTER, SPACE, of};
use super::{Applies, Document, ratio, round8, signals};
use crate::bytes::{Class, class};

/// How many characters of each class a text has.
pub struct Characters {
    /// All.
    pub all: usize,
    /// Whitespace.
    pub space: usize,
    /// Digits, of any script.
    pub digit: usize,
    /// Letters, of any script.
    pub letter: usize,
    /// U+FFFD.
    pub replacement: usize,
    /// By byte value; those from 0x80 are parts of other characters.
    pub bytes: [usize; 256],
}

static NON_ASCII: Class = class!(0x80..);

impl Characters {
    /// Counts.
    pub fn of(text: &str) -> Self {
        let mut bytes = [0; 256];
        let mut tables = [[0_u32; 256]; 4]; // four, so that equal bytes in a row do not wait for each other
        for block in text.as_bytes().chunks(1 << 30) {
            let (eights, rest) = block.as_chunks();
            for &eight in eights {
                let eight = u64::from_le_bytes(eight); // read once: reading is what else the loop does most
                for i in 0..8 {
                    tables[i % 4][(eight >> (8 * i)) as u8 as usize] += 1;
                }
            }
            for &byte in rest {
                tables[0][byte as usize] += 1;
            }
            for table in &mut tables {
                for (sum, count) in bytes.iter_mut().zip(table.iter_mut()) {
                    *sum += *count as usize;
                    *count = 0;
                }
            }
        }
        let ascii = |class: u8| (0..128).filter(|&b| ASCII[b] & class != 0).map(|b| bytes[b]).sum::<usize>();
        let mut counts = Self {
            all: text.len() - bytes[0x80..0xC0].iter().sum::<usize>(),
            space: ascii(SPACE),
            digit: ascii(DIGIT),
            letter: ascii(LETTER),
            replacement: 0,
            bytes,
        };
        for c in NON_ASCII.runs(text.as_bytes()).flat_map(|(start, end)| text[start..end].chars()) {
            let class = of(c);
            counts.space += usize::from(class & SPACE != 0);
            counts.digit += usize::from(class & DIGIT != 0);
            counts.letter += usize::from(class & LETTER != 0);
            counts.replacement += usize::from(c == '\u{FFFD}');
        }
        counts
    }

    /// Characters that are not whitespace.
    pub fn visible(&self) -> usize {
        self.all - self.space
    }

    fn ascii(&self, which: &[u8]) -> usize {
        which.iter().map(|&byte| self.bytes[byte as usize]).sum()
    }
}

/// Counts of characters by class.
pub fn characters<'d>(document: &'d Document<'_>) -> &'d Characters {
    document.derived(|| Characters::of(document.content))
}

signals! {
    family "characters", version 1, Applies::All;

    /// Length of the content.
    ///
    /// Unit: characters (Unicode code points).
    /// Null: never.
    /// Why: very short files teach nothing; very long ones are data.
    /// From: opc_data_filtering, `num_chars`.
    /// Example: python "é = 1\n" → 6
    fn num_chars(document) { Some(characters(document).all as f64) }

    /// Share of replacement characters (U+FFFD).
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: the text was decoded wrongly somewhere before.
    /// From: opc_data_filtering, `frac_chars_replacement_symbols`.
    /// Example: python "a\ufffdbc" → 0.25
    fn frac_chars_replacement(document) { ratio(characters(document).replacement, characters(document).all) }

    /// Share of digits, of any script, superscripts included, among the characters that are not whitespace.
    ///
    /// Unit: fraction of visible characters; 1 if there are none.
    /// Null: never.
    /// Why: tables of numbers.
    /// From: opc_data_filtering, `frac_chars_digital`.
    /// Example: python "a 1\n" → 0.5
    fn frac_chars_digit(document) {
        ratio(characters(document).digit, characters(document).visible()).or(Some(1.0))
    }

    /// Share of whitespace.
    ///
    /// Unit: fraction of characters; 1 for empty content.
    /// Null: never.
    /// Why: art, padding, text double spaced by a converter.
    /// From: opc_data_filtering, `frac_chars_whitespace`.
    /// Example: python "a b\n" → 0.5
    fn frac_chars_whitespace(document) {
        ratio(characters(document).space, characters(document).all).or(Some(1.0))
    }

    /// Share of characters outside ASCII.
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: tells prose in other scripts, and mangled text, from code.
    /// From: ours.
    /// Example: python "é = 'a'\n" → 0.125
    fn frac_chars_non_ascii(document) {
        let counts = characters(document);
        let ascii: usize = counts.bytes[..128].iter().sum();
        ratio(counts.all - ascii, counts.all)
    }

    /// Share of control characters other than tab, line feed, form feed and carriage return.
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: terminal recordings and binaries that passed for text.
    /// From: ours.
    /// Example: python "\u001b[0m" → 0.25
    fn frac_chars_control(document) {
        let counts = characters(document);
        let all: usize = counts.bytes[..32].iter().sum();
        ratio(all + counts.bytes[127] - counts.ascii(b"\t\n\x0C\r"), counts.all)
    }

    /// Share of round, square and curly brackets among the characters that are not whitespace.
    ///
    /// Unit: fraction of visible characters.
    /// Null: no visible character.
    /// Why: code has some; prose has few, and degenerate input little else.
    /// From: ours.
    /// Example: c "f(x)[i]" → 0.57142857
    fn frac_chars_brackets(document) {
        ratio(characters(document).ascii(b"()[]{}"), characters(document).visible())
    }

    /// Opening brackets without a closing one or the other way around, by count of each kind, over all brackets.
    ///
    /// Unit: fraction of brackets.
    /// Null: no brackets.
    /// Why: a file that was cut off in the middle. (Brackets in strings and comments count too.)
    /// From: ours.
    /// Example: c "f(x[1)" → 0.33333333
    fn frac_brackets_unpaired(document) {
        let counts = &characters(document).bytes;
        let pairs = [(b'(', b')'), (b'[', b']'), (b'{', b'}')];
        let count = |byte: u8| counts[byte as usize];
        let unpaired = pairs.iter().map(|&(open, close)| count(open).abs_diff(count(close))).sum();
        ratio(unpaired, pairs.iter().map(|&(open, close)| count(open) + count(close)).sum())
    }

    /// Entropy of the bytes of the content.
    ///
    /// Unit: bits per byte, 0 to 8.
    /// Null: empty content.
    /// Why: source code has 4 to 5.5; encoded and compressed data have more, art and padding less.
    /// From: ours; Shannon.
    /// Example: python "abab" → 1
    fn byte_entropy_bits(document) {
        let all = document.content.len() as f64;
        let counts = characters(document).bytes.iter().filter(|&&count| count > 0);
        let sum: f64 = counts.map(|&count| -(count as f64 / all) * (count as f64 / all).log2()).sum();
        (all > 0.0).then(|| round8(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::Characters;

    #[test]
    fn classes_add_up() {
        let counts = Characters::of("aé漢1²\u{FFFD} \u{3000}\n");
        assert_eq!(
            (counts.all, counts.space, counts.digit, counts.letter, counts.replacement),
            (9, 3, 2, 3, 1)
        );
        assert_eq!(Characters::of("").visible(), 0);
    }
}
