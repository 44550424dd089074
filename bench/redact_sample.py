"""Draws lines out of the bench corpus for `bench/data/redact_labels.tsv`, and turns marks into its rows.

    python -m bench.redact_sample draw --out .bench --set tuning > sheet.jsonl
    python -m bench.redact_sample collect sheet.jsonl marks.txt >> bench/data/redact_corpus.tsv

*Drawn* are lines that a pattern below finds. The patterns share nothing with the rules of redaction and are far wider
than they (any four numbers with dots, anything that stands behind a word like "pass"), so that what the rules miss is
in the sample too. Each pattern is a stratum with its own number of lines: the rare ones would drown in the common.
Within a stratum the order is the SHA-256 of seed, repository, path and line; of one repository three lines are taken
at most, of one kind of file a third, and no line twice. Repositories whose hash is even are for tuning, the others are
held out.

*Marks* are one line for each line of the sheet that has something to find: its number, then `kind` (the pattern's match
is one) or `kind=text` for each value. Rules of marking are in docs/cleaning.md. The rows name the place of a line, the
columns of its values and the start of its SHA-256, and neither the line nor a value.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import heapq
import ipaddress
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

COLUMNS = ("drawn_for", "repo", "revision", "path", "line", "sha256", "labels", "set")
LONGEST = 300
"""Characters of a line that a reader can take in."""


@dataclass(frozen=True)
class Stratum:
    """Lines with a match of `pattern` for which `where` holds; `take` of them are drawn for each set, out of one in
    `of` files: what is common need not be sought in all."""

    kind: str
    name: str
    pattern: re.Pattern[bytes]
    take: int
    of: int
    where: Callable[[str], bool]


def _public(match: str) -> bool:
    try:
        return ipaddress.ip_address(match).is_global
    except ValueError:
        return False


def _stratum(
    kind: str,
    name: str,
    take: int,
    of: int,
    pattern: bytes,
    where: Callable[[str], bool] = lambda match: True,
    flags: re.RegexFlag = re.IGNORECASE,
) -> Stratum:
    return Stratum(kind, name, re.compile(pattern, flags), take, of, where)


def _spread(match: str) -> bool:
    """Public, and two numbers are larger than those of versions."""
    return _public(match) and sum(int(n) > 40 for n in match.split(".")) > 1


V4 = rb"(?<![0-9])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])"
V6 = rb"(?<![0-9a-z:.])[23][0-9a-f]{3}(?::[0-9a-f]{0,4}){2,7}(?![0-9a-z:])"
PASS = rb"(?:pass(?:word|wd|phrase|code)?|pwd|passwort)"
SECRET = rb"(?:secret|token|credential|api_?-?key|access_?-?key|auth_?-?key|private_?-?key|client_?-?id)"
EITHER = (
    rb"(?:pass|pwd|secret|token|credential|api_?-?key|access_?-?key|auth_?-?key|private_?-?key)[\w-]{0,20}[\"'\]]{0,3}"
)
FORMATS = (
    rb"\b(?:A[KS]IA[0-9A-Z]{16}|gh[opsur]_[0-9A-Za-z]{20,}|github_pat_\w{20,}|glpat-[\w-]{15,}|xox[a-z]-[\w-]{10,}"
    rb"|AIza[\w-]{30,}|[rsp]k_(?:live|test)_\w{10,}|sk-[0-9A-Za-z_-]{20,}|npm_\w{30,}|pypi-\w{20,}|hf_\w{20,}"
    rb"|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_\w{20,}|shp[a-z]{2}_\w{20,}|ya29\.[\w-]{20,}|[0-9]{8,10}:AA[\w-]{30,}"
    rb"|(?:AC|SK)[0-9a-f]{32}|hooks\.slack\.com/services/\S{20,}|sha256~[\w-]{20,})"
)
GROUPS = rb"(?:[ ().\-/]{0,2}[0-9])"
STRATA = (
    _stratum("ip", "spread", 45, 1, V4, _spread),
    _stratum("ip", "public", 35, 4, V4, lambda m: _public(m) and not _spread(m)),
    _stratum("ip", "other", 10, 16, V4, lambda m: not _public(m)),
    _stratum("ip", "v6", 15, 1, V6, _public),
    _stratum("phone", "plus", 40, 1, rb"\+(?<![0-9a-z]\+)[1-9][0-9]{0,2}[ ().\-/]{1,2}" + GROUPS + rb"{5,13}(?![0-9a-z])"),
    _stratum("phone", "digits", 10, 1, rb"\+(?<![0-9a-z]\+)[1-9][0-9]{7,14}(?![0-9a-z])"),
    _stratum("phone", "america", 20, 1, rb"(?<![0-9a-z.])\(?[2-9][0-9]{2}\)?[-. ]{1,2}[2-9][0-9]{2}[-.][0-9]{4}(?![0-9a-z])"),
    _stratum("phone", "word", 50, 1, rb"(?:phone|\btel\b|\bfax\b|telefon|\bmobile\b)[^\n0-9+]{1,12}\+?" + GROUPS + rb"{6,14}"),
    _stratum("user", "home", 60, 2, rb"(?:/home/|/users/|\\users\\\\?|\bsettings\\\\?|/u/)[^\s/\\\"'<>]{2,32}"),
    _stratum("user", "address", 15, 1, rb"://[^\s/@\"'<>]{2,64}@"),
    _stratum("password", "quoted", 60, 2, PASS + rb"[\"'\]]{0,3}[ \t]{0,4}(?:=>?|:)[ \t]{0,4}[bru]?[\"'][^\"'\n]{3,80}[\"']"),
    _stratum("password", "call", 20, 4, PASS + rb"[ \t]{0,4}\([ \t]{0,4}[bru]?[\"'][^\"'\n]{3,80}[\"']"),
    _stratum("password", "secret", 40, 2, SECRET + rb"\w{0,6}[\"'\]]{0,3}[ \t]{0,4}(?:=>?|:|\()[ \t]{0,4}[\"'](?=[^\"'\n]{0,80}[0-9])[^\"'\n]{8,120}[\"']"),
    _stratum("password", "bare", 40, 4, PASS + rb"[ \t]{0,4}[:=][ \t]{0,4}[^\s\"'(){}\[\],;<>$]{4,80}(?=\s)"),
    _stratum("password", "any", 20, 16, EITHER + rb"[^\n\w]{1,6}(?=[^\s\"']{0,30}[0-9])[^\s\"']{5,80}"),
    _stratum("password", "address", 20, 1, rb"://[^\s/@\"'<>:]{1,64}:[^\s/@\"'<>]{2,64}@"),
    _stratum("password", "option", 15, 1, rb"(?:[ \"']--?(?:pass\w*|pwd|token|secret)[ =]|authorization[\"']?[:,] ?[\"']?(?:bearer|basic) )[^\s\"']{4,80}"),
    _stratum("key", "pem", 40, 1, rb"(?<=PRIVATE KEY-----)(?:\\n|[\s\"'+,]){1,12}[0-9a-z+/=]{20,}"),
    _stratum("key", "prefix", 40, 1, FORMATS, flags=re.NOFLAG),
    _stratum("key", "jwt", 25, 1, rb"eyJ[\w-]{10,}\.[\w-]{10,}", flags=re.NOFLAG),
    _stratum("key", "random", 25, 8, rb"[\"'][\w+=-]{32,120}[\"']", lambda m: any(c.isdigit() for c in m)),
    _stratum("email", "at", 60, 16, rb"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    _stratum("name", "word", 60, 32, rb"(?:@author|\bauthors?\b|maintainer|written by|\bby\b|thanks|[a-z]-by:|contributor|copyright|\(c\)|\xc2\xa9)[^\n]{0,40}?(?-i:\b[A-Z\x80-\xff][\w\x80-\xff'.-]+ [A-Z\x80-\xff][\w\x80-\xff'.-]*)"),
    _stratum("password", "mixed", 50, 3, PASS + rb"[\"'\]]{0,3}[ \t]{0,4}(?:=>?|:)[ \t]{0,4}[\"']?(?=[^\"'\s]{0,40}[0-9])(?=[^\"'\s]{0,40}[A-Za-z])[^\"'\s(){}$<>\[\]]{5,60}(?=[\"'\s])"),
    _stratum("name", "task", 15, 8, rb"\b(?:TODO|FIXME|XXX|HACK|NOTE)\b[ :]{0,2}[(\[][\w.@ -]{2,24}[)\]]|@author[ :]{1,3}[\w.-]{2,24}"),
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Line:
    """A drawn line; ordered by its hash."""

    rank: bytes
    repo: str
    revision: str
    path: str
    number: int
    text: str
    match: str


def held_out(repo: str) -> bool:
    """Whether the lines of a repository are kept from those who write rules."""
    return hashlib.sha256(repo.encode()).digest()[0] % 2 == 1


def documents(corpus: Path) -> Iterator[tuple[str, str, str, bytes]]:
    """Repository, revision, path and content, each content once."""
    seen: set[bytes] = set()
    for part in sorted(corpus.glob("*.parquet")):
        for batch in pq.ParquetFile(part).iter_batches(1000, columns=["repo", "revision", "path", "content"]):
            for repo, revision, path, content in zip(*(c.to_pylist() for c in batch.columns), strict=True):
                raw = content.encode()
                digest = hashlib.sha256(raw).digest()[:12]
                if digest not in seen:
                    seen.add(digest)
                    yield repo, revision, path, raw


def candidates(corpus: Path, seed: int, held: bool, strata: Sequence[Stratum]) -> dict[Stratum, list[Line]]:
    """For each stratum the lines of lowest hash, many more than will be taken."""
    heaps: dict[Stratum, list[tuple[bytes, Line]]] = defaultdict(list)
    for repo, revision, path, raw in documents(corpus):
        if held_out(repo) is not held:
            continue
        share = int.from_bytes(hashlib.sha256(f"{repo} {path}".encode()).digest()[:4])
        for stratum in strata:
            if share % stratum.of:
                continue
            heap, room = heaps[stratum], 60 * stratum.take
            for count, match in enumerate(stratum.pattern.finditer(raw)):
                if count == 50:  # of a file that is a list of them
                    break
                at = match.end() - 1
                begin, end = raw.rfind(b"\n", 0, at) + 1, raw.find(b"\n", at)
                line = raw[begin : end if end >= 0 else len(raw)]
                found = match[0].decode(errors="replace").strip()
                if len(line) > LONGEST or not stratum.where(found):
                    continue
                rank = hashlib.sha256(f"{seed} {repo} {path} ".encode() + line).digest()
                inverse = bytes(255 - b for b in rank)
                if len(heap) == room and inverse <= heap[0][0]:
                    continue
                text = line.decode(errors="replace")
                number = raw.count(b"\n", 0, begin) + 1
                drawn = (inverse, Line(rank, repo, revision, path, number, text, found))
                (heapq.heappushpop if len(heap) == room else heapq.heappush)(heap, drawn)
    return {stratum: sorted(line for _, line in heap) for stratum, heap in heaps.items()}


def draw(corpus: Path, seed: int, held: bool, only: str, share: float) -> Iterator[tuple[Stratum, Line]]:
    """The sample of one set, or of one stratum of it, or a share of each."""
    strata = [stratum for stratum in STRATA if only in ("", f"{stratum.kind}.{stratum.name}")]
    strata = [dataclasses.replace(stratum, take=round(stratum.take * share)) for stratum in strata]
    found = candidates(corpus, seed, held, strata)
    used: set[str] = set()
    for stratum in strata:
        repos, suffixes, taken = Counter[str](), Counter[str](), 0
        for line in found.get(stratum, []):
            suffix = PurePosixPath(line.path).suffix
            tidy = re.sub(r"\W+", " ", line.text).strip()
            if tidy in used or repos[line.repo] == 3 or suffixes[suffix] >= max(4, stratum.take // 3):
                continue
            used.add(tidy)
            repos[line.repo] += 1
            suffixes[suffix] += 1
            taken += 1
            yield stratum, line
            if taken == stratum.take:
                break


def collect(sheet: Path, marks: Path) -> Iterator[tuple[str, ...]]:
    """Rows of labels. Raises: ValueError if a mark's text is not in its line."""
    marked: dict[str, str] = {}
    for row in marks.read_text(encoding="utf-8").splitlines():
        number, _, values = row.partition(" ")
        marked[number] = values
    for row in sheet.read_text(encoding="utf-8").splitlines():
        number, which, kind, _, repo, revision, path, line, match, text = json.loads(row)
        given = marked.pop(str(number), "")
        if given == "?":
            continue  # not even a reader can tell
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        yield kind, repo, revision, path, str(line), digest, " ".join(spans(number, text, match, given)), which
    if marked:
        raise ValueError(f"marks of lines that the sheet does not have: {', '.join(marked)}")


