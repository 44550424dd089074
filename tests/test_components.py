"""Connected components in rounds through files are those found at once, and survive a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import codemill as cm
from codemill.machine import components
from codemill.machine.engine import Task
from codemill.machine.keys import read_found, write_found
from codemill.machine.kinds import Exchange
from codemill.machine.store import Place, Receipt
from codemill.steps import dedup
from tests.killing import killed_and_resumed
from tests.test_fuzzy import many
from tests.test_machine import published

RANDOM = np.random.default_rng(0)


def chain(length: int) -> np.ndarray:
    return np.stack([np.arange(length - 1), np.arange(1, length)], axis=1)


def shuffled(pairs: np.ndarray) -> np.ndarray:
    """The same graph, its nodes under other numbers and its pairs in another order."""
    numbers = RANDOM.permutation(pairs.max() + 1) * 7
    return RANDOM.permutation(numbers[pairs])


GRAPHS = {
    "a chain in order": chain(3000),
    "a chain backwards": chain(3000)[::-1, ::-1],
    "a chain in disorder": shuffled(chain(3000)),
    "a star about the largest": np.stack([np.arange(3000), np.full(3000, 5000)], axis=1),
    "a star about the smallest, sixteen times": np.tile(np.stack([np.zeros(500), np.arange(1, 501)], axis=1), (16, 1)),
    "a comb": shuffled(np.concatenate([chain(500), np.stack([np.arange(500), np.arange(500, 1000)], axis=1)])),
    "many small": RANDOM.integers(0, 4000, (1500, 2)),
    "one large": RANDOM.integers(0, 1000, (3000, 2)),
    "with loops": np.array([[1, 1], [2, 1], [3, 3], [4, 2]]),
}


class Bench:
    """Runs tasks here, as a builder would, and remembers their receipts."""

    def __init__(self, folder: Path) -> None:
        self.folder = Place(str(folder))
        self.there: dict[str, Receipt] = {}
        self.ran: list[str] = []

    def write(self, todo: dict[str, Task]) -> None:
        for name, task in todo.items():
            if name not in self.there:
                (self.there[name],) = task.run(*task.args)["receipts"]
                self.folder.at(f"{name}.json").write_json({})  # its receipt, of which only the name counts here
                self.ran.append(name)

    def begin(self, pairs: np.ndarray, partitions: int) -> list[str]:
        names = [f"reduce-{i:05d}" for i in range(partitions)]
        for name, part in zip(names, np.array_split(pairs.astype(np.uint64), partitions), strict=True):
            table = pa.table({"a": pa.array(part[:, 0]), "b": pa.array(part[:, 1])})
            self.there[name] = write_found(self.folder.at(f"{name}.arrow"), table)
        return names

    def labels(self, stars: list[str]) -> pa.Table:
        maps = [f"label-map-{i:05d}" for i in range(len(stars))]
        places = {name: self.folder.at(f"{name}.arrow") for name in maps}
        self.write(components.map_tasks("label", maps, [self.folder.at(f"{n}.arrow") for n in stars], places))
        return pa.concat_tables(components.labels(list(places.values()), (i, len(maps))) for i in range(len(maps)))


def wanted(pairs: np.ndarray) -> pa.Table:
    pairs = pairs[pairs[:, 0] != pairs[:, 1]].astype(np.uint64)
    return components.at_once(iter([pa.table({"a": pa.array(pairs[:, 0]), "b": pa.array(pairs[:, 1])})]))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_rounds_find_what_is_found_at_once(graph: str, partitions: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    found = bench.begin(GRAPHS[graph], partitions)
    stars, done = components.in_rounds(bench.write, bench.there, bench.folder, found, memory=0)
    assert done
    assert bench.labels(stars).sort_by("a").equals(wanted(GRAPHS[graph]))
    rounds = int(stars[0].split("-")[1])
    assert rounds <= 31, "log² of 3,000 would be 133"
    rows = [sum(r.rows for n, r in bench.there.items() if n.startswith(f"round-{i}-reduce")) for i in (1, rounds)]
    assert rows[1] <= rows[0] <= 16 * len(GRAPHS[graph]), "pairs become fewer, never more"
    for kind in ("arrow", "json"):
        assert len(list(tmp_path.glob(f"round-*.{kind}"))) == partitions, "earlier rounds leave nothing"


def test_rounds_end_as_soon_as_the_pairs_fit(tmp_path: Path) -> None:
    graph = GRAPHS["one large"]
    bench = Bench(tmp_path)
    found = bench.begin(graph, 2)
    assert components.in_rounds(bench.write, bench.there, bench.folder, found, memory=1 << 30) == (found, False)
    assert not bench.ran
    few, done = components.in_rounds(bench.write, bench.there, bench.folder, found, memory=1200 * components.PAIR_BYTES)
    assert not done
    assert few[0].startswith("round-")
    pairs = read_found([bench.folder.at(f"{name}.arrow") for name in few])
    assert components.at_once(pairs).equals(wanted(graph))


def test_a_run_that_was_killed_goes_on_with_its_last_round(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    found = bench.begin(GRAPHS["a chain in disorder"], 2)

    def stopping(todo: dict[str, Task]) -> None:
        if any(name.startswith("round-4-reduce") for name in todo):
            raise KeyboardInterrupt
        bench.write(todo)

    with pytest.raises(KeyboardInterrupt):
        components.in_rounds(stopping, bench.there, bench.folder, found, memory=0)
    bench.ran = []
    stars, _ = components.in_rounds(bench.write, bench.there, bench.folder, found, memory=0)
    assert bench.ran[0] == "round-4-reduce-00000"
    assert bench.labels(stars).sort_by("a").equals(wanted(GRAPHS["a chain in disorder"]))


def small(weight: int = 1 << 24) -> None:
    """Makes a few hundred documents too many for one worker: several partitions, and pairs that never fit."""
    object.__setattr__(dedup.cluster.how, "bytes_per_key", weight)
    components.PAIR_BYTES = 1 << 40


@pytest.fixture
def cramped(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(components, "PAIR_BYTES", 100)  # put back afterwards
    assert isinstance(dedup.cluster.how, Exchange)
    usual = dedup.cluster.how.bytes_per_key
    yield small
    object.__setattr__(dedup.cluster.how, "bytes_per_key", usual)


def test_a_build_in_rounds_publishes_the_same_bytes(tmp_path: Path, cramped: Any) -> None:
    cm.build(many(), out=tmp_path / "whole", workers=1)
    cramped()
    ran: list[str] = []
    usual = components.in_rounds

    def watched(*args: Any, **settings: Any) -> tuple[list[str], bool]:
        found = usual(*args, **settings)
        ran.extend(found[0])
        return found

    components.in_rounds, kept = watched, components.in_rounds
    try:
        cm.build(many(), out=tmp_path / "rounds", workers=2)
    finally:
        components.in_rounds = kept
    assert len(ran) > 2
    assert all(name.startswith("round-") for name in ran)
    assert published(tmp_path / "rounds") == published(tmp_path / "whole")


def many_in_rounds() -> cm.Table:
    """The same as `many`, in a process in which nothing fits."""
    small()
    return many()


@pytest.mark.slow
def test_killed_in_the_rounds_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    seen = [f"dedup.cluster/work-*/{file}" for file in ("round-1-map*", "round-1-reduce*", "round-2-*", "label-*")]
    killed_and_resumed("tests.test_components.many_in_rounds", seen, tmp_path)
