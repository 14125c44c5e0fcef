"""A world of known figures, written as CSVs, is read and fitted back within its errors."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from simulator.errors import InputError
from simulator.market.calibration import fit_data, read_data, write_calibration
from simulator.market.calibration.observations import read_observations
from simulator.market.frequency import Kind
from simulator.scenario.calibration import load_calibration
from simulator.scenario.macro import MacroCalibration

YEARS = 24
FIRST, LAST = "2001-01-01", "2025-01-31"
REAL_BETA, MINERS_BETA, MONEY_BETA, COPPER_MINERS_BETA = -0.10, 1.7, 4.0, 1.2
KAPPA, LONG_RUN, SIGMA = 0.8, 0.01, 0.008


def reverting(random, n, dt_years, kappa, mean, sigma):
    phi = np.exp(-kappa * dt_years)
    spread = sigma * np.sqrt((1 - phi**2) / (2 * kappa))
    values = np.empty(n)
    values[0] = mean
    for k in range(1, n):
        values[k] = mean + phi * (values[k - 1] - mean) + spread * random.standard_normal()
    return values


def csv(folder, name, table, dates="%Y-%m-%d"):
    table = table.copy()
    table.insert(0, "date", table.index.strftime(dates))
    if dates == "%Y":
        table = table.rename(columns={"date": "year"})
    path = folder / name
    table.to_csv(path, index=False, float_format="%.10g")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write 24 years of a world with known figures, each file on its own calendar."""
    random = np.random.default_rng(31)
    folder = tmp_path_factory.mktemp("world")
    days = pd.bdate_range(FIRST, LAST)
    real = 100 * reverting(random, len(days), 1 / 261, KAPPA, LONG_RUN, SIGMA)
    breakeven = 100 * reverting(random, len(days), 1 / 261, 0.5, 0.022, 0.004)
    rates = {"real_yield_10y_pct": real, "nominal_yield_10y_pct": real + breakeven}
    rates["breakeven_inflation_10y_pct"] = breakeven
    csv(folder, "rates.csv", pd.DataFrame(rates, index=days))

    months = pd.date_range(FIRST, LAST, freq="MS")
    growth = reverting(random, len(months), 1 / 12, 0.6, 0.06, 0.03) / 12
    prices = reverting(random, len(months), 1 / 12, 1.0, 0.025, 0.012) / 12
    macro = pd.DataFrame(
        {
            "us_cpi_index": 100 * np.exp(np.cumsum(prices)),
            "us_m2_billion_usd": 2000 * np.exp(np.cumsum(growth)),
            "fed_funds_pct": 100 * reverting(random, len(months), 1 / 12, 0.4, 0.035, 0.01),
        },
        index=months,
    )
    macro.iloc[100, 0] = np.nan
    csv(folder, "macro.csv", macro)

    shocks = random.standard_normal((len(days), 5))
    change = np.diff(real, prepend=real[0])
    gold = REAL_BETA * change + 0.008 * shocks[:, 0]
    copper = 0.015 * shocks[:, 2]
    columns = {
        "gold_usd_per_oz": gold,
        "silver_usd_per_oz": 1.3 * gold + 0.012 * shocks[:, 1],
        "copper_usd_per_tonne": copper,
    }
    csv(folder, "metals.csv", closes(columns, days, 400.0))
    funds = {
        "gold_miners_etf": MINERS_BETA * gold + 0.01 * shocks[:, 3],
        "copper_miners_etf": COPPER_MINERS_BETA * copper + 0.01 * shocks[:, 4],
    }
    csv(folder, "funds.csv", closes(funds, days, 30.0))

    every_day = pd.date_range(FIRST, LAST)
    monthly = pd.Series(growth, months)
    money = monthly.reindex(every_day, method="ffill") / every_day.days_in_month
    bitcoin = MONEY_BETA * money.to_numpy() + 0.01 * random.standard_normal(len(every_day))
    csv(folder, "crypto.csv", closes({"btc_usd": bitcoin}, every_day, 100.0))

    years = pd.date_range("2001-12-31", "2024-12-31", freq="YE")
    net = pd.DataFrame({"net_purchases_tonnes": random.normal(600, 200, len(years))}, index=years)
    csv(folder, "banks.csv", net.assign(source="a council"), "%Y")
    (folder / "notes.csv").write_text("who,what\nme,nothing\n", encoding="utf-8")
    return folder


