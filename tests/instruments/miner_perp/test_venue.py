"""The venue fails: what is left of margins and deposits, in the model and on a chain."""

from __future__ import annotations

import numpy as np
import pytest
from paths import player_of, replay
from perps import LANES, long, run, short, terms

from simulator.engine import simulate
from simulator.instruments.checks import faults_of
from simulator.instruments.miner_perp import page
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.report.rooms import told
from simulator.scenario import load_scenario
from simulator.words import bound, percent

FREE = {"maker_fee": 0.0, "taker_fee": 0.0, "keeper_fee_usd": 0.0}
NEVER = 1e-12
"""A hazard that no path meets: the day is the test's."""
SCENARIO = "funding-carry"
OFTEN = (
    "horizon_days=120",
    "instruments.gold_perp.venue.hazard=6",
    "instruments.gold_perp.pool.cooldown_days=3",
)


def source(paths, name: str) -> dict[str, float]:
    """Return what each source brought on the first path."""
    found = paths[name]
    return {
        s.name: float(a[0]) for s, a in zip(found.sources, found.attribution["usd"], strict=True)
    }


def test_failure__takes_its_part_of_what_there_was_the_day_before() -> None:
    """A long of 20,000 has gained 2,000 when the venue fails with 40 %: 0.6 x 12,000 are left; the
    fall afterwards is nobody's. The pool of a million has lost 2,000: 0.6 x 9,980 are left of a
    hundredth."""
    perp = terms(market=FREE, traders={"a": long(2)}, venue={"hazard": NEVER, "loss": 0.4})
    paths, record = run(perp, [100, 105, 110, 60, 50, 50], fails=3, days=True, record=True)
    mark = paths["a"].mark["usd"][:, 0]
    assert mark == pytest.approx([10_000, 11_000, 12_000, 7_200, 7_200, 7_200], rel=1e-8)
    assert paths["a"].exit["usd"][-1, 0] == mark[-1]
    assert source(paths, "a") == pytest.approx(
        {
            "index_moves": 2_000,
            "funding": 0,
            "trading_fees": 0,
            "liquidation": 0,
            "profit_cut": 0,
            "gas": 0,
            "venue_failure": -4_800,
        },
        rel=1e-8,
        abs=1e-6,
    )
    assert paths["pool"].mark["usd"][2:, 0] == pytest.approx([9_980] + [5_988] * 3, rel=1e-8)
    assert record.ended[:, 0] == pytest.approx([7_200, 5_988], rel=1e-8)
    for found in paths.values():
        assert faults_of(found) == []
        assert found.happened["venue_failed"].all()
        assert not found.unpaid.any()
    assert not paths["a"].happened["liquidated"].any()
    details = paths["pool"].details
    for name in ("long_usd", "short_usd", "funding_rate"):
        assert not details[name][3:, 0].any()


def test_failure__of_who_was_stopped_before__takes_his_margin_too() -> None:
    """Stopped at 0.80 with 6,000 left; the venue has it until the last day, and fails before."""
    perp = terms(market=FREE, traders={"a": long(2, stop=0.2)}, venue={"hazard": NEVER})
    paths, record = run(perp, [100, 88, 80, 80, 80, 80], fails=4, record=True)
    assert paths["a"].happened["stopped"].all()
    assert paths["a"].exit["usd"][-1, 0] == pytest.approx(3_000, rel=1e-8)
    # The contract's books still have the margin: nothing can be taken out of them any more.
    assert record.equities[-1, 0, 0] == pytest.approx(6_000, rel=1e-8)


def test_failure__after_everybody_has_left__takes_nothing() -> None:
    perp = terms(traders={"a": short(1)}, venue={"hazard": NEVER})
    prices = [100, 105, 103, 101]
    same, _ = run(perp, prices, fails=4)
    plain, _ = run(terms(traders={"a": short(1)}), prices)
    assert np.array_equal(same["a"].exit["usd"], plain["a"].exit["usd"])
    assert [s.name for s in same["a"].sources][:-1] == [s.name for s in plain["a"].sources]
    assert source(same, "a")["venue_failure"] == 0.0


def test_failures__come_as_often_as_their_hazard_says() -> None:
    """Hazard 1 a year, and a year: 1 - 1 / e of the paths, within three errors."""
    perp = terms(traders={"a": short(1)}, venue={"hazard": 1.0})
    paths, _ = run(perp, np.full((366, 16 * LANES), 100.0))
    expected = 1.0 - np.exp(-1.0)
    share = paths["a"].happened["venue_failed"].mean()
    error = (expected * (1.0 - expected) / (16 * LANES)) ** 0.5
    assert abs(share - expected) <= 3.0 * error


@pytest.fixture(scope="module")
def carry():
    """The carry over 120 days in which half of the venues and more fail."""
    ready = load_scenario(SCENARIO, overrides=["paths=128", *OFTEN])
    return simulate(ready.scenario, ready.calibration, workers=1)


def test_page__tells_how_often_and_what_it_took(carry) -> None:
    about = told(carry, "gold_perp")
    failed = carry.instruments["gold_perp-short_1x"].happened["venue_failed"].mean()
    assert failed > 0.5
    words = page.failure(about)
    assert f"fails on {percent(float(failed))} of the paths" in words
    assert f"takes {bound(0.5)} of all" in words
    (row,) = page.sources(about)
    measured = carry.instruments["gold_perp-short_1x"]
    took = measured.attribution["usd"][-1].mean() / 50_000
    assert row[-1] == percent(float(took))


def test_portfolio__bears_the_failure_under_a_source_of_its_own(carry) -> None:
    """Half of the money is in the short; what failed paths lose there is half of half of it, a
    little more or less where gold has moved."""
    found = carry.investors["carry"]
    (place,) = [n for n, s in enumerate(found.sources) if s.name.endswith(".venue_failure")]
    lost = found.attribution["usd"][place] / 100_000
    failed = carry.instruments["gold_perp-short_1x"].happened["venue_failed"]
    assert np.array_equal(lost < 0.0, failed)
    assert lost[failed].mean() == pytest.approx(-0.25, abs=0.03)
    assert found.attribution_gap < 1e-9


def test_replay__of_a_failure__agrees() -> None:
    """A path on which it fails on a day between the first and the last."""
    loaded = load_scenario(SCENARIO, overrides=OFTEN)
    spec = market_spec(loaded.scenario, loaded.calibration)
    when = {
        path: player_of(players(loaded.scenario, spec, path), "gold_perp")._fails
        for path in range(6)
    }
    path = next(path for path, step in when.items() if 10 < step < 110)
    found = replay(None, path, *OFTEN, name=SCENARIO)
    assert found.ok, found.observables
