"""The variances of the macro model: the kernel against plain matrices."""

from __future__ import annotations

import numpy as np
import pytest
from plain_moments import plain_moments

from simulator.market.build import market_spec
from simulator.market.macro import plan
from simulator.scenario import load_scenario


@pytest.mark.parametrize(
    "override", ["seed=1", "market.views.liquidity=stress", "market.parts.ratio_pull=false"]
)
def test_moments__are_those_of_plain_matrices(monkeypatch, override):
    compared = []

    def both(*arguments):
        found, expected = kernel(*arguments), plain_moments(*arguments)
        for name in ("drivers", "prices", "shocks"):
            ours, plain = getattr(found, name), getattr(expected, name)
            np.testing.assert_allclose(ours, plain, rtol=1e-10, atol=1e-13 * np.abs(plain).max())
        compared.append(found)
        return found

    kernel = plan.moments
    monkeypatch.setattr(plan, "moments", both)
    loaded = load_scenario("hard-assets-2026", overrides=[override])
    _ = market_spec(loaded.scenario, loaded.calibration).tables
    (found,) = compared
    assert found.drivers[-1].any()


def found_moments(monkeypatch, *overrides):
    found = []
    kernel = plan.moments
    monkeypatch.setattr(plan, "moments", lambda *asked: found.append(kernel(*asked)) or found[-1])
    loaded = load_scenario("hard-assets-2026", overrides=overrides)
    _ = market_spec(loaded.scenario, loaded.calibration).tables
    return found[-1]


def test_moments__are_shared_by_worlds_that_scatter_alike_and_by_no_others(monkeypatch):
    base = found_moments(monkeypatch)
    assert found_moments(monkeypatch, "market.views.real_rate=negative") is base
    pinned = found_moments(monkeypatch, "market.views.liquidity=limited")
    assert not np.array_equal(pinned.drivers, base.drivers)
    wilder = found_moments(monkeypatch, "market.assets.silver.volatility=0.6")
    assert not np.array_equal(wilder.shocks, base.shocks)
    with pytest.raises(ValueError, match="read-only"):
        base.drivers[0] = 0.0
