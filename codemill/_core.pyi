"""The native core (`core/`): Arrow in, Arrow out, GIL released. A panic on a document never crosses."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

__version__: str

def decode(raw: pa.LargeBinaryArray) -> pa.RecordBatch:
    """The text of each file, and how it was encoded.

    Shape: one row per value; columns `content` (large_string), `encoding` (string), `content_sha256` (binary of 32
    bytes, of the original bytes), `reason` and `detail` (string). `content` has no byte order mark.
    Null: `content` and `encoding` where there is a `reason`: `empty`, `binary`, `undecodable` or `crashed`;
    everything where the value is null. `detail` says what was found.
    Raises: TypeError if `raw` is not a large_binary array.
    """

def sha256(values: pa.LargeBinaryArray | pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    """SHA-256 of each value, 32 bytes; null where the value is null.

    Raises: TypeError for any other type.
    """

def document_ids(
    source: pa.StringArray, repo: pa.StringArray, path: pa.StringArray, revision: pa.StringArray
) -> pa.StringArray:
    """The id of each document: 32 hex digits, the first half of SHA-256 over the four length-prefixed fields.

    Null: never; a null field counts, and differs from the empty string.
    Raises: TypeError for other types, ValueError if the arrays differ in length.
    """

CLASSIFIER_BUCKETS: int
"""Number of hash buckets of `classifier_features`."""

class Syntaxes:
    """Comments and strings of every language. Immutable; shared by threads."""

    def __new__(cls, languages: Sequence[Mapping[str, Any]]) -> Syntaxes:
        """Takes the fields of `codemill.languages.Language`. Raises: ValueError for an unknown place of comments."""

    def __len__(self) -> int:
        """How many languages there are."""

def lex(text: str, language: str, syntaxes: Syntaxes) -> list[tuple[str, int, int]]:
    """The comments and strings of a program: kind, first byte, last byte + 1 (of the text in UTF-8), in order.

    Kinds: hashbang, line_comment, block_comment, docstring, string. Empty for a language that is not known.
    """

def lex_column(content: pa.LargeStringArray, language: pa.StringArray, syntaxes: Syntaxes) -> pa.ListArray:
    """The comments and strings of each text: `lex` for a column.

    Shape: one row per text; a list of structs of `kind` (dictionary of strings), `start`, `end` (uint64, bytes).
    Null: where content or language is, and where the row made the code panic. A language that is not known: empty.
    Raises: TypeError for other types, ValueError if the arrays differ in length.
    """

def split_column(content: pa.LargeStringArray, language: pa.StringArray, syntaxes: Syntaxes) -> pa.StructArray:
    """Code text and comment text of each text: `split` for a column.

    Shape: one row per text; fields `code`, `comments` (large_string).
    Null: both, where content or language is, and where the row made the code panic.
    Raises: TypeError for other types, ValueError if the arrays differ in length.
    """

def split(text: str, language: str, syntaxes: Syntaxes) -> tuple[str, str]:
    """Code text and comment text, as the signals see them: see core/src/signals/split.rs."""

def node_at(
    content: pa.LargeStringArray,
    language: pa.StringArray,
    at: pa.UInt64Array,
    pick: pa.DoubleArray,
    syntaxes: Syntaxes,
) -> pa.StructArray:
    """One of the parts of each program that byte `at` is in: of n, from the outside in, the one at n · `pick`.

    Nodes of the syntax tree of Python, JavaScript and TypeScript; else, or if it does not parse, what stands between
    brackets. Shape: one row per text; fields `start`, `end` (uint64, bytes), `how` (string: tree or brackets).
    Null: all three, where the byte is in none, an argument is null, or the row made the code panic.
    Raises: TypeError for other types, ValueError if the arrays differ in length.
    """

OVERLAP_VERSION: int

class Overlap:
    """What is looked for in documents: parts of benchmarks' tasks. Immutable; shared by threads.

    See core/src/overlap/.
    """

    def __new__(
        cls,
        view: pa.StringArray,
        text: pa.LargeStringArray,
        language: pa.StringArray,
        name: pa.StringArray,
        tests: pa.LargeStringArray,
        *,
        ngram: int,
        words_share: float,
        code_share: float,
        least: int,
        common: int,
        shortest: int,
        aliases: Mapping[str, str],
        syntaxes: Syntaxes,
    ) -> Overlap:
        """Makes the n-grams of the parts. `view` is "words", "code" or "name"; `aliases` are words behind fences.

        Raises: ValueError for another view or n-gram, TypeError for other types of arrays.
        """

    def __len__(self) -> int:
        """How many different n-grams are looked for."""

    def find(
        self, content: pa.LargeStringArray, language: pa.StringArray, *, syntaxes: Syntaxes, names: bool = False
    ) -> pa.StructArray:
        """The part that each text has most of: `part` (uint32, its row) and `share` (float32) of its n-grams.

        `failed` (bool) says that the row made the code panic. Null: it has none, there is no content, or it failed. A
        text without language is read by its fenced blocks.
        """

class LanguageTable:
    """The table of languages, compiled for `detect`. Immutable; shared by threads."""

    def __new__(
        cls,
        *,
        languages: Sequence[Mapping[str, Any]],
        disambiguations: Sequence[Mapping[str, Any]],
        clues: Sequence[Mapping[str, Any]],
        unknown: Sequence[Mapping[str, Any]],
        vendored: Sequence[str],
        generated: Sequence[str],
        generic: Sequence[str],
        classifier: bytes,
    ) -> LanguageTable:
        """Raises: ValueError naming the pattern that does not compile, or the unknown language or the extension."""

    def __len__(self) -> int:
        """How many languages there are."""

def detect(path: pa.StringArray, content: pa.LargeStringArray, table: LanguageTable) -> pa.StructArray:
    """The language of each file.

    Shape: one row per path; fields `language`, `doc_type` (string), `is_vendored`, `is_generated` (bool), `strategy`
    (string: which one decided). Null `content`: the path alone is used.
    Null: `language`, `doc_type` and `strategy` where no strategy knows the file; everything where `path` is null,
    and everything but `strategy`, which is then "crashed", where detection panicked.
    Raises: TypeError for other types, ValueError if the arrays differ in length.
    """

def classifier_features(content: pa.LargeStringArray) -> tuple[pa.ListArray, pa.ListArray]:
    """What the classifier sees of each text: its buckets (uint16) and their values (float32, of unit length)."""

SKETCH_VERSION: int
"""What a word, a shingle, a sketch and a band's digest are; another number, other values."""

