"""More input later costs only the new: what a shard is, and who shares one."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemill.sources import Archive, Folder, Git, Jsonl, Parquet, Source
from codemill.sources._shards import SMALL_BYTES, SMALL_FILES, Run, Sizes, Unit, arrange, cut, shards

from .source_tools import git, repository, rows

TINY = Sizes(bytes=100, files=20, small_bytes=12, small_files=5)


def unit(name: str, files: int = 3, size: int = 10, digest: str = "") -> Unit:
    """A repository of equal files, cut as `TINY` says."""
    runs, start = [], 0
    for run, held in cut(((i, size) for i in range(files)), most_bytes=TINY.bytes, most_items=TINY.files):
        runs.append(Run((name, start), f"{name} {start} {len(run)} {held} {digest}", len(run), held))
        start += len(run)
    return Unit(name, tuple(runs))


def small(count: int) -> list[Unit]:
    return [unit(f"owner/name{i}", files=1 + i % 5, size=2) for i in range(count)]


def identities(units: list[Unit]) -> list[str]:
    return [shard.identity for shard in shards(units, "test", sizes=TINY)]


@pytest.mark.parametrize("count", [0, 1, 100, 1000, 3000])
def test_a_repository_more_changes_at_most_one_shard(count: int) -> None:
    before = identities(small(count))
    for more in (unit("a/new"), unit("a/new", 50), unit("zzz", 1), *small(count + 5)[count:]):
        after = identities([*small(count), more])
        assert len(set(before) - set(after)) <= 1
        kept = set(before) & set(after)
        assert [i for i in after if i in kept] == [i for i in before if i in kept]  # put in, not shuffled


def test_a_thousand_small_repositories_share() -> None:
    made = shards(small(1000), sizes=TINY)
    assert len(made) < 400
    assert all(shard.files <= TINY.files and shard.bytes <= TINY.bytes for shard in made)
    assert len(shards(small(1000))) == 128  # far from full
    assert 60 < len(shards(small(100))) < 100
    assert [shard.label for shard in shards([unit("a", 1, 2)], sizes=TINY)] == ["a"]


def test_a_large_repository_is_alone_and_cut_in_order() -> None:
    large = unit("large", 45)
    made = [shard for shard in shards([*small(200), large], sizes=TINY) if shard.label.startswith("large")]
    assert [(s.label, s.files, s.what) for s in made] == [
        (f"large ({i + 1} of 5)", files, (("large", 10 * i),)) for i, files in enumerate([10, 10, 10, 10, 5])
    ]


def test_a_repository_that_grows_leaves_its_slot() -> None:
    others = small(300)
    before, after = identities([*others, unit("x", 1, 2)]), identities([*others, unit("x", 30, 2)])
    without = identities(others)
    assert len(set(before) - set(after)) == 1
    assert set(without) <= set(after)
    assert len(after) == len(without) + 2


def test_a_repository_that_changes_changes_its_shard() -> None:
    others = small(300)
    before = identities([*others, unit("x", 1, 2, "one")])
    after = identities([*others, unit("x", 1, 2, "another")])
    assert [a != b for a, b in zip(before, after, strict=True)].count(True) == 1


def test_repositories_of_one_name_stay_together() -> None:
    made = arrange([unit("same", 1, 9) for _ in range(30)], TINY)
    assert [len(group) for group in made] == [30]


counts = st.dictionaries(
    st.text(st.sampled_from("abc/é\U0001f600"), max_size=6),
    st.tuples(st.integers(1, 60), st.integers(0, 30)),
    max_size=60,
)


@given(counts, st.randoms(use_true_random=False))
def test_every_run_is_in_one_shard_whatever_the_order(sizes: dict[str, tuple[int, int]], order: random.Random) -> None:
    units = [unit(name, files, size) for name, (files, size) in sizes.items()]
    groups = arrange(units, TINY)
    held = Counter((u.name, ordinal) for group in groups for u, ordinal in group)
    assert held == {(u.name, i): 1 for u in units for i in range(len(u.runs))}
    for group in groups:
        names = [u.name for u, _ in group]
        assert names == sorted(names)
        if len(group) > 1:
            assert sum(u.files for u, _ in group) <= TINY.files
            assert all(TINY.is_small(u) for u, _ in group)
    order.shuffle(units)
    assert arrange(units, TINY) == groups


@given(counts, counts)
def test_each_new_repository_costs_one_shard_at_most(
    sizes: dict[str, tuple[int, int]], new: dict[str, tuple[int, int]]
) -> None:
    known = [unit(name, *size) for name, size in sizes.items()]
    more = [unit(name, *size) for name, size in new.items() if name not in sizes]
    lost = set(identities(known)) - set(identities([*known, *more]))
    assert len(lost) <= len(more)


# ── sources ───────────────────────────────────────────────────────────────────────────────────────────────────────


def of(source: Source) -> list[str]:
    return [shard.identity for shard in source.list().shards]


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    """300 small repositories and one of 1,025 files."""
    root = tmp_path / "here" / "root"
    for i in range(300):
        (root / f"r{i}" / "src").mkdir(parents=True)
        for j in range(i % 4 + 1):
            (root / f"r{i}" / "src" / f"{j}.py").write_text(f"{i} {j}\n")
    (root / "large").mkdir()
    for i in range(SMALL_FILES + 1):
        (root / "large" / f"{i}.py").touch()
    return root


def test_a_folder_with_a_repository_more(checkouts: Path) -> None:
    before = of(Folder(str(checkouts)))
    assert "large" in [shard.label for shard in Folder(str(checkouts)).list().shards]
    (checkouts / "new").mkdir()
    (checkouts / "new" / "a.py").write_text("1\n")
    assert len(set(before) - set(of(Folder(str(checkouts))))) <= 1
    shutil.rmtree(checkouts / "new")
    assert of(Folder(str(checkouts))) == before


def test_a_file_changed_or_more_changes_its_shard_only(checkouts: Path) -> None:
    before = of(Folder(str(checkouts)))
    os.utime(checkouts / "r7" / "src" / "0.py", ns=(0, 1))
    touched = of(Folder(str(checkouts)))
    assert [a != b for a, b in zip(before, touched, strict=True)].count(True) == 1
    (checkouts / "large" / "more.py").touch()
    grown = of(Folder(str(checkouts)))
    assert [a != b for a, b in zip(touched, grown, strict=True)].count(True) == 1


def test_the_place_of_a_folder_is_not_in_identities(checkouts: Path, tmp_path: Path) -> None:
    before = Folder(str(checkouts)).list()
    moved = tmp_path / "there" / "deeper" / "root"
    moved.parent.mkdir(parents=True)
    os.rename(checkouts, moved)
    assert Folder(str(moved)).list() == before
    assert [r["path"] for r in rows(Folder(str(moved)))]


def test_parameters_that_matter_are_in_identities(checkouts: Path) -> None:
    plain = set(of(Folder(str(checkouts))))
    others = [Folder(str(checkouts), label="x"), Folder(str(checkouts), max_file_bytes=5)]
    for source in (*others, Folder(str(checkouts), commit_times=False)):
        assert not plain & set(of(source))


def test_a_large_file_makes_a_repository_large(tmp_path: Path) -> None:
    for name, size in (("a", SMALL_BYTES + 1), ("b", 1), ("c", SMALL_BYTES)):
        (tmp_path / name).mkdir()
        with open(tmp_path / name / "x.bin", "wb") as file:
            file.truncate(size)
    units = {s.label: s for s in Folder(str(tmp_path), max_file_bytes=1 << 30).list().shards}
    assert units["a"].bytes == SMALL_BYTES + 1


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    """A bare repository, copied many times."""
    repository(tmp_path / "work", {"a.py": b"1\n", "b.py": b"2\n"})
    root = tmp_path / "here" / "mirrors"
    root.mkdir(parents=True)
    git(root, "clone", "-q", "--bare", "--no-hardlinks", str(tmp_path / "work"), "r0.git")
    for i in range(1, 30):
        shutil.copytree(root / "r0.git", root / f"o{i % 3}" / f"r{i}.git")
    return root


def test_mirrors_with_a_repository_more_elsewhere_and_at_another_revision(mirrors: Path, tmp_path: Path) -> None:
    before = Git(str(mirrors)).list()
    known = {shard.identity for shard in before.shards}
    shutil.copytree(mirrors / "r0.git", mirrors / "new" / "name.git")
    after = of(Git(str(mirrors)))
    assert len(known - set(after)) <= 1
    os.rename(mirrors, tmp_path / "moved")
    assert of(Git(str(tmp_path / "moved"))) == after
    git(tmp_path / "moved" / "o1" / "r1.git", "update-ref", "HEAD", git(tmp_path / "work", "rev-parse", "HEAD"))
    assert of(Git(str(tmp_path / "moved"))) == after  # the same commit
    repository(tmp_path / "work", {"c.py": b"3\n"})
    git(tmp_path / "moved" / "o1" / "r1.git", "fetch", "-q", str(tmp_path / "work"), "+main:main")
    assert len(set(after) - set(of(Git(str(tmp_path / "moved"))))) == 1


def test_archives_share_by_their_names(tmp_path: Path) -> None:
    for i in range(200):
        with open(tmp_path / f"p{i}-1.0.tar", "wb") as file:
            file.truncate(1 << 20 if i else 3 << 20)
    before = Archive(str(tmp_path)).list().shards
    assert [s.files for s in before if s.label == "p0-1.0.tar"] == [1]
    assert 60 < len(before) < 110
    assert sum(shard.files for shard in before) == 200
    (tmp_path / "new-2.0.tar").write_bytes(bytes(1024))
    assert len({shard.identity for shard in before} - set(of(Archive(str(tmp_path))))) <= 1


def test_tables_lines_and_archives_know_their_shards(tmp_path: Path) -> None:
    for i in range(20):
        pq.write_table(pa.table({"text": [f"{i}"] * 10}), tmp_path / f"{i}.parquet", row_group_size=5)
        (tmp_path / f"{i}.jsonl").write_text('{"text": "1"}\n' * (i + 1))
        (tmp_path / f"{i}.tar").write_bytes(bytes(1024))
    for kind, suffix in ((Parquet, "parquet"), (Jsonl, "jsonl"), (Archive, "tar")):
        before = of(kind(str(tmp_path)))
        assert len(before) == len(set(before))
        shutil.copy2(tmp_path / f"1.{suffix}", tmp_path / f"15a.{suffix}")
        after = of(kind(str(tmp_path)))
        assert len(set(before) - set(after)) <= 1
        (tmp_path / f"15a.{suffix}").unlink()
        os.utime(tmp_path / f"3.{suffix}", ns=(0, 1))
        assert len(set(before) - set(of(kind(str(tmp_path))))) == 1
        assert not set(before) & set(of(kind(str(tmp_path), label="x")))
    assert of(Parquet(str(tmp_path), keep_in_place=False)) != of(Parquet(str(tmp_path)))
    one, other = {"content": "text", "path": "p"}, {"path": "p", "content": "text"}
    pq.write_table(pa.table({"text": ["1"], "p": ["a"]}), tmp_path / "only.parquet")
    mapped = [of(Parquet(str(tmp_path / "only.parquet"), columns=columns)) for columns in (one, other)]
    assert mapped[0] == mapped[1]
