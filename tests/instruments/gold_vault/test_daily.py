"""The vault day by day: what part of a position could be sold, and where its dollars came from."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.instruments.base import TokenPrices
from simulator.instruments.gas import Gas
from simulator.instruments.gold_vault.daily import day_by_day
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers, draw_drivers
from simulator.instruments.gold_vault.gas import HOLDER_GAS
from simulator.instruments.gold_vault.paths import simulate
from simulator.instruments.gold_vault.state import GAS, ILLIQUIDITY, SPREAD, Action
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.units import LANES

N_STEPS = 40
SHAPE = (N_STEPS + 1, LANES)
SPREAD_BPS = 20.0
GAS_COSTS = Gas(HOLDER_GAS, 30e-9 * 3_000.0)
TOKEN = SimpleNamespace(sale_spread_bps=SPREAD_BPS, decimals=18)
NEVER = np.full(LANES, 10**6)
HELD = 100.0
HAIRCUTS_BPS = (0.0, 1.0, 500.0, 10_000.0)


def gold(deviation: float = 0.0) -> TokenPrices:
    """Prices of gold and its token, the same where nothing moves: USD 4,000."""
    moves = np.random.default_rng(3).normal(0.0, deviation, SHAPE) if deviation else np.zeros(SHAPE)
    metal = 4_000.0 * np.exp(np.cumsum(moves, axis=0))
    return TokenPrices(metal, metal.copy(), np.zeros(SHAPE), np.ones(SHAPE))


def outside(demand: float, exploit: np.ndarray = NEVER, deviation: float = 0.0) -> GoldVaultDrivers:
    """Borrowers who want `demand` ounces; a crowd that neither comes nor goes; no rewards."""
    still, no_reward = np.zeros(SHAPE), np.zeros(N_STEPS + 1)
    prices = gold(deviation)
    return GoldVaultDrivers(
        prices,
        np.full(SHAPE, demand),
        still,
        still + 1.0,
        no_reward,
        exploit,
        np.full(exploit.shape, 0.8),
    )


def drained() -> GoldVaultDrivers:
    """An exploit on days 1 to 60 and the run that follows; much is lent out, gold moves."""
    return outside(10_000.0, 1 + np.arange(LANES) % 60, deviation=0.02)


def days_of(terms: dict, drivers: GoldVaultDrivers, held: float = HELD):
    chosen = GoldVaultTerms.model_validate(terms)
    return simulate(chosen, TOKEN, GAS_COSTS, drivers, held, daily=True)[0]


@pytest.fixture(scope="module")
def by_haircut():
    drivers = drained()
    return {
        bps: days_of({"illiquidity_haircut_bps": bps}, drivers).daily.access.sellable
        for bps in HAIRCUTS_BPS
    }


def test_sellable__does_not_depend_on_the_discount_for_waiting(by_haircut) -> None:
    """What a vault can pay has nothing to do with what impatience costs: also where that is 0."""
    assert (by_haircut[500.0] < 0.9).any(axis=0).sum() > LANES // 3
    for bps in HAIRCUTS_BPS:
        np.testing.assert_array_equal(by_haircut[bps], by_haircut[500.0])


def test_sellable__is_what_the_exit_was_not_discounted_for() -> None:
    """exit = (mark - short x haircut - gas) (1 - spread), so sellable = 1 - short / mark."""
    drivers = drained()
    paths = days_of({"illiquidity_haircut_bps": 500.0}, drivers)
    mark, leave = paths.mark["usd"][1:], paths.exit["usd"][1:] / (1.0 - SPREAD_BPS / 10_000)
    gas = 289_869 * GAS_COSTS.usd_per_gas
    expected = 1.0 - (mark - gas - leave) / 0.05 / mark
    np.testing.assert_allclose(paths.daily.access.sellable[1:], expected, rtol=0, atol=1e-12)


def test_sellable__of_a_vault_that_lent_all_but_a_twentieth__by_hand() -> None:
    """Holder 300 oz, crowd 100: 5 % of 400 lie idle, all else is lent: 20 of 300 can be paid.

    A share may be 1e-6 oz off for each amount that keepers leave for rounding; a day's interest
    of at most 64 % a year on 380 oz, locked for a week, does not reach the price on day 1.
    """
    terms = {
        "crowd_ounces": 100.0,
        "idle_share": 0.05,
        "pool_share": 0.0,
        "illiquidity_haircut_bps": 0.0,
        "borrowers": {"reservation_rate": 1.0},
        "report_every_days": 365,
    }
    paths = days_of(terms, outside(1e6), held=300.0)
    gas_ounces = 298_668 * GAS_COSTS.usd_per_gas / 4_000.0
    expected = 1.0 - (300.0 - 20.0) / (300.0 - gas_ounces)
    np.testing.assert_allclose(paths.daily.access.sellable[1], expected, rtol=0, atol=1e-6)


def test_sellable__of_a_liquid_vault__is_all_of_it() -> None:
    paths = days_of({"illiquidity_haircut_bps": 0.0}, outside(0.0))
    np.testing.assert_array_equal(paths.daily.access.sellable, 1.0)


def test_sellable__at_the_horizon__is_what_the_exit_was_paid() -> None:
    paths = days_of({"illiquidity_haircut_bps": 0.0}, drained())
    assert (paths.unpaid > 1.0).sum() > LANES // 3
    paid = 1.0 - paths.unpaid / paths.mark["ounces"][-1]
    np.testing.assert_allclose(paths.daily.access.sellable[-1], paid, rtol=0, atol=1e-12)


def test_days__leave_what_they_are_told_as_it_was() -> None:
    price, mark, share = np.full((3, 2, 4), 5.0)
    brought = np.ones((12, 2, 4))
    for told in (price, mark, share, brought):
        told.setflags(write=False)
    found = day_by_day(TOKEN, GAS_COSTS, price, mark, share, brought)
    np.testing.assert_array_equal(found.brought, 1.0)


def test_sources__of_the_last_day__know_nothing_of_the_exit() -> None:
    """Gas of entering alone, to the last bit; discount and spread are no day's."""
    found = days_of({"emissions": {"claim_every_days": 365}}, drained())
    brought, whole = found.daily.brought, found.attribution["usd"]
    assert (whole[ILLIQUIDITY] < 0.0).any()
    assert (whole[SPREAD] < 0.0).all()
    assert not brought[[ILLIQUIDITY, SPREAD]].any()
    assert (whole[GAS] < brought[GAS, -1]).all()
    np.testing.assert_array_equal(brought[GAS], brought[GAS, :1].repeat(N_STEPS + 1, axis=0))


