"""LiveCodeBench: dated problems of contests, some newer than a model (Jain et al. 2024, arXiv 2403.07974)."""

from __future__ import annotations

import base64
import binascii
import io
import json
import pickle
import zlib
from typing import Any, NoReturn

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Case, Task
from codemill.errors import InputError

UNPACKED_BYTES = 1 << 28
"""The most that the private tests of one problem may unpack to: 256 MiB."""


def read(row: Row) -> Task:
    """A problem. Its tests stay packed, for they are large: `cases(task)` unpacks them."""
    about = row.json("metadata") or {}
    starter = row.text("starter_code", "")
    return Task(
        benchmark="livecodebench",
        id=row.key("question_id"),
        language="python",
        kind="write",
        prompt=row.text("question_content"),
        entry_point=str(about.get("func_name", "")) if isinstance(about, dict) else "",
        shown=starter,
        more=row.rest(),
    )


def cases(task: Task) -> tuple[Case, ...]:
    """The tests of a problem, public ones first. Raises: InputError if they are not what is published."""
    try:
        public = json.loads(task.more["public_test_cases"])
        private = _private(task.more["private_test_cases"])
        return tuple(Case(one["input"], one["output"], one["testtype"] == "functional") for one in [*public, *private])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the tests cannot be unpacked: {error}", where=task.id) from error


def _private(text: str) -> list[Any]:
    """JSON, or base64 of zlib of a pickle that is one string of JSON."""
    try:
        return list(json.loads(text))
    except ValueError:
        pass
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(text, validate=True), UNPACKED_BYTES)
        if not unpacker.eof:
            raise ValueError(f"more than {UNPACKED_BYTES:,} bytes, or a torn end")
        return list(json.loads(_Strings(io.BytesIO(data)).load()))
    except (binascii.Error, zlib.error, pickle.UnpicklingError, EOFError, AttributeError, IndexError) as error:
        raise ValueError(str(error)) from error


class _Strings(pickle.Unpickler):
    """Reads a pickle of plain values. It may name nothing: a name would be imported, and could be called."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"the pickle names {module}.{name}")


BENCHMARK = Benchmark(
    name="livecodebench",
    title="LiveCodeBench",
    languages="Python",
    published="https://huggingface.co/datasets/livecodebench/code_generation_lite",
    licence="CC, statements are the contest sites'",
    shapes=(frozenset({"question_content", "question_id", "platform", "public_test_cases", "private_test_cases"}),),
    read=read,
    counts=(400, 511, 612, 713, 880, 1055),
    note="no answers are published",
)
