"""What the report says of a fall of USDC: how deep, what came back, what leaving paid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import loaded, simulation

from simulator.engine import simulate
from simulator.engine.depeg import Depeg
from simulator.investors.world import simulate_block
from simulator.report.depeg import rows, story
from simulator.report.html import render_html
from simulator.report.sections import depeg_section
from simulator.scenario import load_scenario


def told(terms: str, fell: float = 1.0):
    """Return a run of four paths: one holder loses 13 %, or the other 1 of 10,000."""
    ready = loaded(f"market.stablecoin={{{terms}}}")
    some = np.arange(4) < 4 * fell
    n = int(some.sum())
    exits = {
        "holder": np.array([[1.0], [0.87], [1.01]]) * np.ones(n),
        "token_only": np.array([[1.2], [1.19988], [1.2]]) * np.ones(n),
    }
    return replace(simulation(ready), scenario=ready.scenario, depeg=Depeg(some, exits))


def test_story__says_what_fell_on_which_day_and_what_came_back() -> None:
    fell, lost, vault = story(told("day: 60, low: 0.87"))
    assert "On 2026-03-21 (day 60) it falls to 87 cents, on every path." in fell
    assert fell.endswith("It is back at a dollar 3 days later.")
    assert "holder loses most by leaving on that very day: 13.0\u00a0% against the day" in lost
    assert "Of 100 dollars put in, 87.00 come out instead of 100.00" in lost
    assert "who waits until USDC is back gets 101.00" in lost
    assert "lends it against USDC" in vault


@pytest.mark.parametrize(
    ("terms", "fell", "words"),
    [
        ("hazard: 0.3, low: 0.9", 0.25, "On 25.0\u00a0% of the paths it falls to 90 cents"),
        ("day: 9, low: 0.5, lasting_loss: 0.25, recovers_days: 1", 1, "at 75 cents 1 day later"),
        ("day: 9, low: 0.025, lasting_loss: 0.975", 1, "to 2.5 cents, on every path. Nothing of"),
    ],
)
def test_story__of_other_falls(terms: str, fell: float, words: str) -> None:
    assert words in story(told(terms, fell))[0]


def test_story__where_usdc_stays_a_dollar__is_none() -> None:
    assert story(simulation(loaded())) == []
    assert story(told("hazard: 0.001, low: 0.9", 0.0)) == []
    assert depeg_section(simulation(loaded())) == ""


def test_rows__are_medians_of_100_dollars() -> None:
    assert rows(told("day: 60, low: 0.87")) == [
        ("holder", "100.00", "87.00", "101.00", "\u221213.0\u00a0%"),
        ("token_only", "120.00", "119.99", "120.00", "0.0\u00a0%"),
    ]


def test_run__leaving_is_that_of_the_paths_and_the_page_shows_it() -> None:
    """The same numbers as the world's; the price of USDC is drawn."""
    terms = "market.stablecoin={day: 40, low: 0.6, recovers_days: 30}"
    ready = load_scenario("copper-sto", overrides=["paths=128", "horizon_days=60", terms])
    run = simulate(ready.scenario, ready.calibration, workers=1)
    world = simulate_block(ready.scenario, run.spec, 0, 128)
    assert run.depeg.fell.all()
    for name, investor in world.investors.items():
        worth = investor.holding.exit["usd"]
        np.testing.assert_array_equal(run.depeg.exits[name], worth[[39, 40, 60]] / worth[0])
    page = render_html(ready, run, [], [])
    assert "When the digital dollar fell" in page
    assert 'id="fan-usdc"' in page
    usdc = run.daily[run.daily["series"] == "price.usdc"]["p50"].to_numpy()
    np.testing.assert_allclose(usdc[[39, 40, 55]], [1.0, 0.6, 0.8], rtol=1e-6)
