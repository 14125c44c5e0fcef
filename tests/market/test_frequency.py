"""A table's dates say how often its rows come, and where that changes."""

import datetime as dt

import pytest

from simulator.market.frequency import Kind, frequency

FIRST = dt.date(2019, 1, 1)  # a Tuesday
ALL = [FIRST + dt.timedelta(days=n) for n in range(1200)]
WEEKDAYS = [day for day in ALL if day.weekday() < 5]
HOLIDAYS = {dt.date(year, month, day) for year in range(2019, 2023) for month, day in
            [(1, 1), (7, 4), (12, 24), (12, 25), (12, 26)]}  # fmt: skip
MONTHS = [dt.date(2000 + n // 12, n % 12 + 1, 1) for n in range(240)]


@pytest.mark.parametrize(
    ("dates", "kind", "periods"),
    [
        (ALL, Kind.ALL_DAYS, 365),
        (WEEKDAYS, Kind.TRADING_DAYS, 252),
        ([day for day in WEEKDAYS if day not in HOLIDAYS], Kind.TRADING_DAYS, 252),
        (ALL[3::7], Kind.WEEKLY, 52),
        (MONTHS, Kind.MONTHLY, 12),
        ([day.replace(day=28) for day in MONTHS], Kind.MONTHLY, 12),
        (MONTHS[::3], Kind.QUARTERLY, 4),
        (MONTHS[::12], Kind.YEARLY, 1),
    ],
)
def test_frequency__regular_table__is_named(dates, kind, periods):
    found = frequency(dates)
    assert (found.kind, found.periods_per_year, found.changes_at) == (kind, periods, None)
    assert found.message.startswith(str(kind))
    assert found.is_daily == (periods > 200)


def test_frequency__weekend_gaps__are_said():
    # 1,200 days have 857 weekdays: 856 returns in 3.28 years are 261 a year, not 252
    assert frequency(WEEKDAYS).message == (
        "daily (trading days): weekends are gaps, 261 periods a year"
    )
    assert "252 periods" in frequency(WEEKDAYS[:200]).message  # less than a year is not counted
    assert "no weekend gaps" in frequency(ALL).message


def test_frequency__a_sunday_and_a_week_off__do_not_change_it():
    dates = [day for day in WEEKDAYS if not dt.date(2020, 3, 2) <= day <= dt.date(2020, 3, 6)]
    dates = sorted([*dates, dt.date(2020, 6, 7)])
    assert frequency(dates).kind is Kind.TRADING_DAYS


def test_frequency__months_then_days__is_mixed_at_the_change():
    months = [day for day in MONTHS if day < FIRST]
    found = frequency([*months, *WEEKDAYS])
    assert found.kind is Kind.MIXED
    assert not found.is_daily
    # The spacing's median over five rows sees the change two rows early or late.
    assert abs(found.changes_at - len(months)) <= 2
    assert found.message.startswith("mixed: monthly before 2019-01-0")
    assert found.message.endswith("daily (trading days) from there on")


def test_frequency__days_then_weeks__is_mixed_though_the_weeks_are_few():
    weeks = [WEEKDAYS[-1] + dt.timedelta(weeks=n) for n in range(1, 20)]
    found = frequency([*WEEKDAYS, *weeks])
    assert found.kind is Kind.MIXED
    assert abs(found.changes_at - len(WEEKDAYS)) <= 2


def test_frequency__weekends_from_a_date_on__is_mixed():
    dates = [day for day in ALL if day.weekday() < 5 or day >= dt.date(2020, 6, 1)]
    found = frequency(dates)
    assert found.kind is Kind.MIXED
    assert abs((dates[found.changes_at] - dt.date(2020, 6, 1)).days) <= 20


def test_frequency__three_rows_a_week__fit_none():
    found = frequency([day for day in ALL if day.weekday() in (0, 2, 4)])
    assert (found.kind, found.periods_per_year) == (Kind.MIXED, 0)
    assert found.message == "rows 2 days apart fit no frequency"


def test_frequency__single_row__has_none():
    assert frequency([FIRST]).kind is Kind.MIXED
