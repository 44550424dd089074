"""`codemill view` of synthesised rows, of a web recall, and across runs: what stands beside what, and who may write."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from codemill.cli import cli
from codemill.errors import EnvironmentProblem, InputError, RecipeError
from codemill.report.facts import made
from codemill.run import Run
from codemill.view.app import app_of
from codemill.view.family import Family
from codemill.view.sets import fences
from codemill.web import accepted
from tests.test_view import TOKEN, get, opened, plain
from tests.view_fixture import EVIL_URL, RIGHT, WRONG, family, recall

HOST = "http://127.0.0.1"
RULE = "+ %://code.test/manual/%"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return family(tmp_path_factory.mktemp("family"))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recall(tmp_path_factory.mktemp("recall"))


@pytest.fixture(scope="module")
def made_rows(runs: Path) -> Iterator[TestClient]:
    """The view of the run of snippets."""
    with opened(runs / "snippets") as client:
        yield client


@pytest.fixture(scope="module")
def files(runs: Path) -> Iterator[TestClient]:
    """The view of the corpus that they are about."""
    with opened(runs / "corpus") as client:
        yield client


@pytest.fixture
def rules(crawled: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Path]]:
    """The view of the recall that may write rules, and where."""
    app = app_of(Run.open(crawled), TOKEN, rules=tmp_path / "rules")
    with TestClient(app, base_url=f"{HOST}/{TOKEN}/") as client:
        yield client, tmp_path / "rules" / "round-1.txt"


def rows(runs: Path) -> dict[str, dict[str, str]]:
    ledger = pl.read_parquet(runs / "snippets" / "snippets_ledger" / "*.parquet")
    return {row["path"].removeprefix("src/"): row for row in ledger.to_dicts()}


def document(runs: Path, name: str) -> str:
    frame = Run.open(runs / "corpus").ledger().filter(pl.col("path") == f"src/{name}")
    return str(frame.select("id").collect().item())


def links(page: str, within: str) -> list[str]:
    """The addresses of the links that are followed in a section of a page."""
    section = page[page.index(f'<section id="{within}"') :].split("</section>")[0]
    return [html.unescape(one) for one in re.findall(r'<a class="follow" href="([^"]+)"', section)]


# ── synthesised rows ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_of_rows_begins_with_its_sets(runs: Path, made_rows: TestClient) -> None:
    page = get(made_rows)
    said = plain(page)
    assert "2 of 3 rows accepted, 66.7 %" in said
    assert "The answers are recorded ones: this set is an example, and no data." in said
    assert "not passed" in said
    assert "its program did not pass its tests" in said
    assert "tokens of questions" in said
    assert f"row?set=snippets&amp;id={rows(runs)[WRONG]['id']}" in page


def test_rows_are_filtered_by_what_the_sets_count(made_rows: TestClient) -> None:
    client = made_rows
    for address, count in (
        ("rows?set=snippets", 3),
        ("rows?set=snippets&verdict=kept", 2),
        ("rows?set=snippets&reason=not_passed", 1),
        ("rows?set=snippets&language=python&difficulty=easy&verdict=dropped", 1),
        ("rows?set=snippets&q=ALSO", 1),
        ("rows?set=snippets&language=go", 0),
    ):
        page = get(client, address)
        assert len(re.findall(r'href="row\?', page)) == count, address
    assert "there is no set" in plain(get(client, "rows?set=nothing", 400))
    get(client, "rows?set=snippets&page=x", 400)


def test_a_row_stands_beside_its_seed(runs: Path, made_rows: TestClient) -> None:
    client = made_rows
    page = get(client, f"row?set=snippets&id={rows(runs)[RIGHT]['id']}")
    said = plain(page)
    assert "licence MIT" in said
    assert "# be right" in said
    assert "def right():" in said
    assert "assert right()" in said
    assert "printed by pass\nin two lines \\x1b[31m<svg onload" in said
    assert "1 test run" in said
    (seed,) = links(page, "seed")
    assert "# be right" in plain(get(client, seed))
    assert seed.startswith("of/")


def test_a_row_that_went_shows_its_program_and_why(runs: Path, made_rows: TestClient, tmp_path: Path) -> None:
    id = rows(runs)[WRONG]["id"]
    said = plain(get(made_rows, f"row?set=snippets&id={id}"))
    assert "Dropped by synthesis.keep: not passed (fail: AssertionError)" in said
    assert "def wrong():" in said
    assert "printed by fail" in said
    for row in rows(runs).values():  # each from its own place in the working tables
        whole = made.dropped(Run.open(runs / "snippets"), "snippets", row["id"])
        assert whole is not None
        assert whole["id"] == row["id"]
    (match,) = made.explain_data(runs / "snippets", id)["matches"]  # type: ignore[index]
    assert match["row"]["program"].startswith("def wrong():")  # and `codemill explain` says the same
    shutil.copytree(runs, tmp_path / "runs", symlinks=True)
    shutil.rmtree(tmp_path / "runs" / "snippets" / ".work" / "snippets.write")
    with opened(tmp_path / "runs" / "snippets") as client:
        said = plain(get(client, f"row?set=snippets&id={id}"))
    assert "The row itself cannot be read any more" in said
    assert "not passed" in said


def test_a_row_that_is_not_there(made_rows: TestClient) -> None:
    get(made_rows, "row?set=snippets&id=nothing", 404)


def test_answers_are_cut_at_fences() -> None:
    assert fences("a\n```py\nx\n````\nb") == [(False, "", "a"), (True, "py", "x"), (False, "", "b")]
    assert fences("```\n```js\n```") == [(True, "", "```js")]
    assert fences("```py\nnever closed") == [(True, "py", "never closed")]


@pytest.mark.parametrize("address", ["sets", "rows?set=snippets", "overview", "right", "wrong"])
def test_what_a_teacher_says_stays_text(runs: Path, made_rows: TestClient, address: str) -> None:
    known = {"right": RIGHT, "wrong": WRONG}
    if address in known:
        address = f"row?set=snippets&id={rows(runs)[known[address]]['id']}"
    page = get(made_rows, address)
    assert not re.search(r"<(?:img|b>wrong|svg onload|i>evil|script(?! type=\"module\" src=\"static/view.js\">))", page)
    assert not re.search(r"[\x00-\x08\x1b\u202e]", page)
    assert " style=" not in page


# ── domains and rules ─────────────────────────────────────────────────────────────────────────────────────────────


def test_domains_are_shown_with_their_shares(crawled: Path) -> None:
    client = opened(crawled)
    said = plain(get(client, "domains?round=1"))
    assert re.search(r"code\.test\s*13\s*8\s*61\.5 %", said)
    assert "1 about code, 1 not" in said
    assert plain(get(client, "domains?about=other")).count("garden.test") > 0
    assert "code.test" not in plain(get(client, "domains?about=other"))
    assert "No domain is like that." in get(client, "domains?q=nothing")
    get(client, "domains?round=3", 400)
    get(client, "domain?round=1&name=nothing", 404)
    page = plain(get(client, "domain?round=1&name=code.test"))
    assert "%://code.test/manual/% 8 pages, 8 in the corpus" in page
    assert "%://docs.code.test/talk/% 4 pages, 0 in the corpus" in page
    assert "Rules count inside of domains about code alone" in plain(get(client, "domain?name=garden.test"))


def test_a_rule_says_what_it_would_match(crawled: Path) -> None:
    client = opened(crawled)
    said = plain(get(client, "domain?name=code.test&pattern=%25code.test/%25"))
    assert "It matches 13 of 13 pages of this domain: 8 in the corpus, 5 not in the corpus." in said
    assert "matches every URL" in plain(get(client, "domain?name=code.test&pattern=%25%25"))
    page = get(client, "domain?name=code.test&pattern=%25/evil/%25")
    assert "<img" not in page
    assert EVIL_URL in plain(page)


def secret(page: str) -> str:
    found = re.search(r'name="secret" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_rule_is_accepted_and_taken_back(rules: tuple[TestClient, Path]) -> None:
    client, file = rules
    page = get(client, "domain?round=1&name=code.test&pattern=%25://code.test/manual/%25")
    form = {"secret": secret(page), "round": "1", "sign": "+", "pattern": RULE[2:], "domain": "code.test"}
    answer = client.post("accept", data=form, headers={"origin": "null", "sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert str(answer.url).endswith("domain?round=1&name=code.test#rules")
    assert "Take back" in answer.text
    assert file.read_text() == f"{RULE}\n"
    client.post("accept", data=form)
    assert file.read_text() == f"{RULE}\n"  # once
    file.write_text(f"# by hand\n{RULE}  # why\n- %/users/%")
    client.post("accept", data={**form, "pattern": "%://code.test/more/%"})
    assert file.read_text() == f"# by hand\n{RULE}  # why\n- %/users/%\n+ %://code.test/more/%\n"
    client.post("withdraw", data=form)
    assert file.read_text() == "# by hand\n- %/users/%\n+ %://code.test/more/%\n"


def test_only_a_page_of_the_app_writes(crawled: Path, rules: tuple[TestClient, Path]) -> None:
    client, file = rules
    known = secret(get(client, "domain?round=1&name=code.test&pattern=%25/manual/%25"))
    form = {"secret": known, "round": "1", "sign": "+", "pattern": RULE[2:]}
    elsewhere = [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]
    elsewhere.append({"origin": "http://127.0.0.1:99"})
    for headers in elsewhere:
        assert client.post("accept", data=form, headers=headers).status_code == 403, headers
    for wrong in ("", "x", known[:-1]):
        assert client.post("accept", data={**form, "secret": wrong}).status_code == 403
    assert client.get("accept").status_code == 405
    assert client.post("domains", data=form).status_code == 405
    assert client.post("of/0/accept", data=form).status_code == 405
    assert client.post("accept", content=b"pattern=" + b"x" * 20_000).status_code == 413
    other = TestClient(app_of(Run.open(crawled), "other", rules=file.parent), base_url=HOST)
    assert other.post(f"/{TOKEN}/accept", data=form).status_code == 403
    assert opened(crawled).post("accept", data=form).status_code == 405  # no folder was given
    assert not file.exists()
    assert client.post("accept", data=form).status_code == 200
    assert file.exists()


@pytest.mark.parametrize(
    ("change", "status"),
    [({"pattern": "%"}, 400), ({"pattern": "a\n- %/b"}, 400), ({"pattern": "a #b"}, 400),
     ({"pattern": "\x1b[m/a"}, 400), ({"sign": "*"}, 400), ({"sign": ""}, 400), ({"round": "9"}, 400),
     ({"round": "../x"}, 400), ({"pattern": "x" * 500}, 400)],
)  # fmt: skip
def test_what_is_no_rule_is_not_written(rules: tuple[TestClient, Path], change: dict[str, str], status: int) -> None:
    client, file = rules
    known = secret(get(client, "domain?name=code.test&pattern=%25/manual/%25"))
    form = {"secret": known, "round": "1", "sign": "+", "pattern": RULE[2:], **change}
    assert client.post("accept", data=form).status_code == status
    assert not file.parent.exists()


def test_a_file_that_is_no_rules_is_left_alone(rules: tuple[TestClient, Path]) -> None:
    client, file = rules
    known = secret(get(client, "domain?name=code.test&pattern=%25/manual/%25"))
    file.parent.mkdir()
    file.write_text("not a rule\n")
    answer = client.post("accept", data={"secret": known, "round": "1", "sign": "+", "pattern": RULE[2:]})
    assert answer.status_code == 400
    assert "round-1.txt:1" in plain(answer.text)
    assert file.read_text() == "not a rule\n"
    page = get(client, "domain?round=1&name=code.test&pattern=%25/manual/%25")
    assert "not a rule" in plain(page)
    assert 'action="accept"' not in page


def test_rules_are_written_where_a_link_leads_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "round-1.txt"
    (tmp_path / "real.txt").write_text("# mine\n")
    file.symlink_to(tmp_path / "real.txt")
    assert accepted.accept(file, "-", " %/users/% ")
    assert file.is_symlink()
    assert (tmp_path / "real.txt").read_text() == "# mine\n- %/users/%\n"
    assert not accepted.withdraw(file, "+", "%/users/%")
    with pytest.raises(RecipeError, match="matches every URL"):
        accepted.accept(file, "+", "%")
    (tmp_path / "a-file").touch()
    with pytest.raises(EnvironmentProblem, match="cannot write the rules"):
        accepted.accept(tmp_path / "a-file" / "round-1.txt", "+", "%/a/%")


# ── across runs ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_leads_to_what_it_became_and_back(runs: Path, files: TestClient) -> None:
    client = files
    page = get(client, f"document?id={document(runs, RIGHT)}")
    (row,) = links(page, "became")
    assert row.startswith("of/")
    there = get(client, row)
    assert "def right():" in plain(there)
    (back,) = links(there, "seed")
    assert back.startswith("../../document?")
    returned = client.get(str(client.base_url.join(row).join(back)))
    assert "# be right" in plain(returned.text)
    assert str(runs / "code" / "alpha" / "src" / RIGHT) in plain(page)  # the file itself
    other = get(client, f"document?id={document(runs, WRONG)}")
    assert "dropped: not passed" in plain(other)
    assert "<b>wrong" not in other


def test_every_run_names_its_relatives(files: TestClient, made_rows: TestClient) -> None:
    above = get(files, "overview")
    assert re.search(r'<a href="of/\w{12}/">snippets</a>', above)
    below = get(made_rows, "overview")
    assert re.search(r'<a href="of/\w{12}/">corpus</a>', below)


def test_a_run_elsewhere_is_named_and_one_that_is_gone_is_left_out(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "snippets", tmp_path / "far" / "chats", symlinks=True)
    shutil.copytree(runs / "corpus", tmp_path / "alone" / "corpus", symlinks=True)
    run = Run.open(runs / "corpus")
    family = Family.of(run, [tmp_path / "far" / "chats"])
    assert {member.name for member in family.below(family.main.key)} == {"chats"}  # of two alike the one that was named
    with pytest.raises(InputError, match="no finished run"):
        Family.of(run, [tmp_path])
    alone = Family.of(Run.open(tmp_path / "alone" / "corpus"))
    assert alone.below(alone.main.key) == []
    (tmp_path / "alone" / "broken").mkdir()
    (tmp_path / "alone" / "broken" / "manifest.json").write_text("{]")
    assert len(Family.of(Run.open(tmp_path / "alone" / "corpus")).members) == 1


def test_other_runs_are_answered_by_their_keys_alone(runs: Path, files: TestClient) -> None:
    client = files
    for address in ("of/", "of/0123456789ab/", "of/../corpus/", "of/%2e%2e/"):
        assert client.get(address).status_code == 404, address
    key = next(key for key in Family.of(Run.open(runs / "corpus")).members if f"of/{key}/" in get(client, "overview"))
    assert client.get(f"of/{key}/static/view.css").status_code == 200
    assert client.get(f"of/{key}/nothing").status_code == 404
    assert TestClient(app_of(Run.open(runs / "corpus"), TOKEN), base_url=HOST).get(f"/of/{key}/").status_code == 403


def test_a_run_that_cannot_be_shown_says_so_and_the_others_stay(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "snippets", tmp_path / "damaged", symlinks=True)
    for file in (tmp_path / "damaged" / "snippets").glob("*.parquet"):
        file.write_bytes(b"damaged")
    app = app_of(Run.open(runs / "corpus"), TOKEN, beside=[tmp_path / "damaged"])
    with TestClient(app, base_url=f"{HOST}/{TOKEN}/") as client:
        (address,) = re.findall(r'<a href="(of/\w{12}/)">damaged</a>', get(client, "overview"))
        assert "cannot be shown" in get(client, address, 500)
        get(client, f"document?id={document(runs, RIGHT)}")


def test_the_options_of_the_command() -> None:
    said = CliRunner().invoke(cli, ["view", "--help"]).output
    assert "--rules" in said
    assert "--with" in said
