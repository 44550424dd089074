"""One evaluation: tasks are read, proved, answered and judged; OUT holds all of it.

OUT/results.json            scores with intervals, the self-test, settings, environment
OUT/outcomes/part-*.parquet a row for each trial of each sample: prompt, reply, answer, verdict, output
OUT/bits/part-*.parquet     of a model in a folder: bits and bytes of each text
OUT/samples/NAME.jsonl      the answers, for other harnesses
OUT/manifest.json           written last; `codemill report OUT` makes the page
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from codemill import benchmarks, sandbox
from codemill.benchmarks.asking import cut
from codemill.benchmarks.protocol import STYLES, Protocol, Question
from codemill.benchmarks.task import Task
from codemill.errors import EnvironmentProblem, InputError, RecipeError, did_you_mean
from codemill.evaluation import environment, grading, metrics, samples, surprise
from codemill.evaluation.models import Folder, Model, Sampling
from codemill.evaluation.results import Judged, Results, publish
from codemill.evaluation.samples import Sample
from codemill.evaluation.selftest import SelfTest, selftest
from codemill.evaluation.watching import Watch, unwatched


@dataclass(frozen=True)
class Settings:
    """How to ask and what to score. `limit` takes that many tasks, by the hash of their names."""

    chat: bool = False
    style: str = "official"
    sampling: Sampling = field(default_factory=Sampling)
    k: tuple[int, ...] = (1,)
    limit: int | None = None
    without_broken: bool = False
    workers: int | None = None
    python: str | None = None
    bits_only: bool = False  # no answers: bits per byte alone

    def __post_init__(self) -> None:
        """Raises: RecipeError for an unknown style."""
        if self.style not in STYLES:
            raise RecipeError(f"there is no style {self.style!r}", remedy=did_you_mean(self.style, STYLES))


@dataclass(frozen=True)
class Suite:
    """A benchmark's tasks from some files, and what is asked about them."""

    name: str  # "humaneval", "cruxeval:output"
    protocol: Protocol
    tasks: Mapping[str, Task]
    shots: tuple[Task, ...]
    files: tuple[dict[str, Any], ...]  # name, sha256, md5
    known: int  # tasks of the files that count, before any limit


def suites(files: Iterable[Path], wanted: Sequence[str] = (), limit: int | None = None) -> list[Suite]:
    """The suites that files hold, those that are `wanted` ("cruxeval", "cruxeval:input") or all.

    Raises: InputError for a file of no benchmark that can be judged, and for a task that is there twice.
    """
    groups: dict[str, list[tuple[Path, list[Task]]]] = {}
    for path in files:
        tasks = list(benchmarks.read(path, benchmark=_named(wanted)))
        groups.setdefault(tasks[0].benchmark if tasks else "", []).append((path, tasks))
    found = []
    for name, group in groups.items():
        if not name:
            raise InputError("there are no tasks", where=group[0][0])
        entry = benchmarks.get(name)
        if not entry.protocols:
            raise InputError(
                f"{entry.title} is read, but not judged", where=group[0][0], remedy="see docs/evaluation.md"
            )
        for ask, protocol in entry.protocols.items():
            full = f"{name}:{ask}" if ask else name
            if not wanted or name in wanted or full in wanted:
                found.append(_suite(full, protocol, group, limit))
    if missing := [one for one in wanted if not any(one in (s.name, s.name.partition(":")[0]) for s in found)]:
        raise InputError(
            f"no tasks of {missing[0]} in these files",
            remedy=f"they hold {', '.join(groups)}; see `codemill benchmarks`",
        )
    return found


def _named(wanted: Sequence[str]) -> str | None:
    names = {one.partition(":")[0] for one in wanted}
    for name in names:
        benchmarks.get(name)
    return names.pop() if len(names) == 1 else None


