"""Breaks the code once in each of many places and asks the tests: `make mutants`.

A mutant is the package with one small change: a comparison turned around, a constant off by one, a condition negated,
an argument left out, a statement dropped. Tests that still pass let it survive. Which places are changed is drawn by a
hash, so that every run asks the same questions; a mutant that means the same as the code is named in `EQUIVALENT` with
the reason. From: DeMillo, Lipton and Sayward 1978.

    python scripts/mutants.py                     200 mutants of machine, steps, sources and rules
    python scripts/mutants.py --only steps/dedup --most 20
    python scripts/mutants.py --list              what would be changed
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import copy
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "codemill"
FILES = ("machine/*.py", "steps/*.py", "sources/*.py", "rules.py", "chance.py")
SLOWEST = 300  # seconds that the tests of one mutant may take: one that hangs is found

TESTS: dict[str, tuple[str, ...]] = {
    "machine/": ("test_machine_promises", "test_identity", "test_machine", "test_graph"),
    "machine/components": ("test_components",),
    "machine/engine": ("test_machine_promises", "test_machine", "test_ray"),
    "machine/layers": ("test_machine_promises", "test_machine", "test_graph", "test_hostile_tables"),
    "machine/output": ("test_source_promises", "test_machine", "test_hostile_output"),
    "machine/progress": ("test_cli",),
    "machine/forgetting": ("test_forget", "test_machine_promises"),
    "machine/source": ("test_source_promises", "test_machine"),
    "steps/": ("test_step_promises", "test_machine"),
    "steps/_clusters": ("test_fuzzy", "test_chunks"),
    "steps/_evidence": ("test_fuzzy", "test_chunks"),
    "steps/_guard": ("test_fuzzy", "test_chunks"),
    "steps/_imports": ("test_imports",),
    "steps/_index": ("test_known",),
    "steps/_parts": ("test_autods", "test_synthesis_steps"),
    "steps/algorithmic": ("test_synthesis_steps",),
    "steps/autods": ("test_autods",),
    "steps/chats": ("test_chats",),
    "steps/choose": ("test_plans", "test_student", "test_synthesis_steps"),
    "steps/chunks": ("test_chunks",),
    "steps/clean": ("test_notebooks", "test_headers", "test_redact", "test_step_promises"),
    "steps/decontaminate": ("test_decontaminate",),
    "steps/dedup": ("test_step_promises", "test_machine", "test_fuzzy"),
    "steps/detect": ("test_detect", "test_step_promises"),
    "steps/docstrings": ("test_chats",),
    "steps/domains": ("test_recall",),
    "steps/export": ("test_terminal_words",),
    "steps/holdout": ("test_holdout",),
    "steps/imports": ("test_imports",),
    "steps/ingest": ("test_step_promises", "test_machine", "test_sources_folder"),
    "steps/instructions": ("test_synthesis",),
    "steps/known": ("test_known",),
    "steps/libraries": ("test_synthesis_steps",),
    "steps/licenses": ("test_licenses",),
    "steps/mix": ("test_plans",),
    "steps/pack": ("test_plans",),
    "steps/pages": ("test_pages",),
    "steps/quality": ("test_quality", "test_step_promises"),
    "steps/recall": ("test_recall",),
    "steps/repos": ("test_levels",),
    "steps/sample": ("test_step_promises",),
    "steps/seeds": ("test_autods", "test_pages", "test_recall"),
    "steps/select": ("test_select",),
    "steps/stages": ("test_synthesis_steps",),
    "steps/student": ("test_student",),
    "steps/synthesis": ("test_synthesis_steps",),
    "steps/tokenize": ("test_tokens", "test_plans"),
    "steps/tokenizer": ("test_tokens", "test_plans"),
    "steps/tokens": ("test_plans",),
    "steps/train": ("test_training_recipes",),
    "sources/": ("test_sources_open", "test_source_promises", "test_sources_folder", "test_sources_tables"),
    "sources/_columns": ("test_sources_tables",),
    "sources/_decompress": ("test_sources_archive", "test_hostile_archives"),
    "sources/_git": ("test_sources_git", "test_hostile_git", "test_sources_commit_times"),
    "sources/_members": ("test_sources_archive", "test_hostile_archives"),
    "sources/_shards": ("test_sources_shards", "test_sources_folder"),
    "sources/_tar": ("test_sources_archive", "test_hostile_archives"),
    "sources/_zip": ("test_sources_archive", "test_hostile_archives"),
    "sources/archive": ("test_sources_archive", "test_hostile_archives"),
    "sources/folder": ("test_sources_folder", "test_hostile_folders"),
    "sources/git": ("test_sources_git", "test_hostile_git"),
    "sources/jsonl": ("test_sources_tables", "test_hostile_tables"),
    "sources/metadata": ("test_sources_metadata", "test_sources_tables"),
    "sources/parquet": ("test_sources_tables", "test_hostile_tables"),
    "sources/chats": ("test_synthesis", "test_synthesis_steps"),
    "sources/published": ("test_known", "test_graph"),
    "sources/_http": ("test_sources_warc",),
    "sources/warc": ("test_sources_warc",),
    "sources/_warc": ("test_sources_warc",),
    "rules": ("test_rules", "test_quality"),
    "chance": ("test_rules", "test_quality", "test_step_promises"),
}
"""The tests that are asked, by the longest beginning of a file's path."""

