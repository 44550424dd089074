"""The answers to `codemill rules`, `rule`, `compare`, `rank` and `signals`: each as data, and for the terminal."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from codemill.errors import RecipeError, did_you_mean
from codemill.report import words
from codemill.report.facts import distribution
from codemill.report.facts.distribution import Shift
from codemill.rules import Rule, RuleSet
from codemill.run import Run
from codemill.tuning import perplexity
from codemill.tuning import thresholds as tuning
from codemill.tuning.thresholds import BINS, Measured, Tally

_CHANGE = re.compile(r"(?:(?P<set>[\w-]+):)?(?P<signal>\w+)\s*(?P<sign>[<>=])\s*(?P<number>-?[\d.]+(?:[eE]-?\d+)?)")
BLOCKS = " ▁▂▃▄▅▆▇█"
MOVED = 20  # signals shown; all are in the data
SHAPE = 24  # cells of a distribution


def signals(out: str | Path, language: str | None = None) -> tuple[Any, RenderableType]:
    """Every signal before and after: of all documents and the languages with most, or of one language.

    Raises: as `distribution.compare`.
    """
    groups = distribution.compare(Run.open(out), None if language is None else [language])
    chosen = groups[0] if language is None else groups[1]
    lines = [Text(f"{'':8}{'files':>11}{'5 %':>10}{'median':>10}{'95 %':>10}", "dim")]
    having = [shift for shift in chosen.shifts if shift.before.any()]
    for shift in having[:MOVED]:
        plain = shift.plain()
        lines.append(Text.assemble((words.printable(shift.signal), "bold"), f"   moved {shift.moved}", no_wrap=True))
        for side, shape, style in zip(("before", "after"), _shapes(shift), ("", "dark_goldenrod"), strict=True):
            row = plain[side]
            figures = "".join(f"{'–' if row[q] is None else words.figure(row[q]):>10}" for q in ("p5", "median", "p95"))
            if shift.is_flag:
                figures = f"{words.share(row['ones'], row['have']) + ' are 1':>20}{'':10}"
            line = f"  {side:6}{words.count(row['have']):>11}{figures}  {shape}"
            lines.append(Text(line, style, no_wrap=True, overflow="crop"))
    of = f" in {words.shorten(words.printable(language), 60)}" if language else ""
    title = f"{words.plural(chosen.before, 'file')}{of} measured, {words.count(chosen.after)} kept in the end"
    note = "moved: the largest gap between the cumulative shares of both (Kolmogorov-Smirnov), 0 to 1."
    if (more := len(having) - MOVED) > 0:
        note += f" {words.plural(more, 'more signal')} moved less, or few files have them: --json has all."
    data = [group.plain() for group in (groups if language is None else groups[1:])]
    return data, Group(Text(title, "bold"), Text(), *lines, Text(), Text(note, "dim"))


def _shapes(shift: Shift) -> list[str]:
    before, after, _, _ = shift.shape(SHAPE)
    most = max(float(before.max()), float(after.max())) or 1.0
    return ["".join(BLOCKS[int(np.ceil(8 * (n / most) ** 0.5))] for n in shares) for shares in (before, after)]


def rules(out: str | Path) -> tuple[Any, RenderableType]:
    """What each rule does. Raises: InputError as `thresholds.measured` does; so do the others."""
    run = tuning.measured(out)
    tallies = sorted(tuning.survey(run), key=lambda t: (-t.unique, -t.hits, t.rule_set, t.rule.signal))
    data = [_plain(t) for t in tallies if t.hits]
    table = _grid("rules", "signal", "drop if", "judged", "hits", "share", "only by it", "bytes")
    for t in (t for t in tallies if t.hits):
        share = words.share(t.hits, t.documents)
        figures = (words.count(t.documents), words.count(t.hits), share, words.count(t.unique), words.size(t.hit_bytes))
        table.add_row(t.rule_set, t.rule.signal, t.rule.limit(), *figures)
    silent = sum(not t.hits for t in tallies)
    note = f"{words.plural(silent, 'rule')} hit nothing. only by it: files that no other rule would drop."
    return data, Group(table, Text(note, "dim"))


def _plain(t: Tally) -> dict[str, Any]:
    return {
        "rule_set": t.rule_set, "signal": t.rule.signal, "limit": t.rule.limit(), "documents": t.documents,
        "nulls": t.nulls, "hits": t.hits, "unique": t.unique, "bytes": t.hit_bytes,
    }  # fmt: skip


def _named(run: Measured, set_name: str | None, signal: str) -> list[tuple[RuleSet, Rule]]:
    sets = [run.book.get(set_name)] if set_name else list(run.book.sets)
    rules = [(s, rule) for s in sets for rule in s.rules if rule.signal == signal]
    if not rules:
        signals = [rule.signal for s in sets for rule in s.rules]
        where = f"rule set {set_name}" if set_name else None
        raise RecipeError(
            f"there is no rule on {signal!r}", where=where, remedy=did_you_mean(signal, dict.fromkeys(signals))
        )
    return rules


def rule(out: str | Path, asked: str) -> tuple[Any, RenderableType]:
    """The rules on one signal, [SET:]SIGNAL: values, and files on either side. Raises: RecipeError if there is none."""
    run = tuning.measured(out)
    set_name, _, signal = asked.rpartition(":")
    tallies = {(t.rule_set, t.rule.signal): t for t in tuning.survey(run)}
    data, blocks = [], list[RenderableType]()
    wanted = [
        (s, r)
        for s, r in _named(run, set_name or None, signal)
        if (s.name, r.signal) in tallies and tallies[s.name, r.signal].documents
    ]
    for (s, r), near in zip(wanted, tuning.around(run, wanted), strict=True):
        tally = tallies[s.name, r.signal]
        data.append({**_plain(tally), "counts": tally.counts.tolist(), **near})
        blocks += _rule_view(tally, near)
    if not blocks:
        return data, Text(f"No file was judged by an active rule on {signal}.")
    return data, Group(*blocks)


def _rule_view(t: Tally, near: dict[str, list[dict[str, Any]]]) -> list[RenderableType]:
    most = max(int(t.counts.max()), 1)
    bars = "".join(BLOCKS[-(-8 * int(n) // most)] for n in t.counts)
    limits = [limit for limit in (t.rule.below, t.rule.above, t.rule.equals) if limit is not None]
    marks = [" "] * BINS
    for limit in limits:
        marks[min(int(float(t.scale.place(np.array(limit))) * BINS), BINS - 1)] = "▲"
    low, high = ("0", "1") if t.scale.shares else ("0", "16.8 M")
    hits = f"{words.plural(t.hits, 'hit')} of {t.documents:,}, {t.unique:,} by no other rule"
    view: list[RenderableType] = [
        Text.assemble((f"{t.rule_set}: {t.rule.signal}", "bold"), f"   drop if {t.rule.limit()}   {hits}"),
        Text(f"  {low} {bars} {high}", "dark_goldenrod"),
        Text(f"  {' ' * len(low)} {''.join(marks)}", "bold"),
    ]
    for side, title in (("dropped", "just over the threshold"), ("spared", "just within it")):
        view.append(Text(f"  {title}", "dim"))
        for row in near[side]:
            others = f"   {words.plural(row['others'], 'other rule')}" if row["others"] else ""
            where = words.shorten(words.printable(f"{row['repo']}/{row['path']}"), 100)
            view.append(Text.assemble(f"    {row['value']:<10.5g} {where}", (others, "dim")))
        if not near[side]:
            view.append(Text("    none", "dim"))
    return [*view, Text()]


def compare(out: str | Path, asked: str) -> tuple[Any, RenderableType]:
    """What another threshold would do, [SET:]SIGNAL<N. Raises: RecipeError if it is written otherwise."""
    run = tuning.measured(out)
    match = _CHANGE.fullmatch(asked.strip())
    if match is None:
        raise RecipeError(f"a change is written [SET:]SIGNAL<NUMBER, with <, > or =, got {asked!r}")
    book, number = run.book, float(match["number"])
    field = {"<": "below", ">": "above", "=": "equals"}[match["sign"]]
    for s, r in _named(run, match["set"], match["signal"]):
        changed = dataclasses.replace(r, active=True, **{field: number})  # type: ignore[arg-type]
        book = book.with_rule(s.name, changed)
    change = tuning.what_if(run, book)
    text = f"With {asked} {words.plural(change.would_drop, 'file')} of {change.documents:,} would be dropped"
    text += f" instead of {change.dropped:,}: {change.more:,} more, {change.fewer:,} fewer."
    return dataclasses.asdict(change), Text(text)


def rank(out: str | Path, place: str) -> tuple[Any, RenderableType]:
    """Files by perplexity under what `perplexity.trusted` makes of a place."""
    data = tuning.ranked(tuning.measured(out), perplexity.trusted(place))
    blocks: list[RenderableType] = []
    for side, title in (("lowest", "Lowest perplexity: trivial?"), ("highest", "Highest perplexity: noise?")):
        table = _grid("file", "language", "perplexity", "size")
        for row in data[side]:
            where = Text(words.shorten(words.printable(f"{row['repo']}/{row['path']}"), 100))
            table.add_row(where, row["language"] or "–", f"{row['score']:.2f}", words.size(row["size"] or 0))
        blocks += [Text(title, "bold"), table, Text()]
    return data, Group(*blocks[:-1])


def _grid(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    texts = ("rules", "signal", "drop if", "file", "language")
    for column in columns:
        left = column in texts  # on a narrow terminal these are folded, so that no figure and no name is cut short
        table.add_column(column, no_wrap=not left, overflow="fold", justify="left" if left else "right")
    return table
