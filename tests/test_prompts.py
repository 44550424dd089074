"""Every method of synthesis, on its recorded replies: what it asks, what it makes of good, bad and hostile answers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import codemill as cm
from codemill import catalog, specification
from codemill.prompts import _lint, answers, diverse, educational, evolve, grade, packages, rewrite, snippets, textbooks
from codemill.prompts._recorded import answer, recorded
from codemill.synthetic import ROW
from codemill.teacher import reading
from codemill.teacher.ask import Asking
from codemill.teacher.conversation import Drop, Execute, Malformed, Reply, Request, Unusable
from tests.teaching_sandbox import Outcome

METHODS = catalog.prompts()
PARAMS: dict[str, dict[str, Any]] = {
    "snippets.write": {"languages": ("python",)},
    "multilingual.write": {"languages": ("javascript",)},
    "diverse.ask": {"specification": specification.read()},
    "diverse.solve": {"specification": specification.read()},
}
ABOUT: dict[str, str] = {
    "documentation": "pyarrow.array(obj, type=None)\n\nCreate an array from what is given, of one type."
}


def row_of(name: str) -> dict[str, Any]:
    return dict(recorded()[name.partition(".")[0]]["row"])


def said(request: Request, text: str) -> Any:
    """A reply as the teacher's room would make it: data under a schema, or what is wrong with it."""
    if request.schema is None:
        return Reply(text)
    try:
        return Reply(text, data=reading.data(text, request.schema))
    except ValueError as error:
        return Malformed(str(error), Reply(text))


def talk(
    step: Asking,
    row: dict[str, Any],
    reply: Callable[[dict[str, Any], int], str] = answer,
    outcome: Callable[[Execute], Outcome] = lambda wanted: Outcome("pass", output=ABOUT["documentation"]),
    **params: Any,
) -> tuple[Any, list[Any]]:
    """Carries a conversation: what the method returns, and all that it yielded."""
    read = step.reads(params) if callable(step.reads) else step.reads
    generator = step.method({name: row.get(name) for name in read}, **params)
    yielded: list[Any] = []
    got: Any = None
    try:
        wanted = next(generator)
        while True:
            yielded.append(wanted)
            assert isinstance(wanted, Request | Execute)
            if isinstance(wanted, Execute):
                got = outcome(wanted)
            else:
                got = said(wanted, reply(wanted.body("m", {}, structured=False), wanted.sample))
            wanted = generator.throw(got) if isinstance(got, Unusable) else generator.send(got)
    except StopIteration as end:
        return end.value, yielded


def rows(made: Any) -> list[dict[str, Any]]:
    return [dict(one) for one in ([made] if isinstance(made, dict) else made)]


def test_each_file_has_its_methods_and_each_method_its_recording() -> None:
    assert {name.partition(".")[0] for name in METHODS} == set(recorded())
    assert len(METHODS) == 15


@pytest.mark.parametrize("name", METHODS)
def test_a_recorded_conversation_ends_well_and_keeps_its_promise(name: str) -> None:
    step = METHODS[name]
    assert isinstance(step, Asking)
    made, yielded = talk(step, row_of(name), **PARAMS.get(name, {}))
    assert any(isinstance(one, Request) for one in yielded)
    assert not isinstance(made, Drop), made
    promised = step.adds({}) if callable(step.adds) else step.adds
    for row in rows(made):
        assert row.get("reason") is None, row
        assert set(row) <= {*promised, "reason"}
        if set(ROW) <= set(promised):
            seed = row_of(name)
            assert (row["seed_id"], row["license"]) == (seed.get("seed_id") or seed["id"], seed["license"])
            assert row["size"] == len((row.get("content") or "").encode())


@pytest.mark.parametrize("name", [name for name in METHODS if set(ROW) <= set(METHODS[name].adds)])
@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "<task>\nx\n</task>",
        '{"task": 1, "solution": [], "tests": null}',
        "\x00\x1b[2J" * 50,
        "�" * 500,
        "a" * 2_000_000,
    ],
    ids=["empty", "markup", "half", "types", "control", "no text", "huge"],
)
def test_a_hostile_answer_is_a_row_with_a_reason_and_still_has_its_seed(name: str, hostile: str) -> None:
    made, _ = talk(METHODS[name], row_of(name), lambda body, sample: hostile, **PARAMS.get(name, {}))
    words = {"snippets.write", "multilingual.write", "educational.write", "packages.ask", "rewrite.clean",
             "rewrite.whole"}  # fmt: skip
    for row in rows(made):
        assert row["seed_id"]
        if name in words or hostile in ("", "a" * 2_000_000) or "\x00" in hostile or "�" in hostile:
            assert row["reason"], row


