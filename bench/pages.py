"""Code in pages that generators wrote, held against the sources they wrote them from.

    python -m bench.pages PACKAGES [--most 120] [--speed 300] [--download]
    python -m bench.pages --saved CLONE ... [--speed 400]

PACKAGES is a folder of unpacked Debian documentation packages, as scripts/debian_crawl.py leaves it; with --download
those of sources come into it as well. Packages that Sphinx made carry their sources, and so does Git's (AsciiDoc);
pages of Javadoc, Haddock, rustdoc and Doxygen are held against comments of the code (bench/page_sources.py). MkDocs,
VitePress, nbconvert and rustdoc are run here where they are installed. Blocks are read from the sources, without HTML.

A block is right if the text of the page has it byte for byte, blank lines at its ends apart; it is fenced if it stands
between two fences; its language is right if the fence says it.
trafilatura and resiliparse do the same pages in the same run.

With --saved come pages of forums, questions and blogs out of public test suites, in a table of their own. What is true
of those, and which suites they are, says bench/page_saved.py.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from bench import page_saved, page_sources
from bench.page_sources import Block, Case, marks, some, trimmed
from codemill import _core
from scripts.debian_crawl import unpacked

Extract = Callable[[str], str]

SPHINX = (
    "python3.11-doc",
    "cmake-doc",
    "python-flask-doc",
    "python-requests-doc",
    "ghc-doc",
    "debian-policy",
    "python-pandas-doc",
)


# ── blocks of code in sources ─────────────────────────────────────────────────────────────────────────────────────

DIRECTIVE = re.compile(r"^( *)\.\. (?:code-block|sourcecode|code):: *(\S*) *$")
LITERAL = re.compile(r"^( *)(?!\.\. )\S.*::$|^( *)::$")
NONE = {"none", "text", "default", ""}


def rst_blocks(text: str) -> Iterator[Block]:
    """Literal blocks and code-block directives, by their indentation. Those inside of tables, comments and other
    directives' arguments are not looked for."""
    lines = text.expandtabs(8).splitlines()
    at = 0
    while at < len(lines):
        directive, literal = DIRECTIVE.match(lines[at]), LITERAL.match(lines[at])
        at += 1
        if not directive and not literal:
            continue
        indent = len((directive or literal)[0]) - len((directive or literal)[0].lstrip())  # type: ignore[index]
        body = []
        while at < len(lines) and (not lines[at].strip() or len(lines[at]) - len(lines[at].lstrip()) > indent):
            body.append(lines[at])
            at += 1
        while directive and body and re.match(r"^ *:[\w-]+:", body[0]):
            body.pop(0)
        if directive and body and body[0].strip():
            continue  # an argument that goes on
        code = textwrap.dedent("\n".join(line.rstrip() for line in body)).strip("\n")
        if code and "doctest:" not in code and "<BLANKLINE>" not in code:  # Sphinx takes these out
            language = directive[2].lower() if directive else ""
            yield Block(code, None if language in NONE else language)


def markdown_blocks(text: str) -> Iterator[Block]:
    """Fences and indented blocks, as markdown-it reads them."""
    from markdown_it import MarkdownIt

    for token in MarkdownIt().parse(text):
        if token.type in ("fence", "code_block") and token.content.strip():
            info = re.match(r"[\w+#.-]*", token.info.strip())
            language = info[0].lower() if info and token.type == "fence" else ""
            yield Block(token.content.rstrip("\n"), None if language in NONE else language)


def doc_comments(source: str) -> str:
    """The text of all `///` and `//!` comments of Rust source."""
    pieces = [
        re.sub(r"^\s*//[/!] ?", "", line) if re.match(r"\s*//[/!](?!/)", line) else "\n" for line in source.splitlines()
    ]
    return "\n".join(pieces)


