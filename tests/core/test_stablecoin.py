"""What a fall of USDC does to each instrument, by hand, and that the parts still add up."""

from __future__ import annotations

from dataclasses import replace

import covers
import mines
import numpy as np
import pytest
import worlds
from daily import check_daily

from simulator.engine.breakeven import break_even
from simulator.engine.simulate import simulate
from simulator.instruments.base import Access, Daily, InstrumentPaths, Source, attribution_gap
from simulator.instruments.dollars import flows_in_dollars, in_dollars, so_far
from simulator.instruments.gas import Gas
from simulator.instruments.gold_vault.state import Action, Observed
from simulator.instruments.mining.paths import simulate as simulate_sto
from simulator.investors.series import series
from simulator.investors.world import World, simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

FALL = ("market.stablecoin.day=45", "market.stablecoin.low=0.87")
SHORT = ("horizon_days=150", "market.assets.gold.volatility=0.6")


def flagship(*overrides: str) -> World:
    """Return 128 paths of every instrument and investor over 150 days."""
    loaded = load_scenario("hard-assets-2026", overrides=("horizon_days=150", *overrides))
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, 0, 128)


@pytest.fixture(scope="module")
def par() -> World:
    return flagship()


@pytest.fixture(scope="module")
def fallen() -> World:
    """USDC at 60 cents on day 45, at 90 from day 47 on."""
    return flagship("market.stablecoin={day: 45, low: 0.6, recovers_days: 2, lasting_loss: 0.1}")


# --- By hand -------------------------------------------------------------------


def test_sums_up_to_each_day__are_the_bytes_of_a_plain_running_sum():
    # numpy's cumsum adds day after day; so must the kernel, to the last bit
    days = np.random.default_rng(3).normal(size=(3, 50, 8)) * 10.0 ** np.arange(8)
    assert so_far(days).tobytes() == np.cumsum(days, axis=1).tobytes()
    assert so_far(days[0]).tobytes() == np.cumsum(days[0], axis=0).tobytes()


def position() -> InstrumentPaths:
    """Return 100 USDC that earn 10, pay 5 of them out on day 1 and cost 1 to leave on day 2."""
    value = np.array([[100.0], [105.0], [105.0]])
    with_cash = np.array([[100.0], [110.0], [110.0]])
    leave = np.array([[100.0], [109.0], [109.0]])
    brought = np.zeros((2, 3, 1))
    brought[0, 1:] = 10.0
    return InstrumentPaths(
        name="one",
        sources=(Source("yield", "organic", "Yield"), Source("gas", "cost", "Gas")),
        initial={"usd": np.array([100.0])},
        mark={"usd": with_cash},
        exit={"usd": leave},
        attribution={"usd": np.array([[10.0], [-1.0]])},
        events=np.zeros(1, np.int64),
        unpaid=np.array([20.0]),
        daily=Daily(brought, np.array([[0.0], [5.0], [0.0]]), Access(sale_usd=value - 1.0), value),
    )


def test_position__in_dollars__by_hand() -> None:
    """USDC at 0.5 on day 1 and 0.8 on day 2.

    Day 1: the 5 paid out are 2.5 dollars, 105 are 52.5. Day 2: 105 are 84, leaving costs 0.8.
    Sources: 10 earned at 0.5 are 5; USDC does 100 x -0.5 and 105 x 0.3.
    """
    found = in_dollars(position(), np.array([[1.0], [0.5], [0.8]]))
    assert found.mark["usd"][:, 0].tolist() == pytest.approx([100, 55, 86.5])
    assert found.exit["usd"][:, 0].tolist() == pytest.approx([100, 54.5, 85.7])
    named = {
        s.name: float(a[0]) for s, a in zip(found.sources, found.attribution["usd"], strict=True)
    }
    assert named == pytest.approx({"yield": 5.0, "gas": -0.8, "stablecoin": -50 + 31.5})
    assert found.sources[-1].kind == "market"
    assert found.unpaid.tolist() == pytest.approx([16.0])
    assert found.daily.value[:, 0].tolist() == pytest.approx([100, 52.5, 84])
    assert found.daily.income[:, 0].tolist() == pytest.approx([0, 2.5, 0])
    assert found.daily.access.sale_usd[:, 0].tolist() == pytest.approx([99, 52, 83.2])
    check_daily(found)


def test_position__while_usdc_stays_a_dollar__keeps_every_byte() -> None:
    before, after = position(), in_dollars(position(), np.ones((3, 1)))
    assert after.mark["usd"].tobytes() == before.mark["usd"].tobytes()
    assert after.exit["usd"].tobytes() == before.exit["usd"].tobytes()
    assert after.attribution["usd"][:2].tobytes() == before.attribution["usd"].tobytes()
    assert after.attribution["usd"][2].tolist() == [0.0]


