"""Simulated histories beside the real one, figure by figure.

A market is simulated over the very days of the history, many times over. A cell is *inside*
where the historical figure lies between the 5 % and the 95 % quantile of the simulated ones:
a market that were true would have nine in ten of its cells inside.

For this test alone the drift is set to the history's own mean, and the variance begins at its
long-run level: it asks for the shape of the returns, not for the luck of their trend.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from simulator.market.dynamics import Garch, MarketSpec, fill
from simulator.market.validation.past import Days, Past, common_rows, weekly_pair, weekly_returns
from simulator.market.validation.statistics import (
    ASSET_FIGURES,
    FURTHER_FIGURES,
    PAIR_FIGURES,
    Cell,
    asset_figures,
    further_figures,
    pair_figures,
)
from simulator.scenario.views import Views
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

BAND = (0.05, 0.95)
HISTORIES = 512
LEAST_WEEKS = 104
SEED = 20260120
_THREADS = 2


@dataclass(frozen=True)
class Compared:
    """One cell: the historical figure beside 5, 50 and 95 % of the simulated histories' own."""

    cell: Cell
    historical: float
    low: float
    median: float
    high: float

    @property
    def inside(self) -> bool:
        """Return whether the historical figure lies within the simulated ones."""
        return self.low <= self.historical <= self.high


def compare(
    spec: MarketSpec,
    pasts: Mapping[str, Past],
    *,
    histories: int = HISTORIES,
    seed: int = SEED,
) -> list[Compared]:
    """Return every cell of the assets that both the market and the history have.

    Parameters
    ----------
    spec : MarketSpec
        Its dates, drifts and first variances are replaced by the history's.
    histories : number of simulated histories, rounded up to full lanes
    """
    shared = {asset: pasts[asset] for asset in spec.assets if asset in pasts}
    simulated = simulated_figures(matched(spec, shared), shared, histories, seed, further=True)
    historical = historical_figures(shared, further=True)
    return [
        row
        for subject, found in simulated.items()
        for row in _cells(subject, historical[subject], found)
    ]


def matched(spec: MarketSpec, pasts: Mapping[str, Past]) -> MarketSpec:
    """Return the market over the days of the history, with its mean growth.

    An asset trades on the days of its closes, from the first one on: what its drift earned
    before, from the start of the longest history, lands there and is seen by no figure. Assets
    that the history lacks never trade. What the scenario foresees is left out: it is not of these
    years.
    """
    first = min(past.days[0] for past in pasts.values())
    n_steps = int(max(past.days[-1] for past in pasts.values()) - first)
    trading = np.zeros((len(spec.assets), n_steps + 1), dtype=bool)
    drift = spec.drift.copy()
    for row, asset in enumerate(spec.assets):
        if asset in pasts:
            trading[row, pasts[asset].days - first] = True
            drift[row] = pasts[asset].annual_growth + _half_variance(spec, row, pasts[asset])
    return replace(
        spec,
        start=dt.date.fromordinal(int(first)),
        n_steps=n_steps,
        trading=trading,
        drift=drift,
        garch=_long_run(spec),
        macro=None if spec.macro is None else replace(spec.macro, views=Views()),
        year_fraction=1 / DAYS_PER_YEAR,
    )


def _half_variance(spec: MarketSpec, row: int, past: Past) -> float:
    """Return half the variance of a calendar year: what parts mean growth from the median's."""
    ticks_a_year = (past.days.size - 1) / (past.days[-1] - past.days[0]) * DAYS_PER_YEAR
    tick_variance = spec.volatility[row] ** 2 / spec.periods_per_year[row]
    return float(0.5 * tick_variance * ticks_a_year)


def _long_run(spec: MarketSpec) -> Garch | None:
    if spec.garch is None:
        return None
    return replace(spec.garch, variance_start=spec.volatility**2 / spec.periods_per_year)


def simulated_figures(
    spec: MarketSpec,
    pasts: Mapping[str, Past],
    histories: int,
    seed: int,
    *,
    further: bool = False,
) -> dict[str, FloatArray]:
    """Return the figures of simulated histories by subject, each (n_histories, n_figures).

    Two threads; the same numbers for any.

    Parameters
    ----------
    spec : MarketSpec
        As `matched` returns it.
    """
    known = {asset: pasts[asset] for asset in spec.assets if asset in pasts}
    common = {pair: common_rows(known[pair[0]].days, known[pair[1]].days) for pair in pairs(known)}
    _ = spec.tables

    def block(first_path: int) -> dict[str, FloatArray]:
        prices = np.empty((len(spec.assets), spec.n_steps + 1, LANES))
        fill(spec, seed, first_path, prices)
        first = spec.start.toordinal()
        logs = {
            asset: np.ascontiguousarray(np.log(prices[row, known[asset].days - first]).T)
            for row, asset in enumerate(spec.assets)
            if asset in known
        }
        return dict(_figures_of(logs, common, further))

    with ThreadPoolExecutor(_THREADS) as pool:
        blocks = list(pool.map(block, range(0, histories, LANES)))
    return {subject: np.concatenate([b[subject] for b in blocks]) for subject in blocks[0]}


def pairs(pasts: Mapping[str, Past]) -> list[tuple[str, str]]:
    """Return the pairs of assets with two years of weeks in common, or more."""
    return [
        (one, two)
        for one, two in itertools.combinations(pasts, 2)
        if common_rows(pasts[one].days, pasts[two].days)[0].size > LEAST_WEEKS
    ]


def historical_figures(
    pasts: Mapping[str, Past], *, further: bool = False
) -> dict[str, FloatArray]:
    """Return the figures of the history by subject, each (n_figures,)."""
    found = {asset: _of_asset(past.returns[None, :], further)[0] for asset, past in pasts.items()}
    for one, two in pairs(pasts):
        found[f"{one}-{two}"] = pair_figures(weekly_returns(pasts[one], pasts[two]))
    return found


def _of_asset(returns: FloatArray, further: bool) -> FloatArray:
    """Return the figures of histories of shape (n_histories, n_days)."""
    figures = asset_figures(returns)
    return np.concatenate([figures, further_figures(returns)], axis=1) if further else figures


def _figures_of(
    logs: Mapping[str, FloatArray],
    common: Mapping[tuple[str, str], tuple[Days, Days]],
    further: bool,
) -> Iterator[tuple[str, FloatArray]]:
    """Yield the figures of a block's paths by subject; logs of shape (n_paths, n_days)."""
    for asset, paths in logs.items():
        yield asset, _of_asset(np.diff(paths, axis=1), further)
    for (one, two), rows in common.items():
        yield f"{one}-{two}", pair_figures(weekly_pair(logs[one], logs[two], *rows))


def _cells(subject: str, historical: FloatArray, simulated: FloatArray) -> Iterator[Compared]:
    names = PAIR_FIGURES if "-" in subject else (*ASSET_FIGURES, *FURTHER_FIGURES)
    bands = np.quantile(simulated, (BAND[0], 0.5, BAND[1]), axis=0).T.tolist()
    for (figure, days), own, band in zip(names, historical.tolist(), bands, strict=True):
        yield Compared(Cell(subject, figure, days), own, *band)
