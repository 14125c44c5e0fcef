"""What a panel is worth to a buyer: expected energy to its end, discounted, and its silver.

Buyers expect of the power price what it does: from p it returns to its mean m, by k a day. With
y(s) the energy of a watt on day s by season and age, c its cost a day, R the last day, D a day's
discount, and w(s) the share of the price that they expect to be paid on day s

    worth of a watt = max(0, base + slope p)
    slope(t) = sum of (D k)^(s - t) w y(s)
    base(t)  = sum of D^(s - t) (w m y(s) - c)  -  m sum of (D k)^(s - t) w y(s),  s = t + 1 ... R
    silver(t) = ounces x recovery x e^(-(r - g) (R - t) / 365)

After a default w = h, what it leaves of the price. Before it the off-taker still pays s - t days
later with the chance q^(s - t), so w = h + (1 - h) q^(s - t). A log price that reverts to its mean
has an expectation that reverts a little faster than k says: at a deviation of 0.25 the difference
is below 2 % of the gap.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import math
from typing import NamedTuple

import numpy as np

from simulator.instruments.solar_nft.terms import PanelTerms, SolarNftTerms
from simulator.mechanics.solar import MG_PER_OUNCE
from simulator.units import BPS, DAYS_PER_YEAR, FloatArray

DAYS_OF_A_ROUND = 365.25
"""Of the earth around the sun: the season is not lost in leap years."""


class Tables(NamedTuple):
    """The formula above by step, shape (n_steps + 1,) each; zeros from the last day on.

    base, slope : of a watt before a default, USD and kWh
    base_after, slope_after : the same after it
    silver : ounces of a panel that buyers would pay for today
    """

    base: FloatArray
    slope: FloatArray
    base_after: FloatArray
    slope_after: FloatArray
    silver: FloatArray


def sun_hours(panel: PanelTerms, start: dt.date, n_days: int) -> FloatArray:
    """Return the expected kWh of a kWp on each day, shape (n_days + 1,), zeros after its end.

    Index 0 is the day of the start, on which nothing is generated yet.
    """
    days = np.arange(n_days + 1)
    turn = (start.timetuple().tm_yday + days - panel.brightest_day) / DAYS_OF_A_ROUND
    season = 1.0 + panel.season * np.cos(2.0 * math.pi * turn)
    lost = panel.degradation_bps / BPS * (panel.age_years + days / DAYS_PER_YEAR)
    hours = panel.kwh_per_kwp / DAYS_PER_YEAR * season * np.maximum(1.0 - lost, 0.0)
    found: FloatArray = np.where((days > 0) & (days <= panel.days_left), hours, 0.0)
    return found


@functools.lru_cache(maxsize=64)
def tables(terms: SolarNftTerms, start: dt.date, n_steps: int) -> Tables:
    """Return the worth by step of a run that begins on `start`."""
    panel, energy, rate = terms.panel, terms.energy, terms.buyers.discount_rate
    kwh = sun_hours(panel, start, panel.days_left) / 1_000.0
    daily = math.exp(-rate / DAYS_PER_YEAR)
    stays = math.exp(-energy.default_hazard / DAYS_PER_YEAR)
    base, slope = _lines(terms, kwh, daily, n_steps)
    paying_base, paying_slope = _lines(terms, kwh, daily * stays, n_steps)
    a_day = energy.cost_usd_per_kw_year / 1_000.0 / DAYS_PER_YEAR
    costs = _from_here_on(np.full_like(kwh, a_day), daily, n_steps)
    paid = energy.price_after_default
    left = panel.days_left - np.arange(n_steps + 1)
    ounces = silver_mg(terms) / MG_PER_OUNCE * terms.silver.recovery_bps / BPS
    growing = (rate - terms.silver.expected_growth) / DAYS_PER_YEAR
    silver = ounces * np.exp(-growing * np.maximum(left, 0))
    return Tables(
        base=paid * base + (1.0 - paid) * paying_base - costs,
        slope=paid * slope + (1.0 - paid) * paying_slope,
        base_after=paid * base - costs,
        slope_after=paid * slope,
        silver=np.where(left > 0, silver, 0.0),
    )


def silver_mg(terms: SolarNftTerms) -> int:
    """Return the silver of a panel in whole milligrams, as its token says it."""
    return round(terms.panel.watts * terms.silver.mg_per_watt)


def _lines(
    terms: SolarNftTerms, kwh: FloatArray, daily: float, n_steps: int
) -> tuple[FloatArray, FloatArray]:
    """Return what the energy of a watt is worth, as a line in the power price.

    Parameters
    ----------
    kwh : ndarray of shape (days_left + 1,)
        Energy of a watt on each day.
    daily : float
        What a day's wait leaves of a dollar.

    Returns
    -------
    base, slope : ndarray of shape (n_steps + 1,), USD and kWh
    """
    mean = terms.energy.mean_usd_per_kwh
    keep = 0.5 ** (1.0 / terms.energy.half_life_days)
    slope = _from_here_on(kwh, daily * keep, n_steps)
    return mean * (_from_here_on(kwh, daily, n_steps) - slope), slope


def _from_here_on(flow: FloatArray, factor: float, n_steps: int) -> FloatArray:
    """Return sum over s > t of factor^(s - t) flow[s] for t = 0 to n_steps.

    `flow` is of shape (days_left + 1,), by day.
    """
    later = itertools.accumulate(flow[:0:-1], lambda rest, x: factor * (rest + x), initial=0.0)
    sums = np.array(list(later)[::-1])
    found = np.zeros(n_steps + 1)
    count = min(sums.size, n_steps + 1)
    found[:count] = sums[:count]
    return found
