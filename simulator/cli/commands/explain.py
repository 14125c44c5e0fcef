"""`assay explain`: what a field of a scenario is."""

from __future__ import annotations

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by


@click.command()
@click.argument("field", shell_complete=completion.numbers)
@click.argument("scenario", required=False, shell_complete=completion.scenarios)
@carried_out_by("simulator.cli.explain:explain")
def explain() -> None:
    """Say what FIELD is: its unit, bounds, default, and who sets and uses it.

    FIELD is a dotted name, as instruments.gold_vault.exploit_hazard, or its end, as
    exploit_hazard. With SCENARIO its values are that file's, else those of the ready ones.
    """
