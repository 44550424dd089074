"""What no set of synthesis may hold: a task of a benchmark, and one row twice. A teacher writes both on purpose."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import codemill as cm
from codemill.recipes import annealing, post_training, rewriting
from tests import synthesis_runs
from tests.benchmark_rows import FUNCTION, TASK, write
from tests.teaching import chat, serving
from tests.test_synthesis import SETS, confined, read

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not confined(), reason="programs cannot be confined on this machine"),
]

# By whether a file of the corpus is asked about, or a row that came of one: the seed whose answer has the task of the
# benchmark, and the seeds whose answers are alike. The latter are other seeds, whose first answers were good.
PLANTED, ALIKE = {True: 1, False: 9}, {True: (3, 4, 5), False: (7, 6, 8)}
REPOSITORIES = 9
TASKS = """
[languages]
python = 1
[difficulties]
easy = 1
[types.function]
asks = "Ask for one function."
"""


def copying(body: dict[str, Any], attempt: int) -> Any:
    """Behaviour of a teacher that knows a benchmark by heart, and says the same to many."""
    number, about_file = synthesis_runs.seed_of(body), synthesis_runs.about_file(body)
    asked, same = body["messages"][-1]["content"], ALIKE[about_file]
    if "Rate the answer" in asked:
        return chat("Total: 9")  # so that chats stay as they were published
    of = same[0] if number in same else number
    text = synthesis_runs.text_for(body, of)
    if text.rstrip().endswith("```"):  # files of different seeds are not alike
        text = text.rstrip()[:-3] + "".join(f"LIMIT_{of}_{n} = {31 * of + n}\n" for n in range(12)) + "\n```"
    if number == same[-1]:
        for end in ("</solution>", "</program>", "\n```"):
            text = text.replace(end, f"\n# One comment more.{end}")
    if number == PLANTED[about_file] or "documents pyarrow." in body["messages"][0]["content"]:
        text = planted(text)
    return chat(text)


def planted(text: str) -> str:
    """An answer with the benchmark's function in its program, or in its text."""
    for name in ("solution", "program"):
        if f"<{name}>" in text:
            return text.replace(f"</{name}>", f"\n\n{FUNCTION}\n</{name}>")
    if text.endswith("\n```"):
        return f"{text.removesuffix('```')}\n{FUNCTION}```"
    return f"{text}\n\n```python\n{FUNCTION}\n```"


def chats(file: Path) -> Path:
    """Published chats: two alike, one almost, and one that gives a task of the benchmark away."""
    long = " ".join(f"Step {n}: add {n * n}." for n in range(20))
    turns = [("How do I add?", long), ("How do I add?", f"{long} Try it.")]
    turns += [("How do I find gaps?", f"So:\n\n```python\n{FUNCTION}\n```")]
    rows = [{"instruction": asked, "output": said} for asked, said in (turns[0], *turns)]
    file.write_text("".join(json.dumps({**row, "id": n}) + "\n" for n, row in enumerate(rows)))
    return file


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of the three recipes over one corpus, in which a file has the benchmark's function."""
    root = tmp_path_factory.mktemp("sets")
    repositories = synthesis_runs.sources(root / "repositories", REPOSITORIES)
    (repositories / "repo0" / "planted.py").write_text(f"# leetcode\n{FUNCTION}\n")
    corpus = str(synthesis_runs.corpus(repositories, root / "corpus"))
    (root / "tasks.toml").write_text(TASKS)
    about = {"corpus": corpus, "least_strength": 0.0, "decontaminate": (str(write(root / "benchmark.jsonl", [TASK])),)}
    with serving(copying) as server:
        about |= {"model": "m", "base_url": server.url}
        published = post_training.post_training(
            collections=(str(chats(root / "chats.jsonl")),), tasks=str(root / "tasks.toml"), names=1,
            packages_of=("pyarrow",), languages=("python",), **about,
        )  # fmt: skip
        wanted = {
            "annealing": annealing.annealing(languages=("python",), **about),
            "post_training": published,
            "rewriting": rewriting.rewriting(**about),
        }
        for name, outputs in wanted.items():
            cm.build(outputs, out=str(root / name), workers=1)
    return {name: root / name for name in wanted}


ALL = [("annealing", "snippets"), ("annealing", "textbooks"), ("rewriting", "style"), ("rewriting", "self_contained")]
ALL += [("post_training", name) for name in SETS if name != "realuser"]


@pytest.mark.parametrize(("recipe", "name"), ALL)
def test_a_task_of_a_benchmark_is_in_no_set(recipe: str, name: str, runs: dict[str, Path]) -> None:
    rows, books = read(runs[recipe], name), read(runs[recipe], f"{name}_ledger")
    found = [row for row in books if row["step"] == "decontaminate.drop"]
    assert found
    assert all(row["reason"].startswith("benchmark_") and TASK["task_id"] in row["value"] for row in found)
    assert rows or name == "package"  # about one name, whose answer has the task
    assert not [row for row in rows if "widest_gap" in json.dumps(row, default=str)]


def test_a_seed_that_has_a_task_of_a_benchmark_is_asked_about_by_nobody(runs: dict[str, Path]) -> None:
    paths = {row["path"] for row in read(runs["annealing"], "algorithmic")}
    assert len(paths) == REPOSITORIES
    assert "planted.py" not in paths | {row["path"] for row in read(runs["annealing"], "snippets_ledger")}


@pytest.mark.parametrize(("recipe", "name"), [one for one in ALL if one[1] != "package"])
def test_of_rows_that_are_alike_one_stays(recipe: str, name: str, runs: dict[str, Path]) -> None:
    rows, books = read(runs[recipe], name), read(runs[recipe], f"{name}_ledger")
    gone = Counter(row["reason"] for row in books)
    assert gone["duplicate"], gone
    # A question of these is an answer too: where it is the same, so is all that follows.
    assert gone["near_duplicate"] or name in ("diverse", "evolved"), gone
    assert {row["kept_id"] for row in books if row["kept_id"]} <= {row["id"] for row in books}
    texts = [row["content"] if "content" in row else json.dumps(row["messages"]) for row in rows]
    assert len(set(texts)) == len(texts)
