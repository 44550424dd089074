"""Calls of a Python function: inputs come in, outputs go out; what is right is not known here.

Nothing that the program does to this process can make a wrong answer right: it can only send other data.
"""

from __future__ import annotations

import json
import os
import traceback
from typing import Any

from . import script, values


def preload() -> None:
    """Nothing beyond what scripts use."""


def main(fds: list[int]) -> None:
    """Runs the program, then its calls; writes one line of JSON for each."""
    job = script.read(fds[0])
    channel = open(fds[1], "wb", buffering=0)  # noqa: SIM115  # to the end of the process

    def say(*line: Any) -> None:
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[channel.write(data) or 0 :]

    namespace = script.fresh()
    try:
        code = compile(job["program"], script.FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        say("compile", f"{type(error).__name__}: {error}")
        os._exit(0)
    try:
        exec(code, namespace)
    except Exception as error:
        traceback.print_exc()
        say("import", type(error).__name__, _text(error))
        script.leave(0)
    function = namespace.get(job["entry_point"])
    if not callable(function):
        say("missing")
        script.leave(0)
        return
    say("ready")
    for number, (args, kwargs) in enumerate(job["calls"]):
        try:
            got = function(*values.decode(args), **values.decode(kwargs))
        except Exception as error:
            traceback.print_exc()
            say("raised", number, type(error).__name__, _text(error))
            continue
        try:
            say("gave", number, values.encode(got))
        except values.Opaque as error:
            say("opaque", number, str(error))
        except Exception as error:
            say("opaque", number, f"a value whose reading raises {type(error).__name__}")
    say("end")
    script.leave(0)


def _text(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except BaseException:
        return ""
