"""One conversation by itself, with every turn kept: for `codemill ask` and for notebooks.

>>> from codemill.teacher import single                                                      # doctest: +SKIP
>>> single.converse(step, {"content": "x = 1"}, "qwen@http://127.0.0.1:8000/v1").ended.rows  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codemill import catalog
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.modules import module_from_file
from codemill.teacher.ask import OWN, Asking
from codemill.teacher.calls import Calls
from codemill.teacher.conversation import Execute, Reply, Request, Unusable, Wanted
from codemill.teacher.forecast import BYTES_OF_A_TOKEN
from codemill.teacher.hub import Counts, Hub
from codemill.teacher.running import SANDBOX
from codemill.teacher.talk import Ended, Turn, talk
from codemill.teacher.teachers import Teacher, named


@dataclasses.dataclass(frozen=True)
class Talked:
    """A conversation that ended: its turns, what became of it, and what it took."""

    turns: tuple[Turn, ...]
    ended: Ended
    counts: Counts

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        turns = [
            {"asked": [plain_of(one) for one in turn.wanted], "came": [plain_of(one) for one in turn.got]}
            for turn in self.turns
        ]
        return {"turns": turns, "rows": self.ended.rows, "fault": self.ended.fault, "counts": self.counts.shown()}

    def summary(self) -> str:
        """What it took, in a line."""
        c = self.counts
        return (
            f"{c.asked} answers paid, {c.stored} from the store, {c.executed + c.executions_stored} programs run; "
            f"{c.prompt:,} + {c.completion:,} tokens"
        )


def method(name: str) -> Asking:
    """The method of this name: `path/to/file.py:function`, one of ours, or the file of ours that has no other.

    Raises: RecipeError if there is none.
    """
    path, _, function = name.rpartition(":")
    if path.endswith(".py"):
        found = vars(module_from_file(Path(path)))
        methods = {key: value for key, value in found.items() if isinstance(value, Asking)}
    else:
        steps = {**catalog.steps(), **catalog.prompts()}
        methods, function = {s.name: s for s in steps.values() if isinstance(s, Asking)}, name
        alone = [s for s in methods.values() if s.name.partition(".")[0] == name]
        if len(alone) == 1:
            return alone[0]
    if function not in methods:
        remedy = did_you_mean(function, methods) if methods else "decorate a generator function with @cm.ask"
        raise RecipeError(f"there is no method {function!r}", where=path or None, remedy=remedy)
    return methods[function]


def reads(step: Asking, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that a method sees."""
    return step.reads(params) if callable(step.reads) else step.reads


def first(step: Asking, row: Mapping[str, Any], params: Mapping[str, Any], sampling: Mapping[str, Any]) -> list[Any]:
    """What a method asks first, with a teacher's sampling filled in; nobody is asked."""
    wanted = next(_begun(step, row, params))
    several = [wanted] if isinstance(wanted, Request | Execute) else list(wanted)
    known = {f.name for f in dataclasses.fields(Request)}
    given = {name: value for name, value in sampling.items() if name in known}
    filled = []
    for one in several:
        own = {name: value for name, value in given.items() if getattr(one, name, value) is None}
        filled.append(dataclasses.replace(one, **own) if isinstance(one, Request) else one)
    return filled


def _begun(step: Asking, row: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    """The generator. Raises: RecipeError for a parameter that the method has not."""
    signature = inspect.signature(step.method)
    kinds = signature.parameters.values()
    known = [p.name for p in kinds if p.kind is inspect.Parameter.KEYWORD_ONLY]
    for name in params:
        if name not in known or name in OWN:
            raise RecipeError(f"{step.name} has no parameter {name!r}", remedy=f"it has: {', '.join(known) or 'none'}")
    further = [p.name for p in kinds if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD][1:]
    if further:
        raise RecipeError(f"{step.name} reads further tables ({', '.join(further)}): run it in a recipe")
    missing = [p.name for p in kinds if p.kind is p.KEYWORD_ONLY and p.default is p.empty and p.name not in params]
    if missing:
        raise RecipeError(f"{step.name} needs the parameter {missing[0]!r}", remedy=f"--set {missing[0]}=…")
    wanted = reads(step, params)
    return step.method({name: row.get(name) for name in wanted}, **params)


def converse(
    step: Asking,
    row: Mapping[str, Any],
    teacher: Teacher | str,
    params: Mapping[str, Any] | None = None,
    sampling: Mapping[str, Any] | None = None,
    calls: str = "ask.calls",
    runner: str | None = None,
) -> Talked:
    """Runs one method on one row. Answers go into the store at `calls`, and come from there the second time.

    Raises: RecipeError for parameters that are wrong; TeacherError if the teacher cannot be asked at all.
    """
    who = named(teacher, **(sampling or {})) if isinstance(teacher, str) else teacher
    who = who.resolved()
    turns: list[Turn] = []
    _begun(step, row, params or {}).close()
    hub = Hub(Calls(calls, write=True))
    try:
        begin = lambda: _begun(step, row, params or {})  # noqa: E731
        ended = hub.start(talk(hub, begin, who, runner or SANDBOX, turns.append)).result()
        return Talked(tuple(turns), ended, hub.counts)
    finally:
        hub.close()


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────


def text_of(thing: Wanted | Reply | Unusable | Any) -> str:
    """A request, a program, an answer or an outcome as people read it."""
    if isinstance(thing, Request):
        return thing.text
    if isinstance(thing, Execute):
        return f"[{thing.language}]\n{thing.program}\n[tests]\n{thing.tests}"
    if isinstance(thing, Reply):
        return thing.text
    if isinstance(thing, Unusable):
        said = f"\n{thing.reply.text}" if thing.reply is not None else ""
        return f"{type(thing).__name__}: {thing}{said}"
    return str(thing)


def plain_of(thing: Any) -> Any:
    """The same as plain data."""
    if isinstance(thing, Unusable):
        return {"unusable": thing.reason, "words": str(thing), "reply": plain_of(thing.reply)}
    return dataclasses.asdict(thing) if dataclasses.is_dataclass(thing) and not isinstance(thing, type) else thing


def tokens_of(asked: Sequence[Any]) -> dict[str, Any]:
    """About how many tokens requests have, and at most their answers; null: no limit is said."""
    requests = [one for one in asked if isinstance(one, Request)]
    size = sum(len(m["content"].encode("utf-8", "replace")) for one in requests for m in one.messages())
    limits = [one.max_tokens for one in requests]
    most = None if None in limits else sum(limit for limit in limits if limit is not None)
    return {"prompt_tokens": round(size / BYTES_OF_A_TOKEN), "max_tokens": most}
