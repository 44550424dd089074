"""Mixes, plans and the loader, and sequences laid out: nothing is lost, and nothing depends on workers."""

from __future__ import annotations

import json
import struct
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import codemill as cm
from codemill import report
from codemill.cli.empty import warnings
from codemill.machine.builder import build
from codemill.machine.layers import Part
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.store import Place
from codemill.recipes import pretraining_mix, tokens
from codemill.sources import Folder, Published
from codemill.steps import choose, detect, ingest, mix, pack, tokenize, tokenizer
from codemill.steps import tokens as tokens_step
from codemill.tokens import Encoder, Loader, Shards
from codemill.tokens.special import END, FILE, REPOSITORY
from tests.token_runs import rows, shards_of

# ── mixes and plans ───────────────────────────────────────────────────────────────────────────────────────────────


def planned(
    root: Path,
    out: Path,
    *,
    length: int = 256,
    workers: int = 1,
    unit: str = "document",
    named: float = 0.0,
    **more: Any,
) -> Any:
    """A plan over the two runs; returns what mix.json says."""
    names = more.pop("names", ["plain", "fim"])
    taken, shares = mix.take_all(*(shards_of(root / name) for name in names), names=names, unit=unit, **more)
    seed = more.get("seed", 0)
    build(pack.plan(taken, shares, length=length, unit=unit, names=named, seed=seed), out=out, workers=workers)
    return json.loads((out / "mix" / "mix.json").read_text())


def loader(root: Path, out: Path) -> Loader:
    names = [given["name"] for given in json.loads((out / "mix" / "mix.json").read_text())["inputs"]]
    return Loader(out, [root / name / "tokens" for name in names])


def test_every_token_is_packed_as_often_as_it_was_taken(runs: Path, tmp_path: Path) -> None:
    facts = planned(runs, tmp_path, epochs=[2, 1.5])
    loaded = loader(runs, tmp_path)
    pieces: dict[tuple[int, int, int, int], list[Any]] = {}
    real = 0
    for sequence in loaded:
        real += sequence.real
        assert len(sequence.tokens) == 256
        for at, start in enumerate(sequence.starts):
            one = {name: int(column[at]) for name, column in sequence.spans.items()}
            key = (one["input"], one["part"], one["row"], one["epoch"])
            assert sum(map(len, pieces.setdefault(key, []))) == one["start"]
            pieces[key].append(sequence.tokens[start : start + one["length"]])
    wanted = Counter(key[:3] for key in pieces)
    for (source, part, row, _), found in pieces.items():
        assert np.array_equal(np.concatenate(found), loaded.shards[source].tokens(part, row))
    assert all(wanted[0, part, row] == 2 for part, row in rows(loaded.shards[0]))
    assert {wanted[1, part, row] for part, row in rows(loaded.shards[1])} == {1, 2}
    # what came in is what was packed, and less than one sequence is padding
    assert real == facts["tokens"] == facts["taken"] == sum(len(t) for found in pieces.values() for t in found)
    assert facts["padding"] == len(loaded) * 256 - real < 256
    assert facts["padding_share"] <= 0.003


