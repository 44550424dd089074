"""Plants benchmark tasks among real files: how many are found again, how many files are dropped wrongly, how fast.

    python -m bench.decontaminate FOLDER [--rows 100000]

FOLDER has benchmark files in their published forms. Every task with an answer is planted as it is and rewritten in
four ways, in the middle of a real file, or in a chat row. The rewriting is written apart from the matcher: Python by
its own tokenizer and syntax tree, other languages by their entry point, white space and comments. Clean rows are the
code on this machine, pieces of files where there are too few.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import re
import time
import tokenize
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from codemill import _core, benchmarks, languages
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.store import Place
from codemill.recipes.quickstart import here
from codemill.steps import decontaminate

RULE = {"ngram": 10, "words_share": 0.7, "code_share": 0.9, "least": 4, "common": 256, "shortest": 12}
COMMENT = {"python": "#", "ruby": "#", "r": "#", "julia": "#", "perl": "#", "shell": "#", "lua": "--", "haskell": "--"}
SLASHES = {
    "javascript",
    "typescript",
    "java",
    "cpp",
    "c",
    "csharp",
    "go",
    "rust",
    "php",
    "scala",
    "swift",
    "kotlin",
    "d",
}


def draw(*parts: object) -> int:
    """A number that depends on these values alone."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:6], "big")