def rust_blocks(source: str) -> Iterator[Block]:
    """Code of documentation comments, without the lines that rustdoc hides."""
    for comment in doc_comments(source).split("\n\n\n"):
        for block in markdown_blocks(comment):
            word = (block.language or "").split(",")[0]
            if word not in (
                "",
                "rust",
                "no_run",
                "should_panic",
                "ignore",
                "compile_fail",
                "edition2018",
                "edition2021",
            ):
                continue
            kept = [
                line for line in block.code.splitlines() if line.strip() != "#" and not line.lstrip().startswith("# ")
            ]
            shown = [re.sub(r"^(\s*)##", r"\1#", line) for line in kept]
            code = "\n".join(shown).strip("\n")
            if code:
                yield Block(code, "rust")


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sphinx(packages: Path, most: int) -> Iterator[Case]:
    """Pages of packages that carry their sources."""
    for package in SPHINX:
        found = []
        for source in sorted((packages / package).rglob("_sources/**/*")):
            name = str(source).partition("/_sources/")
            page = Path(name[0]) / re.sub(r"(\.rst)?\.txt$", ".html", name[2])
            if source.suffix == ".txt" and page.is_file() and page.stat().st_size < 2_000_000:
                found.append((page, source))
        random.Random(package).shuffle(found)
        yield from some(
            (
                Case(f"Sphinx, {package}", page, tuple(rst_blocks(source.read_text("utf-8", "replace"))))
                for page, source in found
            ),
            most,
        )


def rustdoc(folder: Path, most: int) -> Iterator[Case]:
    """Pages of crates that were compiled for the core. All blocks of a crate count for its pages together."""
    crates = sorted(Path.home().glob(".cargo/registry/src/*/*"))
    made = 0
    for crate in crates:
        library = crate / "src" / "lib.rs"
        if not library.is_file() or made >= most:
            continue
        wanted = {
            b.code: b for f in sorted(crate.rglob("src/**/*.rs")) for b in rust_blocks(f.read_text("utf-8", "replace"))
        }
        if len(wanted) < 5:
            continue
        out = folder / crate.name
        command = ["rustdoc", str(library), "--edition", "2021", "-o", str(out), "--cap-lints", "allow"]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        for page in sorted(out.rglob("*.html")):
            text = page.read_text("utf-8", "replace")
            if "rust-example-rendered" in text and "/src/" not in str(page):
                shown = re.sub(r"<[^>]*>", "", text)
                here = tuple(b for b in wanted.values() if marks(b.code) in marks(shown))
                if here and made < most:
                    made += 1
                    yield Case("rustdoc", page, here)


def mkdocs(projects: Sequence[Path], folder: Path, most: int) -> Iterator[Case]:
    """Pages of Markdown that MkDocs renders, with its Material theme."""
    for project in projects:
        docs = project / "docs"
        out, settings = folder / project.name, folder / f"{project.name}.yml"
        settings.write_text(
            f"site_name: x\ndocs_dir: {docs}\nsite_dir: {out}\nuse_directory_urls: false\ntheme: {{name: material}}\n"
            "markdown_extensions: [pymdownx.highlight, pymdownx.superfences, pymdownx.inlinehilite]\n"
        )
        subprocess.run(
            [_beside("mkdocs"), "build", "-q", "-f", str(settings)], capture_output=True, check=False, timeout=300
        )
        sources = sorted(docs.rglob("*.md"))
        random.Random(project.name).shuffle(sources)
        pairs = [(out / source.relative_to(docs).with_suffix(".html"), source) for source in sources]
        yield from some(
            (Case("MkDocs Material", p, tuple(markdown_blocks(s.read_text("utf-8")))) for p, s in pairs if p.is_file()),
            most,
        )


def _beside(program: str) -> str:
    beside = Path(sys.executable).parent / program
    return str(beside) if beside.exists() else program


