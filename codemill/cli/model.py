"""Verbs of models: what one says, what it is trained on, and an endpoint."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codemill.cli.shared import console
from codemill.errors import InputError

if TYPE_CHECKING:
    from codemill.model.generate import Generator

MODEL = click.argument("model", metavar="MODEL")
DEVICE = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
SAMPLING = (
    click.option("--max-tokens", type=click.IntRange(1), default=256, show_default=True),
    click.option("--temperature", type=click.FloatRange(0), default=0.0, show_default=True, help="0 is greedy."),
    click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True),
    click.option("--stop", multiple=True, help="A text before which the answer ends. Repeatable."),
    click.option("--seed", type=int, default=0, show_default=True),
)


def _sampling(command: Any) -> Any:
    for option in reversed(SAMPLING):
        command = option(command)
    return command


def _opened(model: str, device: str, *more: str) -> Generator:
    """The model of a run's folder, a checkpoint, or a folder of Hugging Face."""
    from codemill.model import checkpoints, job

    job.need("torch", "safetensors", "tokenizers", *more)
    from codemill.model.generate import Generator

    return Generator(checkpoints.find(Path(model), state=False), device=device)


@click.command()
@MODEL
@click.argument("prompts", metavar="PROMPT…", nargs=-1, required=True)
@click.option("--suffix", help="Fill in the middle: what stands after the answer.")
@click.option("--chat", "as_chat", is_flag=True, help="The prompt is a question in a chat, not a text to go on with.")
@_sampling
@DEVICE
@click.option("--json", "as_json", is_flag=True, help="As JSON lines, with tokens and log-probabilities.")
def generate(
    model: str, prompts: tuple[str, ...], suffix: str | None, as_chat: bool, device: str, as_json: bool, **how: Any
) -> None:
    """Continues each PROMPT, all in one batch. - reads one from stdin.

    MODEL is the --out folder of a training run, a checkpoint, or a Llama-shaped folder of Hugging Face.
    """
    by = _opened(model, device)
    from codemill.model.generate import Ask

    texts = [sys.stdin.read() if prompt == "-" else prompt for prompt in prompts]
    if as_chat:
        tokens = [by.chat([{"role": "user", "content": text}]) for text in texts]
    else:
        tokens = [tuple(by.template.ids(text)) if suffix is None else by.middle(text, suffix) for text in texts]
    settings = {"most": how.pop("max_tokens"), "stop": tuple(how.pop("stop")), **how}
    for text, answer in zip(texts, by.answers([Ask(t, **settings) for t in tokens]), strict=True):
        if as_json:
            made = [{"id": t.id, "logprob": t.logprob} for t in answer.tokens]
            print(json.dumps({"prompt": text, "text": answer.text, "finish": answer.finish, "tokens": made}))
        else:
            print(answer.text)


@click.command()
@MODEL
@click.option("--system", help="What is said before the chat.")
@_sampling
@DEVICE
def chat(model: str, system: str | None, device: str, **how: Any) -> None:
    """A chat with MODEL, line by line. An empty line or Ctrl-D ends it."""
    by = _opened(model, device)
    from codemill.model.generate import Ask

    settings = {"most": how.pop("max_tokens"), "stop": tuple(how.pop("stop")), **how}
    messages = [{"role": "system", "content": system}] if system else []
    while True:
        if sys.stdin.isatty():
            print("> ", end="", flush=True)
        asked = sys.stdin.readline().rstrip("\n")
        if not asked:
            return
        messages.append({"role": "user", "content": asked})
        said = ""
        for token in by.stream([Ask(by.chat(messages), **settings)]):
            print(token.text, end="", flush=True)
            said += token.text
        print(flush=True)
        messages.append({"role": "assistant", "content": said})


@click.command()
@MODEL
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1. [default: a free one]")
@click.option("--batch", type=click.IntRange(1), default=32, show_default=True, help="Requests answered together.")
@DEVICE
def serve(model: str, port: int, batch: int, device: str) -> None:
    """An OpenAI-compatible endpoint of MODEL on this machine: chat, completions, log-probabilities, streams."""
    by = _opened(model, device, "starlette", "uvicorn")
    from codemill.model.serve import serve as answer

    answer(by, port=port, most=batch, said=lambda address: print(address, flush=True))


