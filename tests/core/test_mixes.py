"""The static mix that falls as deep as a stop, against closed forms."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from simulator.claims.mixes import share_in_safety, static_mix
from simulator.engine.simulate import simulate
from simulator.engine.stops import static_mixes, twin_without_stop
from simulator.engine.verdicts import judge
from simulator.measures import expected_shortfall
from simulator.report.sentences import remarks, sentences
from simulator.scenario import load_scenario
from simulator.scenario.files import with_changes

NAMES = ("stopped", "plain", "bills")
N_NORMAL = 400_000


def two_points(low, high, worse):
    """Return 100 returns, `worse` of them `low`."""
    return np.array([low] * worse + [high] * (100 - worse))


def test_share__two_points_and_constant_bills__is_linear_in_the_shortfall():
    # the worst 5 of 100 lie within the 10 that lose half: ES = .5 (1 - w) - .04 w = .25
    found = share_in_safety(two_points(-0.5, 0.2, 10), np.full(100, 0.04), 0.25)
    assert found == pytest.approx(0.25 / 0.54)


def test_share__of_part_of_the_tail__counts_the_fraction():
    # 2 of the worst 5 lose half, 3 gain .2: ES = (2 x .5 - 3 x .2) / 5 = .08; half of it at w = .5
    risky = two_points(-0.5, 0.2, 2)
    assert expected_shortfall(risky) == pytest.approx(0.08)
    assert share_in_safety(risky, np.zeros(100), 0.04) == pytest.approx(0.5)


def test_share__normal_returns__solves_the_closed_form():
    # R ~ N(8 %, 25 %), B ~ N(4 %, 3 %), independent: ES = -mean + deviation phi(z) / .05
    random = np.random.default_rng(3)
    risky, safe = random.normal([[0.08], [0.04]], [[0.25], [0.03]], (2, N_NORMAL))
    tail = stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05

    def shortfall(share):
        mean = (1 - share) * 0.08 + share * 0.04
        return -mean + tail * math.hypot((1 - share) * 0.25, share * 0.03)

    theory = optimize.brentq(lambda share: shortfall(share) - 0.2, 0, 1)
    # the error of a shortfall of .2 on so many paths is some .0006; .46 of it is a share of one
    assert share_in_safety(risky, safe, 0.2) == pytest.approx(theory, abs=0.006)


def test_share__portfolio_that_falls_no_deeper__needs_no_bills():
    assert share_in_safety(two_points(-0.2, 0.2, 10), np.zeros(100), 0.2) == 0.0
    assert share_in_safety(two_points(-0.2, 0.2, 10), np.zeros(100), 0.19) == pytest.approx(0.05)


def test_share__bills_that_fall_deeper__is_not_a_number():
    assert math.isnan(share_in_safety(two_points(-0.5, 0.2, 10), np.full(100, -0.1), 0.09))
    assert share_in_safety(two_points(-0.5, 0.2, 10), np.full(100, -0.1), 0.1) == pytest.approx(1)


def test_mix__spreads__are_those_of_both_sides():
    # as the first: w = .25 / .54; the mix loses on 10 paths, the stop that sold all at -.25 on 60
    stop = two_points(-0.25, 0.1, 60)
    mix = static_mix(NAMES, 395, stop, two_points(-0.5, 0.2, 10), np.full(100, 0.04))
    assert mix.in_bills == pytest.approx(0.25 / 0.54)
    kept = 1 - 0.25 / 0.54
    assert mix.mix.mean == pytest.approx(kept * (0.9 * 0.2 - 0.1 * 0.5) + (1 - kept) * 0.04)
    assert mix.mix.median == pytest.approx(kept * 0.2 + (1 - kept) * 0.04)
    assert mix.mix.loss == 0.1
    assert mix.stop.mean == pytest.approx(0.4 * 0.1 - 0.6 * 0.25)
    assert (mix.stop.median, mix.stop.loss) == (-0.25, 0.6)


@pytest.fixture(scope="module")
def flagship():
    loaded = load_scenario("hard-assets-2026", overrides=["paths=256"])
    claims = {n: c for n, c in loaded.scenario.claims.items() if n.startswith("stop-loss")}
    scenario = loaded.scenario.model_copy(update={"claims": claims})
    return simulate(scenario, loaded.calibration)


def test_stop__of_the_flagship__is_told_beside_its_mix(flagship):
    found = judge(flagship)
    (mix,) = found[0].mixes
    assert (mix.investor, mix.without, mix.bills) == (
        "aggressive",
        "aggressive_without_stop",
        "bills",
    )
    # by hand from the same paths: the mix falls as deep
    risky = flagship.investors["aggressive_without_stop"].values["total_return", "usd"]
    bills = flagship.instruments["bills"].values["total_return", "usd"]
    returns = (1 - mix.in_bills) * risky + mix.in_bills * bills
    assert expected_shortfall(returns) == pytest.approx(mix.shortfall, rel=1e-12)
    assert mix.mix.mean == pytest.approx(returns.mean())
    assert "bought at the start and left alone" in "".join(sentences(flagship, found[0]))
    # both claims are about the same stop: the terminal says it once
    assert sum("left alone" in words for words in remarks(found)) == 1


def test_stop__without_a_twin_or_with_flows__has_no_mix(flagship):
    scenario = flagship.scenario
    assert twin_without_stop(scenario, "aggressive") == "aggressive_without_stop"
    assert twin_without_stop(scenario, "aggressive_without_stop") is None
    for change in (
        {"investors.aggressive.trading_cost_bps": 5.0},
        {"investors.aggressive.flows": [{"usd": 100.0, "first_day": 30}]},
        {"investors.aggressive.stop_loss": {}},
    ):
        assert twin_without_stop(with_changes(scenario, change, "test"), "aggressive") is None
    about_others = scenario.claims["stop-loss-costs-nothing"].model_copy(
        update={"subject": "conservative", "against": "conservative_without_gold"}
    )
    assert static_mixes(flagship, about_others) == ()
