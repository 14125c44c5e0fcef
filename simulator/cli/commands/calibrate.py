"""`assay calibrate`: figures from tables of prices, rates and other series."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.later import carried_out_by
from simulator.cli.options import column_option, exclude_option, keep_option
from simulator.scenario.shipped import SHIPPED
from simulator.schema.assets import LEVELLED


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The calibration file to write."
)
@column_option
@exclude_option
@keep_option
@click.option(
    "--price-ok",
    "accepted",
    multiple=True,
    type=click.Choice(LEVELLED),
    help="The last price of this asset is right, however far it is from the shipped one.",
)
@click.option(
    "--months",
    "months_are",
    type=click.Choice(["averages", "closes"]),
    help="What monthly prices are, where they do not tell.",
)
@click.option(
    "--over",
    default=SHIPPED,
    show_default=True,
    metavar="CALIBRATION",
    help="What gives the figures that the data lack; none: only what the data have.",
)
@click.option(
    "--moments",
    is_flag=True,
    help="Fit events, stress and the shocks' correlations by simulated moments: minutes.",
)
@carried_out_by("simulator.cli.calibrate:calibrate")
def calibrate() -> None:
    """Fit a market's figures to the tables in PATHS, or to those in the folders among them.

    CSV or XLSX, as downloaded. Columns are known by names such as gold_usd_per_oz, btc_usd or
    real_yield_10y_pct (docs/calibration.md has all); a download's own is named by --column
    gold=Close, or by the file's name. What was read, left out and assumed is printed, and so is
    which figures are not the data's but the shipped calibration's.
    """
