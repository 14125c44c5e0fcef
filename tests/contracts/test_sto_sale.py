"""Between payment and claim: who may not receive gets his money, and no gift takes his room.

A token costs 100 dollars, the soft cap is 1,000,000 dollars, milestones release 30, 33.33
and 36.67 %. Each buyer here pays 1,000,000 dollars for 10,000 tokens.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, DOLLAR, events, refused
from sto_stage import CHILE, CONGO, QUARTER, TOKEN, StoStage, identity_of
from test_sto_raise import HARD, PRICE, SOFT, end, open_raise

from simulator.chain import ZERO_ADDRESS, Chain, Contract
from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
BOUGHT = 10_000 * TOKEN
OVER = "compliance: identity would exceed its cap"
UNVERIFIED = "mining_sto: receiver is not verified"
FORBIDDEN = "compliance: country is forbidden"


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    stage = StoStage(revm, roles)
    for role in ("depositor", "second_depositor", "trader", "stranger"):
        stage.send(stage.usdc, "mint", getattr(roles, role), 2 * HARD, sender=roles.owner)
    return stage


@pytest.fixture
def closed(stage: StoStage, roles: SimpleNamespace) -> Contract:
    """Return a raise of 2,000,000 dollars, one half the depositor's, that has succeeded."""
    sale = open_raise(stage)
    for buyer in (roles.depositor, roles.second_depositor):
        stage.send(sale, "contribute", SOFT, sender=buyer)
    end(stage, sale)
    return sale


def deregister(stage: StoStage, wallet: str) -> None:
    stage.send(stage.registry, "deleteIdentity", wallet, sender=stage.roles.agent)


def set_cap(stage: StoStage, cap: int) -> None:
    stage.send(stage.compliance, "set_max_balance", cap, sender=stage.roles.owner)


def held(stage: StoStage, role: str) -> int:
    """Return the token wei that count for a role's person."""
    return int(stage.read(stage.compliance, "held_by", stage.identities[role]))


