"""`assay sweep`: a scenario over a grid of values."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import cluster_option, json_option


@click.command()
@click.argument("scenario", shell_complete=completion.scenarios)
@click.option(
    "--set",
    "settings",
    shell_complete=completion.settings,
    multiple=True,
    required=True,
    metavar="PATH=VALUE,VALUE,...",
    help="A value's name and what it takes one after the other; every --set is an axis.",
)
@click.option("--paths", type=int, help="Number of paths of each run.")
@click.option("--seed", type=int, help="Key of the random draws, the same for all runs.")
@click.option(
    "--calibration",
    metavar="FILE",
    shell_complete=completion.calibrations,
    help="Another calibration.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The folder itself.")
@click.option("--yes", is_flag=True, help="Do it even if it is more than 10,000 runs.")
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@cluster_option
@json_option
@carried_out_by("simulator.cli.sweep:sweep")
def sweep() -> None:
    """Run SCENARIO over a grid of values, into one Parquet file and a heat map."""
