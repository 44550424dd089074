"""Writes core/src/decode/frequencies.txt, what the guess at legacy encodings knows about languages.

    python scripts/train_encodings.py /usr/share/locale core/src/decode/frequencies.txt

The input is a folder of compiled message catalogues (LANG/LC_MESSAGES/*.mo), as any Debian system with translations
has: text about software, in about the tone of comments in code. What is kept of it is how often each character
occurs. Catalogues whose name hashes to 0 modulo 4 are left out, so that `bench/encodings.py` can measure accuracy on
them.

Format: one line per language: its name; the cost, in bits, of a non-ASCII character after an ASCII letter, after
another non-ASCII character, and of anything else after a non-ASCII one; then groups `COST:CHARACTERS`, the cost of
each of the characters given that it is not ASCII. A character's cost is -log2 of its share, rounded.
"""

from __future__ import annotations

import gettext
import itertools
import math
import sys
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LANGUAGES = {
    "chinese": ["zh_CN"],
    "taiwanese": ["zh_TW", "zh_HK"],
    "japanese": ["ja"],
    "korean": ["ko"],
    "russian": ["ru"],
    "ukrainian": ["uk", "be"],
    "bulgarian": ["bg"],
    "serbian": ["sr"],
    "german": ["de"],
    "french": ["fr"],
    "spanish": ["es", "gl"],
    "portuguese": ["pt", "pt_BR"],
    "italian": ["it", "ca"],
    "swedish": ["sv", "fi"],
    "danish": ["da", "nb"],
    "polish": ["pl"],
    "czech": ["cs", "sk"],
    "hungarian": ["hu"],
    "romanian": ["ro"],
    "croatian": ["hr", "sl"],
    "greek": ["el"],
    "turkish": ["tr"],
}
"""Names of our own, and the catalogues that each is counted from. None of them decides which language a text is in."""

MAX_COST = 15
"""Bits. Rarer characters are left out, and cost what `legacy.rs` says for one that is not listed."""


def held_out(catalogue: Path) -> bool:
    """Whether a catalogue is kept for measuring, by its name, for all languages alike."""
    return zlib.crc32(catalogue.stem.encode()) % 4 == 0


def messages(folder: Path, held: bool) -> Iterator[str]:
    """The translations in LANG/LC_MESSAGES, as text without the catalogues' headers."""
    for path in sorted(folder.glob("LC_MESSAGES/*.mo")):
        if held_out(path) is not held:
            continue
        with path.open("rb") as file:
            try:
                catalogue = gettext.GNUTranslations(file)
            except (OSError, UnicodeDecodeError, LookupError) as error:
                print(f"left out: {path}: {error}", file=sys.stderr)
                continue
        pairs = vars(catalogue)["_catalog"].items()
        yield from (unicodedata.normalize("NFC", text) for key, text in pairs if key and isinstance(text, str))


def line(name: str, texts: Iterator[str]) -> str:
    """One language's line."""
    characters: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for text in texts:
        characters.update(c for c in text if c > "\x9f")
        kinds = "".join("n" if c > "\x7f" else "a" if c.isalpha() else "o" for c in text)
        pairs.update(a + b for a, b in itertools.pairwise(kinds))
    total = characters.total()
    if total < 5000:
        raise SystemExit(f"{name}: only {total} characters beyond ASCII to count. Hint: install more translations")

    def cost(before: str, after: str) -> float:
        return -math.log2((pairs[before + after] + 1) / (sum(pairs[before + k] for k in "ano") + 3))

    leaving = -math.log2(1 - 2 ** -cost("n", "n"))
    groups: dict[int, list[str]] = {}
    for character, count in sorted(characters.items()):
        bits = round(-math.log2(count / total))
        if bits <= MAX_COST and count > 1:
            groups.setdefault(bits, []).append(character)
    listed = " ".join(f"{bits}:{''.join(groups[bits])}" for bits in sorted(groups))
    return f"{name} {cost('a', 'n'):.1f} {cost('n', 'n'):.1f} {leaving:.1f} {listed}"


def main(locales: str, out: str) -> None:
    """Counts, and writes the file."""
    lines = []
    for name, codes in LANGUAGES.items():
        lines.append(line(name, (t for code in codes for t in messages(Path(locales) / code, held=False))))
        print(lines[-1][:80])
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
