"""Bad terms of a price cover: one line with file, line, field, value and rule."""

from __future__ import annotations

import pytest
from scenario_text import refused

from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

READY = (shipped_folder() / "copper-cover.yaml").read_text(encoding="utf-8")
COVER = "instruments.copper-cover"
MINERS = "cover: {strike_share: 0.9, term_days: 91, renew_every_days: 93}"

CASES = {
    "strike of zero": (
        MINERS,
        "cover: {strike_share: 0, term_days: 91, renew_every_days: 93}",
        f"{COVER}.miner.cover.strike_share is 0; must be above 0 and at most 2 "
        "(1 = 100 % of the price)",
    ),
    "strike in dollars below zero": (
        MINERS,
        "cover: {strike_usd_per_tonne: -1, term_days: 91, renew_every_days: 93}",
        f"{COVER}.miner.cover.strike_usd_per_tonne is -1; must be above 0 "
        "(Strike in USD per tonne, instead of a share of the price)",
    ),
    "two strikes": (
        MINERS,
        "cover: {strike_share: 0.9, strike_usd_per_tonne: 9000}",
        f"{COVER}.miner.cover: must have either strike_share or strike_usd_per_tonne",
    ),
    "strike above what the pool takes": (
        MINERS,
        "cover: {strike_share: 1.1, term_days: 91, renew_every_days: 93}",
        f"{COVER}.miner.cover.strike_share is 1.1; must be at most pool.max_strike_share 1",
    ),
    "term below the pool's": (
        MINERS,
        "cover: {strike_share: 0.9, term_days: 29, renew_every_days: 93}",
        f"{COVER}.miner.cover.term_days is 29; must be 30 to 365, the pool's min_term_days to "
        "max_term_days",
    ),
    "term above the pool's": (
        MINERS,
        "cover: {strike_share: 0.9, term_days: 366, renew_every_days: 93}",
        f"{COVER}.miner.cover.term_days is 366; must be 30 to 365, the pool's min_term_days to "
        "max_term_days",
    ),
    "leverage below 1": (
        "leverage: 1.0",
        "leverage: 0.9",
        f"{COVER}.pool.leverage is 0.9; must be 1 to 5 (1 = fully collateralised)",
    ),
    "window longer than the shortest term": (
        "window_days: {value: 30,",
        "window_days: {value: 31,",
        f"{COVER}.pool.window_days is 31; must be at most min_term_days 30",
    ),
    "shortest term above the longest": (
        "max_term_days: 365",
        "max_term_days: 29",
        f"{COVER}.pool.min_term_days is 30; must be at most max_term_days 29",
    ),
    "premium with a floor above its ceiling": (
        "floor: {value: 0.03,",
        "floor: {value: 0.13,",
        f"{COVER}.pool.premium.floor is 0.13; must be at most ceiling 0.12",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_load__bad_terms__one_line_with_place_and_rule(tmp_path, case) -> None:
    old, new, rule = CASES[case]
    assert READY.count(old) == 1
    changed = READY.replace(old, new)
    (message,) = refused(tmp_path, changed)
    place, _, found = message.partition(": ")
    assert found == rule
    name, _, line = place.partition(":")
    assert name == "own.yaml"
    field = rule.split(" is ")[0].split(":")[0].rpartition(".")[2]
    assert field in changed.splitlines()[int(line) - 1]


def test_load__name_of_another_position__is_refused(tmp_path) -> None:
    text = READY.replace(
        "instruments:\n",
        "instruments:\n  copper-cover-miner: {kind: holding, what: physical_gold}\n",
    )
    assert "is the name of another instrument" in "\n".join(refused(tmp_path, text))


@pytest.mark.parametrize("name", ["copper-cover", "copper-cover-crash"])
def test_ready_scenarios__are_valid(name) -> None:
    instruments = load_scenario(name).scenario.instruments
    assert "price_cover" in {terms.kind for terms in instruments.values()}


def test_set__leverage_below_1__is_refused_too() -> None:
    with pytest.raises(InputError, match=r"--set: .*leverage is 0; must be 1 to 5"):
        load_scenario("copper-cover", overrides=[f"{COVER}.pool.leverage=0"])
