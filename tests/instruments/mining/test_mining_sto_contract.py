"""The mine's security token by ERC-3643: names, refusals beside their success, agents' powers."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from props import (
    ERC20_FUNCTIONS,
    ERC20_TOPICS,
    Refusal,
    check_refusal,
    check_standard,
    events,
    refused,
)
from sto_stage import CHILE, QUARTER, TOKEN, StoStage, identity_of

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact

HELD = 100


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    """A running token of which the depositor holds 100."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, HELD)
    return stage


@pytest.fixture
def names(stage: StoStage, roles: SimpleNamespace) -> dict[str, str]:
    return {
        **vars(roles),
        "nobody": ZERO_ADDRESS,
        "registry": stage.registry.address,
        "identity": stage.identities["depositor"],
        "other_identity": stage.identities["trader"],
    }


AGENT_ROLE = {
    "addAgent(address)": "",
    "removeAgent(address)": "",
    "isAgent(address)": "bool",
}
AGENT_TOPICS = {"AgentAdded(address)": 1, "AgentRemoved(address)": 1}
OWNERSHIP = {"owner()": "address", "transferOwnership(address)": ""}
OWNERSHIP_TOPICS = {"OwnershipTransferred(address,address)": 2}


def test_interface__has_the_names_of_erc_3643_and_erc_2222() -> None:
    """Every function and event of `IERC3643`, `IAgentRole`, ERC-20, ERC-173 and ERC-2222."""
    lists = "address[],uint256[]"
    functions = {
        **ERC20_FUNCTIONS,
        **AGENT_ROLE,
        **OWNERSHIP,
        "onchainID()": "address",
        "version()": "string",
        "identityRegistry()": "address",
        "compliance()": "address",
        "paused()": "bool",
        "isFrozen(address)": "bool",
        "getFrozenTokens(address)": "uint256",
        "setName(string)": "",
        "setSymbol(string)": "",
        "setOnchainID(address)": "",
        "pause()": "",
        "unpause()": "",
        "setAddressFrozen(address,bool)": "",
        "freezePartialTokens(address,uint256)": "",
        "unfreezePartialTokens(address,uint256)": "",
        "setIdentityRegistry(address)": "",
        "setCompliance(address)": "",
        "forcedTransfer(address,address,uint256)": "bool",
        "mint(address,uint256)": "",
        "burn(address,uint256)": "",
        "recoveryAddress(address,address,address)": "bool",
        f"batchTransfer({lists})": "",
        f"batchForcedTransfer(address[],{lists})": "",
        f"batchMint({lists})": "",
        f"batchBurn({lists})": "",
        "batchSetAddressFrozen(address[],bool[])": "",
        f"batchFreezePartialTokens({lists})": "",
        f"batchUnfreezePartialTokens({lists})": "",
        "withdrawableFundsOf(address)": "uint256",
        "withdrawFunds()": "",
    }
    topics = {
        **ERC20_TOPICS,
        **AGENT_TOPICS,
        **OWNERSHIP_TOPICS,
        "UpdatedTokenInformation(string,string,uint8,string,address)": 0,
        "IdentityRegistryAdded(address)": 1,
        "ComplianceAdded(address)": 1,
        "RecoverySuccess(address,address,address)": 0,
        "AddressFrozen(address,bool,address)": 3,
        "TokensFrozen(address,uint256)": 1,
        "TokensUnfrozen(address,uint256)": 1,
        "Paused(address)": 0,
        "Unpaused(address)": 0,
        "FundsDistributed(address,uint256)": 1,
        "FundsWithdrawn(address,uint256)": 1,
    }
    check_standard(load_artifact("mining_sto"), functions, topics)


UNVERIFIED = "mining_sto: receiver is not verified"
FROZEN = "mining_sto: wallet is frozen"
NOT_AGENT = "agent_role: caller is not an agent"
NOT_OWNER = "ownable: caller is not the owner"
LENGTHS = "mining_sto: lists differ in length"

