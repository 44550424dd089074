//! Entry points: functions named together with their parameters, or called with the arguments of a test.
//!
//! A name alone is no evidence. A name of two words (`first_prime`, `firstPrime`) with its parameters is; any name is
//! with a test's arguments, if these are long or two of them are there.

use super::Found;
use super::words::hash;
use std::collections::HashMap;

/// The longest text between brackets that is read.
const MOST: usize = 4096;
/// Bytes of arguments that are evidence for a name of one word.
const LONG: usize = 16;

/// Entry points by the hash of their names.
#[derive(Default)]
pub struct Calls {
    entries: HashMap<u64, Vec<Entry>>,
}

struct Entry {
    row: u32,
    telling: bool,
    parameters: Vec<u64>,
    arguments: Vec<u64>,
}

/// A name and what stands between the brackets behind it.
struct Call<'t> {
    name: &'t [u8],
    inside: &'t [u8],
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// All calls and definitions of a text, also those inside of others. Reads what is between brackets only if `wanted`.
fn each<'t>(text: &'t [u8], wanted: impl Fn(&[u8]) -> bool, mut found: impl FnMut(Call<'t>)) {
    for open in memchr::memchr_iter(b'(', text) {
        let end = text[..open].iter().rposition(|&b| b != b' ').map_or(0, |last| last + 1);
        let start = text[..end].iter().rposition(|&b| !is_name(b)).map_or(0, |before| before + 1);
        let name = &text[start..end];
        if name.len() > 1 && !name[0].is_ascii_digit() && name.len() < 128 && wanted(name) {
            found(Call { name, inside: inside(&text[open + 1..]) });
        }
    }
}

