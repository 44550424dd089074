"""What a user leaves out: by path, by whose code it is, by number; and the options of recipes that say so."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.recipes import quickstart, refinecode
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.sources import Folder
from codemill.steps import ingest, select
from tests import toys


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("tests/", ["tests/a.py", "x/tests/y/z.py"], ["tests", "mytests/a.py", "tests.py"]),
        ("*.min.js", ["a.min.js", "x/y/b.min.js"], ["a.js", "min.js", "aXminXjs"]),
        ("/docs", ["docs", "docs/a.md"], ["x/docs/a.md", "docs2/a.md"]),
        ("src/*/gen", ["src/a/gen", "src/a/gen/b.c"], ["src/gen/b.c", "src/a/b/gen/c.c"]),
        ("a/**/b.py", ["a/b.py", "a/x/y/b.py"], ["b.py", "x/a/b.py"]),
        ("v?.txt", ["v1.txt", "d/v2.txt"], ["v.txt", "v12.txt", "v/.txt"]),
        ("a+(b)[c].py", ["a+(b)[c].py"], ["aab.py"]),
        ("naïve*", ["naïve.py"], ["naive.py"]),
        ("Makefile", ["Makefile", "x/Makefile"], ["makefile"]),
    ],
)
def test_patterns_fit_paths_as_those_of_gitignore_do(pattern: str, fitting: list[str], others: list[str]) -> None:
    batch = pa.record_batch({"path": [*fitting, *others]})
    done = select.exclude.function(batch, patterns=("nothing-at-all", pattern))
    assert done["reason"].to_pylist() == ["excluded"] * len(fitting) + [None] * len(others)
    assert done["value"].to_pylist() == [pattern] * len(fitting) + [None] * len(others)


def test_a_pattern_without_a_name_is_refused() -> None:
    for wrong in ("", "/"):
        with pytest.raises(cm.RecipeError, match="no pattern of paths"):
            select.exclude(ingest.documents(sources=()), patterns=(wrong,))


def test_vendored_files_go() -> None:
    batch = pa.record_batch({"is_vendored": pa.array([True, False, None])})
    assert select.vendored.function(batch)["reason"].to_pylist() == ["vendored", None, None]


def limited(out: Path, texts: list[str], most: int, **more: Any) -> list[str]:
    """The contents that are kept, sorted."""
    files = ingest.documents(sources=(toys.Literals(tuple(texts), **{"per_part": 7, **more}),))
    manifest = cm.build(select.limit(files, most=most), out=out, workers=1)
    kept = pq.read_table(out / "corpus")["content"].to_pylist()
    reasons = {d for entry in manifest["steps"] for d in entry["dropped"]}
    assert reasons == ({"over_limit"} if len(kept) < len(texts) else set())
    return sorted(kept)


def test_a_limit_is_a_draw_by_content_that_grows_and_ignores_order_and_parts(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(100)]
    ten = limited(tmp_path / "ten", texts, 10)
    assert len(ten) == 10
    assert ten != sorted(texts)[:10]
    assert ten != sorted(texts[:10])
    shuffled = random.Random(0).sample(texts, 100)
    assert limited(tmp_path / "other", shuffled, 10, per_part=3, label="other") == ten
    assert set(ten) < set(limited(tmp_path / "thirty", texts, 30))
    assert limited(tmp_path / "all", texts, 100) == sorted(texts)
    assert limited(tmp_path / "more", texts, 1000) == sorted(texts)


def test_copies_come_together_or_not_at_all(tmp_path: Path) -> None:
    texts = [f"text {i % 20}" for i in range(60)]
    kept = limited(tmp_path, texts, 10)
    assert len(kept) == 9
    assert all(kept.count(text) == 3 for text in kept)


def test_every_content_has_the_same_chance(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(2000)]
    kept = {int(text.split()[1]) for text in limited(tmp_path, texts, 500, per_part=500, per_batch=500)}
    assert len(kept) == 500
    for start in range(0, 2000, 500):
        assert 85 < len(kept & set(range(start, start + 500))) < 165


@pytest.mark.parametrize("wrong", [0, -1, True, 2.5])
def test_a_limit_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(cm.RecipeError, match="at least 1"):
        select.limit(ingest.documents(sources=()), most=wrong)


def test_a_border_is_drawn_in_the_part_where_the_limit_falls() -> None:
    keys = pa.table({"drawn": pa.array([5, 7, 9], pa.uint64()), "number": [1, 1, 1]})
    for before, expected in ((0, []), (8, [9]), (9, [7]), (10, [5]), (11, [])):
        made = select.border.function(keys, most=10, seed=0, before={"number": before})
        assert made["drawn"].to_pylist() == expected


# ── rules that are left out ───────────────────────────────────────────────────────────────────────────────────────

BOOK = RuleBook((RuleSet("code", (Rule("a", above=1), Rule("b", above=1))), RuleSet("text", (Rule("a", above=1),))))


def judging(book: RuleBook) -> list[str]:
    return [f"{s.name}:{rule.signal}" for s in book.sets for rule in s.rules if rule.judges]


def test_rules_are_left_out_by_signal_or_in_one_set() -> None:
    assert judging(BOOK.without()) == ["code:a", "code:b", "text:a"]
    assert judging(BOOK.without("a")) == ["code:b"]
    assert judging(BOOK.without("text:a", "b")) == ["code:a"]
    assert judging(BOOK) == ["code:a", "code:b", "text:a"]
    with pytest.raises(cm.RecipeError, match=r"no rule 'c'.*Known: a, b"):
        BOOK.without("c")
    with pytest.raises(cm.RecipeError, match=r"no rule 'text:b'.*text:a"):
        BOOK.without("text:b")


# ── the recipes ───────────────────────────────────────────────────────────────────────────────────────────────────


def names(table: cm.Table | cm.Outputs) -> list[str]:
    assert isinstance(table, cm.Table)
    return [layer.step.name for layer in table.layers()]


def test_options_add_steps_only_where_they_are_given(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    sources = (Folder(str(tmp_path)),)
    plain = names(refinecode.refinecode(sources))
    assert not {"licenses.keep", "select.exclude", "select.vendored", "select.within"} & set(plain)
    assert plain.index("licenses.spread") < plain.index("detect.language")
    for recipe in (refinecode.refinecode, quickstart.quickstart):
        steered = names(
            recipe(sources, license=("MIT",), exclude=("tests/",), vendored="drop", limit=5, language=("C++", "py"))
        )
        added = [name for name in steered if name not in plain]
        assert added == ["licenses.keep", "select.exclude", "select.vendored", "select.within"]


def test_wrong_values_of_options_are_refused_before_any_work(tmp_path: Path) -> None:
    sources = (Folder(str(tmp_path)),)
    for wrong, said in (
        ({"vendored": "maybe"}, "keep or drop"),
        ({"language": ("pyhton",)}, "did you mean python"),
        ({"limit": 0}, "at least 1"),
        ({"license": ("MTI",)}, "SPDX id"),
        ({"without_rule": ("num_lins",)}, "did you mean num_lines"),
    ):
        with pytest.raises(cm.RecipeError, match=said):
            quickstart.quickstart(sources, **wrong)  # type: ignore[arg-type]


def test_languages_and_rules_are_as_asked_for(tmp_path: Path) -> None:
    for path, text in {"a.py": "x = 1\n", "b.cc": "int x;\n", "c.rs": "fn main() {}\n"}.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / path).write_text(text)
    table = refinecode.refinecode((Folder(str(tmp_path / "in")),), language=("C++", "rs"), rules="none")
    cm.build(table, out=tmp_path / "out", workers=1)
    ledger = {row["path"]: row["reason"] for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist()}
    assert ledger == {"a.py": "language_not_kept", "b.cc": None, "c.rs": None}


def test_languages_that_refinecode_leaves_out_are_kept_when_named(tmp_path: Path) -> None:
    """RefineCode's list has none of these four."""
    (tmp_path / "in").mkdir()
    texts = {
        "a.m": "#import <Foundation/Foundation.h>\n\n@interface A : NSObject\n@end\n",
        "b.v": "module main\n\nfn main() {\n\tprintln('hello')\n}\n",
        "c.bicep": "param name string\n\nresource a 'Microsoft.Web/sites@2021-02-01' = {\n  name: name\n}\n",
        "d.ftl": "<#if user??>\n  Hello ${user}\n</#if>\n",
        "e.py": "x = 1\n",
    }
    for path, text in texts.items():
        (tmp_path / "in" / path).write_text(text)

    def kept(name: str, **more: Any) -> set[str]:
        table = refinecode.refinecode((Folder(str(tmp_path / "in")),), rules="none", **more)
        cm.build(table, out=tmp_path / name, workers=1)
        return set(pq.read_table(tmp_path / name / "corpus")["path"].to_pylist())

    assert kept("without") == {"e.py"}
    assert kept("with", with_language=("Objective-C", "V", "Bicep", "FreeMarker")) == set(texts)
