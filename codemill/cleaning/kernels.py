"""Which language a notebook's kernel speaks, and which of its lines only a notebook understands.

IPython's are: `%magic`, `%%magic` for a whole cell, `!shell`, `x = !shell`, `x = %magic`, `?name` and `name?`, `,f a`,
`;f a` and `/f a`, prompts before the code, a cell that is indented as a whole, and magics without their mark
(`pip install x`). They become comments; what stands in brackets or in a string over lines is left as it is. Other
kernels have a few of their own.

From: IPython, core/inputtransformer2.py and core/prefilter.py (BSD), written anew.
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from codemill import languages
from codemill.errors import RecipeError

KERNELS = (
    (r"(?:ir|xr|irkernel|r[\d. ]*|.*conda.*-r)", "r"),
    (r"(?:x?(?:c\+\+|cpp|cling|cuda)[-_ ]?\d*\w*|root)", "cpp"),
    (r"x?c-?\d*", "c"),
    (
        r"(?:i?python[\d. ]*|xpython\w*|pysparkkernel|pyspark\d*|.*conda.*-py|python .*|sos|sage.*|ipykernel|pypy\d*)",
        "python",
    ),
    (r"(?:\.net-|dotnet-)?(?:csharp|c#)", "csharp"),
    (r"(?:\.net-|dotnet-|i)?(?:fsharp|f#)", "f#"),
    (r"(?:\.net-|dotnet-)?(?:powershell|pwsh)", "powershell"),
    (r"i?julia[-\d. ]*\w*(?: .*)?", "julia"),
    (r"(?:almond|scala\d*|spylon-?\w*|apache_toree_scala|sparkkernel|toree)", "scala"),
    (r"(?:gophernotes|gonb|lgo|golang)", "go"),
    (r"ihaskell", "haskell"),
    (r"(?:evcxr\w*|rust)", "rust"),
    (r"i?ruby[\d.]*", "ruby"),
    (r"(?:ijava|rapaio.*|jjava|jbang)", "java"),
    (r"(?:deno|tslab|itypescript|ts)", "typescript"),
    (r"(?:jslab|ijs|javascript|nodejs|node|js)", "javascript"),
    (r"(?:i?octave|x(?:eus-)?octave|matlab|imatlab|mkernel)", "matlab"),
    (r"(?:calysto_bash|bash|sh|zsh)", "shell"),
    (r"(?:ocaml-?jupyter.*|ocaml.*)", "ocaml"),
    (r"(?:calysto_scheme|mit-scheme|guile)", "scheme"),
    (r"(?:xeus-sql|xsql\w*|xsqlite|sqlite|postgres\w*|tsql|mysql|mssql)", "sql"),
    (r"(?:ikotlin|kotlin)", "kotlin"),
    (r"(?:clojupyter|iclojure|clojure)", "clojure"),
    (r"(?:ilua|xlua|lua)", "lua"),
    (r"(?:iperl|perl)", "perl"),
    (r"(?:ierl.*|ielixir)", "elixir"),
    (r"(?:wolframlanguage.*|wolfram language)", "mathematica"),
    (r"(?:iswift|swift)", "swift"),
    (r"(?:xfortran|lfortran|fortran.*)", "fortran free form"),
)
"""Names of kernels and of their languages that are no names of the table, and the language."""

RUNS = frozenset(
    [
        "time",
        "timeit",
        "capture",
        "prun",
        "debug",
        "memit",
        "px",
        "autopx",
        "skip_if",
        "notify",
        "snakeviz",
        "scalene",
        "heat",
        "expect_exception",
        "ipytest",
        "run_pytest",
        "wandb",
        "line_profiler",
        "lprun",
        "mprun",
        "profile",
        "pyinstrument",
        "chime",
        "stopwatch",
        "prerun",
        "cache",
        "cache_cell",
        "local",
        "spark",
        "pypy",
        "python",
        "python3",
        "py3",
        "latexify",
        "render",
        "timing",
        "itemit",
        "mem",
        "memory",
        "main",
        "test",
        "oc",
    ]
)
"""Magics of a cell whose body is code of the kernel's language."""

BARE = frozenset(
    [
        "cd",
        "ls",
        "ll",
        "la",
        "lf",
        "lk",
        "ldir",
        "lx",
        "pwd",
        "pip",
        "conda",
        "mamba",
        "micromamba",
        "uv",
        "cat",
        "cp",
        "mv",
        "rm",
        "mkdir",
        "rmdir",
        "man",
        "less",
        "more",
        "env",
        "set_env",
        "alias",
        "time",
        "timeit",
        "prun",
        "run",
        "load",
        "loadpy",
        "edit",
        "who",
        "whos",
        "who_ls",
        "reset",
        "history",
        "hist",
        "matplotlib",
        "pylab",
        "load_ext",
        "reload_ext",
        "unload_ext",
        "config",
        "precision",
        "quickref",
        "rerun",
        "save",
        "store",
        "pinfo",
        "pinfo2",
        "page",
        "pdb",
        "debug",
        "lsmagic",
        "colors",
        "notebook",
        "gui",
        "dhist",
        "bookmark",
        "psource",
        "pdoc",
        "pfile",
        "psearch",
        "recall",
        "rehashx",
        "sc",
        "sx",
        "system",
        "tb",
        "unalias",
        "xmode",
        "magic",
        "macro",
        "logstart",
        "git",
        "wget",
    ]
)
"""Magics that IPython takes without their mark, and the commands people write like that."""

