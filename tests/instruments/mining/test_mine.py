"""The mine's cash flow: a year calculated by hand, losses carried on, ramp-ups, outages."""

from __future__ import annotations

import math
import re
from pathlib import Path

import mines
import numpy as np
import pytest

from simulator.instruments.mining.outages import availability, outage_paths
from simulator.instruments.mining.output import settlement_steps
from simulator.instruments.mining.worth import tables, worth
from simulator.market.philox import uniforms4
from simulator.mechanics.mine import settle

DOC = (Path(__file__).parents[3] / "docs" / "mine-year.md").read_text(encoding="utf-8")
COLUMNS = ("revenue", "royalty", "site", "sustaining", "operating", "tax", "distributable", "paid")


def given() -> list[float]:
    """Return the inputs of the document, in their order."""
    section = DOC.split("## What goes in")[1].split("## A day")[0]
    return [float(row[1]) for row in re.findall(r"^\| (.+?) \| ([\d.]+) \|$", section, re.M)]


def year() -> list[list[float]]:
    """Return the rows of the document's year: days, then COLUMNS."""
    rows = [line for line in DOC.splitlines() if re.match(r"\| \d+ \| [\d,.]+ \|", line)]
    return [[float(x.replace(",", "")) for x in row.strip("| ").split("|")] for row in rows]


def as_document() -> tuple:
    """Return terms and market of the document's inputs."""
    ore, grade, recovery, payable, concentrate, treatment, refining = given()[:7]
    aisc, reference, royalty, sustaining, depreciation, tax, copper, payout, sold = given()[7:]
    mine = {
        "ore_tonnes_a_day": ore,
        "grade": grade,
        "recovery": recovery,
        "payable_share": payable,
        "concentrate_grade": concentrate,
        "treatment_usd_per_tonne": treatment,
        "refining_usd_per_lb": refining,
        "aisc_usd_per_lb": aisc,
        "reference_price_usd_per_tonne": reference,
        "royalty": royalty,
        "sustaining_capex_usd_a_year": sustaining,
        "depreciation_usd_a_year": depreciation,
        "tax": tax,
    }
    changes = {f"mine__{name}": value for name, value in mine.items()}
    assert sold == 1.0
    return mines.terms(**changes, payout__payout_ratio=payout), mines.market(copper)


def test_hand_calculated_year__profit_and_payments__agree_to_the_cent() -> None:
    terms, market = as_document()
    drivers, _, record = mines.play(terms, market)
    periods = year()[:-1]
    assert [p[0] for p in periods] == list(np.diff(drivers.mine.settles))
    for row, profit, paid in zip(
        periods, drivers.mine.profit[1:], record.payment_usd[1:], strict=True
    ):
        found = dict(zip(COLUMNS, row[1:], strict=True))
        assert abs(profit - found["distributable"]).max() <= 0.005
        assert abs(paid - found["paid"]).max() <= 0.005


def test_hand_calculated_year__the_document_adds_up() -> None:
    rows = year()
    assert len(rows) == 5
    for row in rows:
        found = dict(zip(COLUMNS, row[1:], strict=True))
        costs = found["royalty"] + found["site"] + found["sustaining"]
        assert found["revenue"] - costs == pytest.approx(found["operating"], abs=0.02)
        assert found["operating"] - found["tax"] == pytest.approx(found["distributable"], abs=0.02)
    for column in zip(*rows, strict=True):
        assert sum(column[:-1]) == pytest.approx(column[-1], abs=0.03)


def test_hand_calculated_year__the_site_and_the_charges__are_those_of_the_document() -> None:
    mine = as_document()[0].mine
    assert f"**{mine.payable_tonnes_a_day:.3f}** t" in DOC
    assert f"**{mine.charges_usd_per_tonne:,.6f}** USD" in DOC
    assert f"**{mine.site_usd_a_day:,.6f}** USD a day" in DOC


def test_settle__loss_and_deficit__are_carried_until_they_are_earned_back() -> None:
    """By hand, tax 30 %: -100 with 20 depreciation; then 150; then 100."""
    assert settle(-100.0, 20.0, 0.3, 0.0, 0.0) == (0.0, 120.0, 100.0)
    # taxable 150 - 20 - 120 = 10, tax 3, cash 150 - 3 - 100 = 47
    assert settle(150.0, 20.0, 0.3, 120.0, 100.0) == (47.0, 0.0, 0.0)
    # taxable 80, tax 24
    assert settle(100.0, 20.0, 0.3, 0.0, 0.0) == (76.0, 0.0, 0.0)


def test_settlements__quarterly__follow_the_close_at_equal_distances() -> None:
    assert settlement_steps(30, 4, 395) == (30, 121, 212, 303, 395)
    assert settlement_steps(30, 4, 394) == (30, 121, 212, 303)
    assert settlement_steps(40, 1, 39) == ()