TRANSFER = ("@depositor", "transfer", "@trader", TOKEN)
APPROVE = ("@depositor", "approve", "@staker", TOKEN)
TRANSFER_FROM = ("@staker", "transferFrom", "@depositor", "@trader", TOKEN)


def frozen(who: str) -> dict[str, tuple]:
    return {
        "before": (APPROVE, ("@agent", "setAddressFrozen", who, True)),
        "lift": (("@agent", "setAddressFrozen", who, False),),
    }


MOVES = [
    *(
        Refusal(
            "mining_sto: paused",
            call,
            before=(APPROVE, ("@agent", "pause")),
            lift=(("@agent", "unpause"),),
        )
        for call in (TRANSFER, TRANSFER_FROM)
    ),
    *(
        Refusal(FROZEN, call, **frozen(who))
        for call in (TRANSFER, TRANSFER_FROM)
        for who in ("@depositor", "@trader")
    ),
    Refusal(UNVERIFIED, ("@depositor", "transfer", "@stranger", TOKEN), TRANSFER),
    Refusal(UNVERIFIED, ("@depositor", "transfer", "@nobody", TOKEN), TRANSFER),
    Refusal(
        UNVERIFIED,
        ("@staker", "transferFrom", "@depositor", "@stranger", TOKEN),
        TRANSFER_FROM,
        before=(APPROVE,),
    ),
    Refusal(UNVERIFIED, ("@agent", "mint", "@stranger", 1), ("@agent", "mint", "@trader", 1)),
    Refusal(
        UNVERIFIED,
        ("@agent", "forcedTransfer", "@depositor", "@stranger", TOKEN),
        ("@agent", "forcedTransfer", "@depositor", "@trader", TOKEN),
    ),
    Refusal(
        "mining_sto: amount exceeds the free balance",
        ("@depositor", "transfer", "@trader", HELD * TOKEN + 1),
        ("@depositor", "transfer", "@trader", HELD * TOKEN),
    ),
    Refusal(
        "mining_sto: amount exceeds the free balance",
        ("@depositor", "transfer", "@trader", 60 * TOKEN + 1),
        ("@depositor", "transfer", "@trader", 60 * TOKEN),
        before=(("@agent", "freezePartialTokens", "@depositor", 40 * TOKEN),),
    ),
    Refusal(
        "erc20: insufficient allowance",
        ("@staker", "transferFrom", "@depositor", "@trader", TOKEN + 1),
        TRANSFER_FROM,
        before=(APPROVE,),
    ),
    *(
        Refusal(
            "mining_sto: amount exceeds the balance",
            ("@agent", *call, HELD * TOKEN + 1),
            ("@agent", *call, HELD * TOKEN),
        )
        for call in (("burn", "@depositor"), ("forcedTransfer", "@depositor", "@trader"))
    ),
    Refusal(
        "frozen_balances: amount exceeds the free balance",
        ("@agent", "freezePartialTokens", "@depositor", 60 * TOKEN + 1),
        ("@agent", "freezePartialTokens", "@depositor", 60 * TOKEN),
        before=(("@agent", "freezePartialTokens", "@depositor", 40 * TOKEN),),
    ),
    Refusal(
        "frozen_balances: amount exceeds the frozen balance",
        ("@agent", "unfreezePartialTokens", "@depositor", 40 * TOKEN + 1),
        ("@agent", "unfreezePartialTokens", "@depositor", 40 * TOKEN),
        before=(("@agent", "freezePartialTokens", "@depositor", 40 * TOKEN),),
    ),
]

