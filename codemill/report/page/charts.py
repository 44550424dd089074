"""The report's small charts: sizes, similarities, clusters, rules, as inline SVG coloured by the page's stylesheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from codemill.report.facts.distribution import Shift
from codemill.report.words import binary_size, figure, plural, printable, shorten, size
from codemill.tuning.thresholds import Tally

LABELLED = {1, 7, 11, 15, 18, 21, 24, 28, 31, 35, 41}  # size classes whose lower end is named below the axis
SHAPE_BINS = 32  # of the small pictures
WIDTH, HEIGHT, BASE = 480, 210, 176  # the view box, and where the bars stand


def size_histogram(sizes: tuple[dict[str, Any], ...], *, by: str) -> str:
    """Files (`by="found"`) or bytes (`by="found_bytes"`) per size class: found, and within it kept.

    `sizes` are rows of `Facts.sizes`: class `bits` holds sizes in [2**(bits-1), 2**bits), 0 the empty files.
    """
    kept = by.replace("found", "kept")
    tallest = max((row[by] for row in sizes), default=0)
    word, show = ("bytes", size) if by.endswith("bytes") else ("files", lambda n: plural(n, "file"))
    if not tallest:
        return f'<p class="none">No {word} to show.</p>'
    low, high = min(row["bits"] for row in sizes), max(row["bits"] for row in sizes)
    step = (WIDTH - 8) / (high - low + 1)
    bars, rows = [], {row["bits"]: row for row in sizes}
    for bits in range(low, high + 1):
        x = 4 + (bits - low) * step
        if row := rows.get(bits):
            label = "empty" if bits == 0 else f"{binary_size(bits - 1)} to {binary_size(bits)}"
            tip = f"{label}: {show(row[by])} found, {show(row[kept])} kept"
            bars.append(
                f"<g><title>{escape(tip)}</title>"
                + _bar("found", x, step, row[by] / tallest)
                + _bar("kept", x, step, row[kept] / tallest)
                + f'<rect class="hit" x="{x:.1f}" y="12" width="{step:.1f}" height="{BASE - 12}"/></g>'
            )
        if bits == 0:
            bars.append(_label(x + step / 2, "0"))
        elif bits in LABELLED and not (bits == 1 and low == 0):
            bars.append(_label(x, binary_size(bits - 1)) + f'<path class="tick" d="M{x:.1f} {BASE + 1}v5"/>')
    peak = max(sizes, key=lambda row: row[by])
    x = 4 + (peak["bits"] - low + 0.5) * step
    anchor = "start" if x < 90 else "end" if x > WIDTH - 90 else "middle"
    bars.append(f'<text class="peak" x="{x:.1f}" y="10" text-anchor="{anchor}">{show(peak[by])}</text>')
    all_found, all_kept = (show(sum(row[key] for row in sizes)) for key in (by, kept))
    total = f"{all_found} found, {all_kept} kept, by file size"
    opening = f'<svg class="hist" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(total)}">'
    return opening + "".join(bars) + f'<path class="axis" d="M0 {BASE + 0.5}H{WIDTH}"/></svg>'


def similarity_histogram(similarities: Mapping[int | None, int]) -> str:
    """Near-copies by how similar they are to the copy that was kept, in classes of half a per cent, or of five.

    `similarities`: `Facts.similarities`. Those that were not measured are not shown.
    """
    halves = {half: n for half, n in similarities.items() if half is not None}
    if not halves:
        return '<p class="none">The similarities were not measured.</p>'
    width = 1 if min(halves) >= 176 else 10  # from 88 % on, in half per cent: at most 24 bars and the last
    bars: list[tuple[str, str, int]] = []
    for low in range(min(halves) // width * width, 200, width):
        n = sum(halves.get(half, 0) for half in range(low, low + width))
        named = low % (4 * width) == 0
        bars.append((f"{low / 2:g} %" if named else "", f"{low / 2:g} % to {(low + width) / 2:g} %", n))
    bars.append(("100 %", "no difference seen", halves.get(200, 0)))
    return _bars(bars, "near-copy", "near-copies", "Near-copies by similarity")


def cluster_histogram(sizes: Mapping[int, int]) -> str:
    """Clusters by the number of documents in them, in classes that double. `sizes`: `Facts.cluster_sizes`."""
    if not sizes:
        return '<p class="none">There are no clusters.</p>'
    classes = [(2, 2), (3, 3), (4, 4)]
    while classes[-1][1] < max(sizes):
        classes.append((classes[-1][1] + 1, classes[-1][1] * 2))
    bars = []
    for low, high in classes:
        tip = f"{low} documents" if low == high else f"{low:,} to {high:,} documents"
        label = f"–{high:,}" if len(classes) >= 9 and high > 16 else str(low) if low == high else f"{low}–{high}"
        bars.append((label, tip, sum(n for size, n in sizes.items() if low <= size <= high)))
    return _bars(bars, "cluster", "clusters", "Clusters by their number of documents, the kept one included")


def rule_histogram(tally: Tally) -> str:
    """The values of a rule's signal, those of files that stayed in gold, with its thresholds drawn in."""
    tallest, step, scale = max(int(tally.counts.max()), 1), (WIDTH - 8) / len(tally.counts), tally.scale
    pieces = []
    for i, (files, kept) in enumerate(zip(tally.counts.tolist(), tally.kept.tolist(), strict=True)):
        low, high = (scale.value((i + n) / len(tally.counts)) for n in (0, 1))
        tip = f"{low:.3g} to {high:.3g}: {plural(files, 'file')}, {plural(kept, 'file')} kept"
        x = 4 + i * step
        pieces.append(
            f"<g><title>{escape(tip)}</title>"
            + _bar("found", x, step, _seen(files, tallest))
            + _bar("kept", x, step, _seen(kept, tallest))
            + f'<rect class="hit" x="{x:.1f}" y="12" width="{step:.1f}" height="{BASE - 12}"/></g>'
        )
    rule = tally.rule
    for limit in (rule.below, rule.above, rule.equals):
        if limit is not None:
            x = 4 + float(scale.place(np.array(limit))) * (WIDTH - 8)
            anchor = "start" if x < 60 else "end" if x > WIDTH - 60 else "middle"
            pieces.append(f'<path class="limit" d="M{x:.1f} 14V{BASE}"/>')
            pieces.append(f'<text class="peak" x="{x:.1f}" y="10" text-anchor="{anchor}">{limit:,.6g}</text>')
    ends = ("0", "1") if scale.shares else ("0", "16.8 M")
    pieces += [_label(4, ends[0]), f'<text x="{WIDTH - 4}" y="{BASE + 20}" text-anchor="end">{ends[1]}</text>']
    title = f"Values of {rule.signal} among files judged as {tally.rule_set}"
    opening = f'<svg class="hist" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return opening + "".join(pieces) + f'<path class="axis" d="M0 {BASE + 0.5}H{WIDTH}"/></svg>'


