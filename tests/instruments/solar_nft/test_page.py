"""What the report says of solar tokens: rights in dollars, and the silver as of today."""

from __future__ import annotations

import math

import pytest

from simulator.engine import simulate
from simulator.instruments.solar_nft import page
from simulator.report.blocks import section_markup
from simulator.report.rooms import told
from simulator.scenario import load_scenario
from simulator.words import number, percent


@pytest.fixture(scope="module")
def solar():
    ready = load_scenario("solar-nft", overrides=["paths=256", "horizon_days=120"])
    return simulate(ready.scenario, ready.calibration, workers=1)


def test_rights__are_the_last_quantiles_of_their_series(solar) -> None:
    found = told(solar, "solar_nft")
    rows = {words: numbers for words, *numbers in page.rights(found)}
    assert len(rows) == 5
    last = found.rows("solar_nft.energy_usd").iloc[-1]
    assert rows["Energy paid"] == [number(last[q], 2) for q in ("p05", "p50", "p95")]


def test_silver__is_told_in_dollars_of_then_and_of_today(solar) -> None:
    """12 mg x 400 W = 4.8 g = 0.154323 ounces; 70 % at the first day's price, in 25 years.

    At 8 % a year for 25 years a dollar is e^-2 = 0.135335 today.
    """
    words = page.silver_words(told(solar, "solar_nft"))
    price = float(solar.daily[solar.daily.series == "price.silver"].iloc[0]["p50"])
    then = 4_800 / 31_103.4768 * 0.7 * price
    today = then * math.exp(-2.0)
    for part in (
        "4.80 g, 0.154 ounces",
        "in 25.0 years",
        f"{number(then, 2)} USD at the price of the first day",
        f"{number(today, 2)} USD today, {percent(today / 276)} of the issue price",
    ):
        assert part in words.replace("\u00a0", " ") or part in words


def test_locked__names_what_there_is_to_be_locked(solar) -> None:
    words = page.locked_words(told(solar, "solar_nft"))
    assert "All 50 MW of the collection" in words


def test_section__has_its_blocks_and_makes_markup(solar) -> None:
    section = page.PAGE.section(told(solar, "solar_nft"))
    assert section.title == "Solar tokens: solar_nft"
    assert len(section.blocks) == 8
    assert "The silver." in str(section_markup("solar", section, solar.daily))
