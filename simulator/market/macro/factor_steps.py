"""A day of the factors on LANES paths: regimes switch, states advance, drivers gather."""

from __future__ import annotations

import numpy as np

from simulator.jit import inlined, kernel
from simulator.market.draws import ROWS, Float32Array, IntArray
from simulator.market.elementary import exponential
from simulator.market.macro.names import N_STATES, Driver, State
from simulator.market.philox import WordArray
from simulator.units import LANES, FloatArray

_REAL_RATE = int(State.REAL_RATE)
_INFLATION = int(State.INFLATION)
_PURCHASES = int(State.PURCHASES)
_SALES = int(State.SALES)
_INDUSTRIAL = int(State.SILVER_INDUSTRIAL)
_COPPER_DEMAND = int(State.COPPER_DEMAND)
_COPPER_SUPPLY = int(State.COPPER_SUPPLY)
_LIQUIDITY = int(State.LIQUIDITY)
_RATE = int(Driver.RATE)
_LEVEL = int(Driver.LEVEL)
_BANKS = int(Driver.BANKS)
_SILVER = int(Driver.SILVER)
_COPPER = int(Driver.COPPER)
_LIQUID = int(Driver.LIQUIDITY)
_NOMINAL = int(Driver.NOMINAL)


@inlined
def enter(
    lane: int,
    number: int,
    regime: IntArray,
    a: Float32Array,
    b: Float32Array,
    m: Float32Array,
    shifts: FloatArray,
    weights: Float32Array,
    rate_shift: FloatArray,
    liquidity_shift: FloatArray,
) -> None:
    """Put a lane into a regime: its shifts, and the weights of every asset.

    Parameters
    ----------
    regime : ndarray of shape (LANES,), int64
    a, b, m : ndarray of shape (n_assets, LANES), float32
    shifts : ndarray of shape (2, LANES)
        Of the rate and of liquidity.
    weights : ndarray of shape (4, 3, n_assets), float32
    rate_shift, liquidity_shift : ndarray of shape (4,)
    """
    regime[lane] = number
    shifts[0, lane] = rate_shift[number]
    shifts[1, lane] = liquidity_shift[number]
    for asset in range(a.shape[0]):
        a[asset, lane] = weights[number, 0, asset]
        b[asset, lane] = weights[number, 1, asset]
        m[asset, lane] = weights[number, 2, asset]


@kernel
def switch_regimes(
    words: WordArray,
    turn: int,
    switch: WordArray,
    regime: IntArray,
    a: Float32Array,
    b: Float32Array,
    m: Float32Array,
    shifts: FloatArray,
    weights: Float32Array,
    rate_shift: FloatArray,
    liquidity_shift: FloatArray,
) -> None:
    """Draw the day's regimes; hardly any lane leaves its own.

    Arrays that are not named here are as in `enter`.

    Parameters
    ----------
    words : ndarray of shape (ROWS,), uint32
    switch : ndarray of shape (4, 4), uint32
        The next regime is the first whose entry is above the word.
    """
    last = switch.shape[1] - 1
    for lane in range(LANES):
        word = words[turn * LANES + lane]
        row = regime[lane]
        if word < switch[row, last]:
            number = 0
            while word >= switch[row, number]:
                number += 1
            enter(lane, number, regime, a, b, m, shifts, weights, rate_shift, liquidity_shift)


@inlined
def advance(
    x: FloatArray,
    normals: Float32Array,
    state: int,
    turn: int,
    decay: float,
    constant: float,
    deviation: float,
) -> None:
    """Move a state by a day: decay x + constant + deviation * normal.

    `x` is of shape (N_STATES, LANES), `normals` of shape ((N_STATES + 1) * ROWS,), float32.
    """
    row = x[state]
    start = state * ROWS + turn * LANES
    normal = normals[start : start + LANES]
    for lane in range(LANES):
        row[lane] = decay * row[lane] + constant + deviation * np.float64(normal[lane])


