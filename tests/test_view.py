"""`codemill view`: who may ask, what lists and pages say, what stays text."""

from __future__ import annotations

import dataclasses
import html
import itertools
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from codemill.errors import EnvironmentProblem, InputError
from codemill.rules import Rule
from codemill.run import Run
from codemill.tuning import thresholds as tuning
from codemill.view import document
from codemill.view.app import app_of
from codemill.view.contents import Hit, search
from codemill.view.files import View, _plain
from codemill.view.guard import HEADERS
from codemill.view.highlight import Highlighter, tokens
from codemill.view.server import serve
from codemill.view.templates import visible
from codemill.view.thresholds import Judged, expression
from tests.report_fixture import row_of, write_ledger, write_out
from tests.view_fixture import EVIL_NAME, EVIL_TEXT, build

TOKEN = "a-token"
HOST = "http://127.0.0.1"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("view"))


@pytest.fixture(scope="module")
def client(out: Path) -> Iterator[TestClient]:
    with opened(out) as client:
        yield client


def opened(out: Path) -> TestClient:
    return TestClient(app_of(Run.open(out), TOKEN), base_url=f"{HOST}/{TOKEN}/")


def get(client: TestClient, address: str = "", status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    return answer.text


def plain(page: str) -> str:
    """What a reader sees: no tags, and entities as what they stand for."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def listed(page: str) -> list[str]:
    """The ids of the files that a page lists."""
    return re.findall(r'<td class="file"><a href="document\?id=(\w+)">', page)


def id_of(out: Path, path: str) -> str:
    return str(Run.open(out).ledger().filter(pl.col("path") == path).select("id").collect().item())


# ── who may ask ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/wrong/static/view.css", f"/{TOKEN}x/", "/a-toke/", "//", "/%2e%2e/"]
)
def test_without_the_token_nothing_is_answered(out: Path, path: str) -> None:
    answer = TestClient(app_of(Run.open(out), TOKEN), base_url=HOST).get(path)
    assert answer.status_code == 403
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:80", 200), ("localhost:9999", 200), ("[::1]:1", 200), ("LOCALHOST", 200), ("evil.example", 421),
     ("evil.example:80", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("127.0.0.1@evil.example", 421)],
)  # fmt: skip
def test_the_host_is_this_machine(client: TestClient, host: str, status: int) -> None:
    assert client.get("", headers={"host": host}).status_code == status


def test_only_reading(client: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert client.request(method, "").status_code == 405


@pytest.mark.parametrize("address", ["", "rules", "static/view.js", "nothing", "?page=x", "?text=needle"])
def test_every_answer_forbids_what_is_not_ours(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_no_page_asks_anybody_else(client: TestClient, out: Path) -> None:
    for address in ("", "rules", "rule?set=python&signal=num_words", f"document?id={id_of(out, 'noticed.py')}"):
        page = get(client, address)
        assert not re.search(r"""(?:src|href|action)=["']?(?:\w+:|//)""", page)
        assert " style=" not in page
        assert not re.search(r"<script(?! type=\"module\" src=\"static/view.js\">)", page)


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_filters_counts_and_pages(client: TestClient, out: Path) -> None:
    ledger = Run.open(out).ledger().collect()
    page = get(client)
    assert f"<h1>{len(ledger)} files</h1>" in page
    dropped = get(client, "?verdict=dropped")
    assert len(listed(dropped)) == (ledger["verdict"] == "dropped").sum()
    assert f'<h1>{len(listed(dropped))} <span class="soft">of {len(ledger)}</span> files</h1>' in dropped
    reasons = get(client, "?reason=duplicate&reason=near_duplicate")
    assert len(listed(reasons)) == 2
    both = get(client, "?reason=duplicate&verdict=kept")
    assert listed(both) == []
    assert "No file is like that." in both
    assert len(listed(get(client, "?language="))) == ledger["language"].null_count()


def test_counts_of_a_facet_leave_its_own_choice_out(client: TestClient) -> None:
    page = get(client, "?verdict=dropped")
    kept = re.search(r'href="([^"]*)"><span class="name">kept</span><span class="n">(\d+)', page)
    assert kept is not None
    assert int(kept[2]) > 20
    assert kept[1] == "?verdict=dropped&amp;verdict=kept"
    both = get(client, kept[1].replace("&amp;", "&"))
    assert 'href="?verdict=kept" aria-current="true"' in both  # chosen; it leads to the list without it


def test_words_find_paths_and_repositories(client: TestClient, out: Path) -> None:
    assert len(listed(get(client, "?q=ALPHA+module_1"))) == 3  # 1, 10, 11
    assert len(listed(get(client, "?q=gamma/nearly"))) == 1
    assert len(listed(get(client, "?q=.*"))) == 0  # text, no pattern
    id = id_of(out, "nearly.py")
    assert listed(get(client, f"?q={id}")) == [id]


def test_ranges_and_their_histogram(client: TestClient, out: Path) -> None:
    view = View(Run.open(out))
    values = view.signals.values("num_words")
    within = int(((values >= 100) & (values <= 200)).sum())
    page = get(client, "?signal.num_words=100..200&show=num_words&sort=-num_words")
    ids = listed(page)
    assert len(ids) == within > 3
    found = [values[view.rows.find(id)[0]] for id in ids]
    assert found == sorted(found, reverse=True)
    assert (
        get(client, "?low.num_words=100&high.num_words=200&show=num_words&sort=-num_words") == page
    )  # as a form says it
    bars = [int(n) for n in re.findall(r": (\d+) files?, \d+ kept</title>", page)]
    assert sum(bars) == int((~np.isnan(values)).sum())  # its own range apart
    assert len(listed(get(client, "?signal.size=..30"))) == int((view.rows.sizes <= 30).sum())


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("?page=0", "page is a whole number from 1"),
        ("?page=" + "9" * 400, "page is a whole number"),
        ("?signal.num_words=5", "is a range such as 1..20"),
        ("?signal.num_words=a..b", "is a number"),
        ("?signal.num_words=nan..", "is a number"),
        ("?signal.num_word=1..2", "did you mean num_words"),
        ("?sort=nothing", "there is no signal"),
        ("rule?set=pyhton&signal=num_words", "did you mean python"),
        ("rule?set=python&signal=num_word", "did you mean num_words"),
        ("rule?set=python&signal=num_words&below=x", "below is a number"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(client: TestClient, address: str, what: str) -> None:
    page = get(client, address, 400)
    assert what in re.sub(r"\s+", " ", page)


KEYS = "q text language reason license signal.num_words signal. low.num_words high.num_words low. show sort page after"
KEYS += " id beside set signal below above equals off"
VALUES = [
    "",
    "\x00",
    "..",
    "1..2",
    "-1",
    "1e999",
    "nan",
    "9" * 30,
    "\xed\xa0\x80",
    "%",
    "<b>",
    "num_words",
    "size",
    "-size",
]
VALUES += ["python", "İ", "(", "\\", "[", "2", "0", "kept", "\u202e", "x" * 600, "signal.", "-num_words", "num_lines"]


def test_no_address_breaks_it(client: TestClient) -> None:
    rng = random.Random(7)
    for _ in range(150):
        path = rng.choice(("", "", "document", "rule", "rules", "static/x"))
        given = [(rng.choice(KEYS.split()), rng.choice(VALUES)) for _ in range(rng.randint(1, 4))]
        assert client.get(path, params=given).status_code in (200, 400, 404), (path, given)


def test_an_unknown_file_or_page(client: TestClient) -> None:
    assert "There is no file with the id" in get(client, "document?id=" + "0" * 32, 404)
    for address in ("nothing", "static/app.py", "static/..%2fapp.py"):
        get(client, address, 404)


def test_licences_of_a_ledger_that_has_them(tmp_path: Path) -> None:
    rows = [row_of(id=str(i) * 32, path=f"{i}.py", language="python") for i in range(4)]
    made = write_ledger(tmp_path, rows)
    file = made / "ledger" / "part-00000.parquet"
    licences = pa.array([["MIT"], ["MIT", "Vim"], None, ["MIT"]], pa.list_(pa.string()))
    table = pq.read_table(file)
    without = table.drop_columns([name for name in ("license",) if name in table.schema.names])
    pq.write_table(without.append_column("license", licences), file)
    with opened(made) as client:
        assert len(listed(get(client, "?license=MIT"))) == 2
        assert len(listed(get(client, "?license=MIT,+Vim"))) == 1
        assert len(listed(get(client, "?license="))) == 1
        assert "<h2>licence</h2>" in get(client)


# ── contents ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_contents_are_found_where_they_stand(out: Path, client: TestClient) -> None:
    page = get(client, "?text=needle")
    assert page.count("<mark>needle</mark>") == 1
    assert f"document?id={id_of(out, EVIL_NAME)}" in page
    assert "line 3" in page
    assert "1 file with it" in page
    assert "<mark>" not in get(client, "?text=Needle")  # a capital counts
    assert "<mark>" not in get(client, "?text=needle&q=alpha")  # among the files of the list only
    assert page.count("</html>") == 1


def test_a_search_goes_on_where_it_stopped(out: Path) -> None:
    view = View(Run.open(out))
    every = np.ones(len(view.rows), dtype=bool)
    hits = [event for event in search(view.rows, "return os.path", every) if isinstance(event, Hit)]
    assert len(hits) > 20
    third = hits[2]
    rest = [event for event in search(view.rows, "return os.path", every, third.seen) if isinstance(event, Hit)]
    assert rest == hits[3:]


def test_hits_come_before_the_end(out: Path) -> None:
    view = View(Run.open(out))
    events = search(view.rows, "return os.path", np.ones(len(view.rows), dtype=bool))
    first = next(event for event in events if isinstance(event, Hit))
    assert first.seen < len(view.rows)  # a generator: nothing after it has been read


def test_a_search_of_a_damaged_corpus_says_so(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    with opened(tmp_path / "out") as client:
        for file in (tmp_path / "out" / "corpus").glob("*.parquet"):
            file.write_bytes(b"nothing" * 10)
        assert "cannot read the ledger or the corpus" in get(client, "?text=needle")


# ── one file ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_says_why_and_shows_what_was_measured(client: TestClient, out: Path) -> None:
    small = listed(get(client, "?reason=num_words_too_low"))[0]
    page = get(client, f"document?id={small}")
    assert "Dropped by quality.keep: num words too low; measured:" in page
    assert re.search(r'<tr class="fired"><td>✗</td><td><a href="rule\?set=python&amp;signal=num_words"', page)
    assert '<span class="t-k">def</span>' in page


def test_what_cleaning_changed(client: TestClient, out: Path) -> None:
    page = get(client, f"document?id={id_of(out, 'noticed.py')}")
    section = page.split('<section id="cleaned">')[1].split("</section>")[0]
    assert '<td class="out"># Copyright (c) 2020 Somebody. All rights reserved.</td>' in section
    assert "Copyright" not in page.split('<section id="source">')[1].split("</section>")[0]


def test_a_cluster_stands_side_by_side(client: TestClient, out: Path) -> None:
    ledger = Run.open(out).ledger().filter(pl.col("reason") == "near_duplicate").collect()
    near, kept = ledger["id"][0], ledger["kept_id"][0]
    for id in (near, kept):
        page = get(client, f"document?id={id}")
        assert "2 documents in its cluster" in page
        assert '<td class="in"># the end of it</td>' in page or '<td class="out"># the end of it</td>' in page
        assert "estimated from 512 hashes" in page
    copy = get(client, f"document?id={id_of(out, 'copy.py')}")
    assert "Both texts are the same, character for character." in copy


def test_a_member_of_a_cluster_can_be_chosen(tmp_path: Path) -> None:
    rows = [row_of(id="a" * 32, path="a.py", content="one\n")]
    dropped = {"step": "dedup.drop", "reason": "near_duplicate", "kept_id": "a" * 32}
    for c, similarity in (("b", 0.9), ("c", 0.99), ("d", 0.95)):
        rows.append(row_of(id=c * 32, path=f"{c}.py", similarity=similarity, **dropped))
    with opened(write_ledger(tmp_path, rows)) as client:
        page = get(client, f"document?id={'a' * 32}")
        assert re.findall(r"/(\w)\.py</a>", page.split('id="cluster"')[1]) == ["a", "c", "d", "b"]
        assert re.search(r"c\.py</a> <span class=\"soft\">shown beside", page)
        chosen = get(client, f"document?id={'a' * 32}&beside={'d' * 32}")
        assert re.search(r"d\.py</a> <span class=\"soft\">shown beside", chosen)
        assert "cannot be read any more" in chosen  # there are no working tables


def test_the_page_and_explain_say_the_same(out: Path) -> None:
    from codemill.report.facts.answers import explain_data

    rows = View(Run.open(out)).rows
    for path in ("copy.py", "noticed.py", "nul.py"):
        (row,) = rows.rows(rows.find(id_of(out, path)))
        (match,) = explain_data(out, row["id"])["matches"]
        assert json.dumps(document.explain(rows, row)) == json.dumps(match)


def test_long_texts_are_cut_with_a_notice() -> None:
    whole = "a" * 50_000_000
    cut = document.excerpt(document.Text(whole))
    assert len(cut.lines) == 1
    assert cut.lines[0].endswith("49,999,000 more characters")
    many = document.excerpt(document.Text("line\n" * 100_000))
    assert len(many.lines) == document.LINES
    assert many.notices == ("The first 3,000 of 100,000 lines are shown (500,000 characters in all).",)
    wide = document.excerpt(document.Text(("b" * 990 + "\n") * 3_000))
    assert sum(map(len, wide.lines)) <= document.CHARACTERS + 100
    assert document.excerpt(document.Text("")).notices == ("The text is empty.",)
    assert "gone" in document.excerpt(document.Text(why="it is gone")).notices[0]
    assert document.excerpt(document.Text("a\r\nb\rc")).lines == ("a", "b", "c")


# ── thresholds ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_moved_threshold_changes_what_tuning_says(out: Path) -> None:
    view = View(Run.open(out))
    judged = view.judged()
    assert isinstance(judged, Judged)
    for (name, side), factor in itertools.product(
        (("num_words", "below"), ("num_lines", "below"), ("frac_chars_comments", "above")), (0, 0.3, 0.9, 1, 1.7, 9)
    ):
        _, old = judged.rule("python", name)
        new = dataclasses.replace(old, **{side: getattr(old, side) * factor})
        effect = judged.effect("python", new)
        wanted = tuning.what_if(judged.run, judged.run.book.with_rule("python", new))
        assert (effect.change.more, effect.change.fewer) == (wanted.more, wanted.fewer), new
        assert (len(effect.more), len(effect.fewer)) == (wanted.more, wanted.fewer)
    off = judged.effect("python", dataclasses.replace(judged.rule("python", "num_words")[1], active=False))
    assert off.change.fewer > 0


def test_rules_are_counted_as_the_survey_counts_them(out: Path) -> None:
    view = View(Run.open(out))
    judged = view.judged()
    assert isinstance(judged, Judged)
    survey = {(t.rule_set, t.rule.signal): (t.hits, t.unique) for t in tuning.survey(judged.run)}
    assert {(c.rule_set, c.rule.signal): (c.hits, c.unique) for c in judged.counts()} == survey
    assert any(hits > unique > 0 for hits, unique in survey.values())


def test_a_rule_page_has_the_changed_rule_as_code(client: TestClient) -> None:
    page = get(client, "rule?set=python&signal=num_words&below=160")
    assert "rules = rules.with_rule(&#34;python&#34;, Rule(&#34;num_words&#34;, below=160))" in page
    assert "files would be dropped as well" in page
    assert "Nothing changes yet" in get(client, "rule?set=python&signal=num_words")
    assert "active=False" in get(client, "rule?set=python&signal=num_words&off=1")


def test_an_expression_makes_the_rule() -> None:
    for rule in (
        Rule("a", below=1.5),
        Rule("b", above=1e20, drop_probability=0.2),
        Rule("c", equals=0.0, active=False),
    ):
        assert eval(expression(rule), {"Rule": Rule}) == rule


# ── what stays text ───────────────────────────────────────────────────────────────────────────────────────────────


def test_names_and_contents_stay_text(client: TestClient, out: Path) -> None:
    evil = f"document?id={id_of(out, EVIL_NAME)}"
    for address in ("", "?q=%3Cimg", "?text=hidden", evil, f"document?id={id_of(out, 'long.py')}"):
        page = get(client, address)
        for marker in ("<img", "<script>", "<svg onload", "<b>evil", "<i>evil", "\u202e", "\x1b", "\x08", "\u200b"):
            assert marker not in page, (address, marker)
    page = get(client, evil)
    assert '<span class="x">\\u202e</span>' in page
    assert "{{ 7 * 7 }} {% raw %}" in plain(page)  # no template of theirs is run
    assert EVIL_TEXT.split("\n")[0] in plain(page)


@pytest.mark.parametrize("field", ["q", "text", "show", "sort", "language", "signal.x", "id", "beside"])
def test_an_address_stays_text(client: TestClient, field: str) -> None:
    evil = "\"'><script>window.hurt=1</script>"
    for where in ("", "document"):
        answer = client.get(where, params={field: evil})
        assert "<script>window" not in answer.text


def test_facts_of_the_ledger_are_plain() -> None:
    time = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert [_plain(v) for v in (["MIT", "Vim"], b"\x01\xff", time, 3, None)] == [
        "MIT, Vim",
        "01ff",
        "2024-05-06 07:08:09+00:00",
        3,
        None,
    ]


def test_what_would_not_show_is_marked() -> None:
    assert visible("a<b\u202e\x00\té") == 'a&lt;b<span class="x">\\u202e</span><span class="x">\\x00</span>\té'


# ── colours ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tokens_joined_are_the_text() -> None:
    text = "#!/bin/x\n\n\nclass A:\n\t'''one\n two'''\n  \nx = 1  # end\n\n"
    for language, path in (("python", "a.py"), ("", "a.c"), ("json", ""), ("html", "")):
        lines = tokens(text, language, path)
        assert lines is not None
        assert "\n".join("".join(piece for _, piece in line) for line in lines) == text
    assert tokens(text, "no language", "no.ending") is None


def test_a_text_that_takes_too_long_goes_without_colours() -> None:
    highlighter = Highlighter(seconds=0.05)
    try:
        assert highlighter.lines("x = 1\n" * 30_000, "python", "a.py") is None
        highlighter.seconds = 30
        assert highlighter.lines("x = 1", "python", "a.py") is not None  # another process took its place
    finally:
        highlighter.close()


# ── what is missing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_without_working_tables(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out", ignore=shutil.ignore_patterns(".work"))
    with opened(tmp_path / "out") as client:
        assert "There are no signals and no rules to show: the working tables are gone." in get(client)
        assert "There are no rules to show" in get(client, "rules")
        get(client, "rule?set=python&signal=num_words", 404)
        assert "def " in plain(get(client, f"document?id={id_of(out, 'noticed.py')}"))
        assert "cannot be read any more" in get(client, f"document?id={id_of(out, 'copy.py')}")
        assert "1 file with it" in get(client, "?text=needle")


def test_without_a_ledger(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out", ignore=shutil.ignore_patterns("ledger"))
    with opened(tmp_path / "out") as client:
        page = get(client)
        assert "This run has no ledger" in page
        kept = (Run.open(out).ledger().select("verdict").collect()["verdict"] == "kept").sum()
        assert f"<h1>{kept} files</h1>" in page
        assert "Copyright" not in get(client, f"document?id={id_of(out, 'noticed.py')}")
        assert "<mark>needle</mark>" in get(client, "?text=needle")


def test_without_a_corpus(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out", ignore=shutil.ignore_patterns("corpus"))
    with opened(tmp_path / "out") as client:
        assert "This run has no corpus" in get(client)
        assert "def " in plain(get(client, f"document?id={id_of(out, 'noticed.py')}"))  # from the working tables
        assert "nothing found, 0 documents searched" in get(client, "?text=needle")


def test_parts_with_other_columns(tmp_path: Path) -> None:
    made = write_out(tmp_path, rows=300)
    file = made / "ledger" / "part-00001.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["similarity", "language", "rules"]), file)
    assert "<h1>300 files</h1>" in get(opened(made))


# ── the server ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_prints_its_address_and_stops(out: Path) -> None:
    command = [sys.executable, "-m", "codemill.cli", "view", str(out), "--at", "?language=python"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/\?language=python", address)
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert b"codemill" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.split("/?")[0][:-8] + "/", timeout=30)
        server.send_signal(signal.SIGINT)
        rest, said = server.communicate(timeout=30)
    assert (server.returncode, rest, said) == (0, "", "")


def test_a_port_that_is_taken_and_a_folder_without_a_run(out: Path, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EnvironmentProblem, match="choose another --port"):
            serve(out, port=taken.getsockname()[1])
    with pytest.raises(InputError, match="no finished run here"):
        serve(tmp_path)


def test_the_colours_are_those_of_the_report() -> None:
    package = Path(document.__file__).parent.parent
    ours, theirs = ((package / name).read_text("utf-8") for name in ("view/page/view.css", "report/page/page.css"))
    assert ours.splitlines()[:3] == theirs.splitlines()[:3]
