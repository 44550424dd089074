"""Starts a training run: in this process, or with `torchrun` in one for each rank."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from codemill import errors
from codemill.errors import EnvironmentProblem
from codemill.model.job import Job, need


def launch(job: Job) -> dict[str, float]:
    """Trains, and returns counts for the books: see `loop.train`."""
    need("torch", "safetensors", "tokenizers")
    count = job.how.hardware.ranks or _gpus(job)
    if count <= 1:
        from codemill.model.loop import train

        return train(job)
    with tempfile.TemporaryDirectory(prefix="codemill-train-") as name:
        told, result = Path(name) / "job.json", Path(name) / "result.json"
        told.write_text(json.dumps(job.to_json()), "utf-8")
        command = [
            sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}",
            "-m", "codemill.model.loop", str(told), str(result),
        ]  # fmt: skip
        environment = {"OMP_NUM_THREADS": str(job.how.hardware.threads or 1), **os.environ}
        status = subprocess.run(command, env=environment, preexec_fn=_die_with_us, check=False).returncode
        if not result.exists():
            what = f"the ranks ended with status {status} before they had a result"
            raise EnvironmentProblem(what, where=job.out, remedy="their messages are above")
        told_back = json.loads(result.read_text("utf-8"))
    if "error" in told_back:
        kind, what, where, remedy = told_back["error"]
        raise getattr(errors, kind)(what, where=where, remedy=remedy)
    counts: dict[str, float] = told_back["counts"]
    return counts


def _gpus(job: Job) -> int:
    if job.how.hardware.device == "cpu":
        return 1
    import torch

    return max(1, torch.cuda.device_count())


def _die_with_us() -> None:
    """Whoever kills this process stops the ranks too: they would go on writing beside the next run."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
