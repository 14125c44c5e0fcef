"""Who plays a label on one path: what a product's stagecraft gets, and what it returns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.custody import Custody, DeskAccount
from simulator.instruments.gas import Gas
from simulator.instruments.model import Ground
from simulator.instruments.stage import Holder, Player
from simulator.units import BoolArray, FloatArray

T = TypeVar("T")
D = TypeVar("D")
R = TypeVar("R")


@dataclass(frozen=True)
class Part(Generic[T, D, R]):
    """One label on one path, as its stagecraft gets it.

    Attributes
    ----------
    drivers, record : D, R
        Of this path alone.
    paths : dict of str to InstrumentPaths
        Of the whole block, by name of the position, in dollars; `lane` is this path's place.
    size : float
        Of the measured position, in its unit.
    start : date
        The day of step 0.
    exchange_open : ndarray of bool, shape (n_steps + 1,)
        Whether metals and equities trade on a step.
    usdc : ndarray of shape (n_steps + 1,), dollars, or None
        Price of USDC; None for one dollar on every day.
    gas : dict of kind to Gas
        As in the model's `Setting`.
    ground : Ground
        What the terms' `needs` declare; its drivers are those of the whole block.
    holders : dict of str to Holder
        The portfolios that hold the first position, by investor.
    """

    label: str
    terms: T
    drivers: D
    record: R
    paths: Mapping[str, InstrumentPaths]
    lane: int
    size: float
    start: dt.date
    n_steps: int
    exchange_open: BoolArray
    usdc: FloatArray | None
    gas: Mapping[str, Gas]
    ground: Ground
    holders: Mapping[str, Holder]


@dataclass(frozen=True)
class Cast:
    """Who plays a label on a path, and what portfolios do with its token.

    Attributes
    ----------
    player : Player or None
    accounts : tuple of DeskAccount
        What portfolios do at the desk with the token that `custody` keeps.
    custody : Custody or None
        None where the position cannot be handed on, or nobody holds parts of it.
    notes : tuple of str
        What of the portfolios is not played, and why.
    """

    player: Player | None = None
    accounts: tuple[DeskAccount, ...] = ()
    custody: Custody | None = None
    notes: tuple[str, ...] = ()


class Stagecraft(Protocol[T, D, R]):
    """How a product is played on a chain; without state."""

    def cast(self, part: Part[T, D, R]) -> Cast:
        """Return who plays the label along one path."""


def cannot_be_handed_on(part: Part[Any, Any, Any]) -> tuple[str, ...]:
    """Return a note for each portfolio that holds a position which nobody can transfer."""
    return tuple(
        f"{investor} holds a part of {part.label}, which cannot be handed on: it is a position "
        "of the model alone"
        for investor in part.holders
    )
