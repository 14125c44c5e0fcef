"""What every instrument hands on: value, cash and attribution over paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from simulator.instruments.terms import UNITS, Unit
from simulator.units import BoolArray, FloatArray

__all__ = [
    "UNITS",
    "Access",
    "Daily",
    "InstrumentPaths",
    "Kind",
    "OnDemand",
    "PoolDrivers",
    "PoolTerms",
    "PoolVisits",
    "Source",
    "TokenDrivers",
    "TokenPrices",
    "TokenTerms",
    "Unit",
    "attribution_gap",
    "organic_share",
    "scaled",
]

Kind = Literal["organic", "subsidised", "return of capital", "market", "loss", "cost"]


class OnDemand(Mapping[str, FloatArray]):
    """Arrays by name, each made on the first use."""

    def __init__(self, makers: Mapping[str, Callable[[], FloatArray]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, FloatArray] = {}

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True)
class Source:
    """One source of return: its name, what kind it is, and a line for the report.

    A loss that `ends_income`, an exploit or a default, leaves a path without a share of organic
    income: what was paid before it was paid out of a principal that is gone.
    """

    name: str
    kind: Kind
    label: str
    ends_income: bool = False


@dataclass(frozen=True)
class TokenPrices:
    """A metal and the token that stands for it; arrays of shape (n_steps + 1, n_paths).

    Attributes
    ----------
    metal_usd, token_usd : ndarray, USD per ounce and per token
        Quantised to the feed's 1e-8.
    premium : ndarray
        Log gap between the token and what backs it.
    backing : ndarray
        Ounces that stand behind a token, 1 unless the custodian fails.
    told_usd : ndarray, USD per ounce, or None
        What the metal's feed says, where a shock sets it apart from the price; None where it
        says the price.
    """

    metal_usd: FloatArray
    token_usd: FloatArray
    premium: FloatArray
    backing: FloatArray
    told_usd: FloatArray | None = None

    @property
    def feed_usd(self) -> FloatArray:
        """What contracts read for an ounce, shape (n_steps + 1, n_paths), USD."""
        return self.metal_usd if self.told_usd is None else self.told_usd

    def lane(self, k: int) -> TokenPrices:
        """Return path `k` of the block alone, as arrays of shape (n_steps + 1, 1)."""
        one = slice(k, k + 1)
        told = None if self.told_usd is None else self.told_usd[:, one]
        metal, token, premium, backing = (
            array[:, one] for array in (self.metal_usd, self.token_usd, self.premium, self.backing)
        )
        return TokenPrices(metal, token, premium, backing, told)

    def in_usdc(self, usdc: FloatArray) -> TokenPrices:
        """Return prices in USDC, whose price in dollars `usdc`, (n_steps + 1, n_paths), is."""
        told = None if self.told_usd is None else self.told_usd / usdc
        metal, token = self.metal_usd / usdc, self.token_usd / usdc
        return TokenPrices(metal, token, self.premium, self.backing, told)


@runtime_checkable
class TokenTerms(Protocol):
    """What others see of a metal token's terms."""

    sale_spread_bps: float

    @property
    def decimals(self) -> int:
        """Decimals of the token on chain."""


@runtime_checkable
class TokenDrivers(Protocol):
    """What others see of a metal token's drivers."""

    prices: TokenPrices


@runtime_checkable
class PoolTerms(Protocol):
    """What who trades in a pool of a metal token and USDC sees of its terms."""

    kind: str
    token: str
    reserve_ounces: float

    @property
    def fee_ppm(self) -> int:
        """Fee of a trade, parts per million."""


@runtime_checkable
class PoolDrivers(Protocol):
    """What who trades in such a pool sees of its drivers; (n_steps + 1, n_paths) each.

    `leaving`, shares with which other providers leave at the end of a step, is (0, 0) where nobody
    does.
    """

    prices: TokenPrices
    volume_usdc: FloatArray
    imbalance: FloatArray
    leaving: FloatArray


