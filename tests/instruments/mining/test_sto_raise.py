"""The primary raise: all back below the soft cap, all out by milestones from it on."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from props import DAY, DOLLAR, Refusal, check_refusal, deploy, events, refused, send
from sto_stage import CONGO, QUARTER, TOKEN, UNLIMITED, StoStage, identity_of

from simulator.chain import ZERO_ADDRESS, Chain, Contract

PRICE = 100 * DOLLAR
SOFT, HARD = 1_000_000 * DOLLAR, 5_000_000 * DOLLAR
MILESTONES = [3_000, 3_333, 3_667]
OPEN_DAYS, MILESTONE_DAYS = 30, 365


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    stage = StoStage(revm, roles)
    for role in ("depositor", "second_depositor", "trader", "stranger"):
        wallet = getattr(roles, role)
        stage.send(stage.usdc, "mint", wallet, 2 * HARD, sender=roles.owner)
    return stage


def terms(stage: StoStage, **changes: object) -> list[object]:
    """Return the constructor's arguments; the raise opens in an hour."""
    opens = stage.chain.timestamp() + 3_600
    default = {
        "token": stage.sto,
        "mine": stage.roles.mine_operator,
        "verifier": stage.roles.verifier,
        "price": PRICE,
        "soft_cap": SOFT,
        "hard_cap": HARD,
        "opens": opens,
        "closes": opens + OPEN_DAYS * DAY,
        "milestones": MILESTONES,
        "milestones_end": opens + MILESTONE_DAYS * DAY,
    }
    return list((default | changes).values())


def open_raise(stage: StoStage, **changes: object) -> Contract:
    """Deploy the raise, let buyers' dollars be taken, and wait until it is open."""
    sale = stage.deploy("sto_raise", *terms(stage, **changes))
    stage.send(stage.sto, "addAgent", sale, sender=stage.roles.owner)
    for role in ("depositor", "second_depositor", "trader", "stranger"):
        wallet = getattr(stage.roles, role)
        stage.send(stage.usdc, "approve", sale, UNLIMITED, sender=wallet)
    stage.chain.block(stage.read(sale, "opens"), [])
    return sale


@pytest.fixture
def sale(stage: StoStage) -> Contract:
    return open_raise(stage)


def end(stage: StoStage, sale: Contract) -> None:
    stage.chain.block(stage.read(sale, "closes"), [])
    stage.send(sale, "close", sender=stage.roles.stranger)


