//! What a fastText classifier says of texts that are tokens already, with its vectors read from the file as it lies.
//!
//! fastText hashes every word of a text and looks it up. Here the vocabulary of a tokenizer is looked up once, and a text
//! is its ids. Vectors are added in fastText's order, so that a score differs by the last bits of a float at most.
//!
//! Not covered: quantised and pruned models, parts of words, other losses than softmax; [`Model::read`] refuses them.
//!
//! From: fastText 0.9.2, `Dictionary::getLine`, `Dictionary::addWordNgrams`, `Model::predict`.

use rustc_hash::FxHashMap;
use std::ops::Range;

const MAGIC: i32 = 793_712_314;
const VERSION: i32 = 12;
const SUPERVISED: i32 = 3;
const SOFTMAX: i32 = 3;
/// What ends a line: a word like any other, behind which nothing is read.
const END: &str = "</s>";
/// fastText adds this to a probability before it takes the logarithm.
const ADDED: f32 = 1e-5;

/// A word, as the model knows it.
#[derive(Clone, Copy)]
struct Word {
    /// Its vector; `None`: the word was too rare to have one.
    row: Option<usize>,
    /// For runs of words: 32 bits, extended by their sign.
    hash: u64,
    ends: bool,
}

/// A classifier, and what the tokens of texts are as its words. `data` is the file.
pub struct Model<D> {
    data: D,
    /// Where in the file the vectors are: of `words`, then of `buckets` for runs of up to `ngrams` words.
    vectors: Range<usize>,
    width: usize,
    words: usize,
    buckets: usize,
    ngrams: usize,
    labels: Vec<String>,
    /// `width` numbers for each label.
    output: Vec<f32>,
    /// By id; `None`: a token that is written as nothing.
    tokens: Vec<Option<Word>>,
    end: Word,
}

/// Memory that is used again for the next text.
#[derive(Default)]
pub struct Scratch {
    hashes: Vec<u64>,
    sum: Vec<f32>,
}