def test_position__without_days__cannot_be_turned() -> None:
    with pytest.raises(ValueError, match="one has no days"):
        in_dollars(replace(position(), daily=None), np.ones((3, 1)))


def test_position__whose_sources_nobody_asked_for__is_worth_the_same_and_tells_none() -> None:
    usdc = np.array([[1.0], [0.9], [0.8]])
    told = position()
    unasked = replace(told, daily=replace(told.daily, brought=np.empty((1, 0, 0))))
    found, bare = (in_dollars(paths, usdc) for paths in (told, unasked))
    assert bare.sources == found.sources
    assert (bare.mark["usd"] == found.mark["usd"]).all()
    assert (bare.exit["usd"] == found.exit["usd"]).all()
    assert bare.daily.brought.size == 0
    # what they brought in the end hangs on every day: no number is better than a wrong one
    assert np.isnan(bare.attribution["usd"]).all()


def test_portfolios__simulated_without_details__are_worth_the_same_bytes() -> None:
    """Where nobody holds a product alone, sets are judged without what its sources brought."""
    loaded = load_scenario("two-vaults", overrides=[*FALL, "horizon_days=150", "paths=128"])
    investors = {k: v for k, v in loaded.scenario.investors.items() if v.holding is None}
    assert investors
    scenario = loaded.scenario.model_copy(update={"investors": investors, "claims": {}})
    whole, judged = (
        simulate(scenario, loaded.calibration, details=details, workers=1)
        for details in (True, False)
    )
    for name in investors:
        for key, values in judged.investors[name].values.items():
            assert values.tobytes() == whole.investors[name].values[key].tobytes()


def test_sto__payments_count_at_the_dollars_of_their_day() -> None:
    """A stream of 90 days from day 121 on; USDC at 0.5 and 0.75 on days 151 and 152.

    Each day of the stream pays a 90th: of two of them a half and a quarter are missing. The
    token itself is worth half on day 151 and all of it in the end.
    """
    usdc = np.ones((mines.DAYS + 1, 128))
    usdc[151], usdc[152] = 0.5, 0.75
    terms, market = mines.terms(), mines.market()
    drivers = mines.drawn(terms, market)
    held, record = simulate_sto(terms, FREE, drivers, 1e5, record=True, daily=True)
    found = in_dollars(held, usdc)
    a_day = 1e5 / 500e6 * record.payment_usd[1] / 90
    assert a_day.min() > 10.0
    token = held.exit["usd"] - 1e5 * held.details["payments"]
    cash = 30 * a_day - 0.5 * a_day
    np.testing.assert_allclose(found.exit["usd"][151], 0.5 * token[151] + cash, rtol=1e-12)
    lost = held.exit["usd"][-1] - found.exit["usd"][-1]
    np.testing.assert_allclose(lost, 0.75 * a_day, rtol=1e-9)
    assert attribution_gap(found, "usd").max() < 1e-12
    check_daily(found)


def test_cover__the_miner_is_paid_in_usdc__and_pays_premiums_in_it() -> None:
    """(9,000 - 8,000) x 100 t on day 30, and a premium on day 0, both one to one in USDC."""
    miner = covers.run(covers.terms(), [10_000.0] * 20 + [8_000.0] * 12)[0]["cover-miner"]
    premium = miner.details["premiums_usd"]
    assert premium[0, 0] == premium[-1, 0] > 1_000
    flows = miner.usdc_flows

    def found(usdc: np.ndarray) -> tuple[InstrumentPaths, float, float]:
        turned = flows_in_dollars(miner, flows, usdc)
        by_name = mines.by_source(turned)
        return turned, float(by_name["payouts"][0]), float(by_name["cover_premiums"][0])

    late, always = np.ones((32, 128)), np.full((32, 128), 0.6)
    late[25:] = 0.6
    turned, payouts, premiums = found(late)
    assert payouts == pytest.approx(60_000.0)
    assert premiums == -premium[0, 0]
    assert miner.exit["usd"][-1, 0] - turned.exit["usd"][-1, 0] == pytest.approx(40_000.0)
    assert attribution_gap(turned, "usd").max() < 1e-12
    assert found(always)[2] == pytest.approx(-0.6 * premium[0, 0])


def test_underwriter__has_dollars_worth_60_cents__then_90(par: World, fallen: World) -> None:
    before, after = (w.instruments["copper-cover"].exit["usd"] for w in (par, fallen))
    for day, price in ((44, 1.0), (45, 0.6), (46, 0.75), (47, 0.9), (150, 0.9)):
        np.testing.assert_allclose(after[day], price * before[day], rtol=1e-12)


