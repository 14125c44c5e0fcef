"""The market of single tokens: a sale by hand, each refusal beside its success."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from handmade import DENYING, assembled
from props import DOLLAR, Refusal, check_refusal, events, refused
from solar_stage import UNLIMITED, SolarStage

from simulator.chain import Artifact, Chain, load_artifact


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> SolarStage:
    """A panel of the depositor's, who lets the market send it."""
    found = SolarStage(revm, roles)
    found.panel(roles.depositor)
    found.act("setApprovalForAll", found.desk.address, True, by=roles.depositor)
    return found


def test_sale__pays_the_seller_less_the_royalty(stage: SolarStage):
    """200 dollars at a royalty of 2.5 %: 195 for the seller, 5 for the issuer."""
    seller, buyer, issuer = stage.roles.depositor, stage.roles.trader, stage.roles.treasury
    receipt = stage.send(stage.desk, "offer", 1, 200 * DOLLAR, by=seller)
    found = {"token_id": 1, "seller": seller, "price": 200 * DOLLAR}
    assert events(stage.desk, receipt) == [("Offered", found)]
    before = {who: stage.dollars(who) for who in (seller, buyer, issuer)}
    receipt = stage.send(stage.desk, "buy", 1, 200 * DOLLAR, by=buyer)
    moved = {who: stage.dollars(who) - money for who, money in before.items()}
    assert moved == {seller: 195 * DOLLAR, buyer: -200 * DOLLAR, issuer: 5 * DOLLAR}
    assert stage.read("ownerOf", 1) == buyer
    found = {**found, "buyer": buyer, "royalty": 5 * DOLLAR}
    assert events(stage.desk, receipt) == [("Bought", found)]
    with refused("nft_desk: token is not offered"):
        stage.send(stage.desk, "buy", 1, 200 * DOLLAR, by=seller)


def test_sale__leaves_earned_revenue_with_the_seller(stage: SolarStage):
    seller, buyer = stage.roles.depositor, stage.roles.trader
    stage.go(30)
    stage.report(1, 32)
    stage.share(4)
    stage.send(stage.desk, "offer", 1, 200 * DOLLAR, by=seller)
    stage.send(stage.desk, "buy", 1, 200 * DOLLAR, by=buyer)
    assert stage.claim(buyer, 1) == 0
    assert stage.claim(seller) == 4 * DOLLAR


