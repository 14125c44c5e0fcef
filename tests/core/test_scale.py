"""The words of a verdict: the scale, firmness, too few paths, and what takes a word's place."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from simulator.claims import Outcomes, Verdict, judge_events
from simulator.claims.scale import MIDDLE, is_decided, rate, rate_shares
from simulator.claims.verdict import rate_event
from simulator.engine import judge, run_sets, simulate, with_ranges
from simulator.scenario import load_scenario
from simulator.scenario.claims import ClaimTerms, Condition
from simulator.schema.raw import Provenance

TARGET = Condition(series="price.gold", measure="highest", at_least=1.0)


@pytest.mark.parametrize(
    ("likelihood", "reached", "words"),
    [
        (0.97, (0.95, 1.0), ("supported", True, "")),
        (0.97, (0.94, 1.0), ("supported", False, "plausible")),
        (0.30, (0.05, 0.49), ("unlikely", True, "")),
        (0.30, (0.05, 0.50), ("unlikely", False, "plausible")),
        (0.30, (0.04, 0.40), ("unlikely", False, "refuted")),
        (0.02, (0.00, 0.0499), ("refuted", True, "")),
        (0.02, (0.00, 0.06), ("refuted", False, "unlikely")),
        # beyond on both sides: 0.60 is nearer to 0.5, 0.80 nearer to 0.95
        (0.60, (0.40, 0.96), ("plausible", False, "unlikely")),
        (0.80, (0.40, 0.96), ("plausible", False, "supported")),
        (0.60, None, ("plausible", None, "")),
    ],
)
def test_rating__is_firm_where_the_range_stays_in_its_band(likelihood, reached, words):
    found = rate(likelihood, reached)
    assert (found.word, found.firm, found.could_be) == words


@pytest.mark.parametrize(
    ("sampling", "reached", "decided"),
    [
        ((0.10, 0.40), None, True),  # within one word
        ((0.045, 0.055), None, False),  # over two words, and nothing else is known
        ((0.045, 0.055), (0.049, 0.052), False),  # sampling is what leaves it open
        ((0.045, 0.055), (0.02, 0.08), True),  # the parameters are: more paths change nothing
        ((0.03, 0.60), (0.0, 1.0), False),  # over three words
    ],
)
def test_too_few_paths__is_said_where_sampling_leaves_the_word_open(sampling, reached, decided):
    assert is_decided(sampling, reached) is decided


def test_event__of_few_paths__is_decided_as_wilsons_interval_says():
    """5 of 10: Wilson 23.7 to 76.3 % holds 50 %; 50 of 1,000 about 5 %; 300 of 1,000 27 to 33."""
    assert rate_event(0.5, 10).word == "not decided"
    assert rate_event(0.05, 1_000).word == "not decided"
    assert rate_event(0.30, 1_000).word == "unlikely"
    # one path says nothing at all: Clopper-Pearson 0 to 97.5 %, even where the sets agree
    assert rate_event(0.0, 1, (0.0, 0.0)).word == "not decided"
    assert rate_event(1.0, 1, (0.0, 1.0)).word == "not decided"


@pytest.mark.parametrize(
    ("held", "likelihood", "words"),
    [
        ([1] * 50, 1.0, ("supported", True, "")),
        ([0] * 50, 0.0, ("refuted", True, "")),
        # 46 + 3 / 2 of 50; the 5th percentile of the sets is 0.5 x 0.55 = 0.225: unlikely
        ([1] * 46 + [0.5] * 3 + [0], 0.95, ("supported", False, "plausible")),
        ([1] * 30 + [0] * 20, 0.6, ("plausible", False, "unlikely")),
        ([1] * 10 + [0] * 40, 0.2, ("unlikely", False, "refuted")),
        ([0.5] * 26 + [1] * 24, 0.74, ("not decided", None, "")),
        ([0.5], 0.5, ("not decided", None, "")),  # one world, no sets
        ([1.0], 1.0, ("supported", None, "")),
    ],
)
def test_effect__is_as_likely_as_the_share_of_sets_in_which_it_holds(held, likelihood, words):
    found, rating = rate_shares(np.array(held, dtype=float))
    assert found == pytest.approx(likelihood)
    assert (rating.word, rating.firm, rating.could_be) == words


def event(values, start=0.0) -> Verdict:
    outcomes = Outcomes(
        {},
        {TARGET.key: np.asarray(values, float), "drawdown of price.gold": np.zeros(len(values))},
        {"price.gold": start},
    )
    (found,) = judge_events({"up": ClaimTerms(says="up", conditions=(TARGET,))}, outcomes)
    return found


def sets_of(claim, probabilities, paths=2_048):
    return pd.DataFrame(
        {
            "claim": claim,
            "probability": probabilities,
            "estimate": math.nan,
            "holds": math.nan,
            "paths": paths,
        }
    )


def test_event__over_sets__is_judged_by_the_mean_of_their_shares():
    """55 of 100 paths (Wilson 45 to 64 %); 19 sets at 40 %, one at 90 %: a mean of 42.5 %."""
    alone = event([2.0] * 55 + [0.0] * 45)
    assert (alone.verdict, alone.likelihood, alone.paths) == ("not decided", 0.55, 100)
    shares = [0.4] * 19 + [0.9]
    (found,) = with_ranges((alone,), sets_of("up", shares))
    assert found.probability == 0.55  # what this run counted stays what it is
    assert found.likelihood == pytest.approx((19 * 0.4 + 0.9) / 20)
    assert found.verdict == "unlikely"
    assert found.parameter_range == pytest.approx(np.quantile(shares, MIDDLE))
    # the 95th percentile: 0.95 x 19 = 18.05, so 0.4 + 0.05 x 0.5 = 0.425, still below 50 %
    assert (found.firm, found.could_be, found.words) == (True, "", "unlikely, firm")


def test_words__name_the_neighbour_or_the_number_of_paths():
    found = dataclasses.replace(event([2.0] * 60), verdict="unlikely", could_be="plausible")
    assert found.words == "unlikely, could be plausible"
    assert event([2.0]).words == "not decided with 1 path"
    assert event([2.0] * 3 + [0.0] * 3).words == "not decided with 6 paths"


def test_already_met__wins_over_the_scale_and_over_the_sets():
    met = event([2.0] * 100, start=1.5)
    assert met.verdict == "already met"
    (found,) = with_ranges((met,), sets_of("up", [1.0] * 20))
    assert (found.verdict, found.firm, found.could_be) == ("already met", None, "")
    assert event([2.0] * 100, start=0.5).verdict == "supported"


COVER = ("paths=256", "horizon_days=400")
PREMIUM = tuple(
    f"instruments.copper-cover.pool.premium.{part}" for part in ("floor", "slope", "ceiling")
)


def test_by_assumption__is_what_follows_from_assumed_figures_alone():
    loaded = load_scenario("copper-cover", overrides=COVER)
    simulation = simulate(loaded.scenario, loaded.calibration)
    found = judge(simulation, provenance=loaded.provenance)[0]
    assert (found.claim, found.verdict) == ("underwriting-8", "by assumption")
    assert (found.follows_from, found.by_assumption) == (PREMIUM, True)
    # a premium that somebody is paid is no assumption: then the run judges
    paid = dict(loaded.provenance) | {PREMIUM[0]: Provenance("a policy", "observed")}
    judged = judge(simulation, provenance=paid)[0]
    assert judged.verdict == "refuted"
    assert judged.follows_from == ()
    assert judged.probability == found.probability


def test_by_assumption__wins_over_the_sets_too():
    loaded = load_scenario("copper-cover", overrides=COVER)
    simulation = simulate(loaded.scenario, loaded.calibration, details=False)
    sets = run_sets(loaded.scenario, loaded.calibration, 2, paths=128)
    found = with_ranges(judge(simulation, provenance=loaded.provenance), sets)
    words = {verdict.claim: verdict.verdict for verdict in found}
    assert words["underwriting-8"] == "by assumption"
    assert words["cover-helps-the-worst"] != "by assumption"


BANKS = (
    "paths=512",
    "horizon_days=365",
    "instruments={bills: {kind: holding, what: treasury_bills}}",
    "investors={saver: {holding: bills, capital_usd: 1_000}}",
    "replay.subject=saver",
)


def banks(estimate, bound):
    claim = (
        "claims={banks: {kind: premise, says: banks buy, premise: {estimate: "
        f"{estimate}, standard_error: 20, at_least: {bound}, unit: tonnes a year}}, conditions: "
        f"[{{series: factor.central_bank_net, measure: mean, at_least: {bound}}}]}}}}"
    )
    loaded = load_scenario("hard-assets-2026", overrides=(*BANKS, claim))
    simulation = simulate(loaded.scenario, loaded.calibration, details=False)
    (found,) = judge(simulation)
    return found, simulation


def test_premise__whose_factor_is_simulated__is_an_event_on_it_with_the_estimate_beside():
    """100 tonnes are bought on every path; by history Phi(46) = 1; 1,018 - 1.96 x 20 = 978.8."""
    found, simulation = banks(1_018, 100)
    mean = simulation.outcomes.series["mean of factor.central_bank_net"]
    assert found.probability == np.mean(mean >= 100.0) == 1.0
    assert (found.kind, found.verdict, found.history) == ("premise", "supported", "supported")
    assert found.beside == "1,018 tonnes a year (95 % interval 978.8 to 1,057)"


def test_premise__that_history_contradicts__says_so():
    from simulator.report.sentences import remarks

    found, _ = banks(50, 100)  # by history Phi(-2.5) = 0.6 %
    assert (found.verdict, found.history) == ("supported", "refuted")
    (words,) = remarks([found])
    assert "the run contradicts it" in words
    agreeing, _ = banks(1_018, 100)
    (words,) = remarks([agreeing])
    assert "contradicts" not in words


def test_by_assumption__without_a_number_on_a_short_run__is_not_testable():
    """A yield a year cannot be judged on 60 days, whatever it follows from."""
    loaded = load_scenario("copper-cover", overrides=("paths=64", "horizon_days=60"))
    simulation = simulate(loaded.scenario, loaded.calibration, details=False)
    found = judge(simulation, provenance=loaded.provenance)[0]
    assert (found.claim, found.verdict) == ("underwriting-8", "not testable")
    assert found.reason
