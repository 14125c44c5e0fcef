"""A user's table as a bootstrap's history: which days count, and what is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.market.frequency import Kind
from simulator.market.history import best_block, read_history
from simulator.units import trading_days

N_ROWS = 900


def rows(n_rows: int = N_ROWS, *, weekends: bool = False, start: str = "2021-01-04"):
    """Return dates, trading days or all, and two price columns that move every day."""
    first = dt.date.fromisoformat(start)
    is_open = trading_days(first, 2 * n_rows)
    dates = [first + dt.timedelta(days=n) for n in range(2 * n_rows) if weekends or is_open[n]]
    dates = dates[:n_rows]
    moves = np.random.default_rng(1).normal(0, 0.01, (n_rows, 2))
    return dates, 100 * np.exp(np.cumsum(moves, axis=0))


def written(folder, dates, columns, header="date,gold_usd_per_oz,copper_usd_per_tonne"):
    lines = [
        ",".join([str(date), *("" if np.isnan(p) else repr(float(p)) for p in row)])
        for date, row in zip(dates, columns, strict=True)
    ]
    path = folder / "past.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def faults(path, assets, **options):
    with pytest.raises(InputError) as caught:
        read_history(path, assets, **options)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def test_history__returns__in_the_scenarios_order(tmp_path):
    dates, prices = rows()
    found = read_history(written(tmp_path, dates, prices), ("copper", "gold"), 10)
    expected = np.diff(np.log(prices), axis=0).T[::-1]
    np.testing.assert_allclose(found.returns, expected, rtol=1e-9, atol=1e-15)
    assert (found.mean_block, found.file) == (10, "past.csv")


def test_history__block_length__the_longest_of_the_assets_unless_given(tmp_path):
    dates, prices = rows()
    # gold's moves come in calm and wild half-years, copper's do not
    wild = np.where(np.arange(N_ROWS) // 125 % 2, 3.0, 1.0)
    prices[:, 0] = 100 * np.exp(np.cumsum(wild * np.diff(np.log(prices[:, 0]), prepend=0)))
    path = written(tmp_path, dates, prices)
    both = read_history(path, ("gold", "copper"))
    gold, copper = (read_history(path, (name,)) for name in ("gold", "copper"))
    assert both.mean_block == gold.mean_block > 5 * copper.mean_block
    assert gold.mean_block == best_block(gold.returns)


def test_history__weekends__are_part_of_mondays_step(tmp_path):
    dates, prices = rows(1300, weekends=True)
    found = read_history(written(tmp_path, dates, prices), ("gold",), 5)
    weekday = [date.weekday() < 5 for date in dates]
    # 928 steps in 1,297 days are 261 a year; the market has 252 of them, each so much larger
    counted = (sum(weekday) - 1) / ((dates[-1] - dates[0]).days / 365.25)
    expected = np.diff(np.log(prices[weekday, 0])) * np.sqrt(counted / 252)
    np.testing.assert_allclose(found.returns[0], expected, rtol=1e-9, atol=1e-15)


def test_history__days_before_an_assets_first_price__do_not_count(tmp_path):
    dates, prices = rows()
    prices[:300, 1] = np.nan
    path = written(tmp_path, dates, prices)
    assert read_history(path, ("gold",), 5).returns.shape == (1, N_ROWS - 1)
    assert read_history(path, ("gold", "copper"), 5).returns.shape == (2, N_ROWS - 301)


def test_history__too_few_days__is_refused(tmp_path):
    # 700 rows are enough for a table; their 500 weekdays make 499 steps of the market
    dates, prices = rows(701, weekends=True)
    assert read_history(written(tmp_path, dates, prices), ("gold",), 5).returns.shape == (1, 500)
    path = written(tmp_path, dates[:-1], prices[:-1])
    assert faults(path, ("gold", "copper")) == [
        "past.csv: gold, copper is 499 daily returns in common; must be at least 500 for a "
        "bootstrap"
    ]


def test_history__basis_event_of_copper__is_left_out_only_with_copper(tmp_path):
    dates, prices = rows(1000, start="2022-01-03")
    assert dt.date(2025, 7, 31) in dates
    path = written(tmp_path, dates, prices)
    assert read_history(path, ("gold",), 5).returns.shape == (1, 999)
    assert read_history(path, ("gold", "copper"), 5).returns.shape == (2, 998)


def test_history__without_an_asset__names_the_columns_it_has(tmp_path):
    path = written(tmp_path, *rows())
    assert faults(path, ("gold", "silver")) == [
        "past.csv:1: silver: column is missing, and the scenario has this asset; the file has "
        "gold_usd_per_oz, copper_usd_per_tonne"
    ]


def weekly(n_rows):
    return [dt.date(2010, 1, 8) + dt.timedelta(weeks=n) for n in range(n_rows)]


def monthly(n_rows):
    return [dt.date(1990 + n // 12, n % 12 + 1, 1) for n in range(n_rows)]


@pytest.mark.parametrize(
    ("dates", "least", "kind"), [(weekly, 104, Kind.WEEKLY), (monthly, 60, Kind.MONTHLY)]
)
def test_history__of_longer_periods__each_row_is_a_period(tmp_path, dates, least, kind):
    prices = rows()[1]
    found = read_history(written(tmp_path, dates(least + 1), prices[: least + 1]), ("gold",))
    assert (found.kind, found.returns.shape) == (kind, (1, least))
    np.testing.assert_allclose(found.returns[0], np.diff(np.log(prices[: least + 1, 0])), rtol=1e-9)
    (fault,) = faults(written(tmp_path, dates(least), prices[:least]), ("gold",))
    assert f"is {least - 1} {kind} returns" in fault
    assert f"must be at least {least} for" in fault


def test_history__quarterly_prices__are_refused_by_name(tmp_path):
    (fault,) = faults(written(tmp_path, monthly(N_ROWS)[::3], rows()[1][:300]), ("gold",))
    assert fault.startswith("past.csv: date is quarterly, every 91 days; must be daily (")


def test_history__block_days__are_trading_days_whatever_the_period(tmp_path):
    path = written(tmp_path, monthly(300), rows()[1][:300])
    assert read_history(path, ("gold",), 63).mean_block == pytest.approx(3)
    assert read_history(path, ("gold",), 21).mean_block == pytest.approx(1)
    (fault,) = faults(path, ("gold",), block_days=20)
    assert fault == (
        "past.csv: market.block_days is 20; must be at least 21, a period of past.csv, whose rows "
        "are monthly"
    )


def test_history__weekends__are_kept_where_all_assets_trade_on_them(tmp_path):
    dates, prices = rows(1300, weekends=True)
    path = written(tmp_path, dates, prices, header="date,btc_usd,gold_usd_per_oz")
    found = read_history(path, ("bitcoin",), 5, every_day=True)
    assert (found.kind, found.returns.shape) == (Kind.ALL_DAYS, (1, 1299))
    assert read_history(path, ("bitcoin",), 5).kind is Kind.TRADING_DAYS
    assert read_history(path, ("gold",), 5, every_day=True).kind is Kind.TRADING_DAYS


def test_history__columns__by_name_or_as_told_and_others_read_past(tmp_path):
    dates, prices = rows()
    path = written(tmp_path, dates, prices, header="date,Close,copper")
    found = read_history(path, ("gold", "copper"), 5, columns={"gold": "close"})
    np.testing.assert_allclose(found.returns, np.diff(np.log(prices), axis=0).T, rtol=1e-9)
    (fault,) = faults(path, ("gold",))
    assert fault.endswith("the scenario has this asset; the file has close, copper")
    (fault,) = faults(path, ("gold",), columns={"gold": "settle"})
    assert fault == (
        "past.csv:1: market.columns.gold is 'settle'; is no column of the file, which has close, "
        "copper"
    )
