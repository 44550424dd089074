"""Tokenizer, shards, mixes, plans and the loader, over real files: nothing is lost, and nothing depends on workers."""

from __future__ import annotations

import json
import shutil
import struct
import sysconfig
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tokenizers

import codemill as cm
from bench.tokens import letters
from codemill.machine.builder import build
from codemill.machine.layers import Part
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.store import Place
from codemill.recipes import pretraining_mix, tokens
from codemill.sources import Folder, Published
from codemill.steps import detect, ingest, mix, pack, tokenize, tokenizer
from codemill.steps import tokens as tokens_step
from codemill.tokens import SPECIAL, Encoder, Loader, Shards
from codemill.tokens.encoder import LIBRARIES, PROBE
from codemill.tokens.special import END, MIDDLE, PREFIX, SUFFIX
from tests import toys

STDLIB = Path(sysconfig.get_path("stdlib"))
HOSTILE = (
    "",
    " ",
    "\r\n\t x",
    "<|endoftext|><|fim_prefix|> def f(): pass",
    "ſ'S İ'LL don’t ４２ Ⅷ ½ ١٢٣",
    "你好，世界 😀👩‍👩‍👧 e\u0301 \u2028\u2029\u0085\u00a0\ufeff\u200b\x00",
    "\ua7cf \U00010940 in Unicode 17 only",
    "x" * 50_000,
    " " * 50_000,
    "1" * 5_000 + "\n" * 5_000,
    "!-" * 5_000,
)


