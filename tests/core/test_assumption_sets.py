"""What assumptions leave open: drawn over their ranges, all at once, and told beside the word."""

import math

import numpy as np
import pandas as pd
import pytest

from simulator.engine import judge, run_assumption_sets, simulate, with_assumptions
from simulator.engine.assumption_sets import assumed, draw_assumptions, moved_most
from simulator.engine.parameter_sets import PATHS_A_SET
from simulator.engine.prune import pruned
from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.files import to_yaml

HAZARD = "instruments.gold_vault.exploit_hazard"
SMALL = ("paths=256", "market.model=gbm")


@pytest.fixture(scope="module")
def vault():
    return load_scenario("gold-vault-sober", overrides=SMALL)


@pytest.fixture(scope="module")
def figures(vault):
    found = assumed(vault.scenario, vault.calibration, vault.provenance)
    return {one.item.name: one for one in found}


def test_sets__have_1024_paths():
    assert PATHS_A_SET == 1_024


def test_assumed__are_the_figures_that_are_marked_so(figures, vault):
    marked = {name for name, origin in vault.provenance.items() if origin.mark == "assumption"}
    assert HAZARD in figures
    assert set(figures) <= marked
    # a term of the contract that stands alone, a figure with a source, and a default stay
    for stays in ("gold_vault.kink", "gold_pool.volume.daily_usd", "gold_token.premium_mean"):
        assert f"instruments.{stays}" not in figures


def test_range__unless_stated__is_half_to_double(figures):
    """Evenly on the logarithm: 0 is half, 1 double, and the middle is the present value."""
    one = figures[HAZARD]
    assert (one.low, one.high, one.stated) == (0.025, 0.1, False)
    assert [one.at(u) for u in (0.0, 0.5, 1.0)] == pytest.approx([0.025, 0.05, 0.1])
    # a negative figure keeps its sign; a share stays one
    fall = figures["instruments.gold_vault.emissions.price_drift"]
    assert [fall.at(u) for u in (0.0, 1.0)] == pytest.approx([-0.35, -1.4])
    assert figures["instruments.gold_vault.exploit_severity"].at(1.0) == 1.0


def test_range__that_is_stated__is_drawn_from_evenly():
    stated = f"{HAZARD}={{value: 0.05, mark: assumption, range: [0.03, 0.17]}}"
    loaded = load_scenario("gold-vault-sober", overrides=(*SMALL, stated))
    one = {
        found.item.name: found
        for found in assumed(loaded.scenario, loaded.calibration, loaded.provenance)
    }[HAZARD]
    assert [one.at(u) for u in (0.0, 0.5, 1.0)] == pytest.approx([0.03, 0.10, 0.17])
    # the resolved scenario, which a run keeps, says it too
    assert "range:" in to_yaml(loaded.scenario, loaded.provenance)


@pytest.mark.parametrize("text", ["[0.06, 0.17]", "[0.17, 0.03]", "[0.03]", "wide", "[a, b]"])
def test_range__that_does_not_hold_its_figure__is_refused(text):
    stated = f"{HAZARD}={{value: 0.05, mark: assumption, range: {text}}}"
    with pytest.raises(InputError, match="two numbers, from low to high"):
        load_scenario("gold-vault-sober", overrides=(*SMALL, stated))


def test_draws__are_all_at_once_within_their_ranges_and_hang_on_their_names(vault, figures):
    drawn = [
        draw_assumptions(vault.scenario, vault.calibration, figures.values(), number)[1]
        for number in range(200)
    ]
    for name, one in figures.items():
        values = np.array([values[name] for values in drawn])
        assert (values >= min(one.low, one.high) - 1e-12).all(), name
        assert (values <= max(one.low, one.high) + 1e-12).all(), name
    logs = np.log([values[HAZARD] for values in drawn])
    # uniform from ln .025 to ln .1: deviation ln 4 / sqrt(12) = 0.400
    assert np.mean(logs) == pytest.approx(math.log(0.05), abs=4 * 0.4 / math.sqrt(200))
    assert np.std(logs) == pytest.approx(math.log(4) / math.sqrt(12), rel=0.1)
    alone = draw_assumptions(vault.scenario, vault.calibration, [figures[HAZARD]], 7)
    assert alone[1][HAZARD] == drawn[7][HAZARD]
    assert alone[0].instruments["gold_vault"].exploit_hazard == drawn[7][HAZARD]


def test_draws__that_cannot_stand_together__are_taken_back():
    """A cover's premium floor must not be above its ceiling: from 0.11 and 0.12 half would be."""
    loaded = load_scenario(
        "copper-cover",
        overrides=(
            "paths=128",
            "instruments.copper-cover.pool.premium.floor={value: 0.11, mark: assumption}",
        ),
    )
    found = assumed(loaded.scenario, loaded.calibration, loaded.provenance)
    changed = 0
    for number in range(20):
        moved, values = draw_assumptions(loaded.scenario, loaded.calibration, found, number)
        premium = moved.instruments["copper-cover"].pool.premium
        assert premium.floor <= premium.ceiling
        changed += sum(values[one.item.name] != one.item.value for one in found)
    assert changed > 20 * len(found) / 2


