"""The schema of a Document, of what a source yields, and of a ledger row.

A **Document** is one row: one file, web page or notebook. A **source** yields raw files (bytes and where they
come from); `steps.ingest` turns them into Documents.
"""

from __future__ import annotations

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
SHA256 = pa.binary(32)

RAW = pa.schema(
    [
        pa.field("repo", pa.string(), nullable=False),  # "owner/name", package, archive or domain
        pa.field("path", pa.string(), nullable=False),  # inside the repo, "/"-separated, escaped if not UTF-8
        pa.field("revision", pa.string()),  # commit id where there is one
        pa.field("stars", pa.int64()),  # null = unknown
        pa.field("commit_time", TIME),  # of the last commit that touched the file; null = unknown
        pa.field("license", pa.list_(pa.string())),  # SPDX ids; null = unknown
        pa.field("size", pa.int64(), nullable=False),  # bytes as found, also when they were not read
        pa.field("raw", pa.large_binary()),  # null = not read, `reason` says why
        pa.field("reason", pa.string()),  # null = fine; else a short snake_case word, e.g. "unreadable"
        pa.field("detail", pa.string()),  # the value behind the reason, e.g. the error's text or a size
        pa.field("meta", pa.string()),  # JSON object of the source's other columns, or null
    ]
)
"""What `sources` yield, in record batches: the bytes of a file and where they come from."""

RULE_FIRED = pa.struct(
    {
        "rule": pa.string(),  # its reason: a snake_case word
        "signal": pa.string(),  # the column it looked at
        "value": pa.float64(),  # what was measured
        "limit": pa.string(),  # what it must not be, e.g. "> 0.2"
    }
)
"""One rule that fired on a document."""

VERDICT: dict[str, pa.DataType] = {
    "reason": pa.string(),  # null = stays; else a short snake_case word
    "value": pa.string(),  # what was measured, as text
    "kept_id": pa.string(),  # the document kept in its place, for duplicates
    "similarity": pa.float32(),  # to that document
    "rules": pa.list_(RULE_FIRED),  # every rule that fired, for documents dropped by rules
}
"""The columns by which a layer drops rows. A step may add the first alone, or more of them."""

DOCUMENT = pa.schema(
    [
        pa.field("id", pa.string()),  # 32 hex digits: hash of repo, path, content (see `steps.ingest`); unique in a run
        pa.field("source", pa.string()),  # which source it came from, e.g. "folder"
        pa.field("repo", pa.string()),
        pa.field("path", pa.string()),
        pa.field("revision", pa.string()),
        pa.field("stars", pa.int64()),
        pa.field("commit_time", TIME),
        pa.field("license", pa.list_(pa.string())),  # SPDX expressions, all of which apply; null = unknown
        pa.field("size", pa.int64()),  # bytes as ingested, before decoding
        pa.field("content_sha256", SHA256),  # of the original bytes
        pa.field("content", pa.large_string()),  # UTF-8
        pa.field("encoding", pa.string()),  # what the bytes were decoded from, e.g. "utf-8", "gb18030"
        pa.field("encoding_confidence", pa.float32()),  # 1 unless guessed: then how likely the text is right
        pa.field("language", pa.string()),  # a name of `codemill list languages`, e.g. "python", "cpp"
        pa.field("doc_type", pa.string()),  # code | data | text | web
        pa.field("is_vendored", pa.bool_()),
        pa.field("is_generated", pa.bool_()),
        pa.field("meta", pa.string()),  # JSON object of a source's other columns, or null
    ]
)
"""A row of `OUT/corpus/part-*.parquet`."""

INDEX = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("content_sha256", SHA256),
        pa.field("band_keys", pa.binary()),  # 8 bytes for each band; null if shorter than one shingle
        pa.field("sketch_bits", pa.binary()),  # one bit of each value of the sketch; null likewise
    ]
)
"""A row of `OUT/index/part-*.parquet`, where a recipe makes one: a kept document, to hold later ones against."""

CHUNKS = pa.struct(
    {
        "total": pa.int32(),  # how many chunks the document had
        "removed": pa.int32(),  # how many of them were cut out of it
        "bytes": pa.int64(),  # of UTF-8 in those
    }
)
"""What `dedup.fuzzy(level="chunk")` cut out of a document."""

KINDS = ("name", "email", "ip", "phone", "user", "password", "key")
"""What redaction looks for, and its placeholders without their angle brackets."""

REDACTED = pa.struct([(kind, pa.int32()) for kind in KINDS])
"""How many placeholders of each kind a text was given."""

LEDGER = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("repo", pa.string()),
        pa.field("path", pa.string()),
        pa.field("revision", pa.string()),
        pa.field("stars", pa.int64()),  # these two, then repo and path, choose between copies
        pa.field("commit_time", TIME),
        pa.field("license", pa.list_(pa.string())),
        pa.field("content_sha256", SHA256),  # null if it was not read
        pa.field("language", pa.string()),  # null if dropped before detection
        pa.field("doc_type", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("verdict", pa.string()),  # kept | dropped
        pa.field("step", pa.string()),  # null if kept; e.g. "dedup.exact"
        pa.field("reason", pa.string()),  # null if kept; e.g. "duplicate"
        pa.field("value", pa.string()),  # what was measured, as text; e.g. "9437184"
        pa.field("kept_id", pa.string()),  # the copy that was kept instead, for duplicates
        pa.field("similarity", pa.float32()),  # to that copy: 1.0 for exact duplicates
        pa.field("rules", pa.list_(RULE_FIRED)),  # every rule that fired, the first of which is the reason
        pa.field("chunks", CHUNKS),  # null unless copies of parts of documents were looked for
        pa.field("header_chars_removed", pa.uint32()),  # code points of notices that went; null if not looked at
        pa.field("redacted", REDACTED),  # placeholders of each kind; null if dropped before, or not looked at
    ]
)
"""A row of `OUT/ledger/part-*.parquet`: one for every file that was found. The last columns are there where a step of
the recipe has them."""

COMMON_LEDGER = pa.schema(
    [field for field in LEDGER if field.name not in ("chunks", "header_chars_removed", "redacted")]
)
"""The columns that every ledger of documents has."""
