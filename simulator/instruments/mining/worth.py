"""What a mine is worth: expected free cash flow, discounted day by day until the ore is gone.

Buyers expect of copper what the market itself expects: from its price P it grows to F = P e^G on
the run's last day, T days away. From there it moves to the long-run price L, by K a day:

    E P(s) = P e^(g s) for s <= T days,  L + (F - L) K^(s - T) for s > T

with g the run's mean growth a day. So nobody gains on average by knowing the market's drift. With
i days of work done and m days of full output still to be missed (construction, ramp-up, outage)

    worth = max(0, base + slope P + profit accrued)
    base  = D^m A[i] + D^x H[j] - L D^T (D K)^(x - T) B[j]
    slope = (D e^g)^m N[i] - (D e^g)^x N[j] + e^G D^T (D K)^(x - T) B[j]

where D is a day's discount, x = max(m, T), and j = i + x - m days of work are done by then. A, H,
B and N are sums over the days of ore that are left, at expected output (outages counted), the
plan's grade, costs and tax. Tax is taken as if profit were always taxable and the mine were never
closed early: near zero profit the worth is too low.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from simulator.instruments.mining.outages import availability
from simulator.instruments.mining.output import grade_by_day
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.jit import inlined, kernel
from simulator.units import DAYS_PER_YEAR, FloatArray

COSTS, AT_LONG_RUN, TONNES_AFTER, TONNES_WITHIN = range(4)
"""Rows of `Tables.by_work`: A and H in USD, B and N in tonnes."""
DISCOUNT, GROWING, REVERTING = range(3)
"""Rows of `Tables.by_days`: D, D e^g and D K to the power of the days."""


class Tables(NamedTuple):
    """The formula above in the form in which kernels read it.

    by_work : (4, n_steps + 2), A, H, B and N by days of work done
    by_days : (3, n_days), powers by days
    ahead : (n_steps + 1,), e^G by step
    long_run_usd : L, USD per tonne
    """

    by_work: FloatArray
    by_days: FloatArray
    ahead: FloatArray
    long_run_usd: float


def tables(
    terms: MiningStoTerms,
    discount_rate: float,
    loss_rate: float,
    growth: FloatArray,
    longest: int,
) -> Tables:
    """Return the worth for a required return and an expected loss by default, both annual.

    Parameters
    ----------
    growth : ndarray of shape (n_steps + 1,)
        ln E[P_t / P_0] of copper, as the market expects it; a growth that the terms state takes
        its place.
    longest : int
        The longest wait to be looked up, in days.
    """
    market, n_steps = terms.secondary, growth.size - 1
    if market.expected_growth is not None:
        growth = market.expected_growth / DAYS_PER_YEAR * np.arange(n_steps + 1)
    daily = math.exp(-(discount_rate + loss_rate) / DAYS_PER_YEAR)
    growing = daily * math.exp(growth[-1] / max(n_steps, 1))
    reverting = daily * math.exp(-market.reversion / DAYS_PER_YEAR)
    days = np.arange(max(longest, n_steps) + 1)
    return Tables(
        by_work=_by_work(terms, daily, growing, reverting, n_steps),
        by_days=np.stack([factor**days for factor in (daily, growing, reverting)]),
        ahead=np.exp(growth[-1] - growth),
        long_run_usd=market.long_run_price_usd_per_tonne,
    )


@functools.lru_cache(maxsize=64)
def _by_work(
    terms: MiningStoTerms, daily: float, growing: float, reverting: float, n_steps: int
) -> FloatArray:
    """Return A, H, B and N, shape (4, n_steps + 2), for the factors of a day."""
    mine = terms.mine
    running = availability(terms.outages)
    site = mine.fixed_cost_share + (1.0 - mine.fixed_cost_share) * running
    paid = mine.payable_tonnes_a_day * running * grade_by_day(mine) * (1.0 - mine.royalty)
    costs = mine.site_usd_a_day * site + mine.sustaining_capex_usd_a_year / DAYS_PER_YEAR
    shield = mine.tax * mine.depreciation_usd_a_year / DAYS_PER_YEAR
    fixed = shield - (1.0 - mine.tax) * (paid * mine.charges_usd_per_tonne + costs)
    tonnes = (1.0 - mine.tax) * paid
    at_long_run = terms.secondary.long_run_price_usd_per_tonne * tonnes
    return np.stack(
        [
            _from_here_on(fixed, daily, n_steps),
            _from_here_on(at_long_run, daily, n_steps),
            _from_here_on(tonnes, reverting, n_steps),
            # only differences within the run are looked up
            _from_here_on(tonnes[: n_steps + 1], growing, n_steps),
        ]
    )


def _from_here_on(flow: FloatArray, factor: float, n_steps: int) -> FloatArray:
    """Return sum over s > i of factor^(s - i) flow[s - 1] for i = 0 to n_steps + 1.

    `flow` is of shape (n_days_of_ore,), in USD or tonnes a day.
    """
    sums = np.empty(flow.size)
    _discount_back(flow, factor, sums)
    found = np.zeros(n_steps + 2)
    found[: sums.size] = sums[: found.size]
    return found


@kernel
def _discount_back(flow: FloatArray, factor: float, sums: FloatArray) -> None:
    """Write to `sums` what is left from each day on; both are of shape (n_days_of_ore,)."""
    rest = 0.0
    for day in range(flow.size - 1, -1, -1):
        rest = factor * flow[day] + factor * rest
        sums[day] = rest


@inlined
def worth(
    by_work: FloatArray,
    by_days: FloatArray,
    ahead: float,
    long_run_usd: float,
    worked: int,
    missed: int,
    left: int,
) -> tuple[float, float]:
    """Return base in USD and slope in tonnes, `left` days before the run's last one.

    `by_work`, of shape (4, n_steps + 2), `by_days`, of (3, n_days), and `long_run_usd` are those of
    `Tables`, `ahead` is its number of the day.
    """
    beyond = max(missed, left)
    then = worked + beyond - missed
    after = (
        by_days[DISCOUNT, left] * by_days[REVERTING, beyond - left] * by_work[TONNES_AFTER, then]
    )
    within = by_days[GROWING, missed] * by_work[TONNES_WITHIN, worked]
    within -= by_days[GROWING, beyond] * by_work[TONNES_WITHIN, then]
    base = by_days[DISCOUNT, missed] * by_work[COSTS, worked]
    base += by_days[DISCOUNT, beyond] * by_work[AT_LONG_RUN, then] - long_run_usd * after
    return base, within + ahead * after
