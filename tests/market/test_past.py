"""Model history: a user's table played day by day, the same on every path."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.paths import simulate_market
from simulator.scenario import load_scenario

# 2024-03-28 is a Thursday; Good Friday and the weekend have no close.
TABLE = """\
date,gold_usd_per_oz,silver_usd_per_oz,copper_usd_per_lb
2024-03-27,2190.6,24.75,4.00
2024-03-28,2217.4,24.92,4.01
2024-04-01,2236.5,25.08,4.05
2024-04-02,2261.0,25.93,4.10
"""


def market(folder, *overrides, table=TABLE):
    days = [f"2024-{month:02d}-{day:02d}" for month in (4, 5) for day in range(3, 29)]
    more = "".join(f"{day},2300,26,4.1\n" for day in days)
    path = folder / "closes.csv"
    path.write_text(table + more)
    loaded = load_scenario(
        "gold-vault-sober",
        overrides=(
            "market.model=history",
            f"market.history={path}",
            "start=2024-03-28",
            "horizon_days=30",
            *overrides,
        ),
    )
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_market(spec, 1, 0, 128)


def test_history__is_each_days_last_close_on_every_path(tmp_path):
    found = market(tmp_path)
    gold = [2217.4, 2217.4, 2217.4, 2217.4, 2236.5, 2261.0, 2300.0]
    assert np.array_equal(found.prices["gold"][:7], np.tile(np.array(gold)[:, None], 128))
    # dollars a pound become dollars a tonne: 2204.62 pounds
    assert found.prices["copper"][0, 0] == pytest.approx(4.01 * 2204.6226, rel=1e-6)


def test_history__bears_shocks(tmp_path):
    shock = "shocks=[{name: s, target: price.gold, day: 5, size: -0.2, others: stay}]"
    found = market(tmp_path, shock)
    assert np.allclose(found.prices["gold"][5], 0.8 * 2236.5, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("start=2024-01-01", "has gold from 2024-03-27 to 2024-05-28, and the run goes from"),
        ("horizon_days=90", "set start and horizon_days within it"),
        ("market.history=nowhere.csv", "no such file"),
        ("market.assets.gold.volatility=0.2", "has no meaning in model history"),
        ("market.smooth=false", "has no meaning in model history"),
    ],
)
def test_history__that_cannot_be__is_refused(tmp_path, override, rule):
    with pytest.raises(InputError, match=rule):
        market(tmp_path, override)
