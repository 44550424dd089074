"""Teachers: plain data that says who is asked. What enters identity is what may change an answer, and nothing else.

    Endpoint    a server that speaks the OpenAI wire format, or several with the same model
    Local       a Hugging Face folder, in this process             extra `local-teacher`
    Scripted    a Python function in its place                     tests
    Replay      what the store has recorded, and nothing else

`opened(teacher)` makes what answers: inside the process that holds all conversations, so a teacher travels as data.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from codemill.errors import InputError, RecipeError, TeacherError
from codemill.machine.modules import module_from_file
from codemill.teacher.conversation import Request, Structured

DIGEST = "sha256:"
"""Before the digest of a local teacher, where its folder would stand."""


@dataclass(frozen=True)
class Price:
    """Money for a million tokens, in any currency. `cached` are tokens of a prompt that the server had already."""

    prompt: float = 0.0
    completion: float = 0.0
    cached: float | None = None


@dataclass(frozen=True)
class Endpoint:
    """A server that speaks the OpenAI wire format.

    `base_url` is an address such as http://127.0.0.1:8000/v1, or several by their weights, which as text are
    `URL,URL=2`; by default that of the environment variable OPENAI_BASE_URL. The key is read from the variable that
    `api_key_env` names, if it is set.
    `sampling` are fields of every request that does not say otherwise: {"temperature": 0.7, "max_tokens": 2048}.
    `structured`: it can be held to a JSON schema. `concurrency`: requests at once, at most. `deadline` and `stall` are
    seconds: see `client.Client`.
    """

    model: str
    base_url: str | Mapping[str, float] = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    structured: bool = False
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = 256
    deadline: float = 600.0
    stall: float = 300.0
    price: Price | None = None
    PLACES: ClassVar[tuple[str, ...]] = ("base_url", "api_key_env", "concurrency", "deadline", "stall", "price")

    @property
    def name(self) -> str:
        """What answers depend on: the model."""
        return self.model

    def resolved(self) -> Endpoint:
        """With its addresses. Raises: RecipeError if there is none."""
        url = self.base_url or os.environ.get("OPENAI_BASE_URL", "")
        if not url:
            raise RecipeError(
                f"the teacher {self.model!r} has no address",
                remedy="give base_url=, or set OPENAI_BASE_URL; such as http://127.0.0.1:8000/v1",
            )
        if isinstance(url, str) and "," in url:
            url = addresses(url)
        for one in [url] if isinstance(url, str) else url:
            check_address(one)
        return dataclasses.replace(self, base_url=url)


@dataclass(frozen=True)
class Local:
    """A Hugging Face folder with a causal language model, in this process, by the extra `local-teacher`.

    It is known by the digest of its weights, wherever it lies. `batch` requests with the same sampling are answered
    together; sampling draws its noise from a hash of each request, so what is answered together changes an answer only
    by what floating point does. `device` is torch's name of one, by default cuda if there is one.
    """

    folder: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    batch: int = 32
    device: str = ""
    dtype: str = "float32"
    digest: str = ""
    structured: ClassVar[Structured] = "sections"
    price: ClassVar[Price | None] = None
    deadline: ClassVar[float] = float("inf")
    PLACES: ClassVar[tuple[str, ...]] = ("folder", "batch", "device")

    @property
    def name(self) -> str:
        """What answers depend on: the weights, the tokenizer and the type they are computed in."""
        return f"local:{self.digest}:{self.dtype}"

    @property
    def concurrency(self) -> int:
        """Enough for the next batch to be ready when one is done."""
        return 2 * self.batch

    def resolved(self) -> Local:
        """With the digest of its weights. Raises: InputError if the folder holds no model, or none is named."""
        from codemill.teacher.local import digest

        if not self.folder:
            remedy = f"replay:local:{DIGEST}{self.digest} reads its answers from the store; local:FOLDER asks it"
            raise InputError("of this teacher only the digest is known", where=self.digest, remedy=remedy)

        return dataclasses.replace(self, folder=os.path.abspath(self.folder), digest=digest(Path(self.folder)))


@dataclass(frozen=True)
class Scripted:
    """A function `(body, sample) -> str | dict` in the place of a model: `script` is `module:function` or
    `path/to/file.py:function`. It returns the answer's text, or the whole JSON of a server."""

    script: str
    model: str = "scripted"
    sampling: Mapping[str, Any] = field(default_factory=dict)
    structured: bool = False
    concurrency: int = 256
    price: Price | None = None
    deadline: ClassVar[float] = 600.0
    PLACES: ClassVar[tuple[str, ...]] = ("concurrency", "price")

    @property
    def name(self) -> str:
        """What answers depend on."""
        return self.model

    def resolved(self) -> Scripted:
        """Itself, after a look whether the function is there. Raises: RecipeError if it is not."""
        scripted(self.script)
        return self


@dataclass(frozen=True)
class Replay:
    """Answers from the store only, for a recipe without its teacher: `of` is the teacher that was asked."""

    of: Endpoint | Local | Scripted
    PLACES: ClassVar[tuple[str, ...]] = ()
    concurrency: ClassVar[int] = 256
    price: ClassVar[Price | None] = None
    deadline: ClassVar[float] = 600.0

    @property
    def name(self) -> str:
        """That of the teacher that was asked."""
        return self.of.name

    @property
    def sampling(self) -> Mapping[str, Any]:
        """That of the teacher that was asked."""
        return self.of.sampling

    @property
    def structured(self) -> Structured:
        """That of the teacher that was asked."""
        return self.of.structured

    def resolved(self) -> Replay:
        """A local teacher must be known by its digest; an endpoint needs no address to be replayed."""
        local = isinstance(self.of, Local) and not self.of.digest
        return Replay(self.of.resolved()) if local else self


