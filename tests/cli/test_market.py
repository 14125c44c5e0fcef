"""`assay market`: tables, one JSON object, a page; and what it refuses."""

import datetime as dt
import json
import math

import numpy as np
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine import summarise_market
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

SMALL = ("market", "gold-vault-sober", "--paths", "256", "--set", "horizon_days=60")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def test_json__is_one_object_with_what_the_engine_found(folder):
    outcome = assay(*SMALL, "--seed", 7, "--json")
    assert outcome.stderr == ""
    assert outcome.stdout.count("\n") == 1
    found = json.loads(outcome.stdout)
    assert set(found) == {
        "scenario", "model", "bootstrap", "calibration", "seed", "paths", "steps", "start", "end",
        "checksum", "seconds", "peak_rss_mib", "page", "assets", "correlation",
        "drift", "factors", "extremes", "holdings", "notes", "against",
    }  # fmt: skip
    expected = load_scenario(
        "gold-vault-sober", overrides=["paths=256", "horizon_days=60", "seed=7"]
    )
    summary = summarise_market(expected.scenario, expected.calibration, workers=1)
    assert found["checksum"] == summary.checksum
    assert (found["seed"], found["paths"], found["steps"]) == (7, 256, 60)
    assert (found["start"], found["end"]) == ("2026-01-20", "2026-03-21")
    assert set(found["assets"]) == {"gold", "silver", "copper"}
    for asset in summary.assets:
        shown = found["assets"][asset.name]
        assert set(shown) == {
            "unit", "start_price", "expected_growth", "mean", "mean_error", "p05", "median", "p95",
            "volatility", "periods_per_year", "excess_kurtosis", "drawdown_median", "drawdown_p95",
        }  # fmt: skip
        assert shown["median"] == asset.median
        assert shown["p05"] < shown["median"] < shown["p95"]
        assert 0 < shown["drawdown_median"] < shown["drawdown_p95"] < 1
    assert found["correlation"]["assets"] == ["gold", "silver", "copper"]
    assert found["correlation"]["matrix"] == summary.correlation.tolist()
    # a model without factors has the scenario's drift and nothing else
    assert [share["part"] for share in found["drift"]["gold"]] == ["base"]
    assert found["drift"]["gold"][0]["mean"] == 0.035
    assert (found["factors"], found["notes"], found["against"]) == ({}, [], None)
    assert list(folder.iterdir()) == []


def test_tables__in_a_pipe__fit_100_columns_without_colours(folder):
    outcome = assay(*SMALL)
    assert "\x1b" not in outcome.stdout
    assert max(len(line) for line in outcome.stdout.splitlines()) <= 100
    for words in ("gold, USD/oz", "copper, USD/tonne", "+3.5 %", "excess kurtosis", "Correlation"):
        assert words in outcome.stdout
    assert outcome.stderr == "simulating 256 paths over 60 days\nthe same of what is held\n"


def test_tables__row_of_an_asset__the_numbers_of_the_json(folder):
    found = json.loads(assay(*SMALL, "--json").stdout)
    gold, copper = found["assets"]["gold"], found["assets"]["copper"]
    lines = assay(*SMALL).stdout.splitlines()
    (row,) = [line.split() for line in lines if line.startswith(" gold, USD/oz")]
    prices = [f"{gold[name]:,.0f}" for name in ("p05", "median", "p95", "mean", "mean_error")]
    assert row[2:] == ["4,760", "+3.5", "%", *prices[:4], "±", prices[4]]
    moves = [line.split() for line in lines if line.startswith(" copper ")]
    shares = ("volatility", "drawdown_median", "drawdown_p95")
    shown = [f"{100 * copper[name]:.1f}" for name in shares]
    kurtosis = f"{copper['excess_kurtosis']:.2f}"
    assert moves[0] == ["copper", shown[0], "%", kurtosis, shown[1], "%", shown[2], "%"]
    extremes = found["extremes"]["copper"]
    days = [extremes[name] for name in ("worst_day", "best_day")]
    days = [word for day in days for word in (f"{100 * day['value']:+.1f}", f"({day['path']:,})")]
    fall = extremes["deepest_fall"]
    assert extremes["worst_year"] is None
    assert moves[1] == ["copper", *days, f"{100 * fall['value']:.1f}", f"({fall['path']:,})"]
    assert moves[2] == ["copper", *(f"{x:.3f}" for x in found["correlation"]["matrix"][2])]