FREE = Gas({"enter": 0.0, "claim": 0.0, "leave": 0.0}, 0.0)
MINES = ("producing_sto", "ramp_up_sto", "development_sto", "producing_staking")


@pytest.mark.parametrize("name", MINES)
def test_mine_tokens__follow_usdc__where_nothing_has_been_paid_yet(par, fallen, name) -> None:
    """The first payment flows from day 121 on; gas, a few dollars in 100,000, was paid at par.

    Where the raise failed the money had come back on day 30.
    """
    before, after = (w.instruments[name].exit["usd"] for w in (par, fallen))
    there = fallen.instruments[name].daily.value[45] > 0.0
    assert 64 < there.sum() < 128
    for day, price in ((44, 1.0), (45, 0.6), (46, 0.75), (47, 0.9), (150, 0.9)):
        expected = np.where(there, price, 1.0) * before[day]
        np.testing.assert_allclose(after[day], expected, atol=3e-4 * before[0].max())


def test_miner__gets_90_cents_for_a_dollar_of_payout__his_premium_he_paid_at_par(par, fallen):
    """One cover, bought on day 0 and paid on day 93; a second would end beyond the run."""
    before, after = (w.instruments["copper-cover-miner"] for w in (par, fallen))
    premiums, payouts = before.details["premiums_usd"], before.details["payouts_usd"]
    assert np.all((premiums[0] > 0.0) & (premiums[0] == premiums[-1]))
    assert payouts[46].max() == 0.0
    assert payouts[-1].max() > 0.0
    lost = before.exit["usd"][-1] - after.exit["usd"][-1]
    np.testing.assert_allclose(lost, 0.1 * payouts[-1], rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("name", ["gold_token", "silver_token", "gold_fund", "producing_share"])
def test_what_is_not_settled_in_usdc__keeps_every_byte(par: World, fallen: World, name) -> None:
    before, after = (w.instruments[name] for w in (par, fallen))
    assert after.exit["usd"].tobytes() == before.exit["usd"].tobytes()
    assert after.attribution["usd"].tobytes() == before.attribution["usd"].tobytes()


# --- The vault -----------------------------------------------------------------

STILL = (
    "horizon_days=30",
    "market.assets.gold.volatility=1e-6",
    "instruments.gold_token.premium_deviation=0",
    "instruments.gold_token.shortfall_hazard=0",
    "instruments.gold_vault.exploit_hazard=0",
    "instruments.gold_vault.flow_deviation=0",
    "instruments.gold_vault.pool=null",
    "instruments.gold_vault.pool_share=0",
    "instruments.gold_vault.borrowers.demand_share=0.4",
    "instruments.gold_vault.borrowers.demand_deviation=0",
    "instruments.gold_vault.borrowers.volatility_response=0",
    "instruments.gold_vault.borrowers.reservation_rate=1",
    "instruments.gold_vault.lending.reserve_factor=0",
    "gas.price_gwei=0",
)
"""Gold stands still; eight cohorts borrow as much each, at 45, 50, ... 80 % loan to value."""


def test_vault__borrowers_are_liquidated_as_their_collateral_falls() -> None:
    """Loan to value over 0.87 beyond the threshold of 0.86: from 0.7482 on, so 75 and 80 %."""
    fall = ("market.stablecoin.day=7", "market.stablecoin.low=0.87")
    acts = worlds.world(*STILL, *fall, record=True).played["gold_vault"].record.actions
    closed = acts[:, 0, Action.LIQUIDATE : Action.LIQUIDATE + 8]
    np.testing.assert_array_equal(closed[7], [0, 0, 0, 0, 0, 0, 1, 1])
    assert closed.sum() == 2
    calm = worlds.world(*STILL, record=True).played["gold_vault"].record.actions
    assert calm[:, 0, Action.LIQUIDATE : Action.LIQUIDATE + 8].sum() == 0


def test_vault__bad_debt__is_what_half_the_collateral_does_not_pay_for() -> None:
    """At 0.5 a loan at l leaves 1 - 0.5 / (1.05 l) of it unpaid, nothing below l = 0.476."""
    ladder = np.array([0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80])
    unpaid = np.maximum(0.0, 1.0 - 0.5 / (1.05 * ladder)).mean()
    fall = ("market.stablecoin.day=1", "market.stablecoin.low=0.5")
    world = worlds.world(*STILL, *fall, record=True)
    seen = world.played["gold_vault"].record.observed[:, 0]
    lent = seen[0, Observed.MARKET_ASSETS] - seen[0, Observed.MARKET_CASH]
    assert lent > 5_000
    lost = seen[0, Observed.TOTAL_ASSETS] - seen[1, Observed.TOTAL_ASSETS]
    np.testing.assert_allclose(lost, unpaid * lent, rtol=1e-3)
    # The holder bears it in ounces, and in as many dollars: gold itself did not move.
    holder = world.investors["holder"].holding
    ounces = holder.exit["ounces"][-1, 0]
    assert ounces < 100.0 * (1.0 - 0.9 * lost / seen[0, Observed.TOTAL_ASSETS])
    token = world.played["gold_token"].drivers.prices.token_usd
    np.testing.assert_allclose(
        holder.exit["usd"][-1], holder.exit["ounces"][-1] * token[-1] * (1 - 0.001), rtol=1e-12
    )


def test_vault__gold_price_in_the_attribution__is_that_in_dollars() -> None:
    """Nobody borrows, no pool: ounces and dollars are as without the fall, source by source."""
    bare = ("instruments.gold_vault.pool=null", "instruments.gold_vault.pool_share=0")
    none = "instruments.gold_vault.borrowers.demand_share=0"
    quiet = (none, *bare, "gas.price_gwei=0", *SHORT)
    calm = worlds.world(*quiet).investors["holder"].holding
    fall = worlds.world(*quiet, *FALL).investors["holder"].holding
    assert [s.name for s in fall.sources] == [s.name for s in calm.sources]
    for unit in ("ounces", "usd"):
        initial = calm.initial[unit][0]
        np.testing.assert_allclose(
            fall.attribution[unit], calm.attribution[unit], atol=1e-9 * initial
        )
        np.testing.assert_allclose(fall.exit[unit], calm.exit[unit], rtol=1e-11)


# --- All together --------------------------------------------------------------


def test_attribution__sums_to_the_return_on_every_path(fallen: World) -> None:
    for paths in fallen.instruments.values():
        for unit in paths.units:
            assert attribution_gap(paths, unit).max() < 1e-9, paths.name
        if paths.daily is not None:
            check_daily(paths)
    for investor in fallen.investors.values():
        assert attribution_gap(investor.holding, "usd").max() < 1e-9, investor.name


def test_vault__under_stress__adds_up_too() -> None:
    world = worlds.world(*worlds.STRESS, "market.stablecoin={day: 100, low: 0.7}")
    for unit in ("ounces", "usd"):
        assert attribution_gap(world.instruments["gold_vault"], unit).max() < 1e-9


def test_portfolio__bears_what_its_parts_do(par: World, fallen: World) -> None:
    """Mine tokens lose 40 % on the day, bank dollars nothing, where nothing was traded."""
    before, after = (w.investors["stable"].portfolio for w in (par, fallen))
    still = (before.turnover[1:46].sum(axis=0) == 0.0) & (after.turnover[1:46].sum(axis=0) == 0.0)
    assert still.sum() > 50
    for row, name in enumerate(before.holdings):
        if name != "gold_vault":  # some of its borrowers are liquidated
            price = 0.6 if name.endswith("_sto") else 1.0
            expected = price * before.values[row][45, still]
            np.testing.assert_allclose(after.values[row][45, still], expected, rtol=1e-12)
    np.testing.assert_allclose(after.cash[45, still], before.cash[45, still], atol=1e-6)
    assert np.median(before.values[before.holdings.index("producing_sto")][45]) > 1e5
    sources = {s.name for s in fallen.investors["stable"].holding.sources}
    found = {name for name in sources if name.endswith("stablecoin")}
    assert found == {"producing_sto.stablecoin", "ramp_up_sto.stablecoin"}


def test_low_of_one__is_every_byte_of_a_world_without_it(par: World) -> None:
    same = flagship("market.stablecoin={day: 45, low: 1.0}")
    assert "usdc" not in par.market.prices
    for name, paths in par.instruments.items():
        for unit in paths.units:
            assert same.instruments[name].exit[unit].tobytes() == paths.exit[unit].tobytes(), name
    for name, investor in par.investors.items():
        exit_usd = same.investors[name].holding.exit["usd"]
        assert exit_usd.tobytes() == investor.holding.exit["usd"].tobytes(), name


def test_break_even__of_the_low__is_where_the_promise_breaks() -> None:
    claims = "claims={dollar: {says: a dollar, conditions: [{series: price.usdc, measure: lowest, "
    claims += "at_least: 0.9}]}}"
    overrides = ("paths=128", "horizon_days=30", "market.stablecoin={day: 9, low: 0.87}", claims)
    ready = load_scenario("gold-vault-sober", overrides=overrides)
    found = break_even(ready.scenario, ready.calibration, "dollar", "market.stablecoin.low")
    assert found.value == pytest.approx(0.9, rel=1e-4)
    assert (found.low, found.high) == pytest.approx((0.001, 1.0))


def test_series__usdc_has_a_price_like_an_asset(fallen: World) -> None:
    assert series(fallen.market, fallen.instruments, "price.usdc")[45].tolist() == [0.6] * 128