impl<D: AsRef<[u8]>> Model<D> {
    /// Reads a model. `tokens` are the tokens as they are written, by id.
    ///
    /// Errors: the file is no such model, or shorter than it says.
    pub fn read<'t>(data: D, tokens: impl Iterator<Item = &'t str>) -> Result<Self, String> {
        let mut file = Reader { bytes: data.as_ref(), at: 0 };
        if file.ints()? != [MAGIC, VERSION] {
            return Err("not a model of fastText 0.9".to_owned());
        }
        let [width, _, _, _, _, ngrams, loss, kind, buckets, _, longest_part, _] = file.ints()?;
        if kind != SUPERVISED || loss != SOFTMAX || longest_part > 0 {
            return Err("not a classifier with softmax over whole words".to_owned());
        }
        file.take(8)?; // a setting of its training
        let [_, words, labels] = file.ints()?;
        file.take(8)?; // words that it was trained on
        if file.number()? >= 0 {
            return Err("a pruned model".to_owned());
        }
        let [width, ngrams, buckets, words, labels] = sizes([width, ngrams, buckets, words, labels])?;
        if width == 0 {
            return Err("vectors of no numbers".to_owned());
        }
        let rows: FxHashMap<&[u8], usize> =
            (0..words).map(|row| Ok((file.entry()?, row))).collect::<Result<_, String>>()?;
        let labels = (0..labels).map(|_| Ok(String::from_utf8_lossy(file.entry()?).into_owned()));
        let labels = labels.collect::<Result<Vec<String>, String>>()?;
        let vectors = file.matrix(words + buckets, width)?;
        let output = file.matrix(labels.len(), width)?;
        let output = floats(&file.bytes[output]).collect();
        let word = |text: &str| Word {
            row: rows.get(text.as_bytes()).copied(),
            hash: hash(text.as_bytes()),
            ends: text == END,
        };
        let tokens = tokens.map(|text| (!text.is_empty()).then(|| word(text))).collect();
        let end = word(END);
        Ok(Self { data, vectors, width, words, buckets, ngrams, labels, output, tokens, end })
    }

    /// The names of the labels, as they were trained.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How likely a text has the label of this number: what fastText's `predict` gives for a line of its tokens.
    ///
    /// 0: no word of it is known.
    pub fn score(&self, tokens: &[u32], label: usize, scratch: &mut Scratch) -> f32 {
        #[cfg(target_arch = "x86_64")]
        if crate::cpu::has_avx2() {
            // SAFETY: what it enables is there.
            return unsafe { self.score_avx2(tokens, label, scratch) };
        }
        self.scored(tokens, label, scratch)
    }

    /// The same, compiled for 256 bits: adding vectors is most of the work, and takes two thirds of the time then.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn score_avx2(&self, tokens: &[u32], label: usize, scratch: &mut Scratch) -> f32 {
        self.scored(tokens, label, scratch)
    }

    #[inline(always)]
    fn scored(&self, tokens: &[u32], label: usize, scratch: &mut Scratch) -> f32 {
        let Scratch { hashes, sum } = scratch;
        hashes.clear();
        sum.clear();
        sum.resize(self.width, 0.0);
        let mut added = 0_usize;
        let words = tokens.iter().filter_map(|&id| self.tokens.get(id as usize).copied().flatten());
        for word in words.chain([self.end]) {
            if let Some(row) = word.row {
                self.add(row, sum);
                added += 1;
            }
            hashes.push(word.hash);
            if word.ends {
                break;
            }
        }
        for start in 0..if self.buckets == 0 { 0 } else { hashes.len() } {
            let mut run = hashes[start];
            for next in hashes[start..].iter().take(self.ngrams).skip(1) {
                run = run.wrapping_mul(116_049_371).wrapping_add(*next);
                self.add(self.words + (run % self.buckets as u64) as usize, sum);
                added += 1;
            }
        }
        if added == 0 {
            return 0.0;
        }
        let share = (1.0 / added as f64) as f32;
        sum.iter_mut().for_each(|x| *x *= share);
        self.probability(sum, label)
    }

    #[inline(always)]
    fn add(&self, row: usize, sum: &mut [f32]) {
        let start = self.vectors.start + row * self.width * 4;
        let vector = &self.data.as_ref()[start..start + self.width * 4];
        for (total, x) in sum.iter_mut().zip(floats(vector)) {
            *total += x;
        }
    }

    fn probability(&self, hidden: &[f32], label: usize) -> f32 {
        let dot = |row: &[f32]| row.iter().zip(hidden).map(|(a, b)| a * b).sum::<f32>();
        let logits: Vec<f32> = self.output.chunks_exact(self.width).map(dot).collect();
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = logits.iter().map(|x| (x - most).exp()).sum();
        ((logits[label] - most).exp() / total + ADDED).min(1.0)
    }
}

#[inline(always)]
fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x))
}

/// FNV-1a as fastText has it: each byte is extended by its sign.
fn hash(word: &[u8]) -> u64 {
    let step = |hash: u32, byte: &u8| (hash ^ (*byte as i8) as u32).wrapping_mul(16_777_619);
    (word.iter().fold(2_166_136_261, step) as i32) as u64
}

fn sizes<const N: usize>(numbers: [i32; N]) -> Result<[usize; N], String> {
    let mut made = [0; N];
    for (size, number) in made.iter_mut().zip(numbers) {
        *size = usize::try_from(number).map_err(|_| format!("a size of {number}"))?;
    }
    Ok(made)
}

