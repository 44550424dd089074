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

class LanguageTable:
    """The table of languages, compiled for `detect`. Immutable; shared by threads."""

    def __new__(
        cls,
        *,
        languages: Sequence[Mapping[str, Any]],
        disambiguations: Sequence[Mapping[str, Any]],
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
