"""Numbers, sizes, reasons and paths as people read them. Nothing here knows HTML, SVG or the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any


def drop_words(manifest: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What the reasons mean that the steps of a run gave, by step and reason: as the steps declare them.

    >>> drop_words({"steps": [{"name": "user.small", "drops": {"tiny": "smaller than it may be"}}, {"name": "a.b"}]})
    {('user.small', 'tiny'): 'smaller than it may be'}
    """
    steps = [(str(step["name"]), step.get("drops") or {}) for step in manifest["steps"]]
    return {(name, str(reason)): printable(str(said)) for name, drops in steps for reason, said in drops.items()}


def count(n: int) -> str:
    """1234567 → "1,234,567"."""
    return f"{n:,}"


def plural(n: int, noun: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "file"), plural(3, "copy", "copies")
    ('1 file', '3 copies')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def size(n: int) -> str:
    """Bytes in powers of 1000, three digits.

    >>> size(999), size(1_000), size(999_600), size(12_345_678_901)
    ('999 B', '1.00 kB', '1.00 MB', '12.3 GB')
    """
    value, unit = float(n), "B"
    for bigger in ("kB", "MB", "GB", "TB", "PB", "EB"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1000, bigger
    if unit == "B":
        return f"{n} B"
    return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f} {unit}"


def share(part: int, whole: int) -> str:
    """A percentage that never rounds something to nothing, or nearly all to all.

    >>> share(1, 3), share(0, 5), share(1, 100_000), share(99_999, 100_000), share(0, 0)
    ('33.3 %', '0 %', '< 0.1 %', '> 99.9 %', '–')
    """
    if whole == 0:
        return "–"
    if part in (0, whole):
        return "0 %" if part == 0 else "100 %"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else "> 99.9 %" if percent > 99.9 else f"{percent:.1f} %"


def percent(similarity: float) -> str:
    """A similarity from 0 to 1 as a percentage; only 1 itself is 100.

    >>> percent(1.0), percent(0.98877), percent(0.99999), percent(0.00001)
    ('100 %', '98.9 %', '> 99.9 %', '< 0.1 %')
    """
    if similarity in (0, 1):
        return f"{100 * similarity:.0f} %"
    shown = 100 * similarity
    return "< 0.1 %" if shown < 0.1 else "> 99.9 %" if shown > 99.9 else f"{shown:.1f} %"


def alike(similarity: float | None, reason: str | None, parameters: Mapping[str, Any]) -> str:
    """How similar a copy is to the one that was kept, and how we know. `parameters` are those of its step.

    An estimate from n hashes has the standard error sqrt(J (1 - J) / n). Where all of the hashes agree that is 0,
    although one difference in some thousands of shingles would likely not have been seen: then it is not given.

    >>> alike(1.0, "duplicate", {})
    'the same, byte for byte'
    >>> alike(1.0, "clean_duplicate", {})
    'the same, byte for byte, once both were cleaned'
    >>> alike(0.98877, "near_duplicate", {"verify": "sketch", "hashes": 2048, "ngram": 5, "unit": "word"})
    '98.9 % of the shingles (runs of 5 words) of both are shared: estimated from 2,048 hashes, ± 0.2 %'
    >>> alike(0.5, "near_duplicate", {"verify": "none", "level": "repo"})
    '50.0 % of the shingles of both repositories are shared'
    >>> alike(0.97, "near_duplicate", {"verify": "none", "level": "chunk"})
    'of each of its chunks with one that is kept: 97.0 % or more of the shingles of both are shared'
    """
    if reason in ("duplicate", "clean_duplicate"):
        return "the same, byte for byte" + (", once both were cleaned" if reason == "clean_duplicate" else "")
    verify, ngram, unit = (parameters.get(name) for name in ("verify", "ngram", "unit"))
    both = "both repositories" if parameters.get("level") == "repo" else "both"
    parts = "of each of its chunks with one that is kept: " if parameters.get("level") == "chunk" else ""
    if similarity is None:
        return "not measured" + (": sharing a band of hashes was enough (verify = none)" if verify == "none" else "")
    of = f"the shingles (runs of {ngram} {'characters' if unit == 'char' else 'words'})" if ngram else "the shingles"
    hashes = parameters.get("hashes")
    if similarity == 1:
        shared = f"all of {of} of {both} are shared"
        if verify == "sketch" and hashes:
            shared = f"no difference seen in {hashes:,} hashes: all or nearly all of {of} of {both} are shared"
        shared = parts + shared
        return shared if unit == "char" else f"{shared}; what lies between the words does not count"
    shared = f"{percent(similarity)}{' or more' if parts else ''} of {of} of {both} are shared"
    shared = parts + shared
    if verify == "sketch" and hashes:
        error = 100 * sqrt(similarity * (1 - similarity) / hashes)
        return f"{shared}: estimated from {hashes:,} hashes, ± {error:.1f} %"
    return f"{shared}: counted" if verify == "exact" else shared


