"""From a task to a verdict, on one slot.

by_call      tests are calls with literals: inputs go in, values come out, compared here. No forgery passes
in_process   any other tests in Python: run beside the program, under a witness (guest/in_process.py)
stdio        tests are inputs and outputs of the whole program, in any language: compared here
script       tests in another language, behind the program: must end with status 0 and reach their last line
exit_status  the same where a language has no last line (its tests are a `main`): status 0
"""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import signal
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from codemill.sandbox import asserts, languages, warm
from codemill.sandbox.guest import values
from codemill.sandbox.languages import Language, Toolchain
from codemill.sandbox.outcome import Call, Limits, Outcome, Stdio, Task, excerpt
from codemill.sandbox.slot import Run, Slot

VERSION = 3
"""Raised when a verdict can change for the same program, tests, limits and toolchain."""

TOO_DEEP = (RecursionError, MemoryError, ValueError, TypeError, KeyError, AttributeError, IndexError)


def grade(slot: Slot, task: Task) -> Outcome:
    """The outcome of a task. Raises: SlotDied, OSError where the sandbox fails."""
    language = languages.get(task.language)
    if language.name != "python":
        return _other(slot, task, language)
    known = Outcome("sandbox_error", language="python", rung=slot.rung, toolchain=f"Python {slot.python}")
    slot.open({"program.py": task.program}, task.limits)
    try:
        if isinstance(task.tests, str):
            plan = asserts.read(task.tests, task.entry_point)
            outcome = None if plan is None else _by_checks(slot, task, plan, known)
            return outcome or _in_process(slot, task, known)
        if task.tests and all(isinstance(one, Call) for one in task.tests):
            return _by_calls(slot, task, [one for one in task.tests if isinstance(one, Call)], known)
        return _stdio(slot, task, known, [one for one in task.tests if isinstance(one, Stdio)], None, None)
    finally:
        slot.close_folder()


def judged(run: Run, limits: Limits, *, compiles: bool = False) -> tuple[str, str] | None:
    """What the limits and the way a process ended say of it: a verdict and its detail; None if they say nothing."""
    allowed = limits.compile_seconds if compiles else limits.cpu_seconds
    if run.trouble:
        return "sandbox_error", run.trouble
    if run.killed == "output":
        return "output_limit", f"more than {limits.output_bytes} bytes of output"
    if run.killed == "disk":
        return "output_limit", f"more than {limits.disk_bytes} bytes of files"
    if run.killed == "memory":
        return "memory", f"more than {limits.memory_bytes} bytes of memory"
    if run.killed == "processes":
        return "crashed", f"more than {limits.processes} processes"
    if run.killed == "cpu" or run.cpu > allowed:
        return "timeout_cpu", f"{run.cpu:.1f} s of CPU time, {allowed:g} allowed"
    if run.killed == "wall":
        return "timeout_wall", f"{run.wall - run.waited - run.cpu:.1f} s without using a core, {limits.wall:g} allowed"
    if run.status in (-signal.SIGXFSZ,):
        return "output_limit", f"a file of more than {limits.file_bytes} bytes"
    if run.status < 0:
        return "crashed", _signal(-run.status)
    return None


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _filled(known: Outcome, run: Run, verdict: str, detail: str = "", **more: Any) -> Outcome:
    return dataclasses.replace(
        known, verdict=verdict, detail=detail, cpu=round(run.cpu, 4), wall=round(run.wall, 4), memory=run.memory,
        output=excerpt(run.stdout, run.stderr), **more,
    )  # fmt: skip


def _by_checks(slot: Slot, task: Task, plan: asserts.Plan, known: Outcome) -> Outcome | None:
    """Asserts with literals; None if an answer cannot be sent, so that it must be looked at where it is."""
    counts = [len(check.calls) for check in plan.checks]
    run, answers = _ask(slot, task, plan.entry_point, list(plan.calls))
    known = dataclasses.replace(known, grading="by_call", tests=len(plan.checks))
    if answers.opaque is not None:
        return None
    start = 0
    for number, (check, count) in enumerate(zip(plan.checks, counts, strict=True)):
        got = answers.given[start : start + count]
        start += count
        if len(got) < count or any(isinstance(one, _Raised) for one in got):
            raised = next((one.text for one in got if isinstance(one, _Raised)), None)
            return _unanswered(known, run, task.limits, answers, number, raised)
        try:
            held = check.holds(got)
        except asserts.NotSimple:
            return None
        except Exception as error:  # what the assert itself would raise
            detail = f"line {check.line}: {type(error).__name__}: {error}"[:500]
            return _filled(known, run, "fail", detail, tests_run=number + 1)
        if not held:
            said = ", ".join(_repr(one, 100) for one in got)
            return _filled(known, run, "fail", f"line {check.line}: returned {said}", tests_run=number + 1)
    return _done(known, run, task.limits, answers, len(plan.checks))