def documents() -> cm.Table:
    folders = [Folder(str(STDLIB / name), label=name, skip=("__pycache__",)) for name in ("email", "json", "http")]
    return detect.language(ingest.documents(sources=tuple(folders)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of real files, and its tokens with and without filling in the middle."""
    root = tmp_path_factory.mktemp("runs")
    build(documents(), out=root / "corpus", workers=1)
    build(tokens.tokens(corpus=str(root / "corpus"), vocabulary=1024, sample_bytes=300_000, fim_rate=0),
          out=root / "plain", workers=1)  # fmt: skip
    existing = str(root / "plain" / "tokenizer")
    build(tokens.tokens(corpus=str(root / "corpus"), existing=existing), out=root / "fim", workers=1)
    return root


def shards_of(run: Path) -> cm.Table:
    return ingest.published(source=Published(str(run), "tokens"))


def rows(shards: Shards) -> list[tuple[int, int]]:
    return [(part, row) for part in range(len(shards.files)) for row in range(shards.rows(part))]


def contents(root: Path) -> dict[str, str]:
    """The corpus's texts by id."""
    import pyarrow.dataset as ds

    table = ds.dataset(root / "corpus" / "corpus", format="parquet").to_table(columns=["id", "content"])
    return dict(zip(table["id"].to_pylist(), table["content"].to_pylist(), strict=True))


# ── the tokenizer ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tokenizer_loads_in_transformers_with_its_special_tokens_last(runs: Path) -> None:
    transformers = pytest.importorskip("transformers")
    loaded = transformers.AutoTokenizer.from_pretrained(runs / "plain" / "tokenizer")
    assert len(loaded) == 1024
    assert loaded.convert_tokens_to_ids(list(SPECIAL)) == list(range(1024 - len(SPECIAL), 1024))
    assert (loaded.eos_token, loaded.pad_token) == (END, "<|pad|>")
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "x = 1"}]
    made = loaded.apply_chat_template(chat, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    said = [i for i, mask in zip(made["input_ids"], made["assistant_masks"], strict=True) if mask]
    assert loaded.decode(said) == "x = 1<|im_end|>"
    text = next(iter(contents(runs).values()))
    assert loaded.decode(loaded(text)["input_ids"]) == text


def test_the_tokenizer_is_the_same_for_any_order_of_parts_and_any_threads(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = (runs / "plain" / "tokenizer" / "tokenizer.json").read_bytes()
    for number, parallel in enumerate(("false", "true")):
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", parallel)
        labels = ("http", "json", "email")  # sources the other way round are other parts
        sources = tuple(Folder(str(STDLIB / name), label=name, skip=("__pycache__",)) for name in labels)
        made = tokenizer.train(ingest.documents(sources=sources), vocabulary=1024, sample_bytes=300_000)
        build(made, out=tmp_path / str(number), workers=1)
        assert (tmp_path / str(number) / "corpus" / "tokenizer.json").read_bytes() == expected


def test_a_sample_is_bounded_and_grows_by_adding() -> None:
    hashes = pa.array([bytes([i, 0]) + bytes(30) for i in range(10)], pa.binary(32))
    batch = pa.record_batch({"content_sha256": hashes, "size": pa.array([100] * 10, pa.int64())})

    class Table:
        def batches(self, columns: Any) -> Any:
            yield batch.slice(0, 4)
            yield batch.slice(4)

    limits = [tokenizer._limit([Table()], most) for most in (1, 100, 350, 1000)]  # type: ignore[list-item]
    taken = [int((tokenizer._buckets(hashes) < limit).sum()) for limit in limits]
    assert taken == [1, 1, 3, 10]


@pytest.mark.parametrize("wrong", [{"vocabulary": 100}, {"sample_bytes": 0}])
def test_a_wrong_parameter_stops_before_any_work(wrong: dict[str, int]) -> None:
    with pytest.raises(cm.RecipeError, match="at least"):
        tokenizer.train(documents(), **{"vocabulary": 1024, "sample_bytes": 1, **wrong})


# ── the encoder ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_text_comes_back_and_none_writes_a_special_token(runs: Path, library: str) -> None:
    encoder = Encoder(runs / "plain" / "tokenizer", library)
    texts = [*HOSTILE, PROBE, *contents(runs).values()]
    offsets, ids = encoder.encode(pa.array(["first", *texts, "last"], pa.large_string()).slice(1, len(texts)))
    assert len(offsets) == len(texts) + 1
    assert ids.max() < 1024 - len(SPECIAL)
    for number, text in enumerate(texts):
        assert encoder.decode(ids[offsets[number] : offsets[number + 1]]) == text


def test_both_libraries_give_the_ids_of_tokenizers(runs: Path) -> None:
    folder = runs / "plain" / "tokenizer"
    reference = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    reference.encode_special_tokens = True
    texts = [*HOSTILE, *contents(runs).values()]
    expected = [reference.encode(text).ids for text in texts]
    for library in LIBRARIES:
        offsets, ids = Encoder(folder, library).encode(pa.array(texts, pa.large_string()))
        assert [ids[a:b].tolist() for a, b in pairwise(offsets)] == expected


def test_both_libraries_sort_characters_alike(tmp_path: Path) -> None:
    """Ids of a vocabulary that shows where a text is cut, for all code points that Unicode 14 has no character for."""
    byte = {code: letter for letter, code in letters().items()}
    vocabulary = {letter: i for i, letter in enumerate(sorted(byte.values()))}
    pairs = [(byte[ord(first)], byte[lead]) for first in "a! " for lead in range(0x80, 0xF5)]
    vocabulary |= {a + b: len(vocabulary) + i for i, (a, b) in enumerate(pairs)}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=pairs))
    made.pre_tokenizer = tokenizer._untrained(tokenizers).pre_tokenizer
    made.save(str(tmp_path / "tokenizer.json"))
    points = [p for p in range(0x80, 0x40000) if unicodedata.category(chr(p)) == "Cn"] + [0xA7CF, 0xE9, 0x660]
    texts = pa.array([f"a{chr(p)}x!{chr(p)}x {chr(p)}" for p in points], pa.large_string())
    (ours, found), (theirs, expected) = (Encoder(tmp_path, library).encode(texts) for library in LIBRARIES)
    edges = zip(points, pairwise(ours.tolist()), pairwise(theirs.tolist()), strict=True)
    different = [hex(p) for p, (a, b), (c, d) in edges if not np.array_equal(found[a:b], expected[c:d])]
    assert different == []


