"""The stage's strategy: a vault's calls, income that a keeper pays in, assets that are seized."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from handmade import MUTE
from props import DAY, OUNCE, Refusal, check_refusal, deploy, events, refused, send

from simulator.chain import Chain, Contract

HELD = 100 * OUNCE


@pytest.fixture
def gold(revm: Chain, roles: SimpleNamespace) -> Contract:
    """A gold token of which depositor (here the vault) and keeper hold 1,000 oz each."""
    feed = deploy(revm, "price_feed", 8, "Reserve", roles.keeper, sender=roles.owner)
    send(revm, feed, "update_answer", 10**12, sender=roles.keeper)
    token = deploy(revm, "gold_token", "Pax Gold", "PAXG", 18, feed, DAY, sender=roles.owner)
    send(revm, token, "increaseSupply", 2_000 * OUNCE, sender=roles.owner)
    for holder in (roles.depositor, roles.keeper):
        send(revm, token, "transfer", holder, 1_000 * OUNCE, sender=roles.owner)
    return token


@pytest.fixture
def strategy(revm: Chain, gold: Contract, roles: SimpleNamespace) -> Contract:
    """A strategy whose vault, the depositor, has put 100 oz in."""
    args = (gold, roles.depositor, roles.keeper, roles.intruder)
    found = deploy(revm, "stage_strategy", *args, sender=roles.owner)
    for holder in (roles.depositor, roles.keeper):
        send(revm, gold, "approve", found.address, 1_000 * OUNCE, sender=holder)
    send(revm, found, "deposit", HELD, roles.depositor, sender=roles.depositor)
    return found


def read(chain: Chain, strategy: Contract, *views: str) -> list[int]:
    return [strategy.read(chain, view) for view in views]


SELF = ("@depositor", "@depositor")
REFUSALS = [
    Refusal(
        "stage_strategy: caller is not the vault",
        ("@keeper", "deposit", OUNCE, "@keeper"),
        ("@depositor", "deposit", OUNCE, "@depositor"),
    ),
    Refusal(
        "stage_strategy: caller is not the keeper",
        ("@depositor", "credit", OUNCE),
        ("@keeper", "credit", OUNCE),
    ),
    Refusal(
        "stage_strategy: caller is not the intruder",
        ("@owner", "seize", OUNCE, "@owner"),
        ("@intruder", "seize", OUNCE, "@owner"),
    ),
    Refusal(
        "stage_strategy: exceeds the assets",
        ("@intruder", "seize", HELD + 1, "@intruder"),
        ("@intruder", "seize", HELD, "@intruder"),
    ),
    Refusal(
        "asset_token: receiver is the payer",
        ("@intruder", "seize", OUNCE, "@strategy"),
        ("@intruder", "seize", OUNCE, "@intruder"),
    ),
    Refusal(
        "stage_strategy: exceeds withdrawable",
        ("@depositor", "withdraw", HELD + 1, *SELF),
        ("@depositor", "withdraw", HELD, *SELF),
    ),
    Refusal(
        "stage_strategy: exceeds redeemable",
        ("@depositor", "redeem", HELD + 1, *SELF),
        ("@depositor", "redeem", HELD, *SELF),
    ),
    Refusal(
        "stage_strategy: caller is not the owner",
        ("@intruder", "withdraw", 1, "@intruder", "@depositor"),
        ("@depositor", "withdraw", 1, *SELF),
    ),
    Refusal(
        "stage_strategy: caller is not the owner",
        ("@intruder", "redeem", 1, "@intruder", "@depositor"),
        ("@depositor", "redeem", 1, *SELF),
    ),
    Refusal(
        "stage_strategy: shares are worthless",
        ("@depositor", "deposit", OUNCE, "@depositor"),
        before=(("@intruder", "seize", HELD, "@intruder"),),
        lift=(("@keeper", "credit", 1),),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, strategy: Contract, roles: SimpleNamespace, case: Refusal
) -> None:
    check_refusal(revm, strategy, vars(roles) | {"strategy": strategy.address}, case)


def test_credit__raises_the_worth_of_all_shares(
    revm: Chain, strategy: Contract, roles: SimpleNamespace
) -> None:
    receipt = send(revm, strategy, "credit", 10 * OUNCE, sender=roles.keeper)
    fields = {"keeper": roles.keeper, "amount": 10 * OUNCE}
    assert events(strategy, receipt) == [("Credited", fields)]
    assert strategy.read(revm, "convertToAssets", HELD) == 110 * OUNCE
    assert strategy.read(revm, "maxWithdraw", roles.depositor) == 110 * OUNCE
    # 1 share = 1.1 oz: 11 oz buy 10 shares; taking 1 wei out burns a whole wei of shares.
    assert strategy.read(revm, "convertToShares", 11 * OUNCE) == 10 * OUNCE
    assert strategy.read(revm, "previewDeposit", 1) == 0
    assert strategy.read(revm, "previewWithdraw", 1) == 1


def test_seize__lowers_the_worth_of_all_shares_and_pays_the_receiver(
    revm: Chain, strategy: Contract, gold: Contract, roles: SimpleNamespace
) -> None:
    receipt = send(revm, strategy, "seize", 30 * OUNCE, roles.trader, sender=roles.intruder)
    fields = {"intruder": roles.intruder, "receiver": roles.trader, "amount": 30 * OUNCE}
    assert events(strategy, receipt) == [("Seized", fields)]
    assert gold.read(revm, "balanceOf", roles.trader) == 30 * OUNCE
    assert strategy.read(revm, "maxWithdraw", roles.depositor) == 70 * OUNCE
    assert read(revm, strategy, "totalAssets", "totalSupply") == [70 * OUNCE, HELD]


def test_seize__of_everything__lets_the_vault_see_no_room_and_no_worth(
    revm: Chain, strategy: Contract, roles: SimpleNamespace
) -> None:
    assert strategy.read(revm, "maxDeposit", roles.depositor) == 2**256 - 1
    assert strategy.read(revm, "maxDeposit", roles.trader) == 0
    send(revm, strategy, "seize", HELD, roles.intruder, sender=roles.intruder)
    views = ("maxDeposit", "maxWithdraw")
    assert [strategy.read(revm, view, roles.depositor) for view in views] == [0, 0]
    assert strategy.read(revm, "convertToAssets", HELD) == 0
    assert strategy.read(revm, "convertToShares", OUNCE) == 0


@pytest.mark.parametrize("function", ["withdraw", "redeem"])
def test_exit__in_part__burns_and_pays_alike_and_logs(
    revm: Chain, strategy: Contract, gold: Contract, roles: SimpleNamespace, function: str
) -> None:
    send(revm, strategy, "credit", HELD, sender=roles.keeper)
    # 1 share = 2 oz: 40 oz are 20 shares.
    amount = 40 * OUNCE if function == "withdraw" else 20 * OUNCE
    call = (function, amount, roles.trader, roles.depositor)
    receipt = send(revm, strategy, *call, sender=roles.depositor)
    fields = {
        "sender": roles.depositor,
        "receiver": roles.trader,
        "owner": roles.depositor,
        "assets": 40 * OUNCE,
        "shares": 20 * OUNCE,
    }
    assert events(strategy, receipt) == [("Withdraw", fields)]
    assert gold.read(revm, "balanceOf", roles.trader) == 40 * OUNCE
    assert strategy.read(revm, "maxRedeem", roles.depositor) == 80 * OUNCE
    assert read(revm, strategy, "totalAssets", "totalSupply") == [160 * OUNCE, 80 * OUNCE]


def test_deposit__of_a_token_with_a_fee__counts_what_arrives(
    revm: Chain, strategy: Contract, gold: Contract, roles: SimpleNamespace
) -> None:
    send(revm, gold, "setFeeRate", 10_000, sender=roles.owner)
    call = ("deposit", 10 * OUNCE, roles.depositor)
    receipt = send(revm, strategy, *call, sender=roles.depositor)
    arrived = 99 * OUNCE // 10  # 10 oz less 1 %
    fields = {"sender": roles.depositor, "owner": roles.depositor}
    amounts = {"assets": arrived, "shares": arrived}
    assert events(strategy, receipt) == [("Deposit", {**fields, **amounts})]
    send(revm, strategy, "credit", 10 * OUNCE, sender=roles.keeper)
    assert read(revm, strategy, "totalAssets") == [HELD + 2 * arrived]
    assert gold.read(revm, "balanceOf", strategy.address) == HELD + 2 * arrived


def test_donation__changes_nothing(
    revm: Chain, strategy: Contract, gold: Contract, roles: SimpleNamespace
) -> None:
    send(revm, gold, "transfer", strategy.address, OUNCE, sender=roles.keeper)
    assert read(revm, strategy, "totalAssets") == [HELD]
    assert strategy.read(revm, "convertToAssets", HELD) == HELD


def test_shares__of_an_empty_strategy__are_worth_one_to_one(
    revm: Chain, gold: Contract, roles: SimpleNamespace
) -> None:
    args = (gold, roles.depositor, roles.keeper, roles.intruder)
    empty = deploy(revm, "stage_strategy", *args, sender=roles.owner)
    for view in ("convertToShares", "convertToAssets", "previewDeposit", "previewRedeem"):
        assert empty.read(revm, view, 5 * OUNCE) == 5 * OUNCE


def test_share_prices__that_do_not_divide__round_against_the_holder(
    revm: Chain, strategy: Contract, roles: SimpleNamespace
) -> None:
    """1 share = 1.1 oz: a wei of shares is worth 1 wei; 2 wei are worth 1.82 shares, so 2 burn."""
    send(revm, strategy, "credit", 10 * OUNCE, sender=roles.keeper)
    assert strategy.read(revm, "convertToAssets", 1) == 1
    call = ("withdraw", 2, roles.depositor, roles.depositor)
    send(revm, strategy, *call, sender=roles.depositor)
    assert read(revm, strategy, "totalAssets", "totalSupply") == [110 * OUNCE - 2, HELD - 2]


def test_seize__of_what_is_counted_but_gone__is_refused(
    revm: Chain, strategy: Contract, gold: Contract, roles: SimpleNamespace
) -> None:
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        send(revm, gold, function, strategy.address, sender=roles.owner)
    assert read(revm, strategy, "totalAssets") == [0]
    with refused("stage_strategy: exceeds the assets"):
        send(revm, strategy, "seize", 1, roles.intruder, sender=roles.intruder)
    send(revm, gold, "transfer", strategy.address, OUNCE, sender=roles.keeper)
    send(revm, strategy, "credit", OUNCE, sender=roles.keeper)
    send(revm, strategy, "seize", OUNCE, roles.intruder, sender=roles.intruder)


def test_asset__that_answers_nothing_to_a_transfer__is_taken_for_done(
    revm: Chain, roles: SimpleNamespace
) -> None:
    mute = revm.deploy(MUTE, [], roles.owner)
    args = (mute, roles.depositor, roles.keeper, roles.intruder)
    strategy = deploy(revm, "stage_strategy", *args, sender=roles.owner)
    receipt = send(revm, strategy, "seize", 0, roles.trader, sender=roles.intruder)
    fields = {"intruder": roles.intruder, "receiver": roles.trader, "amount": 0}
    assert events(strategy, receipt) == [("Seized", fields)]
