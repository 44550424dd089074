"""Trains the classifier that detection falls back on, and writes codemill/languages/classifier.bin.

    python -m bench.detect_train --work FOLDER --tables FOLDER

Only what Linguist's tables cannot tell reaches the classifier: files whose extension several languages share and that
no heuristic knows. The training files come out of the Debian source packages listed below, none of which is in the
set that bench/detect_oracle.py measures agreement on; the labels are Linguist's own verdicts on them.

The model is a softmax regression over hashed tokens (core/src/detect/classifier.rs makes the features, so training
and detection see the same), fitted per group of languages that share an extension: a language's weights only have to
tell it from those it can be confused with. Weights are rounded to 8 bits. The seed is fixed.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import corpus, detect_oracle, packages
from codemill import _core, languages

_BOOKWORM = """abseil angelscript autoconf binutils bison camlp5 cc65 coq-stdpp crmsh dav1d docbook-xml dokuwiki
flex flocq frama-c gambc gap-radiroot gcl gdal glibc glpk gmp gprolog haskell-mode helm hevea keystone
lepton-eda libdatetime-perl libdbi-perl libmojolicious-perl libmoose-perl libppi-perl libtool libvpx lwt m4
mediaelement minpack newlib nfs-utils octavia openscenegraph pforth phpmyadmin povray proguard proguard-core
puppet-module-ceph puppet-module-puppetlabs-rabbitmq qtbase-opensource-src rabbitmq-server raku-file-which
raku-hash-merge raku-json-name raku-json-optin raku-librarycheck raku-license-spdx raku-log raku-readline
raku-tap-harness raku-zef roundcube rpcsvc-proto rpm sdcc supercollider-sc3-plugins swig verilator x264"""
_TRIXIE = """aac-tactics arpack chezscheme coq-ext-lib coq-unicoq dub ejabberd gap gdnsd gnudatalanguage
gnustep-back gnustep-gui gorm.app haproxy-log-analysis hatari latexml lazarus libtirpc mesa-demos octave-signal
pocl psychtoolbox-3 puppet-module-puppetlabs-apache puppet-module-puppetlabs-mysql
puppet-module-puppetlabs-postgresql python-haproxyadmin python3.13 raku-file-find raku-getopt-long
raku-json-class raku-json-fast raku-json-marshal raku-json-unmarshal raku-meta6 raku-test-meta raku-uri"""
PACKAGES = {
    **dict.fromkeys(_BOOKWORM.split(), ("bookworm",)),
    **dict.fromkeys(_TRIXIE.split(), ("trixie",)),
    "dynare": ("bullseye",),
}
"""Debian source packages and the release each is taken from."""

TAKEN = (30, 120)
"""Files of one package: of a plain extension, of an ambiguous one."""

PER_LANGUAGE = 1000
"""Files at most per language, the ambiguous ones first."""
EPOCHS, BATCH, RATE, DECAY = 24, 512, 0.6, 1e-5
SHARPNESS = 8
"""Features have unit length: scores are scaled up so that a softmax can be sure."""


def groups() -> list[set[str]]:
    """Sets of languages that share an extension, or that a heuristic leaves together."""
    by_extension: dict[str, set[str]] = defaultdict(set)
    for language in languages.all():
        for extension in language.extensions:
            by_extension[extension.lower()].add(language.name)
    by_extension[".man"] |= {"roff", "roff manpage"}
    by_interpreter: dict[str, set[str]] = defaultdict(set)
    for language in languages.all():
        for interpreter in language.interpreters:
            by_interpreter[interpreter].add(language.name)
    return [g for g in (*by_extension.values(), *by_interpreter.values()) if len(g) > 1]


def chosen(labelled: Sequence[tuple[str, detect_oracle.File, str]], ambiguous: set[str]) -> list[tuple[str, str, bool]]:
    """(language, text, decided by Linguist's classifier) of the training set, bounded per language."""
    by_language: dict[str, list[tuple[bool, bytes, str, bool]]] = defaultdict(list)
    shared = Counter(e.lower() for language in languages.all() for e in language.extensions)
    for language, file, text in labelled:
        if language in ambiguous:
            unsure = shared[file.extension] > 1
            key = hashlib.sha256(f"{file.repo}/{file.path}".encode()).digest()
            by_language[language].append((not unsure, key, text, unsure))
    out = []
    for language, files in sorted(by_language.items()):
        files.sort(key=lambda f: f[:2])
        out += [(language, text, unsure) for _, _, text, unsure in files[:PER_LANGUAGE]]
    return out


def features(texts: Sequence[str]) -> np.ndarray:
    """One row of bucket values per text, float32."""
    x = np.zeros((len(texts), _core.CLASSIFIER_BUCKETS), np.float32)
    for start in range(0, len(texts), 1000):
        part = pa.array(texts[start : start + 1000], pa.large_string())
        buckets, values = _core.classifier_features(part)
        rows = np.repeat(np.arange(len(part)), np.diff(buckets.offsets.to_numpy()))
        x[start + rows, buckets.values.to_numpy()] = values.values.to_numpy()
    return x


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, confusable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (languages × buckets) and biases of a softmax in which each file competes only within its groups.

    `confusable[i, j]`: languages i and j share an extension. `weight` has the mean 1. Stochastic gradient descent with
    momentum, from zero, in an order drawn once from a fixed seed.
    """
    n = confusable.shape[0]
    w, b = np.zeros((n, x.shape[1]), np.float32), np.zeros(n, np.float32)
    vw, vb = np.zeros_like(w), np.zeros_like(b)
    mask = np.where(confusable, 0, -1e9).astype(np.float32)
    identity = np.eye(n, dtype=np.float32)
    order = np.random.default_rng(0)
    steps = EPOCHS * -(-len(x) // BATCH)
    done = 0
    for _ in range(EPOCHS):
        rows = order.permutation(len(x))
        for start in range(0, len(x), BATCH):
            part = rows[start : start + BATCH]
            z = SHARPNESS * (x[part] @ w.T) + b + mask[y[part]]
            z -= z.max(1, keepdims=True)
            p = np.exp(z)
            p /= p.sum(1, keepdims=True)
            g = (p - identity[y[part]]) * weight[part, None] / len(part)
            rate = RATE * (1 - done / steps)
            vw = 0.9 * vw - rate * (SHARPNESS * (g.T @ x[part]) + DECAY * w)
            vb = 0.9 * vb - rate * 0.1 * g.sum(0)
            w, b = w + vw, b + vb
            done += 1
    return SHARPNESS * w, b


def write(path: Path, names: Sequence[str], w: np.ndarray, b: np.ndarray) -> None:
    """The model's file: see `Classifier::new` in core/src/detect/classifier.rs."""
    scale = 127 / np.abs(w).max()
    out = [b"cmtoken1", struct.pack("<I", len(names))]
    for name, bias in zip(names, b, strict=True):
        out += [struct.pack("<I", len(name.encode())), name.encode(), struct.pack("<f", bias * scale)]
    out.append(np.rint(w * scale).astype(np.int8).tobytes())
    path.write_bytes(b"".join(out))


def train(labelled: Sequence[tuple[str, detect_oracle.File, str]], target: Path) -> Mapping[str, int]:
    """Fits and writes the model. Returns how many files each language had."""
    together = groups()
    files = chosen(labelled, set().union(*together))
    names = sorted({language for language, _, _ in files})
    index = {name: i for i, name in enumerate(names)}
    confusable = np.eye(len(names), dtype=bool)
    for group in together:
        for a in group & index.keys():
            for c in group & index.keys():
                confusable[index[a], index[c]] = True
    y = np.array([index[language] for language, _, _ in files])
    counts = np.bincount(y, minlength=len(names))
    # A language with few files weighs as much per file as it would with the square root of its share; files of an
    # ambiguous extension are what the model is for.
    unsure = np.array([u for _, _, u in files])
    weight = np.where(unsure, 4.0, 1.0) / np.sqrt(counts[y])
    weight = (weight / weight.mean()).astype(np.float32)
    w, b = fit(features([text for _, text, _ in files]), y, weight, confusable)
    write(target, names, w, b)
    return dict(zip(names, counts.tolist(), strict=True))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(".bench/detect_train"))
    parser.add_argument("--tables", type=Path, help="a folder with Linguist's YAML tables")
    args = parser.parse_args(argv)
    if both := PACKAGES.keys() & set(packages.FULL.debian):
        raise SystemExit(f"packages to train on and to measure on: {sorted(both)}")
    archives = args.work / "archives"
    cache = args.work / "labelled.pickle"
    if cache.exists():
        labelled = pickle.loads(cache.read_bytes())
    else:
        corpus.fetch(archives, packages.Wanted(debian=PACKAGES))
        pairs = list(detect_oracle.decoded(detect_oracle.sampled(archives, *TAKEN)))
        verdicts = detect_oracle.linguist([f for f, _ in pairs], args.tables)
        labelled = [
            (v.language, f, text)
            for (f, text), v in zip(pairs, verdicts, strict=True)
            if v is not None and v.language is not None
        ]
        cache.write_bytes(pickle.dumps(labelled))
    target = Path(languages.__file__).with_name("classifier.bin")
    counts = train(labelled, target)
    print(f"{target}: {target.stat().st_size} bytes, {len(counts)} languages, {sum(counts.values())} files")
    print(", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda kv: -kv[1])))


if __name__ == "__main__":
    try:
        main()
    except corpus.BenchError as error:
        sys.exit(str(error))
