"""Pages of further generators, with the blocks of code that the sources of the pages have.

Each function finds pages among unpacked Debian packages and reads the blocks from what the pages were written from:
comments of Java, Haskell, Rust and C++, and the text beside the page. A comment makes a part of a page, and the page of
a class does not have all comments of its file: those blocks count whose letters and digits the page shows at all.
"""

from __future__ import annotations

import html
import random
import re
import textwrap
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PACKAGES = ("openjdk-17-source", "rust-src", "libstdc++-12-dev")
"""Debian packages with the sources of pages that the crawl's packages have."""


@dataclass(frozen=True)
class Block:
    """Code in a source."""

    code: str
    language: str | None  # None: the source does not say


@dataclass(frozen=True)
class Case:
    """A page and the blocks that it has by its source."""

    generator: str
    html: Path
    blocks: tuple[Block, ...]


def trimmed(code: str) -> str:
    """Code without lines at its ends that hold blanks alone: generators differ in those."""
    return re.sub(r"\A(?:[ \t]*\n)+|(?:\n[ \t]*)+\Z", "", code)


def marks(text: str) -> str:
    """Letters and digits alone: whether a page has a block at all, however it is shown."""
    return re.sub(r"&\w+;|&#\d+;|[^A-Za-z0-9_]", "", text)


