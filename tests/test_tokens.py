"""Tokenizer, shards, mixes, plans and the loader, over real files: nothing is lost, and nothing depends on workers."""

from __future__ import annotations

import ast
import functools
import hashlib
import shutil
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

import codemill as cm
from bench.tokens import letters
from codemill.machine.builder import build
from codemill.sources import Published
from codemill.steps import detect, ingest, tokenize, tokenizer
from codemill.tokens import SPECIAL, Encoder, Shards
from codemill.tokens.encoder import CACHE_BYTES, LIBRARIES, PROBE
from codemill.tokens.special import END, MIDDLE, PREFIX, SUFFIX
from tests import toys
from tests.token_runs import documents, rows, sources

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
        files = ingest.documents(sources=sources("http", "json", "email"))  # the other way round: other parts
        made = tokenizer.train(files, vocabulary=1024, sample_bytes=300_000)
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


@given(st.lists(st.lists(st.sampled_from(["\n", "\r\n", " ", "\t", "a", "'s", "12", "!", "\ua7cf", "\u3000", "é"]))))
def test_lines_with_new_letters_are_cut_out_where_nothing_is_merged(runs: Path, texts: list[list[str]]) -> None:
    column = pa.array(["".join(text) for text in texts], pa.large_string())
    (a, found), (b, expected) = (encoder_of(runs, library).encode(column) for library in LIBRARIES)
    assert np.array_equal(a, b)
    assert np.array_equal(found, expected)


@functools.cache
def encoder_of(root: Path, library: str) -> Encoder:
    return Encoder(root / "plain" / "tokenizer", library)


def test_an_encoder_forgets_what_it_has_seen(runs: Path) -> None:
    encoder = Encoder(runs / "plain" / "tokenizer", "gigatoken")
    text = pa.array([PROBE * 10], pa.large_string())
    first, made = encoder.encode(text)[1], encoder._made
    assert encoder._made is made
    encoder._most = 1
    assert np.array_equal(encoder.encode(text)[1], first)
    assert encoder._made is not made
    assert encoder._most > CACHE_BYTES


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
    cuts: dict[str, list[bool]] = {"tree": [], "characters": []}
    for part, row in rows(shards):
        facts, ids = shards.row(part, row), shards.tokens(part, row)
        forms[facts["fim"]] += 1
        marks = {name: np.flatnonzero(ids == special[name]) for name in (PREFIX, SUFFIX, MIDDLE)}
        if facts["fim"] is None:
            assert not any(map(len, marks.values()))
            assert facts["fim_cut"] is None
            assert encoder.decode(ids[:-1]) == texts[facts["parent"]]
            continue
        (prefix,), (suffix,), (middle,) = marks.values()
        if facts["fim"] == "psm":
            text = [ids[prefix + 1 : suffix], ids[middle + 1 : -1], ids[suffix + 1 : middle]]
        else:
            assert suffix == prefix + 1
            text = [ids[middle + 1 : -1], ids[suffix + 1 : middle]]
        whole = texts[facts["parent"]]
        assert "".join(map(encoder.decode, text)) == whole
        if facts["fim"] == "psm" and facts["fim_cut"] in cuts and facts["language"] == "python":
            cuts[facts["fim_cut"]].append(encoder.decode(text[1]) in segments(whole))
    assert min(forms[None], forms["psm"], forms["spm"]) > 3
    # statements and expressions of Python's own; others are parameters, names and blocks
    assert sum(cuts["tree"]) > 1
    assert len(cuts["characters"]) > 3
    assert np.mean(cuts["characters"]) < 0.2


def segments(text: str) -> set[str | None]:
    """The texts of the statements and expressions of a program."""
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt | ast.expr))
    return {ast.get_source_segment(text, node) for node in nodes}


def test_the_middle_is_a_node_or_brackets_or_characters() -> None:
    texts = ["def f(é):\n    return é\n", "f(é[1]);\n", "plain words\n", "print f(x)\n", "f(é[1]);\n"]
    languages = ["python", "c", None, "python", "c"]
    batch = pa.record_batch(
        {
            "content": pa.array(texts, pa.large_string()),
            "content_sha256": pa.array([hashlib.sha256(bytes([i, 7])).digest() for i in range(5)], pa.binary(32)),
            "language": pa.array(languages, pa.string()),
        }
    )
    ways: dict[int, set[str]] = {i: set() for i in range(5)}
    for seed in range(200):
        cuts = tokenize._cuts(batch, fim_rate=1, fim_nodes=1, spm_rate=0.5, seed=seed)
        for row, cut in enumerate(cuts):
            assert cut is not None
            _, way, start, end = cut
            ways[row].add(f"{way}: {texts[row].encode()[start:end].decode()}" if way != "characters" else way)
    assert ways[0] >= {"tree: é", "tree: return é", "tree: def f(é):\n    return é"}
    assert ways[1] | ways[4] == {"brackets: é[1]", "brackets: 1", "characters"}
    assert ways[2] == {"characters"}
    assert ways[3] == {"brackets: x", "characters"}
    assert tokenize._cuts(batch, fim_rate=0, fim_nodes=1, spm_rate=0.5, seed=0) == [None] * 5
    plain = tokenize._cuts(batch, fim_rate=1, fim_nodes=0, spm_rate=0.5, seed=0)
    assert {cut[1] for cut in plain if cut is not None} == {"characters"}


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
    with pytest.raises(cm.RecipeError, match="fim_nodes"):
        tokenize.documents(corpus, big, fim_nodes=-1.0)


def test_documents_of_one_character_can_be_cut_in_three(tmp_path: Path) -> None:
    literals = ingest.documents(sources=(toys.Literals(("x", "a b", "é"), per_part=2),))
    corpus = detect.language(literals)
    made = tokenize.documents(corpus, tokenizer.train(corpus, vocabulary=300, sample_bytes=100), fim_rate=1)
    build({"tokens": made}, out=tmp_path, workers=1)
    shards = Shards(tmp_path / "tokens")
    assert [len(shards.tokens(part, row)) for part, row in rows(shards)] == [5, 7, 6]
