"""Loads the exports of a run with the trainers that they are for: does each take every name and number?

    python -m bench.handover --peer trl=PYTHON --peer axolotl=PYTHON --peer torchtitan=PYTHON \\
        --peer megatron=PYTHON:CHECKOUT [--write]

PYTHON is one that has the trainer; CHECKOUT a folder of Megatron-LM, whose parser of arguments is in no package. A
file is loaded by the trainer's own reader: TRL's SFTConfig, axolotl's AxolotlInputConfig, torchtitan's ConfigManager,
Megatron's parse_args and validate_args. `--write` keeps the names that each knows in `data/handover.json`, which a test
holds the exports against where no trainer is installed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.corpus import BenchError
from codemill.model import exports
from codemill.model.config import OPENCODER_1_5B
from codemill.model.job import Optimizer
from codemill.model.schedule import Schedule

SECONDS = 900  # for a trainer to import itself and read a file: minutes where other programs have the processors
NAMES = Path(__file__).parent / "data" / "handover.json"

_YAML = """
import dataclasses, json, sys, yaml
from importlib.metadata import version
facts = yaml.safe_load(open(sys.argv[1]))
"""

_TELL = """
print("\\n" + json.dumps({"version": told, "names": names, "values": values}, default=str), flush=True)
import os
os._exit(0)  # Megatron's threads keep an interpreter that ends waiting for minutes
"""

LOADERS = {
    "trl": _YAML
    + """
import trl
names = sorted({f.name for f in (*dataclasses.fields(trl.SFTConfig), *dataclasses.fields(trl.ScriptArguments),
    *dataclasses.fields(trl.ModelConfig))})
values = {name: value for name, value in facts.items() if name not in ("model_name_or_path", "dataset_name")}
made = trl.SFTConfig(**{**values, "bf16": False, "use_cpu": True, "report_to": "none"})
values = {name: getattr(made, name) for name in values}
told = version("trl")
""",
    "axolotl": _YAML
    + """
from axolotl.utils.schemas.config import AxolotlInputConfig
names = sorted(AxolotlInputConfig.model_fields)
made = AxolotlInputConfig(**facts)
values = {name: getattr(made, name) for name in facts if name in names}
told = version("axolotl")
""",
    "torchtitan": """
import ast, inspect, json, os, sys
from importlib.metadata import version
sys.path.insert(0, os.path.dirname(sys.argv[1]))
from torchtitan.config.manager import ConfigManager
made = ConfigManager().parse_args(["--module", "codemill_torchtitan", "--config", "codemill"])
import codemill_torchtitan, torch
names = {}
for node in ast.walk(ast.parse(open(sys.argv[1]).read())):
    if isinstance(node, ast.Call) and node.keywords and ast.unparse(node.func) != "load_dataset":
        called = ast.unparse(node.func)
        parameters = inspect.signature(eval(called, vars(codemill_torchtitan))).parameters.values()
        names[called] = sorted("**" if one.kind is one.VAR_KEYWORD else one.name for one in parameters)
with torch.device("meta"):
    model = made.model_spec.model.build()
values = {
    "steps": made.training.steps, "global_batch_size": made.training.global_batch_size,
    "decay_ratio": made.lr_scheduler.decay_ratio, "seed": made.debug.seed,
    "checkpoints": made.checkpoint.enable, "layers": len(made.model_spec.model.layers),
    "parameters": sum(parameter.numel() for parameter in model.parameters()),
}
told = version("torchtitan")
""",
    "megatron": """
import argparse, json, subprocess, sys
words = json.loads(sys.argv[1])
sys.path.insert(0, sys.argv[2])
sys.argv = words
from megatron.core.package_info import __version__ as told
from megatron.training.arguments import add_megatron_arguments, parse_args, validate_args
parser = add_megatron_arguments(argparse.ArgumentParser(allow_abbrev=False))
names = sorted(name for name in parser._option_string_actions if name.startswith("--"))
made = parse_args()
validate_args(made)
asked = [word[2:].replace("-", "_") for word in words[1:] if word.startswith("--")]
values = {name: getattr(made, name) for name in asked if hasattr(made, name)}
""",
}
"""Programs that a trainer's Python runs, with the file: they print its version, the names it knows and what it read."""

SHOWN = ("max_steps", "learning_rate", "gradient_accumulation_steps", "sample_packing", "lr_scheduler_type",
         "lr_scheduler", "steps", "global_batch_size", "decay_ratio", "seed", "parameters", "train_iters", "lr",
         "lr_wsd_decay_style", "lr_wsd_decay_iters")  # fmt: skip

