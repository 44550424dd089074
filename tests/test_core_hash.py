"""The native hashes: SHA-256 of contents, and the ids of documents."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from codemill import _core


@pytest.mark.parametrize("kind", [pa.large_binary(), pa.large_string()])
def test_sha256_is_that_of_hashlib(kind: pa.DataType) -> None:
    values = ["abc", None, "", "x" * 100_000]
    got = _core.sha256(pa.array(values, kind)).slice(1, 3)
    assert got.type == pa.binary(32)
    assert got.to_pylist() == [None if v is None else hashlib.sha256(v.encode()).digest() for v in values[1:]]


def test_an_id_is_32_hex_digits_of_its_length_prefixed_fields() -> None:
    fields = ["folder", "me/repo", "a.py", None]
    parts = [b"\xff" * 8 if f is None else len(f).to_bytes(8, "little") + f.encode() for f in fields]
    expected = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
    assert _core.document_ids(*(pa.array([f], pa.string()) for f in fields)).to_pylist() == [expected]


def test_ids_differ_where_fields_do() -> None:
    rows = [("s", "ab", "c", None), ("s", "a", "bc", None), ("s", "ab", "c", ""), ("s", "ab", "c", "1")]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    assert len(set(_core.document_ids(*columns).to_pylist())) == len(rows)


def test_wrong_arguments_are_named() -> None:
    one, two = pa.array(["a"]), pa.array(["a", "b"])
    with pytest.raises(ValueError, match=r"same number of rows, got \[1, 2, 1, 1\]"):
        _core.document_ids(one, two, one, one)
    with pytest.raises(TypeError, match="path: expected an Arrow array of string, got int64"):
        _core.document_ids(one, one, pa.array([1]), one)
    with pytest.raises(TypeError, match="values: expected an Arrow array of large_binary or large_string"):
        _core.sha256(["a"])
