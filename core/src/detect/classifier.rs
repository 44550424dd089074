//! Which of several candidates a text looks most like: a linear model over hashed tokens.
//!
//! The model is a table of 8-bit weights, one row per language and one column per bucket, trained by
//! bench/detect_train.py on source packages. A text's score for a language is the sum over its buckets of
//! `value × weight`, plus the language's bias; the highest score among the candidates wins.
//!
//! Why not Linguist's model: it is trained on Linguist's own samples, which we do not copy; and its token counts are
//! unbounded, so that a long file's commonest token outvotes everything else.

use super::heuristics::CONSIDER;
use super::spec::Id;

/// Number of hash buckets that tokens fall into.
pub const BUCKETS: usize = 4096;
const MAGIC: &[u8; 8] = b"cmtoken1";

/// The model, with its rows by language.
pub struct Classifier {
    /// Row of a language's weights, by language.
    rows: Vec<Option<u16>>,
    weights: Vec<i8>,
    bias: Vec<f32>,
}

impl Classifier {
    /// Reads a model: magic, u32 rows, then per row a length-prefixed name and an f32 bias, then the weights; all
    /// little-endian. Rows of languages that the table lacks are skipped. Empty bytes are a model that knows nothing.
    pub fn new(bytes: &[u8], find: impl Fn(&str) -> Option<Id>) -> Result<Self, String> {
        let mut model = Self { rows: Vec::new(), weights: Vec::new(), bias: Vec::new() };
        if bytes.is_empty() {
            return Ok(model);
        }
        let mut read = Reader(bytes);
        let broken =
            || "the classifier's model is broken; train it again with bench/detect_train.py".to_owned();
        if read.take(8) != Some(MAGIC) {
            return Err(broken());
        }
        let rows = u16::try_from(read.u32().ok_or_else(broken)?).map_err(|_| broken())?;
        for row in 0..rows {
            let length = read.u32().ok_or_else(broken)? as usize;
            let name = read.take(length).and_then(|b| std::str::from_utf8(b).ok()).ok_or_else(broken)?;
            model.bias.push(f32::from_bits(read.u32().ok_or_else(broken)?));
            if let Some(id) = find(name) {
                let at = usize::from(id);
                model.rows.resize(model.rows.len().max(at + 1), None);
                model.rows[at] = Some(row);
            }
        }
        if read.0.len() != usize::from(rows) * BUCKETS {
            return Err(broken());
        }
        model.weights = read.0.iter().map(|b| b.cast_signed()).collect();
        Ok(model)
    }

    /// The candidate with the highest score; the earlier one on a tie. Candidates the model does not know are passed
    /// over; None if it knows none, or there is no text.
    pub fn best(&self, candidates: &[Id], data: &[u8]) -> Option<Id> {
        let row = |id: Id| self.rows.get(usize::from(id)).copied().flatten();
        let known: Vec<(Id, u16)> = candidates.iter().filter_map(|id| Some((*id, row(*id)?))).collect();
        if known.is_empty() || data.is_empty() {
            return None;
        }
        let features = features(data);
        let mut best: Option<(Id, f32)> = None;
        for (id, row) in known {
            let weights = &self.weights[usize::from(row) * BUCKETS..][..BUCKETS];
            let mut score = 0.0;
            for (bucket, value) in &features {
                score += value * f32::from(weights[usize::from(*bucket)]);
            }
            score += self.bias[usize::from(row)];
            if best.is_none_or(|(_, top)| score > top) {
                best = Some((id, score));
            }
        }
        best.map(|(id, _)| id)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
}

/// Buckets of a text's tokens and their common value, which gives the whole unit length, in the order of buckets.
/// Sees [`CONSIDER`] bytes.
///
/// How often a token occurs is not counted: with counts damped by a logarithm, a model trained on some packages chose
/// right on others for 73 % of files per extension, without them for 76 %.
///
/// Tokens: words; punctuation, one character at a time and in adjacent pairs; and the first token of each line once
/// more, marked as such, because `%`, `;`, `*` or `#` mean most where a line begins.
pub fn features(data: &[u8]) -> Vec<(u16, f32)> {
    let data = &data[..data.len().min(CONSIDER)];
    let mut seen = vec![false; BUCKETS];
    let mut starts_line = true;
    let mut previous = 0u8;
    let mut i = 0;
    while i < data.len() {
        let byte = data[i];
        let begin = i;
        i += 1;
        if is_word(byte) {
            while i < data.len() && is_word(data[i]) {
                i += 1;
            }
            // A number says only that it is one; a long word is told by its first 24 bytes.
            let word = if byte.is_ascii_digit() { b"0" } else { &data[begin..i.min(begin + 24)] };
            seen[bucket(b'w', word)] = true;
            if starts_line {
                seen[bucket(b'l', word)] = true;
            }
            previous = 0;
        } else if byte.is_ascii_whitespace() {
            starts_line = starts_line || byte == b'\n' || byte == b'\r';
            previous = 0;
            continue;
        } else {
            seen[bucket(b'p', &[byte])] = true;
            if previous != 0 {
                seen[bucket(b'q', &[previous, byte])] = true;
            }
            if starts_line {
                seen[bucket(b'l', &[byte])] = true;
            }
            previous = byte;
        }
        starts_line = false;
    }
    let buckets = (0u16..).zip(seen).filter_map(|(bucket, seen)| seen.then_some(bucket)).collect::<Vec<_>>();
    #[allow(clippy::cast_precision_loss)] // at most BUCKETS
    let value = 1.0 / (buckets.len() as f32).sqrt();
    buckets.into_iter().map(|bucket| (bucket, value)).collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// FNV-1a, folded to a bucket.
fn bucket(kind: u8, token: &[u8]) -> usize {
    let mut hash = (0x811c_9dc5_u32 ^ u32::from(kind)).wrapping_mul(0x0100_0193);
    for byte in token {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    ((hash ^ (hash >> 12) ^ (hash >> 24)) as usize) % BUCKETS
}
