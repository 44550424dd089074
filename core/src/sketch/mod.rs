//! Near-duplicates: shingles of a text, its sketch, the digests of the sketch's bands, and what pairs make of it.
//!
//! Two files have about as many equal values in their sketches as their shingles have in common (Broder 1997), and
//! files that are nearly equal have a whole band of values in common (Indyk, Motwani 1998). See
//! `docs/near-duplicates.md`.

pub mod chunks;
pub mod components;
pub mod fastest;
pub mod minhash;
pub mod shingles;
pub mod simd;
pub mod words;

#[cfg(feature = "python")]
pub(crate) mod python;

use crate::arrow::same_length;
use crate::guard::guarded;
use arrow_array::builder::{Float32Builder, NullBufferBuilder};
use arrow_array::{Array, FixedSizeBinaryArray, Float32Array, LargeListArray, LargeStringArray, UInt64Array};
use arrow_buffer::{Buffer, MutableBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use minhash::{MinHash, digest};
use shingles::{Repeats, Shingler, SplitMix, Unit};
use simd::Simd;
use std::sync::Arc;

/// The version of what a word, a shingle, a sketch and a band's digest are; part of the identity of everything made
/// from them.
///
/// 1: A word is a run of bytes that are ASCII letters, digits, `_` or beyond ASCII; a character of three or more bytes
/// of UTF-8 (`byte >= 0xE0` leads it) begins a new word. Case counts. A shingle is n consecutive words.
///
/// 2: The text is composed first (Unicode's NFC). One with fewer than n words is a shingle of its own.
pub const VERSION: u32 = 2;

/// What a sketch is made of.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Words or characters per shingle, 1 to 256.
    pub ngram: usize,
    /// What a shingle is made of.
    pub unit: Unit,
    /// Another seed, other hash functions.
    pub seed: u64,
    /// Which instructions to use.
    pub simd: Simd,
}

/// Shingles that the kernel gets at once: they and a pass of accumulators stay in the first cache.
const BLOCK: usize = 2048;

/// Makes sketches of one text after another, in memory that does not grow with the text.
pub struct Sketcher {
    shingler: Shingler,
    repeats: Repeats,
    block: Vec<u32>,
    minhash: MinHash,
    keys: [u64; 2],
}

impl Sketcher {
    /// Sketches of `hashes` values.
    pub fn new(hashes: usize, options: Options) -> Self {
        let Options { ngram, unit, seed, simd } = options;
        let mut random = SplitMix(seed);
        let keys = band_seeds(&mut random);
        Self {
            shingler: Shingler::new(ngram, unit, seed, simd),
            repeats: Repeats::new(),
            block: Vec::with_capacity(2 * BLOCK),
            minhash: MinHash::new(hashes, || random.next(), simd),
            keys,
        }
    }

    /// The sketch of a text. None: the text has no word.
    pub fn sketch(&mut self, text: &str) -> Option<&[u32]> {
        let Self { shingler, repeats, block, minhash, .. } = self;
        repeats.clear();
        minhash.clear();
        block.clear();
        let count = shingler.each(text, |shingles| {
            repeats.filter(shingles, block);
            if block.len() >= BLOCK {
                minhash.add(block);
                block.clear();
            }
        });
        minhash.add(block);
        (count > 0).then(|| minhash.values())
    }
}

/// The sketch of each text: `hashes` 32-bit numbers, little-endian.
///
/// Null: the text is null or has no word.
pub fn sketches(content: &LargeStringArray, hashes: usize, options: Options) -> FixedSizeBinaryArray {
    let mut sketcher = Sketcher::new(hashes, options);
    fixed(content, 4 * hashes, |text, out| {
        let Some(values) = sketcher.sketch(text) else { return false };
        for (slot, value) in out.chunks_exact_mut(4).zip(values) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        true
    })
}

/// The digests of the bands of each text's sketch, which has `bands * rows` values: `bands` 64-bit numbers,
/// little-endian. The digest of a band tells which band it is. Null: as for [`sketches`].
pub fn band_keys(
    content: &LargeStringArray,
    bands: usize,
    rows: usize,
    options: Options,
) -> FixedSizeBinaryArray {
    let mut sketcher = Sketcher::new(bands * rows, options);
    let keys = sketcher.keys;
    fixed(content, 8 * bands, |text, out| {
        let Some(values) = sketcher.sketch(text) else { return false };
        write_digests(values, rows, keys, out);
        true
    })
}

/// The digests of the bands of sketches that are made already: [`band_keys`] of what they are sketches of, if `seed`
/// is the same. Null: where the sketch is.
///
/// Errors: a sketch does not have `bands * rows` values.
pub fn band_digests(
    sketches: &FixedSizeBinaryArray,
    bands: usize,
    rows: usize,
    seed: u64,
) -> Result<FixedSizeBinaryArray, String> {
    if sketches.value_length() as usize != 4 * bands * rows {
        let bytes = sketches.value_length();
        return Err(format!("sketches: expected {bands} x {rows} x 4 bytes each, got {bytes}"));
    }
    let keys = band_seeds(&mut SplitMix(seed));
    let mut bytes = MutableBuffer::from_len_zeroed(sketches.len() * 8 * bands);
    let mut values = vec![0; bands * rows];
    for (sketch, out) in sketches.iter().zip(bytes.as_slice_mut().chunks_exact_mut(8 * bands)) {
        let Some(sketch) = sketch else { continue };
        for (value, bytes) in values.iter_mut().zip(sketch.as_chunks::<4>().0) {
            *value = u32::from_le_bytes(*bytes);
        }
        write_digests(&values, rows, keys, out);
    }
    Ok(FixedSizeBinaryArray::new(8 * bands as i32, Buffer::from(bytes), sketches.nulls().cloned()))
}

