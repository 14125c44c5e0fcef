"""The answer on one screen: never more than forty lines, every claim with its word."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import samples
from rich.console import Console

from simulator.engine.shock_effects import ShockEffect
from simulator.report.brief import LINES, brief, print_brief


@pytest.fixture(scope="module")
def sample():
    run = samples.loaded()
    found = samples.simulation(run)
    return found, samples.verdicts(run, found)


def many(verdicts, count: int):
    """Return so many claims that are named at length, as a large scenario has them."""
    names = [f"a-claim-with-a-name-as-long-as-they-come-{n}" for n in range(count)]
    return tuple(replace(verdicts[0], claim=name) for name in names)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_brief__each_claim__stands_with_word_and_number(sample, width):
    found, verdicts = sample
    text = " ".join(" ".join(brief(found, verdicts, [], None, width)).split())
    for verdict in verdicts:
        assert verdict.claim in text
    # None of 200 paths: at most 1 - 0.025 ** (1 / 200) = 1.8 % (Clopper and Pearson).
    assert "refuted gold-vault-8-12 0 % (0.0 to 1.8 %)" in text


def test_brief__money__is_what_the_paths_say(sample):
    found, verdicts = sample
    text = " ".join(" ".join(brief(found, verdicts, [], None, 100)).split())
    # 100 ounces: +1 % +3 % -0.5 % = 3.5 % on nine paths of ten, 76.5 % less on the tenth; in
    # dollars +12 or -10 % of gold come on top. All exploited paths are even ones: gold is up.
    # 400,000 dollars: 1.155 on 80 paths, 0.935 on 100, 0.355 on 20.
    assert (
        "holder puts in 400,000 dollars and leaves with 374,000 in the median, 142,000 to 462,000 "
        "in nine cases of ten; a loss on 60.0 % of paths" in text
    )
    assert "Exploit -8.00 %, Token <emissions> +3.00 %" in text


def test_brief__replays__are_summed_and_the_one_that_differs_is_named(sample):
    found, verdicts = sample
    told = brief(found, verdicts, [samples.replay("p05"), samples.replay("p95")], None, 100)
    text = " ".join(" ".join(told).split())
    assert "agree: 2 paths on revm, 2,468 transactions, at least 113,578,000 gas" in text
    assert "worst error 0.1 of its tolerance" in text
    told = brief(found, verdicts, [samples.replay("p05"), samples.replay("x", ok=False)], None, 100)
    assert "differ in x: 2 paths" in " ".join(told)


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("count", [1, 20, 60, 300])
def test_brief__however_many_claims__is_forty_lines_at_most(sample, width, count):
    found, verdicts = sample
    told = brief(found, many(verdicts, count), [samples.replay()], None, width)
    assert len(told) < LINES
    assert max(map(len, told)) <= width
    if count == 300:
        assert "300 claims" in " ".join(told)


def test_brief__in_a_pipe__has_no_colours_and_on_a_terminal_it_has(sample):
    found, verdicts = sample
    for terminal in (False, True):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=terminal, width=100)
        print_brief(console, found, verdicts, [])
        assert ("\x1b[" in stream.getvalue()) is terminal


def effect(name: str, points: float) -> ShockEffect:
    return ShockEffect(name, 1.0, {"holder": points / 100}, {"holder": 0.001}, {})


def test_brief__shocks__are_told_the_largest_first_and_together(sample):
    found, verdicts = sample
    effects = [effect("gold", -3.1), effect("depeg", -0.4), effect("exploit", -9.8)]
    told = brief(found, verdicts, [], None, 100, [*effects, effect("together", -12.9)])
    text = " ".join(" ".join(told).split())
    assert "points of that mean: exploit -9.8, gold -3.1, depeg -0.4; together -12.9." in text
    told = brief(found, verdicts, [], None, 100, effects[:1])
    assert "Shocks, points of that mean: gold -3.1." in told
