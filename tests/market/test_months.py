"""Series by month: which day counts for a month, and which months are left out."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from simulator.market.calibration import Closes, Exclusion
from simulator.market.calibration.columns import Column
from simulator.market.calibration.months import by_month, month_ends, month_returns, together
from simulator.market.calibration.relations import by_month_ends


def daily(last):
    """Return 1, 2, 3, ... of the days from 2020-01-01 to `last`."""
    dates = pd.date_range("2020-01-01", last).date
    return pd.Series(np.arange(1.0, len(dates) + 1), pd.Index(dates))


def test_month_ends__take_the_last_day_and_no_unfinished_month():
    # January ends with day 31 of the year, February of 2020 with day 60.
    ends = month_ends(daily("2020-03-24"))
    assert [str(month) for month in ends.index] == ["2020-01", "2020-02"]
    assert ends.tolist() == [31, 60]
    assert month_ends(daily("2020-03-25")).tolist() == [31, 60, 85]
    # December of a year that goes on counts all the same where years are compared.
    assert by_month_ends(daily("2020-03-24")).tolist() == [31, 60, 84]


def test_by_month__missing_month__is_nan():
    values = pd.Series([1.0, 3.0], pd.Index([dt.date(2020, 1, 1), dt.date(2020, 3, 1)]))
    found = by_month(values)
    assert [str(month) for month in found.index] == ["2020-01", "2020-02", "2020-03"]
    assert np.isnan(found.iloc[1])


def test_month_returns__without_the_month_of_an_excluded_day():
    prices = np.exp(daily("2020-05-31") / 100)
    excluded = (Exclusion(dt.date(2020, 3, 10), "gold"),)
    column = Column("gold", "gold", "oz", "oz", 1.0)
    closes = Closes(column, prices, 1.0, "t.csv", "t", 365, 365.0, excluded)
    returns = month_returns(closes)
    assert [str(month) for month in returns.index] == ["2020-02", "2020-04", "2020-05"]
    # Days of February, April and May of 2020, each of 1 %.
    assert returns.tolist() == pytest.approx([0.29, 0.30, 0.31])


def test_together__keeps_months_that_all_have():
    first = by_month(pd.Series([1.0, 2.0, 3.0], [dt.date(2020, m, 1) for m in (1, 2, 3)]))
    second = by_month(pd.Series([5.0, 6.0], [dt.date(2020, m, 1) for m in (2, 4)]))
    (one, two), months = together(first, second)
    assert (one.tolist(), two.tolist(), [str(m) for m in months]) == ([2], [5], ["2020-02"])
