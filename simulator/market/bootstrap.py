"""The stationary block bootstrap: prices made of blocks of past days, all assets together.

On each trading day a path goes on to the next day of the history, or, with probability
1 / mean block length and on the first day, jumps to a day drawn at random. The history is a
circle: its first day follows its last. All assets take the same day, which keeps their
correlation; days within a block keep their order, which keeps the clusters of volatility.

Where the history is of weeks or months, read *week* or *month* for *day*: the run's calendar
steps through the periods, and prices move on the last trading day of each (`moving_days`).

The history's own mean does not count as a forecast: it is replaced by the scenario's drift.
With r the history's returns and i_k the day of the k-th trading day,

    ln S += drift * year_fraction * d + r[i_k] - c_k,   c_k = ln(m_k / m_(k-1)),
    m_k = E exp(r[i_1] + ... + r[i_k])

so that E[S_t] = S_0 exp(drift t) on every trading day, exactly. m_k is known without
drawing: with v_k(i) = E[exp(sum); i_k = i], p = 1 / mean block length and n days,

    v_1(i) = e^r[i] / n,   v_(k+1)(i) = e^r[i] ((1 - p) v_k(i - 1) + p / n sum v_k)

c_1 is ln mean(e^r), the whole correction where days are independent; in blocks the returns'
autocorrelation comes in addition.

Counters, as in `market/draws.py`: group g holds the steps 4g to 4g + 3, word s belongs to
step 4g + s. Streams BLOCK_END (does a new block begin) and BLOCK_START (where).

References
----------
Politis and Romano (1994), doi:10.1080/01621459.1994.10476870.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.jit import inlined, kernel
from simulator.market.draws import GROUP, ROWS
from simulator.market.elementary import exponential
from simulator.market.frequency import PERIODS_PER_YEAR, Kind
from simulator.market.philox import Integer, WordArray, fill_words
from simulator.market.streams import Stream
from simulator.units import LANES, BoolArray, FloatArray, calendar, trading_days

_BLOCK_START = int(Stream.BLOCK_START)
_BLOCK_END = int(Stream.BLOCK_END)
_WORD_BITS = np.uint64(32)
_LONGEST_PERIOD_DAYS = 45
"""More than the days from the end of a run to the first trading day of the next month."""


@dataclass(frozen=True, eq=False)
class History:
    """The periods to draw from: days, weeks or months.

    returns : (n_assets, n_periods), log returns of successive periods, common to all
    mean_block : mean length of a block in periods, at least 1
    kind : how long a period is
    file, sha256 : where they came from
    notes : what was left out of the table or assumed

    Raises
    ------
    ValueError
        A block is shorter than a period.
    """

    returns: FloatArray
    mean_block: float
    kind: Kind = Kind.TRADING_DAYS
    file: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.mean_block >= 1:
            raise ValueError(f"mean_block is {self.mean_block}; must be at least 1")

    @property
    def periods_per_year(self) -> int:
        """Return the periods of a year: 252, 365, 52 or 12."""
        return PERIODS_PER_YEAR[self.kind]

    @property
    def noun(self) -> str:
        """Return what a period is called: day, week or month."""
        return {Kind.WEEKLY: "week", Kind.MONTHLY: "month"}.get(self.kind, "day")

    def compensators(self, n_ticks: int) -> FloatArray:
        """Return c_1 to c_n, shape (n_assets, n_ticks): see the module."""
        n_assets, n_days = self.returns.shape
        growth = np.exp(self.returns)
        new = 1 / self.mean_block
        found = np.empty((n_assets, n_ticks))
        # Kept to a sum of 1 from tick to tick: only the ratio of two sums is wanted.
        weights = np.full((n_assets, n_days), 1 / n_days)
        for tick in range(n_ticks):
            if tick:
                weights = (1 - new) * np.roll(weights, 1, axis=1) + new / n_days
            weights = growth * weights
            sums = weights.sum(axis=1)
            found[:, tick] = np.log(sums)
            weights = weights / sums[:, None]
        return found


def moving_days(start: dt.date, n_steps: int, kind: Kind, every_day: bool = False) -> BoolArray:
    """Return on which dates prices move, shape (n_steps + 1,): on the last one of each period.

    A week ends on Sunday. A period that the run breaks off does not move.

    Parameters
    ----------
    kind : Kind
        Period of the history.
    every_day : bool
        Whether the assets trade on weekends and holidays too.
    """
    beyond = n_steps + _LONGEST_PERIOD_DAYS
    dates = calendar(start, beyond)
    days = np.ones(beyond + 1, dtype=np.bool_) if every_day else trading_days(start, beyond)
    if kind in (Kind.WEEKLY, Kind.MONTHLY):
        periods = dates.to_period("W-SUN" if kind is Kind.WEEKLY else "M").asi8
        open_days = np.flatnonzero(days)
        ends = np.flatnonzero(np.diff(periods[open_days]))
        days = np.zeros(beyond + 1, dtype=np.bool_)
        days[open_days[ends]] = True
    return days[: n_steps + 1]


class Resampling(NamedTuple):
    """A history in the form the kernel reads.

    spot, log_spot : (n_assets,)
    drift : (n_assets, n_steps + 1), log drift that lands on each step, less c_k
    trading : (n_steps + 1,), the same for all assets
    returns : (n_assets, n_days)
    threshold : a new block begins where the 32-bit word is below it
    """

    spot: FloatArray
    log_spot: FloatArray
    drift: FloatArray
    trading: BoolArray
    returns: FloatArray
    threshold: np.uint64


def resampling(
    history: History, spot: FloatArray, drift: FloatArray, trading: BoolArray
) -> Resampling:
    """Return the kernel's tables.

    Parameters
    ----------
    drift : ndarray of shape (n_assets, n_steps + 1)
        The drift of the calendar that lands on each step.
    trading : ndarray of shape (n_assets, n_steps + 1)

    Raises
    ------
    ValueError
        Assets trade on different days: they could not share the history's days.
    """
    days = trading[0].copy()
    days[0] = False
    if np.any(trading[:, 1:] != days[1:]):
        raise ValueError("a bootstrap needs assets that trade on the same days")
    lowered = drift.copy()
    lowered[:, days] -= history.compensators(int(days.sum()))
    return Resampling(
        spot=np.array(spot, dtype=np.float64),
        log_spot=np.log(spot),
        drift=np.ascontiguousarray(lowered),
        trading=days,
        returns=np.array(history.returns, dtype=np.float64, order="C"),
        threshold=np.uint64(round(2.0**32 / history.mean_block)),
    )


@kernel
def fill_resampled(tables: Resampling, seed: Integer, first_path: Integer, out: FloatArray) -> None:
    """Fill `out`, of shape (n_assets, n_steps + 1, a multiple of LANES), with prices."""
    ends = np.empty(ROWS, np.uint32)
    starts = np.empty(ROWS, np.uint32)
    day = np.empty(LANES, np.int64)
    log_price = np.empty((out.shape[0], LANES), np.float64)
    for lane_start in range(0, out.shape[2], LANES):
        for asset in range(out.shape[0]):
            for lane in range(LANES):
                log_price[asset, lane] = tables.log_spot[asset]
                out[asset, 0, lane_start + lane] = tables.spot[asset]
        path = np.uint64(first_path) + np.uint64(lane_start)
        _walk(tables, ends, starts, day, log_price, seed, path, out, lane_start)


@kernel
def _walk(
    tables: Resampling,
    ends: WordArray,
    starts: WordArray,
    day: npt.NDArray[np.int64],
    log_price: FloatArray,
    seed: Integer,
    path: Integer,
    out: FloatArray,
    lane_start: int,
) -> None:
    """Write the prices of LANES paths from step 1 on.

    Parameters
    ----------
    ends, starts : ndarray of shape (ROWS,), uint32
        Scratch.
    day : ndarray of shape (LANES,), int64
        Scratch.
    log_price : ndarray of shape (n_assets, LANES)
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
    """
    _, _, drift, trading, returns, threshold = tables
    begun = False
    for group in range((out.shape[1] - 1) // GROUP + 1):
        fill_words(ends, 0, seed, group, _BLOCK_END, path)
        fill_words(starts, 0, seed, group, _BLOCK_START, path)
        for step in range(max(1, group * GROUP), min((group + 1) * GROUP, out.shape[1])):
            if trading[step]:
                everywhere = np.uint64(threshold if begun else 2**32)
                _choose_days(day, ends, starts, step % GROUP * LANES, everywhere, returns.shape[1])
                begun = True
            for asset in range(out.shape[0]):
                if trading[step]:
                    log_drift = drift[asset, step]
                    _move(out, log_price, returns, day, log_drift, asset, step, lane_start)
                else:
                    _stand_still(out, asset, step, lane_start)


@inlined
def _move(
    out: FloatArray,
    log_price: FloatArray,
    returns: FloatArray,
    day: npt.NDArray[np.int64],
    drift: float,
    asset: int,
    step: int,
    lane_start: int,
) -> None:
    """Move an asset's log prices by the drift and by the past returns of each lane's day.

    Parameters
    ----------
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
    log_price : ndarray of shape (n_assets, LANES)
    returns : ndarray of shape (n_assets, n_days)
    day : ndarray of shape (LANES,), int64
    """
    prices = out[asset, step, lane_start : lane_start + LANES]
    log_row = log_price[asset]
    past = returns[asset]
    # in two loops: only the second has no look-up, and becomes vector instructions
    for lane in range(LANES):
        log_row[lane] += drift + past[day[lane]]
    for lane in range(LANES):
        prices[lane] = exponential(log_row[lane])


@inlined
def _stand_still(out: FloatArray, asset: int, step: int, lane_start: int) -> None:
    """Carry prices on over a day without trade; `out` of shape (n_assets, n_steps + 1, n_paths)."""
    before = out[asset, step - 1, lane_start : lane_start + LANES]
    prices = out[asset, step, lane_start : lane_start + LANES]
    for lane in range(LANES):
        prices[lane] = before[lane]


@inlined
def _choose_days(
    day: npt.NDArray[np.int64],
    ends: WordArray,
    starts: WordArray,
    offset: int,
    threshold: np.uint64,
    n_days: int,
) -> None:
    """Write each lane's day of the history, shape (LANES,): the next one, or that of a new block.

    `ends` and `starts` are of shape (ROWS,).
    """
    for lane in range(LANES):
        if np.uint64(ends[offset + lane]) < threshold:
            word = np.uint64(starts[offset + lane])
            day[lane] = np.int64(np.uint64(word * np.uint64(n_days)) >> _WORD_BITS)
        else:
            day[lane] = day[lane] + 1 if day[lane] + 1 < n_days else 0