def test_a_plan_is_the_same_for_any_number_of_workers_and_ranges(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files(out: Path) -> dict[str, bytes]:
        return {str(p.relative_to(out)): p.read_bytes() for p in out.glob("*/*") if ".work" not in p.parts}

    planned(runs, tmp_path / "one")
    planned(runs, tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    planned(runs, tmp_path / "seed", seed=1)
    assert files(tmp_path / "one") != files(tmp_path / "seed")
    texts = {"unit": "repository", "named": 1.0}
    planned(runs, tmp_path / "named", **texts)
    monkeypatch.setattr("codemill.machine.groups.GROUP_ROWS", 16)  # sequences that begin in one file and end in another
    for name, more in (("one", {}), ("named", texts)):
        planned(runs, tmp_path / f"{name} cut", **more)
        assert len(list((tmp_path / f"{name} cut" / "plan").iterdir())) > 3
        whole, cut = loader(runs, tmp_path / name), loader(runs, tmp_path / f"{name} cut")
        assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(whole, cut, strict=True))
        assert [cut.follows(n) for n in range(len(cut))] == [whole.follows(n) for n in range(len(whole))]
        assert (tmp_path / name / "mix" / "mix.json").read_text() == (
            tmp_path / f"{name} cut" / "mix" / "mix.json"
        ).read_text()


def test_tokens_are_the_same_for_any_number_of_workers(runs: Path, tmp_path: Path) -> None:
    made = tokens.tokens(corpus=str(runs / "corpus"), vocabulary=1024, sample_bytes=300_000, fim_rate=0)
    build(made, out=tmp_path, workers=2)
    for folder in ("tokens", "tokenizer"):
        names = sorted(p.name for p in (tmp_path / folder).iterdir())
        assert names == sorted(p.name for p in (runs / "plain" / folder).iterdir())
        assert all((tmp_path / folder / n).read_bytes() == (runs / "plain" / folder / n).read_bytes() for n in names)


def test_weights_hold_and_a_total_shrinks_or_stops(runs: Path, tmp_path: Path) -> None:
    facts = planned(runs, tmp_path / "a", weights=[1, 3], epochs=2)
    plain, fim = facts["inputs"]
    assert fim["epochs"] == 2  # it has too little for three times as much, even twice
    shards = Shards(runs / "plain" / "tokens")
    largest = max(len(shards.tokens(part, row)) for part, row in rows(shards))
    assert abs(fim["taken"] / 3 - plain["taken"]) <= largest / 2  # documents are taken whole
    assert facts["wanted"] is None
    shrunk = planned(runs, tmp_path / "b", weights=[1, 3], epochs=2, budget=10**9)
    assert (shrunk["wanted"], shrunk["taken"]) == (10**9, facts["taken"])
    with pytest.raises(cm.InputError, match="1,000,000,000 tokens are wanted"):
        planned(runs, tmp_path / "c", weights=[1, 3], epochs=2, budget=10**9, short="stop")
    budget = plain["tokens"] // 2
    small = planned(runs, tmp_path / "d", weights=[1, 1], budget=budget)
    assert abs(small["taken"] - budget) <= largest
    # a smaller share is a subset of a larger one
    few = _taken(runs, tmp_path / "d")
    assert few < _taken(runs, tmp_path / "a") <= set(rows(shards))


def _taken(root: Path, out: Path) -> set[tuple[int, int]]:
    plan = loader(root, out).plan
    spans = [plan.spans(number) for number in range(len(plan))]
    return {(int(p), int(r)) for s in spans for i, p, r in zip(s["input"], s["part"], s["row"], strict=True) if i == 0}


def test_an_input_without_tokens_is_left_out_and_told(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "no.py").write_text("x = 1\n")
    none = choose.kinds(detect.language(ingest.documents(sources=(Folder(str(tmp_path / "in")),))), of=("text",))
    build(none, out=tmp_path / "corpus", workers=1)
    made = tokens.tokens(corpus=str(tmp_path / "corpus"), existing=str(runs / "plain" / "tokenizer"))
    build(made, out=tmp_path / "none", workers=1)
    assert "Made of" in report.render(tmp_path / "none")  # there is nothing else to tell, and no error either
    shards = [shards_of(runs / "plain"), shards_of(tmp_path / "none")]

    def mixed(out: Path, **more: Any) -> dict[str, Any]:
        taken, shares = mix.take_all(*shards, names=["some", "none"], weights=[0.9, 0.1], **more)
        found: dict[str, Any] = build(pack.plan(taken, shares, length=64), out=out, workers=1)
        return found

    manifest = mixed(tmp_path / "mix")
    (warning,) = [line for line in warnings(manifest) if "mix" in line]
    assert warning.startswith("1 of the inputs of the mix had no tokens")
    facts = json.loads((tmp_path / "mix" / "mix" / "mix.json").read_text())
    assert facts["tokens"] == facts["taken"] == facts["inputs"][0]["tokens"] > 0
    assert len(Loader(tmp_path / "mix", [runs / "plain" / "tokens", tmp_path / "none" / "tokens"])) > 0
    with pytest.raises(cm.InputError, match="has no tokens"):
        mixed(tmp_path / "stopped", short="stop")


def test_a_repository_stays_together(runs: Path, tmp_path: Path) -> None:
    planned(runs, tmp_path, unit="repository", names=["plain"])
    loaded = loader(runs, tmp_path)
    repos = [
        loaded.shards[0].row(int(p), int(r))["repo"]
        for s in loaded
        for p, r in zip(s.spans["part"], s.spans["row"], strict=True)
    ]
    changes = sum(a != b for a, b in pairwise(repos))
    assert changes == len(set(repos)) - 1 > 1
    ranks: dict[str, list[int]] = {}
    for sequence in loaded:
        for p, r, start in zip(*(sequence.spans[name] for name in ("part", "row", "start")), strict=True):
            if start == 0:
                row = loaded.shards[0].row(int(p), int(r))
                ranks.setdefault(row["repo"], []).append(row["import_rank"])
    assert all(found == sorted(found) and len(found) > 3 for found in ranks.values())


# ── names of repositories and files ───────────────────────────────────────────────────────────────────────────────


def texts_of(loaded: Loader, end: int) -> Counter[bytes]:
    """The texts of a plan: what its sequences say one after another, cut behind each end."""
    stream = np.concatenate([sequence.tokens[: sequence.real] for sequence in loaded])
    edges = [0, *(np.flatnonzero(stream == end) + 1).tolist()]
    assert edges[-1] == len(stream)
    return Counter(stream[a:b].tobytes() for a, b in pairwise(edges))


def headings(shards: Shards, encoder: Encoder) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
    """What comes in front of each document, encoded here."""

    def ids(text: str) -> list[int]:
        return encoder.encode(pa.array([text], pa.large_string()))[1].tolist()

    facts = {place: shards.row(*place) for place in rows(shards)}
    mark = encoder.special
    return {
        place: ([mark[REPOSITORY], *ids(row["repo"])], [mark[FILE], *ids(row["path"] + "\n")])
        for place, row in facts.items()
    }


def test_shards_hold_the_names_beside_the_documents(runs: Path) -> None:
    shards, encoder = Shards(runs / "plain" / "tokens"), Encoder(runs / "plain" / "tokenizer")
    for place, (repo, file) in headings(shards, encoder).items():
        row, found = shards.row(*place), shards.heading(*place)
        assert found.tolist() == [*repo, *file]
        assert (row["repo_tokens"], row["file_tokens"]) == (len(repo), len(file))
        assert encoder.decode(found) == f"<|repo_name|>{row['repo']}<|file_sep|>{row['path']}\n"


@pytest.mark.parametrize("unit", ["document", "repository"])
def test_names_stand_before_documents_and_a_repository_is_one_text(runs: Path, tmp_path: Path, unit: str) -> None:
    facts = planned(runs, tmp_path, unit=unit, named=1.0, names=["plain"], epochs=2)
    loaded = loader(runs, tmp_path)
    (shards,), encoder = loaded.shards, Encoder(runs / "plain" / "tokenizer")
    end = encoder.special[END]
    names = headings(shards, encoder)
    repos: dict[str, list[tuple[int, tuple[int, int]]]] = {}
    for place in names:
        row = shards.row(*place)
        repos.setdefault(row["repo"] if unit == "repository" else str(place), []).append((row["import_rank"], place))
    expected: Counter[bytes] = Counter()
    for files in repos.values():
        places = [place for _, place in sorted(files)]
        text = [*names[places[0]][0]]
        for place in places:
            text += [*names[place][1], *shards.tokens(*place)[:-1].tolist()]
        expected[np.array([*text, end], shards.dtype).tobytes()] += 2
    assert texts_of(loaded, end) == expected
    # the books: documents as they were taken, with the names, without the ends within a text
    (given,) = facts["inputs"]
    assert given["taken"] == 2 * sum(shards.row(*place)["num_tokens"] for place in names) == facts["taken"]
    assert given["ends_left_out"] == 2 * (len(names) - len(repos))
    assert given["headings"] == 2 * (
        sum(len(file) for _, file in names.values()) + sum(len(names[min(files)[1]][0]) for files in repos.values())
    )
    assert facts["tokens"] == facts["taken"] + given["headings"] - given["ends_left_out"] == sum(s.real for s in loaded)
    assert sum(one["documents"] for one in given["by_epoch"]) == 2 * len(names)
    # a text begins where another ended, and nowhere else; what is looked into from there goes on in the next sequence
    for number, sequence in enumerate(loaded):
        ended = np.flatnonzero(sequence.tokens[: sequence.real - 1] == end) + 1
        assert sequence.starts.tolist() == [0, *ended.tolist()]
        goes_on = number + 1 < len(loaded) and sequence.tokens[-1] != end
        assert loaded.follows(number) == (loaded[number + 1].tokens[0] if goes_on else None)


def test_a_share_of_repositories_has_names_in_each_epoch_another(runs: Path, tmp_path: Path) -> None:
    planned(runs, tmp_path, unit="repository", named=0.5, names=["plain"], epochs=6)
    loaded = loader(runs, tmp_path)
    (shards,) = loaded.shards
    named: dict[str, set[tuple[int, bool]]] = {}
    for sequence in loaded:
        for part, row, epoch, start in zip(
            *(sequence.spans[n] for n in ("part", "row", "epoch", "start")), strict=True
        ):
            facts = shards.row(int(part), int(row))
            if start <= 0 and facts["import_rank"] == 0:
                named.setdefault(facts["repo"], set()).add((int(epoch), start < 0))
    assert all(len(found) >= 6 for found in named.values())
    shares = [sum(has for _, has in found) for found in named.values()]
    assert 0 < sum(shares) < sum(map(len, named.values()))
    assert len({frozenset(found) for found in named.values()}) > 1


def test_names_that_are_not_there_are_told(runs: Path, tmp_path: Path) -> None:
    corpus, made = str(runs / "corpus"), str(runs / "plain" / "tokenizer")
    build(tokens.tokens(corpus=corpus, existing=made, headings=False, fim_rate=0), out=tmp_path / "bare", workers=1)
    build(tokens.tokens(corpus=corpus, existing=made, ranked=False, fim_rate=0), out=tmp_path / "loose", workers=1)
    with pytest.raises(cm.InputError, match="no document came with names"):
        planned(tmp_path, tmp_path / "a", names=["bare"], named=1.0)
    with pytest.raises(cm.InputError, match="no order of files"):
        planned(tmp_path, tmp_path / "b", names=["loose"], named=1.0, unit="repository")
    with pytest.raises(cm.RecipeError, match="share between 0 and 1"):
        planned(tmp_path, tmp_path / "c", names=["loose"], named=2.0)


def test_another_seed_tokenises_nothing_again(runs: Path) -> None:
    made = pretraining_mix.pretraining_mix(code=str(runs / "plain"), seed=5)
    steps = {table.step.name for output in made.values() for table in output.graph()}  # type: ignore[union-attr]
    assert steps == {"ingest.published", "mix.shares", "mix.take", "pack.sequences", "pack.account"}


def test_a_loader_refuses_other_shards(runs: Path, tmp_path: Path) -> None:
    planned(runs, tmp_path)
    right = [runs / "plain" / "tokens", runs / "fim" / "tokens"]
    assert len(Loader(tmp_path, right)) > 0
    with pytest.raises(cm.InputError, match="not the shards"):
        Loader(tmp_path, right[::-1])
    with pytest.raises(cm.InputError, match="2 inputs"):
        Loader(tmp_path, right[:1])
    with pytest.raises(IndexError):
        Loader(tmp_path, right)[10**6]
    with pytest.raises(cm.InputError, match="no plan"):
        len(Loader(runs, right))


def test_a_plan_is_made_over_what_is_published(runs: Path) -> None:
    corpus = ingest.published(source=Published(str(runs / "corpus"), "corpus"))
    encoded = tokenize.documents(corpus, tokenizer.train(corpus, vocabulary=1024, sample_bytes=1))
    with pytest.raises(cm.RecipeError, match="over published tokens"):
        mix.take_all(encoded, names=["code"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"weights": [1, 2]}, "2 weights for 1"),
        ({"weights": [0]}, "above 0"),
        ({"epochs": [1, 1]}, "2 numbers of epochs"),
        ({"epochs": 0}, "above 0"),
        ({"names": ["a", "a"]}, "2 names|one name|epochs"),
        ({"budget": 0}, "at least 1"),
        ({"short": "maybe"}, "shrink"),
        ({"unit": "word"}, "no unit"),
    ],
)
def test_a_wrong_mix_stops_before_any_work(runs: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(cm.RecipeError, match=words):
        mix.take_all(shards_of(runs / "plain"), **{"names": ["code"], **wrong})


def test_inputs_of_different_tokenizers_are_refused(runs: Path, tmp_path: Path) -> None:
    build(tokens.tokens(corpus=str(runs / "corpus"), vocabulary=600, sample_bytes=10_000), out=tmp_path, workers=1)
    with pytest.raises(cm.RecipeError, match="different tokenizers"):
        pretraining_mix.pretraining_mix(code=str(runs / "plain"), web=str(tmp_path))


# ── laid out ──────────────────────────────────────────────────────────────────────────────────────────────────────


def written(root: Path, out: Path, form: str) -> dict[str, Any]:
    taken, shares = mix.take_all(shards_of(root / "plain"), shards_of(root / "fim"), names=["plain", "fim"])
    outputs = pack.plan(taken, shares, length=256)
    plain = [shards_of(root / name) for name in ("plain", "fim")]
    sequences = tokens_step.write(outputs["plan"], *plain, length=256, form=form, file_tokens=256 * 300)
    return build({**outputs, "sequences": sequences}, out=out, workers=1)


def test_sequences_are_laid_out_for_megatron(runs: Path, tmp_path: Path) -> None:
    manifest = written(runs, tmp_path, "megatron")
    expected = list(loader(runs, tmp_path))
    found = []
    for index in sorted((tmp_path / "sequences").glob("*.idx")):
        data = index.read_bytes()
        assert data[:9] == b"MMIDIDX\x00\x00"
        version, code, count, documents = struct.unpack_from("<QBQQ", data, 9)
        assert (version, code, documents) == (1, 8, count + 1)
        lengths = np.frombuffer(data, np.int32, count, 34)
        pointers = np.frombuffer(data, np.int64, count, 34 + 4 * count)
        indices = np.frombuffer(data, np.int64, offset=34 + 12 * count)
        assert indices.tolist() == list(range(count + 1))
        stored = index.with_suffix(".bin").read_bytes()
        assert len(stored) == 2 * lengths.sum()
        found += [np.frombuffer(stored, np.uint16, n, p) for n, p in zip(lengths, pointers, strict=True)]
    assert len(list((tmp_path / "sequences").iterdir())) > 4
    assert all(np.array_equal(a, b.tokens[: b.real]) for a, b in zip(found, expected, strict=True))
    counts = manifest["steps"][-1]["counts"]
    assert counts == {"sequences": len(expected), "tokens": sum(s.real for s in expected)}


def test_sequences_are_laid_out_as_parquet(runs: Path, tmp_path: Path) -> None:
    written(runs, tmp_path, "parquet")
    import pyarrow.parquet as pq

    files = sorted((tmp_path / "sequences").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(file) for file in files])
    expected = list(loader(runs, tmp_path))
    assert table["input_ids"].to_pylist() == [s.tokens.tolist() for s in expected]
    assert table["starts"].to_pylist() == [s.starts.tolist() for s in expected]
    assert table["real"].to_pylist() == [s.real for s in expected]