fn band_seeds(random: &mut SplitMix) -> [u64; 2] {
    [random.next(), random.next()]
}

fn write_digests(values: &[u32], rows: usize, keys: [u64; 2], out: &mut [u8]) {
    for (band, (slot, values)) in out.chunks_exact_mut(8).zip(values.chunks_exact(rows)).enumerate() {
        slot.copy_from_slice(&digest(band, values, keys).to_le_bytes());
    }
}

/// `fill` writes each row's bytes and returns true, or returns false or panics, which makes the row null.
fn fixed(
    content: &LargeStringArray,
    width: usize,
    mut fill: impl FnMut(&str, &mut [u8]) -> bool,
) -> FixedSizeBinaryArray {
    let mut bytes = MutableBuffer::from_len_zeroed(content.len() * width);
    let mut valid = NullBufferBuilder::new(content.len());
    for (text, slot) in content.iter().zip(bytes.as_slice_mut().chunks_exact_mut(width)) {
        let filled = text.is_some_and(|text| guarded(|| fill(text, slot)).unwrap_or(false));
        if !filled {
            slot.fill(0);
        }
        valid.append(filled);
    }
    FixedSizeBinaryArray::new(width as i32, Buffer::from(bytes), valid.finish())
}

/// The distinct shingles of each text as 64-bit hashes, ascending. Null: as for [`sketches`].
pub fn shingle_sets(content: &LargeStringArray, options: Options) -> LargeListArray {
    let mut shingler = Shingler::new(options.ngram, options.unit, options.seed, options.simd);
    let mut values: Vec<u64> = Vec::new();
    let mut ends: Vec<i64> = vec![0];
    let mut valid = NullBufferBuilder::new(content.len());
    for text in content {
        let set =
            text.and_then(|text| guarded(|| shingler.distinct(text)).ok()).filter(|set| !set.is_empty());
        valid.append(set.is_some());
        values.extend(set.unwrap_or_default());
        ends.push(values.len() as i64);
    }
    let field = Arc::new(Field::new_list_field(DataType::UInt64, true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    LargeListArray::new(field, offsets, Arc::new(UInt64Array::from(values)), valid.finish())
}

/// The share that the sets of each row have in common: `|a ∩ b| / |a ∪ b|`. Null where either is null or both are
/// empty.
///
/// Errors: the arrays differ in length, or a set is not ascending without repetition.
pub fn jaccard(a: &LargeListArray, b: &LargeListArray) -> Result<Float32Array, String> {
    let values = |array: &LargeListArray, name: &str| {
        let values = array.values().as_any().downcast_ref::<UInt64Array>().cloned();
        values.filter(|v| v.null_count() == 0).ok_or_else(|| {
            format!("{name}: expected lists of uint64 without nulls in them, got {}", array.data_type())
        })
    };
    let (a_values, b_values) = (values(a, "a")?, values(b, "b")?);
    same_length(&[("a", a), ("b", b)])?;
    let mut result = Float32Builder::with_capacity(a.len());
    for row in 0..a.len() {
        if a.is_null(row) || b.is_null(row) {
            result.append_null();
            continue;
        }
        let set =
            |list: &LargeListArray, values: &UInt64Array, name: &str| -> Result<(usize, usize), String> {
                let (from, to) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
                let ascending = values.values()[from..to].windows(2).all(|pair| pair[0] < pair[1]);
                let complaint =
                    || format!("{name}: the list of row {row} is not ascending without repetition");
                ascending.then_some((from, to)).ok_or_else(complaint)
            };
        let (from, to) = set(a, &a_values, "a")?;
        let left = &a_values.values()[from..to];
        let (from, to) = set(b, &b_values, "b")?;
        let right = &b_values.values()[from..to];
        let common = in_common(left, right);
        let union = left.len() + right.len() - common;
        result.append_option((union > 0).then(|| (common as f64 / union as f64) as f32));
    }
    Ok(result.finish())
}

/// How many numbers two ascending lists share; no branch depends on the numbers.
fn in_common(a: &[u64], b: &[u64]) -> usize {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        common += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    common
}

/// The share of equal values in the sketches of each row, an estimate of [`jaccard`]. Null where either is null.
///
/// Errors: the arrays differ in length, or the sketches in size.
pub fn sketch_similarity(a: &FixedSizeBinaryArray, b: &FixedSizeBinaryArray) -> Result<Float32Array, String> {
    same_length(&[("a", a), ("b", b)])?;
    let width = a.value_length();
    if width != b.value_length() || width % 4 != 0 || width == 0 {
        return Err(format!(
            "a and b: sketches of {width} and {} bytes; expected equal multiples of 4",
            b.value_length()
        ));
    }
    let similarity = |(a, b): (&[u8], &[u8])| {
        let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
        let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
        (equal as f64 / a.len() as f64) as f32
    };
    Ok(a.iter().zip(b.iter()).map(|(a, b)| Some(similarity((a?, b?)))).collect())
}
