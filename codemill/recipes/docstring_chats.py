"""Chats without a teacher, of a corpus's own functions and docstrings: to try fine-tuning before paying for any.

codemill run docstring_chats --corpus corpus --out chats
"""

from __future__ import annotations

from typing import Annotated

from codemill import Outputs, ledger
from codemill.sources import Published
from codemill.steps import docstrings, ingest


def docstring_chats(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus"],
    # One line says what a function does; several say how, which is what a second, better stage wants.
    least_lines: Annotated[int, "lines that a docstring has at least"] = 1,
    # Half of a laptop's sequence, so that few answers are cut.
    most_chars: Annotated[int, "characters that a function has at most"] = 1500,
) -> Outputs:
    """Chats that ask for a function by its docstring, and answer with its code."""
    documents = ingest.published(source=Published(corpus, "corpus"))
    chats = docstrings.chats(documents, least_lines=least_lines, most_chars=most_chars)
    return {"corpus": chats, "chats_ledger": ledger(chats)}


def smoke(*, corpus: Annotated[str, "--out folder of the run that made the corpus"]) -> Outputs:
    """The same: a handful of files is made in a second."""
    return docstring_chats(corpus=corpus)
