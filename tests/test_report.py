"""The report: its figures against plain counting, hostile names, empty and broken runs, and its looks."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import resource
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from codemill.errors import EnvironmentProblem, InputError
from codemill.machine.store import seal
from codemill.report import funnel_svg, render, write
from codemill.report.facts import ledger as gathering
from codemill.report.facts.accounts import checks
from codemill.report.facts.ledger import gather
from codemill.report.page.charts import cluster_histogram, similarity_histogram
from codemill.report.page.funnel import WIDE
from codemill.run import Run
from tests.report_fixture import ledger_rows, manifest_of, row_of, write_ledger, write_out

HOSTILE = '<script>alert("1")</script>'
QUOTED = '"><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def ledger() -> list[dict[str, Any]]:
    return ledger_rows(3_000, seed=7)


@pytest.fixture(scope="module")
def out(ledger: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ledger(tmp_path_factory.mktemp("out"), ledger, parts=3)


def test_the_figures_are_those_of_plain_counting(out: Path, ledger: list[dict[str, Any]]) -> None:
    facts = gather(Run.open(out))
    kept = [row for row in ledger if row["verdict"] == "kept"]
    assert facts.ledger["found"] == 3_000
    assert facts.ledger["kept"] == len(kept) == facts.corpus_rows
    assert facts.ledger["kept_bytes"] == sum(row["size"] for row in kept)

    found_in, kept_in = (Counter(row["language"] for row in rows) for rows in (ledger, kept))
    assert {row["language"]: (row["found"], row["kept"]) for row in facts.languages} == {
        language: (n, kept_in[language]) for language, n in found_in.items()
    }
    assert [row["found"] for row in facts.languages] == sorted(found_in.values(), reverse=True)

    dropped = Counter((row["step"], row["reason"]) for row in ledger if row["verdict"] == "dropped")
    assert {(row["step"], row["reason"]): row["rows"] for row in facts.drops} == dropped

    lost = Counter(row["repo"] for row in ledger if row["verdict"] == "dropped")
    expected = sorted(lost.items(), key=lambda item: (-item[1], item[0]))[: gathering.TOP_REPOS]
    assert [(row["repo"], row["found"] - row["kept"]) for row in facts.losers] == expected
    assert facts.repos["repos"] == len({row["repo"] for row in ledger})

    for reason, total, top in (
        ("duplicate", facts.copies, facts.most_copied),
        ("near_duplicate", facts.near_copies, facts.largest_clusters),
    ):
        rows = [row for row in ledger if row["reason"] == reason]
        copies = Counter(row["kept_id"] for row in rows)
        assert total == {"originals": len(copies), "copies": len(rows), "bytes": sum(row["size"] for row in rows)}
        path_of = {row["id"]: row["path"] for row in ledger}
        assert [row["copies"] for row in top] == [n for _, n in copies.most_common(12)]
        assert all(copies[row["id"]] == row["copies"] for row in top)
        assert all(path_of[row["id"]] == row["path"] for row in top)


def test_near_copies_are_those_of_plain_counting(out: Path, ledger: list[dict[str, Any]]) -> None:
    facts = gather(Run.open(out))
    near = [row for row in ledger if row["reason"] == "near_duplicate"]
    assert len(near) > 50
    sizes = Counter(n + 1 for n in Counter(row["kept_id"] for row in near).values())
    assert facts.cluster_sizes == dict(sorted(sizes.items()))
    assert facts.similarities == Counter(int(200 * row["similarity"]) for row in near)
    for row in facts.largest_clusters:
        mine = [copy["similarity"] for copy in near if copy["kept_id"] == row["id"]]
        assert (row["least"], row["most"]) == (pytest.approx(min(mine)), pytest.approx(max(mine)))
    for key, rows in (("language", facts.lost_languages), ("source", facts.lost_sources)):
        for row in rows:
            mine = [r for r in ledger if r[key] == row[key]]
            lost = {reason: [r["size"] for r in mine if r["reason"] == reason] for reason in gathering.COPIES_OF}
            assert row["found"] == len(mine)
            assert (row["exact"], row["exact_bytes"]) == (len(lost["duplicate"]), sum(lost["duplicate"]))
            assert (row["near"], row["near_bytes"]) == (len(lost["near_duplicate"]), sum(lost["near_duplicate"]))
        order = [row["exact"] + row["near"] for row in rows]
        assert order == sorted(order, reverse=True)
        assert sum(order) == sum(row["reason"] in gathering.COPIES_OF for row in ledger)


def test_near_duplicates_have_a_section_only_if_there_are_any(out: Path, tmp_path: Path) -> None:
    page = render(out)
    assert 'id="near-duplicates"' in page
    assert 'href="#near-duplicates"' in page
    one = [row_of(id="a" * 32, language="c"), row_of(id="b" * 32, reason="duplicate", step="dedup.exact", kept_id="a")]
    page = render(write_ledger(tmp_path, one))
    assert "near-duplicates" not in page
    assert "1 copy of 1 file dropped" in page


def test_near_duplicates_alone_and_not_measured(tmp_path: Path) -> None:
    rows = [
        row_of(id="a" * 32, path=HOSTILE, language="c"),
        *(row_of(id=f"{i:032x}", language="c", reason="near_duplicate", step="dedup.drop", size=10) for i in range(5)),
    ]
    for row in rows[1:]:
        row["kept_id"] = "a" * 32
    facts = gather(Run.open(write_ledger(tmp_path, rows)))
    assert facts.similarities == {None: 5}
    assert facts.cluster_sizes == {6: 1}
    page = " ".join(render(tmp_path).split())
    assert "No file was dropped as an exact copy" in page
    assert "5 files were dropped without measuring it" in page
    assert "The similarities were not measured" in page
    assert "5 to 8 documents: 1 cluster" in page
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("similarities", "tips"),
    [
        ({191: 3, 199: 2, 200: 4}, ["95.5 % to 96 %: 3 near-copies", "99.5 % to 100 %: 2 near-copies"]),
        ({100: 1, 177: 2, 200: 4, None: 9}, ["50 % to 55 %: 1 near-copy", "85 % to 90 %: 2 near-copies"]),
    ],
)
def test_similarities_fall_in_the_right_bars(similarities: dict[int | None, int], tips: list[str]) -> None:
    chart = similarity_histogram(similarities)
    for tip in [*tips, "no difference seen: 4 near-copies"]:
        assert f"<title>{tip}</title>" in chart


def test_neighbouring_steps_that_drop_nothing_are_one_in_the_picture() -> None:
    rows = [row_of(id="a"), row_of(id="b", step="dedup.drop", reason="near_duplicate")]
    manifest = manifest_of(rows)
    idle = {**manifest["steps"][0], "dropped": {}}
    names = ("ingest.documents", "dedup.band_keys", "dedup.cluster", "dedup.guard")
    drop = next(step for step in manifest["steps"] if step["name"] == "dedup.drop")

    def said(*steps: str) -> str:
        picture = funnel_svg({**manifest, "steps": [*({**idle, "name": name} for name in steps), drop]})
        return " ".join(ElementTree.fromstring(picture).itertext())

    assert "dedup.band_keys … guard 3 steps, nothing dropped dedup.drop 2 → 1" in said(*names[1:])
    assert "ingest.documents nothing dropped dedup.band_keys … guard 3 steps, nothing" in said(*names)
    assert "ingest.documents nothing dropped dedup.drop" in said(names[0])


def test_a_long_name_of_a_step_fits_beside_the_picture() -> None:
    manifest = manifest_of([row_of(id="a"), row_of(id="b")])
    long = {**manifest["steps"][0], "name": "dedup.band_keys_and_more"}
    drawn = ElementTree.fromstring(funnel_svg({**manifest, "steps": [long]})).iter()
    texts = {text.text: text for text in drawn if text.tag.endswith("text") and text.get("text-anchor") == "end"}
    name = texts["dedup.band_keys_and_more"]
    width = 0.65 * float(name.get("font-size", 0)) * len(name.text or "")  # of a wide bold font
    assert width < float(name.get("x", 0))


def test_clusters_fall_in_the_right_bars() -> None:
    chart = cluster_histogram({2: 7, 3: 1, 8: 2, 9: 3, 5000: 1})
    tips = ("2 documents: 7 clusters", "5 to 8 documents: 2 clusters", "9 to 16 documents: 3 clusters")
    for tip in (*tips, "4,097 to 8,192 documents: 1 cluster"):
        assert f"<title>{tip}</title>" in chart


def test_size_classes_hold_what_they_say(tmp_path: Path) -> None:
    sizes = [0, 1, 2, 3, 4, 7, 8, 2**40 - 1, 2**40]
    rows = [row_of(id=f"{i:032x}", size=size, language="c") for i, size in enumerate(sizes)]
    facts = gather(Run.open(write_ledger(tmp_path, rows)))
    assert {row["bits"]: row["found"] for row in facts.sizes} == {0: 1, 1: 1, 2: 2, 3: 2, 4: 1, 40: 1, 41: 1}


def test_examples_and_samples_are_those_with_the_smallest_id_end(out: Path, ledger: list[dict[str, Any]]) -> None:
    facts = gather(Run.open(out))
    for (step, reason), shown in facts.examples.items():
        all_ids = [row["id"] for row in ledger if (row["step"], row["reason"]) == (step, reason)]
        assert [row["id"] for row in shown] == sorted(all_ids, key=lambda i: i[-12:])[: gathering.EXAMPLES]
    python = [row["id"] for row in ledger if row["verdict"] == "kept" and row["language"] == "python"]
    assert facts.samples[0]["id"] == min(python, key=lambda i: i[-12:])
    assert "class Entry:" in facts.samples[0]["excerpt"]
    assert len(facts.samples) == gathering.SAMPLES


def test_ids_that_are_not_hashes_are_sampled_too(tmp_path: Path) -> None:
    rows = [row_of(id=f"zz{i:04}", language="c", reason="empty", step="ingest.documents") for i in range(500)]
    facts = gather(Run.open(write_ledger(tmp_path, rows)))
    shown = facts.examples["ingest.documents", "empty"]
    assert [row["id"] for row in shown] == ["zz0000", "zz0001", "zz0002", "zz0003"]


def test_the_same_run_gives_the_same_bytes_however_its_rows_lie(
    out: Path, ledger: list[dict[str, Any]], tmp_path: Path
) -> None:
    shuffled = list(ledger)
    random.Random(3).shuffle(shuffled)
    write_ledger(tmp_path, shuffled, parts=7)
    (tmp_path / "manifest.json").write_text((out / "manifest.json").read_text())
    assert render(tmp_path) == render(out) == render(out)


def test_grouping_in_slices_changes_nothing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gather(Run.open(out))
    monkeypatch.setattr(gathering, "GROUPS_AT_ONCE", 7)
    assert gather(Run.open(out)) == whole


class _Page(HTMLParser):
    """Collects tags, attributes and what scripts hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._in == "script":
            self.scripts.append(data)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    reverse, escape = "\u202egnp.exe", "\x1b]0;owned\x07"
    rows = [
        row_of(id="a" * 32, path=HOSTILE, repo=QUOTED, language="c", content=f"{HOSTILE}\x1b[31m\u202e"),
        row_of(id="b" * 32, path=reverse, repo=escape, language=HOSTILE, source=QUOTED),
        row_of(id="c" * 32, path=QUOTED * 500, repo=HOSTILE, reason=QUOTED, step=HOSTILE, value=HOSTILE),
        row_of(id="d" * 32, kept_id="a" * 32, similarity=1.0, reason="duplicate", step="dedup.exact"),
    ]
    write_ledger(tmp_path, rows)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["recipe"] = {"name": HOSTILE, "parameters": {QUOTED: HOSTILE, "n": [HOSTILE]}}
    manifest["inputs"][0]["source"] = {"kind": QUOTED, "root": HOSTILE}
    manifest["steps"][0]["parameters"] = {HOSTILE: {"deep": QUOTED}}
    (tmp_path / "manifest.json").write_text(json.dumps(seal(manifest)))

    html = render(tmp_path)
    page = _Page(html)
    assert page.tags["script"] == 1
    assert page.tags["img"] == 0
    assert "alert" not in page.scripts[0]
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert HOSTILE in "".join(page.text)  # shown, as text
    assert not set(html) & {"\u202e", "\x1b", "\x07"}
    assert "\\u202egnp.exe" in html
    assert len(html) < 150_000  # and a path of 15,000 characters is cut