def _suite(name: str, protocol: Protocol, group: list[tuple[Path, list[Task]]], limit: int | None) -> Suite:
    every = [task for _, tasks in group for task in tasks]
    counted: dict[str, Task] = {}
    for task in every:
        if protocol.counts(task):
            if task.id in counted:
                raise InputError(f"{task.id} is there twice", where=name, remedy="give one file of this kind at a time")
            counted[task.id] = task
    known = len(counted)
    if not known:
        raise InputError("none of the tasks counts for this benchmark", where=name, remedy="see `codemill benchmarks`")
    if limit is not None and limit < known:
        chosen = set(sorted(counted, key=lambda one: hashlib.sha256(one.encode()).digest())[:limit])
        counted = {one: task for one, task in counted.items() if one in chosen}
    files = []
    for path, _ in group:
        data = path.read_bytes()
        files.append(
            {"name": path.name, "md5": hashlib.md5(data).hexdigest(), "sha256": hashlib.sha256(data).hexdigest()}
        )
    return Suite(name, protocol, counted, tuple(t for t in every if protocol.shots(t)), tuple(files), known)


def questions(suite: Suite, settings: Settings) -> dict[str, Question]:
    """What is asked about each task."""
    style, protocol = STYLES[settings.style], suite.protocol
    return {
        name: protocol.chat(task) if settings.chat else protocol.ask(task, style, suite.shots)
        for name, task in suite.tasks.items()
    }


def answer(
    suite: Suite, model: Model, settings: Settings, work: Path, only: Iterable[str], watch: Watch = unwatched
) -> list[Sample]:
    """The model's samples. Replies are kept in `work` as they come, so that a run that was stopped goes on."""
    names = list(only)
    asked = {name: one for name, one in questions(suite, settings).items() if name in set(names)}
    identity = json.dumps([model.about, asdict(settings.sampling), {n: asdict(q) for n, q in asked.items()}])
    kept = work / f"replies-{hashlib.sha256(identity.encode()).hexdigest()[:20]}.jsonl"
    known = _kept(kept)
    todo = [name for name in names if name not in known]
    work.mkdir(parents=True, exist_ok=True)
    torn = kept.exists() and not kept.read_bytes().endswith(b"\n")  # what comes next would be lost with it
    with open(kept, "a", encoding="utf-8") as file:
        file.write("\n" if torn else "")
        came = model.replies([asked[name] for name in todo], settings.sampling)
        for number, replies in watch(f"{suite.name}, tasks answered", came, len(todo)):
            known[todo[number]] = replies
            file.write(json.dumps({"task": todo[number], "replies": replies}) + "\n")
            file.flush()
    found = []
    for name in names:
        question, task = asked[name], suite.tasks[name]
        shown = question.text or json.dumps(question.turns, ensure_ascii=False)
        for number, reply in enumerate(known[name]):
            taken = suite.protocol.read(task, cut(reply, question.stop), settings.chat)
            found.append(Sample(name, taken, number, reply, shown))
    return found


def _kept(file: Path) -> dict[str, list[str]]:
    if not file.exists():
        return {}
    found = {}
    for line in file.read_text("utf-8").splitlines():
        with contextlib.suppress(ValueError):  # the last line of a run that was killed, whole or not at all
            row = json.loads(line)
            found[row["task"]] = row["replies"]
    return found


@dataclass(frozen=True)
class HeldOut:
    """Files that a model has not seen: Parquet with `content`, `language` and, if `after` is given, `commit_time`."""

    path: Path
    after: datetime | None = None
    limit: int | None = 200  # files of a language


