"""HumanEval-Infilling: gaps in the answers of HumanEval (Bavarian et al. 2022, arXiv 2207.14255)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codemill.benchmarks import asking, humaneval
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
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


PROTOCOL = Protocol(
    ask=ask,
    chat=chat,
    read=answered,
    trials=trials,
    rule="every assertion of check() holds",
    limits=humaneval.LIMITS,
    scores={"pass": "HumanEval-Infilling"},
    wrong=wrong,
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
    protocols={"": PROTOCOL},
)