def closes(returns, dates, start):
    return pd.DataFrame(
        {name: start * np.exp(np.cumsum(values)) for name, values in returns.items()}, index=dates
    )


@pytest.fixture(scope="module")
def fitted(folder):
    return fit_data(read_data([folder]), "world")


def within(figure, truth, errors=3.0):
    assert figure.standard_error > 0
    return abs(figure.value - truth) < errors * figure.standard_error


def test_read__folder__takes_each_file_for_what_it_is(folder):
    data = read_data([folder])
    assert [table.assets for table in data.tables] == [
        ("bitcoin",),
        ("gold_miners", "copper_miners"),
        ("gold", "silver", "copper"),
    ]
    assert data.observations["real_yield", Kind.TRADING_DAYS].indicator.unit == "%"
    assert data.observations["central_banks_net", Kind.YEARLY].window == (
        dt.date(2001, 12, 31),
        dt.date(2024, 12, 31),
    )
    assert len(data.observations["cpi", Kind.MONTHLY].values) == YEARS * 12
    assert data.left_out == (f"{folder / 'notes.csv'}: no column that a calibration knows",)


def test_read__files_one_by_one__are_the_folder(folder):
    files = [path for path in sorted(folder.glob("*.csv")) if path.name != "notes.csv"]
    assert read_data(files).observations.keys() == read_data([folder]).observations.keys()


def test_fit__known_rates__are_recovered(fitted):
    real = fitted.calibration.macro.real_rate
    assert within(real.speed, KAPPA)
    assert real.speed.standard_error < 0.45
    assert within(real.long_run, LONG_RUN)
    assert within(real.volatility, SIGMA)
    assert real.volatility.standard_error < 0.0005
    assert real.start.standard_error is None
    assert real.start.note == "last value, observed"


def test_fit__inflation__makes_the_breakeven(folder, fitted):
    inflation = fitted.calibration.macro.inflation
    speed, start = inflation.speed.value, inflation.start.value
    path = inflation.long_run.value + (start - inflation.long_run.value) * np.exp(
        -speed * np.linspace(0, 10, 100_001)
    )
    quoted = pd.read_csv(folder / "rates.csv")["breakeven_inflation_10y_pct"].iloc[-1] / 100
    # Four digits of each figure; the mean of the expected path over ten years.
    assert path.mean() == pytest.approx(quoted, abs=2e-5)


def test_fit__elasticities__are_recovered(fitted):
    elasticities = fitted.calibration.macro.elasticities
    gold = elasticities.real_rate["gold"]
    assert within(gold, REAL_BETA)
    assert gold.standard_error < 0.02
    assert (gold.mark, gold.weak) == ("observed", "")
    assert within(elasticities.gold_beta["gold_miners"], MINERS_BETA)
    assert within(elasticities.copper_beta["copper_miners"], COPPER_MINERS_BETA)
    assert within(elasticities.liquidity["bitcoin"], MONEY_BETA)
    assert (
        elasticities.liquidity["altcoins"] == MacroCalibration().elasticities.liquidity["altcoins"]
    )


def test_fit__what_is_not_there__is_weak(fitted):
    findings = fitted.calibration.findings
    # Copper moved with nothing, so two in three of its figures must be weak, and say why.
    for name in ("copper_real_rate", "copper_liquidity"):
        assert within(findings[name], 0.0)
    weak = [name for name in ("copper_real_rate", "copper_liquidity") if findings[name].weak]
    assert weak
    assert findings[weak[0]].weak.startswith("|t| = ")


