"""The pass over a crawl, stage by stage on one core: read, extract, segment, score, write; beside datatrove's parts.

    python -m bench.web_pass CRAWL/crawl RUN [--pages 3000] [--fasttext PROGRAM]

RUN is the output of `web_recall` (its last classifier is used). MB are of HTML for reading and extraction, of text for
segmenting and writing, and of lines of tokens for scoring alone. That is done in the core, which starts at numbers of
tokens; by fastText's binding, a line at a time and all at once; and by its own program (not in the wheel; `g++ -O3
src/*.cc` of its source distribution makes it): the time of `predict-prob` on all lines less that on one.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codemill import _core
from codemill.sources import Warc
from codemill.web.classifier import Model, Segmenter


def timed(name: str, size: Callable[[Any], float], work: Callable[[], Any]) -> Any:
    """Runs a stage and prints its speed in CPU time."""
    start = time.process_time()
    made = work()
    seconds = time.process_time() - start
    megabytes = size(made) / 1e6
    print(f"{name:44} {seconds:8.2f} s {megabytes / max(seconds, 1e-9):9.1f} MB/s")
    return made


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crawl", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--fasttext", help="fastText's own program")
    given = parser.parse_args(arguments)
    folder = max(given.run.glob("classifier_*"), key=lambda path: int(path.name.rpartition("_")[2]))
    source = Warc(str(given.crawl))

    def read() -> pa.Array:
        pages: list[bytes] = []
        for shard in source.list().shards:
            for batch in source.read(shard):
                pages += [page for page in batch["raw"].to_pylist() if page is not None]
            if len(pages) >= given.pages:
                break
        return pa.array(pages[: given.pages], pa.large_binary())

    raw = timed("read (gzip, WARC, HTTP)", lambda a: a.nbytes, read)
    html = timed("decode", lambda a: raw.nbytes, lambda: _core.decode(raw)["content"].drop_null())
    made = timed("extract", lambda a: html.nbytes, lambda: _core.page_text(html))
    text = made.field("content").filter(pa.compute.greater(pa.compute.binary_length(made.field("content")), 0))
    print(f"{len(html)} pages, {html.nbytes / 1e6:.1f} MB of HTML, {text.nbytes / 1e6:.1f} MB of text")
    segmenter, model = Segmenter(folder), Model(folder, 1024)
    segmenter.lines(text.slice(0, 10), 1024)
    ids = timed("segment: numbers of tokens", lambda a: text.nbytes, lambda: segmenter.ids(text, 1024))
    timed("segment and score", lambda a: text.nbytes, lambda: model.scores(text))
    lines = timed("segment: lines, as fastText wants them", lambda a: text.nbytes, lambda: segmenter.lines(text, 1024))
    beside(folder, model, ids, lines, given.fasttext)
    with tempfile.TemporaryDirectory() as name:
        path = os.path.join(name, "a.parquet")
        timed(
            "write (Parquet, zstd)",
            lambda a: text.nbytes,
            lambda: pq.write_table(pa.table({"t": text}), path, compression="zstd"),
        )
    peers(given.crawl, given.pages)
    return 0


def beside(folder: Path, model: Model, ids: pa.Array, lines: Sequence[str], program: str | None) -> None:
    """The core's scores beside fastText's: how fast, and how far apart."""
    import fasttext

    size = sum(len(line.encode()) + 1 for line in lines)
    ours = timed("score, in the core", lambda a: size, lambda: model.scores_of(ids))
    theirs = fasttext.load_model(str(folder / "model.bin"))
    ended = [line + "\n" for line in lines]
    timed("fastText, a line at a time", lambda a: size, lambda: [theirs.f.predict(x, 2, 0.0, "strict") for x in ended])
    found = timed("fastText, all lines", lambda a: size, lambda: theirs.f.multilinePredict(ended, 2, 0.0, "strict"))
    wanted = [dict(zip(*one, strict=True)).get("__label__code", 0.0) for one in zip(*found, strict=True)]
    print(
        f"scores differ by {max(abs(a - min(1.0, b)) for a, b in zip(ours.tolist(), wanted, strict=True)):.1e} at most"
    )
    if program is not None:
        command = [program, "predict-prob", str(folder / "model.bin"), "-", "2", "0"]

        def seconds(some: str) -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            subprocess.run(command, input=some.encode(), stdout=subprocess.DEVNULL, check=True)
            return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

        spent = seconds("".join(ended)) - seconds(ended[0])
        print(f"{'fastText, its own program':44} {spent:8.2f} s {size / 1e6 / max(spent, 1e-9):9.1f} MB/s")


def peers(crawl: Path, pages: int) -> None:
    """datatrove's reader and its extraction by trafilatura, on a tenth of the pages."""
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.readers import WarcReader

    few = pages // 10
    reader = WarcReader(str(crawl), glob_pattern="*.warc.gz", limit=few)
    documents = timed("datatrove: read", lambda a: sum(len(d.text.encode()) for d in a), lambda: list(reader.run()))
    size = sum(len(document.text.encode()) for document in documents)
    extractor = Trafilatura(timeout=10)
    timed("datatrove: extract", lambda a: size, lambda: [extractor.extract(document.text) for document in documents])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