def test_nothing_is_requested_and_only_our_script_may_run(out: Path) -> None:
    html = render(out)
    page = _Page(html)
    policy = next(value for name, value in page.attributes if name == "content" and "default-src" in str(value))
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert "default-src 'none'" in str(policy)
    assert f"'sha256-{digest}'" in str(policy)
    assert not [v for name, v in page.attributes if name in {"src", "href"} and not str(v).startswith("#")]
    assert set(re.findall(r"https?://[^\s\"<]*", html)) == {"http://www.w3.org/2000/svg"}
    assert re.findall(r"url\((?!#)", html) == []
    assert "@import" not in html


def test_what_adds_up_is_said_to(out: Path) -> None:
    found = checks(gather(Run.open(out)))
    assert len(found) > 12
    assert [check for check in found if not check.ok] == []
    html = render(out)
    assert "Every file is accounted for" in html
    assert "do not add up" not in html


def _tampered(out: Path, tmp_path: Path, **changes: Any) -> Path:
    shutil.copytree(out, tmp_path / "copy")
    manifest = json.loads((out / "manifest.json").read_text())
    for path, value in changes.items():
        *where, last = path.split("__")
        place = manifest
        for key in where:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value
    (tmp_path / "copy" / "manifest.json").write_text(json.dumps(seal(manifest)))
    return tmp_path / "copy"


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"steps__2__rows_out": 1}, "dedup.exact"),
        ({"steps__0__bytes_in": 1}, "ingest.documents"),
        ({"kept__rows": 5}, "the whole run"),
        ({"ingested__rows": 2_999}, "rows of the ledger, files found"),
        ({"steps__0__dropped__empty": {"rows": 0, "bytes": 0}}, "ingest.documents, empty"),
    ],
)
def test_what_does_not_add_up_is_shown_as_a_failure(
    out: Path, tmp_path: Path, change: dict[str, Any], failing: str
) -> None:
    copy = _tampered(out, tmp_path, **change)
    wrong = [check for check in checks(gather(Run.open(copy))) if not check.ok]
    assert any(check.what.startswith(failing) for check in wrong), wrong
    html = render(copy)
    assert "The figures do not add up" in html
    assert "FAILS" in html
    assert "Every file is accounted for" not in html


