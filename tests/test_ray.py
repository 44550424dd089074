"""The same bytes on Ray: a local instance of two workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import codemill as cm
from codemill.machine.engine import Ray
from codemill.steps import ingest
from tests import test_chunks, toys
from tests.test_fuzzy import many
from tests.test_machine import ledger, published, recipe

pytest.importorskip("ray")

# Ray's own code warns about its future defaults and leaves sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[Ray]:
    running = Ray(workers=3)
    yield running
    running.close()


def test_a_ray_of_our_own_has_the_workers_asked_for(engine: Ray) -> None:
    import ray

    assert engine.workers == ray.cluster_resources()["CPU"] == 3  # type: ignore[no-untyped-call]


def test_ray_gives_the_bytes_that_local_gives(tmp_path: Path, engine: Ray) -> None:
    texts = tuple(f"text {i % 200}" for i in range(500))
    cm.build(recipe(texts), out=tmp_path / "local", workers=2)
    cm.build(recipe(texts), out=tmp_path / "ray", engine=engine)
    assert published(tmp_path / "ray") == published(tmp_path / "local")


def test_ray_finds_the_near_duplicates_that_local_finds(tmp_path: Path, engine: Ray) -> None:
    cm.build(many(), out=tmp_path / "local", workers=2)
    cm.build(many(), out=tmp_path / "ray", engine=engine)
    assert published(tmp_path / "ray") == published(tmp_path / "local")
    assert 0 < sum(r["verdict"] == "kept" for r in ledger(tmp_path / "ray")) < 600


def test_ray_cuts_out_the_chunks_that_local_cuts_out(tmp_path: Path, engine: Ray) -> None:
    cm.build(test_chunks.many(), out=tmp_path / "local", workers=1)
    cm.build(test_chunks.many(), out=tmp_path / "ray", engine=engine)
    assert published(tmp_path / "ray") == published(tmp_path / "local")
    assert any(r["chunks"]["removed"] for r in ledger(tmp_path / "ray"))


def test_ray_drops_a_document_that_kills_its_worker(tmp_path: Path, engine: Ray) -> None:
    texts = tuple("KILL" if i == 7 else f"text {i}" for i in range(12))
    cm.build(toys.deadly(ingest.documents(sources=(toys.Literals(texts),))), out=tmp_path, engine=engine)
    dropped = [(r["path"], r["reason"]) for r in ledger(tmp_path) if r["verdict"] == "dropped"]
    assert dropped == [("f00007.py", "crashed")]


def test_ray_passes_a_steps_error_on(tmp_path: Path, engine: Ray) -> None:
    with pytest.raises(cm.BuildError, match="ZeroDivisionError: as asked"):
        cm.build(toys.failing(ingest.documents(sources=(toys.Literals(("a",)),))), out=tmp_path, engine=engine)
