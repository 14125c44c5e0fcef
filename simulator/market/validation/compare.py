"""Simulated histories beside the real one, figure by figure.

A market is simulated over the very days of the history, many times over. A cell is *inside*
where the median of the simulated figures lies within the band in which the historical figure
wanders by chance: the 5 % and 95 % quantiles over histories resampled in blocks.

For this test alone the drift is set to the history's own mean, and the variance begins at its
long-run level: it asks for the shape of the returns, not for the luck of their trend.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.market.dynamics import Garch, MarketSpec, fill
from simulator.market.history import best_block
from simulator.market.validation.bands import resampled_figures
from simulator.market.validation.past import Past, common_rows, weekly_pair, weekly_returns
from simulator.market.validation.statistics import (
    ASSET_FIGURES,
    PAIR_FIGURES,
    Cell,
    asset_figures,
    pair_figures,
)
from simulator.scenario.views import Views
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

BAND = (0.05, 0.95)
HISTORIES = 512
"""Simulated histories; the error of a cell's median is then a twentieth of the band."""
SAMPLES = 500
"""Resampled histories behind a band."""
LEAST_WEEKS = 104
SEED = 20260120

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Compared:
    """One cell: the historical figure with its band, and the simulated one with its spread.

    historical, low, high : the figure of the history; 5 % and 95 % of the resampled ones
    simulated, simulated_low, simulated_high : 50 %, 5 % and 95 % of the simulated histories
    """

    cell: Cell
    historical: float
    low: float
    high: float
    simulated: float
    simulated_low: float
    simulated_high: float

    @property
    def inside(self) -> bool:
        """Return whether the median simulated figure lies within the band."""
        return self.low <= self.simulated <= self.high


def compare(
    spec: MarketSpec,
    pasts: Mapping[str, Past],
    *,
    histories: int = HISTORIES,
    samples: int = SAMPLES,
    seed: int = SEED,
    progress: Progress = lambda what: None,
) -> list[Compared]:
    """Return every cell of the assets that both the market and the history have.

    Parameters
    ----------
    spec : MarketSpec
        Its dates, drifts and first variances are replaced by the history's.
    histories, samples : simulated histories (rounded up to full lanes) and resampled ones
    """
    shared = {asset: pasts[asset] for asset in spec.assets if asset in pasts}
    found = simulated_figures(matched(spec, shared), shared, histories, seed, progress)
    rows = []
    for subject, samples_of in found.items():
        progress(f"band of {subject}")
        rows += _cells(subject, samples_of, *_history(subject, shared, samples, seed))
    return rows


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
    progress: Progress = lambda what: None,
) -> dict[str, FloatArray]:
    """Return the figures of simulated histories by subject, each (n_histories, n_figures).

    Parameters
    ----------
    spec : MarketSpec
        As `matched` returns it.
    """
    first = spec.start.toordinal()
    found: dict[str, list[FloatArray]] = {}
    block = np.empty((len(spec.assets), spec.n_steps + 1, LANES))
    for first_path in range(0, histories, LANES):
        progress(f"histories {first_path + 1} to {first_path + LANES}")
        fill(spec, seed, first_path, block)
        logs = {
            asset: np.ascontiguousarray(np.log(block[row, pasts[asset].days - first]).T)
            for row, asset in enumerate(spec.assets)
            if asset in pasts
        }
        for subject, figures in _figures_of(logs, pasts).items():
            found.setdefault(subject, []).append(figures)
    return {subject: np.concatenate(blocks) for subject, blocks in found.items()}


def pairs(pasts: Mapping[str, Past]) -> list[tuple[str, str]]:
    """Return the pairs of assets with two years of weeks in common, or more."""
    return [
        (one, two)
        for one, two in itertools.combinations(pasts, 2)
        if common_rows(pasts[one].days, pasts[two].days)[0].size > LEAST_WEEKS
    ]


def _figures_of(logs: Mapping[str, FloatArray], pasts: Mapping[str, Past]) -> dict[str, FloatArray]:
    """Return the figures of a block's paths; logs of shape (n_paths, n_days) by asset."""
    found = {
        asset: np.stack([asset_figures(path) for path in np.diff(paths, axis=1)])
        for asset, paths in logs.items()
    }
    for one, two in pairs({asset: pasts[asset] for asset in logs}):
        rows = common_rows(pasts[one].days, pasts[two].days)
        found[f"{one}-{two}"] = np.stack(
            [
                pair_figures(weekly_pair(a, b, *rows))
                for a, b in zip(logs[one], logs[two], strict=True)
            ]
        )
    return found


def _history(
    subject: str, pasts: Mapping[str, Past], samples: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Return the historical figures of a subject and its resampled ones."""
    one, _, two = subject.partition("-")
    if two:
        weekly = weekly_returns(pasts[one], pasts[two])
        block = best_block(weekly)
        return pair_figures(weekly), resampled_figures(weekly, pair_figures, block, samples, seed)
    returns = pasts[one].returns
    block = best_block(returns[None, :])
    return asset_figures(returns), resampled_figures(returns, asset_figures, block, samples, seed)


def _cells(
    subject: str, simulated: FloatArray, historical: FloatArray, resampled: FloatArray
) -> list[Compared]:
    names = PAIR_FIGURES if "-" in subject else ASSET_FIGURES
    low, high = np.quantile(resampled, BAND, axis=0)
    least, middle, most = np.quantile(simulated, (BAND[0], 0.5, BAND[1]), axis=0)
    numbers = np.stack([historical, low, high, middle, least, most], axis=1).tolist()
    return [
        Compared(Cell(subject, figure, days), *row)
        for (figure, days), row in zip(names, numbers, strict=True)
    ]
