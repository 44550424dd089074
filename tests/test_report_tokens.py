"""The report of a run that made tokens or a mix, and the pages on which its tokens are looked at."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient
from tokenizers import Tokenizer

from codemill import report
from codemill.errors import InputError
from codemill.machine.builder import build
from codemill.recipes import pretraining_mix, tokens
from codemill.report.facts import lineage
from codemill.report.facts import mix as mixes
from codemill.report.facts import tokens as counted
from codemill.run import Run
from codemill.sources import Folder
from codemill.steps import detect, ingest
from codemill.tokens import Loader, Shards
from codemill.view.app import app_of
from codemill.view.templates import spaced
from codemill.view.tokens import SHOWN, TokenView, has_tokens

HEADERS = {"host": "127.0.0.1"}


@pytest.fixture(scope="module")
def planned(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planned") / "mix"
    more = {"unit": "repository", "names": 1.0}
    table = pretraining_mix.pretraining_mix(code=str(runs / "fim"), length=512, budget=10**9, **more)
    build(table, out=out, workers=1, recipe={"name": "pretraining_mix", "parameters": {}})
    return out


def said(page: str) -> str:
    """The words of a page, without its style."""
    body = re.sub(r"(?s)<(style|script).*?</\1>", "", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def test_a_report_names_the_runs_that_stand_behind_it(runs: Path, planned: Path) -> None:
    found = lineage.gather(Run.open(planned))
    assert found is not None
    names = [one.name for one in found]
    assert names[-1] == "fim"
    assert len(set(names)) == len(names) > 1
    for one in found:
        place = runs / one.name
        assert (one.kept, one.fingerprint) == (
            Run.open(place).manifest["kept"]["rows"],
            Run.open(place).manifest["fingerprint"][:12],
        )
    page = report.render(planned)
    assert f"Made of {len(found)} runs stand behind this one" in said(page)
    report.write(runs / "fim")
    (link,) = (one.report for one in lineage.gather(Run.open(planned)) or () if one.name == "fim")
    assert link is not None
    assert (planned / link).samefile(runs / "fim" / "report.html")
    assert f'<a href="{link}">fim</a>' in report.render(planned)
    (runs / "fim" / "report.html").unlink()
    assert lineage.gather(Run.open(runs / names[0])) is None


@pytest.mark.parametrize("damage", [b"", b"\xff{", b"[]", b'{"kept": 1}', b"x" * (8 << 20)])
def test_a_run_behind_it_that_cannot_be_read_is_left_out(
    damage: bytes, runs: Path, planned: Path, tmp_path: Path
) -> None:
    (tmp_path / "fim" / ".work").mkdir(parents=True)
    (tmp_path / "fim" / "manifest.json").write_bytes(damage)
    told = json.loads((planned / "manifest.json").read_text().replace(str(runs / "fim"), str(tmp_path / "fim")))
    here = Run(str(planned), Run.open(planned).folder, {**told, "tables": told["steps"]})
    assert lineage.gather(here) is None


def test_tokens_are_counted_by_language_and_by_length(runs: Path) -> None:
    facts = counted.gather(Run.open(runs / "plain"))
    assert facts is not None
    frame = pl.concat(pl.read_ipc(file) for file in Shards(runs / "plain" / "tokens").files)
    assert (facts.documents, facts.bytes, facts.tokens) == (len(frame), frame["size"].sum(), frame["num_tokens"].sum())
    expected = frame.group_by("language").agg(tokens=pl.col("num_tokens").cast(pl.Int64).sum())
    assert {row["language"]: row["tokens"] for row in facts.languages} == dict(expected.iter_rows())
    for row in facts.lengths:
        low, high = 2 ** (row["bits"] - 1), 2 ** row["bits"]
        assert row["documents"] == len(frame.filter(pl.col("num_tokens").is_between(low, high - 1)))
    assert sum(row["documents"] for row in facts.lengths) == len(frame)


def test_a_run_without_a_ledger_has_a_report_of_its_tokens(runs: Path, planned: Path) -> None:
    page = said(report.render(runs / "plain"))
    facts = counted.gather(Run.open(runs / "plain"))
    assert facts is not None
    assert f"{facts.tokens:,} tokens of {facts.documents:,} documents" in page
    assert "tokenizer.train" in page  # a step beside those of the first output
    page = said(report.render(planned))
    made = json.loads((planned / "mix" / "mix.json").read_text())
    assert f"{made['sequences']:,} sequences of 512 tokens" in page
    assert f", {made['inputs'][0]['headings']:,} of names of repositories and files, and" in page
    assert f"1,000,000,000 were wanted: at these weights and epochs the inputs have {made['possible']:,}" in page
    assert str(runs) not in report.render(planned)  # no folder of this machine
    assert report.write(planned) == str(planned / "report.html")
    assert (planned / "report.html").read_text() == report.render(planned)
    assert not (planned / "README.md").exists()  # the card of a corpus


def test_a_mix_that_is_damaged_is_an_error(planned: Path, tmp_path: Path) -> None:
    (tmp_path / "mix").mkdir()
    (tmp_path / "manifest.json").write_bytes((planned / "manifest.json").read_bytes())
    (tmp_path / "mix" / "mix.json").write_text('{"tokens": 1}')
    with pytest.raises(InputError, match=r"mix\.json"):
        mixes.gather(Run.open(tmp_path))


def test_sequences_are_shown_token_by_token(runs: Path, planned: Path) -> None:
    client = TestClient(app_of(Run.open(planned), "t"), headers=HEADERS)
    loader = Loader(planned, [runs / "fim" / "tokens"])
    assert f"{len(loader):,} sequences" in said(client.get("/t/").text)
    last = len(loader) - 1
    for number in (0, last):
        page = client.get(f"/t/sequence?n={number}").text
        shown = [int(one) for one in re.findall(r'<span class="c\d[^"]*" title="(\d+)">', page)]
        assert shown == loader[number].tokens[: loader[number].real].tolist()
    assert f"{512 - loader[last].real} of padding" in said(client.get(f"/t/sequence?n={last}").text)
    first = said(client.get("/t/sequence?n=0").text)
    assert re.search(r"· \d+ tokens of names, tokens 0 to", first)
    pages = [said(client.get(f"/t/sequence?n={number}").text) for number in range(40)]
    joined = [len(loader[number].spans["part"]) - len(loader[number].starts) for number in range(40)]
    assert [page.count("· goes on with the text above") for page in pages] == joined
    assert max(joined) > 0
    tokenizer = Tokenizer.from_file(str(runs / "fim" / "tokenizer" / "tokenizer.json"))
    end = tokenizer.token_to_id("<|endoftext|>")
    ending = next(number for number in range(len(loader)) if end in loader[number].tokens)
    assert "<|endoftext|>" in said(client.get(f"/t/sequence?n={ending}").text)
    for address, status in (
        (f"/t/sequence?n={last + 1}", 404),
        ("/t/sequence?n=x", 400),
        ("/t/document?part=999", 404),
        ("/t/document?input=7", 404),
        ("/t/nothing", 404),
        ("/other/", 403),
    ):
        assert client.get(address).status_code == status, address


def test_documents_are_shown_a_part_at_a_time(runs: Path) -> None:
    client = TestClient(app_of(Run.open(runs / "plain"), "t"), headers=HEADERS)
    shards = Shards(runs / "plain" / "tokens")
    part, row, count = max(
        ((p, r, len(shards.tokens(p, r))) for p in range(len(shards.files)) for r in range(shards.rows(p))),
        key=lambda one: one[2],
    )
    assert count > SHOWN
    shown: list[int] = []
    address = f"/t/document?part={part}&row={row}"
    while address:
        page = client.get(address).text
        shown += [int(one) for one in re.findall(r'<span class="c\d[^"]*" title="(\d+)">', page)]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = f"/t/{html.unescape(following[1])}" if following else ""
    assert shown == shards.tokens(part, row).tolist()


def test_a_document_leads_to_its_corpus_and_to_the_sequences_that_hold_it(runs: Path, planned: Path) -> None:
    shards, loader = Shards(runs / "fim" / "tokens"), Loader(planned, [runs / "fim" / "tokens"])
    part, row = max(
        ((p, r) for p in range(len(shards.files)) for r in range(shards.rows(p))),
        key=lambda one: len(shards.tokens(*one)),
    )
    holding = loader.plan.holding(0, part, row).tolist()
    spans = {n: loader.plan.spans(n) for n in range(len(loader))}
    assert holding == [n for n, one in spans.items() if ((one["part"] == part) & (one["row"] == row)).any()]
    assert loader.plan.holding(1, part, row).tolist() == []
    parent = shards.row(part, row)["parent"]
    # The plan lies elsewhere: it is named. The corpus and the shards lie beside each other.
    with TestClient(app_of(Run.open(runs / "corpus"), "t", beside=[planned]), base_url="http://127.0.0.1/t/") as client:
        page = client.get(f"document?id={parent}").text
        found = [
            html.unescape(one)
            for one in re.findall(r'href="(of/\w+/document\?input=0&amp;part=\d+&amp;row=\d+)"', page)
        ]
        pages = {address: client.get(address).text for address in found}
        (tokens_page,) = (one for one in pages.values() if "sequence?n=" in one)
        numbers = [int(n) for n in re.findall(r'class="follow" href="\.\./\.\./of/\w+/sequence\?n=(\d+)"', tokens_page)]
        assert numbers == holding[: len(numbers)]
        assert numbers
        assert f'href="../../document?id={parent}"' in tokens_page


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    code = tmp_path / "code" / "one"
    code.mkdir(parents=True)
    (code / "<img src=x onerror=alert(1)>.py").write_text("s = '</code><script>alert(1)</script>\u202e é'\n" * 20)
    build(detect.language(ingest.documents(sources=(Folder(str(tmp_path / "code")),))), out=tmp_path / "c", workers=1)
    build(tokens.smoke(corpus=str(tmp_path / "c")), out=tmp_path / "t", workers=1)
    client = TestClient(app_of(Run.open(tmp_path / "t"), "t"), headers=HEADERS)
    for page in (client.get("/t/").text, client.get("/t/document?part=0&row=0").text):
        assert "<script>alert" not in page
        assert "<img src" not in page
        assert "\u202e" not in page
    assert "script-src 'self'" in client.get("/t/").headers["content-security-policy"]


def test_the_texts_of_tokens_are_those_of_the_document(runs: Path) -> None:
    view = TokenView(Run.open(runs / "plain"))
    ids = view.shards[0].tokens(0, 0)
    text = "".join(token.text for token in view.tokens(ids))
    parent = view.shards[0].row(0, 0)["parent"]
    contents = Run.open(runs / "corpus").contents([parent])
    assert text == contents[parent] + "<|endoftext|>"
    assert view.tokens(np.array([10**6]))[0].text == "<1000000>"
    assert str(spaced("a\n<")) == "a↵\n&lt;"


def test_what_has_tokens_is_known_from_the_manifest(runs: Path, planned: Path) -> None:
    assert has_tokens(Run.open(planned))
    assert has_tokens(Run.open(runs / "plain"))
    assert not has_tokens(Run.open(runs / "corpus"))
