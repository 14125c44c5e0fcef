"""`assay compare`: what two runs put in and got out differently."""

from __future__ import annotations

import click

from simulator.cli.later import carried_out_by
from simulator.cli.options import json_option


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@json_option
@carried_out_by("simulator.cli.compare:compare")
def compare() -> None:
    """Show what differs between two runs: in their inputs, and in their verdicts."""
