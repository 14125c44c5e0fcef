"""From terms and drivers to the paths of a token holder, and what the replay plays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, OnDemand
from simulator.instruments.gas import Gas
from simulator.instruments.mining import kernel
from simulator.instruments.mining.drivers import MiningStoDrivers
from simulator.instruments.mining.output import MinePaths
from simulator.instruments.mining.state import BEFELL, SOURCES, Befell, Drivers, Results, numbers
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.mining.worth import tables
from simulator.mechanics.rows import empty_apart
from simulator.units import FloatArray


@dataclass(frozen=True)
class MiningStoRecord:
    """What the promoters and the mine do, for the replay, and what the holder then has.

    Attributes
    ----------
    recorded_usd, payment_usd, deposit_usd : ndarray of shape (n_periods, n_paths), USD
        The holders' profit, what is paid, and new tokens sold at the end of each period.
    paid_usd, price_usd, exit_usd : ndarray of shape (n_steps + 1, n_paths), USD
        What the holder could have withdrawn so far, the price of his tokens, his exit value;
        empty unless a record was asked for.
    """

    recorded_usd: FloatArray
    payment_usd: FloatArray
    deposit_usd: FloatArray
    paid_usd: FloatArray
    price_usd: FloatArray
    exit_usd: FloatArray

    def lane(self, k: int) -> MiningStoRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return MiningStoRecord(
            self.recorded_usd[:, one],
            self.payment_usd[:, one],
            self.deposit_usd[:, one],
            self.paid_usd[:, one],
            self.price_usd[:, one],
            self.exit_usd[:, one],
        )


def simulate(
    terms: MiningStoTerms,
    gas: Gas,
    drivers: MiningStoDrivers,
    holder_usd: float,
    *,
    record: bool = False,
    daily: bool = False,
    by_source: bool = True,
) -> tuple[InstrumentPaths, MiningStoRecord]:
    """Subscribe for `holder_usd`, hold, and sell at the last step; with the record.

    `gas` is that of the holder's acts. `daily` asks for the dollars of each day too,
    for investors who trade, and `by_source` for where these came from.
    """
    mine, n_paths = drivers.mine, drivers.mine.copper_usd.shape[1]
    results = _empty(mine, priced=record or daily, by_source=daily and by_source)
    kernel.run(
        numbers(terms, gas, holder_usd, mine.copper_usd.shape[0] - 1),
        _told(terms, drivers),
        results,
    )
    # entering is paid beside what is put in: its gas is seen on the day after
    results.mark[0] = results.leave[0] = holder_usd
    close, last = terms.sale.days, mine.copper_usd.shape[0] - 1
    sold = ~results.happened[Befell.RAISE_FAILED]
    locked = last < close + terms.compliance.lockup_days
    days = None
    if daily:
        # until the close the position is money in escrow; a record keeps the tokens' price
        value = results.price.copy() if record else results.price
        value[:close] = holder_usd
        results.gains[:, :1] = 0.0
        days = _daily(terms, results.mark, value, results.gains)
    paths = InstrumentPaths(
        name=drivers.label,
        sources=SOURCES,
        initial={"usd": np.full(n_paths, holder_usd)},
        mark={"usd": results.mark},
        exit={"usd": results.leave},
        attribution={"usd": results.attribution},
        events=results.events,
        unpaid=np.where(sold & locked, results.last_price, 0.0),
        details=_series(terms, drivers, holder_usd, results),
        daily=days,
        happened={name: results.happened[row] for row, name in enumerate(BEFELL)},
        happened_on={"defaulted": drivers.default_step.astype(np.float64)},
    )
    none = np.empty((0, 0))
    kept = (results.paid, results.price, results.leave) if record else (none, none, none)
    by_period = results.recorded, results.payments, results.deposits
    return paths, MiningStoRecord(*by_period, *kept)


def _told(terms: MiningStoTerms, drivers: MiningStoDrivers) -> Drivers:
    """Return what the kernel is told of mine, raise, default and mood."""
    mine = drivers.mine
    loss_rate = terms.default.hazard * (1.0 - terms.default.recovery)
    longest = int(mine.deferred.max())
    return Drivers(
        tables=tables(terms, terms.secondary.discount_rate, loss_rate, mine.growth, longest),
        copper_usd=mine.copper_usd,
        accrued=mine.accrued,
        profit=mine.profit,
        halted=mine.halted,
        deferred=mine.deferred,
        begins=mine.begins,
        ends=mine.ends,
        others_usd=drivers.others_usd,
        default_step=drivers.default_step,
        noise=drivers.noise,
    )


def _empty(mine: MinePaths, *, priced: bool, by_source: bool) -> Results:
    """Return the arrays that the kernel writes, without steps where they are not asked for.

    Arrays by step are kept few: to write fresh memory once costs as much as the model.
    """
    shape, none = mine.copper_usd.shape, (0, 0)
    n_paths = shape[1]
    mark, leave, paid = (empty_apart(shape, place) for place in (4, 8, 12))
    recorded, payments, deposits = (np.zeros_like(mine.profit) for _ in range(3))
    return Results(
        mark=mark,
        leave=leave,
        paid=paid,
        price=np.empty(shape if priced else none),
        last_price=np.empty(n_paths),
        attribution=np.zeros((len(SOURCES), n_paths)),
        gains=np.empty((len(SOURCES), *(shape if by_source else none))),
        recorded=recorded,
        payments=payments,
        deposits=deposits,
        events=np.zeros(n_paths, np.int64),
        happened=np.empty((len(Befell), n_paths), np.bool_),
    )


def _series(
    terms: MiningStoTerms, drivers: MiningStoDrivers, holder_usd: float, results: Results
) -> OnDemand:
    """Return the observables: what was received, declared, declared beyond profit; defaults."""
    payments, deposits = results.payments, results.deposits

    def returned() -> FloatArray:
        if terms.payout.top_up is None:
            # nothing ever is: a view costs no memory
            return np.broadcast_to(np.zeros(1), drivers.mine.copper_usd.shape)
        return _per_token(terms, drivers, holder_usd, payments - results.recorded, deposits)

    def defaulted() -> FloatArray:
        steps = np.arange(drivers.mine.copper_usd.shape[0])[:, None]
        fell = results.happened[Befell.DEFAULTED]
        return np.where(fell & (steps >= drivers.default_step), 1.0, 0.0)

    return OnDemand(
        {
            "payments": lambda: results.paid / holder_usd,
            "declared": lambda: _per_token(terms, drivers, holder_usd, payments, deposits),
            "returned": returned,
            "defaulted": defaulted,
        }
    )


def _per_token(
    terms: MiningStoTerms,
    drivers: MiningStoDrivers,
    holder_usd: float,
    amounts: FloatArray,
    deposits: FloatArray,
) -> FloatArray:
    """Return what periods brought a token so far over its issue price, flowing still or not.

    Shape (n_steps + 1, n_paths); `amounts` and `deposits` are of shape (n_periods, n_paths), USD.
    """
    sold = np.minimum(drivers.others_usd + holder_usd, terms.sale.hard_cap_usd)
    issued = sold + np.cumsum(deposits, axis=0)
    so_far = np.vstack([np.zeros(sold.size), np.cumsum(amounts / issued, axis=0)])
    periods = np.cumsum(drivers.mine.ends)
    brought: FloatArray = so_far[periods]
    return brought


def _daily(terms: MiningStoTerms, mark: FloatArray, value: FloatArray, gains: FloatArray) -> Daily:
    """Return the days of a position: until the close it is money in escrow, then tokens.

    Nobody sells before the lock-up ends; who buys on the secondary market pays the price, for a
    share of the tokens of the smallest raise at most.

    Parameters
    ----------
    mark, value : ndarray of shape (n_steps + 1, n_paths), USD
        With what was paid out so far, and without.
    gains : ndarray of shape (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0), USD
        Up to each step.
    """
    income = mark - value
    income[1:] -= income[:-1].copy()
    locked = terms.sale.days + terms.compliance.lockup_days
    there_is = terms.sale.soft_cap_usd / float(mark[0, 0])
    most = terms.secondary.portfolio_share * there_is
    return Daily(gains, income, Access(lockup_days=locked, most_units=most), value)
