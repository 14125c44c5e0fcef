"""`assay compare`: what runs put in and got out differently."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import json_option


@click.command()
@click.argument(
    "runs", metavar="RUN RUN...", nargs=-1, required=True, shell_complete=completion.runs
)
@click.option(
    "--html", type=click.Path(path_type=Path), help="Also write a page, fans over each other."
)
@json_option
@carried_out_by("simulator.cli.compare:compare")
def compare() -> None:
    """Show what differs between runs: in their inputs, and in their verdicts."""
