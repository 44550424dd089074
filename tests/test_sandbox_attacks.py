"""What programs try, on every rung that this machine has, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codemill.errors import EnvironmentProblem
from codemill.sandbox import Pool
from codemill.sandbox.rungs import SAFE
from tests import sandbox_attacks

SCRIPT = Path(sandbox_attacks.__file__)
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin", "HOME=/"]


def test_there_are_enough_attacks() -> None:
    attacks = [*sandbox_attacks.ESCAPES, *sandbox_attacks.FORGERIES, *sandbox_attacks.BOMBS]
    assert len(attacks) == len(set(attacks)) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("rung", SAFE)
@pytest.mark.parametrize("user", ["this user", "an ordinary user"])
def test_attacks_are_held(rung: str, user: str) -> None:
    if user == "this user":
        command = [sys.executable, str(SCRIPT), rung]
        try:
            Pool(1, rung=rung).close()
        except EnvironmentProblem as problem:
            pytest.skip(str(problem))
    else:
        if os.geteuid() != 0:
            pytest.skip("this user is one")
        if not Path("/usr/bin/python3").exists() or shutil.which("setpriv") is None:
            pytest.skip("needs setpriv and the system's Python")
        command = [*NOBODY, "/usr/bin/python3", str(SCRIPT), rung]
        if not all(os.stat(folder).st_mode & 0o001 for folder in SCRIPT.parents):
            pytest.skip("this checkout is closed to other users")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if "EnvironmentProblem" in done.stderr and user == "an ordinary user":
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) > 100
    assert [one for one in results if not one[2]] == []
