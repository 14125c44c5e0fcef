"""Forecasts from the past: what would Assay have said at each year's end, and what came?

At each origin the market is calibrated on the closes up to that day and simulated forward. For
each asset and horizon one number is kept: the share of simulated prices below the one that
came. Nothing that became known later enters, but for what was chosen once for all years: the
model and the drifts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.paths import BLOCK_PATHS, empty_block
from simulator.market.validation.coverage import Coverage, coverage, crps, transform
from simulator.market.validation.past import Past
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import AssetTerms, MarketTerms, Scenario
from simulator.units import FloatArray

MAX_STALE_DAYS = 7
"""A close older than this on the day of a forecast or of its end is none."""
BAND = (0.05, 0.95)


@dataclass(frozen=True)
class Settings:
    """What all years have in common, fixed before the first forecast.

    drifts : expected growth a year by asset
    months : horizons
    """

    drifts: Mapping[str, float]
    first_year: int = 2008
    last_year: int = 2024
    months: tuple[int, ...] = (1, 3, 6, 12)
    model: str = "garch"
    paths: int = 8192
    seed: int = 20260120

    @property
    def origins(self) -> tuple[dt.date, ...]:
        """Return the last day of each year."""
        return tuple(dt.date(year, 12, 31) for year in range(self.first_year, self.last_year + 1))


@dataclass(frozen=True)
class Forecast:
    """One forecast and what came of it.

    low, median, high : 5 %, 50 % and 95 % of the simulated log returns
    realised : log return that came
    transform : share of simulated prices below the one that came
    crps : continuous ranked probability score of the log return
    crps_level : the same of the forecast shifted to a mean of zero
    """

    origin: dt.date
    asset: str
    months: int
    end: dt.date
    low: float
    median: float
    high: float
    realised: float
    transform: float
    crps: float
    crps_level: float

    @property
    def inside(self) -> bool:
        """Return whether what came lay between the 5 % and 95 % quantiles."""
        return BAND[0] <= self.transform <= BAND[1]


Calibrate = Callable[[dt.date], Calibration]


def backtest(
    base: Scenario,
    pasts: Mapping[str, Past],
    calibrate: Calibrate,
    settings: Settings,
    progress: Callable[[str], None] = lambda what: None,
) -> list[Forecast]:
    """Return every forecast whose end is known, in the order of origin, asset and horizon.

    Parameters
    ----------
    base : Scenario
        Any scenario; its start, horizon and market are replaced.
    pasts : by asset, the closes that show what came
    calibrate : callable
        Returns what was known on a day; it names the assets that take part.
    """
    found: list[Forecast] = []
    for origin in settings.origins:
        calibration = calibrate(origin)
        progress(f"{origin}: {', '.join(calibration.assets)}")
        spec = market_spec(at_origin(base, calibration, origin, settings), calibration)
        found += _forecasts(spec, pasts, origin, settings)
    return found


def at_origin(
    base: Scenario, calibration: Calibration, origin: dt.date, settings: Settings
) -> Scenario:
    """Return the scenario of the forecasts of one year's end.

    Raises
    ------
    KeyError
        The settings have no drift for an asset.
    """
    assets = {name: AssetTerms(drift=settings.drifts[name]) for name in calibration.assets}
    horizon = months_on(origin, max(settings.months)) - origin
    return base.model_copy(
        update={
            "start": origin,
            "horizon_days": horizon.days,
            "paths": settings.paths,
            "seed": settings.seed,
            "market": MarketTerms.model_validate({"model": settings.model, "assets": assets}),
        }
    )


def months_on(origin: dt.date, months: int) -> dt.date:
    """Return the last day of the month that many months after an origin at a month's end."""
    month = origin.month + months
    following = dt.date(origin.year + month // 12, month % 12 + 1, 1)
    return following - dt.timedelta(days=1)


def _forecasts(
    spec: MarketSpec, pasts: Mapping[str, Past], origin: dt.date, settings: Settings
) -> Iterator[Forecast]:
    ends = {months: months_on(origin, months) for months in settings.months}
    steps = [(end - origin).days for end in ends.values()]
    simulated = _log_returns(spec, steps, settings)
    for row, asset in enumerate(spec.assets):
        for place, (months, end) in enumerate(ends.items()):
            realised = realised_return(pasts[asset], origin, end)
            if realised is None:
                continue
            sample = simulated[row, place]
            low, median, high = np.quantile(sample, (BAND[0], 0.5, BAND[1])).tolist()
            share = transform(sample, realised)
            scores = crps(sample, realised), crps(sample - sample.mean(), realised)
            yield Forecast(origin, asset, months, end, low, median, high, realised, share, *scores)


def _log_returns(spec: MarketSpec, steps: Sequence[int], settings: Settings) -> FloatArray:
    """Return log returns from the start, of shape (n_assets, n_horizons, n_paths)."""
    block = empty_block(spec)
    kept = []
    for first in range(0, settings.paths, BLOCK_PATHS):
        fill(spec, settings.seed, first, block)
        kept.append(np.log(block[:, list(steps)] / block[:, :1]))
    return np.concatenate(kept, axis=2)


def realised_return(past: Past, origin: dt.date, end: dt.date) -> float | None:
    """Return the log return between the last closes up to two days; None where one is stale."""
    rows = [_row(past, day) for day in (origin, end)]
    if rows[0] is None or rows[1] is None:
        return None
    return float(past.logs[rows[1]] - past.logs[rows[0]])


def _row(past: Past, day: dt.date) -> int | None:
    row = int(np.searchsorted(past.days, day.toordinal(), side="right")) - 1
    if row < 0 or day.toordinal() - past.days[row] > MAX_STALE_DAYS:
        return None
    return row


@dataclass(frozen=True)
class Pooled:
    """Coverage of forecasts together and apart.

    by_asset, by_months : each with its own interval
    shares : of the transforms in ten bins of equal width
    """

    whole: Coverage
    by_asset: Mapping[str, Coverage] = field(default_factory=dict)
    by_months: Mapping[int, Coverage] = field(default_factory=dict)
    shares: tuple[float, ...] = ()


def pooled(forecasts: Sequence[Forecast], bins: int = 10) -> Pooled:
    """Return how often the 5-95 % band held what came, with intervals by year clusters."""
    values = np.array([forecast.transform for forecast in forecasts])
    counts, _ = np.histogram(values, bins=bins, range=(0.0, 1.0))
    assets = dict.fromkeys(forecast.asset for forecast in forecasts)
    months = dict.fromkeys(forecast.months for forecast in forecasts)
    return Pooled(
        whole=_coverage(forecasts),
        by_asset={a: _coverage([f for f in forecasts if f.asset == a]) for a in assets},
        by_months={m: _coverage([f for f in forecasts if f.months == m]) for m in months},
        shares=tuple((counts / values.size).tolist()),
    )


def _coverage(forecasts: Sequence[Forecast]) -> Coverage:
    hits = np.array([forecast.inside for forecast in forecasts])
    return coverage(hits, np.array([forecast.origin.year for forecast in forecasts]))