def test_fit__central_banks__net_is_measured_and_the_split_is_not(fitted):
    findings = fitted.calibration.findings
    assert within(findings["central_banks_net_mean"], 600)
    assert within(findings["central_banks_net_deviation"], 200)
    banks = fitted.calibration.macro.central_banks
    net = banks.purchases.mean.value - banks.sales.mean.value
    assert net == pytest.approx(findings["central_banks_net_mean"].value, rel=1e-3)
    assert (banks.purchases.mean.mark, banks.sales.mean.mark) == ("assumption", "assumption")


def test_fit__money__mean_deviation_and_start(folder, fitted):
    liquidity = fitted.calibration.macro.liquidity
    money = pd.read_csv(folder / "macro.csv")["us_m2_billion_usd"]
    growth = np.log(money).diff(12).dropna()
    assert liquidity.money_growth_mean.value == pytest.approx(growth.mean(), rel=1e-3)
    assert liquidity.money_growth_deviation.value == pytest.approx(growth.std(), rel=1e-3)
    standardised = (growth.iloc[-1] - growth.mean()) / growth.std()
    assert liquidity.start.value == pytest.approx(standardised, rel=1e-3, abs=1e-4)


def test_fit__treasury_bills__are_the_short_rates_changes(folder, fitted):
    bills = fitted.calibration.assets["treasury_bills"]
    rate = pd.read_csv(folder / "macro.csv")["fed_funds_pct"]
    expected = rate.diff().std() / 100 * 0.125 * 12**0.5
    assert bills.volatility.value == pytest.approx(expected, rel=1e-3)
    assert (bills.volatility.mark, bills.alpha.mark) == ("secondary", "assumption")
    assert (bills.periods_per_year, bills.persistence) == (365, 0)
    assert list(fitted.calibration.assets)[-1] == "treasury_bills"
    pairs = [pair for pair in fitted.calibration.correlations if "treasury_bills" in pair.between]
    assert len(pairs) == 6


def test_fit__nominal__is_real_plus_breakeven(fitted):
    gap = fitted.calibration.findings["nominal_less_real_and_breakeven"]
    assert gap.value == pytest.approx(0, abs=1e-6)


def test_write__macro_and_findings__come_back_equal(fitted, tmp_path):
    path = tmp_path / "world.yaml"
    write_calibration(fitted.calibration, path, only_measured=True)
    assert load_calibration(path) == fitted.calibration
    text = path.read_text(encoding="utf-8")
    assert "\nmacro:\n" in text
    assert "\nfindings:\n" in text
    # What was not measured is left to the macro model.
    assert "\n  silver:\n    industrial" not in text
    write_calibration(fitted.calibration, path)
    assert load_calibration(path) == fitted.calibration
    assert "\n  silver:\n    industrial" in path.read_text(encoding="utf-8")


# Little or odd data ---------------------------------------------------------------------------


def shortened(folder, target, months):
    """Write the last `months` months of each file."""
    first = (pd.Period("2025-01", freq="M") - months).to_timestamp()
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path)
        if "date" in table:
            table[pd.to_datetime(table["date"]) >= first].to_csv(target / path.name, index=False)


def test_fit__five_years__fits_what_they_bear(folder, tmp_path):
    shortened(folder, tmp_path, 62)
    fitted = fit_data(read_data([tmp_path]), "short")
    assert set(fitted.calibration.assets) >= {"gold", "bitcoin", "treasury_bills"}
    assert "gold_calm_volatility_weekly" in fitted.calibration.findings
    # Four years of overlapping 12-month returns are four independent ones.
    money = fitted.calibration.macro.elasticities.liquidity["bitcoin"]
    assert "independent years" in money.weak
    assert "central_banks_net_mean" not in fitted.calibration.findings


def test_fit__series_that_never_moves__is_a_remark_and_no_figure(folder, tmp_path):
    shortened(folder, tmp_path, 62)
    rates = pd.read_csv(tmp_path / "rates.csv")
    rates["real_yield_10y_pct"] = 1.5
    rates.to_csv(tmp_path / "rates.csv", index=False)
    fitted = fit_data(read_data([tmp_path]), "flat")
    assert "not fitted: real rate: a series does not vary" in fitted.remarks
    assert "not fitted: gold, real rate: a series does not vary" in fitted.remarks
    assert "real_rate" not in fitted.calibration.macro.model_fields_set