def test_a_lost_corpus_part_is_a_failure(out: Path, tmp_path: Path) -> None:
    copy = _tampered(out, tmp_path)
    (copy / "corpus" / "part-00001.parquet").unlink()
    wrong = [check for check in checks(gather(Run.open(copy))) if not check.ok]
    assert [check.what for check in wrong] == ["rows of the corpus, rows kept"]


def test_a_run_that_found_nothing_says_so(tmp_path: Path) -> None:
    html = render(write_ledger(tmp_path, []))
    assert "No files were found" in html
    for plain in ("Nothing was dropped", "Nothing was kept", "No duplicates were dropped", "no files to measure"):
        assert plain in html
    assert "Every file is accounted for" in html


def test_a_run_that_kept_nothing_says_so(tmp_path: Path) -> None:
    rows = [row_of(id=f"{i:032x}", size=0, reason="empty", step="ingest.documents") for i in range(9)]
    html = render(write_ledger(tmp_path, rows))
    assert "Nothing was kept." in html
    assert "No file&#39;s language was recognised" in html or "No file's language was recognised" in html
    assert "none lost all its files" not in html


def test_a_run_that_dropped_nothing_says_so(tmp_path: Path) -> None:
    rows = [row_of(id=f"{i:032x}", path=f"{i}.c", language="c", doc_type="code") for i in range(9)]
    html = render(write_ledger(tmp_path, rows))
    assert "Nothing was dropped." in html
    assert "<em>9</em> of 9 files kept" in html