/// Reads a file from its beginning to its end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], String> {
        let found = self.at.checked_add(size).and_then(|end| self.bytes.get(self.at..end));
        self.at += size;
        found.ok_or_else(|| "the file ends early".to_owned())
    }

    fn ints<const N: usize>(&mut self) -> Result<[i32; N], String> {
        let mut made = [0; N];
        for (number, bytes) in made.iter_mut().zip(self.take(4 * N)?.as_chunks().0) {
            *number = i32::from_le_bytes(*bytes);
        }
        Ok(made)
    }

    fn number(&mut self) -> Result<i64, String> {
        Ok(self.take(8)?.try_into().map_or(0, i64::from_le_bytes))
    }

    /// A word of the dictionary; its count and kind are skipped.
    fn entry(&mut self) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = memchr::memchr(0, rest).ok_or("the file ends early")?;
        self.take(end + 1 + 8 + 1)?;
        Ok(&rest[..end])
    }

    /// Where the numbers of a matrix of this shape are.
    fn matrix(&mut self, rows: usize, width: usize) -> Result<Range<usize>, String> {
        if self.take(1)? != [0] {
            return Err("a quantised model".to_owned());
        }
        if (self.number()?, self.number()?) != (rows as i64, width as i64) {
            return Err(format!("a matrix is not of {rows} rows of {width}"));
        }
        let start = self.at;
        self.take(rows.saturating_mul(width).saturating_mul(4))?;
        Ok(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Model, Scratch, hash};

    /// A model of the words `a` and `</s>` and two labels, with vectors of one number.
    fn file(ngrams: i32, buckets: i32) -> Vec<u8> {
        let mut made = Vec::new();
        let ints = |made: &mut Vec<u8>, some: &[i32]| some.iter().for_each(|x| made.extend(x.to_le_bytes()));
        ints(&mut made, &[793_712_314, 12, 1, 5, 1, 1, 5, ngrams, 3, 3, buckets, 0, 0, 100]);
        made.extend(1e-4_f64.to_le_bytes());
        ints(&mut made, &[4, 2, 2]);
        made.extend(9_i64.to_le_bytes());
        made.extend((-1_i64).to_le_bytes());
        for (word, kind) in [("a", 0_u8), ("</s>", 0), ("__label__x", 1), ("__label__y", 1)] {
            made.extend(word.as_bytes());
            made.extend([0].iter().chain(&1_i64.to_le_bytes()).chain(&[kind]));
        }
        let input: Vec<f32> = [1.0, 2.0].into_iter().chain((0..buckets).map(|_| 4.0)).collect();
        for matrix in [&input[..], &[1.0, -1.0]] {
            made.push(0);
            made.extend((matrix.len() as i64).to_le_bytes());
            made.extend(1_i64.to_le_bytes());
            matrix.iter().for_each(|x| made.extend(x.to_le_bytes()));
        }
        made
    }

    #[test]
    fn words_runs_and_the_end_of_a_line_are_averaged() {
        let tokens = ["a", "rare", "", "</s>"];
        let sure = |mean: f32| 1.0 / (1.0 + (-2.0 * mean).exp()) + 1e-5;
        let cases: [(i32, i32, &[u32], f32); 6] = [
            (1, 0, &[], 2.0),
            (1, 0, &[0], 1.5),
            (1, 0, &[0, 1, 2, 99], 1.5),      // what has no vector is not there
            (2, 5, &[0, 1], 11.0 / 4.0),      // a rare, rare </s>
            (3, 5, &[0, 1], 15.0 / 5.0),      // and a rare </s>
            (2, 5, &[0, 3, 0, 0], 7.0 / 3.0), // nothing behind </s>
        ];
        for (ngrams, buckets, ids, mean) in cases {
            let model = Model::read(file(ngrams, buckets), tokens.into_iter()).unwrap();
            let found = model.score(ids, 0, &mut Scratch::default());
            assert!((found - sure(mean)).abs() < 1e-6, "{ids:?}: {found}, not {}", sure(mean));
        }
    }

    #[test]
    fn a_file_that_is_no_such_model_is_refused() {
        let whole = file(2, 5);
        for end in 0..whole.len() {
            assert!(Model::read(&whole[..end], [].into_iter()).is_err(), "{end}");
        }
        let mut quantised = whole.clone();
        let at = whole.len() - (1 + 16 + 8) - (1 + 16 + 28);
        quantised[at] = 1;
        assert_eq!(Model::read(quantised, [].into_iter()).err().as_deref(), Some("a quantised model"));
        let mut narrow = whole[..at + 9].to_vec();
        narrow[8..12].fill(0);
        for part in [&0_i64.to_le_bytes()[..], &[0], &2_i64.to_le_bytes(), &0_i64.to_le_bytes()] {
            narrow.extend(part);
        }
        assert_eq!(Model::read(narrow, [].into_iter()).err().as_deref(), Some("vectors of no numbers"));
        let mut loss = whole;
        loss[4 * 8] = 1;
        assert!(Model::read(loss, [].into_iter()).is_err());
    }

    #[test]
    fn hashes_are_fasttexts() {
        assert_eq!(hash(b""), 0xffff_ffff_811c_9dc5);
        assert_eq!(hash(b"a"), 0xffff_ffff_e40c_292c);
        assert_eq!(hash("é".as_bytes()), 0x3cfa_68c1); // not 0x1e9d_e8c1: bytes count with their sign
    }
}
