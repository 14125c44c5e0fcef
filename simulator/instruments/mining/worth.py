"""What a mine is worth: expected free cash flow, discounted day by day until the ore is gone.

    worth = max(0, D^m (A[i] + B[i] (P - L) K^m) + profit accrued)

with i days of work done, m days of full output still to be missed (construction, ramp-up,
outage), P the copper price, L the price expected in the long run, D and K a day's discount and
a day's reversion. A and B are sums over the days of ore that are left, at expected output
(outages counted), the plan's grade, costs and tax. Tax is taken as if profit were always
taxable and the mine were never closed early: near zero profit the worth is too low.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.instruments.mining.outages import availability
from simulator.instruments.mining.output import grade_by_day
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.jit import inlined
from simulator.units import DAYS_PER_YEAR, FloatArray


class Tables(NamedTuple):
    """The formula above in the form in which kernels read it.

    base : (n_steps + 2,), A in USD, by days of work done
    slope : (n_steps + 2,), B in tonnes: USD per (USD per tonne), by days of work done
    discount : (n_days,), D^m by days of full output still to be missed
    reverting : (n_days,), (D K)^m
    long_run_usd : L, USD per tonne
    """

    base: FloatArray
    slope: FloatArray
    discount: FloatArray
    reverting: FloatArray
    long_run_usd: float


@dataclass(frozen=True)
class Worth:
    """The formula above, for waits of any length.

    Attributes
    ----------
    base, slope : ndarray of shape (n_steps + 2,)
        A in USD and B in USD per (USD per tonne), by days of work done.
    discount, reversion : float
        D and K.
    long_run_usd : float
        L in USD per tonne.
    """

    base: FloatArray
    slope: FloatArray
    discount: float
    reversion: float
    long_run_usd: float

    def up_to(self, longest: int) -> Tables:
        """Return the tables for waits of 0 to `longest` days."""
        days = np.arange(longest + 1)
        waits = self.discount**days, (self.discount * self.reversion) ** days
        return Tables(self.base, self.slope, *waits, self.long_run_usd)


@functools.lru_cache(maxsize=64)
def tables(terms: MiningStoTerms, discount_rate: float, loss_rate: float, n_steps: int) -> Worth:
    """Return the worth for a required return and an expected loss by default, both annual."""
    mine, market = terms.mine, terms.secondary
    daily = math.exp(-(discount_rate + loss_rate) / DAYS_PER_YEAR)
    revert = math.exp(-market.reversion / DAYS_PER_YEAR)
    running = availability(terms.outages)
    site = mine.fixed_cost_share + (1.0 - mine.fixed_cost_share) * running
    tonnes = mine.payable_tonnes_a_day * running * grade_by_day(terms.mine)
    after_royalty = tonnes * (1.0 - mine.royalty)
    costs = mine.site_usd_a_day * site + mine.sustaining_capex_usd_a_year / DAYS_PER_YEAR
    margin = market.long_run_price_usd_per_tonne - mine.charges_usd_per_tonne
    shield = mine.tax * mine.depreciation_usd_a_year / DAYS_PER_YEAR
    base = (1.0 - mine.tax) * (after_royalty * margin - costs) + shield
    slope = (1.0 - mine.tax) * after_royalty
    return Worth(
        base=_from_here_on(base, daily, n_steps),
        slope=_from_here_on(slope, daily * revert, n_steps),
        discount=daily,
        reversion=revert,
        long_run_usd=market.long_run_price_usd_per_tonne,
    )


def _from_here_on(flow: FloatArray, factor: float, n_steps: int) -> FloatArray:
    """Return sum over s > i of factor^(s - i) flow[s - 1] for i = 0 to n_steps + 1.

    `flow` is of shape (n_days_of_ore,), in USD or tonnes a day.
    """
    later = itertools.accumulate(
        flow[::-1], lambda rest, x: factor * x + factor * rest, initial=0.0
    )
    sums = np.array(list(later)[:0:-1])
    found = np.zeros(n_steps + 2)
    found[: sums.size] = sums[: found.size]
    return found


@inlined
def tonnes_per_price(slope: FloatArray, reverting: FloatArray, worked: int, missed: int) -> float:
    """Return the change of worth per USD per tonne of copper, in tonnes; tables of `Tables`.

    `slope` is of shape (n_steps + 2,), `reverting` of (n_days,).
    """
    tonnes: float = slope[worked] * reverting[missed]
    return tonnes


@inlined
def planned_profit(base: FloatArray, discount: FloatArray, worked: int, missed: int) -> float:
    """Return the worth of the profit to come in USD at the long-run price; tables of `Tables`.

    `base` is of shape (n_steps + 2,), `discount` of (n_days,).
    """
    usd: float = base[worked] * discount[missed]
    return usd
