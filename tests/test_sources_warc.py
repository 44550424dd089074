"""WARC files: what warcio reads is what we read, and whatever is wrong with a file is a row that says so."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from codemill import sources
from codemill.errors import InputError
from codemill.sources import Warc
from codemill.web.urls import domain_of, host_of
from tests.source_tools import rows
from tests.web_tools import record, write

PAGE = b"<p>hello</p>"


def only(path: Path, **more: Any) -> dict[str, Any]:
    (row,) = rows(Warc(str(path), **more))
    return row


# warcio leaves its temporary files to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("squeezed", [True, False])
def test_what_warcio_writes_is_read_as_it_reads_it(tmp_path: Path, squeezed: bool) -> None:
    path = tmp_path / ("a.warc.gz" if squeezed else "a.warc")
    with open(path, "wb") as file:
        writer = WARCWriter(file, gzip=squeezed)
        writer.write_record(writer.create_warcinfo_record("a", {"isPartOf": "CC-MAIN-2024-10"}))
        for i in range(50):
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.0")
            body = f"<p>{i}\r\n\r\nWARC/1.0 é</p>".encode() * (i + 1)
            url = f"http://www.example.com/{i}"
            writer.write_record(
                writer.create_warc_record(url, "request", payload=io.BytesIO(b"GET / HTTP/1.0\r\n\r\n"))
            )
            writer.write_record(
                writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=headers)
            )
    with open(path, "rb") as file:
        wanted = [
            (r.rec_headers.get_header("WARC-Target-URI"), r.content_stream().read())
            for r in ArchiveIterator(file)
            if r.rec_type == "response"
        ]
    found = rows(Warc(str(path)))
    assert [(row["path"], row["raw"]) for row in found] == wanted
    assert len(found) == 50
    assert {row["repo"] for row in found} == {"www.example.com"}
    assert json.loads(found[0]["meta"]) == {"content_type": "text/html", "dump": "CC-MAIN-2024-10"}
    assert found[0]["commit_time"] is not None


def test_wet_files_are_text(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.warc.wet.gz", [record("https://a.org/x", b"some text", kind="conversion", type="text/plain")]
    )
    row = only(path)
    assert (row["repo"], row["path"], row["raw"]) == ("a.org", "https://a.org/x", b"some text")
    assert json.loads(row["meta"])["content_type"] == "text/plain"
    spoken = "WARC-Identified-Content-Language: zü\r\nWARC-Record-ID".encode()  # no language: it stays as it is
    odd = record("https://a.org/x", b"x", kind="conversion", type="text/plain").replace(b"WARC-Record-ID", spoken)
    assert only(write(tmp_path / "b.warc.wet", [odd]))["meta"] == '{"content_type":"text/plain","language":"zü"}'


def test_codings_of_answers_are_undone(tmp_path: Path) -> None:
    chunked = b"5\r\n<p>he\r\n7;x=y\r\nllo</p>\r\n0\r\n\r\n"
    raw_deflate = zlib.compressobj(wbits=-15)
    cases = {
        "plain": (PAGE, {}),
        "gzip": (gzip.compress(PAGE), {"Content-Encoding": "gzip"}),
        "deflate": (zlib.compress(PAGE), {"Content-Encoding": "deflate"}),
        "raw": (raw_deflate.compress(PAGE) + raw_deflate.flush(), {"Content-Encoding": "deflate"}),
        "chunked": (chunked, {"Transfer-Encoding": "chunked"}),
        "decoded-already": (PAGE, {"Content-Encoding": "gzip"}),
        "br-decoded-already": (PAGE, {"Content-Encoding": "br"}),
    }
    write(tmp_path / "a.warc", [record(f"http://a.org/{n}", body, headers=head) for n, (body, head) in cases.items()])
    assert {row["path"]: row["raw"] for row in rows(Warc(str(tmp_path)))} == {f"http://a.org/{n}": PAGE for n in cases}


def test_the_charset_of_the_headers_counts_unless_the_bytes_are_utf_8(tmp_path: Path) -> None:
    def read(body: bytes, charset: str) -> bytes:
        path = write(tmp_path / "a.warc", [record("http://a.org/", body, type=f"text/html; charset={charset}")])
        found: bytes = only(path)["raw"]
        return found

    assert read("naïve €".encode("cp1252"), "iso-8859-1") == "naïve €".encode()
    assert read("你好".encode("gbk"), '"gb2312"') == "你好".encode()
    assert read("你好".encode(), "iso-8859-1") == "你好".encode()
    assert read(b"\xff\xfea\0", "iso-8859-1") == b"\xff\xfea\0"
    for odd in ("no-such-thing", "base64", "utf-8", "idna"):
        assert read(b"caf\xe9", odd) == b"caf\xe9"


def test_what_is_no_page_says_so(tmp_path: Path) -> None:
    write(
        tmp_path / "a.warc",
        [
            record("http://a.org/gone", PAGE, status="404 Not Found"),
            record("http://a.org/a.png", b"\x89PNG", type="image/png"),
            record("http://a.org/long", b"x" * 3000),
            record("http://a.org/bomb", gzip.compress(b"x" * 3_000_000), headers={"Content-Encoding": "gzip"}),
            record("http://a.org/br", b"\xff\xfe\x01", headers={"Content-Encoding": "br"}),
            record("http://a.org/none", b"x", kind="response").replace(b"HTTP/1.1", b"SMTP/1.1"),
            record("http://a.org/fine", PAGE),
        ],
    )
    found = {row["path"]: row["reason"] for row in rows(Warc(str(tmp_path), max_file_bytes=2000))}
    assert found == {
        "http://a.org/gone": "http_error",
        "http://a.org/a.png": "not_a_page",
        "http://a.org/long": "too_large",
        "http://a.org/bomb": "too_large",
        "http://a.org/br": "unsupported",
        "http://a.org/none": "malformed",
        "http://a.org/fine": None,
    }


def test_records_that_lie_about_their_length(tmp_path: Path) -> None:
    whole = record("http://a.org/1", PAGE)
    short = write(tmp_path / "short.warc", [record("http://a.org/0", PAGE, length=50), whole])
    assert [(r["path"], r["reason"]) for r in rows(Warc(str(short)))][-1] == ("http://a.org/1", None)
    assert "malformed" in [r["reason"] for r in rows(Warc(str(short)))]
    long = write(tmp_path / "long.warc", [whole, record("http://a.org/2", PAGE, length=10**9)])
    assert [r["reason"] for r in rows(Warc(str(long)))] == [None, "truncated"]
    for length in (-1, 10**20):
        odd = write(tmp_path / "odd.warc", [record("http://a.org/2", PAGE, length=length), whole])
        assert "malformed" in [r["reason"] for r in rows(Warc(str(odd)))]
        assert rows(Warc(str(odd)))[-1]["raw"] == PAGE


def test_files_cut_off_damaged_or_endless(tmp_path: Path) -> None:
    good = gzip.compress(record("http://a.org/1", PAGE * 500), mtime=0)
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(good + gzip.compress(record("http://a.org/2", PAGE * 500), mtime=0)[:90])
    assert [r["reason"] for r in rows(Warc(str(cut)))] == [None, "truncated"]
    bad = tmp_path / "bad.warc.gz"
    bad.write_bytes(good + good[:40] + b"\0" * 40 + good[80:])
    assert [r["reason"] for r in rows(Warc(str(bad)))] == [None, "corrupt"]
    bad.write_bytes(good + good[:40] + b"\0" * 40 + good[80:] + gzip.compress(record("http://a.org/3", PAGE), mtime=0))
    assert [r["reason"] for r in rows(Warc(str(bad)))].count(None) == 2  # it goes on with the next member
    lies = tmp_path / "lies.warc.gz"
    lies.write_bytes(good[:-4] + b"\0\0\0\1" + good)  # the member's trailer has another length
    assert [r["reason"] for r in rows(Warc(str(lies)))] == ["corrupt", None]
    bomb = tmp_path / "bomb.warc.gz"
    bomb.write_bytes(gzip.compress(b"x" * 80_000_000, compresslevel=9))
    assert [r["reason"] for r in rows(Warc(str(bomb), max_ratio=10))] == ["bomb"]
    noise = tmp_path / "noise.warc"
    noise.write_bytes(b"\0\xff" * 100_000)
    assert [r["reason"] for r in rows(Warc(str(noise)))] == ["malformed"]
    (tmp_path / "empty.warc").write_bytes(b"")
    assert rows(Warc(str(tmp_path / "empty.warc"))) == []


def test_a_damaged_region_is_one_row_however_long_it_is(tmp_path: Path) -> None:
    good = gzip.compress(record("http://a.org/1", PAGE), mtime=0)
    claims = b"\x1f\x8b\x08\0" * 100_000  # a member could begin every four bytes
    begins = good[: len(good) // 2] * 500  # and here it does, but no record is in it
    after = gzip.compress(record("http://a.org/2", PAGE), mtime=0)
    path = tmp_path / "hostile.warc.gz"
    for region in (claims, begins):
        path.write_bytes(good + region + b"\0" * (1 << 19) + after)  # of the second kind it may skip some at the end
        found = [(row["path"], row["reason"]) for row in rows(Warc(str(path)))]
        assert [reason for _, reason in found] == [None, "corrupt", None]
        assert found[2][0] == "http://a.org/2"
    plain = tmp_path / "hostile.warc"
    plain.write_bytes(b"WARC/\n\n" * 50_000 + record("http://a.org/1", PAGE))
    assert [row["reason"] for row in rows(Warc(str(plain)))] == ["malformed", None]


def test_urls_that_are_none_and_hosts_of_all_kinds(tmp_path: Path) -> None:
    urls = {
        "http://bücher.example/a": "xn--bcher-kva.example",
        "http://10.0.0.1:8080/": "10.0.0.1",
        "http://[2001:DB8::1]/": "2001:db8::1",
        "https://User:pw@WWW.Example.com./": "www.example.com",
        "<http://angle.org/>": "angle.org",
        "dns:example.com": "file",
        "http://": "file",
        "http://a..b/": "file",
        "http://[::1/": "file",
        "nonsense \x00": "file",
        "http://" + "a" * 300 + "/": "file",
    }
    path = write(tmp_path / "file.warc", [record(url, PAGE) for url in urls])
    found = rows(Warc(str(path)))
    assert [row["repo"] for row in found] == list(urls.values())
    assert found[5]["path"] == "file.warc#6"
    assert domain_of(host_of("http://a.b.co.uk/") or "") == "b.co.uk"
    assert domain_of("10.0.0.1") == "10.0.0.1"


def test_a_file_is_guessed_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.warc.gz", [record("http://a.org/1", PAGE)])
    assert isinstance(sources.open(str(path)), Warc)
    assert isinstance(sources.open(str(tmp_path)), Warc)
    source = Warc(str(path))
    (shard,) = source.list().shards
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(InputError, match="changed"):
        list(source.read(shard))
