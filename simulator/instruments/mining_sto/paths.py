"""From terms and drivers to the paths of a token holder, and what the replay plays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, OnDemand
from simulator.instruments.mining_sto import kernel
from simulator.instruments.mining_sto.drivers import MiningStoDrivers
from simulator.instruments.mining_sto.state import SOURCES, terms_record
from simulator.instruments.mining_sto.worth import tables
from simulator.mechanics.rows import empty_apart
from simulator.scenario.mining_sto import MiningStoTerms
from simulator.scenario.models import GasTerms
from simulator.units import FloatArray


@dataclass(frozen=True)
class MiningStoRecord:
    """What the promoters and the mine do, for the replay, and what the holder then has.

    Attributes
    ----------
    recorded_usd, payment_usd, deposit_usd : ndarray of shape (n_periods, n_paths)
        The holders' profit, what is paid, and new tokens sold at the end of each period.
    paid_usd, price_usd, exit_usd : ndarray of shape (n_steps + 1, n_paths)
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
    gas: GasTerms,
    drivers: MiningStoDrivers,
    holder_usd: float,
    *,
    record: bool = False,
    daily: bool = False,
    by_source: bool = True,
) -> tuple[InstrumentPaths, MiningStoRecord]:
    """Subscribe for `holder_usd`, hold, and sell at the last step; with the record.

    `daily` asks for the dollars of each day too, for investors who trade, and `by_source` for
    where these came from. Arrays by step are kept few: to write fresh memory once costs as
    much as the model.
    """
    mine = drivers.mine
    shape = mine.copper_usd.shape
    loss_rate = terms.default.hazard * (1.0 - terms.default.recovery)
    worth = tables(terms, terms.secondary.discount_rate, loss_rate, shape[0] - 1)
    mark, leave, paid = (empty_apart(shape, place) for place in (4, 8, 12))
    price, last_price = np.empty(shape if record or daily else (0, 0)), np.empty(shape[1])
    recorded, payments, deposits = (np.zeros_like(mine.profit) for _ in range(3))
    attribution = np.zeros((len(SOURCES), shape[1]))
    gains = np.empty((len(SOURCES), *(shape if daily and by_source else (0, 0))))
    events = np.zeros(shape[1], np.int64)
    kernel.run(
        terms_record(terms, gas, holder_usd)[0],
        worth.base,
        worth.slope,
        *worth.deferred(int(mine.deferred.max())),
        worth.long_run_usd,
        mine.copper_usd,
        mine.accrued,
        mine.profit,
        mine.halted,
        mine.deferred,
        mine.begins,
        mine.ends,
        drivers.others_usd,
        drivers.default_step,
        drivers.noise,
        mark,
        leave,
        paid,
        price,
        last_price,
        attribution,
        gains,
        recorded,
        payments,
        deposits,
        events,
    )
    mark[0] = leave[0] = holder_usd
    locked = shape[0] - 1 < terms.sale.days + terms.compliance.lockup_days
    sold = drivers.others_usd + holder_usd >= terms.sale.soft_cap_usd
    paths = InstrumentPaths(
        name=drivers.label,
        sources=SOURCES,
        initial={"usd": np.full(shape[1], holder_usd)},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": attribution},
        events=events,
        unpaid=np.where(sold & locked, last_price, 0.0),
        details=OnDemand(
            {
                "payments": lambda: paid / holder_usd,
                "declared": lambda: _per_token(terms, drivers, holder_usd, payments, deposits),
                "returned": lambda: _returned(
                    terms, drivers, holder_usd, recorded, payments, deposits
                ),
            }
        ),
        daily=_daily(terms, mark, price.copy() if record else price, gains) if daily else None,
    )
    none = np.empty((0, 0))
    kept = (paid, price, leave) if record else (none, none, none)
    return paths, MiningStoRecord(recorded, payments, deposits, *kept)


def _returned(
    terms: MiningStoTerms,
    drivers: MiningStoDrivers,
    holder_usd: float,
    recorded: FloatArray,
    payments: FloatArray,
    deposits: FloatArray,
) -> FloatArray:
    """Return what was paid in beyond recorded profit, as `_per_token`; a view where nothing is."""
    if terms.payout.top_up is None:
        return np.broadcast_to(np.zeros(1), drivers.mine.copper_usd.shape)
    return _per_token(terms, drivers, holder_usd, payments - recorded, deposits)


def _per_token(
    terms: MiningStoTerms,
    drivers: MiningStoDrivers,
    holder_usd: float,
    amounts: FloatArray,
    deposits: FloatArray,
) -> FloatArray:
    """Return what periods brought a token so far over its issue price, flowing still or not.

    Shape (n_steps + 1, n_paths).
    """
    sold = np.minimum(drivers.others_usd + holder_usd, terms.sale.hard_cap_usd)
    issued = sold + np.cumsum(deposits, axis=0)
    so_far = np.vstack([np.zeros(sold.size), np.cumsum(amounts / issued, axis=0)])
    periods = np.cumsum(drivers.mine.ends)
    brought: FloatArray = so_far[periods]
    return brought


def _daily(terms: MiningStoTerms, mark: FloatArray, price: FloatArray, so_far: FloatArray) -> Daily:
    """Return the days of a position: until the close it is money in escrow, then tokens.

    `so_far` holds the gains up to each step, `price` becomes the value. Nobody sells before
    the lock-up ends; who buys on the secondary market pays the price, for a share of the tokens
    of the smallest raise at most.
    """
    value = price
    value[: max(1, terms.sale.days)] = mark[0]
    income = mark - value
    income[1:] -= income[:-1].copy()
    # What entering costs in gas is paid beside what is put in, and seen on the day after.
    so_far[:, :1] = 0.0
    locked = terms.sale.days + terms.compliance.lockup_days
    there_is = terms.sale.soft_cap_usd / float(mark[0, 0])
    most = terms.secondary.portfolio_share * there_is
    return Daily(so_far, income, Access(lockup_days=locked, most_units=most), value)