def test_raise__that_misses_its_soft_cap__refunds_every_unit(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    paid = {roles.depositor: SOFT // 2, roles.trader: SOFT // 2 - 1}
    before = {wallet: stage.dollars(wallet) for wallet in paid}
    for wallet, amount in paid.items():
        stage.send(sale, "contribute", amount, sender=wallet)
    end(stage, sale)
    assert not stage.read(sale, "has_succeeded")
    with refused("sto_raise: has not succeeded"):
        stage.send(sale, "claim", roles.depositor, sender=roles.depositor)
    with refused("sto_raise: has not succeeded"):
        stage.send(sale, "release_milestone", sender=roles.verifier)
    for wallet, amount in paid.items():
        receipt = stage.send(sale, "refund", wallet, sender=roles.stranger)
        fields = {"buyer": wallet, "receiver": wallet, "amount": amount}
        assert events(sale, receipt) == [("Refunded", fields)]
        with refused("sto_raise: nothing to settle"):
            stage.send(sale, "refund", wallet, sender=wallet)
    assert {wallet: stage.dollars(wallet) for wallet in paid} == before
    assert stage.dollars(sale.address) == 0
    assert stage.read(stage.sto, "totalSupply") == 0


def test_raise__at_its_soft_cap__mints_and_releases_every_unit(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    """1,000,000.000001 dollars: 30 %, 33.33 %, and all that is left."""
    stage.send(sale, "contribute", SOFT - 7, sender=roles.depositor)
    stage.send(sale, "contribute", 8, sender=roles.trader)
    end(stage, sale)
    with refused("sto_raise: tokens can be claimed"):
        stage.send(sale, "refund", roles.depositor, sender=roles.depositor)
    for wallet, amount in ((roles.depositor, SOFT - 7), (roles.trader, 8)):
        stage.send(sale, "claim", wallet, sender=roles.stranger)
        assert stage.balance(wallet) == amount * TOKEN // PRICE
    start = stage.dollars(roles.mine_operator)
    assert stage.read(sale, "milestone_count") == 3
    released = []
    for _ in MILESTONES:
        stage.send(sale, "release_milestone", sender=roles.verifier)
        released.append(stage.dollars(roles.mine_operator) - start)
    # Of 1,000,000,000,001 units: 3,000/10,000 and 3,333/10,000, both rounded down.
    assert released == [300_000_000_000, 633_300_000_000, 1_000_000_000_001]
    assert stage.dollars(sale.address) == 0
    with refused("sto_raise: all milestones are released"):
        stage.send(sale, "release_milestone", sender=roles.verifier)


def test_raise__at_its_hard_cap__closes_at_once(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    stage.send(sale, "contribute", HARD - 1, sender=roles.depositor)
    with refused("sto_raise: still open"):
        stage.send(sale, "close", sender=roles.stranger)
    with refused("sto_raise: exceeds the hard cap"):
        stage.send(sale, "contribute", 2, sender=roles.trader)
    stage.send(sale, "contribute", 1, sender=roles.trader)
    receipt = stage.send(sale, "close", sender=roles.stranger)
    closed = {"has_succeeded": True, "raised": HARD}
    assert events(sale, receipt) == [("RaiseClosed", closed)]
    with refused("sto_raise: closed"):
        stage.send(sale, "close", sender=roles.stranger)
    with refused("sto_raise: closed"):
        stage.send(sale, "contribute", 1, sender=roles.trader)


def test_milestones__missed_by_their_date__return_the_rest_to_holders_as_capital(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.depositor)
    stage.send(sale, "release_milestone", sender=roles.verifier)
    with refused("sto_raise: milestones have not ended"):
        stage.send(sale, "return_unreleased", sender=roles.stranger)
    stage.chain.block(stage.read(sale, "milestones_end"), [])
    with refused("sto_raise: milestones have ended"):
        stage.send(sale, "release_milestone", sender=roles.verifier)
    # Revenue in the books does not turn the raise's own money into profit.
    stage.send(stage.sto, "record_revenue", SOFT, sender=roles.auditor)
    receipt = stage.send(sale, "return_unreleased", sender=roles.stranger)
    rest = SOFT * 7 // 10
    assert events(sale, receipt) == [("UnreleasedReturned", {"amount": rest})]
    assert stage.read(stage.sto, "returned_capital") == rest
    assert stage.read(stage.sto, "distributed_profit") == 0
    assert stage.dollars(sale.address) == 0
    with refused("sto_raise: nothing is left"):
        stage.send(sale, "return_unreleased", sender=roles.stranger)
    stage.wait(QUARTER)
    assert stage.claim(roles.depositor) == pytest.approx(rest, abs=1)


def test_recovered_wallet__is_paid_at_its_last_successor(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    stage.send(sale, "contribute", SOFT // 2, sender=roles.depositor)
    for lost, new in ((roles.depositor, roles.auditor), (roles.auditor, roles.keeper)):
        recover = ("recoveryAddress", lost, new, stage.identities["depositor"])
        stage.send(stage.sto, *recover, sender=roles.agent)
    stage.register(roles.depositor, identity_of(66))
    with refused("sto_raise: wallet was recovered"):
        stage.send(sale, "contribute", PRICE, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "refund", roles.depositor, sender=roles.stranger)
    assert stage.dollars(roles.keeper) == SOFT // 2


def test_recoveries__one_after_the_other__are_followed_up_to_31(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    identity = stage.identities["depositor"]
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    wallets = [roles.depositor, *(f"0xa{n:039x}" for n in range(1, 33))]

    def recover(n: int) -> None:
        call = ("recoveryAddress", wallets[n], wallets[n + 1], identity)
        stage.send(stage.sto, *call, sender=roles.agent)

    for n in range(31):
        recover(n)
    before = stage.chain.snapshot()
    recover(31)
    with refused("sto_raise: too many recoveries"):
        stage.send(sale, "claim", roles.depositor, sender=roles.keeper)
    stage.chain.revert(before)
    stage.send(sale, "claim", roles.depositor, sender=roles.keeper)
    assert stage.balance(wallets[31]) == SOFT * TOKEN // PRICE


def test_contribute__of_money_that_charges_for_a_transfer__is_refused(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """Paid in gold: a fee would leave the escrow short of what it owes."""
    reserve = deploy(revm, "price_feed", 8, "Reserve", roles.keeper, sender=roles.owner)
    send(revm, reserve, "update_answer", 10**6 * 10**8, sender=roles.keeper)
    terms_of_gold = ("Gold", "GOLD", 6, reserve, QUARTER)
    gold = deploy(revm, "gold_token", *terms_of_gold, sender=roles.owner)
    send(revm, gold, "increaseSupply", 1_000 * DOLLAR, sender=roles.owner)
    send(revm, gold, "transfer", roles.depositor, 1_000 * DOLLAR, sender=roles.owner)
    stage = StoStage(revm, roles)
    stage.usdc = gold
    stage.sto = stage.deploy_token(stage.deploy("compliance"))
    sale = open_raise(stage, soft_cap=DOLLAR, hard_cap=1_000 * DOLLAR)
    send(revm, gold, "setFeeRate", 200, sender=roles.owner)
    with refused("sto_raise: payment has not arrived in full"):
        stage.send(sale, "contribute", 100 * DOLLAR, sender=roles.depositor)
    send(revm, gold, "setFeeRate", 0, sender=roles.owner)
    stage.send(sale, "contribute", 100 * DOLLAR, sender=roles.depositor)


def test_cap_of_an_identity__holds_over_its_wallets_in_the_raise(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    """10,000 tokens an identity: a second wallet gets only what the first one left."""
    stage.register(roles.stranger, stage.identities["depositor"])
    stage.send(stage.compliance, "set_max_balance", 10_000 * TOKEN, sender=roles.owner)
    stage.send(sale, "contribute", 8_000 * PRICE, sender=roles.depositor)
    with refused("compliance: identity would exceed its cap"):
        stage.send(sale, "contribute", 2_000 * PRICE + 1, sender=roles.stranger)
    stage.send(sale, "contribute", 2_000 * PRICE, sender=roles.stranger)
    end(stage, sale)
    for wallet in (roles.depositor, roles.stranger):
        stage.send(sale, "claim", wallet, sender=wallet)
    assert stage.read(stage.compliance, "held_by", stage.identities["depositor"]) == 10**22


@pytest.fixture
def names(stage: StoStage, roles: SimpleNamespace) -> dict[str, str]:
    return dict(vars(roles))


BUY = ("@depositor", "contribute", SOFT)
REFUSALS = [
    Refusal("sto_raise: buyer is not verified", ("@stranger", "contribute", SOFT), BUY),
    Refusal(
        "sto_raise: exceeds the hard cap",
        ("@depositor", "contribute", HARD + 1),
        ("@depositor", "contribute", HARD),
    ),
    Refusal("sto_raise: too little for a token wei", ("@depositor", "contribute", 0), BUY),
    Refusal("sto_raise: still open", ("@depositor", "close"), BUY),
    Refusal("sto_raise: still open", ("@depositor", "refund", "@depositor"), BUY),
    Refusal("sto_raise: nothing is due", ("@depositor", "pay_mine"), BUY),
    Refusal("sto_raise: has not succeeded", ("@depositor", "return_unreleased"), BUY),
    Refusal("sto_raise: caller is not the verifier", ("@mine_operator", "release_milestone"), BUY),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, sale: Contract, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, sale, names, case)


def test_contribute__before_it_opens_or_after_it_closes__is_refused(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    sale = stage.deploy("sto_raise", *terms(stage))
    stage.send(stage.sto, "addAgent", sale, sender=roles.owner)
    stage.send(stage.usdc, "approve", sale, UNLIMITED, sender=roles.depositor)
    opens, closes = stage.read(sale, "opens"), stage.read(sale, "closes")
    buy = ("contribute", DOLLAR)
    with refused("sto_raise: not open yet"):
        stage.send(sale, *buy, sender=roles.depositor, at=opens - 1)
    stage.send(sale, *buy, sender=roles.depositor, at=opens)
    stage.send(sale, *buy, sender=roles.depositor, at=closes - 1)
    with refused("sto_raise: closed"):
        stage.send(sale, *buy, sender=roles.depositor, at=closes)


def test_contribute__from_a_forbidden_country__is_refused(
    stage: StoStage, sale: Contract, roles: SimpleNamespace
) -> None:
    stage.register(roles.stranger, identity_of(50), CONGO)
    stage.send(stage.compliance, "set_country_forbidden", CONGO, True, sender=roles.owner)
    with refused("compliance: country is forbidden"):
        stage.send(sale, "contribute", SOFT, sender=roles.stranger)
    stage.send(stage.compliance, "set_country_forbidden", CONGO, False, sender=roles.owner)
    stage.send(sale, "contribute", SOFT, sender=roles.stranger)


BAD_TERMS = [
    ({"token": ZERO_ADDRESS}, "token is the zero address"),
    ({"mine": ZERO_ADDRESS}, "mine is the zero address"),
    ({"verifier": ZERO_ADDRESS}, "verifier is the zero address"),
    ({"price": 0}, "price is zero"),
    ({"soft_cap": 0}, "soft cap is zero"),
    ({"soft_cap": HARD + 1}, "soft cap above hard cap"),
    ({"closes": 0}, "closes before it opens"),
    ({"milestones_end": 0}, "milestones end before it closes"),
    ({"milestones": [5_000, 0, 5_000]}, "milestone without a part"),
    ({"milestones": [5_000, 4_999]}, "milestones are not 100 %"),
    ({"milestones": []}, "milestones are not 100 %"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_TERMS, ids=[reason for _, reason in BAD_TERMS])
def test_deploy__with_terms_that_cannot_be__is_refused(
    stage: StoStage, change: dict[str, object], reason: str
) -> None:
    with refused(f"sto_raise: {reason}"):
        stage.deploy("sto_raise", *terms(stage, **change))
    stage.deploy("sto_raise", *terms(stage, soft_cap=HARD))
