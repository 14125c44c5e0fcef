"""`assay run`: simulate, judge, replay, report."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import (
    chain_options,
    cluster_option,
    crisis_option,
    json_option,
    scenario_options,
    strict_option,
)
from simulator.words import VERDICTS

SETS = 50
"""Parameter sets of a run, and assumption sets, unless the user says otherwise."""


@click.command()
@click.argument("scenario", shell_complete=completion.scenarios)
@scenario_options
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@click.option("--out", type=click.Path(path_type=Path), help="The run folder itself.")
@click.option("--fresh", is_flag=True, help="Begin anew, whatever of this run is there already.")
@click.option("--yes", is_flag=True, help="Start even if the machine seems to have too little.")
@click.option(
    "--parameter-sets",
    type=click.IntRange(0, 10_000),
    default=SETS,
    show_default=True,
    help="Also judge under this many draws of the calibration, within its standard errors.",
)
@click.option(
    "--assumption-sets",
    type=click.IntRange(0, 10_000),
    default=SETS,
    show_default=True,
    help="Also judge under this many draws of all that the scenario marks as assumptions.",
)
@click.option(
    "--engine",
    type=click.Choice(["model", "evm"]),
    default="model",
    show_default=True,
    help="evm: also play every path through the contracts' bytecode, in process.",
)
@crisis_option
@cluster_option
@click.option("--no-replay", is_flag=True, help="Leave out the replays on a chain.")
@chain_options
@strict_option
@click.option("--fail-on", type=click.Choice(VERDICTS), help="Exit with 6 on such a verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Print every table, not the answer alone.")
@json_option
@carried_out_by("simulator.cli.run:run")
def run() -> None:
    """Simulate SCENARIO (a file, or the name of a ready one), judge its claims, replay four
    paths on a chain, and write a run folder with the report.

    A run that was interrupted, however, goes on where it stopped when the same command is given
    again; one that is finished is told again, and not computed.
    """