ASSIGNED = re.compile(r"""(?:[^=#'"]|'[^'\n]*'|"[^"\n]*")+=\s*(?:!|%\w)""")
TOKEN = re.compile(
    r"""\#.*|[A-Za-z]{0,2}(?:\"\"\"|''')|[A-Za-z]{0,2}(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|[\[({]|[\])}]"""
)
PROMPT = re.compile(r"^(?:>>>(?: |$)|\.\.\.(?: |$)|In \[\d+\]: ?|\s*\.{3,}: ?)")

LONGEST = 50_000
"""Characters of a line that is looked into: longer ones are data."""

Comment = Callable[[str], str]


def language(names: Sequence[object]) -> str | None:
    """The language of the first name that says one: of a language, of an alias, of a kernel.

    >>> language([None, ".net-csharp"]), language(["C++17"]), language(["ir"]), language(["Sos"])
    ('csharp', 'cpp', 'r', 'python')
    """
    return next(filter(None, (_language(str(name).strip().lower()) for name in names if isinstance(name, str))), None)


@functools.cache
def _language(name: str) -> str | None:
    for pattern, known in KERNELS:
        if re.fullmatch(pattern, name):
            return known
    try:
        return languages.get(name).name
    except RecipeError:
        return None


def of_notebook(notebook: Mapping[str, Any]) -> str | None:
    """The language of a notebook: of `language_info`, else of its kernel."""
    about = _dict(notebook.get("metadata"))
    info, kernel = _dict(about.get("language_info")), _dict(about.get("kernelspec"))
    return language([info.get("name"), kernel.get("language"), kernel.get("name"), kernel.get("display_name")])


def of_cell(cell: Mapping[str, Any]) -> str | None:
    """The language of one cell where its notebook has several (SoS, Polyglot), else None."""
    about = _dict(cell.get("metadata"))
    polyglot, dotnet = _dict(about.get("polyglot_notebook")), _dict(about.get("dotnet_interactive"))
    vscode = _dict(about.get("vscode"))
    named = [polyglot.get("kernelName"), dotnet.get("language"), about.get("kernel"), vscode.get("languageId")]
    return language(named)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def comment(name: str | None) -> Comment:
    """Makes every line of a text a comment of that language; with `#` where it has none.

    >>> print(comment("ocaml")("a (* b *)\\nc"))
    (* a ( * b * ) *)
    (* c *)
    """
    known = languages.get(name) if name else None
    if known is None or known.line_comments or not known.block_comments:
        opener = known.line_comments[0] if known and known.line_comments else "#"
        return lambda text: "\n".join(f"{opener} {line}".rstrip() for line in text.split("\n"))
    opens, closes = known.block_comments[0]

    def block(text: str) -> str:
        for mark in (opens, closes):
            text = text.replace(mark, f"{mark[:1]} {mark[1:]}")
        return "\n".join(f"{opens} {line.rstrip()} {closes}" for line in text.split("\n"))

    return block


def runnable(code: str, name: str | None, commented: Comment) -> str:
    """The code of a cell, with what only a notebook understands as comments."""
    if name in (None, "python"):
        return _ipython(code, commented)
    if name in ("r", "shell", "matlab"):
        return code  # `%` and `!` mean something there
    lines, at = code.split("\n"), 0
    out: list[str] = []
    while name != "go":
        first = next((n for n in range(at, len(lines)) if lines[n].strip()), None)
        if first is None or not lines[first].startswith("%%"):
            break
        if lines[first][2:].split(" ")[0] not in RUNS:
            return "\n".join([*out, commented("\n".join(lines[first:]))])
        out.append(commented(lines[first]))
        at = first + 1
    return "\n".join([*out, *_without_marks(lines[at:], name, commented)])


def _without_marks(lines: list[str], name: str, commented: Comment) -> list[str]:
    if name in ("csharp", "f#", "powershell"):
        return _polyglot(lines, name, commented)
    if name == "julia" and next(filter(None, lines), "").startswith((";", "]", "?")):
        return [commented("\n".join(lines))] if lines else []
    marks = {"cpp": r"[.?]\w", "haskell": r":\w", "rust": r":\w", "go": r"!|%|\$\w"}
    own = re.compile(marks.get(name, r"(?!)") + r"|%\w|%%\w|!\w")
    return [commented(line) if own.match(line) else line for line in lines]


