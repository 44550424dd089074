"""Programs in other languages than Python: their heads, their open braces, their tests as programs of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codemill.benchmarks import asking
from codemill.benchmarks.task import Task

RUN = frozenset(
    ("python", "javascript", "java", "c", "cpp", "go", "rust", "php", "ruby", "perl", "shell", "lua", "r", "typescript",
     "kotlin", "haskell", "swift", "csharp")
)  # fmt: skip
"""Languages of the catalogue whose programs the sandbox can run; what is installed is another matter."""

SANDBOX = {"shell": "bash"}
"""Where the sandbox calls a language otherwise."""

TAGS = {
    "cpp": ("cpp", "c++", "cxx"), "javascript": ("javascript", "js"), "typescript": ("typescript", "ts"),
    "shell": ("bash", "shell", "sh"), "csharp": ("csharp", "c#", "cs"), "go": ("go", "golang"), "rust": ("rust", "rs"),
}  # fmt: skip
"""How models tag a fence, where it is not by the language's key."""

HEAD = re.compile(
    r"^(?:<\?php|#include\b.*|using namespace\b.*|import\b.*|from\b.*\bimport\b.*|package\b.*|use\b.*;|require\b.*"
    r"|const .*\brequire\(.*|library\(.*)$",
    re.MULTILINE,
)


def named(task: Task) -> str:
    """What the sandbox calls the task's language."""
    return SANDBOX.get(task.language, task.language)


def cannot(task: Task) -> str:
    """Why its programs cannot be run."""
    return "" if task.language in RUN else f"the sandbox runs no {task.language}"


def fenced(task: Task, reply: str) -> str:
    """The code of a chat's reply in the task's language."""
    return asking.fenced(reply, (*TAGS.get(task.language, ()), task.language))


def headed(prompt: str, answer: str) -> str:
    """A whole answer below those lines of the prompt that bring something in, if it has not got them.

    >>> headed("#include <cmath>\\nint f(int);", "int f(int a) { return a; }")
    '#include <cmath>\\nint f(int a) { return a; }'
    """
    missing = [line for line in HEAD.findall(prompt) if line.strip() not in answer]
    return "\n".join([*missing, answer])


def opened(answer: str, reference: str) -> str:
    """An answer that leaves as many braces open as the reference, whose last one the tests close.

    >>> opened("class A { int f() { return 1; } }", "class A { int f() { return 0; }")
    'class A { int f() { return 1; } '
    """
    wanted = reference.count("{") - reference.count("}")
    while answer.count("{") - answer.count("}") < wanted and "}" in answer:
        answer = answer[: answer.rindex("}")]
    return answer


STDLIB = tuple(
    [
        "bufio",
        "bytes",
        "container/heap",
        "crypto/md5",
        "encoding/hex",
        "errors",
        "fmt",
        "math",
        "math/big",
        "math/rand",
        "os",
        "reflect",
        "regexp",
        "sort",
        "strconv",
        "strings",
        "testing",
        "time",
        "unicode",
        "unicode/utf8",
    ]
)
TESTIFY = """
type assertions struct{ t *testing.T }
type asserting struct{}
var assert asserting
func (asserting) New(t *testing.T) *assertions { return &assertions{t} }
func (asserting) Equal(t *testing.T, want, got interface{}, _ ...interface{}) bool {
	return (&assertions{t}).Equal(want, got)
}
func (asserting) True(t *testing.T, held bool, _ ...interface{}) bool { return (&assertions{t}).True(held) }
func (asserting) False(t *testing.T, held bool, _ ...interface{}) bool { return (&assertions{t}).False(held) }
func (a *assertions) say(held bool) bool { if !held { a.t.Errorf("an assertion failed") }; return held }
func (a *assertions) Equal(want, got interface{}, _ ...interface{}) bool { return a.say(reflect.DeepEqual(want, got)) }
func (a *assertions) NotEqual(want, got interface{}, _ ...interface{}) bool {
	return a.say(!reflect.DeepEqual(want, got))
}
func (a *assertions) True(held bool, _ ...interface{}) bool { return a.say(held) }
func (a *assertions) False(held bool, _ ...interface{}) bool { return a.say(!held) }
func (a *assertions) Nil(x interface{}, _ ...interface{}) bool {
	v := reflect.ValueOf(x)
	return a.say(x == nil || (v.Kind() >= reflect.Chan && v.Kind() <= reflect.Slice && v.IsNil()))
}
func (a *assertions) InDelta(want, got interface{}, delta float64, _ ...interface{}) bool {
	number := func(x interface{}) float64 {
		v := reflect.ValueOf(x)
		if v.CanInt() { return float64(v.Int()) }
		return v.Float()
	}
	return a.say(math.Abs(number(want)-number(got)) <= delta)
}
"""
"""What tests use of github.com/stretchr/testify/assert, so that it need not be there."""


