"""Who rebalances into a mining token that has crashed: as many tokens as the cap lets him have."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.units import LANES

DAY = 120
HELD = f"""\
name: own
title: own
horizon_days: 240
paths: 256
use: {{parts: {{instruments: [small_sto, bills]}}}}
shocks: [{{name: crash, target: price.copper, day: {DAY}, size: -0.55}}]
investors:
  me:
    capital_usd: 100_000
    weights: {{bills: 0.9, small_sto: 0.1}}
    rebalance: {{every_days: 30}}
claims:
  gains:
    says: gains
    subject: me
    conditions: [{{measure: total_return, unit: usd, at_least: 0}}]
"""


@pytest.mark.parametrize(("share", "most"), [(0.01, 2.5), (0.004, 1.0)])
def test_rebalancing__into_a_crash__stops_at_the_cap(tmp_path, share, most):
    # a hundredth of the soft cap of 2.5 m dollars are 25,000 dollars of tokens at the first price,
    # two and a half times the 10,000 that he put in; four thousandths are just these
    path = tmp_path / "own.yaml"
    path.write_text(HELD, encoding="utf-8")
    change = f"instruments.small_sto.secondary.portfolio_share={share}"
    loaded = load_scenario(path, overrides=(change,))
    spec = market_spec(loaded.scenario, loaded.calibration)
    world = simulate_block(loaded.scenario, spec, 0, LANES, record=True)
    units = world.investors["me"].portfolio.units[1]
    # a unit is the 10,000 dollars of the first day, of which entering costs a little
    assert np.all(units <= most * (1.0 + 1e-12))
    # the mine is worth next to nothing then, and he buys all that he may
    assert np.mean(np.isclose(units[DAY + 60], most, rtol=1e-12)) > 0.5