@dataclass(frozen=True)
class PoolVisits:
    """What one visitor did to such a pool, after the arbitrage of each step.

    Attributes
    ----------
    gold, shares : ndarray of shape (n_steps + 1, n_paths)
        Reserve of gold, and all shares, as the visitor leaves them. USDC that leaves comes back:
        whoever removes liquidity for gold alone buys gold for it, and the other way round.
    fees : ndarray of shape (n_steps + 1, n_paths), USDC
        What the step's trades have paid.
    """

    gold: FloatArray
    shares: FloatArray
    fees: FloatArray


@dataclass(frozen=True)
class Access:
    """How an investor gets in and out of an instrument before the horizon.

    Attributes
    ----------
    buy_cost : float
        Share of the mark that is paid on top of it when buying.
    open_days : ndarray of bool, shape (n_steps + 1,), or None
        Steps on which it is bought and sold; None for every one.
    lockup_days : int
        Nothing can be sold before this step.
    notice_days : int
        A sale asked for on a step is priced and paid so many steps later.
    sellable : ndarray of shape (n_steps + 1, n_paths), or None
        Share of the position that can be sold on a step; None for all of it.
    buyable : ndarray of shape (n_steps + 1, n_paths), or None
        1 where it can be bought on a step, 0 where not; None for always.
    sale_usd : ndarray of shape (n_steps + 1, n_paths), or None
        What selling pays, as if all of the position were sellable; None where that is the
        exit value less the cash paid out before.
    most_units : float
        After the first day nobody buys beyond so many units: there are no more to be had at
        the price.
    """

    buy_cost: float = 0.0
    open_days: BoolArray | None = None
    lockup_days: int = 0
    notice_days: int = 0
    sellable: FloatArray | None = None
    buyable: FloatArray | None = None
    sale_usd: FloatArray | None = None
    most_units: float = math.inf


@dataclass(frozen=True)
class Daily:
    """A position day by day, for investors who hold a changing part of it; in dollars.

    Attributes
    ----------
    brought : ndarray of shape (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0)
        What each source brought up to a step: they sum to the value plus all income so far
        less what was put in. Costs of leaving are not in it: they are what `attribution` has
        beyond the last step. Empty where nobody asked for sources.
    income : ndarray of shape (n_steps + 1, n_paths), or None
        Cash paid out to the holder on a step, negative what he pays besides; None where there
        never is any.
    value : ndarray of shape (n_steps + 1, n_paths), or None
        Value at mark without the cash that was paid out; None where that is the mark.
    access : Access
    """

    brought: FloatArray
    income: FloatArray | None = None
    access: Access = Access()
    value: FloatArray | None = None


