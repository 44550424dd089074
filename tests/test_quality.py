"""Measure → judge → keep: on three rows, in a build, and what is built again when a threshold changes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.document import VERDICT
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.steps import detect, ingest, quality
from tests.toys import Literals, hashes

BOOK = RuleBook(
    (
        RuleSet(
            "python",
            (Rule("num_words", below=3), Rule("num_chars", below=5, above=60), Rule("mean_word_length_chars")),
            languages=("python",),
        ),
        RuleSet("data", (Rule("num_chars", above=1),), doc_types=("data",)),
    )
)

CUSTOM = '''
import codemill as cm

@cm.signal(version=1, documents=["code"])
def tabs(document):
    """Number of tabs.

    Unit: count.
    Null: never.
    Why: to test.
    From: nowhere.
    Example: python "\\\\t" → 1
    """
    if "boom" in document.content:
        raise ValueError("boom")
    return document.content.count("\\t")
'''


def rows(**columns: list[object]) -> pa.RecordBatch:
    kinds = {
        "content": pa.large_string(),
        "content_sha256": pa.binary(32),
        "size": pa.int64(),
        "num_words": pa.float64(),
        "num_chars": pa.float64(),
    }
    return pa.record_batch({name: pa.array(v, kinds.get(name, pa.string())) for name, v in columns.items()})


def judged(book: RuleBook = BOOK, seed: int = 0, **columns: list[object]) -> list[object]:
    n = len(columns["num_chars"])
    given = {
        "content_sha256": hashes(n),
        "language": ["python"] * n,
        "doc_type": ["code"] * n,
        "natural_language": [None] * n,
        "num_words": [9.0] * n,
        **columns,
    }
    return list(quality.judge.function(rows(**given), rules=book, seed=seed)["rules_fired"].to_pylist())


def test_judge_says_every_rule_that_fires() -> None:
    assert judged(num_words=[1, 9, None], num_chars=[2, 30, 61]) == [
        [
            {"rule": "num_words_too_low", "signal": "num_words", "value": 1, "limit": "< 3"},
            {"rule": "num_chars_too_low", "signal": "num_chars", "value": 2, "limit": "< 5"},
        ],
        None,
        [{"rule": "num_chars_too_high", "signal": "num_chars", "value": 61, "limit": "> 60"}],
    ]


def test_judge_goes_by_language_and_type() -> None:
    fired = judged(
        num_chars=[2, 2, 2, None], language=["c", "json", None, "json"], doc_type=["code", "data", None, "data"]
    )
    assert [f and f[0]["rule"] for f in fired] == [None, "num_chars_too_high", None, None]


def test_chance_is_a_hash_of_the_document() -> None:
    def dropped(probability: float, seed: int = 0) -> list[bool]:
        rule = Rule("num_chars", below=5, drop_probability=probability)
        book = RuleBook((RuleSet("python", (rule,), languages=("python",)),))
        return [fired is not None for fired in judged(book, seed, num_chars=[1.0] * 2000)]

    most = dropped(0.8)
    assert 1550 < sum(most) < 1650
    assert most == dropped(0.8) != dropped(0.8, seed=1)
    assert all(a or not b for a, b in zip(most, dropped(0.3), strict=True))  # fewer are a part of more
    assert (sum(dropped(0)), sum(dropped(1))) == (0, 2000)


def test_keep_drops_for_the_first_rule() -> None:
    fired = judged(num_words=[1, 9, 9], num_chars=[2, 30, 61.5])
    kept = quality.keep.function(pa.record_batch({"rules_fired": pa.array(fired, VERDICT["rules"])}))
    assert kept["reason"].to_pylist() == ["num_words_too_low", None, "num_chars_too_high"]
    assert kept["value"].to_pylist() == ["1 < 3", None, "61.5 > 60"]
    assert [len(r) if r else 0 for r in kept["rules"].to_pylist()] == [2, 0, 1]


def test_measure_gives_a_column_per_signal(tmp_path: Path) -> None:
    (tmp_path / "my_signals.py").write_text(CUSTOM)
    batch = rows(
        content=["a b\n", "\t\tboom", "读取文件的函数"],
        language=["python", "python", "markdown"],
        doc_type=["code", "code", "text"],
        path=["a", "b", "c"],
        size=[4, 6, 21],
    )
    found = quality.measure.function(
        batch, signals=["num_words", "num_chars"], custom=[f"{tmp_path}/my_signals.py:tabs"]
    )
    assert found.schema.names == ["num_words", "num_chars", "tabs", "signal_errors", "natural_language"]
    assert found["num_chars"].to_pylist() == [4, 6, 7]
    assert found["tabs"].to_pylist() == [0, None, None]  # it raised; it is not for texts
    assert found["signal_errors"].to_pylist() == [0, 1, 0]
    assert found["natural_language"].to_pylist() == ["en", "en", "zh"]


def table(book: RuleBook = BOOK, **params: object) -> cm.Table:
    texts = ("import os\nprint(os.name)\n", "x\n", "import os\nprint(os.name)  # " + "y" * 80, "")
    files = detect.language(ingest.documents(sources=(Literals(texts),), metadata=None))
    return quality.keep(quality.judge(quality.measure(files, **params), rules=book))  # type: ignore[arg-type]


def test_a_build_keeps_what_no_rule_fires_on(tmp_path: Path) -> None:
    manifest = cm.build(table(), out=tmp_path, workers=1)
    assert (manifest["ingested"]["rows"], manifest["kept"]["rows"]) == (4, 1)
    ledger = {row["path"]: row for row in pq.read_table(tmp_path / "ledger").to_pylist()}
    assert (ledger["f00001.py"]["step"], ledger["f00001.py"]["reason"]) == ("quality.keep", "num_words_too_low")
    assert [r["rule"] for r in ledger["f00001.py"]["rules"]] == ["num_words_too_low", "num_chars_too_low"]
    assert ledger["f00002.py"]["value"].endswith(" > 60")
    assert ledger["f00000.py"]["rules"] is None is ledger["f00003.py"]["rules"]


def test_a_changed_threshold_measures_nothing_again(tmp_path: Path) -> None:
    cm.build(table(), out=tmp_path, workers=1)
    looser = BOOK.with_rule("python", Rule("num_chars", below=5, above=600))
    planned = cm.plan(table(looser), tmp_path)
    states = {node.table.step.name: state for node, state in zip(planned.nodes, planned.states, strict=True)}
    named = ("quality.measure", "quality.judge", "quality.keep")
    assert [states[name] for name in named] == ["built", "to build", "to build"]
    assert cm.build(table(looser), out=tmp_path, workers=1)["kept"]["rows"] == 2


def test_custom_signals_are_identified_by_their_code_not_their_place(tmp_path: Path) -> None:
    def fingerprint(folder: str, text: str = CUSTOM) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "my_signals.py").write_text(text)
        return cm.plan(table(custom=(f"{tmp_path}/{folder}/my_signals.py:tabs",)), tmp_path / "out").fingerprint

    assert fingerprint("a") == fingerprint("b") != fingerprint("c", CUSTOM + "\n# edited\n")


def test_a_rule_may_use_a_custom_signal(tmp_path: Path) -> None:
    (tmp_path / "my_signals.py").write_text(CUSTOM)
    book = RuleBook((RuleSet("code", (Rule("tabs", above=0),), doc_types=("code",)),))
    built = table(book, custom=(f"{tmp_path}/my_signals.py:tabs",))
    assert built.inputs[0].step.name == "quality.judge"


def test_mistakes_are_refused_when_the_step_is_called(tmp_path: Path) -> None:
    (tmp_path / "my_signals.py").write_text(CUSTOM + CUSTOM.replace("def tabs", "def num_chars"))
    with pytest.raises(
        cm.RecipeError, match=r"rule is on the signal 'num_char', .*rule set 'a'.*did you mean num_chars"
    ):
        table(RuleBook((RuleSet("a", (Rule("num_char", below=1),)),)))
    with pytest.raises(cm.RecipeError, match=r"there is no signal 'num_wrods'.*did you mean num_words"):
        table(signals=["num_wrods"])
    with pytest.raises(cm.RecipeError, match=r"there is no signal 'tab'.*did you mean tabs"):
        table(custom=[f"{tmp_path}/my_signals.py:tab"])
    with pytest.raises(cm.RecipeError, match=r"is written path/to/file.py:name"):
        table(custom=["tabs"])
    with pytest.raises(cm.RecipeError, match="there is a signal 'num_chars' already"):
        table(custom=[f"{tmp_path}/my_signals.py:num_chars"])
    with pytest.raises(cm.RecipeError, match="no such Python file"):
        table(custom=["nowhere.py:tabs"])
