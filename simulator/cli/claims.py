"""`assay claims`: what the ready scenarios put to the test."""

from __future__ import annotations

import click

from simulator.claims.verdict import describe
from simulator.scenario import load_scenario, shipped_scenarios


@click.command()
def claims() -> None:
    """List the claims of the ready scenarios: the words, and the test they are put to."""
    seen: set[str] = set()
    for path in shipped_scenarios():
        for name, claim in load_scenario(path).scenario.claims.items():
            if name in seen:
                continue
            seen.add(name)
            click.echo(f"{name}: {claim.says}")
            for condition in claim.conditions:
                click.echo(f"    {describe(condition)}")
