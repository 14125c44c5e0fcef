"""Faults found by a third attack, on security token, raise and desk, played as they were.

A token costs 100 dollars, the soft cap is 1,000,000 dollars, milestones release 30, 33.33
and 36.67 %. Whoever buys here pays 1,000,000 dollars for 10,000 tokens.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, DOLLAR, events, refused
from sto_stage import TOKEN, StoStage
from test_sto_raise import HARD, SOFT, end, open_raise

from simulator.chain import Chain
from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
BOUGHT = 10_000 * TOKEN
OVER = "compliance: identity would exceed its cap"


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    stage = StoStage(revm, roles)
    for role in ("depositor", "second_depositor", "trader", "stranger"):
        stage.send(stage.usdc, "mint", getattr(roles, role), 2 * HARD, sender=roles.owner)
    return stage


def set_cap(stage: StoStage, cap: int) -> None:
    stage.send(stage.compliance, "set_max_balance", cap, sender=stage.roles.owner)


def held(stage: StoStage, role: str) -> int:
    """Return the token wei that count for a role's person."""
    return int(stage.read(stage.compliance, "held_by", stage.identities[role]))


# --- Reservations that stood in for each other ------------------------------------------


def test_contribute__to_a_second_raise__leaves_the_cap_what_the_first_reserves(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """What the first reserved passed for the second's: payment after payment of 10,000 tokens
    went through, 60,000 tokens at a cap of 10,000."""
    set_cap(stage, BOUGHT + 7)
    first, second = open_raise(stage), open_raise(stage)
    stage.send(first, "contribute", SOFT, sender=roles.depositor)
    with refused(OVER):
        stage.send(second, "contribute", SOFT, sender=roles.depositor)
    set_cap(stage, 2 * BOUGHT)
    stage.send(second, "contribute", SOFT, sender=roles.depositor)
    for sale in (first, second):
        with refused(OVER):
            stage.send(sale, "contribute", 1, sender=roles.depositor)
    end(stage, first)
    end(stage, second)
    for sale in (first, second):
        stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    assert stage.balance(roles.depositor) == 2 * BOUGHT == held(stage, "depositor")


def test_contribute__of_a_wallet_that_took_over_from_another__counts_what_that_had_paid_for(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """The lost wallet's reservation passed for each payment anew: 50,000 tokens, the whole of
    the hard cap, at a cap of 10,000 a person."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    for amount in (1, SOFT):
        with refused(OVER):
            stage.send(sale, "contribute", amount, sender=roles.stranger)
    set_cap(stage, 2 * BOUGHT)
    stage.send(sale, "contribute", SOFT, sender=roles.stranger)
    end(stage, sale)
    for wallet in (roles.depositor, roles.stranger):
        stage.send(sale, "claim", wallet, sender=roles.keeper)
    assert stage.balance(roles.stranger) == 2 * BOUGHT == held(stage, "depositor")


def test_contribute__beside_what_an_agent_has_reserved__leaves_the_rest_of_the_cap(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """4,000 reserved by an agent and 6,000 to buy: 6,000 passed twice."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    reserve = ("reserve", roles.depositor, 4_000 * TOKEN)
    stage.send(stage.compliance, *reserve, sender=roles.agent)
    with refused(OVER):
        stage.send(sale, "contribute", SOFT * 6 // 10 + 1, sender=roles.depositor)
    stage.send(sale, "contribute", SOFT * 6 // 10, sender=roles.depositor)
    assert held(stage, "depositor") == BOUGHT


# --- A milestone on a day without dollars -----------------------------------------------


@pytest.mark.parametrize("stopped", ["nobody", "mine", "raise", "token"])
def test_milestone__while_dollars_are_stopped__is_confirmed_and_paid_later(
    stage: StoStage, roles: SimpleNamespace, stopped: str
) -> None:
    """It could not be confirmed, and once its date was over the mine lost 300,000 dollars."""
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    before = stage.dollars(roles.mine_operator)
    barred = {"mine": roles.mine_operator, "raise": sale.address}.get(stopped)
    if stopped == "token":
        stage.send(stage.usdc, "pause", sender=roles.owner)
    elif barred:
        stage.send(stage.usdc, "blacklist", barred, sender=roles.owner)
    last = stage.read(sale, "milestones_end") - 1
    receipt = stage.send(sale, "release_milestone", sender=roles.verifier, at=last)
    at_once = 300_000 * DOLLAR if stopped == "nobody" else 0
    released = {"milestone": 0, "amount": at_once}
    assert events(sale, receipt) == [("MilestoneReleased", released)]
    if stopped == "token":
        stage.send(stage.usdc, "unpause", sender=roles.owner)
    elif barred:
        stage.send(stage.usdc, "unBlacklist", barred, sender=roles.owner)
    stage.send(sale, "return_unreleased", sender=roles.stranger, at=last + 1)
    if not at_once:
        stage.send(sale, "pay_mine", sender=roles.stranger)
    assert stage.dollars(roles.mine_operator) - before == 300_000 * DOLLAR
    assert stage.dollars(sale.address) == 0
    with refused("sto_raise: nothing is due"):
        stage.send(sale, "pay_mine", sender=roles.stranger)


# --- A recovery on short gas ------------------------------------------------------------


@pytest.mark.parametrize("slots", [0, 1, 6])
def test_recovery__with_the_least_gas_it_passes_with__still_tells_the_compliance(
    revm: Chain, roles: SimpleNamespace, slots: int
) -> None:
    """The call that tells it may fail, and out of gas it did: of a compliance that stores one
    slot more, the least gas that passed, which wallets look for, left stake, lock-up and
    reservation with the lost wallet."""
    store = "".join(
        f"        self.held_by[convert({n}, address)] = 1\n" for n in range(1, slots + 1)
    )
    last = "        self._set_lockup(lost, 0, 0)\n"
    costly = compile_patched(CONTRACTS / "compliance.vy", ("compliance.vy", last, last + store))
    stage = StoStage(revm, roles, patched={"compliance": costly})
    stage.send(stage.usdc, "mint", roles.depositor, SOFT, sender=roles.owner)
    stage.mint(roles.depositor, 100)
    stage.stake(roles.depositor, 100)
    stage.send(open_raise(stage), "contribute", SOFT, sender=roles.depositor)
    stage.register(roles.stranger, stage.identities["depositor"])
    lock = ("set_lockup", roles.depositor, TOKEN, stage.chain.timestamp() + DAY)
    stage.send(stage.compliance, *lock, sender=roles.owner)
    enough, too_little = 500_000, 50_000
    while enough - too_little > 1:
        gas = (enough + too_little) // 2
        if _recovery_passes(stage, gas):
            enough = gas
        else:
            too_little = gas
    assert too_little > 100_000


def _recovery_passes(stage: StoStage, gas: int) -> bool:
    """Return whether a recovery on so much gas passes, and check that it is a whole one."""
    roles, before = stage.roles, stage.chain.snapshot()
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    try:
        stage.chain.send(stage.sto.call("recoveryAddress", *lost, sender=roles.agent, gas=gas))
    except TransactionReverted:
        return False
    else:
        moved = {"entrusted_by": 100 * TOKEN, "reserved_for": BOUGHT}
        for name, amount in moved.items():
            assert stage.read(stage.compliance, name, roles.stranger) == amount
        assert stage.read(stage.compliance, "lockup_of", roles.stranger)[0] == TOKEN
        return True
    finally:
        stage.chain.revert(before)
