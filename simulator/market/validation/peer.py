"""The same forecasts by what everyone has: a random walk with GARCH volatility.

Log returns of mean zero, GARCH(1,1) with Student t innovations, fitted by the package `arch` to the
same closes up to the same day, and simulated by it. Scores are compared where both have a forecast:
continuous ranked probability scores of the log returns (CRPS, lower is better), each pair's
difference in units of the peer's mean score for the asset and horizon, so that Bitcoin's year does
not outweigh gold's month. Years are the observations: the error of a mean difference comes from
drawing them anew.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.market.validation.backtest import Forecast, Settings, months_on
from simulator.market.validation.coverage import crps
from simulator.market.validation.past import Past
from simulator.scenario.market import EVERY_DAY
from simulator.units import FloatArray, trading_days

RESAMPLED = 4000


@dataclass(frozen=True)
class Compared:
    """Scores of forecasts beside the peer's.

    own, peer : mean scores
    excess : mean difference in units of the peer's mean for the asset and horizon; above 0 worse
    error : standard error of the excess, years drawn anew
    """

    own: float
    peer: float
    excess: float
    error: float
    count: int

    @property
    def no_worse(self) -> bool:
        """Return whether the forecasts are worse by no more than one standard error."""
        return self.excess <= self.error


def peer_scores(
    forecasts: Sequence[Forecast],
    pasts: Mapping[str, Past],
    settings: Settings,
    progress: Callable[[str], None] = lambda what: None,
) -> FloatArray:
    """Return the peer's score of each forecast, shape (n_forecasts,).

    Parameters
    ----------
    forecasts : sequence of Forecast
        In the order of origin and asset.
    """
    found: list[float] = []
    for (origin, asset), group in itertools.groupby(forecasts, lambda f: (f.origin, f.asset)):
        progress(f"peer: {origin}, {asset}")
        items = list(group)
        walks = random_walks(pasts[asset].until(origin).returns, origin, asset, settings)
        places = [settings.months.index(item.months) for item in items]
        found += [
            crps(walks[place], item.realised) for place, item in zip(places, items, strict=True)
        ]
    return np.array(found)


def random_walks(
    returns: FloatArray, origin: dt.date, asset: str, settings: Settings
) -> FloatArray:
    """Return the peer's log returns to each horizon, shape (n_horizons, n_paths).

    Parameters
    ----------
    returns : ndarray of shape (n_days,), log returns up to the origin
    """
    ends = [(months_on(origin, months) - origin).days for months in settings.months]
    open_days = trading_days(origin, max(ends)) | (asset in EVERY_DAY)
    ticks = np.cumsum(open_days[1:])[np.array(ends) - 1]
    scale = float(returns.std())
    result, model = _fitted(returns / scale, settings.seed)
    simulated = model.forecast(
        result.params,
        horizon=int(ticks.max()),
        method="simulation",
        simulations=settings.paths,
        reindex=False,
    ).simulations.values[0]
    grown: FloatArray = scale * np.cumsum(simulated, axis=1)[:, ticks - 1].T
    return grown


def _fitted(returns: FloatArray, seed: int) -> tuple[Any, Any]:
    from arch.univariate import GARCH, StudentsT, ZeroMean

    random = np.random.Generator(np.random.Philox(seed))
    model = ZeroMean(
        returns, volatility=GARCH(1, 0, 1), distribution=StudentsT(seed=random), rescale=False
    )
    return model.fit(disp="off", show_warning=False), model


def compared(
    forecasts: Sequence[Forecast], peer: FloatArray, seed: int, *, level: bool = False
) -> dict[str, Compared]:
    """Return the comparison of all forecasts, of each asset, horizon, and of both together.

    Parameters
    ----------
    peer : ndarray of shape (n_forecasts,)
        As `peer_scores` returns it.
    level : bool
        Of forecasts shifted to a mean of zero, as the peer's.

    Returns
    -------
    dict
        By `all`, `gold`, `3 months` and `gold, 3 months`.
    """
    own = np.array([item.crps_level if level else item.crps for item in forecasts])
    years = np.array([forecast.origin.year for forecast in forecasts])
    cells = np.array([_cell(forecast) for forecast in forecasts])
    usual = {cell: float(peer[cells == cell].mean()) for cell in dict.fromkeys(cells.tolist())}
    excess = (own - peer) / np.array([usual[cell] for cell in cells.tolist()])
    groups = {"all": np.ones(own.size, dtype=np.bool_)}
    for name in dict.fromkeys(forecast.asset for forecast in forecasts):
        groups[name] = np.array([forecast.asset == name for forecast in forecasts])
    for months in dict.fromkeys(forecast.months for forecast in forecasts):
        chosen = [forecast.months == months for forecast in forecasts]
        groups[_months(months)] = np.array(chosen)
    groups.update({cell: cells == cell for cell in usual})
    return {
        name: Compared(
            own=float(own[rows].mean()),
            peer=float(peer[rows].mean()),
            excess=float(excess[rows].mean()),
            error=error_by_years(excess[rows], years[rows], seed),
            count=int(rows.sum()),
        )
        for name, rows in groups.items()
    }


def _cell(forecast: Forecast) -> str:
    return f"{forecast.asset}, {_months(forecast.months)}"


def _months(months: int) -> str:
    return "1 month" if months == 1 else f"{months} months"


def error_by_years(values: FloatArray, years: FloatArray, seed: int) -> float:
    """Return the standard error of a mean whose years are the observations.

    Parameters
    ----------
    values, years : ndarray of shape (n,)

    Notes
    -----
    Whole years are drawn with replacement, `RESAMPLED` times.
    """
    labels = np.unique(years)
    sums = np.array([values[years == label].sum() for label in labels])
    counts = np.array([np.count_nonzero(years == label) for label in labels])
    random = np.random.Generator(np.random.Philox(seed))
    drawn = random.integers(labels.size, size=(RESAMPLED, labels.size))
    return float((sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)).std())
