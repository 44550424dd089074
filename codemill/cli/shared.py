"""What several verbs share."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console, RenderableType

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def console() -> Console:
    """Where tables go: as wide as the terminal; wider than most in a pipe, so that no name is broken there."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160)


def answer(data: Any, view: RenderableType, as_json: bool) -> None:
    """Prints an answer: as data, or for people."""
    if as_json:
        print(json.dumps(data))
    else:
        console().print(view)
