//! The tokens of a program: names, keywords, numbers, strings, and each other character.
//!
//! What rewriting changes without changing the program is left out or made equal: white space, comments, docstrings,
//! `;`, a comma before a closing bracket, and how a literal is written: numbers are their values, strings what is between
//! their quotes. In n-grams a name is only told by how many tokens ago
//! the n-gram has it already, so that programs whose names were replaced, each by one other, have equal n-grams.
//! From: Baker 1993, "A theory of parameterized pattern matching" (the same encoding, of suffixes).

use super::words::hash;
use super::{BASE, mixed, power};
use crate::lex::{Kind, Span};
use std::sync::OnceLock;

/// One token: the hash of its text, of all numbers or of all strings, and whether it is a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The same for tokens that are equal.
    pub symbol: u64,
    /// A name that a rewriting could replace.
    pub name: bool,
}

const NUMBER: u64 = 0x6A09_E667_F3BC_C908;
const STRING: u64 = 0xBB67_AE85_84CA_A73B;
/// Bytes of a string that tell it from others.
const STRING_BYTES: usize = 256;
const NAME: u64 = 0x3C6E_F372_FE94_F82B;

/// Words of Python that are no names, and functions of it that no program calls otherwise. Not `str` or `list`, which
/// programs give to their own variables.
const PYTHON: &str = "False None True and as assert async await break class continue def del elif else except finally \
    for from global if import in is lambda nonlocal not or pass raise return try while with yield len print range";

/// Words that are no names in most other languages that have them. What is missing is a name, which is told less well.
const OTHERS: &str = "and bool boolean break case catch char class const continue def default do double elif else \
    elsif elseif false final finally float for foreach function if implements import in int interface let local long \
    new nil not null or package private protected public return static struct switch then this throw throws true try \
    unless until var void while";

/// The keywords of a language. Open addressing; 0 is free.
fn keywords(python: bool) -> &'static [u64; 1024] {
    static TABLES: [OnceLock<[u64; 1024]>; 2] = [const { OnceLock::new() }; 2];
    TABLES[usize::from(python)].get_or_init(|| {
        let mut table = [0_u64; 1024];
        let words = if python { PYTHON } else { OTHERS };
        for word in words.split_ascii_whitespace() {
            let symbol = mixed(hash(word.as_bytes()));
            let mut place = symbol as usize & 1023;
            while table[place] != 0 {
                place = (place + 1) & 1023;
            }
            table[place] = symbol;
        }
        table
    })
}

fn is_keyword(table: &[u64; 1024], symbol: u64) -> bool {
    let mut place = symbol as usize & 1023;
    while table[place] != 0 {
        if table[place] == symbol {
            return true;
        }
        place = (place + 1) & 1023;
    }
    false
}

/// What a byte of code begins: 0 nothing, 1 a name, 2 a number, 3 a token of its own.
static BEGINS: [u8; 256] = {
    let mut table = [3_u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'_' || b == b'$' || b >= 0x80 {
            table[byte] = 1;
        } else if b.is_ascii_digit() {
            table[byte] = 2;
        } else if b <= b' ' || b == b';' || b == b'\\' || b == 0x7F {
            table[byte] = 0;
        }
        byte += 1;
    }
    table
};

/// Languages in whose names most characters can be.
const LISPS: [&str; 6] = ["clojure", "common lisp", "emacs lisp", "newlisp", "racket", "scheme"];

/// What a byte of a Lisp begins.
static BEGINS_LISP: [u8; 256] = {
    let mut table = BEGINS;
    let marks = b"+-*/<>=!?%&^~.:";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = 1;
        at += 1;
    }
    table
};

/// Appends the tokens of `text`, whose comments and strings are `spans`.
pub fn tokens(text: &str, language: &str, spans: &[Span], out: &mut Vec<Token>) {
    let bytes = text.as_bytes();
    let begins = if LISPS.contains(&language) { &BEGINS_LISP } else { &BEGINS };
    let how = (begins, keywords(language == "python"));
    let mut at = 0;
    for span in spans {
        code(bytes, at, span.start, how, out);
        if span.kind == Kind::String {
            out.push(Token { symbol: string(&bytes[span.start..span.end]), name: false });
        }
        at = span.end;
    }
    code(bytes, at, bytes.len(), how, out);
}

/// A string without prefix, quotes and backslashes.
fn string(literal: &[u8]) -> u64 {
    let is_quote = |b: &u8| matches!(b, b'"' | b'\'' | b'`');
    let begin = literal.iter().take(3).position(is_quote).unwrap_or(0);
    let inner = literal[begin..].iter().take(STRING_BYTES).filter(|b| !is_quote(b) && **b != b'\\');
    let inner = inner.fold(STRING, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3));
    mixed(inner)
}

