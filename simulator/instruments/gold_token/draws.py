"""The metal token's drivers, LANES paths side by side: price, premium, backing, supply."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential, nearest
from simulator.market.philox import fill_normals
from simulator.units import FEED_DECIMALS, LANES, FloatArray

FEED_UNITS = 10.0**FEED_DECIMALS

_PREMIUM = 0
_DEMAND = LANES
_SUPPLY = 2 * LANES
_SHORTFALL_DAY = 3 * LANES
_DRIFT = 4 * LANES
_LEFT = 5 * LANES
_ROWS = 6 * LANES


class Numbers(NamedTuple):
    """The terms as numbers: log gaps, ounces, shares.

    The premium's gap to its mean is multiplied by `premium_pull` a day and shaken by
    `premium_shock` times two normals. Supply grows by a drift and `supply_shock` times a normal,
    and is a multiple of one over `supply_units`; a path's drift is `supply_drift` and
    `drift_deviation` times one normal that it keeps.
    """

    premium_mean: float
    premium_floor: float
    premium_ceiling: float
    premium_pull: float
    premium_shock: float
    supply_ounces: float
    supply_drift: float
    drift_deviation: float
    supply_shock: float
    supply_units: float


@inlined
def _pull(
    premium: FloatArray,
    rows: FloatArray,
    normals: FloatArray,
    others: FloatArray,
    terms: Numbers,
) -> None:
    """Write the day's premium; its shocks are products of two normals (excess kurtosis 6).

    `rows`, the lanes' state, is of shape (_ROWS,), the others are of shape (LANES,).
    """
    for lane in range(LANES):
        shock = normals[lane] * others[lane] * terms.premium_shock
        gap = terms.premium_pull * (rows[_PREMIUM + lane] - terms.premium_mean)
        pulled = terms.premium_mean + gap + shock
        pulled = pulled if pulled > terms.premium_floor else terms.premium_floor
        pulled = pulled if pulled < terms.premium_ceiling else terms.premium_ceiling
        rows[_PREMIUM + lane] = pulled
        premium[lane] = pulled


@inlined
def _start(premium: FloatArray, rows: FloatArray, normals: FloatArray, terms: Numbers) -> None:
    """Write the first day's premium and begin the state, a path's drift of the supply with it.

    `rows`, the lanes' state, is of shape (_ROWS,), the others are of shape (LANES,).
    """
    for lane in range(LANES):
        rows[_DRIFT + lane] = terms.supply_drift + terms.drift_deviation * normals[lane]
        rows[_PREMIUM + lane] = terms.premium_mean
        rows[_DEMAND + lane] = 1.0
        premium[lane] = terms.premium_mean


@inlined
def _back(backing: FloatArray, rows: FloatArray, day: float) -> None:
    """Write the ounces behind a token, shape (LANES,); `rows` is of shape (_ROWS,)."""
    for lane in range(LANES):
        backing[lane] = rows[_LEFT + lane] if day >= rows[_SHORTFALL_DAY + lane] else 1.0


@inlined
def _price(
    token_usd: FloatArray, metal_usd: FloatArray, premium: FloatArray, backing: FloatArray
) -> None:
    """Write the token's price: metal x backing x exp(premium), in units of the feed.

    Rows are of shape (LANES,), prices in USD.
    """
    for lane in range(LANES):
        price = metal_usd[lane] * backing[lane] * exponential(premium[lane])
        token_usd[lane] = nearest(price * FEED_UNITS) / FEED_UNITS


@inlined
def _quantise(metal_usd: FloatArray, spot: FloatArray) -> None:
    """Write the metal's price in units of the feed, one at least; rows of shape (LANES,), USD."""
    for lane in range(LANES):
        units = nearest(spot[lane] * FEED_UNITS)
        units = units if units > 1.0 else 1.0
        metal_usd[lane] = units / FEED_UNITS


