"""A Hugging Face folder as a teacher: by our own generation if it is Llama-shaped, else through `transformers`.

What is drawn comes from a hash of each request, so an answer depends on its own request alone, up to what floating
point does in another batch. `top_p` cuts before the draw.

    Ours     `model.batches`: requests join those that are being answered                     extra `train`
    Theirs   requests with the same sampling in batches, prompts of similar length together   extra `local-teacher`
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

from codemill.errors import EnvironmentProblem, InputError, RecipeError
from codemill.model import Config
from codemill.teacher.calls import key_of
from codemill.teacher.conversation import Request, TooLong
from codemill.teacher.guided import Guide

MOST_TOKENS = 512
"""Of an answer, where neither request nor teacher says."""

WINDOW = 0.02  # seconds that a batch waits for more requests
KNOWN = frozenset({"model", "messages", "prompt", "temperature", "top_p", "max_tokens", "seed", "stop", "logprobs",
                   "top_logprobs", "sections"})  # fmt: skip


def digest(folder: Path) -> str:
    """16 hex digits for the weights, the configuration and the tokenizer of a folder.

    Weights are safetensors and nothing else: other files of weights run code when they are loaded, and are left alone.

    Raises: InputError if the folder holds no model, or none in safetensors.
    """
    if not (folder / "config.json").is_file():
        raise InputError("there is no Hugging Face model here: no config.json", where=folder)
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            "the weights of this model are not in safetensors",
            where=folder,
            remedy="load it once and save it with model.save_pretrained(folder, safe_serialization=True)",
        )
    hash = hashlib.sha256()
    endings = (".json", ".safetensors", ".model", ".jinja", ".txt")
    for file in sorted(p for p in folder.iterdir() if p.suffix in endings and p.is_file()):
        hash.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with open(file, "rb") as stream:
            while chunk := stream.read(1 << 20):
                hash.update(chunk)
    return hash.hexdigest()[:16]


def opened(folder: str, *, name: str, batch: int, device: str, dtype: str) -> Ours | Theirs:
    """What answers in the place of a server. To be called inside a running event loop.

    Raises: EnvironmentProblem if the extra is not installed; InputError if the folder cannot be loaded.
    """
    try:
        Config.from_folder(folder)
        known = (Path(folder) / "tokenizer.json").is_file()
    except InputError:  # of another architecture
        known = False
    return (Ours if known else Theirs)(folder, name=name, batch=batch, device=device, dtype=dtype)


def _lacks(error: ImportError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"a local teacher needs the package {error.name}", remedy="pip install codemill[local-teacher]"
    )


def _every_core() -> None:
    """A worker has one thread, for there is one for each core. All conversations of a run are in this one."""
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))


Sampling: TypeAlias = tuple[float, float]  # temperature and top_p


def _sampling(folder: str) -> Sampling:
    """How a model is to be asked, by its own generation_config.json: greedily if that does not say otherwise."""
    file = Path(folder) / "generation_config.json"
    try:
        said = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return (float(said.get("temperature", 1)), float(said.get("top_p", 1))) if said.get("do_sample") else (0.0, 1.0)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"the file does not say how to sample: {error}", where=file) from error


def _settings(body: Mapping[str, Any], sampling: Sampling) -> tuple[float, float, int]:
    """Temperature, top_p and the most tokens of a request, or else the model's own.

    Raises: RecipeError for fields that are not known.
    """
    if unknown := set(body) - KNOWN:
        raise RecipeError(f"a local teacher does not know {', '.join(sorted(unknown))}", remedy="leave it out")
    temperature, top_p = sampling
    return body.get("temperature", temperature), body.get("top_p", top_p), body.get("max_tokens", MOST_TOKENS)


def _fits(tokens: int, answer: int, most: int) -> None:
    if tokens + answer > most:
        raise TooLong(f"{tokens} tokens of prompt and the answer do not fit into {most}")


def _stops(body: Mapping[str, Any]) -> list[str]:
    return [body["stop"]] if isinstance(body.get("stop"), str) else list(body.get("stop") or ())


def _wanted(body: Mapping[str, Any]) -> int | None:
    """How many of the likeliest tokens come with each token's log-probability; None: no log-probabilities."""
    wanted = body.get("logprobs")
    if wanted is None or wanted is False:
        return None
    return wanted if "prompt" in body and isinstance(wanted, int) else body.get("top_logprobs", 0)


