"""Staking a mine's token: profit as a holder has it, and the mine's revenue on top."""

from __future__ import annotations

import mines
import numpy as np
import pytest
from daily import check_daily
from scenario_text import refused

from simulator.instruments.base import attribution_gap
from simulator.instruments.gas import Gas
from simulator.instruments.mining import staking
from simulator.instruments.mining.gas import HOLDER_GAS, STAKING_GAS
from simulator.instruments.mining.paths import simulate
from simulator.instruments.mining.staking import StakingDrivers
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder
from simulator.schema.gas import GasTerms

COPPER = (shipped_folder() / "copper-sto.yaml").read_text(encoding="utf-8")
FREE = GasTerms(price_gwei=0.0)
TERMS = RevenueStakingTerms(sto="mine", revenue_share=0.1, staked_share=0.25, period_days=50)


def staked(gas: GasTerms = FREE, stake_step: int = 30, sold_usd: float = 500e6):
    """Return holder and staker of 100,000 dollars of a mine without any chance."""
    chosen, market = mines.terms(), mines.market()
    drivers = mines.drawn(chosen, market)
    held, _ = simulate(chosen, Gas(HOLDER_GAS, gas.usd_per_gas), drivers, 1e5)
    outside = StakingDrivers(
        profit_usd=drivers.mine.profit,
        issued_usd=np.full_like(drivers.mine.profit, sold_usd),
        sold_share=np.full(128, sold_usd / 500e6),
        ends=drivers.mine.ends,
        stake_step=stake_step,
    )
    return drivers, held, *staking.simulate(TERMS, Gas(STAKING_GAS, gas.usd_per_gas), held, outside)


def test_income__is_the_holders_part_of_all_stake__evenly_over_the_period() -> None:
    """By hand: 10 % of the period's profit, to 100,000 of 0.25 x 499.9 m + 100,000 staked."""
    drivers, _, _, record = staked()
    reward = np.floor(0.1 * drivers.mine.profit[1] * 1e6) / 1e6
    part = 1e5 / (0.25 * (500e6 - 1e5) + 1e5)
    for days in (0, 1, 25, 50, 80):
        expected = part * reward * min(days, 50) / 50
        np.testing.assert_allclose(record.income_usd[121 + days], expected, rtol=1e-12, atol=1e-9)


def test_staker__has_what_a_holder_has_and_the_income() -> None:
    _, held, found, record = staked()
    np.testing.assert_allclose(found.exit["usd"], held.exit["usd"] + record.income_usd, rtol=1e-12)
    by = mines.by_source(found)
    np.testing.assert_allclose(by["staking_revenue"], record.income_usd[-1], rtol=1e-12)
    assert attribution_gap(found, "usd").max() < 1e-9


def test_staked_late__rewards_before_go_to_others() -> None:
    early, late = staked()[3], staked(stake_step=146)[3]
    np.testing.assert_array_equal(late.income_usd[146], 0.0)
    half = early.income_usd[171] - early.income_usd[146]
    np.testing.assert_allclose(late.income_usd[171], half, rtol=1e-12)


def test_gas__staking_claims_and_leaving_cost_more() -> None:
    gas = GasTerms(price_gwei=10.0, ether_usd=3_000.0)
    _, held, found, _ = staked(gas, stake_step=130)
    more = STAKING_GAS["stake"] + 3 * STAKING_GAS["claim"] + STAKING_GAS["leave"]
    paid = mines.by_source(held)["gas"] - mines.by_source(found)["gas"]
    np.testing.assert_allclose(paid, more * 1e-8 * 3_000.0, rtol=1e-9)
    assert attribution_gap(found, "usd").max() < 1e-9


def test_half_sold__stakers_get_the_share_of_half_the_revenue() -> None:
    """10 % of half of the profit, to 100,000 of 0.25 x 249.9 m + 100,000 staked."""
    drivers, _, _, record = staked(sold_usd=250e6)
    reward = np.floor(0.1 * 0.5 * drivers.mine.profit[1] * 1e6) / 1e6
    expected = 1e5 / (0.25 * (250e6 - 1e5) + 1e5) * reward
    np.testing.assert_allclose(record.income_usd[171], expected, rtol=1e-12)


