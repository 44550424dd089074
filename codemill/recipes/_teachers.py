"""Who is asked, as people say it on the command line."""

from __future__ import annotations

from typing import Any

from codemill.errors import RecipeError
from codemill.teacher import Endpoint, Teacher, named

RECORDED = "script:codemill.prompts._recorded:answer"
"""Recorded answers in the place of a model, for smoke variants: what they make is an example, and no data."""


def teacher_of(who: str | None, base_url: str | None, model: str | None, api_key_env: str, **sampling: Any) -> Teacher:
    """The teacher that options name. Raises: RecipeError if they name none, or two."""
    if who is not None and (base_url or model):
        raise RecipeError("--teacher and --model name two", remedy="give --teacher, or --model with --base-url")
    if who is not None:
        return named(who, **sampling)
    if model:
        return Endpoint(model, base_url or "", sampling, api_key_env=api_key_env)
    raise RecipeError(
        "who is asked?",
        remedy="--model NAME --base-url http://127.0.0.1:8000/v1, or --teacher local:FOLDER for one on this machine",
    )
