"""The mock dollar: ERC-20, EIP-2612, and the refusals of Circle's token."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from eth_account import Account
from props import (
    DOLLAR,
    ERC20_FUNCTIONS,
    ERC20_TOPICS,
    Refusal,
    check_refusal,
    check_standard,
    deploy,
    events,
    refused,
    send,
)

from simulator.chain import CHAIN_ID, ZERO_ADDRESS, Chain, Contract, load_artifact

PUBLIC_DEVELOPMENT_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Printed by every Anvil at its start; the key of the first development account."""


@pytest.fixture
def usdc(revm: Chain, roles: SimpleNamespace) -> Contract:
    """A token with one minter, who holds 1,000 dollars and may mint 500 more."""
    token = deploy(revm, "usdc", sender=roles.owner)
    send(revm, token, "configureMinter", roles.custodian, 1_500 * DOLLAR, sender=roles.owner)
    send(revm, token, "mint", roles.custodian, 1_000 * DOLLAR, sender=roles.custodian)
    return token


@pytest.fixture
def names(usdc: Contract, roles: SimpleNamespace) -> dict[str, str]:
    return {**vars(roles), "nobody": ZERO_ADDRESS, "token": usdc.address}


PAUSED = {"before": (("@owner", "pause"),), "lift": (("@owner", "unpause"),)}
APPROVED = ("@custodian", "approve", "@trader", 10 * DOLLAR)


def barred(who: str, *before: tuple[object, ...]) -> dict[str, tuple[tuple[object, ...], ...]]:
    return {
        "before": (*before, ("@owner", "blacklist", who)),
        "lift": (("@owner", "unBlacklist", who),),
    }


TRANSFER = ("@custodian", "transfer", "@depositor", DOLLAR)
TRANSFER_FROM = ("@trader", "transferFrom", "@custodian", "@depositor", DOLLAR)
APPROVE = ("@custodian", "approve", "@trader", DOLLAR)
MINT = ("@custodian", "mint", "@depositor", DOLLAR)
BURN = ("@custodian", "burn", DOLLAR)
BLACKLISTED = "usdc: account is blacklisted"

