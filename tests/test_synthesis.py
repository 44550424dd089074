"""The recipes of synthesis, end to end, behind real HTTP and with real programs: rows, reasons, resume, growth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web
from click.testing import CliRunner

import codemill as cm
from bench import methods
from codemill import catalog, report
from codemill.cli import cli
from codemill.errors import EnvironmentProblem
from codemill.recipes import annealing, post_training, rewriting
from codemill.report.facts import made
from codemill.report.facts import synthesis as synthesis_facts
from codemill.run import Run
from codemill.sandbox.pool import shared
from codemill.sources.chats import Chats
from codemill.steps import ingest, instructions
from tests import synthesis_runs
from tests.teaching import Server, chat, serving


def confined() -> bool:
    try:
        return bool(shared())
    except EnvironmentProblem:
        return False


pytestmark = pytest.mark.skipif(not confined(), reason="programs cannot be confined on this machine")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    stars = synthesis_runs.stars(root / "stars.csv")
    return synthesis_runs.corpus(synthesis_runs.sources(root / "repositories"), root / "out", stars)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(synthesis_runs.recorded) as one:
        yield one


def read(out: Path, name: str) -> list[dict[str, Any]]:
    return [row for file in sorted((out / name).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def files_of(out: Path, name: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((out / name).glob("*.parquet"))}


def asked_about(server: Server) -> dict[str, Any]:
    return {"model": "m", "base_url": server.url}


@pytest.fixture(scope="module")
def annealed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of annealing."""
    out = tmp_path_factory.mktemp("annealed") / "out"
    with serving(synthesis_runs.recorded) as server:
        wanted = annealing.annealing(
            corpus=str(corpus), languages=("python", "javascript"), least_strength=0.0, **asked_about(server)
        )
        cm.build(wanted, out=str(out), workers=1)
    return out


def test_annealing_makes_sets_that_are_proved_and_lead_back_to_their_seeds(annealed: Path) -> None:
    out = annealed
    rows = {name: read(out, name) for name in Run.open(out).manifest["outputs"] if name != "seeds"}
    assert json.loads((out / "seeds" / "seeds.json").read_text())["seeds"] == len(rows["algorithmic"]) == 5
    seeds = {row["id"]: row for row in rows["algorithmic"]}
    assert rows["snippets"]
    assert rows["textbooks"]
    for row in rows["snippets"] + rows["textbooks"]:
        seed = seeds[row["seed_id"]]
        assert (row["repo"], row["path"], row["license"]) == (seed["repo"], seed["path"], ["MIT"])
        assert row["teacher"] == "m"
        assert row["calls"]
        assert row["prompt"].split()[0] in ("snippets.write", "textbooks.explain")
    for row in rows["snippets"]:
        assert (row["outcome"], row["source"]) == ("pass", "snippets")
        assert row["rung"]
        assert row["toolchain"]
    books = rows["snippets_ledger"]
    assert {row["verdict"] for row in books} <= {"kept", "dropped"}
    assert sum(row["verdict"] == "kept" for row in books) == len(rows["snippets"])
    assert all(row["language"] and row["seed_id"] for row in books)


def test_textbooks_may_be_about_tasks_of_a_file(corpus: Path, server: Server, tmp_path: Path) -> None:
    file, out = tmp_path / "tasks.jsonl", tmp_path / "out"
    solutions = ("Add.\n```python\ndef add(a, b):\n    return a + b\n```\n", "No fence.", "```\nx = 1\n```\n")
    file.write_text("".join(json.dumps({"prompt": f"Task {n}", "response": s}) + "\n" for n, s in enumerate(solutions)))
    wanted = annealing.annealing(corpus=str(corpus), seeds=1, languages=("python",), tasks=(str(file),),
                                 **asked_about(server))  # fmt: skip
    cm.build({name: wanted[name] for name in ("textbooks", "tasks_ledger")}, out=str(out), workers=1)
    (row,) = read(out, "textbooks")
    assert (row["instruction"], row["program"]) == ("Task 0", "def add(a, b):\n    return a + b\n")
    assert row["outcome"] is None
    books = Counter(row["reason"] for row in read(out, "tasks_ledger"))
    assert books == {None: 1, "no_program": 2}


