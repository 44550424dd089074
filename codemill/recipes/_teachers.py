"""Who is asked, as people say it on the command line."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from codemill.errors import RecipeError
from codemill.teacher import Endpoint, Price, Teacher, named

RECORDED = "script:codemill.prompts._recorded:answer"
"""Recorded answers in the place of a model, for smoke variants: what they make is an example, and no data."""

KEY = "OPENAI_API_KEY"

# Parameters of recipes that ask a teacher, as `--help` shows them.
Who = Annotated[str | None, "MODEL@URL, local:FOLDER, script:FILE.py:FUNCTION or replay:…"]
ModelName = Annotated[str | None, "the teacher's model at --base-url"]
BaseUrl = Annotated[str | None, "address of an OpenAI-compatible server [default: OPENAI_BASE_URL]"]
KeyName = Annotated[str, "environment variable with its key"]
Prices = Annotated[str | None, "of a million tokens, asked/answered, such as 0.15/0.60; for --max-cost"]
Benchmarks = Annotated[tuple[str, ...], "folder of benchmarks: drop what has their tasks; repeatable"]


def teacher_of(
    who: str | None,
    base_url: str | None,
    model: str | None,
    api_key_env: str = KEY,
    price: str | None = None,
    **sampling: Any,
) -> Teacher:
    """The teacher that options name. `price` is ASKED/ANSWERED, money for a million tokens of each.

    Raises: RecipeError if the options name none, or two, or a price that is none.
    """
    if who is not None and (base_url or model):
        raise RecipeError("--teacher and --model name two", remedy="give --teacher, or --model with --base-url")
    if who is None and not model:
        raise RecipeError(
            "no teacher is named",
            remedy="--model NAME --base-url http://127.0.0.1:8000/v1, or --teacher local:FOLDER for one of your own",
        )
    made = named(who, **sampling) if who is not None else Endpoint(str(model), base_url or "", sampling)
    if isinstance(made, Endpoint):
        made = dataclasses.replace(made, api_key_env=api_key_env, price=priced(price))
    return made


def stronger_of(who: Teacher, named_so: str | None, api_key_env: str, price: str | None, **sampling: Any) -> Teacher:
    """The teacher that writes what is harder: `who` if none is named. A model without an address is at that of `who`.

    A key belongs to an address: that of `who` goes to no other, for which `api_key_env` names one, or there is none.
    """
    if named_so is None:
        return who
    made = named(named_so, **sampling)
    if not isinstance(made, Endpoint):
        return made
    if isinstance(who, Endpoint) and (not made.base_url or made.base_url == who.base_url):
        made = dataclasses.replace(made, base_url=who.base_url)
        api_key_env = api_key_env or who.api_key_env
    elif not made.base_url:  # that of OPENAI_BASE_URL
        api_key_env = api_key_env or KEY
    return dataclasses.replace(made, api_key_env=api_key_env, price=priced(price))


def priced(text: str | None) -> Price | None:
    """A price as people write it. Raises: RecipeError.

    >>> priced("0.15/0.60")
    Price(prompt=0.15, completion=0.6, cached=None)
    """
    if text is None:
        return None
    try:
        asked, answered = (float(part) for part in text.split("/"))
    except ValueError as error:
        raise RecipeError(f"{text!r} is no price", remedy="ASKED/ANSWERED, such as 0.15/0.60") from error
    if not (0 <= asked < 1e9 and 0 <= answered < 1e9):
        raise RecipeError(f"{text!r} is no price", remedy="ASKED/ANSWERED, such as 0.15/0.60")
    return Price(asked, answered)
