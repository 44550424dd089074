"""From answers to verdicts: every trial of every answer, run in the sandbox, each program once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from codemill import sandbox
from codemill.benchmarks.protocol import Protocol, Style
from codemill.benchmarks.task import Task
from codemill.evaluation.samples import Sample
from codemill.sandbox.outcome import Outcome
from codemill.sandbox.outcome import Task as Program

Runner = Callable[[Iterable[Program]], Iterable[Outcome]]
"""What gives outcomes of programs in their order: `execute_many`, or another in a test."""


@dataclass(frozen=True)
class Verdict:
    """What one trial of one sample came to. `program` is what ran, without tests; empty if nothing did."""

    sample: Sample
    trial: str
    outcome: Outcome
    program: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed this trial."""
        return self.outcome.passed


def grade(
    protocol: Protocol, tasks: Mapping[str, Task], samples: Iterable[Sample], *, style: Style, run: Runner | None = None
) -> Iterator[Verdict]:
    """The verdicts of samples, in order; of each the trials in the benchmark's order.

    A program that is there more than once, with the same tests, runs once.
    """
    planned = [
        (sample, trial, made)
        for sample in samples
        for trial, made in protocol.trials(tasks[sample.task], sample.answer, style).items()
    ]
    programs, places = list[Program](), dict[bytes, int]()
    for _, _, made in planned:
        if isinstance(made, Program) and (key := _key(made)) not in places:
            places[key] = len(programs)
            programs.append(made)
    outcomes = list((run or sandbox.execute_many)(programs))
    for sample, trial, made in planned:
        if isinstance(made, Program):
            yield Verdict(sample, trial, outcomes[places[_key(made)]], made.program)
        else:
            verdict, language = "pass" if made else "fail", tasks[sample.task].language
            yield Verdict(sample, trial, Outcome(verdict, language=language, grading="compared"))


def _key(program: Program) -> bytes:
    return hashlib.sha256(repr(program).encode("utf-8", "surrogatepass")).digest()


def passed(verdicts: Iterable[Verdict]) -> dict[tuple[str, int], dict[str, bool]]:
    """For each (task, number of the sample) which trials it passes, each with all before it."""
    found: dict[tuple[str, int], dict[str, bool]] = {}
    for one in verdicts:
        before = found.setdefault((one.sample.task, one.sample.number), {})
        before[one.trial] = one.passed and all(before.values())
    return found
