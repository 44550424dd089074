"""Writes a realistic OUT folder (manifest, ledger, corpus) without running anything, for the report's tests.

`python tests/report_fixture.py FOLDER [ROWS]` writes one to look at.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codemill.document import DOCUMENT, LEDGER
from codemill.machine.store import Receipt, seal

LANGUAGES = {  # name: (doc_type, extension, weight, typical bytes)
    "python": ("code", "py", 420, 9_000),
    "c": ("code", "h", 130, 14_000),
    "javascript": ("code", "js", 90, 22_000),
    "cpp": ("code", "cpp", 60, 15_000),
    "json": ("data", "json", 50, 30_000),
    "markdown": ("text", "md", 40, 5_000),
    "html": ("code", "html", 30, 24_000),
    "css": ("code", "css", 25, 12_000),
    "typescript": ("code", "ts", 24, 8_000),
    "cython": ("code", "pyx", 18, 26_000),
    "shell": ("code", "sh", 14, 2_000),
    "toml": ("data", "toml", 12, 1_500),
    "yaml": ("data", "yml", 12, 1_200),
    "restructuredtext": ("text", "rst", 10, 7_000),
    "rust": ("code", "rs", 8, 11_000),
    "fortran": ("code", "f90", 6, 18_000),
    "jupyter notebook": ("code", "ipynb", 4, 60_000),
    "tcl": ("code", "tcl", 3, 6_000),
}
LANGUAGES |= {f"rare {i}": ("code", f"x{i}", 1, 3_000) for i in range(20)}

EXCERPTS = {
    "python": '''"""Read and write the journal."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of the journal."""

    at: int
    text: str


def append(path: str, entry: Entry) -> None:
    """Adds an entry; the line is on disk when this returns."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{entry.at}\\t{entry.text}\\n")
        file.flush()
        os.fsync(file.fileno())
''',
    "c": """#include "ring.h"

