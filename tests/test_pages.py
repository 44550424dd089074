"""Pages become documents: the whole way from a WARC file, and what each kind of page loses or keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import codemill as cm
from codemill import _core, sources
from codemill.document import RAW
from codemill.errors import InputError
from codemill.sources import FINEWEB, Jsonl, Parquet, Warc
from codemill.steps import pages, seeds
from tests.web_tools import record, write

LONG = "This sentence says what the page is about, in so many words that it counts as its content. " * 3


def text(html: str) -> str:
    found: str = _core.page_text(pa.array([html], pa.large_string())).to_pylist()[0]["content"]
    return found


def built(tmp_path: Path, *sources: Any, workers: int = 1) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    cm.build(pages.documents(sources=sources), out=tmp_path / "out", workers=workers)
    return tuple(pl.read_parquet(tmp_path / "out" / n / "*.parquet").to_dicts() for n in ("corpus", "ledger"))  # type: ignore[return-value]


def test_a_page_becomes_a_document_and_every_record_is_in_the_ledger(tmp_path: Path) -> None:
    html = f"<title>A &amp; B</title><main><p>{LONG}</p><pre class='lang-py'>a\n  b</pre></main>".encode()
    records = [
        record("https://docs.a.co.uk/x?y=1", html),
        record("https://docs.a.co.uk/x?y=1", html),
        record("https://docs.a.co.uk/empty", b"<html><script>1</script></html>"),
        record("https://docs.a.co.uk/b", b"\0\1\2\3" * 99),
        record("https://docs.a.co.uk/t", b"plain <b>text</b>", type="text/plain"),
        record("https://docs.a.co.uk/no", b"", status="500 No"),
        record(
            "https://docs.a.co.uk/zh",
            ("<p>" + "这是一个关于编程的网页。" * 20).encode("gb18030"),
            type="text/html; charset=gbk",
        ),
    ]
    corpus, ledger = built(tmp_path, Warc(str(write(tmp_path / "a.warc.gz", records))))
    assert len(ledger) == len(records)
    reasons = {row["path"].rpartition("/")[2]: row["reason"] for row in ledger if row["reason"]}
    assert reasons == {"empty": "no_text", "b": "binary", "no": "http_error"}
    by_path = {row["path"].rpartition("/")[2]: row for row in corpus}
    page = by_path["x?y=1"]
    assert page["content"] == f"# A & B\n\n{LONG.strip()}\n\n```py\na\n  b\n```"
    facts = {name: page[name] for name in ("repo", "host", "domain", "doc_type", "language", "title", "code_blocks")}
    assert facts == {
        "repo": "docs.a.co.uk",
        "host": "docs.a.co.uk",
        "domain": "a.co.uk",
        "doc_type": "web",
        "language": "en",
        "title": "A & B",
        "code_blocks": 1,
    }
    assert by_path["t"]["content"] == "plain <b>text</b>"
    assert by_path["t"]["code_blocks"] is None
    assert by_path["zh"]["language"] == "zh"
    assert len({row["id"] for row in ledger}) == len(records)


def test_a_page_on_which_the_extractor_fails_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panic is a null of `_core.page_text`, which no page that is known gives."""
    urls = ["http://a.org/good", "http://a.org/bad"]
    rows = [
        {"repo": "a.org", "path": url, "size": 9, "raw": b"<p>a", "meta": '{"content_type":"text/html"}'}
        for url in urls
    ]
    given = _core.page_text

    def panics(content: pa.Array) -> pa.StructArray:
        return given(pa.array([content[0].as_py(), None], content.type))

    monkeypatch.setattr(_core, "page_text", panics)
    source = Warc("a.warc")
    made = pages.files.function(pa.RecordBatch.from_pylist(rows, RAW), source, sources=[source])
    assert made["reason"].to_pylist() == [None, "extraction_failed"]
    assert made["content"].to_pylist() == ["a", None]
    assert set(made["reason"].drop_null().to_pylist()) <= set(pages.files.drops)


