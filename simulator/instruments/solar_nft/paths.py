"""From terms and drivers to the paths of free and of locked tokens, and what the replay plays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths
from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft import kernel
from simulator.instruments.solar_nft.drivers import SolarNftDrivers
from simulator.instruments.solar_nft.series import Series
from simulator.instruments.solar_nft.state import (
    SOURCES,
    Days,
    Drivers,
    From,
    Numbers,
    Results,
    days,
    numbers,
)
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.mechanics.rows import empty_apart
from simulator.units import FloatArray


@dataclass(frozen=True)
class SolarNftRecord:
    """What the operator does, for the replay, and what the holders then have.

    Attributes
    ----------
    pots : ndarray of shape (n_periods, n_paths), USD
        What each period shares among all panels.
    paid, bonus : ndarray of shape (n_steps + 1, n_paths), USD
        Income so far of the measured tokens: energy of free ones, bonus of locked ones.
    leave, leave_locked : ndarray of shape (n_steps + 1, n_paths), USD
        Exit values.
    dirty : ndarray of shape (n_steps + 1, n_paths), USD
        Floor price of the tokens, with the revenue of the running period.
    """

    pots: FloatArray
    paid: FloatArray
    bonus: FloatArray
    leave: FloatArray
    leave_locked: FloatArray
    dirty: FloatArray

    def lane(self, k: int) -> SolarNftRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        arrays = (self.pots, self.paid, self.bonus, self.leave, self.leave_locked, self.dirty)
        return SolarNftRecord(*(array[:, one] for array in arrays))


def simulate(
    terms: SolarNftTerms,
    gas: Gas,
    drivers: SolarNftDrivers,
    usd: float,
    *,
    daily: Collection[str] = (),
    by_source: bool = True,
    record: bool = False,
) -> tuple[Mapping[str, InstrumentPaths], SolarNftRecord | None]:
    """Buy as many whole tokens as `usd` pays for, twice: to hold them free, and locked.

    Returns the paths by name (`terms.names`), and the record where it was asked for. `gas` is that
    of the holders' acts. `daily` names the positions of which each day is wanted, and `by_source`
    asks for where it came from.
    """
    n_rows = drivers.power_usd.shape[0]
    own = numbers(terms, gas, usd)
    told = days(terms, gas, drivers.start, n_rows - 1, own)
    results = _empty(drivers.power_usd.shape, told, by_source=bool(daily) and by_source)
    kernel.run(own, told, _as_told(drivers), results)
    results.mark[0] = results.leave[0] = own.issue_usd
    results.mark_locked[0] = results.leave_locked[0] = own.issue_usd
    series = Series(terms, drivers, own, told, results)
    free, locked = (
        _position(terms, gas, drivers, own, told, results, series, is_locked=is_locked)
        for is_locked in (False, True)
    )
    if free.name in daily:
        free = replace(free, daily=_daily(terms, own, told, results, series, is_locked=False))
    if locked.name in daily:
        locked = replace(locked, daily=_daily(terms, own, told, results, series, is_locked=True))
    kept = None
    if record:
        exits = results.leave, results.leave_locked
        kept = SolarNftRecord(results.pots, results.paid, results.bonus, *exits, series.dirty)
    return {free.name: free, locked.name: locked}, kept


def _as_told(drivers: SolarNftDrivers) -> Drivers:
    return Drivers(
        drivers.power_usd,
        drivers.sun,
        drivers.mood,
        drivers.silver_usd,
        drivers.feed_usd,
        drivers.locked,
        drivers.unlocked,
        drivers.default_step,
    )


def _empty(shape: tuple[int, ...], told: Days, *, by_source: bool) -> Results:
    """Return the arrays that the kernel writes; `shape` is (n_steps + 1, n_paths)."""
    mark, leave, mark_locked, leave_locked, paid, bonus, price = (
        empty_apart(shape, place) for place in range(1, 15, 2)
    )
    return Results(
        mark=mark,
        leave=leave,
        mark_locked=mark_locked,
        leave_locked=leave_locked,
        paid=paid,
        bonus=bonus,
        price=price,
        pots=np.zeros((int(told.ends.sum()), shape[1])),
        silver_paid=np.empty(shape[1]),
        attribution=np.empty((len(SOURCES), shape[1])),
        gains=np.empty((len(SOURCES), *(shape if by_source else (0, 0)))),
    )


def _position(
    terms: SolarNftTerms,
    gas: Gas,
    drivers: SolarNftDrivers,
    own: Numbers,
    told: Days,
    results: Results,
    series: Series,
    *,
    is_locked: bool,
) -> InstrumentPaths:
    """Return one of the two positions without its days."""
    n_rows, n_paths = results.mark.shape
    mark, leave = results.mark, results.leave
    spent, attribution = told.spent[-1], results.attribution
    stuck = is_locked and n_rows - 1 < min(own.lock_days, own.retire_step)
    if is_locked:
        mark, leave, spent = results.mark_locked, results.leave_locked, told.spent_locked[-1]
        attribution = attribution.copy()
        attribution[From.BONUS] = results.bonus[-1]
    dirty = series.dirty[-1]
    leave_gas = gas.usd_on("leave", -1) + (gas.usd_on("unlock", -1) if is_locked else 0.0)
    leaving = np.where(dirty > 0.0, leave_gas, 0.0)
    attribution[From.SALE] = leave[-1] - mark[-1] + leaving
    attribution[From.GAS] = -spent - leaving
    fails = drivers.default_step <= min(n_rows - 1, own.retire_step)
    return InstrumentPaths(
        name=terms.names(drivers.label)[is_locked],
        sources=SOURCES,
        initial={"usd": np.full(n_paths, own.issue_usd)},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": attribution},
        events=fails.astype(np.int64),
        unpaid=dirty if stuck else np.zeros(n_paths),
        details=series.of_locked() if is_locked else series.of_free(),
        happened={"default": fails},
        happened_on={"default": drivers.default_step.astype(np.float64)},
    )


def _daily(
    terms: SolarNftTerms,
    own: Numbers,
    told: Days,
    results: Results,
    series: Series,
    *,
    is_locked: bool,
) -> Daily:
    """Return the days of a position: tokens at the floor price, and what they paid less gas."""
    value = series.dirty.copy()
    value[0] = own.issue_usd
    income = (results.mark_locked if is_locked else results.mark) - value
    income[1:] -= income[:-1].copy()
    brought = results.gains
    if brought.shape[1] > 0:
        brought = brought.copy()
        brought[From.BONUS] = results.bonus if is_locked else 0.0
        brought[From.GAS] = -(told.spent_locked if is_locked else told.spent)[:, None]
        brought[:, 0] = 0.0
    there_are = terms.buyers.portfolio_share * terms.collection_watts / own.own_watts
    lockup = int(min(own.lock_days, own.retire_step)) if is_locked else 0
    return Daily(brought, income, Access(lockup_days=lockup, most_units=there_are), value)
