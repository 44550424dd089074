"""Recalls pages about code: a classifier learns from a seed, scores every page, and a threshold decides.

    train      labelled pages → a classifier with its curve     files
    existing   the classifier of an earlier run                 files
    score      how likely a page is about code                  expensive: reads every text once
    judge      the threshold                                    cheap
    keep       drops pages that are not about code              cheap

Nothing is dropped before `keep`: rounds branch from the same pages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import InputError, RecipeError, did_you_mean
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, step
from codemill.steps.pages import kinds as site_kinds
from codemill.steps.seeds import TEST, TRAIN, VALID
from codemill.web import classifier, curves
from codemill.web.classifier import Model, Settings

BATCH = 1024
"""Pages that are scored at once."""

MIN_LABELLED = 50
"""A language or a kind of site has a threshold of its own if so many held-out pages of it have a label."""

TELLING = 30

LANGUAGES = ("en", "zh", "ja")
"""That a page can be in."""


def _check(*, settings: Settings, random_negatives: float, precision: float, most_tokens: int, page_seed: int) -> None:
    if not 0 < precision <= 1:
        raise RecipeError(f"precision must be above 0 and at most 1, got {precision!r}")
    if random_negatives < 0:
        raise RecipeError(f"random_negatives must be 0 or more, got {random_negatives!r}")
    if most_tokens < 1:
        raise RecipeError(f"most_tokens must be at least 1, got {most_tokens!r}")


@folder(version=4, check=_check)
def train(
    pages: Reading,
    segmenter: Reading,
    *,
    out: OutFolder,
    settings: Settings,
    random_negatives: float = 1.0,
    precision: float = 0.95,
    most_tokens: int = 1024,
    page_seed: int = 0,
) -> dict[str, int]:
    """Trains a classifier on the labelled pages that are not held out, and finds its thresholds on held-out ones.

    Besides the labelled negatives it learns from pages without a label, drawn at random: `random_negatives` for each
    positive. The threshold is the lowest with this `precision` on the `valid` pages; if none has it, that whose
    precision is surely the highest (`curves.most_certain`), and `less_precise` says so. A language or a kind of site
    has its own if there are `MIN_LABELLED` valid pages of it, of both labels; where all valid pages have one label,
    the threshold is 0.5. Figures are of the `test` pages.

    Shape: reads content, content_sha256, label, split, language, site_kind. Writes model.bin, tokenizer.json and
    classifier.json: examples, thresholds, precision–recall curve, calibration and the most telling words.
    Raises: InputError if there are no positives or no negatives; EnvironmentProblem if fastText is not installed.
    From: OpenCoder 2.1.2; DeepSeekMath 2.1, whose settings are the defaults.
    """
    target = out.path
    (target / "tokenizer.json").write_bytes((segmenter.folder / "tokenizer.json").read_bytes())
    positives = _count(pages)
    limit = _limit(pages, positives * random_negatives, page_seed)
    examples = _examples(pages, classifier.Segmenter(target), limit, most_tokens, page_seed)
    other, code = classifier.train(examples, settings, target / "model.bin")
    if not other or not code:
        raise InputError(
            f"a classifier needs pages of both kinds, got {code} about code and {other} others",
            where="recall.train",
            remedy="give more labels, of domains that are not held out, or random_negatives",
        )
    model = Model(target, most_tokens)
    held = _held_out(pages, model)
    facts = {"examples": {"code": code, "other": other}, "most_tokens": most_tokens, "precision": precision}
    facts |= _figures(held, precision) | {"telling": model.telling(TELLING)}
    (target / "classifier.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return {"code": code, "other": other, "held_out": len(held)}


def _count(pages: Reading) -> int:
    """Pages about code that are learned from."""
    return sum(
        int(pc.sum(pc.and_(pc.equal(b["label"], 1), pc.equal(b["split"], TRAIN))).as_py() or 0)
        for b in pages.batches(["label", "split"])
    )


def _random(batch: pa.RecordBatch, seed: int) -> tuple[Any, Any]:
    """Which pages may be negatives by chance, and the draw of each page."""
    free = pc.and_(batch["label"].is_null(), pc.equal(batch["split"], TRAIN)).to_numpy(zero_copy_only=False)
    return free, chance.bits(chance.leading(batch["content_sha256"]), seed=seed, purpose="recall.train")


def _limit(pages: Reading, wanted: float, seed: int) -> int:
    """Below this 65,536th of all draws there are as many pages as are wanted, about."""
    held = np.zeros(1 << 16, np.int64)
    for batch in pages.batches(["label", "split", "content_sha256"]):
        free, draws = _random(batch, seed)
        np.add.at(held, _bucket(draws[free]), 1)
    return int(np.searchsorted(np.cumsum(held), wanted, side="right"))


def _bucket(draws: Any) -> Any:
    return (draws >> np.uint64(48)).astype(np.int64)


def _examples(
    pages: Reading, segmenter: classifier.Segmenter, limit: int, most: int, seed: int
) -> Iterator[tuple[int, str, int]]:
    for batch in pages.batches(["content", "content_sha256", "label", "split"]):
        free, draws = _random(batch, seed)
        labelled = pc.and_(batch["label"].is_valid(), pc.equal(batch["split"], TRAIN)).to_numpy(zero_copy_only=False)
        taken = np.flatnonzero(labelled | free & (_bucket(draws) < limit))
        label = pc.fill_null(batch["label"], 0).to_numpy()
        for start in range(0, len(taken), BATCH):
            some = taken[start : start + BATCH]
            lines = segmenter.lines(batch["content"].take(pa.array(some)), most)
            yield from zip(label[some].tolist(), lines, draws[some].tolist(), strict=True)


Held = list[tuple[str, int, float, str | None, str | None]]


def _held_out(pages: Reading, model: Model) -> Held:
    """Split, label, score, language and kind of site of every held-out page that has a label."""
    found: Held = []
    names = ["split", "label", "language", "site_kind"]
    for batch in pages.batches(["content", *names]):
        wanted = pc.and_(batch["label"].is_valid(), pc.not_equal(batch["split"], TRAIN))
        batch = batch.filter(wanted)
        scores = _scores(model, batch["content"])
        split, label, language, kind = (batch[name].to_pylist() for name in names)
        found += zip(split, label, scores.tolist(), language, kind, strict=True)
    return found


def _scores(model: Model, content: pa.Array) -> Any:
    pieces = [model.scores(content.slice(start, BATCH)) for start in range(0, len(content), BATCH)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _figures(held: Held, precision: float) -> dict[str, Any]:
    """Thresholds by language and kind of site, and what they are worth."""
    split, label, score = (np.array([row[i] for row in held]) for i in range(3))
    groups = {"all": np.ones(len(held), np.bool_)}
    for column in (3, 4):
        values = np.array([row[column] or "" for row in held], object)
        groups |= {str(value): values == value for value in sorted(set(values.tolist())) if value}
    thresholds, figures, short = {}, {}, list[str]()
    for name, here in groups.items():
        valid, test = here & (split == VALID), here & (split == TEST)
        both = {0, 1} <= set(label[valid].tolist())
        if name != "all" and (int(valid.sum()) < MIN_LABELLED or not both):
            continue
        # Of pages of one label every threshold is equally precise: there is nothing to go by.
        found = curves.threshold_for_precision(score[valid], label[valid], precision) if both else 0.5
        if found is None:
            # None is as precise as wanted. A loop that recalled nothing would discover no domain and learn nothing.
            found = curves.most_certain(score[valid], label[valid])
            short.append(name)
        thresholds[name] = found
        figures[name] = _worth(score[test], label[test], thresholds[name], precision)
    test = split == TEST
    return {
        "thresholds": thresholds,
        "less_precise": short,  # where no threshold has the precision that was asked for
        "test": figures,
        "curve": curves.points(score[test], label[test]),
        "calibration": curves.calibration(score[test], label[test]) if test.any() else [],
    }


def _worth(score: Any, label: Any, threshold: float, precision: float) -> dict[str, float]:
    taken = score >= threshold
    right, code = int((taken & (label == 1)).sum()), int((label == 1).sum())
    return {
        "pages": len(score),
        "code": code,
        "agreement": float((taken == (label == 1)).mean()) if len(score) else 0.0,
        "precision": right / max(1, int(taken.sum())),
        "recall": right / max(1, code),
        "recall_at_precision": curves.recall_at_precision(score, label, precision),
        "average_precision": curves.average_precision(score, label),
    }


FILES = ("model.bin", "tokenizer.json", "classifier.json")


@dataclass(frozen=True)
class Existing:
    """The folder of a classifier that exists, such as OUT/classifier_3 of a run. Its identity is that of its files.

    Raises: InputError if one of them cannot be read.
    """

    path: str
    sha256: tuple[str, ...] = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        try:
            found = tuple(hashlib.sha256((Path(self.path) / name).read_bytes()).hexdigest() for name in FILES)
        except OSError as error:
            raise InputError(
                f"there is no classifier: {error.strerror}",
                where=error.filename,
                remedy=f"a folder with {', '.join(FILES)}, such as OUT/classifier_3 of a run of web_recall",
            ) from error
        object.__setattr__(self, "sha256", found)


@folder(version=1)
def existing(*, out: OutFolder, classifier: Existing) -> dict[str, int]:
    """A copy of a classifier that exists, for `score` and `judge`. Returns: the examples that it learned from."""
    for name in FILES:
        (out.path / name).write_bytes((Path(classifier.path) / name).read_bytes())
    examples: dict[str, int] = json.loads((out.path / "classifier.json").read_text("utf-8"))["examples"]
    return examples


_MODELS: dict[Path, Model] = {}
"""That which this worker used last."""


def _facts(model: Reading) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((model.folder / "classifier.json").read_text("utf-8"))
    return facts


@step(version=1, reads=("content",), adds=lambda params: {params["name"]: pa.float32()})
def score(pages: pa.RecordBatch, model: Reading, *, name: str = "score") -> pa.RecordBatch:
    """Says how likely each page is about code, in a column of this name; drops nothing."""
    if model.folder not in _MODELS:
        _MODELS.clear()
        _MODELS[model.folder] = Model(model.folder, _facts(model)["most_tokens"])
    return pa.record_batch({name: pa.array(_scores(_MODELS[model.folder], pages["content"]), pa.float32())})


def _check_thresholds(*, name: str, thresholds: Mapping[str, float] | None) -> None:
    for key, value in (thresholds or {}).items():
        if not 0 <= value <= 1:
            raise RecipeError(f"the threshold of {key} must be between 0 and 1, got {value!r}")


def _known(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    """The parameters as they are. Raises: RecipeError for a threshold of what no page is."""
    kinds = {name for table in inputs[0].layers() if table.step is site_kinds for name, _ in table.params["kinds"]}
    known = {"all", *LANGUAGES, *kinds}
    for name in params["thresholds"] or {}:
        if kinds and name not in known:
            raise RecipeError(f"no page is of {name!r}, which has a threshold", remedy=did_you_mean(name, known))
    return params


@step(
    version=1,
    reads=lambda params: (params["name"], "language", "site_kind"),
    adds={"is_recalled": pa.bool_()},
    check=_check_thresholds,
    resolve=_known,
)
def judge(
    pages: pa.RecordBatch, model: Reading, *, name: str = "score", thresholds: Mapping[str, float] | None = None
) -> pa.RecordBatch:
    """Recalls pages that score at least their threshold: that of their kind of site, of their language, or of all.

    `thresholds` by those names, and "all", count for more than those that the model was given on held-out pages.
    """
    known = {**_facts(model)["thresholds"], **(thresholds or {})}
    own = [pc.replace_with_mask(c, pc.invert(_in(c, known)), pa.scalar(None, pa.string())) for c in _groups(pages)]
    named = pc.coalesce(*own, pa.scalar("all"))
    limit = np.array([known[name] for name in named.to_pylist()], np.float32)
    return pa.record_batch({"is_recalled": pc.greater_equal(pages[name], pa.array(limit, pa.float32()))})


def _groups(pages: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
    return pages["site_kind"], pages["language"]


def _in(column: pa.Array, names: Mapping[str, float]) -> pa.Array:
    return pc.fill_null(pc.is_in(column, pa.array(list(names), pa.string())), False)


@step(
    version=1,
    reads=lambda params: (params["name"], "is_recalled", *(("is_matched",) if params["with_matched"] else ())),
    adds={"reason": pa.string(), "value": pa.string()},
    drops={"not_about_code": "a page that is not about code, as far as the classifier knows"},
)
def keep(pages: pa.RecordBatch, *, name: str = "score", with_matched: bool = False) -> pa.RecordBatch:
    """Drops the pages that were not recalled; with `with_matched`, those apart that a rule says are about code."""
    kept = pc.fill_null(pages["is_recalled"], False)
    if with_matched:
        kept = pc.or_(kept, pc.fill_null(pages["is_matched"], False))
    null = pa.scalar(None, pa.string())
    value = pa.array([f"{s:.4f}" for s in pages[name].to_pylist()], pa.string())
    return pa.record_batch({"reason": pc.if_else(kept, null, "not_about_code"), "value": pc.if_else(kept, null, value)})