def test_draws__of_weights_that_must_sum_to_one__are_taken_back_and_the_others_stay():
    """The fault names one weight alone; with that one back, the other must come back too."""
    loaded = load_scenario("silver-perp", overrides=["paths=128"])
    found = assumed(loaded.scenario, loaded.calibration, loaded.provenance)
    weights = [f"instruments.silver_perp.index.{name}_weight" for name in ("metal", "miner")]
    assert {one.item.name for one in found} >= set(weights)
    moved, values = draw_assumptions(loaded.scenario, loaded.calibration, found, 0)
    assert [values[name] for name in weights] == [0.5, 0.5]
    drawn = [one for one in found if values[one.item.name] != one.item.value]
    assert len(drawn) > len(found) / 2
    assert moved != loaded.scenario


def test_range_over_assumptions__stands_beside_the_word_and_names_the_hazard(vault):
    """P(no exploit in a year) = exp(-h): with h from .02 to .5 the claim moves with it alone."""
    loaded = load_scenario(
        "gold-vault-sober",
        overrides=(
            *SMALL,
            f"{HAZARD}={{value: 0.1, mark: assumption, range: [0.02, 0.5]}}",
            "claims={whole: {says: nothing is lost, subject: holder, conditions: [{measure: "
            "drawdown, unit: ounces, at_most: 0.3}]}}",
        ),
    )
    sets = run_assumption_sets(loaded.scenario, loaded.calibration, loaded.provenance, 30)
    assert set(sets["paths"]) == {256}  # no more than the run itself
    simulation = simulate(loaded.scenario, loaded.calibration, details=False)
    plain = judge(simulation)
    (found,) = with_assumptions(plain, loaded.scenario, sets)
    assert found.moved_most_by == HAZARD
    middle, below, above = found.moved_most
    assert 0.02 < middle < 0.5
    # the mean of exp(-h) over the draws to either side of the middle, within sampling of 256 paths
    hazards, shares = sets[f"assumed.{HAZARD}"], sets["probability"]
    np.testing.assert_allclose(shares, np.exp(-hazards), atol=4 * math.sqrt(0.25 / 256))
    assert below == pytest.approx(float(shares[hazards < middle].mean()))
    assert above == pytest.approx(float(shares[hazards >= middle].mean()))
    assert found.assumption_range == pytest.approx(np.quantile(shares, (0.05, 0.95)))
    # the word is as it was
    assert (found.verdict, found.likelihood) == (plain[0].verdict, plain[0].likelihood)


def test_moved_most__by_chance_alone__is_nobody(vault):
    """30 figures that have nothing to do with the claim: none stands out."""
    rng = np.random.default_rng(8)
    names = [f"assumed.market.assets.gold.x{number}" for number in range(30)]
    rows = pd.DataFrame(rng.random((50, 30)), columns=names)
    rows["probability"] = rng.random(50)
    assert moved_most(vault.scenario, "gold-vault-8-12", rows, "probability") is None
    rows["probability"] = 1 - rows[names[4]]
    found = moved_most(vault.scenario, "gold-vault-8-12", rows, "probability")
    assert (found.name, found.correlation) == ("market.assets.gold.x4", pytest.approx(-1.0))


def test_sets__without_any_assumption__are_empty_and_change_nothing(vault):
    sets = run_assumption_sets(vault.scenario, vault.calibration, {}, 5)
    assert sets.empty
    verdicts = judge(simulate(vault.scenario, vault.calibration, details=False))
    found = with_assumptions(verdicts, vault.scenario, sets)
    assert [one.assumption_range for one in found] == [None, None]


def test_sector_of_gold_tokens__its_demand__is_an_assumption_that_the_verdict_names():
    """What decides it is no default that nobody sees: both figures are marked, with a range."""
    loaded = load_scenario("hard-assets-2026", overrides=["paths=256"])
    claim = "gold-tokens-10-bn"
    small = pruned(loaded.scenario, claim)
    ranges = {
        one.item.name: (one.low, one.high)
        for one in assumed(small, loaded.calibration, loaded.provenance)
        if one.stated
    }
    growth = "instruments.gold_token.demand_growth"
    assert ranges[growth] == (-0.05, 0.55)
    assert ranges[f"{growth}_deviation"] == (0.2, 0.6)
    sets = run_assumption_sets(small, loaded.calibration, loaded.provenance, 40)
    (verdict,) = judge(simulate(small, loaded.calibration, details=False))
    (found,) = with_assumptions((verdict,), small, sets)
    assert found.moved_most_by == growth
    _, below, above = found.moved_most
    assert above > below
