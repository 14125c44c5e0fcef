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
