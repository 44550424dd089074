"""Saved pages of forums, questions, blogs and the like, with the blocks of code that their elements hold.

A suite is a folder: a clone of a repository that has saved pages in its tests, with archives in it unpacked. These were
read for docs/web-recall.md, as they stand at GitHub:

    masud-technope/ContentSuggest-Replication-Package-CASCON2015 (experimental-data/relevant.7z unpacked)
    gleitz/howdoi             adbar/trafilatura                            mozilla/readability
    omnivore-app/omnivore     ccprocessor/llm-webkit-mirror                kepano/defuddle
    postlight/parser          scrapinghub/article-extraction-benchmark     Goldziher/html-to-markdown
    j-szulc/html-cleaning-dataset-merged

Nobody has the sources of these pages, so the page says what is true, by the tree that lexbor makes of it (resiliparse's
parser, which follows the HTML standard; our own makes no tree):

- A block is the text of a `pre`, of the cell of code of a SyntaxHighlighter, or of a table of GitHub's lines. Of nested
  ones the outermost counts. What is in one is taken for code, letters and logs as well.
- Each `div`, `li`, `p` or `tr` inside is a line, and `br` ends one. Buttons, scripts, styles and elements whose class
  says that they hold numbers of lines and that hold digits alone are not of it, nor is a `pre` of numbers alone.
- Blocks inside of `nav`, `footer`, `aside`, `header`, `template`, or of an element with `hidden` or `display: none`,
  are not counted: whether they are content is a matter of opinion.
- A block's language is what a class or an attribute of the `pre`, of a `code` in it or of the nearest five elements
  around says, in the forms of the highlighters; a class without such a form counts if Pygments knows a language by it.

A page that several suites have (its blocks are the same) counts once; so do blocks within a page. Results of extractors
(`expected.html` and the like), and pages of fewer than 4,000 bytes or without a title, which people make up for tests,
are not read, nor are pages with more than 1,000 `pre`: of a patch, one for each line.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.page_sources import Block, Case, trimmed
from codemill import _core

MADE = re.compile(r"expected|distiller|groundtruth|gold-|output|result|corrected", re.IGNORECASE)
FURNITURE = {"nav", "footer", "aside", "header", "template"}
NO_CODE = {"button", "script", "style", "textarea", "select", "svg"}
LINES = {"div", "li", "p", "tr"}
NUMBERS = re.compile(r"lineno|line-?num|gutter|blob-num|hljs-ln-n|\bln\b|\blnt\b|crayon-num", re.IGNORECASE)
NONE = {
    *("", "none", "text", "plain", "plaintext", "default", "auto", "nohighlight", "no-highlight", "txt", "undefined"),
    *("unknown", "notranslate", "source", "wrapper", "block", "container", "en", "numbers", "line-numbers"),
}
FORMS = re.compile(
    r"(?:^|\s)(?:language-|lang-|highlight-source-|highlight-text-|mw-highlight-lang-|brush:\s*)([\w+#.-]+)"
)
"""Highlighters' ways to say a language in a class."""

MOST = 1000  # blocks of a page: a patch has one for each line
SIGNS = (b"<pre", b"syntaxhighlighter", b"blob-code")
"""Without one of these a page has no block."""

KINDS = (
    ("Stack Exchange", r"sstatic\.net"),
    ("Discourse", r'name="generator" content="Discourse'),
    ("GitHub", r'content="GitHub"|github\.githubassets\.com|assets-cdn\.github\.com'),
    (
        "other forums",
        r"phpBB|[vV][bB]ulletin|Simple Machines|SMF |XenForo|MyBB|Invision|[jJ][fF]orum|forum_thread",
    ),
    ("WordPress", r"wp-content/|wp-includes/"),
    ("Blogger", r"blogger\.com/|blogspot"),
    ("Medium, dev.to", r"cdn-client\.medium\.com|miro\.medium\.com|dev-to-uploads|medium\.com/_/"),
)
"""What kind of site a page is of, by what the page fetches and says; the first that fits."""


def saved(suite: Path) -> Iterator[Case]:
    """The pages of a suite that have code."""
    for path in sorted(suite.rglob("*")):
        name = path.relative_to(suite)
        if re.search(r"\.html?(\.gz)?$", path.name) and not MADE.search(str(name)) and path.is_file():
            data = raw(path)
            low = data.lower()
            likely = len(data) >= 4000 and any(sign in low for sign in SIGNS) and low.count(b"<pre") <= MOST
            page = text(data) if likely else ""
            if "<title" in page.lower():
                found = tuple(blocks(page))
                if found:
                    yield Case(kind(page), path, found)