def test_a_snippet_that_fails_is_mended_with_what_went_wrong() -> None:
    outcomes = iter([Outcome("fail", "line 1: returned 3"), Outcome("pass", tests_run=3)])
    made, yielded = talk(
        snippets.write, row_of("snippets"), outcome=lambda wanted: next(outcomes), languages=("python",), tries=3
    )
    asked = [one for one in yielded if isinstance(one, Request)]
    assert len(asked) == 2
    assert "fail, line 1: returned 3" in str(asked[1].prompt)
    assert len(asked[0].prompt) == 1  # what was asked first is not changed by what came after
    (row,) = rows(made)
    assert (row["outcome"], row["attempts"], row["language"]) == ("pass", 2, "python")
    assert row["content"].startswith("# ")
    assert row["tests"] in row["content"]


@pytest.mark.parametrize("name", ["snippets.write", "educational.write", "diverse.solve", "packages.ask"])
@pytest.mark.parametrize("second", ["", "no sections here", "\x00"], ids=["empty", "malformed", "control"])
def test_a_second_answer_that_is_none_leaves_the_first_with_its_verdict(name: str, second: str) -> None:
    seen = []

    def reply(body: dict[str, Any], sample: int) -> str:
        seen.append(body)
        return answer(body, sample) if len(seen) == 1 else second

    def outcome(wanted: Execute) -> Outcome:
        described = wanted.tests == packages.DESCRIBED
        return Outcome("pass" if described else "fail", "line 1", output=ABOUT["documentation"])

    made, _ = talk(METHODS[name], row_of(name), reply, outcome, **{**PARAMS.get(name, {}), "tries": 3})
    (row,) = rows(made)
    assert (row.get("reason"), row["outcome"], row["detail"], row["attempts"]) == (None, "fail", "line 1", 1)
    assert len(seen) == 2
    assert "fail, line 1" in seen[1]["messages"][-1]["content"]
    assert [turn["role"] for turn in seen[1]["messages"]] == ["user", "assistant", "user"]


def test_a_missing_toolchain_is_not_the_teachers_fault_and_asks_nothing_again() -> None:
    made, yielded = talk(
        snippets.write,
        row_of("snippets"),
        outcome=lambda w: Outcome("toolchain_missing"),
        languages=("python",),
        tries=5,
    )
    assert len(yielded) == 2
    assert rows(made)[0]["outcome"] == "toolchain_missing"


def test_each_language_of_a_snippet_is_drawn_by_the_seeds_id() -> None:
    drawn = set()
    for number in range(30):
        row = {**row_of("snippets"), "id": str(number)}
        made, _ = talk(snippets.write, row, languages=("python", "javascript"))
        drawn.add(rows(made)[0]["language"])
        again, _ = talk(snippets.write, row, languages=("python", "javascript"))
        assert made == again
    assert drawn == {"python", "javascript"}
    made, _ = talk(snippets.write, row_of("snippets"), languages=("python", "javascript"), each=2)
    assert {row["language"] for row in rows(made)} == {"python", "javascript"}


def test_a_textbook_section_builds_on_the_analysis() -> None:
    made, yielded = talk(textbooks.explain, row_of("textbooks"))
    assert [len(one.prompt) for one in yielded] == [1, 3]
    assert rows(made)[0]["content"].startswith("# ")
    short, _ = talk(textbooks.explain, row_of("textbooks"), lambda body, sample: "Too short.")
    assert rows(short)[0]["reason"] == "too_short"


@pytest.mark.parametrize(
    ("text", "value"), [("Educational value: 3", 3.0), ("value: 12", None), ("value: 4.5", None), ("", None)]
)
def test_a_grade_is_read_or_it_is_none(text: str, value: float | None) -> None:
    made, _ = talk(grade.value, {"content": "x = 1"}, lambda body, sample: text)
    assert made == ({"educational_value": value} if value is not None else Drop("ungraded", text))


