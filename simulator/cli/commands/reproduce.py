"""`assay reproduce`: a finished run made again from its manifest."""

from __future__ import annotations

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.runs)
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@carried_out_by("simulator.cli.reproduce:reproduce")
def reproduce() -> None:
    """Make RUN again from its manifest, and say whether every file has the same bytes.

    Else what differs: inputs, versions, which file, and the first row in which it does. Exits
    with 5 where a file differs. What `assay sensitivity` has added since is left aside.
    """