def test_options__calibration_and_set__reach_the_market(folder):
    shipped = shipped_folder() / "calibrations" / "metals-2026-01.yaml"
    text = shipped.read_text(encoding="utf-8").replace("name: metals-2026-01", "name: mine")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    settings = ("--set", "market.assets.gold.price=1000", "--set", "market.model=gbm")
    found = json.loads(assay(*SMALL, "--calibration", "mine.yaml", *settings, "--json").stdout)
    assert (found["calibration"], found["model"]) == ("mine", "gbm")
    assert found["assets"]["gold"]["start_price"] == 1000
    assert math.isclose(found["assets"]["gold"]["mean"], 1000, rel_tol=0.05)


def test_page__twice__the_same_bytes_whole_and_without_network(folder):
    assert assay(*SMALL, "--out", "one.html").stdout.splitlines()[-1] == "page: one.html"
    assert json.loads(assay(*SMALL, "--out", "two.html", "--json").stdout)["page"] == "two.html"
    page = (folder / "one.html").read_text(encoding="utf-8")
    assert page == (folder / "two.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["one.html", "two.html"]
    for asset in ("gold", "silver", "copper"):
        assert page.count(f'id="fan-{asset}"') == 1
        assert f"market.assets.{asset}" in page.replace(" › ", ".")
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    # inputs of instruments are not the market's
    assert "exploit_hazard" not in page.replace("<wbr>", "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("market", "no-such"), 2, "no scenario no-such"),
        (("market",), 2, "Missing argument"),
        ((*SMALL, "--set", "market.model=black"), 3, "market.model is 'black'; must be one of"),
        ((*SMALL[:2], "--paths", "0"), 3, "paths is 0; must be 1 to"),
        ((*SMALL, "--calibration", "none.yaml"), 3, "must be a calibration file"),
        ((*SMALL, "--out", "missing/market.html"), 2, "there is no folder missing"),
        ((*SMALL, "--out", "."), 2, "is a folder"),
    ],
)
def test_bad_input__is_refused_with_its_code_and_nothing_written(folder, arguments, code, words):
    outcome = assay(*arguments, code=code)
    assert outcome.stdout == ""
    assert words in outcome.stderr
    assert "simulating" not in outcome.stderr
    assert list(folder.iterdir()) == []


# --against ----------------------------------------------------------------------------------------

CLOSES = "date,gold_usd_per_oz"


def closes(n_days=800, header=CLOSES, seed=3):
    days = [dt.date(2020, 1, 6) + dt.timedelta(days=n) for n in range(2 * n_days)]
    days = [day for day in days if day.weekday() < 5][:n_days]
    moves = np.random.default_rng(seed).standard_t(6, n_days) * 0.009
    prices = 1500 * np.exp(np.cumsum(moves))
    lines = [f"{day},{price:.4f}" for day, price in zip(days, prices, strict=True)]
    return "\n".join([header, *lines]) + "\n"


def test_market__of_a_scenario_with_shocks__is_that_without_and_says_so(folder):
    crash = "shocks=[{name: crash, target: price.gold, day: 10, size: -0.9}]"
    struck = assay(*SMALL, "--set", crash, "--json")
    assert struck.stderr.startswith("note: the market is shown without its shocks")
    calm = assay(*SMALL, "--json")
    assert "shocks" not in calm.stderr
    found = [json.loads(outcome.stdout) for outcome in (struck, calm)]
    for one in found:  # what is of the machine
        del one["seconds"], one["peak_rss_mib"]
    assert found[0] == found[1]


