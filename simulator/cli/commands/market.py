"""`assay market`: the market of a scenario by itself."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import (
    column_option,
    exclude_option,
    json_option,
    keep_option,
    scenario_options,
    strict_option,
)


@click.command()
@click.argument("scenario", shell_complete=completion.scenarios)
@scenario_options
@click.option(
    "--against",
    "against_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Compare with this table of daily closes; may be given several times.",
)
@column_option
@exclude_option
@keep_option
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.html", help="Write a page too."
)
@strict_option
@json_option
@carried_out_by("simulator.cli.market:market")
def market() -> None:
    """Show what the prices of SCENARIO do, which needs no instruments, investors or claims.

    Where it has them, the most extreme days, years and falls of what is held stand beside those of
    the assets.

    With --against, whether they move as history did: volatility, tails, drawdowns, memory and
    correlation of the real history, each inside or outside the simulated ones. Its tables are read
    as `assay calibrate` reads them; --column, --exclude and --keep are theirs.
    """
