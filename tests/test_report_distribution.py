"""Before and after: classes, quantiles and distances against the exact ones; signals of real runs; the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import codemill as cm
from codemill import sources
from codemill.report import render
from codemill.report.facts import distribution
from codemill.report.facts.distribution import TOP, Shift, classes, distance, quantile, value
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.run import Run
from codemill.steps import detect, ingest, quality
from tests import working
from tests.report_fixture import row_of, write_ledger
from tests.test_cli import codemill

BOOK = RuleBook((RuleSet("code", (Rule("num_words", below=4),), doc_types=("code",)),))
HOSTILE = '"><script>alert(1)</script>'


def counted(values: Any) -> distribution.Counts:
    return np.bincount(classes(np.asarray(values, dtype=float)) + TOP, minlength=distribution.CLASSES)


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_those_of_the_values_or_a_little_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.lognormal(0, 4, 900), rng.integers(0, 60, 900), -rng.lognormal(0, 2, 200), [0.0] * 50])
    for q in (0.0, 0.05, 0.5, 0.95, 1.0):
        exact = float(np.quantile(values, q, method="inverted_cdf"))
        assert quantile(counted(values), q) == pytest.approx(exact, rel=1 / 32, abs=2.0**-16)
        assert abs(quantile(counted(values), q) or 0) <= abs(exact)
    whole = rng.integers(-63, 64, 500)
    assert quantile(counted(whole), 0.5) == np.quantile(whole, 0.5, method="inverted_cdf")
    assert quantile(counted([]), 0.5) is None


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_the_exact_ones_or_a_little_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for before in (rng.integers(0, 50, 800).astype(float), rng.beta(2, 5, 800)):
        after = before[before > np.quantile(before, 0.3)]
        points = np.unique(before)
        exact = np.abs((before[:, None] <= points).mean(axis=0) - (after[:, None] <= points).mean(axis=0)).max()
        found = distance(counted(before), counted(after))
        assert found is not None
        assert exact - 0.1 < found <= exact + 1e-12
        assert found == pytest.approx(exact) or before.max() < 1  # whole numbers have classes of their own
    assert distance(counted([1]), counted([])) is None
    assert distance(counted([1, 2]), counted([2, 1])) == 0


def test_any_number_has_a_class() -> None:
    odd = [np.inf, -np.inf, 1e300, -1e300, 5e-324, -0.0, 2.0**32, 2.0**-16]
    numbers = classes(np.array(odd)).tolist()
    assert numbers == [TOP, -TOP, TOP, -TOP, 0, 0, TOP, 1]
    assert all(np.isfinite(value(n)) for n in numbers)
    ordered = [value(n) for n in range(-TOP, TOP + 1)]
    assert ordered == sorted(set(ordered))


def test_a_shape_is_all_of_both_sides() -> None:
    for values in ([0.0] * 9, [0, 1, 1], [0.2, 0.4], [-5.0, 3.0], [1, 10, 1e9], [np.inf, 1.0], []):
        for kept in (values, []):
            before, after, low, high = Shift("a", counted(values), counted(kept)).shape(24)
            assert before.sum() == pytest.approx(float(bool(values)))
            assert after.sum() == pytest.approx(float(bool(kept)))
            assert before.min() >= 0 and after.min() >= 0 and low <= high  # noqa: PT018


def write(folder: Path) -> Path:
    folder.mkdir()
    for i in range(12):
        words = " ".join(f"word{n}" for n in range(i))
        (folder / f"{i}.py").write_text(f"{words}\n# {i}\n")
        (folder / f"{i}.js").write_text(f"{words};\n// {i}\n")
    (folder / "empty of signals.py").write_text("")
    (folder / f"{HOSTILE.replace('/', '_')}.py").write_text(f"x = '{HOSTILE}' + str(1) + str(2)\n" * 3)
    return folder


def build(folder: Path, out: Path, *, rules: RuleBook | None = BOOK, workers: int = 1) -> Path:
    files = quality.measure(detect.language(ingest.documents(sources=(sources.open(str(folder)),))))
    if rules is not None:
        files = quality.keep(quality.judge(files, rules=rules))
    cm.build(files, out=out, workers=workers, recipe={"name": "toy", "parameters": {}})
    return out


def signals(group: distribution.Group) -> dict[str, dict[str, Any]]:
    return {shift.signal: shift.plain() for shift in group.shifts}


def test_signals_of_a_run_before_and_after(tmp_path: Path) -> None:
    out = build(write(tmp_path / "code"), tmp_path / "out")
    every, *spoken = distribution.compare(Run.open(out))
    assert [(g.language, g.before) for g in (every, *spoken)] == [(None, 25), ("python", 13), ("javascript", 12)]
    assert every.after == sum(g.after for g in spoken)
    words = signals(every)["num_words"]
    assert words["after"]["have"] == every.after
    assert words["before"]["have"] == 25
    assert words["after"]["p5"] >= 4 > words["before"]["p5"]
    assert words["distance"] > 0
    assert signals(spoken[0])["python_parses"]["before"]["have"] == 13
    assert "python_parses" not in signals(spoken[1])
    one = distribution.compare(Run.open(out), ["javascript"])
    assert one[1].plain() == spoken[1].plain()
    with pytest.raises(cm.RecipeError, match="did you mean python"):
        distribution.compare(Run.open(out), ["pyton"])


def test_it_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    folder = write(tmp_path / "code")
    both = [build(folder, tmp_path / f"out{n}", workers=n) for n in (1, 2)]
    one, two = ([group.plain() for group in distribution.compare(Run.open(out))] for out in both)
    assert one == two
    assert render(both[0]) == render(both[0])


def test_a_run_that_measures_and_has_no_rules_is_compared_too(tmp_path: Path) -> None:
    out = build(write(tmp_path / "code"), tmp_path / "out", rules=None)
    every = distribution.compare(Run.open(out))[0]
    assert every.before == every.after == 25
    assert {shift.distance for shift in every.shifts if shift.before.any()} == {0.0}
    page = render(out)
    assert 'id="rules"' not in page
    assert "25 files measured, 25 of them kept" in page
    assert render(build(tmp_path / "code", tmp_path / "none", rules=RuleBook(()))).count('class="shifts"') > 3


def test_the_page_has_every_signal_and_hostile_text_stays_text(tmp_path: Path) -> None:
    out = build(write(tmp_path / "code"), tmp_path / "out")
    page = render(out)
    shifts = distribution.compare(Run.open(out))[0].shifts
    measured = [shift.signal for shift in shifts if shift.before.any()]
    assert all(f">{signal}</th>" in page for signal in measured)
    assert 50 < len(measured) < len(shifts)
    assert f"{len(shifts) - len(measured)} more signals: no file has a value" in page
    assert "<script>alert" not in page
    assert page.count('class="shape"') == page.count("<title>from ")


def test_without_signals_the_page_says_why(tmp_path: Path) -> None:
    gone = {"step": "a", "reason": "b"}
    rows = [row_of(id=f"{i:032x}", language=HOSTILE, size=i, **(gone if i % 2 else {})) for i in range(9)]
    page = render(write_ledger(tmp_path / "ledger", rows))
    assert "There are no signals to compare: no signals were measured in this run." in page
    assert "<script>alert" not in page
    out = build(write(tmp_path / "code"), tmp_path / "out")
    table = working.files(out, "quality.measure")[0]
    table.write_bytes(table.read_bytes()[:-400])
    assert "There are no signals to compare: the working tables are damaged" in render(out)
    table.unlink()
    assert "There are no signals to compare: the working tables are gone." in render(out)
    assert "Nothing was kept" in render(write_ledger(tmp_path / "empty", []))


def test_sizes_are_counted_as_signals_are(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).lognormal(7, 4, 600).astype(int).tolist()
    found = [*drawn, 0, 1, 63, 64, 65, 2**40]
    gone = {"step": "a", "reason": "b"}
    rows = [row_of(id=f"{i:032x}", size=size, **(gone if i % 3 else {})) for i, size in enumerate(found)]
    shift = distribution.sizes(Run.open(write_ledger(tmp_path, rows, parts=3)))
    assert np.array_equal(shift.before, counted(found))
    assert np.array_equal(shift.after, counted(found[::3]))


def test_shares_of_languages_add_up(tmp_path: Path) -> None:
    found = [("c", 6, 3), ("go", 3, 3), (None, 5, 0), ("sql", 1, 0)]
    rows = [{"language": name, "found": n, "kept": kept} for name, n, kept in found]
    moved, variation = distribution._languages(rows)
    assert [(row["language"], round(row["points"])) for row in moved] == [("go", 20), ("c", -10), ("sql", -10)]
    assert variation == pytest.approx(0.2)
    assert distribution._languages([]) == ((), 0)


def test_in_the_terminal(tmp_path: Path) -> None:
    out = str(build(write(tmp_path / "code"), tmp_path / "out"))
    done = codemill("signals", out)
    assert "25 files measured" in done.stdout, done.stderr
    assert "moved 0." in done.stdout
    data = json.loads(codemill("signals", out, "--json").stdout)
    assert [group["language"] for group in data] == [None, "python", "javascript"]
    (one,) = json.loads(codemill("signals", out, "--language", "python", "--json").stdout)
    assert one == data[1]
    wrong = codemill("signals", out, "--language", "pyton")
    assert "did you mean python" in " ".join(wrong.stderr.split())
    assert wrong.returncode == 2