def evaluate(
    files: Sequence[Path], out: Path, *, model: Model | None = None, imported: Path | None = None,
    witnesses: Path | None = None, benchmark: Sequence[str] = (), settings: Settings | None = None,
    held_out: HeldOut | None = None, watch: Watch = unwatched,
) -> Results:  # fmt: skip
    """Proves the harness on the tasks of files, asks a model (or takes samples), judges, and writes OUT.

    With neither model nor samples only the self-test is done. Of a model in a folder bits per byte are measured too, on
    published answers and on `held_out`. Every suite is proved before a model is asked about the first. `watch` sees
    each text, answer and program that is done.

    Raises: EnvironmentProblem if a self-test fails; RecipeError for a pass@k of more samples than there are.
    """
    settings, begin = settings or Settings(), time.monotonic()
    told = samples.read(imported) if imported else []
    witnessed = samples.read(witnesses) if witnesses else []
    found, judged, given = [], list[Judged](), dict[str, list[Sample]]()
    measured = list[tuple[str, surprise.Surprise]]()
    generator = model.generator if isinstance(model, Folder) else None
    if (held_out or settings.bits_only) and generator is None:
        raise RecipeError("bits per byte are measured of models in a folder", remedy="give a folder as MODEL")
    chosen = suites(files, benchmark, settings.limit) if files else []
    if not settings.bits_only:
        _check_k(chosen, settings, told if model is None else None)
    style = STYLES[settings.style]
    with sandbox.Pool(settings.workers, python=settings.python) as pool:

        def run(programs: Iterable[sandbox.Task]) -> Iterable[sandbox.Outcome]:
            every = list(programs)
            return watch("programs run", pool.map(every), len(every))

        proofs = {suite.name: _proved(suite, settings, witnessed, run) for suite in chosen if not settings.bits_only}
        able = {
            suite.name: _able(suite, proofs[suite.name]) for suite in chosen
            if suite.name in proofs and (model is not None or imported is not None)
        }  # fmt: skip
        held = None
        if held_out is not None and generator is not None:
            texts = list(surprise.files(held_out.path, after=held_out.after, limit=held_out.limit))
            bits = list(surprise.of_model(generator, watch("held out, texts measured", texts, len(texts))))
            measured += [("held out", one) for one in bits]
            held = {"newer_than": held_out.after and held_out.after.isoformat(), **surprise.summary(bits)}
        for suite in chosen:
            tell = None
            if generator is not None:
                texts = list(surprise.answers(suite.tasks.values()))
                bits = list(surprise.of_model(generator, watch(f"{suite.name}, texts measured", texts, len(texts))))
                measured += [(suite.name, one) for one in bits]
                tell = surprise.summary(bits) if bits else None
            if settings.bits_only:
                found.append({**_about(suite), "bits": tell})
                continue
            verdicts = list[grading.Verdict]()
            if suite.name in able:
                if model is not None:
                    mine = answer(suite, model, settings, out / ".work", able[suite.name], watch)
                elif not (mine := [one for one in told if one.task in set(able[suite.name])]):
                    raise InputError(f"none of the samples is of a task of {suite.name}", where=imported)
                given[suite.name] = mine
                verdicts = list(grading.grade(suite.protocol, suite.tasks, mine, style=style, run=run))
            scored = _scored(suite, proofs[suite.name], verdicts, given.get(suite.name, []), settings)
            found.append({**_about(suite), "bits": tell, **scored})
            judged.append((suite.name, suite.tasks, verdicts))
        proved = [(suite.protocol, suite.tasks) for suite in chosen if suite.name in proofs]
        made_with = environment.described(pool, proved, model=generator is not None)
    about = model.about if model else {"kind": "samples", "name": imported.name} if imported else None
    shown = {**asdict(settings), "workers": None, "imported": imported is not None}
    results = Results(about, shown, made_with, tuple(found), held)
    publish(results, judged, given, measured, out, seconds=time.monotonic() - begin)
    return results


def _check_k(chosen: Sequence[Suite], settings: Settings, told: Sequence[Sample] | None) -> None:
    """Raises: RecipeError for a pass@k of more samples than a model is asked for, or than a task has that is told."""
    k = max(settings.k, default=1)
    if told is None:
        if k > settings.sampling.samples:
            raise RecipeError(
                f"pass@{k} of {settings.sampling.samples} samples", remedy=f"draw {k} samples or more (--samples)"
            )
        return
    known = {name for suite in chosen for name in suite.tasks}
    for name, count in Counter(one.task for one in told if one.task in known).items():
        if count < k:
            raise RecipeError(f"pass@{k} of {count} samples", where=name, remedy=f"give {k} samples or more")


def _proved(suite: Suite, settings: Settings, witnessed: Iterable[Sample], run: grading.Runner) -> SelfTest:
    """The self-test of a suite. Raises: EnvironmentProblem if it fails."""
    found = selftest(suite.protocol, suite.tasks, style=STYLES[settings.style], witnesses=witnessed, run=run)
    if found.unsound and not settings.without_broken:
        raise found.refuse(suite.name)
    return found


