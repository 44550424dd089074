"""Sketches: one definition on every CPU, as accurate as theory allows, total on hostile text; and what uses them."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import sysconfig
import time
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from codemill import _core, near

PLAIN = {"ngram": 5, "unit": "word", "seed": 0}
EIGHT_MB = 8_000_000


def strings(texts: list[str | None]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def library(least: int = 1_000, most: int = 100_000) -> list[str]:
    """The standard library's modules, in the order of their names."""
    files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    files = [f for f in files if "site-packages" not in f.parts and least <= f.stat().st_size <= most]
    return [f.read_text(encoding="utf-8", errors="replace") for f in files]


def edited(text: str, *, share: float, seed: int) -> str:
    """The text with this share of its lines dropped, doubled or changed."""
    numbers = random.Random(seed)
    lines = []
    for line in text.splitlines():
        if numbers.random() >= share:
            lines.append(line)
        elif numbers.random() < 0.67:
            lines += [line, line.swapcase()] if numbers.random() < 0.5 else [line + f" edit{seed}"]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def pairs() -> tuple[pa.LargeStringArray, pa.LargeStringArray, np.ndarray]:
    """Modules, edits of them, and the exact similarity of each two."""
    originals, changed = [], []
    for i, text in enumerate(library()[::3]):
        for share in (0.002, 0.01, 0.05, 0.2, 0.5):
            originals.append(text)
            changed.append(edited(text, share=share, seed=i))
    a, b = strings(originals), strings(changed)
    exact = _core.jaccard(_core.shingles(a, **PLAIN), _core.shingles(b, **PLAIN))
    return a, b, exact.to_numpy().astype(float)


def test_the_definition_is_that_of_version_2() -> None:
    """Other values for the same text need another SKETCH_VERSION: sketches that were stored no longer fit."""
    assert _core.SKETCH_VERSION == 2
    text = strings(["def área(radius): return 3.14159 * radius ** 2  # 面积 of a circle_with_a_long_name\n" * 3])
    made = {
        "words": _core.sketch(text, hashes=300, **PLAIN),
        "seeded": _core.sketch(text, hashes=300, ngram=2, unit="word", seed=7),
        "chars": _core.sketch(text, hashes=300, ngram=9, unit="char", seed=0),
        "bands": _core.band_keys(text, bands=4, rows=7, **PLAIN),
    }
    got = {name: hashlib.sha256(array[0].as_py()).hexdigest()[:16] for name, array in made.items()}
    assert got == {
        "words": "0fbada7170114fb2",
        "seeded": "874e068c7001aba3",
        "chars": "833834186cb4ee08",
        "bands": "028d53fc8ad7a0d8",
    }


def test_the_instructions_that_are_used_are_some_that_are_there_and_stay() -> None:
    assert _core.simd_used() in _core.simd_levels()
    assert _core.simd_used() == _core.simd_used()


def test_every_instruction_set_gives_the_same() -> None:
    texts = library()[::40]
    texts += ["", "x", "漢字かな交じり文。" * 300, "é" * 5000, "\0" * 100, "a" * 4095 + " b", ("x" * 63 + " ") * 200]
    numbers = random.Random(4)
    alphabet = "ab_9 \n(é漢😀\x7f\x80@[`{/:"
    texts += ["".join(numbers.choices(alphabet, k=k)) for k in range(0, 400, 7)]
    content = strings(texts)
    levels = _core.simd_levels()
    assert levels[0] == "portable"
    for unit, ngram in (("word", 5), ("word", 1), ("char", 12)):
        options = {"unit": unit, "ngram": ngram, "seed": 3}
        for hashes in (1, 130, 256):
            first, *others = (_core.sketch(content, hashes=hashes, simd=level, **options) for level in levels)
            assert all(other.equals(first) for other in others)
        first, *others = (_core.band_keys(content, bands=5, rows=11, simd=level, **options) for level in levels)
        assert all(other.equals(first) for other in others)
        first, *others = (_core.shingles(content, simd=level, **options) for level in levels)
        assert all(other.equals(first) for other in others)


def test_words_as_documented() -> None:
    def count(text: str, **options: object) -> int:
        sets = _core.shingles(strings([text]), **{**PLAIN, "ngram": 1, **options})
        return len(sets[0]) if sets[0].is_valid else 0

    assert count("a_1 B2(c.d)->e") == 5
    assert count("über naïve") == 2
    assert count("漢字 かな") == 4  # a character of three bytes is a word
    assert count("aa aa AA") == 2  # case counts
    assert count("¡hola!") == 1  # bytes beyond ASCII belong to words
    assert count("a b c d e f", ngram=5) == 2
    assert count("a\n\tb  c/d-e", ngram=5) == 1
    same = _core.shingles(strings(["a b c d e", "a\tb;c(d)\r\ne.", "a b c e d"]), **PLAIN).to_pylist()
    assert same[0] == same[1] != same[2]
    assert count("abcd", unit="char", ngram=3) == 2
    assert count("abca", unit="char") == 3


