"""Faults that people have planted, in `small_vault.vy` and in our staking contract."""

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
"""By the rule that must name it: what sequences and attacks on its arithmetic find."""

_SPENT = "    if msg.sender != owner:\n        self._spend(owner, shares)\n"
_ENTERS = "    self._enter(receiver, assets, shares)\n    return {}\n"
_BY_CALLER = "    self._enter(msg.sender, assets, shares)\n    return {}\n"
_PAID_OUT = "    extcall IERC20(asset).transfer(receiver, assets)\n"
_LOGGED_IN = "    log Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)\n"
_LOGGED_OUT = (
    "    log Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, "
    "shares=shares)\n"
)

PARTIES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "no-allowance": ("authority", ((_SPENT, ""),)),
    "one-share-too-many": (
        "authority",
        ((_SPENT, _SPENT.replace("self._spend(owner, shares)", "self._spend(owner, shares - 1)")),),
    ),
    "allowance-not-spent": (
        "authority",
        (
            (
                _SPENT,
                "    if msg.sender != owner:\n"
                "        assert self.allowance[owner][msg.sender] >= shares\n",
            ),
        ),
    ),
    "spent-in-assets": ("authority", ((_SPENT, _SPENT.replace("owner, shares", "owner, assets")),)),
    "deposit-to-the-caller": (
        "receiver",
        ((_ENTERS.format("shares"), _BY_CALLER.format("shares")),),
    ),
    "mint-to-the-caller": (
        "receiver",
        ((_ENTERS.format("assets"), _BY_CALLER.format("assets")),),
    ),
    "paid-to-the-owner": ("receiver", ((_PAID_OUT, _PAID_OUT.replace("receiver", "owner")),)),
    "third-party-paid-more": (
        "receiver",
        (
            (
                _PAID_OUT,
                _PAID_OUT
                + "    if msg.sender != owner and receiver != owner:\n"
                + "        extcall IERC20(asset).transfer(receiver, assets // 100)\n",
            ),
        ),
    ),
    "deposit-not-logged": ("events", ((_LOGGED_IN, ""),)),
    "withdrawal-not-logged": ("events", ((_LOGGED_OUT, ""),)),
    "parties-of-a-deposit-swapped": (
        "events",
        (
            (
                _LOGGED_IN,
                _LOGGED_IN.replace("msg.sender, owner=receiver", "receiver, owner=msg.sender"),
            ),
        ),
    ),
    "parties-of-a-withdrawal-swapped": (
        "events",
        (
            (
                _LOGGED_OUT,
                _LOGGED_OUT.replace(
                    "receiver=receiver, owner=owner", "receiver=owner, owner=receiver"
                ),
            ),
        ),
    ),
}
"""The rule that must name it and the edits, by what is done to caller, receiver or owner."""


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
_AT_ONCE = (
    "    self._withdraw(msg.sender, self.balanceOf[msg.sender])\n    self._pay_reward(msg.sender)\n"
)

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
    # Who leaves at once gets his stake and loses what it has earned.
    "exit": ((_AT_ONCE, _AT_ONCE.replace("_pay_reward(msg.sender)", "rewards[msg.sender] = 0")),),
    "stake": ((_WITHDRAWN, _WITHDRAWN + '    assert amount % 7 != 3, "fee"\n'),),
}


@cache
def staking(fault: str = "") -> Artifact:
    """Return our staking contract, compiled with one of the faults, or as it is packaged."""
    return staking_with(*STAKING_FAULTS[fault]) if fault else load_artifact("staking_rewards")


def staking_with(*edits: tuple[str, str]) -> Artifact:
    """Return our staking contract, compiled with other edits than the planted ones."""
    return compile_patched(STAKING, *((STAKING.name, old, new) for old, new in edits))