EQUIVALENT: dict[str, str] = {}
"""Mutants that mean the same as the code, by their name (see `Mutant.name`), with the reason."""


@dataclass(frozen=True)
class Mutant:
    """One change: of which node, and how."""

    path: str  # below codemill/
    line: int
    column: int
    kind: str
    text: str  # of the whole file, changed

    @property
    def name(self) -> str:
        """Where and what, such as `rules.py:31:8 compare`."""
        return f"{self.path}:{self.line}:{self.column} {self.kind}"

    @property
    def draw(self) -> str:
        """Its place in the order in which mutants are taken."""
        return hashlib.sha256(self.name.encode()).hexdigest()


TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The changed forms of one node, each with the kind of change."""
    new = copy.deepcopy(node)
    if isinstance(new, ast.Compare) and type(new.ops[0]) in TURNED:
        new.ops[0] = TURNED[type(new.ops[0])]()
        yield "compare", new
    elif isinstance(new, ast.BoolOp):
        new.op = ast.Or() if isinstance(new.op, ast.And) else ast.And()
        yield "bool", new
    elif isinstance(new, ast.BinOp) and type(new.op) in SWAPPED:
        new.op = SWAPPED[type(new.op)]()
        yield "operator", new
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.Not):
        yield "not", new.operand
    elif isinstance(new, ast.If):
        new.test = ast.UnaryOp(ast.Not(), new.test)
        yield "if", new
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        new.value = not new.value
        yield "constant", new
    elif isinstance(new, ast.Constant) and isinstance(new.value, int):
        new.value += 1
        yield "constant", new
    elif isinstance(new, ast.Call) and new.keywords and new.keywords[-1].arg:
        del new.keywords[-1]
        yield "argument", new
    elif (isinstance(new, ast.Expr) and isinstance(new.value, ast.Call)) or isinstance(new, ast.AugAssign):
        yield "statement", ast.Pass()


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    skipped = _left_alone(tree)
    lines = source.splitlines(keepends=True)
    for parent in ast.walk(tree):
        for node in ast.iter_child_nodes(parent):
            if id(node) in skipped or not hasattr(node, "lineno"):
                continue
            for kind, new in variants(node):
                text = _replaced(lines, node, new)
                if text is not None:
                    name = str(path.relative_to(PACKAGE))
                    yield Mutant(name, node.lineno, getattr(node, "col_offset", 0), kind, text)


def _left_alone(tree: ast.Module) -> set[int]:
    """Nodes that decide nothing at run time, or only how something is said: annotations, messages, logs, TYPE_CHECKING,
    names in __all__, sizes that are chosen for speed at the top of a module."""
    left: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            left.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            left += [a.annotation for a in (*node.args.args, *node.args.kwonlyargs) if a.annotation]
            left += [node.returns] if node.returns else []
        elif isinstance(node, ast.Raise) and node.exc is not None:
            left.append(node.exc)
        elif isinstance(node, ast.JoinedStr | ast.Assert):
            left.append(node)
        elif isinstance(node, ast.Call):
            told = ast.unparse(node.func).startswith(("log.", "progress.", "site.progress"))
            left += [node] if told else []
        elif isinstance(node, ast.If):
            left += [node] if "TYPE_CHECKING" in ast.unparse(node.test) else []
    left += [s for s in tree.body if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]).isupper()]
    return {id(inner) for node in left for inner in ast.walk(node)}


def _replaced(lines: list[str], node: Any, new: Any) -> str | None:
    """The file with one node replaced; None where that is no Python any more."""
    if isinstance(node, ast.If):  # only its condition: what follows stays as it is written
        node, new = node.test, new.test
    first, last = node.lineno - 1, node.end_lineno - 1
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset :].decode()
    code = ast.unparse(ast.fix_missing_locations(new))
    if not isinstance(node, ast.stmt):
        code = f"({code})"
    text = "".join([*lines[:first], before, code, after, *lines[last + 1 :]])
    try:
        ast.parse(text)
    except SyntaxError:
        return None
    return text


def tests_of(path: str) -> list[str]:
    """The test files that are asked about a file."""
    best = max((key for key in TESTS if path.startswith(key)), key=len)
    return [f"tests/{name}.py" for name in TESTS[best]]


def outcome(mutant: Mutant | None, path: str) -> str:
    """ "killed", "survived" or "hung": the tests' word on a mutant; None is the code as it is."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copied = Path(folder)
        for name in ("codemill", "tests", "bench", "scripts", "docs"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, copied)
        if mutant is not None:
            (copied / "codemill" / mutant.path).write_text(mutant.text, "utf-8")
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not gpu"]
        command += [*tests_of(path), "--no-header", "-p", "no:xdist"]
        try:
            done = subprocess.run(
                command, cwd=copied, env=environment, capture_output=True, timeout=SLOWEST, check=False
            )
        except subprocess.TimeoutExpired:
            return "hung"
    return "survived" if done.returncode == 0 else "killed"


