"""MBPP+: MBPP with many more inputs (Liu et al. 2023, arXiv 2305.01210)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codemill.benchmarks import asking, calls, mbpp
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task. Inputs are in `more`: JSON lost their types, which are restored task by task before calling.

    The form "OriginFmt" has all inputs inside `test`.
    """
    if "code" in row:
        test = row.text("test")
        plain = mbpp.read(row)
        return Task(**{**plain.__dict__, "benchmark": "mbpp_plus", "tests": test, "more": {**plain.more, **row.rest()}})
    return Task(
        benchmark="mbpp_plus",
        id=row.text("task_id"),
        language="python",
        kind="write",
        prompt=row.text("prompt"),
        entry_point=row.text("entry_point"),
        solution=row.text("canonical_solution"),
        tests=row.text("assertion", ""),
        more=row.rest(),
    )


# Kinds of arguments, as codemill/benchmarks/_calls_guest.py restores them, by number of the task.
_KINDS = {
    "args": (
        2,
        116,
        132,
        143,
        222,
        261,
        273,
        394,
        399,
        421,
        424,
        429,
        470,
        560,
        579,
        596,
        616,
        630,
        726,
        740,
        744,
        809,
    ),
    "inner": (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780),
    "inner of first": (75, 413, 444, 753),
    "both": (259, 401, 445),
    "first": (250, 405, 446, 617, 720, 763, 808, 307),
    "second": (106, 750),
    "sets": (115,),
    "float, complex": (124,),
    "complex": (252,),
    "lists of first, first": (278,),
    "values": (722,),
    "all": (580, 615, 791),
}
KINDS = {number: kind for kind, numbers in _KINDS.items() for number in numbers}
SETS = ("similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum",
        "intersection_array", "find_dissimilar", "Diff")  # fmt: skip
ORACLES = {
    **dict.fromkeys(SETS, "set"),
    **dict.fromkeys(("check_str", "text_match_three", "text_starta_endb"), "not none"),
    "are_equivalent": "any",
    "sum_div": "or zero",
    "surface_Area": "surface",
    "digit_distance_nums": "distance",
}
"""What is right where `==` is not what the task means, by entry point."""


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program | bool]:
    """The program with all base inputs, and with those that were added; of OriginFmt, with its test."""
    if "plus_input" not in task.more:
        return {"plus": Program(answer.text, task.tests, limits=calls.LIMITS)}
    kind, oracle = KINDS.get(mbpp.number(task), ""), ORACLES.get(task.entry_point, "")
    return calls.trials(task, answer.text, task.prompt + task.solution, oracle=oracle, kind=kind)


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The docstring, which the answer follows."""
    if "plus_input" not in task.more:
        return mbpp.ask(task, calls.usual(style), shots)
    question = calls.ask(task, style, shots)
    return Question(text=question.text, stop=('\n"""', "\nassert", *question.stop), max_tokens=question.max_tokens)


def chat(task: Task) -> Question:
    """EvalPlus's question."""
    return asking.scripted(task) if "plus_input" in task.more else mbpp.chat(task)


PROTOCOL = Protocol(
    ask=ask,
    chat=chat,
    read=mbpp.answered,
    trials=trials,
    rule=calls.RULE,
    limits=calls.LIMITS,
    scores={"base": "MBPP (EvalPlus)", "plus": "MBPP+"},
    reference=lambda task: Answer(task.solution, whole=True),
    wrong=asking.stub,
    errata={"Mbpp/164": "any answer that ends is right"},
    cited="github.com/evalplus/evalplus 0.3.1",
)

BENCHMARK = Benchmark(
    name="mbpp_plus",
    title="MBPP+",
    languages="Python",
    published="https://github.com/evalplus/mbppplus_release",
    licence="Apache-2.0, of MBPP CC-BY-4.0",
    shapes=(
        frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "assertion"}),
        frozenset({"task_id", "prompt", "code", "test_imports", "test_list", "test"}),
    ),
    read=read,
    counts=(378, 399),
    files=(
        File(
            "https://github.com/evalplus/mbppplus_release/releases/download/v0.2.0/MbppPlus.jsonl.gz",
            "b54e762755248ca411b523c917fa9f93c07b5ff2966bf60b3917b853926a3dad",
        ),
    ),
    protocols={"": PROTOCOL},
    note="v0.2.0 has 378 tasks, v0.1.0 399",
)
