"""`assay scenario list`: the ready scenarios by name and title, read without numpy."""

from __future__ import annotations

import click

from simulator.scenario.reader import read_yaml
from simulator.scenario.shipped import shipped_scenarios


def list_scenarios() -> None:
    """Print a line for each ready scenario."""
    ready = shipped_scenarios()
    width = max(len(path.stem) for path in ready)
    for path in ready:
        click.echo(f"{path.stem:<{width}} {read_yaml(path).data.get('title', '')}")
