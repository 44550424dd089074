"""`codemill view` in a browser: headless chromium, as Debian has it. Nothing may go to the console, and nothing out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from codemill.machine.builder import build as build_run
from codemill.recipes import pretraining_mix, tokens
from codemill.run import Run
from codemill.view.app import app_of
from tests.browser_tools import CHROMIUM, NARROW, TOKEN, launched, served, sync_api, watched
from tests.view_fixture import EVIL_NAME, RIGHT, WRONG, build, family, recall

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (.ci/run installs it)")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("view"))


@pytest.fixture(scope="module")
def address(out: Path) -> Iterator[str]:
    """The app of the run."""
    with served(app_of(Run.open(out), TOKEN)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page of the run."""
    with watched(browser, address) as page:
        yield page


def shown(page: Any) -> list[str]:
    """The files that the page lists."""
    return [text.strip() for text in page.locator(".rows td.file a").all_inner_texts()]


def id_of(out: Path, path: str) -> str:
    return str(Run.open(out).ledger().filter(pl.col("path") == path).select("id").collect().item())


def test_filters_are_links_and_the_address_holds_them(page: Any) -> None:
    page.get_by_role("link", name=re.compile(r"^dropped \d+")).click()
    few = shown(page)
    page.get_by_role("link", name=re.compile(r"^near duplicate \d+")).click()
    assert page.url.endswith("?verdict=dropped&reason=near_duplicate")
    assert shown(page) == ["alpha/src/module_11.py"]
    assert len(few) > 1
    page.locator(".chip", has_text="near_duplicate").click()
    assert shown(page) == few
    page.go_back()
    assert shown(page) == ["alpha/src/module_11.py"]


def test_a_form_leaves_empty_fields_out(page: Any) -> None:
    page.locator("#q").fill("gamma nearly")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=gamma+nearly")
    assert shown(page) == ["gamma/nearly.py"]


def test_a_range_is_brushed(page: Any) -> None:
    page.locator("#show").select_option("num_words")
    page.wait_for_url("**show=num_words")
    before = page.locator("h1").inner_text()
    box = page.locator("#brush .chart").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30, steps=4)
    page.mouse.up()
    page.wait_for_url("**signal.num_words=**")
    low, high = (float(page.locator(f"#{end}").input_value()) for end in ("low", "high"))
    values = [float(text.replace(",", "")) for text in page.locator(".rows td.n:nth-child(4)").all_inner_texts()]
    assert 0 < low < high
    assert values
    assert all(low * 0.99 <= value <= high * 1.01 for value in values)
    assert page.locator("h1").inner_text() != before
    page.locator("#show").select_option("num_lines")  # another signal; the range of the first stays
    page.wait_for_url("**show=num_lines")
    assert "signal.num_words=" in page.url