class Ours:
    """A Llama-shaped folder, by `model.generate`."""

    def __init__(self, folder: str, *, name: str, batch: int, device: str, dtype: str) -> None:
        try:
            from codemill.model.batches import Batches
            from codemill.model.generate import Ask, Generator
        except ImportError as error:
            raise _lacks(error) from error
        try:
            self.generator = Generator(folder, device=device or "auto", dtype=dtype)
        except (InputError, AttributeError) as error:
            what = error.what if isinstance(error, InputError) else str(error)
            raise InputError(f"the model cannot be loaded: {what}", where=folder) from error
        if self.generator.device.type == "cpu":
            _every_core()
        self.name, self.ask_of, self.batches = name, Ask, Batches(self.generator, batch)
        self.sampling = _sampling(folder)

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        """See `teachers.Answering`."""
        temperature, top_p, most = _settings(body, self.sampling)
        template = self.generator.template
        if "prompt" in body:
            tokens = template.ids(body["prompt"], special=True)
        elif not template.source:
            raise RecipeError("this model has no chat template", remedy="ask it with Request(…, complete=True)")
        else:
            tokens = template.encode(body["messages"], prompt=True).tokens.tolist()
        _fits(len(tokens), most, self.generator.context)
        began, stops, wanted = time.monotonic(), _stops(body), _wanted(body)
        guide = Guide(body["sections"], template.ids, template.decode) if body.get("sections") else None
        ask = self.ask_of(
            tuple(tokens), most, temperature, top_p, tuple(stops), _seed(body, request.sample), min(wanted or 0, 20),
            steer=guide.token if guide else None,
        )  # fmt: skip
        made = await self.batches.whole(ask)
        finish = made[-1].finish or "length"
        text = "".join(token.text for token in made)
        if made[-1].id in self.generator.ends:
            made = made[:-1]
        named = [(token.id, token.logprob, token.top) for token in made]
        logprobs = None if wanted is None else [_logprob(self._decoded, *one) for one in named]
        answer = _answer(body, self.name, text, finish, logprobs, len(tokens), len(made))
        return answer, "local", time.monotonic() - began

    def _decoded(self, token: int) -> str:
        return self.generator.template.decode([token], special=True)

    async def close(self) -> None:
        """Ends the thread of the model."""
        await asyncio.to_thread(self.batches.leave)


