"""`assay replay`: one path of a run or scenario on a chain."""

from __future__ import annotations

import click

from simulator.cli.later import carried_out_by
from simulator.cli.options import chain_options, json_option, scenario_options


@click.command()
@click.argument("source", metavar="RUN|SCENARIO")
@click.option("--path", "label", default="p50", help="p05, p50, p95, events or a number.")
@scenario_options
@chain_options
@json_option
@carried_out_by("simulator.cli.replay:replay")
def replay() -> None:
    """Replay one path of a run folder or a scenario on a chain, and reconcile it."""
