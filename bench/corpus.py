"""The bench corpus: real source files out of packages, with the copies that releases of one project share.

    python -m bench.corpus --out .bench [--small | --unseen | --sixth | --seventh]

fetch  upstream tarballs of Debian source packages, npm tarballs, wheels and sdists  → OUT/archives
pack   each archive's text files as one Parquet piece, several at a time              → OUT/pieces
join   the pieces, in the order of their names, as parts of 16,000 rows               → OUT/corpus
       and what came together, written last                                          → OUT/corpus.json

Run again, it goes on where it was stopped. Given the same archives the parts are the same bytes. Archives are
streamed and never unpacked to disk. Text is real; two columns are stand-ins, because packages do not carry them:
`stars` is a hash of the repository's name, `commit_time` the archive member's time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from bench import other_packages, packages

SCHEMA = pa.schema(
    [
        ("id", pa.binary(16)),  # of the row: engines that filter by a join need one
        ("repo", pa.string()),  # "debian/redis", "npm/react", "pypi/django"
        ("path", pa.string()),  # without the archive's own top folder
        ("revision", pa.string()),  # the package's version
        ("stars", pa.int64()),  # synthetic: see `stars`
        ("commit_time", pa.timestamp("us", tz="UTC")),  # the member's time
        ("size", pa.int64()),  # bytes
        ("content", pa.string()),
    ]
)
SOURCE = "parquet"
"""Goes into `id`, as it did when the corpus was first made."""

VERSION = 1
"""To be raised when the rules of what is taken change in a way that `build` cannot see: the corpus is made again."""

MAX_FILE = 1_000_000
ROW_GROUP, PART = 4_000, 16_000
SKIP = frozenset((".po", ".pot", ".svg", ".xpm", ".csv", ".qm", ".map", ".tfm", ".afm", ".pfa"))
"""Text, but translations, pictures and tables of numbers: not what a corpus of code would keep."""

CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
MARKED = (b"\xef\xbb\xbf", b"%PDF-", b"!<arch>")


class BenchError(Exception):
    """A benchmark cannot run; the message says what is missing."""


@dataclass(frozen=True)
class Archive:
    """One file of OUT/archives. `share` of its files are taken: those whose path hashes below it."""

    file: str
    sha256: str
    repo: str
    revision: str
    share: float = 1.0


def stars(repo: str) -> int:
    """Synthetic popularity: 0 to 9,999 from the SHA-256 of the repository's name."""
    return int.from_bytes(hashlib.sha256(repo.encode()).digest()[:4]) % 10_000


def document_id(repo: str, path: str, revision: str | None) -> bytes:
    """A name for each row: of two releases of a package, too."""
    digest = hashlib.sha256()
    for text in (SOURCE, repo, path, revision):
        raw = (text or "").encode()
        digest.update((2**64 - 1 if text is None else len(raw)).to_bytes(8, "little") + raw)
    return digest.digest()[:16]


# ── fetch ───────────────────────────────────────────────────────────────────────────────────────────────────


def fetch(archives: Path, wanted: packages.Wanted) -> list[Archive]:
    """Downloads what is missing, through the ordinary clients, and lists all of it.

    Raises: BenchError if a client is missing or a package cannot be had.
    """
    archives.mkdir(parents=True, exist_ok=True)
    found = [*_debian(archives, wanted.debian), *_npm(archives, wanted.npm), *_pypi(archives, wanted)]
    return sorted(found, key=lambda a: (a.repo, a.file))


