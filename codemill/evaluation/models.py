"""What answers questions: a function, a model in a folder, an endpoint."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from codemill.benchmarks.protocol import Question
from codemill.errors import InputError, RecipeError

if TYPE_CHECKING:
    from codemill.model.generate import Generator
    from codemill.teacher.client import Client


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

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def about(self) -> dict[str, Any]:
        """What it is."""
        ...

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


@dataclass(frozen=True)
class Folder:
    """A model in Hugging Face's format, run by `codemill.model`. `batch` replies are made together.

    A prompt that leaves no room for an answer gets an empty one: the model cannot read the task.
    """

    path: str
    device: str = "auto"
    batch: int = 16

    @property
    def name(self) -> str:
        """The folder's name."""
        return Path(self.path).name

    @functools.cached_property
    def chats(self) -> bool:
        """Whether its tokenizer says how a chat is written."""
        place = self._place()
        settings = place / "tokenizer_config.json"
        return (place / "chat_template.jinja").exists() or (
            settings.exists() and b'"chat_template"' in settings.read_bytes()
        )

    @functools.cached_property
    def about(self) -> dict[str, Any]:
        """What it is: the digest of its weights and tokenizer, wherever they lie."""
        return {"kind": "folder", "name": self.name, "sha256": digest(self._place())}

    def _place(self) -> Path:
        from codemill.model import checkpoints

        return checkpoints.find(Path(self.path), state=False)

    @functools.cached_property
    def generator(self) -> Generator:
        """The model, loaded. Raises: InputError if there is none; EnvironmentProblem without the extra `train`."""
        from codemill.model import job

        job.need("torch", "safetensors", "tokenizers")
        from codemill.model.generate import Generator

        return Generator(self._place(), device=self.device)

    def replies(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[tuple[int, list[str]]]:
        """Batches of prompts of like length."""
        from codemill.model.generate import Ask

        prompts = [(number, self._tokens(question)) for number, question in enumerate(questions)]
        fit = [(number, tokens) for number, tokens in prompts if len(tokens) < self.generator.context]
        yield from ((number, [""] * sampling.samples) for number, tokens in prompts if (number, tokens) not in fit)
        fit.sort(key=lambda one: len(one[1]))
        each = max(1, self.batch // sampling.samples)
        for first in range(0, len(fit), each):
            some = fit[first : first + each]
            asks = [
                Ask(
                    tokens,
                    most=sampling.max_tokens or questions[number].max_tokens,
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    stop=questions[number].stop,
                    seed=chance(sampling.seed, questions[number], sample),
                )
                for number, tokens in some
                for sample in range(sampling.samples)
            ]
            texts = [answer.text for answer in self.generator.answers(asks)]
            for at, (number, _) in enumerate(some):
                yield number, texts[at * sampling.samples : (at + 1) * sampling.samples]

    def _tokens(self, question: Question) -> tuple[int, ...]:
        if question.turns:
            return self.generator.chat([{"role": role, "content": content} for role, content in question.turns])
        if question.suffix:
            return self.generator.middle(question.text, question.suffix)
        return tuple(self.generator.template.ids(question.text)) or (self.generator.ends[0],)


def digest(folder: Path) -> str:
    """SHA-256 of a model's weights, shape and tokenizer, in hex: the same wherever it lies."""
    found = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix == ".safetensors" or file.name in ("config.json", "tokenizer.json"):
            found.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def chance(seed: int, question: Question, sample: int) -> int:
    """A seed of its own for each sample of each question, wherever the question stands among those that are asked.

    Unit: 31 bits, which every server takes.
    """
    said = json.dumps([seed, question.text, question.turns, question.suffix, sample])
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:4]) >> 1


@dataclass(frozen=True)
class Endpoint:
    """A server that speaks OpenAI's wire format: completions for texts, chat completions for turns.

    The key is read from OPENAI_API_KEY if it is set.
    """

    url: str
    name: str
    concurrency: int = 64

    @property
    def about(self) -> dict[str, Any]:
        """What it is. Its address may hold a secret, and is left out."""
        return {"kind": "endpoint", "name": self.name}

    def replies(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[tuple[int, list[str]]]:
        """Asks for pieces of some hundred questions, so that what came is kept if a later one fails."""
        size = max(1, 256 // sampling.samples)
        for first in range(0, len(questions), size):
            some = questions[first : first + size]
            yield from zip(range(first, first + len(some)), asyncio.run(self._piece(some, sampling)), strict=True)

    async def _piece(self, questions: Sequence[Question], sampling: Sampling) -> list[list[str]]:
        from codemill.teacher.client import Client

        client = Client({self.url: 1.0}, api_key_env="OPENAI_API_KEY", concurrency=self.concurrency)
        try:
            return list(await asyncio.gather(*(self._one(client, question, sampling) for question in questions)))
        finally:
            await client.close()

    async def _one(self, client: Client, question: Question, sampling: Sampling) -> list[str]:
        from codemill.teacher.conversation import TooLong

        body: dict[str, Any] = {
            "model": self.name,
            "max_tokens": sampling.max_tokens or question.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if question.stop and not question.turns:
            body["stop"] = list(question.stop[:4])  # servers take four; all are cut here
        if question.turns:
            path = "/chat/completions"
            body["messages"] = [{"role": role, "content": content} for role, content in question.turns]
        else:
            path = "/completions"
            body |= {"prompt": question.text, **({"suffix": question.suffix} if question.suffix else {})}
        try:
            answers = await asyncio.gather(
                *(
                    client.ask(path, {**body, "seed": chance(sampling.seed, question, sample)})
                    for sample in range(sampling.samples)
                )
            )
        except TooLong:
            return [""] * sampling.samples
        return [_text(answer) for answer, _, _ in answers]


def _text(answer: dict[str, Any]) -> str:
    try:
        choice = answer["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
    except (KeyError, IndexError, TypeError) as error:
        raise InputError(f"the endpoint's answer has no text: {str(answer)[:200]}") from error
    return text if isinstance(text, str) else ""


def named(model: str, name: str | None = None, device: str = "auto") -> Model:
    """The model that a word on the command line means: an address, or a folder.

    Raises: RecipeError for an endpoint whose model is not named; InputError for a folder that is not there.
    """
    if "://" in model:
        if not name:
            raise RecipeError("an endpoint serves models by name", where=model, remedy="say which with --name")
        return Endpoint(model, name)
    if not Path(model).is_dir():
        raise InputError(
            "there is no such model", where=model, remedy="give a folder, an address, or answers as samples.jsonl"
        )
    return Folder(model, device)