def _by_calls(slot: Slot, task: Task, calls: Sequence[Call], known: Outcome) -> Outcome:
    known = dataclasses.replace(known, grading="by_call", tests=len(calls))
    entry_point = task.entry_point
    if entry_point is None:
        return dataclasses.replace(known, verdict="tests_error", detail="calls need an entry point")
    run, answers = _ask(slot, task, entry_point, [(list(one.args), dict(one.kwargs)) for one in calls])
    for number, call in enumerate(calls):
        got = answers.given[number] if number < len(answers.given) else _MISSING
        if got is _MISSING or isinstance(got, _Raised):
            raised = got.text if isinstance(got, _Raised) else None
            return _unanswered(known, run, task.limits, answers, number, raised)
        if not asserts.close(got, call.expected, absolute=call.absolute, relative=call.relative):
            return _filled(known, run, "fail", f"call {number}: returned {_repr(got, 450)}", tests_run=number + 1)
    return _done(known, run, task.limits, answers, len(calls))


def _repr(value: Any, most: int) -> str:
    """A value that a program answered, for people. Integers of more digits than Python allows cannot be written."""
    try:
        return repr(value)[:most]
    except (ValueError, RecursionError, MemoryError):
        return f"a value of type {type(value).__name__} that is too long to show"


def _done(known: Outcome, run: Run, limits: Limits, answers: _Answers, count: int) -> Outcome:
    over = judged(run, limits)
    if over and over[0] in ("timeout_cpu", "sandbox_error"):
        return _filled(known, run, *over, tests_run=count)
    return _filled(known, run, "pass", tests_run=count)


def _unanswered(
    known: Outcome, run: Run, limits: Limits, answers: _Answers, number: int, raised: str | None
) -> Outcome:
    """What a call without an answer means."""
    if raised is not None:
        verdict = "memory" if raised.startswith("MemoryError") else "fail"
        return _filled(known, run, verdict, raised, tests_run=number + 1)
    over = judged(run, limits)
    if over:
        return _filled(known, run, *over, tests_run=number)
    if answers.stage:
        return _filled(known, run, *answers.stage, tests_run=number)
    return _filled(known, run, "no_verdict", f"the program ended with status {run.status}", tests_run=number)


class _Raised:
    def __init__(self, text: str) -> None:
        self.text = text


_MISSING = object()


@dataclasses.dataclass
class _Answers:
    """What a program answered, in order; the stage at which it stopped before; the first value that cannot be sent."""

    given: list[Any]
    stage: tuple[str, str] | None = None
    opaque: str | None = None


def _ask(
    slot: Slot, task: Task, entry_point: str, calls: list[tuple[list[Any], dict[str, Any]]]
) -> tuple[Run, _Answers]:
    payload = {
        "program": task.program,
        "entry_point": entry_point,
        "calls": [[values.encode(args), values.encode(kwargs)] for args, kwargs in calls],
    }
    run = slot.run(task.limits, python="by_call", payload=payload)
    return run, _answers(run.told, entry_point)


def _answers(told: bytes, entry_point: str) -> _Answers:
    """Reads what came back; it can be anything."""
    answers = _Answers([])
    for line in told.split(b"\n"):
        if not line:
            continue
        try:
            match json.loads(line):
                case ["compile", str(text)]:
                    answers.stage = "compile_error", text[:500]
                case ["import", str(kind), str(text)]:
                    answers.stage = "memory" if kind == "MemoryError" else "fail", f"{kind}: {text}"[:500]
                case ["missing"]:
                    answers.stage = "fail", f"the program defines no function {entry_point}"
                case ["gave", int(number), value] if number == len(answers.given):
                    answers.given.append(values.decode(value))
                case ["raised", int(number), str(kind), str(text)] if number == len(answers.given):
                    answers.given.append(_Raised(f"{kind}: {text}"[:500]))
                case ["opaque", int(number), str(text)] if number == len(answers.given):
                    answers.opaque = answers.opaque or text
                    answers.given.append(values.Unlike(text))
                case ["ready"] | ["end"]:
                    continue
                case _:
                    answers.stage = "no_verdict", "an answer that is none"
                    break
        except TOO_DEEP:
            answers.stage = "no_verdict", "an answer that cannot be read"
            break
    return answers