def copies(by_reason: Mapping[str, int]) -> str:
    """How many files of each kind of copy.

    >>> copies({"duplicate": 1, "near_duplicate": 2}), copies({"same_page": 1})
    ('1 copy and 2 near-copies', '1 file (same page)')
    """
    nouns = {
        "duplicate": ("copy", "copies"),
        "clean_duplicate": ("copy once cleaned", "copies once cleaned"),
        "near_duplicate": ("near-copy", "near-copies"),
    }
    parts = [
        plural(n, *nouns[reason]) if reason in nouns else f"{plural(n, 'file')} ({printable(reason).replace('_', ' ')})"
        for reason, n in by_reason.items()
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def seeds(steps: Sequence[Mapping[str, Any]], kept: int, target: int | None = None) -> str:
    """How many rows were made of another table's, and how many of those `target` rows take; by default, 1,000 more.

    Empty if the first step made none.

    >>> seeds([{"kind": "rows", "parents": 400}], 100)
    '400 seeds gave 100 rows that are kept, 0.25 a seed: 1,000 more take about 4,000 more seeds'
    >>> seeds([{"kind": "rows", "parents": 400}], 100, target=500)
    '400 seeds gave 100 rows that are kept, 0.25 a seed: 500 take about 2,000 seeds, 1,600 more'
    """
    if not steps or steps[0].get("kind") != "rows" or not steps[0].get("parents"):
        return ""
    parents = int(steps[0]["parents"])
    said = f"{plural(parents, 'seed')} gave {plural(kept, 'row')} that {'is' if kept == 1 else 'are'} kept"
    if not kept:
        return said
    said = f"{said}, {kept / parents:.2g} a seed"
    if target is None:
        return f"{said}: 1,000 more take about {count(round(1000 * parents / kept))} more seeds"
    if kept >= target:
        return f"{said}: {count(target)} are there"
    needed = -(-target * parents // kept)
    return f"{said}: {count(target)} take about {count(needed)} seeds, {count(needed - parents)} more"


def student(worth: Mapping[str, Any] | None) -> str:
    """How far the student that chose the seeds of a set agrees with its teacher. Empty if none did.

    >>> student({"files": 40, "agreement": 0.9, "precision": 0.8, "recall": 1.0})
    'a student chose its seeds; it agrees with the teacher on 90 % of 40 held-out files, precision 80 %, recall 100 %'
    """
    if worth is None:
        return ""
    agreement, precision, recall = (f"{100 * worth[name]:.0f} %" for name in ("agreement", "precision", "recall"))
    return (
        f"a student chose its seeds; it agrees with the teacher on {agreement} of "
        f"{plural(worth['files'], 'held-out file')}, precision {precision}, recall {recall}"
    )


def chunks(counts: Mapping[str, int]) -> str:
    """What went at level chunk: see `facts.ledger.chunk_totals`.

    >>> chunks({"total": 90, "removed": 7, "documents": 2, "cut": 3, "bytes": 41_000})
    '7 of 90 chunks went: 4 with files of which none was left, 3 (41.0 kB) out of 2 files of which others were left.'
    """
    went = f"{count(counts['removed'])} of {plural(counts['total'], 'chunk')} went"
    whole = f"{count(counts['removed'] - counts['cut'])} with files of which none was left"
    part = f"{count(counts['cut'])} ({size(counts['bytes'])}) out of {plural(counts['documents'], 'file')}"
    return f"{went}: {whole}, {part} of which others were left."


def figure(value: float) -> str:
    """A measured number in three digits.

    >>> figure(0.0), figure(0.07226), figure(12.345), figure(26_112.0), figure(0.00002), figure(-3.0)
    ('0', '0.0723', '12.3', '26,100', '< 0.001', '-3')
    """
    if 0 < value < 0.001:
        return "< 0.001"
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(0.042), duration(12.34), duration(75), duration(7320)
    ('0.04 s', '12.3 s', '1 min 15 s', '2 h 02 min')
    """
    if seconds < 59.95:
        return f"{seconds:.{2 if seconds < 1 else 1}f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def binary_size(exponent: int) -> str:
    """2**exponent bytes, exact: the labels of a histogram whose bars double.

    >>> binary_size(0), binary_size(12), binary_size(23)
    ('1 B', '4 KiB', '8 MiB')
    """
    return f"{2 ** (exponent % 10)} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[exponent // 10]}"


def printable(text: str, *, keep: str = "") -> str:
    r"""Text whose every character shows: controls, bidirectional marks and lone surrogates are escaped.

    Why: a file name may hold terminal escape sequences, or characters that reverse what follows. From:
    "Trojan Source", Boucher and Anderson 2021.

    >>> printable("a\x1b[31m\u202eb")
    'a\\x1b[31m\\u202eb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or _shows(c) else _escaped(c) for c in text)


def _shows(c: str) -> bool:
    # Cc controls, Cf formats (bidi, zero width), Cs surrogates, Zl/Zp line and paragraph separators.
    return unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _escaped(c: str) -> str:
    n = ord(c)
    return f"\\x{n:02x}" if n < 0x100 else f"\\u{n:04x}" if n < 0x10000 else f"\\U{n:08x}"


def shorten(text: str, limit: int) -> str:
    """Cuts the middle out, since both ends of a path matter. At most `limit` characters.

    >>> shorten("src/very/long/path/name.py", 15)
    'src/ver…name.py'
    """
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"
