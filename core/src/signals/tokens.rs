//! Identifiers and numbers of the code text, outside its strings.
//!
//! An identifier (keywords too: what is one depends on the language) is a run of letters, digits, `_` and `$` that does
//! not begin with a digit; a number one that does. Characters outside ASCII count as letters.

use super::classes::characters;
use super::interner::Interner;
use super::strings::Strings;
use super::{Applies, Document, ratio, round8, signals};
use crate::bytes::{Class, class};
use std::cell::RefCell;

/// What the signals want to know.
#[derive(Default)]
pub struct Tokens {
    identifiers: usize,
    numbers: usize,
    single: usize,
    obfuscated: usize,
    /// How often each different identifier occurs, and its length.
    distinct: Vec<(u32, u32)>,
}

/// What identifiers and numbers are made of.
static WORD: Class = class!(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80..);

thread_local! {
    static INTERNER: RefCell<Interner> = RefCell::default();
}

impl Tokens {
    /// Looks at the code text.
    pub fn of(code: &str, strings: &Strings) -> Self {
        INTERNER.with_borrow_mut(|interner| {
            interner.reset();
            let mut tokens = Self::default();
            tokens.add(strings.outside(code), interner);
            tokens
        })
    }

    fn add(&mut self, bytes: &[u8], interner: &mut Interner) {
        let runs = WORD.runs(bytes);
        let is_name = |first: u8| !first.is_ascii_digit();
        let all = interner.numbers::<false>(bytes, runs, is_name, |number, start, end| {
            self.identifiers += 1;
            self.single += usize::from(end - start == 1);
            self.obfuscated += usize::from(is_obfuscated(&bytes[start..end]));
            match self.distinct.get_mut(number as usize) {
                Some((count, _)) => *count += 1,
                None => self.distinct.push((1, characters(&bytes[start..end]) as u32)),
            }
        });
        self.numbers = all - self.identifiers;
    }
}

/// `_0x` and hex digits, three at least.
fn is_obfuscated(name: &[u8]) -> bool {
    name.len() > 5 && name.starts_with(b"_0x") && name[3..].iter().all(u8::is_ascii_hexdigit)
}

/// Identifiers and numbers of the code text.
pub fn tokens<'d>(document: &'d Document<'_>) -> &'d Tokens {
    document.derived(|| Tokens::of(&document.split().code, document.strings()))
}

signals! {
    family "tokens", version 1, Applies::CodeAndData;

    /// Different identifiers over identifiers.
    ///
    /// Unit: fraction.
    /// Null: no identifiers.
    /// Why: programs use their names again; lists do not.
    /// From: ours.
    /// Example: c "a + b + a + c" → 0.75
    fn frac_identifiers_distinct(document) {
        ratio(tokens(document).distinct.len(), tokens(document).identifiers)
    }

    /// Mean length of the different identifiers.
    ///
    /// Unit: characters.
    /// Null: no identifiers.
    /// Why: names that say something are longer; minified code has 1 to 2.
    /// From: ours; Lawrie et al. 2006, "What's in a Name?", on names and comprehension.
    /// Example: c "ab(ab, name)" → 3
    fn mean_identifier_length_chars(document) {
        let distinct = &tokens(document).distinct;
        ratio(distinct.iter().map(|&(_, chars)| chars as usize).sum(), distinct.len())
    }

    /// Identifiers of one letter over identifiers.
    ///
    /// Unit: fraction.
    /// Null: no identifiers.
    /// Why: minified code and hasty exercises.
    /// From: ours.
    /// Example: c "i + index" → 0.5
    fn frac_identifiers_single_letter(document) { ratio(tokens(document).single, tokens(document).identifiers) }

    /// Identifiers such as `_0x3f2a` over identifiers.
    ///
    /// Unit: fraction.
    /// Null: no identifiers.
    /// Why: the mark of an obfuscator.
    /// From: ours.
    /// Example: javascript "_0x3f2a(x)" → 0.5
    fn frac_identifiers_obfuscated(document) {
        ratio(tokens(document).obfuscated, tokens(document).identifiers)
    }

    /// Shannon entropy of the identifiers.
    ///
    /// Unit: bits per identifier.
    /// Null: no identifiers.
    /// Why: how much a file talks about; it grows with the size of the vocabulary.
    /// From: ours.
    /// Example: c "a b a b" → 1
    fn identifier_entropy_bits(document) {
        let tokens = tokens(document);
        let all = tokens.identifiers as f64;
        let shares = tokens.distinct.iter().map(|&(count, _)| f64::from(count) / all);
        (tokens.identifiers > 0).then(|| round8(0.0 - shares.map(|p| p * p.log2()).sum::<f64>()))
    }

    /// Numbers over numbers and identifiers.
    ///
    /// Unit: fraction.
    /// Null: neither.
    /// Why: tables, coordinates, weights.
    /// From: ours.
    /// Example: c "x = 1 + 0x2F" → 0.66666667
    fn frac_tokens_number(document) {
        let tokens = tokens(document);
        ratio(tokens.numbers, tokens.numbers + tokens.identifiers)
    }
}

#[cfg(test)]
mod tests {
    use super::{Strings, Tokens};

    #[test]
    fn tokens_are_outside_strings() {
        let code = "f('(x') + \"y\" + é1 + 0x1F + $a\n)]";
        let tokens = Tokens::of(code, &Strings::of(code));
        assert_eq!((tokens.identifiers, tokens.numbers, tokens.distinct.len(), tokens.single), (3, 1, 3, 1));
    }
}
