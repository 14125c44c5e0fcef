"""What is held off chain: a market asset's price with leverage, less fees and spreads.

    V_t = V_{t-1} max(0, 1 + L (P_t / P_{t-1} - 1) - (L - 1) f_t - fee / 365)

with the leverage L set anew each day and f_t the day's rate on what is borrowed: a constant,
or what Treasury bills earned that day. A fall beyond 1 / L in a day leaves nothing, and never
less than that. One dollar is put in; the spread of buying is paid out of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, Source
from simulator.instruments.holding.terms import HoldingTerms
from simulator.jit import kernel
from simulator.units import BPS, DAYS_PER_YEAR, BoolArray, FloatArray

SOURCES = (
    Source("price", "market", "Price of what is held"),
    Source("fee", "cost", "Storage or fund fee"),
    Source("financing", "cost", "Interest on what is borrowed"),
    Source("costs", "cost", "Spreads when buying and selling"),
)
COSTS = 3


@kernel
def _hold(
    prices: FloatArray,
    bills: FloatArray,
    leverage: float,
    daily_fee: float,
    daily_rate: float,
    sale: float,
    mark: FloatArray,
    leave: FloatArray,
    sums: FloatArray,
    brought: FloatArray,
) -> None:
    """Fill `mark` and `leave` from row 1 on; add up what price, fee and financing brought.

    Parameters
    ----------
    bills : ndarray of the shape of `prices`, or of shape (0, 0)
        Prices whose growth is the day's rate, else `daily_rate` is.
    sale : float
        What selling pays for a dollar at mark.
    sums : ndarray of shape (3, n_paths)
        Rows of `SOURCES` but for the costs.
    brought : ndarray of shape (4, n_steps + 1, n_paths), or (4, 0, 0)
        The sums up to each step from row 1 on, where it has any.
    """
    n_steps, n_paths = prices.shape[0] - 1, prices.shape[1]
    borrowed = leverage - 1.0
    charge = np.full(n_paths, borrowed * daily_rate)
    growth = np.empty(n_paths)
    # short loops over few arrays: LLVM turns them into vector instructions
    for step in range(1, n_steps + 1):
        if bills.shape[0] > 0:
            for k in range(n_paths):
                charge[k] = borrowed * (bills[step, k] / bills[step - 1, k] - 1.0)
        for k in range(n_paths):
            move = leverage * (prices[step, k] / prices[step - 1, k] - 1.0)
            left = 1.0 + move - (charge[k] + daily_fee)
            growth[k] = left if left > 0.0 else 0.0
        for k in range(n_paths):
            mark[step, k] = mark[step - 1, k] * growth[k]
        for k in range(n_paths):
            leave[step, k] = mark[step, k] * sale
        for k in range(n_paths):
            moved = growth[k] - 1.0 + (charge[k] + daily_fee)
            sums[0, k] += mark[step - 1, k] * moved
        for k in range(n_paths):
            sums[1, k] -= mark[step - 1, k] * daily_fee
        if borrowed > 0.0:
            for k in range(n_paths):
                sums[2, k] -= mark[step - 1, k] * charge[k]
        if brought.shape[1] > 0:
            for source in range(sums.shape[0]):
                for k in range(n_paths):
                    brought[source, step, k] = sums[source, k]


def simulate(
    terms: HoldingTerms,
    prices_of: Mapping[str, FloatArray],
    name: str,
    *,
    exchange_open: BoolArray | None = None,
    daily: bool = False,
    by_source: bool = True,
) -> InstrumentPaths:
    """Put one dollar in at the start and hold it to the last step.

    Parameters
    ----------
    prices_of : dict of str to ndarray of shape (n_steps + 1, n_paths)
        Price of each asset of the market in the asset's own unit.
    name : str
        What the scenario calls it.
    exchange_open : ndarray of bool, shape (n_steps + 1,), or None
        Steps on which exchanges are open; None for every one.
    daily, by_source : bool
        Whether the dollars of each day are wanted too, and where they came from.

    Raises
    ------
    KeyError
        The market lacks an asset of `terms.needs`.
    """
    prices, bills = prices_of[terms.follows], _bills(terms, prices_of)
    mark, leave = np.empty_like(prices), np.empty_like(prices)
    sums = np.zeros((3, prices.shape[1]))
    first_value = 1.0 / (1.0 + terms.buy_spread_bps / BPS)
    sale = 1.0 - terms.sell_spread_bps / BPS
    daily_fee = terms.fee / DAYS_PER_YEAR
    daily_rate = (terms.financing_rate or 0.0) / DAYS_PER_YEAR
    mark[0], leave[0] = first_value, 1.0
    brought = np.empty((len(SOURCES), *(prices.shape if daily and by_source else (0, 0))))
    _hold(prices, bills, terms.leverage, daily_fee, daily_rate, sale, mark, leave, sums, brought)
    brought[:, :1] = 0.0
    brought[COSTS] = first_value - 1.0
    costs = first_value - 1.0 - (1.0 - sale) * mark[-1]
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"usd": np.ones(prices.shape[1])},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": np.vstack([sums, costs])},
        events=(mark[-1] <= 0.0).astype(np.int64),
        unpaid=np.zeros(prices.shape[1]),
        daily=_daily(terms, exchange_open, brought) if daily else None,
    )


def _bills(terms: HoldingTerms, prices_of: Mapping[str, FloatArray]) -> FloatArray:
    """Return the prices whose growth is paid on what is borrowed; empty where a rate is set."""
    return prices_of["treasury_bills"] if terms.borrows_at_bills else np.empty((0, 0))


def _daily(terms: HoldingTerms, exchange_open: BoolArray | None, brought: FloatArray) -> Daily:
    open_days = None if terms.trades_always else exchange_open
    return Daily(brought, access=Access(terms.buy_spread_bps / BPS, open_days))