def test_keys(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("module_1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=module_1")
    files = shown(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText").strip() == files[1]
    page.keyboard.press("Enter")
    page.wait_for_url("**/document?id=*")
    assert page.locator("h1").inner_text().strip() == files[1]
    page.keyboard.press("Escape")
    page.wait_for_url("**/?q=module_1")


def test_a_threshold_moves_and_the_answer_with_it(page: Any, address: str) -> None:
    page.goto(address + "rules")
    page.get_by_role("link", name="num_words", exact=True).first.click()
    page.wait_for_url("**/rule?**")
    assert "Nothing changes yet" in page.locator("#effect").inner_text()
    slider = page.locator("input[data-for=below]")
    slider.evaluate("e => { e.value = 700; e.dispatchEvent(new Event('input', {bubbles: true})) }")
    sync_api.expect(page.locator("#effect")).not_to_contain_text("Nothing changes yet")
    moved = float(page.locator("#below").input_value())
    assert moved > 110
    assert f"below={moved:g}" in page.locator("#code").inner_text()
    assert re.search(r"[1-9]\d* more", page.locator("#effect").inner_text())
    assert f"below={moved:g}" in page.url
    listed = shown(page)
    page.reload()
    assert shown(page) == listed  # the address holds it
    page.locator("button[data-copy=code]").click()
    page.get_by_role("button", name="Copied").wait_for()
    page.locator("#below").fill("no number")
    page.locator("#below:invalid").wait_for()
    page.locator("#below").fill("50")
    sync_api.expect(page.locator("#code")).to_contain_text("below=50")


def test_a_diff_and_a_cluster(page: Any, address: str, out: Path) -> None:
    page.goto(f"{address}document?id={id_of(out, 'nearly.py')}")
    assert "2 documents in its cluster" in page.locator("#cluster").inner_text()
    assert "# the end of it" in page.locator("#cluster .diff .out").all_inner_texts()
    page.locator("#cluster .members a", has_text="alpha").first.click()
    sync_api.expect(page.locator("h1")).to_contain_text("module_11")
    page.goto(f"{address}document?id={id_of(out, 'noticed.py')}#cleaned")
    assert "Copyright (c) 2020 Somebody" in page.locator("#cleaned .out").all_inner_texts()[0]


def test_contents_are_searched_and_hits_opened(page: Any) -> None:
    page.locator("#text").fill("needle")
    page.keyboard.press("Enter")
    page.locator("#end").wait_for()
    assert page.locator("mark").all_inner_texts() == ["needle"]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/document?id=*")
    assert "needle" in page.locator("#source").inner_text()


def test_hostile_names_and_contents_stay_inert(page: Any, address: str, out: Path) -> None:
    for end in (
        "?q=img",
        f"document?id={id_of(out, EVIL_NAME)}",
        f"document?id={id_of(out, 'long.py')}",
        "?text=script",
    ):
        page.goto(address + end)
        assert page.locator("img, svg [onload], i:not(.dot), td b, pre b").count() == 0
        assert page.evaluate("document.querySelectorAll('script').length") == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), end  # nothing breaks the page
    assert page.locator("mark").first.inner_text() == "script"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_windows_and_both_schemes(browser: Any, address: str, out: Path, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    page = context.new_page()
    near = id_of(out, "nearly.py")
    for end in (
        "",
        "?show=num_words",
        "?text=return",
        "rules",
        "rule?set=python&signal=num_words",
        f"document?id={near}",
    ):
        page.goto(address + end)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, end
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 200) is (scheme == "dark")
    context.close()


def test_pages_work_without_their_script(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.locator("#q").fill("nearly")
    page.get_by_role("button", name="Search").click()
    assert shown(page) == ["gamma/nearly.py"]
    page.goto(address + "rule?set=python&signal=num_words")
    page.locator("#below").fill("300")
    page.get_by_role("button", name="Show").click()
    assert "would be dropped as well" in page.locator("#effect").inner_text()
    context.close()


def fits(page: Any) -> bool:
    """Whether nothing reaches over the right end of the window, and nothing of strangers is markup."""
    assert page.locator("img, svg [onload], td b, pre b, p script, p svg").count() == 0
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_hit_opens_the_file_at_its_line(page: Any) -> None:
    page.locator("#text").fill("needle")
    page.keyboard.press("Enter")
    page.locator("#end").wait_for()
    page.locator(".hits a").first.click()
    page.wait_for_url("**/document?id=*#L3")
    assert "needle" in page.locator("tr:target").inner_text()


def test_files_are_sorted_by_name(page: Any) -> None:
    page.get_by_role("link", name="file", exact=True).click()
    page.wait_for_url("**sort=name")
    names = shown(page)
    assert names == sorted(names)
    page.get_by_role("link", name="file ↑").click()
    page.wait_for_url("**sort=-name")
    assert shown(page)[0] > names[0]


def test_synthesis_and_lineage_by_keys(browser: Any, tmp_path: Path) -> None:
    runs = family(tmp_path)
    with served(app_of(Run.open(runs / "corpus"), TOKEN)) as address, watched(browser, address) as page:
        page.goto(f"{address}document?id={id_of(runs / 'corpus', f'src/{RIGHT}')}")
        page.keyboard.press("j")  # the first of what it became
        page.keyboard.press("Enter")
        page.wait_for_url("**/of/*/row?set=snippets&id=*")
        assert "def right():" in page.locator("#made").inner_text()
        assert "licence MIT" in page.locator("#seed h2").inner_text()
        made, seed = (page.locator(f"#{name}").bounding_box() for name in ("made", "seed"))
        assert made["x"] + made["width"] < seed["x"]  # beside each other
        page.locator("#seed a.follow").click()
        page.wait_for_url(f"{address}document?id=*")
        for back in ("**/of/*/row?*", "**/document?*"):
            page.keyboard.press("Escape")
            page.wait_for_url(back)
        page.get_by_role("link", name="Run", exact=True).click()
        page.wait_for_url("**/overview")
        page.get_by_role("link", name="snippets", exact=True).click()
        page.wait_for_url("**/of/*/sets")
        page.get_by_role("link", name="not passed").click()
        page.wait_for_url("**/rows?set=snippets&reason=not_passed")
        assert len(shown(page)) == 1
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/row?*")
        assert WRONG in page.locator("h1").inner_text()
        assert "printed by fail" in page.locator(".printed").inner_text()
        wrong = page.url
        for scheme in ("light", "dark"):
            with watched(browser, address, color_scheme=scheme, **NARROW) as small:
                for end in ("sets", "rows?set=snippets", "overview", wrong.rsplit("/", 1)[1]):
                    small.goto(wrong.rsplit("/", 1)[0] + "/" + end)
                    assert fits(small), end


def test_a_rule_is_accepted(browser: Any, tmp_path: Path) -> None:
    app, file = app_of(Run.open(recall(tmp_path)), TOKEN, rules=tmp_path / "rules"), tmp_path / "rules" / "round-1.txt"
    with served(app) as address, watched(browser, address) as page:
        page.get_by_role("link", name="Domains").click()
        page.wait_for_url("**/domains")
        page.get_by_role("link", name="round 1").click()
        page.wait_for_url("**/domains?round=1**")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/domain?round=1&name=code.test")
        page.get_by_text("%://docs.code.test/talk/%").click()
        page.wait_for_url("**pattern=**")
        assert "4 of 13 pages" in page.locator("#effect").inner_text()
        page.get_by_role("button", name="Accept").click()  # as a browser says it: its origin is `null`
        page.wait_for_url("**/domain?round=1&name=code.test#rules")
        assert file.read_text() == "+ %://docs.code.test/talk/%\n"
        page.goto(f"{address}domain?round=1&name=code.test&pattern=%25/evil/%25&sign=-")
        assert "<img" in page.locator("#write").inner_text()
        assert fits(page)
        page.get_by_role("button", name="Take back").click()
        page.wait_for_url("**/domain?round=1&name=code.test#rules")
        assert file.read_text() == ""
        for scheme in ("light", "dark"):
            with watched(browser, address, color_scheme=scheme, **NARROW) as small:
                for end in ("domains", "domain?name=code.test&pattern=%25/evil/%25"):
                    small.goto(address + end)
                    assert fits(small), end


def test_a_page_elsewhere_cannot_write(browser: Any, tmp_path: Path) -> None:
    app, file = app_of(Run.open(recall(tmp_path)), TOKEN, rules=tmp_path / "rules"), tmp_path / "rules" / "round-1.txt"
    with served(app) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}domain?round=1&name=code.test&pattern=%25/manual/%25")
        secret = page.locator("input[name=secret]").first.input_value()
        evil = tmp_path / "evil.html"  # it knows the address and the secret, and still is another site
        fields = {"secret": secret, "round": "1", "sign": "+", "pattern": "%/evil/%"}
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        evil.write_text(f'<form method="post" action="{address}accept">{inputs}<button>go</button></form>')
        page.goto(evil.as_uri())
        with page.expect_response("**/accept") as answer:
            page.get_by_role("button").click()
        assert answer.value.status == 403
        assert not file.exists()
        context.close()


@pytest.fixture(scope="module")
def packed(out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan over tokens of the run: FOLDER/tokens, FOLDER/mix."""
    folder = tmp_path_factory.mktemp("packed")
    build_run(tokens.smoke(corpus=str(out)), out=folder / "tokens", workers=1)
    build_run(pretraining_mix.smoke(code=str(folder / "tokens")), out=folder / "mix", workers=1)
    return folder


def test_tokens_are_seen_with_their_boundaries_and_a_plan_leads_to_its_documents(browser: Any, packed: Path) -> None:
    with served(app_of(Run.open(packed / "mix"), TOKEN)) as address, watched(browser, address) as page:
        assert re.fullmatch(r"[\d,]+ sequences", page.locator("h1").inner_text())
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sequence?n=0")
        tokens_shown = page.locator("pre span[title]")
        assert tokens_shown.count() == 128
        colours = tokens_shown.evaluate_all(
            "all => all.slice(0, 8).map((one) => getComputedStyle(one).backgroundColor)"
        )
        assert all(one != other for one, other in pairwise(colours)), "a token is told from the next by its colour"
        page.keyboard.press("n")
        page.wait_for_url("**/sequence?n=1")
        assert fits(page)
        page.locator("section h2 a").first.click()
        page.wait_for_url("**/document?input=*")
        assert page.locator("pre span[title]").count() > 100
        page.get_by_role("link", name="All sequences").click()
        page.wait_for_url(re.compile(rf"^{re.escape(address)}$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tokens_that_bite_stay_text_in_narrow_windows(browser: Any, packed: Path, scheme: str) -> None:
    with (
        served(app_of(Run.open(packed / "tokens"), TOKEN)) as address,
        watched(browser, address, color_scheme=scheme, **NARROW) as page,
    ):
        assert fits(page)
        page.locator(".rows a", has_text="<img src=x onerror=window.hurt=1>").click()
        page.wait_for_url("**/document?**")
        text = page.locator("pre").inner_text()
        assert "<script>window.hurt" in text
        assert "\u202e" not in text
        assert fits(page)
        assert page.evaluate("document.querySelectorAll('script').length") == 1
