"""What the report says of a price cover: its sums, its cash flows, and nothing elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from samples import loaded, simulation

from simulator.engine import simulate
from simulator.report import cover
from simulator.report.sections import cover_section
from simulator.scenario import load_scenario


@pytest.fixture(scope="module")
def copper():
    ready = load_scenario("copper-cover", overrides=["paths=256", "horizon_days=190"])
    return simulate(ready.scenario, ready.calibration, workers=1)


def test_sums__at_the_end__are_the_last_quantiles_of_their_series(copper) -> None:
    rows = {words: numbers for words, *numbers in cover.sums(copper, "copper-cover")}
    last = cover.daily(copper, "copper-cover-miner.premiums_usd").iloc[-1]
    middle = float(rows["Premiums the miner has paid"][1].split()[0])
    assert middle == pytest.approx(last["p50"] / 1e6, abs=0.005)
    # At leverage 1 every claim is paid in full.
    assert rows["Claims the pool could not pay"] == ["0", "0", "0"]


def test_premium__of_the_ready_scenario__is_near_its_fair_value(copper) -> None:
    paid, fair = (
        cover.daily(copper, f"copper-cover-miner.{name}").iloc[-1]["p50"]
        for name in ("premiums_usd", "fair_value_usd")
    )
    # The first cover finds an empty pool, and is cheap.
    assert 0.7 < paid / fair < 1.3


def test_section__has_the_table_and_both_cash_flows(copper) -> None:
    html = cover_section(copper)
    for words in ("Fair value of his covers", "cash flow with cover", "cash flow without cover"):
        assert words in html


def test_section__of_a_scenario_without_cover__is_empty() -> None:
    assert cover_section(simulation(loaded())) == ""


def test_period_cash__changes_when_a_period_is_over(copper) -> None:
    """Nothing before the first period of 93 days is over, then a figure for each."""
    flows = cover.daily(copper, "copper-cover-unhedged.period_cash_usd")["p50"].to_numpy()
    assert np.all(flows[:93] == 0.0)
    assert flows[93] > 0.0
    assert len(np.unique(flows)) == 3
