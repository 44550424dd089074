"""Trains a fastText model in a process of its own, where new memory is zero.

fastText 0.9.2 with one thread fills a tenth of its vectors with random numbers and leaves the others as their memory
was (`DenseMatrix::uniform` calls `uniformThread(a, 0, seed)`, which does block 0 of 10). In a process that has lived
for a while that is anything: two trainings differ, or end with "Encountered NaN". Here the C library fills what it
hands out with zeros, so the same examples and seed give the same bytes. (glibc does; with another one they may not.)
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from codemill.errors import BuildError, EnvironmentProblem

ZEROED = {"MALLOC_PERTURB_": "255", "GLIBC_TUNABLES": "glibc.malloc.perturb=255", "OMP_NUM_THREADS": "1"}
"""What tells glibc, older and newer, to fill new memory with the complement of 255."""


def train(target: str, **parameters: Any) -> None:
    """Trains with these parameters of `fasttext.train_supervised`, and saves the model.

    Raises: EnvironmentProblem if fastText is not installed; BuildError with what it said if it failed.
    """
    library()
    command = [sys.executable, "-m", __name__, json.dumps({"target": target, **parameters})]
    done = subprocess.run(command, env={**os.environ, **ZEROED}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"fastText failed: {done.stderr.strip()[-500:]}", where="recall.train")


def library() -> Any:
    """The module. Raises: EnvironmentProblem if it is not installed."""
    try:
        return importlib.import_module("fasttext")
    except ImportError as error:
        raise EnvironmentProblem("fasttext is not installed", remedy='pip install "codemill[web]"') from error


def _main(parameters: Mapping[str, Any]) -> None:
    given = dict(parameters)
    target = given.pop("target")
    library().train_supervised(**given).save_model(target)


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
