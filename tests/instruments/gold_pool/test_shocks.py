"""What a shock does to a gold pool: other providers leave; a vault may stand beside it."""

from __future__ import annotations

import numpy as np
import pytest
from paths import differing, replay

from simulator.instruments.checks import faults_of
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.mechanics.pool import Pool, without
from simulator.scenario import load_scenario

DAY = 20
RUN = f"shocks=[{{name: s, target: gold_pool.run, day: {DAY}, size: 0.6}}]"
TWO = RUN.replace("]", f", {{name: t, target: gold_pool.run, day: {DAY + 5}, size: 0.5}}]")
SHORT = ("horizon_days=40", "paths=256")


def world(*changes: str):
    """Return the ready pool on 128 paths."""
    loaded = load_scenario("gold-pool", overrides=(*SHORT, *changes))
    return simulate_block(
        loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 0, 128, record=True
    )


def test_without__leaves_the_price_and_what_a_share_is_worth():
    pool = without(Pool(100.0, 400_000.0, 6_000.0), 1_500.0)
    assert pool == pytest.approx((75.0, 300_000.0, 4_500.0), rel=1e-15)


def test_run__takes_its_share_of_what_others_have__and_then_of_the_rest():
    struck, plain = world(TWO), world()
    ready = plain.played["gold_pool"]
    # others put in 5,000 ounces and as much USDC: their shares are the root of the product
    pool = load_scenario("gold-pool").scenario.instruments["gold_pool"]
    others = pool.reserve_ounces * np.sqrt(ready.drivers.prices.token_usd[0])
    shares = [w.played["gold_pool"].record.observed[..., 4] for w in (struck, plain)]
    taken = shares[1] - shares[0]
    assert np.all(taken[:DAY] == 0.0)
    assert taken[DAY] == pytest.approx(0.6 * others, rel=1e-9)
    assert taken[DAY + 5] == pytest.approx(0.8 * others, rel=1e-9)


def test_run__costs_who_stays_nothing_on_its_day():
    struck, plain = (w.instruments["gold_pool"] for w in (world(RUN), world()))
    days = slice(0, DAY + 1)
    assert struck.mark["usd"][days] == pytest.approx(plain.mark["usd"][days], rel=1e-12)
    fewer = struck.details["pool_value_usd"][DAY] / plain.details["pool_value_usd"][DAY]
    assert np.all((fewer > 0.4) & (fewer < 0.4001 + 0.6 * 0.01))
    assert not faults_of(struck)


@pytest.mark.parametrize("name", ["gold-pool", "gold-vault-sober"])
def test_replay__agrees_on_the_path_of_a_run__beside_a_vault_too(name):
    found = replay(None, 3, "horizon_days=40", TWO, name=name)
    assert found.ok, differing(found)