def vitepress(projects: Sequence[Path], folder: Path, program: Path, most: int) -> Iterator[Case]:
    """Pages of the same Markdown as VitePress renders them, with Shiki's colours."""
    for project in projects:
        root, out = folder / f"vitepress-{project.name}", folder / f"vitepress-{project.name}-out"
        shutil.copytree(project / "docs", root)
        (root / ".vitepress").mkdir()
        settings = {"ignoreDeadLinks": True, "title": "x", "outDir": str(out), "cleanUrls": False}
        (root / ".vitepress" / "config.mjs").write_text(f"export default {json.dumps(settings)}\n")
        subprocess.run([str(program), "build", str(root)], capture_output=True, check=False, timeout=300)
        pairs = [
            (out / s.relative_to(root).with_suffix(".html"), s) for s in page_sources.drawn(root.rglob("*.md"), "v")
        ]
        yield from some(
            (Case("VitePress", p, tuple(markdown_blocks(s.read_text("utf-8")))) for p, s in pairs if p.is_file()), most
        )


def notebooks(folder: Path, pages: Sequence[Case], most: int) -> Iterator[Case]:
    """Notebooks of the blocks of other pages, ten cells each, as nbconvert shows them."""
    import nbconvert
    import nbformat

    blocks = [b for case in pages if "python3" in case.generator for b in case.blocks if ">>>" not in b.code]
    for number in range(min(most, len(blocks) // 10)):
        cells = [nbformat.v4.new_code_cell(b.code) for b in blocks[10 * number : 10 * number + 10]]
        book = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
        html, _ = nbconvert.HTMLExporter(template_name=("lab", "classic")[number % 2]).from_notebook_node(book)
        page = folder / f"{number}.html"
        page.write_text(html, "utf-8")
        yield Case("Jupyter (nbconvert)", page, tuple(Block(cell.source, "python") for cell in cells))


# ── what is right ─────────────────────────────────────────────────────────────────────────────────────────────────

FENCED = re.compile(r"^(`{3,})([^`\n]*)\n(.*?)\n?^\1$", re.MULTILINE | re.DOTALL)
SAME = {
    "ipython": "python",
    "ipython3": "python",
    "py": "python",
    "python3": "python",
    "pycon3": "pycon",
    "sh": "shell",
    "bash": "shell",
    "console": "shell",
    "js": "javascript",
}


def ours(html: str) -> str:
    """Our own extraction."""
    text: str = _core.page_text(pa.array([html], pa.large_string())).field("content")[0].as_py()
    return text


def score(text: str, blocks: Sequence[Block]) -> Counter[str]:
    """How many blocks the text has, has in fences, and has with their language."""
    fenced: dict[str, str] = {}
    for found in FENCED.finditer(text):
        fenced.setdefault(trimmed(found[3]), found[2])
    counts: Counter[str] = Counter(blocks=len(blocks))
    for block in blocks:
        counts["there"] += block.code in text
        counts["fenced"] += block.code in fenced
        if block.language is not None and block.code in fenced:
            counts["named"] += 1
            said = fenced[block.code].lower()
            counts["language"] += same(said, block.language)
    return counts


def same(said: str, wanted: str) -> bool:
    """Whether two names are of one language, in the table above or to Pygments."""
    return SAME.get(said, said) == SAME.get(wanted, wanted) or (
        page_saved.language_of(said) == page_saved.language_of(wanted)
    )


def extractors() -> dict[str, Extract]:
    """Ours and the peers'."""
    import trafilatura
    from resiliparse.extract.html2text import extract_plain_text

    def markdown(html: str) -> str:
        return trafilatura.extract(html, output_format="markdown", include_tables=True) or ""

    def plain(html: str) -> str:
        return str(extract_plain_text(html, main_content=True, preserve_formatting=True))

    return {"codemill": ours, "resiliparse": plain, "trafilatura": markdown}


GENERATORS: dict[str, Callable[[Path, int], Iterator[Case]]] = {
    "sphinx": sphinx,
    "javadoc": page_sources.javadoc,
    "haddock": page_sources.haddock,
    "asciidoc": page_sources.asciidoc,
    "doxygen": page_sources.doxygen,
    "rust_std": partial(page_sources.rust_std, blocks=rust_blocks),
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, nargs="?")
    parser.add_argument("--saved", type=Path, nargs="*", default=[], help="clones with saved pages in their tests")
    parser.add_argument(
        "--only", nargs="*", choices=GENERATORS, help="of the packages' pages: those of these generators"
    )
    parser.add_argument("--download", action="store_true", help="fetch the packages with sources that are missing")
    parser.add_argument("--markdown", type=Path, nargs="*", default=[], help="folders with docs/*.md, for MkDocs")
    parser.add_argument("--vitepress", type=Path, help="the program: those folders by VitePress as well")
    parser.add_argument("--rustdoc", action="store_true", help="also crates of this machine: some minutes")
    parser.add_argument("--most", type=int, default=120, help="pages of a package or a generator")
    parser.add_argument("--speed", type=int, default=300, help="pages that are timed; 0: no peers either")
    parser.add_argument("--misses", type=int, default=0, help="blocks that we lost, to be shown")
    given = parser.parse_args(arguments)
    if given.saved:
        run(page_saved.unique(given.saved), given.speed, given.misses)
    if given.packages is None:
        if not given.saved:
            parser.error("say where the packages are, or give --saved")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.download:
            for package in page_sources.PACKAGES:
                unpacked(package, given.packages)
        cases: list[Case] = []
        for generator in given.only or GENERATORS:
            cases += GENERATORS[generator](given.packages, given.most)
        if given.rustdoc:
            cases += rustdoc(folder, given.most)
        cases += mkdocs(given.markdown, folder, given.most)
        if given.vitepress:
            cases += vitepress(given.markdown, folder, given.vitepress, given.most)
        try:
            cases += notebooks(folder, cases, given.most // 4)
        except ImportError as error:
            print(f"without notebooks: {error}")
        run(cases, given.speed, given.misses)
    return 0


def run(cases: Sequence[Case], speed: int, misses: int) -> None:
    """Prints the tables."""
    pages = {case: decoded(case.html) for case in cases}
    print(f"{len(cases)} pages with {sum(len(c.blocks) for c in cases)} blocks of code")
    timed = random.Random(0).sample(list(cases), min(speed, len(cases)))
    print(f"{'':28} {'pages':>6} {'blocks':>7} {'there':>8} {'fenced':>8} {'named':>6} {'language':>9}")
    peers = extractors() if timed else {"codemill": ours}
    for name, extract in peers.items():
        counts: dict[str, Counter[str]] = {}
        for case in cases if name == "codemill" else timed:
            found = score(extract(pages[case]), case.blocks)
            for key in (case.generator, "all"):
                counts.setdefault(key, Counter()).update(found, pages=1)
        print(f"{name} ({'all pages' if name == 'codemill' else 'of the timed pages'})")
        for key, c in counts.items():
            shares = [
                f"{100 * c[part] / max(1, c[whole]):.2f}%"
                for part, whole in (("there", "blocks"), ("fenced", "blocks"))
            ]
            language = f"{100 * c['language'] / max(1, c['named']):.2f}%"
            print(
                f"  {key:26} {c['pages']:6} {c['blocks']:7} {shares[0]:>8} {shares[1]:>8} {c['named']:6} {language:>9}"
            )
    size = sum(len(pages[case].encode()) for case in timed)
    for name, extract in peers.items() if timed else ():
        start = time.process_time()
        for case in timed:
            extract(pages[case])
        seconds = time.process_time() - start
        print(f"{name:12} {size / seconds / 1e6:9.2f} MB/s {len(timed) / seconds:9.1f} pages/s on one core")
    shown = 0
    for case in cases:
        text = ours(pages[case])
        for block in case.blocks:
            if shown < misses and block.code not in {trimmed(f[3]) for f in FENCED.finditer(text)}:
                shown += 1
                print(f"--- {case.generator} {case.html}\n{block.code[:600]}")


def decoded(path: Path) -> str:
    return page_saved.text(page_saved.raw(path))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
