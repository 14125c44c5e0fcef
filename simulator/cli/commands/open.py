"""`assay open`: the report of a run, in a browser."""

from __future__ import annotations

import click

from simulator.cli.later import carried_out_by


@click.command("open")
@click.argument("run", metavar="RUN")
@carried_out_by("simulator.cli.listing:open_report")
def open() -> None:  # noqa: A001 - commands are found by their names
    """Open the report of RUN, a folder or the beginning of its name in runs, in a browser."""
