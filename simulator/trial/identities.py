"""The directions in which ERC-4626 rounds, as inequalities between a vault's own views.

What is paid rounds down and what is asked rounds up, by every function and its inverse. None of
the inequalities needs the true price, so fees on entry or exit do not disturb them.

References
----------
https://eips.ethereum.org/EIPS/eip-4626, "Security Considerations"
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.errors import TransactionReverted
from simulator.trial.faults import Breach, Check
from simulator.trial.stage import TrialStage

_ASSETS_GIVEN = ("convertToShares", "previewDeposit", "previewWithdraw")
_SHARES_GIVEN = ("convertToAssets", "previewMint", "previewRedeem")
# (outer, inner, sign): outer(inner(x)) <= x where the sign is -1, >= x where it is 1.
_THERE_AND_BACK = (
    ("convertToAssets", "convertToShares", -1),
    ("convertToShares", "convertToAssets", -1),
    ("previewMint", "previewDeposit", -1),
    ("previewWithdraw", "previewRedeem", -1),
    ("previewRedeem", "previewDeposit", -1),
    ("convertToShares", "previewMint", 1),
    ("convertToAssets", "previewWithdraw", 1),
    ("previewMint", "previewWithdraw", 1),
)
# (one, other, sign): one(x) <= other(x), or >=.
_SIDE_BY_SIDE = (
    ("previewDeposit", "convertToShares", -1),
    ("previewWithdraw", "convertToShares", 1),
    ("previewMint", "convertToAssets", 1),
    ("previewRedeem", "convertToAssets", -1),
)
_AMOUNTS = (1, 2, 3, 10, 97, 999, 12_345, 10**12 + 7, 10**18 + 1)


def against_the_actor(stage: TrialStage, supply: int) -> Iterator[Breach]:
    """Yield the inequalities that do not hold now, for amounts small and large."""
    if not supply or not stage.read("totalAssets"):
        return
    names = (*_ASSETS_GIVEN, *_SHARES_GIVEN)
    asked = [(name, amount) for name in names for amount in _AMOUNTS]
    try:
        answers = stage.words([stage.contract.call(*one) for one in asked])
    except TransactionReverted:
        return
    known = dict(zip(asked, answers, strict=True))
    for one, other, sign in _SIDE_BY_SIDE:
        for amount in _AMOUNTS:
            yield from _compared(stage, one, amount, known[one, amount], sign, known[other, amount])
    outer = [
        (name, known[inner, amount], sign, amount)
        for name, inner, sign in _THERE_AND_BACK
        for amount in _AMOUNTS
        if known[inner, amount]
    ]
    try:
        back = stage.words([stage.contract.call(name, given) for name, given, _, _ in outer])
    except TransactionReverted:
        return
    for (name, given, sign, amount), found in zip(outer, back, strict=True):
        yield from _compared(stage, name, given, found, sign, amount)


def _compared(
    stage: TrialStage, name: str, given: int, found: int, sign: int, bound: int
) -> Iterator[Breach]:
    if (found - bound) * sign >= 0:
        return
    limit = "at most" if sign < 0 else "at least"
    view = stage.contract.call(name, given)
    check = Check(view, most=bound) if sign < 0 else Check(view, least=bound)
    yield Breach("rounding", f"{name}({given}) is {found}, must be {limit} {bound}", check)
