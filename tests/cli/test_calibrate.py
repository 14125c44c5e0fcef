"""`assay calibrate` on several files and folders: what it says, writes and refuses."""

import numpy as np
import pandas as pd
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.scenario import load_calibration


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder: metals of weekdays, Bitcoin of all days, a real yield, and a diary."""
    folder = tmp_path_factory.mktemp("data") / "prices"
    folder.mkdir()
    random = np.random.default_rng(4)
    weekdays = pd.bdate_range("2016-01-04", "2024-12-31")
    every_day = pd.date_range("2016-01-04", "2024-12-31")
    steps = 0.01 * random.standard_t(6, (len(weekdays), 3))
    steps[:, 1] += steps[:, 0]
    names = ["gold_usd_per_oz", "silver_usd_per_oz", "copper_usd_per_lb"]
    levels = [4000, 50, 5]  # of 2025 or so: others are refused
    save(folder / "metals.csv", weekdays, dict(zip(names, ending(steps, levels).T, strict=True)))
    coins = 0.03 * random.standard_t(5, (len(every_day), 1))
    save(folder / "crypto.csv", every_day, {"btc_usd": ending(coins, [90_000])[:, 0]})
    rates = 1 + np.cumsum(0.05 * random.standard_normal(len(weekdays)))
    save(folder / "rates.csv", weekdays, {"real_yield_10y_pct": rates})
    (folder / "diary.csv").write_text("day,mood\n1,good\n", encoding="utf-8")
    return folder


def ending(steps, levels):
    """Return prices that move by `steps` and end on `levels`, shape (n_days, n_assets)."""
    logs = np.cumsum(steps, axis=0)
    return levels * np.exp(logs - logs[-1])


def save(path, dates, columns):
    table = pd.DataFrame(columns).assign(date=dates.strftime("%Y-%m-%d"))
    table.to_csv(path, index=False)


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


@pytest.fixture(scope="module")
def outcome(data):
    """Return the lines of a fit of the whole folder, and the calibration."""
    out = data.parent / "own-market.yaml"
    lines = assay("calibrate", data, "--over", "none", "--out", out).stdout.splitlines()
    return lines, load_calibration(out)


def test_calibrate__folder__fits_all_that_it_holds(data, outcome):
    lines, fitted = outcome
    assert list(fitted.assets) == ["gold", "silver", "copper", "bitcoin"]
    assert fitted.name == "own-market"
    assert fitted.macro.model_fields_set >= {"elasticities"}
    assert lines[-1] == f"calibration: {data.parent / 'own-market.yaml'}"
    assert f"note: {data / 'diary.csv'}: no column that a calibration knows" in lines


def test_calibrate__each_file__is_named_with_how_often_its_rows_come(data, outcome):
    lines = outcome[0]
    assert lines[:3] == [
        f"{data / 'crypto.csv'}: bitcoin; daily (all days): no weekend gaps, 365 periods a year",
        "  bitcoin: 3,285 rows, 2016-01-04 to 2024-12-31; last close 90,000 USD/coin on "
        "2024-12-31; 1 x 89,902.17 USD/coin on 2026-01-02, the shipped one",
        # without a holiday: 2,346 returns in 8.99 years
        f"{data / 'metals.csv'}: gold, silver, copper; daily (trading days): weekends are gaps, "
        "261 periods a year",
    ]
    rates = lines.index(f"{data / 'rates.csv'}: real_yield; daily (trading days)")
    assert lines[rates + 1].startswith("  real_yield: 2,347 values, 2016-01-04 to 2024-12-31; ")


def test_calibrate__weak_figures__are_weak_on_the_terminal_and_in_the_file(outcome):
    lines, fitted = outcome
    # Nothing here depends on the real yield.
    figure = fitted.findings["copper_real_rate"]
    assert figure.weak.startswith("|t| = ")
    (line,) = [line for line in lines if line.startswith("copper_real_rate ")]
    assert line.endswith(f"weak: {figure.weak}")
    (bitcoin,) = [line for line in lines if line.startswith("bitcoin ") and "volatility" in line]
    weak = [n for n in ("alpha", "gamma", "jump_mean") if getattr(fitted.assets["bitcoin"], n).weak]
    assert bitcoin.endswith(f"weak: {', '.join(weak)}")
    rows = lines[lines.index("correlations (* weak: below two standard errors)") :]
    (row,) = [line for line in rows if line.startswith("bitcoin")]
    assert row.count("*") == 3


def test_calibrate__files_one_by_one__fit_the_same_assets(data, tmp_path, outcome):
    out = tmp_path / "own-market.yaml"
    assay("calibrate", data / "metals.csv", data / "crypto.csv", "--over", "none", "--out", out)
    alone, whole = load_calibration(out), outcome[1]
    assert alone.assets == whole.assets
    assert alone.correlations == whole.correlations
    assert alone.macro is None
    assert "macro:" not in out.read_text(encoding="utf-8")


def test_calibrate__faults_of_two_files__are_listed_and_nothing_is_written(data, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("date,gold\n2020-01-06,0\n", encoding="utf-8")
    worse = tmp_path / "worse.csv"
    worse.write_text("date,real_yield_10y_pct\n2020-01-06,high\n", encoding="utf-8")
    out = tmp_path / "cal.yaml"
    failed = assay("calibrate", bad, worse, data / "crypto.csv", "--out", out, code=3)
    lines = failed.stderr.splitlines()
    assert f"{bad}:2: gold is '0'; must be above 0" in lines
    fault = f"{worse}:2: real_yield_10y_pct is 'high'; must be a number, without units"
    assert any(line.startswith(fault) for line in lines)
    assert not out.exists()


def test_calibrate__same_asset_in_two_files__is_refused(data, tmp_path):
    again = tmp_path / "again.csv"
    again.write_bytes((data / "crypto.csv").read_bytes())
    failed = assay("calibrate", data, again, "--out", tmp_path / "cal.yaml", code=3)
    assert f"{again}:1: btc_usd: is in {data / 'crypto.csv'} too; keep one" in failed.stderr


def test_calibrate__mixed_frequency__is_named_at_its_line(data, tmp_path):
    daily = (data / "crypto.csv").read_text(encoding="utf-8").splitlines()
    months = [f"{90 + n},{2010 + n // 12}-{n % 12 + 1:02}-01" for n in range(60)]
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([daily[0], *months, *daily[1:]]) + "\n", encoding="utf-8")
    failed = assay("calibrate", mixed, "--out", tmp_path / "cal.yaml", code=3)
    assert "mixed: monthly before 20" in failed.stderr
    assert "daily (all days) from there on; must be of one frequency; split the table" in (
        failed.stderr
    )


def test_calibrate__onto_a_file_of_its_folder__is_usage_and_the_data_stay(data):
    before = (data / "crypto.csv").read_bytes()
    failed = assay("calibrate", data, "--out", data / "crypto.csv", code=2)
    assert "is the data itself; name another file" in failed.stderr
    assert (data / "crypto.csv").read_bytes() == before


def test_calibrate__without_files__is_usage():
    assert "Missing argument" in assay("calibrate", "--out", "x.yaml", code=2).stderr


def test_calibrate__excluded_day_of_no_asset__is_usage(data, tmp_path):
    out = tmp_path / "cal.yaml"
    failed = assay("calibrate", data, "--exclude", "2020-03-02:tin", "--out", out, code=2)
    assert "no tin, only bitcoin, gold, silver, copper" in failed.stderr
    assay("calibrate", data, "--exclude", "2020-03-02:bitcoin", "--out", out)
    assert [record.asset for record in load_calibration(out).excluded] == ["bitcoin"]
