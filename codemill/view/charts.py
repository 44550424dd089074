"""The histograms, as inline SVG coloured by the stylesheet: no style attributes, which the page's policy forbids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from codemill.report.words import figure, plural
from codemill.view.query import Range
from codemill.view.signals import Histogram

WIDTH = 480


@dataclass(frozen=True)
class Shape:
    """How high the bars are and where the figures below them stand, in units of the view box."""

    base: int
    figures: int


LOW, HIGH = Shape(96, 108), Shape(200, 232)  # across a page; in a narrow column, where units are smaller


def histogram(
    shown: Histogram, name: str, *, chosen: Range = (None, None), limits: Sequence[float] = (), shape: Shape = LOW
) -> Markup:
    """Files per class, those kept in gold; heights are square roots, so that few files show beside many.

    `chosen` is the range that is brushed, `limits` are thresholds.
    """
    axis, bins, base = shown.axis, len(shown.found), shape.base
    tallest, step = max(int(shown.found.max()), 1), WIDTH / bins
    pieces = []
    if chosen != (None, None):
        ends = zip((0.0, 1.0), chosen, strict=True)
        low, high = (end if value is None else float(axis.place(value)) for end, value in ends)
        width = max(high - low, 0) * WIDTH
        pieces.append(f'<rect class="chosen" x="{low * WIDTH:.1f}" y="0" width="{width:.1f}" height="{base}"/>')
    for i, (files, kept) in enumerate(zip(shown.found.tolist(), shown.kept.tolist(), strict=True)):
        if files:
            between = " to ".join(figure(axis.value((i + n) / bins)) for n in (0, 1))
            tip = f"{between}: {plural(files, 'file')}, {kept:,} kept"
            bars = _bar("found", i * step, step, files / tallest, base) + _bar(
                "kept", i * step, step, kept / tallest, base
            )
            pieces.append(f"<g><title>{escape(tip)}</title>{bars}</g>")
    for limit in limits:
        x = float(axis.place(limit)) * WIDTH
        pieces.append(f'<path class="limit" d="M{x:.1f} 0V{base}"/>')
    for x, anchor, share in ((0, "start", 0.0), (WIDTH / 2, "middle", 0.5), (WIDTH, "end", 1.0)):
        text = escape(figure(axis.value(share)))
        pieces.append(f'<text x="{x:.0f}" y="{shape.figures}" text-anchor="{anchor}">{text}</text>')
    facts = {"base": base, "low": repr(axis.low), "high": repr(axis.high), "doubling": int(axis.doubling)}
    data = " ".join(f'data-{key}="{value}"' for key, value in facts.items())
    box = f'viewBox="0 0 {WIDTH} {shape.figures + 6}" role="img" aria-label="Values of {escape(name)}"'
    opening = f'<svg class="chart" {box} {data}>'
    return Markup(opening + "".join(pieces) + f'<path class="axis" d="M0 {base + 0.5}H{WIDTH}"/></svg>')


def _bar(css: str, x: float, step: float, part: float, base: int) -> str:
    if not part:
        return ""
    height = max(part**0.5 * (base - 8), 1)
    box = f'x="{x + step * 0.06:.1f}" y="{base - height:.1f}" width="{step * 0.88:.1f}" height="{height:.1f}"'
    return f'<rect class="{css}" {box}/>'
