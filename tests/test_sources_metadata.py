"""Metadata: which names match, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codemill.errors import InputError
from codemill.sources import Metadata


def test_metadata_matches_names_as_forges_do(tmp_path: Path) -> None:
    (tmp_path / "repos.csv").write_text("full_name,stars\nPyTorch/Vision,12\npsf/requests,7\nplain,3\n")
    metadata = Metadata(str(tmp_path / "repos.csv"))
    asked = ["pytorch/vision", "PSF/Requests", "Plain", "plain", "a/b/c"]
    assert metadata.lookup(pa.array(asked)).field("stars").to_pylist() == [12, 7, None, 3, None]


def test_metadata_says_how_many_names_matched(tmp_path: Path) -> None:
    lines = [f"owner{i}/name{i},{i}\n" for i in range(5000)]
    (tmp_path / "repos.csv").write_text(
        "full_name,stars\npsf/requests,1\ngithub.com/pallets/flask,1\n" + "".join(lines)
    )
    metadata = Metadata(str(tmp_path / "repos.csv"))
    found = metadata.matched(["requests", "pallets/flask", "OWNER7/name7", "owner8/name8", "owner8/name8", "zz", "zzz"])
    assert (found.matched, found.total) == (2, 6)
    assert found.nearest["pallets/flask"][0] == "github.com/pallets/flask"
    assert found.nearest["requests"][0] == "psf/requests"
    assert str(found) == (
        "metadata: 2 of 6 repositories matched; not in the file: pallets/flask (nearest: github.com/pallets/flask), "
        "requests (nearest: psf/requests), zz (nearest: none) … 1 more"
    )
    assert str(metadata.matched(["psf/requests"])) == "metadata: 1 of 1 repositories matched"


@pytest.mark.parametrize("bad", ["many", "-5", "1e3", "12.5", "1,234", "0x10", "nan", "12 stars"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl", "parquet"])
def test_stars_that_are_no_counts_are_refused(tmp_path: Path, bad: str, suffix: str) -> None:
    names, stars = ["o/a", "o/b\nc", "o/d", "o/e"], ["7", " 12 ", None, bad]
    path = tmp_path / f"repos.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table({"repo": names, "stars": stars}), path)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps({"repo": n, "stars": s}) + "\n" for n, s in zip(names, stars, strict=True)))
    else:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("repo", "stars"), *zip(names, stars, strict=True)])
        data = text.getvalue().encode()
        path.write_bytes(gzip.compress(data) if suffix == "csv.gz" else data)
    place = "line 6" if "csv" in suffix else "row 4"  # one name has two lines
    with pytest.raises(InputError, match=rf"stars are a count, not '{re.escape(bad)}' .*{place}"):
        Metadata(str(path)).matched(["o/a"])


@pytest.mark.parametrize(
    ("stars", "expected"),
    [
        (pa.array(["5", "", "12.0", None]), [5, None, 12, None]),
        (pa.array([5, None, 0]), [5, None, 0]),
        (pa.array([5.0, float("nan"), None]), [5, None, None]),
        (pa.array([5, -1]), "-1"),
        (pa.array([5.5, None]), "5.5"),
        (pa.array([float("inf")]), "inf"),
        (pa.array([True]), "True"),
    ],
)
def test_stars_of_metadata(tmp_path: Path, stars: pa.Array, expected: list[int | None] | str) -> None:
    names = [f"o/{i}" for i in range(len(stars))]
    pq.write_table(pa.table({"repo": names, "stars": stars}), tmp_path / "r.parquet")
    metadata = Metadata(str(tmp_path / "r.parquet"))
    if isinstance(expected, str):
        with pytest.raises(InputError, match=f"stars are a count, not '{expected}'"):
            metadata.lookup(pa.array(names))
    else:
        assert metadata.lookup(pa.array(names)).field("stars").to_pylist() == expected