/// A number by its value, however it is written; of what is no number, its text.
fn number(literal: &[u8]) -> u64 {
    let plain: Vec<u8> = literal.iter().filter(|b| **b != b'_').map(u8::to_ascii_lowercase).collect();
    let text = std::str::from_utf8(&plain).unwrap_or("");
    let based = |prefix: &str, base: u32| {
        text.strip_prefix(prefix).and_then(|digits| u64::from_str_radix(digits, base).ok()).map(|n| n as f64)
    };
    let suffixed = || text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<f64>().ok();
    let value = based("0x", 16).or_else(|| based("0b", 2)).or_else(|| based("0o", 8));
    match value.or_else(|| text.parse::<f64>().ok()).or_else(suffixed) {
        Some(value) => mixed(NUMBER ^ value.to_bits()),
        None => mixed(NUMBER ^ hash(&plain)),
    }
}

/// The tokens of the code between two places.
fn code(
    bytes: &[u8],
    start: usize,
    end: usize,
    (begins, table): (&[u8; 256], &[u64; 1024]),
    out: &mut Vec<Token>,
) {
    let bytes = &bytes[..end];
    let mut at = start;
    while at < end {
        let byte = bytes[at];
        match begins[usize::from(byte)] {
            0 => at += 1,
            1 => {
                let begin = at;
                while at < end && matches!(begins[usize::from(bytes[at])], 1 | 2) {
                    at += 1;
                }
                let symbol = mixed(hash(&bytes[begin..at]));
                out.push(Token { symbol, name: !is_keyword(table, symbol) });
            }
            2 => {
                let begin = at;
                at = after_number(bytes, at);
                out.push(Token { symbol: number(&bytes[begin..at]), name: false });
            }
            _ if byte == b'.' && begins_fraction(bytes, start, at) => {
                let begin = at;
                at = after_number(bytes, at + 1);
                out.push(Token { symbol: number(&bytes[begin..at]), name: false });
            }
            _ => {
                let comma = Token { symbol: u64::from(b',') + 1, name: false };
                if matches!(byte, b')' | b']' | b'}') && out.last() == Some(&comma) {
                    out.pop();
                }
                out.push(Token { symbol: u64::from(byte) + 1, name: false });
                at += 1;
            }
        }
    }
}

/// Whether a dot is the first character of a number: `.5`, but not that of `x.5` or `f().5`.
fn begins_fraction(bytes: &[u8], start: usize, at: usize) -> bool {
    let before = if at > start { bytes[at - 1] } else { b' ' };
    let after = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    after && BEGINS[usize::from(before)] != 1 && !matches!(before, b')' | b']' | b'.')
}

/// Where a number ends that has a digit at `at`: digits, letters, `_`, one dot that no other dot follows, and the sign
/// of an exponent.
fn after_number(bytes: &[u8], mut at: usize) -> usize {
    let hex = bytes[at] == b'0' && matches!(bytes.get(at + 1), Some(b'x' | b'X'));
    let mut dotted = false;
    while at < bytes.len() {
        match bytes[at] {
            b'.' if !dotted && bytes.get(at + 1) != Some(&b'.') => dotted = true,
            b'+' | b'-' if !hex && matches!(bytes[at - 1], b'e' | b'E') => {}
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {}
            _ => break,
        }
        at += 1;
    }
    at
}

/// How far back the n-gram's last equal name is looked for.
const MOST: usize = 16;

/// Hashes of all runs of `n` tokens, in order, in which names are told by their distances. `n` is at most 16.
///
/// `H = Σ value[i] · BASE^(i+1)`, mixed, where a name's value is [`NAME`] and its distance times [`BASE`], if the run
/// has the name before. From one run to the next one token goes, one comes, and at most one name loses its distance:
/// the next that is equal to the token that went.
pub fn ngrams(tokens: &[Token], n: usize, mut each: impl FnMut(u64)) {
    let n = n.min(MOST);
    if n == 0 || tokens.len() < n {
        return;
    }
    let top = power(n);
    // What a name that loses this distance takes with it.
    let lost: [u64; MOST] = std::array::from_fn(|back| (back as u64).wrapping_mul(power(back + 1)));
    // How far on the token at a place modulo `MOST` has its equal; 0: not within a run.
    let mut next = [0_u8; MOST];
    let mut last = Last::new();
    let mut hash = 0_u64;
    for (at, token) in tokens.iter().enumerate() {
        if at >= n {
            let gone = tokens[at - n];
            hash = hash.wrapping_sub(if gone.name { NAME } else { gone.symbol }.wrapping_mul(BASE));
            hash = hash.wrapping_mul(INVERSE).wrapping_sub(lost[usize::from(next[(at - n) % MOST])]);
        }
        next[at % MOST] = 0;
        let before = last.seen(tokens, at, n);
        let value = match before {
            _ if !token.name => token.symbol,
            Some(place) => {
                next[place % MOST] = (at - place) as u8;
                NAME.wrapping_add(((at - place) as u64).wrapping_mul(BASE))
            }
            None => NAME,
        };
        // Before the first run is whole, each token stands where it will in it.
        let factor = if at < n { power(at + 1) } else { top };
        hash = hash.wrapping_add(value.wrapping_mul(factor));
        if at + 1 >= n {
            each(mixed(hash));
        }
    }
}

