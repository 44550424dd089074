"""Speed of the core beside that of an older checkout, in turns: is a change slower?

    git worktree add ../before COMMIT
    (cd ../before && CARGO_TARGET_DIR=/tmp/before maturin build --release --locked -o /tmp/before.wheel)
    (cd ../before && unzip -jo /tmp/before.wheel/*.whl 'codemill/_core*' -d codemill)
    python -m bench.against ../before FOLDER ...

Each turn is a process of its own that reads the same files of the folders (a seeded draw) and takes the steps one by
one, on one core; CPU seconds count, the best of three. Prints MB/s of both, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.decontaminate import ENDINGS

ROOT = Path(__file__).resolve().parent.parent
TURNS = 3
MOST = 300_000  # bytes of a file

TURN = """
import json, sys, time
root, given = sys.argv[1:]
sys.path.insert(0, root)
import pyarrow as pa
import pyarrow.compute as pc
import codemill
from codemill import _core, languages
from codemill.steps import clean, quality
assert codemill.__file__.startswith(root), codemill.__file__
texts, spoken = json.load(open(given))
content, language = pa.array(texts, pa.large_string()), pa.array(spoken, pa.string())
rows, size = len(texts), pc.binary_length(content)
same = {"repo": "r", "doc_type": "code", "ext": ""}
batch = pa.record_batch({
    "content": content, "language": language, "size": size, "path": pa.array([f"{n}.txt" for n in range(rows)]),
    "is_vendored": pa.array([False] * rows), **{name: pa.array([value] * rows) for name, value in same.items()},
})
syntaxes = languages.syntaxes()
steps = {
    "headers": lambda: _core.strip_headers(content, language, syntaxes),
    "redact": lambda: clean.redact.function(batch),
    "measure": lambda: quality.measure.function(batch),
    "sketch": lambda: _core.sketch(content, hashes=2048, ngram=5, unit="word", seed=0),
}
for name, step in steps.items():
    begin = time.process_time()
    step()
    print(json.dumps([name, pc.sum(size).as_py() / 1e6 / (time.process_time() - begin)]))
"""


def drawn(folders: list[Path], count: int) -> tuple[list[str], list[str]]:
    """Texts and their languages: so many files, the same ones each time."""
    every = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix in ENDINGS and path.is_file()
    )
    chosen = random.Random(7).sample(every, min(count, len(every)))
    some = [path for path in chosen if path.stat().st_size <= MOST]
    return [path.read_text("utf-8", "replace") for path in some], [ENDINGS[path.suffix] for path in some]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path, help="a checkout with its core beside it")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--files", type=int, default=9000)
    given = parser.parse_args()
    roots = {"before": str(given.before.resolve()), "now": str(ROOT)}
    best: dict[tuple[str, str], float] = {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as stream:
        json.dump(drawn(given.folders, given.files), stream)
        stream.flush()
        for _ in range(TURNS):
            for name, root in roots.items():
                command = [sys.executable, "-P", "-c", TURN, root, stream.name]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                for line in done.stdout.splitlines():
                    step, speed = json.loads(line)
                    best[step, name] = max(best.get((step, name), 0.0), speed)
    print(f"{'MB/s':10} {'before':>8} {'now':>8} {'ratio':>6}")
    for step in dict.fromkeys(step for step, _ in best):
        before, now = best[step, "before"], best[step, "now"]
        print(f"{step:10} {before:8.1f} {now:8.1f} {now / before:6.2f}")


if __name__ == "__main__":
    main()