REFUSALS = [
    Refusal(
        "nft_desk: caller is not the owner",
        ("@trader", "offer", 1, DOLLAR),
        ("@depositor", "offer", 1, DOLLAR),
    ),
    Refusal(
        "nft_desk: price of zero",
        ("@depositor", "offer", 1, 0),
        ("@depositor", "offer", 1, 1),
    ),
    Refusal(
        "nft_desk: token is not offered",
        ("@trader", "buy", 1, DOLLAR),
        lift=(("@depositor", "offer", 1, DOLLAR),),
    ),
    Refusal(
        "nft_desk: exceeds the most to pay",
        ("@trader", "buy", 1, DOLLAR - 1),
        ("@trader", "buy", 1, DOLLAR),
        before=(("@depositor", "offer", 1, DOLLAR),),
    ),
    Refusal(
        "nft_desk: caller has not offered it",
        ("@trader", "withdraw", 1),
        ("@depositor", "withdraw", 1),
        before=(("@depositor", "offer", 1, DOLLAR),),
    ),
    Refusal(
        "nft_desk: caller has not offered it",
        ("@depositor", "withdraw", 1),
        lift=(("@depositor", "offer", 1, DOLLAR),),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_refusal__beside_its_success(stage: SolarStage, case: Refusal):
    check_refusal(stage.chain, stage.desk, vars(stage.roles), case)


def test_left_open__seller_who_claims_the_silver_first__sells_an_empty_token(stage: SolarStage):
    """A market that knows no panels cannot promise what is left in one; `panelOf` tells it."""
    seller, buyer = stage.roles.depositor, stage.roles.trader
    stage.act("fund_silver", 100 * DOLLAR, by=stage.roles.owner)
    stage.act("retire", 1, by=stage.roles.agent)
    stage.send(stage.desk, "offer", 1, DOLLAR, by=seller)
    stage.act("claim_silver", 1, by=seller)
    stage.send(stage.desk, "buy", 1, DOLLAR, by=buyer)
    assert stage.read("silver_value", 1) == 0
    with refused("solar_nft: silver was claimed before"):
        stage.act("claim_silver", 1, by=buyer)


def test_withdrawn_offer__is_gone(stage: SolarStage):
    seller = stage.roles.depositor
    stage.send(stage.desk, "offer", 1, DOLLAR, by=seller)
    receipt = stage.send(stage.desk, "withdraw", 1, by=seller)
    assert events(stage.desk, receipt) == [("Withdrawn", {"token_id": 1})]
    with refused("nft_desk: token is not offered"):
        stage.send(stage.desk, "buy", 1, DOLLAR, by=stage.roles.trader)


def test_offer__of_a_token_that_was_sent_away__rests_until_it_is_back(stage: SolarStage):
    seller, other = stage.roles.depositor, stage.roles.second_depositor
    stage.send(stage.desk, "offer", 1, DOLLAR, by=seller)
    stage.act("transferFrom", seller, other, 1, by=seller)
    with refused("nft_desk: seller has it no more"):
        stage.send(stage.desk, "buy", 1, DOLLAR, by=stage.roles.trader)
    stage.act("transferFrom", other, seller, 1, by=other)
    stage.send(stage.desk, "buy", 1, DOLLAR, by=stage.roles.trader)


def test_locked_token__cannot_be_sold(stage: SolarStage):
    seller = stage.roles.depositor
    stage.send(stage.desk, "offer", 1, DOLLAR, by=seller)
    stage.act("lock", 1, by=seller)
    with refused("solar_nft: panel is locked"):
        stage.send(stage.desk, "buy", 1, DOLLAR, by=stage.roles.trader)
    stage.go(90)
    stage.act("unlock", 1, by=seller)
    stage.send(stage.desk, "buy", 1, DOLLAR, by=stage.roles.trader)


@pytest.mark.parametrize(("bps", "royalty"), [(10_000, DOLLAR), (0, 0)], ids=["all", "none"])
def test_royalty__of_the_whole_price__or_of_nothing(
    revm: Chain, roles: SimpleNamespace, bps: int, royalty: int
):
    """ERC-2981 allows both."""
    stage = SolarStage(revm, roles)
    terms = stage.arguments(royalty_bps=bps)
    stage.nft = revm.deploy(load_artifact("solar_nft"), terms, sender=roles.owner)
    args = (stage.nft.address, stage.usdc.address)
    stage.desk = revm.deploy(load_artifact("nft_desk"), args, sender=roles.owner)
    stage.send(stage.usdc, "approve", stage.desk, 10**12, by=roles.trader)
    stage.panel(roles.depositor)
    stage.act("approve", stage.desk, 1, by=roles.depositor)
    stage.send(stage.desk, "offer", 1, DOLLAR, by=roles.depositor)
    before = stage.dollars(roles.depositor)
    stage.send(stage.desk, "buy", 1, DOLLAR, by=roles.trader)
    assert stage.dollars(roles.depositor) - before == DOLLAR - royalty
    assert stage.dollars(roles.treasury) == royalty


def test_royalty__of_a_single_unit__is_paid(stage: SolarStage):
    """2.5 % of 40 units."""
    seller, issuer = stage.roles.depositor, stage.roles.treasury
    before = stage.dollars(seller), stage.dollars(issuer)
    stage.send(stage.desk, "offer", 1, 40, by=seller)
    stage.send(stage.desk, "buy", 1, 40, by=stage.roles.trader)
    assert (stage.dollars(seller), stage.dollars(issuer)) == (before[0] + 39, before[1] + 1)


@pytest.mark.parametrize("more", [0, 1])
def test_royalty__above_the_price__is_refused(stage: SolarStage, more: int):
    """Another collection may ask for more than there is: the buyer must not pay above his price."""
    me = stage.roles.trader
    greedy = stage.chain.deploy(greedy_collection(more), (), sender=stage.roles.owner)
    args = (greedy.address, stage.usdc.address)
    stage.desk = stage.chain.deploy(load_artifact("nft_desk"), args, sender=stage.roles.owner)
    stage.send(stage.usdc, "approve", stage.desk, UNLIMITED, by=me)
    stage.send(stage.desk, "offer", 1, DOLLAR, by=me)
    if more:
        with refused("nft_desk: royalty exceeds the price"):
            stage.send(stage.desk, "buy", 1, DOLLAR, by=me)
        return
    bought = events(stage.desk, stage.send(stage.desk, "buy", 1, DOLLAR, by=me), "Bought")
    assert bought[0][1]["royalty"] == DOLLAR


def greedy_collection(more: int) -> Artifact:
    """Return a collection that belongs to whoever acts, with a royalty of the price and more.

    To every call it answers two words, the sender of the transaction and what is asked in the
    second argument, plus `more`:
    ORIGIN PUSH0 MSTORE · PUSH1 36 CALLDATALOAD PUSH1 more ADD PUSH1 32 MSTORE · return both.
    """
    return assembled("greedy", f"325f5260243560{more:02x}0160205260405ff3")


def test_payment__of_a_token_that_says_no__is_refused(stage: SolarStage):
    """A token that answers false to a transfer instead of reverting."""
    silent = stage.chain.deploy(DENYING, (), sender=stage.roles.owner)
    args = (stage.nft.address, silent.address)
    stage.desk = stage.chain.deploy(load_artifact("nft_desk"), args, sender=stage.roles.owner)
    stage.send(stage.desk, "offer", 1, DOLLAR, by=stage.roles.depositor)
    with refused("nft_desk: payment failed"):
        stage.send(stage.desk, "buy", 1, DOLLAR, by=stage.roles.trader)
