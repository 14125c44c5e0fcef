"""Runs in Python: what a notebook asks, against what the engine itself says."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import simulator as assay
from simulator.claims import as_object
from simulator.cli import main
from simulator.engine.folder import RunFolder


@pytest.fixture(scope="module")
def scenario():
    return assay.load_scenario("two-vaults").with_(paths=256, horizon_days=90)


@pytest.fixture(scope="module")
def run(scenario):
    return assay.run(scenario)


def test_with__changes_values_by_name_and_says_whose_they_are(scenario):
    name = "instruments.sober_vault.exploit_hazard"
    found = scenario.with_({name: 0.3}, seed=5)
    assert found.scenario.instruments["sober_vault"].exploit_hazard == 0.3
    assert found.scenario.seed == 5
    assert (found.provenance[name].source, found.provenance[name].mark) == ("with_", "assumption")
    assert scenario.scenario.instruments["sober_vault"].exploit_hazard == 0.05


def test_with__what_cannot_be__is_refused(scenario):
    with pytest.raises(assay.InputError, match="must be 1 to 10000000"):
        scenario.with_(paths=0)
    with pytest.raises(assay.InputError, match="must be something to be hit"):
        scenario.with_shock("gold_vault.fire", 0.5, day=3)


def test_with_shock__adds_one_after_another(scenario):
    found = scenario.with_shock("price.gold", -0.2, day=30).with_shock(
        "usdc", at=0.9, on="2026-03-02", plateau_days=7, name="depeg"
    )
    first, second = found.scenario.shocks
    assert (first.name, first.size, first.day) == ("shock-1", -0.2, 30)
    assert (second.name, second.at, second.on) == ("depeg", 0.9, dt.date(2026, 3, 2))


def test_verdicts__are_those_of_judge(run):
    judged = {v.claim: v for v in assay.judge(run.simulation, provenance=run.loaded.provenance)}
    assert list(run.verdicts.index) == list(judged)
    for claim, verdict in judged.items():
        assert run.verdicts.loc[claim, "verdict"] == verdict.verdict


def test_nav__of_paths__ends_at_their_final_value(run):
    found = run.nav("holder", paths=[3, 200])
    assert found.index[0] == pd.Timestamp(run.scenario.start)
    assert found.shape == (91, 2)
    final = run.simulation.investors["holder"].final["usd"]
    assert np.array_equal(found.iloc[-1].to_numpy(), final[[3, 200]])


def test_nav__by_default__is_the_runs_quantiles(run):
    daily = run.simulation.daily
    rows = daily[daily["series"] == "exit.holder.ounces"]
    found = run.nav("holder", "ounces")
    assert list(found.columns) == ["p05", "p25", "p50", "p75", "p95"]
    assert np.array_equal(found["p50"].to_numpy(), rows["p50"].to_numpy())


def test_path__tells_prices_values_and_events(scenario):
    twice = scenario.with_shock("usdc", at=0.9, day=50, name="depeg")
    struck = assay.run(twice.with_shock("price.gold", -0.2, day=30, name="crash"))
    one = struck.path(17)
    gold = one.prices["gold"]
    assert gold.iloc[30] / gold.iloc[29] == pytest.approx(0.8, rel=1e-12)
    assert "shock crash" in set(one.events["what"])
    assert np.array_equal(one.investors["holder", "usd"], struck.nav("holder", paths=[17])[17])
    # by day, whatever their order in the scenario
    assert list(one.events["what"][:2]) == ["shock crash", "shock depeg"]
    assert np.array_equal(
        one.returns("holder").to_numpy(),
        one.investors["holder", "usd"].pct_change().to_numpy()[1:],
    )


def test_events__of_a_position__are_on_the_day_on_which_it_ended():
    run = assay.run(assay.load_scenario("silver-perp").with_(paths=16, horizon_days=60))
    ended = 0
    for number in range(5):
        path = run.path(number)
        for date, who, what in path.events.to_numpy():
            if what in ("liquidated", "stopped"):
                notional = path.instruments[who, "notional_usd"]
                assert notional[date:].max() == 0.0, (number, who, what)
                assert notional[:date].iloc[:-1].min() > 0.0, (number, who, what)
                ended += 1
        whole = path.events[path.events["date"].notna()]
        assert whole["date"].is_monotonic_increasing
    assert ended > 15


def test_returns__of_a_path__compound_to_its_total_return_in_quantstats(run):
    stats = pytest.importorskip("quantstats", reason="is in the development extra").stats
    whole = run.simulation.investors["holder"].values["total_return", "usd"][17]
    assert stats.comp(run.path(17).returns("holder")) == pytest.approx(whole, rel=1e-9)


def test_attribution__sums_to_the_net(run):
    found = run.attribution("holder")
    parts = found.drop(index="net")["ounces"].sum()
    assert parts == pytest.approx(found.loc["net", "ounces"], abs=1e-12)


def test_measures__are_a_row_a_path(run):
    found = run.measures("holder")
    assert len(found) == 256
    expected = run.simulation.investors["holder"].values["drawdown", "ounces"]
    assert np.array_equal(found["drawdown_ounces"].to_numpy(), expected)


def test_load__a_run_of_the_command_line__is_the_same_run(run, tmp_path):
    folder = RunFolder.claim(run.loaded, tmp_path / "kept", fresh=False)
    folder.release()
    found = assay.Run.load(folder.path)
    assert found.simulation.checksum == run.simulation.checksum


def test_compare__puts_words_side_by_side(run):
    found = run.compare(run)
    assert list(found.columns.get_level_values(0).unique()) == ["two-vaults", "two-vaults-2"]
    assert found["two-vaults"].equals(found["two-vaults-2"])


def test_run__shows_itself_in_a_few_lines_and_as_a_table(run):
    assert repr(run).startswith("Run of two-vaults: 256 paths of 90 days from 2026-01-20\n")
    assert "<table" in run._repr_html_()
    assert run.plot.fan("holder", "ounces").data[0].name == "p05"


@pytest.mark.parametrize(
    ("ask", "rule"),
    [
        (lambda run: run.nav("holdre"), "did you mean holder"),
        (lambda run: run.nav("holder", paths=[256]), "no path 256; must be 0 to 255"),
        (lambda run: run.prices("tin"), "must be an asset of this market"),
        (lambda run: run.series("sober_vault.nothing"), "must be a series with quantiles"),
    ],
)
def test_run__asked_for_what_is_not_there__says_what_is(run, ask, rule):
    with pytest.raises(assay.UsageError, match=rule):
        ask(run)


def test_read__a_finished_run__is_what_its_folder_holds_without_a_simulation(tmp_path, monkeypatch):
    sets = ("--parameter-sets", "2", "--assumption-sets", "2", "--no-replay")
    small = ("--paths", "128", "--set", "horizon_days=60", "--out", str(tmp_path / "run"))
    outcome = CliRunner().invoke(main, ["run", "gold-loop", *small, *sets])
    assert outcome.exit_code == 0, outcome.output
    monkeypatch.setattr("simulator.study.runs.simulate", None)
    found = assay.Run.read(tmp_path / "run")
    stored = json.loads((tmp_path / "run" / "verdicts.json").read_text())
    assert [as_object(verdict) for verdict in found.judged.values()] == stored
    assert any(verdict["parameter_range"] for verdict in stored)
    who = next(iter(found.simulation.investors))
    final = found.path(17).investors[who, "usd"].iloc[-1]
    assert final == pytest.approx(found.measures(who)["final_usd"][17])


def test_read__what_is_no_finished_run__is_refused(tmp_path):
    (tmp_path / "scenario.yaml").write_text("extends: gold-loop\n")
    with pytest.raises(assay.UsageError, match="is no finished run"):
        assay.Run.read(tmp_path)
