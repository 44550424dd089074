"""Steps of synthesis on a few rows: seeds, libraries, choices, policies, stages, published chats, specifications."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill import installed, specification
from codemill.document import SHA256
from codemill.machine.planning import check_places
from codemill.machine.store import Place
from codemill.prompts import diverse, multilingual, snippets
from codemill.recipes import tokens
from codemill.recipes._teachers import stronger_of, teacher_of
from codemill.recipes.annealing import WORDS
from codemill.recipes.annealing_mix import SHARES, annealing_mix, proved
from codemill.recipes.post_training import STAGE_1, STAGE_2
from codemill.run import Run
from codemill.sources import Folder, Published
from codemill.sources.chats import Chats, messages
from codemill.steps import algorithmic, choose, detect, ingest, libraries, stages, synthesis
from codemill.synthetic import CHAT
from codemill.teacher import Endpoint, Local, Scripted


def batch(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


# ── seeds ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# LeetCode 1", "leetcode"),
        ("    def solution(a):", "def solution"),
        ("class Solution {", "class solution"),
        ("impl Solution {", "impl solution"),
        ("func solution() {", "func solution"),
        ("x = 1", None),
        (None, None),
    ],
)
def test_a_seed_says_that_it_is_about_an_algorithm(text: str | None, word: str | None) -> None:
    made = algorithmic.mark.function(pa.record_batch({"content": pa.array([text], pa.large_string())}), words=WORDS)
    assert made.to_pylist() == [{"seed_word": word, "reason": None if word else "no_seed"}]


def documents(tmp_path: Path, count: int = 20) -> cm.Table:
    for n in range(count):
        file = tmp_path / "in" / f"repo{n % 4}" / f"f{n}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# leetcode {n}\nimport numpy as np\nx = np.zeros({n})\n")
    return detect.language(ingest.documents(sources=(Folder(str(tmp_path / "in")),)))


def test_a_larger_sample_of_seeds_holds_a_smaller_one_and_has_its_size(tmp_path: Path) -> None:
    found: dict[int, set[str]] = {}
    for most in (0, 5, 9):
        marked = algorithmic.mark(documents(tmp_path), words=WORDS)
        out = tmp_path / f"out{most}"
        cm.build(choose.draw(marked, most=most), out=str(out), workers=1)
        found[most] = {row["id"] for file in (out / "corpus").glob("*") for row in pq.read_table(file).to_pylist()}
    assert [len(found[most]) for most in (5, 9, 0)] == [5, 9, 20]
    assert found[5] < found[9] < found[0]


def test_seeds_are_counted_by_language_and_word(tmp_path: Path) -> None:
    marked = algorithmic.mark(documents(tmp_path), words=WORDS)
    cm.build({"seeds": algorithmic.counted(marked, remedy="none")}, out=str(tmp_path / "out"), workers=1)
    facts = json.loads((tmp_path / "out" / "seeds" / "seeds.json").read_text())
    assert facts == {"seeds": 20, "languages": {"python": 20}, "words": {"leetcode": 20}}


@pytest.mark.parametrize("wrong", [{"words": ()}, {"words": (" ",)}])
def test_words_that_are_none_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(cm.RecipeError):
        algorithmic.mark(documents(tmp_path, 1), **wrong)


# ── libraries ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "lines", "found"),
    [
        ("np.linalg.norm(x)", ["import numpy as np"], {"numpy.linalg.norm": 1}),
        ("zeros(1); zeros (2)", ["from numpy import zeros, ones"], {"numpy.zeros": 2}),
        ("z(1)", ["from numpy import zeros as z"], {"numpy.zeros": 1}),
        ("numpy.linalg.norm(1)", ["import numpy.linalg"], {"numpy.linalg.norm": 1}),
        ("np._private(1)", ["import numpy as np"], {}),
        ("my.np.zeros(1)", ["import numpy as np"], {}),
        ("os.path.join(a)", ["import os"], {}),
        ("zeros(1)", [], {}),
    ],
)
def test_calls_of_a_library_are_found_by_its_imports(text: str, lines: list[str], found: dict[str, int]) -> None:
    assert libraries.calls(text, lines, {"numpy": {}}) == Counter(found)


def test_names_are_ranked_by_the_documents_that_call_them(tmp_path: Path) -> None:
    (tmp_path / "in" / "repo").mkdir(parents=True)
    for n, text in enumerate(["np.zeros(1)\nnp.zeros(2)\nnp.zeros(3)", "np.ones(1)", "np.ones(2)", "print(1)"]):
        (tmp_path / "in" / "repo" / f"{n}.py").write_text(f"import numpy as np\n{text}\n")
    read = detect.language(ingest.documents(sources=(Folder(str(tmp_path / "in")),)))
    known = {"numpy": {"version": "2.0", "license": "BSD-3-Clause"}}
    cm.build(libraries.top(libraries.used(read, libraries=known), most=1), out=str(tmp_path / "out"), workers=1)
    rows = [row for file in (tmp_path / "out" / "corpus").glob("*") for row in pq.read_table(file).to_pylist()]
    (row,) = rows
    assert (row["path"], row["repo"], row["documents"], row["calls"], row["rank"]) == ("numpy.ones", "numpy", 2, 2, 1)
    assert (row["library_version"], row["license"]) == ("2.0", ["BSD-3-Clause"])


def test_a_library_is_known_by_what_is_imported_not_by_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow is imported as PIL, and says so in its list of files alone."""
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").touch()
    facts = tmp_path / "pillow_of_tests-9.9.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: pillow-of-tests\nVersion: 9.9\nLicense: HPND\n")
    (facts / "RECORD").write_text("PIL/__init__.py,,\npillow_of_tests-9.9.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed.versions(("PIL", "pillow_of_tests"))["PIL"]["license"] == "HPND"
    assert "pillow_of_tests" not in installed.versions()


# ── choices and policies ──────────────────────────────────────────────────────────────────────────────────────────


def test_choices_drop_with_a_reason_and_a_null_is_unknown() -> None:
    made = choose.at_least.function(batch(score=[1.0, 3.0, None]), column="score", least=2.0)
    assert made["reason"].to_pylist() == ["below_least", None, None]
    made = choose.kinds.function(batch(doc_type=["code", "text", None]), of=("code",))
    assert made["reason"].to_pylist() == [None, "other_kind", "other_kind"]
    hashes = [hashlib.sha256(bytes([n])).digest() for n in range(200)]
    kept = {}
    for share in (0.2, 0.5):
        made = choose.share.function(pa.record_batch({"content_sha256": pa.array(hashes, SHA256)}), of=share)
        kept[share] = {n for n, reason in enumerate(made["reason"].to_pylist()) if reason is None}
    assert kept[0.2] < kept[0.5]
    assert 20 < len(kept[0.2]) < 60


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("pass", "", 0.9, True), None),
        (("pass", "", None, None), None),
        (("pass", "", 0.2, True), "weak_tests"),
        (("pass", "", 1.0, False), "weak_tests"),
        (("fail", "line 1", None, None), "not_passed"),
        (("timeout_cpu", "", None, None), "not_passed"),
        (("toolchain_missing", "no tsc", None, None), "not_tested"),
        (("sandbox_error", "", None, None), "sandbox_failed"),
        ((None, None, None, None), "not_run"),
    ],
)
def test_only_what_passed_strong_tests_is_kept(row: tuple[Any, ...], reason: str | None) -> None:
    columns = dict(zip(("outcome", "detail", "strength", "strong"), ([value] for value in row), strict=True))
    made = synthesis.keep.function(batch(**columns), least_strength=0.5)
    assert made["reason"].to_pylist() == [reason]
    if row[0] is None:
        assert synthesis.keep.function(batch(**columns), unrun=True)["reason"].to_pylist() == [None]


