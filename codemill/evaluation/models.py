"""What answers questions: a function, a model in a folder, an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from codemill.benchmarks.protocol import Question


@dataclass(frozen=True)
class Sampling:
    """How replies are drawn. At temperature 0 the likeliest token is taken, and one sample is enough."""

    samples: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int | None = None  # instead of the benchmark's
    seed: int = 0


class Model(Protocol):
    """Anything that replies. `about` goes into results: what it is, so that a number can be traced."""

    name: str
    about: dict[str, Any]

    def replies(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[tuple[int, list[str]]]:
        """The replies to each question, with the number of the question, in any order."""
        ...


@dataclass(frozen=True)
class Function:
    """A Python function in place of a model: question, number of the sample → reply. For tests and baselines."""

    function: Callable[[Question, int], str]
    name: str = "function"

    @property
    def about(self) -> dict[str, Any]:
        """What it is."""
        return {"kind": "function", "name": self.name}

    def replies(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[tuple[int, list[str]]]:
        """Calls the function."""
        for number, question in enumerate(questions):
            yield number, [self.function(question, sample) for sample in range(sampling.samples)]