REFUSALS = [
    Refusal("usdc: paused", TRANSFER, **PAUSED),
    Refusal("usdc: paused", APPROVE, **PAUSED),
    Refusal("usdc: paused", ("@custodian", "increaseAllowance", "@trader", 1), **PAUSED),
    Refusal("usdc: paused", ("@custodian", "decreaseAllowance", "@trader", 0), **PAUSED),
    Refusal("usdc: paused", MINT, **PAUSED),
    Refusal("usdc: paused", BURN, **PAUSED),
    Refusal("usdc: paused", ("@owner", "configureMinter", "@trader", 1), **PAUSED),
    Refusal(
        "usdc: paused",
        TRANSFER_FROM,
        before=(APPROVED, ("@owner", "pause")),
        lift=(("@owner", "unpause"),),
    ),
    Refusal(BLACKLISTED, TRANSFER, **barred("@custodian")),
    Refusal(BLACKLISTED, TRANSFER, **barred("@depositor")),
    Refusal(BLACKLISTED, TRANSFER_FROM, **barred("@custodian", APPROVED)),
    Refusal(BLACKLISTED, TRANSFER_FROM, **barred("@depositor", APPROVED)),
    Refusal(BLACKLISTED, TRANSFER_FROM, **barred("@trader", APPROVED)),
    Refusal(BLACKLISTED, MINT, **barred("@custodian")),
    Refusal(BLACKLISTED, MINT, **barred("@depositor")),
    Refusal(BLACKLISTED, ("@custodian", "transfer", "@token", DOLLAR), TRANSFER),
    Refusal(
        BLACKLISTED,
        ("@trader", "transferFrom", "@custodian", "@token", DOLLAR),
        TRANSFER_FROM,
        before=(APPROVED,),
    ),
    Refusal(BLACKLISTED, ("@custodian", "mint", "@token", DOLLAR), MINT),
    Refusal(BLACKLISTED, BURN, **barred("@custodian")),
    Refusal("usdc: caller is not a minter", ("@trader", "mint", "@trader", 1), MINT),
    Refusal("usdc: caller is not a minter", ("@owner", "burn", 1), BURN),
    Refusal("usdc: mint of nothing", ("@custodian", "mint", "@depositor", 0), MINT),
    Refusal("usdc: burn of nothing", ("@custodian", "burn", 0), BURN),
    Refusal(
        "usdc: mint exceeds the minter's allowance",
        ("@custodian", "mint", "@depositor", 500 * DOLLAR + 1),
        ("@custodian", "mint", "@depositor", 500 * DOLLAR),
    ),
    Refusal("erc20: mint to the zero address", ("@custodian", "mint", "@nobody", 1), MINT),
    Refusal(
        "erc20: burn amount exceeds balance",
        ("@custodian", "burn", 1_000 * DOLLAR + 1),
        ("@custodian", "burn", 1_000 * DOLLAR),
    ),
    Refusal(
        "erc20: transfer amount exceeds balance",
        ("@custodian", "transfer", "@depositor", 1_000 * DOLLAR + 1),
        ("@custodian", "transfer", "@depositor", 1_000 * DOLLAR),
    ),
    Refusal(
        "usdc: amount exceeds allowance",
        ("@trader", "transferFrom", "@custodian", "@depositor", 10 * DOLLAR + 1),
        ("@trader", "transferFrom", "@custodian", "@depositor", 10 * DOLLAR),
        before=(APPROVED,),
    ),
    Refusal(
        "usdc: allowance exceeds 2^256 - 1",
        ("@custodian", "increaseAllowance", "@trader", 2**256 - 10 * DOLLAR),
        ("@custodian", "increaseAllowance", "@trader", 2**256 - 10 * DOLLAR - 1),
        before=(APPROVED,),
    ),
    Refusal(
        "usdc: decrease exceeds allowance",
        ("@custodian", "decreaseAllowance", "@trader", 10 * DOLLAR + 1),
        ("@custodian", "decreaseAllowance", "@trader", 10 * DOLLAR),
        before=(APPROVED,),
    ),
    Refusal("erc20: approve to the zero address", ("@custodian", "approve", "@nobody", 1), APPROVE),
    Refusal(
        "usdc: balance exceeds 2^255 - 1",
        ("@custodian", "mint", "@custodian", 2**255 - 1_000 * DOLLAR),
        ("@custodian", "mint", "@custodian", 2**255 - 1_000 * DOLLAR - 1),
        before=(("@owner", "configureMinter", "@custodian", 2**255),),
    ),
    Refusal(
        "usdc: balance exceeds 2^255 - 1",
        ("@custodian", "transfer", "@depositor", 2),
        ("@custodian", "transfer", "@depositor", 1),
        before=(
            ("@owner", "configureMinter", "@custodian", 2**255),
            ("@custodian", "mint", "@depositor", 2**255 - 2),
        ),
    ),
    Refusal(
        "usdc: caller is not the master minter",
        ("@trader", "configureMinter", "@trader", 1),
        ("@owner", "configureMinter", "@trader", 1),
    ),
    Refusal(
        "usdc: caller is not the master minter",
        ("@trader", "removeMinter", "@custodian"),
        ("@owner", "removeMinter", "@custodian"),
    ),
    Refusal(
        "usdc: caller is not the blacklister",
        ("@trader", "blacklist", "@custodian"),
        ("@owner", "blacklist", "@custodian"),
    ),
    Refusal(
        "usdc: caller is not the blacklister",
        ("@trader", "unBlacklist", "@custodian"),
        ("@owner", "unBlacklist", "@custodian"),
    ),
    Refusal("usdc: caller is not the pauser", ("@trader", "pause"), ("@owner", "pause")),
    Refusal("usdc: caller is not the pauser", ("@trader", "unpause"), ("@owner", "unpause")),
    *(
        Refusal(reason, (sender, setter, holder), ("@owner", setter, "@guardian"))
        for setter in ("updateMasterMinter", "updateBlacklister", "updatePauser")
        for reason, sender, holder in (
            ("ownable: caller is not the owner", "@trader", "@trader"),
            ("usdc: role for the zero address", "@owner", "@nobody"),
        )
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, usdc: Contract, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, usdc, names, case)


def test_interface__has_the_names_of_erc20_erc2612_and_circle() -> None:
    functions = {
        **ERC20_FUNCTIONS,
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": "",
        "PERMIT_TYPEHASH()": "bytes32",
        "nonces(address)": "uint256",
        "increaseAllowance(address,uint256)": "bool",
        "decreaseAllowance(address,uint256)": "bool",
        "version()": "string",
        "currency()": "string",
        "DOMAIN_SEPARATOR()": "bytes32",
        "configureMinter(address,uint256)": "bool",
        "removeMinter(address)": "bool",
        "minterAllowance(address)": "uint256",
        "isMinter(address)": "bool",
        "mint(address,uint256)": "bool",
        "burn(uint256)": "",
        "blacklist(address)": "",
        "unBlacklist(address)": "",
        "isBlacklisted(address)": "bool",
        "pause()": "",
        "unpause()": "",
        "paused()": "bool",
        "owner()": "address",
        "masterMinter()": "address",
        "blacklister()": "address",
        "pauser()": "address",
        "updateMasterMinter(address)": "",
        "updateBlacklister(address)": "",
        "updatePauser(address)": "",
    }
    topics = {
        **ERC20_TOPICS,
        "Mint(address,address,uint256)": 2,
        "Burn(address,uint256)": 1,
        "MinterConfigured(address,uint256)": 1,
        "MinterRemoved(address)": 1,
        "MasterMinterChanged(address)": 1,
        "Blacklisted(address)": 1,
        "UnBlacklisted(address)": 1,
        "BlacklisterChanged(address)": 1,
        "Pause()": 0,
        "Unpause()": 0,
        "PauserChanged(address)": 1,
    }
    check_standard(load_artifact("usdc"), functions, topics)


def test_selectors__are_the_published_ones_of_erc20(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    # Two constants that every explorer shows: transfer's selector and Transfer's topic.
    call = usdc.call("transfer", roles.trader, 1, sender=roles.custodian)
    assert call.data[:4].hex() == "a9059cbb"
    (log,) = revm.send(call).logs
    topic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert log.topics[0].hex() == topic


def test_metadata__is_that_of_usd_coin(revm: Chain, usdc: Contract) -> None:
    found = [usdc.read(revm, view) for view in ("name", "symbol", "decimals", "totalSupply")]
    assert found == ["USD Coin", "USDC", 6, 1_000 * DOLLAR]
    assert [usdc.read(revm, view) for view in ("version", "currency")] == ["2", "USD"]
    # EIP-2612 prints this constant's preimage; Circle's source prints the constant.
    typehash = "6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9"
    assert usdc.read(revm, "PERMIT_TYPEHASH").hex() == typehash


def test_functions_of_erc20_and_circle__that_return_a_bool__return_true(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    send(revm, usdc, "approve", roles.trader, 5, sender=roles.custodian)
    for sender, function, *args in (
        (roles.custodian, "transfer", roles.trader, 1),
        (roles.trader, "transferFrom", roles.custodian, roles.trader, 1),
        (roles.custodian, "approve", roles.trader, 1),
        (roles.custodian, "increaseAllowance", roles.trader, 1),
        (roles.custodian, "decreaseAllowance", roles.trader, 1),
        (roles.custodian, "mint", roles.trader, 1),
        (roles.owner, "configureMinter", roles.trader, 1),
        (roles.owner, "removeMinter", roles.trader),
    ):
        assert usdc.read(revm, function, *args, sender=sender) is True


@pytest.mark.parametrize("barred_one", ["custodian", "trader"])
def test_approve__by_or_for_a_blacklisted_account__passes_and_its_use_does_not(
    revm: Chain, usdc: Contract, roles: SimpleNamespace, barred_one: str
) -> None:
    """As in V2.2, which stopped asking: an allowance alone moves nothing."""
    send(revm, usdc, "blacklist", getattr(roles, barred_one), sender=roles.owner)
    for change in ("approve", "increaseAllowance", "decreaseAllowance"):
        send(revm, usdc, change, roles.trader, 5, sender=roles.custodian)
    send(revm, usdc, "approve", roles.trader, 5, sender=roles.custodian)
    with refused(BLACKLISTED):
        move = ("transferFrom", roles.custodian, roles.depositor, 5)
        send(revm, usdc, *move, sender=roles.trader)
    send(revm, usdc, "unBlacklist", getattr(roles, barred_one), sender=roles.owner)
    send(revm, usdc, *move, sender=roles.trader)


@pytest.mark.parametrize("allowed", [10 * DOLLAR, 2**256 - 1])
def test_transfer_from__reduces_any_allowance_and_logs_the_transfer_alone(
    revm: Chain, usdc: Contract, roles: SimpleNamespace, allowed: int
) -> None:
    send(revm, usdc, "approve", roles.trader, allowed, sender=roles.custodian)
    move = ("transferFrom", roles.custodian, roles.depositor, 4 * DOLLAR)
    receipt = send(revm, usdc, *move, sender=roles.trader)
    fields = {"sender": roles.custodian, "receiver": roles.depositor, "value": 4 * DOLLAR}
    assert events(usdc, receipt) == [("Transfer", fields)]
    left = allowed - 4 * DOLLAR
    assert usdc.read(revm, "allowance", roles.custodian, roles.trader) == left


def test_allowance__increased_and_decreased__logs_the_new_one(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    send(revm, usdc, "approve", roles.trader, 10, sender=roles.custodian)
    for change, amount, after in (("increaseAllowance", 7, 17), ("decreaseAllowance", 4, 13)):
        receipt = send(revm, usdc, change, roles.trader, amount, sender=roles.custodian)
        fields = {"owner": roles.custodian, "spender": roles.trader, "value": after}
        assert events(usdc, receipt) == [("Approval", fields)]
        assert usdc.read(revm, "allowance", roles.custodian, roles.trader) == after


def test_token_itself__is_blacklisted_from_the_start_as_at_circle(
    revm: Chain, usdc: Contract
) -> None:
    assert usdc.read(revm, "isBlacklisted", usdc.address) is True


def test_mint_and_burn__move_supply_allowance_and_log(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    minted = send(revm, usdc, "mint", roles.trader, 5 * DOLLAR, sender=roles.custodian)
    fields = {"minter": roles.custodian, "to": roles.trader, "amount": 5 * DOLLAR}
    assert events(usdc, minted, "Mint") == [("Mint", fields)]
    burned = send(revm, usdc, "burn", 2 * DOLLAR, sender=roles.custodian)
    fields = {"burner": roles.custodian, "amount": 2 * DOLLAR}
    assert events(usdc, burned, "Burn") == [("Burn", fields)]
    assert usdc.read(revm, "minterAllowance", roles.custodian) == 495 * DOLLAR
    assert usdc.read(revm, "balanceOf", roles.trader) == 5 * DOLLAR
    assert usdc.read(revm, "totalSupply") == 1_003 * DOLLAR


def test_configure_minter__twice__replaces_the_allowance(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    receipt = send(revm, usdc, "configureMinter", roles.custodian, 7, sender=roles.owner)
    fields = {"minter": roles.custodian, "minterAllowedAmount": 7}
    assert events(usdc, receipt) == [("MinterConfigured", fields)]
    assert usdc.read(revm, "minterAllowance", roles.custodian) == 7


def test_remove_minter__while_paused__takes_role_and_allowance(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    send(revm, usdc, "pause", sender=roles.owner)
    receipt = send(revm, usdc, "removeMinter", roles.custodian, sender=roles.owner)
    assert events(usdc, receipt) == [("MinterRemoved", {"oldMinter": roles.custodian})]
    assert usdc.read(revm, "isMinter", roles.custodian) is False
    assert usdc.read(revm, "minterAllowance", roles.custodian) == 0


def test_pause_and_blacklist__log_and_show(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    steps = [
        ("pause", (), "Pause", {}),
        ("unpause", (), "Unpause", {}),
        ("blacklist", (roles.trader,), "Blacklisted", {"_account": roles.trader}),
        ("unBlacklist", (roles.trader,), "UnBlacklisted", {"_account": roles.trader}),
    ]
    shown = []
    for function, args, event, fields in steps:
        receipt = send(revm, usdc, function, *args, sender=roles.owner)
        assert events(usdc, receipt) == [(event, fields)]
        shown.append((usdc.read(revm, "paused"), usdc.read(revm, "isBlacklisted", roles.trader)))
    assert shown == [(True, False), (False, False), (False, True), (False, False)]


@pytest.mark.parametrize(
    ("setter", "getter", "event", "field"),
    [
        ("updateMasterMinter", "masterMinter", "MasterMinterChanged", "newMasterMinter"),
        ("updateBlacklister", "blacklister", "BlacklisterChanged", "newBlacklister"),
        ("updatePauser", "pauser", "PauserChanged", "newAddress"),
    ],
)
def test_role__handed_on__leaves_its_old_holder(
    revm: Chain,
    usdc: Contract,
    roles: SimpleNamespace,
    setter: str,
    getter: str,
    event: str,
    field: str,
) -> None:
    assert usdc.read(revm, getter) == roles.owner
    receipt = send(revm, usdc, setter, roles.guardian, sender=roles.owner)
    assert events(usdc, receipt) == [(event, {field: roles.guardian})]
    assert usdc.read(revm, getter) == roles.guardian


def signed_permit(
    token: Contract, spender: str, amount: int, nonce: int, deadline: int, version: str = "2"
) -> tuple[int, bytes, bytes]:
    """Sign an EIP-2612 permit with eth-account, an implementation of EIP-712 of its own."""
    owner = Account.from_key(PUBLIC_DEVELOPMENT_KEY)
    domain = {
        "name": "USD Coin",
        "version": version,
        "chainId": CHAIN_ID,
        "verifyingContract": token.address,
    }
    kinds = {"owner": "address", "spender": "address"} | dict.fromkeys(
        ("value", "nonce", "deadline"), "uint256"
    )
    types = {"Permit": [{"name": name, "type": kind} for name, kind in kinds.items()]}
    message = {
        "owner": owner.address,
        "spender": spender,
        "value": amount,
        "nonce": nonce,
        "deadline": deadline,
    }
    signed = owner.sign_typed_data(domain, types, message)
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def test_permit__signed_by_the_owner__sets_the_allowance_once(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    deadline = revm.timestamp() + 100
    signature = signed_permit(usdc, roles.trader, 3 * DOLLAR, nonce=0, deadline=deadline)
    permit = ("permit", roles.owner, roles.trader, 3 * DOLLAR, deadline, *signature)
    send(revm, usdc, *permit, sender=roles.stranger)
    assert usdc.read(revm, "allowance", roles.owner, roles.trader) == 3 * DOLLAR
    assert usdc.read(revm, "nonces", roles.owner) == 1
    with refused("usdc: signature is not the owner's"):
        send(revm, usdc, *permit, sender=roles.stranger)


def test_permit__of_another_amount_owner_or_domain__is_refused(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    deadline = revm.timestamp() + 100
    signature = signed_permit(usdc, roles.trader, DOLLAR, nonce=0, deadline=deadline)
    other_domain = signed_permit(
        usdc, roles.trader, DOLLAR, nonce=0, deadline=deadline, version="1"
    )
    for owner, amount, sealed in (
        (roles.owner, 2 * DOLLAR, signature),
        (roles.custodian, DOLLAR, signature),
        (roles.owner, DOLLAR, other_domain),
    ):
        with refused("usdc: signature is not the owner's"):
            send(
                revm,
                usdc,
                "permit",
                owner,
                roles.trader,
                amount,
                deadline,
                *sealed,
                sender=roles.trader,
            )


def test_permit__after_its_deadline__is_refused_and_passes_at_it(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    deadline = revm.timestamp() + 100
    signature = signed_permit(usdc, roles.trader, DOLLAR, nonce=0, deadline=deadline)
    call = usdc.call(
        "permit", roles.owner, roles.trader, DOLLAR, deadline, *signature, sender=roles.trader
    )
    before = revm.snapshot()
    with refused("usdc: permit has expired"):
        revm.send(call, deadline + 1)
    revm.revert(before)
    revm.send(call, deadline)
    assert usdc.read(revm, "allowance", roles.owner, roles.trader) == DOLLAR


def test_permit__while_paused__is_refused_and_passes_after(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    deadline = 2**256 - 1  # a permit that never expires
    signature = signed_permit(usdc, roles.trader, DOLLAR, nonce=0, deadline=deadline)
    permit = ("permit", roles.owner, roles.trader, DOLLAR, deadline, *signature)
    send(revm, usdc, "pause", sender=roles.owner)
    with refused("usdc: paused"):
        send(revm, usdc, *permit, sender=roles.stranger)
    send(revm, usdc, "unpause", sender=roles.owner)
    receipt = send(revm, usdc, *permit, sender=roles.stranger)
    fields = {"owner": roles.owner, "spender": roles.trader, "value": DOLLAR}
    assert events(usdc, receipt) == [("Approval", fields)]


def test_permit__of_the_zero_address__is_refused(
    revm: Chain, usdc: Contract, roles: SimpleNamespace
) -> None:
    """What is no signature has no signer: the zero address signs nothing."""
    deadline = revm.timestamp() + 100
    signature = signed_permit(usdc, roles.trader, DOLLAR, nonce=0, deadline=deadline)
    none = (27, bytes(32), bytes(31) + b"\1")
    with refused("ecdsa: invalid signature"):
        permit = ("permit", ZERO_ADDRESS, roles.trader, DOLLAR, deadline, *none)
        send(revm, usdc, *permit, sender=roles.trader)
    permit = ("permit", roles.owner, roles.trader, DOLLAR, deadline, *signature)
    send(revm, usdc, *permit, sender=roles.trader)
