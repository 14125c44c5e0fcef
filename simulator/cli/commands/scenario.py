"""`assay scenario`: list, show, check and begin scenario files."""

from __future__ import annotations

import click

from simulator.cli import completion
from simulator.cli.later import carried_out_by
from simulator.cli.options import strict_option


@click.group()
def scenario() -> None:
    """List, show, check and begin scenarios."""


@scenario.command("list")
@carried_out_by("simulator.cli.listing:list_scenarios")
def list_() -> None:
    """List the ready scenarios."""


@scenario.command()
@click.argument("name", metavar="SCENARIO", shell_complete=completion.scenarios)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    shell_complete=completion.settings,
    help="Change a value first.",
)
@carried_out_by("simulator.cli.scenario:show")
def show() -> None:
    """Print SCENARIO with every default written out."""


@scenario.command()
@click.argument("name", metavar="SCENARIO", shell_complete=completion.scenarios)
@click.option(
    "--calibration",
    metavar="FILE",
    shell_complete=completion.calibrations,
    help="Another calibration.",
)
@strict_option
@carried_out_by("simulator.cli.scenario:check")
def check() -> None:
    """Check SCENARIO, its calibration and history; every problem with its file and line.

    What is allowed and hardly meant is a warning: percent as whole numbers, bounds that cannot
    fail or cannot hold, prices of another time than the start.
    """


@scenario.command()
@carried_out_by("simulator.cli.scenario:schema")
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""


@scenario.command()
@click.argument("name", metavar="SCENARIO", default="parts", shell_complete=completion.scenarios)
@carried_out_by("simulator.cli.scenario:parts")
def parts() -> None:
    """List what `use:` and `scenario new --hold` can take of SCENARIO; else the ready parts."""


@scenario.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--hold",
    "holds",
    multiple=True,
    required=True,
    metavar="THING=SHARE",
    shell_complete=completion.things,
    help="What the investor holds, as bills=0.6, of what `scenario parts` lists; the shares sum to"
    " 1. cash is a thing too.",
)
@click.option("--from", "source", default="parts", help="The scenario that has the things.")
@click.option("--capital", type=float, default=100_000.0, help="Dollars at the start.")
@click.option("--days", type=int, default=365, help="Days of the run.")
@click.option("--start", help="First day, as 2027-01-04; else the calibration's last day.")
@click.option("--yield", "annual_yield", type=float, help="Put to the test: 0.06 = 6 % a year.")
@click.option(
    "--drawdown",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    help="Put to the test: 0.15 = never 15 % below a peak.",
)
@carried_out_by("simulator.cli.scenario:new")
def new() -> None:
    """Print a commented scenario called NAME: a portfolio of ready parts, and a claim about it.

    assay scenario new mine --hold bills=0.8 --hold gold_token=0.2 --yield 0.06 > mine.yaml
    """
