"""A reference program in every language that this machine has, the same made wrong, and one that does not compile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codemill.prompts import method, snippets
from codemill.recipes.annealing import LANGUAGES
from codemill.sandbox import Limits, Pool, Stdio, Task, mutation
from codemill.sandbox import languages as known
from codemill.sandbox.strength import strength

# program, tests, what to replace to make the program wrong
PROGRAMS: dict[str, tuple[str, str, tuple[str, str]]] = {
    "python": ("def add(a, b):\n    return a + b\n", "assert add(1, 2) == 3\n", ("a + b", "a - b")),
    "javascript": (
        "function add(a, b) { return a + b; }\n",
        "console.assert(add(1, 2) === 3, 'three');\n",
        ("a + b", "a - b"),
    ),
    "typescript": (
        "function add(a: number, b: number): number { return a + b; }\n",
        "if (add(1, 2) !== 3) throw new Error('three');\n",
        ("a + b", "a - b"),
    ),
    "java": (
        "class Solution {\n    int add(int a, int b) { return a + b; }\n}\n",
        "public class Main {\n    public static void main(String[] args) {\n"
        "        if (new Solution().add(1, 2) != 3) throw new AssertionError();\n    }\n}\n",
        ("a + b", "a - b"),
    ),
    "c": (
        "#include <assert.h>\nint add(int a, int b) { return a + b; }\n",
        "int main(void) { assert(add(1, 2) == 3); return 0; }\n",
        ("a + b", "a - b"),
    ),
    "cpp": (
        "#include <cassert>\n#include <vector>\n"
        "int add(std::vector<int> v) { int s = 0; for (int x : v) s += x; return s; }\n",
        "int main() { assert(add({1, 2}) == 3); }\n",
        ("s += x", "s -= x"),
    ),
    "go": (
        "package main\n\nfunc add(a, b int) int { return a + b }\n",  # no imports: each would be compiled anew
        'func main() {\n\tif add(1, 2) != 3 {\n\t\tpanic("three")\n\t}\n}\n',
        ("a + b", "a - b"),
    ),
    "rust": (
        "fn add(a: i32, b: i32) -> i32 { a + b }\n",
        "fn main() { assert_eq!(add(1, 2), 3); }\n",
        ("a + b", "a - b"),
    ),
    "csharp": (
        "class Solution { public static int Add(int a, int b) { return a + b; } }\n",
        "class Program { static int Main() { return Solution.Add(1, 2) == 3 ? 0 : 1; } }\n",
        ("a + b", "a - b"),
    ),
    "php": (
        "function add($a, $b) { return $a + $b; }\n",
        "assert(add(1, 2) === 3);\n",
        ("$a + $b", "$a - $b"),
    ),
    "ruby": ("def add(a, b)\n  a + b\nend\n", "raise 'three' unless add(1, 2) == 3\n", ("a + b", "a - b")),
    "perl": (
        "sub add { my ($a, $b) = @_; return $a + $b; }\n",
        "die 'three' unless add(1, 2) == 3;\n",
        ("$a + $b", "$a - $b"),
    ),
    "bash": ("add() { echo $(($1 + $2)); }\n", '[ "$(add 1 2)" = 3 ] || exit 1\n', ("$1 + $2", "$1 - $2")),
    "lua": ("function add(a, b) return a + b end\n", "assert(add(1, 2) == 3)\n", ("a + b", "a - b")),
    "r": ("add <- function(a, b) a + b\n", "stopifnot(add(1, 2) == 3)\n", ("a + b", "a - b")),
    "haskell": (
        "add :: Int -> Int -> Int\nadd a b = a + b\n",
        "main :: IO ()\nmain = if add 1 2 == 3 then return () else error \"three\"\n",
        ("a + b", "a - b"),
    ),
    "kotlin": (
        "fun add(a: Int, b: Int) = a + b\n",
        'fun main() { if (add(1, 2) != 3) throw Exception("three") }\n',
        ("a + b", "a - b"),
    ),
    "swift": (
        "func add(_ a: Int, _ b: Int) -> Int { return a + b }\n",
        "precondition(add(1, 2) == 3)\n",
        ("a + b", "a - b"),
    ),
}  # fmt: skip
COMPILED = ("python", "c", "cpp", "java", "go", "rust", "typescript", "csharp", "haskell", "kotlin", "swift")
PRESENT = [language.name for language in known.all() if known.toolchain(language) is not None]


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    with Pool(1, rung=request.param) as pool:
        yield pool


def test_every_language_has_a_program() -> None:
    assert list(PROGRAMS) == [language.name for language in known.all()]
    assert len(PROGRAMS) == 18


@pytest.mark.parametrize("language", list(PROGRAMS))
def test_programs(pool: Pool, language: str) -> None:
    program, tests, (right, wrong) = PROGRAMS[language]
    limits = Limits(compile_seconds=120)
    good = pool.execute(program, tests, language=language, limits=limits)
    if language not in PRESENT:
        assert (good.verdict, good.counts) == ("toolchain_missing", False)
        return
    if good.verdict == "toolchain_missing" and pool.rung == "landlock":
        pytest.skip(good.detail)  # in a folder that the user of a slot cannot enter
    assert (good.verdict, good.tests_run) == ("pass", 1), good
    assert good.toolchain
    bad = pool.execute(program.replace(right, wrong), tests, language=language, limits=limits)
    assert bad.verdict in ("fail", "crashed"), bad
    if language in COMPILED:
        broken = pool.execute(program + "\n)(", tests, language=language, limits=limits)
        assert broken.verdict == "compile_error", broken


@pytest.mark.parametrize("language", ["javascript", "php", "ruby", "perl", "bash", "lua"])
def test_leaving_early_is_no_pass(pool: Pool, language: str) -> None:
    if language not in PRESENT:
        pytest.skip(f"no {language} here")
    leave = {"javascript": "process.exit(0);", "lua": "os.exit(0)"}.get(
        language, "exit(0);" if language != "bash" else "exit 0"
    )
    program, tests, _ = PROGRAMS[language]
    assert pool.execute(f"{program}{leave}\n", tests, language=language).verdict == "no_verdict"


# A solution and its tests, written as `snippets.HOW` asks for them; how to make the solution wrong.
AS_ASKED: dict[str, tuple[str, str, tuple[str, str]]] = {
    "python": (
        "import math\n\n\ndef root(n):\n    return math.isqrt(n)\n",
        "assert root(9) == 3\nassert root(0) == 0\n",
        ("isqrt(n)", "isqrt(n) + 1"),
    ),
    "javascript": (
        "// The largest number.\nfunction largest(numbers) {\n  return Math.max(...numbers);\n}\n",
        "console.assert(largest([1, 3, 2]) === 3);\nconsole.assert(largest([-1]) === -1);\n",
        ("max", "min"),
    ),
    "typescript": (
        "function largest(numbers: number[]): number {\n  return Math.max(...numbers);\n}\n",
        "if (!(largest([1, 3, 2]) === 3)) throw new Error('largest');\n",
        ("max", "min"),
    ),
    "java": (
        "import java.util.List;\n\nclass Sums {\n    static int total(List<Integer> numbers) {\n"
        "        int sum = 0;\n        for (int n : numbers) sum += n;\n        return sum;\n    }\n}\n",
        "public class Main {\n    public static void main(String[] args) {\n"
        "        assert Sums.total(List.of(1, 2)) == 3;\n        assert Sums.total(List.of()) == 0;\n    }\n}\n",
        ("sum += n", "sum -= n"),
    ),
    "cpp": (
        "#include <algorithm>\n#include <cassert>\n#include <vector>\n\n"
        "int largest(const std::vector<int>& v) { return *std::max_element(v.begin(), v.end()); }\n",
        "int main() {\n    assert(largest({1, 3, 2}) == 3);\n}\n",
        ("max_element", "min_element"),
    ),
    "go": (
        'package main\n\nimport "errors"\n\nfunc half(n int) (int, error) {\n\tif n%2 != 0 {\n'
        '\t\treturn 0, errors.New("odd")\n\t}\n\treturn n / 2, nil\n}\n',
        'func main() {\n\tif n, err := half(4); n != 2 || err != nil {\n\t\tpanic("four")\n\t}\n'
        '\tif _, err := half(3); err == nil {\n\t\tpanic("three")\n\t}\n}\n',
        ("n / 2", "n * 2"),
    ),
    "rust": (
        "use std::collections::HashSet;\n\nfn distinct(numbers: &[i32]) -> usize {\n"
        "    numbers.iter().collect::<HashSet<_>>().len()\n}\n",
        "fn main() {\n    assert_eq!(distinct(&[1, 2, 1]), 2);\n    assert_eq!(distinct(&[]), 0);\n}\n",
        (".len()", ".len() + 1"),
    ),
}  # fmt: skip


def test_every_language_of_snippets_has_a_program_as_it_is_asked_for() -> None:
    assert set(AS_ASKED) == set(snippets.HOW) == set(LANGUAGES)


@pytest.mark.parametrize("language", list(AS_ASKED))
def test_a_program_that_is_written_as_a_snippet_is_asked_for_passes(pool: Pool, language: str) -> None:
    if language not in PRESENT:
        pytest.skip(f"no {language} here")
    solution, tests, (right, wrong) = AS_ASKED[language]
    verdicts = []
    for program in (solution, solution.replace(right, wrong)):
        asked = method.run(program, tests, language)
        wanted = next(asked)  # what a method would have run
        outcome = pool.execute(wanted.program, wanted.tests, language=language, limits=Limits(compile_seconds=120))
        if outcome.verdict == "toolchain_missing":
            pytest.skip(outcome.detail)  # in a folder that the user of a slot cannot enter
        verdicts.append(outcome.verdict)
    assert verdicts[0] == "pass"
    assert verdicts[1] in ("fail", "crashed")


def test_input_and_output(pool: Pool) -> None:
    program = '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", n + 1); return 0; }\n'
    outcome = pool.execute(program, [Stdio("3", "4"), Stdio("-1\n", "0\n")], language="c")
    assert (outcome.verdict, outcome.tests_run, outcome.grading) == ("pass", 2, "stdio")
    assert pool.execute(program, [Stdio("3", "5")], language="c").verdict == "fail"


STRENGTH = {
    "javascript": ("function sign(x) { return x > 0 ? 1 : 0; }\n", "console.assert(sign({}) === {});", "%s"),
    "typescript": (
        "function sign(x: number): number { return x > 0 ? 1 : 0; }\n",
        "if (sign({}) !== {}) throw new Error('x');",
        "%s",
    ),
    "java": (
        "class S { static int sign(int x) { return x > 0 ? 1 : 0; } }\n",
        "assert S.sign({}) == {};",
        "public class Main { public static void main(String[] args) { %s } }",
    ),
    "cpp": (
        "#include <cassert>\nint sign(int x) { return x > 0 ? 1 : 0; }\n",
        "assert(sign({}) == {});",
        "int main() { %s }",
    ),
    "go": (
        "package main\n\nfunc sign(x int) int { if x > 0 { return 1 }; return 0 }\n",
        "if sign({}) != {} {{ panic(1) }};",
        "func main() { %s }",
    ),
    "rust": ("fn sign(x: i32) -> i32 { if x > 0 { 1 } else { 0 } }\n", "assert_eq!(sign({}), {});", "fn main() { %s }"),
}
"""A program, one test of it by argument and result, and what stands around tests."""


def cases_of(language: str, *cases: tuple[int, int]) -> str:
    _, test, around = STRENGTH[language]
    return around % " ".join(test.format(*case) for case in cases)


@pytest.mark.parametrize("language", list(mutation.table()))
def test_weak_tests_are_found_out(language: str) -> None:
    if language not in PRESENT:
        pytest.skip(f"no {language} here")
    weak = strength(Task(STRENGTH[language][0], cases_of(language, (9, 1)), language), most=2)
    assert (weak.strong, weak.reached, weak.stubs_survive, weak.mutants) == (False, True, ("1",), 2), weak


def test_strong_tests_kill_what_weak_tests_do_not() -> None:
    if "javascript" not in PRESENT:
        pytest.skip("no JavaScript here")
    program = STRENGTH["javascript"][0]
    strong = strength(Task(program, cases_of("javascript", (1, 1), (0, 0)), "javascript"))
    assert (strong.strong, strong.reached, strong.stubs_survive, strong.score) == (True, True, (), 1.0), strong
    elsewhere = strength(Task(program, "console.assert(true)", "javascript", "sign"), most=1)
    assert (elsewhere.reached, elsewhere.strong) == (False, False)
    nothing = strength(Task(program, cases_of("javascript", (1, 1)), "javascript", "other"), most=1)
    assert (nothing.reached, nothing.strong, nothing.mutants) == (None, None, 1)


def test_a_mutant_that_does_not_compile_is_not_counted() -> None:
    if "cpp" not in PRESENT:
        pytest.skip("no C++ here")
    program = '#include <cassert>\n#include <string>\nstd::string f() { return std::string("a") + "b"; }\n'
    found = strength(Task(program, 'int main() { assert(f() == "ab"); }', "cpp"))
    assert (found.mutants, found.score) == (1, 1.0)  # `return {}`; a string is not subtracted