/// What stands before the bracket that closes.
fn inside(text: &[u8]) -> &[u8] {
    let text = &text[..text.len().min(MOST)];
    let (mut depth, mut at, mut quote) = (0_usize, 0, 0_u8);
    while at < text.len() {
        let byte = text[at];
        match byte {
            b'\\' if quote != 0 => at += 1,
            b'"' | b'\'' if quote == 0 => quote = byte,
            _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return &text[..at],
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    &[]
}

/// Arguments without white space and with one kind of quotes: hash, and length.
fn arguments(inside: &[u8]) -> (u64, usize) {
    let plain: Vec<u8> = inside.iter().filter(|b| !b.is_ascii_whitespace()).copied().collect();
    let plain: Vec<u8> = plain.into_iter().map(|b| if b == b'\'' { b'"' } else { b }).collect();
    (hash(&plain), plain.len())
}

/// Names of parameters: where types follow names, and where they come before. None if there is none.
fn parameters(inside: &[u8]) -> [Option<u64>; 2] {
    let mut pieces = vec![Vec::new()];
    let mut depth = 0_i32;
    for &byte in inside {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' | b'>' => depth -= 1,
            b',' if depth <= 0 => pieces.push(Vec::new()),
            _ if depth > 0 => {}
            _ => pieces.last_mut().map_or((), |piece: &mut Vec<u8>| piece.push(byte)),
        }
    }
    let names = |piece: &Vec<u8>| -> Vec<Vec<u8>> {
        let piece: Vec<u8> = piece.iter().copied().take_while(|&b| b != b'=').collect();
        piece.split(|&b| !is_name(b)).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let pieces: Vec<Vec<Vec<u8>>> = pieces.iter().map(names).filter(|names| !names.is_empty()).collect();
    if pieces.is_empty() || pieces.iter().any(|names| names[0][0].is_ascii_digit()) {
        return [None, None];
    }
    let joined = |pick: fn(&[Vec<u8>]) -> Option<&Vec<u8>>| -> u64 {
        let all: Vec<&[u8]> = pieces.iter().filter_map(|names| pick(names).map(Vec::as_slice)).collect();
        hash(&all.join(&b','))
    };
    [Some(joined(<[Vec<u8>]>::first)), Some(joined(<[Vec<u8>]>::last))]
}

/// Whether a name is of two words: `first_prime`, `firstPrime`.
fn is_telling(name: &[u8]) -> bool {
    let inner = name.strip_prefix(b"_").unwrap_or(name);
    name.len() >= 6
        && (inner.windows(3).any(|w| w[1] == b'_' && w[0] != b'_' && w[2] != b'_')
            || inner.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()))
}

impl Calls {
    /// Adds an entry point with the text that defines it and the tests that call it, maybe by another name.
    pub fn add(&mut self, row: u32, name: &str, program: &str, tests: &str, alias: &str) {
        let name = name.as_bytes();
        if name.len() < 2 {
            return;
        }
        let mut entry = Entry { row, telling: is_telling(name), parameters: vec![], arguments: vec![] };
        each(
            program.as_bytes(),
            |found| found == name,
            |call| {
                if entry.parameters.is_empty() {
                    entry.parameters.extend(parameters(call.inside).into_iter().flatten());
                }
            },
        );
        let called = |found: &[u8]| found == name || (!alias.is_empty() && found == alias.as_bytes());
        each(tests.as_bytes(), called, |call| {
            let (hash, length) = arguments(call.inside);
            if length > 0
                && call.inside.iter().any(|&b| b.is_ascii_digit() || matches!(b, b'"' | b'\'' | b'['))
            {
                entry.arguments.push(hash);
            }
        });
        let same = self.entries.entry(hash(name)).or_default();
        let known = |e: &Entry| e.parameters == entry.parameters && e.arguments == entry.arguments;
        if !same.iter().any(known) {
            same.push(entry);
        }
    }

    /// The first entry point of which the text has evidence.
    pub fn found(&self, text: &str) -> Option<Found> {
        let mut calls: HashMap<u32, (u64, u32)> = HashMap::new();
        let mut best: Option<u32> = None;
        each(
            text.as_bytes(),
            |name| self.entries.contains_key(&hash(name)),
            |call| {
                let ((given, length), signature) = (arguments(call.inside), parameters(call.inside));
                for entry in &self.entries[&hash(call.name)] {
                    let signed =
                        entry.telling && signature.iter().flatten().any(|s| entry.parameters.contains(s));
                    let mut tested = false;
                    if entry.arguments.contains(&given) {
                        let (last, count) = calls.entry(entry.row).or_default();
                        *count += u32::from(*last != given);
                        *last = given;
                        tested = entry.telling || length >= LONG || *count >= 2;
                    }
                    if (signed || tested) && best.is_none_or(|row| entry.row < row) {
                        best = Some(entry.row);
                    }
                }
            },
        );
        best.map(|part| Found { part, share: 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;

    fn calls() -> Calls {
        let mut calls = Calls::default();
        let tests =
            "def check(candidate):\n  assert candidate([1, 2], 'a') == 3\n  assert candidate([], \"\") == 0";
        calls.add(7, "widest_gap", "def widest_gap(depths: List[int], floor=0) -> int:", tests, "candidate");
        calls.add(8, "add", "def add(x, y):", "assert add(1, 2) == 3\nassert add(4, 5) == 9", "");
        calls.add(9, "firstGap", "int firstGap(int[] depths, int floor) {", "", "");
        calls
    }

    fn found(text: &str) -> Option<u32> {
        calls().found(text).map(|found| found.part)
    }

    #[test]
    fn a_name_counts_with_its_parameters_or_with_a_tests_arguments() {
        assert_eq!(found("use widest_gap on it"), None);
        assert_eq!(found("print(widest_gap(xs))"), None);
        assert_eq!(found("def widest_gap(depths, floor):"), Some(7));
        assert_eq!(found("assert widest_gap([1,2], \"a\") == 3"), Some(7));
        assert_eq!(found("function firstGap(depths, floor) {"), Some(9));
        assert_eq!(found("firstGap(1, 2"), None);
    }

    #[test]
    fn a_name_of_one_word_needs_two_tests() {
        assert_eq!(found("def add(x, y): return x + y"), None);
        assert_eq!(found("add(1, 2)\nadd(1, 2)"), None);
        assert_eq!(found("add(1, 2)\nadd(4,5)"), Some(8));
    }
}