def books(stage: StoStage, sale: Contract) -> tuple[int, ...]:
    """Return dollars that the raise took, gave back, released, returned, and still holds."""
    names = ("raised", "refunded", "released", "returned")
    amounts = [*(stage.read(sale, name) for name in names), stage.dollars(sale.address)]
    return tuple(amount // DOLLAR for amount in amounts)


# --- Who may not receive ---------------------------------------------------------


def test_buyer__deregistered_after_the_close__gets_back_all_he_paid(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    """The first milestone releases 30 % of the other's million: nothing of his own."""
    start = stage.dollars(roles.mine_operator)
    stage.send(closed, "claim", roles.second_depositor, sender=roles.stranger)
    deregister(stage, roles.depositor)
    with refused(UNVERIFIED):
        stage.send(closed, "claim", roles.depositor, sender=roles.stranger)
    receipt = stage.send(closed, "release_milestone", sender=roles.verifier)
    released = {"milestone": 0, "amount": 300_000 * DOLLAR}
    assert events(closed, receipt) == [("MilestoneReleased", released)]
    assert books(stage, closed) == (2_000_000, 0, 300_000, 0, 1_700_000)

    receipt = stage.send(closed, "refund", roles.depositor, sender=roles.depositor)
    fields = {"buyer": roles.depositor, "receiver": roles.depositor, "amount": SOFT}
    assert events(closed, receipt) == [("Refunded", fields)]
    assert stage.dollars(roles.depositor) == 2 * HARD
    assert (held(stage, "depositor"), held(stage, "second_depositor")) == (0, BOUGHT)
    for _ in range(2):
        stage.send(closed, "release_milestone", sender=roles.verifier)
    assert stage.dollars(roles.mine_operator) - start == SOFT
    assert books(stage, closed) == (2_000_000, 1_000_000, 1_000_000, 0, 0)
    stage.register(roles.depositor, stage.identities["depositor"])
    with refused("sto_raise: nothing to settle"):
        stage.send(closed, "claim", roles.depositor, sender=roles.depositor)


def test_buyer__registered_again__has_his_tokens_and_no_refund(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    """What milestones released meanwhile is due to the mine once the tokens are handed out."""
    start = stage.dollars(roles.mine_operator)
    deregister(stage, roles.depositor)
    receipt = stage.send(closed, "release_milestone", sender=roles.verifier)
    assert events(closed, receipt)[0][1]["amount"] == 0
    stage.register(roles.depositor, stage.identities["depositor"])
    with refused("sto_raise: tokens can be claimed"):
        stage.send(closed, "refund", roles.depositor, sender=roles.depositor)
    with refused("sto_raise: nothing is due"):
        stage.send(closed, "pay_mine", sender=roles.stranger)
    stage.send(closed, "claim", roles.depositor, sender=roles.stranger)
    receipt = stage.send(closed, "pay_mine", sender=roles.stranger)
    assert events(closed, receipt) == [("MinePaid", {"amount": 300_000 * DOLLAR})]
    assert stage.dollars(roles.mine_operator) - start == 300_000 * DOLLAR
    assert stage.balance(roles.depositor) == BOUGHT == held(stage, "depositor")


def test_buyer__of_a_country_forbidden_after_the_close__gets_back_all_he_paid(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    stage.send(stage.registry, "updateCountry", roles.depositor, CONGO, sender=roles.agent)
    with refused("sto_raise: tokens can be claimed"):
        stage.send(closed, "refund", roles.depositor, sender=roles.depositor)
    stage.send(stage.compliance, "set_country_forbidden", CONGO, True, sender=roles.owner)
    with refused(FORBIDDEN):
        stage.send(closed, "claim", roles.depositor, sender=roles.stranger)
    stage.send(closed, "refund", roles.depositor, sender=roles.depositor)
    assert stage.dollars(roles.depositor) == 2 * HARD
    stage.send(closed, "claim", roles.second_depositor, sender=roles.stranger)
    assert books(stage, closed) == (2_000_000, 1_000_000, 0, 0, 1_000_000)


def test_refund__of_a_purchase_that_can_wait__is_the_buyers_own_to_ask(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    """A stranger could else end a purchase whose wallet is off the registry for a moment."""
    deregister(stage, roles.depositor)
    for other in (roles.stranger, roles.second_depositor, roles.mine_operator):
        with refused("sto_raise: caller is not the buyer"):
            stage.send(closed, "refund", roles.depositor, sender=other)
    stage.send(closed, "refund", roles.depositor, sender=roles.depositor)


def test_buyer__recovered_and_then_removed__is_refunded_at_his_new_wallet(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    recovery = (roles.depositor, roles.auditor, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *recovery, sender=roles.agent)
    assert stage.read(stage.compliance, "reserved_for", roles.depositor) == 0
    assert stage.read(stage.compliance, "reserved_for", roles.auditor) == BOUGHT
    deregister(stage, roles.auditor)
    with refused("sto_raise: caller is not the buyer"):
        stage.send(closed, "refund", roles.depositor, sender=roles.depositor)
    stage.send(closed, "refund", roles.depositor, sender=roles.auditor)
    assert stage.dollars(roles.auditor) == SOFT
    assert held(stage, "depositor") == 0


def test_raise__dismissed_by_its_token__takes_no_money_and_gives_it_back(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    stage.send(stage.sto, "removeAgent", sale, sender=roles.owner)
    with refused("sto_raise: raise is not an agent of the token"):
        stage.send(sale, "contribute", 1, sender=roles.second_depositor)
    end(stage, sale)
    with refused("agent_role: caller is not an agent"):
        stage.send(sale, "claim", roles.depositor, sender=roles.depositor)
    stage.send(sale, "refund", roles.depositor, sender=roles.depositor)
    assert stage.dollars(roles.depositor) == 2 * HARD
    # Who is no agent cannot let go of a reservation: that is left to the owner.
    assert held(stage, "depositor") == BOUGHT
    release = ("release", roles.depositor, BOUGHT)
    with refused("compliance: caller is neither agent nor owner"):
        stage.send(stage.compliance, *release, sender=roles.depositor)
    stage.send(stage.compliance, *release, sender=roles.owner)
    assert held(stage, "depositor") == 0


# --- The end of claims --------------------------------------------------------------


def test_purchase__not_claimed_by_the_end_of_milestones__is_refunded_on_anybodys_request(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    """Two of three milestones, 63.33 %: the claimed half leaves 366,700 to its holder."""
    stage.send(closed, "release_milestone", sender=roles.verifier)
    stage.send(closed, "release_milestone", sender=roles.verifier)
    last = stage.read(closed, "milestones_end") - 1
    claim = ("claim", roles.second_depositor)
    stage.send(closed, *claim, sender=roles.stranger, at=last)
    with refused("sto_raise: claims have ended"):
        stage.send(closed, "claim", roles.depositor, sender=roles.stranger, at=last + 1)
    stage.send(closed, "return_unreleased", sender=roles.stranger)
    assert books(stage, closed) == (2_000_000, 0, 0, 366_700, 1_633_300)
    stage.send(closed, "refund", roles.depositor, sender=roles.stranger)
    assert stage.dollars(roles.depositor) == 2 * HARD
    stage.send(closed, "pay_mine", sender=roles.stranger)
    assert books(stage, closed) == (2_000_000, 1_000_000, 633_300, 366_700, 0)
    for call, reason in (("return_unreleased", "nothing is left"), ("pay_mine", "nothing is due")):
        with refused(f"sto_raise: {reason}"):
            stage.send(closed, call, sender=roles.stranger)
    stage.wait(QUARTER)
    assert stage.claim(roles.second_depositor) == pytest.approx(366_700 * DOLLAR, abs=1)


# --- A gift ---------------------------------------------------------------------------


@pytest.fixture
def capped(stage: StoStage, roles: SimpleNamespace) -> Contract:
    """Return a closed raise at a cap of 10,000 tokens: all buyers have paid for as many."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    for buyer in (roles.depositor, roles.trader):
        stage.send(sale, "contribute", SOFT, sender=buyer)
    end(stage, sale)
    stage.send(sale, "claim", roles.trader, sender=roles.stranger)
    return sale


def test_gift__to_a_buyer_at_his_cap__is_refused_and_does_not_block_his_claim(
    stage: StoStage, capped: Contract, roles: SimpleNamespace
) -> None:
    with refused(OVER):
        stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    stage.send(capped, "claim", roles.depositor, sender=roles.stranger)
    assert stage.balance(roles.depositor) == BOUGHT == held(stage, "depositor")
    assert stage.read(stage.compliance, "reserved_for", roles.depositor) == 0
    # To whom there is room left it is welcome.
    stage.send(stage.sto, "transfer", roles.second_depositor, 1, sender=roles.trader)


def test_gift__by_force__exceeds_the_cap_by_itself_alone(
    stage: StoStage, capped: Contract, roles: SimpleNamespace
) -> None:
    gift = ("forcedTransfer", roles.trader, roles.depositor, 7)
    stage.send(stage.sto, *gift, sender=roles.agent)
    stage.send(capped, "claim", roles.depositor, sender=roles.stranger)
    assert stage.balance(roles.depositor) == BOUGHT + 7 == held(stage, "depositor")


def test_gift__to_a_second_wallet__takes_no_room_of_the_first(
    stage: StoStage, capped: Contract, roles: SimpleNamespace
) -> None:
    stage.register(roles.stranger, stage.identities["depositor"])
    with refused(OVER):
        stage.send(stage.sto, "transfer", roles.stranger, 1, sender=roles.trader)
    stage.send(capped, "claim", roles.depositor, sender=roles.keeper)
    stage.send(stage.sto, "transfer", roles.stranger, 1, sender=roles.depositor)


def test_buyer__who_would_fill_his_cap_to_be_refused__can_neither_fill_it_nor_leave(
    stage: StoStage, capped: Contract, roles: SimpleNamespace
) -> None:
    """The price has halved: he would buy at 50 what he paid 100 for, and have the 100 back."""
    for amount in (1, BOUGHT):
        with refused(OVER):
            stage.send(stage.sto, "transfer", roles.depositor, amount, sender=roles.trader)
    with refused("sto_raise: tokens can be claimed"):
        stage.send(capped, "refund", roles.depositor, sender=roles.depositor)
    stage.send(capped, "claim", roles.depositor, sender=roles.mine_operator)


def test_cap__lowered_after_the_payment__stops_new_payments_and_no_claim(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    set_cap(stage, BOUGHT - 1)
    with refused(OVER):
        stage.send(sale, "contribute", SOFT, sender=roles.trader)
    with refused(OVER):
        stage.send(sale, "contribute", 1, sender=roles.depositor)
    stage.send(sale, "contribute", SOFT - 1, sender=roles.trader)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    assert stage.balance(roles.depositor) == BOUGHT


def test_contribute__beside_what_is_held__leaves_the_rest_of_the_cap(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """4,000 tokens held, 6,000 to buy in two wallets: 5,999 and one."""
    set_cap(stage, BOUGHT)
    stage.mint(roles.depositor, 4_000)
    stage.register(roles.stranger, stage.identities["depositor"])
    sale = open_raise(stage, soft_cap=PRICE)
    stage.send(sale, "contribute", 5_999 * PRICE, sender=roles.depositor)
    assert held(stage, "depositor") == 9_999 * TOKEN
    with refused(OVER):
        stage.send(sale, "contribute", PRICE + 1, sender=roles.stranger)
    stage.send(sale, "contribute", PRICE, sender=roles.stranger)
    assert held(stage, "depositor") == BOUGHT
    end(stage, sale)
    for wallet in (roles.stranger, roles.depositor):
        stage.send(sale, "claim", wallet, sender=roles.keeper)
    assert held(stage, "depositor") == BOUGHT


def test_raise__that_fails__gives_the_room_back_with_the_money(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    set_cap(stage, BOUGHT)
    sale = open_raise(stage, soft_cap=HARD)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    with refused(OVER):
        stage.mint(roles.depositor, 10_001)
    end(stage, sale)
    receipt = stage.send(sale, "refund", roles.depositor, sender=roles.stranger)
    gone = {"wallet": roles.depositor, "amount": 0}
    assert events(stage.compliance, receipt) == [("ReservationSet", gone)]
    assert held(stage, "depositor") == 0
    stage.mint(roles.depositor, 10_000)


def test_refund__with_little_gas__lets_go_of_the_reservation_or_fails_whole(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """A stranger must not pay out a buyer and leave his room taken for ever."""
    sale = open_raise(stage, soft_cap=HARD)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    failed = 0
    for gas in range(20_000, 120_000, 500):
        before = stage.chain.snapshot()
        try:
            stage.chain.send(sale.call("refund", roles.depositor, sender=roles.stranger, gas=gas))
            assert held(stage, "depositor") == 0
        except TransactionReverted:
            failed += 1
        stage.chain.revert(before)
    assert 0 < failed < 200


def test_mint__by_an_agent_to_a_buyer__uses_his_reservation_and_keeps_the_cap(
    stage: StoStage, capped: Contract, roles: SimpleNamespace
) -> None:
    """Of his 10,000 the agent creates 4,000 apart: the claim of 10,000 would be 4,000 over."""
    stage.mint(roles.depositor, 4_000)
    assert held(stage, "depositor") == BOUGHT
    assert stage.read(stage.compliance, "reserved_for", roles.depositor) == 6_000 * TOKEN
    with refused(OVER):
        stage.send(capped, "claim", roles.depositor, sender=roles.stranger)
    set_cap(stage, 14_000 * TOKEN - 1)
    with refused(OVER):
        stage.send(capped, "claim", roles.depositor, sender=roles.stranger)
    set_cap(stage, 14_000 * TOKEN)
    stage.send(capped, "claim", roles.depositor, sender=roles.stranger)
    assert held(stage, "depositor") == 14_000 * TOKEN


def test_wallet__that_changes_its_person__takes_its_reservation_along(
    stage: StoStage, capped: Contract, roles: SimpleNamespace
) -> None:
    new = identity_of(70)
    stage.send(stage.registry, "updateIdentity", roles.depositor, new, sender=roles.agent)
    assert held(stage, "depositor") == 0
    assert stage.read(stage.compliance, "held_by", new) == BOUGHT
    stage.send(capped, "claim", roles.depositor, sender=roles.stranger)
    assert stage.read(stage.compliance, "held_by", new) == BOUGHT


def test_wallet__that_changed_its_person_unseen__counts_its_reservation_at_once(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """No listener tells of the change; 10,000 paid for leave no room for one wei more."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    stage.mint(roles.trader, 1)
    stage.send(stage.registry, "set_listener", ZERO_ADDRESS, sender=roles.owner)
    new = identity_of(70)
    stage.send(stage.registry, "updateIdentity", roles.depositor, new, sender=roles.agent)
    with refused(OVER):
        stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    set_cap(stage, BOUGHT + 1)
    stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    assert stage.read(stage.compliance, "held_by", new) == BOUGHT + 1


# --- Another compliance ---------------------------------------------------------------


def test_compliance__that_takes_anothers_place__refuses_above_its_cap_and_money_goes_back(
    stage: StoStage, closed: Contract, roles: SimpleNamespace
) -> None:
    """It knows no reservation: 10,000 tokens are new to it, and one wei above its cap."""
    fresh = stage.deploy("compliance")
    stage.send(stage.sto, "setCompliance", fresh, sender=roles.owner)
    stage.send(closed, "claim", roles.second_depositor, sender=roles.stranger)
    stage.send(fresh, "set_max_balance", BOUGHT - 1, sender=roles.owner)
    with refused(OVER):
        stage.send(closed, "claim", roles.depositor, sender=roles.stranger)
    stage.send(closed, "refund", roles.depositor, sender=roles.depositor)
    assert stage.dollars(roles.depositor) == 2 * HARD


def test_compliance__without_reservations__sells_nothing_and_stops_no_refund(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    bare = compile_patched(
        CONTRACTS / "compliance.vy",
        ("compliance.vy", "def reserve(", "def other_call("),
        ("compliance.vy", "def release(", "def another_call("),
    )
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT - 1, sender=roles.depositor)
    strange = stage.chain.deploy(bare, [], sender=roles.owner)
    stage.send(stage.sto, "setCompliance", strange, sender=roles.owner)
    assert stage.refusal(sale, "contribute", SOFT, sender=roles.trader) is not None
    end(stage, sale)
    stage.send(sale, "refund", roles.depositor, sender=roles.stranger)
    assert stage.dollars(roles.depositor) == 2 * HARD
    stage.send(stage.sto, "setCompliance", stage.compliance, sender=roles.owner)
    assert stage.refusal(open_raise(stage), "contribute", SOFT, sender=roles.trader) is None


# --- Reservations -----------------------------------------------------------------------


def test_reserve__is_for_agents_of_the_bound_token(stage: StoStage, roles: SimpleNamespace) -> None:
    reserve = ("reserve", roles.depositor, 5)
    for other in (roles.owner, roles.depositor, roles.stranger):
        with refused("compliance: caller is not an agent of the token"):
            stage.send(stage.compliance, *reserve, sender=other)
    receipt = stage.send(stage.compliance, *reserve, sender=roles.agent)
    fields = {"wallet": roles.depositor, "amount": 5}
    assert events(stage.compliance, receipt) == [("ReservationSet", fields)]
    stage.send(stage.compliance, "unbindToken", stage.sto, sender=roles.owner)
    with refused("compliance: caller is not an agent of the token"):
        stage.send(stage.compliance, *reserve, sender=roles.agent)


def test_reserve__for_one_who_holds_for_others__is_refused(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    with refused("compliance: wallet holds for others"):
        stage.send(stage.compliance, "reserve", stage.staking, 5, sender=roles.agent)
    stage.send(stage.compliance, "reserve", roles.depositor, 5, sender=roles.agent)
    name = ("set_custodian", roles.depositor, True)
    with refused("compliance: tokens are reserved for the wallet"):
        stage.send(stage.compliance, *name, sender=roles.owner)
    stage.send(stage.compliance, "release", roles.depositor, 5, sender=roles.agent)
    stage.send(stage.compliance, *name, sender=roles.owner)


def test_release__of_more_than_is_reserved__takes_what_is_reserved(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """50 held and 5 reserved: 50 stay, whatever is asked for."""
    stage.mint(roles.depositor, 50)
    stage.send(stage.compliance, "reserve", roles.depositor, 5, sender=roles.agent)
    assert held(stage, "depositor") == 50 * TOKEN + 5
    stage.send(stage.compliance, "release", roles.depositor, 2, sender=roles.agent)
    assert held(stage, "depositor") == 50 * TOKEN + 3
    receipt = stage.send(stage.compliance, "release", roles.depositor, 4, sender=roles.agent)
    assert len(events(stage.compliance, receipt)) == 1
    assert held(stage, "depositor") == 50 * TOKEN
    again = stage.send(stage.compliance, "release", roles.depositor, 4, sender=roles.agent)
    assert events(stage.compliance, again) == []
    assert held(stage, "depositor") == 50 * TOKEN


def test_reserved_tokens__of_a_wallet_in_a_forbidden_country__are_still_not_minted(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.compliance, "reserve", roles.depositor, 5, sender=roles.agent)
    stage.send(stage.compliance, "set_country_forbidden", CHILE, True, sender=roles.owner)
    mint = ("mint", roles.depositor, 5)
    with refused(FORBIDDEN):
        stage.send(stage.sto, *mint, sender=roles.agent)
    stage.send(stage.compliance, "set_country_forbidden", CHILE, False, sender=roles.owner)
    stage.send(stage.sto, *mint, sender=roles.agent)


def test_close__after_the_end_of_milestones__leaves_refunds_alone(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    stage.chain.block(stage.read(sale, "milestones_end") + DAY, [])
    stage.send(sale, "close", sender=roles.stranger)
    with refused("sto_raise: claims have ended"):
        stage.send(sale, "claim", roles.depositor, sender=roles.depositor)
    stage.send(sale, "refund", roles.depositor, sender=roles.stranger)
    assert books(stage, sale) == (1_000_000, 1_000_000, 0, 0, 0)
