"""Numbers, sizes, reasons and paths as people read them. Nothing here knows HTML, SVG or the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from math import sqrt
from typing import Any

REASONS = {
    "too_large": "bigger than the size limit, so never read",
    "empty": "nothing in it",
    "binary": "not text",
    "undecodable": "in no encoding that decodes cleanly",
    "unreadable": "the file system would not let us read it",
    "vanished": "gone between listing and reading",
    "special": "a device, socket or pipe, not a file",
    "link": "a link; what it points to is counted where it lies",
    "lfs_pointer": "a Git LFS pointer, not the file itself",
    "submodule": "a reference to another repository",
    "traversal": "an archive member that points outside its archive",
    "encrypted": "an encrypted archive member",
    "bomb": "an archive member that unpacks to an absurd size",
    "corrupt": "damaged data",
    "truncated": "cut off in the middle",
    "malformed": "not in the format its container promises",
    "unknown_language": "in a language that was not recognised",
    "language_not_kept": "in a language that the recipe does not keep",
    "duplicate": "a byte-for-byte copy of a file that was kept",
    "near_duplicate": "nearly the same words in the same order as a file that was kept",
    "crashed": "it crashed the process that worked on it, so it was set aside",
}
"""What a reason means, to complete "dropped because it is …" in the reader's head."""


STEPS = {
    "ingest.documents": "reads and decodes the files",
    "detect.language": "names each file's language",
    "detect.keep": "keeps the languages that are wanted",
    "dedup.exact": "drops all but the best of equal files",
    "dedup.band_keys": "sketches each file for near-copies",
    "dedup.cluster": "joins files whose sketches meet",
    "dedup.elect": "chooses the best file of each cluster",
    "dedup.guard": "looks at what would go before it goes",
    "dedup.drop": "drops near-copies of the chosen files",
    "clean.notebooks": "turns notebooks into text",
    "clean.redact": "replaces personal data and secrets",
}
"""What a step does, in a few words; steps that are not here are only named."""


def reason_words(reason: str) -> str:
    """A reason as a phrase; one we do not know is only spelled out.

    >>> reason_words("too_many_tabs")
    'too many tabs'
    """
    return REASONS.get(reason, printable(reason).replace("_", " "))


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
    >>> alike(0.98877, "near_duplicate", {"verify": "sketch", "hashes": 2048, "ngram": 5, "unit": "word"})
    '98.9 % of the shingles (runs of 5 words) of both are shared: estimated from 2,048 hashes, ± 0.2 %'
    """
    if reason == "duplicate":
        cleaned = parameters.get("hash") == "clean_sha256"
        return "the same, byte for byte" + (", once both were cleaned" if cleaned else "")
    verify, ngram, unit = (parameters.get(name) for name in ("verify", "ngram", "unit"))
    if similarity is None:
        return "not measured" + (": sharing a band of hashes was enough (verify = none)" if verify == "none" else "")
    of = f"the shingles (runs of {ngram} {'characters' if unit == 'char' else 'words'})" if ngram else "the shingles"
    hashes = parameters.get("hashes")
    if similarity == 1:
        found = f"all of {of} of both are shared"
        if verify == "sketch" and hashes:
            found = f"no difference seen in {hashes:,} hashes: all or nearly all of {of} of both are shared"
        return found if unit == "char" else f"{found}; what lies between the words does not count"
    found = f"{percent(similarity)} of {of} of both are shared"
    if verify == "sketch" and hashes:
        error = 100 * sqrt(similarity * (1 - similarity) / hashes)
        return f"{found}: estimated from {hashes:,} hashes, ± {error:.1f} %"
    return f"{found}: counted" if verify == "exact" else found


def copies(by_reason: Mapping[str, int]) -> str:
    """How many files of each kind of copy.

    >>> copies({"duplicate": 1, "near_duplicate": 2}), copies({"same_page": 1})
    ('1 copy and 2 near-copies', '1 file (same page)')
    """
    nouns = {"duplicate": ("copy", "copies"), "near_duplicate": ("near-copy", "near-copies")}
    parts = [
        plural(n, *nouns[reason]) if reason in nouns else f"{plural(n, 'file')} ({printable(reason).replace('_', ' ')})"
        for reason, n in by_reason.items()
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


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
