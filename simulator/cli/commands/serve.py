"""`assay serve`: runs in a browser, live."""

from __future__ import annotations

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by


@click.command()
@click.argument(
    "source", metavar="[RUNS|SCENARIO]", default="runs", shell_complete=completion.sources
)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    default=8765,
    show_default=True,
    help="Where it listens, on this machine alone; the next free one where it is taken.",
)
@carried_out_by("simulator.cli.serving:serve")
def serve() -> None:
    """Show the runs of a folder (runs, unless you say otherwise) in a browser, and start others
    there. A run's own folder opens that run; a SCENARIO is run into `runs`, and watched.
    """
