"""The vault's model over paths: identities, invariants, and the sense of its numbers."""

from __future__ import annotations

import numpy as np
import pytest
import worlds

from simulator.instruments.base import UNITS, attribution_gap
from simulator.instruments.gold_vault import draws
from simulator.instruments.gold_vault.draws import WINDOW_DAYS
from simulator.instruments.gold_vault.state import Action, Observed
from simulator.units import LANES

CALM = (
    "instruments.gold_vault.exploit_hazard=0",
    "instruments.gold_token.shortfall_hazard=0",
    "instruments.gold_vault.borrowers.demand_share=0",
    "instruments.gold_vault.emissions.tokens_per_day=0",
    "instruments.gold_vault.pool_fee_yield=0",
    "gas.price_gwei=0",
)


def holder(*overrides: str):
    return worlds.world(*overrides).investors["holder"].holding


@pytest.mark.parametrize("overrides", [(), worlds.STRESS], ids=["sober", "stress"])
@pytest.mark.parametrize("unit", UNITS)
def test_attribution__sums_to_the_return_on_every_path(overrides: tuple[str, ...], unit) -> None:
    for investor in worlds.world(*overrides).investors.values():
        assert attribution_gap(investor.holding, unit).max() < 1e-9


def test_stress__plays_every_kind_of_loss() -> None:
    """Guards the test above: an identity over sources that are all zero would prove nothing."""
    paths = holder(*worlds.STRESS)
    by_name = dict(zip([s.name for s in paths.sources], paths.attribution["ounces"], strict=True))
    for name in ("bad_debt", "exploit", "custodian_shortfall", "illiquidity", "vault_fees"):
        assert by_name[name].min() < -1e-6, name
    assert by_name["interest"].max() > 0.1


def test_calm__nothing_earned_and_nothing_lost__the_ounces_come_back() -> None:
    paths = holder(*CALM)
    np.testing.assert_allclose(paths.exit["ounces"], 100.0, rtol=1e-14)


def test_calm__dollars_are_ounces_times_the_token_price_less_the_spread() -> None:
    world = worlds.world(*CALM)
    paths = world.investors["holder"].holding
    expected = 100.0 * world.played["gold_token"].drivers.prices.token_usd[-1] * (1 - 10 / 10_000)
    np.testing.assert_allclose(paths.exit["usd"][-1], expected, rtol=1e-13)


def test_pool_fees__without_anything_else__are_the_stated_yield_on_the_pool_share() -> None:
    """1 % on a fifth of the assets, daily compounded and with seven days in the lock, less 10 %.

    Gains of the last seven days are still partly locked: about 3.5 days of income.
    """
    overrides = [o for o in CALM if "pool_fee" not in o]
    calm = "instruments.gold_vault.flow_deviation=0"
    paths = holder(*overrides, calm, "instruments.gold_vault.pool_fee_yield=0.01")
    gain = paths.exit["ounces"][-1] / 100.0 - 1.0
    income = 0.2 * 0.01 * 0.9
    np.testing.assert_allclose(gain, income * (365 - 1 - 3.5) / 365, rtol=5e-3)


def test_emissions__alone__are_the_holders_share_of_the_tokens_sold() -> None:
    """With a constant price and no flows: 100 of 20,100 oz of 365 days' tokens, less 1 %."""
    overrides = [o for o in CALM if "tokens_per_day" not in o]
    world = worlds.world(
        *overrides,
        "instruments.gold_vault.flow_deviation=0",
        "instruments.gold_vault.emissions.tokens_per_day=10_000",
        "instruments.gold_vault.emissions.decay=0",
        "instruments.gold_vault.emissions.price_drift=0",
        "instruments.gold_vault.emissions.price_volatility=0",
        "instruments.gold_vault.emissions.dilution=0",
        "instruments.gold_vault.emissions.claim_every_days=365",
    )
    paths = world.investors["holder"].holding
    tokens = 10_000 * 365 * 100 / 20_100
    ounces = tokens * 0.99 / world.played["gold_token"].drivers.prices.token_usd[-1]
    np.testing.assert_allclose(paths.exit["ounces"][-1] - 100.0, ounces, rtol=1e-10)


def test_exploit__takes_the_severity_from_what_is_liquid() -> None:
    """With hardly any loans everything is liquid: 80 % of every share is gone."""
    overrides = [o for o in CALM if "exploit" not in o]
    world = worlds.world(*overrides, "instruments.gold_vault.exploit_hazard=10")
    left = world.investors["holder"].holding.exit["ounces"][-1]
    np.testing.assert_allclose(left, 20.0, rtol=1e-6)