def test_low_copper__costs_exceed_revenue__nothing_is_paid_and_the_deficit_stays() -> None:
    drivers, _, record = mines.play(mines.terms(), mines.market(3_000.0))
    assert record.payment_usd.max() == 0.0
    accrued = drivers.mine.accrued
    assert np.all(accrued[121] < 0.0)
    np.testing.assert_allclose(accrued[-1] / accrued[121], 395 / 121, rtol=1e-12)
    # the same within a period, before the deficit is carried on
    np.testing.assert_allclose(accrued[120] / accrued[121], 120 / 121, rtol=1e-12)


def test_grade__falls_once_a_year__and_revenue_with_it() -> None:
    """The second year's first quarter has 0.9 of the copper; all else stays."""
    terms = mines.terms(mine__grade_decline=0.1, mine__royalty=0.0, mine__tax=0.0, sale__days=1)
    whole = mines.terms(mine__royalty=0.0, mine__tax=0.0, sale__days=1)
    market = mines.market(days=800)
    less = mines.play(whole, market)[0].mine.profit[6] - mines.play(terms, market)[0].mine.profit[6]
    mine = terms.mine
    # period 6 has 91 days (457 to 548)
    copper = mine.payable_tonnes_a_day * (12_730.0 - mine.charges_usd_per_tonne)
    np.testing.assert_allclose(less, 0.1 * copper * 91, rtol=1e-2)


def test_ramp_up__output_rises_evenly__profit_is_that_of_the_mean_output() -> None:
    """From 0.4 over 100 days, as planned: on day d output is 0.4 + 0.006 d."""
    terms = mines.terms(
        stage={"stage": "ramp-up", "ramp_days": 100, "ramp_start": 0.4, "overrun": 0.0},
        mine__tax=0.0,
        mine__royalty=0.0,
        mine__fixed_cost_share=0.0,
        mine__sustaining_capex_usd_a_year=0.0,
        sale__days=1,
    )
    drivers = mines.play(terms, mines.market())[0]
    mine = terms.mine
    day = mine.payable_tonnes_a_day * (12_730.0 - mine.charges_usd_per_tonne)
    days = np.arange(2, 93)
    expected = (day - mine.site_usd_a_day) * (0.4 + 0.006 * days).sum()
    np.testing.assert_allclose(drivers.mine.profit[1], expected, rtol=1e-12)
    # what is still to be missed on day 20: half of (1 - 0.52) times the 80 days left
    assert set(drivers.mine.deferred[20]) == {19}


def test_development__before_the_first_ore__nothing_is_earned_or_spent() -> None:
    terms = mines.terms(
        stage={"stage": "development", "construction_days": 200, "overrun_deviation": 0.0}
        | {"overrun": 0.25, "ramp_days": 0}
    )
    mine = mines.play(terms, mines.market())[0].mine
    assert set(mine.begins) == {250}
    assert mine.accrued[:251].max() == mine.accrued[:251].min() == 0.0
    assert mine.accrued[260].min() > 0.0
    # 53 days of the third period, as 53 of the 91 of docs/mine-year.md: nothing was lost before
    np.testing.assert_allclose(mine.profit[3], 44_909_791.78 * 53 / 91, rtol=1e-9)
    assert set(mine.deferred[0]) == {200}  # the overrun is not known at the start
    assert set(mine.deferred[100]) == {125}  # half of it is, half-way


def test_outages__number_and_days__are_those_of_the_hazards() -> None:
    """Strikes alone: 2 a year of 20 days; an outage's wait begins when the last one ends."""
    still = dict(mines.STILL)
    strike = {"hazard": 2.0, "mean_days": 20.0, "output_lost": 1.0}
    terms = mines.terms(outages=still | {"strike": strike})
    mine = mines.play(terms, mines.market(days=3_650, n_paths=256))[0].mine
    stands = mine.halted[1:] > 0
    assert set(np.unique(mine.halted)) == {0, 2}
    begun = (stands[1:] & ~stands[:-1]).sum() / 256 / 10
    # a cycle lasts 182.5 + 20 days on average, rounding up of both adds a day
    assert begun == pytest.approx(365 / 203.5, rel=0.05)
    assert stands.mean() == pytest.approx(20.5 / 203.5, rel=0.08)


def test_outages__days_left__count_down_to_one_on_the_last_day() -> None:
    still = dict(mines.STILL)
    strike = {"hazard": 4.0, "mean_days": 10.0, "output_lost": 1.0}
    outages = mines.terms(outages=still | {"strike": strike}).outages
    kinds, left = outage_paths(outages, np.zeros(128, np.int64), 1, 7, 0, 1_000)
    stands, follows = kinds[:-1] > 0, kinds[1:] > 0
    assert np.all(left[:-1][stands & ~follows] == 1)
    goes_on = stands & (left[:-1] > 1)
    np.testing.assert_array_equal(left[1:][goes_on], left[:-1][goes_on] - 1)
    assert np.all(left[kinds > 0] >= 1)
    assert goes_on.sum() > 5_000
    assert left[kinds == 0].max() == 0