def test_a_copy_whose_original_was_dropped_later_says_so(tmp_path: Path) -> None:
    rows = [
        row_of(id="a" * 32, path="original", language="c", step="sample.keep", reason="over_quota"),
        row_of(id="b" * 32, path="copy", step="dedup.exact", reason="duplicate", kept_id="a" * 32),
        row_of(id="c" * 32, path="lost", step="dedup.exact", reason="duplicate", kept_id="e" * 32),
    ]
    html = render(write_ledger(tmp_path, rows))
    assert "itself dropped later: sample.keep, over quota" in html
    assert f"not in the ledger: {'e' * 32}" in html


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda out: (out / "manifest.json").unlink(), "no finished run here"),
        (lambda out: (out / "manifest.json").write_text("{"), "cannot read the manifest"),
        (lambda out: (out / "manifest.json").write_text('{"codemill": 1}'), "has no recipe"),
        (lambda out: (out / "manifest.json").write_text("[]"), "has no codemill"),
        (lambda out: shutil.rmtree(out / "ledger"), "no ledger here"),
        (lambda out: (out / "ledger" / "part-00000.parquet").write_bytes(b"PAR1"), "cannot read the ledger"),
        (
            lambda out: pq.write_table(
                pq.read_table(out / "ledger" / "part-00000.parquet").drop(["verdict"]),
                out / "ledger" / "part-00000.parquet",
            ),
            "no column verdict",
        ),
    ],
)
def test_a_folder_that_is_not_a_result_is_an_input_error(tmp_path: Path, break_it: Any, says: str) -> None:
    out = write_out(tmp_path, rows=20)
    break_it(out)
    with pytest.raises(InputError, match=says):
        render(out)


