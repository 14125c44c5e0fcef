"""Scales and the calendar against exact fractions, the calendar itself and published holidays."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import units

# Federal holidays of 2026 as the US Office of Personnel Management lists them; the fourth
# of July is a Saturday, so the day before is off.
HOLIDAYS_2026 = (
    dt.date(2026, 1, 1),
    dt.date(2026, 1, 19),
    dt.date(2026, 2, 16),
    dt.date(2026, 5, 25),
    dt.date(2026, 6, 19),
    dt.date(2026, 7, 3),
    dt.date(2026, 9, 7),
    dt.date(2026, 10, 12),
    dt.date(2026, 11, 11),
    dt.date(2026, 11, 26),
    dt.date(2026, 12, 25),
)


def test_calendar__has_one_date_more_than_steps_and_begins_with_the_start():
    dates = units.calendar(dt.date(2026, 1, 20), 365)
    assert len(dates) == 366
    assert dates[0].date() == dt.date(2026, 1, 20)
    assert dates[-1].date() == dt.date(2027, 1, 20)


def test_calendar__over_a_leap_day__counts_it():
    assert units.calendar(dt.date(2028, 2, 28), 2)[-1].date() == dt.date(2028, 3, 1)


def test_trading_days__of_2026__are_weekdays_less_the_federal_holidays():
    found = units.trading_days(dt.date(2026, 1, 1), 364)
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    expected = [day.weekday() < 5 and day not in HOLIDAYS_2026 for day in days]
    assert found.shape == (365,)
    np.testing.assert_array_equal(found, expected)
    # 261 weekdays less eleven holidays.
    assert found.sum() == 250


def test_trading_days__new_year_on_a_saturday__is_kept_on_the_friday_before():
    # 2028-01-01 is a Saturday; the holiday falls into the year before, at the range's end.
    found = units.trading_days(dt.date(2027, 12, 29), 2)
    np.testing.assert_array_equal(found, [True, True, False])


def test_midnight__of_known_days__is_their_unix_time():
    assert units.midnight_timestamp(dt.date(1970, 1, 1)) == 0
    # 2,922 days (8 years, two of them leap years) of 86,400 seconds.
    assert units.midnight_timestamp(dt.date(1978, 1, 1)) == 2_922 * 86_400
    assert units.midnight_timestamp(dt.date(2026, 1, 20)) == 1_768_867_200


def test_scales__agree_with_each_other():
    assert units.SECONDS_PER_YEAR == units.DAYS_PER_YEAR * units.SECONDS_PER_DAY
    assert units.WAD == 10**units.GOLD_DECIMALS
    # A float would lose the last digits of a ray.
    assert all(type(scale) is int for scale in (units.WAD, units.RAY, units.BPS))


@given(
    st.floats(min_value=-1e15, max_value=1e15, allow_nan=False),
    st.sampled_from([0, 6, 8, 18]),
)
def test_to_wei__any_float__is_the_nearest_unit_of_its_exact_value(amount, decimals):
    exact = Fraction(amount) * 10**decimals
    found = units.to_wei(amount, decimals)
    assert abs(found - exact) <= Fraction(1, 2)
    assert type(found) is int


def test_to_wei__tenth__keeps_the_floats_own_digits():
    # The double nearest to 0.1 is 0.1000000000000000055511151231257827...
    assert units.to_wei(0.1, 18) == 100_000_000_000_000_006
    assert units.to_wei(0.1, 6) == 100_000
    # int(1.1 * 10**18) is 1_100_000_000_000_000_000: the product is rounded to 53 bits.
    assert units.to_wei(1.1, 18) == 1_100_000_000_000_000_089


def test_to_wei__half_a_unit__rounds_up():
    assert units.to_wei(0.5, 0) == 1
    assert units.to_wei(2.5, 0) == 3
    assert units.to_wei(-0.5, 0) == 0


def test_to_wei__numpy_float__is_taken_like_a_float():
    assert units.to_wei(np.float64(3.25), 6) == 3_250_000


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")])
def test_to_wei__no_number__is_refused(amount):
    with pytest.raises((ValueError, OverflowError)):
        units.to_wei(amount, 18)


@given(st.integers(min_value=-(10**40), max_value=10**40), st.sampled_from([6, 8, 18]))
def test_from_wei__any_integer__is_correctly_rounded(amount, decimals):
    assert units.from_wei(amount, decimals) == float(Fraction(amount, 10**decimals))


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_round_trip__through_wei__stays_within_half_a_unit(amount):
    back = units.from_wei(units.to_wei(amount, 18), 18)
    assert abs(back - amount) <= 0.5e-18 + np.spacing(amount)
