"""`assay scenario`: list, show and check scenario files."""

from __future__ import annotations

import click

from simulator.cli.options import strict_option, tell_history, tell_warnings
from simulator.instruments.registry import load_all, offered
from simulator.market.build import market_spec
from simulator.scenario import load_scenario, shipped_scenarios
from simulator.scenario.files import to_yaml
from simulator.scenario.loader import read_yaml


@click.group()
def scenario() -> None:
    """List, show and check scenarios."""


@scenario.command("list")
def list_() -> None:
    """List the ready scenarios."""
    ready = shipped_scenarios()
    width = max(len(path.stem) for path in ready)
    for path in ready:
        click.echo(f"{path.stem:<{width}} {read_yaml(path).data.get('title', '')}")


@scenario.command()
@click.argument("name", metavar="SCENARIO")
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a value first."
)
def show(name: str, overrides: tuple[str, ...]) -> None:
    """Print SCENARIO with every default written out."""
    loaded = load_scenario(name, overrides=overrides)
    click.echo(to_yaml(loaded.scenario, loaded.provenance), nl=False)


@scenario.command()
@click.argument("name", metavar="SCENARIO")
@click.option("--calibration", metavar="FILE", help="Another calibration.")
@strict_option
def check(name: str, calibration: str | None, strict: bool) -> None:
    """Check SCENARIO, its calibration and history; every problem with its file and line.

    What is allowed and hardly meant is a warning: percent as whole numbers, bounds that cannot
    fail or cannot hold, prices of another time than the start.
    """
    loaded = load_scenario(name, calibration=calibration)
    tell_warnings(loaded, strict)
    tell_history(market_spec(loaded.scenario, loaded.calibration))
    load_all(loaded.scenario.instruments)
    for kind, why in offered().broken.items():
        click.echo(f"note: {kind}: {why}", err=True)
    click.echo(f"{loaded.path}: valid")