def raw(path: Path) -> bytes:
    """The bytes of a page, which may be packed by gzip."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def text(data: bytes) -> str:
    """The page as text."""
    answer: Any = _core.decode(pa.array([data], pa.large_binary()))["content"][0].as_py()
    return answer or ""


def unique(suites: Sequence[Path]) -> list[Case]:
    """The pages of all suites, each once."""
    found: dict[tuple[str, ...], Case] = {}
    for suite in suites:
        for case in saved(suite):
            found.setdefault(tuple(block.code for block in case.blocks), case)
    return list(found.values())


def kind(page: str) -> str:
    """What kind of site a page is of."""
    return next((name for name, sign in KINDS if re.search(sign, page)), "other")


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, each once."""
    from resiliparse.parse.html import HTMLTree

    body = HTMLTree.parse(page).body
    seen: set[str] = set()
    for node in _holders(body) if body else ():
        code = trimmed(_text(node))
        numbers = re.fullmatch(r"[\s\d.:|]*", code)
        if not numbers and code not in seen:
            seen.add(code)
            yield Block(code, _language(node))


def _holders(body: Any) -> Iterator[Any]:
    """Elements that hold blocks, in the order of the page."""
    for node in body.query_selector_all("pre, td.code, table.highlight"):
        if node.tag == "pre" or _is_listing(node):
            above = list(_around(node, 1 << 12))
            shown = not any(one.tag in FURNITURE or _hidden(one) for one in (node, *above))
            if shown and not any(one.tag == "pre" or _is_listing(one) for one in above):
                yield node


def _children(node: Any) -> Iterator[Any]:
    """What a node holds. `child_nodes` takes time quadratic in its length."""
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _hidden(node: Any) -> bool:
    return node.hasattr("hidden") or bool(re.search(r"display:\s*none", node.getattr("style") or ""))


def _is_listing(node: Any) -> bool:
    names = (node.getattr("class") or "").split()
    if node.tag == "td" and "code" in names:
        return any("syntaxhighlighter" in name for around in _around(node, 5) for name in _classes(around).split())
    return node.tag == "table" and "highlight" in names and bool(node.query_selector("td.blob-code"))


def _around(node: Any, most: int) -> Iterator[Any]:
    while most and (node := node.parent) is not None and node.tag not in ("body", "html", "#document"):
        most -= 1
        yield node


def _classes(node: Any) -> str:
    return (node.getattr("class") or "") if node.tag[:1] != "#" else ""


def _text(node: Any) -> str:
    """The text of a block, as it is shown."""
    pieces: list[str] = []

    def end_line() -> None:
        if pieces and not pieces[-1].endswith("\n"):
            pieces.append("\n")

    def add(node: Any) -> None:
        for child in _children(node):
            if child.tag == "#text":
                pieces.extend([child.text] if child.text else [])
            elif child.tag == "br":
                pieces.append("\n")
            elif child.tag[:1] == "#" or child.tag in NO_CODE or _is_number(child):
                continue
            elif child.tag in LINES:
                end_line()
                before = len(pieces)
                add(child)
                if len(pieces) == before:
                    pieces.append("\n")
                end_line()
            else:
                add(child)

    add(node)
    return "".join(pieces).replace("\r\n", "\n").replace("\r", "\n")


def _is_number(node: Any) -> bool:
    return bool(NUMBERS.search(_classes(node))) and not re.sub(r"[\s\d]", "", node.text)


def _language(node: Any) -> str | None:
    """What the page says that a block is in."""
    inside = [child for child in node.query_selector_all("code")][:1]
    for element in (*inside, node, *_around(node, 5)):
        own = element.tag in ("pre", "code")
        if not own and _has_several(element):
            return None
        for name in _names(element, own):
            if name not in NONE:
                return name
    return None


def _has_several(element: Any) -> bool:
    """Whether there are several blocks in it. Looks no further than the second: a page may have thousands."""
    found, waiting = 0, [element]
    while waiting and found < 2:
        node = waiting.pop()
        found += node.tag == "pre"
        waiting.extend(_children(node))
    return found > 1


def _names(element: Any, own: bool) -> Iterator[str]:
    for attribute in ("data-lang", "data-language", *(("lang",) if own else ())):
        yield (element.getattr(attribute) or "").lower()
    names = _classes(element)
    yield from (found[1].lower().rstrip(".-") for found in FORMS.finditer(names))
    words = names.lower().split()
    if len(words) > 4:
        return  # Medium's: mo mp mq mr ms …, of which some is a language's by chance
    if own or {"highlight", "hljs", "sourcecode"} & set(words):
        yield from (word for word in words if word in _known() and word not in ("code", "pre", "output", "console"))


@cache
def _known() -> frozenset[str]:
    from pygments.lexers import get_all_lexers

    return frozenset(alias for lexer in get_all_lexers() for alias in lexer[1])


@cache
def language_of(name: str) -> str:
    """One name for all names of a language that Pygments knows."""
    from pygments.lexers import find_lexer_class_by_name
    from pygments.util import ClassNotFound

    try:
        return str(find_lexer_class_by_name(name).name)
    except ClassNotFound:
        return name