@inlined
def _supply(
    supply: FloatArray,
    rows: FloatArray,
    normals: FloatArray,
    backing: FloatArray,
    first: bool,
    terms: Numbers,
) -> None:
    """Write the supply: it follows demand, but cannot grow once metal is missing.

    `rows`, the lanes' state, is of shape (_ROWS,), the others are of shape (LANES,); supply in
    ounces.
    """
    for lane in range(LANES):
        growth = exponential(rows[_DRIFT + lane] + terms.supply_shock * normals[lane])
        index = rows[_DEMAND + lane] * (1.0 if first else growth)
        rows[_DEMAND + lane] = index
        demand = terms.supply_ounces * index
        before = rows[_SUPPLY + lane]
        held = before if before < demand else demand
        held = demand if backing[lane] >= 1.0 else held
        rows[_SUPPLY + lane] = held
        supply[lane] = nearest(held * terms.supply_units) / terms.supply_units


@inlined
def _reserve(reserve: FloatArray, supply: FloatArray, backing: FloatArray) -> None:
    """Write the ounces that are there, supply times backing; rows of shape (LANES,)."""
    for lane in range(LANES):
        reserve[lane] = supply[lane] * backing[lane]


@kernel
def draw(
    terms: Numbers,
    spot: FloatArray,
    shortfall_step: npt.NDArray[np.int64],
    backing_left: FloatArray,
    seed: int,
    streams: tuple[int, int, int],
    first_path: int,
    metal_usd: FloatArray,
    token_usd: FloatArray,
    premium: FloatArray,
    backing: FloatArray,
    supply_ounces: FloatArray,
    reserve_ounces: FloatArray,
) -> None:
    """Write the drivers, arrays of shape (n_steps + 1, n_paths), n_paths a multiple of LANES.

    Parameters
    ----------
    spot : ndarray of shape (n_steps + 1, n_paths), USD per ounce
    shortfall_step : ndarray of shape (n_paths,), int64
    backing_left : ndarray of shape (n_paths,)
        Ounces behind a token from that step on.
    streams : tuple of int
        Of the premium, its dislocations and the supply.
    """
    n_rows, n_paths = spot.shape
    words = np.empty(4 * LANES, np.uint32)
    normals = np.empty((3, 4, LANES))
    rows = np.empty(_ROWS)
    for first in range(0, n_paths, LANES):
        for lane in range(LANES):
            rows[_SHORTFALL_DAY + lane] = float(shortfall_step[first + lane])
            rows[_LEFT + lane] = backing_left[first + lane]
        for step in range(n_rows):
            turn = step % 4
            if turn == 0:
                for place in range(3):
                    path = first_path + first
                    fill_normals(normals[place], words, seed, step // 4, streams[place], path)
            gap = premium[step, first : first + LANES]
            whole = backing[step, first : first + LANES]
            metal = metal_usd[step, first : first + LANES]
            supply = supply_ounces[step, first : first + LANES]
            if step == 0:
                # no demand moves on the first day: its normal is left for the path's drift
                _start(gap, rows, normals[2, 0], terms)
            else:
                _pull(gap, rows, normals[0, turn], normals[1, turn], terms)
            _back(whole, rows, float(step))
            _quantise(metal, spot[step, first : first + LANES])
            _price(token_usd[step, first : first + LANES], metal, gap, whole)
            _supply(supply, rows, normals[2, turn], whole, step == 0, terms)
            _reserve(reserve_ounces[step, first : first + LANES], supply, whole)


@kernel
def reprice(
    token_usd: FloatArray, metal_usd: FloatArray, premium: FloatArray, backing: FloatArray
) -> None:
    """Write the token's price anew, once its premium has changed.

    Arrays of shape (n_steps + 1, n_paths), as those of `draw`.
    """
    n_rows, n_paths = metal_usd.shape
    for step in range(n_rows):
        for first in range(0, n_paths, LANES):
            last = first + LANES
            _price(
                token_usd[step, first:last],
                metal_usd[step, first:last],
                premium[step, first:last],
                backing[step, first:last],
            )
