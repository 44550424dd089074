"""Draws lines out of the bench corpora for `bench/data/redact_labels*.tsv`, and turns marks into rows of theirs.

    python -m bench.redact_sample draw --out .bench --unseen .bench-unseen --set fourth > sheet.jsonl
    python -m bench.redact_sample collect sheet.jsonl marks.txt >> bench/data/redact_labels_unseen.tsv

*Drawn* are lines that a pattern below finds. The patterns share nothing with the rules of redaction and are far wider
than they (any four numbers with dots, anything that stands behind a word like "pass"), so that what the rules miss is
in the sample too. Each pattern is a stratum with its own number of lines: the rare ones would drown in the common.
Within a stratum the order is the SHA-256 of seed, repository, path and line; of one repository three lines are taken
at most, of one kind of file a third, and no line twice. Repositories whose hash is even are for tuning, the others are
held out. The *third* set came after both: out of files of which no line was labelled, and no line of it holds a value
that the other two have; a line that reads as one of theirs is left out, and no other takes its place. It takes half of
the files of at most 200,000 bytes, but all files where values are rare. The *fourth* and the *fifth* are drawn so too,
out of a corpus of other projects (`python -m bench.corpus --unseen --out .bench-unseen`), the fourth from repositories
with an even hash, the fifth from the others and after the fourth was labelled. The *sixth* is of a third corpus
(`--sixth --out .bench-sixth`), the *seventh* of a fourth one (`--seventh`), each of all its repositories.

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
import multiprocessing
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import other_packages, redact

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
    where: Callable[[str], bool] = bool,
    flags: re.RegexFlag = re.IGNORECASE,
) -> Stratum:
    return Stratum(kind, name, re.compile(pattern, flags), take, of, where)


def _spread(match: str) -> bool:
    """Public, and two numbers are larger than those of versions."""
    return _public(match) and sum(int(n) > 40 for n in match.split(".")) > 1


def _close(match: str) -> bool:
    return _public(match) and not _spread(match)


def _special(match: str) -> bool:
    return not _public(match)


def _digits(match: str) -> bool:
    return any(c.isdigit() for c in match)


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
    _stratum("ip", "public", 35, 4, V4, _close),
    _stratum("ip", "other", 10, 16, V4, _special),
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
    _stratum("key", "random", 25, 8, rb"[\"'][\w+=-]{32,120}[\"']", _digits),
    _stratum("email", "at", 60, 16, rb"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    _stratum("name", "word", 60, 32, rb"(?:@author|\bauthors?\b|maintainer|written by|\bby\b|thanks|[a-z]-by:|contributor|copyright|\(c\)|\xc2\xa9)[^\n]{0,40}?(?-i:\b[A-Z\x80-\xff][\w\x80-\xff'.-]+ [A-Z\x80-\xff][\w\x80-\xff'.-]*)"),
    _stratum("password", "mixed", 50, 3, PASS + rb"[\"'\]]{0,3}[ \t]{0,4}(?:=>?|:)[ \t]{0,4}[\"']?(?=[^\"'\s]{0,40}[0-9])(?=[^\"'\s]{0,40}[A-Za-z])[^\"'\s(){}$<>\[\]]{5,60}(?=[\"'\s])"),
    _stratum("name", "task", 15, 8, rb"\b(?:TODO|FIXME|XXX|HACK|NOTE)\b[ :]{0,2}[(\[][\w.@ -]{2,24}[)\]]|@author[ :]{1,3}[\w.-]{2,24}"),
    _stratum("user", "folder", 60, 1, rb"(?:(?<![\w.%}-])/(?:home|Users)/|[a-z]:[\\/]{1,4}Users[\\/]{1,4})[a-z][\w.-]{1,30}(?=[/\\\"'\s:])"),
)  # fmt: skip


WORD, LINK = r"(?i)(?:pass|pwd)[a-z]{0,6}", r"""["'\]]{0,3}[ \t]{0,4}(?:=|:)"""
HINTS = {
    "ip": r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
    "ip.v6": r"(?i)[23][0-9a-f]{3}:[0-9a-f]{0,4}:",
    "phone.plus": r"\+[1-9][0-9]{0,2}[ ().\-/]{1,4}[0-9]",
    "phone.digits": r"\+[1-9][0-9]{7}",
    "phone.america": r"[2-9][0-9]{2}\)?[-. ]{1,2}[2-9][0-9]{2}[-.][0-9]{4}",
    "phone.word": r"(?i)(?:phone|tel|fax|telefon|mobile)[^\n0-9+]{1,12}\+?[ ().\-/]{0,2}[0-9]",
    "user.folder": r"(?i)/home/|/users/|[a-z]:[\\\\/]{1,4}users",
    "user.home": r"(?i)/home/|/users/|\\users\\|settings\\|/u/",
    "user.address": r"""://[^\s/@"'<>]+@""",
    "password.address": r"""://[^\s/@"'<>]+@""",
    "password.quoted": WORD + LINK,
    "password.mixed": WORD + LINK,
    "password.bare": WORD + LINK,
    "password.call": WORD + r"[ \t]{0,4}\(",
    "password.secret": r"(?i)(?:secret|token|credential|key|id)\w{0,6}"
    + LINK[:-1]
    + r"|\()>?[ \t]{0,4}[\"'][^\"'\n]{8}",
    "password": r"(?i)pass|pwd|secret|token|credential|key",
    "password.option": r"""(?i)[ "']--?(?:pass|pwd|token|secret)|authorization["']?[:,]""",
    "key.pem": "PRIVATE KEY-----",
    "key.prefix": r"A[KS]IA|gh[opsur]_|github_pat_|glpat-|xox[a-z]-|AIza|[rsp]k_|sk-|npm_|pypi-|hf_|SG\.|dop_v1_"
    r"|shp[a-z]{2}_|ya29\.|:AA|AC[0-9a-f]{9}|SK[0-9a-f]{9}|hooks\.slack|sha256~",
    "key.jwt": "eyJ",
    "email": "@",
    "name.task": "TODO|FIXME|XXX|HACK|NOTE|@author",
}
"""What a file has that has a match of the stratum, for RE2, which is ten times as fast as `re`."""


@dataclass(frozen=True)
class Drawing:
    """How a set is drawn: `odd` says of which repositories (None: of all), `times` how many lines for each line of its
    stratum, `unlike` of which earlier sets it has no file, no line and no value; `whole` if a value counts only where
    it is no part of a longer word."""

    seed: int
    odd: bool | None
    times: dict[str, float] = dataclasses.field(default_factory=dict)
    unlike: tuple[str, ...] = ()
    whole: bool = True
    corpus: str = "out"


EARLIER = {"user.folder": 0.0}
THIRD = EARLIER | {"ip": 0.6, "phone": 1.3, "user": 1.5, "password": 1.4, "key": 0.5}
LATER = {"ip.spread": 1.5, "phone.plus": 1.5, "phone.america": 1.5, "user.home": 0.7, "user.address": 1.6,
         "password.quoted": 0.6, "password.call": 0.4, "password.secret": 1.5, "password.bare": 0.4, "password.any": 0.5,
         "password.address": 2.0, "password.option": 2.0, "password.mixed": 1.2, "key.pem": 0.4, "key.jwt": 1.6,
         "key.random": 0.6, "user.folder": 2.5, "email": 0.8}  # fmt: skip
FIFTH = LATER | {"phone.word": 2.0, "user.home": 2.0}
"""Of these it has fewer values, so more lines."""
SIXTH = FIFTH | {"ip.public": 0.8, "ip.other": 0.5, "user.home": 0.9, "user.folder": 1.6, "password.quoted": 0.4,
                 "password.secret": 1.1, "password.address": 1.5, "password.option": 1.3, "email": 0.27, "name": 0.33,
                 "key.pem": 0.13, "key.prefix": 0.33, "key.jwt": 0.53, "key.random": 0.2}  # fmt: skip
"""It is the smallest, and above all for what is rare; of `email`, `name` and `key` a third."""
SEVENTH = {"ip.public": 0.5, "ip.other": 0.5, "phone.plus": 1.2, "phone.digits": 1.5, "phone.america": 1.2,
           "user.home": 0.5, "user.address": 1.6, "user.folder": 1.4, "password.quoted": 0.5, "password.call": 0.5,
           "password.secret": 1.2, "password.bare": 0.5, "password.any": 0.5, "password.address": 2.0,
           "password.option": 2.0, "password.mixed": 1.4, "key.prefix": 0.8, "key.random": 0.4,
           "email": 0.75, "name.task": 1.3}  # fmt: skip
"""So that about as many values of one kind are found as of another."""
SETS = {
    "tuning": Drawing(5, False, EARLIER),
    "held_out": Drawing(5, True, EARLIER),
    "third": Drawing(7, None, THIRD, ("tuning", "held_out"), whole=False),
    "fourth": Drawing(11, False, LATER, ("tuning", "held_out", "third"), corpus="unseen"),
    "fifth": Drawing(11, True, FIFTH, ("tuning", "held_out", "third", "fourth"), corpus="unseen"),
    "sixth": Drawing(13, None, SIXTH, ("tuning", "held_out", "third", "fourth", "fifth"), corpus="sixth"),
    "seventh": Drawing(
        17, None, SEVENTH, ("tuning", "held_out", "third", "fourth", "fifth", "sixth"), corpus="seventh"
    ),
}
RARE = ("phone.plus", "phone.digits", "phone.america", "phone.word", "key.prefix", "key.jwt")
DENSE = ("password.mixed", "password.secret")
"""What the fourth set and later ones look for in all files of at most `LARGEST` bytes."""
LARGEST = 200_000


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


Source = tuple[str, str, str, bytes, int, Sequence[Stratum]]
"""Repository, revision, path, content, a number by which strata choose files, and the strata to look for."""


def earlier(corpus: Path, name: str, strata: Sequence[Stratum]) -> Iterator[Source]:
    """The files of the tuning set or of the held-out one."""
    for repo, revision, path, raw in documents(corpus):
        if held_out(repo) is (name == "held_out"):
            number = int.from_bytes(hashlib.sha256(f"{repo} {path}".encode()).digest()[:4])
            yield repo, revision, path, raw, number, strata


def fresh(part: Path, seed: int, name: str, strata: Sequence[Stratum]) -> Iterator[Source]:
    """The files of a later set in one file of its corpus."""
    labelled = {(row["repo"], row["path"]) for row in rows_before(name)}
    columns = ["repo", "revision", "path", "size", "content"]
    for batch in pq.ParquetFile(part).iter_batches(4000, columns=columns):
        places = list(zip(*(batch[c].to_pylist() for c in columns[:4]), strict=True))
        chosen, numbers, small = [], [], []
        for n, (repo, _, path, size) in enumerate(places):
            number = int.from_bytes(hashlib.sha256(f"{seed} {repo} {path}".encode()).digest()[:4])
            if (repo, path) not in labelled and SETS[name].odd in (None, held_out(repo)):
                chosen.append(n)
                numbers.append(number)
                small.append(size <= LARGEST)
        contents = batch["content"].take(pa.array(chosen, pa.int64()))
        hits: dict[int, list[Stratum]] = defaultdict(list)
        for stratum in strata:
            mine = [n for n, number in enumerate(numbers) if number % stratum.of == 0]
            if f"{stratum.kind}.{stratum.name}" not in RARE:
                mine = [n for n in mine if small[n]]
            hint = HINTS.get(f"{stratum.kind}.{stratum.name}", HINTS.get(stratum.kind, ""))
            has = pc.match_substring_regex(contents.take(pa.array(mine, pa.int64())), hint).to_pylist()
            for n, has_it in zip(mine, has, strict=True):
                if has_it:
                    hits[n].append(stratum)
        for n, some in sorted(hits.items()):
            repo, revision, path, _ = places[chosen[n]]
            yield repo, revision, path, contents[n].as_py().encode(), numbers[n], some


def candidates(files: Iterable[Source], seed: int) -> dict[Stratum, list[Line]]:
    """For each stratum the lines of lowest hash, many more than will be taken."""
    heaps: dict[Stratum, list[tuple[bytes, Line]]] = defaultdict(list)
    for repo, revision, path, raw, share, strata in files:
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


def of_part(part: Path, seed: int, name: str, only: str, share: float) -> dict[str, list[Line]]:
    """A later set's candidates in one file of its corpus, by the stratum's name."""
    found = candidates(fresh(part, seed, name, sought(name, only, share)), seed)
    return {f"{stratum.kind}.{stratum.name}": lines for stratum, lines in found.items()}


def sought(name: str, only: str, share: float) -> list[Stratum]:
    """The strata with as many lines as the set has of them."""
    chosen = []
    times = SETS[name].times
    for one in STRATA:
        full = f"{one.kind}.{one.name}"
        if only in ("", full):
            files = max(2, one.of) if name == "third" and full not in RARE else one.of
            if SETS[name].corpus != "out" and full in DENSE:
                files = 1
            take = round(one.take * share * times.get(full, times.get(one.kind, 1.0)))
            if take:
                chosen.append(dataclasses.replace(one, take=take, of=files))
    return chosen


def rows_before(name: str) -> list[dict[str, str]]:
    """The labels of the sets that this one is to be unlike."""
    rows = [row for path in redact.LABELS_OF.values() for row in redact.labels_of_corpus(path)]
    return [row for row in rows if row["set"] in SETS[name].unlike]


def values(corpora: dict[str, Path], name: str) -> re.Pattern[str] | None:
    """What the sets have labelled that this one is to be unlike."""
    found: set[str] = set()
    for of, path in redact.LABELS_OF.items():
        if any(SETS[other].corpus == of for other in SETS[name].unlike):
            for other, lines in redact.drawn(corpora[of], path)[0].items():
                if other.replace(" ", "_") in SETS[name].unlike:
                    documents = [line.document for line in lines]
                    found |= {document.text[a:b] for document in documents for a, b, _ in document.labels}
    if not found:
        return None
    either = "|".join(map(re.escape, sorted(found)))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)" if SETS[name].whole else either)