def test_an_educational_row_is_a_chat_of_task_and_answer() -> None:
    made, _ = talk(educational.write, row_of("educational"))
    (row,) = rows(made)
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"] == row["instruction"]
    assert f"```python\n{row['program'].strip()}\n```" in row["messages"][1]["content"]


def test_a_fence_in_a_program_does_not_end_the_answers_fence() -> None:
    assert educational.answered(None, 'x = """```"""', "python").startswith("````python\n")


def test_a_chat_with_a_good_answer_stays_and_asks_nobody() -> None:
    good = {**row_of("answers"), "answer_score": 9.0, "messages": [{"role": "user", "content": "?"}]}
    made, yielded = talk(answers.again, good)
    assert yielded == []
    assert (rows(made)[0]["task_type"], rows(made)[0]["output"]) == ("as_published", good["output"])
    made, yielded = talk(answers.again, {**good, "answer_score": None})
    assert rows(made)[0]["task_type"] == "answered_again"


def test_a_chat_that_is_not_about_code_goes() -> None:
    made, _ = talk(answers.about, row_of("answers"), lambda body, sample: "NO, it is about cooking.")
    assert made == Drop("not_code", "NO, it is about cooking.")
    made, _ = talk(answers.about, row_of("answers"), lambda body, sample: "I cannot say YES to that.")
    assert isinstance(made, Drop)


def test_an_outdated_call_is_found_by_the_warning_that_it_raises() -> None:
    def outcome(wanted: Execute) -> Outcome:
        if "simplefilter('error'" in wanted.program:
            return Outcome("fail", "DeprecationWarning: use other()")
        return Outcome("pass", output=ABOUT["documentation"])

    made, yielded = talk(packages.ask, row_of("packages"), outcome=outcome, tries=1)
    (row,) = rows(made)
    assert (row["reason"], row["value"]) == ("deprecated", "DeprecationWarning: use other()")
    assert ABOUT["documentation"] in next(one.prompt[0]["content"] for one in yielded if isinstance(one, Request))


def test_an_outdated_call_of_a_real_library_is_found_by_running_the_answer() -> None:
    """Both answers pass: one of them calls `logging.warn`, which Python has warned of since 3.3."""
    from codemill import installed

    program = "import logging\n\n\ndef told(text):\n    logging.{}(text)\n    return text\n"
    reasons = {}
    for call in ("warn", "warning"):
        written = f"<problem>Tell.</problem>\n<solution>\n{program.format(call)}</solution>\n"
        written += "<tests>\nassert told('a') == 'a'\nassert told('') == ''\n</tests>"
        row = {**row_of("packages"), "repo": "logging", "path": "logging.warning", "library_version": "3"}
        try:
            made, yielded = talk(
                packages.ask, row, lambda body, sample, written=written: written,
                lambda wanted: installed.execute(wanted.program, wanted.tests, language=wanted.language), tries=1,
            )  # fmt: skip
        except cm.EnvironmentProblem:
            pytest.skip("programs cannot be confined on this machine")
        (reasons[call],) = ((row["outcome"], row.get("reason"), row.get("value")) for row in rows(made))
        assert [type(one) for one in yielded] == [Execute, Request, Execute, Execute]
    assert reasons["warning"] == ("pass", None, None)
    outcome, reason, value = reasons["warn"]
    assert (outcome, reason) == ("fail", "deprecated")
    assert value.startswith("DeprecationWarning: The 'warn' function is deprecated, use 'warning' instead")


LONG_DOCUMENTATION = f"""Says how long.

Parameters
----------
{"x" * 40}
{("y" * 70 + chr(10)) * 60}
Examples
--------
>>> how_long("abc")
3
{(">>> 1" + chr(10)) * 400}"""