class Theirs:
    """Any causal language model, by `transformers`."""

    def __init__(self, folder: str, *, name: str, batch: int, device: str, dtype: str) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise _lacks(error) from error
        self.torch, self.name, self.batch = torch, name, batch
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=getattr(torch, dtype), trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(f"the model cannot be loaded: {error}", where=folder) from error
        if self.device == "cpu":
            _every_core()
        loaded: Any = model  # transformers wraps `to` in a way that its types do not follow
        self.model = loaded.to(self.device).eval()
        self.cache = transformers.DynamicCache
        forward = inspect.signature(type(self.model).forward).parameters
        self.cache_name = "cache" if "cache" in forward else "past_key_values"  # before transformers 5.24
        self.most = int(getattr(self.model.config, "max_position_embeddings", 1 << 30))
        self.pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else 0
        self.sampling = _sampling(folder)
        ends = self.model.generation_config.eos_token_id
        self.ends = set(ends if isinstance(ends, list) else [ends]) - {None}
        self._waiting: list[tuple[Mapping[str, Any], list[int], int, asyncio.Future[dict[str, Any]]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        """See `teachers.Answering`."""
        *_, most = _settings(body, self.sampling)
        if "prompt" in body:
            tokens = self.tokenizer(body["prompt"])["input_ids"]
        elif self.tokenizer.chat_template is None:
            raise RecipeError("this model has no chat template", remedy="ask it with Request(…, complete=True)")
        else:
            text = self.tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True)
            tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        _fits(len(tokens), most, self.most)
        began = time.monotonic()
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, tokens, _seed(body, request.sample), answered))
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())
        return await answered, "local", time.monotonic() - began

    async def _work(self) -> None:
        """Answers what waits, a batch at a time."""
        await asyncio.sleep(WINDOW)
        while self._waiting:
            first = _settings(self._waiting[0][0], self.sampling)
            same = [one for one in self._waiting if _settings(one[0], self.sampling) == first]
            batch = sorted(same[: 4 * self.batch], key=lambda one: len(one[1]))[: self.batch]
            if self._waiting[0] not in batch:  # nobody waits for ever
                batch[-1] = self._waiting[0]
            taken = {id(one[3]) for one in batch}
            self._waiting = [one for one in self._waiting if id(one[3]) not in taken]
            loop = asyncio.get_running_loop()
            try:
                answers = await loop.run_in_executor(self._thread, self._generate, [one[:3] for one in batch])
            except Exception as error:
                for *_, future in batch:
                    future.set_exception(error)
                continue
            for (*_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    def _generate(self, batch: list[tuple[Mapping[str, Any], list[int], int]]) -> list[dict[str, Any]]:
        """The answers to requests with the same sampling: body, tokens, and the seed of the noise of each."""
        torch = self.torch
        temperature, top_p, most = _settings(batch[0][0], self.sampling)
        longest = max(len(tokens) for _, tokens, _ in batch)
        ids = torch.full((len(batch), longest), self.pad, device=self.device)
        mask = torch.zeros_like(ids)
        for row, (_, tokens, _) in enumerate(batch):
            ids[row, longest - len(tokens) :] = torch.tensor(tokens, device=self.device)
            mask[row, longest - len(tokens) :] = 1
        generators = [torch.Generator(self.device).manual_seed(seed) for _, _, seed in batch]
        made = [_Made(self.tokenizer, body, tokens) for body, tokens, _ in batch]
        cache, step = self.cache(config=self.model.config), ids
        with torch.inference_mode():
            for _ in range(most):
                places = (mask.cumsum(-1) - 1).clamp(min=0)[:, -step.shape[1] :]
                out = self.model(
                    input_ids=step, attention_mask=mask, position_ids=places, use_cache=True, logits_to_keep=1,
                    **{self.cache_name: cache},
                )  # fmt: skip
                logits = out.logits[:, -1].float()
                chosen = self._chosen(logits, temperature, top_p, generators)
                logprobs = torch.log_softmax(logits, -1)
                step = torch.tensor(
                    [
                        [self.pad if one.finish else one.add(token, logprobs[row], self.ends)]
                        for row, (one, token) in enumerate(zip(made, chosen.tolist(), strict=True))
                    ],
                    device=self.device,
                )
                if all(one.finish for one in made):
                    break
                mask = torch.cat([mask, torch.ones_like(step)], 1)
        return [one.answer(self.name) for one in made]

    def _chosen(self, logits: Any, temperature: float, top_p: float, generators: list[Any]) -> Any:
        """The next token of each row: the likeliest, or a draw."""
        torch = self.torch
        if not temperature:
            return logits.argmax(-1)
        logits = logits / temperature
        if top_p < 1:
            ordered, order = logits.sort(descending=True)
            shares = ordered.softmax(-1)
            ordered = ordered.masked_fill(shares.cumsum(-1) - shares >= top_p, -math.inf)
            logits = torch.full_like(logits, -math.inf).scatter(-1, order, ordered)
        noise = torch.stack([torch.rand(logits.shape[-1], generator=g, device=self.device) for g in generators])
        return (logits - torch.log(-torch.log(noise.clamp(1e-12, 1 - 1e-7)))).argmax(-1)

    async def close(self) -> None:
        """Ends the thread of the model."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class _Made:
    """An answer that is being made."""

    def __init__(self, tokenizer: Any, body: Mapping[str, Any], prompt: list[int]) -> None:
        self.tokenizer, self.body, self.prompt = tokenizer, body, prompt
        self.tokens: list[int] = []
        self.logprobs: list[dict[str, Any]] = []
        self.text, self.finish = "", ""
        self.guide = Guide(body["sections"], self._encode, self._decode) if body.get("sections") else None
        self.stops, self.wanted = _stops(body), _wanted(body)

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _decode(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def add(self, token: int, logprobs: Any, ends: set[int]) -> int:
        """Takes a token that the model chose and gives the one that stands in its place; `finish`: it was the last."""
        ended = token in ends
        if self.guide is not None:
            guided = self.guide.token(token, ended)
            ended, token = guided is None, token if guided is None else guided
        if ended:
            self.finish = "stop"
            return token
        self.tokens.append(token)
        if self.wanted is not None:
            best = logprobs.topk(self.wanted) if self.wanted else None
            top = [] if best is None else list(zip(best.indices.tolist(), best.values.tolist(), strict=True))
            self.logprobs.append(_logprob(self._decoded, token, float(logprobs[token]), top))
        if self.stops:
            self.text = self._decode(self.tokens)
            found = [at for stop in self.stops if (at := self.text.find(stop)) >= 0]
            if found:
                self.text, self.finish = self.text[: min(found)], "stopped"
        return token

    def _decoded(self, token: int) -> str:
        return str(self.tokenizer.decode([token]))

    def answer(self, model: str) -> dict[str, Any]:
        """In OpenAI's format."""
        cut = self.finish == "stopped"
        text = self.text if cut else self._decode(self.tokens)
        logprobs = None if self.wanted is None else self.logprobs
        finish = "stop" if self.finish else "length"
        return _answer(self.body, model, text, finish, logprobs, len(self.prompt), len(self.tokens))


def _logprob(
    decoded: Callable[[int], str], token: int, logprob: float, top: Sequence[tuple[int, float]]
) -> dict[str, Any]:
    others = [{"token": decoded(other), "logprob": value} for other, value in top]
    return {"token": decoded(token), "logprob": logprob, "top_logprobs": others}


def _answer(
    body: Mapping[str, Any],
    model: str,
    text: str,
    finish: str,
    logprobs: Sequence[Mapping[str, Any]] | None,
    asked: int,
    said: int,
) -> dict[str, Any]:
    """An answer in OpenAI's format. `asked` and `said` are tokens of the prompt and of the answer."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": finish}
    if "prompt" in body:
        choice["text"] = text
        if logprobs is not None:
            choice["logprobs"] = {
                "tokens": [t["token"] for t in logprobs],
                "token_logprobs": [t["logprob"] for t in logprobs],
                "top_logprobs": [{o["token"]: o["logprob"] for o in t["top_logprobs"]} for t in logprobs],
            }
    else:
        choice["message"] = {"role": "assistant", "content": text}
        if logprobs is not None:
            choice["logprobs"] = {"content": logprobs}
    usage = {"prompt_tokens": asked, "completion_tokens": said}
    return {"model": model, "choices": [choice], "usage": usage}


def _seed(body: Mapping[str, Any], sample: int) -> int:
    """Of the noise of a request."""
    return int.from_bytes(key_of([body, sample])[:7], "big")