def test_estimates_are_as_good_as_theory(pairs: tuple[pa.Array, pa.Array, np.ndarray]) -> None:
    a, b, exact = pairs
    assert len(exact) > 1500
    assert 0.3 < np.quantile(exact, 0.1) < np.quantile(exact, 0.7) < 1.0
    for hashes in (2048, 256):
        told = _core.sketch_similarity(
            _core.sketch(a, hashes=hashes, **PLAIN), _core.sketch(b, hashes=hashes, **PLAIN)
        ).to_numpy()
        error = np.sqrt(np.mean((told - exact) ** 2))
        expected = np.sqrt(np.mean(exact * (1 - exact) / hashes))
        assert error <= 1.05 * expected, f"{error / expected:.3f} of theory with {hashes} hashes"
        assert error >= 0.9 * expected  # better than theory would mean that the pairs are wrong


def test_bands_collide_as_the_curve_says(pairs: tuple[pa.Array, pa.Array, np.ndarray]) -> None:
    a, b, exact = pairs
    for bands, rows in ((16, 128), (16, 16)):
        found = [_core.band_keys(c, bands=bands, rows=rows, **PLAIN).to_pylist() for c in (a, b)]
        keys = [np.frombuffer(b"".join(column), "<u8").reshape(-1, bands) for column in found]
        hit = (keys[0] == keys[1]).any(axis=1)
        odds = np.array([near.collision_probability(s, bands=bands, rows=rows) for s in exact])
        assert abs(hit.sum() - odds.sum()) <= 4 * np.sqrt((odds * (1 - odds)).sum()) + 1
        assert hit[exact >= 0.995].mean() >= 0.99
        if rows == 128:
            assert not hit[exact <= 0.9].any()


def test_texts_without_a_word_have_no_sketch() -> None:
    content = strings(["", "one", "a b c d", "a b c d e", None, "().;\n", "漢字漢字", "漢字漢字漢"])
    for made in (
        _core.sketch(content, hashes=64, **PLAIN),
        _core.band_keys(content, bands=4, rows=16, **PLAIN),
        _core.shingles(content, **PLAIN),
    ):
        assert made.is_valid().to_pylist() == [False, True, True, True, False, False, True, True]
    assert len(_core.sketch(content[:0], hashes=64, **PLAIN)) == 0


def test_a_text_of_a_few_words_is_one_shingle_whatever_its_blanks() -> None:
    lines = strings(["a = b;\nc = 1\n", "a = b;\r\nc = 1\r\n", "a  = b;\tc = 1", "a = b;\nc - 1\n"])
    for unit, ngram in (("word", 5), ("char", 40)):
        sets = _core.shingles(lines, ngram=ngram, unit=unit, seed=0)
        assert [len(s) for s in sets.to_pylist()] == [1] * 4
        first = sets.take(pa.array([0, 0, 0]))
        assert _core.jaccard(first, sets[1:]).to_pylist() == [1.0, 1.0, 0.0]
    assert near.near_duplicates(lines)["kept"].to_pylist() == [0, 0, 0, 3]


def test_composed_and_decomposed_characters_are_the_same() -> None:
    text = "naïve café ế Ångström 한글 が über façade words to go on with " * 3
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    for unit in ("word", "char"):
        sets = _core.shingles(strings(forms), ngram=5, unit=unit, seed=0)
        assert sets[0] == sets[1]
    assert near.near_duplicates(forms)["kept"].to_pylist() == [0, 0]


def test_slices_are_read_where_they_begin() -> None:
    content = strings([*library()[:6], None, "a b c d e f"])
    whole = _core.sketch(content, hashes=64, **PLAIN)
    assert _core.sketch(content[3:], hashes=64, **PLAIN).equals(whole[3:])
    sets = _core.shingles(content, **PLAIN)
    ones = _core.jaccard(sets[2:], sets[2:])
    assert ones.to_pylist() == [1.0, 1.0, 1.0, 1.0, None, 1.0]
    assert _core.sketch_similarity(whole[1:], whole[1:]).to_pylist() == [1.0] * 5 + [None, 1.0]