@inlined
def surprise(
    x: FloatArray,
    driver: FloatArray,
    shifts: FloatArray,
    normals: Float32Array,
    outages: Float32Array,
    turn: int,
    deviation: float,
) -> None:
    """Add what the day brings beside the normals; the rate's news are its normals alone.

    Parameters
    ----------
    x : ndarray of shape (N_STATES, LANES)
    driver : ndarray of shape (N_DRIVERS, LANES)
    shifts : ndarray of shape (2, LANES)
    normals : ndarray of shape ((N_STATES + 1) * ROWS,), float32
    outages : ndarray of shape (ROWS,), float32
    """
    rate = x[_REAL_RATE]
    shift = shifts[0]
    supply = x[_COPPER_SUPPLY]
    lost = outages[turn * LANES : (turn + 1) * LANES]
    news = driver[_RATE]
    start = _REAL_RATE * ROWS + turn * LANES
    normal = normals[start : start + LANES]
    points = 100.0 * deviation
    for lane in range(LANES):
        rate[lane] += shift[lane]
    for lane in range(LANES):
        supply[lane] -= np.float64(lost[lane])
    for lane in range(LANES):
        news[lane] += points * np.float64(normal[lane])


@inlined
def gather(
    x: FloatArray,
    driver: FloatArray,
    shifts: FloatArray,
    expected: FloatArray,
    rates: FloatArray,
    weights: FloatArray,
    step: int,
    year_fraction: float,
) -> None:
    """Add the day to the drivers: what is there less what was expected.

    Parameters
    ----------
    x : ndarray of shape (N_STATES, LANES)
    driver : ndarray of shape (N_DRIVERS, LANES)
    shifts : ndarray of shape (2, LANES)
    expected : ndarray of shape (N_DRIVERS, n_steps + 1)
    rates, weights : ndarray of shape (4,)
    """
    rate = x[_REAL_RATE]
    inflation = x[_INFLATION]
    k0, k1, n0, n1 = rates[0], rates[1], rates[2], rates[3]
    level = driver[_LEVEL]
    usual = expected[_LEVEL, step]
    for lane in range(LANES):
        ex_post = rate[lane] + k0 + k1 * inflation[lane]
        level[lane] += year_fraction * (100.0 * ex_post - usual)
    nominal = driver[_NOMINAL]
    usual = expected[_NOMINAL, step]
    for lane in range(LANES):
        nominal[lane] += year_fraction * (rate[lane] + n0 + n1 * inflation[lane] - usual)
    banks = driver[_BANKS]
    bought = x[_PURCHASES]
    sold = x[_SALES]
    usual = expected[_BANKS, step]
    for lane in range(LANES):
        net = exponential(bought[lane]) - exponential(sold[lane])
        banks[lane] += year_fraction * (0.01 * net - usual)
    silver = driver[_SILVER]
    usual = expected[_SILVER, step]
    for lane in range(LANES):
        silver[lane] = -usual
    for part in range(4):
        quantity = x[_INDUSTRIAL + part]
        weight = weights[part]
        for lane in range(LANES):
            silver[lane] += weight * quantity[lane]
    copper = driver[_COPPER]
    demand = x[_COPPER_DEMAND]
    supply = x[_COPPER_SUPPLY]
    usual = expected[_COPPER, step]
    for lane in range(LANES):
        copper[lane] = demand[lane] - supply[lane] - usual
    liquid = driver[_LIQUID]
    liquidity = x[_LIQUIDITY]
    shift = shifts[1]
    usual = expected[_LIQUID, step]
    for lane in range(LANES):
        liquid[lane] += year_fraction * (liquidity[lane] + shift[lane] - usual)


@kernel
def keep(
    states: FloatArray,
    x: FloatArray,
    shifts: FloatArray,
    regime: IntArray,
    step: int,
    lane_start: int,
) -> None:
    """Write the states of a day, liquidity with its regime's shift, and the regime.

    Parameters
    ----------
    states : ndarray of shape (N_STATES + 1, n_steps + 1, n_paths)
    x : ndarray of shape (N_STATES, LANES)
    shifts : ndarray of shape (2, LANES)
    regime : ndarray of shape (LANES,), int64
    """
    for state in range(N_STATES):
        for lane in range(LANES):
            states[state, step, lane_start + lane] = x[state, lane]
    for lane in range(LANES):
        states[_LIQUIDITY, step, lane_start + lane] += shifts[1, lane]
        states[N_STATES, step, lane_start + lane] = np.float64(regime[lane])