def _in_process(slot: Slot, task: Task, known: Outcome) -> Outcome:
    known = dataclasses.replace(known, grading="in_process")
    nonce = secrets.token_hex(16)
    payload = {"program": task.program, "tests": task.tests, "entry_point": task.entry_point}
    run = slot.run(task.limits, python="in_process", payload=payload, key=nonce.encode())
    said, _, last = run.told.rstrip(b"\n").rpartition(b"\n")
    words = last.decode("utf-8", "replace").split(" ")
    over = judged(run, task.limits)
    if len(words) < 3 or words[0] != nonce or not _COUNT.fullmatch(words[2]) or words[1] not in _WITNESSED:
        return _filled(known, run, *(over or ("no_verdict", f"the program ended with status {run.status}")))
    verdict, ran, refused = words[1], int(words[2]), " ".join(words[3:])
    text = _said(said)
    if over and over[0] == "timeout_cpu":
        return _filled(known, run, *over, tests_run=ran)
    if verdict == "pass" and not ran:
        return _filled(known, run, "tests_error", "the tests hold no assert, no test function and no case")
    if refused and verdict != "pass":
        return _filled(
            known, run, "no_verdict", f"the program used {refused}, which the grader does not allow", tests_run=ran
        )
    meaning = {
        "pass": ("pass", ""),
        "fail": ("memory" if text.startswith("MemoryError") else "fail", text),
        "import": ("memory" if text.startswith("MemoryError") else "fail", text),
        "exit": ("no_verdict", "the program left before the tests ended"),
        "tests": ("tests_error", text),
        "compile": ("compile_error", text),
        "changed": ("no_verdict", text),
        "forged": ("no_verdict", "the end of the tests was announced while they ran"),
    }
    return _filled(known, run, *meaning[verdict], tests_run=ran + (verdict == "fail"))


_COUNT = re.compile(r"[0-9]{1,9}")
_WITNESSED = frozenset(("pass", "fail", "import", "exit", "tests", "compile", "changed", "forged"))
"""What the witness can say. It says it beside the program, so it may be anything else too."""


def _said(lines: bytes) -> str:
    try:
        text = json.loads(lines.strip().rpartition(b"\n")[2])
    except TOO_DEEP:
        return ""
    return text[:500] if isinstance(text, str) else ""


def _other(slot: Slot, task: Task, language: Language) -> Outcome:
    """A program in another language: compiled, then run with its tests behind it, or once for each input."""
    known = Outcome("sandbox_error", language=language.name, rung=slot.rung)
    tools, version = _probe(slot, language)
    if tools is None:
        return dataclasses.replace(known, verdict="toolchain_missing", detail=version)
    known = dataclasses.replace(known, toolchain=version)
    mark = f"reached {secrets.token_hex(12)}"
    program, cases = task.program, []
    if isinstance(task.tests, str):
        after = language.after.replace("{mark}", mark)
        program = "\n".join(part for part in (program, task.tests, after) if part)
        if language.before:
            program = f"{language.before} {program}"
    else:
        cases = [one for one in task.tests if isinstance(one, Stdio)]
        if len(cases) < len(task.tests) or not cases:
            return dataclasses.replace(
                known, verdict="tests_error", detail=f"no calls in {language.title}: give source or Stdio"
            )
    if language.header and language.header.strip() not in program:
        program = language.header + program
    name = languages.java_class(program) if "{class}" in language.file else ""
    room = dataclasses.replace(task.limits, disk_bytes=task.limits.disk_bytes + language.build_bytes)
    env = warm.filled(language, tools)
    slot.open({language.file.replace("{class}", name): program}, room)
    try:
        for command in language.compile:
            run = slot.run(task.limits, argv=_argv(command, tools, name), compiles=True, processes=64, env=env)
            over = judged(run, task.limits, compiles=True)
            if over or run.status:
                verdict = over[0] if over and over[0] == "sandbox_error" else "compile_error"
                return _compile(known, run, verdict, over)
        if cases:
            return _stdio(slot, task, known, cases, (language, tools), name)
        run = _run(slot, task, language, tools, name, b"")
        known = dataclasses.replace(known, grading="script" if language.after else "exit_status")
        over = judged(run, task.limits)
        if over:
            return _filled(known, run, *over)
        if run.status:
            return _filled(known, run, "fail", f"exit status {run.status}", tests_run=1)
        if language.after and not run.text.rstrip().endswith(mark):  # tests may end without a line end
            return _filled(known, run, "no_verdict", "the program ended before the tests did")
        return _filled(known, run, "pass", tests_run=1)
    finally:
        slot.close_folder()


def _compile(known: Outcome, run: Run, verdict: str, over: tuple[str, str] | None) -> Outcome:
    lines = (run.stderr or run.stdout).decode("utf-8", "replace").strip().splitlines()
    said = [line for line in lines if not line.startswith("# ")] or lines  # Go names the package first
    detail = over[1] if over else (said[0][:500] if said else f"status {run.status}")
    return dataclasses.replace(known, verdict=verdict, detail=detail, output=excerpt(run.stdout, run.stderr))