@pytest.mark.parametrize(
    ("text", "shingles"),
    [
        ("x" * EIGHT_MB, 1),
        ("x;" * (EIGHT_MB // 2), 1),
        (" " * EIGHT_MB, 0),
        ("漢" * (EIGHT_MB // 3), 1),
        ("".join(f"v{i}=" for i in range(1_000_000)), 999_996),
    ],
    ids=["one word", "one letter", "blank", "ideographs", "one line"],
)
def test_eight_megabytes_in_one_line(text: str, shingles: int) -> None:
    start = time.process_time()
    content = strings([text])
    sketches = _core.sketch(content, hashes=256, **PLAIN)
    assert sketches.null_count == (shingles == 0)
    sets = _core.shingles(content, **PLAIN)
    assert (len(sets[0]) if sets[0].is_valid else 0) == shingles
    assert time.process_time() - start < 10


def test_memory_does_not_grow_with_the_text() -> None:
    def peak() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) << 10

    content = strings(["".join(f"v{i}=" for i in range(1_000_000))])
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    except OSError:
        pytest.skip("this system does not let a process reset its peak of memory")
    before = peak()
    _core.band_keys(content, bands=16, rows=128, **PLAIN)
    assert peak() - before < 2 << 20  # shingles × hashes would be 8 GB


def test_jaccard_is_that_of_sets() -> None:
    numbers = random.Random(2)
    sets = [sorted(numbers.sample(range(60), numbers.randrange(40))) for _ in range(200)]
    kind = pa.large_list(pa.uint64())
    a, b = pa.array(sets, kind), pa.array([*sets[1:], None], kind)
    got = _core.jaccard(a, b).to_pylist()
    for x, y, similarity in zip(sets[:-1], sets[1:], got[:-1], strict=True):
        union = set(x) | set(y)
        want = len(set(x) & set(y)) / len(union) if union else None
        assert similarity == (pytest.approx(want) if want is not None else None)
    assert got[-1] is None


def test_components_of_long_chains_and_large_stars() -> None:
    chain = np.arange(1_000_000, dtype=np.uint64)
    shuffled = np.random.default_rng(1).permutation(999_999)
    start = time.process_time()
    for order in (slice(None), slice(None, None, -1), shuffled):
        nodes, roots = _core.components(pa.array(chain[:-1][order]), pa.array(chain[1:][order]))
        assert (len(nodes), pa.compute.max(roots).as_py()) == (1_000_000, 0)
    star = np.full(1_000_000, 2**63, dtype=np.uint64)
    nodes, roots = _core.components(pa.array(star), pa.array(chain * np.uint64(2**40) + np.uint64(9)))
    assert len(nodes) == 1_000_001
    assert set(roots.to_numpy().tolist()) == {9}
    assert time.process_time() - start < 20
    nodes, roots = _core.components(pa.array([], pa.uint64()), pa.array([], pa.uint64()))
    assert (len(nodes), len(roots)) == (0, 0)


def test_a_bucket_of_200_000_equal_sketches() -> None:
    content = strings(["int main(void) { return 0; } // nothing to see"] * 200_000)
    start = time.process_time()
    keys = _core.band_keys(content, bands=16, rows=8, **PLAIN)
    assert len(keys.unique()) == 1
    rows = np.arange(200_000, dtype=np.uint64)
    _, roots = _core.components(pa.array(rows), pa.array(np.zeros_like(rows)))
    assert pa.compute.max(roots).as_py() == 0
    found = near.near_duplicates(content)
    assert found["kept"].unique().to_pylist() == [0]
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda c: _core.sketch(c, hashes=0, **PLAIN), "hashes: expected 1 to 65536, got 0"),
        (lambda c: _core.sketch(c, hashes=8, ngram=0, unit="word", seed=0), "ngram: expected 1 to 256, got 0"),
        (lambda c: _core.sketch(c, hashes=8, ngram=5, unit="line", seed=0), "unit: expected 'word' or 'char'"),
        (
            lambda c: _core.sketch(c, hashes=8, simd="mmx", **PLAIN),
            'simd: no "mmx"; known: portable, neon, avx2, avx512',
        ),
        (lambda c: _core.band_keys(c, bands=16, rows=60_000, **PLAIN), r"bands \* rows: expected 1 to 65536"),
        (lambda c: _core.components(pa.array([1, None], pa.uint64()), pa.array([1, 2], pa.uint64())), "null"),
        (lambda c: _core.components(pa.array([1], pa.uint64()), pa.array([], pa.uint64())), r"\[1, 0\]"),
        (lambda c: near.bands_for(0.0), "threshold: expected more than 0"),
        (lambda c: near.bands_for(0.001), r"too low for 2048 hashes.*at least 0\.003"),
        (lambda c: near.effective_threshold(0, 4), "bands: expected at least 1, got 0"),
        (lambda c: near.collision_probability(1.5, bands=1, rows=1), r"similarity: .* got 1\.5"),
    ],
)
def test_parameters_out_of_range_are_named(call: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        call(strings(["a b c d e"]))  # type: ignore[operator]


def test_arrays_of_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="content: expected an Arrow array of large_string, got string"):
        _core.sketch(pa.array(["a"]), hashes=8, **PLAIN)
    lists = pa.array([[1], [2]], pa.large_list(pa.int64()))
    with pytest.raises(ValueError, match="a: expected lists of uint64"):
        _core.jaccard(lists, lists)
    holes = pa.array([[1, None], [2]], pa.large_list(pa.uint64()))
    with pytest.raises(ValueError, match="without nulls in them"):
        _core.jaccard(holes, holes)
    unsorted = pa.array([[1], [2, 1]], pa.large_list(pa.uint64()))
    with pytest.raises(ValueError, match="a: the list of row 1 is not ascending"):
        _core.jaccard(unsorted, unsorted)
    sketches = [_core.sketch(strings(["a b c d e"]), hashes=n, **PLAIN) for n in (8, 16)]
    with pytest.raises(ValueError, match="32 and 64 bytes"):
        _core.sketch_similarity(*sketches)
    with pytest.raises(TypeError, match="got one string"):
        near.sketch("a b c d e")


