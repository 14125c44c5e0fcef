"""Outage, copper price and mood on a mine of round figures: what they cost, by hand.

Every day of work leaves 100 t x 10,000 USD - 600,000 USD for the site = 400,000 USD; a mine that
stands still burns half of the site's cost, 300,000 USD. Ore lasts for eight days, and a day's wait
is worth 0.1 %: D = 0.999.

The outage lasts for two days:

    day               0    1    2    3    4    5    6
    accrued, m USD    0   0.4  0.8  1.2  0.9  0.6  1.0    it stands still on days 4 and 5
    days to wait      0    0    0    0    2    1    0

On day 3 there are five days of ore left. They are worth
    400,000 x (0.999 + 0.998001 + 0.997002999 + 0.996005996001 + 0.995009990004999)
    = 400,000 x 4.985019985005999 = 1,994,007.9940024 USD.
On day 4 it turns out that they come two days later: x (0.998001 - 1) = -3,986.0219800108 USD.
The site burns 2 x 300,000 = 600,000 USD. The outage costs the mine 603,986.0219800108 USD.
"""

from __future__ import annotations

import math

import mines
import numpy as np
import pytest

from simulator.instruments.gas import Gas
from simulator.instruments.mining.drivers import MiningStoDrivers
from simulator.instruments.mining.equity import MineEquityDrivers, simulate_equity
from simulator.instruments.mining.gas import HOLDER_GAS
from simulator.instruments.mining.output import MinePaths
from simulator.instruments.mining.paths import simulate
from simulator.instruments.mining.terms import MiningStoTerms, PayoutTerms, TopUpTerms
from simulator.market.events import NEVER
from simulator.units import POUNDS_PER_TONNE

N_PATHS = 128
WAITED_USD = -3_986.0219800108
"""What the wait takes from the mine's worth."""
BURNT_USD = -600_000.0
"""What two days of standing still cost the site."""
HOLDER_PART = 0.5 * 100_000 / 1_000_000
"""Half of the profit goes to tokens for 1,000,000 USD, and 100,000 of them are the holder's."""

DAY_3_USD = 1_994_007.9940024 + 1_200_000.0
"""What the mine is worth on day 3: its ore, and what has accrued."""

SHARE_PART = 1e5 / (400_000 * 7.964083874125916)
"""100,000 USD of the share, bought with eight days of ore, are worth 400,000 x (4.985019985005999
+ 0.994014980014994 + 0.993020965034979 + 0.992027944069944) = 400,000 x 7.964083874125916 USD."""

ROUND = {
    "ore_tonnes_a_day": 10_000.0,
    "grade": 0.01,
    "recovery": 1.0,
    "payable_share": 1.0,
    "concentrate_grade": 1.0,
    "treatment_usd_per_tonne": 0.0,
    "refining_usd_per_lb": 0.0,
    "aisc_usd_per_lb": 6_000.0 / POUNDS_PER_TONNE,
    "sustaining_capex_usd_a_year": 0.0,
    "royalty": 0.0,
    "tax": 0.0,
    "life_years": 8 / 365,
    "output_deviation": 0.0,
}
"""100 t a day without charges, royalty and tax; the site costs 6,000 USD a tonne."""

A_DAYS_WAIT = -365 * math.log(0.999)
"""The yearly rate at which a day's wait is worth 0.1 %."""

TERMS = mines.terms(
    mine=ROUND,
    sale={"soft_cap_usd": 1e6, "hard_cap_usd": 1e6, "demand_usd": 1e6, "days": 1},
    payout__payout_ratio=0.5,
    secondary__discount_rate=A_DAYS_WAIT,
    secondary__reversion=0.0,
)


def by_path(column) -> np.ndarray:
    """Return the same days on each path."""
    return np.repeat(np.asarray(column)[:, None], N_PATHS, axis=1)


def mine(
    halted: tuple[int, ...] = (0, 0, 0, 0, 1, 1, 0),
    ends: tuple[int, ...] = (1,),
    copper_usd: tuple[float, ...] = (10_000.0,) * 7,
):
    """Return the mine of the table above, whose periods end on the steps `ends`."""
    so_far = np.array([0.0, 0.4, 0.8, 1.2, 0.9, 0.6, 1.0]) * 1e6
    # a period that ends pays out what accrued since the one before
    paid = np.zeros(7)
    for end in ends[1:]:
        paid[end:] = so_far[end]
    columns = [so_far - paid, np.array(halted, np.int8), np.array([0, 0, 0, 0, 2, 1, 0], np.int16)]
    accrued, kinds, wait = (by_path(column) for column in columns)
    return MinePaths(
        copper_usd=by_path(copper_usd),
        accrued=accrued,
        profit=np.zeros((len(ends), N_PATHS)),
        halted=kinds,
        deferred=wait,
        begins=np.zeros(N_PATHS, np.int64),
        settles=ends,
        growth=np.zeros(7),
    )


def token(
    made: MinePaths,
    moods: tuple[float, ...] = (1.0,) * 7,
    fails: int = NEVER,
    terms: MiningStoTerms = TERMS,
) -> dict[str, float]:
    """Return what a holder of 100,000 dollars won and lost by source."""
    others, step = np.full(N_PATHS, 900_000.0), np.full(N_PATHS, fails)
    drivers = MiningStoDrivers("mine", made, others, step, by_path(np.log(moods)))
    held, _ = simulate(terms, Gas(HOLDER_GAS, 0.0), drivers, 1e5)
    return {name: float(usd[0]) for name, usd in mines.by_source(held).items()}


