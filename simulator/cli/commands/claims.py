"""`assay claims`: what the ready scenarios put to the test."""

from __future__ import annotations

import click

from simulator.cli.later import carried_out_by


@click.command()
@carried_out_by("simulator.cli.claims:claims")
def claims() -> None:
    """List the claims of the ready scenarios: the words, and the test they are put to."""