def _able(suite: Suite, proved: SelfTest) -> list[str]:
    """The tasks that can be run here. Raises: EnvironmentProblem if there are none."""
    able = [name for name in suite.tasks if name not in proved.missing]
    if not able:
        why = next(iter(proved.missing.values()))
        raise EnvironmentProblem(f"no task of {suite.name} can be run here: {why}")
    return able


def _about(suite: Suite) -> dict[str, Any]:
    return {"benchmark": suite.name, "files": list(suite.files), "tasks": len(suite.tasks), "tasks_known": suite.known}


def _scored(
    suite: Suite, proved: SelfTest, judged: list[grading.Verdict], given: list[Sample], settings: Settings
) -> dict[str, Any]:
    able = [name for name in suite.tasks if name not in proved.missing]
    doubted = {*proved.broken, *proved.open}
    unsure = _not_run(suite, judged, settings)
    passes: dict[str, list[dict[str, bool]]] = {name: [] for name in able}
    for (name, _), trials in grading.passed(judged).items():
        passes[name].append(trials)
    over = {"all": able}
    if settings.without_broken:
        over["sound"] = [name for name in able if name not in doubted and name not in unsure]
    scores = [
        _score(suite, passes, names, kind, trial, title, k)
        for trial, title in suite.protocol.scores.items()
        for kind, names in over.items()
        for k in settings.k
        if judged and any(trial in one for some in passes.values() for one in some)
    ]
    return {
        "able": len(able),
        "rule": suite.protocol.rule,
        "limits": asdict(suite.protocol.limits),
        "cited": suite.protocol.cited,
        "assembly": STYLES[settings.style].assembly,
        "selftest": asdict(proved),
        "samples": len(given),
        "unanswered": sorted({*able} - {one.task for one in given}) if given else [],
        "not_run": unsure,
        "scores": scores,
    }


def _not_run(suite: Suite, judged: Iterable[grading.Verdict], settings: Settings) -> dict[str, str]:
    """Tasks with an answer that our side failed on, and why.

    Raises: EnvironmentProblem if there are any, unless broken tasks are to be left out. Why: a task that is left out
    in silence makes a score better, and an answer may be what made the sandbox fail.
    """
    failed = ("toolchain_missing", "sandbox_error")
    found = {
        one.sample.task: f"{one.outcome.verdict}: {one.outcome.detail}"
        for one in judged if one.outcome.verdict in failed
    }  # fmt: skip
    if found and not settings.without_broken:
        named = "; ".join(f"{task}: {why}" for task, why in list(found.items())[:20])
        raise EnvironmentProblem(
            f"no score: answers to {len(found)} tasks of {suite.name} could not be judged: {named}",
            remedy="run again: what was answered is not asked again. Or give --without-broken: then both numbers are"
            " given, that of all tasks with these as not solved",
        )
    return dict(sorted(found.items()))


def _score(
    suite: Suite, passes: Mapping[str, list[dict[str, bool]]], names: Sequence[str], kind: str, trial: str,
    title: str, k: int,
) -> dict[str, Any]:  # fmt: skip
    values, languages = [], dict[str, list[float]]()
    for name in names:
        won = [one.get(trial, False) for one in passes[name]]
        value = metrics.pass_at_k(len(won), sum(won), k) if won else 0.0
        values.append(value)
        languages.setdefault(suite.tasks[name].language, []).append(value)
    every = {"score": title or suite.name, "trial": trial, "over": kind, "k": k, "tasks": len(values),
             "solved": sum(value == 1 for value in values) if k == 1 else None,
             **asdict(metrics.over_tasks(values))}  # fmt: skip
    if len(languages) > 1:
        by = {name: {"tasks": len(some), **asdict(metrics.over_tasks(some))} for name, some in languages.items()}
        every["languages"] = dict(sorted(by.items()))
        every["mean_of_languages"] = sum(one["value"] for one in by.values()) / len(by)
    return every
