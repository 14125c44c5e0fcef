"""Bad terms of loans on a token: one line with file, line, field, value and rule."""

from __future__ import annotations

import pytest
from scenario_text import line_of, refused

from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

READY = (shipped_folder() / "gold-loop.yaml").read_text(encoding="utf-8")
HEAD, REST = READY.split("  gold_loan_exchange:", 1)
LOAN = "instruments.gold_loan"
LTV = "      ltv_65: {ltv: 0.65}\n"

CASES = {
    "loan to value at the threshold": (
        LTV,
        "      ltv_65: {ltv: 0.75}\n",
        f"{LOAN}.loans.ltv_65.ltv is 0.75; must be below pool.liquidation_threshold 0.75",
    ),
    "loan to value above the highest": (
        LTV,
        "      ltv_65: {ltv: 0.72}\n",
        f"{LOAN}.loans.ltv_65.ltv is 0.72; must be at most pool.max_ltv 0.7",
    ),
    "loan to value of one": (
        LTV,
        "      ltv_65: {ltv: 1}\n",
        f"{LOAN}.loans.ltv_65.ltv is 1; must be above 0 and below 1 (1 = 100 %)",
    ),
    "loan with the suppliers' name": (
        LTV,
        "      suppliers: {ltv: 0.65}\n",
        f"{LOAN}.loans.suppliers: is the name of who supplies the dollars",
    ),
    "loop that deploys": (
        LTV,
        "      ltv_65: {ltv: 0.65, deployed: {rate: 0.1}}\n",
        f"{LOAN}.loans.ltv_65.deployed: is for loans with loop: false; a loop buys tokens",
    ),
    "spread between basis points": (
        "swap_spread_bps: &spread {value: 10,",
        "swap_spread_bps: &spread {value: 10.5,",
        f"{LOAN}.swap_spread_bps is 10.5; must be a whole number, 0 to 5000 (10000 = 100 %)",
    ),
    "token that is not there": (
        "    token: gold_token\n",
        "    token: paxg\n",
        f"{LOAN}.token is 'paxg'; must be a gold token of this file: gold_token",
    ),
    "token of another metal": (
        "    token: gold_token\n",
        "    token: silver_token\n",
        f"{LOAN}.token is 'silver_token'; must be a gold token of this file: gold_token",
    ),
    "price that nobody reads": (
        "    price: reference\n",
        "    price: average\n",
        f"{LOAN}.price is 'average'; must be one of 'reference' or 'exchange'",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_terms__are_refused_with_file_line_and_rule(tmp_path, case: str) -> None:
    old, new, fault = CASES[case]
    assert HEAD.count(old) == 1, old
    text = f"{HEAD.replace(old, new)}  gold_loan_exchange:{REST}"
    found = refused(tmp_path, text)
    at = 1 + text[: text.index(new)].count("\n")
    assert any(line.startswith(f"own.yaml:{at}: {fault}") for line in found), found


POOL = {
    "threshold above one": (
        "liquidation_threshold=1.2",
        r"pool\.liquidation_threshold is 1\.2; must be above 0 and below 1",
    ),
    "threshold below the highest loan to value": (
        "liquidation_threshold=0.6",
        r"pool\.max_ltv is 0\.7; must be below liquidation_threshold 0\.6",
    ),
    "threshold that leaves bad debt by itself": (
        "liquidation_threshold=0.95",
        r"pool\.liquidation_threshold is 0\.95; must be below 0\.9434: with a penalty of 0\.06",
    ),
    "too little to lend": (
        "supplied_usd=100000",
        r"pool\.supplied_usd is 100000; must be at least \d+: the loans borrow \d+",
    ),
    "more than the stage can play": (
        "supplied_usd=1e12",
        r"pool\.supplied_usd is 1000000000000; must be above 0 and at most 100000000",
    ),
    "reserve of everything": (
        "reserve_factor=1",
        r"reserve_factor is 1; must be at least 0 and below 1",
    ),
}


@pytest.mark.parametrize("case", POOL)
def test_bad_pool__is_refused_by_set_too(case: str) -> None:
    change, rule = POOL[case]
    with pytest.raises(InputError, match=rule):
        load_scenario("gold-loop", overrides=[f"{LOAN}.pool.{change}"])


def test_ready_scenario__is_allowed__and_names_its_positions() -> None:
    scenario = load_scenario("gold-loop").scenario
    names = [name for name in scenario.positions if name.startswith("gold_loan-")]
    loops = ("ltv_50", "ltv_60", "ltv_65", "ltv_70", "promised_50")
    assert names == ["gold_loan-suppliers", *(f"gold_loan-{name}" for name in loops)]
    assert line_of(READY, "  gold_loan:") > 0
