"""`assay warmup`: compile ahead of the first run."""

from __future__ import annotations

import click

from simulator.cli.later import carried_out_by


@click.command()
@carried_out_by("simulator.cli.warmup:warmup")
def warmup() -> None:
    """Compile all that runs need for this machine, as for an image: minutes, once.

    Without it a first run compiles what it needs and says so. The compiled code is kept in
    NUMBA_CACHE_DIR where that is set, else beside the program or in the user's home.
    """
