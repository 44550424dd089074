"""What a run is warned of that keeps nothing, or found nothing in one of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def warnings(manifest: Mapping[str, Any]) -> list[str]:
    """What a run's counts say that nobody can have meant: an input without a file, a corpus without a row.

    Of an empty corpus it says what most files were dropped for: the three most frequent reasons, with their steps.
    """
    found = [
        f"an input held no file: {given['source'].get('root') or given['source'].get('path') or given['source']}"
        for given in manifest["inputs"]
        if not given["files"]
    ]
    for step in manifest["steps"]:
        if lacking := step.get("counts", {}).get("inputs_without_tokens"):
            found.append(f"{lacking:,} of the inputs of the mix had no tokens and were left out: mix/mix.json")
    stack = first_output(manifest)
    if manifest["kept"]["rows"] or stack[-1]["kind"] == "folder":
        return found
    if not manifest["ingested"]["rows"]:
        if manifest["inputs"]:
            return [*found, "the corpus is empty: the inputs held no file"]
        return [*found, f"{next(iter(manifest['outputs']))} is empty: no row came to it; `codemill show` says why"]
    lost = [(d["rows"], f"{reason} ({entry['name']})") for entry in stack for reason, d in entry["dropped"].items()]
    lost.sort(key=lambda item: -item[0])
    rest = sum(rows for rows, _ in lost[3:])
    said = [f"{rows:,} {what}" for rows, what in lost[:3]] + ([f"{rest:,} for other reasons"] if rest else [])
    return [
        *found,
        f"the corpus is empty: of {manifest['ingested']['rows']:,} files all were dropped: {', '.join(said)}",
    ]


def first_output(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps of a run's first output, which its counts are about, the one that made it last."""
    return [manifest["steps"][number] for number in next(iter(manifest["outputs"].values()))["chain"]]
