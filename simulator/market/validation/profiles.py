"""What the pictures show: the history's curves beside the range of simulated histories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.market.dynamics import MarketSpec, fill
from simulator.market.validation.past import Days, Past
from simulator.market.validation.statistics import DRAWDOWN_DAYS, HORIZONS, window_drawdowns
from simulator.units import LANES, FloatArray

RANGE = (0.05, 0.95)
_BINS = 33
_MOST_LAGS = 120
_LAG_STEP = 5


@dataclass(frozen=True, eq=False)
class Profile:
    """One curve: a density over bins, or an autocorrelation over lags; arrays of one length.

    x : centres of bins in percent, or lags in days
    historical : the history's
    low, median, high : 5, 50 and 95 % of the simulated histories
    """

    title: str
    x: FloatArray
    historical: FloatArray
    low: FloatArray
    median: FloatArray
    high: FloatArray
    is_density: bool


def profiles(
    spec: MarketSpec, pasts: Mapping[str, Past], seed: int
) -> Iterator[tuple[str, tuple[Profile, ...]]]:
    """Yield each asset's curves, of LANES simulated histories.

    Parameters
    ----------
    spec : MarketSpec
        Over the days of the history, as `compare.matched` returns it.
    """
    block = np.empty((len(spec.assets), spec.n_steps + 1, LANES))
    fill(spec, seed, 0, block)
    first = spec.start.toordinal()
    for row, asset in enumerate(spec.assets):
        if asset in pasts:
            paths = np.ascontiguousarray(np.log(block[row, pasts[asset].days - first]).T)
            yield asset, tuple(_of_asset(pasts[asset].logs, paths))


def _of_asset(logs: FloatArray, paths: FloatArray) -> Iterator[Profile]:
    for days in HORIZONS:
        word = "1 day" if days == 1 else f"{days} days"
        own = logs[days:] - logs[:-days]
        simulated = paths[:, days:] - paths[:, :-days]
        yield _density(f"log returns of {word}, %", own, simulated)
    falls = window_drawdowns(logs, DRAWDOWN_DAYS)
    deep = np.stack([window_drawdowns(path, DRAWDOWN_DAYS) for path in paths])
    yield _density(f"deepest falls in {DRAWDOWN_DAYS} days, %", falls, deep)
    lags: Days = np.array([1, *range(_LAG_STEP, _MOST_LAGS + 1, _LAG_STEP)])
    curves = np.stack([autocorrelations(path, lags) for path in np.diff(paths, axis=1)])
    own_curve = autocorrelations(np.diff(logs), lags)
    title = "autocorrelation of |r| by lag, days"
    x = np.array([float(lag) for lag in lags])
    yield _profile(title, x, own_curve, curves, is_density=False)


def autocorrelations(returns: FloatArray, lags: Days) -> FloatArray:
    """Return the autocorrelations of |r| at each lag, shape (n_lags,).

    Parameters
    ----------
    returns : ndarray of shape (n_days,), log returns
    lags : ndarray of shape (n_lags,), int64, days
    """
    sizes = np.abs(returns) - np.abs(returns).mean()
    total = float(sizes @ sizes)
    return np.array([float(sizes[lag:] @ sizes[:-lag]) / total for lag in lags.tolist()])


def _density(title: str, historical: FloatArray, simulated: FloatArray) -> Profile:
    """Return densities a percent over bins that hold the history and nearly all simulations."""
    least = min(float(historical.min()), float(np.quantile(simulated, 0.001)))
    most = max(float(historical.max()), float(np.quantile(simulated, 0.999)))
    edges = least + (most - least) / _BINS * np.arange(_BINS + 1)
    width = 100 * (most - least) / _BINS
    own = np.histogram(historical, edges)[0] / historical.size / width
    curves = np.stack([np.histogram(path, edges)[0] / path.size / width for path in simulated])
    centres: FloatArray = 50.0 * (edges[1:] + edges[:-1])
    return _profile(title, centres, own, curves, is_density=True)


def _profile(
    title: str, x: FloatArray, historical: FloatArray, curves: FloatArray, *, is_density: bool
) -> Profile:
    low, median, high = np.quantile(curves, (RANGE[0], 0.5, RANGE[1]), axis=0)
    return Profile(title, x, historical, low, median, high, is_density)