RECOVERY = ("recoveryAddress", "@depositor", "@stranger", "@identity")
AGENTS = [
    *(
        Refusal(NOT_AGENT, ("@owner", *call), ("@agent", *call), before=before)
        for call, before in (
            (("mint", "@trader", 1), ()),
            (("burn", "@depositor", 1), ()),
            (("forcedTransfer", "@depositor", "@trader", 1), ()),
            (RECOVERY, ()),
            (("setAddressFrozen", "@trader", True), ()),
            (("freezePartialTokens", "@depositor", 1), ()),
            (
                ("unfreezePartialTokens", "@depositor", 1),
                (("@agent", "freezePartialTokens", "@depositor", 1),),
            ),
            (("pause",), ()),
            (("unpause",), (("@agent", "pause"),)),
            (("batchMint", [], []), ()),
            (("batchBurn", [], []), ()),
            (("batchForcedTransfer", [], [], []), ()),
            (("batchSetAddressFrozen", [], []), ()),
            (("batchFreezePartialTokens", [], []), ()),
            (("batchUnfreezePartialTokens", [], []), ()),
        )
    ),
    *(
        Refusal(LENGTHS, (who, function, [], [1]), (who, function, [], []))
        for who, function in (
            ("@depositor", "batchTransfer"),
            ("@agent", "batchMint"),
            ("@agent", "batchBurn"),
            ("@agent", "batchFreezePartialTokens"),
            ("@agent", "batchUnfreezePartialTokens"),
        )
    ),
    Refusal(
        LENGTHS,
        ("@agent", "batchSetAddressFrozen", [], [True]),
        ("@agent", "batchSetAddressFrozen", [], []),
    ),
    *(
        Refusal(
            LENGTHS,
            ("@agent", "batchForcedTransfer", *lists),
            ("@agent", "batchForcedTransfer", [], [], []),
        )
        for lists in (([ZERO_ADDRESS], [], []), ([], [ZERO_ADDRESS], []), ([], [], [1]))
    ),
    Refusal(
        "mining_sto: paused",
        ("@agent", "pause"),
        before=(("@agent", "pause"),),
        lift=(("@agent", "unpause"),),
    ),
    Refusal("mining_sto: not paused", ("@agent", "unpause"), lift=(("@agent", "pause"),)),
    Refusal(
        "mining_sto: lost wallet is the new one",
        ("@agent", "recoveryAddress", "@depositor", "@depositor", "@identity"),
        ("@agent", *RECOVERY),
    ),
    Refusal(
        "mining_sto: lost wallet has another identity",
        ("@agent", "recoveryAddress", "@depositor", "@stranger", "@other_identity"),
        ("@agent", *RECOVERY),
    ),
    Refusal(
        "mining_sto: lost wallet has another identity",
        ("@agent", "recoveryAddress", "@stranger", "@auditor", "@nobody"),
        ("@agent", *RECOVERY),
    ),
    Refusal(
        "mining_sto: new wallet has another identity",
        ("@agent", "recoveryAddress", "@depositor", "@trader", "@identity"),
        ("@agent", *RECOVERY),
    ),
]

OWNERS = [
    *(
        Refusal(NOT_OWNER, ("@agent", *call), ("@owner", *call))
        for call in (
            ("setName", "Copper Mine Two"),
            ("setSymbol", "CU2"),
            ("setOnchainID", "@identity"),
            ("setIdentityRegistry", "@registry"),
            ("set_mine_operator", "@trader"),
            ("set_auditor", "@trader"),
            ("addAgent", "@trader"),
            ("removeAgent", "@agent"),
            ("transferOwnership", "@trader"),
        )
    ),
    *(
        Refusal(f"mining_sto: {what} is the zero address", ("@owner", setter, "@nobody"), allowed)
        for what, setter, allowed in (
            ("owner", "transferOwnership", ("@owner", "transferOwnership", "@trader")),
            ("operator", "set_mine_operator", ("@owner", "set_mine_operator", "@trader")),
            ("auditor", "set_auditor", ("@owner", "set_auditor", "@trader")),
            (
                "identity registry",
                "setIdentityRegistry",
                ("@owner", "setIdentityRegistry", "@registry"),
            ),
        )
    ),
    Refusal("mining_sto: name is empty", ("@owner", "setName", ""), ("@owner", "setName", "A")),
    Refusal(
        "mining_sto: symbol is empty", ("@owner", "setSymbol", ""), ("@owner", "setSymbol", "A")
    ),
    Refusal(
        "agent_role: agent is the zero address",
        ("@owner", "addAgent", "@nobody"),
        ("@owner", "addAgent", "@trader"),
    ),
    Refusal(
        "agent_role: account is already an agent",
        ("@owner", "addAgent", "@agent"),
        lift=(("@owner", "removeAgent", "@agent"),),
    ),
    Refusal(
        "agent_role: account is not an agent",
        ("@owner", "removeAgent", "@trader"),
        lift=(("@owner", "addAgent", "@trader"),),
    ),
]

