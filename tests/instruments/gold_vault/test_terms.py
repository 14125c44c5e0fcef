"""What a scenario may say of a vault is what its contract takes."""

import re
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.instruments.gold_vault.terms import (
    MAX_MANAGEMENT_FEE_BPS,
    MAX_PERFORMANCE_FEE_BPS,
)
from simulator.scenario import load_scenario

SOURCE = (Path(__file__).parents[3] / "contracts" / "gold_vault.vy").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "most"),
    [("PERFORMANCE", MAX_PERFORMANCE_FEE_BPS), ("MANAGEMENT", MAX_MANAGEMENT_FEE_BPS)],
)
def test_fees__are_bounded_as_in_the_contract(name, most):
    (limit,) = re.findall(rf"_MAX_{name}_FEE_BPS: constant\(uint256\) = ([\d_]+)", SOURCE)
    assert int(limit) == most
    field = f"instruments.gold_vault.{name.lower()}_fee_bps"
    load_scenario("gold-vault-sober", overrides=[f"{field}={most}"])
    with pytest.raises(InputError, match=f"must be 0 to {most}"):
        load_scenario("gold-vault-sober", overrides=[f"{field}={most + 1}"])


POOL = "instruments.gold_vault.pool"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ([f"{POOL}=nowhere"], "pool: needs nowhere beside it: that is where it provides"),
        (
            [f"{POOL}=gold_token"],
            "pool is 'gold_token'; must be a pool of gold tokens; gold_token ",
        ),
        (
            ["instruments.other={kind: gold_token}", "instruments.gold_pool.token=other"],
            "pool is 'gold_pool'; must be a pool of gold_token; gold_pool is one of other",
        ),
        ([f"{POOL}=null"], "pool_share is 0.2; needs pool: the label of a gold pool"),
        ([f"{POOL}_pace=0"], "pool_pace is 0; must be above 0 and below 1"),
        ([f"{POOL}_fee_yield=0.01"], "pool_fee_yield: is a term no more"),
    ],
)
def test_pool__that_cannot_be_its_own__is_refused(changes, rule):
    with pytest.raises(InputError) as caught:
        load_scenario("gold-vault-sober", overrides=changes)
    assert rule in str(caught.value)
