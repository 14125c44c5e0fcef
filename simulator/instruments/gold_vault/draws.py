"""The vault's drivers, LANES paths side by side: demand for loans, flows, the reward's price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential, logarithm
from simulator.market.philox import fill_normals
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

WINDOW_DAYS = 30
"""Days over which borrowers and depositors look back at gold's volatility and return."""

LEAST_RELATIVE = 1e-3
"""Least volatility over the long-run volatility that demand responds to."""
MOST_FLOW = 0.5
"""The most that flows in or out on a day, as a share of deposits."""

_LOGS = 0
_SUM = LANES
_SQUARES = 2 * LANES
_GAP = 3 * LANES
_LOG_REWARD = 4 * LANES
_VARIANCE = 5 * LANES
_MOMENTUM = 6 * LANES
_ROWS = 7 * LANES


class Numbers(NamedTuple):
    """The terms as numbers; see `scenario.instruments` for those of the same name.

    `demand_pull` and `demand_shock` make the log gap of demand: gap * pull + normal * shock;
    `reward_drift` and `reward_shock` the daily log change of the reward's price.
    """

    long_run_volatility: float
    volatility_response: float
    momentum_response: float
    demand_pull: float
    demand_shock: float
    flow_deviation: float
    flow_momentum: float
    reward_drift: float
    reward_shock: float
    fall_on_exploit: float


@inlined
def _look_back(
    rows: FloatArray,
    sums: FloatArray,
    squares: FloatArray,
    gold: FloatArray,
    step: int,
    long_run_volatility: float,
) -> None:
    """Write gold's annual variance and log return over the window that ends at `step`.

    Before the window is full the missing days count as the long-run volatility and as no
    return.
    `sums` and `squares` hold the running sums of the last WINDOW_DAYS steps, a row each.
    """
    missing = max(WINDOW_DAYS - step, 0) * long_run_volatility**2 / DAYS_PER_YEAR
    known = 0.0 if step == 0 else 1.0
    place = step % WINDOW_DAYS * LANES
    old_sums, old_squares = sums[place : place + LANES], squares[place : place + LANES]
    for lane in range(LANES):
        log_gold = logarithm(gold[lane])
        change = (log_gold - rows[_LOGS + lane]) * known
        rows[_LOGS + lane] = log_gold
        total = rows[_SUM + lane] + change
        square = rows[_SQUARES + lane] + change * change
        rows[_SUM + lane] = total
        rows[_SQUARES + lane] = square
        window = square - old_squares[lane] + missing
        window = window if window > 0.0 else 0.0
        rows[_VARIANCE + lane] = window * (DAYS_PER_YEAR / WINDOW_DAYS)
        rows[_MOMENTUM + lane] = total - old_sums[lane]
    for lane in range(LANES):
        old_sums[lane] = rows[_SUM + lane]
        old_squares[lane] = rows[_SQUARES + lane]


@inlined
def _want(
    demand: FloatArray, rows: FloatArray, normals: FloatArray, level: float, terms: Numbers
) -> None:
    """Write demand: what is usual, times the response, times a gap with unit expectation."""
    least = (LEAST_RELATIVE * terms.long_run_volatility) ** 2
    usual = np.log(terms.long_run_volatility)
    for lane in range(LANES):
        gap = normals[lane] * terms.demand_shock + terms.demand_pull * rows[_GAP + lane]
        rows[_GAP + lane] = gap
        variance = rows[_VARIANCE + lane]
        variance = variance if variance > least else least
        relative = 0.5 * logarithm(variance) - usual
        response = terms.volatility_response * relative
        response += terms.momentum_response * rows[_MOMENTUM + lane]
        demand[lane] = level * exponential(response + gap)


@inlined
def _flow(flow: FloatArray, rows: FloatArray, normals: FloatArray, terms: Numbers) -> None:
    for lane in range(LANES):
        net = terms.flow_deviation * normals[lane] + terms.flow_momentum * rows[_MOMENTUM + lane]
        net = net if net > -MOST_FLOW else -MOST_FLOW
        flow[lane] = net if net < MOST_FLOW else MOST_FLOW


@inlined
def _price(
    reward_usd: FloatArray,
    rows: FloatArray,
    normals: FloatArray,
    exploit_day: FloatArray,
    day: float,
    level: float,
    terms: Numbers,
) -> None:
    """Write the reward's price: lognormal, at `level`, and fallen from an exploit on."""
    moves = 0.0 if day == 0.0 else 1.0
    for lane in range(LANES):
        change = terms.reward_drift + terms.reward_shock * normals[lane]
        log_price = rows[_LOG_REWARD + lane] + change * moves
        rows[_LOG_REWARD + lane] = log_price
        fallen = 1.0 - terms.fall_on_exploit if day >= exploit_day[lane] else 1.0
        reward_usd[lane] = level * exponential(log_price) * fallen


@kernel
def draw(
    terms: Numbers,
    gold_usd: FloatArray,
    demand_level: FloatArray,
    reward_level: FloatArray,
    exploit_step: npt.NDArray[np.int64],
    seed: int,
    streams: tuple[int, int, int],
    first_path: int,
    demand_ounces: FloatArray,
    flow: FloatArray,
    reward_usd: FloatArray,
) -> None:
    """Write demand, flow and the reward's price.

    Parameters
    ----------
    gold_usd : ndarray of shape (n_steps + 1, n_paths), n_paths a multiple of LANES
    demand_level, reward_level : ndarray of shape (n_steps + 1,)
        Usual demand over exp of half the gap's variance; price without its moves.
    streams : tuple of int
        Of demand, flow and the reward's price.
    demand_ounces, flow, reward_usd : ndarray of shape (n_steps + 1, n_paths)
        Written.
    """
    n_rows, n_paths = gold_usd.shape
    words = np.empty(4 * LANES, np.uint32)
    normals = np.empty((3, 4, LANES))
    rows = np.empty(_ROWS)
    sums, squares = np.empty(WINDOW_DAYS * LANES), np.empty(WINDOW_DAYS * LANES)
    exploit_day = np.empty(LANES)
    for first in range(0, n_paths, LANES):
        rows[:] = 0.0
        sums[:] = 0.0
        squares[:] = 0.0
        for lane in range(LANES):
            exploit_day[lane] = float(exploit_step[first + lane])
        for step in range(n_rows):
            if step % 4 == 0:
                for place in range(3):
                    path = first_path + first
                    fill_normals(normals[place], words, seed, step // 4, streams[place], path)
            gold = gold_usd[step, first : first + LANES]
            _look_back(rows, sums, squares, gold, step, terms.long_run_volatility)
            to = demand_ounces[step, first : first + LANES]
            _want(to, rows, normals[0, step % 4], demand_level[step], terms)
            _flow(flow[step, first : first + LANES], rows, normals[1, step % 4], terms)
            to = reward_usd[step, first : first + LANES]
            level, shocks = reward_level[step], normals[2, step % 4]
            _price(to, rows, shocks, exploit_day, float(step), level, terms)
