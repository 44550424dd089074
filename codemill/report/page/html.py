"""The page: facts in, one self-contained HTML file out. Every string from data is escaped by the template."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from codemill import signals
from codemill.machine.places import without_places
from codemill.report import words
from codemill.report.facts.accounts import checks
from codemill.report.facts.cleaning import Cleaning
from codemill.report.facts.distribution import FEW, Distribution, Group, Shift
from codemill.report.facts.ledger import Facts
from codemill.report.facts.rules import Quality
from codemill.report.page.charts import (
    cluster_histogram,
    curve,
    picture,
    rule_histogram,
    shift_shapes,
    similarity_histogram,
    size_histogram,
)
from codemill.report.page.funnel import By, funnel_svg
from codemill.report.sections import Filled

HERE = Path(__file__).parent
TOP_LANGUAGES = 30
TOP_REASONS = 12
TOP_RULES = 30
TOP_LOST = 12
TOP_SHIFTS = 12
LEAST_SHIFT = 0.005  # of a signal that a language's table has
LONGEST = 180  # characters of a path or a value that are shown; a hostile one may have thousands


def page_of(
    facts: Facts,
    quality: Quality | None = None,
    moved: Distribution | None = None,
    cleaning: Cleaning | None = None,
    sections: Sequence[Filled] = (),
) -> str:
    """The report of a run with a ledger as HTML. No request leaves it: its content security policy forbids them.

    Of paths on this machine it has the last part only, for it is made to be sent around.
    """
    manifest = without_places(facts.manifest)
    spoken = [row for row in facts.languages if row["language"] is not None]
    ingested, seconds = manifest["ingested"], manifest["seconds"]
    cached = _cached(manifest)
    rate = (
        words.size(round(ingested["bytes"] / seconds)) + "/s" if seconds and ingested["bytes"] and not cached else None
    )
    every = checks(facts)
    texts = {signal.name: f"{signal.what} Unit: {signal.unit}" for signal in signals.all()}
    lost = [("language", facts.lost_languages), ("source", facts.lost_sources)]
    return _environment().get_template("page.html.j2").render(
        **_frame(manifest, sections),
        facts=facts,
        meanings=words.drop_words(manifest),
        checks=every,
        wrong=[check for check in every if not check.ok],
        cached=cached,
        rate=rate,
        funnels=_funnels(manifest),
        histograms={by: Markup(size_histogram(facts.sizes, by=by)) for by in ("found", "found_bytes")},
        similarity=Markup(similarity_histogram(facts.similarities)),
        clusters=Markup(cluster_histogram(facts.cluster_sizes)),
        quality=quality,
        rule_histograms=[Markup(rule_histogram(rule.tally)) for rule in quality.rules] if quality else [],
        cloud=Markup(picture(quality.points)) if quality and quality.points else None,
        top_rules=TOP_RULES,
        cleaning=cleaning,
        most_values=max((row["values"] for row in cleaning.kinds), default=0) if cleaning else 0,
        moved=moved,
        moved_sizes=[_shift_row(moved.sizes, {})] if moved else [],
        moved_groups=[(group, _shift_rows(group, texts)) for group in moved.groups] if moved else [],
        top_shifts=TOP_SHIFTS,
        few=FEW,
        most_share=max((max(row["before"], row["after"]) for row in moved.languages), default=0) if moved else 0,
        losses=[(what, rows[:TOP_LOST], _lost(rows[TOP_LOST:])) for what, rows in lost],
        spoken=spoken,
        unspoken=_sum([row for row in facts.languages if row["language"] is None]),
        top_languages=spoken[:TOP_LANGUAGES],
        other_languages=spoken[TOP_LANGUAGES:],
        others=_sum(spoken[TOP_LANGUAGES:]),
        most_found=max((row["found"] for row in spoken), default=0),
        top_drops=facts.drops[:TOP_REASONS],
        other_drops=facts.drops[TOP_REASONS:],
    )  # fmt: skip


def plain_page_of(manifest: dict[str, Any], sections: Sequence[Filled]) -> str:
    """The report of a run without a ledger: its outputs, its sections (one at least), and how it was made."""
    manifest = without_places(manifest)
    published = [
        (
            output,
            {name: sum(int(one[name] or 0) for one in files.values()) for name in ("rows", "bytes")} | {"files": n},
        )
        for output, files in manifest.get("files", {}).items()
        if (n := len(files))
    ]
    template = _environment().get_template("plain.html.j2")
    return template.render(**_frame(manifest, sections), published=published, cached=_cached(manifest))


def curves_page_of(section: Filled, *, refresh: int | None = None) -> str:
    """The curves of a run that has not ended. With `refresh` a browser reads it again every so many seconds."""
    frame = _frame({"codemill": version("codemill"), "steps": []}, [section])
    return _environment().get_template("curves.html.j2").render(**{**frame, "section": section, "refresh": refresh})


def _frame(manifest: dict[str, Any], sections: Sequence[Filled]) -> dict[str, Any]:
    """What every page is made of."""
    script = (HERE / "page.js").read_text("utf-8")
    return {
        "refresh": None,
        "manifest": manifest,
        "style": Markup((HERE / "page.css").read_text("utf-8")),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "sections": sections,
        "step_rate": _step_rate,
        "slowest": max((step["seconds"] for step in manifest["steps"]), default=0) or 1,
    }


def _cached(manifest: dict[str, Any]) -> int:
    return sum(bool(step.get("cached")) for step in manifest["steps"])


def _step_rate(step: Mapping[str, Any]) -> str:
    """Bytes that came to a step in a second, as text; nothing of a step that was built before or took no time."""
    if step.get("cached") or step["seconds"] < 0.05 or not step["bytes_in"]:
        return "–"
    return words.size(round(step["bytes_in"] / step["seconds"])) + "/s"


def _funnels(manifest: dict[str, Any]) -> dict[str, Markup]:
    kinds: tuple[By, ...] = ("rows", "bytes")
    return {
        f"{by}_{'narrow' if narrow else 'wide'}": Markup(funnel_svg(manifest, by=by, narrow=narrow))
        for by in kinds
        for narrow in (False, True)
    }


def _sum(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {key: sum(row[key] for row in rows) for key in ("found", "kept", "found_bytes", "kept_bytes")}


def _shift_rows(group: Group, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """The signals that documents have; of one language those that moved, for there are many languages."""
    shown = [shift for shift in group.shifts if shift.before.any()]
    if group.language is not None:
        shown, texts = [s for s in shown if s.distance is None or s.distance >= LEAST_SHIFT], {}
    return [_shift_row(shift, texts) for shift in shown]


def _shift_row(shift: Shift, texts: Mapping[str, str]) -> dict[str, Any]:
    """A signal before and after, in words: each figure as the pair of both."""
    plain = shift.plain()
    both = plain["before"], plain["after"]
    figures = [tuple("–" if s[q] is None else words.figure(s[q]) for s in both) for q in ("p5", "median", "p95")]
    ones = tuple(f"{words.share(s['ones'], s['have'])} are 1" for s in both) if shift.is_flag else None
    return {
        "signal": shift.signal,
        "what": texts.get(shift.signal),
        "shapes": Markup(shift_shapes(shift)),
        "have": tuple(words.count(s["have"]) for s in both),
        "figures": figures,
        "ones": ones,
        "moved": shift.moved,
    }


def _lost(rest: tuple[dict[str, Any], ...]) -> dict[str, int]:
    """What the rows that are not shown lost together."""
    names = ("found", "exact", "exact_bytes", "near", "near_bytes")
    return {"rows": len(rest), **{name: sum(row[name] for row in rest) for name in names}}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count,
        "bytes": words.size,
        "duration": words.duration,
        "percent": words.percent,
        "shown": lambda value: words.shorten(words.printable(str(value)), LONGEST),
        "code": lambda text: words.printable(text, keep="\n\t"),
        "plain": lambda value: words.shorten(words.printable(_plain(value)), 2_000),
    }
    environment.globals |= {"share": words.share, "plural": words.plural, "chunks": words.chunks}
    environment.globals |= {"student": words.student}
    environment.globals["curve"] = lambda *given: Markup(curve(*given))
    return environment


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