def share(
    made: MinePaths, moods: tuple[float, ...] = (1.0,) * 7, fails: int = NEVER
) -> dict[str, float]:
    """Return the same of the mine's ordinary share, without debt."""
    drivers = MineEquityDrivers(made, np.full(N_PATHS, fails), by_path(np.log(moods)))
    terms = mines.equity(net_debt_share=0.0, discount_rate=A_DAYS_WAIT)
    held = simulate_equity(terms, TERMS, drivers, "share", 1e5)
    return {name: float(usd[0]) for name, usd in mines.by_source(held).items()}


def test_outage__of_two_days__costs_the_holder_wait_and_burnt_cash() -> None:
    # 5 % of 603,986.02
    found = token(mine())
    assert found["outage"] == pytest.approx(-30_199.30109900054, rel=1e-12)
    assert found["outage"] == pytest.approx(HOLDER_PART * (WAITED_USD + BURNT_USD), rel=1e-12)
    assert found["delay"] == 0.0


def test_same_wait__without_an_outage__is_a_delay_alone() -> None:
    # 5 % of 3,986.02; what was burnt then is the course of work
    found = token(mine(halted=(0,) * 7))
    assert found["delay"] == pytest.approx(-199.30109900054, rel=1e-11)
    assert found["outage"] == 0.0


def test_outage__over_the_end_of_a_period__leaves_the_payout_alone() -> None:
    """On day 4 the period's 0.9 m are paid out: that is no loss, and day 5 burns 300,000."""
    found = token(mine(ends=(1, 4)))
    assert found["outage"] == pytest.approx(HOLDER_PART * (WAITED_USD - 300_000.0), rel=1e-12)


def test_outage__costs_the_mines_share_its_part_of_the_same() -> None:
    found = share(mine())
    assert found["outage"] == pytest.approx(SHARE_PART * (WAITED_USD + BURNT_USD), rel=1e-12)
    assert found["delay"] == 0.0
    late = share(mine(halted=(0,) * 7))
    assert late["delay"] == pytest.approx(SHARE_PART * WAITED_USD, rel=1e-11)
    assert late["outage"] == 0.0
    ended = share(mine(ends=(1, 4)))
    assert ended["outage"] == pytest.approx(SHARE_PART * (WAITED_USD - 300_000.0), rel=1e-12)


def test_copper__falls_by_100_dollars__costs_token_and_share_their_tonnes() -> None:
    """On day 2 there are six days of 100 t left, worth 100 x 5.979034965020993 t of today."""
    fallen = mine(copper_usd=(10_000.0,) * 3 + (9_900.0,) * 4)
    lost_usd = -100.0 * 100 * (4.985019985005999 + 0.994014980014994)
    assert token(fallen)["copper_price"] == pytest.approx(-2_989.5174825104965, rel=1e-12)
    assert token(fallen)["copper_price"] == pytest.approx(HOLDER_PART * lost_usd, rel=1e-12)
    assert share(fallen)["copper_price"] == pytest.approx(SHARE_PART * lost_usd, rel=1e-12)
    assert token(mine())["copper_price"] == share(mine())["copper_price"] == 0.0


def test_mood__a_fifth_lower__costs_a_fifth_of_the_days_worth() -> None:
    moods = (1.0, 1.0, 1.0, 0.8, 0.8, 0.8, 0.8)
    lost_usd = -0.2 * DAY_3_USD
    assert token(mine(), moods)["mood"] == pytest.approx(HOLDER_PART * lost_usd, rel=1e-11)
    assert share(mine(), moods)["mood"] == pytest.approx(SHARE_PART * lost_usd, rel=1e-11)
    assert token(mine())["mood"] == share(mine())["mood"] == 0.0


def test_default__on_day_3__takes_four_fifths_of_the_days_worth() -> None:
    found = token(mine(), fails=3)
    assert found["default"] == pytest.approx(HOLDER_PART * -0.8 * DAY_3_USD, rel=1e-12)
    found = share(mine(), fails=3)
    assert found["default"] == pytest.approx(SHARE_PART * -0.8 * DAY_3_USD, rel=1e-12)
    assert token(mine())["default"] == share(mine())["default"] == 0.0


def test_default__of_a_token_half_believed_in__breaks_the_promise_too() -> None:
    """Half of the price is the claim's, and falls by four fifths; half is the issue price's."""
    top_up = TopUpTerms(reserve_share=0.1, deposits_a_year=0.0, trust=0.5)
    payout = PayoutTerms(payout_ratio=0.5, top_up=top_up)
    found = token(mine(), fails=3, terms=TERMS.model_copy(update={"payout": payout}))
    claim = HOLDER_PART * DAY_3_USD
    assert found["default"] == pytest.approx(-0.5 * 0.8 * claim, rel=1e-12)
    assert found["broken_promise"] == pytest.approx(-0.5 * (1e5 - 0.2 * claim), rel=1e-12)
    assert found["broken_promise"] == pytest.approx(-34_029.96, abs=0.01)