PAYERS = [
    Refusal(
        "mining_sto: caller is not the auditor",
        ("@mine_operator", "record_revenue", 1),
        ("@auditor", "record_revenue", 1),
    ),
    Refusal(
        "revenue_books: no revenue",
        ("@auditor", "record_revenue", 0),
        ("@auditor", "record_revenue", 1),
    ),
    *(
        Refusal(
            "mining_sto: caller is neither operator nor agent",
            ("@auditor", function, 1_000),
            (payer, function, 1_000),
        )
        for function in ("distribute_funds", "return_capital")
        for payer in ("@mine_operator", "@agent")
    ),
    *(
        Refusal(
            "dividend_stream: nothing to distribute",
            ("@mine_operator", function, 0),
            ("@mine_operator", function, 1),
        )
        for function in ("distribute_funds", "return_capital")
    ),
]


@pytest.mark.parametrize("case", MOVES + AGENTS + OWNERS + PAYERS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, stage: StoStage, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, stage.sto, names, case)


def test_deploy__is_paused_bound_and_announces_itself(stage: StoStage) -> None:
    fresh = stage.deploy_token(stage.deploy("compliance"))
    assert stage.read(fresh, "paused")
    assert stage.read(fresh, "identityRegistry") == stage.registry.address
    assert not stage.read(stage.compliance, "isTokenBound", fresh)
    assert stage.read(stage.compliance, "isTokenBound", stage.sto)
    views = ("name", "symbol", "decimals", "version", "onchainID")
    found = [stage.read(fresh, view) for view in views]
    assert found == ["Copper Mine One", "CU1", 18, "1.0.0", ZERO_ADDRESS]


BAD_TERMS = [
    (3, ZERO_ADDRESS, "mining_sto: identity registry is the zero address"),
    (4, ZERO_ADDRESS, "mining_sto: compliance is the zero address"),
    (5, ZERO_ADDRESS, "dividend_stream: funds token is the zero address"),
    (6, 0, "dividend_stream: stream of no length"),
    (7, 10_001, "revenue_books: payout above 100 %"),
    (8, ZERO_ADDRESS, "mining_sto: operator is the zero address"),
    (9, ZERO_ADDRESS, "mining_sto: auditor is the zero address"),
]


@pytest.mark.parametrize(("place", "value", "reason"), BAD_TERMS, ids=[x[2] for x in BAD_TERMS])
def test_deploy__with_terms_that_cannot_be__is_refused(
    stage: StoStage, roles: SimpleNamespace, place: int, value: object, reason: str
) -> None:
    rules = stage.deploy("compliance")
    terms = ["mining_sto", "Mine", "MINE", stage.registry, rules, stage.usdc, QUARTER, 10_000]
    terms += [roles.mine_operator, roles.auditor]
    with refused(reason):
        stage.deploy(*(value if n == place else term for n, term in enumerate(terms)))
    stage.deploy(*terms)


def test_deploy__with_a_compliance_that_has_a_token__is_refused(stage: StoStage) -> None:
    with refused("compliance: caller may not bind"):
        stage.deploy_token(stage.compliance)
    stage.deploy_token(stage.deploy("compliance"))


