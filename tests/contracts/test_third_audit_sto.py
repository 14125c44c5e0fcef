"""Faults found by a third attack, on security token, raise and desk, played as they were.

A token costs 100 dollars, the soft cap is 1,000,000 dollars, milestones release 30, 33.33
and 36.67 %. Whoever buys here pays 1,000,000 dollars for 10,000 tokens.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from props import DOLLAR, events, refused
from sto_stage import TOKEN, StoStage
from test_sto_raise import HARD, SOFT, end, open_raise

from simulator.chain import Chain

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