# ── rewriting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def own_names(program: str) -> set[str]:
    """The names that a Python program gives itself."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    called = {k.arg for n in ast.walk(ast.parse(program)) if isinstance(n, ast.Call) for k in n.keywords if k.arg}
    attributes = {n.attr for n in ast.walk(ast.parse(program)) if isinstance(n, ast.Attribute)}
    return {name for name in names if not name.startswith("__")} - called - attributes - {"self", "cls"}


def python(program: str, *, names: bool, layout: bool, literals: bool) -> str:
    """A Python program with other names, other white space and comments, other forms of literals."""
    renamed = {name: f"{'abcdefgh'[n % 8]}_{n}x" for n, name in enumerate(sorted(own_names(program)))} if names else {}
    out: list[str] = []
    line, begin = "", True
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(program).readline):
        text = token.string
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type in (tokenize.NEWLINE, tokenize.NL):
            if line.strip():
                out.append(
                    line + ("  # step" if layout and len(out) % 3 == 0 and token.type == tokenize.NEWLINE else "")
                )
            line, begin = "", token.type == tokenize.NEWLINE or begin
        elif token.type == tokenize.COMMENT:
            line += "" if layout else f"  {text}"
        elif token.type != tokenize.ENDMARKER:
            if token.type == tokenize.NAME:
                text = renamed.get(text, text)
            elif token.type == tokenize.NUMBER and literals and text.isdigit():
                text = hex(int(text)) if int(text) > 9 else f"0x{int(text):x}" if int(text) else "0b0"
            elif token.type == tokenize.STRING and literals:
                text = other_quotes(text)
            if not line:
                line = ("\t" if layout else "    ") * depth if begin else "        "
            elif not (layout and (text in ",)]:." or line[-1] in "([.")):
                line += " "
            line += text
            begin = False
    return "\n".join([*out, line]) + "\n"


def other_quotes(literal: str) -> str:
    """The same string in other quotes, if that needs no escapes."""
    if re.fullmatch(r"'[^'\"\\]*'", literal):
        return f'"{literal[1:-1]}"'
    if re.fullmatch(r'"[^\'"\\]*"', literal):
        return f"'{literal[1:-1]}'"
    return literal


def other(program: str, language: str, entry_point: str, *, names: bool, layout: bool) -> str:
    """A program in another language with another entry point, other white space, and comments of its own."""
    if names and len(entry_point) > 2:
        program = re.sub(rf"\b{re.escape(entry_point)}\b", "do_it", program)
    if not layout:
        return program
    comment = COMMENT.get(language, "//" if language in SLASHES else "")
    lines = []
    for number, line in enumerate(program.splitlines()):
        lines.append(re.sub(r"^( +)", lambda found: " " * (2 * len(found[1])), line))
        if comment and number % 4 == 1 and line.endswith(";"):
            lines.append(f"{comment} step {number}")
    return "\n".join(lines)


Variant = Callable[[benchmarks.Task], str]


def variants() -> dict[str, Variant]:
    """The ways in which a task is planted."""
    ways = {
        "as it is": (False, False, False),
        "other names": (True, False, False),
        "other white space and comments": (False, True, False),
        "other literals": (False, False, True),
        "all of these": (True, True, True),
    }

    def of(names: bool, layout: bool, literals: bool) -> Variant:
        def rewritten(task: benchmarks.Task) -> str:
            program = task.program()
            if not (names or layout or literals):
                return program
            if task.language == "python":
                return python(program, names=names, layout=layout, literals=literals)
            return other(program, task.language, task.entry_point, names=names, layout=layout)

        return rewritten

    return {name: of(*how) for name, how in ways.items()}


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ENDINGS = {
    ".py": "python",
    ".rs": "rust",
    ".js": "javascript",
    ".c": "c",
    ".h": "c",
    ".cpp": "cpp",
    ".go": "go",
    ".java": "java",
    ".md": "markdown",
    ".sh": "shell",
    ".pl": "perl",
    ".rb": "ruby",
    ".ts": "typescript",
}


def clean_rows(wanted: int) -> tuple[list[str], list[str], int]:
    """Contents and languages: files of this machine, different ones, then pieces of 60 lines; how many are files."""
    texts: dict[str, str] = {}
    for source in here():
        for path in sorted(Path(source.root).rglob("*")):  # type: ignore[attr-defined]
            if path.suffix in ENDINGS and path.is_file() and path.stat().st_size < 1_000_000:
                texts.setdefault(path.read_text("utf-8", "replace"), ENDINGS[path.suffix])
    rows = list(texts.items())
    whole = len(rows)
    for text, language in rows[:whole]:
        lines = text.splitlines(keepends=True)
        for start in range(0, len(lines) - 60, 60):
            if len(rows) >= wanted:
                break
            rows.append(("".join(lines[start : start + 60]), language))
    print(f"clean rows: {whole:,} files, {len(rows) - whole:,} pieces of files")
    return [text for text, _ in rows[:wanted]], [language for _, language in rows[:wanted]], whole


def index(folder: Path, work: Path) -> Reading:
    """The parts of all tasks below a folder."""
    place = Place.of(str(work))
    place.make()
    begin = time.perf_counter()
    counts = decontaminate.items.function(out=OutFolder(place), benchmarks=(decontaminate.Files(str(folder)),))
    print(f"index: {counts['tasks']:,} tasks, {counts['parts']:,} parts, read in {time.perf_counter() - begin:.1f} s")
    return Reading("items", place=place)


def found(items: Reading, texts: list[str], kinds: list[str | None], *, names: bool = False) -> list[dict[str, object]]:
    """What `drop` says of each text."""
    content = pa.array(texts, pa.large_string())
    batch = pa.record_batch({"content": content, "language": pa.array(kinds, pa.string())})
    made = decontaminate.drop.function(batch, items, columns=("content",), language="language", names=names, **RULE)
    return list(made.to_pylist())


def tasks(folder: Path) -> Iterator[benchmarks.Task]:
    """One task of each answer."""
    seen = set()
    for path, benchmark in benchmarks.find(folder).items():
        if benchmark is None:
            continue
        for task in benchmarks.read(path):
            program = task.program()
            if task.solution.strip() and task.kind not in ("line", "choose", "explain") and program not in seen:
                seen.add(program)
                yield task


_TOKEN = re.compile(r"[rbfu]{0,2}(?:\"[^\"\n]*\"|'[^'\n]*')|\d\w*(?:\.\d\w*)?|\w+|[^\w\s;]", re.IGNORECASE)
"""A string with its prefix, a number with its fraction, a name, or one other character."""


def size(task: benchmarks.Task) -> int:
    """Tokens of a task's program, without comments, docstrings and imports."""
    code, _ = _core.split(task.program(), task.language, languages.syntaxes())
    code = re.sub(r'("""|\'\'\')(.*?)\1', "", code, flags=re.DOTALL)
    code = re.sub(r"^\s*(import|from|using|use|package|#include)\b.*$", "", code, flags=re.MULTILINE)
    return len(_TOKEN.findall(code))


