"""Small pictures as SVG text: the same bytes every time, no library, no script."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

INK = "#1d2329"
MUTED = "#55606a"
RULE = "#dfe3e6"
SIMULATED = "#1f4e79"
RANGE = "#c3d4e5"
INSIDE = "#dbe6f0"
OUTSIDE = "#a3282a"
HISTORY = "#1d2329"

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"


@dataclass
class Drawing:
    """Shapes on a white sheet; lengths in pixels, y downwards."""

    width: float
    height: float
    title: str
    shapes: list[str] = field(default_factory=list)

    def rectangle(
        self, x: float, y: float, width: float, height: float, fill: str, tip: str = ""
    ) -> None:
        """Add a filled rectangle, with words for a pointer that rests on it."""
        inner = f"<title>{html.escape(tip)}</title>" if tip else ""
        self.shapes.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f'fill="{fill}">{inner}</rect>'
        )

    def line(
        self, points: Sequence[tuple[float, float]], stroke: str, width: float = 1, dash: str = ""
    ) -> None:
        """Add a line through points."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.shapes.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{stroke}" '
            f'stroke-width="{_n(width)}"{dashes}/>'
        )

    def area(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        """Add a filled polygon."""
        self.shapes.append(f'<polygon points="{_points(points)}" fill="{fill}"/>')

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        """Add a filled circle."""
        self.shapes.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}"/>')

    def words(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 11,
        anchor: str = "start",
        fill: str = INK,
        bold: bool = False,
        turn: float = 0,
    ) -> None:
        """Add text; `y` is its baseline, `turn` degrees clockwise about (x, y)."""
        weight = ' font-weight="600"' if bold else ""
        turned = f' transform="rotate({_n(turn)} {_n(x)} {_n(y)})"' if turn else ""
        self.shapes.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" text-anchor="{anchor}" '
            f'fill="{fill}"{weight}{turned}>{html.escape(words)}</text>'
        )

    def text(self) -> str:
        """Return the document."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} '
            f'{_n(self.height)}" width="{_n(self.width)}" height="{_n(self.height)}" '
            f'font-family="{html.escape(_FONT)}" role="img">'
        )
        title = f"<title>{html.escape(self.title)}</title>"
        sheet = '<rect width="100%" height="100%" fill="#ffffff"/>'
        return "\n".join([head, title, sheet, *self.shapes, "</svg>"]) + "\n"


@dataclass(frozen=True)
class Axis:
    """From values to pixels along one direction; logarithmic if asked."""

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value, kept within the axis."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Return round values within the axis."""
        if self.log:
            decades = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0**decade for decade in decades]
        rough = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        return [step * place for place in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _n(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
