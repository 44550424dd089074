"""Breaks the code once in each of many places and asks the tests: `make mutants`.

A mutant is the package with one small change: a comparison turned around, a constant off by one, a condition negated,
an argument left out, a statement dropped. Tests that still pass let it survive. Which places are changed is drawn by a
hash of what stands there, so that every run asks the same questions; a mutant that means the same as the code is named
in `EQUIVALENT` with the reason. From: DeMillo, Lipton and Sayward 1978.

All is asked of one copy of the working tree, taken at the start. Each file of tests must pass there on the code as it
is, which also tells how long it takes; mutants of a file whose tests do not are not judged.

Over the size budget for the table of tests.

    python scripts/mutants.py                     200 mutants of machine, steps, sources and rules
    python scripts/mutants.py --only steps/dedup --most 20
    python scripts/mutants.py --record told.jsonl --minutes 50     stops after that time; called again, it goes on
    python scripts/mutants.py --list              what would be changed
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import copy
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "codemill"
FILES = ("machine/*.py", "steps/*.py", "sources/*.py", "rules.py", "chance.py")
# A mutant hangs if a file of tests takes so many times as long as on the code as it is, and at least so many seconds:
# far more than a busy machine makes of it.
HUNG_TIMES, HUNG_SECONDS = 5, 60.0

TESTS: dict[str, tuple[str, ...]] = {
    "machine/": ("test_machine_promises", "test_identity", "test_machine", "test_graph"),
    "machine/components": ("test_components",),
    "machine/engine": ("test_machine_promises", "test_machine", "test_ray"),
    "machine/layers": ("test_machine_promises", "test_machine", "test_graph", "test_hostile_tables"),
    "machine/output": ("test_source_promises", "test_machine", "test_hostile_output"),
    "machine/places": ("test_places", "test_release"),
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
    "steps/chunks": ("test_chunks", "test_identity"),
    "steps/clean": ("test_notebooks", "test_headers", "test_header_sentences", "test_redact", "test_step_promises"),
    "steps/decontaminate": ("test_decontaminate",),
    "steps/dedup": ("test_step_promises", "test_machine", "test_fuzzy", "test_identity"),
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
    "steps/repos": ("test_levels", "test_identity"),
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
"""The files of tests that are asked, by the longest beginning of a file's path; `long` ones too."""

EQUIVALENT: dict[str, str] = {
    "machine/layers.py Piece._own constant: False": "reads ahead or not: what is read is the same",
    "machine/planning.py Node constant: False": "no two nodes of a plan are compared",
    "machine/source.py Listing constant: True": "frozen: a guard against slips of ours",
    "machine/tasks.py _entry argument: zip(part.pieces, verdicts, strict=True)": "asserts what always holds",
    "steps/imports.py rank constant: 2": "another version is another fingerprint, and nothing else",
    "sources/_decompress.py _Zstd.__init__ argument: zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)": (
        "the library's own limit is the same"
    ),
    "machine/components.py mixed operator: z >> np.uint64(30)": "another spread of nodes over partitions",
    "machine/progress.py per_second constant: 10": "a number from 10 to 11 reads the same both ways",
    "chance.py leading constant: 0": "the rows of an empty array are cut out of it: none",
    "steps/pack.py _keys compare: chance.fraction(mix.draws(batch, unit, seed, f'pack.names {number}'))[of[here]]"
    " < names": "a fraction equals a share in one of 2**53 draws",
}
"""Mutants that mean the same as the code, by their name (see `Mutant.name`), with the reason."""


@dataclass(frozen=True)
class Mutant:
    """One change: of which node, and how."""

    path: str  # below codemill/
    name: str  # path, function, kind of change and what stood there: the same after lines were added above
    lines: Sequence[str]  # of the file
    node: Any  # of its tree
    new: Any

    @property
    def line(self) -> int:
        """Where it is."""
        return int(self.node.lineno)

    @cached_property
    def text(self) -> str | None:
        """The whole file, changed; None where that is no Python any more."""
        return _replaced(self.lines, self.node, self.new)

    @property
    def draw(self) -> str:
        """Its place in the order in which mutants are taken."""
        return _digest(self.name)


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
    skipped, lines, file = _left_alone(tree), source.splitlines(keepends=True), str(path.relative_to(PACKAGE))
    met = Counter[str]()
    for scope, node in _scoped(tree, ""):
        if id(node) in skipped or not hasattr(node, "lineno"):
            continue
        for kind, new in variants(node):
            before = ast.unparse(node.test if isinstance(node, ast.If) else node)
            name = f"{file} {scope or 'module'} {kind}: {' '.join(before.split())}"
            met[name] += 1
            if met[name] > 1:
                name += f" (#{met[name]})"
            yield Mutant(file, name, lines, node, new)