def simd_levels() -> list[str]:
    """The sets of instructions that this CPU has, "portable", "neon", "avx2", "avx512"."""

def simd_used() -> str:
    """The set that is used where none is named: the one that sketches fastest here, measured once in a process."""

def sketch(
    content: pa.LargeStringArray, *, hashes: int, ngram: int, unit: str, seed: int, simd: str | None = None
) -> pa.FixedSizeBinaryArray:
    """The sketch of each text: for each of `hashes` functions the smallest value over the text's shingles.

    `unit` is "word" or "char". `simd` forces a set of instructions; the result does not depend on it.
    Shape: one row per text, `hashes` 32-bit numbers, little-endian.
    Null: the text is null or has fewer than `ngram` words or characters.
    Raises: TypeError for another type, ValueError for a parameter out of range, naming it.
    """

def band_digests(sketches: pa.FixedSizeBinaryArray, *, bands: int, rows: int, seed: int) -> pa.FixedSizeBinaryArray:
    """`band_keys` of what the sketches are sketches of, if `seed` is the one they were made with.

    Shape: one row per sketch of `bands * rows` values; `bands` 64-bit numbers, little-endian.
    Null: where the sketch is.
    Raises: ValueError if the sketches have another size.
    """

def chunk_ends(content: pa.LargeStringArray, *, words: int, least: int = 1) -> pa.LargeListArray:
    """Where chunks of so many words of each text end, in bytes from its beginning.

    Shape: one list of int64 per text, ascending; the last end is the text's length, also of an empty text. A chunk
    begins with a word (the first: with the text) and ends where the next one begins. A rest of fewer than `least` words
    belongs to the chunk before it.
    Null: the text is null. Raises: ValueError if `words` is not 1 to 2**30, or `least` not 1 to `words`.
    """

def band_keys(
    content: pa.LargeStringArray,
    *,
    bands: int,
    rows: int,
    ngram: int,
    unit: str,
    seed: int,
    simd: str | None = None,
) -> pa.FixedSizeBinaryArray:
    """The digest of each band of each text's sketch, which has `bands * rows` values.

    Shape: one row per text, `bands` 64-bit numbers, little-endian; two texts have a number in common where all `rows`
    values of a band are equal.
    Null and Raises: as `sketch`.
    """

def shingles(
    content: pa.LargeStringArray, *, ngram: int, unit: str, seed: int, simd: str | None = None
) -> pa.LargeListArray:
    """The distinct shingles of each text as 64-bit hashes (uint64), ascending. Null and Raises: as `sketch`."""

