"""The whole cookbook, as far as the house stands, over a few files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from codemill.tokens import Encoder, Loader

ROOT = Path(__file__).resolve().parent.parent


def test_the_cookbook_runs_from_top_to_bottom_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "codemill"
    command.parent.mkdir()
    program = "import sys; from codemill.cli import main; sys.exit(main())"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}" "$@"\n')
    command.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OUT": "out",
        "INPUT": str(Path(sysconfig.get_path("stdlib")) / "email"),
        "STEPS": "24",
    }
    for expected in ("sequences", "nothing to do"):
        script = ["sh", str(ROOT / "examples" / "cookbook.sh")]
        done = subprocess.run(script, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
    out = tmp_path / "out"
    facts = json.loads((out / "mix" / "mix" / "mix.json").read_text())
    loader = Loader(out / "mix", [out / "tokens" / "tokens"])
    assert sum(sequence.real for sequence in loader) == facts["tokens"] > 10_000
    encoder = Encoder(out / "tokens" / "tokenizer")
    assert "import" in "".join(encoder.decode(sequence.tokens) for sequence in loader)
    model = json.loads((out / "instruct" / "model" / "config.json").read_text())
    assert model["vocab_size"] == encoder.vocabulary
    assert (out / "instruct" / "stage1" / "model.safetensors").exists()