def _run(command: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise BenchError(f"{command[0]} is needed to fetch the bench corpus; it is part of Debian and its relatives")
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{' '.join(command)[:300]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _debian(archives: Path, wanted: dict[str, tuple[str, ...]]) -> Iterator[Archive]:
    """Upstream tarballs, by `apt-get source --download-only` under an apt configuration of our own."""
    if not wanted:
        return
    home = archives.parent / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    sites = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(CODENAME)"], cwd=archives)
    mirror = next(
        (s.split()[0] for s in sites.splitlines() if s.split()[1:2] == ["Debian"] and "-" not in s.split()[2]),
        None,
    )
    if mirror is None:
        raise BenchError("apt knows of no Debian mirror: the bench corpus needs a Debian machine and `apt-get update`")
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    (home / "sources.list").write_text("".join(f"deb-src {key} {mirror} {r} main\n" for r in packages.RELEASES))
    (home / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{home}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{home}/lists";\nDir::Cache "{home}/cache";\n'
        'APT::Sandbox::User "root";\nAcquire::Languages "none";\nAcquire::Retries "3";\n'
    )
    env = {"APT_CONFIG": str(home / "apt.conf"), "LC_ALL": "C"}
    if not any((home / "lists").glob("*Sources*")):
        _run(["apt-get", "update"], cwd=archives, env=env)
    specs = [f"{name}/{release}" for name, releases in sorted(wanted.items()) for release in releases]
    source = ["apt-get", "source", "-q", "--tar-only"]
    with tempfile.TemporaryDirectory() as empty:  # in an empty folder apt lists all files, also those we have
        listed = _run([*source, "--print-uris", *specs], cwd=Path(empty), env=env)
    files = {line.split()[1]: line.split()[3] for line in listed.splitlines() if line.startswith("'")}
    # Debian's own part is left out, and so are second tarballs of a source, whose paths may meet the first one's.
    files = {file: sha for file, sha in sorted(files.items()) if not re.search(r"\.debian\.tar|\.orig-", file)}
    if missing := [file for file in files if not (archives / file).exists()]:
        print(f"fetching {len(missing)} tarballs", flush=True)
        _run([*source, "--download-only", *specs], cwd=archives, env=env)
    for file, sha256 in files.items():
        name, _, rest = file.partition("_")
        revision = re.sub(r"(\.orig.*|\.tar\..z2?)$", "", rest)
        share = packages.SHARE.get(name, packages.DEBIAN_SHARE)
        yield Archive(file, sha256.removeprefix("SHA256:"), f"debian/{name}", revision, share)


def _npm(archives: Path, wanted: tuple[str, ...]) -> Iterator[Archive]:
    for spec in wanted:
        name, _, version = spec.rpartition("@")
        file = f"{name.replace('@', '').replace('/', '-')}-{version}.tgz"
        if not (archives / file).exists():
            print(f"fetching {file}", flush=True)
            _run(["npm", "pack", "--silent", "--ignore-scripts", spec], cwd=archives)
        yield Archive(file, _sha256(archives / file), f"npm/{name}", version, packages.SHARE.get(name, 1.0))


def _pypi(archives: Path, wanted: packages.Wanted) -> Iterator[Archive]:
    for spec in wanted.pypi + wanted.sdists:
        name, _, version = spec.partition("==")
        suffix = ".tar.gz" if spec in wanted.sdists else ".whl"
        path = archives / f"{name}-{version}{suffix}"
        if not path.exists():
            print(f"fetching {path.name}", flush=True)
            source = ["--no-binary", name]  # and what builds it as wheels
            wheel = ["--only-binary", ":all:", "--python-version", "3.12"]
            with tempfile.TemporaryDirectory(dir=archives) as folder:  # packages spell the name in ways of their own
                options = ["--quiet", "--no-deps", *(source if spec in wanted.sdists else wheel)]
                _run([sys.executable, "-m", "pip", "download", *options, "--dest", folder, spec], cwd=archives)
                next(Path(folder).glob(f"*{suffix}")).rename(path)
        yield Archive(path.name, _sha256(path), f"pypi/{name}", version, packages.SHARE.get(name, 1.0))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ── pack ───────────────────────────────────────────────────────────────────────────────────────────────────


def members(path: Path) -> Iterator[tuple[str, float, bytes]]:
    """Regular files of an archive as (path, seconds since 1970, bytes), streamed; none above MAX_FILE."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for entry in wheel.infolist():
                if not entry.is_dir() and 0 < entry.file_size <= MAX_FILE:
                    yield (
                        entry.filename,
                        datetime(*entry.date_time, tzinfo=UTC).timestamp(),
                        wheel.read(entry),
                    )
        return
    with tarfile.open(path, mode="r|*") as tar:
        for member in tar:
            if member.isreg() and 0 < member.size <= MAX_FILE:
                file = tar.extractfile(member)
                if file is not None:
                    yield (
                        member.name.removeprefix("./").partition("/")[2] or member.name,
                        member.mtime,
                        file.read(),
                    )


def text_of(path: str, raw: bytes) -> str | None:
    """The text of a file that is plain UTF-8, under a name that is too; None for all others.

    Files with a byte-order mark, control characters or the head of a PDF are left out, so that no engine has rows
    that another would not take for text: the benchmark is about copies alone.
    """
    if PurePosixPath(path).suffix.lower() in SKIP or CONTROL.search(raw) or raw.startswith(MARKED):
        return None
    try:
        path.encode()
        return raw.decode()
    except UnicodeError:
        return None


def _in_share(path: str, share: float) -> bool:
    # By the hash of the path, so that the same files are taken of every release and their copies stay together.
    return share >= 1 or int.from_bytes(hashlib.sha256(path.encode()).digest()[:4]) < share * 2**32


def pack(archive: Archive, path: Path, target: Path) -> None:
    """Writes one archive's text files as a Parquet piece. Memory: the archive's text."""
    rows: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    seen: set[str] = set()
    for name, seconds, raw in members(path):
        text = text_of(name, raw) if _in_share(name, archive.share) else None
        if text is not None and name not in seen:  # a tarball may hold a name twice, and ids are to be unique
            seen.add(name)
            time = datetime.fromtimestamp(max(0, int(seconds)), UTC)
            key = document_id(archive.repo, name, archive.revision)
            values = (key, archive.repo, name, archive.revision, stars(archive.repo), time, len(raw), text)
            for column, value in zip(rows.values(), values, strict=True):
                column.append(value)
    partial = target.with_suffix(".tmp")
    pq.write_table(
        pa.table(rows, schema=SCHEMA),
        partial,
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP,
    )
    partial.rename(target)


# ── join ───────────────────────────────────────────────────────────────────────────────────────────────────


def join(pieces: list[Path], corpus: Path) -> dict[str, object]:
    """Concatenates pieces into parts, and says what came together."""
    partial = corpus.with_name(corpus.name + ".tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    seen: set[bytes] = set()
    ids: set[bytes] = set()
    suffixes: Counter[str] = Counter()
    origins: Counter[str] = Counter()
    rows = size = distinct_bytes = 0
    for number, table in enumerate(_parts(pieces)):
        ids.update(table["id"].to_pylist())
        for repo, path, text in zip(*(table[c].to_pylist() for c in ("repo", "path", "content")), strict=True):
            raw = text.encode()
            digest = hashlib.sha256(raw).digest()
            if digest not in seen:
                seen.add(digest)
                distinct_bytes += len(raw)
            suffixes[PurePosixPath(path).suffix.lower() or "(none)"] += len(raw)
            origins[repo.partition("/")[0]] += len(raw)
            rows, size = rows + 1, size + len(raw)
        file = partial / f"part-{number:03d}.parquet"
        pq.write_table(table, file, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
    if not rows or len(ids) != rows:
        raise BenchError(
            f"{rows} text files with {len(ids)} ids found in {len(pieces)} pieces: there must be some, of one id each"
        )
    shutil.rmtree(corpus, ignore_errors=True)
    partial.rename(corpus)
    return {
        "files": rows,
        "bytes": size,
        "parquet_bytes": sum(p.stat().st_size for p in corpus.iterdir()),
        "distinct_files": len(seen),
        "distinct_bytes": distinct_bytes,
        "bytes_by_origin": dict(origins.most_common()),
        "bytes_by_suffix": dict(suffixes.most_common(40)),
        "suffixes": len(suffixes),
    }


def _parts(pieces: list[Path]) -> Iterator[pa.Table]:
    waiting = SCHEMA.empty_table()
    for piece in pieces:
        waiting = pa.concat_tables([waiting, pq.read_table(piece)])
        while waiting.num_rows >= PART:
            yield waiting.slice(0, PART)
            waiting = waiting.slice(PART).combine_chunks()
    if waiting.num_rows:
        yield waiting


def _key(wanted: packages.Wanted) -> str:
    """Changes when what is taken does."""
    shares = [packages.SHARE, packages.DEBIAN_SHARE]
    chosen = {kind: of for kind, of in asdict(wanted).items() if of}
    rules = [VERSION, chosen, shares, str(SCHEMA), MAX_FILE, sorted(SKIP), CONTROL.pattern.decode()]
    return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]


def build(out: Path, *, small: bool = False, other: str | None = None, workers: int = 2) -> Path:
    """Makes OUT/corpus unless it is there already for the same packages; returns it."""
    corpus, record = out / "corpus", out / "corpus.json"
    wanted = other_packages.OTHERS[other] if other else packages.SMALL if small else packages.FULL
    key = _key(wanted)
    if record.exists() and json.loads(record.read_text())["wanted"] == key:
        return corpus
    archives = fetch(out / "archives", wanted)
    (out / "pieces").mkdir(exist_ok=True)
    todo, pieces = [], []
    for archive in archives:
        name = hashlib.sha256(json.dumps([asdict(archive), key]).encode()).hexdigest()[:8]
        piece = out / "pieces" / f"{archive.file}.{name}.parquet"
        pieces.append(piece)
        if not piece.exists():
            todo.append((archive, out / "archives" / archive.file, piece))
    with ProcessPoolExecutor(workers) as pool:
        for number, _ in enumerate(pool.map(pack, *zip(*todo, strict=True)) if todo else (), 1):
            if number % 50 == 0 or number == len(todo):
                print(f"packed {number} of {len(todo)} archives", flush=True)
    found = join(pieces, corpus)
    listing = {a.file: a.sha256 for a in archives}
    fingerprint = hashlib.sha256(json.dumps([listing, key]).encode()).hexdigest()[:16]
    record.write_text(
        json.dumps({"wanted": key, "fingerprint": fingerprint, **found, "archives": listing}, indent=1) + "\n"
    )
    shutil.rmtree(out / "pieces")
    return corpus


def place(out: Path, *, small: bool) -> Path:
    """Where the corpus is that `python -m bench` makes: with `small` a folder of its own, below the large one's."""
    return out / "small" if small else out


def from_folder(root: Path, out: Path, *, copies: int = 2) -> Path:
    """A corpus of a folder's files, each `copies` times under another repository: for smoke tests, no network."""
    rows = []
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        name = path.relative_to(root).as_posix()
        raw = path.read_bytes()[:MAX_FILE]
        text = text_of(name, raw) if raw else None
        for copy in range(copies if text is not None else 0):
            repo, time = f"local/copy-{copy}", datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
            row = (document_id(repo, name, "1"), repo, name, "1", stars(repo), time, len(raw), text)
            rows.append(dict(zip(SCHEMA.names, row, strict=True)))
    piece = out / "piece.parquet"
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), piece)
    join([piece], out / "corpus")
    piece.unlink()
    return out / "corpus"


