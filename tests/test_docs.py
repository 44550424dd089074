"""Runs the code blocks of README.md and docs/: what a page shows is what happens.

The blocks of a page run in order, in one empty folder. ```python blocks share their names; those with `>>>` are
doctests. In ```console blocks, lines `$ codemill …` and `$ echo … | codemill …` are run, must end with status 0, and if
output is shown it must be that, where a line or part of one may be `...`. `codemill view` is stopped as soon as its
first page was answered. Commands that are not run belong in ```sh blocks.
"""

from __future__ import annotations

import doctest
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int


def blocks(page: str) -> list[Block]:
    return [Block(m[1], m[2], page.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(page)]


def commands(body: str) -> list[tuple[str, str]]:
    """Each command of a console block and the output shown under it."""
    parts = re.split(r"^\$ ", body, flags=re.MULTILINE)
    assert not parts[0].strip(), f"a console block begins with `$ command`, not {parts[0]!r}"
    pairs = [part.partition("\n") for part in parts[1:]]
    return [(command.strip(), output) for command, _, output in pairs]


def same(shown: str, printed: str) -> bool:
    tidy = ["\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n" for text in (shown, printed)]
    return doctest.OutputChecker().check_output(tidy[0], tidy[1], doctest.ELLIPSIS)


def run_console(block: Block, where: str) -> None:
    for command, shown in commands(block.body):
        words, typed = shlex.split(command), ""
        if words[0] == "echo" and "|" in words:
            at = words.index("|")
            words, typed = words[at + 1 :], " ".join(words[1:at]) + "\n"
        assert words[0] == "codemill", f"{where}: {command!r} is not run. Hint: put it into an ```sh block"
        program = [sys.executable, "-c", "import sys; from codemill.cli import main; sys.exit(main())", *words[1:]]
        if words[1] == "view":
            done = looked_at(program)
        else:
            done = subprocess.run(program, input=typed, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{where}: {command}\n{done.stderr}"
        printed = done.stdout + done.stderr
        assert not shown.strip() or same(shown, printed), f"{where}: {command} printed\n{printed}\nnot\n{shown}"


def looked_at(program: list[str]) -> subprocess.CompletedProcess[str]:
    """Starts a server, asks for the page at the address that it prints, and stops it as Ctrl-C does."""
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline()
        try:
            if address:  # else it ends by itself, with an error
                with urllib.request.urlopen(address.strip(), timeout=60) as answer:
                    assert b"</html>" in answer.read()
        finally:
            server.send_signal(signal.SIGINT)
            rest, said = server.communicate(timeout=60)
    return subprocess.CompletedProcess(program, server.returncode, address + rest, said)


def run_python(block: Block, names: dict[str, object], where: str) -> None:
    if ">>>" not in block.body:
        exec(compile("\n" * block.line + block.body, where, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(block.body, names, where, where, block.line)
    complaints: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=complaints.append, clear_globs=False)
    names.update(test.globs)
    assert not complaints, "".join(complaints)


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.language == "console":
            run_console(block, where)
        elif block.language == "python":
            run_python(block, names, where)


def test_the_runner_notices() -> None:
    page = "text\n```python\n>>> 1 + 1\n3\n```\n"
    (block,) = blocks(page)
    assert (block.language, block.line) == ("python", 2)
    with pytest.raises(AssertionError, match="Expected"):
        run_python(block, {}, "page:2")
    assert commands("$ codemill list steps\na\n...\n$ codemill x\n") == [
        ("codemill list steps", "a\n...\n"),
        ("codemill x", ""),
    ]
    assert same("a\n...\nd", "a  \nb\nc\nd\n")
    assert not same("a\nb", "a\nc\n")
    with pytest.raises(AssertionError, match="not run"):
        run_console(Block("console", "$ rm -rf out\n", 1), "page:1")
    with pytest.raises(AssertionError, match="not run"):
        run_console(Block("console", "$ echo y | rm -rf out\n", 1), "page:1")
    with pytest.raises(AssertionError, match="no finished run here"):
        run_console(Block("console", "$ codemill view nowhere\n", 1), "page:1")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    lost = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not lost, f"{page.relative_to(ROOT)} links to what is not there: {lost}"


def test_the_catalogue_is_current() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "catalogue_pages.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