def test_near_duplicates_keeps_the_first_and_drops_nothing_unlike() -> None:
    originals = library(5_000, 50_000)[::25]
    texts: list[str | None] = []
    for i, text in enumerate(originals):
        texts += [text, edited(text, share=0.01, seed=i), edited(text, share=0.6, seed=i)]
    texts += [None, "", "short", "short", originals[0]]
    found = near.near_duplicates(texts, threshold=0.8)
    kept = found["kept"].to_pylist()
    content = strings(texts)
    sets = _core.shingles(content, **PLAIN)
    exact = _core.jaccard(sets, sets.take(pa.array(kept))).to_pylist()
    for row, (leader, similarity) in enumerate(zip(kept, found["similarity"].to_pylist(), strict=True)):
        assert kept[leader] == leader <= row
        if leader != row:
            assert similarity >= 0.8
            assert similarity == pytest.approx(exact[row] if exact[row] is not None else 1.0)
    near_ones = [
        _core.jaccard(sets[i : i + 1], sets[i + 1 : i + 2])[0].as_py() for i in range(0, len(originals) * 3, 3)
    ]
    missed = [i for i, s in enumerate(near_ones) if s >= 0.85 and kept[3 * i + 1] == 3 * i + 1]
    assert not missed
    assert sum(s >= 0.85 for s in near_ones) > 20
    assert kept[-5:] == [len(texts) - 5, len(texts) - 4, len(texts) - 3, len(texts) - 3, 0]


def test_near_duplicates_does_not_follow_chains() -> None:
    words = [f"w{i}" for i in range(400)]
    chain = [" ".join(words[10 * step : 10 * step + 200]) for step in range(20)]
    kept = near.near_duplicates(chain, threshold=0.8)["kept"].to_pylist()
    assert kept[:4] == [0, 0, 0, 3] or kept[:3] == [0, 0, 2]
    assert len(set(kept)) >= 6


def test_near_duplicates_of_many_alike_is_linear() -> None:
    texts = [f"{' ' * i}{'alpha beta gamma delta epsilon zeta '}" for i in range(3_000)]
    start = time.process_time()
    assert near.near_duplicates(texts)["kept"].unique().to_pylist() == [0]
    assert time.process_time() - start < 20


def test_the_figure_of_the_curve_is_current() -> None:
    script = Path(__file__).resolve().parent.parent / "scripts" / "collision_curve.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_digests_of_sketches_are_the_band_keys() -> None:
    texts = pa.array(["a b c d e f", None, "too short", "one two three four five six seven"], pa.large_string())
    made = _core.sketch(texts, hashes=24, ngram=5, unit="word", seed=3)
    keys = _core.band_keys(texts, bands=6, rows=4, ngram=5, unit="word", seed=3)
    assert _core.band_digests(made, bands=6, rows=4, seed=3).equals(keys)
    assert _core.band_digests(made, bands=6, rows=4, seed=4) != keys
    with pytest.raises(ValueError, match="expected 5 x 4 x 4 bytes each, got 96"):
        _core.band_digests(made, bands=5, rows=4, seed=3)


def test_chunks_are_cut_where_words_begin() -> None:
    texts = pa.array(["a b (c) d", "", None], pa.large_string())
    assert _core.chunk_ends(texts, words=2).to_pylist() == [[5, 9], [0], None]
    longer = pa.array(["a b (c) d e"], pa.large_string())
    assert _core.chunk_ends(longer, words=2).to_pylist() == [[5, 10, 11]]
    assert _core.chunk_ends(longer, words=2, least=2).to_pylist() == [[5, 11]], "a rest belongs to the chunk before it"
    with pytest.raises(ValueError, match="words: expected 1 to"):
        _core.chunk_ends(texts, words=0)
    with pytest.raises(ValueError, match="least: expected 1 to 2, got 3"):
        _core.chunk_ends(texts, words=2, least=3)