# What is refused ----------------------------------------------------------------------------


def refused(reader, *arguments):
    with pytest.raises(InputError) as caught:
        reader(*arguments)
    return [(p.line, p.field, p.value, p.rule) for p in caught.value.problems]


def monthly_rows(count=70):
    return [f"{2000 + n // 12}-{n % 12 + 1:02}-01,{100 + n},{n % 5 - 1}" for n in range(count)]


def written(folder, rows, header="date,us_cpi_index,fed_funds_pct", name="macro.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_observations__negative_rates_and_empty_cells__pass_but_no_negative_index(tmp_path):
    rows = monthly_rows()
    rows[3] = "2000-04-01,,-0.25"
    cpi, funds = read_observations(written(tmp_path, rows))
    assert (len(cpi.values), len(funds.values)) == (69, 70)
    assert funds.values.loc[dt.date(2000, 4, 1)] == -0.25
    assert (cpi.kind, cpi.indicator.unit) == (Kind.MONTHLY, "index")
    rows[5], rows[7] = "2000-06-01,-3,1", "2000-08-01,105,5 %"
    assert refused(read_observations, written(tmp_path, rows)) == [
        (7, "us_cpi_index", "'-3'", "must be above 0"),
        (9, "fed_funds_pct", "'5 %'", "must be a number, without units"),
    ]


def test_observations__too_few__are_refused_and_out_of_order_are_sorted(tmp_path):
    assert refused(read_observations, written(tmp_path, monthly_rows(50))) == [
        (None, "cpi", "50 monthly values", "must be at least 60"),
        (None, "fed_funds", "50 monthly values", "must be at least 60"),
    ]
    rows = monthly_rows()
    rows[10], rows[11] = rows[11], rows[10]
    cpi, _ = read_observations(written(tmp_path, rows))
    assert cpi.values.index.is_monotonic_increasing
    assert cpi.notes == ("rows out of order: 1, sorted",)


def test_observations__year_that_is_none__is_refused(tmp_path):
    rows = [f"{2010 + n},{600 + n},somebody" for n in range(12)]
    path = written(tmp_path, rows, "year,net_purchases_tonnes,source")
    (net,) = read_observations(path)
    assert net.kind is Kind.YEARLY
    rows[4] = "20x4,3,somebody"
    path = written(tmp_path, rows, "year,net_purchases_tonnes,source")
    assert (6, "date", "'20x4'", "must be a date as 2026-01-20") in refused(read_observations, path)


def test_read__same_series_twice__names_both_files(folder, tmp_path):
    again = tmp_path / "again.csv"
    again.write_bytes((folder / "macro.csv").read_bytes())
    found = refused(read_data, [folder, again])
    assert {field for _, field, _, _ in found} == {"cpi", "m2", "fed_funds"}
    assert found[0][3] == f"is in {folder / 'macro.csv'} too, as often; keep one"


def test_read__without_daily_closes__is_refused(folder, tmp_path):
    assert refused(read_data, [folder / "rates.csv"]) == [
        (None, "", "", "no daily closes; a calibration needs some")
    ]
    (tmp_path / "empty").mkdir()
    assert refused(read_data, [tmp_path / "empty"]) == [
        (None, "", "", "the folder holds no .csv or .xlsx file")
    ]


def test_read__faults_of_several_files__are_all_shown(folder, tmp_path):
    bad = written(tmp_path, [*monthly_rows(), "2005-11-01,x,1"])
    prices = tmp_path / "prices.csv"
    prices.write_text("date,gold_usd_per_oz\n2020-01-06,0\n", encoding="utf-8")
    found = refused(read_data, [bad, prices, folder / "metals.csv"])
    assert (72, "us_cpi_index", "'x'") in [fault[:3] for fault in found]
    assert (2, "gold_usd_per_oz", "'0'") in [fault[:3] for fault in found]
