"""The model's card: what it is, what it was trained on and how, all of it from what the run wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from codemill.model.config import Config

MARKS = " ▁▂▃▄▅▆▇█"

UNSCORED = "Scores are not measured by training: see `codemill evaluate`."
"""What a card says until a release puts scores in its place."""


def write(folder: Path, stage: str, facts: Mapping[str, Any]) -> None:
    """Writes README.md into the folder of a model that `loop.train` made.

    `facts`: of the data (`inputs`, as mix.json has them, or `chats`), and what each was made from (`corpora`).
    """
    config = Config.from_folder(folder)
    training = json.loads((folder / "training.json").read_text("utf-8"))
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    (folder / "README.md").write_text(_card(stage, config, training, metrics, facts), "utf-8")


def _card(
    stage: str,
    config: Config,
    training: Mapping[str, Any],
    metrics: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> str:
    schedule, optimizer, ran = training["schedule"], training["optimizer"], training["ran_on"]
    losses = [float(one["loss"]) for one in metrics]
    betas, clip = tuple(optimizer["betas"]), optimizer["clip"]
    rates = f"{schedule['peak']:g} to {schedule['final']:g}, warm-up {schedule['warmup']:,}, decay {_decay(schedule)}"
    model = {
        "layers": config.layers,
        "hidden": config.hidden,
        "heads / key-value heads": f"{config.heads} / {config.kv_heads}",
        "head": config.head_dim,
        "feed-forward": config.ffn,
        "vocabulary": f"{config.vocabulary:,}",
        "context": f"{config.context:,}",
        "RoPE theta": f"{config.theta:g}",
        "tied embeddings": "yes" if config.tied else "no",
    }
    how = {
        "steps": f"{training['steps']:,}",
        "batch": f"{training['batch']:,}",
        "length": f"{training['length']:,}",
        "tokens seen": f"{training['tokens']:,}",
        "learning rate": rates,
        "optimizer": f"{optimizer['name']}, betas {betas}, weight decay {optimizer['decay']:g}, clipping {clip:g}",
        "checkpoints averaged": training["averaged_checkpoints"],
        "ran on": f"{ran['device']}, ranks {ran['ranks']}, threads {ran['threads']}, torch {ran['torch']}",
    }
    lines = [
        *(
            "---",
            "library_name: transformers",
            "pipeline_tag: text-generation",
            f"tags: [codemill, {stage}]",
            "---",
            "",
        ),
        *(f"# A model of {config.parameters:,} parameters ({stage})", ""),
        *("Loads with `transformers`, as LlamaForCausalLM. Made by codemill; the run wrote this page.", ""),
        *("## The model", "", *grid(model), "", "## The data", "", *_data(facts), ""),
        *("## The training", "", *grid(how)),
    ]
    if losses:
        lines += ["", f"Loss (nats per token), {losses[0]:.3f} to {losses[-1]:.3f}: `{curve(losses)}`"]
    if held := [float(one["held_out"]) for one in metrics if "held_out" in one]:
        of = f"on {training['held_out']['targets']:,} held-out tokens, {held[0]:.3f} to {held[-1]:.3f}"
        lines += ["", f"Loss {of}: `{curve(held)}`"]
    return "\n".join([*lines, "", UNSCORED, ""])


def _decay(schedule: Mapping[str, Any]) -> str:
    steps = schedule["decay"]
    return "none" if steps == 0 else f"{schedule['shape']} over {'all steps' if steps is None else f'{steps:,} steps'}"


def _data(facts: Mapping[str, Any]) -> list[str]:
    if "chats" in facts:
        counts = facts["chats"]
        return grid({name.replace("_", " "): f"{value:,}" for name, value in counts.items()})
    inputs = facts.get("inputs", ())
    weights = any(one.get("weight") for one in inputs)
    titles = ["input", "tokens it has", "taken", "epochs", *["weight"] * weights]
    lines = [f"| {' | '.join(titles)} |", "|---" + "|--:" * (len(titles) - 1) + "|"]
    for one in inputs:
        numbers = [f"{one['tokens']:,}", f"{one['taken']:,}", f"{one['epochs']:.2f}"]
        lines.append(f"| {' | '.join([one['name'], *numbers, *[str(one.get('weight') or '')] * weights])} |")
    for name, corpus in facts.get("corpora", {}).items():
        kept, found = corpus["kept"], corpus["ingested"]
        lines += [
            "",
            f"{name}: {kept['rows']:,} of {found['rows']:,} documents were kept, {(kept['bytes'] or 0) / 1e6:,.1f} MB.",
        ]
        if corpus["dropped"]:
            lines += ["", "| dropped by | reason | documents |", "|---|---|--:|"]
            lines += [f"| {step} | {reason} | {count:,} |" for step, reason, count in corpus["dropped"]]
    return lines


def grid(rows: Mapping[str, Any]) -> list[str]:
    """Names and values as lines of a table in Markdown."""
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]


def curve(values: Sequence[float], width: int = 60) -> str:
    """Values as a line of bars, the mean of each piece of them.

    >>> curve([0, 1, 2, 3, 4, 5, 6, 7, 8], 9)
    ' ▁▂▃▄▅▆▇█'
    """
    width = min(width, len(values))
    edges = [len(values) * i // width for i in range(width + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    return "".join(MARKS[round((mean - low) / ((high - low) or 1) * (len(MARKS) - 1))] for mean in means)