SAID = re.compile(r"""'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|//[^\n]*|/\*.*?(?:\*/|\Z)""", re.DOTALL)
"""Characters, texts and comments of Go. One that does not end is taken too, so that its rest is not read again."""


def go(text: str) -> str:
    """A Go test file as a program: imports are those it uses, `main` runs its tests."""
    text = re.sub(r"^\s*package\s+\w+\s*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*import\s*\([^)]*\)|^\s*import\s+\"[^\"]*\"\s*$", "", text, flags=re.MULTILINE)
    tests = re.findall(r"^func (Test\w*)\(\w+ \*testing\.T\)", text, re.MULTILINE)
    if re.search(r"\bassert\.[A-Z]", text):
        text += TESTIFY
    runs = ", ".join(f'{{"{name}", {name}}}' for name in tests)
    text += (
        "\nfunc main() { testing.Main(func(_, _ string) (bool, error) { return true, nil }, "
        f"[]testing.InternalTest{{{runs}}}, nil, nil) }}\n"
    )
    code = SAID.sub("", text)  # Go refuses what is imported and not used
    used = [path for path in STDLIB if re.search(rf"\b{path.rpartition('/')[2]}\.[A-Z]", code)]
    imports = "".join(f'import "{path}"\n' for path in used)
    return f"package main\n{imports}{text}"


def rust(text: str) -> str:
    """A Rust file with a module of tests as a program: `main` runs them. Crates that are only imported go."""
    tests = re.findall(r"#\[test\]\s*(?:pub\s+)?fn\s+(\w+)", text)
    text = re.sub(r"#\[cfg\(test\)\]", "", text)
    text = re.sub(r"#\[test\]\s*(?:pub\s+)?fn", "pub fn", text)
    text = re.sub(r"^\s*use\s+(rand|regex|md5)\b[^;]*;", "", text, flags=re.MULTILINE)
    text = re.sub(r",\s*ascii::AsciiExt", "", text)
    text = re.sub(r"^\s*fn main\(\)\s*\{\s*\}", "", text, flags=re.MULTILINE)
    module = re.search(r"\bmod\s+(\w+)\s*\{", text)
    path = f"{module[1]}::" if module else ""
    return text + "\nfn main() { " + " ".join(f"{path}{name}();" for name in tests) + " }\n"


def tested(task: Task, program: str, tests: str) -> tuple[str, str]:
    """Program and tests as the sandbox takes them: in Go and Rust both together, with a `main`."""
    if task.language == "go":
        return go(f"{program}\n{tests}"), ""
    if task.language == "rust" and "#[test]" in tests:
        return rust(f"{program}\n{tests}"), ""
    if task.language == "php":  # what follows the tests is still a program
        program = program if "<?php" in program else f"<?php\n{program}"
        return program.rstrip().removesuffix("?>"), tests.rstrip().removesuffix("?>")
    return program, tests


def cut_at_brace(answer: str, tests: str, stops: Iterable[str]) -> str:
    """A whole function without its last brace, where the tests begin with it."""
    if not tests.lstrip().startswith("}"):
        return answer
    ends = [at for stop in stops if (at := answer.rstrip().rfind(stop.rstrip())) >= 0]
    return answer[: max(ends)] if ends else answer


def first_function(text: str, depth: int) -> str:
    """A continuation up to where `depth` braces that were open before it are closed; all of it if they are not.

    >>> first_function("  if (a) { b(); }\\n}\\nvoid g() {}", 1)
    '  if (a) { b(); }\\n}'
    """
    for at, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return text[: at + 1]
    return text
