"""A path of a run on a chain, from Python: one chain for many replays, and how it shows itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import simulator as assay
from simulator.chain import RevmChain
from simulator.errors import ChainUnavailable
from simulator.units import midnight_timestamp


@pytest.fixture(scope="module")
def run():
    return assay.run(assay.load_scenario("gold-vault-sober").with_(paths=128, horizon_days=30))


@pytest.fixture(scope="module")
def alone(run):
    with RevmChain(midnight_timestamp(run.scenario.start)) as chain:
        return assay.replay(run, 17, chain)


@pytest.mark.parametrize("kind", ["revm", "anvil"])
def test_replay__several_on_one_chain__are_as_each_alone(run, alone, kind):
    try:
        chain = assay.local_chain(kind)
    except ChainUnavailable as error:
        pytest.skip(str(error))
    with chain:
        assay.replay(run, "p05", chain)
        found = assay.replay(run, path=17, chain=chain)
        # the chain stands at the path's end: what a contract says there is still to be asked
        vault = found.evidence.contracts["gold_vault", "gold_vault"]
        assets = vault.read(chain, "totalAssets") / 1e18
    assert found.ok
    pd.testing.assert_frame_equal(found.events, alone.events)
    pd.testing.assert_frame_equal(found.observables, alone.observables)
    last = found.observables.query("observable == 'total_assets'").iloc[-1]
    assert last["date"] == pd.Timestamp("2026-02-19")  # thirty days after 20 January
    assert assets == pytest.approx(last["chain"], abs=1e-9)


def test_replay__is_the_path_of_the_quantile(run, alone):
    order = np.argsort(run.simulation.investors["holder"].final["usd"], kind="stable")
    with assay.local_chain("revm") as chain:
        found = assay.replay(run, "p95", chain)
    assert found.result.path == order[round(0.95 * 127)]
    assert alone.result.label == "17"


def test_replay__shows_itself_in_lines_and_a_table(alone):
    first, second = repr(alone).splitlines()
    assert first == "Replay of path 17 (17) on revm: 17 of 17 observables agree on all steps"
    assert second.endswith("gas")
    assert "<table" in alone._repr_html_()
    assert list(alone.agreement.index.names) == ["instrument", "name"]
    assert alone.agreement["ok"].all()


def test_events_of__an_event_or_contract_that_is_not_there__is_empty(alone):
    assert alone.events_of("Nothing").empty
    assert alone.events_of("Deposit", contract="no_such").empty
    both = alone.events_of("Deposit")
    assert set(both["contract"]) > {"gold_vault"}


def test_replay__what_cannot_be_played__is_refused(run):
    with pytest.raises(assay.UsageError, match="no path p50x; must be p05, p50"):
        assay.replay(run, "p50x")
    with RevmChain(midnight_timestamp(run.scenario.start)) as chain:
        chain.block(midnight_timestamp(run.scenario.start), [])
        with pytest.raises(assay.UsageError, match="past the start"):
            assay.replay(run, 17, chain)


def test_replay__stays_a_function_whatever_was_loaded_before():
    code = (
        "import simulator as a; a.choose; import simulator.replay.play; print(a.replay.__module__)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "simulator.study.replays"


def test_scenario_path_and_verdict__show_themselves_in_few_lines(run):
    told = repr(run.loaded).splitlines()
    assert told[0] == "Scenario gold-vault-sober: 128 paths of 30 days from 2026-01-20"
    assert told[1] == "instruments: gold_token, gold_pool, gold_vault"
    path = run.path(17)
    assert "<td>4,759.6</td>" in path._repr_html_()  # gold's close on the calibration's last day
    assert repr(run.judged["gold-vault-8-12"]).startswith(
        "Verdict on gold-vault-8-12: not testable"
    )
    assert "holder" in repr(run.plot)


def test_frames__as_csv_and_parquet__read_back(run, alone, tmp_path):
    path = run.path(17)
    frames = (run.verdicts, run.nav("holder"), run.nav("holder", paths=[3]), run.measures("holder"),
              path.prices, path.investors, alone.transactions, alone.gas)  # fmt: skip
    for number, frame in enumerate(frames):
        file = tmp_path / f"{number}.parquet"
        frame.to_parquet(file)
        found = pd.read_parquet(file)
        assert list(map(str, found.columns)) == list(map(str, frame.columns))
        frame.to_csv(file.with_suffix(".csv"))
        assert len(pd.read_csv(file.with_suffix(".csv"))) >= len(frame)