def test_exploit__cannot_take_what_borrowers_hold() -> None:
    """At 80 % utilisation a theft of everything reaches idle, pool and a fifth of the loans."""
    overrides = [o for o in CALM if "exploit" not in o and "demand_share" not in o]
    world = worlds.world(
        *overrides,
        "instruments.gold_vault.exploit_hazard=10",
        "instruments.gold_vault.exploit_severity=1",
        "instruments.gold_vault.borrowers.demand_share=2",
        "instruments.gold_vault.borrowers.reservation_rate=0.04",
        "instruments.gold_vault.illiquidity_haircut_bps=0",
    )
    mark = world.investors["holder"].holding.mark["ounces"]
    after = mark[np.minimum(world.played["gold_vault"].drivers.exploit_step, 365), np.arange(128)]
    assert abs(np.median(after) - 60.0) < 3.0  # 0.75 x 0.8 = 60 % is lent out


def test_exit_value__is_never_above_the_mark() -> None:
    paths = holder(*worlds.STRESS)
    assert np.all(paths.exit["ounces"][1:] <= paths.mark["ounces"][1:] + 1e-9)


def test_record__utilisation_and_indices_keep_their_bounds() -> None:
    world = worlds.world(*worlds.STRESS, record=True)
    seen = world.played["gold_vault"].record.observed
    assert np.all((seen[..., Observed.UTILISATION] >= 0) & (seen[..., Observed.UTILISATION] <= 1))
    assert np.all(np.diff(seen[..., Observed.BORROW_INDEX], axis=0) >= 0)
    assert np.all(seen[..., Observed.MARKET_CASH] > -1e-9)
    fell = np.diff(seen[..., Observed.SUPPLY_INDEX], axis=0) < -1e-12
    liquidated = (
        world.played["gold_vault"]
        .record.actions[1:, :, Action.LIQUIDATE : Action.LIQUIDATE + 8]
        .any(axis=2)
    )
    assert fell.any()
    assert not np.any(fell & ~liquidated)


def test_record__nobody_is_left_beyond_the_threshold() -> None:
    seen = worlds.world(*worlds.STRESS, record=True).played["gold_vault"].record.observed
    assert seen[..., Observed.LTV :].max() <= 0.86 * (1 + 1e-6) + 1e-12


def test_paths__do_not_depend_on_the_block_they_stand_in() -> None:
    alone = worlds.world(first_path=256).investors["holder"].holding.exit["ounces"]
    again = worlds.world(first_path=256, record=True).investors["holder"].holding.exit["ounces"]
    np.testing.assert_array_equal(alone, again)


def test_holder_size__of_a_thousandth__hardly_moves_the_yield() -> None:
    """A measured holder is small: doubling it changes the yield by less than a point in 100."""
    small = holder("investors.holder.ounces=10")
    large = holder("investors.holder.ounces=20")
    small_yield = small.exit["ounces"][-1] / 10 - 1
    large_yield = large.exit["ounces"][-1] / 20 - 1
    assert np.abs(np.median(small_yield) - np.median(large_yield)) < 1e-3


def test_drivers__look_back_at_gold_as_a_plain_loop_does() -> None:
    """Demand that responds by 1 to volatility alone is volatility; likewise flow, momentum."""
    rng = np.random.default_rng(1)
    gold = 4_000 * np.exp(np.cumsum(rng.normal(0, 0.01, (80, LANES)), axis=0))
    terms = draws.Numbers(0.17, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    volatility, momentum, price = np.empty((3, *gold.shape))
    level, never = np.full(80, 0.17), np.full(LANES, 100)
    draws.draw(terms, gold, level, level, never, 1, (1, 2, 3), 0, volatility, momentum, price)
    logs = np.log(gold)
    for step in (0, 5, 29, 30, 79):
        window = [logs[s] - logs[s - 1] for s in range(max(1, step - WINDOW_DAYS + 1), step + 1)]
        missing = max(WINDOW_DAYS - step, 0)
        squares = sum((r**2 for r in window), np.zeros(LANES)) + missing * 0.17**2 / 365
        expected = np.sqrt(squares * 365 / WINDOW_DAYS)
        np.testing.assert_allclose(volatility[step], expected, rtol=1e-9)
        np.testing.assert_allclose(momentum[step], sum(window, np.zeros(LANES)), atol=1e-12)
    np.testing.assert_allclose(price, 0.17, rtol=1e-13)