def test_market__of_a_whole_scenario__tells_the_extremes_of_what_is_held(folder):
    found = json.loads(assay(*SMALL, "--json").stdout)
    held = found["holdings"]
    assert set(held) == {"instruments", "investors"}
    gold, token = found["extremes"]["gold"], held["instruments"]["gold_token"]
    # on a path without a shortfall a gold token moves as gold does, but for its premium
    assert token["worst_day"]["value"] <= gold["worst_day"]["value"] + 0.02
    text = assay(*SMALL).stdout
    assert "Investors likewise, what they hold in dollars at mark" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_against__a_table__counts_in_json_table_and_page(folder):
    (folder / "past.csv").write_text(closes(), encoding="utf-8")
    outcome = assay(*SMALL, "--against", "past.csv", "--out", "page.html", "--json")
    found = json.loads(outcome.stdout)["against"]
    assert outcome.stderr == ""
    assert found["tables"] == [
        "past.csv: daily (trading days): weekends are gaps, 261 periods a year"
    ]
    cells = found["cells"]
    assert (found["count"], found["inside"]) == (len(cells), sum(c["inside"] for c in cells))
    assert len(cells) == 22
    assert all((c["low"] <= c["historical"] <= c["high"]) == c["inside"] for c in cells)
    # gold's calibrated 17.4 % against the table's own 0.9 % a day of a t of 6
    day = next(c for c in cells if (c["figure"], c["days"]) == ("volatility", 1))
    # clusters that last make the median history calmer than the root of the mean variance
    assert day["median"] == pytest.approx(0.174 / math.sqrt(252), rel=0.1)
    assert day["historical"] == pytest.approx(0.009 * math.sqrt(1.5), rel=0.08)
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert f"Inside: {found['inside']} of 22" in page.replace("\u00a0", " ")
    # one asset: a map of its figures, and no pairs
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg" viewBox') == 1
    text = assay(*SMALL, "--against", "past.csv")
    assert "comparing gold with history" in text.stderr
    rows = [line.split() for line in text.stdout.splitlines()]
    assert ["gold", str(found["inside"]), "22"] in rows
    assert max(len(line) for line in text.stdout.splitlines()) <= 100


@pytest.mark.parametrize(
    ("name", "text", "arguments", "code", "words"),
    [
        ("past.csv", closes(header="date,big_tech"), (), 3, "past.csv:1: has no asset of"),
        ("past.csv", closes(header="date,zinc"), (), 3, "past.csv:1: which asset is it?"),
        ("past.csv", closes(n_days=300), (), 3, "is 299 daily returns; must be at least 500"),
        ("past.csv", None, (), 3, "past.csv: no such file"),
        (
            "past.csv",
            CLOSES + "\n" + "".join(f"{line[:10]},5\n" for line in closes().splitlines()[1:]),
            (),
            3,
            "gold: prices do not move; there is nothing to compare",
        ),
        (
            "past.csv",
            closes(),
            ("--against", "past.csv"),
            3,
            "gold_usd_per_oz: is in past.csv too; keep one",
        ),
    ],
    ids=["other-asset", "unknown", "short", "missing", "still", "twice"],
)
def test_against__that_does_not_fit__is_refused_before_anything_runs(
    folder, name, text, arguments, code, words
):
    if text is not None:
        (folder / name).write_text(text, encoding="utf-8")
    outcome = assay(*SMALL, "--against", name, *arguments, code=code)
    assert words in outcome.stderr
    assert "simulating" not in outcome.stderr
    assert outcome.stdout == ""


def test_against__a_bootstrap__is_refused(folder):
    (folder / "past.csv").write_text(closes(), encoding="utf-8")
    own = ("--set", "market.model=bootstrap", "--set", "market.history=past.csv")
    gold = ("--set", "market.assets={gold: {drift: 0.035}}")
    outcome = assay(*SMALL, *own, *gold, "--against", "past.csv", code=2)
    assert "model bootstrap is the past itself" in outcome.stderr
