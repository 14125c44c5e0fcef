"""The answer on one screen: never more than forty lines, every claim with its word."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import samples
from rich.console import Console

from simulator.engine.shock_effects import ShockEffect
from simulator.report.brief import LINES, brief, print_brief
from simulator.scenario import load_scenario


@pytest.fixture(scope="module")
def sample():
    run = samples.loaded()
    found = samples.simulation(run)
    return found, samples.verdicts(run, found)


def many(verdicts, count: int):
    """Return so many claims that are named at length, as a large scenario has them."""
    names = [f"a-claim-with-a-name-as-long-as-they-come-{n}" for n in range(count)]
    return tuple(replace(verdicts[0], claim=name) for name in names)


def effect(name: str, points: float) -> ShockEffect:
    return ShockEffect(name, 1.0, {"holder": points / 100}, {"holder": 0.001}, {})


@pytest.mark.parametrize("width", [60, 80, 100])
def test_brief__each_claim__stands_with_word_and_number(sample, width):
    found, verdicts = sample
    text = " ".join(" ".join(brief(found, verdicts, [], None, width)).split())
    for verdict in verdicts:
        assert verdict.claim in text
    # None of 200 paths: at most 1 - 0.025 ** (1 / 200) = 1.8 % (Clopper and Pearson).
    assert "refuted: gold-vault-8-12 0 % (0.0 to 1.8)" in text


def test_brief__money__is_what_the_paths_say(sample):
    found, verdicts = sample
    text = " ".join(" ".join(brief(found, verdicts, [], None, 100)).split())
    # 100 ounces: +1 % +3 % -0.5 % = 3.5 % on nine paths of ten, 76.5 % less on the tenth; in
    # dollars +12 or -10 % of gold come on top. All exploited paths are even ones: gold is up.
    # Of 100,000 dollars: 1.155 on 80 paths, 0.935 on 100, 0.355 on 20. In a year each is below
    # by more than 1 %. An exploit's fall of 80 % is one path in ten.
    assert (
        "Money of holder: 100,000 dollars become 93,500 in the median, 35,500 to 115,500 in 9 of "
        "10; loss in 60.0 %, PSL 60.0 %; worst fall 0.1 % (1 in 20: 80.0 %)" in text
    )
    assert "Largest sources: Token <emissions> +3.00 %, Gold price +1.00 %, Interest" in text
    assert "-3.5 % in all over 365 days, in the mean of holder." in text
    assert "Largest costs and losses: Exploit -8.00 %, Vault fees -0.50 %." in text


def test_brief__replays__are_summed_and_the_one_that_differs_is_named(sample):
    found, verdicts = sample
    told = brief(found, verdicts, [samples.replay("p05"), samples.replay("p95")], None, 100)
    text = " ".join(" ".join(told).split())
    assert (
        "agree on 2 paths replayed on revm, 2,468 transactions, worst error 0.1 of its tolerance"
        in text
    )
    told = brief(found, verdicts, [samples.replay("p05"), samples.replay("x", ok=False)], None, 100)
    assert "differ in x of 2 paths replayed on" in " ".join(told)


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("count", [1, 20, 60, 300])
def test_brief__however_many_claims__is_forty_lines_at_most(sample, width, count):
    found, verdicts = sample
    effects = [effect(f"a-shock-named-at-length-{n}", -n) for n in range(6)]
    together = effect("together", -15.0)
    asked = many(verdicts, count)
    told = brief(found, asked, [samples.replay()], None, width, [*effects, together])
    assert len(told) < LINES
    assert max(map(len, told)) <= width
    assert told[-1].endswith("tolerance.")  # what stands behind the verdicts is never cut
    if count == 300:
        assert "300 claims" in " ".join(told)


def test_brief__in_a_pipe__has_no_colours_and_on_a_terminal_it_has(sample):
    found, verdicts = sample
    for terminal in (False, True):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=terminal, width=100)
        print_brief(console, found, verdicts, [])
        assert ("\x1b[" in stream.getvalue()) is terminal


def test_brief__shocks__are_told_the_largest_first_and_together(sample):
    found, verdicts = sample
    effects = [effect("gold", -3.1), effect("depeg", -0.4), effect("exploit", -9.8)]
    told = brief(found, verdicts, [], None, 100, [*effects, effect("together", -12.9)])
    text = " ".join(" ".join(told).split())
    assert "points of that mean: exploit -9.8, gold -3.1, depeg -0.4; together -12.9." in text
    told = brief(found, verdicts, [], None, 100, effects[:1])
    assert "Shocks: points of that mean: gold -3.1." in told


def flagship(verdicts):
    """Return verdicts on all of the flagship's claims, each over parameter sets."""
    claims = load_scenario("hard-assets-2026").scenario.claims
    words = ("supported", "plausible", "unlikely", "unlikely", "refuted")
    return tuple(
        replace(
            verdicts[0],
            claim=claim,
            subject=terms.subject or "price.gold",
            verdict=words[place % len(words)],
            probability=0.3456,
            parameter_range=(0.2345, 0.5678),
        )
        for place, (claim, terms) in enumerate(claims.items())
    )


@pytest.mark.parametrize("width", [80, 100])
def test_brief__of_the_flagships_claims__has_word_probability_and_range_of_each(sample, width):
    found, verdicts = sample
    claims = flagship(verdicts)
    told = brief(found, claims, [samples.replay()], None, width)
    text = " ".join(" ".join(told).split())
    assert len(told) < LINES
    if width == 100:
        assert "Products, supported: " in text
        assert "Prices and factors, supported: " in text
    assert len(claims) == 38
    for verdict in claims:
        if verdict.verdict == "refuted":  # these may share one bound
            assert verdict.claim in text
        else:
            assert f"{verdict.claim} 34.6 % (23 to 57)" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_brief__on_a_narrow_terminal__breaks_no_name_and_cuts_nothing(sample, width):
    found, verdicts = sample
    told = brief(found, verdicts, [samples.replay()], None, width)
    wide = " ".join(brief(found, verdicts, [samples.replay()], None, 100))
    assert max(map(len, told)) <= width
    assert " ".join(" ".join(told).split()) == " ".join(wide.split())
