"""What the report says of a perpetual: who survives, what stops fill at, and who pays whom."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine import simulate
from simulator.instruments.miner_perp import page
from simulator.report.rooms import sections, told
from simulator.scenario import load_scenario
from simulator.words import percent


@pytest.fixture(scope="module")
def silver():
    changes = [
        "paths=128",
        "horizon_days=60",
        "instruments.silver_perp.gap={day: 30, move: -0.355}",
    ]
    ready = load_scenario("silver-perp", overrides=changes)
    return simulate(ready.scenario, ready.calibration, workers=1)


def number(cell: str) -> float:
    """Return a percentage of a table as a share."""
    return float(cell.split()[0].replace("\N{MINUS SIGN}", "-")) / 100


def test_survival__of_a_gap_of_a_third__is_leverage_of_two_and_less(silver) -> None:
    """A fall of more than a third takes all of a margin at leverage 10, but where the index had
    risen by as much before; at leverage 1 it takes nobody out."""
    rows = {name: numbers for name, *numbers in page.survival(told(silver, "silver_perp"))}
    assert number(rows["long_10x"][0]) > 0.95
    assert rows["long_1x"][:2] == [percent(0.0), ""]
    returns = silver.instruments["silver_perp-long_1x"].values["total_return", "usd"]
    assert rows["long_1x"][3] == percent(float(np.median(returns)))


def test_sources__sum_to_the_mean_return_but_for_gas(silver) -> None:
    (row,) = (r for r in page.sources(told(silver, "silver_perp")) if r[0] == "long_1x")
    parts = [number(cell) for cell in row[1:]]
    measured = silver.instruments["silver_perp-long_1x"]
    gas = measured.attribution["usd"][5].mean() / 10_000
    mean = float(measured.values["total_return", "usd"].mean())
    # Five cells of a tenth of a percent each.
    assert sum(parts) + gas == pytest.approx(mean, abs=5 * 0.0005)


def test_fills__tell_level_share_and_how_far_beyond(silver) -> None:
    about, worst = told(silver, "silver_perp"), {}
    for name, level, stopped, *beyond, of_margin in page.fills(about):
        terms = about.terms.traders[name]
        assert level.startswith(percent(terms.stop_loss / terms.leverage))
        assert number(stopped) == pytest.approx(
            float(about.instruments[f"silver_perp-{name}"].happened["stopped"].mean()), abs=0.0005
        )
        low, middle, high = map(number, beyond)
        assert 0.0 <= low <= middle <= high
        rounded = 0.0005 + 0.00005 * terms.leverage
        assert number(of_margin) == pytest.approx(high * terms.leverage, abs=rounded)
        worst[name] = high
    # A gap of 35.5 % passes a level 10 % below the start by up to 28 % of it.
    assert 0.2 < worst["long_2x_stop_20"] < 0.5


def test_section__tells_gap_stops_and_provider(silver) -> None:
    by_label = dict(sections(silver))
    assert set(by_label) == {"silver_perp", "plain_silver"}
    about = told(silver, "silver_perp")
    assert f"On day 30 the metal moves by {percent(-0.355)}" in page.gap(about)
    assert "at whatever the index is by then" in page.stops(about)
    assert "Whoever provides the pool earns" in page.provider(about)
    plain = told(silver, "plain_silver")
    assert page.gap(plain) == ""
    assert page.stops(plain) == ""
    assert page.failure(plain) == ""
    captions = [getattr(block, "caption", "") for block in by_label["silver_perp"].blocks]
    assert [c for c in captions if c] == [
        "Who is still there at the end",
        "How far beyond their level stops fill, over all paths, of the index",
        "Where the mean return came from, of the margin",
        "The pool and the market",
    ]
