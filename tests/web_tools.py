"""Small crawls, written by the tests."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Mapping
from pathlib import Path


def record(
    url: str,
    body: bytes,
    *,
    kind: str = "response",
    status: str = "200 OK",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
    type: str = "text/html",
) -> bytes:
    """A record; `length` is what it claims to be long."""
    lines = {"Content-Type": type, **(headers or {})}
    answer = body
    if kind == "response":
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        answer = f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body
        type = "application/http; msgtype=response"
    top = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-03-01T12:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789012>\r\n"
        f"Content-Type: {type}\r\nContent-Length: {len(answer) if length is None else length}\r\n\r\n"
    )
    return top.encode() + answer + b"\r\n\r\n"


def write(path: Path, records: Iterable[bytes]) -> Path:
    """Writes records: each a gzip member if the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    squeezed = path.name.endswith(".gz")
    path.write_bytes(b"".join(gzip.compress(r, mtime=0) if squeezed else r for r in records))
    return path


CODE = "def return class import print function variable string integer list compile loop array pointer"
OTHER = "garden river cooking history village summer music painting letter mountain winter bread king"
COMMON = "the of and a to in it is was for on with as by at from this that be are page chapter"


def words(code: bool, rng: random.Random) -> str:
    """A text about code, or not."""
    return " ".join(
        rng.choice(((CODE if code else OTHER) if rng.random() < 0.6 else COMMON).split()) for _ in range(80)
    )


def page(code: bool, rng: random.Random, paragraphs: int = 1) -> bytes:
    """A page about code, or not."""
    text = "</p><p>".join(words(code, rng) for _ in range(paragraphs))
    block = f"<pre class='language-python'>{rng.choice(CODE.split())}({rng.random():.3f})\n</pre>" if code else ""
    return f"<html><title>t</title><body><main><p>{text}</p>{block}</main></body></html>".encode()


def crawl(folder: Path, sites: Mapping[str, tuple[int, float]], seed: int = 0, paragraphs: int = 1) -> Path:
    """A crawl of sites: how many pages each has, and which share of them is about code."""
    for host, (pages, share) in sites.items():
        rng = random.Random(f"{seed} {host}")
        code = round(pages * share)
        made = [record(f"http://{host}/p/{i}.html", page(i < code, rng, paragraphs)) for i in range(pages)]
        write(folder / f"{host}.warc.gz", made)
    return folder
