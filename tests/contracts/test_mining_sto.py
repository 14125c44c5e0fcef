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
)
from sto_stage import TOKEN, StoStage

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
