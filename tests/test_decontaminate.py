"""Decontamination: what is found of a task however it is written, what is not, and that it is accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.errors import InputError, RecipeError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.store import Place
from codemill.recipes.refinecode import refinecode
from codemill.sources import Folder
from codemill.steps import decontaminate
from tests.benchmark_rows import FUNCTION, PROMPT, ROWS, TASK, polyglot, write

RULE: dict[str, Any] = {
    "ngram": 10,
    "words_share": 0.7,
    "code_share": 0.9,
    "least": 4,
    "common": 256,
    "shortest": 12,
}
SHORT = {
    **TASK,
    "task_id": "HumanEval/9002",
    "prompt": "def flip_it(n):\n",
    "canonical_solution": "    return not n or n == 0x5\n",
}
SHORT = {**SHORT, "entry_point": "flip_it", "test": "def check(candidate):\n    assert candidate(True) is False\n"}

RENAMED = """
def largest(values, least):  # another comment
    '''Something else.'''
    rest = sorted(v for v in values if v > least)
    top = 0x0
    for a, b in zip(rest, rest[1:],):
        if b - a > top: top = b - a
    return top
"""
OTHER = """
def widest_gap(rows, key):
    found = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return max(found, key=len)
"""


def made(tasks: Path, folder: Path) -> Reading:
    """The parts of the tasks of a file."""
    place = Place.of(str(folder / "out"))
    place.make()
    decontaminate.items.function(out=OutFolder(place), benchmarks=(decontaminate.Files(str(tasks)),))
    return Reading("items", place=place)


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    folder = tmp_path_factory.mktemp("items")
    return made(write(folder / "tasks.jsonl", [TASK, SHORT]), folder)


def reasons(items: Reading, *texts: str, language: str | None = "python", names: bool = False) -> list[str | None]:
    kinds = pa.array([language] * len(texts), pa.string())
    batch = pa.record_batch({"content": pa.array(texts, pa.large_string()), "language": kinds})
    found = decontaminate.drop.function(batch, items, columns=("content",), language="language", names=names, **RULE)
    return list(found["reason"].to_pylist())


def test_a_task_is_found_as_it_is_and_lightly_rewritten(items: Reading) -> None:
    found = reasons(
        items,
        f"import os\n\n{FUNCTION}\nprint(widest_gap([1], 0))\n",
        RENAMED,
        RENAMED.replace("    ", "\t").replace("\n", "\r\n"),
        f"# {PROMPT.splitlines()[1].strip()}\n",
        f"{TASK['test']}\ncheck(some)\n",
        OTHER,
        "",
    )
    assert found[0] in ("benchmark_prompt", "benchmark_solution")
    assert found[1:3] == ["benchmark_solution"] * 2
    assert found[3] == "benchmark_prompt"
    assert found[4] == "benchmark_tests"
    assert found[5:] == [None, None]


@pytest.mark.parametrize(
    ("language", "program", "renamed"),
    [
        ("python", FUNCTION, FUNCTION.replace("depths", "str").replace("floor", "char").replace("kept", "end")),
        (
            "scheme",
            "(define (widest-gap depths) (if (null? depths) 0 (apply max (map - (cdr depths) (cdr depths) 7))))",
            "; no\n(define (f xs)\n  (if (null? xs) 0 (apply max (map - (cdr xs) (cdr xs) 7))))",
        ),
        (
            "php",
            "function widest($d) {\n    $best = 'a';\n    foreach ($d as $x) { $best .= $x; }\n    return $best;\n}",
            '// no\nfunction f($d) {\n  $best = "a"; // it\'s\n  foreach ($d as $x) { $best.=$x; }\n  return $best;\n}',
        ),
    ],
)
def test_names_and_comments_of_a_language_do_not_count(
    language: str, program: str, renamed: str, tmp_path: Path
) -> None:
    row = {"id": "1", "prompt": "", "solution": program, "language": language}
    found = made(write(tmp_path / "own.jsonl", [row]), tmp_path)
    if language == "python":
        renamed = renamed.split('"""')[0] + renamed.split('"""')[2]
    assert reasons(found, renamed, "x = 1", language=language) == ["benchmark_solution", None]


def test_an_import_within_a_function_is_code_of_it_and_one_above_need_not_be_copied(tmp_path: Path) -> None:
    program = (
        "def slope(rise, run):\n    import math\n    angle = math.atan2(rise, run)\n    return math.degrees(angle)\n"
    )
    found = made(
        write(tmp_path / "own.jsonl", [{"id": "1", "prompt": "", "solution": f"import sys\n{program}"}]), tmp_path
    )
    renamed = program.replace("rise", "a").replace("run", "b").replace("angle", "c").replace("slope", "f")
    assert reasons(found, renamed, f"import os\n\n{renamed}") == ["benchmark_solution"] * 2


def test_another_program_of_the_same_shape_is_kept(items: Reading) -> None:
    changed = RENAMED.replace("b - a", "b + a").replace("sorted", "list").replace("top = 0x0", "top = [None, 5]")
    assert reasons(items, changed, RENAMED.replace("rest", "values", 1)) == [None, None]


def test_a_short_task_is_found_as_a_whole_with_its_names(items: Reading) -> None:
    found = reasons(items, *(f"x = 1\ndef flip_it({n}):\n  # no\n  return   not {n} or {n}==5\n" for n in "nm"))
    assert found == ["benchmark_solution", None]


def test_pages_and_chats_are_read_by_their_fences(items: Reading) -> None:
    page = f"# Gaps\n\nDon't do this:\n\n```python\n{RENAMED}```\n\nIt's wrong.\n"
    prose = "It's about the widest gap between depths."
    assert reasons(items, page, prose, language="markdown") == ["benchmark_solution", None]
    assert reasons(items, page, prose, language=None) == ["benchmark_solution", None]


def test_names_count_for_chat_rows_only_with_parameters_or_tests(items: Reading) -> None:
    rows = (
        "What does widest_gap do?",
        "def widest_gap(depths: list[int], floor: int = 0) -> int: ...",
        "assert widest_gap( [1,4,9], 0 ) == 5",
        OTHER,
    )
    assert reasons(items, *rows) == [None] * 4
    assert reasons(items, *rows, names=True) == [None, "benchmark_name", "benchmark_name", None]


def test_columns_can_be_messages(items: Reading) -> None:
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    asked = [{"role": "user", "content": "Write it."}, {"role": "assistant", "content": f"```python\n{RENAMED}```"}]
    clean = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}]
    batch = pa.record_batch(
        {
            "messages": pa.array([asked, clean, None], pa.list_(message)),
            "note": pa.array([None, None, FUNCTION]),
        }
    )
    found = decontaminate.drop.function(batch, items, columns=("messages", "note"), language=None, names=True, **RULE)
    assert found["reason"].to_pylist()[:2] == ["benchmark_solution", None]
    assert found["reason"][2].is_valid
    assert found["benchmark_task"].to_pylist() == ["HumanEval/9001", None, "HumanEval/9001"]


@pytest.mark.parametrize("name", ["mbpp", "evoeval", "human_eval_infilling", "bigcodebench", "own", "mbpp_plus"])
def test_every_form_of_python_task_is_found_when_renamed(name: str, tmp_path: Path) -> None:
    found = made(write(tmp_path / "tasks.jsonl", ROWS[name][:1]), tmp_path)
    assert reasons(found, RENAMED, OTHER) == ["benchmark_solution", None]


def test_a_function_with_gaps_in_many_places_is_found(tmp_path: Path) -> None:
    """HumanEval-Infilling has more than 256 gaps in HumanEval/129: what so many parts have is common."""
    (row,) = ROWS["human_eval_infilling"][:1]
    program, begin = TASK["prompt"] + TASK["canonical_solution"], len(TASK["prompt"])
    gaps = [(i, j) for i in range(begin, len(program), 4) for j in range(i + 4, len(program), 4)]
    assert len(gaps) > 2 * RULE["common"]
    rows = [
        {**row, "task_id": f"RandomSpanInfilling/HumanEval/9001/{n}", "prompt": program[:i],
         "canonical_solution": program[i:j], "suffix": program[j:]}
        for n, (i, j) in enumerate(gaps)
    ]  # fmt: skip
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    write(tasks / "gaps.jsonl", rows)
    write(tasks / "whole.jsonl", [TASK])
    first, last = gaps[1]
    found = reasons(made(tasks, tmp_path), TASK["prompt"], program[:first] + program[last:], RENAMED, OTHER)
    assert found == ["benchmark_prompt", "benchmark_prompt", "benchmark_solution", None]


def test_a_run_drops_them_and_the_ledger_says_of_which_task(tmp_path: Path) -> None:
    (tmp_path / "in" / "repo").mkdir(parents=True)
    (tmp_path / "in" / "repo" / "a.py").write_text(RENAMED)
    (tmp_path / "in" / "repo" / "b.py").write_text(OTHER)
    write(tmp_path / "tasks.jsonl", [TASK])
    polyglot(tmp_path / "polyglot.tar.gz")
    source = Folder(str(tmp_path / "in"))
    paths = (str(tmp_path / "tasks.jsonl"), str(tmp_path / "polyglot.tar.gz"))
    result = cm.build(refinecode((source,), rules="none", decontaminate=paths), out=str(tmp_path / "out"), workers=1)
    assert result is not None
    ledger = {row["path"]: row for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist()}
    dropped = ledger["a.py"]
    assert (dropped["verdict"], dropped["reason"]) == ("dropped", "benchmark_solution")
    assert (dropped["benchmark"], dropped["benchmark_task"]) == ("humaneval", "HumanEval/9001")
    assert dropped["benchmark_share"] >= 0.9
    assert dropped["value"] == "HumanEval/9001, 100%"
    assert ledger["b.py"]["verdict"] == "kept"
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert "benchmark's task" in json.dumps(manifest)


def test_the_identity_of_files_is_their_content(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.jsonl", [TASK]), write(tmp_path / "b.jsonl", [TASK])
    other = write(tmp_path / "c.jsonl", [SHORT])
    assert decontaminate.Files(str(one)).files == decontaminate.Files(str(two)).files
    assert decontaminate.Files(str(one)).files != decontaminate.Files(str(other)).files


def test_what_cannot_be_read_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match="no such folder"):
        decontaminate.Files(str(tmp_path / "none"))
    write(tmp_path / "chat.jsonl", [{"instruction": "Hi", "output": "Hello"}])
    with pytest.raises(InputError, match="no tasks"):
        decontaminate.Files(str(tmp_path))
    write(tmp_path / "tasks.jsonl", [TASK])
    assert len(decontaminate.Files(str(tmp_path)).files) == 1
    assert "chat.jsonl" in caplog.text
    with pytest.raises(RecipeError, match="share"):
        decontaminate.drop.bind({**RULE, "columns": ("content",), "language": None, "names": False, "code_share": 0.0})


def test_hostile_documents_are_read(items: Reading) -> None:
    texts = ("(" * 100_000, "```" * 50_000, "a " * 100_000, '"""' + "x = 1\n" * 10_000, "\x00\ufffe" * 1000)
    assert reasons(items, *texts, names=True) == [None] * 5
    assert reasons(items, *texts, language=None, names=True) == [None] * 5
