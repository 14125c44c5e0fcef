"""`assay warmup`: every ready scenario once, so that its kernels are compiled and kept."""

from __future__ import annotations

import click

from simulator.cli.progress import Reporter
from simulator.engine.warmup import warm_up
from simulator.scenario.shipped import shipped_scenarios


def warmup() -> None:
    """Compile, and say how far it is."""
    reporter = Reporter(quiet=False)
    ready = len(shipped_scenarios())
    with reporter.task(f"compiling what {ready} ready scenarios need", ready) as advance:

        def tell(name: str) -> None:
            reporter.say(name)
            advance(1)

        warm_up(tell)
    compiled = reporter.compiled
    click.echo(f"{compiled} kernels compiled" if compiled else "everything was compiled already")