@click.command()
@MODEL
@click.argument("chats", metavar="CHATS")
@click.option("--output", default="corpus", show_default=True, help="Which output of the run has the chats.")
@click.option("--length", type=click.IntRange(2), default=1500, show_default=True, help="Tokens at which one is cut.")
@click.option("--limit", type=click.IntRange(1), default=5, show_default=True, help="Chats that are shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines: tokens, and which are trained on.")
def masks(model: str, chats: str, output: str, length: int, limit: int, as_json: bool) -> None:
    """What of CHATS is trained on by the template of MODEL: in colour, or between » and «.

    CHATS is the --out folder of a run, or a file of JSON lines with `messages`, or `instruction` and `output`.
    """
    from rich.text import Text

    from codemill.model import checkpoints
    from codemill.steps.chats import Talker, encode

    talker = Talker(str(_tokenizer(model, checkpoints)))
    batch = _chats(chats, output, limit)
    form = "messages" if "messages" in batch.schema.names else "instruction"
    assert encode.check is not None
    encode.check(tokenizer=talker, length=length, form=form)  # a template that marks nothing is refused
    made = encode.function(batch, tokenizer=talker, length=length, form=form)
    from codemill.model.chats import Template

    template, screen = Template(talker.path), console()
    for row in made.to_pylist():
        if as_json:
            print(json.dumps({name: row[name] for name in ("tokens", "trained", "truncated", "reason")}))
            continue
        if row["reason"]:
            screen.print(f"dropped: {row['reason']}", style="red")
            continue
        text = Text()
        for trained, piece in _pieces(template, row["tokens"], row["trained"]):
            marked = f"»{piece}«" if trained and not screen.color_system else piece
            text.append(marked, style="bold green" if trained else "dim")
        screen.print(text)
        cut = ", cut" if row["truncated"] else ""
        screen.print(f"── {row['num_trained']:,} of {row['num_tokens']:,} tokens are trained on{cut} ──", style="cyan")


def _tokenizer(model: str, checkpoints: Any) -> Path:
    path = Path(model)
    return path if (path / "tokenizer.json").exists() else checkpoints.find(path, state=False)


def _pieces(template: Any, tokens: list[int], trained: list[bool]) -> Any:
    """Runs of tokens that are trained on, or not, as text."""
    from itertools import groupby

    pairs = zip(tokens, trained, strict=True)
    for kind, run in groupby(pairs, key=lambda pair: pair[1]):
        yield kind, template.decode([token for token, _ in run], special=True)


def _chats(chats: str, output: str, limit: int) -> Any:
    """The first chats of a run or a file."""
    import pyarrow as pa

    from codemill.steps.chats import FORMS

    if Path(chats).is_dir():
        from codemill.machine.layers import Part
        from codemill.machine.reading import Reading
        from codemill.sources import Published

        source = Published(chats, output)
        names = list(source.columns())
        pieces = source.pieces("masks")
        batches = Reading("masks", tuple(Part(f"part-{i:05d}", (p,)) for i, p in enumerate(pieces))).batches
        columns = next((list(c) for c in FORMS.values() if set(c) <= set(names)), None)
        if columns is None:
            raise InputError(f"there are no chats, only columns {', '.join(names)}", where=chats)
        found = next((batch for batch in batches(columns) if batch.num_rows), None)
        if found is None:
            raise InputError("there is no chat", where=chats)
        return found.slice(0, limit)
    try:
        with open(chats, encoding="utf-8") as file:
            lines = [json.loads(line) for _, line in zip(range(limit), file, strict=False)]
        batch = pa.RecordBatch.from_pylist(lines)
    except (OSError, ValueError, pa.ArrowException, AttributeError) as error:
        raise InputError(f"chats cannot be read: {error}", where=chats) from error
    if not any(set(columns) <= set(batch.schema.names) for columns in FORMS.values()):
        names = batch.schema.names
        raise InputError(f"there are no chats, only columns {', '.join(names) or 'none'}", where=chats)
    return batch


COMMANDS = (generate, chat, serve, masks)
