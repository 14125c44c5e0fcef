"""`assay report`: the report of a finished run, written anew."""

from __future__ import annotations

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.runs)
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@carried_out_by("simulator.cli.report:report")
def report() -> None:
    """Write the report of RUN anew, with what `assay sensitivity` has found since.

    Paths, replays and parameter sets are read from the folder; break-evens, and the worlds that
    claims change, are simulated again.
    """