def _seen(n: int, most: int) -> float:
    """Square roots, so that the few files beyond a threshold can be seen beside the many within."""
    return float((n / most) ** 0.5)


def shift_shapes(shift: Shift) -> str:
    """A signal's values before, filled, and after, as a line: each as shares of its own documents, heights in roots."""
    before, after, low, high = shift.shape(SHAPE_BINS)
    most = max(float(before.max()), float(after.max())) or 1.0
    paths = []
    for css, shares in (("found", before), ("kept", after)):
        heights = (100 - 100 * np.sqrt(shares / most)).round().astype(int).tolist()
        steps = "".join(f"V{height}h1" for height in heights)
        paths.append(f'<path class="{css}" d="M0 100{steps}V100"/>')
    title = f"<title>from {figure(low)} to {figure(high)}</title>"
    opening = f'<svg class="shape" viewBox="0 0 {SHAPE_BINS} 100" preserveAspectRatio="none" role="img">'
    return opening + title + "".join(paths) + "</svg>"


def picture(points: Sequence[Mapping[str, Any]]) -> str:
    """Documents as dots, gold if kept; each carries what the panel beside it shows when it is chosen."""
    width, height = 640, 420
    dots = []
    for point in points:
        x, y = 12 + point["x"] * (width - 24), height - 12 - point["y"] * (height - 24)
        where = shorten(printable(f"{point['repo']}/{point['path']}"), 160)
        kind = f"{point['language'] or 'no language'}, {'kept' if point['kept'] else 'dropped by rules'}"
        excerpt = printable(point["excerpt"], keep="\n\t")
        dots.append(
            f'<circle class="{"kept" if point["kept"] else "found"}" cx="{x:.1f}" cy="{y:.1f}" r="4" tabindex="-1" '
            f'data-where="{escape(where)}" data-kind="{escape(kind)}" data-excerpt="{escape(excerpt)}">'
            f"<title>{escape(where)} ({escape(kind)})</title></circle>"
        )
    title = f"{plural(len(dots), 'document')} placed by their spelling"
    opening = f'<svg class="cloud" viewBox="0 0 {width} {height}" role="group" aria-label="{title}">'
    return opening + "".join(dots) + "</svg>"


