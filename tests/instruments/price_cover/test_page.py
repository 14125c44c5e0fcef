"""What the report says of a price cover: its sums, its cash flows, and nothing elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import loaded, simulation

from simulator.engine import simulate
from simulator.instruments.price_cover import page
from simulator.report.blocks import section_markup
from simulator.report.rooms import sections, told
from simulator.scenario import load_scenario
from simulator.words import percent


@pytest.fixture(scope="module")
def copper():
    ready = load_scenario("copper-cover", overrides=["paths=256", "horizon_days=190"])
    return simulate(ready.scenario, ready.calibration, workers=1)


def test_sums__at_the_end__are_the_last_quantiles_of_their_series(copper) -> None:
    cover = told(copper, "copper-cover")
    rows = {words: numbers for words, *numbers in page.sums(cover)}
    last = cover.rows("copper-cover-miner.premiums_usd").iloc[-1]
    middle = float(rows["Premiums the miner has paid"][1].split()[0])
    assert middle == pytest.approx(last["p50"] / 1e6, abs=0.005)
    # At leverage 1 every claim is paid in full.
    assert rows["Claims the pool could not pay"] == ["0", "0", "0"]


def test_premium__of_the_ready_scenario__is_near_its_fair_value(copper) -> None:
    paid, fair = (
        told(copper, "copper-cover").rows(f"copper-cover-miner.{name}").iloc[-1]["p50"]
        for name in ("premiums_usd", "fair_value_usd")
    )
    # The first cover finds an empty pool, and is cheap.
    assert 0.7 < paid / fair < 1.3


def test_worst__is_the_mean_of_the_last_thirteen_of_256_paths(copper) -> None:
    """5 % of 256 are 12.8: twelve paths in full, and 0.8 of the thirteenth."""
    weights = np.array([1.0] * 12 + [0.8]) / 12.8
    text = page.worst(told(copper, "copper-cover"))
    for name, words in (
        ("copper-cover", "in the mean of his worst twentieth"),
        ("copper-cover-miner", "with cover"),
        ("copper-cover-unhedged", "without"),
    ):
        returns = np.sort(copper.instruments[name].values["total_return", "usd"])[:13]
        assert f"{percent(float(returns @ weights))} {words}" in text
    middle = float(np.median(copper.instruments["copper-cover"].values["total_return", "usd"]))
    assert f"is {percent(middle)} in the median, and" in text  # half a year is not annualised


def test_worst__of_two_years__says_the_yearly_return_too(copper) -> None:
    longer = copper.scenario.model_copy(update={"horizon_days": 730})
    middle = float(np.median(copper.instruments["copper-cover"].values["total_return", "usd"]))
    text = page.worst(told(replace(copper, scenario=longer), "copper-cover"))
    assert f"in the median, {percent((1 + middle) ** 0.5 - 1)} a year, and" in text


def test_worst__where_the_pool_cannot_pay__says_that_claims_are_cut_alike(copper) -> None:
    ready = load_scenario("copper-cover-crash", overrides=["paths=128"])
    crash = simulate(ready.scenario, ready.calibration, workers=1)
    words = "each got the same share of its claim"
    assert words in page.worst(told(crash, "copper-cover"))
    assert words not in page.worst(told(copper, "copper-cover"))


def test_section__has_the_table_and_both_cash_flows(copper) -> None:
    ((label, found),) = sections(copper)
    assert label == "copper-cover"
    html = section_markup("cover", found, copper.daily)
    shown = ("Fair value of his covers", "cash flow with cover", "cash flow without cover")
    for words in (*shown, "worst twentieth"):
        assert words in html


def test_section__of_a_scenario_without_cover__is_empty() -> None:
    assert list(sections(simulation(loaded()))) == []


def test_period_cash__changes_when_a_period_is_over(copper) -> None:
    """Nothing before the first period of 93 days is over, then a figure for each."""
    flows = (
        told(copper, "copper-cover").rows("copper-cover-unhedged.period_cash_usd")["p50"].to_numpy()
    )
    assert np.all(flows[:93] == 0.0)
    assert flows[93] > 0.0
    assert len(np.unique(flows)) == 3
