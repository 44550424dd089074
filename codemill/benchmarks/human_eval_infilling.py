"""HumanEval-Infilling: gaps in the answers of HumanEval (Bavarian et al. 2022, arXiv 2207.14255)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codemill.benchmarks import asking, humaneval
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task; its id begins with the kind of gap: SingleLineInfilling, MultiLineInfilling, RandomSpanInfilling."""
    entry_point = row.text("entry_point")
    return Task(
        benchmark="human_eval_infilling",
        id=row.text("task_id"),
        language="python",
        kind="infill",
        prompt=row.text("prompt"),
        entry_point=entry_point,
        solution=row.text("canonical_solution"),
        suffix=row.text("suffix"),
        tests=f"{row.text('test')}\ncheck({entry_point})\n",
        more=row.rest(),
    )


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """What stands before and behind the gap. A gap of one line ends with the line, which the harness leaves open."""
    stop = ("\n",) if task.id.startswith("SingleLine") else ()
    return Question(text=task.prompt, suffix=task.suffix, stop=stop, max_tokens=256)


def chat(task: Task) -> Question:
    """Not published: the program with the gap marked."""
    shown = f"```python\n{task.prompt}<GAP>{task.suffix}\n```"
    asked = "Write the code that stands at <GAP> in this program. Answer with that code only, in a markdown code block."
    return Question(turns=(("user", f"{asked}\n{shown}\n"),), max_tokens=512)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """The gap. A line that was cut before its end gets it back."""
    text = asking.fenced(reply) if chat else reply
    return Answer(text if text.endswith("\n") or not task.id.startswith("SingleLine") else f"{text}\n")


def wrong(task: Task) -> Answer:
    """An error, at the gap's own depth."""
    blanks = task.solution[: len(task.solution) - len(task.solution.lstrip(" "))]
    return Answer(f"{blanks}raise AssertionError\n")


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """The program around the answer, with `check` behind it."""
    return {
        "pass": Program(task.program(answer.text), task.tests, entry_point=task.entry_point, limits=humaneval.LIMITS)
    }


_UNREACHED = {
    "SingleLineInfilling": (
        "46/L2 59/L2 81/L7 81/L15 81/L17 89/L6 99/L5 99/L16 124/L5 124/L7 124/L9 124/L11 127/L7 127/L8 140/L16 150/L5"
    ),
    "MultiLineInfilling": (
        "46/L2_L2 59/L2_L2 81/L7_L7 81/L15_L15 81/L15_L16 81/L15_L17 81/L17_L17 89/L6_L6 99/L5_L5 99/L16_L16 "
        "124/L5_L5 124/L5_L6 124/L5_L7 124/L7_L7 124/L9_L9 124/L9_L10 124/L9_L11 124/L11_L11 127/L5_L7 "
        "127/L5_L8 127/L6_L7 127/L6_L8 127/L7_L7 127/L7_L8 127/L8_L8 140/L16_L16 150/L5_L5"
    ),
    "RandomSpanInfilling": "126/4",
}
"""Gaps that no test of HumanEval reaches: whatever stands there passes."""

PROTOCOL = Protocol(
    ask=ask,
    chat=chat,
    read=answered,
    trials=trials,
    rule="every assertion of check() holds",
    limits=humaneval.LIMITS,
    scores={"pass": "HumanEval-Infilling"},
    wrong=wrong,
    errata={
        f"{kind}/HumanEval/{name}": "no test reaches the gap"
        for kind, names in _UNREACHED.items()
        for name in names.split()
    },
    cited="github.com/openai/human-eval-infilling",
)

BENCHMARK = Benchmark(
    name="human_eval_infilling",
    title="HumanEval-Infilling",
    languages="Python",
    published="https://github.com/openai/human-eval-infilling",
    licence="MIT",
    shapes=(frozenset({"task_id", "entry_point", "prompt", "suffix", "canonical_solution", "test"}),),
    read=read,
    counts=(1033, 5815, 1640, 164),
    files=(
        File(
            "https://github.com/openai/human-eval-infilling/raw/master/data/HumanEval-SingleLineInfilling.jsonl.gz",
            "6fffc71ec2f1674372fcc177511f92312f1a27a9eacd8e43255c9f5ee9eca8c8",
        ),
        File(
            "https://github.com/openai/human-eval-infilling/raw/master/data/HumanEval-MultiLineInfilling.jsonl.gz",
            "5b49f312f0a781420a4ae54f5e73176009b9cfc52731e3a0b9be726b451032d1",
        ),
        File(
            "https://github.com/openai/human-eval-infilling/raw/master/data/HumanEval-RandomSpanInfilling.jsonl.gz",
            "4f15be2d4a479b504072c64e79702df184010f13bdf75f8b67ce08e054c48e26",
        ),
        File(
            "https://github.com/openai/human-eval-infilling/raw/master/data/HumanEval-RandomSpanInfillingLight.jsonl.gz",
            "cbb2b36f90311a3a7d844b6361852bb33e3ab11ab3bca2b7e85bfb9bf78c5891",
        ),
    ),
    protocols={"": PROTOCOL},
)
