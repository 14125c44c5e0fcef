"""What a vault does for reasons of its own is named by its own cause."""

from __future__ import annotations

from functools import cache

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from planted import FAULTS, patched
from test_planted import case_of

from simulator.trial.adapters import Harvest
from simulator.trial.campaign import Trial
from simulator.trial.moves import Move
from simulator.trial.stage import Case
from simulator.trial.watch import Watch
from simulator.units import SECONDS_PER_DAY

YEARLY = """
    seconds: uint256 = block.timestamp - self._reported
    self._mint(fee_recipient, self.totalSupply * seconds // 1_576_800_000)
    self._reported = block.timestamp
"""
# A fiftieth of all shares a year, counted from the deployment, minted to the fee's recipient.
MANAGED = (
    ("_counted: uint256\n", "_counted: uint256\n_reported: uint256\n"),
    ("    asset = asset_\n", "    asset = asset_\n    self._reported = block.timestamp\n"),
    ("def report():\n", f"def report():{YEARLY}"),
)
UNIT = 10**18
MONTH_AND_LOSS = (
    Move("deposit", "crowd", 1_000 * UNIT),
    Move("lose", "", 10_000),
    Move("wait", "", 30 * SECONDS_PER_DAY),
    Move("report"),
)


class Managed(Harvest):
    annual_fee = 0.02


@cache
def managed(*further):
    return patched(*MANAGED, *further)


def test_management_fee__that_the_adapter_tells__is_no_fault():
    trial = Trial(Case(managed(), Managed))
    assert trial.random_sequences(seed=1, sequences=10) is None
    assert trial.sequence(MONTH_AND_LOSS, "by hand") is None


def test_management_fee__taken_at_a_report_after_a_loss__is_no_fee_on_it():
    trial = Trial(case_of(managed()))
    watch = Watch(trial.stage)
    *quiet, last = (watch.play(move) for move in MONTH_AND_LOSS)
    assert quiet == [None] * 3
    # 2 % a year for 30 days, as new shares: 1 - 1 / (1 + 0.02 * 30 / 365) is 0.164 %.
    assert last.said == "its price falls by 0.164 % by a report, and nothing was lost"
    # The loss is no part of it.
    fault = trial.sequence(MONTH_AND_LOSS, "by hand")
    assert fault.rule == "price-fall"
    assert "lose" not in [step.what for step in fault.steps]
    assert trial.random_sequences(seed=1).rule == "price-fall"


def test_fee_on_a_loss__beside_a_management_fee__is_named():
    trial = Trial(Case(managed(*FAULTS["fee-on-loss"]), Managed))
    assert trial.sequence(MONTH_AND_LOSS, "by hand").rule == "fee-on-loss"


def test_views__that_revert_before_anybody_acts__are_the_fault():
    total = "    return min(self._counted, staticcall IERC20(asset).balanceOf(self))"
    vault = patched((total, f"    assert self.totalSupply != 0\n{total}"))
    fault = Trial(case_of(vault)).sequence([], "by hand")
    assert fault.rule == "views"
    assert "a view reverts before anybody acts: small_vault.totalAssets()" in fault.said
