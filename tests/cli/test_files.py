"""Files as people have them: read as downloaded, or refused with what to do about it.

The files of `../shared/cases` are excerpts of public downloads and of public reports of faults.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.errors import InputError
from simulator.market.calibration import read_data
from simulator.market.history import read_history
from simulator.scenario import load_calibration

CASES = Path(__file__).parents[3] / "shared" / "cases"
DATA = CASES.parent / "data"
SHIPPED = "hard-assets-2026-01"


@pytest.fixture(autouse=True)
def cases():
    if not CASES.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/cases is missing")
        pytest.skip("../shared/cases is not here")


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def calibrated(tmp_path, *arguments):
    """Return what a calibration of files prints, and the file that it writes."""
    out = tmp_path / "mine.yaml"
    return assay("calibrate", *arguments, "--out", out).stdout, load_calibration(out)


def saved(tmp_path, table, name="gold.csv", **options):
    path = tmp_path / name
    table.to_csv(path, index=False, **options)
    return path


def closes(name="one-tenth.csv"):
    """Return the closes of a case by date; those of one-tenth without the slip."""
    table = pd.read_csv(CASES / name)
    slip = table["date"] == "2022-11-15"
    if name == "one-tenth.csv":
        table.loc[slip, "gold_usd_per_oz"] *= 10
    return table


# The last line of each file, or the first where the newest stands first: read with the eye.
LAYOUTS = {
    "coingecko-bitcoin.csv": ("bitcoin=price", 27297.2614, "2023-08-31"),
    "investing-gold-newest-first.csv": ("gold=Price", 2659.60, "2024-12-06"),
    # 1711065600 s are 19,804 days since 1970
    "klines-bitcoin-epoch-ms.csv": ("bitcoin=close", 66194.01, "2024-03-22"),
    "lbma-gold-us-dates.csv": ("gold=Value", 1794.6, "2021-09-10"),
    "monthly-gold.csv": ("gold=Price", 4309.0, "2025-12-31"),
    "stooq-gold.csv": ("gold=Close", 1729.15, "2021-08-10"),
    "terminal-gold-6-days.csv": ("gold=close", 4311.26879, "2025-12-31"),
    "yahoo-gold-future.csv": ("gold=Close", 1883.199951, "2020-12-24"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_calibrate__download__is_read_by_its_column_or_by_its_name(tmp_path, name):
    column, price, date = LAYOUTS[name]
    path = CASES / "layouts" / name
    for arguments in ((path, "--column", column), (path,)):
        text, found = calibrated(tmp_path, *arguments)
        asset = column.partition("=")[0]
        figure = found.assets[asset].price
        assert figure.value == pytest.approx(price, rel=1e-8)
        assert str(figure.window[1]) == str(found.as_of) == date
        assert f"on {date}" in text
    assert f"is taken for {asset}, as the file's name says" in text


def test_calibrate__download__volatility_is_that_of_its_closes(tmp_path):
    _, found = calibrated(tmp_path, CASES / "layouts" / "stooq-gold.csv")
    table = pd.read_csv(CASES / "layouts" / "stooq-gold.csv", parse_dates=["Date"])
    days = (table["Date"].iloc[-1] - table["Date"].iloc[0]).days
    a_year = (len(table) - 1) / (days / 365.25)  # 257: a market that is open on US holidays
    expected = np.log(table["Close"]).diff().std() * a_year**0.5
    assert found.assets["gold"].volatility.value == pytest.approx(expected, rel=1e-3)
    assert found.assets["gold"].periods_per_year == 252


def test_calibrate__file_of_no_asset__asks_for_the_column_in_one_line(tmp_path):
    path = tmp_path / "download.csv"
    path.write_bytes((CASES / "layouts" / "stooq-gold.csv").read_bytes())
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=3)
    assert failed.stderr == (
        f"assay: {path}:1: which asset is it? say so, as in --column gold=close (the file has "
        "open, high, low, close)\n"
    )
    calibrated(tmp_path, path, "--column", "gold=Close")


def test_calibrate__columns_of_two_files__are_named_with_their_file(tmp_path):
    gold = saved(tmp_path, closes().rename(columns={"gold_usd_per_oz": "Close"}), "a.csv")
    silver = closes().rename(columns={"gold_usd_per_oz": "Close"})
    silver["Close"] /= 50
    other = saved(tmp_path, silver, "b.csv")
    both = (gold, other, "--column", "gold=a.csv:Close", "--column", "silver=b.csv:Close")
    _, found = calibrated(tmp_path, *both)
    assert found.assets["gold"].price.value == pytest.approx(4759.6001)
    assert found.assets["silver"].price.value == pytest.approx(4759.6001 / 50)
    assert "must be ASSET=COLUMN" in assay(
        "calibrate", gold, "--column", "Close", "--out", tmp_path / "x.yaml", code=2
    ).stderr  # fmt: skip


@pytest.mark.parametrize(
    ("column", "code", "words"),
    [
        ("gold=Closing", 3, "--column: gold is 'Closing'; is no column of the files"),
        ("tin=Close", 2, "--column tin=Close: tin: unknown column; must be date, gold_usd_per_oz"),
        ("copper=Close", 2, "copper: must name its unit: copper_usd_per_tonne"),
        ("gold=", 2, "must be ASSET=COLUMN, as in gold=Close"),
    ],
)
def test_calibrate__column_that_is_not_there_or_not_known__is_refused(
    tmp_path, column, code, words
):
    path = CASES / "layouts" / "stooq-gold.csv"
    out = ("--column", column, "--out", tmp_path / "x.yaml")
    assert words in assay("calibrate", path, *out, code=code).stderr


def test_calibrate__hours__are_refused_in_one_line(tmp_path):
    # 2024-01-01 is 19,723 days after 1970
    milliseconds = [19_723 * 86_400_000 + 3_600_000 * hour for hour in range(2000)]
    table = pd.DataFrame({"timestamp": milliseconds, "close": range(1, 2001)})
    path = saved(tmp_path, table, "bitcoin.csv")
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=3)
    assert failed.stderr == (
        f"assay: {path}:3: date is 2024-01-01 (as on line 2); rows come several times a day; must "
        "be one close a day\n"
    )


def german(value, decimals=0):
    """Return a number as Germans write it: 1.234,5."""
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def test_calibrate__dots_between_thousands__are_told_from_decimals_by_the_price_level(tmp_path):
    text, found = calibrated(tmp_path, CASES / "german-thousands.csv")
    assert found.assets["gold"].price.value == 4760
    assert "gold_usd_per_oz: 1.565 is read as 1,565" in text
    # silver at 31.302 has three digits behind its point as well, and is no 31,302
    silver = closes().rename(columns={"gold_usd_per_oz": "silver_usd_per_oz"})
    silver["silver_usd_per_oz"] = [f"{value / 50:.3f}" for value in silver["silver_usd_per_oz"]]
    _, found = calibrated(tmp_path, saved(tmp_path, silver))
    assert found.assets["silver"].price.value == pytest.approx(95.192)


@pytest.mark.parametrize(
    ("written", "separator"),
    [
        (lambda value: german(value, 2), ";"),
        (lambda value: f"{value:.2f}".replace(".", ","), ";"),
        (lambda value: f"{value:,.2f}", ","),
        (lambda value: f"${value:,.2f}", ","),
        (lambda value: f"{value:,.2f}".replace(",", "'"), ","),
        (lambda value: f"{value:,.2f}".replace(",", "\u00a0"), "\t"),
    ],
)
def test_calibrate__separators_of_any_country__make_the_same_prices(tmp_path, written, separator):
    table = closes()
    expected = table["gold_usd_per_oz"].round(2)
    table["gold_usd_per_oz"] = expected.map(written)
    _, found = calibrated(tmp_path, saved(tmp_path, table, sep=separator))
    assert found.assets["gold"].price.value == expected.iloc[-1]
    plain = np.log(expected).diff().std() * 252**0.5
    assert found.assets["gold"].volatility.value == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize(
    ("factor", "times"), [(1 / 1000, "0.001 x"), (1 / 31.1034768, "0.0322 x"), (100, "100 x")]
)
def test_calibrate__price_far_from_the_shipped_one__is_refused_unless_it_is_said_so(
    tmp_path, factor, times
):
    table = closes()
    table["gold_usd_per_oz"] = (table["gold_usd_per_oz"] * factor).map("{:.5f}".format)
    path = saved(tmp_path, table)
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=3)
    assert f"{path}:1501: gold_usd_per_oz is " in failed.stderr
    assert f"{times.partition(' ')[0]} times 4,759.6001 USD/oz" in failed.stderr
    assert "--price-ok gold" in failed.stderr
    assert not (tmp_path / "x.yaml").exists()
    text, found = calibrated(tmp_path, path, "--price-ok", "gold")
    assert found.assets["gold"].price.value == pytest.approx(4759.6001 * factor, rel=1e-5)
    assert times in text


def test_calibrate__close_that_lacks_a_digit__is_refused_until_it_is_left_out_or_true(tmp_path):
    path = CASES / "one-tenth.csv"
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=3)
    assert failed.stderr == (
        f"assay: {path}:702: gold_usd_per_oz is 177.38; on 2022-11-15, about 10 times below the "
        "close before, 1,773.6, and 2022-11-16 takes it back: no market's move; mend the table, "
        "or leave it out (--exclude 2022-11-15:gold --exclude 2022-11-16:gold), or say that it "
        "is true (--keep 2022-11-15:gold)\n"
    )
    out = ("--exclude", "2022-11-15:gold", "--exclude", "2022-11-16:gold")
    _, found = calibrated(tmp_path, path, *out)
    returns = np.log(closes()["gold_usd_per_oz"]).diff().dropna()
    returns = returns.drop(
        index=closes().index[closes()["date"].isin(["2022-11-15", "2022-11-16"])]
    )
    assert found.assets["gold"].volatility.value == pytest.approx(
        returns.std() * 252**0.5, rel=1e-3
    )
    _, kept = calibrated(tmp_path, path, "--keep", "2022-11-15:gold")
    assert kept.assets["gold"].volatility.value == pytest.approx(1.35, abs=0.02)


def test_calibrate__lost_split_and_spike__are_refused_and_a_wild_day_is_told(tmp_path):
    table = closes()
    split = table.copy()
    split.loc[:699, "gold_usd_per_oz"] *= 2
    # the close of 2022-11-14 is row 699; the halving is the return of the day after
    failed = assay("calibrate", saved(tmp_path, split), "--out", tmp_path / "x.yaml", code=3)
    assert "about 2 times below the close before, 3,547.2: no market's move" in failed.stderr
    assert "(--exclude 2022-11-15:gold)" in failed.stderr
    _, found = calibrated(tmp_path, tmp_path / "gold.csv", "--exclude", "2022-11-15:gold")
    assert found.assets["gold"].volatility.value < 0.2
    spike = table.copy()
    spike.loc[700, "gold_usd_per_oz"] *= 1.4
    failed = assay("calibrate", saved(tmp_path, spike), "--out", tmp_path / "x.yaml", code=3)
    assert "on 2022-11-15, +40.0% the close before" in failed.stderr
    wild = table.copy()
    wild.loc[700:, "gold_usd_per_oz"] *= 0.85
    text, _ = calibrated(tmp_path, saved(tmp_path, wild))
    assert "gold -15.0% on 2022-11-15, to 1,507.73: stands out, and is kept; " in text
    assert "--exclude 2022-11-15:gold leaves it out" in text


def test_calibrate__six_rows_a_week__periods_are_counted_and_the_bootstrap_agrees(tmp_path):
    path = CASES / "six-days-a-week.csv"
    text, found = calibrated(tmp_path, path)
    assert "261 periods a year" in text
    assert "rows of Saturdays and Sundays, a part of Monday's step: 313" in text
    # made with 16.0 % a year; 1,564 returns know it to 16 / sqrt(2 x 1564) = 0.29 points
    volatility = found.assets["gold"].volatility.value
    assert abs(volatility - 0.160) < 2 * 0.0029
    history = read_history(path, ("gold",))
    drawn = history.returns.std(ddof=1) * history.periods_per_year**0.5
    assert drawn == pytest.approx(volatility, rel=1e-3)


def test_calibrate__friday_carried_over_weekends_and_holidays__is_left_out(tmp_path):
    table = closes().assign(date=lambda t: pd.to_datetime(t["date"])).set_index("date")
    filled = table.reindex(pd.date_range(table.index[0], table.index[-1]), method="ffill")
    filled = filled.rename_axis("date").reset_index()
    text, found = calibrated(tmp_path, saved(tmp_path, filled))
    expected = np.log(table["gold_usd_per_oz"]).diff().std() * 252**0.5
    assert found.assets["gold"].volatility.value == pytest.approx(expected, rel=5e-3)
    weekends = int((filled["date"].dt.dayofweek >= 5).sum())
    assert f"rows of Saturdays and Sundays, a part of Monday's step: {weekends:,}" in text
    assert "rows of holidays that carry the day before forward: " in text


def test_bootstrap__years_of_the_peg__are_left_out_of_every_reader(tmp_path):
    path = CASES / "gold-monthly-since-1833.csv"
    history = read_history(path, ("gold",))
    table = pd.read_csv(path)
    since = table[table["date"] >= "1971-01-01"]["gold_usd_per_oz"]
    expected = np.log(since).diff().std(ddof=0) * 12**0.5  # 16.4 %, not the 9.4 % of all years
    assert history.returns.std() * 12**0.5 == pytest.approx(expected, rel=1e-9)
    told = "rows before 1971-01-01, when gold was pegged: 1,656, left out"
    assert told in history.notes
    text, _ = calibrated(tmp_path, path)
    assert told in text


def test_bootstrap__months_that_are_averages__says_so():
    (note,) = [
        note
        for note in read_history(CASES / "gold-monthly-since-1833.csv", ("gold",)).notes
        if "average" in note
    ]
    assert note.endswith("the volatility of what is drawn is 18 % too low")


def test_bootstrap__close_that_lacks_a_digit__names_the_scenarios_fields():
    path = CASES / "one-tenth.csv"
    with pytest.raises(InputError) as caught:
        read_history(path, ("gold",))
    assert "(market.exclude: [2022-11-15:gold, 2022-11-16:gold])" in str(caught.value)
    assert "(market.keep: [2022-11-15:gold])" in str(caught.value)
    days = ("2022-11-15:gold", "2022-11-16:gold")
    assert read_history(path, ("gold",), exclude=days).returns.shape == (1, 1497)


@pytest.mark.parametrize("rows", [791, 792, 793])
def test_read__monthly_averages__are_known_whatever_the_number_of_rows(tmp_path, rows):
    table = pd.read_csv(DATA / "metals_monthly.csv")
    assert len(table) == 792
    last = table.iloc[[-1]].assign(date="2026-01-01")
    monthly = saved(tmp_path, pd.concat([table, last]).head(rows), "months.csv")
    data = read_data([monthly, DATA / "metals_daily.csv"])
    assert {name: found.averaged for name, found in data.monthly.items()} == {
        "gold": True, "silver": True, "copper": True,
    }  # fmt: skip


def test_read__month_ends__are_known_as_closes(tmp_path):
    daily = pd.read_csv(DATA / "metals_daily.csv", parse_dates=["date"]).set_index("date")
    ends = daily.resample("ME").last().reset_index()
    monthly = saved(tmp_path, ends, "months.csv")
    data = read_data([monthly, DATA / "metals_daily.csv"])
    assert not any(found.averaged for found in data.monthly.values())


def test_calibrate__monthly_yields__are_not_used_and_defaults_are_no_result(tmp_path):
    files = (CASES / "real-yield-monthly.csv", DATA / "metals_daily.csv")
    text, found = calibrated(tmp_path, *files)
    assert "real_yield: 277 values, 2003-01-01 to 2026-01-01" in text
    assert "real_yield, monthly: not used: the fits take it by days" in text
    assert f"not in the data, of {SHIPPED}: real_rate, inflation, central_banks" in text
    assert "real_rate.start " not in text
    assert "ratio.equilibrium " in text  # that the metals alone give
    shipped = load_calibration(Path(__file__).parents[2] / f"scenarios/calibrations/{SHIPPED}.yaml")
    assert found.macro.real_rate.speed.value == shipped.macro.real_rate.speed.value
    assert found.macro.real_rate.speed.note.startswith(f"not in the data: of {SHIPPED}")
    alone, _ = calibrated(tmp_path, *files, "--over", "none")
    assert "defaults of the macro model, not fitted: real_rate, inflation" in alone
    assert "real_rate.start " not in alone


def test_calibrate__spreadsheets_empty_columns__are_passed_over(tmp_path):
    _, found = calibrated(tmp_path, CASES / "trailing-commas.csv")
    path = saved(tmp_path, closes())
    _, plain = calibrated(tmp_path, path)
    assert found.assets["gold"].volatility.value == plain.assets["gold"].volatility.value
    named = path.read_text(encoding="utf-8").replace("gold_usd_per_oz", "gold_usd_per_oz,", 1)
    path.write_text(named.replace("\n", ",7\n").replace(",,7", ",", 1), encoding="utf-8")
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=3)
    assert f"{path}:1: column 3: has no name in the first row" in failed.stderr


def test_calibrate__metals_alone__are_laid_over_the_shipped_figures_and_say_so(tmp_path):
    path = saved(tmp_path, closes())
    text, found = calibrated(tmp_path, path)
    shipped = load_calibration(Path(__file__).parents[2] / f"scenarios/calibrations/{SHIPPED}.yaml")
    assert tuple(found.assets) == tuple(shipped.assets)
    assert found.laid_over == SHIPPED
    for asset, figures in found.assets.items():
        marked = figures.volatility.note.startswith(f"not in the data: of {SHIPPED}")
        assert marked == (asset != "gold")
    assert found.assets["silver"].volatility.value == shipped.assets["silver"].volatility.value
    assert "not in the data, of hard-assets-2026-01, with the day of its price: silver" in text
    assert "bitcoin (2026-01-02)" in text
    assert "correlations: 0 of the data; 45 and the joint tails (metals, " in text
    _, alone = calibrated(tmp_path, path, "--over", "none")
    assert (tuple(alone.assets), alone.laid_over) == (("gold",), "")


def test_calibrate__few_rows__give_price_and_variance_and_no_fit(tmp_path):
    few = closes().tail(200)
    text, found = calibrated(tmp_path, saved(tmp_path, few))
    gold = found.assets["gold"]
    assert "its 199 returns bear no fit (500 are needed)" in text
    assert gold.price.value == pytest.approx(4759.6001)
    # the recursion by hand: from the long-run variance on, over the returns less their mean
    long_run = gold.volatility.value**2 / 252
    alpha, gamma, beta = gold.alpha.value, gold.gamma.value, gold.beta.value
    variance = long_run
    returns = np.log(few["gold_usd_per_oz"]).diff().dropna()
    for move in returns - returns.mean():
        weight = alpha + gamma * (move < 0)
        variance = long_run * (1 - alpha - gamma / 2 - beta) + weight * move**2 + beta * variance
    assert gold.variance_start.value == pytest.approx(variance, rel=1e-3)
    failed = assay(
        "calibrate", tmp_path / "gold.csv", "--over", "none", "--out", tmp_path / "x.yaml", code=3
    )
    assert "199 daily returns; must be at least 500 for a GARCH fit" in failed.stderr


def test_calibrate__spreadsheet__is_read_where_openpyxl_is(tmp_path):
    pytest.importorskip("openpyxl")
    table = closes().assign(date=lambda t: pd.to_datetime(t["date"]), note=None)
    path = tmp_path / "gold.xlsx"
    table.rename(columns={"gold_usd_per_oz": "Close"}).to_excel(path, index=False)
    _, found = calibrated(tmp_path, path, "--column", "gold=Close")
    assert found.assets["gold"].price.value == pytest.approx(4759.6001)
    path.write_bytes(b"PK no archive")
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=3)
    assert f"{path}: not an XLSX file" in failed.stderr


def test_calibrate__spreadsheet_without_openpyxl__says_what_to_install(tmp_path, monkeypatch):
    def missing(*arguments, **options):
        raise ImportError("openpyxl")

    monkeypatch.setattr(pd, "read_excel", missing)
    path = tmp_path / "gold.xlsx"
    path.write_bytes(b"PK")
    failed = assay("calibrate", path, "--out", tmp_path / "x.yaml", code=2)
    assert failed.stderr == (
        f'assay: {path}: XLSX needs the package openpyxl: pip install "assay-sim[excel]"\n'
    )


def test_market__against_a_download__reads_it_as_calibrate_does():
    path = CASES / "layouts" / "yahoo-gold-future.csv"
    small = ("--paths", 128, "--set", "horizon_days=30")
    own = ("--against", path, "--column", "gold=Close")
    found = assay("market", "gold-vault-sober", *small, *own)
    assert "rows without a price of gold: 42, left out" in found.stderr
    failed = assay(
        "market", "gold-vault-sober", *small, "--against", CASES / "one-tenth.csv", code=3
    )
    assert "gold_usd_per_oz is 177.38; on 2022-11-15" in failed.stderr
