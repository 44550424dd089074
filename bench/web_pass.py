"""The pass over a crawl, stage by stage on one core: read, extract, segment, score, write; beside datatrove's parts.

    python -m bench.web_pass [CRAWL/crawl RUN] [--pages 3000] [--fasttext PROGRAM] [--small] [--out .bench]

RUN is the output of `web_recall` (its last classifier is used). Without both it makes pages of a few words, OUT/web,
and a classifier of them: every stage works, and the speeds are those of such pages. MB are of HTML for reading and
extraction, of text for segmenting and writing, and of lines of tokens for scoring alone. That is done in the core,
which starts at numbers of tokens; by fastText's binding, a line at a time and all at once; and by its own program (not
in the wheel; `g++ -O3 src/*.cc` of its source distribution makes it): the time of `predict-prob` on all lines less
that on one.

Then the whole pass by `web_recall:further`, with one worker, over so many made pages and ten times as many: seconds of
CPU and peak memory of all processes, which show whether time is linear and memory bounded.
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

from bench.corpus import BenchError
from bench.measure import measure
from codemill import _core
from codemill.machine.builder import build
from codemill.recipes import web_recall
from codemill.sources import Warc
from codemill.web.classifier import Model, Segmenter
from tests import web_tools

SITES = 20


def timed(name: str, size: Callable[[Any], float], work: Callable[[], Any]) -> Any:
    """Runs a stage and prints its speed in CPU time."""
    start = time.process_time()
    made = work()
    seconds = time.process_time() - start
    megabytes = size(made) / 1e6
    print(f"{name:44} {seconds:8.2f} s {megabytes / max(seconds, 1e-9):9.1f} MB/s")
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs the benchmark. Raises: BenchError if a pass fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crawl", type=Path, nargs="?")
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--pages", type=int)
    parser.add_argument("--fasttext", help="fastText's own program")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of what is made")
    parser.add_argument("--small", action="store_true", help="200 pages: does it work at all")
    given = parser.parse_args(arguments)
    pages = given.pages or (200 if given.small else 3000)
    made = given.out / "web"
    run = given.run or learned(made)
    classifier = max(run.glob("classifier_*"), key=lambda path: int(path.name.rpartition("_")[2]))
    stages(given.crawl or written(made, pages), classifier, pages, given.fasttext)
    for count in (pages, 10 * pages):
        whole(written(made, count), classifier, count)
    return 0


def written(folder: Path, pages: int) -> Path:
    """A crawl of so many made pages on `SITES` sites, half of them about code; one that is there is taken."""
    crawl = folder / f"pages-{pages}"
    if not crawl.exists():
        half = {f"site{i}.test": (pages // SITES, float(i % 2)) for i in range(SITES)}
        web_tools.crawl(folder / f"part-{pages}", half, paragraphs=5)
        (folder / f"part-{pages}").rename(crawl)
    return crawl


def learned(folder: Path) -> Path:
    """The output of the recipe's smoke variant over a small crawl of the same kind."""
    crawl, labels = written(folder, 400), folder / "labels.csv"
    labels.write_text("domain,label\n" + "".join(f"site{i}.test,{i % 2}\n" for i in range(SITES)))
    build(web_recall.smoke((Warc(str(crawl)),), labels=str(labels)), out=folder / "run", workers=1)
    return folder / "run"


def whole(crawl: Path, classifier: Path, pages: int) -> None:
    """Prints what the whole pass over a crawl costs. Raises: BenchError if it fails."""
    command = [sys.executable, "-m", "codemill.cli", "run", "web_recall:further", "--input", str(crawl)]
    with tempfile.TemporaryDirectory() as out:
        options = ["--classifier", str(classifier), "--quality-rules", "none", "--workers", "1", "--out", out + "/out"]
        run = measure([*command, *options], cores=1)
    if run.outcome != "ok":
        raise BenchError(f"the pass over {pages} pages {run.outcome}: {run.detail}")
    peak = "not measured" if run.peak_bytes is None else f"{run.peak_bytes / 1e6:.0f} MB"
    print(f"{f'the whole pass, {pages:,} pages':44} {run.cpu_seconds:8.2f} s of CPU, peak {peak}", flush=True)


def stages(crawl: Path, folder: Path, pages: int, program: str | None) -> None:
    """Prints the time of each stage on the first pages of a crawl, and of the peers' on fewer."""
    source = Warc(str(crawl))

    def read() -> pa.Array:
        found: list[bytes] = []
        for shard in source.list().shards:
            for batch in source.read(shard):
                found += [page for page in batch["raw"].to_pylist() if page is not None]
            if len(found) >= pages:
                break
        return pa.array(found[:pages], pa.large_binary())

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
    beside(folder, model, ids, lines, program)
    with tempfile.TemporaryDirectory() as name:
        path = os.path.join(name, "a.parquet")
        timed(
            "write (Parquet, zstd)",
            lambda a: text.nbytes,
            lambda: pq.write_table(pa.table({"t": text}), path, compression="zstd"),
        )
    peers(crawl, pages)


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
