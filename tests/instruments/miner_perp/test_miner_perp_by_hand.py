"""The perpetual's model: its sums by hand, its identities, and what theory says of it."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from perps import HOLDER_USD, LANES, long, run, short, terms

from simulator.instruments.checks import faults_of
from simulator.instruments.miner_perp.state import Act, Observed

FREE = {"maker_fee": 0.0, "taker_fee": 0.0, "keeper_fee_usd": 0.0}
"""A market without fees."""
DAY_WITHOUT_ROUND = np.array([True, True, True, False, False, True, True])


def value(paths, name: str) -> np.ndarray:
    """Return a position's mark on the first path, shape (n_steps + 1,)."""
    return paths[name].mark["usd"][:, 0]


def source(paths, name: str) -> dict[str, float]:
    """Return what each source brought on the first path."""
    found = paths[name]
    return {
        s.name: float(a[0]) for s, a in zip(found.sources, found.attribution["usd"], strict=True)
    }


# --- Trades ------------------------------------------------------------------------


def test_long__in_and_out__by_hand() -> None:
    """Leverage 3 on 10,000 less the keeper's 1: size 3 x 9,999 / (1 + 3 x 0.002) = 29,818.0914...
    bought at 1.00 for a taker's fee of 0.2 %, sold at 1.10 for a maker's of 0.1 %."""
    paths, _ = run(terms(traders={"a": long(3)}), [100, 104, 107, 110])
    size = math.floor(3 * 9_999 / 1.006 * (1 - 1e-9) * 1e6) / 1e6
    fees = 1 + size * 0.002 + 1 + size * 1.1 * 0.001
    assert value(paths, "a")[-1] == pytest.approx(10_000 + 0.1 * size - fees, rel=1e-12)
    found = source(paths, "a")
    assert found["index_moves"] == pytest.approx(0.1 * size)
    assert found["trading_fees"] == pytest.approx(-fees)
    assert paths["a"].unpaid[0] == 0.0
    # The mark follows the index day by day.
    assert value(paths, "a")[1] == pytest.approx(10_000 - 1 - size * 0.002 + 0.04 * size)


def test_acts__of_who_comes_and_goes__are_told_on_their_days() -> None:
    """Filled at the first round; asked to close a day before the last, filled and paid on it."""
    _, record = run(terms(traders={"a": long(3)}), [100, 104, 107, 110], record=True)
    leaves = Act.ORDERED | Act.CLOSES
    told = [Act.FILLED, Act.NONE, leaves, Act.FILLED | Act.WITHDREW]
    assert record.acts[:, 0, 0].tolist() == told


def test_provider__has_what_traders_lose_and_his_part_of_the_fees() -> None:
    """A short of 1x loses 10 % of his size; the pool of a million has it, and 70 % of the fees,
    of which the measured provider owns 1 %."""
    paths, record = run(terms(traders={"a": short(1)}), [100, 104, 110], record=True)
    size = math.floor(9_999 / 1.002 * (1 - 1e-9) * 1e6) / 1e6
    pool = 1e6 + 0.1 * size + 0.7 * (size * 0.002 + size * 1.1 * 0.001)
    assert value(paths, "pool")[-1] == pytest.approx(pool / 100, rel=1e-12)
    assert record.paid[0] == pytest.approx(pool / 100)
    found = source(paths, "pool")
    assert found["traders"] == pytest.approx(0.1 * size / 100)
    assert found["trading_fees"] == pytest.approx((pool - 1e6 - 0.1 * size) / 100)


def test_gas__is_a_source_of_its_own() -> None:
    """At a dollar a unit of gas: entering 304,568 and leaving 114,551 dollars."""
    paths, _ = run(terms(traders={"a": long(1)}), [100, 100, 100], OneDollar())
    assert source(paths, "a")["gas"] == -(304_568 + 114_551)
    assert source(paths, "pool")["gas"] == -(229_822 + 70_288 + 152_370)


class OneDollar:
    """Gas at a dollar a unit."""

    usd_per_gas = 1.0


# --- Liquidation, stops ------------------------------------------------------------


