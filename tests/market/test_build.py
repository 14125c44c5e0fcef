"""From a scenario's terms and a calibration to the kernel's numbers."""

from __future__ import annotations

import numpy as np

from simulator.market.build import market_spec
from simulator.scenario import load_scenario


def variance_start(*overrides: str) -> float:
    loaded = load_scenario("gold-vault-sober", overrides=overrides)
    spec = market_spec(loaded.scenario, loaded.calibration)
    return float(spec.garch.variance_start[spec.assets.index("gold")])


def test_first_day__without_a_word__has_the_calibrations_variance() -> None:
    fitted = load_scenario("gold-vault-sober").calibration.assets["gold"]
    assert variance_start() == fitted.variance_start.value
    doubled = variance_start(f"market.assets.gold.volatility={2 * fitted.volatility.value}")
    np.testing.assert_allclose(doubled, 4 * fitted.variance_start.value)


def test_first_day__with_a_volatility_of_its_own__has_that() -> None:
    both = ("market.assets.gold.volatility=0.5", "market.assets.gold.volatility_start=0.3")
    np.testing.assert_allclose(variance_start(*both), 0.3**2 / 252)
