"""A table of closes is read whole or refused with every fault at its line."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.market.calibration import read_prices
from simulator.market.calibration.prices import MAX_SHOWN_PROBLEMS
from simulator.market.frequency import Kind

HEADER = "date,gold_usd_per_oz,silver_usd_per_oz"
FIRST = dt.date(2020, 1, 6)  # a Monday


def weekdays(count, first=FIRST):
    """Return `count` successive weekdays."""
    days = (first + dt.timedelta(days=n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


def good_rows(count=520):
    """Return CSV rows of closes; row n stands on line n + 2 of the file."""
    return [f"{day},{1500 + n % 7},{18 + n % 5}" for n, day in enumerate(weekdays(count))]


def written(tmp_path, rows, header=HEADER, name="closes.csv"):
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def faults(path):
    """Return the problems of a refused file as (line, field, value, rule)."""
    with pytest.raises(InputError) as caught:
        read_prices(path)
    assert caught.value.exit_code == 3
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [(p.line, p.field, p.value, p.rule) for p in caught.value.problems]


def set_cell(rows, index, column, text):
    cells = rows[index].split(",")
    cells[column] = text
    rows[index] = ",".join(cells)


def test_read__good_table__keeps_dates_prices_and_units(tmp_path):
    table = read_prices(written(tmp_path, good_rows()))
    assert table.assets == ("gold", "silver")
    assert table.dates[:2] == (FIRST, FIRST + dt.timedelta(days=1))
    assert table.as_of == weekdays(520)[-1]
    np.testing.assert_array_equal(table.prices["gold"][:3], [1500, 1501, 1502])
    assert table.file == "closes.csv"


def test_read__copper_in_pounds__is_kept_in_tonnes(tmp_path):
    # An international pound is 0.45359237 kg, so a tonne is 2204.62262 of them.
    rows = [f"{day},4.0,8818.4905" for day in weekdays(520)]
    pounds = read_prices(written(tmp_path, rows, "date,copper_usd_per_lb,gold"))
    assert pounds.prices["copper"][0] == pytest.approx(4.0 / 0.45359237 * 1000, rel=1e-11)
    tonnes = read_prices(written(tmp_path, rows, "date,gold,copper_usd_per_tonne"))
    assert tonnes.prices["copper"][0] == 8818.4905


def test_read__gold_per_kilogram_and_gram__is_kept_in_troy_ounces(tmp_path):
    # A troy ounce is 31.1034768 g.
    rows = [f"{day},100000" for day in weekdays(520)]
    kilos = read_prices(written(tmp_path, rows, "date,gold_usd_per_kg"))
    assert kilos.prices["gold"][0] == pytest.approx(100_000 * 0.0311034768, rel=1e-12)
    grams = read_prices(written(tmp_path, rows, "date,gold_usd_per_g"))
    assert grams.prices["gold"][0] == pytest.approx(100_000 * 31.1034768, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "shown", "rule"),
    [
        ("0", "'0'", "must be above 0"),
        ("-18.2", "'-18.2'", "must be above 0"),
        ("about 18", "'about 18'", "must be a number, without units"),
        ("1_800", "'1_800'", "must be a number, without units"),
        ("18 USD/oz", "'18 USD/oz'", "must be a number, without units"),
        ("inf", "'inf'", "must be a finite number"),
        ("1e999", "'1e999'", "must be a finite number"),
    ],
)
def test_read__bad_price__names_line_column_value_and_rule(tmp_path, text, shown, rule):
    rows = good_rows()
    set_cell(rows, 10, 2, text)
    assert faults(written(tmp_path, rows)) == [(12, "silver_usd_per_oz", shown, rule)]


def test_read__column_that_starts_later__is_accepted(tmp_path):
    rows = good_rows(600)
    for index in range(50):
        set_cell(rows, index, 2, "")
    table = read_prices(written(tmp_path, rows))
    assert np.isnan(table.prices["silver"][:50]).all()
    assert np.isfinite(table.prices["silver"][50:]).all()


@pytest.mark.parametrize("text", ["", "null", "NULL", ".", "NA", "n/a", "#N/A", "NaN", "-"])
def test_read__cell_without_a_price__is_no_close_and_the_row_stays_for_the_others(tmp_path, text):
    rows = good_rows(530)
    set_cell(rows, 10, 2, text)
    table = read_prices(written(tmp_path, rows))
    assert np.flatnonzero(np.isnan(table.prices["silver"])).tolist() == [10]
    assert np.isfinite(table.prices["gold"]).all()
    assert "rows without a price of silver: 1, left out" in table.notes


def test_read__row_without_any_price__is_left_out(tmp_path):
    rows = good_rows(530)
    set_cell(rows, 10, 1, "null")
    set_cell(rows, 10, 2, "null")
    table = read_prices(written(tmp_path, rows))
    assert len(table.dates) == 529
    assert weekdays(11)[10] not in table.dates


def test_read__column_that_ends_days_earlier_passes__and_weeks_earlier_is_refused(tmp_path):
    rows = good_rows(530)
    set_cell(rows, 529, 1, "")
    table = read_prices(written(tmp_path, rows))
    assert table.last_quotes["gold"] == 1500 + 528 % 7
    for index in range(520, 529):
        set_cell(rows, index, 1, "")
    # rows 520 to 529 are two weeks
    last = weekdays(530)
    rule = f"must have prices up to {last[529]}"
    found = faults(written(tmp_path, rows))
    assert found == [(521, "gold_usd_per_oz", f"empty after {last[519]}", rule)]


def test_read__duplicate_date__names_both_lines(tmp_path):
    rows = good_rows()
    set_cell(rows, 10, 0, str(weekdays(10)[9]))
    assert faults(written(tmp_path, rows)) == [
        (12, "date", "2020-01-17 (as on line 11)", "must stand once")
    ]


def test_read__rows_swapped_or_newest_first__are_sorted_and_told(tmp_path):
    rows = good_rows()
    plain = read_prices(written(tmp_path, rows))
    turned = read_prices(written(tmp_path, rows[::-1]))
    assert turned.dates == plain.dates
    np.testing.assert_array_equal(turned.prices["gold"], plain.prices["gold"])
    assert turned.notes == ("rows stand newest first: turned round",)
    rows[10], rows[11] = rows[11], rows[10]
    swapped = read_prices(written(tmp_path, rows))
    np.testing.assert_array_equal(swapped.prices["gold"], plain.prices["gold"])
    assert swapped.notes == ("rows out of order: 1, sorted",)
    assert swapped.lines[9:13] == (11, 13, 12, 14)


def test_read__row_that_stands_twice__is_read_once(tmp_path):
    rows = good_rows()
    rows.insert(11, rows[10])
    table = read_prices(written(tmp_path, rows))
    assert (len(table.dates), table.notes) == (520, ("rows that stand twice: 1, read once",))


@pytest.mark.parametrize("text", ["2020-13-01", "20/01/2020", "20200120", "", "2020-W04-1"])
def test_read__unparsable_date__is_refused(tmp_path, text):
    rows = good_rows()
    set_cell(rows, 10, 0, text)
    found = faults(written(tmp_path, rows))
    assert found == [(12, "date", f"'{text}'", "must be a date as 2026-01-20")]


def test_read__gap__of_seven_days_passes_and_of_eight_is_refused(tmp_path):
    week_off = good_rows(530)
    # Friday 2020-01-17 to Friday 2020-01-24.
    del week_off[10:14]
    assert len(read_prices(written(tmp_path, week_off)).dates) == 526
    longer = good_rows(531)
    # Friday 2020-01-17 to Monday 2020-01-27, with a close on Saturday the 25th between them.
    del longer[10:15]
    longer.insert(10, f"{dt.date(2020, 1, 25)},1500,18")
    assert faults(written(tmp_path, longer)) == [
        (
            12,
            "date",
            "2020-01-25 (8 days after 2020-01-17)",
            "must be at most 7 days after the row before",
        )
    ]


def test_read__hole_in_one_column__is_refused_as_a_gap(tmp_path):
    rows = good_rows(530)
    # silver from Friday 2020-01-17 to Tuesday 2020-01-28
    for index in range(10, 16):
        set_cell(rows, index, 2, "")
    rule = "must be at most 7 days after the row before"
    value = "2020-01-28 (11 days after 2020-01-17)"
    assert faults(written(tmp_path, rows)) == [(18, "date", value, rule)]


@pytest.mark.parametrize(("step", "kind"), [(7, "weekly"), (30, "monthly")])
def test_read__weekly_or_monthly_rows__are_refused_once(tmp_path, step, kind):
    days = [FIRST + dt.timedelta(days=step * n) for n in range(600)]
    found = faults(written(tmp_path, [f"{day},1500,18" for day in days]))
    assert found == [
        (
            None,
            "date",
            f"{kind}, every {step} days",
            "must be daily closes; averages understate volatility",
        )
    ]


@pytest.mark.parametrize("step", [7, 30])
def test_read__weekly_or_monthly_rows__pass_where_they_are_asked_for(tmp_path, step):
    days = [FIRST + dt.timedelta(days=step * n) for n in range(100)]
    path = written(tmp_path, [f"{day},1500,18" for day in days])
    table = read_prices(path, kinds=(Kind.WEEKLY, Kind.MONTHLY))
    assert table.frequency.kind is {7: Kind.WEEKLY, 30: Kind.MONTHLY}[step]
    with pytest.raises(InputError, match="must be daily closes"):
        read_prices(path)


def test_read__a_missing_month_or_too_few_months__are_refused(tmp_path):
    months = [dt.date(2000 + n // 12, n % 12 + 1, 1) for n in range(62)]
    rows = [f"{day},1500,18" for day in months]
    with pytest.raises(InputError) as caught:
        read_prices(written(tmp_path, rows[:30] + rows[31:]), kinds=(Kind.MONTHLY,))
    (problem,) = caught.value.problems
    assert (problem.line, problem.rule) == (32, "must be at most 35 days after the row before")
    with pytest.raises(InputError, match="59 monthly returns; must be at least 60"):
        read_prices(written(tmp_path, rows[:60]), kinds=(Kind.MONTHLY,))
    assert len(read_prices(written(tmp_path, rows[:61]), kinds=(Kind.MONTHLY,)).dates) == 61


def test_read__months_before_days__are_refused_as_mixed(tmp_path):
    months = [dt.date(2010 + n // 12, n % 12 + 1, 1) for n in range(120)]
    rows = [f"{day},1500,18" for day in months] + good_rows(520)
    found = faults(written(tmp_path, rows))
    assert len(found) == 1
    line, field, value, rule = found[0]
    assert abs(line - 122) <= 3
    assert (field, rule) == ("date", "must be of one frequency; split the table")
    assert value.startswith("mixed: monthly before 20")


def test_read__funds_and_coins__are_known_by_name(tmp_path):
    header = "date,big_tech_etf,iwm,gold_miners_etf,copx_close,btc_usd,large_cap_etf,fed_funds_pct"
    rows = [f"{day},1,2,3,4,5,6,-0.1" for day in weekdays(520)]
    table = read_prices(written(tmp_path, rows, header))
    assert table.assets == ("big_tech", "small_caps", "gold_miners", "copper_miners", "bitcoin")
    assert [column.unit for column in table.columns] == ["share"] * 4 + ["coin"]


def test_read__coins__make_an_equal_weight_basket_from_their_common_start(tmp_path):
    days = weekdays(600)
    rows = [
        f"{day},{100 + n % 2 * 10},{'' if n < 50 else 50 - n % 3}" for n, day in enumerate(days)
    ]
    table = read_prices(written(tmp_path, rows, "date,eth_usd,sol_usd"))
    assert table.assets == ("altcoins",)
    basket = table.prices["altcoins"]
    assert np.isnan(basket[:50]).all()
    # Rows 50, 51, 52: ether 100, 110, 100; Solana 48, 50, 49. Half of each, made equal daily.
    second = 100 * (110 / 100 + 50 / 48) / 2
    third = second * (100 / 110 + 49 / 50) / 2
    np.testing.assert_allclose(basket[50:53], [100, second, third], rtol=1e-12)


def test_read__coins_that_never_met__are_refused(tmp_path):
    days = weekdays(1200)
    rows = [f"{day},10,{'' if n < 800 else 20}" for n, day in enumerate(days)]
    found = faults(written(tmp_path, rows, "date,eth_usd,sol_usd"))
    assert found[0][1:] == ("sol_usd", "399 daily returns", "must be at least 500 for a GARCH fit")


def test_read__500_returns_pass__and_499_do_not(tmp_path):
    assert len(read_prices(written(tmp_path, good_rows(501))).dates) == 501
    rule = "must be at least 500 for a GARCH fit"
    assert faults(written(tmp_path, good_rows(500))) == [
        (None, "gold_usd_per_oz", "499 daily returns", rule),
        (None, "silver_usd_per_oz", "499 daily returns", rule),
    ]


def test_read__row_of_another_length__is_refused(tmp_path):
    rows = good_rows()
    rows[3] += ",7"
    rows[5] = rows[5].rpartition(",")[0]
    assert faults(written(tmp_path, rows)) == [
        (5, "row", "4 cells", "must have 3, as the header has"),
        (7, "row", "2 cells", "must have 3, as the header has"),
    ]


def test_read__unknown_columns__are_refused_by_name(tmp_path):
    header = "date,gold_lease_rate,copper"
    found = faults(written(tmp_path, good_rows(), header))
    assert [(line, name) for line, name, _, _ in found] == [(1, "copper"), (1, "gold_lease_rate")]
    assert found[0][3].startswith("must name its unit: copper_usd_per_tonne")
    assert found[1][3].startswith("unknown column; must be date, gold_usd_per_oz")


def test_read__two_columns_of_one_asset__are_refused(tmp_path):
    found = faults(written(tmp_path, good_rows(), "date,gold,gold_close_usd"))
    assert found == [(1, "gold_close_usd", "", "is a second column of gold; keep one")]
    found = faults(written(tmp_path, good_rows(), "date,gold,gold"))
    assert found == [(1, "gold", "", "column stands twice")]


def test_read__no_date_or_price_column__is_refused(tmp_path):
    nameless = [f"Monday,{row.partition(',')[2]}" for row in good_rows()]
    found = faults(written(tmp_path, nameless, "day,gold,silver"))
    assert (1, "date", "", "column is missing; dates as 2026-01-20") in found
    table = read_prices(written(tmp_path, good_rows(), "day,gold,silver"))
    assert table.dates[0] == FIRST
    only_dates = [str(day) for day in weekdays(520)]
    found = faults(written(tmp_path, only_dates, "date"))
    which = "which asset is it? say so, as in --column gold=COLUMN (the file has no other column)"
    assert found == [(1, "", "", which)]


def test_read__every_kind_of_fault_at_once__shows_all_of_them(tmp_path):
    rows = good_rows()
    set_cell(rows, 2, 1, "abc")
    set_cell(rows, 4, 1, "0")
    set_cell(rows, 6, 2, "-1")
    set_cell(rows, 8, 2, "many")
    set_cell(rows, 9, 0, "yesterday")
    set_cell(rows, 12, 0, str(weekdays(12)[11]))
    places = [(line, name) for line, name, _, _ in faults(written(tmp_path, rows))]
    assert places == [
        (4, "gold_usd_per_oz"),
        (6, "gold_usd_per_oz"),
        (8, "silver_usd_per_oz"),
        (10, "silver_usd_per_oz"),
        (11, "date"),
        (14, "date"),
    ]


def test_read__hundreds_of_faults__are_capped_but_every_kind_is_shown(tmp_path):
    rows = good_rows(700)
    for index in range(5, 205):
        set_cell(rows, index, 1, "x")
    set_cell(rows, 600, 2, "-1")
    set_cell(rows, 650, 0, "never")
    found = faults(written(tmp_path, rows))
    assert len(found) == MAX_SHOWN_PROBLEMS + 1
    assert (602, "silver_usd_per_oz", "'-1'", "must be above 0") in found
    assert (652, "date", "'never'", "must be a date as 2026-01-20") in found
    # 200 texts, 1 negative price and 1 date, of which 20 are shown.
    assert found[-1][3].startswith("and 182 more: 182 x must be a number")


def test_read__quoted_line_breaks_and_blank_lines__keep_the_line_numbers(tmp_path):
    rows = good_rows()
    rows.insert(5, "")
    set_cell(rows, 10, 1, '"1500\n"')
    set_cell(rows, 20, 1, "0")
    # Row 20 would stand on line 22; the quoted line break moves it one further.
    assert [line for line, *_ in faults(written(tmp_path, rows))] == [23]


@pytest.mark.parametrize(
    ("content", "line", "rule"),
    [
        (b"", None, "is empty"),
        (b"\n \n", None, "is empty"),
        (b"date,gold\n\x00\x01\n", None, "not a CSV: it holds NUL bytes"),
        (b"date,gold\n2020-01-06,\xff\n", 2, "must be UTF-8 text (byte 0xff)"),
    ],
)
def test_read__file_that_is_no_text_table__is_refused(tmp_path, content, line, rule):
    path = tmp_path / "closes.csv"
    path.write_bytes(content)
    assert faults(path) == [(line, "", "", rule)]


def test_read__missing_file_or_folder__is_refused(tmp_path):
    assert faults(tmp_path / "none.csv") == [(None, "", "", "no such file")]
    assert faults(tmp_path)[0][3].startswith("cannot be read")


def test_read__windows_line_ends_and_byte_order_mark__are_accepted(tmp_path):
    path = tmp_path / "closes.csv"
    text = "\r\n".join([HEADER, *good_rows()]) + "\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert len(read_prices(path).dates) == 520
    path.write_bytes(text.replace(",1503,", ",0,", 1).encode())
    assert faults(path)[0][0] == 5


def test_read__is_a_pure_function_of_the_file(tmp_path):
    path: Path = written(tmp_path, good_rows())
    first, second = read_prices(path), read_prices(path)
    assert first.sha256 == second.sha256
    np.testing.assert_array_equal(first.prices["gold"], second.prices["gold"])
