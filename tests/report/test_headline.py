"""What stands first: the money, the largest sources, what a claim needs, what to doubt."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
import samples

from simulator.engine.breakeven import BreakEven, Point
from simulator.engine.headline import headline
from simulator.engine.moments import Moment, moments, of_investor, of_series
from simulator.measures import Spells
from simulator.report.headline import facts, groups, money_table
from simulator.scenario import load_scenario
from simulator.words import brief_range, tabled


@pytest.fixture(scope="module")
def sample():
    run = samples.loaded()
    found = samples.simulation(run)
    return found, samples.verdicts(run, found)


def test_money__of_each_investor__is_what_100_000_become(sample):
    found = headline(*sample)
    holder, token = found.money
    # dollars: 1.155 on 80 paths of 200, 0.935 on 100, 0.355 on 20; none gains or loses in between
    assert (holder.low, holder.middle, holder.high) == pytest.approx((35_500, 93_500, 115_500))
    assert holder.losses.loss == holder.losses.significant == 0.6
    # the fall is 80 % on one path in ten, 0.1 % on the others
    assert (holder.fall, holder.deep_fall) == (0.001, 0.8)
    # token_only: gold less 0.1 %: 1.119 and 0.899 on half of the paths each
    assert (token.low, token.high) == pytest.approx((89_900, 111_900))
    assert math.isnan(holder.under_water_least)  # nobody counted the days
    caption = money_table(found, 365).caption
    assert caption == "What 100,000 dollars become over 365 days"


def test_under_water__where_most_paths_still_are__is_told_as_a_lower_bound(sample):
    run, verdicts = sample
    days = np.full(samples.N_PATHS, 200.0)
    spells = Spells(days, np.full(samples.N_PATHS, True), np.full(samples.N_PATHS, 0.5))
    holder = replace(run.investors["holder"], spells={"usd": spells})
    outcomes = replace(run.outcomes, investors={**run.investors, "holder": holder})
    found = headline(replace(run, outcomes=outcomes), verdicts)
    assert math.isnan(found.money[0].losses.under_water_days)
    assert money_table(found, 365).rows[0][-1] == "over\u00a0200\u00a0days"


def test_sources_and_costs__are_the_three_largest_of_each(sample):
    found = headline(*sample)
    # means in dollars: emissions 3 %, gold and interest 1 %; exploit -8 %, fees -0.5 %
    assert found.gains[0].label == "Token <emissions>"
    assert {line.label for line in found.gains[1:]} == {"Gold price", "Interest from borrowers"}
    assert [line.label for line in found.drains] == ["Exploit", "Vault fees"]


def turn(claim: str, parameter: str, now: float, value: float | None, holds: float) -> BreakEven:
    present = Point(now, holds, excess=holds - 0.5)
    root = () if value is None else (Point(value, 0.5, excess=0.0),)
    return BreakEven(
        claim=claim,
        kind="event",
        quantity="",
        compared="",
        scale="share",
        parameter=parameter,
        paths=1_000,
        present=present,
        low=0.0,
        high=10.0,
        crossings=(),
        value=value,
        standard_error=None,
        probability=None if value is None else 0.5,
        estimate=None,
        bracket=None,
        points=root,
    )


def test_turns__of_claims_that_fail__are_the_nearest_of_each(sample):
    turns = (
        turn("far", "instruments.vault.fee", 1.0, 8.0, 0.1),
        turn("far", "instruments.vault.rate", 1.0, 4.0, 0.1),  # twice as near by ratio
        turn("near", "market.drift", 1.0, 1.5, 0.1),
        turn("holds", "market.drift", 1.0, 1.1, 0.9),  # needs nothing
        turn("never", "market.drift", 1.0, None, 0.1),
    )
    found = headline(*sample, turns)
    assert [(one.claim, one.value) for one in found.turns] == [("near", 1.5), ("far", 4.0)]
    (words,) = [f.text for f in facts(sample[0], found, [], None) if "true" in f.lead]
    assert words == (
        "near is as likely as not with drift at 1.50 in place of 1.00; "
        "far is as likely as not with vault.rate at 4.00 in place of 1.00."
    )


def test_doubts__are_counted_over_the_claims(sample):
    run, verdicts = sample
    moved = [replace(verdicts[0], moved_most_by=name) for name in ("a", "b", "b", "")]
    assert headline(run, moved).doubts == (("b", 2), ("a", 1))


def test_groups__put_the_likeliest_first_and_products_before_prices(sample):
    run, verdicts = sample
    few, more = (replace(verdicts[1], claim=c, likelihood=p) for c, p in (("few", 0.2), ("x", 0.4)))
    price = replace(few, claim="gold", subject="price.gold")
    found = groups(run.scenario, [price, few, more])
    assert [group.title for group in found] == ["Products", "Prices and factors"]
    assert [v.claim for _, those in found[0].words for v in those] == ["x", "few"]


def test_moments__of_a_raise__are_its_listing_and_the_end_of_its_lock_up():
    scenario = load_scenario("copper-sto").scenario
    (label,) = [name for name, own in scenario.instruments.items() if own.kind == "mining_sto"][:1]
    terms = scenario.instruments[label]
    found = moments(samples_of(scenario))
    own = [(m.date, m.words) for m in found if m.about == label]
    listed = scenario.start + dt.timedelta(days=terms.sale.days)
    free = listed + dt.timedelta(days=terms.compliance.lockup_days)
    assert own == [(listed, f"{label}: listed"), (free, f"{label}: lock-up ends")]
    holder = next(name for name, own in scenario.investors.items() if own.holding == label)
    assert set(own) <= {(m.date, m.words) for m in of_investor(samples_of(scenario), found, holder)}


def samples_of(scenario):
    """Return a run of a scenario as far as dates need one."""
    return replace(samples.simulation(samples.loaded()), scenario=scenario)


def test_moments__of_shocks__are_everybodys_unless_others_stay():
    shocks = (
        "shocks=[{name: crash, target: price.gold, day: 40, size: -0.2}, "
        "{name: alone, target: price.gold, day: 50, size: 0.1, others: stay}, "
        "{name: some_day, target: volatility, when: gold < 1, times: 2}]"
    )
    run = samples.loaded(shocks)
    start = run.scenario.start
    found = moments(samples.simulation(run))
    assert found == (
        Moment(start + dt.timedelta(days=40), "crash"),
        Moment(start + dt.timedelta(days=50), "alone", "gold"),
    )
    assert [m.words for m in of_series(found, "silver")] == ["crash"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0.0 %"), (1e-5, "below 0.1 %"), (0.237, "23.7 %"), (0.9999, "above 99.9 %")],
)
def test_tabled__shares__have_one_decimal_and_no_false_0(value, words):
    assert tabled(value).replace("\u00a0", " ") == words


def test_brief_range__needs_decimals_only_where_it_is_narrow():
    assert brief_range((0.2345, 0.5678)) == "23 to 57"
    assert brief_range((0.002, 0.014)) == "0.2 to 1.4"
    # none of 10,000 paths: up to 3.7 of 10,000 are not ruled out
    assert brief_range((0.0, 0.000368)) == "0.00 to 0.04"
    assert brief_range((0.0, 0.0000037)) == "below 0.01"
    assert brief_range((0.9996, 1.0)) == "99.96 to 100.00"
    assert brief_range((-0.2, 0.08), signed=True) == "\u221220 to +8"
