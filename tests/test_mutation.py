"""Programs of other languages than Python, changed in one place: where, to what, and what is left alone."""

from __future__ import annotations

import time

import pytest

from codemill.errors import RecipeError
from codemill.sandbox import Task, languages
from codemill.sandbox.mutation import Program, mutants, stubs, table
from codemill.sandbox.strength import known, strength


def changed(text: str, language: str) -> set[str]:
    """Every change of a program, without its place."""
    return {name.split(": ", 1)[1] for name, _ in mutants(text, language, most=1000)}


def functions(text: str, language: str) -> list[tuple[str, str]]:
    return [(one.name, one.type) for one in Program(text, language).functions]


def test_all_languages_can_be_run_and_say_how_a_function_is_left() -> None:
    assert set(table()) == {"javascript", "typescript", "java", "cpp", "go", "rust"}
    for name, entry in table().items():
        assert languages.get(name).name == name
        assert "{value}" in entry.leave
        assert known(name)
    assert not known("haskell")
    with pytest.raises(RecipeError, match="the strength of tests in haskell cannot be measured"):
        strength(Task("f = 1", "main = 1", "haskell"))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("javascript", "x = a <= b && true;", {"<= -> <", "<= -> >", "&& -> ||", "true -> false"}),
        ("javascript", "x = a===1; y = 0x1F + 1.5 + 2n;", {"=== -> !==", "1 -> 2", "+ -> -", "2n -> 3n"}),
        ("javascript", "// a < b\ns = 'a < 1'; /* 3 */ t = `${a - 4} 1 + 2`; r = /a+1/;", {"- -> +", "4 -> 5"}),
        ("javascript", "i++; x = -y; z = a - -b; w = a+-b; o.true; o.f(...c)", {"- -> +"}),
        ("typescript", "let a: number | null = b | 2;", {"2 -> 3"}),
        ("java", "List<Integer> a = new ArrayList<>(); Map<A, List<B>> m; b = a >> 1 > c;", {
            ">> -> <<", "1 -> 2", "> -> >=", "> -> <="}),
        ("cpp", "#include <a1>\nint *p = &x; f(*p * *q, T&& r, a->b, v[0], 1'000, 0b1, 010);", {
            "* -> +", "0 -> 1", "1 -> 2"}),
        ("go", "x := <-c\nif a&1 == 0 || p.X != nil { y -= *q / 2 }", {
            "1 -> 2", "== -> !=", "0 -> 1", "|| -> &&", "!= -> ==", "-= -> +=", "/ -> *", "2 -> 3"}),
        ("rust", "for i in 0..=9u8 { s += t.0 % v.iter().map(|x| x << 1).sum::<i32>(); } // 'a'", {
            "0 -> 1", "9u8 -> 10u8", "+= -> -=", "% -> *", "<< -> >>", "1 -> 2"}),
    ],
)  # fmt: skip
def test_operators_and_literals_are_changed_and_marks_are_not(language: str, text: str, expected: set[str]) -> None:
    assert changed(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("javascript", "function f(a) { return a; }\nconst g = async (b) => { if (h(b)) { return; } };\n"
         "class A { m(c) { return c.map(function (d) { return d; }); } }\nlet k = function (e) { };\nnew B(1); i(2);",
         [("f", ""), ("g", ""), ("m", ""), ("k", "")]),
        ("typescript", "function f(a: Map<string, number>): number[] { return []; }\n"
         "const g = (b?: string): string => { return b; };\nfunction h<T extends A>(c) { return c; }",
         [("f", "number[]"), ("g", "string"), ("h", "")]),
        ("java", "class S {\n @Override public static <T> List<T> f(List<T> a) throws E { return a; }\n S() { }\n"
         " // int no() { }\n int g(int b) { for (int i : c(b)) { return new D() { }; } return switch (b) { }; }\n}",
         [("f", "<T> List<T>"), ("S", ""), ("g", "int")]),
        ("cpp", "#include <x>\ntemplate <typename T> T f(T a) { return a; }\nstatic inline std::vector<int> g(int n)\n"
         "{ auto k = [&](int b) { return b; }; if (k(n)) { } return {}; }\nbool A::h() const { return true; }",
         [("f", "template <typename T> T"), ("g", "std::vector<int>"), ("k", "auto"), ("h", "bool A::")]),
        ("go", "func F[T int | string](a T) T { return a }\nfunc (s *S) g(b int) (int, error) { return b, nil }\n"
         "func h() { if f(1) { } }", [("F", "T"), ("g", "(int, error)"), ("h", "")]),
        ("rust", "pub fn f<'a, T: Ord>(x: &'a [T]) -> Option<&'a T> where T: Clone { if g(x) { return 0; } x }\n"
         "fn h(&self) -> Result<i64, String> { match k(1) { _ => Ok(1) } }",
         [("f", "Option<&'a T>"), ("h", "Result<i64, String>")]),
    ],
)  # fmt: skip
def test_functions_are_found_with_what_they_return(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert functions(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("javascript", "function f() { return g(1, 2); }", {"g(1, 2) -> null", "1 -> 2", "2 -> 3"}),
        ("javascript", "return a; function f() { return; return null }", set()),
        ("java", "class S { String f() { return s; } void g() { return; } }", {"s -> \"\""}),
        ("go", "func f() []int { return xs[a:b]\n}\nfunc g() T { return T{a, b} }", {
            "xs[a:b] -> nil", "T{a, b} -> *new(T)"}),
        ("rust", "fn f() -> Vec<u8> { if a { return Vec::new(); } return b; }", {"b -> Default::default()"}),
    ],
)  # fmt: skip
def test_a_return_gives_what_is_empty_of_its_kind(language: str, text: str, expected: set[str]) -> None:
    assert changed(text, language) == expected


