"""`assay replay`: one path of a run or scenario on a chain."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import chain_options, deployed_option, json_option, scenario_options


@click.command()
@click.argument("source", metavar="RUN|SCENARIO", shell_complete=completion.sources)
@click.option("--path", "label", default="p50", help="p05, p50, p95, events or a number.")
@click.option("--until", type=int, metavar="DAY", help="Stop at this day, as on a chain to use.")
@scenario_options
@chain_options
@deployed_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Keep what the path leaves behind in "
    "this folder: transactions, events, steps, gas, contracts.",
)
@click.option("--gas", is_flag=True, help="Print gas by function.")
@click.option(
    "--gas-against",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Print gas by function beside a gas.csv that another replay kept.",
)
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Play this in place of Assay's contract of its name: NAME.vy, or an artifact NAME.json.",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a path that fails as a test for pytest and pyrevm, with the fewest calls.",
)
@click.option(
    "--trace",
    type=int,
    metavar="STEP",
    help="Show what the calls of this step do: arguments, returns, gas, storage before and after, "
    "and the line of the source that reverts.",
)
@json_option
@carried_out_by("simulator.cli.replay:replay")
def replay() -> None:
    """Replay one path of a run folder or a scenario on a chain, and reconcile it.

    Of a step that fails the calls are shown as with --trace, as many as fit.

    With --rpc the node keeps what was played, mines what it is sent, and its addresses, ABIs and
    keys are written into runs/NAME-chain.
    """