def main() -> None:
    """Prints recall, false drops and speed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--work", type=Path, default=Path("/tmp/bench-decontaminate"))
    parser.add_argument("--misses", action="store_true", help="print what was not found, and what was found wrongly")
    given = parser.parse_args()
    items = index(given.folder, given.work)
    texts, kinds, whole = clean_rows(given.rows)

    begin = time.perf_counter()
    found(items, ["x"], ["python"])
    print(f"n-grams of the parts made in {time.perf_counter() - begin:.1f} s, once a process")

    clean_share(items, texts, kinds, given.misses)
    planted = list(tasks(given.folder))
    # Whole files, and of Python those that parse: behind a string that stays open nothing is code.
    files = [row for row in zip(texts[:whole], kinds[:whole], strict=True) if row[1] != "python" or parses(row[0])]
    carriers = {kind: [text for text, one in files if one == kind] for kind in set(kinds)}
    for name, rewrite in variants().items():
        recall(items, planted, name, rewrite, carriers, given.misses)


def parses(program: str) -> bool:
    """Whether Python takes it for a program."""
    with warnings.catch_warnings(action="ignore"):
        try:
            ast.parse(program)
        except (SyntaxError, ValueError, RecursionError):
            return False
    return True


def clean_share(items: Reading, texts: list[str], kinds: list[str], misses: bool) -> None:
    """Prints how many clean rows are dropped, and how fast they are read."""
    cpu = time.process_time()
    clean = found(items, texts, list(kinds))
    cpu = time.process_time() - cpu
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    dropped = [row for row in clean if row["reason"]]
    share = len(dropped) / len(texts)
    print(f"clean: {len(dropped)} of {len(texts):,} rows dropped, {share:.4%}; {megabytes / cpu:.0f} MB/s of one core")
    for row in dropped if misses else ():
        print(f"  {row['reason']} {row['benchmark']} {row['benchmark_task']} {row['benchmark_share']:.2f}")


def recall(
    items: Reading,
    planted: list[benchmarks.Task],
    name: str,
    rewrite: Variant,
    carriers: dict[str, list[str]],
    misses: bool,
) -> None:
    """Plants all tasks in one way, and prints how many are found."""
    counts: Counter[str] = Counter()
    rows, about = [], []
    for number, task in enumerate(planted):
        try:
            text = rewrite(task)
        except (SyntaxError, tokenize.TokenError, ValueError, RecursionError):
            counts["not rewritten"] += 1
            continue
        some = carriers.get(task.language, [""])
        carrier = some[draw(task.id, name) % len(some)]
        if number % 3 == 0:
            rows.append(f"Here it is:\n\n```{task.language}\n{text}\n```\n\nIt's tested.")
        else:
            rows.append(f"{text}\n\n{carrier}" if number % 3 == 1 else f"{carrier}\n\n{text}\n")
        about.append((task, None if number % 3 == 0 else task.language))
    verdicts = found(items, rows, [kind for _, kind in about])
    for (task, kind), verdict in zip(about, verdicts, strict=True):
        length = "long" if size(task) >= 20 else "short"
        counts[f"{length} {'found' if verdict['reason'] else 'missed'}"] += 1
        if misses and not verdict["reason"] and length == "long":
            print(f"  missed: {task.benchmark} {task.id} {kind} {size(task)} tokens")
    for length, words in (("long", "20 tokens and more"), ("short", "shorter")):
        hit, all_ = counts[f"{length} found"], counts[f"{length} found"] + counts[f"{length} missed"]
        print(f"{name}, {words}: {hit:,} of {all_:,} found, {hit / max(all_, 1):.2%}")
    print(f"{name}: {counts['not rewritten']} could not be rewritten")


if __name__ == "__main__":
    main()