def test_a_stub_leaves_at_its_beginning_and_the_last_function_that_tests_name_is_the_one() -> None:
    text = "// é\nint f(int a) { return g(a); }\nint g(int a) { return a; }\nint h() { return 1; }\n"
    program = Program(text, "java")
    assert program.named('f(1); g(2); // h\n"h"') == "g"
    assert program.named("x") is None
    made = stubs(program, "g")
    assert made["1"] == text.replace("g(int a) {", "g(int a) { if (true) return 1; ")
    assert list(made) == ["", "0", "1"]
    assert "throw" in made[""]
    assert stubs(program, "x") == {}


def test_mutants_are_the_same_on_every_run_and_each_differs_in_one_place() -> None:
    text = "func f(a int) int {\n" + "".join(f"\ta += {n} // é\n" for n in range(2, 60)) + "\treturn a\n}\n"
    found = mutants(text, "go", most=9)
    assert found == mutants(text, "go", most=9)
    assert len(dict(found)) == 9
    for name, made in found:
        pairs = enumerate(zip(text.splitlines(), made.splitlines(), strict=True), 1)
        (line,) = [number for number, (old, new) in pairs if old != new]
        assert name.startswith(f"line {line}:")


@pytest.mark.parametrize(
    "text",
    ["", "(" * 9_000, "f(){" * 4_000, "f(){return 1;}" * 2_000, "a<" * 9_000, "\ud800\x00�", "x = " + "1" * 9_000,
     "] (){ " * 2_000, "fn f() " * 2_000 + "{", "int f() {" + "return 1+" * 11_000 + "}"],
    ids=lambda text: repr(text[:14]),
)  # fmt: skip
def test_any_text_is_read_in_linear_time(text: str) -> None:
    def seconds(some: str) -> float:
        start = time.process_time()
        for language in table():
            program = Program(some, language)
            assert len(mutants(some, language, most=3)) <= 3
            program.named(some)
        return time.process_time() - start

    # Twice the text takes twice the time: four times, and it would be quadratic. A busy machine is forgiven a second.
    assert seconds(text) < 3 * seconds(text[: len(text) // 2]) + 1
