"""Seven faults that people have planted in vaults, each one edit of `small_vault.vy`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from simulator.chain import Artifact
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
