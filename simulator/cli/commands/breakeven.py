"""`assay breakeven`: what a parameter would have to be for a claim to turn."""

from __future__ import annotations

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import json_option, scenario_options


@click.command()
@click.argument("source", metavar="RUN|SCENARIO", shell_complete=completion.sources)
@click.option(
    "--claim",
    required=True,
    metavar="CLAIM",
    shell_complete=completion.claims,
    help="The claim's name.",
)
@click.option(
    "--solve",
    "parameter",
    shell_complete=completion.numbers,
    required=True,
    metavar="PARAMETER",
    help="Dotted name of a number, or its last part where only one has that.",
)
@click.option("--low", type=float, help="Lower end of the range; by default the field's bound.")
@click.option("--high", type=float, help="Upper end of the range.")
@scenario_options
@click.option("--workers", type=click.IntRange(1), help="Threads; by default one a core.")
@json_option
@carried_out_by("simulator.cli.breakeven:breakeven")
def breakeven() -> None:
    """Find the value of a PARAMETER at which a claim turns.

    An event turns where it is as likely as not, an effect where its difference is at the bound
    that the claim names. Every value is tried on the same random numbers. Without --low and
    --high the range is what the field allows; where it has no bound, up to ten times the
    present value.
    """
