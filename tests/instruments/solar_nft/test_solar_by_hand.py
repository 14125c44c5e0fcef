"""A panel's year, a default, a bonus and a panel's end, calculated by hand.

The year of a 400 W panel at 1,500 kWh per kWp, 0.05 USD a kWh and 18 USD a kW for costs:

    energy        400 W x 1,500 kWh/kWp             = 600 kWh
    sold for      600 kWh x 0.05 USD                =  30.00 USD
    costs         0.4 kW x 18 USD                   =   7.20 USD
    income                                          =  22.80 USD

Twelve periods of 30 days are 360 of its 365 days: 22.80 x 360 / 365 = 22.487671 USD are shared
within a year, and five days' income, 0.312329 USD, is in the price of the token.

A panel that loses 0.5 % of its power a year, evenly, has lost s / 365 of that by day s. Its 360
days give what 360 - 0.005 / 365 x (1 + 2 + ... + 360) = 360 - 0.005 x 64,980 / 365 = 359.109863
days of a new one do: 359.109863 x 30 / 365 = 29.515879 USD, less 7.20 x 360 / 365 = 7.101370 USD
of costs: 22.414509 USD.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import panels
import pytest

from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft.state import From
from simulator.instruments.solar_nft.worth import sun_hours, tables

UNITS = 12e-6
"""Twelve pots round down to a millionth of a dollar."""


def test_year__of_a_panel__pays_its_energy_less_its_costs() -> None:
    found = panels.terms()
    free, _, record = panels.run(found, panels.drawn(found, 365))
    assert record.paid[-1] == pytest.approx(22.80 * 360 / 365, abs=UNITS)
    running = record.dirty[-1] - free.details["floor_usd"][-1]
    assert running == pytest.approx(22.80 * 5 / 365, abs=1e-9)
    # the day by day sum of both is the year
    assert panels.of(free, "energy_income") == pytest.approx(22.80, abs=UNITS)
    assert free.details["energy_usd"][-1] == pytest.approx(22.487671, abs=2e-5)
    assert free.details["energy_yield"][-1] == pytest.approx(22.487671 / 300.0, abs=1e-7)


def test_year__of_a_panel_that_ages__pays_less_evenly() -> None:
    found = panels.terms(panel__degradation_bps=50.0)
    _, _, record = panels.run(found, panels.drawn(found, 365))
    assert record.paid[-1] == pytest.approx(22.414509, abs=UNITS)


def test_year__of_sun__is_the_stated_energy_whatever_the_season() -> None:
    """Over 365 days a cosine of a year's length sums to less than its step at the end.

    Midsummer is 30 % above the mean on 21 June, midwinter as much below half a year later.
    """
    panel = panels.terms(panel__season=0.3).panel
    hours = sun_hours(panel, dt.date(2026, 1, 1), 365)
    assert hours[0] == 0.0
    assert hours.sum() == pytest.approx(1_500.0, rel=0.3 / 365)
    mean = 1_500.0 / 365
    assert hours.max() == pytest.approx(1.3 * mean, rel=1e-4)
    # 2026-01-01 is day 1: day 172 is 171 days later
    assert int(np.argmax(hours)) == 171
    assert hours[1:].min() == pytest.approx(0.7 * mean, rel=1e-4)


def test_two_holders_and_others__share_by_energy() -> None:
    """Ten tokens on sites with 80 % of the sun, free and as many locked, among 800 panels.

    Others' 320 kW count in full, 2 x 4 kW by 0.8: a holder has 3.2 of 326.4 kW of the energy, and
    the costs are those of 328 kW: 326.4 x 1,500 x 0.05 - 328 x 18 = 18,576 USD a year.
    """
    found = panels.terms(panel__site_factor=0.8)
    _, _, record = panels.run(found, panels.drawn(found, 365), usd=3_050.0)
    expected = 18_576.0 * 360 / 365 * 3.2 / 326.4
    assert record.paid[-1] == pytest.approx(expected, abs=UNITS)
    assert record.pots.sum(axis=0) == pytest.approx(18_576.0 * 360 / 365, abs=UNITS)


def test_costs_above_revenue__share_nothing_and_are_not_owed() -> None:
    found = panels.terms(energy__cost_usd_per_kw_year=80.0)
    free, _, record = panels.run(found, panels.drawn(found, 120))
    assert not record.pots.any()
    assert not panels.of(free, "energy_income").any()


# --- Worth ------------------------------------------------------------------------------


def test_worth__of_three_days__is_their_energy_discounted() -> None:
    """Half of a gap to the mean of 0.05 closes in two days, 10 % a day is the discount (D = 0.9).

    At 0.09 USD a kWh buyers expect 0.05 + 0.04 x 2^(-s / 2) on day s: 0.0782843, 0.07 and 0.0641421
    of the three days to come. A kW gives 4 kWh a day and costs 0.1 USD a day:

        0.9 (4 x 0.0782843 - 0.1) + 0.81 (4 x 0.07 - 0.1) + 0.729 (4 x 0.0641421 - 0.1)
        = 0.9 x 0.2131371 + 0.81 x 0.18 + 0.729 x 0.1565685 = 0.4517618 USD a kW
    """
    rate = -365 * math.log(0.9)
    found = panels.terms(
        panel__life_years=3 / 365,
        panel__kwh_per_kwp=1_460.0,
        energy__half_life_days=2.0,
        energy__cost_usd_per_kw_year=36.5,
        buyers__discount_rate=1.0,
    )
    found = found.model_copy(
        update={"buyers": found.buyers.model_copy(update={"discount_rate": rate})}
    )
    line = tables(found, panels.START, 5)
    assert 1_000 * (line.base[0] + 0.09 * line.slope[0]) == pytest.approx(0.4517618, abs=1e-6)
    # a day before the end one day is left, at 0.06 expected at 0.0570711, and after it nothing
    left = 0.9 * (4 * (0.05 + 0.01 / math.sqrt(2)) - 0.1)
    assert 1_000 * (line.base[2] + 0.06 * line.slope[2]) == pytest.approx(left)
    assert not line.base[3:].any()
    assert not line.slope[3:].any()


def test_worth__before_a_default__expects_it() -> None:
    """One day left, D = 1 nearly: the off-taker still pays then with chance q, else 60 %.

    4 kWh a day at 0.05: q = e^(-2/365): 0.2 x (0.6 + 0.4 q); after the default 0.2 x 0.6.
    """
    found = panels.terms(
        panel__life_years=1 / 365,
        panel__kwh_per_kwp=1_460.0,
        energy__default_hazard=2.0,
        energy__cost_usd_per_kw_year=0.0,
        buyers__discount_rate=1e-12,
    )
    line = tables(found, panels.START, 1)
    stays = math.exp(-2.0 / 365)
    before = 1_000 * (line.base[0] + 0.05 * line.slope[0])
    after = 1_000 * (line.base_after[0] + 0.05 * line.slope_after[0])
    assert before == pytest.approx(0.2 * (0.6 + 0.4 * stays), rel=1e-9)
    assert after == pytest.approx(0.2 * 0.6, rel=1e-9)


def test_silver__of_a_new_panel__is_worth_little_today() -> None:
    """4,000 mg are 0.128602 ounces; at 94 USD and 70 % they bring 8.4620 USD in 25 years.

    At 8 % a year that is e^(-2) = 0.135335 of it today: 1.1452 USD, 0.4 % of 300.
    """
    found = panels.terms()
    free, _, _ = panels.run(found, panels.drawn(found, 30))
    paid = 4_000 / 31_103.4768 * 94.0 * 0.7
    assert paid == pytest.approx(8.4620, abs=1e-4)
    assert free.details["silver_usd"][0] == pytest.approx(paid * math.exp(-2.0))
    assert paid * math.exp(-2.0) == pytest.approx(1.1452, abs=1e-4)


# --- Default ------------------------------------------------------------------------------


def test_default__costs_the_running_period_and_part_of_the_price() -> None:
    """On day 40 ten days of the second period are lost: a panel's 22.80 x 10 / 365 USD.

    From day 41 on its energy brings 60 %: 30 x 0.6 - 7.20 = 10.80 USD a year. Day 60 shares 20
    days of that; the price falls by 40 % of what the energy to come is worth.
    """
    found = panels.terms()
    free, _, record = panels.run(found, panels.drawn(found, 60, default_step=40))
    expected = 22.80 * 30 / 365 + 10.80 * 20 / 365
    assert record.paid[-1] == pytest.approx(expected, abs=2e-6)
    line = tables(found, panels.START, 60)
    before = 400 * (line.base[40] + 0.05 * line.slope[40])
    after = 400 * (line.base_after[40] + 0.05 * line.slope_after[40])
    lost = before - after + 22.80 * 10 / 365
    assert panels.of(free, "default") == pytest.approx(-lost, abs=1e-9)
    assert free.happened["default"].all()
    assert (free.events == 1).all()


def test_no_default__leaves_no_trace() -> None:
    found = panels.terms()
    free, _, _ = panels.run(found, panels.drawn(found, 60, default_step=61))
    assert not free.happened["default"].any()
    assert not panels.of(free, "default").any()


# --- Bonus, lock and sale -------------------------------------------------------------------


def test_bonus__is_shared_by_locked_watts() -> None:
    """Of 32 arrays of 10 kW a tenth's odds lock three; with 400 W the holder has 0.4 of 30.4 kW.

    3,650 USD over 365 days are 10 a day: in 60 days he gets 600 x 0.4 / 30.4 = 7.894737 USD.
    """
    found = panels.terms(lock__bonus_usd=3_650.0, lock__bonus_days=365)
    free, locked, record = panels.run(found, panels.drawn(found, 60))
    assert record.bonus[-1] == pytest.approx(600 * 0.4 / 30.4)
    assert panels.of(locked, "lock_bonus") == pytest.approx(7.894737, abs=1e-6)
    assert not panels.of(free, "lock_bonus").any()
    assert locked.details["bonus_usd"][-1] == pytest.approx(7.894737, abs=1e-6)
    paid = record.paid[-1] + record.bonus[-1]
    assert locked.details["income_yield"][-1] == pytest.approx(paid / 300.0)


def test_bonus__ends_with_its_days() -> None:
    found = panels.terms(lock__bonus_usd=100.0, lock__bonus_days=10)
    _, _, record = panels.run(found, panels.drawn(found, 60))
    assert record.bonus[10] == pytest.approx(100 * 0.4 / 30.4)
    assert (record.bonus[-1] == record.bonus[10]).all()


def test_sale__costs_spread_and_royalty__and_a_locked_token_more() -> None:
    """Free: (1 - 0.03)(1 - 0.025) = 0.94575 of the price. Locked for 90 days: 0.7 until then."""
    found = panels.terms()
    free, locked, record = panels.run(found, panels.drawn(found, 100))
    for step in (1, 50, 100):
        cash = record.paid[step]
        assert free.exit["usd"][step] == pytest.approx(cash + 0.94575 * record.dirty[step])
    assert locked.exit["usd"][89] == pytest.approx(record.paid[89] + 0.7 * record.dirty[89])
    assert locked.exit["usd"][90] == pytest.approx(record.paid[90] + 0.94575 * record.dirty[90])
    assert not locked.unpaid.any()


def test_lock__that_outlasts_the_run__leaves_the_token_unsold() -> None:
    found = panels.terms()
    free, locked, record = panels.run(found, panels.drawn(found, 60))
    assert locked.unpaid == pytest.approx(record.dirty[-1])
    assert not free.unpaid.any()
    assert panels.of(locked, "sale") == pytest.approx(-0.3 * record.dirty[-1])


def test_issue_price__above_the_first_floor_price_is_a_cost() -> None:
    found = panels.terms()
    free, _, record = panels.run(found, panels.drawn(found, 30))
    floor = free.details["floor_usd"][0]
    assert panels.of(free, "issue_price") == pytest.approx(floor - 300.0)
    assert record.dirty[0] == pytest.approx(floor)


def test_gas__is_booked_by_act() -> None:
    """Entering and leaving, and a claim every 90 days: four within 365; two more to lock."""
    used = {"enter": 7.0, "lock": 5.0, "unlock": 3.0, "claim": 2.0, "leave": 11.0}
    found = panels.terms()
    free, locked, _ = panels.run(found, panels.drawn(found, 365), gas=Gas(used, 0.01))
    assert panels.of(free, "gas") == pytest.approx(-0.01 * (7 + 4 * 2 + 11))
    assert panels.of(locked, "gas") == pytest.approx(-0.01 * (7 + 4 * 2 + 11 + 5 + 3))


# --- End of life ------------------------------------------------------------------------------


def test_retired_panel__pays_its_silver_and_nothing_after() -> None:
    """Panels with 50 days left: 50 days of energy, then 4,000 mg x 0.7 at 94 USD = 8.461971 USD."""
    found = panels.terms(panel__age_years=25.0 - 50 / 365)
    free, locked, record = panels.run(found, panels.drawn(found, 80))
    assert record.paid[50] == pytest.approx(22.80 * 50 / 365, abs=2e-6)
    assert (record.paid[-1] == record.paid[50]).all()
    silver = math.floor(4_000 * 0.7 * 94.0 / 31_103.4768 * 1e6) / 1e6
    assert free.exit["usd"][-1] == pytest.approx(record.paid[-1] + silver)
    assert not free.details["floor_usd"][50:].any()
    assert not record.dirty[50:].any()
    assert not free.details["locked_value_usd"][50:].any()
    # from its discounted worth to its payment: the rest of the price was energy
    first = 4_000 / 31_103.4768 * 94.0 * 0.7 * math.exp(-0.08 * 50 / 365)
    assert panels.of(free, "silver_right") == pytest.approx(silver - first, abs=1e-6)
    # no sale at the end, so none is paid for
    assert not panels.of(free, "sale").any()
    assert not locked.unpaid.any()


# --- What is locked -----------------------------------------------------------------------------


def test_locked_value__is_locked_watts_at_the_floor_price() -> None:
    """Three arrays of 10 kW and the holder's 400 W are 76 panels."""
    found = panels.terms()
    free, _, _ = panels.run(found, panels.drawn(found, 200))
    floor = free.details["floor_usd"]
    value = free.details["locked_value_usd"]
    assert value == pytest.approx(76 * floor)
    early = free.details["locked_in_three_months_usd"]
    assert (early[:92] == value[:92]).all()
    assert (early[91:] == value[91]).all()


def test_rights_less_costs__are_income_less_what_holding_the_token_costs() -> None:
    gas = Gas({"enter": 1.0, "lock": 0.0, "unlock": 0.0, "claim": 0.0, "leave": 2.0}, 0.1)
    found = panels.terms()
    free, _, record = panels.run(found, panels.drawn(found, 60), gas=gas)
    premium = 300.0 - record.dirty[0]
    sale = (1.0 - 0.94575) * record.dirty[-1] + 0.2
    expected = record.paid[-1] - 0.1 - premium - sale
    assert free.details["rights_less_costs_usd"][-1] == pytest.approx(expected)


def test_sources__are_in_the_order_of_their_rows() -> None:
    found = panels.terms()
    free, _, _ = panels.run(found, panels.drawn(found, 30))
    assert [source.name for source in free.sources] == [
        "energy_income",
        "lock_bonus",
        "silver_right",
        "power_price",
        "mood",
        "ageing",
        "default",
        "issue_price",
        "sale",
        "gas",
    ]
    assert len(free.sources) == len(From)
