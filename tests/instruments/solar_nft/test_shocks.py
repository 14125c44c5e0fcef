"""What shocks do to a collection: default, outage, floor price, locks; model and contract."""

from __future__ import annotations

import numpy as np
import pytest
from paths import differing, replay

from simulator.instruments.solar_nft.drivers import end_locks
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

DAY = 30
SHORT = (
    "horizon_days=90",
    "paths=256",
    "instruments.solar_nft.lock.days=20",
    "instruments.solar_nft.lock.share_mean=0.5",
)
DEFAULT = f"target: solar_nft.default, day: {DAY}"
OUTAGE = f"target: solar_nft.outage, day: {DAY}, size: 0.6, plateau_days: 40"
FLOOR = f"target: solar_nft.floor, day: {DAY}, size: -0.5, plateau_days: 10"
RUN = f"target: solar_nft.run, day: {DAY}, size: 0.8"


def drivers(*shocks: str):
    """Return the collection's drivers on 128 paths."""
    return world(*shocks).played["solar_nft"].drivers


def world(*shocks: str):
    """Return the ready scenario on 128 paths."""
    loaded = load_scenario("solar-nft", overrides=(*SHORT, listed(*shocks)))
    return simulate_block(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 0, 128)


def listed(*shocks: str) -> str:
    """Return the override that lets shocks happen."""
    each = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    return f"shocks=[{each}]"


@pytest.fixture(scope="module")
def plain():
    return world()


def test_default__comes_on_its_day__where_the_hazards_has_not_come_before(plain):
    own = plain.played["solar_nft"].drivers.default_step
    assert np.array_equal(drivers(DEFAULT).default_step, np.minimum(own, DAY))


def test_outage__leaves_its_share_of_every_days_energy(plain):
    struck, usual = drivers(OUTAGE).sun, plain.played["solar_nft"].drivers.sun
    days = slice(DAY, DAY + 40)
    assert np.array_equal(struck[days], (1.0 - 0.6) * usual[days])
    outside = np.r_[0:DAY, DAY + 40 : 91]
    assert np.array_equal(struck[outside], usual[outside])


def test_floor__a_token_stands_at_half_of_what_it_would(plain):
    found = [w.instruments["solar_nft"].details["floor_usd"] for w in (world(FLOOR), plain)]
    days = slice(DAY, DAY + 10)
    assert found[0][days] == pytest.approx(0.5 * found[1][days], rel=1e-12)
    outside = np.r_[0:DAY, DAY + 10 : 91]
    assert found[0][outside] == pytest.approx(found[1][outside], rel=1e-12)


def test_run__ends_locks_each_when_its_time_is_over():
    # ten arrays locked on day 0 for two days, ten more on day 1; nobody unlocks by himself
    locked = np.array([[10.0], [20.0], [20.0], [20.0], [20.0]])
    unlocked, stays = np.zeros((5, 1)), np.array([[1.0], [1.0], [0.25], [0.25], [0.25]])
    end_locks(locked, unlocked, stays, 2)
    # 5 of 20 may stay: 10 can go on day 2, and 5 of the next ten on day 3
    assert locked.ravel().tolist() == [10, 20, 20, 20, 20]
    assert unlocked.ravel().tolist() == [0, 0, 10, 15, 15]


def test_run__leaves_a_fifth_of_the_others_locks_within_the_time_of_one(plain):
    struck, usual = drivers(RUN), plain.played["solar_nft"].drivers
    there, would_be = (d.locked - d.unlocked for d in (struck, usual))
    assert np.array_equal(there[:DAY], would_be[:DAY])
    # no lock lasts longer than 20 days, on each of which no more than a fifth was wanted
    wanted = np.floor((1.0 - 0.8) * would_be)
    for step in range(DAY + 20, there.shape[0]):
        assert np.all(there[step] <= wanted[step - 20 : step + 1].max(axis=0))
    assert np.all(there <= would_be)


def test_replay__agrees_on_the_path_of_every_shock():
    found = replay(None, 3, *SHORT, listed(DEFAULT, OUTAGE, FLOOR, RUN), name="solar-nft")
    assert found.ok, differing(found)
