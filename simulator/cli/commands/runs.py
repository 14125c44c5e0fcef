"""`assay runs`: what runs a folder holds."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.later import carried_out_by
from simulator.cli.options import json_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@json_option
@carried_out_by("simulator.cli.listing:list_runs")
def runs() -> None:
    """List the runs in FOLDER (runs, unless you say otherwise), with what each found."""