def draw(
    corpora: dict[str, Path], seed: int, name: str, only: str = "", share: float = 1.0, workers: int = 1
) -> Iterator[tuple[Stratum, Line]]:
    """The sample of one set, or of one stratum of it, or a share of each; the same for any number of workers."""
    strata = sought(name, only, share)
    known: re.Pattern[str] | None = None
    corpus = corpora[SETS[name].corpus]
    if SETS[name].unlike:
        found: dict[Stratum, list[Line]] = {stratum: [] for stratum in strata}
        parts = [(part, seed, name, only, share) for part in sorted(corpus.glob("*.parquet"))]
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            running = pool.starmap_async(of_part, parts, chunksize=1)
            known = values(corpora, name)
            for part in running.get():
                for stratum in strata:
                    found[stratum] += part.get(f"{stratum.kind}.{stratum.name}", [])
        found = {stratum: sorted(lines) for stratum, lines in found.items()}
    else:
        found = candidates(earlier(corpus, name, strata), seed)
    used: set[str] = set()
    read = {row["sha256"] for row in rows_before(name)}
    for stratum in strata:
        repos, suffixes, taken = Counter[str](), Counter[str](), 0
        for line in found.get(stratum, []):
            suffix = PurePosixPath(line.path).suffix
            tidy = re.sub(r"\W+", " ", line.text).strip()
            if tidy in used or repos[line.repo] == 3 or suffixes[suffix] >= max(4, stratum.take // 3):
                continue
            if known and known.search(line.text):
                continue
            used.add(tidy)
            repos[line.repo] += 1
            suffixes[suffix] += 1
            taken += 1
            if hashlib.sha256(line.text.encode()).hexdigest()[:12] not in read:
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
    for other in other_packages.OTHERS:
        one.add_argument(f"--{other}", type=Path, default=Path(f".bench-{other}"), help="folder with other projects")
    one.add_argument("--set", choices=list(SETS), required=True)
    one.add_argument("--seed", type=int, default=None, help="the set's own unless given")
    one.add_argument("--only", default="", metavar="KIND.STRATUM", help="of one stratum")
    one.add_argument("--share", type=float, default=1.0, help="of the lines of each stratum")
    one.add_argument("--workers", type=int, default=1, help="processes, for the third set and later ones")
    two = verbs.add_parser("collect", help="print the rows of labels of a sheet and its marks")
    two.add_argument("sheet", type=Path)
    two.add_argument("marks", type=Path)
    args = parser.parse_args(argv)
    if args.verb == "collect":
        for row in collect(args.sheet, args.marks):
            print("\t".join(row))
        return
    seed = SETS[args.set].seed if args.seed is None else args.seed
    corpora = {name: getattr(args, name) / "corpus" for name in redact.LABELS_OF}
    lines = draw(corpora, seed, args.set, args.only, args.share, args.workers)
    for number, (stratum, line) in enumerate(lines, 1):
        place = (line.repo, line.revision, line.path, line.number)
        print(json.dumps([number, args.set, stratum.kind, stratum.name, *place, line.match, line.text]))


if __name__ == "__main__":
    main()
