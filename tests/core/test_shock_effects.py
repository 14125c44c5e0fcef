"""Each shock alone and all together against none, on the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.shock_effects import TOGETHER, only, shock_effects
from simulator.engine.simulate import simulate
from simulator.report.shocks import section, words
from simulator.scenario import load_scenario
from simulator.scenario.shocks import ShockTerms
from simulator.words import HARD_SPACE

OVERRIDES = (
    "paths=256",
    "horizon_days=90",
    "claims={falls: {says: down, conditions: "
    "[{series: price.gold, measure: last, at_most: 4000}]}}",
)
CRASH = "{name: crash, target: price.gold, day: 10, size: -0.2}"
DOLLAR = "{name: depeg, target: usdc, day: 20, at: 0.9, plateau_days: 7}"
RARE = "{name: rare, target: price.gold, day: 30, size: -0.5, share: 0.25}"


def loaded(*shocks):
    listed = (f"shocks=[{', '.join(shocks)}]",) if shocks else ()
    return load_scenario("gold-vault-sober", overrides=(*OVERRIDES, *listed))


def effects(*shocks):
    found = loaded(*shocks)
    return {one.shock: one for one in shock_effects(found.scenario, found.calibration)}


def test_effects__are_of_each_alone_and_of_all_together():
    found = effects(CRASH, DOLLAR, RARE)
    assert list(found) == ["crash", "depeg", "rare", TOGETHER]
    assert found["crash"].happened == 1.0
    assert found["depeg"].happened == 1.0
    assert found["depeg"].returns["token_only"] == 0.0
    # A quarter of 256 paths, within three standard errors: 3 sqrt(0.1875 / 256) = 0.081
    assert found["rare"].happened == pytest.approx(0.25, abs=0.081)


def test_effect__is_the_mean_of_what_the_same_paths_lose():
    # the token's dollars are its ounces times the price: all paths fall to 0.8 of what they were,
    # but for the own move of the day, which a jump takes the place of
    found = effects(CRASH)["crash"]
    struck, plain = (
        simulate(one.scenario, one.calibration)
        .investors["token_only"]
        .values["total_return", "usd"]
        for one in (loaded(CRASH), loaded())
    )
    assert found.returns["token_only"] == pytest.approx((struck - plain).mean(), abs=1e-12)
    assert np.corrcoef(struck, plain)[0, 1] > 0.95


def test_claims__are_told_with_and_without():
    one = effects(CRASH)["crash"]
    without, with_it = one.probabilities["falls"]
    assert with_it > without


def test_no_shocks__no_effects_and_the_same_bytes():
    found = loaded()
    assert shock_effects(found.scenario, found.calibration) == ()
    never = loaded(CRASH.replace("}", ", share: 0}"))
    pair = (simulate(one.scenario, one.calibration).checksum for one in (found, never))
    assert len(set(pair)) == 1


def test_only__leaves_the_named_ones_as_they_are():
    scenario = only(loaded(CRASH, DOLLAR).scenario, ["depeg"])
    assert [shock.share for shock in scenario.shocks] == [0.0, 1.0]


def test_section__says_in_words_what_happens():
    scenario = loaded(CRASH, DOLLAR, RARE).scenario
    assert [words(shock) for shock in scenario.shocks] == [
        f"price.gold falls by 20{HARD_SPACE}% on day 10.",
        "usdc goes to 0.9 on day 20, for 7 days.",
        f"price.gold falls by 50{HARD_SPACE}% on day 30, on 25{HARD_SPACE}% of the paths.",
    ]
    assert section((), ()) is None


def test_words__of_feeds_hours_gas_and_rates():
    day = {"name": "a", "day": 5}
    told = [
        {"target": "feed.gold", "feed": "frozen", "plateau_days": 3},
        {"target": "feed.gold", "feed": "exchange"},
        {"target": "feed.gold", "size": -0.3},
        {"target": "hours", "plateau_days": 2},
        {"target": "gas", "times": 10, "plateau_days": 2},
        {"target": "factor.real_rate", "by": -0.005},
    ]
    assert [words(ShockTerms(**day, **one)) for one in told] == [
        "feed.gold says what it said last on day 5, for 3 days.",
        "feed.gold is fed with the token's own trades on day 5.",
        f"feed.gold is wrong by -30{HARD_SPACE}% on day 5.",
        "hours are closed on day 5, for 2 days.",
        "gas is 10 times what it was on day 5, for 2 days.",
        "factor.real_rate is 0.005 lower on day 5.",
    ]