def curve(points: Sequence[Mapping[str, Any]], key: str, title: str, held: Sequence[tuple[int, float]] = ()) -> str:
    """A number of each point over its step as a line; and in gold what was measured on held-out data, step by step."""
    line = [(int(point["step"]), float(point[key])) for point in points]
    values = [value for _, value in (*line, *held)]
    low, high, last = min(values), max(values), line[-1][0]
    left = 46  # room for the figures of the axis

    def x(step: float) -> float:
        return left + (WIDTH - left - 4) * step / last

    def y(value: float) -> float:
        return BASE - (BASE - 16) * ((value - low) / (high - low) if high > low else 0.5)

    def path(css: str, places: Sequence[tuple[int, float]]) -> str:
        return f'<path class="{css}" d="M{"L".join(f"{x(step):.1f} {y(value):.1f}" for step, value in places)}"/>'

    marks = [
        f'<path class="grid" d="M{left} {y(tick):.1f}H{WIDTH}"/>'
        f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.3g}</text>'
        for tick in (_ticks(low, high) if high > low else [low])
    ]
    marks += [
        f'<path class="tick" d="M{x(step):.1f} {BASE + 1}v5"/>' + _label(x(step), f"{step:,.0f}")
        for step in _ticks(0, last)
        if step == round(step)
    ]
    lines = path("line", line)
    words = f"{title}: {line[0][1]:.3g} at first, {line[-1][1]:.3g} at step {last:,}"
    if held:
        words += f"; held out {held[0][1]:.3g} at first, {held[-1][1]:.3g} at step {held[-1][0]:,}"
        dots = (f'<circle class="held" cx="{x(step):.1f}" cy="{y(value):.1f}" r="2"/>' for step, value in held)
        lines += path("held", held) + "".join(dots)
    opening = f'<svg class="hist" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">'
    return f'{opening}{"".join(marks)}{lines}<path class="axis" d="M{left} {BASE + 0.5}H{WIDTH}"/></svg>'


def _ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, `most` of them at most.

    >>> _ticks(0, 1200), _ticks(3.2, 6.9)
    ([0.0, 500.0, 1000.0], [4.0, 5.0, 6.0])
    """
    rough = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(
        rough * n for n in (1, 2, 5, 10, 20) if math.floor(high / (rough * n)) - math.ceil(low / (rough * n)) < most
    )
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _bars(bars: list[tuple[str, str, int]], noun: str, many: str, title: str) -> str:
    """A bar for each label, tip and count. The highest is named."""
    tallest = max(n for _, _, n in bars)
    step = (WIDTH - 8) / max(len(bars), 6)
    pieces = []
    for i, (label, tip, n) in enumerate(bars):
        x = 4 + i * step
        pieces.append(
            f"<g><title>{escape(tip)}: {plural(n, noun, many)}</title>"
            + _bar("kept", x, step, n / tallest if tallest else 0)
            + f'<rect class="hit" x="{x:.1f}" y="12" width="{step:.1f}" height="{BASE - 12}"/></g>'
        )
        if label:
            pieces.append(_label(x + step / 2, label))
    peak = max(range(len(bars)), key=lambda i: bars[i][2])
    x = 4 + (peak + 0.5) * step
    anchor = "start" if x < 90 else "end" if x > WIDTH - 90 else "middle"
    pieces.append(f'<text class="peak" x="{x:.1f}" y="10" text-anchor="{anchor}">{plural(tallest, noun, many)}</text>')
    opening = f'<svg class="hist" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return opening + "".join(pieces) + f'<path class="axis" d="M0 {BASE + 0.5}H{WIDTH}"/></svg>'


def _label(x: float, text: str) -> str:
    anchor = "start" if x < 12 else "middle"
    if x > WIDTH - 24:
        x, anchor = WIDTH, "end"
    return f'<text x="{x:.1f}" y="{BASE + 20}" text-anchor="{anchor}">{text}</text>'


def _bar(css: str, x: float, step: float, part: float) -> str:
    if not part:
        return ""
    height = max(part * (BASE - 18), 1)
    gap = min(step * 0.14, 3)
    box = f'x="{x + gap / 2:.1f}" y="{BASE - height:.1f}" width="{step - gap:.1f}" height="{height:.1f}"'
    return f'<rect class="{css}" {box}/>'
