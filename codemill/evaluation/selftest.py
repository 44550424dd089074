"""The self-test: a harness that has not proved itself gives no number.

Reference answers must pass, answers that do nothing must not, and in each language a false assertion must fail. What
cannot be run here (no toolchain, no module) is no wrong answer: such tasks are named and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from codemill import sandbox
from codemill.benchmarks.protocol import STYLES, Answer, Protocol, Style
from codemill.benchmarks.task import Task
from codemill.errors import EnvironmentProblem
from codemill.evaluation import grading
from codemill.evaluation.grading import Runner
from codemill.evaluation.samples import Sample
from codemill.sandbox.outcome import Task as Program

ALIVE: dict[str, tuple[str, str]] = {
    "python": ("x = 1", "assert x == {}"),
    "javascript": ("const x = 1;", "console.assert(x === {});"),
    "typescript": ("const x: number = 1;", "if (x !== {}) {{ throw new Error('no'); }}"),
    "java": ("", "class Main {{ public static void main(String[] a) {{ int x = 1; assert x == {}; }} }}"),
    "c": ("#include <assert.h>\nint x = 1;", "int main(void) {{ assert(x == {}); return 0; }}"),
    "cpp": ("#include <cassert>\nint x = 1;", "int main() {{ assert(x == {}); }}"),
    "go": ("package main", 'func main() {{ if x := 1; x != {} {{ panic("no") }} }}'),
    "rust": ("", "fn main() {{ let x = 1; assert_eq!(x, {}); }}"),
    "php": ("<?php\n$x = 1;", "assert($x == {});"),
    "ruby": ("x = 1", "raise 'no' unless x == {}"),
    "perl": ("my $x = 1;", "die 'no' unless $x == {};"),
    "bash": ("x=1", "[ $x -eq {} ] || exit 1"),
    "lua": ("x = 1", "assert(x == {})"),
    "r": ("x <- 1", "stopifnot(x == {})"),
    "csharp": (
        "using System.Diagnostics;",
        "class Probe {{ public static void Main(string[] a) {{ int x = 1; Debug.Assert(x == {}); }} }}",
    ),
    "haskell": ("x :: Int\nx = 1", 'main :: IO ()\nmain = if x == {} then return () else error "no"'),
    "kotlin": ("val x = 1", "fun main() {{ assert(x == {}) }}"),
    "swift": ("let x = 1", "assert(x == {})"),
}
"""A program and an assertion in each language; it must hold for 1 and fail for 2."""


@dataclass(frozen=True)
class SelfTest:
    """What was proved of tasks. Tasks are named with the reason."""

    references: int  # reference answers that passed
    rejected: int  # wrong answers that did not
    broken: Mapping[str, str] = field(default_factory=dict)  # the reference fails
    open: Mapping[str, str] = field(default_factory=dict)  # the wrong answer passes
    missing: Mapping[str, str] = field(default_factory=dict)  # cannot be run here
    unproved: tuple[str, ...] = ()  # no reference is known
    known: Mapping[str, str] = field(
        default_factory=dict
    )  # of broken and open: what is known to be wrong with the task

    @property
    def unsound(self) -> dict[str, str]:
        """Tasks that nothing can be said about, known errata apart."""
        return {task: why for task, why in {**self.broken, **self.open}.items() if task not in self.known}

    def refuse(self, benchmark: str) -> EnvironmentProblem:
        """The error for a score that cannot be given."""
        named = "; ".join(f"{task}: {why}" for task, why in list(self.unsound.items())[:20])
        more = f"; and {len(self.unsound) - 20} more" if len(self.unsound) > 20 else ""
        return EnvironmentProblem(
            f"no score: the self-test of {benchmark} failed on {len(self.unsound)} tasks: {named}{more}",
            remedy="mend the environment, or leave these tasks out with --without-broken: both numbers are given",
        )


def selftest(
    protocol: Protocol, tasks: Mapping[str, Task], *, style: Style, witnesses: Iterable[Sample] = (),
    run: Runner | None = None,
) -> SelfTest:  # fmt: skip
    """Proves tasks. `witnesses` are right answers from elsewhere, for benchmarks that publish none."""
    run = run or sandbox.execute_many
    missing = _missing(protocol, tasks, run)
    there = {name: task for name, task in tasks.items() if name not in missing}
    right = [Sample(name, answer) for name, task in there.items() if (answer := protocol.reference(task)) is not None]
    has = {one.task for one in right}
    right += [Sample(one.task, one.answer) for one in witnesses if one.task in there and one.task not in has]
    wrong = [Sample(name, answer, 1) for name, task in there.items() if (answer := protocol.wrong(task)) is not None]
    verdicts = list(grading.grade(protocol, there, [*right, *wrong], style=style, run=run))
    why = {one.sample.task: _why(one) for one in verdicts if not one.sample.number and not one.passed}
    passes = {key: all(trials.values()) for key, trials in grading.passed(verdicts).items()}
    broken = {one.task: why[one.task] for one in right if not passes[one.task, 0]}
    open_ = {one.task: f"passes: {_short(one.answer)}" for one in wrong if passes[one.task, 1]}
    return SelfTest(
        references=len(right) - len(broken),
        rejected=len(wrong) - len(open_),
        broken=broken,
        open=open_,
        missing=missing,
        unproved=tuple(name for name in there if name not in {one.task for one in right}),
        known={name: reason for name, reason in protocol.errata.items() if name in broken or name in open_},
    )


def _why(verdict: grading.Verdict) -> str:
    outcome = verdict.outcome
    return f"{outcome.verdict}{f': {outcome.detail}' if outcome.detail else ''} ({verdict.trial})"[:300]


def _short(answer: Answer) -> str:
    text = " ".join(answer.text.split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def _missing(protocol: Protocol, tasks: Mapping[str, Task], run: Runner) -> dict[str, str]:
    """Tasks whose language or modules are not here. Raises: EnvironmentProblem for a language without assertions."""
    cannot = {name: reason for name, task in tasks.items() if (reason := protocol.cannot(task))}
    tasks = {name: task for name, task in tasks.items() if name not in cannot}
    used = {task.language: made.language for task in tasks.values() if (made := _made(protocol, task))}
    why = _languages(used, run)
    wanted = {name: protocol.modules(task) for name, task in tasks.items()}
    modules = sorted({module for some in wanted.values() for module in some})
    found = run([Program(f"import {module}", "assert True") for module in modules]) if modules else ()
    gone = {module: outcome.detail for module, outcome in zip(modules, found, strict=True) if not outcome.passed}
    missing = {name: why[task.language] for name, task in tasks.items() if task.language in why}
    for name, some in wanted.items():
        if absent := [module for module in some if module in gone]:
            missing.setdefault(name, f"no module {', '.join(absent)}")
    return {**cannot, **missing}


def _made(protocol: Protocol, task: Task) -> Program | None:
    """A program that is run for the task; None if its verdicts come from comparing."""
    answer = protocol.wrong(task) or Answer("")
    made = protocol.trials(task, answer, STYLES["official"]).values()
    return next((one for one in made if isinstance(one, Program)), None)


def _languages(used: Mapping[str, str], run: Runner) -> dict[str, str]:
    """Why programs of a language cannot be run here. Languages are given with the sandbox's names."""
    why, probes = dict[str, str](), list[tuple[str, Program, Program]]()
    for name, called in sorted(used.items()):
        if called in ALIVE:
            program, assertion = ALIVE[called]
            true, false = (Program(program, assertion.format(n), called) for n in (1, 2))
            probes.append((name, true, false))
        else:
            nothing = Program("", "", called)
            probes.append((name, nothing, nothing))
    outcomes = iter(run([one for _, true, false in probes for one in (true, false)]))
    for name, _, _ in probes:
        held, failed = next(outcomes), next(outcomes)
        if not held.counts:
            why[name] = f"{held.verdict}: {held.detail}"
        elif used[name] in ALIVE and (not held.passed or failed.passed):
            raise EnvironmentProblem(
                f"assertions in {name} are not alive: a true one gave {held.verdict}, a false one {failed.verdict}",
                remedy="mend the toolchain; no score can be given",
            )
    return why