def test_an_encoder_forgets_what_it_has_seen(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder(runs / "plain" / "tokenizer", "gigatoken")
    text = pa.array([PROBE * 10], pa.large_string())
    first, made = encoder.encode(text)[1], encoder._made
    assert encoder._made is made
    monkeypatch.setattr("codemill.tokens.encoder.RENEW_BYTES", 1)
    assert np.array_equal(encoder.encode(text)[1], first)
    assert encoder._made is not made


def test_two_libraries_that_disagree_are_refused(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from codemill.tokens import encoder

    honest = encoder._gigatoken
    monkeypatch.setattr(encoder, "_gigatoken", lambda made, texts: (honest(made, texts)[0], honest(made, texts)[1] + 1))
    with pytest.raises(cm.EnvironmentProblem, match="different ids"):
        Encoder(runs / "plain" / "tokenizer", "gigatoken")


@pytest.mark.parametrize("text", ["", "[]", '{"added_tokens": [], "model": {"vocab": []}}'])
def test_a_folder_without_a_tokenizer_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(cm.InputError, match=r"tokenizer\.json"):
        Encoder(tmp_path)


# ── shards ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_shards_hold_every_document_token_for_token(runs: Path) -> None:
    texts, encoder = contents(runs), Encoder(runs / "plain" / "tokenizer")
    shards = Shards(runs / "plain" / "tokens")
    assert shards.dtype == np.uint16
    seen = {}
    for part, row in rows(shards):
        facts, ids = shards.row(part, row), shards.tokens(part, row)
        assert not ids.flags.owndata  # a view of the file
        assert (len(ids), ids[-1]) == (facts["num_tokens"], encoder.special[END])
        seen[facts["parent"]] = encoder.decode(ids[:-1])
    assert seen == texts
    shards.verify()


def test_a_document_cut_in_three_is_whole_when_put_together(runs: Path) -> None:
    texts, encoder = contents(runs), Encoder(runs / "fim" / "tokenizer")
    special = encoder.special
    shards = Shards(runs / "fim" / "tokens")
    forms: Counter[str | None] = Counter()
    for part, row in rows(shards):
        facts, ids = shards.row(part, row), shards.tokens(part, row)
        forms[facts["fim"]] += 1
        marks = {name: np.flatnonzero(ids == special[name]) for name in (PREFIX, SUFFIX, MIDDLE)}
        if facts["fim"] is None:
            assert not any(map(len, marks.values()))
            assert encoder.decode(ids[:-1]) == texts[facts["parent"]]
            continue
        (prefix,), (suffix,), (middle,) = marks.values()
        if facts["fim"] == "psm":
            text = [ids[prefix + 1 : suffix], ids[middle + 1 : -1], ids[suffix + 1 : middle]]
        else:
            assert suffix == prefix + 1
            text = [ids[middle + 1 : -1], ids[suffix + 1 : middle]]
        assert "".join(map(encoder.decode, text)) == texts[facts["parent"]]
    assert min(forms[None], forms["psm"], forms["spm"]) > 3


def test_a_damaged_shard_is_noticed(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "plain" / "tokens", tmp_path / "tokens")
    shards = Shards(tmp_path / "tokens")
    shards.verify()
    part = max(range(len(shards.files)), key=lambda p: shards.files[p].stat().st_size)
    ids = shards.tokens(part, 0).tobytes()
    data = bytearray(shards.files[part].read_bytes())
    data[data.index(ids)] ^= 1
    shards.files[part].write_bytes(data)
    with pytest.raises(cm.InputError, match="damaged in tokens"):
        Shards(tmp_path / "tokens").verify()


def test_shards_that_are_not_there_are_an_error(tmp_path: Path, runs: Path) -> None:
    with pytest.raises(cm.InputError, match="no token shards"):
        Shards(tmp_path)
    shards = Shards(runs / "plain" / "tokens")
    with pytest.raises(cm.InputError, match="no document"):
        shards.tokens(0, 10_000)
    with pytest.raises(cm.InputError, match="no shard"):
        shards.tokens(99, 0)


def test_ids_that_do_not_fit_are_refused(runs: Path) -> None:
    corpus = ingest.published(source=Published(str(runs / "corpus"), "corpus"))
    big = tokenizer.train(corpus, vocabulary=70_000, sample_bytes=1)
    assert tokenize.documents(corpus, big).params["dtype"] == "uint32"
    with pytest.raises(cm.RecipeError, match="uint8"):
        tokenize.documents(corpus, big, dtype="uint8")
    with pytest.raises(cm.RecipeError, match="fim_rate"):
        tokenize.documents(corpus, big, fim_rate=1.5)


# ── mixes and plans ───────────────────────────────────────────────────────────────────────────────────────────────


def planned(root: Path, out: Path, *, length: int = 256, workers: int = 1, unit: str = "document", **more: Any) -> Any:
    """A plan over the two runs; returns what mix.json says."""
    names = more.pop("names", ["plain", "fim"])
    taken, shares = mix.take_all(*(shards_of(root / name) for name in names), names=names, unit=unit, **more)
    seed = more.get("seed", 0)
    build(pack.plan(taken, shares, length=length, unit=unit, seed=seed), out=out, workers=workers)
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
    monkeypatch.setattr("codemill.machine.groups.GROUP_ROWS", 16)  # sequences that begin in one file and end in another
    planned(runs, tmp_path / "cut")
    assert len(list((tmp_path / "cut" / "plan").iterdir())) > 3
    whole, cut = loader(runs, tmp_path / "one"), loader(runs, tmp_path / "cut")
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(whole, cut, strict=True))


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


def test_documents_of_one_character_can_be_cut_in_three(tmp_path: Path) -> None:
    literals = ingest.documents(sources=(toys.Literals(("x", "a b", "é"), per_part=2),))
    corpus = detect.language(literals)
    made = tokenize.documents(corpus, tokenizer.train(corpus, vocabulary=300, sample_bytes=100), fim_rate=1)
    build({"tokens": made}, out=tmp_path, workers=1)
    shards = Shards(tmp_path / "tokens")
    assert [len(shards.tokens(part, row)) for part, row in rows(shards)] == [5, 7, 6]


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