def test_forced_transfer__skips_pause_freeze_and_rules_and_takes_frozen_tokens_last(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    mine, other = roles.depositor, roles.trader
    stage.send(stage.compliance, "set_max_balance", 0, sender=roles.owner)
    stage.send(stage.sto, "freezePartialTokens", mine, 40 * TOKEN, sender=roles.agent)
    for wallet in (mine, other):
        stage.send(stage.sto, "setAddressFrozen", wallet, True, sender=roles.agent)
    stage.send(stage.sto, "pause", sender=roles.agent)
    moved = {"sender": mine, "receiver": other}
    for amount, thawed in ((60 * TOKEN, 0), (30 * TOKEN, 30 * TOKEN)):
        receipt = stage.send(stage.sto, "forcedTransfer", mine, other, amount, sender=roles.agent)
        unfrozen = [("TokensUnfrozen", {"_userAddress": mine, "_amount": thawed})]
        expected = [*(unfrozen if thawed else []), ("Transfer", {**moved, "value": amount})]
        assert events(stage.sto, receipt) == expected
    assert stage.read(stage.sto, "getFrozenTokens", mine) == 10 * TOKEN == stage.balance(mine)


def test_burn__takes_frozen_tokens_last(stage: StoStage, roles: SimpleNamespace) -> None:
    mine = roles.depositor
    stage.send(stage.sto, "freezePartialTokens", mine, 40 * TOKEN, sender=roles.agent)
    stage.send(stage.sto, "burn", mine, 75 * TOKEN, sender=roles.agent)
    assert stage.balance(mine) == 25 * TOKEN == stage.read(stage.sto, "getFrozenTokens", mine)
    assert stage.read(stage.sto, "totalSupply") == 25 * TOKEN


def test_recovery__hands_balance_freeze_and_registration_to_the_new_wallet(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    lost, new, identity = roles.depositor, roles.stranger, stage.identities["depositor"]
    stage.send(stage.sto, "freezePartialTokens", lost, 40 * TOKEN, sender=roles.agent)
    stage.send(stage.sto, "setAddressFrozen", lost, True, sender=roles.agent)
    stage.send(stage.sto, "pause", sender=roles.agent)
    recover = ("recoveryAddress", lost, new, identity)
    receipt = stage.send(stage.sto, *recover, sender=roles.agent)
    names = [name for name, _ in events(stage.sto, receipt)]
    assert names == [
        "Transfer",
        "TokensUnfrozen",
        "TokensFrozen",
        "AddressFrozen",
        "RecoverySuccess",
    ]
    assert (stage.balance(lost), stage.balance(new)) == (0, HELD * TOKEN)
    assert stage.read(stage.sto, "getFrozenTokens", lost) == 0
    assert stage.read(stage.sto, "getFrozenTokens", new) == 40 * TOKEN
    assert stage.read(stage.sto, "isFrozen", new)
    assert not stage.read(stage.registry, "isVerified", lost)
    assert stage.read(stage.registry, "identity", new) == identity
    assert stage.read(stage.registry, "investorCountry", new) == CHILE
    assert stage.read(stage.sto, "recovered_to", lost) == new


def test_recovery__by_a_token_that_is_no_agent_of_the_registry__is_refused(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    recover = ("recoveryAddress", roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.registry, "removeAgent", stage.sto, sender=roles.owner)
    with refused("agent_role: caller is not an agent"):
        stage.send(stage.sto, *recover, sender=roles.agent)
    stage.send(stage.registry, "addAgent", stage.sto, sender=roles.owner)
    stage.send(stage.sto, *recover, sender=roles.agent)


def test_recovery__of_or_into_a_wallet_that_was_lost_before__is_refused(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """What others owe to the lost wallet belongs to its first successor."""
    identity = stage.identities["depositor"]

    def recover(lost: str, new: str) -> None:
        stage.send(stage.sto, "recoveryAddress", lost, new, identity, sender=roles.agent)

    recover(roles.depositor, roles.stranger)
    with refused("mining_sto: wallet was recovered before"):
        recover(roles.stranger, roles.depositor)
    stage.register(roles.depositor, identity)
    with refused("mining_sto: wallet was recovered before"):
        recover(roles.depositor, roles.auditor)
    recover(roles.stranger, roles.auditor)
    assert stage.balance(roles.auditor) == HELD * TOKEN


def test_batches__do_what_the_single_calls_do(stage: StoStage, roles: SimpleNamespace) -> None:
    mine, other, third = roles.depositor, roles.trader, roles.staker
    two = [10 * TOKEN, 20 * TOKEN]

    def play(sender: str, function: str, *args: object) -> None:
        stage.send(stage.sto, function, *args, sender=sender)

    play(mine, "batchTransfer", [other, third], two)
    assert [stage.balance(who) // TOKEN for who in (mine, other, third)] == [70, 10, 20]
    play(roles.agent, "batchMint", [other, third], two)
    play(roles.agent, "batchForcedTransfer", [mine, other], [third, mine], two)
    assert [stage.balance(who) // TOKEN for who in (mine, other, third)] == [80, 0, 50]
    play(roles.agent, "batchBurn", [mine, third], two)
    assert [stage.balance(who) // TOKEN for who in (mine, other, third)] == [70, 0, 30]
    play(roles.agent, "batchSetAddressFrozen", [mine, other, third], [True, False, True])
    frozen = [stage.read(stage.sto, "isFrozen", who) for who in (mine, other, third)]
    assert frozen == [True, False, True]
    play(roles.agent, "batchFreezePartialTokens", [mine, third], two)
    play(roles.agent, "batchUnfreezePartialTokens", [mine, third], [TOKEN, 2 * TOKEN])
    frozen = [stage.read(stage.sto, "getFrozenTokens", who) // TOKEN for who in (mine, third)]
    assert frozen == [9, 18]


def test_batch__with_one_refusal__does_nothing(stage: StoStage, roles: SimpleNamespace) -> None:
    batch = ("batchTransfer", [roles.trader, roles.stranger], [TOKEN, TOKEN])
    with refused("mining_sto: receiver is not verified"):
        stage.send(stage.sto, *batch, sender=roles.depositor)
    assert stage.balance(roles.trader) == 0


def test_information__changed_by_the_owner__is_logged_whole(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.sto, "setName", "Mine Two", sender=roles.owner)
    stage.send(stage.sto, "setSymbol", "CU2", sender=roles.owner)
    identity = identity_of(9)
    receipt = stage.send(stage.sto, "setOnchainID", identity, sender=roles.owner)
    fields = {
        "_newName": "Mine Two",
        "_newSymbol": "CU2",
        "_newDecimals": 18,
        "_newVersion": "1.0.0",
        "_newOnchainID": identity,
    }
    assert events(stage.sto, receipt) == [("UpdatedTokenInformation", fields)]
    assert stage.read(stage.sto, "name") == "Mine Two"
    assert stage.read(stage.sto, "symbol") == "CU2"


def test_set_compliance__owner_only__binds_the_new_one_and_lets_go_of_the_old(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    other = stage.deploy("compliance")
    with refused("ownable: caller is not the owner"):
        stage.send(stage.sto, "setCompliance", other, sender=roles.agent)
    with refused("mining_sto: compliance is the zero address"):
        stage.send(stage.sto, "setCompliance", ZERO_ADDRESS, sender=roles.owner)
    stage.send(stage.sto, "setCompliance", other, sender=roles.owner)
    assert not stage.read(stage.compliance, "isTokenBound", stage.sto)
    assert stage.read(other, "getTokenBound") == stage.sto.address


def test_country_that_the_rules_forbid__is_named_in_the_refusal(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.compliance, "set_country_forbidden", CHILE, True, sender=roles.owner)
    with refused("compliance: country is forbidden"):
        stage.send(stage.sto, "transfer", roles.trader, TOKEN, sender=roles.depositor)
    stage.send(stage.compliance, "set_country_forbidden", CHILE, False, sender=roles.owner)
    stage.send(stage.sto, "transfer", roles.trader, TOKEN, sender=roles.depositor)