def test_a_form_that_is_none_is_refused(runs: Path) -> None:
    taken, shares = mix.take_all(shards_of(runs / "plain"), names=["plain"])
    plan = pack.plan(taken, shares, length=256)["plan"]
    with pytest.raises(cm.RecipeError, match="csv"):
        tokens_step.write(plan, shards_of(runs / "plain"), length=256, form="csv")
    with pytest.raises(cm.RecipeError, match="at least one sequence"):
        tokens_step.write(plan, shards_of(runs / "plain"), length=256, form="parquet", file_tokens=255)


def test_a_file_of_sequences_that_is_whole_is_not_written_again(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(runs, tmp_path / "plan", names=["plain"])
    tables = [Published(str(tmp_path / "plan"), "plan"), Published(str(runs / "plain"), "tokens")]
    read = [Reading(t.output, tuple(Part(f"part-{i:05d}", (p,)) for i, p in enumerate(t.pieces("x")))) for t in tables]
    out = OutFolder(Place.of(tmp_path / "out"))
    out.path.mkdir()
    wanted = {"length": 256, "form": "megatron", "file_tokens": 256 * 100}
    counts = tokens_step.write.function(*read, out=out, **wanted)
    files = {path: path.read_bytes() for path in out.path.glob("part-*")}
    assert len(files) > 4
    damaged = min(files)
    damaged.write_bytes(b"")
    again: list[str] = []
    honest = tokens_step.megatron
    monkeypatch.setattr(tokens_step, "megatron", lambda s, stem, d: again.append(stem.name) or honest(s, stem, d))
    assert tokens_step.write.function(*read, out=out, **wanted) == counts
    assert again == [damaged.stem]
    assert {path: path.read_bytes() for path in files} == files