def test_liquidation__takes_penalty_and_fee__and_leaves_the_rest() -> None:
    """Without trading fees, leverage 5 on 9,999: at 0.81 equity is 9,999 - 0.19 x 49,995 = 499.95,
    below 2 % of 40,495.95. The penalty is 1 % of that, the keeper's fee 1."""
    fees = {"maker_fee": 0.0, "taker_fee": 0.0}
    paths, _ = run(terms(market=fees, traders={"a": long(5)}), [100, 90, 81, 120, 120])
    size = math.floor(5 * 9_999 * (1 - 1e-9) * 1e6) / 1e6
    left = 9_999 - 0.19 * size - 1 - 0.01 * 0.81 * size
    assert value(paths, "a")[2:] == pytest.approx([left] * 3, rel=1e-9)
    assert paths["a"].happened["liquidated"].all()
    assert source(paths, "a")["liquidation"] == pytest.approx(-1 - 0.01 * 0.81 * size)
    assert paths["a"].details["liquidated"][:, 0].tolist() == [0, 0, 1, 1, 1]


def test_liquidation__after_a_gap__costs_fund_then_pool() -> None:
    """Leverage 10 at 0.70: 9,999 against a loss of 29,997. The fund has 5,000, the pool bears the
    rest and the keeper's fee."""
    paths, record = run(
        terms(market={"maker_fee": 0.0, "taker_fee": 0.0}, traders={"a": long(10)}),
        [100, 70, 70, 70],
        record=True,
    )
    size = math.floor(99_990 * (1 - 1e-9) * 1e6) / 1e6
    debt = 0.3 * size - 9_999 - 5_000
    assert record.observed[-1, 0, Observed.BAD_DEBT] == pytest.approx(debt)
    assert value(paths, "a")[-1] == 0.0
    assert source(paths, "pool")["bad_debt"] == pytest.approx(-(debt + 1) / 100)
    assert paths["pool"].happened["bad_debt"].all()
    # His loss is his margin, however far the index fell.
    assert source(paths, "a")["index_moves"] == pytest.approx(-9_999)


def test_stop__touched_today__fills_at_the_next_round() -> None:
    """Leverage 2, stop at 20 % of the margin: at 0.90. Touched at 0.89, filled at 0.80: 11.1 % of
    the level beyond it."""
    paths, record = run(
        terms(market=FREE, traders={"a": long(2, stop=0.2), "b": long(2)}),
        [100, 95, 89, 80, 120, 120],
        record=True,
    )
    assert value(paths, "a")[1:] == pytest.approx([9_000, 7_800, 6_000, 6_000, 6_000], rel=1e-8)
    assert paths["a"].details["slip"][:, 0] == pytest.approx([0, 0, 0, 1 / 9, 1 / 9, 1 / 9])
    assert paths["a"].happened["stopped"].all()
    assert not paths["b"].happened["stopped"].any()
    assert record.acts[3, 0, 0] == Act.STOPPED
    # Without a stop the fall is forgotten.
    assert value(paths, "b")[-1] == pytest.approx(14_000, rel=1e-8)


def test_stop__of_a_short__stands_above() -> None:
    paths, _ = run(
        terms(market=FREE, traders={"a": short(2, stop=0.3)}), [100, 114, 116, 112, 100, 100]
    )
    # 30 % over 2 is 15 %: touched at 1.16, filled at 1.12, better than its level.
    assert value(paths, "a")[-1] == pytest.approx(10_000 - 2 * 0.12 * 10_000, rel=1e-8)
    assert paths["a"].details["slip"][-1, 0] == pytest.approx((1.12 - 1.15) / 1.15)


def test_stop__touched_before_a_closed_market__fills_when_it_opens() -> None:
    """Touched on the third day at 0.89; no round on two days; the next one is at 0.70."""
    prices = [100, 95, 89, 89, 89, 70, 70]
    paths, _ = run(
        terms(market=FREE, traders={"a": long(2, stop=0.2)}), prices, opens=DAY_WITHOUT_ROUND
    )
    assert value(paths, "a")[2:] == pytest.approx([7_800] * 3 + [4_000] * 2, rel=1e-8)


