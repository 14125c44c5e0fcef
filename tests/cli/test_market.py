"""`assay market`: tables, one JSON object, a page; and what it refuses."""

import inspect
import json
import math

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine import summarise_market
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

KEEPS_APART = (
    {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
)
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
    assert list(folder.iterdir()) == []


def test_tables__in_a_pipe__fit_100_columns_without_colours(folder):
    outcome = assay(*SMALL)
    assert "\x1b" not in outcome.stdout
    assert max(len(line) for line in outcome.stdout.splitlines()) <= 100
    for words in ("gold, USD/oz", "copper, USD/tonne", "+3.5 %", "excess kurtosis", "Correlation"):
        assert words in outcome.stdout
    assert outcome.stderr == "simulating 256 paths over 60 days\n"


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
    assert moves[1] == ["copper", *(f"{x:.3f}" for x in found["correlation"]["matrix"][2])]


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