@dataclass(frozen=True)
class InstrumentPaths:
    """One instrument on a block of paths: in dollars, and in ounces where it is a metal's.

    Attributes
    ----------
    name : str
    sources : tuple of Source
    initial : dict of ndarray of shape (n_paths,)
        What was put in, by unit.
    mark, exit : dict of ndarray of shape (n_steps + 1, n_paths)
        Value at mark, and what leaving on that day would pay, with all cash received so far;
        index 0 is what was put in, the last step is the real exit.
    attribution : dict of ndarray of shape (n_sources, n_paths)
        Final value + cash paid - initial value, by source; sums to it within 1e-9.
    events : ndarray of shape (n_paths,), int64
        Liquidations, defaults, exploits, refused exits.
    unpaid : ndarray of shape (n_paths,)
        What the exit at the horizon could not be paid, in the first of `units`.
    details : dict of ndarray
        The instrument's own observables, shape (n_steps + 1, n_paths) each; most runs look at
        few of them, so they may be made `OnDemand`.
    daily : Daily or None
        The dollars day by day, where they were asked for.
    happened : dict of str to ndarray of bool, shape (n_paths,)
        On which paths something befell the position, by name: a raise failed, a stop was hit.
    happened_on : dict of str to ndarray of shape (n_paths,)
        The step of what happened, of those names whose day is known; told of paths on which it did.
    further : dict of ndarray
        Observables that claims and stress tests may name, shape (n_steps + 1, n_paths) each, of
        which the report counts no days.
    usdc_flows : dict of str to ndarray of shape (n_steps + 1, n_paths)
        Of a position in dollars that is paid some things in USDC: what each of these sources
        brought up to a step, USDC, negative what it cost.
    """

    name: str
    sources: tuple[Source, ...]
    initial: Mapping[Unit, FloatArray]
    mark: Mapping[Unit, FloatArray]
    exit: Mapping[Unit, FloatArray]
    attribution: Mapping[Unit, FloatArray]
    events: np.ndarray[tuple[int], np.dtype[np.int64]]
    unpaid: FloatArray
    details: Mapping[str, FloatArray] = field(default_factory=dict)
    daily: Daily | None = None
    happened: Mapping[str, BoolArray] = field(default_factory=dict)
    happened_on: Mapping[str, FloatArray] = field(default_factory=dict)
    usdc_flows: Mapping[str, FloatArray] = field(default_factory=dict)
    further: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Return the units it is measured in, in the order of `UNITS`."""
        return tuple(unit for unit in UNITS if unit in self.initial)

    def head(self, count: int) -> InstrumentPaths:
        """Return the first `count` paths alone, without their days and details."""

        def first(arrays: Mapping[Unit, FloatArray]) -> dict[Unit, FloatArray]:
            return {unit: array[..., :count] for unit, array in arrays.items()}

        return replace(
            self,
            initial=first(self.initial),
            mark=first(self.mark),
            exit=first(self.exit),
            attribution=first(self.attribution),
            events=self.events[:count],
            unpaid=self.unpaid[:count],
            details={},
            daily=None,
            happened={what: paths[:count] for what, paths in self.happened.items()},
            happened_on={},
            usdc_flows={},
            further={},
        )


def scaled(paths: InstrumentPaths, factor: float) -> InstrumentPaths:
    """Return `factor` times the position: values, attribution and what was not paid.

    Its days are left out: whoever holds parts of a position takes them of the whole.
    """

    def times(arrays: Mapping[Unit, FloatArray]) -> dict[Unit, FloatArray]:
        return {unit: factor * array for unit, array in arrays.items()}

    return replace(
        paths,
        initial=times(paths.initial),
        mark=times(paths.mark),
        exit=times(paths.exit),
        attribution=times(paths.attribution),
        unpaid=factor * paths.unpaid,
        daily=None,
    )


def attribution_gap(
    paths: InstrumentPaths, unit: Unit, flows: FloatArray | float = 0.0
) -> FloatArray:
    """Return |sum of sources - (final - flows - initial)| / initial, shape (n_paths,).

    `flows` is what was put in after the start, less what was taken out.
    """
    gain = paths.exit[unit][-1] - flows - paths.initial[unit]
    gap: FloatArray = np.abs(paths.attribution[unit].sum(axis=0) - gain) / paths.initial[unit]
    return gap


def organic_share(sources: tuple[Source, ...], attribution: FloatArray) -> FloatArray:
    """Return organic over positive income, shape (n_paths,).

    Income is what organic and subsidised sources paid, and capital that was handed out as if it
    were income; NaN where nothing was paid.
    """
    income = np.zeros(attribution.shape[1])
    organic = np.zeros(attribution.shape[1])
    for source, amount in zip(sources, attribution, strict=True):
        if source.kind in ("organic", "subsidised", "return of capital"):
            income += np.maximum(amount, 0.0)
        if source.kind == "organic":
            organic += np.maximum(amount, 0.0)
    return np.divide(organic, income, out=np.full_like(income, np.nan), where=income > 0)
