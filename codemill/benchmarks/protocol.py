"""How a model is asked for answers to a benchmark, and what makes a verdict of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


@dataclass(frozen=True)
class Question:
    """What a model is asked: a text that it continues, or turns of a conversation that it answers.

    `suffix` is what stands behind a gap. A reply is cut before the first of `stop`.
    """

    text: str = ""
    turns: tuple[tuple[str, str], ...] = ()  # (role, content); a last one of the assistant is continued
    stop: tuple[str, ...] = ()
    suffix: str = ""
    max_tokens: int = 512


@dataclass(frozen=True)
class Answer:
    """What is taken out of a reply. A `whole` answer stands alone; another stands in the place of the published one."""

    text: str
    whole: bool = False


@dataclass(frozen=True)
class Style:
    """A harness's habits: how it trims a prompt, where it cuts a continuation, what it makes of a whole answer."""

    name: str
    prompt: Callable[[str], str]
    stop: tuple[str, ...] | None  # None: the benchmark's own
    assembly: str  # of a whole answer to "complete": one of ASSEMBLIES
    why: str


ASSEMBLIES = {
    "completion": "prompt, continuation, tests",
    "replacement": "answer, tests",
    "calibrated": "prompt, a line `pass`, answer, tests: imports of the prompt are there if the answer forgot them",
}
"""Three ways to make a program; they give different scores."""

_PYTHON = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")
_EVALPLUS = ("\nif __name__", "\ndef main(", "\nprint(")
STYLES = {
    style.name: style
    for style in (
        Style("official", lambda prompt: prompt, None, "replacement", "as the authors of each benchmark published it"),
        Style("lm-eval", lambda prompt: prompt, ("\nclass", "\ndef", "\n#", "\nif", "\nprint"), "replacement",
              "lm-evaluation-harness: the paper's stops for every benchmark in Python"),
        Style("evalplus", lambda prompt: prompt.strip() + "\n", (*_EVALPLUS, *_PYTHON), "replacement",
              "EvalPlus: the prompt is trimmed, which some models do not take well"),
        Style("bigcode", str.strip, ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```", "<file_sep>"),
              "replacement", "bigcode-evaluation-harness: trimmed without a newline"),
        Style("opencoder", lambda prompt: prompt.strip() + "\n", (*_EVALPLUS, *_PYTHON), "calibrated",
              "OpenCodeEval: as EvalPlus, whole answers behind the prompt"),
    )
}  # fmt: skip
"""Known harnesses. "official" is the default; the others are for comparing with numbers that they gave."""


@dataclass(frozen=True)
class Protocol:
    """A benchmark's own rules. `trials` gives what is run for an answer, each under a name, or a verdict at once.

    An answer passes a trial if it passes those before it too: HumanEval+ has "base" and "plus".
    """

    ask: Callable[[Task, Style, Sequence[Task]], Question]  # of a base model; the last are the examples
    chat: Callable[[Task], Question]  # of a chat model
    read: Callable[[Task, str, bool], Answer]  # task, reply, whether it came from a chat
    trials: Callable[[Task, Answer, Style], Mapping[str, Program | bool]]
    rule: str  # what passes, for people
    limits: Limits
    scores: Mapping[str, str] = field(default_factory=lambda: {"pass": ""})  # trial: what its score is called
    reference: Callable[[Task], Answer | None] = lambda task: Answer(task.solution) if task.solution else None
    wrong: Callable[[Task], Answer | None] = lambda task: Answer("")  # an answer that must not pass
    errata: Mapping[str, str] = field(default_factory=dict)  # task: why its reference fails or a wrong answer passes
    modules: Callable[[Task], tuple[str, ...]] = lambda task: ()  # Python modules that the tests import
    cannot: Callable[[Task], str] = lambda task: ""  # why a task cannot be judged by us, whatever is installed
    counts: Callable[[Task], bool] = lambda task: True  # whether a task is one of those that are scored
    shots: Callable[[Task], bool] = lambda task: False  # whether it is one of the examples in a prompt
    cited: str = ""  # where the prompts and rules come from
