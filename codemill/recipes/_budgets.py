"""Budgets of languages, as people say them on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from codemill import RecipeError, Table
from codemill import languages as catalogue
from codemill.steps import sample, tokenize, tokenizer

BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
         "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}  # fmt: skip
TOKENS = {f"{prefix}tokens": factor for prefix, factor in (("", 1), ("k", 10**3), ("M", 10**6), ("B", 10**9))}
UNITS = {unit.lower(): ("amounts", factor) for unit, factor in BYTES.items()}
UNITS |= {unit.lower(): ("tokens", factor) for unit, factor in TOKENS.items()}
UNITS |= {"": ("shares", 1)}

Budgets = dict[str, dict[str, Any]]
"""By how they are counted (amounts of bytes, tokens, shares of the bytes), the budget of each language."""


def read(budgets: Iterable[str]) -> Budgets:
    """What budgets such as `java=200GB`, `html=0.135` or `python=1.5Btokens` say.

    Shape: the keys of languages, however they were named.
    Raises: RecipeError for what is no budget, an unknown language, or one that has two.

    >>> read(("Java=200GB", "html=0.135", "C++=1.5Btokens"))
    {'amounts': {'java': 200000000000}, 'shares': {'html': 0.135}, 'tokens': {'cpp': 1500000000}}
    """
    found: Budgets = {"amounts": {}, "shares": {}, "tokens": {}}
    for budget in budgets:
        name, _, amount = budget.rpartition("=")
        match = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-zA-Z]*)", amount.strip())
        if not name or not match or match[2].lower() not in UNITS:
            raise RecipeError(
                f"{budget!r} is no budget", remedy="such as java=200GB, java=60Btokens or, as a share, java=0.445"
            )
        key = catalogue.get(name).name
        if any(key in named for named in found.values()):
            raise RecipeError(f"{key} has two budgets", where=f"--budget {budget}", remedy="give it one")
        kind, factor = UNITS[match[2].lower()]
        number = Decimal(match[1]) * factor
        found[kind][key] = float(number) if kind == "shares" else int(number)
    return found


def kept(documents: Table, budgets: Budgets, *, folder: str | None, seed: int) -> Table:
    """The documents that the budgets hold; tokens are those of the tokenizer in `folder`.

    Raises: RecipeError if there are budgets in tokens and no tokenizer, or the other way round.
    """
    amounts, shares, tokens = budgets["amounts"], budgets["shares"], budgets["tokens"]
    if tokens and folder is None:
        raise RecipeError("a budget in tokens needs a tokenizer", remedy="give --tokenizer FOLDER")
    if folder is not None and not tokens:
        raise RecipeError("there is no budget in tokens", where="--tokenizer", remedy="such as --budget java=60Btokens")
    if amounts or shares:
        documents = sample.budget(documents, amounts=amounts, shares=shares, seed=seed)
    if folder is not None:
        made = tokenizer.existing(tokenizer=tokenizer.Existing(folder))
        counted = tokenize.count(documents, made, languages=sorted(tokens))
        documents = sample.budget(counted, amounts=tokens, of="num_tokens", seed=seed)
    return documents
