"""How often a legacy encoding is recognised, by how much there is to go by: `python -m bench.encodings`.

    python -m bench.encodings [FOLDER OF LANG/LC_MESSAGES/*.mo, /usr/share/locale if not given]

Text: translations that `scripts/train_encodings.py` did not count, one as a comment among lines of C and Python. A
file is right if it decodes to exactly the text that was encoded. With `chardetng-py` installed, the same files through
Firefox's detector. Also the speed of decoding UTF-8.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from codemill import _core

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from train_encodings import messages

PAIRS = [
    *(("de", "windows-1252"), ("fr", "windows-1252"), ("es", "windows-1252"), ("sv", "windows-1252")),
    *(("zh_CN", "gb18030"), ("zh_TW", "big5"), ("ja", "shift_jis"), ("ja", "euc-jp"), ("ko", "euc-kr")),
    *(("ru", "windows-1251"), ("uk", "windows-1251"), ("ru", "koi8-r"), ("ru", "ibm866")),
    *(("pl", "windows-1250"), ("cs", "windows-1250"), ("hu", "windows-1250"), ("pl", "iso-8859-2")),
    *(("el", "windows-1253"), ("tr", "windows-1254"), ("de", "cp437")),
]
NAMED = {pair for pair in PAIRS if pair[1] not in ("ibm866", "iso-8859-2", "cp437") and pair[1][:11] != "windows-125"}
NAMED |= {pair for pair in PAIRS if pair[1] in ("windows-1252", "windows-1251")}
"""The encodings that source code is mostly in; the others are extra."""
BUCKETS = [(1, 2), (3, 5), (6, 10), (11, 30), (31, 1 << 30)]
CODE = [
    "int main(void) {",
    "    return 0;",
    "}",
    "import os",
    "def f(x):",
    "    x += 1",
    "#include <stdio.h>",
    "for (i = 0; i < n; i++)",
]
PER_CELL = 200


def files(language: str, chance: random.Random, locales: Path) -> Iterator[tuple[int, str]]:
    """Bucket and text, up to `PER_CELL` in each bucket."""
    words_apart = "" if language in ("zh_CN", "zh_TW", "ja") else " "
    found = [m for m in messages(locales / language, held=True) if not m.isascii()]
    chance.shuffle(found)
    for bucket, (low, high) in enumerate(BUCKETS):
        made = 0
        for message in found:
            goal, taken, count = chance.randint(low, min(high, low * 2)), [], 0
            for word in message.split() if words_apart else message.replace("\n", ""):
                taken.append(word)
                count += sum(c > "\x7f" for c in word)
                if count >= goal:
                    break
            if low <= count <= high and made < PER_CELL:
                lines = [chance.choice(CODE) for _ in range(chance.randint(2, 8))]
                lines.insert(chance.randint(0, len(lines)), "// " + words_apart.join(taken))
                made += 1
                yield bucket, "\n".join(lines) + "\n"


def codemill(raw: list[bytes]) -> list[str | None]:
    """What codemill makes of the files."""
    found: list[str | None] = _core.decode(pa.array(raw, pa.large_binary())).column("content").to_pylist()
    return found


def chardetng(raw: list[bytes]) -> list[str | None]:
    """What Firefox's detector and Python's codecs make of them."""
    import chardetng_py

    texts: list[str | None] = []
    for file in raw:
        try:
            texts.append(file.decode(chardetng_py.detect(file)))
        except (UnicodeDecodeError, LookupError):
            texts.append(None)
    return texts


def accuracy(name: str, decode: Callable[[list[bytes]], list[str | None]], locales: Path) -> None:
    """Prints the table for one detector."""
    chance = random.Random(1)
    right: Counter[tuple[str, int]] = Counter()
    total: Counter[tuple[str, int]] = Counter()
    print(f"\n{name}: % right, by characters beyond ASCII")
    print(" " * 20, *(f"{low}-{high if high < 1 << 30 else '':<3}".rjust(8) for low, high in BUCKETS))
    for language, encoding in PAIRS:
        texts = []
        for bucket, text in files(language, chance, locales):
            try:
                texts.append((bucket, text, text.encode(encoding)))
            except UnicodeEncodeError:
                continue
        texts = [t for t in texts if not t[2].isascii()]
        for (bucket, text, _), got in zip(texts, decode([t[2] for t in texts]), strict=True):
            for group in (f"{language} {encoding}", "all", *(["main"] if (language, encoding) in NAMED else [])):
                total[group, bucket] += 1
                right[group, bucket] += got == text
        show(f"{language} {encoding}", right, total)
    show("main", right, total)
    show("all", right, total)
    print("files:", sum(total["all", b] for b in range(len(BUCKETS))))


def show(group: str, right: Counter[tuple[str, int]], total: Counter[tuple[str, int]]) -> None:
    """Prints one row."""
    cells = (f"{100 * right[group, b] / total[group, b]:.1f}" if total[group, b] else "-" for b in range(len(BUCKETS)))
    print(f"{group:20}", *(cell.rjust(8) for cell in cells))


def speed() -> None:
    """Prints bytes per second on the Python files of this interpreter, on one core, best of five."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    raw = [p.read_bytes() for p in paths]
    raw = [r for r, row in zip(raw, codemill(raw), strict=True) if row is not None and len(r) == len(row.encode())]
    size = sum(map(len, raw))
    array, mixed = pa.array(raw, pa.large_binary()), pa.array([*raw, b"\0"], pa.large_binary())
    print(f"\nspeed on {len(raw)} files, {size / 1e6:.0f} MB")
    seconds: dict[str, float] = {}
    for name, work in {
        "sha256": lambda: _core.sha256(array),
        "decode, with sha256": lambda: _core.decode(array),
        "decode, with sha256, one binary file among them": lambda: _core.decode(mixed),
    }.items():
        for _ in range(5):
            start = time.perf_counter()
            work()
            seconds[name] = min(seconds.get(name, 1e9), time.perf_counter() - start)
        apart = "" if name == "sha256" else f", {size / (seconds[name] - seconds['sha256']) / 1e9:.1f} without the hash"
        print(f"{name}: {size / seconds[name] / 1e9:.2f} GB/s{apart}")


def main() -> None:
    """Prints everything."""
    locales = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/locale")
    accuracy("codemill", codemill, locales)
    if importlib.util.find_spec("chardetng_py"):
        accuracy("chardetng", chardetng, locales)
    else:
        print("\nchardetng: not installed. Hint: pip install chardetng-py")
    speed()


if __name__ == "__main__":
    main()
