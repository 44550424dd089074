"""CRUXEval: what a short function gives, or takes (Gu et al. 2024, arXiv 2401.03065)."""

from __future__ import annotations

from collections.abc import Mapping

from codemill.benchmarks import asking
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task: `shown` is the program, and the one case has the arguments of `f` and its value as Python literals."""
    code = row.text("code")
    return Task(
        benchmark="cruxeval",
        id=row.text("id"),
        language="python",
        kind="predict",
        prompt="",
        entry_point="f",
        solution=code,
        tests=f"assert f({row.text('input')}) == {row.text('output')}\n",
        stop=("[/ANSWER]",),
        shown=code,
        more={"input": row.text("input"), "output": row.text("output"), **row.rest()},
    )


LIMITS = Limits(cpu_seconds=3)
OUTPUT = """Based on the given Python code, which may contain errors, complete the assert statement with the output \
when executing the code on the given test case. Do NOT output any extra information, even if the function is incorrect \
or incomplete. Provide the full assertion with the correct output in [ANSWER] and [/ANSWER] tags, following the \
examples.
"""
INPUT = """You will be given a function f and an output in the form f(??) == output. Find any input such that \
executing f on the input leads to the given output. There may be multiple answers, but you should only output one. In \
[ANSWER] and [/ANSWER] tags, complete the assertion with one such input that will produce the output when executing \
the function.
"""
SHOTS = (  # our own, in the paper's form
    ("def f(n):\n    return n", "17", "17"),
    ('def f(s):\n    return s + "a"', '"x9j"', '"x9ja"'),
)


def shown(code: str, input: str, output: str) -> str:
    """A function and an assertion, one side of which is `??`."""
    return f"[PYTHON]\n{code}\nassert f({input}) == {output}\n[/PYTHON]\n[ANSWER]\n"


def text(task: Task, words: str, *, gives: bool) -> str:
    """Two examples, then the task; the output is asked for, or an input."""
    parts = [words]
    for code, input, output in SHOTS:
        asked = shown(code, input, "??") if gives else shown(code, "??", output)
        parts.append(f"{asked}assert f({input}) == {output}\n[/ANSWER]\n")
    input, output = task.more["input"], task.more["output"]
    parts.append(shown(task.shown, input, "??") if gives else shown(task.shown, "??", output))
    return "\n".join(parts)


def value(reply: str, *, gives: bool) -> str:
    """The side of the assertion that was asked for: behind `==`, or the call."""
    reply = asking.cut(reply, ("[/ANSWER]",)).rpartition("[ANSWER]")[2].strip().removeprefix("assert ").strip()
    left, equal, right = reply.partition("==")
    return (right if gives and equal else left if not gives and equal else reply).strip()


def trials_output(task: Task, answer: Answer, style: Style) -> Mapping[str, Program | bool]:
    """The answer must equal the output. One that calls `f` is wrong: the paper's harness skips it."""
    if "f(" in answer.text or not answer.text:
        return {"pass": False}
    return {"pass": Program(task.shown, f"assert {task.more['output']} == {answer.text}\nassert f", limits=LIMITS)}


def trials_input(task: Task, answer: Answer, style: Style) -> Mapping[str, Program | bool]:
    """The call must give the output."""
    if "f(" not in answer.text:
        return {"pass": False}
    return {"pass": Program(task.shown, f"assert {answer.text} == {task.more['output']}\n", limits=LIMITS)}


def _no_call(task: Task) -> str:
    """A call that raises. One function takes no argument (sample_135): there a call without any is right."""
    return "f()" if task.more["input"].strip() else "f(None)"


def protocol(gives: bool) -> Protocol:
    """Predicting the output, or an input."""
    words = OUTPUT if gives else INPUT
    return Protocol(
        ask=lambda task, style, shots: Question(text(task, words, gives=gives), stop=task.stop, max_tokens=256),
        chat=lambda task: Question(turns=(("user", text(task, words, gives=gives)),), max_tokens=256),
        read=lambda task, reply, chat: Answer(value(reply, gives=gives)),
        trials=trials_output if gives else trials_input,
        rule="the literal equals the output" if gives else "the call gives the output",
        limits=LIMITS,
        scores={"pass": "CRUXEval-O" if gives else "CRUXEval-I"},
        reference=lambda task: Answer(task.more["output"] if gives else f"f({task.more['input']})"),
        wrong=lambda task: Answer("'no such value'" if gives else _no_call(task)),
        cited="github.com/facebookresearch/cruxeval, direct prompts",
    )


BENCHMARK = Benchmark(
    name="cruxeval",
    title="CRUXEval",
    languages="Python",
    published="https://github.com/facebookresearch/cruxeval",
    licence="MIT",
    shapes=(frozenset({"code", "input", "output", "id"}),),
    begins="sample_",
    read=read,
    counts=(800,),
    files=(
        File(
            "https://raw.githubusercontent.com/facebookresearch/cruxeval/main/data/cruxeval.jsonl",
            "8368b81047dc5014e4caf5a2f97604eff7644e0ecd7415e3ceeb184bbc2e0c96",
        ),
    ),
    protocols={"output": protocol(gives=True), "input": protocol(gives=False)},
)
