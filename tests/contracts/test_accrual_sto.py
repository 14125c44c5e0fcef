"""Every act on the mine's token and its staking, after time has passed and before any has.

The token. u = 2**68 wei. The depositor holds u, the second depositor 3 u, and a dollar a
second flows to the supply of 4 u. In 1,000 seconds the first earns 250 dollars and the second
750; an act of that second must leave them that, and what flows in the next 1,000 seconds goes
to the balances after it. The twin is the same act in the second of the payment, when nothing
has flowed: only what flows after it is there. An act that does not credit the flow first gives
the first 1,000 seconds to the wrong balances, and its twin shows nothing.

The staking. The staker and the second staker stake u each, the depositor holds 2 u; profit
flows at four dollars a second, a dollar for each staked u, and rewards at a fifth of a dollar,
a tenth for each. In 1,000 seconds a staker earns 1,000 + 100 dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from props import DAY, DOLLAR, refused
from sto_stage import QUARTER, StoStage
from test_sto_raise import PRICE, open_raise

from simulator.chain import Artifact, Chain, Contract, load_artifact

SECONDS = 1_000
UNIT = 2**68
UNLIMITED = 2**256 - 1
MONTH = 30 * DAY


@dataclass(frozen=True)
class Act:
    """A call, and what it must lead to, by hand.

    `first` and `then` are dollars by role: what is earned at the act where 1,000 seconds went
    before it, and what the 1,000 seconds after it bring. `paid` are dollars that the act
    itself pays out of `first`. A word with a leading @ names a role or contract.
    """

    call: tuple[object, ...]
    then: Mapping[str, float]
    first: Mapping[str, float]
    paid: Mapping[str, float] = field(default_factory=dict)
    before: tuple[tuple[object, ...], ...] = ()

    def __str__(self) -> str:
        return str(self.call[1])


HELD = {"depositor": 250.0, "second_depositor": 750.0}


def token(*call: object, first: Mapping[str, float] = HELD, **then: float) -> Act:
    """Return an act on the token whose wallets have earned `HELD` by then."""
    return Act(call, then, first)


HALF, DOUBLE = UNIT // 2, 2 * UNIT
TOKEN_ACTS = [
    # half a u from the depositor to the trader: 1/8, 6/8, 1/8 of 1,000 dollars
    token(
        *("@depositor", "transfer", "@trader", HALF),
        depositor=125,
        second_depositor=750,
        trader=125,
    ),
    token(
        *("@keeper", "transferFrom", "@depositor", "@trader", HALF),
        depositor=125,
        second_depositor=750,
        trader=125,
    ),
    # 1/4 u stays, 13/4 u and 1/2 u are with the others, out of 4 u
    token(
        *("@depositor", "batchTransfer", ["@trader", "@second_depositor"], [HALF, UNIT // 4]),
        depositor=62.5,
        second_depositor=812.5,
        trader=125,
    ),
    # 5 u and 3 u of 8 u
    token("@agent", "mint", "@depositor", 4 * UNIT, depositor=625, second_depositor=375),
    # 3 u, 3 u and 2 u of 8 u
    token(
        *("@agent", "batchMint", ["@depositor", "@trader"], [DOUBLE, DOUBLE]),
        depositor=375,
        second_depositor=375,
        trader=250,
    ),
    # u each
    token("@agent", "burn", "@second_depositor", DOUBLE, depositor=500, second_depositor=500),
    token(
        *("@agent", "batchBurn", ["@second_depositor", "@second_depositor"], [UNIT, UNIT]),
        depositor=500,
        second_depositor=500,
    ),
    # u, u and 2 u
    token(
        *("@agent", "forcedTransfer", "@second_depositor", "@trader", DOUBLE),
        depositor=250,
        second_depositor=250,
        trader=500,
    ),
    # 2 u to the trader, then the depositor's u to the second: 0, 2 u, 2 u
    token(
        *("@agent", "batchForcedTransfer"),
        *(["@second_depositor", "@depositor"], ["@trader", "@second_depositor"], [DOUBLE, UNIT]),
        second_depositor=500,
        trader=500,
    ),
    # all that the lost wallet had earned is the new one's
    token(
        *("@agent", "recoveryAddress", "@depositor", "@stranger", "@identity"),
        first={"stranger": 250, "second_depositor": 750},
        stranger=250,
        second_depositor=750,
    ),
    Act(("@depositor", "withdrawFunds"), HELD, HELD, paid={"depositor": 250}),
    # another dollar a second from here on
    *(
        token(
            *("@mine_operator", function, QUARTER * DOLLAR), depositor=500, second_depositor=1_500
        )
        for function in ("distribute_funds", "return_capital")
    ),
]

FROZEN = ("@agent", "freezePartialTokens", "@depositor", 2)
INDIFFERENT_ACTS = [
    Act(call, HELD, HELD, before=before)
    for call, *before in (
        (("@depositor", "approve", "@trader", 1),),
        (FROZEN,),
        (("@agent", "unfreezePartialTokens", "@depositor", 1), FROZEN),
        (("@agent", "setAddressFrozen", "@depositor", True),),
        (("@agent", "batchFreezePartialTokens", ["@depositor"], [1]),),
        (("@agent", "batchUnfreezePartialTokens", ["@depositor"], [1]), FROZEN),
        (("@agent", "batchSetAddressFrozen", ["@depositor"], [True]),),
        (("@agent", "pause"),),
        (("@agent", "unpause"), ("@agent", "pause")),
        (("@auditor", "record_revenue", DOLLAR),),
        (("@owner", "setName", "Mine Two"),),
        (("@owner", "setSymbol", "CU2"),),
        (("@owner", "setOnchainID", "@identity"),),
        (("@owner", "setIdentityRegistry", "@registry"),),
        (("@owner", "setCompliance", "@other_compliance"),),
        (("@owner", "set_mine_operator", "@trader"),),
        (("@owner", "set_auditor", "@trader"),),
        (("@owner", "addAgent", "@trader"),),
        (("@owner", "removeAgent", "@agent"),),
        (("@owner", "transferOwnership", "@trader"),),
    )
]
"""Acts that move no tokens and no funds: the flow goes on as it did."""


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    return build_token(revm, roles, {})


def build_token(chain: Chain, roles: SimpleNamespace, patched: Mapping[str, Artifact]) -> StoStage:
    """Return a token with holders of u and 3 u; `patched` breaks a contract."""
    stage = StoStage(chain, roles, patched=patched)
    for role, amount in (("depositor", UNIT), ("second_depositor", 3 * UNIT)):
        stage.send(stage.sto, "mint", getattr(roles, role), amount, sender=roles.agent)
    stage.send(stage.sto, "approve", roles.keeper, UNLIMITED, sender=roles.depositor)
    return stage


def names(stage: StoStage) -> dict[str, str]:
    """Return what a word with a leading @ stands for."""
    known = {
        "registry": stage.registry.address,
        "staking": stage.staking.address,
        "identity": stage.identities["depositor"],
        "staker_identity": stage.identities["staker"],
    }
    return {**vars(stage.roles), **known}


def plain(known: Mapping[str, str], word: object) -> object:
    if isinstance(word, list):
        return [plain(known, entry) for entry in word]
    return known[word[1:]] if isinstance(word, str) and word.startswith("@") else word


def calls(contract: Contract, known: Mapping[str, str], *acts: tuple[object, ...]) -> list:
    return [
        contract.call(function, *(plain(known, word) for word in words), sender=known[who[1:]])
        for who, function, *words in acts
    ]


def dollars(amounts: Mapping[str, float]) -> dict[str, object]:
    """Return what is not nothing, to the unit: a claim rounds down."""
    return {role: pytest.approx(usd * DOLLAR, abs=1) for role, usd in amounts.items() if usd > 0}


def added(*amounts: Mapping[str, float]) -> dict[str, float]:
    roles = {role for each in amounts for role in each}
    return {role: sum(each.get(role, 0.0) for each in amounts) for role in roles}


def claims(stage: StoStage) -> dict[str, int]:
    """Return what each role can claim of the token now, where it is something."""
    found = {
        role: stage.claim(getattr(stage.roles, role)) for role in (*stage.identities, "stranger")
    }
    return {role: amount for role, amount in found.items() if amount}


def play_on_token(stage: StoStage, act: Act, seconds: int) -> tuple[dict, dict, dict]:
    """Pay, wait, act; return the claims then, what the act paid out, and the claims later."""
    known = names(stage) | {"other_compliance": stage.deploy("compliance").address}
    stage.chain.block(stage.chain.timestamp() + 1, calls(stage.sto, known, *act.before))
    pay = stage.sto.call("distribute_funds", QUARTER * DOLLAR, sender=stage.roles.mine_operator)
    start = stage.chain.timestamp() + 1
    stage.chain.block(start, [pay])
    stage.chain.block(start + seconds, calls(stage.sto, known, act.call))
    then = claims(stage)
    paid = {role: stage.dollars(getattr(stage.roles, role)) for role in act.first}
    stage.chain.block(start + seconds + SECONDS, [])
    return then, {role: usd for role, usd in paid.items() if usd}, claims(stage)


def check_on_token(stage: StoStage, act: Act) -> None:
    then, paid, later = play_on_token(stage, act, SECONDS)
    left = {role: usd - act.paid.get(role, 0.0) for role, usd in act.first.items()}
    assert then == dollars(left)
    assert paid == dollars(act.paid)
    assert later == dollars(added(left, act.then))


@pytest.mark.parametrize("act", TOKEN_ACTS + INDIFFERENT_ACTS, ids=str)
def test_act_on_the_token__after_a_flow__leaves_each_what_he_earned(
    stage: StoStage, act: Act
) -> None:
    check_on_token(stage, act)


@pytest.mark.parametrize("act", TOKEN_ACTS + INDIFFERENT_ACTS, ids=str)
def test_act_on_the_token__before_any_flow__finds_nothing_earned(stage: StoStage, act: Act) -> None:
    then, paid, later = play_on_token(stage, act, 0)
    assert (then, paid) == ({}, {})
    assert later == dollars(act.then)


def test_acts_on_the_token__are_all_here() -> None:
    assert {str(act) for act in TOKEN_ACTS + INDIFFERENT_ACTS} == changing("mining_sto")


def changing(name: str) -> set[str]:
    """Return the names of a contract's functions that change its state."""
    return {
        entry["name"]
        for entry in load_artifact(name).abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


@pytest.mark.parametrize("seconds", [0, SECONDS])
@pytest.mark.parametrize("function", ["distribute_funds", "return_capital"])
def test_books__know_no_time(stage: StoStage, function: str, seconds: int) -> None:
    """3 dollars of revenue and a payment of 5: 3 and 2, or 0 and 5, whenever it is made."""
    record = ("record_revenue", 3 * DOLLAR)
    stage.send(stage.sto, *record, sender=stage.roles.auditor)
    stage.wait(seconds)
    pay = (function, 5 * DOLLAR)
    stage.send(stage.sto, *pay, sender=stage.roles.mine_operator, at=stage.chain.timestamp())
    profit = 3 if function == "distribute_funds" else 0
    found = [stage.read(stage.sto, name) for name in ("distributed_profit", "returned_capital")]
    assert found == [profit * DOLLAR, (5 - profit) * DOLLAR]


# --- The raise: its tokens and its money come to a token that flows -------------------


@pytest.mark.parametrize("seconds", [0, SECONDS])
def test_claim_of_a_purchase__earns_from_its_second_on(
    revm: Chain, roles: SimpleNamespace, seconds: int
) -> None:
    """1,000 tokens of the depositor; 3,000 claimed: of 1,000 dollars then 250 and 750."""
    stage = StoStage(revm, roles)
    sale = sold(stage, roles, 3_000)
    stage.mint(roles.depositor, 1_000)
    start = stage.pay(QUARTER).timestamp
    claim = ("claim", roles.trader)
    stage.send(sale, *claim, sender=roles.stranger, at=start + seconds)
    assert claims(stage) == dollars({"depositor": seconds})
    stage.chain.block(start + seconds + SECONDS, [])
    assert claims(stage) == dollars({"depositor": seconds + 250, "trader": 750})


@pytest.mark.parametrize("seconds", [0, SECONDS])
def test_return_of_what_no_milestone_released__flows_from_its_second_on(
    revm: Chain, roles: SimpleNamespace, seconds: int
) -> None:
    """77,760 tokens at 100 dollars are a dollar a second over a quarter, beside the profit's."""
    stage = StoStage(revm, roles)
    sale = sold(stage, roles, QUARTER // 100)
    stage.send(sale, "claim", roles.trader, sender=roles.stranger)
    stage.chain.block(stage.read(sale, "milestones_end"), [])
    start = stage.pay(QUARTER).timestamp
    stage.send(sale, "return_unreleased", sender=roles.stranger, at=start + seconds)
    assert claims(stage) == dollars({"trader": seconds})
    stage.chain.block(start + seconds + SECONDS, [])
    assert claims(stage) == dollars({"trader": seconds + 2 * SECONDS})


def sold(stage: StoStage, roles: SimpleNamespace, tokens: int) -> Contract:
    """Return a raise that has closed with the trader as its only buyer."""
    amount = tokens * PRICE
    stage.send(stage.usdc, "mint", roles.trader, amount, sender=roles.owner)
    sale = open_raise(stage, soft_cap=amount, hard_cap=amount)
    stage.send(sale, "contribute", amount, sender=roles.trader)
    stage.send(sale, "close", sender=roles.stranger)
    return sale


# --- The staking ----------------------------------------------------------------------

STAKED = {"staker": 1_100.0, "second_staker": 1_100.0}
ADDED = 518_600 * DOLLAR
"""Rewards that double the rate: a fifth of a dollar for 30 days and for the 1,000 seconds that
have flowed out of the first."""

STAKING_ACTS = [
    # the depositor's 2 u join: 4 dollars of profit and 0.2 of rewards by 1 : 1 : 2
    Act(
        ("@depositor", "stake", DOUBLE),
        {"staker": 1_050, "second_staker": 1_050, "depositor": 2_100},
        STAKED,
    ),
    # the second's u has all rewards; its profit is a quarter of the token's, as before
    Act(("@staker", "withdraw", UNIT), {"second_staker": 1_200}, STAKED),
    # half a u left: 500 of profit, and a third of 200
    Act(
        ("@staker", "withdraw", HALF),
        {"staker": 500 + 200 / 3, "second_staker": 1_000 + 400 / 3},
        STAKED,
    ),
    Act(("@staker", "getReward"), STAKED, STAKED, paid={"staker": 1_100}),
    Act(("@staker", "exit"), {"second_staker": 1_200}, STAKED, paid={"staker": 1_100}),
    Act(
        ("@keeper", "follow_recovery", "@staker"),
        {"stranger": 1_100, "second_staker": 1_100},
        {"stranger": 1_100, "second_staker": 1_100},
    ),
]

NOTIFY = Act(
    ("@rewards_distribution", "notifyRewardAmount", ADDED),
    {"staker": 1_200, "second_staker": 1_200},
    STAKED,
)

INDIFFERENT_STAKING_ACTS = [
    Act(call, STAKED, STAKED)
    for call in (
        ("@owner", "setPaused", True),
        ("@owner", "setRewardsDistribution", "@trader"),
        ("@owner", "recoverERC20", "@usdc", 1),
        ("@owner", "transfer_ownership", "@trader"),
    )
]


@pytest.fixture
def staked(revm: Chain, roles: SimpleNamespace) -> StoStage:
    return build_staking(revm, roles, {})


def build_staking(
    chain: Chain, roles: SimpleNamespace, patched: Mapping[str, Artifact]
) -> StoStage:
    """Return two stakers of u each and a holder of 2 u; dollars are with the staking."""
    stage = StoStage(chain, roles, patched=patched)
    for role, amount in (("staker", UNIT), ("second_staker", UNIT), ("depositor", DOUBLE)):
        wallet = getattr(roles, role)
        stage.send(stage.sto, "mint", wallet, amount, sender=roles.agent)
        stage.send(stage.sto, "approve", stage.staking, UNLIMITED, sender=wallet)
    for role in ("staker", "second_staker"):
        stage.send(stage.staking, "stake", UNIT, sender=getattr(roles, role))
    stage.send(stage.usdc, "mint", stage.staking, 2 * 10**6 * DOLLAR, sender=roles.owner)
    return stage


def earnings(stage: StoStage) -> dict[str, int]:
    """Return what each role has earned by staking, where it is something."""
    found = {
        role: int(stage.read(stage.staking, "earned", getattr(stage.roles, role)))
        for role in (*stage.identities, "stranger")
    }
    return {role: amount for role, amount in found.items() if amount}


def play_on_staking(stage: StoStage, act: Act, seconds: int) -> tuple[dict, dict, dict]:
    """Let profit and rewards flow, wait, act; return earnings, what was paid, and later ones."""
    known = names(stage) | {"usdc": stage.usdc.address}
    roles, start = stage.roles, stage.chain.timestamp() + 1
    rewards = MONTH * DOLLAR // 5
    pay = stage.sto.call("distribute_funds", 4 * QUARTER * DOLLAR, sender=roles.mine_operator)
    notify = ("notifyRewardAmount", rewards)
    reward = stage.staking.call(*notify, sender=roles.rewards_distribution)
    stage.chain.block(start, [pay, reward])
    acting = calls(stage.staking, known, act.call)
    if act.call[1] == "follow_recovery":
        lost = (roles.staker, roles.stranger, stage.identities["staker"])
        acting.insert(0, stage.sto.call("recoveryAddress", *lost, sender=roles.agent))
    stage.chain.block(start + seconds, acting)
    then = earnings(stage)
    paid = {role: stage.dollars(getattr(roles, role)) for role in act.first}
    stage.chain.block(start + seconds + SECONDS, [])
    return then, {role: usd for role, usd in paid.items() if usd}, earnings(stage)


def check_on_staking(stage: StoStage, act: Act) -> None:
    then, paid, later = play_on_staking(stage, act, SECONDS)
    left = {role: usd - act.paid.get(role, 0.0) for role, usd in act.first.items()}
    assert then == dollars(left)
    assert paid == dollars(act.paid)
    # earnings before and after the act round down apart
    assert later == {
        role: pytest.approx(usd * DOLLAR, abs=2)
        for role, usd in added(left, act.then).items()
        if usd
    }


@pytest.mark.parametrize("act", [*STAKING_ACTS, NOTIFY, *INDIFFERENT_STAKING_ACTS], ids=str)
def test_act_on_the_staking__after_a_flow__leaves_each_what_he_earned(
    staked: StoStage, act: Act
) -> None:
    check_on_staking(staked, act)


@pytest.mark.parametrize("act", STAKING_ACTS + INDIFFERENT_STAKING_ACTS, ids=str)
def test_act_on_the_staking__before_any_flow__finds_nothing_earned(
    staked: StoStage, act: Act
) -> None:
    then, paid, later = play_on_staking(staked, act, 0)
    assert (then, paid) == ({}, {})
    assert later == dollars(act.then)


def test_notify__before_any_flow__starts_with_both_rewards(staked: StoStage) -> None:
    """518,400 + 518,600 dollars over 30 days: 0.400077 a second, half of it for each."""
    then, _, later = play_on_staking(staked, NOTIFY, 0)
    assert then == {}
    half = SECONDS * (518_400 + 518_600) / MONTH / 2
    assert later == dollars({"staker": 1_000 + half, "second_staker": 1_000 + half})


def test_notify__while_nobody_stakes__takes_along_the_profit_that_has_come(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """A quarter of the supply lies at the staking: 1,000 of 4,000 dollars in 1,000 seconds.

    Without a stake it is nobody's, and is streamed as a reward. Its twin finds nothing to stream.
    """
    stage = build_token(revm, roles, {})
    stage.send(stage.sto, "transfer", stage.staking, UNIT, sender=roles.depositor)
    start = stage.pay(4 * QUARTER).timestamp
    notify = stage.staking.call("notifyRewardAmount", 0, sender=roles.rewards_distribution)
    with refused("staking_rewards: nothing to distribute"):
        stage.chain.block(start, [notify])
    stage.chain.block(start + SECONDS, [notify])
    streamed = stage.read(stage.staking, "getRewardForDuration")
    assert streamed == pytest.approx(1_000 * DOLLAR, abs=1)


def test_acts_on_the_staking__are_all_here() -> None:
    """`setRewardsDuration` is for the time between periods, when no reward flows."""
    acts = [*STAKING_ACTS, NOTIFY, *INDIFFERENT_STAKING_ACTS]
    assert {str(act) for act in acts} | {"setRewardsDuration"} == changing("revenue_staking")
