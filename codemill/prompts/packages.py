"""Package instruct: a question about a name of a library and its answer in current usage, from its own documentation.

Signature and documentation come from the installed library itself, read in the sandbox; the answer is run against that
version, and once more with warnings of deprecated calls as errors.
From: OpenCoder 4.1 and appendix (PyDoc of widely used libraries; a self-contained problem that asks for the package,
and a solution that follows the documentation). The wording is ours.
"""

from __future__ import annotations

import ast
import functools
import io
from collections.abc import Generator
from typing import Any

import codemill as cm
from codemill.prompts.educational import answered
from codemill.prompts.mending import exact, mended
from codemill.prompts.method import chat, method, run
from codemill.teacher.conversation import Conversation
from codemill.teacher.running import NOT_THE_PROGRAMS

DESCRIBE = """import importlib, inspect, pydoc, re
NAME, MOST, EXAMPLES = {name!r}, 1800, 900
thing, left = None, NAME.split(".")
while left and thing is None:
    try:
        thing = importlib.import_module(".".join(left))
    except ImportError:
        left.pop()
for part in NAME.split(".")[len(left):]:
    thing = getattr(thing, part)
try:
    signature = str(inspect.signature(thing))
except (TypeError, ValueError):
    signature = ""
text = NAME + signature + "\\n\\n" + (pydoc.getdoc(thing) or "")
begin = re.search(r"^ *Examples?:? *$", text, re.MULTILINE) or re.search(r"^ *>>> ", text, re.MULTILINE)
if len(text) > MOST and begin and begin.start() > MOST - EXAMPLES:
    examples = text[begin.start():][:EXAMPLES]
    text = text[:MOST - len(examples)].rpartition("\\n")[0] + "\\n...\\n" + examples
print(text[:MOST])
"""
"""Prints signature and documentation of a name: of a long one the beginning, and the beginning of its examples, which
stand last by custom. It runs where a library's own code can do no harm."""
DESCRIBED = "assert thing is not None"
STRICT = "import warnings\nfor _kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):\n" + (
    "    warnings.simplefilter('error', _kind)\n"
)

PROMPT = """{library} {version} documents {name} like this:

{documentation}

Write a programming problem that a user of {library} has, and that {name} solves.
1. Problem: self-contained; it asks for one Python function by name, says what it takes and returns, and asks to use
{library}.
2. Solution: a Python program with that function, which follows the documentation above and uses nothing that is
outdated.
3. Explanation: how it works, and what a reader should know about {name}.
4. Tests: at least five lines `assert …` that call the function."""
REPAIR = """With {library} {version} it does not pass: {outcome}, {detail}
Follow the documentation, and write the whole answer again."""

ANSWER = {
    "type": "object",
    "properties": {
        "problem": {"type": "string"},
        "solution": {"type": "string"},
        "explanation": {"type": "string"},
        "tests": {"type": "string"},
    },
    "required": ["problem", "solution", "tests"],
}


@method(
    version=2,
    reads=("library_version",),
    prompt=DESCRIBE + PROMPT + REPAIR,
    drops={
        "no_documentation": "the name cannot be imported here, or says nothing of itself",
        "deprecated": "its answer uses something that the library warns of",
        "sandbox_failed": "the sandbox failed on it, so nothing is known of the name",
    },
)
def ask(row: dict[str, Any], *, tries: int = 2, least_chars: int = 60) -> Conversation:
    """A question and an answer about a name of an installed library, run against its version.

    To be given a runner that shows programs the library: `runner="codemill.installed"`.
    """
    name, library, version = row["path"], row["repo"], row["library_version"]
    described = yield from run(DESCRIBE.format(name=name), DESCRIBED, "python")
    if described["outcome"] == "sandbox_error":
        return cm.Drop("sandbox_failed", described["detail"])
    documentation = described["printed"].strip()
    if described["outcome"] != "pass" or len(documentation) < least_chars:
        return cm.Drop("no_documentation", f"{described['outcome']} {described['detail'] or documentation}"[:300])
    facts = {"library": library, "version": version, "name": name}
    found = yield from mended(
        [{"role": "user", "content": PROMPT.format(**facts, documentation=documentation)}],
        tries,
        ask=lambda messages: exact(messages, ANSWER, "python"),
        texts=lambda said: (said["problem"], said["solution"], said["tests"]),
        prove=_proof,
        repair=functools.partial(REPAIR.format, **facts),
    )
    if found.reason:
        return cm.Drop(found.reason, found.value)
    made = {**_row(found.said, f"{library} {version}"), **found.proof}
    made["toolchain"] = f"{made['toolchain']}; {library} {version}"
    if made["outcome"] not in ("pass", *NOT_THE_PROGRAMS) and "Warning" in (made["detail"] or ""):
        made |= {"reason": "deprecated", "value": made["detail"]}
    return made


def _proof(said: dict[str, Any]) -> Generator[Any, Any, dict[str, Any]]:
    """Runs an answer, and if it passes once more with warnings of what is outdated as errors."""
    proof = yield from run(said["solution"], said["tests"], "python")
    if proof["outcome"] != "pass":
        return proof
    strict = yield from run(strictly(said["solution"]), said["tests"], "python")
    if strict["outcome"] == "sandbox_error":
        return strict  # nobody knows whether it warns
    if "Warning" in (strict["detail"] or ""):
        return {**proof, "outcome": "fail", "detail": strict["detail"]}
    return proof


def strictly(program: str) -> str:
    """A program that raises what it would be warned of: `STRICT` before it, but after its imports from the future.

    With a line before these the program would not compile, and nothing would be found out.

    >>> strictly("from __future__ import annotations\\nx = 1").splitlines()[:2]
    ['from __future__ import annotations', 'import warnings']
    """
    try:
        body = ast.parse(program).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return STRICT + program
    future = [node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    after = future[-1].end_lineno or 0 if future else 0
    lines = io.StringIO(program, newline=None).readlines()  # lines as Python counts them
    return "".join([*lines[:after], *(["\n"] if after and after == len(lines) else []), STRICT, *lines[after:]])


def _row(said: dict[str, Any], library: str) -> dict[str, Any]:
    problem = said["problem"].strip()
    output = answered(None, said["solution"], "python", said.get("explanation"))
    return {
        "language": "python",
        "task_type": library,
        "instruction": problem,
        "output": output,
        "program": said["solution"],
        "tests": said["tests"],
        "messages": chat(problem, output),
    }
