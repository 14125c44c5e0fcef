"""`assay calibrate`: figures from a CSV of prices."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.errors import UsageError
from simulator.market.calibration import (
    default_exclusions,
    default_name,
    fit_calibration,
    parse_exclusion,
    read_prices,
    write_calibration,
)


@click.command()
@click.argument("csv", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The calibration file to write."
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="DATE:ASSET",
    help="Leave out one day's return, as in 2025-07-31:copper (which is left out by default).",
)
def calibrate(csv: Path, out: Path, exclude: tuple[str, ...]) -> None:
    """Fit volatility, GJR-GARCH-t, jumps and correlation to daily prices in CSV.

    Columns: date, then gold_..., silver_..., copper_... in US dollars.
    """
    if out.resolve() == csv.resolve():
        raise UsageError(f"--out {out} is the data itself; name another file")
    table = read_prices(csv)
    chosen = tuple(parse_exclusion(text) for text in exclude) or default_exclusions(table)
    calibration = fit_calibration(table, default_name(table), chosen)
    write_calibration(calibration, out)
    for name, figures in calibration.assets.items():
        volatility = figures.volatility
        click.echo(
            f"{name:<8} volatility {volatility.value:.4f} ± {volatility.standard_error:.4f}  "
            f"alpha {figures.alpha.value:.4f}  gamma {figures.gamma.value:+.4f}  "
            f"beta {figures.beta.value:.4f}"
        )
    for pair in calibration.correlations:
        first, second = pair.between
        click.echo(f"{first}-{second} correlation {pair.value:.3f} ± {pair.standard_error:.3f}")
    click.echo(f"calibration: {out}")
