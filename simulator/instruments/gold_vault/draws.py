"""The vault's drivers, LANES paths side by side: demand for loans, flows, the reward's price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential, logarithm
from simulator.market.philox import fill_normals
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray, StepArray

WINDOW_DAYS = 30
"""Days over which borrowers and depositors look back at gold's volatility and return."""

LEAST_RELATIVE = 1e-3
"""Least volatility over the long-run volatility that demand responds to."""
MOST_FLOW = 0.5
"""The most that flows in or out on a day, as a share of deposits."""

_N_ROWS = 7
_LOGS, _SUM, _SQUARES, _GAP, _LOG_REWARD, _VARIANCE, _MOMENTUM = range(0, _N_ROWS * LANES, LANES)


class Numbers(NamedTuple):
    """The terms as numbers; see `terms` for those of the same name.

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

    Parameters
    ----------
    rows : ndarray of shape (_N_ROWS * LANES,)
    sums, squares : ndarray of shape (WINDOW_DAYS * LANES,)
        Running sums of log returns and of their squares at the last WINDOW_DAYS steps.
    gold : ndarray of shape (LANES,), USD per ounce
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
        # the difference of two running sums may be a rounding below zero
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
    """Write demand: what is usual, times the response, times a gap with unit expectation.

    `demand` and `normals` are of shape (LANES,), `rows` of (_N_ROWS * LANES,).
    """
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
    """Write the crowd's net flow; `flow` and `normals` are of shape (LANES,)."""
    for lane in range(LANES):
        net = terms.flow_deviation * normals[lane] + terms.flow_momentum * rows[_MOMENTUM + lane]
        net = net if net > -MOST_FLOW else -MOST_FLOW
        flow[lane] = net if net < MOST_FLOW else MOST_FLOW


@inlined
def _price(
    reward_usd: FloatArray,
    rows: FloatArray,
    normals: FloatArray,
    exploit_step: StepArray,
    step: int,
    level: float,
    terms: Numbers,
) -> None:
    """Write the reward's price: lognormal, at `level`, and fallen from an exploit on.

    `reward_usd`, `normals` and `exploit_step` (int64) are of shape (LANES,).
    """
    moves = 0.0 if step == 0 else 1.0
    for lane in range(LANES):
        change = terms.reward_drift + terms.reward_shock * normals[lane]
        log_price = rows[_LOG_REWARD + lane] + change * moves
        rows[_LOG_REWARD + lane] = log_price
        fallen = 1.0 - terms.fall_on_exploit if step >= exploit_step[lane] else 1.0
        reward_usd[lane] = level * exponential(log_price) * fallen


@kernel
def draw(
    terms: Numbers,
    gold_usd: FloatArray,
    demand_level: FloatArray,
    reward_level: FloatArray,
    exploit_step: StepArray,
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
    gold_usd : ndarray of shape (n_steps + 1, n_paths), USD per ounce
        n_paths is a multiple of LANES.
    demand_level : ndarray of shape (n_steps + 1,), ounces
        Usual demand over exp of half the gap's variance.
    reward_level : ndarray of shape (n_steps + 1,), USD
        Price without its moves.
    exploit_step : ndarray of shape (n_paths,), int64
        From this step on the reward has fallen.
    streams : tuple of int
        Of demand, flow and the reward's price.
    demand_ounces, flow, reward_usd : ndarray of shape (n_steps + 1, n_paths)
        Written: ounces, share of the crowd's deposits, USD.
    """
    n_rows, n_paths = gold_usd.shape
    words = np.empty(4 * LANES, np.uint32)
    normals = np.empty((3, 4, LANES))
    rows = np.empty(_N_ROWS * LANES)
    sums, squares = np.empty(WINDOW_DAYS * LANES), np.empty(WINDOW_DAYS * LANES)
    for first in range(0, n_paths, LANES):
        rows[:] = 0.0
        sums[:] = 0.0
        squares[:] = 0.0
        exploit = exploit_step[first : first + LANES]
        for step in range(n_rows):
            # a call of the generator gives four words, so one serves four steps
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
            _price(to, rows, shocks, exploit, step, level, terms)
