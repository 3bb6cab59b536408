# SPDX-License-Identifier: Apache-2.0
"""Draw what is found against how much was altered, as one SVG for light and dark pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_WIDTH, _HEIGHT = 210, 150  # of one drawing's inside
_LEFT, _TOP, _RIGHT, _BELOW = 40, 46, 12, 40
_HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Drawn by: make bench-altered -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"
 font-size="11" role="img" aria-label="The share of altered copies that is found">
<style>
 text {{ fill: #57606a }} .title {{ fill: #24292f; font-weight: bold; font-size: 12px }}
 .grid {{ stroke: #8c959f; stroke-opacity: .35 }} path {{ fill: none; stroke-width: 2 }}
 .plain {{ stroke: #9a6700; stroke-dasharray: 5 4 }} .derived {{ stroke: #0969da }}
 text.plain {{ fill: #9a6700; stroke: none }} text.derived {{ fill: #0969da; stroke: none }}
 @media (prefers-color-scheme: dark) {{
  text {{ fill: #9198a1 }} .title {{ fill: #e6edf3 }}
  .plain {{ stroke: #d29922 }} .derived {{ stroke: #58a6ff }}
  text.plain {{ fill: #d29922 }} text.derived {{ fill: #58a6ff }}
 }}
</style>
<text class="derived" x="{left}" y="16">with derived codes</text>
<text class="plain" x="{second}" y="16">plain PDQ</text>
"""


@dataclass(frozen=True)
class Curve:
    """The share found, by plain PDQ and by all codes, at each amount: shares or degrees."""

    amounts: Sequence[float]
    plain: Sequence[float]
    derived: Sequence[float]


def draw(curves: Mapping[str, Curve], file: Path) -> None:
    """Draw them side by side."""
    step = _LEFT + _WIDTH + _RIGHT
    size = {"width": step * len(curves), "height": _TOP + _HEIGHT + _BELOW}
    lines = [_HEAD.format(**size, left=_LEFT, second=_LEFT + 130)]
    for number, (name, curve) in enumerate(curves.items()):
        lines.append(f'<g transform="translate({number * step + _LEFT} {_TOP})">')
        lines += _drawing(name, curve)
        lines.append("</g>")
    file.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


def _drawing(name: str, curve: Curve) -> Iterator[str]:
    yield f'<text class="title" x="0" y="-10">{name}</text>'
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _HEIGHT * (1 - share)
        yield f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{y}" y2="{y}"/>'
        yield f'<text x="-6" y="{y + 4}" text-anchor="end">{share:.0%}</text>'
    most = max(curve.amounts)
    unit, factor = ("°", 1) if most > 1 else (" %", 100)
    for amount in curve.amounts[1 :: 1 + len(curve.amounts) // 6]:
        x = _WIDTH * amount / most
        yield f'<text x="{x:.0f}" y="{_HEIGHT + 16}" text-anchor="middle">'
        yield f"{amount * factor:g}{unit}</text>"
    for kind, shares in (("plain", curve.plain), ("derived", curve.derived)):
        points = zip(curve.amounts, shares, strict=True)
        places = (f"{_WIDTH * a / most:.1f} {_HEIGHT * (1 - s):.1f}" for a, s in points)
        yield f'<path class="{kind}" d="M {" L ".join(places)}"/>'