def jaccard(a: pa.LargeListArray, b: pa.LargeListArray) -> pa.FloatArray:
    """Row by row, the share of shingles that two sets have in common, of all in either.

    Null: where either set is null, or both are empty.
    Raises: TypeError for other types, ValueError if lengths differ or a list is not ascending without repetition.
    """

def sketch_similarity(a: pa.FixedSizeBinaryArray, b: pa.FixedSizeBinaryArray) -> pa.FloatArray:
    """Row by row, the share of equal values in two sketches: an estimate of `jaccard`. Null: where either is.

    Raises: TypeError for other types, ValueError if the lengths or the sizes of the sketches differ.
    """

def components(a: pa.UInt64Array, b: pa.UInt64Array) -> tuple[pa.UInt64Array, pa.UInt64Array]:
    """The distinct nodes of the pairs (a[i], b[i]), ascending, and for each the smallest node it is connected with.

    The order of the pairs does not matter; chains may have any length. Results of several parts, taken as pairs, can
    be joined by another call.
    Raises: TypeError for other types, ValueError for nulls, if the lengths differ, or for 2**32 nodes or more.
    """

def signals() -> list[tuple[str, str, int, list[str], str]]:
    """Name, family, version, documents and doc comment of each signal, in the order of columns."""

def measure(
    content: pa.LargeStringArray,
    *,
    language: pa.StringArray,
    doc_type: pa.StringArray,
    path: pa.StringArray,
    size: pa.Int64Array,
    syntaxes: Syntaxes,
    signals: Sequence[str] | None = None,
    natural_language: str | None = None,
) -> pa.StructArray:
    """Signals of each document: a float64 field per signal asked for, `signal_errors` (uint32), how many failed, and
    `natural_language` (string: en, zh or ja), as given for all documents, else en for code and
    data, and what the script says for text.

    Null: the signal does not apply or cannot be computed; all of them where content, language or type is null.
    Raises: TypeError for another type, ValueError if lengths differ or for an unknown signal.
    """

class Redactor:
    """Rules of redaction and key formats, compiled. Immutable; shared by threads."""

    def __new__(cls, formats: Sequence[Mapping[str, Any]]) -> Redactor:
        """`formats` have `name`, `kind`, `anchors`, `pattern` and `of_table` (it is not a user's own).

        Raises: ValueError naming the bad one.
        """

    def redact(self, content: pa.LargeStringArray, bare: pa.BooleanArray) -> pa.StructArray:
        """Each text with placeholders.

        `bare`: whether values without quotes count. Shape: one row per text; `content` (large_string) and a count
        (int32) for each of name, email, ip, phone, user, password, key.
        Null: everything where the text is null or its redaction panicked.
        Raises: TypeError for other types, ValueError if the arrays differ in length.
        """

    def findings(self, text: str, bare: bool) -> list[tuple[int, int, str, str]]:
        """Start and end (bytes of UTF-8), kind and rule of what would be replaced, in order, without overlaps."""

def strip_headers(content: pa.LargeStringArray, language: pa.StringArray, syntaxes: Syntaxes) -> pa.StructArray:
    """Each text without the copyright and licence notices before its first code.

    Shape: a struct of content (large_string), chars_removed (uint32, code points) and notices (uint32, comments that
    lost something).
    Null: content where nothing was removed; all three where text or language is null, or the text made the code panic.
    Raises: TypeError for another type, ValueError if the lengths differ.
    """

def page_text(content: pa.LargeStringArray) -> pa.StructArray:
    """The text of each web page, with its code byte for byte inside fences.

    Shape: a struct of content (large_string), title (string) and code_blocks (uint32, the fences).
    Null: all three where the page is, or where it made the code panic. Raises: TypeError for another type.
    """

class FastText:
    """A classifier of fastText over the tokens of texts: see core/src/web/fasttext.rs. Immutable; shared by threads."""

    def __new__(cls, data: pa.UInt8Array, tokens: pa.LargeStringArray) -> FastText:
        """`data` is a model's file, which stays where it is; `tokens` how each id of a tokenizer is written.

        Raises: ValueError for a file that is no dense model of whole words with softmax, or is cut off.
        """

    def labels(self) -> list[str]:
        """Its labels, such as `__label__code`."""

    def scores(self, tokens: pa.LargeListArray, *, label: str, most: int) -> pa.FloatArray:
        """How likely each text has this label, by its first `most` tokens, as fastText says it within 1e-6.

        Shape: a large_list of uint32 without nulls in, float32 out. 0: no word of a text is known.
        Raises: TypeError for other types, ValueError for a label that the model does not have.
        """
