"""`assay try`: a contract of one's own on trial."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import json_option

YEARS = 100


@click.command("try")
@click.argument("contract")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["vault", "token", "staking"]),
    help="What it is; by default what it looks like.",
)
@click.option(
    "--scenario",
    default="gold-vault-sober",
    show_default=True,
    shell_complete=completion.scenarios,
    help="Whose years it is driven through, and whose claims are judged on a vault.",
)
@click.option(
    "--adapter",
    metavar="FILE",
    help="How it earns, loses and reports: a Python file, or donation, harvest, yearn or staking.",
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of its constructor; a role such as owner stands for its address.",
)
@click.option(
    "--years",
    type=click.IntRange(0, 100_000),
    default=YEARS,
    show_default=True,
    help="Years of the scenario, for all but a token; the crises come besides.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the sequences.")
@click.option("--rpc", metavar="URL", help="The loopback node on which an address stands.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where tests of what fails are written; by default runs/try-NAME.",
)
@json_option
@carried_out_by("simulator.cli.trial:trial")
def trial() -> None:
    """Put CONTRACT on trial: a Vyper file, an artifact (JSON) of ape, Foundry or Vyper, or an
    address on a node of this machine.

    Its interface is held to its standard; then it is dealt with at random, attacked, and driven
    through simulated years in this process. What fails is told with the fewest calls that show it,
    and written as a test for pytest and pyrevm. A vault that comes through is judged by the claims
    of the scenario, in place of the scenario's own.
    """
