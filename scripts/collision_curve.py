"""Draws docs/collision-curve.svg: how likely a pair becomes a candidate, by its similarity.

    python scripts/collision_curve.py [--check]

`--check` writes nothing and fails if the file is not what this would write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from codemill.near import collision_probability, effective_threshold

TARGET = Path(__file__).resolve().parent.parent / "docs" / "collision-curve.svg"
CURVES = ((16, 128, "#b3261e"), (32, 64, "#a06000"), (64, 32, "#2e7d32"), (157, 13, "#1a5fb4"))
WIDTH, HEIGHT, LEFT, TOP = 560, 300, 46, 14
LOW = 0.5


def _x(similarity: float) -> float:
    return LEFT + (similarity - LOW) / (1 - LOW) * WIDTH


def _y(probability: float) -> float:
    return TOP + (1 - probability) * HEIGHT


def _text(at_x: float, at_y: float, words: str, *, anchor: str = "middle", colour: str = "#666") -> str:
    return f'<text x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def draw() -> str:
    """The figure."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + LEFT + 20} {HEIGHT + 62}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Probability that a pair becomes a candidate, by its Jaccard similarity</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for tenth in range(0, 11, 2):
        at = _y(tenth / 10)
        lines.append(
            f'<path d="M{LEFT} {at:.1f}h{WIDTH}" stroke="#ddd"/>'
            + _text(LEFT - 6, at + 4, f"{10 * tenth} %", anchor="end")
        )
    for step in range(11):
        similarity = LOW + step * 0.05
        lines.append(_text(_x(similarity), TOP + HEIGHT + 18, f"{similarity:.2f}"))
    lines.append(_text(LEFT + WIDTH / 2, TOP + HEIGHT + 40, "Jaccard similarity of the shingles"))
    for place, (bands, rows, colour) in enumerate(CURVES):
        points = [LOW + i * (1 - LOW) / 400 for i in range(401)]
        path = " ".join(f"{_x(s):.1f},{_y(collision_probability(s, bands=bands, rows=rows)):.1f}" for s in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        words = f"{bands} × {rows}: about {effective_threshold(bands, rows):.3f}"
        lines.append(_text(LEFT + 10, TOP + 24 + 18 * place, words, anchor="start", colour=colour))
    return "\n".join([*lines, "</svg>", ""])


def main(argv: list[str]) -> int:
    """Writes the figure, or says that it is out of date."""
    if "--check" not in argv:
        TARGET.write_text(draw(), encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") == draw():
        return 0
    print(f"{TARGET.name} is out of date. Hint: python scripts/collision_curve.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