def shown(page: str, blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks that a page has, each once. One that is a part of another is left out: a page may have that alone."""
    text = marks(re.sub(r"<[^>]*>", "", page))
    found = {sign: block for block in blocks if (sign := marks(block.code)) and sign in text}
    return tuple(block for sign, block in found.items() if not any(sign in other for other in found if other != sign))


def some(cases: Iterable[Case], most: int) -> Iterator[Case]:
    """The first `most` pages that have code."""
    number = 0
    for case in cases:
        if number == most:
            return
        if case.blocks:
            number += 1
            yield case


def drawn(paths: Iterable[Path], seed: str) -> list[Path]:
    """Paths in the order of a draw."""
    found = sorted(paths)
    random.Random(seed).shuffle(found)
    return found


# ── Javadoc ───────────────────────────────────────────────────────────────────────────────────────────────────────


def javadoc(packages: Path, most: int) -> Iterator[Case]:
    """Classes of the JDK (openjdk-17-doc), with the comments of openjdk-17-source."""
    archives = sorted((packages / "openjdk-17-source").rglob("src.zip"))
    apis = sorted((packages / "openjdk-17-doc").rglob("api/java.base"))
    if not archives or not apis:
        return
    api = apis[0].parent
    with zipfile.ZipFile(archives[0]) as sources:
        names = set(sources.namelist())
        pages = drawn((p for p in api.glob("java.*/**/*.html") if "class-use" not in p.parts), "javadoc")
        found = ((page, f"{page.relative_to(api).parent}/{page.stem.partition('.')[0]}.java") for page in pages)
        yield from some(
            (
                Case("Javadoc", page, shown(page.read_text("utf-8"), java_blocks(sources.read(name).decode())))
                for page, name in found
                if name in names
            ),
            most,
        )


def java_blocks(source: str) -> Iterator[Block]:
    """`<pre>` in comments: with `{@code …}` its inside as it stands, without markup the text of its HTML."""
    for comment in re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL):
        text = re.sub(r"(?m)^[ \t]*\*+", "", comment)
        for inside in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL):
            code = re.fullmatch(r"\s*\{@code\b(.*)\}\s*", inside, re.DOTALL)
            if code:
                yield Block(trimmed(code[1]), None)
            elif not re.search(r"<[a-zA-Z/]|\{@|\\u", inside):
                yield Block(trimmed(html.unescape(inside)), None)


# ── Haddock ───────────────────────────────────────────────────────────────────────────────────────────────────────


def haddock(packages: Path, most: int) -> Iterator[Case]:
    """Modules of GHC's libraries (ghc-doc), with the comments of the sources that are shown beside them."""
    pages = drawn((packages / "ghc-doc").glob("usr/share/doc/ghc-doc/html/libraries/*/*.html"), "haddock")
    pairs = ((page, page.parent / "src" / page.name) for page in pages)
    yield from some(
        (
            Case("Haddock", page, shown(page.read_text("utf-8"), haskell_blocks(_unmarked(source.read_text("utf-8")))))
            for page, source in pairs
            if source.is_file()
        ),
        most,
    )


def _unmarked(page: str) -> str:
    """The source that a page shows in colours."""
    return html.unescape(re.sub(r"<[^>]*>", "", page[page.find("<pre") :]))


def haskell_blocks(source: str) -> Iterator[Block]:
    """Examples (`>>>` and what it answers) and lines of `>` in comments."""
    text = "\n".join(
        re.sub(r"^\s*-- ?", "", line) if re.match(r"\s*--( |$)", line) else "\n" for line in source.splitlines()
    )
    for paragraph in re.split(r"\n\s*\n", text):
        lines = textwrap.dedent(paragraph.strip("\n")).splitlines()
        odd = any(line[:1] == " " or "BLANKLINE" in line or ":{" in line for line in lines)
        if lines and lines[0].startswith(">>>") and not odd:
            yield Block("\n".join(line.rstrip() for line in lines), None)
        elif lines and all(line.startswith("> ") for line in lines):
            yield Block("\n".join(line[2:] for line in lines), None)


# ── AsciiDoc ──────────────────────────────────────────────────────────────────────────────────────────────────────


def asciidoc(packages: Path, most: int) -> Iterator[Case]:
    """Manual pages and guides of Git (git-doc), whose text is beside the page."""
    pages = drawn((packages / "git-doc" / "usr/share/doc/git-doc").rglob("*.html"), "asciidoc")
    pairs = ((page, page.with_suffix(".txt")) for page in pages)
    cases = (
        Case("AsciiDoc", page, tuple(asciidoc_blocks(text.read_text("utf-8"))))
        for page, text in pairs
        if text.is_file()
    )
    yield from some(cases, most)


def asciidoc_blocks(text: str) -> Iterator[Block]:
    """What stands between two lines of dashes, or of dots, that underline no title.

    Blocks with directives, references or numbers of remarks are left out.
    """
    lines = [line.rstrip() for line in text.expandtabs(8).splitlines()]
    at = 0
    while at < len(lines):
        fence, before = lines[at], lines[at - 1] if at else ""
        at += 1
        if re.fullmatch(r"-{4,}|\.{4,}", fence) and (before in ("", "+") or before[0] in "[."):
            end = next((i for i in range(at, len(lines)) if lines[i] == fence), len(lines))
            inside = "\n".join(lines[at:end])
            at = end + 1
            if not re.search(r"(?m)^(include|ifdef|ifndef|endif)::|<\d+>|\{\w+\}", inside) and inside.strip():
                yield Block(trimmed(inside), None)


# ── rustdoc ───────────────────────────────────────────────────────────────────────────────────────────────────────


def rust_std(packages: Path, most: int, blocks: Callable[[str], Iterable[Block]]) -> Iterator[Case]:
    """Pages of Rust's standard library (rust-doc), with the comments of rust-src; `blocks` reads those of a file."""
    docs = packages / "rust-doc" / "usr/share/doc/rust-doc/html"
    libraries = sorted((packages / "rust-src").rglob("library/core/src/lib.rs"))
    if not libraries:
        return
    library = libraries[0].parents[2]

    @lru_cache(maxsize=64)
    def of(name: str) -> Sequence[Block]:
        crate, _, rest = name.partition("/")
        file = library / crate / "src" / rest
        return list(blocks(file.read_text("utf-8"))) if file.is_file() else []

    def cases() -> Iterator[Case]:
        for page in drawn((docs / "std").rglob("*.html"), "rustdoc"):
            text = page.read_text("utf-8", "replace")
            if "rust-example-rendered" in text:
                files = sorted(set(re.findall(r'href="[./]*src/([\w/.-]+\.rs)\.html', text)))
                yield Case("rustdoc (std)", page, shown(text, [block for file in files for block in of(file)]))

    yield from some(cases(), most)


# ── Doxygen ───────────────────────────────────────────────────────────────────────────────────────────────────────


def doxygen(packages: Path, most: int) -> Iterator[Case]:
    """Pages of GNU's C++ library (libstdc++-12-doc): of classes, with the comments of headers, and of headers."""
    files: dict[str, list[str]] = {}
    for file in sorted((packages / "libstdc++-12-dev").rglob("usr/include/c++/12/**/*")):
        if file.is_file():
            files.setdefault(file.name, []).append(file.read_text("utf-8", "replace"))
    blocks = [block for texts in files.values() for text in texts for block in doxygen_blocks(text)]

    def of(page: str) -> tuple[Block, ...]:
        title = re.search(r'<div class="title">([^<]+)</div>', page)
        whole = files.get(title[1], []) if title and 'class="lineno"' in page else []
        if len(whole) == 1:
            return (Block(trimmed(whole[0].expandtabs(8)), None),)
        return () if 'class="lineno"' in page else shown(page, blocks)

    pages = drawn((packages / "libstdc++-12-doc").rglob("*.html"), "doxygen")
    texts = ((page, page.read_text("utf-8", "replace")) for page in pages)
    yield from some((Case("Doxygen", page, of(text)) for page, text in texts if 'class="fragment"' in text), most)


def doxygen_blocks(source: str) -> Iterator[Block]:
    """Between `@code` and `@endcode` in comments."""
    for comment in re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL):
        text = re.sub(r"(?m)^[ \t]*\* ?", "", comment)
        for inside in re.findall(r"[@\\]code(?:\{[^}]*\})?[ \t]*\n(.*?)[@\\]endcode", text, re.DOTALL):
            lines = [line.rstrip() for line in textwrap.dedent(inside).splitlines()]
            yield Block(trimmed("\n".join(lines)), None)