def test_outages__begin_and_end_on_the_days_that_their_draws_say() -> None:
    """Waits and lengths rounded up to days; the next wait begins on an outage's last day."""
    still = dict(mines.STILL)
    strike = {"hazard": 4.0, "mean_days": 10.0, "output_lost": 1.0}
    outages = mines.terms(outages=still | {"strike": strike}).outages
    begins = np.full(128, 5)
    kinds, _ = outage_paths(outages, begins, 1, 7, 0, 1_000)
    for k in range(0, 128, 16):
        expected, day = np.zeros(1_001, bool), 5
        for event in range(100):
            wait, _, length, _ = uniforms4(1, event, 7, k)
            first = day + max(1, math.ceil(-math.log(wait) / 4.0 * 365))
            day = first + max(1, math.ceil(-math.log(length) * 10.0)) - 1
            expected[first : day + 1] = True
        np.testing.assert_array_equal(kinds[:, k] == 2, expected)


def test_outage__in_the_ramp_up__defers_as_much_output_as_there_was() -> None:
    """On day 20 output is 0.52 and 19.2 days are still to be missed; L days more cost 0.52 L."""
    power = {"hazard": 2.0, "mean_days": 8.0, "output_lost": 1.0}
    terms = mines.terms(
        stage={"stage": "ramp-up", "ramp_days": 100, "ramp_start": 0.4, "overrun": 0.0},
        outages=mines.STILL | {"power": power},
    )
    mine = mines.play(terms, mines.market(n_paths=1_024))[0].mine
    stopped = np.flatnonzero(mine.halted[20] > 0)
    assert stopped.size > 10
    for k in stopped:
        left = int(np.argmin(mine.halted[20:, k] > 0))
        assert mine.deferred[20, k] == int(19.2 + 0.52 * left + 0.5)


def test_ore__of_100_days__is_worked_on_the_hundredth_and_gone_on_the_next() -> None:
    mine = mines.play(mines.terms(mine__life_years=100 / 365), mines.market())[0].mine
    day = np.diff(mine.accrued[90:110], axis=0)
    np.testing.assert_allclose(day[:10], day[0, 0], rtol=1e-9)
    assert day[0, 0] > 0.0
    np.testing.assert_array_equal(day[10:], 0.0)


def test_availability__is_what_outages_leave() -> None:
    assert availability(mines.terms().outages) == 1.0
    strike = {"hazard": 1.0, "mean_days": 36.5, "output_lost": 0.5}
    outages = mines.terms(outages=mines.STILL | {"strike": strike}).outages
    assert availability(outages) == pytest.approx(0.95)


def test_standing_mine__burns_its_fixed_costs() -> None:
    power = {"hazard": 10.0, "mean_days": 1_000.0, "output_lost": 1.0}
    terms = mines.terms(outages=mines.STILL | {"power": power}, mine__fixed_cost_share=0.5)
    mine = mines.play(terms, mines.market())[0].mine
    step = 200
    alone = np.all(mine.halted[150 : step + 1] == 3, axis=0)
    assert alone.sum() > 50
    burnt = np.diff(mine.accrued[step - 10 : step + 1, alone], axis=0)
    expected = 0.5 * terms.mine.site_usd_a_day + 50e6 / 365
    settled = set(range(step - 9, step + 1)) & set(mine.settles)
    assert not settled
    cheaper = burnt[np.abs(burnt) > 0]
    np.testing.assert_allclose(cheaper.min(), -expected, rtol=1e-9)


def looked_up(terms, growth, worked: int, missed: int, rate: float = 0.10, days: int = 395):
    """Return base and slope of the worth after as many days of a run of `days` as were worked."""
    path = np.linspace(0.0, growth * days / 365, days + 1)
    found = tables(terms, rate, 0.0, path, missed)
    ahead, left = found.ahead[worked], days - worked
    return worth(found.by_work, found.by_days, ahead, 10_000.0, worked, missed, left)