OF = dict(zip(("trl", "axolotl", "megatron", "torchtitan"), exports.FILES, strict=True))


def annealed(folder: Path) -> Path:
    """Writes what exports read of a model, as OpenCoder's annealing left it, and returns its folder."""
    model = folder / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(OPENCODER_1_5B.to_json()))
    training = {
        "steps": 23_000,
        "batch": 1024,
        "length": 4096,
        "seed": 0,
        "schedule": dataclasses.asdict(Schedule(3e-4, 1e-5, decay=None)),
        "optimizer": dataclasses.asdict(Optimizer()),
    }
    (model / "training.json").write_text(json.dumps(training))
    return model


def words(script: Path) -> list[str]:
    """What megatron.sh would run, as the shell takes it apart, with one file of sequences."""
    text = script.read_text("utf-8").replace("exec ", "")
    stubs = "torchrun() { printf '%s\\n' \"$@\"; }; ls() { echo a-0.bin; }; "
    done = subprocess.run(["sh", "-c", stubs + text], capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n").split("\n")


def load(peer: str, python: str, folder: Path) -> dict[str, Any]:
    """Loads one export with its trainer. `python` of Megatron is PYTHON:CHECKOUT.

    Returns: the trainer's `version`, the `names` that it knows, and the `values` that it read. Raises: BenchError with
    the trainer's last words if it refuses.
    """
    file = folder / OF[peer]
    python, _, checkout = python.partition(":")
    given = [json.dumps(words(file)), os.path.abspath(checkout)] if peer == "megatron" else [str(file)]
    # One thread: else torch starts compilers, which outlive the program and keep its output open.
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    command = [python, "-c", LOADERS[peer] + _TELL, *given]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        try:
            done = subprocess.run(command, stdout=out, stderr=errors, env=env, check=False, cwd=folder, timeout=SECONDS)
        except (subprocess.TimeoutExpired, OSError) as error:
            raise BenchError(f"{peer} did not load {file.name}: {error}".replace(command[2], "…")) from error
        out.seek(0)
        errors.seek(0)
        if done.returncode:
            raise BenchError(f"{peer} refuses {file.name}: {(errors.read().strip().splitlines() or [''])[-1]}")
        found: dict[str, Any] = json.loads(out.read().strip().splitlines()[-1])
    return found


def main(argv: list[str] | None = None) -> int:
    """Prints which version loaded which file, with how many names; 1 if one is refused or has a name it ignores."""
    parser = argparse.ArgumentParser(prog="python -m bench.handover", description=__doc__)
    parser.add_argument("--peer", action="append", required=True, metavar="NAME=PYTHON")
    parser.add_argument("--write", action="store_true", help="keep the names that the trainers know")
    args = parser.parse_args(argv)
    failed = 0
    known = json.loads(NAMES.read_text("utf-8")) if NAMES.exists() else {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "exports"
        exports.write(annealed(Path(place)), "data with space", folder)
        for told in args.peer:
            peer, _, python = told.partition("=")
            if peer not in LOADERS:
                parser.error(f"no trainer {peer!r}; there is: {', '.join(LOADERS)}")
            try:
                found = load(peer, python, folder)
                known[peer] = {"version": found["version"], "names": found["names"]}
                ignored = strangers(peer, folder, found["names"])
            except BenchError as error:
                print(error, file=sys.stderr)
                failed = 1
                continue
            failed |= bool(ignored)
            print(f"{OF[peer]}: loaded by {peer} {found['version']}; names it ignores: {', '.join(ignored) or 'none'}")
            print("  " + ", ".join(f"{name} {value}" for name, value in found["values"].items() if name in SHOWN))
    if args.write:
        NAMES.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n", "utf-8")
    return failed


def strangers(peer: str, folder: Path, names: Any) -> list[str]:
    """Names in an export that its trainer does not know."""
    import ast

    import yaml

    text = (folder / OF[peer]).read_text("utf-8")
    if peer == "megatron":
        return [word for word in words(folder / OF[peer]) if word.startswith("--") and word not in names]
    if peer != "torchtitan":
        return [name for name in yaml.safe_load(text) if name not in names]
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) != "load_dataset":
            takes = names.get(ast.unparse(node.func), [])
            found += [f"{ast.unparse(node.func)} {one.arg}" for one in node.keywords if one.arg not in takes]
    return [one for one in found if not one.startswith("default_adamw ")]  # which hands on what it is given


if __name__ == "__main__":
    sys.exit(main())
