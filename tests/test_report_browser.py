"""Reports in a browser: files, what a teacher wrote, tokens and a mix; wide, narrow, light, dark and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codemill import report
from codemill.machine.builder import build as build_run
from codemill.recipes import pretraining_mix, tokens
from tests.browser_tools import CHROMIUM, NARROW, launched, watched
from tests.view_fixture import EVIL_NAME, build, family

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (.ci/run installs it)")

EVIL_RECIPE = {"name": "<img src=x onerror=window.hurt=1>", "parameters": {"</script><script>window.hurt=1": "<b>"}}

STRANGE = """() => [...document.querySelectorAll("*")].filter((one) =>
    ["IMG", "IFRAME", "OBJECT", "LINK", "FORM"].includes(one.tagName)
    || (one.tagName === "SCRIPT" && one !== document.scripts[document.scripts.length - 1])
    || [...one.attributes].some((a) => a.name.startsWith("on") || /^\\s*javascript:/i.test(a.value))
  ).map((one) => one.outerHTML.slice(0, 200))"""
"""Elements that a report does not have unless a stranger wrote them."""

SECTIONS = {
    "files": ("funnel", "languages", "reasons", "moved", "rules", "near-duplicates", "cleaning", "sizes", "samples"),
    "snippets": ("synthesis",),
    "tokens": ("tokens",),
    "mix": ("mix",),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of each run. Names and contents bite."""
    root = tmp_path_factory.mktemp("reports")
    outs = {"files": build(root), "snippets": family(root / "family") / "snippets"}
    for name, recipe in (
        ("tokens", lambda: tokens.smoke(corpus=str(outs["files"]))),
        ("mix", lambda: pretraining_mix.smoke(code=str(outs["tokens"]))),
    ):
        outs[name] = root / name
        build_run(recipe(), out=outs[name], workers=1, recipe=EVIL_RECIPE)
    return {name: Path(str(report.write(out))) for name, out in outs.items()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


def opened(page: Any) -> None:
    """Opens all that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


@pytest.mark.parametrize("name", SECTIONS)
def test_a_report_says_nothing_on_the_console_and_strangers_words_stay_words(
    reports: dict[str, Path], browser: Any, name: str
) -> None:
    with watched(browser, reports[name].as_uri()) as page:
        opened(page)
        for section in SECTIONS[name]:
            assert page.locator(f"section#{section}").is_visible(), section
        assert page.evaluate(STRANGE) == []
        for button in page.locator("thead button").all():
            button.click()
        for circle in page.locator(".cloud circle").all()[:5]:
            circle.click()
        assert page.evaluate(STRANGE) == []
        words = page.locator("body").inner_text()
        expected = {"files": EVIL_NAME.split("\u202e")[0], "snippets": "<i>evil recipe"}
        assert expected.get(name, EVIL_RECIPE["name"]) in words
        assert "\u202e" not in words


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SECTIONS)
def test_a_report_fits_a_narrow_window_in_both_schemes(
    reports: dict[str, Path], browser: Any, name: str, scheme: str
) -> None:
    with watched(browser, reports[name].as_uri(), color_scheme=scheme, **NARROW) as page:
        opened(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper))) < 200) is (scheme == "dark")


@pytest.mark.parametrize("name", SECTIONS)
def test_a_report_prints_on_white_within_the_page(reports: dict[str, Path], browser: Any, name: str) -> None:
    a4 = {"viewport": {"width": 718, "height": 1047}}  # of which a printer leaves so much, in CSS pixels
    with watched(browser, reports[name].as_uri(), color_scheme="dark", **a4) as page:
        page.emulate_media(media="print")
        opened(page)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator("nav").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 718
        assert page.pdf(format="A4").startswith(b"%PDF-")
