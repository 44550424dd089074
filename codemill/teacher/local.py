"""A Hugging Face folder as a teacher, through `transformers`: extra `local-teacher`.

Requests with the same sampling are answered in batches, prompts of similar length together. Noise comes from a hash of
each request and the number of the token (the largest of logits plus Gumbel noise is a draw from the softmax), so an
answer depends on its own request alone, up to what floating point does in another batch. `top_p` cuts before the draw.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import math
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from codemill.errors import EnvironmentProblem, InputError, RecipeError
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


class Model:
    """Answers in the place of a server. To be made inside a running event loop.

    Raises: EnvironmentProblem if the extra is not installed; InputError if the folder cannot be loaded.
    """

    def __init__(self, folder: str, *, name: str, batch: int, device: str, dtype: str) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise EnvironmentProblem(
                f"a local teacher needs the package {error.name}", remedy="pip install codemill[local-teacher]"
            ) from error
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
            # A worker has one thread, for there is one for each core. All conversations of a run are in this one.
            torch.set_num_threads(len(os.sched_getaffinity(0)))
        loaded: Any = model  # transformers wraps `to` in a way that its types do not follow
        self.model = loaded.to(self.device).eval()
        self.cache = transformers.DynamicCache
        forward = inspect.signature(type(self.model).forward).parameters
        self.cache_name = "cache" if "cache" in forward else "past_key_values"  # before transformers 5.24
        self.most = int(getattr(self.model.config, "max_position_embeddings", 1 << 30))
        self.pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else 0
        said = self.model.generation_config
        self.sampling = (float(said.temperature or 1), float(said.top_p or 1)) if said.do_sample else (0.0, 1.0)
        ends = said.eos_token_id
        self.ends = set(ends if isinstance(ends, list) else [ends]) - {None}
        self._waiting: list[tuple[Mapping[str, Any], list[int], int, asyncio.Future[dict[str, Any]]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    async def ask(self, request: Request, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        """See `teachers.Answering`."""
        if unknown := set(body) - KNOWN:
            raise RecipeError(f"a local teacher does not know {', '.join(sorted(unknown))}", remedy="leave it out")
        if "prompt" in body:
            tokens = self.tokenizer(body["prompt"])["input_ids"]
        elif self.tokenizer.chat_template is None:
            raise RecipeError("this model has no chat template", remedy="ask it with Request(…, complete=True)")
        else:
            text = self.tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True)
            tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(tokens) + body.get("max_tokens", MOST_TOKENS) > self.most:
            raise TooLong(f"{len(tokens)} tokens of prompt and the answer do not fit into {self.most}")
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
            first = self._sampling(self._waiting[0][0])
            same = [one for one in self._waiting if self._sampling(one[0]) == first]
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

    def _sampling(self, body: Mapping[str, Any]) -> tuple[Any, ...]:
        """Temperature, top_p and the most tokens: the request's, or the model's own."""
        temperature, top_p = self.sampling
        most = body.get("max_tokens", MOST_TOKENS)
        return (body.get("temperature", temperature), body.get("top_p", top_p), most)

    def _generate(self, batch: list[tuple[Mapping[str, Any], list[int], int]]) -> list[dict[str, Any]]:
        """The answers to requests with the same sampling: body, tokens, and the seed of the noise of each."""
        torch = self.torch
        temperature, top_p, most = self._sampling(batch[0][0])
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
        self.stops = [body["stop"]] if isinstance(body.get("stop"), str) else list(body.get("stop") or ())
        wanted = body.get("logprobs")
        self.wanted = None if wanted is None or wanted is False else body.get("top_logprobs", 0)
        if "prompt" in body and isinstance(wanted, int):
            self.wanted = wanted

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _decode(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def add(self, token: int, logprobs: Any, ends: set[int]) -> int:
        """Takes a token that the model chose and gives the one that stands in its place; `finish`: it was the last."""
        ended = token in ends
        if self.guide is not None:
            guided = self.guide.token(token, ended=ended)
            ended, token = guided is None, token if guided is None else guided
        if ended:
            self.finish = "stop"
            return token
        self.tokens.append(token)
        if self.wanted is not None:
            best = logprobs.topk(self.wanted) if self.wanted else None
            top = [] if best is None else zip(best.indices.tolist(), best.values.tolist(), strict=True)
            self.logprobs.append(
                {
                    "token": self.tokenizer.decode([token]),
                    "logprob": float(logprobs[token]),
                    "top_logprobs": [{"token": self.tokenizer.decode([t]), "logprob": value} for t, value in top],
                }
            )
        if self.stops:
            self.text = self._decode(self.tokens)
            found = [at for stop in self.stops if (at := self.text.find(stop)) >= 0]
            if found:
                self.text, self.finish = self.text[: min(found)], "stopped"
        return token

    def answer(self, model: str) -> dict[str, Any]:
        """In OpenAI's format."""
        cut = self.finish == "stopped"
        text = self.text if cut else self._decode(self.tokens)
        finish = "stop" if self.finish else "length"
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish}
        if "prompt" in self.body:
            choice["text"] = text
            if self.wanted is not None:
                choice["logprobs"] = {
                    "tokens": [t["token"] for t in self.logprobs],
                    "token_logprobs": [t["logprob"] for t in self.logprobs],
                    "top_logprobs": [{o["token"]: o["logprob"] for o in t["top_logprobs"]} for t in self.logprobs],
                }
        else:
            choice["message"] = {"role": "assistant", "content": text}
            if self.wanted is not None:
                choice["logprobs"] = {"content": self.logprobs}
        usage = {"prompt_tokens": len(self.prompt), "completion_tokens": len(self.tokens)}
        return {"model": model, "choices": [choice], "usage": usage}


def _seed(body: Mapping[str, Any], sample: int) -> int:
    """Of the noise of a request."""
    return int.from_bytes(key_of([body, sample])[:7], "big")
