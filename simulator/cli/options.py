"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


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
            help="Change a value of the scenario, as in instruments.gold_vault.run_share=0.1.",
        ),
        click.option("--calibration", metavar="FILE", help="Another calibration."),
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


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
