"""The vault's model over paths: identities, invariants, and the sense of its numbers."""

from __future__ import annotations

import numpy as np
import pytest
import worlds

from simulator.instruments.base import UNITS, attribution_gap
from simulator.instruments.gold_pool.state import Act
from simulator.instruments.gold_vault import draws
from simulator.instruments.gold_vault.draws import WINDOW_DAYS
from simulator.instruments.gold_vault.state import Action, Observed
from simulator.units import LANES

CALM = (
    "instruments.gold_vault.exploit_hazard=0",
    "instruments.gold_token.shortfall_hazard=0",
    "instruments.gold_vault.borrowers.demand_share=0",
    "instruments.gold_vault.emissions.tokens_per_day=0",
    "instruments.gold_vault.pool=null",
    "instruments.gold_vault.pool_share=0",
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


STILL = (
    *(o for o in CALM if "pool" not in o),
    "instruments.gold_vault.flow_deviation=0",
    "instruments.gold_vault.performance_fee_bps=0",
    "market.assets.gold={drift: 0, volatility: 1e-6}",
    "instruments.gold_token.premium_deviation=0",
    "instruments.gold_pool.volume.imbalance=0",
)


def test_pool_fees__on_a_still_price__are_the_vaults_part_of_what_noise_traders_pay() -> None:
    """Each day 0.05 % of what is traded, by the vault's part of the pool, of which 100 in 20,100.

    Arbitrageurs trade back what the vault's own sales have moved. Gains of the last week are
    still partly locked, about 3.5 of 365 days.
    """
    world = worlds.world(*STILL, record=True)
    paths, played = world.instruments["gold_vault"], world.played
    part = played["gold_vault"].record.observed[:, :, Observed.POOL_WORTH]
    pool = world.instruments["gold_pool"].details["pool_value_usd"]
    price = played["gold_token"].drivers.prices.token_usd
    acts = played["gold_pool"].record.acts
    by_noise = 0.0005 * played["gold_pool"].drivers.volume_usdc / price
    by_arbitrage = 0.0005 * (acts[..., Act.ARBITRAGE_GOLD] + acts[..., Act.ARBITRAGE_USDC] / price)
    owned = part / (pool / price)
    earned = (owned * by_noise)[1:] + owned[:-1] * by_arbitrage[1:]
    earned = earned.sum(axis=0) * 100 / 20_100
    row = [source.name for source in paths.sources].index("pool_fees")
    found = paths.attribution["ounces"][row]
    np.testing.assert_allclose(found, earned, rtol=0.03)
    assert earned.min() > 1e-3


def test_pool__on_a_still_price__costs_its_fee_and_what_the_own_sale_moves() -> None:
    """A fifth of 20,100 oz goes in, half of it sold at 0.05 % and at what the sales move.

    Selling s of a reserve x for its half costs s / x of s, and arbitrageurs bring the price back:
    at 2 % of the reserve a day s / x is 1 %. A tenth more for what they leave within the fee.
    """
    paths = worlds.world(*STILL).instruments["gold_vault"]
    row = [source.name for source in paths.sources].index("impermanent_loss")
    found = paths.attribution["ounces"][row] / 100.0
    sold = 0.5 * 0.2
    assert np.all(found < -sold * 0.0005)
    assert np.all(found > -sold * (0.0005 + 0.01) * 1.1)


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
    """At 80 % utilisation a theft of everything reaches what is idle and a fifth of the loans."""
    overrides = [o for o in CALM if "exploit" not in o and "demand_share" not in o]
    world = worlds.world(
        *overrides,
        "instruments.gold_vault.exploit_hazard=10",
        "instruments.gold_vault.exploit_severity=1",
        "instruments.gold_vault.idle_share=0.25",
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