def by_sum(terms, price: float, growth: float, worked: int, missed: int, days: int) -> float:
    """Return the worth at 10 % a year as the plain sum over days of ore that `tables` stands for.

    Copper grows for the `days` days that are left of the run and goes to 10,000 USD from there.
    """
    mine, market = terms.mine, terms.secondary
    total = 0.0
    for day in range(worked + 1, round(mine.life_years * 365) + 1):
        ahead = missed + day - worked
        copper = price * math.exp(growth * min(ahead, days) / 365)
        if ahead > days:
            gap = math.exp(-market.reversion * (ahead - days) / 365)
            copper = 10_000.0 + (copper - 10_000.0) * gap
        tonnes = mine.payable_tonnes_a_day * (1 - mine.grade_decline) ** ((day - 1) // 365)
        revenue = tonnes * (copper - mine.charges_usd_per_tonne) * (1 - mine.royalty)
        operating = revenue - mine.site_usd_a_day - mine.sustaining_capex_usd_a_year / 365
        profit = operating - mine.tax * (operating - mine.depreciation_usd_a_year / 365)
        total += profit * math.exp(-0.10 * ahead / 365)
    return total


def test_worth__copper_that_stays_where_it_is__is_an_annuity() -> None:
    """Daily profit times d (1 - d^n) / (1 - d), with d a day's discount and n days of ore."""
    terms = mines.terms(secondary__reversion=0.0, mine__life_years=2.0)
    base, slope = looked_up(terms, 0.0, worked=100, missed=0, rate=0.15, days=200)
    mine, day = terms.mine, np.exp(-0.15 / 365)
    annuity = day * (1 - day ** (730 - 100)) / (1 - day)
    copper = mine.payable_tonnes_a_day * (1 - mine.royalty)
    assert slope == pytest.approx(0.7 * copper * annuity, rel=1e-12)
    margin = copper * (10_000.0 - mine.charges_usd_per_tonne) - mine.site_usd_a_day - 50e6 / 365
    profit = 0.7 * margin + 0.3 * 30e6 / 365
    assert base + slope * 10_000.0 == pytest.approx(profit * annuity, rel=1e-12)


@pytest.mark.parametrize(
    ("worked", "missed", "life"),
    [
        *((0, 0, 5.0), (0, 100, 5.0), (0, 395, 5.0), (0, 730, 5.0), (200, 0, 5.0), (200, 30, 5.0)),
        *((0, 0, 0.5), (100, 20, 0.5), (100, 300, 0.5), (0, 500, 0.5)),
    ],
)
def test_worth__of_growth_and_return__is_the_sum_over_the_days(worked, missed, life) -> None:
    """Waits within the run, to its end and beyond it; ore that outlives the run or does not."""
    terms = mines.terms(secondary__reversion=0.5, mine__life_years=life, mine__grade_decline=0.1)
    base, slope = looked_up(terms, 0.2, worked, missed)
    for price in (6_000.0, 12_730.0):
        expected = by_sum(terms, price, 0.2, worked, missed, 395 - worked)
        assert base + slope * price == pytest.approx(expected, rel=1e-9)


def test_worth__growth_that_the_terms_state__takes_the_place_of_the_market_s() -> None:
    stated = mines.terms(secondary__expected_growth=-0.1)
    assert looked_up(stated, 0.2, 0, 0) == pytest.approx(looked_up(mines.terms(), -0.1, 0, 0))
    assert looked_up(stated, 0.2, 0, 0) != looked_up(mines.terms(), 0.2, 0, 0)


def test_worth__of_later_days__expects_what_is_left_of_a_growth_that_is_not_even() -> None:
    """All growth comes on the 100th of 200 days: e^0.3 of it before then, none of it after."""
    path = np.where(np.arange(201) < 100, 0.0, 0.3)
    found = tables(mines.terms(), 0.10, 0.0, path, 0)
    np.testing.assert_allclose(found.ahead[[0, 99]], np.exp(0.3), rtol=1e-12)
    np.testing.assert_allclose(found.ahead[[100, 200]], 1.0, rtol=1e-12)


def test_aisc__of_another_grade__leaves_the_cost_of_the_site_as_it_is() -> None:
    """Half of the grade: half of the copper, the same site."""
    whole = mines.terms().mine
    half = mines.terms(mine__grade=0.00345, mine__aisc_grade=0.0069).mine
    assert half.site_usd_a_day == pytest.approx(whole.site_usd_a_day, rel=1e-12)
    assert half.payable_tonnes_a_day == pytest.approx(whole.payable_tonnes_a_day / 2, rel=1e-12)


def test_worth__of_who_may_lose_it_all__is_discounted_by_that_too():
    """A tenth of return and a twentieth of loss a year: a discount of 15 %, e^(-.15/365) a day."""
    still = np.zeros(mines.DAYS + 1)
    both = tables(mines.terms(), 0.10, 0.05, still, 2)
    np.testing.assert_allclose(both.by_days[0], np.exp(-0.15 / 365 * np.arange(mines.DAYS + 1)))
    alone = tables(mines.terms(), 0.15, 0.0, still, 2)
    np.testing.assert_allclose(both.by_work, alone.by_work, rtol=1e-12)
