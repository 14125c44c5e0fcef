"""No rounding pays the caller; and a contract in which one does is found out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from props import DAY, deploy, send

from simulator.chain import ZERO_ADDRESS, Artifact, Chain, load_artifact
from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"

EDITS = {
    "withdraw burns too few shares": (
        "shares: uint256 = self._shares_for(worth, 0, True)\n    self._leave",
        "shares: uint256 = self._shares_for(worth, 0, False)\n    self._leave",
    ),
    "redeem pays too much": (
        "worth: uint256 = self._assets_for(shares, 0, False)\n    assets",
        "worth: uint256 = self._assets_for(shares, 0, True)\n    assets",
    ),
    "mint costs too little": (
        "cost: uint256 = self._assets_for(shares, 0, True)",
        "cost: uint256 = self._assets_for(shares, 0, False)",
    ),
}


def small_vault(chain: Chain, roles, patched: Mapping[str, Artifact]):
    """A vault of 1,000 wei of shares worth 1,500 wei, so that a wei of rounding shows."""
    feed = deploy(chain, "price_feed", 8, "reserve", roles.keeper, sender=roles.owner)
    send(chain, feed, "update_answer", 10**18, sender=roles.keeper)
    gold = deploy(chain, "gold_token", "Gold", "GOLD", 18, feed, 10 * DAY, sender=roles.owner)
    unlimited = 2**256 - 1
    artifact = patched.get("gold_vault") or load_artifact("gold_vault")
    args = ("V", "V", gold.address, roles.owner, roles.treasury, 0, 0, 0, unlimited, ZERO_ADDRESS)
    vault = chain.deploy(artifact, args, sender=roles.owner)
    parts = (gold, vault, roles.keeper, roles.intruder)
    pool = deploy(chain, "stage_strategy", *parts, sender=roles.owner)
    send(chain, gold, "increaseSupply", 10**18, sender=roles.owner)
    for who in (roles.depositor, roles.keeper):
        send(chain, gold, "transfer", who, 10**6, sender=roles.owner)
    send(chain, gold, "approve", vault, unlimited, sender=roles.depositor)
    send(chain, gold, "approve", pool, unlimited, sender=roles.keeper)
    send(chain, vault, "add_strategy", pool, sender=roles.owner)
    send(chain, vault, "deposit", 1_000, roles.depositor, sender=roles.depositor)
    send(chain, vault, "update_debt", pool, 1_000, sender=roles.owner)
    send(chain, pool, "credit", 500, sender=roles.keeper)
    send(chain, vault, "process_report", pool, sender=roles.owner)
    return vault


def falls_of_the_share_price(chain: Chain, roles, vault) -> list[str]:
    """Return the calls after which the shares that remain are worth less than before."""
    me = roles.depositor
    found = []
    for function, *args in (
        *(("withdraw", amount, me, me) for amount in (1, 2, 3, 5, 7)),
        *(("redeem", amount, me, me) for amount in (1, 2, 3, 5, 7)),
        *(("mint", amount, me) for amount in (1, 2, 3, 5, 7)),
        *(("deposit", amount, me) for amount in (2, 3, 5, 7)),
    ):
        before = vault.read(chain, "share_price")
        try:
            send(chain, vault, function, *args, sender=me)
        except TransactionReverted:
            continue
        if vault.read(chain, "share_price") < before:
            found.append(function)
    return found


def test_rounding__never_lowers_the_share_price(revm: Chain, roles) -> None:
    vault = small_vault(revm, roles, {})
    assert vault.read(revm, "share_price") > 10**27
    assert falls_of_the_share_price(revm, roles, vault) == []


@pytest.mark.parametrize("fault", EDITS)
def test_rounding_turned_round__is_found_out(fault: str, revm: Chain, roles) -> None:
    old, new = EDITS[fault]
    broken = compile_patched(CONTRACTS / "gold_vault.vy", ("gold_vault.vy", old, new))
    vault = small_vault(revm, roles, {"gold_vault": broken})
    assert fault.split()[0] in falls_of_the_share_price(revm, roles, vault)
