"""The funnel as a picture: a band of files that narrows step by step, and what was blown off at each.

One standalone SVG: no script, no font, no request; light and dark by `prefers-color-scheme`. The widths of
the band and of the streams where they leave it are to scale; their far ends only lead the eye to a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from codemill.report.words import count, plural, printable, share, shorten, size

By = Literal["rows", "bytes"]

LINE = 25  # height of one reason
REASONS = 6  # shown per step; the rest are folded into one stream

STYLE = """
.cmf{font-family:Inter,"Segoe UI",system-ui,-apple-system,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
.cmf .bg{fill:#fffdf9}.cmf .rule{stroke:#e9e2d6}.cmf .ink{fill:#231f1a}.cmf .soft{fill:#6d655a}
.cmf .raw{stop-color:#b9ae9c}.cmf .mid{stop-color:#cda45c}.cmf .gold{stop-color:#c98413}
.cmf .chaff{stop-color:#ada08c}.cmf .dot{fill:#a4977f}.cmf .big{fill:#8a5a0b}
@media screen and (prefers-color-scheme:dark){
.cmf .bg{fill:#1b1916}.cmf .rule{stroke:#322d26}.cmf .ink{fill:#efe9de}.cmf .soft{fill:#a79d8d}
.cmf .raw{stop-color:#6f675a}.cmf .mid{stop-color:#a98347}.cmf .gold{stop-color:#e3a640}
.cmf .chaff{stop-color:#857b6b}.cmf .dot{fill:#857b6b}.cmf .big{fill:#efc077}}
"""


@dataclass(frozen=True)
class Layout:
    """Where things stand, in pixels. `beside`: step names left of the band, else above their reasons."""

    width: int
    left: int  # the band's left edge
    band: int  # the band's width at full flow
    label: int  # where streams end and their labels begin
    margin: int
    beside: bool


WIDE = Layout(width=960, left=208, band=336, label=608, margin=24, beside=True)
NARROW = Layout(width=440, left=16, band=170, label=218, margin=16, beside=False)


@dataclass(frozen=True)
class Drop:
    """One stream that leaves the band."""

    reason: str
    rows: int
    bytes: int
    width: float  # pixels at its take-off


def funnel_svg(manifest: dict[str, Any], *, by: By = "rows", narrow: bool = False) -> str:
    """The funnel of a run, drawn to scale by files or by bytes; `narrow` for a telephone's screen.

    Why an order: within a step the biggest loss leaves from the band's edge and gets the first label, so
    streams never cross.
    """
    at = NARROW if narrow else WIDE
    ingested, kept = manifest["ingested"], manifest["kept"]
    if not ingested["rows"]:
        nothing = _text(at.width / 2, 66, "No files were found.", "soft", 16, anchor="middle")
        return _svg(at, 120, "The funnel: nothing was found.", nothing)
    scale = at.band / ingested[by] if ingested[by] else 0.0
    top, out = 76.0, [_heading(at, "found", ingested, 34)]
    edge = [(28.0, ingested[by] * scale)]  # (y, the band's width from there on)
    for step in _idle_together(manifest["steps"]):
        drops = _drops(step["dropped"], by, scale)
        same = step["rows_in"] == step["rows_out"] and not drops
        change = (
            step.get("idle", "nothing dropped") if same else f"{count(step['rows_in'])} → {count(step['rows_out'])}"
        )
        out.append(_rule(at, top) + _name(at, step["name"], change, top))
        first = top + (34 if at.beside else 72)
        right = at.left + step[f"{by}_in"] * scale
        for i, drop in enumerate(drops):
            out.append(_stream(at, step["name"], drop, ingested, by, start=(right, top + 4), end=first + LINE * i))
            right -= drop.width
        edge.append((top + 4, step[f"{by}_out"] * scale))
        top = first + LINE * max(len(drops) - 1, 0) + 25 if drops or at.beside else top + 60
    bottom = top + (62 if at.beside else 84)
    out += [_rule(at, top), _heading(at, "kept", kept, top + 28)]
    x, y = (at.left + max(kept[by] * scale, 2) + 20, top + 39) if at.beside else (at.label, top + 70)
    percent = f"{share(kept[by], ingested[by])} of the {'files' if by == 'rows' else 'bytes'}"
    out.append(_text(x, y, percent, "big", 19, weight=650))
    steps = plural(len(manifest["steps"]), "step")
    title = f"The funnel: {count(kept['rows'])} of {plural(ingested['rows'], 'file')} kept, in {steps}."
    prefix = f"cmf-{by}-{'narrow' if narrow else 'wide'}"
    body = _gradients(at, prefix, bottom) + _band(at, edge, bottom - 14) + "".join(out)
    return _svg(at, bottom, title, body.replace("url(#cmf-", f"url(#{prefix}-"))


def _idle_together(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps, with neighbours of one module that dropped nothing as one: near-duplicates take four to prepare."""
    runs: list[list[dict[str, Any]]] = []
    for step in steps:
        before = runs[-1][-1] if runs else None
        if before and _idle(before) and _idle(step) and _module(before) == _module(step):
            runs[-1].append(step)
        else:
            runs.append([step])
    return [run[0] if len(run) == 1 else _as_one(run) for run in runs]


def _idle(step: dict[str, Any]) -> bool:
    return step["rows_in"] == step["rows_out"] and not any(drop["rows"] for drop in step["dropped"].values())


def _module(step: dict[str, Any]) -> str:
    return str(step["name"]).rpartition(".")[0]


def _as_one(run: list[dict[str, Any]]) -> dict[str, Any]:
    name = f"{run[0]['name']} … {run[-1]['name'].rpartition('.')[2]}"
    return {**run[-1], "name": name, "idle": f"{len(run)} steps, nothing dropped"}


def _drops(dropped: dict[str, dict[str, int]], by: By, scale: float) -> list[Drop]:
    drops = [Drop(reason, d["rows"], d["bytes"], d[by] * scale) for reason, d in dropped.items() if d["rows"]]
    drops.sort(key=lambda drop: (-drop.width, -drop.rows, drop.reason))
    if len(drops) <= REASONS:
        return drops
    rest = drops[REASONS - 1 :]
    rows, many = sum(drop.rows for drop in rest), sum(drop.bytes for drop in rest)
    folded = Drop(f"{len(rest)} more reasons", rows, many, sum(drop.width for drop in rest))
    return [*drops[: REASONS - 1], folded]


def _stream(
    at: Layout,
    step: str,
    drop: Drop,
    ingested: dict[str, int],
    by: By,
    *,
    start: tuple[float, float],
    end: float,
) -> str:
    """A slice of the band's edge, `drop.width` left of `start`, bending away to its label at height `end`."""
    (right, y), x = start, at.label
    left, half = right - max(drop.width, 0.8), min(max(drop.width * 0.11, 0.6), 4.5)
    upper, lower, bend = end - half, end + half, 0.45
    outer, inner = right + (x - right) * bend, left + (x - left) * bend
    d = (
        f"M{right:.1f} {y:.1f}C{right:.1f} {upper:.1f} {outer:.1f} {upper:.1f} {x} {upper:.1f}V{lower:.1f}"
        f"C{inner:.1f} {lower:.1f} {left:.1f} {lower + 6:.1f} {left:.1f} {y:.1f}Z"
    )
    reason = printable(drop.reason).replace("_", " ")
    amount = drop.rows if by == "rows" else drop.bytes
    of_all = share(amount, ingested[by])
    tip = f"{printable(step)}: {reason}, {plural(drop.rows, 'file')}, {size(drop.bytes)}, {of_all} of all found"
    figures = [count(drop.rows), size(drop.bytes)]
    if by == "bytes":
        figures.reverse()
    second = f'<tspan class="soft"> · {figures[1]}</tspan>' if at.beside else ""
    return (
        f'<g><title>{escape(tip)}</title><path d="{d}" fill="url(#cmf-chaff)"/>'
        f'<circle class="dot" cx="{x + 4}" cy="{end:g}" r="3"/>'
        + _text(x + 16, end + 4.5, shorten(reason, 30 if at.beside else 18), "ink", 13)
        + f'<text class="ink" x="{at.width - at.margin}" y="{end + 4.5:g}" font-size="12.5" '
        f'text-anchor="end">{figures[0]}{second}</text></g>'
    )


def _band(at: Layout, edge: list[tuple[float, float]], bottom: float) -> str:
    """The flow that stays: straight on the left, stepping in on the right, at least 2 pixels."""
    d = f"M{at.left} {edge[0][0]:g}"
    for y, width in edge:
        d += f"V{y:.1f}H{at.left + (max(width, 2.0) if width else 0.0):.1f}"
    return f'<path d="{d}V{bottom:g}H{at.left}Z" fill="url(#cmf-flow)"/>'


def _heading(at: Layout, word: str, total: dict[str, int], y: float) -> str:
    return _name(at, word, f"{plural(total['rows'], 'file')} · {size(total['bytes'])}", y - 25, points=15)


def _name(at: Layout, name: str, below: str, top: float, *, points: float = 13.5) -> str:
    x, anchor = (at.left - 28, "end") if at.beside else (at.label, "start")
    name = shorten(printable(name), 24)
    if at.beside:  # a long name smaller, so that it does not begin outside the picture where fonts are wide
        points = min(points, round((at.left - 32) / (0.66 * len(name)), 1))
    title = _text(x, top + 25, name, "ink", points, anchor=anchor, weight=650)
    return title + _text(x, top + 43, below, "soft", 12, anchor=anchor)


def _rule(at: Layout, y: float) -> str:
    d = f"M{at.margin} {y:g}H{at.width - at.margin}"
    return f'<path class="rule" d="{d}" stroke-dasharray="1 5" stroke-linecap="round"/>'


def _gradients(at: Layout, prefix: str, bottom: float) -> str:
    # Ids carry a prefix because several funnels may share one page.
    flow = '<stop class="raw" offset="0"/><stop class="mid" offset=".55"/><stop class="gold" offset="1"/>'
    chaff = '<stop class="chaff" offset="0" stop-opacity=".9"/>'
    chaff += '<stop class="chaff" offset="1" stop-opacity=".4"/>'
    ends = ((f"{prefix}-flow", 0, 0, 28, bottom, flow), (f"{prefix}-chaff", at.left, at.label, 0, 0, chaff))
    gradients = (
        f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="{x1:g}" x2="{x2:g}" '
        f'y1="{y1:g}" y2="{y2:g}">{stops}</linearGradient>'
        for name, x1, x2, y1, y2, stops in ends
    )
    return f"<defs>{''.join(gradients)}</defs>"


def _text(x: float, y: float, text: str, css: str, points: float, *, anchor: str = "start", weight: int = 400) -> str:
    more = f' font-weight="{weight}"' * (weight != 400) + f' text-anchor="{anchor}"' * (anchor != "start")
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" font-size="{points:g}"{more}>{escape(text)}</text>'


def _svg(at: Layout, height: float, title: str, body: str) -> str:
    name = escape(title)
    return (
        f'<svg class="cmf" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {at.width} {height:g}" '
        f'width="{at.width}" height="{height:g}" role="img" aria-label="{name}"><title>{name}</title>'
        f'<style>{STYLE}</style><rect class="bg" width="{at.width}" height="{height:g}" rx="14"/>'
        f"{body}</svg>\n"
    )