def test_sources__without_being_asked_for__have_no_days() -> None:
    paths, _ = simulate(
        GoldVaultTerms(), TOKEN, GAS_COSTS, drained(), HELD, daily=True, by_source=False
    )
    assert paths.daily.brought.shape[1:] == (0, 0)
    asked = days_of({}, drained()).daily
    np.testing.assert_array_equal(paths.daily.access.sellable, asked.access.sellable)


def test_exploit__drains_the_vault_on_the_day_on_which_the_reward_falls() -> None:
    """Both read the one step that is drawn: neither a day early nor a day late."""
    still = {"price_drift": 0.0, "price_volatility": 0.0, "price_fall_on_exploit": 0.5}
    terms = GoldVaultTerms.model_validate({"exploit_hazard": 10.0, "emissions": still})
    drivers = draw_drivers(terms, "gold_vault", gold(), 0.15, 0, 1)
    _, record = simulate(terms, TOKEN, GAS_COSTS, drivers, HELD, record=True)
    steps = np.arange(N_STEPS + 1)[:, None]
    stolen = record.actions[:, :, Action.EXPLOIT_STOLEN] > 0.0
    np.testing.assert_array_equal(stolen, steps == drivers.exploit_step)
    fallen = np.where(steps >= drivers.exploit_step, 0.5, 1.0)
    np.testing.assert_allclose(drivers.reward_usd, fallen, rtol=1e-12)
    assert stolen.sum() > LANES // 2
