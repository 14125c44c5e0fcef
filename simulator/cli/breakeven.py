"""`assay breakeven`: what a parameter would have to be for a claim to be as likely as not."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from simulator.cli.options import all_overrides, json_option, scenario_options
from simulator.cli.progress import Reporter
from simulator.cli.sources import load_source
from simulator.cli.tables import print_table
from simulator.engine.breakeven import BreakEven, Point, break_even
from simulator.report.words import plain, share


@click.command()
@click.argument("source", metavar="RUN|SCENARIO")
@click.option("--claim", required=True, metavar="CLAIM", help="The claim's name.")
@click.option(
    "--solve",
    "parameter",
    required=True,
    metavar="PARAMETER",
    help="Dotted name of a number, or its last part where only one has that.",
)
@click.option("--low", type=float, help="Lower end of the range; by default the field's bound.")
@click.option("--high", type=float, help="Upper end of the range.")
@scenario_options
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@json_option
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
    """Find the value of a PARAMETER at which a claim is as likely as not.

    Every value is tried on the same random numbers. Without --low and --high the range is
    what the field allows; where it has no bound, up to ten times the present value.
    """
    reporter = Reporter(quiet=as_json)
    loaded = load_source(source, all_overrides(overrides, paths, seed), calibration)

    def tell(point: Point) -> None:
        reporter.say(f"tried {point.value:<12.6g} holds on {plain(share(point.probability))}")

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


def _print(found: BreakEven) -> None:
    rows = [
        (f"{point.value:.6g}{_mark(found, point)}", plain(share(point.probability)))
        for point in found.points
        if _on_grid(found, point)
    ]
    title = f"{found.claim} on {found.paths:,} paths"
    print_table(title, (found.parameter, "holds"), rows)
    click.echo(answer(found))
    others = len(found.crossings) - 1
    if others > 0:
        ranges = ", ".join(f"{a.value:.4g} to {b.value:.4g}" for a, b in found.crossings)
        click.echo(f"It turns {others + 1} times on the grid; solved is the nearest: {ranges}")


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
    present = f"{found.parameter} is {found.present.value:.6g} now"
    if found.value is None or found.probability is None:
        shares = [point.probability for point in found.points]
        least, most = plain(share(min(shares))), plain(share(max(shares)))
        span = least if least == most else f"{least} to {most}"
        return (
            f"No value of {found.parameter} from {found.low:.6g} to {found.high:.6g} makes "
            f"{found.claim} as likely as not: it holds on {span} of the paths. {present}."
        )
    if found.bracket is not None and abs(found.probability - 0.5) > 1 / found.paths:
        ends = " to ".join(plain(share(point.probability)) for point in found.bracket)
        return (
            f"{found.claim} turns at {found.parameter} = {found.value:.6g}, where its "
            f"probability jumps across one half ({ends}). {present}."
        )
    error = "" if found.standard_error is None else f" ± {found.standard_error:.2g}"
    return (
        f"{found.claim} is as likely as not at {found.parameter} = {found.value:.6g}{error} "
        f"(standard error of sampling). {present}."
    )