def test_frozen_feed__nobody_is_liquidated_until_it_is_back() -> None:
    """At leverage 5 a fall to 0.75 is the end of the margin; the feed shows it three days late."""
    perp = terms(market=FREE, traders={"a": long(5)})
    prices = [100, 100, 75, 75, 75, 75, 75]
    late, _ = run(perp, prices, frozen=slice(2, 5))
    assert late["a"].details["liquidated"][:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert value(late, "a")[4] == pytest.approx(10_000)
    recovered, _ = run(perp, [100, 100, 75, 75, 75, 100, 100], frozen=slice(2, 5))
    assert not recovered["a"].happened["liquidated"].any()


def test_exit__while_the_feed_stands_still__is_not_paid() -> None:
    """What cannot be closed is at mark, and told as unpaid; the provider does not leave either."""
    paths, record = run(terms(traders={"a": long(2)}), [100, 100, 110, 110], frozen=slice(2, 4))
    assert paths["a"].unpaid[0] == pytest.approx(value(paths, "a")[-1])
    assert paths["a"].unpaid[0] > 9_900
    assert paths["a"].exit["usd"][-1, 0] == pytest.approx(value(paths, "a")[-1])
    assert record.paid[0] == 0.0
    haircut = 0.01 * paths["pool"].unpaid[0]
    assert source(paths, "pool")["illiquidity"] == pytest.approx(-haircut)


# --- Funding -----------------------------------------------------------------------


def test_funding__by_hand__nets_to_zero_between_sides_and_pool() -> None:
    """A long of 20,000 and a short of 10,000 at 36.5 % a year and a still index: 20 and 10 dollars
    a day, ten days; the pool keeps the difference."""
    perp = terms(
        market=FREE,
        funding={"fixed_rate": 0.365},
        traders={"a": long(2), "b": short(1)},
    )
    paths, _ = run(perp, [100] * 11)
    assert source(paths, "a")["funding"] == pytest.approx(-200, rel=1e-8)
    assert source(paths, "b")["funding"] == pytest.approx(100, rel=1e-8)
    assert 100 * source(paths, "pool")["funding"] == pytest.approx(100, rel=1e-8)


def test_funding__drifts_with_the_skew() -> None:
    """Skew 20,000 of a full 990,000 and 10 points a day: a day adds 0.1 x 20,000 / 990,000; the
    first day's rate is nothing, the second's that, and so on: 0, 1, 2 ... times it."""
    perp = terms(market=FREE, funding={"velocity_a_day": 0.1}, traders={"a": long(2)})
    paths, _ = run(perp, [100] * 5)
    step = 0.1 * 20_000 / 990_000
    paid = 20_000 * step * (0 + 1 + 2 + 3) / 365
    assert source(paths, "a")["funding"] == pytest.approx(-paid, rel=1e-8)
    # Closed on the last day, it has drifted over four.
    rates = np.repeat([[i * step] for i in range(5)], LANES, axis=1)
    assert paths["pool"].details["funding_rate"] == pytest.approx(rates)


def test_funding__of_an_offer__short_on_plain_metal_earns_what_longs_pay() -> None:
    """The carry: half of it in gold, half as margin of a short at 1x, earns the fixed rate."""
    perp = terms(market=FREE, funding={"fixed_rate": 0.1}, traders={"a": short(1)})
    paths, _ = run(perp, [100] * 366)
    assert source(paths, "a")["funding"] == pytest.approx(1_000, rel=1e-8)
    assert paths["a"].sources[1].kind == "organic"


# --- Profits that the pool cannot pay ----------------------------------------------


def test_profits__beyond_the_pools_part__are_cut_alike() -> None:
    """A pool of 20,000 (with the provider's 10,000); longs of 20,000 and 10,000 gain 1.5 a unit in
    one day: 45,000 where 16,000 can be had. Reduction closes what it can at that factor."""
    perp = terms(
        market={**FREE, "adl_trigger": 0.79, "adl_target": 0.78, "max_open_interest": 3.0},
        pool={"deposits_usd": 10_000.0, "insurance_usd": 0.0},
        traders={"a": long(2), "b": long(1)},
    )
    paths, record = run(perp, [100, 250, 250, 250], record=True)
    cut = [source(paths, name)["profit_cut"] for name in ("a", "b")]
    gained = [source(paths, name)["index_moves"] + c for name, c in zip("ab", cut, strict=True)]
    # Nobody got more than there was, and the books close.
    assert sum(gained) <= 20_000
    assert sum(gained) + record.observed[-1, 0, Observed.POOL] + record.paid[0] == pytest.approx(
        20_000
    )
    assert all(paths[name].happened["profit_cut"].all() for name in "ab")
    # The first one was paid 16,000/45,000 of what was closed, later ones of what was left.
    assert (record.acts[1, 0, 0] & Act.REDUCED) > 0
    assert record.observed[-1, 0, Observed.CUT] == pytest.approx(-sum(cut))


def test_reduction__stops_at_the_target() -> None:
    """A long of 20,000 in a pool of 20,000 has gained 15,000, above 70 %. Taking y leaves
    15,000 - y = 0.6 (20,000 - y): y = 7,500."""
    perp = terms(
        market={**FREE, "max_open_interest": 3.0},
        pool={"deposits_usd": 10_000.0, "insurance_usd": 0.0},
        traders={"a": long(2)},
    )
    _, record = run(perp, [100, 175, 175, 175], record=True)
    assert record.amounts[2, 1, 0] == pytest.approx(np.full(LANES, 10_000), rel=1e-5)
    assert record.observed[1, 0, Observed.POOL] == pytest.approx(12_500, rel=1e-5)
    assert record.observed[1, 0, Observed.CUT] == 0.0


def test_provider__leaves_what_traders_have_gained() -> None:
    """A crowd of 7,500 long at 1.00 has gained as much at 2.00, of a pool of 12,500 of which the
    measured provider owns 10,000: the pool is worth 5,000, his part 4,000. But 7,500 / 0.8 = 9,375
    must stay so that nobody's profit is cut, more than open interest needs (15,000 / 3): he is paid
    3,125."""
    cohort = {"side": "long", "notional_share": 3.0, "leverage": 2.0}
    perp = terms(
        market={**FREE, "max_open_interest": 3.0},
        pool={"deposits_usd": 2_500.0, "insurance_usd": 0.0},
        crowd={"cohorts": {"c": cohort}},
    )
    paths, record = run(perp, [100, 100, 200], record=True)
    assert record.observed[-1, 0, Observed.POOL] == pytest.approx(9_375)
    assert record.paid[0] == pytest.approx(3_125)
    assert paths["pool"].unpaid[0] == pytest.approx(875)


# --- The index and the crowd -----------------------------------------------------------


MINER = {
    "aisc_usd_per_oz": 20.0,
    "output_oz_a_year": 1e6,
    "multiple": 5.0,
    "net_cash_usd": -100e6,
    "own_deviation": 0.0,
}


def test_index__of_metal_and_miner__has_operating_leverage() -> None:
    """At 100 the miner is worth (100 - 20) x 5 - 100 = 300 million, at 110 it is 350: +16.7 % on
    10 %; half of each is 13.3 %. At 30 dollars it is out of the money: its floor of 5 %."""
    index = {"metal_weight": 0.5, "miner_weight": 0.5, "miner": MINER}
    paths, _ = run(terms(index=index), [100, 110, 30])
    expected = [1.0, 0.5 * 1.1 + 0.5 * 350 / 300, 0.5 * 0.3 + 0.5 * 0.05]
    assert paths["pool"].details["index"][:, 0] == pytest.approx(expected, abs=1e-9)


def test_index__with_a_gap__falls_on_its_day_and_stays() -> None:
    paths, _ = run(terms(gap={"day": 2, "move": -0.355}), [100, 100, 100, 110])
    expected = [1.0, 1.0, 0.645, 0.7095]
    assert paths["pool"].details["index"][:, 0] == pytest.approx(expected)


def test_miners_own_shocks__have_their_volatility_and_no_drift() -> None:
    """30 % a year over 252 trading days of 365 here: all days trade, so sqrt(365 / 252) more."""
    index = {"metal_weight": 0.0, "miner_weight": 1.0, "miner": {**MINER, "own_deviation": 0.3}}
    table = np.full((366, 8 * LANES), 100.0)
    paths, _ = run(terms(index=index), table)
    logs = np.log(paths["pool"].details["index"][-1])
    deviation = 0.3 * math.sqrt(365 / 252)
    n = logs.size
    assert logs.std() == pytest.approx(deviation, abs=4 * deviation / math.sqrt(2 * n))
    assert logs.mean() == pytest.approx(-(deviation**2) / 2, abs=4 * deviation / math.sqrt(n))


def test_crowd__follows_the_index_to_its_goal() -> None:
    """A cohort of 10 % of the pool and a momentum of 2: after a rise of 20 % its goal is 140 %."""
    crowd = {
        "every_days": 5,
        "lookback_days": 5,
        "cohorts": {"c": {"side": "long", "notional_share": 0.1, "momentum": 2.0}},
    }
    paths, record = run(terms(crowd=crowd), [100] * 5 + [120] * 4, record=True)
    longs = paths["pool"].details["long_usd"][:, 0]
    # Ordered on the fifth day and filled on the sixth; before it 99,000 units at 1.00 and 1.20.
    assert longs[[0, 4, 5, 6]] == pytest.approx([99_000, 99_000, 118_800, 138_600], rel=1e-6)
    assert (record.acts[5, 0, 0] & Act.ORDERED) > 0


def test_crowd__whose_goal_is_below_twice_the_least_position__closes() -> None:
    """0.04 % of 990,000 are 396 dollars. After a fall of 30 % a momentum of 2 leaves 158 of them,
    below twice the least of 100: it would soon be too small to be reduced."""
    cohort = {"side": "long", "notional_share": 0.0004, "leverage": 2.0, "momentum": 2.0}
    crowd = {"every_days": 5, "lookback_days": 5, "cohorts": {"c": cohort}}
    paths, _ = run(terms(crowd=crowd), [100] * 5 + [70] * 4)
    longs = paths["pool"].details["long_usd"][:, 0]
    assert longs[[4, 5, 6]] == pytest.approx([396, 277.2, 0])


# --- Identities and theory -----------------------------------------------------------


def wild(n_paths: int, n_steps: int, volatility: float) -> np.ndarray:
    """Return prices of shape (n_steps + 1, n_paths) that move by a normal each day."""
    random = np.random.default_rng(7)
    moves = random.normal(0.0, volatility, (n_steps, n_paths))
    logs = np.vstack((np.zeros(n_paths), np.cumsum(moves - volatility**2 / 2, axis=0)))
    return 100.0 * np.exp(logs)


BUSY = terms(
    pool={"deposits_usd": 150_000.0, "insurance_usd": 2_000.0},
    funding={"velocity_a_day": 0.2, "fixed_rate": 0.1, "skew_scale": 0.5},
    crowd={
        "every_days": 4,
        "cohorts": {
            "up": {"side": "long", "notional_share": 0.8, "leverage": 7, "momentum": 4.0},
            "down": {"side": "short", "notional_share": 0.7, "volatility": 0.4},
        },
    },
    traders={
        "a": long(3),
        "b": long(10, stop=0.3),
        "c": short(5),
        "d": short(2, stop=0.2),
        "e": long(1),
    },
)


def test_identities__of_sources_and_days__hold_on_wild_paths() -> None:
    opens = np.arange(81) % 7 < 5
    paths, record = run(BUSY, wild(2 * LANES, 80, 0.08), opens=opens, days=True, record=True)
    for found in paths.values():
        assert faults_of(found) == []
    acts = record.acts
    for act in (Act.LIQUIDATED, Act.STOPPED, Act.REDUCED):
        assert ((acts & act) > 0).any(), act.name
    assert record.observed[..., Observed.CUT].max() > 0


def test_cash__is_what_was_put_in_less_what_was_paid_out__on_every_day() -> None:
    """Margins, pool, fund and fees, and what keepers got: nothing is minted, nothing lost."""
    _, record = run(BUSY, wild(LANES, 80, 0.08), record=True)
    owned = record.observed[
        ..., [Observed.POOL, Observed.INSURANCE, Observed.FEES, Observed.MARGINS]
    ]
    acts, margin = record.acts, record.amounts[1]
    put_in = np.where((acts & Act.TOPPED) > 0, margin, 0.0).sum(axis=1)
    out = np.where((acts & Act.WITHDREW) > 0, margin, 0.0).sum(axis=1)
    out[-1] += record.paid
    flow = np.cumsum(put_in - out, axis=0)
    executed = sum(
        ((acts & act) > 0).sum(axis=1) for act in (Act.FILLED, Act.LIQUIDATED, Act.STOPPED)
    )
    total = owned.sum(axis=-1) - flow
    spent = total[0] - total
    # A keeper gets a dollar, or what is there: from nothing, less.
    most = np.cumsum(executed, axis=0) - executed[0]
    assert np.all(spent <= most + 1e-6)
    assert np.all(spent >= -1e-6)
    assert np.quantile(spent[-1] / most[-1], 0.1) > 0.9


def test_long_at_leverage_1__without_fees_and_funding__tracks_its_index() -> None:
    paths, _ = run(terms(market=FREE, traders={"a": long(1)}), wild(LANES, 100, 0.02))
    index = paths["pool"].details["index"]
    assert np.abs(paths["a"].mark["usd"] / 10_000 - index).max() < 1e-8


@pytest.mark.parametrize(("leverage", "side"), [(2.0, "long"), (4.0, "short")])
def test_liquidations__under_gbm__are_as_frequent_as_first_passages(
    leverage: float, side: str
) -> None:
    """Equity is at maintenance at the index b = (1 -+ 1/L) / (1 -+ m). The chance that a geometric
    Brownian motion passes it within T, seen once a day, is that of one seen always with b moved
    outwards by exp(0.5826 sigma sqrt(dt)) (Broadie, Glasserman and Kou 1997)."""
    days, daily, n_paths = 120, 0.03, 48 * LANES
    maker = long if side == "long" else short
    perp = terms(market=FREE, traders={"a": maker(leverage)})
    paths, _ = run(perp, wild(n_paths, days, daily))
    seen = paths["a"].happened["liquidated"].mean()
    sign = 1.0 if side == "long" else -1.0
    level = math.log((1 - sign / leverage) / (1 - sign * 0.02)) - sign * 0.5826 * daily
    chance = _first_passage(sign * level, sign * -0.5 * daily**2, daily, days)
    assert seen == pytest.approx(chance, abs=3 * math.sqrt(chance * (1 - chance) / n_paths) + 0.002)


def _first_passage(level: float, drift: float, deviation: float, days: int) -> float:
    """Return the chance that a Brownian motion falls to a level below 0 within some days."""
    normal, scale = NormalDist(), deviation * math.sqrt(days)
    first = normal.cdf((level - drift * days) / scale)
    return first + math.exp(2 * drift * level / deviation**2) * normal.cdf(
        (level + drift * days) / scale
    )


def test_access__buying_costs_the_takers_fee_on_the_leverage() -> None:
    paths, _ = run(terms(traders={"a": long(3)}), [100, 100, 100], days=True)
    assert paths["a"].daily.access.buy_cost == pytest.approx(0.006)
    # Twice the first deposits of 990,000 over 30,000 a unit.
    assert paths["a"].daily.access.most_units == pytest.approx(66.0)


def test_holder_of_the_pool__gets_a_hundredth_of_its_worth_each_day() -> None:
    paths, record = run(terms(traders={"a": long(3)}), [100, 95, 90, 96], record=True)
    worth = record.observed[1:3, 0, Observed.POOL_VALUE]
    assert value(paths, "pool")[1:3] == pytest.approx(worth * HOLDER_USD / 1e6)