/// What undoes a multiplication by [`BASE`]. From: Newton's iteration, which doubles the bits that are right.
const INVERSE: u64 = {
    let (mut inverse, mut round) = (BASE, 0);
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(BASE.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
};

/// Where tokens were last, by a few bits of their symbols.
struct Last([u32; 512]);

impl Last {
    fn new() -> Self {
        Self([u32::MAX; 512])
    }

    /// The last place before `at` of the token there, within `n` tokens; notes that it is at `at` now.
    fn seen(&mut self, tokens: &[Token], at: usize, n: usize) -> Option<usize> {
        let symbol = tokens[at].symbol;
        let place = std::mem::replace(&mut self.0[symbol as usize % 512], at as u32) as usize;
        let first = at.saturating_sub(n - 1);
        if place >= at || place < first {
            return None;
        }
        if tokens[place].symbol == symbol {
            return Some(place);
        }
        // Another token with the same bits was there since.
        tokens[first..place].iter().rposition(|other| other.symbol == symbol).map(|found| first + found)
    }
}

#[cfg(test)]
mod tests {
    use super::{BASE, NAME, Token, mixed, ngrams, power, tokens};
    use crate::lex::{Syntax, spans};

    fn of(text: &str) -> Vec<Token> {
        let quotes = |quote: &str| (quote.to_owned(), quote.to_owned());
        let syntax = Syntax {
            name: "python".into(),
            line_comments: vec!["#".into()],
            strings: vec![quotes("\"\"\""), quotes("\""), quotes("'")],
            ..Syntax::default()
        };
        let mut out = Vec::new();
        tokens(text, "python", &spans(text, &syntax), &mut out);
        out
    }

    fn hashes(text: &str, n: usize) -> Vec<u64> {
        let mut found = Vec::new();
        ngrams(&of(text), n, |hash| found.push(hash));
        found
    }

    #[test]
    fn white_space_comments_and_literals_do_not_count() {
        let a = "x = [1_000, 0xFF, .5, 1e-5, 10L, 'it\\'s'];  # four\n";
        let b = "x=[\n  1000,\n  255., 0.50, 0.00001, 10,\n  \"it's\",\n]";
        assert_eq!(of(a), of(b));
        assert_ne!(of("f(1)"), of("f(2)"));
        assert_ne!(of("f('a')"), of("f('b')"));
        assert_eq!(of("for i in 0..n").len(), 7);
        assert_eq!(of("a.b.5 + f(x).5").len(), 12);
    }

    /// The same, each run by itself.
    fn plainly(tokens: &[Token], n: usize) -> Vec<u64> {
        let value =
            |run: &[Token], at: usize| match run[..at].iter().rposition(|t| t.symbol == run[at].symbol) {
                _ if !run[at].name => run[at].symbol,
                Some(place) => NAME.wrapping_add(((at - place) as u64).wrapping_mul(BASE)),
                None => NAME,
            };
        let hash = |run: &[Token]| {
            let values = (0..n).map(|at| value(run, at).wrapping_mul(power(at + 1)));
            mixed(values.fold(0, u64::wrapping_add))
        };
        tokens.windows(n).map(hash).collect()
    }

    #[test]
    fn each_run_counts_as_if_it_stood_alone() {
        let mut state = 7_u64;
        for kinds in [2, 5, 40, 3000] {
            let mut draw = || {
                state = mixed(state);
                let number = state % kinds;
                Token { symbol: number.wrapping_mul(512), name: !number.is_multiple_of(3) }
            };
            let tokens: Vec<Token> = (0..400).map(|_| draw()).collect();
            for n in [1, 2, 10, 16] {
                for length in [0, 1, n - 1, n, n + 1, 400] {
                    let mut found = Vec::new();
                    ngrams(&tokens[..length], n, |hash| found.push(hash));
                    assert_eq!(found, plainly(&tokens[..length], n), "{n} of {length}, {kinds} kinds");
                }
            }
        }
    }

    #[test]
    fn names_count_by_where_they_were_last() {
        let original = "def total(xs):\n  s = 0\n  for x in xs:\n    s += x\n  return s";
        let renamed = "def a(b):\n  c = 0\n  for d in b:\n    c += d\n  return c";
        let other = "def a(b):\n  c = 0\n  for d in c:\n    b += d\n  return c";
        assert_eq!(hashes(original, 10), hashes(renamed, 10));
        assert_ne!(hashes(original, 10), hashes(other, 10));
        assert!(hashes("return x", 10).is_empty());
    }
}
