"""The gold token: Paxos' and Tether Gold's rules, the fee inside the debit, the reserve gate."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from props import (
    DAY,
    ERC20_FUNCTIONS,
    ERC20_TOPICS,
    OUNCE,
    Message,
    Refusal,
    check_refusal,
    check_standard,
    deploy,
    events,
    refused,
    send,
)

from simulator.chain import ZERO_ADDRESS, Chain, Contract, load_artifact

FEED_OUNCE = 10**8
RESERVE = 1_000
SUPPLY = 600
FEE_PPM = 200
"""0.02 %, what PAXG once took."""


@pytest.fixture
def reserve(revm: Chain, roles: SimpleNamespace) -> Contract:
    """A fresh attestation of 1,000 oz."""
    feed = deploy(revm, "price_feed", 8, "Gold reserve, oz", roles.keeper, sender=roles.owner)
    send(revm, feed, "update_answer", RESERVE * FEED_OUNCE, sender=roles.keeper)
    return feed


@pytest.fixture
def gold(revm: Chain, reserve: Contract, roles: SimpleNamespace) -> Contract:
    """A PAXG-like token: 600 oz with the custodian, who has the supply and the protection."""
    token = deploy(revm, "gold_token", "Pax Gold", "PAXG", 18, reserve, DAY, sender=roles.owner)
    send(revm, token, "setSupplyController", roles.custodian, sender=roles.owner)
    send(revm, token, "setAssetProtectionRole", roles.guardian, sender=roles.owner)
    send(revm, token, "setFeeController", roles.curator, sender=roles.owner)
    send(revm, token, "setFeeRecipient", roles.fee_recipient, sender=roles.curator)
    send(revm, token, "increaseSupply", SUPPLY * OUNCE, sender=roles.custodian)
    return token


@pytest.fixture
def names(gold: Contract, roles: SimpleNamespace) -> dict[str, str]:
    return {**vars(roles), "nobody": ZERO_ADDRESS, "token": gold.address}


def balances(chain: Chain, token: Contract, *accounts: str) -> list[int]:
    return [token.read(chain, "balanceOf", account) for account in accounts]


TRANSFER = ("@custodian", "transfer", "@depositor", OUNCE)
TRANSFER_FROM = ("@trader", "transferFrom", "@custodian", "@depositor", OUNCE)
APPROVE = ("@custodian", "approve", "@trader", OUNCE)
INCREASE = ("@custodian", "increaseSupply", OUNCE)
DECREASE = ("@custodian", "decreaseSupply", OUNCE)

ITSELF = "gold_token: receiver is the token itself"
FROZEN = "gold_token: address is frozen"
NOT_FROZEN = "gold_token: address is not frozen"
NOT_PROTECTION = "gold_token: caller is not the asset protection role"
NOT_FEE_CONTROLLER = "gold_token: caller is not the fee controller"


def frozen(who: str, *before: Message) -> dict[str, tuple[Message, ...]]:
    return {
        "before": (*before, ("@guardian", "freeze", who)),
        "lift": (("@guardian", "unfreeze", who),),
    }


def paused(*before: Message) -> dict[str, tuple[Message, ...]]:
    return {"before": (*before, ("@owner", "pause")), "lift": (("@owner", "unpause"),)}


MOVES = [
    Refusal("gold_token: paused", TRANSFER, **paused()),
    Refusal("gold_token: paused", TRANSFER_FROM, **paused(APPROVE)),
    Refusal("gold_token: paused", APPROVE, **paused()),
    Refusal(FROZEN, TRANSFER, **frozen("@custodian")),
    Refusal(FROZEN, TRANSFER, **frozen("@depositor")),
    Refusal(FROZEN, TRANSFER_FROM, **frozen("@custodian", APPROVE)),
    Refusal(FROZEN, TRANSFER_FROM, **frozen("@depositor", APPROVE)),
    Refusal(FROZEN, TRANSFER_FROM, **frozen("@trader", APPROVE)),
    Refusal(FROZEN, APPROVE, **frozen("@custodian")),
    Refusal(FROZEN, APPROVE, **frozen("@trader")),
    Refusal(FROZEN, INCREASE, **frozen("@custodian")),
    Refusal(FROZEN, DECREASE, **frozen("@custodian")),
    Refusal(
        "gold_token: amount exceeds balance",
        ("@custodian", "transfer", "@depositor", SUPPLY * OUNCE + 1),
        ("@custodian", "transfer", "@depositor", SUPPLY * OUNCE),
    ),
    Refusal(
        "gold_token: amount exceeds balance",
        ("@custodian", "decreaseSupply", SUPPLY * OUNCE + 1),
        ("@custodian", "decreaseSupply", SUPPLY * OUNCE),
    ),
    Refusal(
        "gold_token: amount exceeds allowance",
        ("@trader", "transferFrom", "@custodian", "@depositor", OUNCE + 1),
        TRANSFER_FROM,
        before=(APPROVE,),
    ),
    Refusal(
        "erc20: transfer to the zero address",
        ("@custodian", "transfer", "@nobody", OUNCE),
        TRANSFER,
    ),
    Refusal(ITSELF, ("@custodian", "transfer", "@token", OUNCE), TRANSFER),
    Refusal(
        ITSELF,
        ("@trader", "transferFrom", "@custodian", "@token", OUNCE),
        TRANSFER_FROM,
        before=(APPROVE,),
    ),
    Refusal("erc20: approve to the zero address", ("@custodian", "approve", "@nobody", 1), APPROVE),
    Refusal(
        "gold_token: supply would exceed the reserve",
        ("@custodian", "increaseSupply", (RESERVE - SUPPLY) * OUNCE + 1),
        ("@custodian", "increaseSupply", (RESERVE - SUPPLY) * OUNCE),
    ),
]

ROLES = [
    Refusal(
        "gold_token: caller is not the supply controller",
        ("@owner", "increaseSupply", OUNCE),
        INCREASE,
    ),
    Refusal(
        "gold_token: caller is not the supply controller",
        ("@owner", "decreaseSupply", OUNCE),
        DECREASE,
    ),
    Refusal("ownable: caller is not the owner", ("@guardian", "pause"), ("@owner", "pause")),
    Refusal(
        "ownable: caller is not the owner",
        ("@guardian", "unpause"),
        ("@owner", "unpause"),
        before=(("@owner", "pause"),),
    ),
    Refusal("gold_token: already paused", ("@owner", "pause"), **paused()),
    Refusal(
        "gold_token: not paused",
        ("@owner", "unpause"),
        lift=(("@owner", "pause"),),
    ),
    *(
        Refusal(
            NOT_PROTECTION,
            ("@owner", function, "@depositor"),
            ("@guardian", function, "@depositor"),
            before=before,
        )
        for function, before in (
            ("freeze", ()),
            ("addToBlockedList", ()),
            *(
                (function, (("@guardian", "freeze", "@depositor"),))
                for function in (
                    "unfreeze",
                    "removeFromBlockedList",
                    "wipeFrozenAddress",
                    "destroyBlockedFunds",
                )
            ),
        )
    ),
    *(
        Refusal(NOT_FROZEN, ("@guardian", function, "@depositor"), lift=(lift,))
        for function in (
            "unfreeze",
            "removeFromBlockedList",
            "wipeFrozenAddress",
            "destroyBlockedFunds",
        )
        for lift in (
            ("@guardian", "freeze", "@depositor"),
            ("@guardian", "addToBlockedList", "@depositor"),
        )
    ),
    *(
        Refusal(
            "gold_token: address is already frozen",
            ("@guardian", function, "@depositor"),
            **frozen("@depositor"),
        )
        for function in ("freeze", "addToBlockedList")
    ),
    *(
        Refusal(
            "gold_token: address receives the fees",
            ("@guardian", function, "@fee_recipient"),
            lift=(("@curator", "setFeeRecipient", "@treasury"),),
        )
        for function in ("freeze", "addToBlockedList")
    ),
    Refusal(NOT_FEE_CONTROLLER, ("@owner", "setFeeRate", 1), ("@curator", "setFeeRate", 1)),
    Refusal(
        NOT_FEE_CONTROLLER,
        ("@owner", "setFeeRecipient", "@treasury"),
        ("@curator", "setFeeRecipient", "@treasury"),
    ),
    Refusal(
        "gold_token: fee rate above 100 %",
        ("@curator", "setFeeRate", 1_000_001),
        ("@curator", "setFeeRate", 1_000_000),
    ),
    Refusal(
        "gold_token: fee recipient is the zero address",
        ("@curator", "setFeeRecipient", "@nobody"),
        ("@curator", "setFeeRecipient", "@treasury"),
    ),
    Refusal(FROZEN, ("@curator", "setFeeRecipient", "@treasury"), **frozen("@treasury")),
    Refusal(
        ITSELF,
        ("@curator", "setFeeRecipient", "@token"),
        ("@curator", "setFeeRecipient", "@treasury"),
    ),
    *(
        Refusal(
            f"gold_token: {role} is the zero address",
            ("@owner", setter, "@nobody"),
            ("@owner", setter, "@treasury"),
        )
        for setter, role in (
            ("setFeeController", "fee controller"),
            ("setSupplyController", "supply controller"),
        )
    ),
    *(
        Refusal(
            "gold_token: caller is neither holder nor owner",
            ("@trader", setter, "@trader"),
            (allowed, setter, "@treasury"),
        )
        for setter, holder in (
            ("setFeeController", "@curator"),
            ("setSupplyController", "@custodian"),
            ("setAssetProtectionRole", "@guardian"),
        )
        for allowed in (holder, "@owner")
    ),
]


@pytest.mark.parametrize("case", MOVES + ROLES, ids=str)
@pytest.mark.parametrize("fee_ppm", [0, FEE_PPM])
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, gold: Contract, names: Mapping[str, str], case: Refusal, fee_ppm: int
) -> None:
    send(revm, gold, "setFeeRate", fee_ppm, sender=names["curator"])
    check_refusal(revm, gold, names, case)


def test_deploy__with_19_decimals_or_without_a_feed__reverts(
    revm: Chain, reserve: Contract, roles: SimpleNamespace
) -> None:
    with refused("gold_token: more than 18 decimals"):
        deploy(revm, "gold_token", "Pax Gold", "PAXG", 19, reserve, DAY, sender=roles.owner)
    with refused("gold_token: reserve feed is the zero address"):
        deploy(revm, "gold_token", "Pax Gold", "PAXG", 18, ZERO_ADDRESS, DAY, sender=roles.owner)


def test_interface__has_the_names_of_erc20_paxos_and_tether_gold() -> None:
    address_setters = (
        "setFeeRecipient",
        "setFeeController",
        "setSupplyController",
        "setAssetProtectionRole",
        "freeze",
        "unfreeze",
        "wipeFrozenAddress",
        "addToBlockedList",
        "removeFromBlockedList",
        "destroyBlockedFunds",
    )
    address_getters = (
        "owner",
        "supplyController",
        "assetProtectionRole",
        "feeController",
        "feeRecipient",
    )
    functions = {
        **ERC20_FUNCTIONS,
        **{f"{name}(address)": "" for name in address_setters},
        **{f"{name}()": "address" for name in address_getters},
        "increaseSupply(uint256)": "bool",
        "decreaseSupply(uint256)": "bool",
        "pause()": "",
        "unpause()": "",
        "paused()": "bool",
        "isFrozen(address)": "bool",
        "isBlocked(address)": "bool",
        "setFeeRate(uint256)": "",
        "feeRate()": "uint256",
        "feeParts()": "uint256",
        "feeDecimals()": "uint8",
        "getFeeFor(uint256)": "uint256",
    }
    topics = {
        **ERC20_TOPICS,
        "Pause()": 0,
        "Unpause()": 0,
        "AddressFrozen(address)": 1,
        "AddressUnfrozen(address)": 1,
        "FrozenAddressWiped(address)": 1,
        "SupplyIncreased(address,uint256)": 1,
        "SupplyDecreased(address,uint256)": 1,
        "FeeCollected(address,address,uint256)": 2,
        "FeeRateSet(uint256,uint256)": 2,
        "FeeRecipientSet(address,address)": 2,
        "FeeControllerSet(address,address)": 2,
        "SupplyControllerSet(address,address)": 2,
        "AssetProtectionRoleSet(address,address)": 2,
        "BlockPlaced(address)": 1,
        "BlockReleased(address)": 1,
        "DestroyedBlockedFunds(address,uint256)": 1,
    }
    check_standard(load_artifact("gold_token"), functions, topics)


def test_transfer__with_a_fee__takes_it_inside_the_debit(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    send(revm, gold, "setFeeRate", FEE_PPM, sender=roles.curator)
    receipt = send(revm, gold, "transfer", roles.depositor, 10 * OUNCE, sender=roles.custodian)
    # 10 oz x 200 / 1,000,000 = 0.002 oz
    fee = 2 * OUNCE // 1_000
    assert balances(revm, gold, roles.custodian, roles.depositor, roles.fee_recipient) == [
        590 * OUNCE,
        10 * OUNCE - fee,
        fee,
    ]
    sender = {"sender": roles.custodian}
    assert events(gold, receipt) == [
        ("Transfer", {**sender, "receiver": roles.depositor, "value": 10 * OUNCE - fee}),
        ("Transfer", {**sender, "receiver": roles.fee_recipient, "value": fee}),
        ("FeeCollected", {**sender, "to": roles.fee_recipient, "value": fee}),
    ]
    assert gold.read(revm, "totalSupply") == SUPPLY * OUNCE


def test_transfer_from__with_a_fee__spends_the_gross_allowance(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    send(revm, gold, "setFeeRate", FEE_PPM, sender=roles.curator)
    send(revm, gold, "approve", roles.trader, 10 * OUNCE, sender=roles.custodian)
    call = ("transferFrom", roles.custodian, roles.depositor, 4 * OUNCE)
    send(revm, gold, *call, sender=roles.trader)
    assert gold.read(revm, "allowance", roles.custodian, roles.trader) == 6 * OUNCE
    fee = 8 * OUNCE // 10_000  # 4 oz x 0.02 %
    assert balances(revm, gold, roles.depositor, roles.fee_recipient) == [4 * OUNCE - fee, fee]


@pytest.mark.parametrize(("rate_ppm", "amount"), [(0, 7 * OUNCE), (FEE_PPM, 4_999)])
def test_transfer__with_a_fee_of_zero__logs_it_as_a_transfer_as_paxg_does(
    revm: Chain, gold: Contract, roles: SimpleNamespace, rate_ppm: int, amount: int
) -> None:
    """No fee is asked, or it rounds down to nothing: 4,999 x 200 / 1,000,000 = 0.9998."""
    send(revm, gold, "setFeeRate", rate_ppm, sender=roles.curator)
    receipt = send(revm, gold, "transfer", roles.depositor, amount, sender=roles.custodian)
    sender = {"sender": roles.custodian}
    assert events(gold, receipt) == [
        ("Transfer", {**sender, "receiver": roles.depositor, "value": amount}),
        ("Transfer", {**sender, "receiver": roles.fee_recipient, "value": 0}),
    ]
    assert balances(revm, gold, roles.depositor, roles.fee_recipient) == [amount, 0]


@pytest.mark.parametrize("allowed", [10 * OUNCE, 2**256 - 1])
def test_transfer_from__reduces_any_allowance_and_logs_transfers_alone(
    revm: Chain, gold: Contract, roles: SimpleNamespace, allowed: int
) -> None:
    send(revm, gold, "approve", roles.trader, allowed, sender=roles.custodian)
    call = ("transferFrom", roles.custodian, roles.depositor, 4 * OUNCE)
    receipt = send(revm, gold, *call, sender=roles.trader)
    assert [name for name, _ in events(gold, receipt)] == ["Transfer", "Transfer"]
    left = allowed - 4 * OUNCE
    assert gold.read(revm, "allowance", roles.custodian, roles.trader) == left


def test_functions_of_erc20_and_paxos__that_return_a_bool__return_true(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    send(revm, gold, "approve", roles.trader, 5, sender=roles.custodian)
    for sender, function, *args in (
        (roles.custodian, "transfer", roles.trader, 1),
        (roles.trader, "transferFrom", roles.custodian, roles.trader, 1),
        (roles.custodian, "approve", roles.trader, 1),
        (roles.custodian, "increaseSupply", 1),
        (roles.custodian, "decreaseSupply", 1),
    ):
        assert gold.read(revm, function, *args, sender=sender) is True


def test_transfer__of_everything_to_oneself__loses_the_fee_only(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    send(revm, gold, "setFeeRate", FEE_PPM, sender=roles.curator)
    send(revm, gold, "transfer", roles.custodian, SUPPLY * OUNCE, sender=roles.custodian)
    fee = 12 * OUNCE // 100  # 600 oz x 0.02 %
    found = balances(revm, gold, roles.custodian, roles.fee_recipient)
    assert found == [SUPPLY * OUNCE - fee, fee]


@pytest.mark.parametrize(
    ("rate_ppm", "amount", "fee"),
    [
        (200, 5_000, 1),
        (200, 4_999, 0),  # rounded down: 0.9998
        (1, 1_999_999, 1),
        (1_000_000, 12_345, 12_345),
        (0, 10**30, 0),
    ],
)
def test_get_fee_for__any_amount__rounds_down_and_is_what_a_transfer_takes(
    revm: Chain, gold: Contract, roles: SimpleNamespace, rate_ppm: int, amount: int, fee: int
) -> None:
    receipt = send(revm, gold, "setFeeRate", rate_ppm, sender=roles.curator)
    assert events(gold, receipt) == [("FeeRateSet", {"oldFeeRate": 0, "newFeeRate": rate_ppm})]
    assert gold.read(revm, "getFeeFor", amount) == fee
    amount = min(amount, SUPPLY * OUNCE)
    send(revm, gold, "transfer", roles.depositor, amount, sender=roles.custodian)
    assert balances(revm, gold, roles.depositor, roles.fee_recipient) == [amount - fee, fee]


def test_supply__increased_and_decreased__moves_with_the_controller(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    up = send(revm, gold, "increaseSupply", 5 * OUNCE, sender=roles.custodian)
    assert events(gold, up, "SupplyIncreased") == [
        ("SupplyIncreased", {"to": roles.custodian, "value": 5 * OUNCE})
    ]
    down = send(revm, gold, "decreaseSupply", 2 * OUNCE, sender=roles.custodian)
    assert events(gold, down, "SupplyDecreased") == [
        ("SupplyDecreased", {"sender": roles.custodian, "value": 2 * OUNCE})
    ]
    expected = (SUPPLY + 3) * OUNCE
    assert gold.read(revm, "totalSupply") == expected
    assert balances(revm, gold, roles.custodian) == [expected]


def test_increase_supply__on_a_stale_attestation__waits_for_a_fresh_one(
    revm: Chain, gold: Contract, reserve: Contract, roles: SimpleNamespace
) -> None:
    revm.block(revm.timestamp() + DAY + 60, [])
    with refused("feed: answer is too old"):
        send(revm, gold, "increaseSupply", 1, sender=roles.custodian)
    send(revm, reserve, "update_answer", RESERVE * FEED_OUNCE, sender=roles.keeper)
    send(revm, gold, "increaseSupply", 1, sender=roles.custodian)
    assert gold.read(revm, "totalSupply") == SUPPLY * OUNCE + 1


def test_increase_supply__after_the_reserve_shrank__refuses_all_but_lets_burn(
    revm: Chain, gold: Contract, reserve: Contract, roles: SimpleNamespace
) -> None:
    send(revm, reserve, "update_answer", 500 * FEED_OUNCE, sender=roles.keeper)
    with refused("gold_token: supply would exceed the reserve"):
        send(revm, gold, "increaseSupply", 0, sender=roles.custodian)
    send(revm, gold, "decreaseSupply", 100 * OUNCE, sender=roles.custodian)
    send(revm, gold, "increaseSupply", 0, sender=roles.custodian)


@pytest.mark.parametrize(
    ("reserve_answer", "mintable"),
    [
        (150_000_000, 1_500_000),  # 1.5 oz
        (100_000_099, 1_000_000),  # 1.00000099 oz: the fraction of a unit is not minted
        (100_000_100, 1_000_001),
        (99, 0),
    ],
)
def test_increase_supply__of_a_token_with_6_decimals__rounds_the_reserve_down(
    revm: Chain, reserve: Contract, roles: SimpleNamespace, reserve_answer: int, mintable: int
) -> None:
    token = deploy(revm, "gold_token", "Tether Gold", "XAUT", 6, reserve, DAY, sender=roles.owner)
    send(revm, reserve, "update_answer", reserve_answer, sender=roles.keeper)
    with refused("gold_token: supply would exceed the reserve"):
        send(revm, token, "increaseSupply", mintable + 1, sender=roles.owner)
    send(revm, token, "increaseSupply", mintable, sender=roles.owner)
    assert token.read(revm, "totalSupply") == mintable
    assert token.read(revm, "attested_reserve") == reserve_answer * 10**10


@pytest.mark.parametrize(
    ("place", "lift", "wipe", "placed", "lifted", "wiped"),
    [
        (
            "freeze",
            "unfreeze",
            "wipeFrozenAddress",
            ("AddressFrozen", {"addr": "@"}),
            ("AddressUnfrozen", {"addr": "@"}),
            [
                ("FrozenAddressWiped", {"addr": "@"}),
                ("SupplyDecreased", {"sender": "@", "value": 3 * OUNCE}),
            ],
        ),
        (
            "addToBlockedList",
            "removeFromBlockedList",
            "destroyBlockedFunds",
            ("BlockPlaced", {"_user": "@"}),
            ("BlockReleased", {"_user": "@"}),
            [("DestroyedBlockedFunds", {"_blockedUser": "@", "_balance": 3 * OUNCE})],
        ),
    ],
    ids=["paxos", "tether"],
)
def test_list__by_either_name_set__bars_releases_and_wipes(
    revm: Chain,
    gold: Contract,
    roles: SimpleNamespace,
    place: str,
    lift: str,
    wipe: str,
    placed: tuple[str, dict[str, Any]],
    lifted: tuple[str, dict[str, Any]],
    wiped: list[tuple[str, dict[str, Any]]],
) -> None:
    def named(event: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
        name, fields = event
        fields = {key: roles.depositor if item == "@" else item for key, item in fields.items()}
        return name, fields

    def on_the_list() -> list[bool]:
        views = ("isFrozen", "isBlocked")
        return [gold.read(revm, view, roles.depositor) for view in views]

    send(revm, gold, "transfer", roles.depositor, 3 * OUNCE, sender=roles.custodian)
    receipt = send(revm, gold, place, roles.depositor, sender=roles.guardian)
    assert events(gold, receipt) == [named(placed)]
    assert on_the_list() == [True, True]
    receipt = send(revm, gold, lift, roles.depositor, sender=roles.guardian)
    assert events(gold, receipt) == [named(lifted)]
    assert on_the_list() == [False, False]
    send(revm, gold, place, roles.depositor, sender=roles.guardian)
    receipt = send(revm, gold, wipe, roles.depositor, sender=roles.guardian)
    burnt = {"sender": roles.depositor, "receiver": ZERO_ADDRESS, "value": 3 * OUNCE}
    assert events(gold, receipt) == [("Transfer", burnt), *map(named, wiped)]
    assert balances(revm, gold, roles.depositor) == [0]
    assert gold.read(revm, "totalSupply") == (SUPPLY - 3) * OUNCE


@pytest.mark.parametrize(
    ("setter", "getter", "event", "sender"),
    [
        ("setFeeRecipient", "feeRecipient", "FeeRecipientSet", "curator"),
        ("setFeeController", "feeController", "FeeControllerSet", "curator"),
        ("setSupplyController", "supplyController", "SupplyControllerSet", "custodian"),
        ("setAssetProtectionRole", "assetProtectionRole", "AssetProtectionRoleSet", "guardian"),
    ],
)
def test_role__handed_on__logs_old_and_new_holder(
    revm: Chain,
    gold: Contract,
    roles: SimpleNamespace,
    setter: str,
    getter: str,
    event: str,
    sender: str,
) -> None:
    old = gold.read(revm, getter)
    receipt = send(revm, gold, setter, roles.treasury, sender=getattr(roles, sender))
    title = getter[0].upper() + getter[1:]
    assert events(gold, receipt) == [(event, {f"old{title}": old, f"new{title}": roles.treasury})]
    assert gold.read(revm, getter) == roles.treasury


def test_pause__then_unpause__logs_as_paxos_does(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    for function, event, shown in (("pause", "Pause", True), ("unpause", "Unpause", False)):
        receipt = send(revm, gold, function, sender=roles.owner)
        assert events(gold, receipt) == [(event, {})]
        assert gold.read(revm, "paused") is shown


def test_metadata__of_both_presets__is_what_was_deployed(
    revm: Chain, gold: Contract, reserve: Contract, roles: SimpleNamespace
) -> None:
    xaut = deploy(revm, "gold_token", "Tether Gold", "XAUT", 6, reserve, DAY, sender=roles.owner)
    views = ("name", "symbol", "decimals", "feeParts", "feeDecimals", "reserve_max_age")
    assert [gold.read(revm, view) for view in views] == ["Pax Gold", "PAXG", 18, 10**6, 6, DAY]
    assert [xaut.read(revm, view) for view in views[:3]] == ["Tether Gold", "XAUT", 6]
    # The deployer starts with every role.
    holders = ("owner", "supplyController", "assetProtectionRole", "feeController", "feeRecipient")
    assert {xaut.read(revm, view) for view in holders} == {roles.owner}
