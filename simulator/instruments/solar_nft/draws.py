"""From normals to sun, power price, mood and locks: mean-reverting, a day and a lane at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.mechanics.rows import read_row, write_row
from simulator.mechanics.solar import N_ARRAYS
from simulator.units import FloatArray

WIDTH = 64
"""Lanes of a state: few enough for all rows to stay in the fastest cache."""
FEED_SCALE = 1e8

NORMAL, SILVER, LIQUID, POWER, WEATHER, MOOD, ODDS, LOCKED, UNLOCKED, RIPE, OUT = range(
    0, 11 * WIDTH, WIDTH
)
STATE_SIZE = 11 * WIDTH


class Reverting(NamedTuple):
    """A mean-reverting number: what a day keeps of a gap, and its shock."""

    keep: float
    shock: float


class Scales(NamedTuple):
    """The terms of the draws.

    power, weather, mood, locks : Reverting
    power_usd : (n_steps + 1,), expected price, less half the variance of its log, USD per kWh
    sun : (n_steps + 1,), the same of kWh per kWp
    most_sun : (n_steps + 1,), what the clearest sky gives, kWh per kWp
    mood_start, mood_mean : log gap between floor price and worth
    mood_per_liquidity, odds_per_liquidity : per s.d. of liquidity
    odds_start, odds_mean : log odds of being locked
    lock_days : days for which a lock holds
    """

    power: Reverting
    weather: Reverting
    mood: Reverting
    locks: Reverting
    power_usd: FloatArray
    sun: FloatArray
    most_sun: FloatArray
    mood_start: float
    mood_mean: float
    mood_per_liquidity: float
    odds_start: float
    odds_mean: float
    odds_per_liquidity: float
    lock_days: int


@kernel
def _power(state: FloatArray, keep: float, shock: float, usd: float) -> None:
    """Move the log gap of the power price; `state` of shape (STATE_SIZE,), `usd` per kWh."""
    for k in range(WIDTH):
        gap = keep * state[POWER + k] + shock * state[NORMAL + k]
        state[POWER + k] = gap
        state[OUT + k] = usd * exponential(gap)


@kernel
def _weather(state: FloatArray, keep: float, shock: float, hours: float, most: float) -> None:
    """Move the weather; `state` of shape (STATE_SIZE,), `hours` and `most` in kWh per kWp."""
    for k in range(WIDTH):
        gap = keep * state[WEATHER + k] + shock * state[NORMAL + k]
        state[WEATHER + k] = gap
        state[OUT + k] = min(most, hours * exponential(gap))


@kernel
def _mood(state: FloatArray, keep: float, shock: float, mean: float, response: float) -> None:
    """Move the mood to where liquidity draws it; `state` of shape (STATE_SIZE,)."""
    for k in range(WIDTH):
        goal = mean + response * state[LIQUID + k]
        gap = keep * state[MOOD + k] + (1.0 - keep) * goal + shock * state[NORMAL + k]
        state[MOOD + k] = gap
        state[OUT + k] = exponential(gap)


@kernel
def _locks(state: FloatArray, keep: float, shock: float, mean: float, response: float) -> None:
    """Lock and unlock others' arrays as their odds go; a lock holds its time.

    `state` is of shape (STATE_SIZE,); its row RIPE has the locks whose time is over, OUT is written
    anew: the locks that there were.
    """
    for k in range(WIDTH):
        goal = mean + response * state[LIQUID + k]
        odds = keep * state[ODDS + k] + (1.0 - keep) * goal + shock * state[NORMAL + k]
        state[ODDS + k] = odds
        wanted = np.floor(N_ARRAYS / (1.0 + exponential(-odds)))
        before, left = state[LOCKED + k], state[UNLOCKED + k]
        surplus = max(0.0, before - left - wanted)
        left += min(surplus, state[RIPE + k] - left)
        state[UNLOCKED + k] = left
        state[LOCKED + k] = before + max(0.0, wanted - (before - left))


@inlined
def _start(state: FloatArray, scales: Scales) -> None:
    """Set the first day; `state` is of shape (STATE_SIZE,)."""
    first = np.floor(N_ARRAYS / (1.0 + exponential(np.float64(-scales.odds_start))))
    for k in range(WIDTH):
        state[POWER + k] = state[WEATHER + k] = 0.0
        state[MOOD + k], state[ODDS + k] = scales.mood_start, scales.odds_start
        state[LOCKED + k], state[UNLOCKED + k] = first, 0.0


@kernel
def _quantise(state: FloatArray) -> None:
    """Write silver as its feed says it to OUT; `state` of shape (STATE_SIZE,)."""
    for k in range(WIDTH):
        # a feed says at least one unit: zero would be no price
        units = np.floor(state[SILVER + k] * FEED_SCALE + 0.5)
        state[OUT + k] = max(1.0, units) / FEED_SCALE


@kernel
def shape(
    scales: Scales,
    silver_usd: FloatArray,
    liquidity: FloatArray,
    power: FloatArray,
    sun: FloatArray,
    mood: FloatArray,
    quantised: FloatArray,
    locked: FloatArray,
    unlocked: FloatArray,
) -> None:
    """Turn normals in `power`, `sun`, `mood` and `locked` into what they drive; write the others.

    All arrays are of shape (n_steps + 1, n_paths), as in `SolarNftDrivers`; n_paths is a multiple
    of WIDTH.
    """
    n_rows, n_paths = power.shape
    state = np.zeros(STATE_SIZE)
    for first in range(0, n_paths, WIDTH):
        _start(state, scales)
        for step in range(n_rows):
            # on the first day nothing has moved yet
            moves = 1.0 if step > 0 else 0.0
            read_row(state, SILVER, silver_usd, step, first, WIDTH)
            _quantise(state)
            write_row(state, OUT, quantised, step, first, WIDTH)
            read_row(state, LIQUID, liquidity, step, first, WIDTH)
            read_row(state, NORMAL, power, step, first, WIDTH)
            _power(state, scales.power.keep, moves * scales.power.shock, scales.power_usd[step])
            write_row(state, OUT, power, step, first, WIDTH)
            read_row(state, NORMAL, sun, step, first, WIDTH)
            shock, most = moves * scales.weather.shock, scales.most_sun[step]
            _weather(state, scales.weather.keep, shock, scales.sun[step], most)
            write_row(state, OUT, sun, step, first, WIDTH)
            read_row(state, NORMAL, mood, step, first, WIDTH)
            keep = scales.mood.keep if step > 0 else 1.0
            shock, response = moves * scales.mood.shock, scales.mood_per_liquidity
            _mood(state, keep, shock, scales.mood_mean, response)
            write_row(state, OUT, mood, step, first, WIDTH)
            if step > 0:
                for k in range(WIDTH):
                    state[RIPE + k] = 0.0
                if step >= scales.lock_days:
                    read_row(state, RIPE, locked, step - scales.lock_days, first, WIDTH)
                read_row(state, NORMAL, locked, step, first, WIDTH)
                keep, shock = scales.locks.keep, scales.locks.shock
                _locks(state, keep, shock, scales.odds_mean, scales.odds_per_liquidity)
            write_row(state, LOCKED, locked, step, first, WIDTH)
            write_row(state, UNLOCKED, unlocked, step, first, WIDTH)