def describe(out: Path) -> str:
    """The composition in a few lines, from OUT/corpus.json."""
    found = json.loads((out / "corpus.json").read_text())
    mb = {k: f"{v / 1e6:,.0f}" for k, v in found["bytes_by_suffix"].items()}
    dup_rows = 1 - found["distinct_files"] / found["files"]
    dup_bytes = 1 - found["distinct_bytes"] / found["bytes"]
    return (
        f"{found['files']:,} files, {found['bytes'] / 1e6:,.1f} MB of text, {found['parquet_bytes'] / 1e6:,.1f} MB as "
        f"Parquet, from {len(found['archives'])} archives (fingerprint {found['fingerprint']})\n"
        f"exact duplicates: {dup_rows:.1%} of files, {dup_bytes:.1%} of bytes; {found['suffixes']:,} file suffixes\n"
        f"MB by origin: {', '.join(f'{k} {v / 1e6:,.0f}' for k, v in found['bytes_by_origin'].items())}\n"
        f"MB by suffix: {', '.join(f'{k} {v}' for k, v in list(mb.items())[:30])}"
    )


def main(argv: list[str] | None = None) -> None:
    """Builds the corpus and prints what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    parser.add_argument("--small", action="store_true", help="a few packages, tens of MB")
    for name in other_packages.OTHERS:
        words = "other projects, whose lines no rule was mended on"
        parser.add_argument(f"--{name}", action="store_const", const=name, dest="other", help=words)
    args = parser.parse_args(argv)
    build(args.out.resolve(), small=args.small, other=args.other)
    print(describe(args.out))


if __name__ == "__main__":
    main()