def _polyglot(lines: list[str], name: str, commented: Comment) -> list[str]:
    """`#!name` goes to another kernel up to the next; `#!time` and others are for the line alone."""
    out, here = [], True
    for line in lines:
        mark = re.match(r"#!([\w-]+)", line)
        if mark:
            other = language([mark[1]]) or ("html" if mark[1] in ("mermaid", "kql", "value") else None)
            here = other == name if other else here
        out.append(line if here and not mark and not re.match(r"[%!]\w", line) else commented(line))
    return out


def _ipython(code: str, commented: Comment) -> str:
    out: list[str] = []
    lines, at = _undone(code.split("\n")), 0
    while True:
        said = (n for n in range(at, len(lines)) if lines[n].strip() and not lines[n].lstrip().startswith("#"))
        first = next(said, None)
        if first is None or not lines[first].startswith("%%"):
            break
        out += lines[at:first]
        at = first + 1
        if lines[first][2:].split(" ")[0].strip() not in RUNS:
            return "\n".join([*out, commented("\n".join(lines[first:]))])
        out.append(commented(lines[first]))
    lines = lines[at:]
    found = list(_statements(lines))
    empty = _empty_blocks(found)
    for (text, magic), alone in zip(found, empty, strict=True):
        if not magic:
            out.append(text)
            continue
        indent = text[: len(text) - len(text.lstrip())]
        said_lines = commented("\n".join(line.strip() for line in text.split("\n"))).split("\n")
        out += [*([f"{indent}pass"] if alone else []), *(indent + line for line in said_lines)]
    return "\n".join(out)


def _undone(lines: list[str]) -> list[str]:
    """Without prompts, and without the indentation of the whole cell."""
    first = next((line for line in lines if line.strip()), "")
    if re.match(r">>>(?: |$)|In \[\d+\]: ?", first):
        lines = [PROMPT.sub("", line) for line in lines]
        first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines] if indent else lines


def _statements(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Lines with whether they are for IPython alone; a magic with the lines that a backslash adds to it."""
    depth, quote, n = 0, "", 0
    carried = False
    while n < len(lines):
        line = lines[n]
        n += 1
        if not depth and not quote and not carried and _is_magic(line):
            while line.endswith("\\") and n < len(lines):
                line += "\n" + lines[n]
                n += 1
            yield line, True
            continue
        depth, quote = _state(line, depth, quote)
        carried = not quote and line.endswith("\\") and "#" not in line
        yield line, False


def _is_magic(line: str) -> bool:
    said = line.strip()
    if not said or said.startswith("#"):
        return False
    if said[0] in "%!?,;/" or ASSIGNED.match(said):
        return True
    if "?" in said[-300:] and len(said) < LONGEST and _code(said).rstrip().endswith("?"):
        return True
    word = re.match(r"\w+", said)
    return bool(word and word[0] in BARE and not _parses(said))


def _code(line: str) -> str:
    """A line without its comment and without what is in strings."""
    return TOKEN.sub(lambda m: m[0] if m[0] in "()[]{}" else "#" if m[0].startswith("#") else '""', line).split("#")[0]


@functools.lru_cache(4096)
def _parses(line: str) -> bool:
    if len(line) > 300:
        return True
    if line.endswith((":", ",", "(", "[", "{", "\\")):
        return True  # goes on
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(line)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True


def _state(line: str, depth: int, quote: str) -> tuple[int, str]:
    """How many brackets are open after a line, and the quotes of the string that is."""
    at = 0
    while at < len(line) <= LONGEST:
        if quote:
            end = line.find(quote, at)
            while end > 0 and _is_escaped(line, end):
                end = line.find(quote, end + 1)
            if end < 0:
                return depth, quote
            at, quote = end + 3, ""
            continue
        token = TOKEN.search(line, at)
        if token is None or token[0].startswith("#"):
            break
        at = token.end()
        if token[0].endswith(('"""', "'''")):
            quote = token[0][-3:]
        elif token[0] in "([{":
            depth += 1
        elif token[0] in ")]}":
            depth = max(0, depth - 1)
    return depth, quote


def _is_escaped(line: str, at: int) -> bool:
    before = at
    while before and line[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def _empty_blocks(found: Sequence[tuple[str, bool]]) -> list[bool]:
    """Of each magic, whether it is the first of a block that has nothing else."""
    indents = [len(line) - len(line.lstrip()) for line, _ in found]
    below = [-1] * len(found)  # the indentation of the next code
    after = -1
    for n in range(len(found) - 1, -1, -1):
        below[n] = after
        if not found[n][1] and _code(found[n][0]).strip():
            after = indents[n]
    empty, opened = [False] * len(found), False
    for n, (line, magic) in enumerate(found):
        if magic:
            empty[n] = opened and indents[n] > 0 and below[n] < indents[n]
            opened &= not empty[n]
        elif code := _code(line).strip():
            opened = code.endswith(":")
    return empty
