"""Faults that people have planted: seven in `small_vault.vy`, seven in our staking contract."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from simulator.chain import Artifact, load_artifact
from simulator.chain.compile import compile_patched

SOURCE = Path(__file__).with_name("small_vault.vy")

_BOUGHT = "def _bought(assets: uint256) -> uint256:\n    return self._to_shares(assets, "
_COUNT = "    self._counted = balance - tip\n"
_TIP = "    extcall IERC20(asset).transfer(msg.sender, tip)\n"
_VIRTUAL = "_VIRTUAL_SHARES: constant(uint256) = {}\n_VIRTUAL_ASSETS: constant(uint256) = {}"
_TOTAL = "    return min(self._counted, staticcall IERC20(asset).balanceOf(self))"

FAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    "rounding": ((_BOUGHT + "False)", _BOUGHT + "True)"),),
    "donations": ((_TOTAL, "    return staticcall IERC20(asset).balanceOf(self)"),),
    "fee-on-loss": (
        (
            "def _on_loss(loss: uint256):\n    pass",
            "def _on_loss(loss: uint256):\n    self._mint(fee_recipient, loss // 10 * "
            "self.totalSupply // (self._counted + 1))",
        ),
    ),
    "stale-price": ((_TOTAL, "    return self._counted"),),
    "unbounded-queue": (
        (
            "    self._mint(receiver, shares)\n    log Deposit",
            "    self._mint(receiver, shares)\n    self._queue.append(receiver)\n    log Deposit",
        ),
        (
            "    self._counted = self._total() - assets\n",
            "    self._counted = self._total() - assets\n    for one: address in self._queue:\n"
            "        if one == empty(address):\n            break\n",
        ),
    ),
    "re-entry": (
        ("def report():", "@reentrant\ndef report():"),
        (_COUNT, ""),
        (_TIP, _TIP + _COUNT),
    ),
    "first-depositor": ((_VIRTUAL.format("1_000", 1), _VIRTUAL.format(0, 0)),),
}
"""By the rule that must name it."""


@cache
def small_vault(fault: str = "") -> Artifact:
    """Return the vault, compiled, with one of the faults or sound."""
    return patched(*FAULTS[fault]) if fault else patched()


def patched(*edits: tuple[str, str]) -> Artifact:
    """Return the vault, compiled, with other edits than the planted ones."""
    return compile_patched(SOURCE, *((SOURCE.name, old, new) for old, new in edits))


STAKING = Path(__file__).parents[2] / "contracts" / "staking_rewards.vy"
_UPDATE = "    self._update_reward(account)\n"
_PULL = "    received: uint256 = asset_token._pull("
_LEFT = "        pot += (self.periodFinish - block.timestamp) * self.rewardRate\n"
_LOWER = '        assert rate >= self.rewardRate, "staking_rewards: rate would fall"\n'
_ONLY = (
    "    assert msg.sender == self.rewardsDistribution, "
    '"staking_rewards: caller is not the rewards distribution"\n'
)
_FLOWED = "flowed // self.totalSupply"
_PAID = "    self.rewards[account] = 0\n"
_WITHDRAWN = "    self.totalSupply -= amount\n    self.balanceOf[account] = stake - amount\n"

STAKING_FAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    # Who has never staked is rewarded from the beginning of time.
    "before-stake": ((_UPDATE + _PULL, _PULL),),
    # The classic: a notice begins a period anew with what is new alone.
    "lost-rewards": ((_LEFT, "        pass\n"), (_LOWER, "        pass\n")),
    # Anybody's notice of nothing stretches what is left over a whole period more.
    "slowed-rewards": ((_ONLY, ""), (_LOWER, "        pass\n")),
    # A withdrawal is booked before what the stake has earned.
    "accrued": ((_UPDATE + _WITHDRAWN, _WITHDRAWN + _UPDATE),),
    "paid-as-earned": ((_PAID, ""),),
    "over-paid": ((_FLOWED, "flowed // max(self.totalSupply - 1, 1) * 101 // 100"),),
    "stake": ((_WITHDRAWN, _WITHDRAWN + '    assert amount % 7 != 3, "fee"\n'),),
}


@cache
def staking(fault: str = "") -> Artifact:
    """Return our staking contract, compiled with one of the faults, or as it is packaged."""
    return staking_with(*STAKING_FAULTS[fault]) if fault else load_artifact("staking_rewards")


def staking_with(*edits: tuple[str, str]) -> Artifact:
    """Return our staking contract, compiled with other edits than the planted ones."""
    return compile_patched(STAKING, *((STAKING.name, old, new) for old, new in edits))
