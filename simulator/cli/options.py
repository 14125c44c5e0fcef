"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simulator.cli import completion
from simulator.errors import InputError, UsageError

if TYPE_CHECKING:
    from simulator.market.dynamics import MarketSpec
    from simulator.scenario import LoadedMarket

Command = TypeVar("Command", bound=Callable[..., Any])


deployed_option = click.option(
    "--deployed",
    multiple=True,
    metavar="LABEL/NAME=ADDRESS",
    help="A contract that stands on the chain already, as on a fork; it is not deployed again.",
)


def chain_options(command: Command) -> Command:
    """Add --chain, --anvil and --rpc."""
    for option in (
        click.option("--rpc", metavar="URL", help="Attach to an Anvil that runs on loopback."),
        click.option(
            "--anvil",
            "anvil_path",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="The Anvil binary; else PATH, then the copy that set-up installed.",
        ),
        click.option(
            "--chain",
            type=click.Choice(["anvil", "revm"]),
            help="Where to replay; by default Anvil where it is found, else in process.",
        ),
    ):
        command = option(command)
    return command


def scenario_options(command: Command) -> Command:
    """Add --paths, --seed, --calibration and --set."""
    for option in (
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="PATH=VALUE",
            shell_complete=completion.settings,
            help="Change a value of the scenario, as in instruments.gold_vault.run_share=0.1.",
        ),
        click.option(
            "--calibration",
            metavar="FILE",
            shell_complete=completion.calibrations,
            help="Another calibration.",
        ),
        click.option("--seed", type=int, help="Key of the random draws."),
        click.option("--paths", type=int, help="Number of paths."),
    ):
        command = option(command)
    return command


def all_overrides(
    overrides: tuple[str, ...], paths: int | None, seed: int | None
) -> tuple[str, ...]:
    """Return the overrides of --set, --paths and --seed together."""
    given = [("paths", paths), ("seed", seed)]
    return (*overrides, *(f"{name}={value}" for name, value in given if value is not None))


column_option = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ASSET=COLUMN",
    help="Which column of a file is which asset, as in gold=Close, copper_usd_per_lb=Settle or "
    "gold=FILE:Close.",
)
exclude_option = click.option(
    "--exclude",
    multiple=True,
    metavar="DATE:ASSET",
    help="Leave out one day's return, as in 2025-07-31:copper (which is left out by default).",
)
keep_option = click.option(
    "--keep",
    multiple=True,
    metavar="DATE:ASSET",
    help="This return is true, however far it stands out; it is neither refused nor left out.",
)


cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Simulate on Dask workers: tcp://HOST:PORT of a scheduler, or local:N processes here.",
)


strict_option = click.option(
    "--strict", is_flag=True, help="Refuse what is otherwise only warned of (exit 3)."
)


def tell_warnings(loaded: LoadedMarket, strict: bool) -> None:
    """Write what is allowed and hardly meant to standard error, or refuse it.

    Raises
    ------
    InputError
        `strict`, and there is something.
    """
    if strict and loaded.warnings:
        raise InputError(loaded.warnings)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)


def tell_history(spec: MarketSpec) -> None:
    """Write what was left out of a bootstrap's history, or assumed, to standard error."""
    if spec.history is not None:
        for note in spec.history.notes:
            click.echo(f"note: {spec.history.file}: {note}", err=True)


def named_columns(columns: tuple[str, ...]) -> dict[str, str]:
    """Return the columns of --column by the names that Assay gives them.

    Raises
    ------
    UsageError
    """
    # Not above: every command's options stand here, and these modules take half a second.
    from simulator.market.calibration.columns import parse_column
    from simulator.market.calibration.indicators import INDICATORS

    found: dict[str, str] = {}
    for text in columns:
        name, separator, column = (part.strip() for part in text.partition("="))
        if not (name and separator and column):
            raise UsageError(f"--column {text}: must be ASSET=COLUMN, as in gold=Close")
        parsed = None if name in INDICATORS else parse_column(name)
        if isinstance(parsed, str):
            raise UsageError(f"--column {text}: {name}: {parsed}")
        if name in found:
            raise UsageError(f"--column {text}: {name} is {found[name]} already")
        found[name] = column
    return found


crisis_option = click.option(
    "--crisis",
    shell_complete=completion.crises,
    metavar="NAME",
    help="Let a crisis happen in the run, as it was: a ready one (see docs/shocks.md) or a file; "
    "NAME@DATE says when it begins.",
)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
