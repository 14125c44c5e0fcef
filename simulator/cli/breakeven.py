"""`assay breakeven`: what a parameter would have to be for a claim to turn."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import click

from simulator.cli.options import all_overrides
from simulator.cli.progress import Reporter
from simulator.cli.tables import print_table
from simulator.engine.breakeven import BreakEven, Point, break_even
from simulator.engine.sources import load_source
from simulator.words import difference, figure, paths_of, plain, share, spoken, with_unit


def breakeven(
    source: str,
    claim: str,
    parameter: str,
    low: float | None,
    high: float | None,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    workers: int | None,
    as_json: bool,
) -> None:
    """Do what `assay breakeven` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    loaded = load_source(source, all_overrides(overrides, paths, seed), calibration)

    def tell(point: Point) -> None:
        kind = loaded.scenario.claims[claim].kind
        reporter.say(f"tried {point.value:<12.6g} {_says(point, kind)}")

    found = break_even(
        loaded.scenario,
        loaded.calibration,
        claim,
        parameter,
        low=low,
        high=high,
        workers=workers,
        on_point=tell,
    )
    if as_json:
        click.echo(json.dumps(break_even_object(found), allow_nan=False))
    else:
        _print(found)


def break_even_object(found: BreakEven) -> dict[str, Any]:
    """Return what was found as plain data."""
    return asdict(found)


def _says(point: Point, kind: str) -> str:
    if math.isnan(point.told):
        return "cannot be tested"
    if kind == "event":
        return f"holds on {plain(share(point.told))}"
    return f"differs by {point.told:.6g}" if point.excess is not None else "changes nothing"


def _print(found: BreakEven) -> None:
    rows = [
        (f"{point.value:.6g}{_mark(found, point)}", *_cells(found, point))
        for point in found.points
        if _on_grid(found, point)
    ]
    title = f"{found.claim} on {paths_of(found.paths, found.days)}"
    title += "" if found.kind == "event" else f": {spoken(found.quantity)}"
    columns = ("holds",) if found.kind == "event" else ("difference", "\u00b1 error")
    unit = f", {found.unit}" if found.unit else ""
    print_table(title, (f"{found.parameter}{unit}", *columns), rows)
    click.echo(answer(found))
    others = len(found.crossings) - 1
    if others > 0:
        ranges = ", ".join(f"{a.value:.4g} to {b.value:.4g}" for a, b in found.crossings)
        click.echo(f"It turns {others + 1} times on the grid; solved is the nearest: {ranges}")


def _cells(found: BreakEven, point: Point) -> tuple[str, ...]:
    if found.kind == "event":
        return (_told(found, point),)
    known = point.excess is not None
    error = figure(point.standard_error, found.scale).replace("%", "points")
    return _told(found, point), plain(error) if known else ""


def _told(found: BreakEven, point: Point) -> str:
    """Return what a claim does at a point, in words."""
    if math.isnan(point.told):
        return "not testable"
    if found.kind == "event":
        return plain(share(point.told))
    return plain(difference(point.told, found.scale))


def _mark(found: BreakEven, point: Point) -> str:
    if point.value == found.value:
        return " break-even"
    return " now" if point == found.present else ""


def _on_grid(found: BreakEven, point: Point) -> bool:
    """Leave out what only closed the bracket."""
    if found.value is None or point.value in (found.value, found.present.value):
        return True
    return not any(low.value < point.value < high.value for low, high in found.crossings)


def answer(found: BreakEven) -> str:
    """Return the break-even as a sentence."""
    event = found.kind == "event"

    def worded(value: float, error: str = "") -> str:
        return plain(with_unit(f"{value:.6g}{error}", found.unit))

    present = f"{found.parameter} is {worded(found.present.value)} now"
    over = f" over {found.days:,} days"
    if found.value is None:
        turn = f"{found.claim} as likely as not: it holds on" if event else f"{found.claim} turn:"
        told = sorted((p for p in found.points if not math.isnan(p.told)), key=lambda p: p.told)
        least, most = _told(found, told[0]), _told(found, told[-1])
        span = least if least == most else f"{least} to {most}"
        of_what = f"{span} of the paths{over}" if event else f"the {_difference(found)} is {span}"
        return (
            f"No value of {found.parameter} from {found.low:.6g} to {worded(found.high)} makes "
            f"{turn} {of_what}. {present}."
        )
    if found.jumps and found.bracket is not None:
        ends = " to ".join(_told(found, point) for point in found.bracket)
        what = "its probability jumps across one half" if event else "the difference jumps"
        return (
            f"{found.claim} turns at {found.parameter} = {worded(found.value)}, where {what} "
            f"({ends}). {present}."
        )
    error = "" if found.standard_error is None else f" ± {found.standard_error:.2g}"
    at = f"{found.parameter} = {worded(found.value, error)} (standard error of sampling)"
    if event:
        return f"{found.claim} is as likely as not{over} at {at}. {present}."
    level = plain(difference(found.estimate or 0.0, found.scale))
    return f"{found.claim} turns at {at}: there the {_difference(found)} is {level}. {present}."


def _difference(found: BreakEven) -> str:
    return f"{spoken(found.quantity)}, {found.compared},"
