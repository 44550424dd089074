"""What the site needs beside the pages: links out of docs/ lead to files of the repository, which no site has."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!\w+:)[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Hook of mkdocs: the text of a page before it is rendered."""
    return inside(markdown, page.file.src_uri).replace("<![", "<\u2060![")  # mkdocs reads these as markup, also in code


def inside(markdown: str, place: str) -> str:
    """Writes links that leave docs/ as their text, with the path in the repository where the text does not say it.

    `place` is the page's path below docs/.

    >>> inside("[why](design/x.md), [the recipe](../codemill/recipes/a.py), [`b.py`](../b.py)", "quality.md")
    '[why](design/x.md), the recipe (`codemill/recipes/a.py`), `b.py`'
    """
    return _LINK.sub(lambda match: _rewritten(match, place), markdown)


def _rewritten(match: re.Match[str], place: str) -> str:
    target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(place), match[2]))
    if target.startswith("docs/"):
        return match[0]
    text = match[1]
    return text if target.rpartition("/")[2] in text else f"{text} (`{target}`)"