def test_a_corpus_without_seeds_stops_with_the_remedy(tmp_path: Path, server: Server) -> None:
    root = tmp_path / "repositories" / "one"
    root.mkdir(parents=True)
    (root / "area.py").write_text(synthesis_runs.OTHER.format(n=1))
    corpus = synthesis_runs.corpus(root.parent, tmp_path / "corpus")
    with pytest.raises(cm.InputError, match=r"no file of the corpus is a seed.*algorithms==1\.0\.1"):
        cm.build(annealing.annealing(corpus=str(corpus), **asked_about(server)), out=str(tmp_path / "out"), workers=1)
    assert server.seen == []


@pytest.fixture(scope="module")
def post(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of post_training."""
    out = tmp_path_factory.mktemp("post") / "out"
    file = synthesis_runs.chats(out.parent / "chats.jsonl")
    with serving(synthesis_runs.recorded) as server:
        wanted = post_training.post_training(
            corpus=str(corpus),
            collections=(str(file),),
            real_users=(str(file),),
            names=2,
            packages_of=("pyarrow",),
            languages=("python", "javascript"),
            least_strength=0.0,
            **asked_about(server),
        )
        cm.build(wanted, out=str(out), workers=1)
    return out


SETS = (*post_training.STAGE_1, *post_training.STAGE_2)


def test_post_training_makes_every_set(post: Path) -> None:
    for name in SETS:
        rows = read(post, name)
        assert rows, f"{name}: {read(post, f'{name}_ledger')}"
        for row in rows:
            assert [turn["role"] for turn in row["messages"]][:2] == ["user", "assistant"]
            assert row["outcome"] in ("pass", None)
    libraries = {row["repo"]: row for row in read(post, "package")}
    assert libraries["pyarrow"]["toolchain"].endswith(f"pyarrow {pa.__version__}")
    assert {row["task_type"] for row in read(post, "filtered")} <= {"answered_again", "as_published"}


def test_a_row_of_published_chats_that_is_no_chat_says_so(tmp_path: Path) -> None:
    file = synthesis_runs.chats(tmp_path / "chats.jsonl")
    documents = ingest.documents(sources=(Chats(str(file)),))
    cm.build(
        {"chats": instructions.read(documents), "ledger": cm.ledger(documents)}, out=str(tmp_path / "out"), workers=1
    )
    rows, books = read(tmp_path / "out", "chats"), read(tmp_path / "out", "ledger")
    assert sorted(row["instruction"] for row in rows) == [
        "How do I add?",
        "How do I reverse a list?",
        "How do I sort?",
    ]
    assert {row["instruction"]: row["language"] for row in rows}["How do I sort?"] == "python"
    assert [(row["reason"], row["value"]) for row in books if row["verdict"] == "dropped"] == [
        ("malformed", "no chat: neither messages, conversations nor a question with an answer"),
        ("malformed", "turns that are not of user and assistant, one after the other"),
    ]


def test_stages_have_their_sets_in_the_papers_proportions_within_one_row(post: Path) -> None:
    for stage, sets in (("stage_1", post_training.STAGE_1), ("stage_2", post_training.STAGE_2)):
        facts = json.loads((post / f"{stage}_shares" / "shares.json").read_text())
        rows = read(post, stage)
        assert len(rows) == facts["rows"] > 0
        total = sum(sets.values())
        for entry in facts["sets"]:
            assert sum(row["source"] == entry["name"] for row in rows) == entry["taken"]
            assert abs(entry["taken"] - facts["rows"] * sets[entry["name"]] / total) <= max(0.001 * facts["rows"], 1)
        members = {row["id"] for name in sets for row in read(post, name)}
        assert all(row["parent"] in members for row in rows)


def test_datasets_loads_every_set_with_its_messages(post: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    report.write(post)
    for name in (*SETS, "stage_1", "stage_2"):
        loaded = datasets.load_dataset(str(post / name), split="train", cache_dir=str(tmp_path))
        assert loaded.num_rows == len(read(post, name))
        assert loaded[0]["messages"][0]["role"] == "user"


def test_the_report_says_what_was_accepted_and_why_rows_went(post: Path) -> None:
    page = Path(str(report.write(post))).read_text()
    facts = {one.name: one for one in synthesis_facts.gather(Run.open(post)) or ()}
    assert set(facts) == set(SETS)
    for name, one in facts.items():
        books = read(post, f"{name}_ledger")
        assert (one.attempted, one.accepted) == (len(books), len(read(post, name)))
        assert sum(row["attempted"] for row in one.groups) == one.attempted
        assert sum(row["rows"] for row in one.reasons) == one.attempted - one.accepted
        assert f'id="set-{name}"' in page
        card = (post / name / "README.md").read_text()
        assert f"| accepted | {one.accepted} (" in card
        assert "- MIT: " in card or name in ("filtered", "realuser", "package")
        assert one.recorded is False  # an endpoint answered
    assert facts["educational"].strong is not None
    assert facts["educational"].tokens_answered > 0


def test_show_says_accepted_of_attempted_by_language(post: Path) -> None:
    said = CliRunner().invoke(cli, ["show", str(post), "--json"])
    assert said.exit_code == 0
    data = json.loads(said.output)
    assert [one["name"] for one in data["sets"]] == [n for n in data["outputs"] if n in SETS]
    plain = CliRunner().invoke(cli, ["show", str(post)]).output
    for name in SETS:
        assert name in plain
    assert "tokens" in plain


def test_a_card_that_people_wrote_is_left_alone(post: Path) -> None:
    card = post / "educational" / "README.md"
    report.write(post)
    ours = card.read_text()
    card.write_text("# Mine\n")
    report.write(post)
    assert card.read_text() == "# Mine\n"
    card.write_text(ours)


# Rows of these are about no file of the corpus: they lead to a library's name, or to the file of published chats.
OUTSIDE = ("package", "filtered", "realuser")


@pytest.mark.parametrize("recipe", ["annealed", "post", "rewritten"])
def test_one_explain_leads_every_row_back_to_its_file_and_its_licence(
    recipe: str, request: pytest.FixtureRequest
) -> None:
    out: Path = request.getfixturevalue(recipe)
    corpus = next(t["parameters"]["source"]["path"] for t in Run.open(out).manifest["tables"] if t["kind"] == "opened")
    files = {row["id"]: row for row in read(Path(corpus), "corpus")}
    sets = [one.name for one in synthesis_facts.gather(Run.open(out)) or ()]
    for name in [*sets, *(("stage_1", "stage_2") if recipe == "post" else ())]:
        rows = read(out, name)
        assert rows, name
        for row in rows:
            data = made.explain_data(out, row["id"])
            assert data is not None
            # The fixture reads one file of chats into two sets: their rows have one id.
            (match,) = (match for match in data["matches"] if match["set"] == row["source"])
            assert match["ledger"]["id"] == (row["parent"] if name.startswith("stage") else row["id"])
            seed, shown = match["seed"], match["row"]
            if row["source"] in OUTSIDE:
                assert (seed["of"], shown["license"]) == (None, row["license"])
            else:
                file = files[row["seed_id"]]
                assert (seed["of"], seed["license"], seed["content"]) == (corpus, ["MIT"], file["content"])
                assert (row["repo"], row["path"], row["license"]) == (file["repo"], file["path"], ["MIT"])


def test_rows_about_no_file_of_the_corpus_have_a_licence_where_their_source_says_one(post: Path) -> None:
    licences = {row["instruction"]: row["license"] for row in read(post, "filtered")}
    reverse, sort, add = "How do I reverse a list?", "How do I sort?", "How do I add?"
    assert licences == {reverse: ["Apache-2.0"], sort: ["MIT", "CC-BY-4.0"], add: None}
    assert all(row["license"] for row in read(post, "package"))


def test_explain_shows_the_file_its_licence_and_the_program(post: Path) -> None:
    (row, *_) = read(post, "stage_2")
    said = CliRunner().invoke(cli, ["explain", str(post), row["id"]])
    assert said.exit_code == 0
    for word in (row["path"], row["instruction"].split()[0], row["toolchain"].split(";")[0], "licence"):
        assert word in said.output
    (chat,) = (row for row in read(post, "filtered") if row["license"] == ["Apache-2.0"])
    assert "Apache-2.0" in CliRunner().invoke(cli, ["explain", str(post), chat["id"]]).output
    assert CliRunner().invoke(cli, ["explain", str(post), "0" * 32]).exit_code == 1


def test_a_run_that_is_stopped_asks_nothing_again_and_ends_with_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    def run(out: str, most: int | None, server: Server) -> None:
        wanted = annealing.annealing(
            corpus=str(corpus), languages=("python",), least_strength=0.0, **asked_about(server)
        )
        cm.build(wanted, out=str(tmp_path / out), workers=1, settings={"max_requests": most})

    with serving(synthesis_runs.recorded) as server:
        for most in (1, 2, 3):
            with pytest.raises(cm.CodemillError):
                run("stopped", most, server)
        run("stopped", None, server)
        assert len(server.seen) == len(set(server.seen)) > 6
        asked = set(server.seen)
        run("whole", None, server)
        assert set(server.seen) == asked
    for name in ("snippets", "textbooks", "snippets_ledger"):
        assert files_of(tmp_path / "stopped", name) == files_of(tmp_path / "whole", name)


# Of post_training four: each of its files is about seven programs that are run.
@pytest.mark.parametrize(
    ("recipe", "repositories"),
    [(annealing.annealing, 10), pytest.param(post_training.post_training, 4, marks=pytest.mark.long)],
)
def test_nothing_is_asked_again_after_a_run_and_a_new_seed_asks_for_itself_alone(
    recipe: Any, repositories: int, tmp_path: Path
) -> None:
    root, calls = synthesis_runs.sources(tmp_path / "repositories", repositories), str(tmp_path / "calls")
    first = synthesis_runs.corpus(root, tmp_path / "first")
    more = {"names": 1, "packages_of": ("pyarrow",)} if recipe is post_training.post_training else {}

    def run(corpus: Path, out: str) -> set[int]:
        """The seeds that were asked about. No request is sent twice, whatever was sent in an earlier run."""
        before = len(server.seen)
        about = {**asked_about(server), **more}
        wanted = recipe(corpus=str(corpus), languages=("python",), least_strength=0.0, **about)
        cm.build(wanted, out=str(tmp_path / out), workers=1, settings={"calls": calls})
        assert len(server.seen) == len(set(server.seen))
        return {synthesis_runs.seed_of(json.loads(body)) for body in server.seen[before:]}

    with serving(synthesis_runs.traced) as server:
        assert run(first, "one") - {0} == set(range(1, repositories + 1))
        assert run(first, "two") == set()
        synthesis_runs.sources(root, repositories + 1)
        assert run(synthesis_runs.corpus(root, tmp_path / "grown"), "three") == {repositories + 1}
    sets = SETS if more else ("snippets", "textbooks")
    for name in sets:
        assert files_of(tmp_path / "one", name) == files_of(tmp_path / "two", name)


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of rewriting, beside its corpus."""
    root = tmp_path_factory.mktemp("rewritten")
    broken = synthesis_runs.sources(root / "repositories", 2) / "repo9"
    broken.mkdir()
    (broken / "broken.py").write_text("def f(:\n")
    (broken / "other.js").write_text("f(1);\n")
    corpus = synthesis_runs.corpus(broken.parent, root / "corpus", synthesis_runs.stars(root / "stars.csv"))
    with serving(synthesis_runs.recorded) as server:
        wanted = rewriting.rewriting(corpus=str(corpus), least_strength=0.0, **asked_about(server))
        cm.build(wanted, out=str(root / "out"), workers=1)
    return root / "out"


def test_files_are_rewritten_in_two_steps_and_each_row_has_the_version_before_it(rewritten: Path) -> None:
    out, corpus = rewritten, rewritten.parent / "corpus"
    style, whole = {row["id"]: row for row in read(out, "style")}, read(out, "self_contained")
    files = {row["id"]: row for row in read(corpus, "corpus")}
    assert style
    assert whole
    for row in style.values():
        assert (row["task_type"], row["outcome"], row["output"]) == ("style", "pass", files[row["seed_id"]]["content"])
    for row in whole:
        assert (row["task_type"], row["outcome"], row["seed_id"]) == (
            "self_contained",
            "pass",
            style[row["parent"]]["seed_id"],
        )
        assert row["output"] == style[row["parent"]]["content"]
        assert row["strength"] is not None
    books = {row["path"]: row for row in read(out, "style_ledger")}
    assert (books["broken.py"]["reason"], books["broken.py"]["value"][:18]) == ("unparsed", "line 1: no Python:")
    assert "other.js" not in {row["path"] for row in read(out, "style_ledger") if row["verdict"] == "kept"}
    page = Path(str(report.write(out))).read_text()
    found = {one.name: one for one in synthesis_facts.gather(Run.open(out)) or ()}
    assert found["style"].before == sum(len(row["output"].encode()) for row in style.values())
    assert found["style"].after == sum(len(row["content"].encode()) for row in style.values())
    assert f"Their files had {found['style'].before:,} bytes before" in page
    assert "bytes | " in (out / "style" / "README.md").read_text()


def test_every_method_is_counted_by_language(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(methods, "LANGUAGES", ("python", "haskell"))
    recorded = "script:codemill.prompts._recorded:answer"
    methods.main(["--teacher", recorded, "--corpus", str(corpus), "--calls", str(tmp_path / "calls"), "--seeds", "1"])
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| `")]
    found = {(name.strip("| `"), language): (attempted, accepted) for name, language, attempted, accepted, _ in lines}
    assert {name for name, _ in found} == set(catalog.prompts())
    assert found["snippets.write", "python"] == found["rewrite.clean", "python"] == ("1", "1")
    assert found["snippets.write", "haskell"] == ("1", "0")  # nothing is recorded for it
    assert found["diverse.clean", "–"] == ("1", "1")


HOSTILE = {
    "markup": "<task><script>alert(1)</script></task><solution>x = 1</solution><tests>assert x == 2</tests>",
    "huge": f"<task>t</task><solution>x = '{'a' * 3_000_000}'</solution><tests>assert x</tests>",
    "forks": "<task>t</task><solution>import os\nwhile True:\n    os.fork()</solution><tests>assert True</tests>",
    "secrets": "<task>t</task><solution>import os\ndef f():\n    return os.environ['SECRET_OF_A_TEST']</solution>"
    "<tests>assert f()</tests>",
    "files": "<task>t</task><solution>def f():\n    return open('/etc/shadow').read()</solution>"
    "<tests>assert f()</tests>",
    "forged": "<task>t</task><solution>import os\nprint('ok')\nos._exit(0)</solution><tests>assert False</tests>",
    "not text": "<task>\ud800\udfff</task><solution>\ud800</solution><tests>\x00</tests>",
    "not UTF-8": "<task>t</task><solution>x = '?'</solution><tests>assert x</tests>",
}


def test_a_hostile_teacher_harms_nothing_and_its_rows_say_why_they_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_A_TEST", "hush-hush-4711")
    kinds = list(HOSTILE)
    corpus = synthesis_runs.corpus(synthesis_runs.sources(tmp_path / "repositories", len(kinds)), tmp_path / "corpus")

    def behave(body: dict[str, Any], attempt: int) -> Any:
        number = next(n for n in range(len(kinds)) if f"two_sum_{n + 1}(" in body["messages"][0]["content"])
        said = chat(HOSTILE[kinds[number]])
        if kinds[number] == "not UTF-8":
            raw = json.dumps(said).encode().replace(b"?", b"\xff\xc0")
            return web.Response(body=raw, content_type="application/json")
        return said

    out = tmp_path / "out"
    with serving(behave) as server:
        wanted = annealing.annealing(corpus=str(corpus), languages=("python",), tries=1, **asked_about(server))
        manifest = cm.build(wanted, out=str(out), workers=1)
    assert manifest["outputs"]["snippets"]["rows"] == 0
    books = {kinds[int(row["repo"].removeprefix("repo"))]: row for row in read(out, "snippets_ledger")}
    assert {kind: (row["verdict"], row["reason"]) for kind, row in books.items()} == {
        "markup": ("dropped", "not_passed"),
        "huge": ("dropped", "too_large"),
        "forks": ("dropped", "not_passed"),
        "secrets": ("dropped", "not_passed"),
        "files": ("dropped", "not_passed"),
        "forged": ("dropped", "not_passed"),
        "not text": ("dropped", "not_text"),
        "not UTF-8": ("dropped", "not_text"),
    }
    assert all(row["value"] for row in books.values() if row["reason"] == "not_passed")
    written = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file() and ".work" not in file.parts)
    assert b"hush-hush-4711" not in written
