"""The pictures of the validation pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.report.validation.svg import (
    HISTORY,
    INK,
    INSIDE,
    MUTED,
    OUTSIDE,
    RANGE,
    RULE,
    SIMULATED,
    Axis,
    Drawing,
)
from simulator.report.validation.tables import title_of

if TYPE_CHECKING:
    from simulator.market.validation.backtest import Pooled
    from simulator.market.validation.compare import Compared
    from simulator.market.validation.coverage import Coverage
    from simulator.market.validation.profiles import Profile

_PANEL = (236, 190)
_COLUMNS = 4
_FOOT = 26


def distributions(asset: str, found: Sequence[Profile]) -> str:
    """Return one asset's curves: dots of the history on the range of simulated histories."""
    width, height = _PANEL
    rows = -(-(len(found) + 1) // _COLUMNS)
    sheet = Drawing(
        _COLUMNS * width + 8, rows * height + 34, f"{title_of(asset)}: simulated and real returns"
    )
    sheet.words(10, 22, title_of(asset).capitalize(), size=15, bold=True)
    for place, profile in enumerate(found):
        _panel(sheet, profile, place % _COLUMNS * width, 34 + place // _COLUMNS * height)
    place = len(found)
    _legend(sheet, place % _COLUMNS * width + 40, 34 + place // _COLUMNS * height + 50)
    return sheet.text()


def _panel(sheet: Drawing, profile: Profile, left: float, top: float) -> None:
    x = Axis(float(profile.x[0]), float(profile.x[-1]), left + 40, left + _PANEL[0] - 10)
    y = _height_axis(profile, top + _PANEL[1] - _FOOT - 12, top + 22)
    sheet.words(left + 40, top + 13, profile.title, size=11, fill=MUTED)
    for tick in y.ticks(4):
        sheet.line([(x.first, y(tick)), (x.last, y(tick))], RULE)
        sheet.words(x.first - 5, y(tick) + 3, _label(tick), size=9, anchor="end", fill=MUTED)
    for tick in x.ticks(4):
        sheet.words(x(tick), y.first + 13, _label(tick), size=9, anchor="middle", fill=MUTED)
    upper = [(x(a), y(b)) for a, b in zip(profile.x, profile.high, strict=True)]
    lower = [(x(a), y(b)) for a, b in zip(profile.x, profile.low, strict=True)]
    sheet.area([*upper, *lower[::-1]], RANGE)
    sheet.line(
        [(x(a), y(b)) for a, b in zip(profile.x, profile.median, strict=True)], SIMULATED, 1.4
    )
    for a, b in zip(profile.x, profile.historical, strict=True):
        if not profile.is_density or b > 0:
            sheet.dot(x(a), y(b), 2, HISTORY)


def _height_axis(profile: Profile, first: float, last: float) -> Axis:
    highest = float(max(profile.high.max(), profile.historical.max()))
    if not profile.is_density:
        lowest = float(min(profile.low.min(), profile.historical.min(), 0.0))
        return Axis(lowest, highest * 1.05, first, last)
    seen = [float(v) for v in profile.historical if v > 0]
    return Axis(min(*seen, highest / 1000) / 2, highest * 1.3, first, last, log=True)


def _legend(sheet: Drawing, left: float, top: float) -> None:
    sheet.dot(left + 12, top - 4, 2.5, HISTORY)
    sheet.words(left + 30, top, "history")
    sheet.line([(left, top + 18), (left + 24, top + 18)], SIMULATED, 1.8)
    sheet.words(left + 30, top + 22, "simulated, median")
    sheet.rectangle(left, top + 33, 24, 12, RANGE)
    sheet.words(left + 30, top + 44, "nine in ten simulated")
    sheet.words(left + 30, top + 58, "histories of that length")


def _label(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def cell_map(rows: Sequence[Compared]) -> str:
    """Return all cells of single assets: one row an asset, grouped by what is measured."""
    subjects = list(dict.fromkeys(r.cell.subject for r in rows if "-" not in r.cell.subject))
    figures = list(
        dict.fromkeys((r.cell.days, r.cell.figure) for r in rows if "-" not in r.cell.subject)
    )
    figures.sort(key=_group)
    side, left, top = 21, 96, 92
    groups = list(dict.fromkeys(_group_name(*figure) for figure in figures))
    gap = 8
    sheet = Drawing(
        left + len(figures) * side + len(groups) * gap + 8,
        top + len(subjects) * side + 40,
        "which figures of the history lie within the simulated ones",
    )
    by_cell = {(r.cell.subject, r.cell.days, r.cell.figure): r for r in rows}
    for column, figure in enumerate(figures):
        group = groups.index(_group_name(*figure))
        x = left + column * side + group * gap
        if column == 0 or _group_name(*figures[column - 1]) != groups[group]:
            sheet.words(x, 16, groups[group], size=11, bold=True)
        sheet.words(x + 14, top - 6, _short(*figure), size=10, turn=-60, fill=MUTED)
        for line, subject in enumerate(subjects):
            _square(sheet, by_cell[subject, *figure], x, top + line * side, side)
    for line, subject in enumerate(subjects):
        y = top + line * side + 14
        sheet.words(left - 8, y, title_of(subject), size=11, anchor="end")
    y = top + len(subjects) * side + 26
    _key(sheet, left, y)
    return sheet.text()


def _key(sheet: Drawing, x: float, y: float) -> None:
    sheet.rectangle(x, y - 11, 14, 14, INSIDE)
    sheet.words(x + 20, y, "inside")
    sheet.rectangle(x + 130, y - 11, 14, 14, OUTSIDE)
    sheet.words(
        x + 150,
        y,
        "outside: ▲ the simulated figures are too high, ▼ too low",
    )


def _square(sheet: Drawing, row: Compared, x: float, y: float, side: float) -> None:
    tip = (
        f"{title_of(row.cell.subject)}, {row.cell.figure}, {row.cell.days} days: history "
        f"{row.historical:.3g}, simulated {row.median:.3g} ({row.low:.3g} to {row.high:.3g})"
    )
    sheet.rectangle(x, y, side - 2, side - 2, INSIDE if row.inside else OUTSIDE, tip)
    if not row.inside:
        mark = "▲" if row.historical < row.low else "▼"
        sheet.words(x + side / 2 - 1, y + 14, mark, size=10, anchor="middle", fill="#ffffff")


def _group(figure: tuple[int, str]) -> tuple[int, int]:
    days, name = figure
    if name.startswith("drawdown"):
        return 1000, 0
    if name.startswith("auto"):
        return 2000, days
    return days, 0


def _group_name(days: int, figure: str) -> str:
    # two columns wide: no room for longer words
    if figure.startswith("drawdown"):
        return "falls"
    if figure.startswith("auto"):
        return "|r| at"
    return "1 day" if days == 1 else f"{days} days"


def _short(days: int, figure: str) -> str:
    if figure.startswith("drawdown"):
        return figure.removeprefix("drawdown ")
    if figure.startswith("auto"):
        return f"lag {days}"
    if figure.startswith("q"):
        return f"{float(figure[1:]):g} %"
    return figure


def correlations(rows: Sequence[Compared]) -> str:
    """Return each pair's correlation, and its rise in stress: the history on the simulated ones."""
    pairs = [row for row in rows if "-" in row.cell.subject]
    subjects = list(dict.fromkeys(row.cell.subject for row in pairs))
    step, left, top, width = 22, 170, 46, 300
    sheet = Drawing(
        left + 2 * (width + 30), top + len(subjects) * step + 44, "correlations and their rise"
    )
    heads = {"correlation": "weekly correlation", "rise": "rise in stress over calm"}
    for place, (figure, head) in enumerate(heads.items()):
        chosen = [row for row in pairs if row.cell.figure.startswith(figure)]
        low = min(-0.2, *(min(row.low, row.historical) for row in chosen))
        high = 1.0 if place == 0 else max(0.4, *(max(r.high, r.historical) for r in chosen))
        first = left + place * (width + 30)
        axis = Axis(low, high, first, first + width)
        sheet.words(first, 20, head, size=12, bold=True)
        for tick in axis.ticks(6):
            sheet.line([(axis(tick), top - 10), (axis(tick), top + len(subjects) * step)], RULE)
            y = top + len(subjects) * step + 14
            sheet.words(axis(tick), y, _label(tick), size=9, anchor="middle", fill=MUTED)
        for line, row in enumerate(chosen):
            y = top + line * step + 6
            sheet.rectangle(axis(row.low), y - 5, axis(row.high) - axis(row.low), 10, INSIDE)
            sheet.rectangle(axis(row.median) - 1, y - 7, 2, 14, INK)
            sheet.dot(axis(row.historical), y, 4, SIMULATED if row.inside else OUTSIDE)
    for line, subject in enumerate(subjects):
        sheet.words(left - 10, top + line * step + 10, title_of(subject), size=11, anchor="end")
    y = top + len(subjects) * step + 36
    words = "bar: nine in ten simulated · stroke: median · dot: history (red where outside)"
    sheet.words(left, y, words, fill=MUTED)
    return sheet.text()


def transforms(found: Pooled, spreads: Sequence[tuple[float, float]]) -> str:
    """Return the histogram of the probability integral transforms; level where all is right.

    Parameters
    ----------
    spreads : of each bin, the interval of its share
    """
    sheet = Drawing(560, 300, "probability integral transforms of all forecasts")
    bins = len(found.shares)
    x = Axis(0.0, 1.0, 50, 540)
    y = Axis(0.0, max(0.25, *(high for _, high in spreads)), 250, 20)
    for tick in y.ticks(5):
        sheet.line([(x.first, y(tick)), (x.last, y(tick))], RULE)
        sheet.words(44, y(tick) + 4, f"{100 * tick:.0f} %", size=10, anchor="end", fill=MUTED)
    for place, (share, (low, high)) in enumerate(zip(found.shares, spreads, strict=True)):
        left, right = x(place / bins), x((place + 1) / bins)
        sheet.rectangle(left + 2, y(share), right - left - 4, y(0) - y(share), "#86a8c9")
        centre = (left + right) / 2
        sheet.line([(centre, y(low)), (centre, y(high))], INK, 1.2)
    sheet.line([(x.first, y(1 / bins)), (x.last, y(1 / bins))], OUTSIDE, 1.2, "5 4")
    for place in range(0, bins + 1, 2):
        share = place / bins
        sheet.words(x(share), 266, f"{share:.1f}", size=10, anchor="middle", fill=MUTED)
    words = "share of simulated prices below the one that came"
    sheet.words(295, 288, words, anchor="middle", fill=MUTED)
    return sheet.text()


def coverages(found: Mapping[str, Coverage], demanded: tuple[float, float]) -> str:
    """Return each coverage with its interval, over the range that is demanded of the whole."""
    step, left, width, top = 26, 130, 400, 20
    sheet = Drawing(left + width + 30, top + len(found) * step + 50, "coverage with interval")
    lowest = min(0.5, *(item.low for item in found.values()))
    x = Axis(lowest, 1.0, left, left + width)
    bottom = top + len(found) * step
    sheet.rectangle(x(demanded[0]), top - 8, x(demanded[1]) - x(demanded[0]), bottom - top, INSIDE)
    for tick in x.ticks(6):
        sheet.line([(x(tick), top - 8), (x(tick), bottom - 8)], RULE)
        sheet.words(
            x(tick), bottom + 8, f"{100 * tick:.0f} %", size=10, anchor="middle", fill=MUTED
        )
    sheet.line([(x(0.9), top - 8), (x(0.9), bottom - 8)], OUTSIDE, 1.2, "5 4")
    for place, (name, item) in enumerate(found.items()):
        y = top + place * step + 6
        sheet.words(left - 12, y + 4, name, anchor="end", bold=place == 0)
        sheet.line([(x(item.low), y), (x(item.high), y)], INK, 1.4)
        sheet.dot(x(item.share), y, 4.5, SIMULATED)
    words = "line: 95 % interval · dashed: 90 %, the band's own · shaded: demanded of the whole"
    sheet.words(left - 110, bottom + 32, words, size=10, fill=MUTED)
    return sheet.text()
