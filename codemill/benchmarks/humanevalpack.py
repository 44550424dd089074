"""HumanEvalPack: HumanEval in six languages, also to be repaired (Muennighoff et al. 2023, arXiv 2308.07124)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codemill.benchmarks import others
from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task. `shown` is the faulty program; the answer follows `more["declaration"]` as well as `prompt`."""
    declaration = row.text("declaration")
    return Task(
        benchmark="humanevalpack",
        id=row.text("task_id"),
        language=language(row.text("task_id").partition("/")[0], row.where),
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=row.text("entry_point"),
        solution=row.text("canonical_solution"),
        tests=row.text("test"),
        setup=row.text("test_setup", ""),
        instruction=row.text("instruction"),
        shown=declaration + row.text("buggy_solution"),
        more={"declaration": declaration, **row.rest()},
    )


SECONDS = {"go": 20, "cpp": 60, "rust": 300}
PYTHON = "import math\nimport re\nimport sys\nimport copy\nimport datetime\nimport itertools\nimport collections\n" + (
    "import heapq\nimport functools\nimport hashlib\nimport numbers\nimport string\nfrom typing import *\n"
    "from collections import *\n"
)
STOPS = {"python": ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif")}


def asked(task: Task) -> str:
    """What is asked about the faulty program, with the tests that judge."""
    return f"{task.shown}\n{task.tests}\nFix bugs in {task.entry_point}."


def ask_fix(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The faulty program, its tests, the question, and the head of the answer."""
    text = f"Question: {asked(task)}\n\nAnswer:\n{task.more['declaration']}"
    return Question(text=text, stop=STOPS.get(task.language, ()), max_tokens=1024)


def ask_synthesize(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The prompt alone."""
    return Question(text=task.prompt, stop=STOPS.get(task.language, ()), max_tokens=1024)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """The body up to the end of the function: where its braces are closed, or the stops of Python."""
    if chat:
        return Answer(others.fenced(task, reply), whole=True)
    return Answer(
        reply if task.language == "python" else others.first_function(reply, 2 if task.language == "java" else 1)
    )


def helpers(prompt: str, program: str) -> str:
    """The functions of a Go prompt that the program has not: the published declaration leaves some out."""
    found, function = "", list[str]()
    for line in prompt.splitlines():
        if function or line.startswith("func "):
            function.append(line)
        if function and line == "}":
            name = function[0].partition("(")[0]
            found += "" if f"{name}(" in program else "\n" + "\n".join(function) + "\n"
            function = []
    return found


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """The declaration, the body, the tests."""
    declaration = task.more["declaration"]
    program = others.headed(declaration, answer.text) if answer.whole else declaration + answer.text
    program += helpers(task.prompt, program) if task.language == "go" else ""
    head = PYTHON if task.language == "python" else ""
    program, tests = others.tested(task, head + program, task.tests)
    limits = Limits(cpu_seconds=SECONDS.get(task.language, 10), memory_bytes=4 << 30)
    return {"pass": Program(program, tests, others.named(task), limits=limits)}


def protocol(fix: bool) -> Protocol:
    """Repairing with tests, or writing after the docstring."""
    user = asked if fix else lambda task: task.instruction
    return Protocol(
        ask=ask_fix if fix else ask_synthesize,
        chat=lambda task: Question(turns=(("user", user(task)),), max_tokens=1024),
        read=answered,
        trials=trials,
        rule="the program with its tests ends with status 0; what a test of JavaScript would only print is an error",
        limits=Limits(cpu_seconds=10),
        scores={"pass": "HumanEvalFix" if fix else "HumanEvalSynthesize"},
        wrong=lambda task: Answer(task.shown.removeprefix(task.more["declaration"])),
        errata={
            "JavaScript/162": "needs js-md5",
            "CPP/162": "needs OpenSSL",
            "Go/95": "its reference depends on the order of a map",
            "Go/162": "see the program",
            "Rust/50": "its tests do not notice the fault",
            "Rust/91": "needs regex",
            "Rust/162": "needs md5",
            **dict.fromkeys(("Rust/32", "Rust/38", "Rust/53"), "needs rand"),
            "CPP/22": "needs boost",
            "CPP/38": "its declaration has a piece of the body",
            "CPP/137": "needs boost",
        },
        cannot=others.cannot,
        cited="github.com/bigcode-project/octopack",
    )


BENCHMARK = Benchmark(
    name="humanevalpack",
    title="HumanEvalPack",
    languages="Python, JavaScript, Java, Go, C++, Rust",
    published="https://huggingface.co/datasets/bigcode/humanevalpack",
    licence="MIT",
    shapes=(
        frozenset(
            {
                "task_id",
                "prompt",
                "declaration",
                "canonical_solution",
                "buggy_solution",
                "entry_point",
                "test",
                "instruction",
            }
        ),
    ),
    read=read,
    counts=(164,),
    protocols={"fix": protocol(fix=True), "synthesize": protocol(fix=False)},
    note="JavaScript tests only print what fails: the exit status says nothing",
)
