"""The incentive token: a plain ERC-20 that its owner mints."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from props import (
    ERC20_FUNCTIONS,
    ERC20_TOPICS,
    Refusal,
    check_refusal,
    check_standard,
    deploy,
    events,
    send,
)

from simulator.chain import ZERO_ADDRESS, Chain, Contract, load_artifact

TOKEN = 10**18


@pytest.fixture
def incentive(revm: Chain, roles: SimpleNamespace) -> Contract:
    """A token of which the treasury holds 100."""
    token = deploy(revm, "reward_token", "Mine Point", "MINE", sender=roles.owner)
    send(revm, token, "mint", roles.treasury, 100 * TOKEN, sender=roles.owner)
    return token


ITSELF = "share_token: receiver is the token itself"

REFUSALS = [
    Refusal(
        "ownable: caller is not the owner",
        ("@treasury", "mint", "@treasury", 1),
        ("@owner", "mint", "@treasury", 1),
    ),
    Refusal(
        "erc20: mint to the zero address",
        ("@owner", "mint", "@nobody", 1),
        ("@owner", "mint", "@trader", 1),
    ),
    Refusal(
        "erc20: transfer amount exceeds balance",
        ("@treasury", "transfer", "@trader", 100 * TOKEN + 1),
        ("@treasury", "transfer", "@trader", 100 * TOKEN),
    ),
    Refusal(
        "erc20: insufficient allowance",
        ("@trader", "transferFrom", "@treasury", "@trader", 6),
        ("@trader", "transferFrom", "@treasury", "@trader", 5),
        before=(("@treasury", "approve", "@trader", 5),),
    ),
    Refusal(
        ITSELF,
        ("@treasury", "transfer", "@token", 5),
        ("@treasury", "transfer", "@trader", 5),
    ),
    Refusal(
        ITSELF,
        ("@trader", "transferFrom", "@treasury", "@token", 5),
        ("@trader", "transferFrom", "@treasury", "@trader", 5),
        before=(("@treasury", "approve", "@trader", 5),),
    ),
    Refusal(
        ITSELF,
        ("@owner", "mint", "@token", 5),
        ("@owner", "mint", "@trader", 5),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, incentive: Contract, roles: SimpleNamespace, case: Refusal
) -> None:
    names = {**vars(roles), "nobody": ZERO_ADDRESS, "token": incentive.address}
    check_refusal(revm, incentive, names, case)


def test_interface__has_the_names_of_erc20() -> None:
    functions = {**ERC20_FUNCTIONS, "mint(address,uint256)": "", "owner()": "address"}
    check_standard(load_artifact("reward_token"), functions, ERC20_TOPICS)


def test_mint__adds_to_supply_and_logs_a_transfer_from_zero(
    revm: Chain, incentive: Contract, roles: SimpleNamespace
) -> None:
    receipt = send(revm, incentive, "mint", roles.trader, 7, sender=roles.owner)
    fields = {"sender": ZERO_ADDRESS, "receiver": roles.trader, "value": 7}
    assert events(incentive, receipt) == [("Transfer", fields)]
    assert incentive.read(revm, "totalSupply") == 100 * TOKEN + 7
    assert incentive.read(revm, "balanceOf", roles.trader) == 7


def test_metadata__is_what_was_deployed(revm: Chain, incentive: Contract) -> None:
    found = [incentive.read(revm, view) for view in ("name", "symbol", "decimals")]
    assert found == ["Mine Point", "MINE", 18]