def _scoped(parent: ast.AST, scope: str) -> Iterator[tuple[str, Any]]:
    """Every node below one, in the order of the file, with the names of the functions and classes around it."""
    for node in ast.iter_child_nodes(parent):
        inner = scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{scope}.{node.name}".lstrip(".")
        yield scope, node
        yield from _scoped(node, inner)


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
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            told = ast.unparse(node.value.func).startswith(("log.", "progress.", "site.progress"))
            left += [node] if told else []
        elif isinstance(node, ast.If):
            left += [node] if "TYPE_CHECKING" in ast.unparse(node.test) else []
    left += [s for s in tree.body if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]).isupper()]
    return {id(inner) for node in left for inner in ast.walk(node)}


def _replaced(lines: Sequence[str], node: Any, new: Any) -> str | None:
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


@contextmanager
def copied(root: Path, mutant: Mutant) -> Iterator[Path]:
    """A copy of a folder, with a mutant in it, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        shutil.copytree(root, folder, dirs_exist_ok=True)
        if mutant.text is not None:
            (Path(folder) / "codemill" / mutant.path).write_text(mutant.text, "utf-8")
        yield Path(folder)


@contextmanager
def snapshot() -> Iterator[Path]:
    """The working tree as it is now, all that git does not ignore and the compiled core, for as long as the block runs:
    edits made meanwhile change no question."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    named = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    cores = [str(path.relative_to(ROOT)) for path in PACKAGE.glob("_core*.so")]
    with tempfile.TemporaryDirectory(prefix="unmutated-") as folder:
        for name in [*filter(None, named), *cores]:
            if (ROOT / name).is_file():  # not one that is deleted and still in git's index
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        yield Path(folder)


def ask(folder: Path, tests: list[str], limit: float | None) -> tuple[str, str]:
    """What some tests of one file, or the file, say of the code in a folder: "passed", "failed" or "hung" (they took
    more than `limit` seconds), and the first test that failed or, of those that passed, all that was printed.

    Without a limit, what Python compiles is left in the folder, which saves most of the time of its copies: there only
    the changed file is compiled again, because it is newer.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "" if limit is None else "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header"]
    running = subprocess.Popen(
        [*command, "-m", "not slow and not gpu", *DURATIONS, *tests], cwd=folder, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = running.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return "hung", f"{tests[0].partition('::')[0]} took more than {limit:.0f} s"
    finally:
        _end(running)
    if running.returncode == 0:
        return "passed", said
    failed = re.search(r"^(?:FAILED|ERROR) (.*)$", said, re.MULTILINE)
    return "failed", failed[1] if failed else said.strip().split("\n")[-1]


DURATIONS = ("--durations=0", "--durations-min=0", "-vv")
TOOK = re.compile(r"^([0-9.]+)s (?:setup|call|teardown) +(tests/.*)$", re.MULTILINE)


def quickest_first(said: str) -> list[str]:
    """The tests of a run that passed, by what they took: most mutants are noticed by any test that meets them."""
    took: defaultdict[str, float] = defaultdict(float)
    for seconds, test in TOOK.findall(said):
        took[test] += float(seconds)
    return sorted(took, key=took.__getitem__)


def _end(running: subprocess.Popen[str]) -> None:
    """Ends a process with the workers that it started."""
    with suppress(ProcessLookupError):  # all have ended by themselves
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def judged(mutant: Mutant, root: Path, unmutated: list[dict[str, Any]]) -> tuple[str, str]:
    """ "killed", "hung" or "survived", and by what: the quickest files of tests are asked first."""
    with copied(root, mutant) as folder:
        for one in sorted(unmutated, key=lambda one: one["seconds"]):
            said, what = ask(folder, one["tests_in_order"], max(HUNG_SECONDS, HUNG_TIMES * one["seconds"]))
            if said != "passed":
                return {"failed": "killed"}.get(said, said), what
    return "survived", ""


NOTICED = ROOT / "scripts" / "mutants.jsonl"
"""What was noticed when all were asked last: it is in the repository, so that only what changed is asked again."""


class Record:
    """What was told already, a line of JSON each, so that a run that was stopped goes on.

    A word stands for as long as what it was said of is the same: of the code as it is, the package and the file of
    tests; of a mutant, its own file, and the tests as well unless it was killed.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.told: dict[str, dict[str, Any]] = {}
        for known in (NOTICED, path):
            for line in known.read_text("utf-8").splitlines() if known is not None and known.exists() else []:
                entry = json.loads(line)
                self.told[entry["of"]] = entry

    def of(self, name: str, code: str, tests: str) -> dict[str, Any] | None:
        """What was said of a mutant or a file of tests, if it stands."""
        entry = self.told.get(name)
        if entry is None or entry["code"] != code or (entry["said"] != "killed" and entry["tests"] != tests):
            return None
        return entry

    def add(self, **entry: Any) -> dict[str, Any]:
        """Keeps what was said."""
        self.told[entry["of"]] = entry
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        return entry


