"""The words of `assay devnet` that a running one understands, passed on to it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simulator.devnet.control import ask
from simulator.devnet.orders import AS_JSON


def _pass_on(folder: Path, *words: str) -> None:
    code, error = ask(folder, words, click.echo)
    if code:
        click.echo(f"assay: {error}", err=True)
        sys.exit(code)


def step(days: str, folder: Path) -> None:
    """Play a number of days."""
    _pass_on(folder, "step", days)


def until(day: str, folder: Path) -> None:
    """Play up to a day."""
    _pass_on(folder, "until", day)


def play(pace: str, folder: Path) -> None:
    """Go on to the end."""
    _pass_on(folder, "play", pace)


def pause(folder: Path) -> None:
    """Stop between two days."""
    _pass_on(folder, "pause")


def status(as_json: bool, folder: Path) -> None:
    """Say where it stands."""
    _pass_on(folder, "status", *([AS_JSON] if as_json else []))


def faucet(address: str, amount: str, token: str, folder: Path) -> None:
    """Send tokens to an address."""
    _pass_on(folder, "faucet", address, amount, token)


def save(file: Path, folder: Path) -> None:
    """Keep the state; the file is meant where this command is given."""
    _pass_on(folder, "save", str(file.absolute()))


def load(file: Path, folder: Path) -> None:
    """Go back to a state that was kept."""
    _pass_on(folder, "load", str(file.absolute()))


def down(folder: Path) -> None:
    """End the devnet."""
    _pass_on(folder, "down")
