"""Dates and numbers in the forms that tables have them: one form for a column, or refused."""

import datetime as dt

import pytest

from simulator.market.calibration.dates import read_dates
from simulator.market.calibration.numbers import read_numbers

FIRST = dt.date(2020, 1, 6)
DAYS = [FIRST + dt.timedelta(days=n) for n in range(40)]


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y",
        "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y", "%m-%d-%Y", "%d-%m-%Y", "%b %d, %Y", "%B %d, %Y",
        "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%Y-%m-%d 00:00:00 UTC",
        "%Y-%m-%dT00:00:00Z", "%Y-%m-%dT23:59:59.999Z", "%Y-%m-%d 17:00:00-05:00",
    ],
)  # fmt: skip
def test_dates__of_any_form__are_the_days_they_say(form):
    assert read_dates([day.strftime(form) for day in DAYS]).dates == tuple(DAYS)


@pytest.mark.parametrize(("unit", "each"), [("s", 1), ("ms", 1000), ("us", 1_000_000)])
def test_dates__counts_since_1970__are_days(unit, each):
    seconds = [(day - dt.date(1970, 1, 1)).days * 86_400 for day in DAYS]
    assert read_dates([str(count * each) for count in seconds]).dates == tuple(DAYS)


@pytest.mark.parametrize("form", ["%Y-%m", "%Y/%m", "%YM%m", "%m/%Y", "%b %Y"])
def test_dates__months__stand_for_their_last_day(form):
    months = [dt.date(2019, month, 1).strftime(form) for month in range(1, 13)]
    found = read_dates(months)
    assert found.dates[:3] == (dt.date(2019, 1, 31), dt.date(2019, 2, 28), dt.date(2019, 3, 31))
    assert "months stand for their last day" in found.notes


def test_dates__two_digit_years__lie_between_1950_and_2049():
    # London's gold fixes begin on 2 January 1968; C's own rule makes a 2068 of that.
    found = read_dates(["1/2/68", "12/31/99", "1/13/00", "6/7/21"])
    assert [day.year for day in found.dates] == [1968, 1999, 2000, 2021]
    ends = read_dates(["1/2/50", "1/3/50", "12/31/49"])
    assert [day.year for day in ends.dates] == [1950, 1950, 2049]


def test_dates__first_days_of_months__are_told_from_days_of_january():
    days = [f"01/{month:02}/{year}" for year in (2018, 2019, 2020) for month in range(1, 13)]
    assert read_dates(days).dates[1] == dt.date(2018, 2, 1)
    month_first = [f"{month:02}/01/{year}" for year in (2018, 2019, 2020) for month in range(1, 13)]
    assert read_dates(month_first).dates[1] == dt.date(2018, 2, 1)


def test_dates__that_read_both_ways__are_refused():
    found = read_dates([f"{day:02}/{month:02}/2020" for day in (1, 2, 3) for month in (1, 2, 3)])
    assert found.doubt.startswith("reads both as day first and as month first")
    assert read_dates(["1/13/2020", "2/13/2020"]).is_whole


def test_dates__of_another_form_than_the_others__are_none():
    found = read_dates(["2020-01-06", "07.01.2020", "2020-01-08"])
    assert [date is None for date in found.dates] == [False, True, False]
    assert not found.is_whole


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1234.5", "987.25"], [1234.5, 987.25]),
        (["1,234.5", "987.25"], [1234.5, 987.25]),
        (["1.234,5", "987,25"], [1234.5, 987.25]),
        (["1234,5", "987,25"], [1234.5, 987.25]),
        (["1 234,5", "987,25"], [1234.5, 987.25]),
        (["1'234.5", "987.25"], [1234.5, 987.25]),
        (["$1,234.50", "$987.25"], [1234.5, 987.25]),
        (["1.2e3", "9.8E2"], [1200, 980]),
        # 345.000 to 4058.330: the second has no place for a thousands separator
        (["345.000", "4058.330"], [345, 4058.33]),
        # from 987 to 1.002 is a jump, to 1,002 is none
        (["987", "1.002", "1.015"], [987, 1002, 1015]),
        (["987", "1,002", "1,015"], [987, 1002, 1015]),
        ([".5", "0.25"], [0.5, 0.25]),
    ],
)
def test_numbers__separators__mean_what_fits_the_whole_column(texts, values):
    found = read_numbers(texts, positive=True)
    assert found.values.tolist() == values
    assert not any(found.rules)


def test_numbers__that_fit_both_ways__are_the_nearer_to_what_is_known_and_told():
    texts = ["1.565", "1.569", "4.760"]

    def read(known):
        return read_numbers(texts, True, nearness=lambda value: abs(value / known - 1))

    assert read(4760).values.tolist() == [1565, 1569, 4760]
    assert read(5).values.tolist() == [1.565, 1.569, 4.76]
    assert read(4760).notes == ("1.565 is read as 1,565",)
    assert read_numbers(texts, True, european=True).values[0] == 1565


def test_numbers__with_a_grouping_of_neither_kind__are_refused():
    found = read_numbers(["1,234.5", "12,34.5", "1,23", "12"], positive=True)
    assert [bool(rule) for rule in found.rules] == [False, True, True, False]
