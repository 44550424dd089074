"""Peak memory of tokens and of a plan over a corpus, and over one 20 times larger: `python -m bench.tokens memory`.

The documents are made up (`bench.made_up_run`), 600 bytes each, 20 to a repository. The corpora and a tokenizer are
made first. Measured is what `codemill run tokens` and `codemill run pretraining_mix` build, with one worker and
repositories that are one text: all processes together, anonymous and shared memory, without pages of mapped files.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds

from bench.made_up_run import MadeUp
from bench.measure import measure

TIMES = 20


def main(documents: int, memory: int) -> None:
    """Prints the table. `memory`: what a run may take (bytes). Raises: SystemExit if a run fails."""
    sizes = (documents, documents * TIMES)
    print(f"{'':10} {'documents':>10} {'MB of text':>11} {'CPU s':>7} {'peak MiB':>9}")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for size in sizes:
            text = corpus(root / str(size), size, root / "tokenizer")
            for step in ("tokens", "plan"):
                command = [sys.executable, "-m", "bench.tokens_memory", step, str(root / str(size)), str(memory)]
                run = measure(command, cores=1, timeout=7200)
                if run.outcome != "ok":
                    raise SystemExit(f"{step} over {size} documents {run.outcome}: {run.detail}")
                peak = "–" if run.peak_bytes is None else f"{run.peak_bytes / 2**20:.0f}"
                print(f"{step:10} {size:10,} {text / 1e6:11.1f} {run.cpu_seconds:7.0f} {peak:>9}", flush=True)
            shutil.rmtree(root / str(size))


def corpus(root: Path, documents: int, tokenizer: Path) -> int:
    """Makes a corpus, and the tokenizer if it is not there yet. Returns: bytes of text."""
    from codemill.machine.builder import build
    from codemill.recipes import tokens
    from codemill.steps import detect, ingest

    build(detect.language(ingest.documents(sources=(MadeUp(documents),))), out=root / "corpus", workers=1)
    if not tokenizer.exists():
        made = tokens.tokens(corpus=str(root / "corpus"), vocabulary=4096, sample_bytes=2_000_000)["tokenizer"]
        build({"tokenizer": made}, out=root / "trained", workers=1)
        shutil.copytree(root / "trained" / "tokenizer", tokenizer)
    size = ds.dataset(root / "corpus" / "corpus", format="parquet").to_table(columns=["size"])["size"]
    return int(pc.sum(size).as_py())


def built(step: str, root: Path, memory: int) -> None:
    """Builds what is measured."""
    from codemill.machine.builder import build
    from codemill.recipes import pretraining_mix, tokens

    if step == "tokens":
        outputs = tokens.tokens(corpus=str(root / "corpus"), existing=str(root.parent / "tokenizer"))
    else:
        outputs = pretraining_mix.pretraining_mix(code=str(root / "tokens"), unit="repository", names=0.5)
    build(outputs, out=root / step, workers=1, memory=memory)


if __name__ == "__main__":
    built(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
