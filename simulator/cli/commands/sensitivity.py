"""`assay sensitivity`: which inputs a claim hangs on."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import cluster_option, json_option, scenario_options


@click.command()
@click.argument("source", metavar="RUN|SCENARIO", shell_complete=completion.sources)
@click.option(
    "--claim",
    required=True,
    metavar="CLAIM",
    shell_complete=completion.claims,
    help="The claim's name.",
)
@scenario_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page; by default in the run's folder, or in runs/.",
)
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@cluster_option
@json_option
@carried_out_by("simulator.cli.sensitivity:sensitivity")
def sensitivity() -> None:
    """Move each input by itself and show what that does to a claim.

    Calibrated figures move by their standard error, drifts by the error of a mean, other
    numbers to the range they state, else to half and double; what was measured and states no range
    is not moved. Without --paths at most 2,000 paths are used. What is found of a RUN as it stands
    becomes a part of its report.
    """