@pytest.mark.parametrize(
    ("documentation", "kept"),
    [
        (LONG_DOCUMENTATION, ["Says how long.", "x" * 40, "Examples\n--------", '>>> how_long("abc")\n3']),
        (LONG_DOCUMENTATION.replace("Examples\n--------\n", ""), ["Says how long.", '>>> how_long("abc")\n3']),
        ("Short.\n\nExamples:\n>>> 1\n1", ["Short.", ">>> 1"]),
        ("Early.\n\nExamples\n" + ">>> 1\n" * 900, ["Early.", "Examples\n>>> 1"]),
        ("None at all. " * 300, ["None at all."]),
    ],
    ids=["numpy style", "without a heading", "short", "early", "none"],
)
def test_of_long_documentation_the_examples_are_kept(
    documentation: str, kept: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "told_in_tests.py").write_text(f"def how_long(text):\n    {documentation!r}\n    return len(text)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "told_in_tests", raising=False)
    exec(packages.DESCRIBE.format(name="told_in_tests.how_long"), {})  # our own program
    printed = capsys.readouterr().out
    assert printed.startswith("told_in_tests.how_long(text)\n\n")
    assert all(text in printed for text in kept)
    assert len(printed) <= 1801


@pytest.mark.parametrize(
    "program",
    [
        "from __future__ import annotations\nimport old\n",
        '"""Words."""\n\nfrom __future__ import (\n    annotations,\n)\nfrom __future__ import division\nimport old\n',
        "from __future__ import annotations; import old",
        "# é\r\n\x0cfrom __future__ import annotations\r\nimport old\r\n",
        "import old",
        "",
    ],
)
def test_warnings_are_errors_in_a_program_that_imports_from_the_future_too(program: str) -> None:
    strict = packages.strictly(program)
    compile(strict, "program.py", "exec")
    assert packages.STRICT in strict
    left = [line for line in strict.replace(packages.STRICT, "").splitlines() if line]
    assert left == [line for line in program.splitlines() if line]


def test_a_name_without_documentation_is_not_asked_about() -> None:
    made, yielded = talk(packages.ask, row_of("packages"), outcome=lambda w: Outcome("fail", "AttributeError: x"))
    assert rows(made)[0]["reason"] == "no_documentation"
    assert all(isinstance(one, Execute) for one in yielded)


def test_a_sandbox_that_fails_says_nothing_of_a_library_or_an_answer() -> None:
    made, _ = talk(packages.ask, row_of("packages"), outcome=lambda w: Outcome("sandbox_error", "no keeper"))
    assert (rows(made)[0]["reason"], rows(made)[0]["value"]) == ("sandbox_failed", "no keeper")

    def outcome(wanted: Execute) -> Outcome:
        strict = "simplefilter('error'" in wanted.program
        return Outcome("sandbox_error" if strict else "pass", output=ABOUT["documentation"])

    made, _ = talk(packages.ask, row_of("packages"), outcome=outcome)
    assert rows(made)[0]["outcome"] == "sandbox_error"


def test_a_page_without_anything_to_ask_is_no_seed() -> None:
    made, _ = talk(diverse.clean, row_of("diverse"), lambda body, sample: "NONE")
    assert rows(made)[0]["reason"] == "no_seed"


def test_a_refined_program_that_fails_is_not_taken() -> None:
    ran = iter([Outcome("pass"), Outcome("fail", "worse")])
    made, _ = talk(diverse.solve, row_of("diverse"), outcome=lambda w: next(ran), specification=specification.read())
    (row,) = rows(made)
    assert (row["outcome"], "# The empty list" in row["program"]) == ("pass", False)


def test_questions_are_asked_at_temperature_one() -> None:
    _, yielded = talk(diverse.ask, row_of("diverse"), specification=specification.read())
    assert yielded[0].temperature == 1.0


def test_a_way_of_evolving_is_drawn_and_told() -> None:
    ways = set()
    for number in range(60):
        made, yielded = talk(evolve.write, {**row_of("evolve"), "id": str(number)})
        way = rows(made)[0]["task_type"]
        assert evolve.WAYS[way] in yielded[0].prompt
        ways.add(way)
    assert ways == set(evolve.WAYS)


def test_a_rewritten_file_has_the_version_before_it() -> None:
    made, yielded = talk(rewrite.clean, row_of("rewrite"))
    (style,) = rows(made)
    assert (style["task_type"], style["outcome"], style["output"]) == ("style", "pass", row_of("rewrite")["content"])
    assert [type(one) for one in yielded] == [Execute, Request, Execute]
    made, yielded = talk(rewrite.whole, {**style, "id": "8f", "seed_id": "7f"})
    (whole,) = rows(made)
    assert (whole["task_type"], whole["seed_id"], whole["output"]) == ("self_contained", "7f", style["content"])
    assert whole["tests"].startswith("assert ")
    made, yielded = talk(rewrite.clean, {**row_of("rewrite"), "content": "x" * 9000})
    assert (rows(made)[0]["reason"], yielded) == ("too_long", [])


def test_a_file_that_does_not_parse_is_not_asked_about_and_a_fault_is_a_reason() -> None:
    broken = Outcome("fail", "AssertionError", output="line 1: no Python: invalid syntax")
    made, yielded = talk(rewrite.clean, row_of("rewrite"), outcome=lambda wanted: broken)
    assert (rows(made)[0]["reason"], rows(made)[0]["value"]) == ("unparsed", "line 1: no Python: invalid syntax")
    assert [type(one) for one in yielded] == [Execute]
    for second, reason in ((Outcome("fail", output="line 2: undefined name 'x'"), "lint"), (Outcome("crashed"), "lint"),
                           (Outcome("sandbox_error"), None)):  # fmt: skip
        ran = iter([Outcome("pass"), second])
        (row,) = rows(talk(rewrite.clean, row_of("rewrite"), outcome=lambda wanted, ran=ran: next(ran))[0])
        assert (row.get("reason"), row["outcome"]) == (reason, second.verdict)


def test_the_linter_says_what_is_wrong_with_a_program() -> None:
    program = """import os
from a import *
import json as json, re

def f(x=[]):
    try:
        return x == None
        y = 1
    except:
        raise

def f(): return re
"""
    assert _lint.faults(program) == [
        "line 1: 'os' is imported and not used",
        "line 2: everything is imported",
        "line 5: a default that can be changed",
        "line 7: None is compared with ==, not with is",
        "line 8: never reached",
        "line 9: except without a type",
        "line 12: 'f' is defined twice",
    ]
    assert _lint.faults("def top(a):\n    global b\n    b = a\n    return [c for c in b if c in d]\n") == [
        "line 4: undefined name 'd'"
    ]
    assert _lint.faults('import a, b\n__all__ = ["a"]\nx: "b.c" = __file__\n') == []
    assert _lint.faults("def f(:\n")[0].startswith("line 1: no Python: ")
    assert "no Python" in _lint.faults("-" * 100_000 + "1")[0]


def test_a_file_in_a_language_that_is_never_run_does_not_stop_the_run() -> None:
    sql = {**row_of("rewrite"), "language": "sql"}
    made, yielded = talk(rewrite.clean, sql, lambda body, sample: "```sql\nselect 1;\n```")
    assert ([row.get("outcome") for row in rows(made)], len(yielded)) == ([None], 1)
    said = '{"program": "select 1;", "tests": "select assert(1);"}'
    made, yielded = talk(rewrite.whole, sql, lambda body, sample: said)
    assert [row.get("outcome") for row in rows(made)] == ["toolchain_missing"]
    assert not any(isinstance(one, Execute) for one in yielded)


def test_the_text_of_a_prompt_is_part_of_what_a_step_is() -> None:
    known = {step.knows() for step in METHODS.values() if step.knows is not None}
    assert len(known) == len([step for step in METHODS.values() if step.knows])
    assert all(step.knows is not None for step in METHODS.values())


def test_what_is_not_recorded_is_no_answer() -> None:
    with pytest.raises(LookupError, match="no answer is recorded"):
        answer({"messages": [{"role": "user", "content": "something else"}]})


def test_the_package_has_no_method_that_is_no_step() -> None:
    assert all(isinstance(step, cm.Step) for step in METHODS.values())


def test_an_answer_in_fences_is_read_where_sections_were_asked_for() -> None:
    blocks = ["def add(a, b):\n    return a + b", "assert add(1, 2) == 3"]
    text = "Add two numbers.\n\n" + "Then:\n".join(f"```python\n{block}\n```\n" for block in blocks)
    for step, params in ((snippets.write, {"languages": ("python",)}), (educational.write, {})):
        made, _ = talk(step, row_of("snippets"), lambda body, sample: text, **params)
        (row,) = rows(made)
        assert (row["instruction"], row["tests"].strip()) == ("Add two numbers.", "assert add(1, 2) == 3")
        assert row["program"].startswith("def add")