def addresses(text: str) -> dict[str, float]:
    """Several addresses as people write them, each with its weight or 1. Raises: RecipeError for a weight that is none.

    >>> addresses("http://one:8000/v1,http://two:8000/v1=2.5")
    {'http://one:8000/v1': 1.0, 'http://two:8000/v1': 2.5}
    """
    found = {}
    for one in text.split(","):
        url, _, weight = one.strip().partition("=")
        try:
            found[url] = float(weight or 1)
        except ValueError:
            found[url] = 0.0
        if not 0 < found[url] < 1e6:
            raise RecipeError(f"{weight!r} is no weight of an address", where=url, remedy="such as URL,URL=2")
    return found


def check_address(url: str) -> None:
    """Raises: RecipeError if it is no address of a server, or has something in it that may be a secret."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise RecipeError(f"{url!r} is not the address of a server", remedy="such as http://127.0.0.1:8000/v1")
    if "@" in parts.netloc or parts.query:
        raise RecipeError(
            "the address of a teacher has a password or a query in it, which would stand in every manifest",
            where=urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")),
            remedy="give the name of an environment variable with the key in api_key_env=",
        )


Teacher: TypeAlias = Endpoint | Local | Scripted | Replay


class Answering(Protocol):
    """What `opened` returns: asks, and is closed."""

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        """The JSON of an answer in OpenAI's format, who gave it, and the seconds it took."""

    async def close(self) -> None:
        """Ends what was begun."""


def opened(teacher: Teacher, stopped: Callable[[], Exception | None] = lambda: None) -> Answering:
    """What answers in a teacher's name, until `stopped()` gives an error. To be called inside the event loop that will
    use it."""
    if isinstance(teacher, Endpoint):
        return _Remote(teacher, stopped)
    if isinstance(teacher, Scripted):
        return _Script(teacher)
    if isinstance(teacher, Replay):
        return _Recorded(teacher)
    from codemill.teacher import local

    return local.opened(
        teacher.folder, name=teacher.name, batch=teacher.batch, device=teacher.device, dtype=teacher.dtype
    )


def path_of(request: Request) -> str:
    """Where a request goes below the base address."""
    return "/completions" if request.complete else "/chat/completions"


class _Remote:
    def __init__(self, teacher: Endpoint, stopped: Callable[[], Exception | None]) -> None:
        from codemill.teacher.client import Client  # aiohttp takes 0.3 s to import, and most commands need none

        url = teacher.resolved().base_url
        self.client = Client(
            {url: 1.0} if isinstance(url, str) else url,
            api_key_env=teacher.api_key_env,
            concurrency=teacher.concurrency,
            deadline=teacher.deadline,
            stall=teacher.stall,
            stopped=stopped,
        )

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        return await self.client.ask(path_of(request), body)

    async def close(self) -> None:
        await self.client.close()


class _Script:
    def __init__(self, teacher: Scripted) -> None:
        self.function, self.name = scripted(teacher.script), teacher.name

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        said = self.function(body, request.sample)
        if isinstance(said, str):
            choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
            choice |= {"text": said} if request.complete else {"message": {"role": "assistant", "content": said}}
            said = {"model": self.name, "choices": [choice], "usage": _words(body, said)}
        return said, "scripted", 0.0

    async def close(self) -> None:
        """Nothing was begun."""


def _words(body: Mapping[str, Any], answer: str) -> dict[str, int]:
    """A script has no tokens: words stand for them."""
    prompt = body["prompt"] if "prompt" in body else " ".join(m["content"] for m in body["messages"])
    return {"prompt_tokens": len(prompt.split()), "completion_tokens": len(answer.split())}


class _Recorded:
    def __init__(self, teacher: Replay) -> None:
        self.name = teacher.name

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        asked = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
        raise TeacherError(
            f"no answer of {self.name!r} is recorded for sample {request.sample} of {asked[:80]!r} …",
            remedy="was it asked with this prompt and this sampling? Name the store with --calls",
        )

    async def close(self) -> None:
        """Nothing was begun."""


def scripted(name: str) -> Any:
    """The function of a `Scripted`. Raises: RecipeError if there is none of the name."""
    path, _, function = name.rpartition(":")
    try:
        module = module_from_file(Path(path)) if path.endswith(".py") else importlib.import_module(path)
        return getattr(module, function)
    except (ImportError, AttributeError, ValueError) as error:
        raise RecipeError(
            f"there is no function {name!r}", remedy="module:function or path/to/file.py:function"
        ) from error


def named(text: str, **sampling: Any) -> Teacher:
    """A teacher as people write it: MODEL, MODEL@URL, local:FOLDER, script:FILE.py:FUNCTION, or replay: before any of
    these. `replay:local:sha256:DIGEST` is a local one whose folder is not here.

    >>> named("qwen@http://127.0.0.1:8000/v1", temperature=0.5).base_url
    'http://127.0.0.1:8000/v1'
    """
    kind, _, rest = text.partition(":")
    if kind == "local" and rest:
        digest = rest.removeprefix(DIGEST)
        return Local(rest, sampling) if digest == rest else Local("", sampling, digest=digest)
    if kind == "script" and rest:
        return Scripted(rest, sampling=sampling)
    if kind == "replay" and rest:
        of = named(rest, **sampling)
        assert not isinstance(of, Replay)
        return Replay(of)
    model, _, url = text.partition("@http")
    if not model:
        raise RecipeError(f"{text!r} names no teacher", remedy="MODEL@URL, local:FOLDER or script:FILE.py:FUNCTION")
    return Endpoint(model, f"http{url}" if url else "", sampling)
