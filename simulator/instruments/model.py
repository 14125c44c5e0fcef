"""A product's model: drivers drawn from the market, paths that the mechanics make of them.

Arrays are float64 of shape (n_steps + 1, n_paths), time first, index 0 the start, unless it is
said otherwise. A model is called once a block of paths, never once a step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.feeds import FeedBlow, said
from simulator.instruments.gas import Gas
from simulator.units import BoolArray, FloatArray, StepArray

T = TypeVar("T", contravariant=True)
D = TypeVar("D")
R = TypeVar("R")
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Blow:
    """What a shock does to an instrument on the paths of a block.

    Attributes
    ----------
    begins : ndarray of int64, shape (n_paths,)
        Its first step on a path; beyond the horizon where it does not happen.
    amount : float
        What the scenario gives as `size`, `at` or `times`; 0 where there is none.
    weight : ndarray of shape (n_steps + 1, n_paths)
        How much of it is there on a step, 0 to 1.
    """

    begins: StepArray
    amount: float
    weight: FloatArray


def absent(blows: Sequence[Blow]) -> BoolArray:
    """Return where somebody is away who else is there, shape (n_steps + 1, n_paths).

    He is there or not: half of a shock is as good as all of it. Without a shock the result has
    neither steps nor paths, (0, 0), and kernels pass it over.
    """
    found: BoolArray = np.zeros((0, 0), np.bool_)
    for blow in blows:
        there = blow.weight > _HALF
        found = there if found.size == 0 else found | there
    return found


_HALF = 0.5


def first_of(blows: Sequence[Blow]) -> tuple[StepArray, FloatArray]:
    """Return step and amount of the first blow on each path, shape (n_paths,); (0,) without one.

    Of blows on one step it is the one that stands first. Where none comes the step is what each
    says of that.
    """
    if not blows:
        return np.empty(0, np.int64), np.empty(0)
    step, amount = blows[0].begins, np.full(blows[0].begins.size, blows[0].amount)
    for blow in blows[1:]:
        amount = np.where(blow.begins < step, blow.amount, amount)
        step = np.minimum(step, blow.begins)
    return step, amount


@dataclass(frozen=True)
class Setting:
    """The market and the calendar of a block of paths.

    Attributes
    ----------
    seed, first_path : int
        Of every draw: with a stream and a step they make its counter.
    n_steps, n_paths : int
        Days of the run, and paths of the block; n_paths is a multiple of `units.LANES`.
    start : date
        The day of step 0.
    exchange_open : ndarray of bool, shape (n_steps + 1,)
        Whether metals and equities trade on a step.
    prices : dict of str to ndarray of shape (n_steps + 1, n_paths)
        Price of every asset of the market in the asset's own unit.
    growth : dict of str to ndarray of shape (n_steps + 1,)
        ln E[S_t / S_0] of every asset by the market's drift and views.
    factors : dict of str to ndarray of shape (n_steps + 1, n_paths)
        The macro factors; empty but for the model macro.
    usdc : ndarray of shape (n_steps + 1, n_paths), dollars, or None
        Price of USDC; None where it is a dollar on every day.
    volatility, periods_per_year : dict of str to float
        Annual volatility of each asset in the market's model, and the days a year on which it
        moves.
    gas : dict of kind to Gas
        What the measured holder's acts cost, of each kind that books gas.
    blows : dict of str to tuple of Blow
        By `LABEL.NAME`: what shocks do to instruments.
    feeds : dict of str to tuple of FeedBlow
        By asset: what shocks do to its price feed.
    """

    seed: int
    first_path: int
    n_steps: int
    n_paths: int
    start: dt.date
    exchange_open: BoolArray
    prices: Mapping[str, FloatArray]
    growth: Mapping[str, FloatArray] = field(default_factory=dict)
    factors: Mapping[str, FloatArray] = field(default_factory=dict)
    usdc: FloatArray | None = None
    volatility: Mapping[str, float] = field(default_factory=dict)
    periods_per_year: Mapping[str, float] = field(default_factory=dict)
    gas: Mapping[str, Gas] = field(default_factory=dict)
    blows: Mapping[str, tuple[Blow, ...]] = field(default_factory=dict)
    feeds: Mapping[str, tuple[FeedBlow, ...]] = field(default_factory=dict)

    def feed(
        self, asset: str, price: FloatArray | None = None, trades: FloatArray | None = None
    ) -> FloatArray:
        """Return what an asset's price feed says, USD; its price itself without a shock.

        Contracts that read a feed are told this, in the model and on the chain; what is bought
        and sold is at the market's price. Both are of shape (n_steps + 1, n_paths).

        Parameters
        ----------
        price : ndarray, optional
            What the feed is to tell; the asset's price by default.
        trades : ndarray, optional
            Price of a token of the asset, on the exchange that may feed it.
        """
        told = self.prices[asset] if price is None else price
        return said(told, self.exchange_open, self.feeds.get(asset, ()), trades)

    def struck(self, label: str, name: str) -> tuple[Blow, ...]:
        """Return what shocks do to an instrument under one of its names, in their order."""
        return self.blows.get(f"{label}.{name}", ())


@dataclass(frozen=True)
class Ask:
    """What a model is asked for.

    Attributes
    ----------
    size : float
        Of the measured position, in its unit; 1 for what is simulated by the unit.
    days : frozenset of str
        Positions whose `Daily` is wanted: portfolios hold parts of them, or they are settled in
        USDC and it falls.
    by_source : bool
        Whether these days are to tell their sources.
    record : bool
        Whether a record of all that is done is wanted, for a replay.
    """

    size: float = 1.0
    days: frozenset[str] = frozenset()
    by_source: bool = True
    record: bool = False


class Lanes(Protocol):
    """Drivers and records: arrays over the paths of a block."""

    def lane(self, k: int) -> Self:
        """Return path `k` of the block alone, as arrays of one path."""


@dataclass(frozen=True)
class Played(Generic[D, R]):
    """What a model hands on.

    Attributes
    ----------
    paths : dict of str to InstrumentPaths
        By name of the position.
    drivers : D
        Those that were played, each of its arrays as the contract is told them.
    record : R or None
        What was done, for the replay; None where the product is not on a chain.
    visits : dict of str to object
        By label of what it trades in (`Needs.trades_in`): what it did there, in the form that that
        ground reads.
    """

    paths: Mapping[str, InstrumentPaths]
    drivers: D
    record: R | None = None
    visits: Mapping[str, object] = field(default_factory=dict)


class Ground(Protocol):
    """What an instrument's `needs` declare, and nothing else; `of` says what is expected.

    Raises
    ------
    LookupError
        The label was not declared.
    TypeError
        What is there is not as `of` says.
    """

    def terms(self, label: str, of: type[Seen]) -> Seen:
        """Return the terms of an instrument."""

    def drivers(self, label: str, of: type[Seen]) -> Seen:
        """Return the drivers of an instrument on this block."""

    def played(self, label: str, ask: Ask) -> Played[object, object]:
        """Return an instrument's paths for another size, days and record than its own."""

    def size(self, label: str) -> float:
        """Return the size of an instrument's measured position, in its unit."""

    def visits(self, of: type[Seen]) -> Seen | None:
        """Return what an instrument that trades in this one did here; None where nobody does."""


class Model(Protocol[T, D, R]):
    """How a product behaves; without state."""

    def draw(self, label: str, terms: T, setting: Setting, ground: Ground) -> D:
        """Return the drivers of a block; draws depend on seed, stream, step and path alone."""

    def play(
        self, label: str, terms: T, drivers: D, setting: Setting, ask: Ask, ground: Ground
    ) -> Played[D, R]:
        """Return the paths of every position."""
