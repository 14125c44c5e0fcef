"""`market.model: bootstrap` from a scenario file to a run: what works and what is refused."""

import datetime as dt
import json
import math
import shutil

import numpy as np
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

SOBER = (shipped_folder() / "gold-vault-sober.yaml").read_text(encoding="utf-8")
MODEL = "  model: garch\n"
OWN = SOBER.replace(MODEL, "  model: bootstrap\n  history: past.csv\n")
SMALL = ("--paths", "256", "--set", "horizon_days=60")
HEADER = "date,gold_usd_per_oz,silver_usd_per_oz,copper_usd_per_tonne"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working directory, with `inner/own.yaml` and its history beside it."""
    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "own.yaml").write_text(OWN, encoding="utf-8")
    (inner / "past.csv").write_text(history(), encoding="utf-8")
    return tmp_path


def history(header=HEADER, n_days=900):
    days = [dt.date(2020, 1, 6) + dt.timedelta(days=n) for n in range(n_days)]
    days = [day for day in days if day.weekday() < 5]
    moves = np.random.default_rng(7).standard_t(5, (len(days), 3)) * (0.01, 0.02, 0.015)
    prices = 1000 * np.exp(np.cumsum(moves, axis=0))
    rows = [
        f"{day}," + ",".join(f"{p:.4f}" for p in row) for day, row in zip(days, prices, strict=True)
    ]
    return "\n".join([header, *rows]) + "\n"


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def test_market__history_beside_the_scenario__is_found_and_described(folder):
    found = json.loads(assay("market", "inner/own.yaml", *SMALL, "--json").stdout)
    described = found["bootstrap"]
    assert described["history"] == "past.csv"
    assert described["returns"] == history().count("\n") - 2
    assert described["frequency"] == "daily (trading days)"
    assert described["mean_block"] >= 1
    assert len(described["sha256"]) == 64
    # the price is still the calibration's, and the drift the scenario's
    assert found["assets"]["gold"]["start_price"] == 4759.6001
    assert found["assets"]["gold"]["expected_growth"] == 0.035
    assert (
        json.loads(assay("market", "gold-vault-sober", *SMALL, "--json").stdout)["bootstrap"]
        is None
    )
    text = assay("market", "inner/own.yaml", *SMALL, "--set", "market.block_days=10").stdout
    assert "block bootstrap of past.csv:" in text
    assert "10 days to a block" in " ".join(text.split())


def test_spec__volatility__is_the_historys_unless_the_scenario_sets_it(folder):
    def spec(*overrides):
        loaded = load_scenario("inner/own.yaml", overrides=overrides)
        return market_spec(loaded.scenario, loaded.calibration)

    own = spec()
    measured = own.history.returns.std(axis=1) * math.sqrt(252)
    np.testing.assert_allclose(own.volatility, measured, rtol=1e-12)
    # parameter sets share one history with its corrections; another volatility is another one
    assert spec("market.assets.gold.drift=0.1").history is own.history
    scaled = spec("market.assets.silver.volatility=0.5")
    assert scaled.history is not own.history
    np.testing.assert_allclose(scaled.volatility, [measured[0], 0.5, measured[2]], rtol=1e-12)
    factors = scaled.history.returns / own.history.returns
    np.testing.assert_allclose(factors[1], 0.5 / measured[1], rtol=1e-12)
    np.testing.assert_array_equal(factors[[0, 2]], 1.0)


def test_market__smooth_history__tells_its_first_volatility_and_goes_beyond_its_worst_day(folder):
    def market(*more):
        return json.loads(assay("market", "inner/own.yaml", *SMALL, *more, "--json").stdout)

    own, plain = market(), market("--set", "market.smooth=false")
    assert (own["bootstrap"]["smooth"], plain["bootstrap"]["smooth"]) == (True, False)
    assert plain["bootstrap"]["volatility_start"] is None
    # the table's days are independent: today's volatility is near that of all days
    for asset, daily in (("gold", 0.01), ("silver", 0.02), ("copper", 0.015)):
        expected = daily * math.sqrt(5 / 3) * math.sqrt(252)
        assert math.isclose(own["bootstrap"]["volatility_start"][asset], expected, rel_tol=0.3)
    asked = market("--set", "market.assets.gold.volatility_start=0.5")
    assert math.isclose(asked["bootstrap"]["volatility_start"]["gold"], 0.5, rel_tol=1e-12)
    assert asked["assets"]["gold"]["volatility"] > 1.2 * own["assets"]["gold"]["volatility"]
    text = " ".join(assay("market", "inner/own.yaml", *SMALL).stdout.split())
    assert "The volatility of the first day is that at the history's end" in text
    text = assay("market", "inner/own.yaml", *SMALL, "--set", "market.smooth=false").stdout
    assert "first day" not in text


def test_run__works_unchanged_for_any_threads_and_again_from_its_folder(folder):
    run = ("run", "inner/own.yaml", *SMALL, "--no-replay", "--json")
    one = json.loads(assay(*run, "--workers", 1, "--out", "one").stdout)
    two = json.loads(assay(*run, "--workers", 2, "--out", "two").stdout)
    assert one["checksum"] == two["checksum"]
    again = assay("run", "one/scenario.yaml", "--no-replay", "--json", "--out", "three")
    assert json.loads(again.stdout)["checksum"] == one["checksum"]
    manifest = json.loads((folder / "one" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["history"]["file"] == "past.csv"
    assert "block bootstrap of past.csv" in (folder / "one" / "report.html").read_text(
        encoding="utf-8"
    )
    # another history is another run
    text = history().replace(",1000.", ",1001.", 1)
    (folder / "inner" / "past.csv").write_text(text, encoding="utf-8")
    assay(*run, "--out", "four")
    other = json.loads((folder / "four" / "manifest.json").read_text(encoding="utf-8"))
    assert other["run_hash"] != manifest["run_hash"]


def test_replay__of_a_bootstrapped_path__agrees_with_the_contracts(folder):
    pytest.importorskip("pyrevm")
    found = assay(
        "replay", "inner/own.yaml", "--chain", "revm", "--paths", 128,
        "--set", "horizon_days=30", "--json",
    )  # fmt: skip
    assert json.loads(found.stdout)["ok"] is True


def test_replay__of_a_run__finds_its_own_copy_of_the_history(folder):
    pytest.importorskip("pyrevm")
    run = ("run", "inner/own.yaml", "--paths", 128, "--set", "horizon_days=30", "--no-replay")
    assay(*run, "--out", "one")
    assert (folder / "one" / "history.csv").read_text(encoding="utf-8") == history()
    shutil.move(folder / "one", folder / "moved")
    shutil.rmtree(folder / "inner")
    found = json.loads(assay("replay", "moved", "--chain", "revm", "--json").stdout)
    assert found["ok"] is True


def one_fault(text, line, fault, *arguments, command="market"):
    """Check the only fault of a scenario with `text` in place of its model; None: no line."""
    with open("inner/own.yaml", "w", encoding="utf-8") as file:
        file.write(SOBER.replace(MODEL, text))
    outcome = assay(command, "inner/own.yaml", *arguments, code=3)
    place = "--set" if line is None else f"inner/own.yaml:{line}"
    assert outcome.stderr == f"assay: {place}: {fault}\n"


def test_scenario__bootstrap_without_a_history__is_refused(folder):
    line = OWN.splitlines().index("market:") + 1
    rule = "market.history: is required by model bootstrap: a CSV of closes"
    one_fault("  model: bootstrap\n", line, rule)


def test_scenario__history_or_block_of_another_model__is_refused(folder):
    line = OWN.splitlines().index("  history: past.csv") + 1
    rule = "is read by model bootstrap alone, and the model is garch"
    one_fault(
        "  model: garch\n  history: past.csv\n", line, f"market.history is 'past.csv'; {rule}"
    )
    one_fault("  model: garch\n  block_days: 20\n", line, f"market.block_days is 20; {rule}")
    one_fault("  model: garch\n  smooth: false\n", line, f"market.smooth is false; {rule}")


def test_scenario__history_that_is_not_there__is_refused_at_its_line(folder):
    line = OWN.splitlines().index("  history: past.csv") + 1
    fault = "market.history is 'gone.csv'; no such file"
    one_fault("  model: bootstrap\n  history: gone.csv\n", line, fault)
    one_fault(
        "  model: bootstrap\n  history: past.csv\n", None, fault, "--set", "market.history=gone.csv"
    )


def test_scenario__block_below_a_day__is_refused(folder):
    line = OWN.splitlines().index("  history: past.csv") + 2
    text = "  model: bootstrap\n  history: past.csv\n  block_days: 0.5\n"
    rule = "must be 1 to 2520 (Mean block length of a bootstrap in trading days; none = chosen "
    one_fault(text, line, f"market.block_days is 0.5; {rule}from the history)")


@pytest.mark.parametrize(
    "command",
    [
        ("market", "inner/own.yaml", *SMALL, "--out", "page.html"),
        ("run", "inner/own.yaml", *SMALL, "--no-replay"),
        ("replay", "inner/own.yaml", "--chain", "revm"),
        ("scenario", "check", "inner/own.yaml"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            history().replace("copper_usd_per_tonne", "copper_stocks_tonnes"),
            "inner/past.csv:1: copper: column is missing, and the scenario has this asset; the "
            "file has gold_usd_per_oz, silver_usd_per_oz, copper_stocks_tonnes",
        ),
        (
            "\n".join(line.rsplit(",", 1)[0] for line in history().splitlines()),
            "inner/past.csv:1: copper: column is missing, and the scenario has this asset; the "
            "file has gold_usd_per_oz, silver_usd_per_oz",
        ),
    ],
    ids=["name", "column"],
)
def test_history__that_does_not_fit__is_refused_before_anything_is_written(
    folder, command, text, fault
):
    (folder / "inner" / "past.csv").write_text(text, encoding="utf-8")
    outcome = assay(*command, code=3)
    assert (outcome.stdout, outcome.stderr) == ("", f"assay: {fault}\n")
    assert [path.name for path in folder.iterdir()] == ["inner"]
    assert assay("scenario", "check", "gold-vault-sober").exit_code == 0


def test_check__history_that_fits__is_valid(folder):
    shutil.move(folder / "inner" / "past.csv", folder / "past.csv")
    assert assay("scenario", "check", "inner/own.yaml").stdout == "inner/own.yaml: valid\n"


def thinned(every, first=4):
    """Return the history with each `every`-th row alone: Fridays of `every` 5."""
    header, *rows = history(n_days=3700).splitlines()
    return "\n".join([header, *rows[first::every]]) + "\n"


def test_market__weekly_history__moves_on_fridays_and_says_so(folder):
    (folder / "inner" / "past.csv").write_text(thinned(5), encoding="utf-8")
    found = json.loads(assay("market", "inner/own.yaml", *SMALL, "--json").stdout)
    described = found["bootstrap"]
    assert (described["frequency"], described["returns"]) == ("weekly", 3700 // 7 - 1)
    assert found["assets"]["gold"]["periods_per_year"] == 52
    # of the table's own moves: 1 %, 2 % and 1.5 % times the deviation of a t of 5, 5 days a week
    for asset, daily in (("gold", 0.01), ("silver", 0.02), ("copper", 0.015)):
        expected = daily * math.sqrt(5 / 3) * math.sqrt(260)
        assert math.isclose(found["assets"][asset]["volatility"], expected, rel_tol=0.12)
    text = assay("market", "inner/own.yaml", *SMALL).stdout
    assert "weekly" in text
    assert "Prices move once a week, on its last trading day" in " ".join(text.split())
    for words in (
        "weekly returns, and the deepest",
        "excess kurtosis, weekly",
        "of weekly returns",
    ):
        assert words in text


def test_run__monthly_history__works_and_reads_its_own_copy(folder):
    (folder / "inner" / "past.csv").write_text(thinned(21), encoding="utf-8")
    run = ("run", "inner/own.yaml", *SMALL, "--no-replay", "--json")
    one = json.loads(assay(*run, "--out", "one").stdout)
    again = assay("run", "one/scenario.yaml", "--no-replay", "--json", "--out", "two")
    assert json.loads(again.stdout)["checksum"] == one["checksum"]
    manifest = json.loads((folder / "one" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["history"]["frequency"] == "monthly"


def test_columns__named_by_the_scenario__are_read_and_others_read_past(folder):
    plain = json.loads(assay("market", "inner/own.yaml", *SMALL, "--json").stdout)
    header, *rows = history("date,XAU,silver_usd_per_oz,copper").splitlines()
    text = "\n".join([f"{header},Volume", *(f"{row},n/a" for row in rows)]) + "\n"
    (folder / "inner" / "past.csv").write_text(text, encoding="utf-8")
    named = ("--set", "market.columns={gold: XAU}")
    found = json.loads(assay("market", "inner/own.yaml", *SMALL, *named, "--json").stdout)
    assert found["assets"] == plain["assets"]
    outcome = assay("market", "inner/own.yaml", *SMALL, code=3)
    assert outcome.stderr == (
        "assay: inner/past.csv:1: gold: column is missing, and the scenario has this asset; the "
        "file has xau, silver_usd_per_oz, copper, volume\n"
    )


def test_columns__that_fit_nothing__are_refused(folder):
    outcome = assay(
        "market", "inner/own.yaml", "--set", "market.columns={gold: XAU}", code=3
    )  # fmt: skip
    assert outcome.stderr == (
        "assay: inner/past.csv:1: market.columns.gold is 'xau'; is no column of the file, which "
        "has gold_usd_per_oz, silver_usd_per_oz, copper_usd_per_tonne\n"
    )
    outcome = assay(
        "market", "gold-vault-sober", "--set", "market.columns={gold: XAU}", code=3
    )  # fmt: skip
    assert "market.columns is 'gold'; is read by model bootstrap alone" in outcome.stderr


def test_history__of_mixed_frequency__is_named_at_its_line(folder):
    header, *rows = history(n_days=2500).splitlines()
    text = "\n".join([header, *rows[:900:5], *rows[900:]]) + "\n"
    (folder / "inner" / "past.csv").write_text(text, encoding="utf-8")
    outcome = assay("market", "inner/own.yaml", *SMALL, code=3)
    assert "date is mixed: weekly before 2023-" in outcome.stderr
    assert "daily (trading days) from there on; must be of one frequency" in outcome.stderr


def test_block__shorter_than_a_week_of_a_weekly_history__is_refused(folder):
    (folder / "inner" / "past.csv").write_text(thinned(5), encoding="utf-8")
    outcome = assay(
        "market", "inner/own.yaml", *SMALL, "--set", "market.block_days=4", code=3
    )  # fmt: skip
    assert outcome.stderr == (
        "assay: inner/past.csv: market.block_days is 4; must be at least 4.85, a period of "
        "past.csv, whose rows are weekly\n"
    )
    found = assay("market", "inner/own.yaml", *SMALL, "--set", "market.block_days=63", "--json")
    assert json.loads(found.stdout)["bootstrap"]["mean_block"] == pytest.approx(13)