def test_another_list_of_suffixes_makes_other_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [step.identity() for step in (pages.files, seeds.label)]
    monkeypatch.setattr(metadata, "version", lambda name: f"{name} 9")
    after = [step.identity() for step in (pages.files, seeds.label)]
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_tables_of_text_are_pages_too(tmp_path: Path) -> None:
    rows = {
        "text": ["one", "two"],
        "url": ["https://a.org/1", "not a url"],
        "dump": ["CC-1"] * 2,
        "date": ["2024-03-01T12:00:00Z"] * 2,
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame(rows).write_ndjson(tmp_path / "a.jsonl")
    parquet = Parquet(str(tmp_path / "a.parquet"), columns="fineweb")
    corpus, _ = built(tmp_path, parquet, Jsonl(str(tmp_path / "a.jsonl"), columns=FINEWEB))
    found = sorted((r["source"], r["repo"], r["path"], r["domain"], r["content"], r["meta"]) for r in corpus)
    meta = '{"dump":"CC-1"}'
    assert found == [
        (label, *rest, meta)
        for label in ("jsonl", "parquet")
        for rest in (("a", "not a url", None, "two"), ("a.org", "https://a.org/1", "a.org", "one"))
    ]
    assert all(row["commit_time"] is not None for row in corpus)


FINEWEB_ROW = {
    "text": "one",
    "id": "<urn:uuid:1>",
    "dump": "CC-MAIN-2024-10",
    "url": "https://docs.a.co.uk/1",
    "date": "2024-03-01T12:00:00Z",
    "file_path": "s3://commoncrawl/crawl-data/a.warc.gz",
    "language": "en",
    "language_score": 0.9,
    "token_count": 1,
}
AUTOMATHTEXT_ROW = {
    "url": "https://b.org/2",
    "text": "two",
    "date": "2019-03-20T13:12:39",
    "meta": {
        "domain": "b.org",
        "openwebmath_score": 0.8,
        "lm_q1_score": 0.9,
        "lm_q2_score": 0.7,
        "lm_q1q2_score": 0.63,
    },
}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_pages_of_other_corpora_by_the_name_of_their_columns(tmp_path: Path, form: str) -> None:
    given = {"fineweb": FINEWEB_ROW, "automathtext": AUTOMATHTEXT_ROW, "skypile": {"text": "三"}}
    for name, row in given.items():
        (tmp_path / name).mkdir()
        frame = pl.DataFrame([row])
        getattr(frame, {"parquet": "write_parquet", "jsonl": "write_ndjson"}[form])(tmp_path / name / f"x.{form}")
    opened = [replace(sources.open(f"{name}:{tmp_path / name}"), label=name) for name in given]
    corpus, ledger = built(tmp_path, *opened)
    assert len(ledger) == 3
    found = {row["source"]: row for row in corpus}
    shown = {name: tuple(found[name][key] for key in ("repo", "path", "domain", "content")) for name in given}
    assert shown == {
        "fineweb": ("docs.a.co.uk", "https://docs.a.co.uk/1", "a.co.uk", "one"),
        "automathtext": ("b.org", "https://b.org/2", "b.org", "two"),
        "skypile": ("x", found["skypile"]["path"], None, "三"),
    }
    assert found["skypile"]["path"].startswith(f"x.{form}")
    assert [found[name]["commit_time"] is None for name in given] == [False, False, True]
    assert json.loads(found["fineweb"]["meta"])["dump"] == "CC-MAIN-2024-10"
    assert json.loads(found["automathtext"]["meta"])["meta"]["lm_q1q2_score"] == 0.63
    # Without the name they are guessed: FineWeb's file_path is no page's path.
    guessed = [replace(sources.open(str(tmp_path / name)), label=name) for name in given]
    assert {row["path"] for row in built(tmp_path / "guessed", *guessed)[0]} == {row["path"] for row in corpus}


def test_columns_are_named_for_tables_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.warc", [record("http://a.org/1", b"<p>a")])
    with pytest.raises(InputError, match=r"fineweb names columns of Parquet or JSON lines.*warc"):
        sources.open(f"fineweb:{tmp_path / 'a.warc'}")
    with pytest.raises(InputError, match="did you mean fineweb"):
        sources.open(f"finweb:{tmp_path / 'a.warc'}")


def test_workers_do_not_change_the_bytes(tmp_path: Path) -> None:
    for name in "abc":
        write(
            tmp_path / "crawl" / f"{name}.warc.gz",
            [record(f"http://{name}.org/{i}", f"<p>{i}".encode()) for i in range(20)],
        )
    one, two = tmp_path / "1", tmp_path / "2"
    for folder, workers in ((one, 1), (two, 2)):
        built(folder, Warc(str(tmp_path / "crawl")), workers=workers)
    files = [{p.name: p.read_bytes() for p in (f / "out" / "corpus").iterdir()} for f in (one, two)]
    assert files[0] == files[1]


HIGHLIGHTERS = {
    "sphinx": "<div class='highlight-python3 notranslate'><div class='highlight'><pre><span></span>{}\n</pre></div></div>",
    "mkdocs": "<div class='language-python highlight'><pre><span></span><code>{}\n</code></pre></div>",
    "docusaurus": "<div class='language-python codeBlockContainer_x'><pre class='prism-code language-python'><code>{}</code></pre></div>",
    "discourse": "<pre data-code-wrap='python'><code class='lang-python'>{}\n</code></pre>",
    "stackexchange": "<pre class='lang-python s-code-block'><code>{}\n</code></pre>",
    "hugo": "<div class='highlight'><pre tabindex='0' class='chroma'><code class='language-python' data-lang='python'>{}\n</code></pre></div>",
    "jekyll": "<div class='language-python highlighter-rouge'><div class='highlight'><pre class='highlight'><code>{}\n</code></pre></div></div>",
    "jupyter": "<div class='jp-Cell'><div class='jp-InputPrompt'>In [1]:</div><div class='highlight hl-ipython3'><pre>{}\n</pre></div></div>",
    "pandoc": "<div class='sourceCode' id='cb1'><pre class='sourceCode python'><code class='sourceCode python'>{}</code></pre></div>",
    "asciidoctor": "<div class='listingblock'><div class='content'><pre class='highlightjs highlight'><code class='language-python hljs' data-lang='python'>{}</code></pre></div></div>",
    "gitbook": "<pre><code class='lang-python'>{}\n</code></pre>",
    "github": "<div class='highlight highlight-source-python'><pre>{}</pre></div>",
    "mediawiki": "<div class='mw-highlight mw-highlight-lang-python mw-content-ltr'><pre><span></span>{}\n</pre></div>",
    "syntaxhighlighter": "<pre class='brush: python; gutter: false'>{}</pre>",
    "geshi": "<div class='wp_syntax'><div class='code'><pre class='python'>{}</pre></div></div>",
}


@pytest.mark.parametrize("name", HIGHLIGHTERS)
def test_code_and_its_language_by_generator(name: str) -> None:
    code = "def f(a):\n\treturn a <= 'é' and \"&amp;\"  \n\n    # `````\n"
    shown = code.replace("&", "&amp;").replace("<", "&lt;").rstrip("\n")
    page = f"<body><article><p>{LONG}</p>{HIGHLIGHTERS[name].format(shown)}</article></body>"
    assert f"``````python\n{code}``````" in text(page)


def test_classes_of_pygments_are_no_languages() -> None:
    page = "<pre><span class='go'>out</span></pre><pre><span class='c'># a</span></pre><pre class='text'>b</pre>"
    assert text(page) == "```\nout\n```\n\n```\n# a\n```\n\n```\nb\n```"


def test_lines_of_doxygen_are_not_doubled() -> None:
    lines = "</div>\n<div class='line'>".join(["int main()", "{", " ", "  return 0;", "}"])
    page = f"<div class='contents'><p>{LONG}</p><div class='fragment'><div class='line'>{lines}</div>\n</div></div>"
    assert text(page).endswith("```\nint main()\n{\n\n  return 0;\n}\n```")


def test_what_is_raw_in_code_is_code() -> None:
    assert text("<pre class='lang-html'>1 &lt;\n<xmp><p>2 &lt;</xmp>3</pre>") == "```html\n1 <\n<p>2 &lt;3\n```"
    assert text("<p>a<xmp>\n<b>&lt;</xmp>b") == "a\n\n```\n<b>&lt;\n```\n\nb"


def test_furniture_of_a_page_goes() -> None:
    page = (
        "<body><div role='navigation'>Menu</div><div class='cookie-banner'>Cookies?</div>"
        f"<div class='document'><div class='body'><h1>T<a class='headerlink'>¶</a></h1><p>{LONG}</p>"
        "<div class='highlight-c'><pre>x<button class='copybtn'>Copy</button></pre></div></div></div>"
        "<div class='sphinxsidebar'>Side</div><div class='footer'>Foot</div></body>"
    )
    assert text(page) == f"# T\n\n{LONG.strip()}\n\n```c\nx\n```"


@pytest.mark.slow
def test_50_mb_of_nested_tags_stay_linear() -> None:
    import time

    def seconds(size: int, piece: str) -> float:
        page = pa.array([piece * (size // len(piece)) + "x" * 300], pa.large_string())
        start = time.process_time()
        assert _core.page_text(page).to_pylist()[0]["content"] is not None
        return time.process_time() - start

    for piece in (
        "<div>",
        "<p><b>",
        "<pre><div>",
        "<pre> <b>",
        "<table><tr><td>",
        "</p></b>",
        "<ul><li>a",
        "&lt<",
        "<!--",
        "<a b='",
    ):
        small, large = seconds(5_000_000, piece), seconds(50_000_000, piece)
        assert large < 20 * max(small, 0.02), piece