def test_exit__by_a_staker__costs_leaving_from_the_day_after_he_staked() -> None:
    """At 10 gwei and 3,000 USD a unit of gas costs 3e-5 USD; the first claim is on day 212."""
    _, held, found, record = staked(GasTerms(price_gwei=10.0, ether_usd=3_000.0), stake_step=130)
    costs = held.exit["usd"] + record.income_usd - found.exit["usd"]
    stake, claim, leave = (STAKING_GAS[act] * 3e-5 for act in ("stake", "claim", "leave"))
    for step, expected in (
        (129, 0.0),
        (130, stake),
        (131, stake + leave),
        (211, stake + leave),
        (212, stake + claim + leave),
    ):
        np.testing.assert_allclose(costs[step], expected, atol=1e-9)


def test_failed_raise__nothing_is_staked_or_paid_for() -> None:
    gas = GasTerms(price_gwei=10.0)
    _, held, found, record = staked(gas, sold_usd=0.0)
    assert record.income_usd.max() == 0.0
    np.testing.assert_array_equal(found.exit["usd"], held.exit["usd"])


def test_world__defaults_and_failed_raises__keep_the_identity_and_stop_the_rewards() -> None:
    risky = ("producing_sto.default.hazard=0.8", "producing_sto.sale.demand_deviation=0.8")
    loaded = load_scenario("copper-sto", overrides=[f"instruments.{text}" for text in risky])
    spec = market_spec(loaded.scenario, loaded.calibration)
    world = simulate_block(loaded.scenario, spec, 0, 128, record=True)
    found = world.instruments["producing_staking"]
    assert attribution_gap(found, "usd").max() < 1e-9
    play = world.played["producing_staking"]
    settles = np.array(play.drivers.mine.settles)[:, None]
    assert np.all(play.record.staking.reward_usd[settles > play.drivers.default_step] == 0.0)
    failed = play.record.sto.payment_usd.sum(axis=0) == 0.0
    assert 5 < failed.sum() < 123
    assert mines.by_source(found)["staking_revenue"][failed].max() == 0.0


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (
            "revenue_share: {value: 0.05,",
            "revenue_share: {value: 0.6,",
            "revenue_share is 0.6; must be at most 0.5, what the payout ratio leaves",
        ),
        (
            "    sto: producing_sto\n",
            "    sto: gold_sto\n",
            "sto is 'gold_sto'; must be a mining_sto of this file: producing_sto, ramp_up_sto, "
            "development_sto",
        ),
        (
            "    sto: producing_sto\n",
            "    sto: producing_sto\n    period_days: 120\n",
            "period_days is 120; must be at most 91, the days between two payments of "
            "producing_sto",
        ),
    ],
)
def test_load__bad_terms__one_line_with_its_place(tmp_path, old, new, rule) -> None:
    assert COPPER.count(old) == 1
    (message,) = refused(tmp_path, COPPER.replace(old, new))
    assert message.endswith(f": instruments.producing_staking.{rule}")
    assert message.startswith("own.yaml:")


def test_days__of_the_stake__add_up_to_the_return() -> None:
    chosen, gas = mines.terms(), GasTerms(price_gwei=30.0)
    drivers = mines.drawn(chosen, mines.wild_copper())
    held, _ = simulate(chosen, Gas(HOLDER_GAS, gas.usd_per_gas), drivers, 1e5, daily=True)
    outside = StakingDrivers(
        profit_usd=drivers.mine.profit,
        issued_usd=np.full_like(drivers.mine.profit, 500e6),
        sold_share=np.ones(256),
        ends=drivers.mine.ends,
        stake_step=30,
    )
    found, record = staking.simulate(TERMS, Gas(STAKING_GAS, gas.usd_per_gas), held, outside)
    check_daily(found)
    np.testing.assert_allclose(found.daily.brought[-1, -1], record.income_usd[-1], rtol=1e-9)