/* Returns the number of bytes written, which is less than n when the ring is full. */
size_t ring_write(struct ring *r, const char *data, size_t n)
{
\tsize_t room = r->size - (r->head - r->tail);
\tif (n > room)
\t\tn = room;
\tfor (size_t i = 0; i < n; i++)
\t\tr->data[(r->head + i) & r->mask] = data[i];
\tr->head += n;
\treturn n;
}
""",
}

WORDS = {"duplicate": "a byte-for-byte copy of a file that was kept"}  # as the steps declare them

NAMES = ("core", "utils", "io", "parser", "tests", "config", "model", "views", "index", "cache", "types", "errors")

REPOS = [f"{name}-{i}.{i % 7}" for i in range(6) for name in (
    "numpy", "pandas", "scipy", "requests", "flask", "sympy", "networkx", "pillow", "attrs", "rich", "jinja", "pip",
)]  # fmt: skip


def write_out(
    out: Path, *, rows: int = 6_000, parts: int = 3, seed: int = 1, extra: list[dict[str, Any]] | None = None
) -> Path:
    """An OUT folder whose figures add up. `extra` are further ledger rows (missing columns null)."""
    return write_ledger(out, ledger_rows(rows, seed) + [row_of(**row) for row in extra or []], parts=parts)


def row_of(**values: Any) -> dict[str, Any]:
    """A ledger row: kept unless it says otherwise, null where nothing is said. `content` is for the corpus."""
    row = {**dict.fromkeys(LEDGER.names), "source": "folder", "repo": "repo", "path": "file", "size": 10}
    return row | {"verdict": "dropped" if values.get("reason") else "kept"} | values


def write_ledger(out: Path, ledger: list[dict[str, Any]], *, parts: int = 1) -> Path:
    """An OUT folder with exactly these ledger rows."""
    corpus = [_document(row) for row in ledger if row["verdict"] == "kept"]
    files = {
        "ledger": _write(out / "ledger", ledger, LEDGER, parts),
        "corpus": _write(out / "corpus", corpus, DOCUMENT, parts),
    }
    (out / "manifest.json").write_text(json.dumps(seal({**manifest_of(ledger), "files": files}), indent=1))
    return out


def manifest_of(ledger: list[dict[str, Any]]) -> dict[str, Any]:
    """The manifest that a run with this ledger would have written."""
    steps, left = [], _sum(ledger)
    seconds = {"ingest.documents": 4.81, "detect.language": 2.02, "dedup.exact": 0.97, "sample.keep": 0.0}
    seconds |= {row["step"]: 1.0 for row in ledger if row["step"] and row["step"] not in seconds}
    for name in seconds:
        dropped: dict[str, dict[str, int]] = {}
        reasons = defaultdict(list)
        for row in ledger:
            if row["step"] == name:
                reasons[row["reason"]].append(row)
        for reason in sorted(reasons):
            dropped[reason] = _sum(reasons[reason])
        after = {k: left[k] - sum(d[k] for d in dropped.values()) for k in left}
        steps.append({
            "name": name, "fingerprint": hashlib.sha256(name.encode()).hexdigest(), "version": 1,
            "kind": "layer" if steps else "source", "key": hashlib.sha256(name.encode()).hexdigest()[:20],
            "inputs": [len(steps) - 1] if steps else [],
            "parameters": {"max_bytes": 8_000_000} if name.startswith("ingest") else {}, "parts": 3,
            "seconds": seconds[name], "cached": False, "rows_in": left["rows"], "bytes_in": left["bytes"],
            "rows_out": after["rows"], "bytes_out": after["bytes"], "dropped": dropped,
            "drops": {reason: WORDS[reason] for reason in dropped if reason in WORDS},
        })  # fmt: skip
        left = after
    found = _sum(ledger)
    chain = list(range(len(steps)))
    rows = {"corpus": left["rows"], "ledger": found["rows"]}
    outputs = {
        title: {"table": chain[-1], "ledger": title == "ledger", "chain": chain, "rows": n} for title, n in rows.items()
    }
    return {
        "codemill": "0.1.0",
        "recipe": {"name": "quickstart", "parameters": {"inputs": ["stdlib", "site-packages"], "max_bytes": 8_000_000}},
        "inputs": [
            {"source": {"kind": "folder", "root": "lib/python3.11", "label": "stdlib"}, "fingerprint": "5f" * 32,
             "files": sum(row["source"] == "stdlib" for row in ledger)},
            {"source": {"kind": "folder", "root": "lib/python3.11/site-packages", "label": "packages"},
             "fingerprint": "a1" * 32, "files": sum(row["source"] == "packages" for row in ledger)},
        ],
        "steps": steps, "ingested": found, "kept": left,
        "dropped": {k: found[k] - left[k] for k in found},
        "seconds": 8.4, "outputs": outputs, "files": {},
    }  # fmt: skip


def _sum(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {"rows": len(rows), "bytes": sum(row["size"] for row in rows)}


def ledger_rows(n: int, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    names, weights = list(LANGUAGES), [entry[2] for entry in LANGUAGES.values()]
    rows: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for i in range(n):
        language = rng.choices(names, weights)[0]
        doc_type, extension, _, typical = LANGUAGES[language]
        repo = REPOS[min(int(rng.expovariate(0.06)), len(REPOS) - 1)]
        path = "/".join(
            [
                repo.split("-")[0],
                *rng.choices(NAMES, k=rng.randint(0, 2)),
                f"{rng.choice(NAMES)}_{i}.{extension}",
            ]
        )
        row: dict[str, Any] = dict.fromkeys(LEDGER.names)
        row |= {
            "id": hashlib.sha256(f"{seed}/{i}".encode()).hexdigest()[:32],
            "source": "packages" if i % 4 else "stdlib",
            "repo": repo, "path": path, "language": language, "doc_type": doc_type, "verdict": "kept",
            "size": max(1, int(typical * rng.lognormvariate(-0.6, 1.3))),
        }  # fmt: skip
        dice = rng.random()
        if dice < 0.045:
            _drop(row, "ingest.documents", "empty", size=0)
        elif dice < 0.105:
            _drop(row, "ingest.documents", "binary", value="NUL at byte 8")
        elif dice < 0.108:
            size = rng.randint(8_000_001, 30_000_000)
            _drop(row, "ingest.documents", "too_large", value=str(size), size=size)
        elif dice < 0.109:
            _drop(row, "ingest.documents", "unreadable", value="EACCES")
        elif dice < 0.113:
            _drop(row, "ingest.documents", "undecodable", value="byte 0x81 at 4012")
        elif dice < 0.14:
            _drop(row, "detect.language", "unknown_language", keep_language=False)
        elif dice < 0.19:
            row |= rng.choice([{"language": "csv", "doc_type": "data"}, {"language": "svg", "doc_type": "data"}])
            _drop(row, "detect.language", "language_not_kept", value=row["language"], keep_language=True)
        elif dice < 0.42 and kept:
            original = kept[min(int(rng.expovariate(0.02)), len(kept) - 1)]
            row |= {
                "language": original["language"],
                "doc_type": original["doc_type"],
                "size": original["size"],
            }
            row |= {"path": f"{row['path'].rsplit('/', 1)[0]}/{original['path'].rsplit('/', 1)[1]}"}
            _drop(row, "dedup.exact", "duplicate", keep_language=True)
            row |= {"kept_id": original["id"], "similarity": 1.0}
            if dice > 0.38:
                _drop(row, "dedup.drop", "near_duplicate", keep_language=True, size=original["size"] + 7)
                row |= {"similarity": 1 - rng.randrange(100) / 2048}
        else:
            kept.append(row)
        rows.append(row)
    return rows


def _drop(row: dict[str, Any], step: str, reason: str, *, keep_language: bool = False, **values: Any) -> None:
    row |= {"verdict": "dropped", "step": step, "reason": reason, **values}
    if not keep_language:
        row |= {"language": None, "doc_type": None}


def _document(row: dict[str, Any]) -> dict[str, Any]:
    text = EXCERPTS.get(row["language"], f"{row['path']}: a file in {row['language']}\n" * 12)
    document: dict[str, Any] = dict.fromkeys(DOCUMENT.names)
    document |= {name: row[name] for name in ("id", "source", "repo", "path", "language", "doc_type", "size")}
    return document | {"content": row.get("content") or text, "encoding": "utf-8"}


def _write(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema, parts: int) -> dict[str, Any]:
    """Writes rows in so many parts. Returns their receipts by name, as a manifest has them."""
    folder.mkdir(parents=True, exist_ok=True)
    receipts = {}
    for part in range(parts):
        mine = rows[part * len(rows) // parts : (part + 1) * len(rows) // parts]
        table = pa.Table.from_pylist([{k: row.get(k) for k in schema.names} for row in mine], schema=schema)
        file = folder / f"part-{part:05d}.parquet"
        pq.write_table(table, file)
        data = file.read_bytes()
        receipt = Receipt(file.name, table.num_rows, len(data), hashlib.sha256(data).hexdigest())
        receipts[file.name] = receipt.__dict__
    return receipts


if __name__ == "__main__":
    print(write_out(Path(sys.argv[1]), rows=int(sys.argv[2]) if len(sys.argv) > 2 else 20_000))