def chosen(only: str, most: int) -> list[Mutant]:
    """So many mutants, as many of each file as its share of all, the same on every run."""
    found: list[Mutant] = []
    for pattern in FILES:
        for path in sorted(PACKAGE.glob(pattern)):
            if only in str(path.relative_to(PACKAGE)) and path.name != "__init__.py":
                found += mutants(path)
    return sorted(found, key=lambda mutant: mutant.draw)[:most]


def main() -> None:
    """Prints what became of each mutant, and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of the path of the files to change")
    parser.add_argument("--most", type=int, default=200, help="how many mutants")
    parser.add_argument("--list", action="store_true", help="print what would be changed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    selected = chosen(options.only, options.most)
    if options.list:
        print("\n".join(mutant.name for mutant in selected))
        return
    began, counts = time.monotonic(), Counter[str]()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(outcome, mutant, mutant.path): mutant for mutant in selected}
        for future in concurrent.futures.as_completed(futures):
            mutant, result = futures[future], future.result()
            if result == "survived" and mutant.name in EQUIVALENT:
                result = "equivalent"
            counts[result] += 1
            if result in ("survived", "equivalent"):
                so_far = f"{counts['killed'] + counts['hung']} of {counts.total()} killed so far"
                print(f"{result}: codemill/{mutant.name}  {EQUIVALENT.get(mutant.name, '')} ({so_far})", flush=True)
    judged = len(selected) - counts["equivalent"]
    killed = counts["killed"] + counts["hung"]
    print(
        f"{len(selected)} mutants: {killed} of {judged} killed ({killed / max(1, judged):.1%}), "
        f"{counts['equivalent']} equivalent, in {time.monotonic() - began:,.0f} s"
    )


if __name__ == "__main__":
    main()
