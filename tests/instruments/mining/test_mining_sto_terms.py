"""Bad terms of a mining STO: one line with file, line, field, value and rule."""

from __future__ import annotations

import numpy as np
import pytest
from scenario_text import refused

from simulator.errors import InputError
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.mining.worth import tables
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

COPPER = (shipped_folder() / "copper-sto.yaml").read_text(encoding="utf-8")
STO = "instruments.producing_sto"

CASES = {
    "soft cap above hard cap": (
        "producing_sto:",
        "soft_cap_usd: 250_000_000",
        "soft_cap_usd: 600_000_000",
        f"{STO}.sale.soft_cap_usd is 600000000; must be at most hard_cap_usd 500000000",
    ),
    "payout above 100 %": (
        "producing_sto:",
        "payout_ratio: 0.5",
        "payout_ratio: 1.5",
        f"{STO}.payout.payout_ratio is 1.5; must be 0 to 1 (1 = 100 %)",
    ),
    "recovery above 1": (
        "producing_sto:",
        "recovery: {value: 0.80, mark: assumption}",
        "recovery: {value: 1.2, mark: assumption}",
        f"{STO}.mine.recovery is 1.2; must be above 0 and at most 1 (1 = 100 %)",
    ),
    "buyers who expect 500 % a year": (
        "development_sto:",
        "secondary: *buyers",
        "secondary: {expected_growth: 5}",
        "instruments.development_sto.secondary.expected_growth is 5; must be -2 to 2 "
        "(Growth of copper a year that buyers expect until the run's last day; none = the market's "
        "own, its drift and its views)",
    ),
    "a country that the compliance forbids": (
        "producing_sto:",
        "payout: {payout_ratio: 0.5}",
        "payout: {payout_ratio: 0.5}\n    compliance: {holder_country: 840}",
        f"{STO}.compliance.holder_country is 840; must not be a country that the compliance "
        "forbids: 840, 408",
    ),
    "costs of nothing": (
        "producing_sto:",
        "aisc_usd_per_lb: {value: 2.90,",
        "aisc_usd_per_lb: {value: 0.50,",
        f"{STO}.mine.aisc_usd_per_lb is 0.5; must be above 0.70, what charges, royalty and "
        "sustaining capex come to: the site costs something too",
    ),
    "a stage that does not fit": (
        "producing_sto:",
        "stage: {stage: producing}",
        "stage: {stage: producing, ramp_days: 90}",
        f"{STO}.stage.ramp_days is 90; must be 0 where stage is producing",
    ),
    "streams that overlap": (
        "producing_sto:",
        "payout: {payout_ratio: 0.5}",
        "payout: {payout_ratio: 0.5, stream_days: 120}",
        f"{STO}.payout.stream_days is 120; must be at most 91, the days between two of the 4 "
        "payments a year",
    ),
    "a share of no mine": (
        "producing_share:",
        "mine: producing_sto",
        "mine: silver_sto",
        "instruments.producing_share.mine is 'silver_sto'; must be a mining_sto of "
        "this file: producing_sto, ramp_up_sto, development_sto",
    ),
    "debt that pays its owner": (
        "ramp_up_share:",
        "interest_rate: *interest",
        "interest_rate: -0.01",
        "instruments.ramp_up_share.interest_rate is -0.01; must be 0 to 5 (1 = 100 % a year)",
    ),
    "a raise that outlasts the run": (
        "producing_sto:",
        "hard_cap_usd: 500_000_000, demand",
        "hard_cap_usd: 500_000_000, days: 366, demand",
        f"{STO}.sale.days is 366; must be below horizon_days 300",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_load__bad_terms__one_line_with_place_and_rule(tmp_path, case) -> None:
    section, old, new, rule = CASES[case]
    head, tail = COPPER.replace("horizon_days: 395", "horizon_days: 300").split(section, 1)
    if old.startswith(section):
        head, tail = "", head + section + tail
        section = ""
    assert old in tail, "the change would test nothing"
    changed = head + section + tail.replace(old, new, 1)
    (message,) = refused(tmp_path, changed)
    place, _, found = message.partition(": ")
    assert found == rule
    name, _, line = place.partition(":")
    assert name == "own.yaml"
    assert rule.split(" is ")[0].rpartition(".")[2] in changed.splitlines()[int(line) - 1]


@pytest.mark.parametrize(
    "name",
    [
        "market.assets.copper.prize",
        "market.assets.nickel.price",
        "instruments.producing_sto.mine",
        "instruments.producing_sto.sale.days",
        "grade",
    ],
)
def test_break_even__of_what_is_no_number__is_refused_with_its_line(tmp_path, name) -> None:
    grade = "instruments.producing_sto.mine.grade"
    text = COPPER.replace(f", {grade}]", f", {name}]")
    (message,) = refused(tmp_path, text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if f", {name}]" in row)
    assert message == (
        f"own.yaml:{line}: claims.copper-sto-18.break_even[1] is '{name}'; must be the dotted name "
        "of a number, as market.assets.copper.price"
    )


def test_break_even__of_an_effect__is_refused(tmp_path) -> None:
    old = "    against: fund_holder\n"
    assert COPPER.count(old) == 1
    text = COPPER.replace(old, f"{old}    break_even: [market.assets.copper.price]\n")
    (message,) = refused(tmp_path, text)
    assert message.endswith(
        "claims.copper-sto-beats-fund.break_even: belongs to an event: it has a probability"
    )


def test_set__soft_cap_above_the_hard_cap__is_refused() -> None:
    with pytest.raises(InputError) as caught:
        load_scenario("copper-sto", overrides=[f"{STO}.sale.soft_cap_usd=6e8"])
    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        f"--set: {STO}.sale.soft_cap_usd is 600000000; must be at most hard_cap_usd 500000000"
    )


def test_load__as_shipped__is_accepted_with_an_origin_for_every_figure_of_the_mines() -> None:
    loaded = load_scenario("copper-sto")
    instruments = loaded.scenario.instruments
    stos = [label for label, terms in instruments.items() if terms.kind == "mining_sto"]
    assert len(stos) == 3
    for label in stos:
        place = f"instruments.{label}.mine."
        marked = {name for name in loaded.provenance if name.startswith(place)}
        sourced = {name for name in marked if loaded.provenance[name].source}
        assert len(marked) >= 12
        assert len(sourced) >= 7


def test_year_by_hand__is_the_year_of_the_shipped_producing_mine() -> None:
    """docs/mine-year.md and the scenario's first project have the same figures."""
    from test_mine import as_document

    shipped = load_scenario("copper-sto").scenario.instruments["producing_sto"]
    by_hand = as_document()[0]
    same = {"grade_decline", "output_deviation", "aisc_grade"}
    assert shipped.mine.model_dump(exclude=same) == by_hand.mine.model_dump(exclude=same)
    assert shipped.payout == by_hand.payout
    assert shipped.mine.aisc_grade == shipped.mine.grade
    assert shipped.sale.hard_cap_usd == by_hand.sale.hard_cap_usd == 500e6


@pytest.mark.parametrize(
    "name", ["copper-sto", "copper-sto-paid-from-deposits", "hard-assets-2026"]
)
def test_shipped_mines__price_of_the_long_run__is_stated_and_the_one_that_is_used(name) -> None:
    """10,000 USD, as the note of copper-sto-beats-shares says; no default that nobody sees."""
    loaded = load_scenario(name)
    mines = {
        label: terms
        for label, terms in loaded.scenario.instruments.items()
        if isinstance(terms, MiningStoTerms)
    }
    assert mines
    for label, terms in mines.items():
        place = f"instruments.{label}.secondary"
        assert loaded.provenance[f"{place}.long_run_price_usd_per_tonne"].mark == "assumption"
        assert f"{place}.reversion" in loaded.provenance
        still = np.zeros(loaded.scenario.horizon_days + 1)
        assert tables(terms, 0.1, 0.0, still, 0).long_run_usd == 10_000.0
    beats = loaded.scenario.claims.get("copper-sto-beats-shares")
    assert beats is None or "10,000 dollars" in beats.note
