"""From a scenario's market terms and a calibration to the numbers of the kernel."""

from __future__ import annotations

import numpy as np

from simulator.market.dynamics import Garch, Jumps, MarketSpec
from simulator.scenario.calibration import AssetCalibration, Calibration
from simulator.scenario.models import Scenario
from simulator.units import FloatArray, trading_days


def market_spec(scenario: Scenario, calibration: Calibration) -> MarketSpec:
    """Return the market of a scenario; prices and volatilities it leaves out are calibrated.

    A volatility that the scenario sets scales the variance at the start with it.

    Raises
    ------
    InputError
        An asset is not in the calibration.
    """
    terms = scenario.market
    names = tuple(terms.assets)
    correlation = calibration.correlation(names)
    fitted = [calibration.assets[name] for name in names]
    volatility = np.array(
        [
            terms.assets[n].volatility or f.volatility.value
            for n, f in zip(names, fitted, strict=True)
        ]
    )
    price = [terms.assets[n].price or f.price.value for n, f in zip(names, fitted, strict=True)]
    trading = trading_days(scenario.start, scenario.horizon_days)
    return MarketSpec(
        assets=names,
        model=terms.model,
        start=scenario.start,
        n_steps=scenario.horizon_days,
        spot=np.array(price),
        drift=np.array([terms.assets[name].drift for name in names]),
        volatility=volatility,
        periods_per_year=np.array([float(f.periods_per_year) for f in fitted]),
        cholesky=np.linalg.cholesky(correlation),
        trading=np.tile(trading, (len(names), 1)),
        jumps=_jumps(fitted),
        garch=_garch(fitted, volatility),
        dof=calibration.innovation_dof,
    )


def _jumps(fitted: list[AssetCalibration]) -> Jumps:
    return Jumps(
        intensity=np.array([f.jump_intensity.value for f in fitted]),
        mean=np.array([f.jump_mean.value for f in fitted]),
        sd=np.array([f.jump_sd.value for f in fitted]),
    )


def _garch(fitted: list[AssetCalibration], volatility: FloatArray) -> Garch:
    calibrated = np.array([f.volatility.value for f in fitted])
    start = np.array([f.variance_start.value for f in fitted])
    return Garch(
        alpha=np.array([f.alpha.value for f in fitted]),
        gamma=np.array([f.gamma.value for f in fitted]),
        beta=np.array([f.beta.value for f in fitted]),
        variance_start=start * (volatility / calibrated) ** 2,
    )
