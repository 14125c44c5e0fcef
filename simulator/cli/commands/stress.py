"""`assay stress`: a scenario under ladders of shocks."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import json_option, scenario_options


@click.command()
@click.argument("scenario", shell_complete=completion.scenarios)
@click.option(
    "--ladder",
    "files",
    multiple=True,
    metavar="FILE",
    help="Ladders of your own instead of the ready ones; `--ladder ready` takes these too.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.ladders,
    help="Only this ladder, of those there are.",
)
@click.option(
    "--day",
    type=click.IntRange(1),
    help="Step on which the shocks begin; by default 30, or half of a short run.",
)
@scenario_options
@click.option("--html", type=click.Path(path_type=Path), help="Also write a page with heat maps.")
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@json_option
@carried_out_by("simulator.cli.stress:stress")
def stress() -> None:
    """Put SCENARIO under shocks, each mild, severe and extreme, against none of them.

    Shows how likely every claim is, what every investor earns, and what lenders have at risk (VaR
    and LaR), on the same random numbers; 2,048 paths unless --paths says otherwise.
    """
