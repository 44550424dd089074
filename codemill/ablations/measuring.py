"""What models of an ablation are measured on, in bits per byte: texts that no arm chose and none has a copy of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codemill import InputError, benchmarks, chance
from codemill.ablations import corpora
from codemill.ablations.ablation import Given
from codemill.ablations.place import Place
from codemill.evaluation import surprise
from codemill.evaluation.models import Folder
from codemill.model.chats import Template
from codemill.sources import Published
from codemill.steps import dedup, docstrings, holdout, ingest

HELD_OUT, FUNCTIONS = "held out", "held-out functions"


def unseen(given: Given, arms: Sequence[Path], place: Place) -> Path:
    """OUT/held-out: files of repositories set aside of which no arm has a copy, and their functions as chats."""
    known = [ingest.published(source=Published(str(folder), "corpus")) for folder in arms]
    files = holdout.held_out(corpora.unfiltered(given.inputs), share=place.scale.held_out)
    files = dedup.exact(files, *known)
    return place.made("held-out", {"corpus": files, "chats": docstrings.chats(files)})


def texts(held: Path, given: Given, limit: int) -> dict[str, list[surprise.Text]]:
    """Held-out files, and the published answers of each benchmark. Raises: InputError if nothing is held out."""
    try:
        found = {HELD_OUT: list(surprise.files(held / "corpus", limit=limit))}
    except InputError as error:
        raise InputError("no repository is held out", where=held, remedy="give more repositories") from error
    for path in given.benchmarks:
        tasks = list(benchmarks.read(Path(path)))
        answers = list(surprise.answers(tasks))
        if not answers:
            raise InputError("the benchmark publishes no answers", where=path, remedy="give another one as --data")
        found[f"answers of {tasks[0].benchmark}"] = answers
    return found


def functions(held: Path, model: Path, limit: int) -> list[surprise.Text]:
    """Functions of held-out files as answers, given their docstrings as a model's template puts the question.

    So many are drawn by their content. Raises: InputError if there are none.
    """
    template = Template(model / "model")
    chats = [(one[0]["content"], one[1]["content"]) for one in _messages(held / "chats")]
    if not chats:
        remedy = "give more repositories of Python, whose functions have docstrings"
        raise InputError("no function is held out", where=held, remedy=remedy)
    hashes = pa.array(
        [hashlib.sha256(answer.encode("utf-8", "replace")).digest() for _, answer in chats], pa.binary(32)
    )
    drawn = chance.draws(hashes, seed=0, purpose="ablations.functions").argsort(kind="stable")[:limit]
    found = []
    for at in sorted(drawn.tolist()):
        question, answer = chats[at]
        before, _ = template.render([{"role": "user", "content": question}], prompt=True)
        found.append(surprise.Text(answer, before, "python", str(at)))
    return found


def _messages(folder: Path) -> Iterator[list[dict[str, str]]]:
    for part in sorted(folder.glob("*.parquet")):
        yield from pq.read_table(part, columns=["messages"])["messages"].to_pylist()


def bits(model: Path, measured: Mapping[str, Sequence[surprise.Text]], device: str) -> dict[str, Any]:
    """Bits per byte of a model, the first measure as `bits_per_byte` and by language, and its curve of training."""
    generator = Folder(str(model), device).generator
    found = {name: surprise.summary(surprise.of_model(generator, some)) for name, some in measured.items()}
    first = next(iter(found.values()))
    lines = (model / "model" / "metrics.jsonl").read_text("utf-8").splitlines()
    curve = [json.loads(line) for line in lines]
    return {
        "loss": curve[-1]["loss"],
        "curve": [[one["step"], round(one["loss"], 4)] for one in curve[:: max(1, len(curve) // 50)]],
        "bits_per_byte": first["all"]["bits_per_byte"],
        "measures": {name: one["all"]["bits_per_byte"] for name, one in found.items()},
        "languages": {name: rate["bits_per_byte"] for name, rate in first["groups"].items()},
    }
