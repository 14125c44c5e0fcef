"""Bad terms of a gold pool: one line with file, line, field, value and rule."""

from __future__ import annotations

import pytest
from scenario_text import refused

from simulator.errors import InputError
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

READY = (shipped_folder() / "gold-pool.yaml").read_text(encoding="utf-8")
POOL = "instruments.gold_pool"

CASES = {
    "reserve of zero": (
        "reserve_ounces: {value: 5_000,",
        "reserve_ounces: {value: 0,",
        f"{POOL}.reserve_ounces is 0; must be above 0 and at most 1000000 "
        "(Gold that the other providers have put in, with USDC of the same worth beside it)",
    ),
    "fee above the contract's": (
        "fee_bps: {value: 30,",
        "fee_bps: {value: 1001,",
        f"{POOL}.fee_bps is 1001; must be 0 to 1000 (10000 = 100 %)",
    ),
    "fee below zero": (
        "fee_bps: {value: 30,",
        "fee_bps: {value: -1,",
        f"{POOL}.fee_bps is -1; must be 0 to 1000 (10000 = 100 %)",
    ),
    "fee with too many decimals": (
        "fee_bps: {value: 30,",
        "fee_bps: {value: 30.005,",
        f"{POOL}.fee_bps is 30.005; must be a multiple of 0.01: the contract counts in parts per "
        "million",
    ),
    "volume below zero": (
        "daily_usd: {value: 500_000,",
        "daily_usd: {value: -1,",
        f"{POOL}.volume.daily_usd is -1; must be at least 0 (Mean of a day's volume, USDC)",
    ),
    "imbalance above one": (
        "imbalance: {value: 0.1,",
        "imbalance: {value: 1.1,",
        f"{POOL}.volume.imbalance is 1.1; must be 0 to 1 (1 = 100 %)",
    ),
    "half-life of zero": (
        "half_life_days: {value: 10,",
        "half_life_days: {value: 0,",
        f"{POOL}.volume.half_life_days is 0; must be above 0 "
        "(Time in which half of a deviation of the volume passes)",
    ),
    "arbitrageur without capital": (
        "capital_usd: {value: 1_000_000, mark",
        "capital_usd: {value: 0, mark",
        f"{POOL}.arbitrage.capital_usd is 0; must be above 0 "
        "(What the arbitrageur's profit is measured on)",
    ),
    "unknown key": (
        "reserve_ounces: {value: 5_000,",
        "reserves_ounces: {value: 5_000,",
        f"{POOL}.reserves_ounces is 5000; unknown key; did you mean 'reserve_ounces'?",
    ),
    "token that is not there": (
        "token: gold_token",
        "token: paxg",
        f"{POOL}.token: needs paxg beside it: that is what it trades",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_terms__name_the_line_and_the_rule(case: str, tmp_path) -> None:
    old, new, rule = CASES[case]
    assert READY.count(old) == 1
    text = READY.replace(old, new)
    (line,) = [number for number, row in enumerate(text.splitlines(), 1) if new in row]
    assert refused(tmp_path, text) == [f"own.yaml:{line}: {rule}"]


def test_silver_token__in_a_gold_pool__is_refused() -> None:
    rule = "gold_pool.token is 'silver_token'; must be a gold token; silver_token is a silver_token"
    with pytest.raises(InputError, match=rule):
        load_scenario(
            "gold-pool",
            overrides=["instruments.silver_token={}", f"{POOL}.token=silver_token"],
        )


def test_bounds__are_allowed() -> None:
    for fee in (0.0, 0.01, 1.07, 1_000.0):
        assert GoldPoolTerms(fee_bps=fee).fee_ppm == round(fee * 100)
