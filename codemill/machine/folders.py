"""Runs a step that makes files, and gives each of them a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codemill.errors import BuildError
from codemill.machine.reading import OutFolder, Reading, files_of, receipt_of
from codemill.machine.store import Place
from codemill.machine.table import Call


def make_folder(call: Call, read: Sequence[Reading], place: Place) -> dict[str, Any]:
    """Calls the step's function with its inputs and the folder, and reads what it wrote for the receipts.

    What is in the folder from a run that was killed stays there: the function may go on from it.
    """
    call.check()
    place.make()
    out = OutFolder(place)
    counts = call.step.function(*read, out=out, **call.params)
    if not isinstance(counts, Mapping) or not all(isinstance(n, int | float) for n in counts.values()):
        raise BuildError(f"the step returned {type(counts).__name__}, not counts by name", where=call.step.name)
    files = list(files_of(out.path))
    if not files:
        raise BuildError("the step wrote no file", where=call.step.name)
    return {"counts": dict(counts), "files": {name: receipt_of(out.path, name, {}) for name in files}}
