"""Turns web pages into documents: their text, with code as it stands, and where they are from.

    files   raw pages → rows of documents   begins a table
    kinds   the kind of site of each page   a few bytes a row

A document's `repo` is the host, its `path` the URL, its language the natural one (en, zh or ja) and its type `web`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.document import COMMON_LEDGER, DOCUMENT, SHA256, VERDICT
from codemill.machine.kinds import Published
from codemill.machine.table import Table, source, step
from codemill.signals.measuring import measure_batch
from codemill.sources import REASONS, Source
from codemill.steps import ingest
from codemill.web import patterns, urls
from codemill.web.urls import domain_of, host_of

PAGE = {
    "host": pa.string(),  # of the URL; null without one
    "domain": pa.string(),  # the part of the host that somebody registered
    "title": pa.string(),
    "code_blocks": pa.uint32(),  # fences that were made; null for text that came as text
    "text_sha256": SHA256,  # of `content`: equal for one text in two pages of HTML
}
"""What a page has besides the columns of a document."""


def documents(*, sources: Sequence[Source]) -> Table:
    """Pages from sources: every answer of a server is a row. See `files` and `ingest.twins`.

    Raises: RecipeError if two sources have one label.
    """
    return ingest.twins(files(sources=sources))


@source(
    version=5,
    adds={**{f.name: f.type for f in DOCUMENT}, **PAGE, "reason": pa.string(), "value": pa.string()},
    published=Published(None, COMMON_LEDGER, tuple(n for n in VERDICT if n != "reason"), required=("content",)),
    check=ingest.check_labels,
    knows=urls.version,  # which domain a host is of
    drops={
        **REASONS,
        "empty": "nothing in it",
        "binary": "not text",
        "undecodable": "in no encoding that decodes cleanly",
        "no_text": "a page that says nothing",
        "extraction_failed": "the extractor failed on it, which is a fault of ours",
    },
)
def files(raw: pa.RecordBatch, source: Source, *, sources: Sequence[Source]) -> pa.RecordBatch:
    """Decodes pages, takes the text out of those that are HTML, and makes rows of documents of them.

    HTML is what a source says is: `content_type` in `meta`, as `sources.Warc` gives it. Other rows are text already,
    and stay where they are if they can be read in place.

    Shape: `document.RAW` rows in; as many rows out, `document.DOCUMENT` and `PAGE`.
    From: OpenCoder 2.1.2; what is kept of a page is in `docs/web-recall.md`.
    """
    decoded = _core.decode(raw["raw"])
    html = pc.fill_null(pc.match_substring(raw["meta"], '"content_type":"text/html"'), False)
    made = pa.RecordBatch.from_struct_array(
        _core.page_text(pc.if_else(html, decoded["content"], pa.scalar(None, pa.large_string())))
    )
    content = pc.if_else(html, made["content"], decoded["content"]) if pc.any(html).as_py() else decoded["content"]
    silent = pc.and_(html, pc.fill_null(pc.equal(content, ""), False))
    failed = pc.and_(html, pc.and_(decoded["content"].is_valid(), made["content"].is_null()))
    none = pa.scalar(None, pa.string())
    said = pc.if_else(failed, "extraction_failed", pc.if_else(silent, "no_text", none))
    reason = pc.coalesce(raw["reason"], decoded["reason"], said)
    content = pc.if_else(reason.is_valid(), pa.scalar(None, pa.large_string()), content)
    host, domain = _places(raw["path"])
    repo = pc.coalesce(host, raw["repo"])
    rows = raw.num_rows
    columns = {
        "id": ingest.ids(repo, raw["path"], decoded["content_sha256"], raw["size"], reason),
        "source": pa.repeat(source.label, rows),
        "repo": repo,
        "path": raw["path"],
        "revision": raw["revision"],
        **{name: raw[name] for name in ("stars", "commit_time", "license", "size")},
        "content_sha256": decoded["content_sha256"],
        "content": content,
        "encoding": decoded["encoding"],
        "encoding_confidence": decoded["encoding_confidence"],
        "language": _natural(content, raw["path"], raw["size"]),
        "doc_type": pa.repeat("web", rows),
        "is_vendored": pa.repeat(False, rows),
        "is_generated": pa.repeat(False, rows),
        "meta": raw["meta"],
        "host": host,
        "domain": domain,
        "title": made["title"],
        "code_blocks": made["code_blocks"],
        "text_sha256": _core.sha256(content).cast(SHA256),
        "reason": reason,
        "value": pc.coalesce(raw["detail"], decoded["detail"]),
        "content_in_place": pc.and_not(pc.fill_null(pc.equal(decoded["encoding"], "utf-8"), True), html),
    }
    return pa.record_batch(columns)


def _places(paths: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Host and domain of each URL."""
    hosts = pa.array([host_of(url) for url in paths.to_pylist()], pa.string()).dictionary_encode()
    domains = pa.array([domain_of(host) for host in hosts.dictionary.to_pylist()], pa.string())
    return hosts.dictionary_decode(), domains.take(hosts.indices)


def _natural(content: pa.Array, path: pa.Array, size: pa.Array) -> pa.Array:
    """en, zh or ja by the script of each text, as for text files."""
    rows = len(content)
    named = {"language": pa.repeat("text", rows), "doc_type": pa.repeat("text", rows), "path": path, "size": size}
    return measure_batch(pa.record_batch({"content": content, **named}), [], ())["natural_language"]


@step(version=1, reads=("path",), adds={"site_kind": pa.string()})
def kinds(pages: pa.RecordBatch, *, kinds: Sequence[tuple[str, str]]) -> pa.RecordBatch:
    """Says which kind of site each page is from: the name of the first `(name, pattern)` that its URL matches.

    Null: none does. Why: a classifier scores forums lower than manuals, and one threshold for both loses the forums.
    From: Seed-Coder, thresholds per category of site.
    """
    return pa.record_batch({"site_kind": patterns.first_of(pages["path"], kinds)})