def _digest(*texts: str) -> str:
    """One short name for texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def chosen(only: str, most: int) -> list[Mutant]:
    """So many mutants, as many of each file as its share of all, the same on every run."""
    found: list[Mutant] = []
    for pattern in FILES:
        for path in sorted(PACKAGE.glob(pattern)):
            if only in str(path.relative_to(PACKAGE)) and path.name != "__init__.py":
                found += mutants(path)
    drawn = sorted(found, key=lambda mutant: mutant.draw)
    return list(islice((mutant for mutant in drawn if mutant.text is not None), most))


def main() -> None:
    """Prints what became of each mutant, and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of the path of the files to change")
    parser.add_argument("--most", type=int, default=200, help="how many mutants")
    parser.add_argument("--list", action="store_true", help="print what would be changed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no mutant after so many")
    parser.add_argument("--record", type=Path, help="a file that keeps what was told: the next run goes on from it")
    options = parser.parse_args()
    # A shell starts what runs in the background with SIGINT ignored, which tests that send it would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    selected = chosen(options.only, options.most)
    if options.list:
        print("\n".join(f"{mutant.path}:{mutant.line}  {mutant.name}" for mutant in selected))
        return
    with snapshot() as root, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        judge = Judge(root, Record(options.record), until=time.monotonic() + 60 * options.minutes)
        entries = []
        for mutant, entry in zip(selected, pool.map(judge.answer, selected), strict=True):
            if entry["said"] not in ("killed", "not asked"):
                print(f"{entry['said']}: line {mutant.line} of {mutant.name}  {entry['what']}", flush=True)
            entries.append(entry)
    if not options.only:
        noticed = (entry for entry in entries if entry["said"] in ("killed", "hung"))
        NOTICED.write_text("".join(f"{json.dumps(entry)}\n" for entry in noticed), "utf-8")
    sys.exit(report(entries))


class Judge:
    """Asks tests about mutants, each file of tests about the code as it is first."""

    def __init__(self, root: Path, record: Record, until: float) -> None:
        self.root, self.record, self.until = root, record, until
        self.package = _digest(*(path.read_text("utf-8") for path in sorted((root / "codemill").rglob("*.py"))))
        self.locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def answer(self, mutant: Mutant) -> dict[str, Any]:
        """What is said of a mutant: `of`, `said` and `what`, the reason."""
        tests, code = tests_of(mutant.path), _digest(mutant.text or "")
        digest = _digest(*((self.root / test).read_text("utf-8") for test in tests))
        entry = self.record.of(mutant.name, code, digest)
        if entry is None and time.monotonic() > self.until:
            return {"of": mutant.name, "said": "not asked", "what": ""}
        if entry is None:
            unmutated = [self.unmutated(test) for test in tests]
            for broken in [one for one in unmutated if one["said"] != "passed"]:
                what = f"{broken['of']} does not pass on the code as it is: {broken['what']}"
                return {"of": mutant.name, "said": "not judged", "what": what}
            said, what = judged(mutant, self.root, unmutated)
            entry = self.record.add(of=mutant.name, code=code, tests=digest, said=said, what=what)
        if entry["said"] == "survived" and mutant.name in EQUIVALENT:
            return {**entry, "said": "equivalent", "what": EQUIVALENT[mutant.name]}
        return entry

    def unmutated(self, test: str) -> dict[str, Any]:
        """What a file of tests says of the code as it is, and in how many `seconds`: it is asked once."""
        with self.locks[test]:
            digest = _digest((self.root / test).read_text("utf-8"))
            if entry := self.record.of(test, self.package, digest):
                return entry
            began = time.monotonic()
            said, what = ask(self.root, [test], None)
            took: dict[str, Any] = {"seconds": round(time.monotonic() - began, 1)}
            if said == "passed":
                took["tests_in_order"], what = quickest_first(what), ""
            return self.record.add(of=test, code=self.package, tests=digest, said=said, what=what, **took)


def report(entries: list[dict[str, Any]]) -> int:
    """Prints the counts; 1 if mutants could not be judged, 0 otherwise."""
    counts = Counter(entry["said"] for entry in entries)
    noticed, asked = counts["killed"] + counts["hung"], counts["killed"] + counts["hung"] + counts["survived"]
    print(
        f"{noticed} of {asked} mutants noticed ({noticed / max(1, asked):.1%}): {counts['killed']} killed, "
        f"{counts['hung']} hung; {counts['survived']} survived. Beside them {counts['equivalent']} equivalent, "
        f"{counts['not judged']} not judged, {counts['not asked']} not asked."
    )
    return 1 if counts["not judged"] else 0


if __name__ == "__main__":
    main()