def test_columns_that_a_ledger_lacks_are_null(tmp_path: Path) -> None:
    out = write_out(tmp_path, rows=60)
    whole = Run.open(out).ledger(place=True).collect()
    part = out / "ledger" / "part-00001.parquet"
    pq.write_table(pq.read_table(part).drop(["chunks", "rules", "similarity", "kept_id"]), part)
    run = Run.open(out)
    there = run.ledger(place=True).collect()
    assert there.schema == whole.schema
    assert there.drop("kept_id", "similarity").equals(whole.drop("kept_id", "similarity"))
    mine = [run.locate(place)[0] == 1 for place in there["place"].to_list()]
    assert there.filter(mine)["kept_id"].null_count() == sum(mine) > 0
    assert "Every file is accounted for" in render(out)


def test_write_is_whole_or_not_at_all(tmp_path: Path) -> None:
    out = write_out(tmp_path, rows=50)
    path = out / "report.html"
    assert write(out) == str(path)
    assert path.read_text("utf-8") == render(out)
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))  # as a full disk, for root as well
    try:
        with pytest.raises(EnvironmentProblem, match="cannot write the report"):
            write(out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert not list(out.glob("*.tmp"))


def _shapes(svg: str) -> tuple[list[float], str]:
    """The right edge of the band from top to bottom, and all text."""
    root = ElementTree.fromstring(svg)
    band = next(e.attrib["d"] for e in root.iter() if "-flow)" in e.get("fill", ""))
    return [float(x) for x in re.findall(r"H([\d.]+)", band)][:-1], " ".join(root.itertext())


def test_the_funnel_is_drawn_to_scale(ledger: list[dict[str, Any]]) -> None:
    manifest = manifest_of(ledger)
    for by, word in (("rows", "files"), ("bytes", "bytes")):
        edges, text = _shapes(funnel_svg(manifest, by=by))  # type: ignore[arg-type]
        flow = [manifest["ingested"][by], *(step[f"{by}_out"] for step in manifest["steps"])]
        assert edges == pytest.approx([WIDE.left + WIDE.band * n / flow[0] for n in flow], abs=0.06)
        assert all(step["name"] in text for step in manifest["steps"])
        assert f"of the {word}" in text


def test_the_funnel_survives_names_and_numbers_of_any_kind() -> None:
    rows = [row_of(id=f"{i:032x}", size=0, step=HOSTILE, reason=f"reason_{i:02}<&>") for i in range(40)]
    for narrow in (False, True):
        _, text = _shapes(funnel_svg(manifest_of(rows), by="rows", narrow=narrow))
        assert "35 more reasons" in text
        edges, _ = _shapes(funnel_svg(manifest_of(rows), by="bytes", narrow=narrow))  # no bytes at all
        assert len(set(edges)) == 1
    _, text = "", "".join(ElementTree.fromstring(funnel_svg(manifest_of([]))).itertext())
    assert "No files were found." in text


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

PROBE = """<!doctype html><body><script>
onload = async () => {
  const seen = [];
  for (const width of [320, 390, 700, 1280]) {
    const frame = document.createElement("iframe");
    frame.width = width; frame.height = 800; frame.srcdoc = PAGE;
    await new Promise((done) => { frame.onload = done; document.body.append(frame); });
    const page = frame.contentDocument;
    seen.push([width, page.documentElement.scrollWidth]);
    if (width === 1280) {
      const table = page.querySelector("#languages table");
      const order = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim());
      const button = [...table.querySelectorAll("thead button")].find((b) => b.textContent.trim() === "language");
      button.click(); seen.push(["up", order()]); button.click(); seen.push(["down", order()]);
    }
  }
  document.body.textContent = "PROBED" + JSON.stringify(seen) + "END";
};
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_in_a_browser_nothing_overflows_and_tables_sort(tmp_path: Path) -> None:
    extra = [row_of(id="f" * 32, repo="r" * 300, path="p" * 300 + "/" + "q" * 300, language="l" * 60)]
    html = render(write_out(tmp_path / "out", rows=800, extra=extra))
    page = json.dumps(html).replace("</", "<\\/")
    (tmp_path / "probe.html").write_text(PROBE.replace("PAGE", page), "utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "probe.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    probed = re.search(r"PROBED(.*)END", dom)
    assert probed, dom[-500:]
    *widths, (_, up), (_, down) = json.loads(probed[1])
    assert [seen for width, seen in widths if seen > width] == []
    assert up == sorted(up)
    assert down == up[::-1]
    assert len(up) > 10