def test_tests_that_notice_nothing_are_weak() -> None:
    program = "def add(a, b):\n    return a + b\n"
    weak, strong = "assert add(0, 0) == 0", "assert add(1, 2) == 3\nassert add(5, 1) == 6\nassert add(-1, 1) == 0"
    rows = batch(
        program=[program] * 3, tests=[weak, strong, strong], language=["python"] * 2 + ["haskell"], outcome=["pass"] * 3
    )
    try:
        made = synthesis.strength.function(rows).to_pylist()
    except cm.EnvironmentProblem:
        pytest.skip("programs cannot be confined on this machine")
    assert [row["strong"] for row in made] == [False, True, None]
    assert made[0]["strength"] < made[1]["strength"] == 1.0


@pytest.mark.parametrize("broken", ["def add(a, b):\n    return a + b\n", "", "return None", "return 0\n"])
def test_a_sandbox_that_fails_says_nothing_of_tests(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that they are weak, because the solution did not pass, nor that they are strong, as no stub did."""
    from codemill.sandbox import pool

    class Failing:
        def run(self, task: pool.Task) -> pool.Outcome:
            failed = task.program == broken or (broken and broken in task.program)
            good = "a + b" in task.program
            return pool.Outcome("sandbox_error", "no keeper") if failed else pool.Outcome("pass" if good else "fail")

        def map(self, tasks: Iterable[pool.Task]) -> Iterator[pool.Outcome]:
            return map(self.run, tasks)

    monkeypatch.setitem(synthesis.POOLS, "tests.failing", Failing)  # type: ignore[arg-type]
    rows = batch(
        program=["def add(a, b):\n    return a + b\n"], tests=["assert add(1, 2) == 3"], language=["python"],
        outcome=["pass"],
    )  # fmt: skip
    (made,) = synthesis.strength.function(rows, runner="tests.failing").to_pylist()
    assert made == {"strength": None, "strong": None, "reason": "sandbox_failed", "value": "no keeper"}


def test_only_what_a_method_made_is_signed(tmp_path: Path) -> None:
    with pytest.raises(cm.RecipeError, match="only what a method made"):
        synthesis.signed(documents(tmp_path, 1), name="x")


# ── stages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def chat_set(tmp_path: Path, name: str, rows: int) -> cm.Table:
    """A published set with so many rows."""
    made = [
        {
            "messages": [{"role": "user", "content": f"{name} {n}"}],
            "id": f"{name}{n}",
            "source": name,
            "instruction": name,
        }
        for n in range(rows)
    ]
    (tmp_path / name).mkdir()
    file = tmp_path / name / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(made, schema=CHAT), file)
    cm.build(given(file=str(file), rows=rows), out=str(tmp_path / name / "out"), workers=1)
    return ingest.published(source=Published(str(tmp_path / name / "out"), "corpus"))


@cm.rows(
    version=1, reads=("id",), adds={name: CHAT.field(name).type for name in CHAT.names if name not in ("id", "parent")}
)
def rows_of_file(documents: pa.RecordBatch, *, file: str) -> pa.RecordBatch:
    """All rows of a file, made of one document."""
    table = pq.read_table(file).drop_columns(["id", "parent"])
    return pa.record_batch(
        {"of": pa.array([0] * table.num_rows), **{n: table[n].combine_chunks() for n in table.column_names}}
    )


def given(*, file: str, rows: int) -> cm.Table:
    folder = Path(file).parent / "in" / "repo"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text(f"rows = {rows}\n")
    return rows_of_file(ingest.documents(sources=(Folder(str(folder.parent)),)), file=file)


def test_a_stage_has_its_shares_exactly_and_an_empty_set_is_left_out(tmp_path: Path) -> None:
    sets = {"a": (chat_set(tmp_path, "a", 100), 2.0), "b": (chat_set(tmp_path, "b", 30), 1.0)}
    joined, parts = stages.stage(
        *(t for t, _ in sets.values()), names=list(sets), weights=[w for _, w in sets.values()]
    )
    cm.build({"stage": joined, "shares": parts}, out=str(tmp_path / "out"), workers=1)
    rows = [row for file in (tmp_path / "out" / "stage").glob("*") for row in pq.read_table(file).to_pylist()]
    assert Counter(row["source"] for row in rows) == {"a": 60, "b": 30}
    assert len({row["parent"] for row in rows}) == 90
    assert [row["source"] for row in rows] != sorted(row["source"] for row in rows)  # mixed, not one after the other
    facts = json.loads((tmp_path / "out" / "shares" / "shares.json").read_text())
    assert [entry["taken"] for entry in facts["sets"]] == [60, 30]
    assert Run.open(tmp_path / "out").manifest["outputs"]["stage"]["rows"] == 90


def test_the_papers_proportions() -> None:
    assert sum(STAGE_1.values()) == 4000
    assert sum(STAGE_2.values()) == 367
    assert sum(SHARES.values()) == pytest.approx(100)


# ── published chats ───────────────────────────────────────────────────────────────────────────────────────────────

TURNS = [{"role": "user", "content": "Add."}, {"role": "assistant", "content": "3"}]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": TURNS},
        {"conversations": [{"from": "human", "value": "Add."}, {"from": "gpt", "value": "3"}]},
        {"instruction": "Add.", "input": "", "output": "3"},
        {"instruction": "Add.", "output": "3", "code": "x", "entry_point": "f", "testcase": ["assert f"]},
        {"prompt": "Add.", "completion": "3"},
        {"question": "Add.", "answer": "3"},
        {"messages": [*TURNS, {"role": "user", "content": "And?"}]},
    ],
)
def test_published_shapes_are_read_as_the_same_turns(row: dict[str, Any]) -> None:
    assert messages(row) == TURNS


def test_an_input_is_a_part_of_the_question_and_a_system_turn_is_kept() -> None:
    made = messages({"instruction": "Add.", "input": "1 2", "output": "3", "system": "Be brief."})
    assert made == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add.\n\n1 2"}, TURNS[1]]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"messages": "text"},
        {"messages": []},
        {"messages": [1]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [TURNS[1], TURNS[0]]},
        {"messages": [TURNS[0], TURNS[0]]},
        {"messages": [{"role": "user", "content": None}, TURNS[1]]},
        {"instruction": " ", "output": "3"},
        {"instruction": ["Add."], "output": "3"},
    ],
)
def test_what_is_no_chat_says_what_is_wrong(row: dict[str, Any]) -> None:
    assert isinstance(messages(row), str)


def test_parquet_of_messages_is_read_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"messages": [TURNS], "tag": ["x"]}), tmp_path / "chats.parquet")
    source = Chats(str(tmp_path / "chats.parquet"))
    (row,) = [row for shard in source.list().shards for one in source.read(shard) for row in one.to_pylist()]
    assert json.loads(row["raw"]) == TURNS
    assert row["reason"] is None


def test_a_folder_may_hold_chats_of_both_kinds(tmp_path: Path) -> None:
    pq.write_table(pa.table({"messages": [TURNS], "tag": ["x"]}), tmp_path / "a.parquet")
    (tmp_path / "deeper").mkdir()
    for name in ("b.jsonl", "deeper/c.jsonl"):
        (tmp_path / name).write_text(json.dumps({"messages": TURNS}) + "\n", "utf-8")
    (tmp_path / "README.md").write_text("no chat", "utf-8")
    source = Chats(str(tmp_path))
    listing = source.list()
    found = [row for shard in listing.shards for one in source.read(shard) for row in one.to_pylist()]
    assert [row["reason"] for row in found] == [None] * 3
    assert {json.dumps(json.loads(row["raw"])) for row in found} == {json.dumps(TURNS)}
    assert any("1 other files are not read" in note for note in listing.notes)
    alone = Chats(str(tmp_path / "b.jsonl")).list()
    assert alone.fingerprint != listing.fingerprint


def test_what_nothing_answers_is_left_out() -> None:
    system = {"role": "system", "content": "Be brief."}
    for more in ([], [system], [TURNS[0]], [TURNS[0], system], [system, TURNS[0]]):
        assert messages({"messages": [system, *TURNS, *more]}) == [system, *TURNS]


# ── options ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_teacher_is_named_in_one_way() -> None:
    assert isinstance(teacher_of("local:folder", None, None, "KEY"), Local)
    assert isinstance(teacher_of("script:codemill.prompts._recorded:answer", None, None, "KEY"), Scripted)
    made = teacher_of(None, "http://127.0.0.1:1/v1", "m", "KEY", max_tokens=5)
    assert isinstance(made, Endpoint)
    assert (made.model, made.base_url, made.api_key_env, made.sampling) == (
        "m",
        "http://127.0.0.1:1/v1",
        "KEY",
        {"max_tokens": 5},
    )
    with pytest.raises(cm.RecipeError, match="no teacher is named"):
        teacher_of(None, None, None, "KEY")
    with pytest.raises(cm.RecipeError, match="name two"):
        teacher_of("m@http://127.0.0.1:1/v1", None, "m", "KEY")


def test_what_a_teacher_says_of_its_device_is_no_place(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()
    marked = algorithmic.mark(documents(tmp_path, 1), words=WORDS)
    written = snippets.write(marked, teacher=Local(str(folder)))
    check_places(written, Place.of(str(tmp_path / "out")))
    with pytest.raises(cm.RecipeError, match="the output is inside an input"):
        check_places(written, Place.of(str(folder / "out")))


def test_a_price_belongs_to_a_server() -> None:
    made = teacher_of(None, "http://127.0.0.1:1/v1", "m", "KEY", "1/2")
    assert isinstance(made, Endpoint)
    assert made.price is not None
    assert (made.price.prompt, made.price.completion) == (1.0, 2.0)
    for wrong in ("1", "a/b", "1/-2", "1/2/3", "nan/1"):
        with pytest.raises(cm.RecipeError, match="is no price"):
            teacher_of("m@http://127.0.0.1:1/v1", None, None, "KEY", wrong)


def test_a_stronger_teacher_is_at_the_same_address_or_gets_no_key_of_another() -> None:
    who = teacher_of(None, "http://127.0.0.1:1/v1", "m", "KEY", "1/2")
    assert stronger_of(who, None, "", None) is who
    same = stronger_of(who, "big", "", "3/4", max_tokens=5)
    assert isinstance(same, Endpoint)
    assert (same.model, same.base_url, same.api_key_env) == ("big", "http://127.0.0.1:1/v1", "KEY")
    assert same.price is not None
    assert (same.price.prompt, same.sampling) == (3.0, {"max_tokens": 5})
    for given in ("", "OTHER"):
        other = stronger_of(who, "big@http://127.0.0.1:2/v1", given, None)
        assert isinstance(other, Endpoint)
        assert (other.base_url, other.api_key_env, other.price) == ("http://127.0.0.1:2/v1", given, None)
    assert stronger_of(who, "big@http://127.0.0.1:1/v1", "", None).api_key_env == "KEY"  # type: ignore[union-attr]
    assert isinstance(stronger_of(who, "local:folder", "", None), Local)


TOML = '[languages]\npython = 1\n[difficulties]\neasy = 1\n[types.a]\nasks = "Ask."\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TOML.replace("python", "pyton"), "pyton"),
        (TOML.replace("easy", "esy"), "no difficulty 'esy'"),
        (TOML.replace("python = 1", "python = 0"), "weight"),
        (TOML.replace("python = 1", "python = true"), "weight"),
        (TOML.replace("asks", "ask"), "no key 'ask'"),
        (TOML.replace('"Ask."', "1"), "asks may not be 1"),
        (TOML.replace("[types.a]", "[type.a]"), "no table"),
        (TOML + "[scenarios.x]\nweight = 2\n", "'says' is missing"),
        ("[languages]\n", "missing or empty"),
        ("[", "cannot be read"),
        (TOML.replace("[languages]\npython = 1", 'languages = ["python"]'), r"languages is a table, got \['python'\]"),
        (TOML.replace("[types.a]", "[[types]]"), "types is a table"),
        (TOML + "[scenarios]\nx = 1\n", "an entry is a table"),
        (TOML.replace("python", "sql"), "programs in 'sql' cannot be run"),
    ],
)
def test_a_specification_that_is_wrong_is_refused_with_the_place(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(text)
    with pytest.raises(cm.InputError, match=words):
        specification.read(str(tmp_path / "tasks.toml"))


def test_a_language_that_is_never_run_may_be_asked_about(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(TOML.replace("python", "sql") + "tests = false\n")
    assert specification.read(str(tmp_path / "tasks.toml"))["languages"] == {"sql": 1.0}


@pytest.mark.parametrize("write", [snippets.write, multilingual.write])
def test_languages_that_cannot_be_run_are_refused_before_anybody_is_asked(write: Any, tmp_path: Path) -> None:
    marked = algorithmic.mark(documents(tmp_path, 1), words=WORDS)
    teacher = Scripted("codemill.prompts._recorded:answer")
    wrong = {("python", "sql"): "programs in 'sql' cannot be run", ("pyton",): "no language", (): "at least one"}
    for names, words in wrong.items():
        with pytest.raises(cm.RecipeError, match=words):
            write(marked, teacher=teacher, languages=names)


def test_a_plan_says_which_toolchains_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from codemill.sandbox import languages as runnable

    monkeypatch.setattr(runnable, "toolchain", lambda language: None if language.name in ("kotlin", "swift") else 1)
    about: dict[str, Any] = {"languages": ("python", "kotlin", "swift"), "runner": "codemill.sandbox"}
    for step in (snippets.write, multilingual.write):
        assert step.notes is not None
        (note,) = step.notes(**about)
        assert note.startswith("no toolchain here for kotlin, swift")
        assert step.notes(**{**about, "languages": ("python",)}) == []
        assert step.notes(**{**about, "runner": "another"}) == []
    assert diverse.solve.notes is not None
    assert len(diverse.solve.notes(specification={"languages": {"swift": 1}}, runner="codemill.sandbox")) == 1


def test_tasks_are_drawn_by_their_weights(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(TOML.replace("python = 1", "python = 3\ngo = 1"))
    said = specification.read(str(tmp_path / "tasks.toml"))
    drawn = Counter(specification.drawn(str(n), said)["languages"] for n in range(2000))
    assert 0.71 < drawn["python"] / 2000 < 0.79


# ── the mix ───────────────────────────────────────────────────────────────────────────────────────────────────────


FILES = {"original": 1500, "algorithmic": 300, "snippets": 100, "textbooks": 30, "few": 16}
"""Of each input: more than the shares want beside 1,500 of the original, and of `few` a quarter of the snippets."""


@pytest.fixture(scope="module")
def shards(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Token shards of short files, with one tokenizer."""
    root = tmp_path_factory.mktemp("shards")
    read = {}
    for name, count in FILES.items():
        (root / name / "repo").mkdir(parents=True)
        for n in range(count):
            text = f"# {name} {n}\n" + "".join(f"x{i} = {i * n}\n" for i in range(2 + n % 7))
            (root / name / "repo" / f"{n}.py").write_text(text)
        read[name] = detect.language(ingest.documents(sources=(Folder(str(root / name)),)))
    cm.build(read, out=str(root / "corpus"), workers=1)
    about = {"corpus": str(root / "corpus"), "existing": str(runs / "plain" / "tokenizer"), "fim_rate": 0}
    for name in FILES:
        cm.build(tokens.tokens(**about, output=name), out=str(root / f"{name}.tokens"), workers=1)
    return {name: str(root / f"{name}.tokens") for name in FILES}


def packed(outputs: cm.Outputs, out: Path) -> dict[str, list[int]]:
    """Tokens of each input in the sequences of a plan, by epoch."""
    cm.build(outputs, out=str(out), workers=1)
    inputs = json.loads((out / "mix" / "mix.json").read_text())["inputs"]
    return {one["name"]: [epoch["tokens"] for epoch in one["by_epoch"]] for one in inputs}


def assert_shares(mixed: dict[str, list[int]], shards: dict[str, str]) -> None:
    """The paper's four shares, within 0.1 % of all tokens or one document."""
    whole = sum(map(sum, mixed.values()))
    assert set(mixed) == set(SHARES)
    for name, share in SHARES.items():
        longest = max(token_counts(Path(shards[name])))
        assert abs(sum(mixed[name]) - whole * share / 100) <= max(0.001 * whole, longest), name


def test_the_annealing_mix_of_four_inputs_hits_its_shares(shards: dict[str, str], tmp_path: Path) -> None:
    four = {name: shards[name] for name in SHARES}
    mixed = packed(annealing_mix(**four, length=256), tmp_path / "out")
    assert_shares(mixed, shards)
    assert sum(mixed["original"]) == sum(token_counts(Path(shards["original"])))  # the scarcest is taken whole
    assert all(len(by_epoch) == 1 for by_epoch in mixed.values())


def test_a_small_proved_set_makes_the_same_mix_over_several_epochs(shards: dict[str, str], tmp_path: Path) -> None:
    four = {name: shards[name] for name in SHARES}
    mixed = packed(annealing_mix(**four, length=256), tmp_path / "mixed")
    whole = sum(map(sum, mixed.values()))
    again = packed(proved(**{**four, "snippets": shards["few"]}, budget=whole), tmp_path / "proved")
    assert_shares(again, {**shards, "snippets": shards["few"]})
    assert abs(sum(map(sum, again.values())) - whole) <= 0.001 * whole
    read = again.pop("snippets")
    few = sum(token_counts(Path(shards["few"])))
    assert len(read) == 4
    assert read[:3] == [few] * 3  # whole, before any document is read a fourth time
    assert all(len(by_epoch) == 1 for by_epoch in again.values())
    assert len(packed(annealing_mix(**{**four, "snippets": shards["few"]}), tmp_path / "once")["snippets"]) == 1


def token_counts(run: Path) -> list[int]:
    found: list[int] = []
    for file in sorted((run / "tokens").glob("*.arrow")):
        with pa.memory_map(str(file)) as stream:
            found += pa.ipc.open_file(stream).read_all()["num_tokens"].to_pylist()
    return found


def test_sets_that_were_encoded_with_another_tokenizer_are_no_mix(runs: Path, tmp_path: Path) -> None:
    documents = ingest.documents(sources=(Folder(str(Path(json.__file__).parent), skip=("__pycache__",)),))
    cm.build(detect.language(documents), out=str(tmp_path / "corpus"), workers=1)
    other = tokens.tokens(corpus=str(tmp_path / "corpus"), vocabulary=300, sample_bytes=100_000, fim_rate=0)
    cm.build(other, out=str(tmp_path / "other"), workers=1)
    with pytest.raises(cm.RecipeError, match="different tokenizers"):
        annealing_mix(original=str(runs / "plain"), snippets=str(tmp_path / "other"))