def spans(number: str, text: str, match: str, given: str) -> Iterator[str]:
    """`start:end:kind` for each mark of a line, in characters."""
    at: Counter[str] = Counter()
    for mark in given.split("\x1f") if "\x1f" in given else given.split("  "):
        kind, sign, value = mark.strip().partition("=")
        if not kind:
            continue
        value = value if sign else match
        start = text.find(value, at[value])
        if start < 0:
            raise ValueError(f"line {number} has no {value!r}")
        at[value] = start + len(value)
        yield f"{start}:{start + len(value)}:{kind}"


def main(argv: list[str] | None = None) -> None:
    """Prints a sheet, or the rows made of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("draw", help="print the lines of one set")
    one.add_argument("--out", type=Path, default=Path(".bench"), help="folder with the bench corpus")
    one.add_argument("--set", choices=("tuning", "held_out"), required=True)
    one.add_argument("--seed", type=int, default=5)
    one.add_argument("--only", default="", metavar="KIND.STRATUM", help="of one stratum")
    one.add_argument("--share", type=float, default=1.0, help="of the lines of each stratum")
    two = verbs.add_parser("collect", help="print the rows of labels of a sheet and its marks")
    two.add_argument("sheet", type=Path)
    two.add_argument("marks", type=Path)
    args = parser.parse_args(argv)
    if args.verb == "collect":
        for row in collect(args.sheet, args.marks):
            print("\t".join(row))
        return
    for number, (stratum, line) in enumerate(
        draw(args.out / "corpus", args.seed, args.set == "held_out", args.only, args.share), 1
    ):
        place = (line.repo, line.revision, line.path, line.number)
        print(json.dumps([number, args.set, stratum.kind, stratum.name, *place, line.match, line.text]))


if __name__ == "__main__":
    main()
