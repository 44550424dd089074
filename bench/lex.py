"""How fast text is lexed, and cut into code and comments, on one core: MB/s altogether, by language, on hostile text.

    python -m bench.lex [--out .bench | --folder SRC …] [--megabytes 40]

Rows are those of `bench.signals`. CPU seconds, best of three; MB is 10^6 bytes of content. `lex` is spans as an Arrow
list, `split` code text and comment text as Arrow strings. Hostile texts are 8 MB each; their columns say how many
times longer a byte takes to be cut than in the sample of that language.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from bench.corpus import place
from bench.signals import hostile, megabytes, of_corpus, sample
from codemill import _core, languages

Row = tuple[str, str, str, str]
Door = Callable[..., pa.Array]

# The eight with rules of their own in RefineCode, and one for each way to read the rest: heredocs and quotes of one's
# choice, nested comments, templates, block scalars, tags.
LANGUAGES = (
    *("python", "c", "cpp", "csharp", "java", "javascript", "go", "html"),
    *("ruby", "perl", "shell", "rust", "sql", "php", "yaml", "lua", "scss"),
)
OPENERS = (
    "<<A\n",
    "<<'A'\n",
    "`${",
    '$"{',
    'f"{',
    "#{",
    "%w(",
    "q{",
    "<a ",
    "<script>",
    "r#",
    'R"x(',
    "{-",
    "(*",
    "[=[",
)


def seconds(rows: Sequence[Row], door: Door, repetitions: int = 3) -> float:
    """CPU seconds for these rows; the best of the repetitions."""
    language = pa.array([row[1] for row in rows])
    content = pa.array([row[3] for row in rows], pa.large_string())
    syntaxes = languages.syntaxes()
    best = float("inf")
    for _ in range(repetitions):
        start = time.process_time()
        door(content, language, syntaxes)
        best = min(best, time.process_time() - start)
    return best


def line(name: str, rows: Sequence[Row]) -> None:
    """Prints one line of the table."""
    size = megabytes(rows)
    lexed, cut = seconds(rows, _core.lex_column), seconds(rows, _core.split_column)
    print(f"{name:28} {len(rows):7} {size:7.1f} {size / lexed:7.0f} {size / cut:7.0f}")


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of the bench corpus")
    parser.add_argument("--folder", type=Path, nargs="*", help="take files from here instead")
    parser.add_argument("--small", action="store_true", help="5 MB and no hostile texts: does it work at all")
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--no-hostile", action="store_true")
    args = parser.parse_args(argv)
    most = (5 if args.small else args.megabytes) * 10**6
    found = sample(args.folder, most) if args.folder else of_corpus(place(args.out, small=args.small), most)
    rows = [row for row in found if row[2] in ("code", "data")]
    by_language: dict[str, list[Row]] = {}
    for row in rows:
        by_language.setdefault(row[1], []).append(row)
    print(f"{'code and data':28} {'files':>7} {'MB':>7} {'lex':>7} {'split':>7}  MB/s")
    line("all", rows)
    for name in sorted(by_language, key=lambda name: -megabytes(by_language[name]))[:30]:
        line(name, by_language[name])
    if args.small or args.no_hostile:
        return
    texts = hostile() | {opener.strip(): opener * (8_000_000 // len(opener)) for opener in OPENERS}
    usual = seconds(rows, _core.split_column) / megabytes(rows)
    normal = {
        name: seconds(by_language[name], _core.split_column) / megabytes(by_language[name])
        if megabytes(by_language.get(name, [])) > 0.1
        else usual
        for name in LANGUAGES
    }
    worst = max((name for name in LANGUAGES), key=lambda name: normal[name])
    print(f"\n{'hostile, times normal':24} " + " ".join(f"{name[:6]:>6}" for name in LANGUAGES))
    for title, text in texts.items():
        times = []
        for name in LANGUAGES:
            row = ("x", name, "code", text)
            times.append(seconds([row], _core.split_column, 1) / (len(text.encode()) / 1e6) / normal[name])
        print(f"{title:24} " + " ".join(f"{value:6.1f}" for value in times))
    print(f"normal is the rate of the language; the slowest is {worst} with {1 / normal[worst]:.0f} MB/s")


if __name__ == "__main__":
    main()
