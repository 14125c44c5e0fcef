"""The vault's kernel against the plain loop of the same recursion."""

from __future__ import annotations

import numpy as np
import pytest
import vault_oracle
import worlds

from simulator.instruments.gas import Gas
from simulator.instruments.gold_pool.gas import HOLDER_GAS as POOL_GAS
from simulator.instruments.gold_vault import paths as vault_paths
from simulator.instruments.gold_vault.gas import HOLDER_GAS
from simulator.instruments.gold_vault.state import N_COHORTS, Action, Observed
from simulator.investors.sizes import size

WEEKLY = (
    *worlds.STRESS,
    "instruments.gold_vault.report_every_days=7",
    "instruments.gold_vault.profit_unlock_days=0",
    "instruments.gold_vault.borrowers.reservation_rate=1",
)
BARE = (
    *worlds.STRESS,
    "instruments.gold_vault.pool=null",
    "instruments.gold_vault.pool_share=0",
)
DEEP = (
    *worlds.STRESS,
    "instruments.gold_vault.pool_share=0.8",
    "instruments.gold_vault.pool_pace=0.2",
    "instruments.gold_vault.idle_share=0.01",
)
"""Four fifths in the pool: the run and the holder are paid by it, at a loss of the others."""
SMALL_UNIT = (*worlds.STRESS, "instruments.gold_token.preset=xaut")
ERROR = 1e-9
"""Of the largest amount that a column holds; rounding makes about 1e-12 of it in a year."""


@pytest.fixture(scope="module", params=[(), worlds.STRESS, WEEKLY, SMALL_UNIT, BARE, DEEP])
def played(request):
    """The world of a scenario, and four of its paths as the oracle plays them."""
    scenario = worlds.load(*request.param).scenario
    world = worlds.world(*request.param, record=True)
    terms, drivers = scenario.instruments, world.played["gold_vault"].drivers
    ounces = size(scenario, scenario.positions["gold_vault"])
    rest = (terms["gold_vault"], terms["gold_token"], scenario.gas, drivers, ounces)
    per_gas = scenario.gas.usd_per_gas
    costs = {act: used * per_gas for act, used in POOL_GAS.items()}
    provided = size(scenario, scenario.positions["gold_pool"])
    pool = (terms["gold_pool"], provided, costs) if terms["gold_vault"].pool else None
    first_exploit = int(np.argmin(drivers.exploit_step))
    liquidated = world.played["gold_vault"].record.actions[
        :, :, Action.LIQUIDATE : Action.LIQUIDATE + 8
    ]
    most_liquidated = int(np.argmax(liquidated.sum(axis=(0, 2))))
    chosen = sorted({0, 1, first_exploit, most_liquidated})
    return world, {k: vault_oracle.run(*rest, k, pool) for k in chosen}


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    largest = np.abs(np.where(np.isfinite(expected), expected, 0.0)).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ERROR * largest)


def test_acts__of_every_actor_are_those_of_the_plain_loop(played) -> None:
    world, paths = played
    for k, path in paths.items():
        for act in Action:
            width = N_COHORTS if act < Action.CROWD_REDEEM_SHARES else 1
            found = world.played["gold_vault"].record.actions[:, k, act : act + width]
            assert_same(found, path.acts[:, act : act + width])


def test_observables__are_those_of_the_plain_loop(played) -> None:
    world, paths = played
    for k, path in paths.items():
        for seen in Observed:
            found = world.played["gold_vault"].record.observed[:, k, seen:]
            expected = path.seen[:, seen:]
            width = N_COHORTS if seen == Observed.LTV else 1
            assert_same(found[:, :width], expected[:, :width])


def test_value_events_and_attribution__are_those_of_the_plain_loop(played) -> None:
    world, paths = played
    holding = world.instruments["gold_vault"]
    backing = world.played["gold_vault"].drivers.prices.backing
    for k, path in paths.items():
        assert_same(holding.mark["ounces"][:, k], path.mark * backing[:, k])
        assert_same(holding.exit["ounces"][1:, k], path.exit[1:] * backing[1:, k])
        assert holding.events[k] == path.events
        np.testing.assert_allclose(holding.unpaid[k], path.unpaid, rtol=0, atol=1e-6)
        for so_far in ("bad_debt_usd", "liquidated_usd"):
            expected = getattr(path, so_far)
            np.testing.assert_allclose(holding.further[so_far][-1, k], expected, rtol=1e-9, atol=1)
        for row, unit in enumerate(("ounces", "usd")):
            assert_same(holding.attribution[unit][:, k], path.attribution[row])


def test_daily_sources__sum_to_the_change_of_the_mark_so_far() -> None:
    """Step 0 has the gas of entering; the costs of leaving are in no day."""
    scenario = worlds.load(*worlds.STRESS).scenario
    world = worlds.world(*worlds.STRESS)
    terms, drivers = scenario.instruments, world.played["gold_vault"].drivers
    holding, _ = vault_paths.simulate(
        terms["gold_vault"],
        terms["gold_token"],
        Gas(HOLDER_GAS, scenario.gas.usd_per_gas),
        drivers,
        100.0,
        daily=True,
    )
    mark = holding.mark["usd"]
    change = mark - holding.initial["usd"]
    np.testing.assert_allclose(holding.daily.brought.sum(axis=0), change, rtol=0, atol=1e-4)
    assert np.abs(change).max() > 1e3
