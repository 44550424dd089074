"""A run on an object store: built, looked at and held against as one on a disk, on an S3 server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.fs as pafs
import pytest
from moto.server import ThreadedMotoServer
from starlette.testclient import TestClient

import codemill as cm
from codemill.machine import store
from codemill.machine.store import Place
from codemill.report.terminal.show import explain_data, show_data
from codemill.run import Run
from codemill.sources import Published
from codemill.steps import dedup, detect, ingest, quality
from codemill.view.app import app_of
from tests.test_cli import codemill
from tests.test_tuning import BOOK, TEXTS
from tests.toys import Literals

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the server, for as long as the tests of this file run: HOST:PORT."""
    served = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SETTINGS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
            patch.setenv(name, value)
        pafs.S3FileSystem(allow_bucket_creation=True, endpoint_override=f"http://{host}:{port}").create_dir("bucket")
        yield f"{host}:{port}"
    served.stop()


def build(out: str | Path, *, against: str | None = None) -> None:
    """A run with copies, near-copies' index, signals and rules."""
    files = detect.language(ingest.documents(sources=(Literals((*TEXTS, TEXTS[1])),)))
    earlier = [ingest.published(source=Published(against))] if against else []
    files = dedup.exact(files, *earlier)
    files = quality.keep(quality.judge(quality.measure(files), rules=BOOK))
    cm.build(files, out=str(out), workers=1)


@pytest.fixture(scope="module")
def out(server: str) -> str:
    address = "s3://bucket/out"
    build(address)
    return address


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("on_disk")
    build(folder)
    return folder


def same(data: dict[str, object]) -> str:
    """An answer without what differs between two runs of one recipe."""
    text = json.dumps({name: value for name, value in data.items() if name not in ("out", "seconds", "steps")})
    return text


def test_show_and_explain_say_what_they_say_of_a_run_on_disk(out: str, on_disk: Path) -> None:
    assert same(show_data(out)) == same(show_data(on_disk))
    ledger = Run.open(out).ledger(place=True).collect()
    assert ledger.equals(Run.open(on_disk).ledger(place=True).collect())
    for path in ledger["path"].to_list():
        theirs, mine = explain_data(on_disk, path)["matches"], explain_data(out, path)["matches"]
        assert [m | {"step": None} for m in mine] == [m | {"step": None} for m in theirs]


def test_the_report_is_the_same_and_written_beside_the_corpus(out: str, on_disk: Path) -> None:
    for place in (out, str(on_disk)):
        done = codemill("report", place)
        assert done.stdout.strip() == f"{place}/report.html", done.stderr
    filesystem, path = Place.of(out).at("report.html").open()
    with filesystem.open_input_stream(path) as stream:
        there = stream.readall().decode()
    here = (on_disk / "report.html").read_text("utf-8")
    for section in ("rules", "moved", "sizes", "reasons", "languages"):
        assert section_of(there, section) == section_of(here, section)


def section_of(html: str, name: str) -> str:
    """A section of a report, without the seconds that steps took."""
    start = html.index(f'<section id="{name}"') if f'<section id="{name}"' in html else html.index(f'id="{name}"')
    return html[start : html.index("</section>", start)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["rules"], "num_chars"),
        (["signals"], "files measured"),
        (["rank", "s3://bucket/out"], "Highest perplexity"),
        (["show"], "7 found = 2 kept + 5 dropped"),
    ],
)
def test_in_the_terminal(out: str, options: list[str], words: str) -> None:
    done = codemill(options[0], out, *options[1:])
    assert words in " ".join(done.stdout.split()), done.stdout + done.stderr


def test_view_shows_what_it_shows_of_a_run_on_disk(out: str, on_disk: Path) -> None:
    ids = Run.open(out).ledger().collect()["id"].to_list()
    addresses = ["", "?verdict=kept&show=num_chars", "?text=import", "rules", *(f"document?id={id}" for id in ids)]
    apps = [app_of(Run.open(place), "t") for place in (out, on_disk)]
    there, here = (TestClient(app, base_url="http://127.0.0.1/t/") for app in apps)
    with there, here:
        for address in addresses:
            named = here.get(address).text.replace(f"<b>{on_disk.name}</b>", "<b>out</b>")  # in the head
            assert there.get(address).text == named
            assert there.get(address).status_code == 200


def test_a_run_elsewhere_is_held_against_it(out: str, tmp_path: Path) -> None:
    build(tmp_path, against=out)
    kept = Run.open(out).ledger().collect().filter(verdict="kept")
    match = explain_data(tmp_path, kept["id"][0])["matches"][0]
    assert match["ledger"]["reason"] == "duplicate"
    assert match["kept_in"] == out
    assert match["kept"]["path"] == kept["path"][0]


def test_an_address_may_have_a_query(server: str) -> None:
    query = f"endpoint_override=http://{server}&region=us-east-1"
    address = f"s3://bucket/queried/?{query}"
    assert Place.of(address).at("corpus", "a").uri == f"s3://bucket/queried/corpus/a?{query}"
    assert Place.of(address).at("corpus").name == "corpus"
    assert Place.of("/tmp/what?/").at("a").uri == "/tmp/what?/a"
    build(address)
    assert codemill("report", address).stdout.strip() == f"s3://bucket/queried/report.html?{query}"
    assert show_data(address)["kept"]["rows"] == 2
    filesystem, path = Place.of(address).open()
    names = filesystem.get_file_info(pafs.FileSelector(path))
    assert {info.base_name for info in names} == {
        ".work",
        "corpus",
        "ledger",
        "manifest.json",
        "README.md",
        "report.html",
    }


def test_a_file_system_is_made_once_per_scheme_and_host(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = pafs.FileSystem.from_uri

    class Counted:
        @staticmethod
        def from_uri(address: str) -> tuple[pafs.FileSystem, str]:
            made.append(address)
            return real(address)

    monkeypatch.setattr(store.pafs, "FileSystem", Counted)
    store._filesystem.cache_clear()
    query = f"endpoint_override=http://{server}"
    places = [f"s3://{bucket}/folder-{i}/file?{query}" for i in range(3) for bucket in ("bucket", "other")]
    opened = [Place.of(place).open() for place in places]
    assert made == [f"s3://bucket?{query}", f"s3://other?{query}"]
    assert [path for _, path in opened[:3]] == ["bucket/folder-0/file", "other/folder-0/file", "bucket/folder-1/file"]
    assert opened[0][0] is opened[2][0] is opened[4][0] is not opened[1][0]


def test_what_is_not_there_is_told(server: str) -> None:
    with pytest.raises(cm.InputError, match=r"no finished run here \(at s3://bucket/none/manifest.json\)"):
        Run.open("s3://bucket/none")
    assert "no finished run here" in codemill("show", "s3://bucket/none").stderr


def test_a_ledger_is_read_in_pieces(out: str) -> None:
    ledger = Run.open(out).ledger(place=True)
    whole = ledger.collect()
    assert ledger.head(3).collect().equals(whole.head(3))
    kept = ledger.filter(verdict="kept").select("path", "place").collect(engine="streaming")
    assert kept.equals(whole.filter(verdict="kept").select("path", "place"))