def _argv(command: Sequence[str], tools: Toolchain, name: str) -> list[str]:
    first, *rest = (word.replace("{class}", name) for word in command)
    return [tools.programs.get(first, first), *rest]


def _run(slot: Slot, task: Task, language: Language, tools: Toolchain, name: str, stdin: bytes) -> Run:
    return slot.run(
        task.limits, argv=_argv(language.run, tools, name), stdin=stdin, env=language.env,
        address_space=language.memory == "address_space", processes=language.processes,
    )  # fmt: skip


def _stdio(
    slot: Slot, task: Task, known: Outcome, cases: Sequence[Stdio], other: tuple[Language, Toolchain] | None,
    name: str | None,
) -> Outcome:  # fmt: skip
    """Runs a program once for each input and compares what it writes."""
    known = dataclasses.replace(known, grading="stdio", tests=len(cases))
    if not cases or len(cases) < len(task.tests):
        return dataclasses.replace(known, verdict="tests_error", detail="no tests, or tests of several kinds")
    cpu = wall = 0.0
    outcome = known
    for number, case in enumerate(cases):
        stdin = case.stdin.encode("utf-8", "surrogatepass")
        if other is None:
            run = slot.run(task.limits, python="script", payload={"program": task.program}, stdin=stdin)
        else:
            run = _run(slot, task, *other, name or "", stdin)
        cpu, wall = cpu + run.cpu, wall + run.wall
        over = judged(run, task.limits)
        if over is None and run.status:
            over = "fail", f"exit status {run.status}"
            if b"SyntaxError" in run.stderr[-2000:] and other is None and b'File "program.py"' in run.stderr:
                over = "compile_error", run.stderr.decode("utf-8", "replace").strip().splitlines()[-1][:500]
            elif other is None and run.stderr.rstrip().rpartition(b"\n")[2].startswith(b"MemoryError"):
                over = "memory", "MemoryError"
        if over is None and not same(run.text, case.stdout, decimals=case.decimals):
            over = "fail", f"case {number}: another output"
        outcome = _filled(known, run, *(over or ("pass", "")), tests_run=number + 1)
        if over:
            break
    return dataclasses.replace(outcome, cpu=round(cpu, 4), wall=round(wall, 4))


def same(got: str, expected: str, *, decimals: bool = False) -> bool:
    """Whether two outputs are the same, blanks at both ends of the whole and of each line apart.

    With `decimals` two lines are the same too if they are the same list of numbers.

    >>> same("1 2 \\n3\\n", "1 2\\n3"), same("12\\n", "1 2"), same("2.50", "2.5"), same("2.50", "2.5", decimals=True)
    (True, False, False, True)
    """
    lines = [[line.strip() for line in text.strip().splitlines()] for text in (got, expected)]
    if lines[0] == lines[1] or not decimals:
        return lines[0] == lines[1]
    return len(lines[0]) == len(lines[1]) and all(
        one == other or ((numbers := _decimals(one)) is not None and numbers == _decimals(other))
        for one, other in zip(*lines, strict=True)
    )


def _decimals(line: str) -> list[Decimal] | None:
    """The numbers of a line; None if one of its words is none. A signalling NaN is none: to compare it is an error."""
    try:
        numbers = [Decimal(word) for word in line.split()]
    except InvalidOperation:
        return None
    return None if any(number.is_snan() for number in numbers) else numbers


_versions: dict[tuple[str, str, str], tuple[Toolchain | None, str]] = {}


def _probe(slot: Slot, language: Language) -> tuple[Toolchain | None, str]:
    """The toolchain and what it says of its version, run in the sandbox; else None and what is missing."""
    tools = languages.toolchain(language)
    if tools is None:
        return None, f"not on this machine: {' or '.join(language.programs)}"
    known = (slot.rung, language.name, str(sorted(tools.programs.items())))
    if known not in _versions:
        slot.open({}, Limits())
        try:
            run = slot.run(
                Limits(), argv=_argv(language.version, tools, ""), address_space=False, processes=64, env=language.env,
                compiles=True,
            )  # fmt: skip
        finally:
            slot.close_folder()
        said = (run.stdout + run.stderr).decode("utf-8", "replace").strip().splitlines()
        if run.trouble or run.status:
            why = run.trouble or (said[-1] if said else f"status {run.status}")
            return None, f"{tools.programs[language.programs[0]]} does not run in the sandbox: {why[:300]}"
        told = [line.strip() for line in said if "warning:" not in line]  # Java's machine warns before Kotlin speaks
        _versions[known] = tools, (told[0] if told else language.title)
    return _versions[known]


def version(slot: Slot, language: Language) -> str:
    """What the toolchain of a language says of itself, or that it is missing."""
    return _probe(slot, language)[1]
