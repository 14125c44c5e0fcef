"""Compliance: cap by identity over wallets and stakes, countries, lock-ups; its ERC names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, Refusal, check_refusal, check_standard, events, refused
from sto_stage import CHILE, CONGO, PERU, TOKEN, UNLIMITED, StoStage, identity_of

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"

CAP = 1_000
OVER = "compliance: identity would exceed its cap"
LOCKED = "compliance: tokens are locked up"
FORBIDDEN = "compliance: country is forbidden"


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    """The depositor's two wallets: 600 tokens in one, none in `stranger`'s; cap 1,000."""
    stage = StoStage(revm, roles)
    stage.register(roles.stranger, stage.identities["depositor"])
    stage.send(stage.compliance, "set_max_balance", CAP * TOKEN, sender=roles.owner)
    stage.mint(roles.depositor, 600)
    stage.mint(roles.trader, 900)
    return stage


def held(stage: StoStage, role: str) -> float:
    """Return whole tokens that a role's identity holds over all wallets and stakes."""
    return stage.read(stage.compliance, "held_by", stage.identities[role]) / TOKEN


def move(stage: StoStage, sender: str, receiver: str, tokens: float) -> None:
    stage.send(stage.sto, "transfer", receiver, int(tokens * TOKEN), sender=sender)


def test_interface__has_the_names_of_erc_3643() -> None:
    """Every function and event of `ICompliance` and ERC-173."""
    functions = {
        "bindToken(address)": "",
        "unbindToken(address)": "",
        "isTokenBound(address)": "bool",
        "getTokenBound()": "address",
        "canTransfer(address,address,uint256)": "bool",
        "transferred(address,address,uint256)": "",
        "created(address,uint256)": "",
        "destroyed(address,uint256)": "",
        "owner()": "address",
        "transferOwnership(address)": "",
    }
    topics = {
        "TokenBound(address)": 0,
        "TokenUnbound(address)": 0,
        "OwnershipTransferred(address,address)": 2,
    }
    check_standard(load_artifact("compliance"), functions, topics)


def test_cap__holds_over_all_wallets_of_an_identity(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    for receiver in (roles.depositor, roles.stranger):
        with refused(OVER):
            move(stage, roles.trader, receiver, 400 + 1e-9)
        with refused(OVER):
            stage.mint(receiver, 401)
    move(stage, roles.trader, roles.stranger, 400)
    assert held(stage, "depositor") == CAP
    # Between the wallets of one person nothing is acquired.
    move(stage, roles.depositor, roles.stranger, 600)
    assert held(stage, "depositor") == CAP
    move(stage, roles.stranger, roles.trader, 1)
    stage.mint(roles.depositor, 1)
    assert (held(stage, "depositor"), held(stage, "trader")) == (CAP, 501)


def test_cap__counts_what_is_staked(stage: StoStage, roles: SimpleNamespace) -> None:
    stage.stake(roles.depositor, 600)
    assert held(stage, "depositor") == 600
    with refused(OVER):
        move(stage, roles.trader, roles.depositor, 401)
    move(stage, roles.trader, roles.depositor, 400)
    stage.send(stage.staking, "withdraw", 600 * TOKEN, sender=roles.depositor)
    assert held(stage, "depositor") == CAP
    assert stage.read(stage.compliance, "entrusted_by", roles.depositor) == 0


def test_cap__what_was_never_entrusted_is_acquired(stage: StoStage, roles: SimpleNamespace) -> None:
    """A forced transfer hands one person's stake to another, who then counts it."""
    stage.stake(roles.depositor, 600)
    forced = ("forcedTransfer", stage.staking, roles.trader, 200 * TOKEN)
    stage.send(stage.sto, *forced, sender=roles.agent)
    assert held(stage, "trader") == 1_100
    assert held(stage, "depositor") == 600


def test_forced_transfer__skips_the_cap_and_is_counted(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    forced = ("forcedTransfer", roles.trader, roles.depositor, 900 * TOKEN)
    stage.send(stage.sto, *forced, sender=roles.agent)
    assert (held(stage, "depositor"), held(stage, "trader")) == (1_500, 0)
    with refused(OVER):
        stage.mint(roles.stranger, 1)
    stage.send(stage.sto, "burn", roles.depositor, 501 * TOKEN, sender=roles.agent)
    stage.mint(roles.stranger, 1)


def test_identity__changed_in_the_registry__takes_balance_and_stake_along(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.stake(roles.depositor, 100)
    update = ("updateIdentity", roles.depositor, stage.identities["trader"])
    stage.send(stage.registry, *update, sender=roles.agent)
    assert (held(stage, "depositor"), held(stage, "trader")) == (0, 1_500)
    with refused(OVER):
        stage.mint(roles.depositor, 1)
    stage.send(stage.staking, "exit", sender=roles.depositor)
    move(stage, roles.depositor, roles.stranger, 600)
    assert (held(stage, "depositor"), held(stage, "trader")) == (600, 900)


def test_wallet__removed_from_the_registry__still_counts_for_its_person(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.registry, "deleteIdentity", roles.depositor, sender=roles.agent)
    assert held(stage, "depositor") == 600
    with refused(OVER):
        stage.mint(roles.stranger, 401)
    # Tokens may leave a wallet that is no longer verified.
    move(stage, roles.depositor, roles.stranger, 600)
    assert held(stage, "depositor") == 600


def test_recovery__keeps_cap_lockup_and_stake_of_the_person(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    until = stage.chain.timestamp() + 30 * DAY
    lock = ("set_lockup", roles.depositor, 400 * TOKEN, until)
    stage.send(stage.compliance, *lock, sender=roles.owner)
    stage.stake(roles.depositor, 100)
    lost = (roles.depositor, roles.auditor, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    assert held(stage, "depositor") == 600
    assert stage.read(stage.compliance, "entrusted_by", roles.auditor) == 100 * TOKEN
    with refused(LOCKED):
        move(stage, roles.auditor, roles.second_depositor, 101)
    move(stage, roles.auditor, roles.second_depositor, 100)
    stage.send(stage.staking, "follow_recovery", roles.depositor, sender=roles.auditor)
    stage.send(stage.staking, "exit", sender=roles.auditor)
    assert held(stage, "depositor") == stage.balance(roles.auditor) / TOKEN == 500


def test_recovery__of_a_wallet_with_a_reserved_wei__hands_it_on(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.compliance, "reserve", roles.depositor, 1, sender=roles.agent)
    lost = (roles.depositor, roles.auditor, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    reserved = [
        stage.read(stage.compliance, "reserved_for", wallet)
        for wallet in (roles.depositor, roles.auditor)
    ]
    assert reserved == [0, 1]


def test_recovery__into_a_wallet_with_a_lockup_of_its_own__adds_them(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    now = stage.chain.timestamp()
    for wallet, tokens, days in ((roles.depositor, 400, 30), (roles.stranger, 50, 60)):
        lock = ("set_lockup", wallet, tokens * TOKEN, now + days * DAY)
        stage.send(stage.compliance, *lock, sender=roles.owner)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    locked = stage.read(stage.compliance, "lockup_of", roles.stranger)
    assert tuple(locked) == (450 * TOKEN, now + 60 * DAY)
    assert tuple(stage.read(stage.compliance, "lockup_of", roles.depositor)) == (0, 0)


def test_lockup__keeps_its_amount_until_its_date(stage: StoStage, roles: SimpleNamespace) -> None:
    until = stage.chain.timestamp() + 30 * DAY
    lock = ("set_lockup", roles.depositor, 500 * TOKEN, until)
    receipt = stage.send(stage.compliance, *lock, sender=roles.owner)
    fields = {"wallet": roles.depositor, "amount": 500 * TOKEN, "until": until}
    assert events(stage.compliance, receipt) == [("LockupSet", fields)]
    move(stage, roles.depositor, roles.second_depositor, 100)
    with refused(LOCKED):
        stage.stake(roles.depositor, 1)
    call = stage.sto.call("transfer", roles.second_depositor, 1, sender=roles.depositor)
    with refused(LOCKED):
        stage.chain.send(call, until - 1)
    stage.chain.send(call, until)


def test_country__forbidden__may_hold_and_send_but_not_receive(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    update = ("updateCountry", roles.depositor, CONGO)
    stage.send(stage.registry, *update, sender=roles.agent)
    forbid = ("set_country_forbidden", CONGO, True)
    receipt = stage.send(stage.compliance, *forbid, sender=roles.owner)
    fields = {"country": CONGO, "is_forbidden": True}
    assert events(stage.compliance, receipt) == [("CountrySet", fields)]
    with refused(FORBIDDEN):
        move(stage, roles.trader, roles.depositor, 1)
    with refused(FORBIDDEN):
        stage.mint(roles.depositor, 1)
    move(stage, roles.depositor, roles.second_depositor, 1)
    stage.send(stage.registry, "updateCountry", roles.depositor, PERU, sender=roles.agent)
    move(stage, roles.trader, roles.depositor, 1)


def test_can_transfer__and_its_reason__agree_with_the_transfer(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    rules, mine = stage.compliance, roles.depositor
    for amount, reason in ((400 * TOKEN, ""), (400 * TOKEN + 1, OVER)):
        assert stage.read(rules, "canTransfer", roles.trader, mine, amount) == (reason == "")
        assert stage.read(rules, "refusal_of", roles.trader, mine, amount) == reason
        assert stage.refusal(stage.sto, "transfer", mine, amount, sender=roles.trader) == (
            reason or None
        )


def test_compliance__bound_again_after_it_missed_movements__stops_nobody(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    other = stage.deploy("compliance")
    stage.send(stage.sto, "setCompliance", other, sender=roles.owner)
    stage.mint(roles.second_depositor, 50)
    move(stage, roles.trader, roles.second_depositor, 900)
    receipt = stage.send(stage.sto, "setCompliance", stage.compliance, sender=roles.owner)
    added = {"_compliance": stage.compliance.address}
    assert events(stage.sto, receipt) == [("ComplianceAdded", added)]
    # The first compliance believes that the trader has 900, the second depositor none.
    move(stage, roles.second_depositor, roles.trader, 950 - 850)
    assert held(stage, "trader") == CAP
    move(stage, roles.second_depositor, roles.staker, 850)
    assert stage.balance(roles.staker) == 850 * TOKEN


def test_compliance__without_a_token__allows_nothing(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.compliance, "unbindToken", stage.sto, sender=roles.owner)
    with refused("compliance: no token is bound"):
        move(stage, roles.depositor, roles.trader, 1)
    stage.send(stage.compliance, "bindToken", stage.sto, sender=roles.owner)
    move(stage, roles.depositor, roles.trader, 1)


def test_bind__of_the_token_that_is_bound__logs_no_change(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    again = stage.send(stage.compliance, "bindToken", stage.sto, sender=roles.owner)
    assert events(stage.compliance, again) == []
    gone = stage.send(stage.compliance, "unbindToken", stage.sto, sender=roles.owner)
    bound = stage.send(stage.compliance, "bindToken", stage.sto, sender=roles.owner)
    token = {"_token": stage.sto.address}
    assert events(stage.compliance, gone) == [("TokenUnbound", token)]
    assert events(stage.compliance, bound) == [("TokenBound", token)]


def test_transfer_of_nothing__to_one_above_his_cap__is_no_acquisition(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.compliance, "set_max_balance", 600 * TOKEN - 1, sender=roles.owner)
    with refused(OVER):
        stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    move(stage, roles.trader, roles.depositor, 0)


def test_compliance_of_the_bare_standard__refuses_without_a_reason(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """It gives no reasons and wants to know of no recovery; both still work."""
    bare = compile_patched(
        CONTRACTS / "compliance.vy",
        ("compliance.vy", "def refusal_of(", "def other_view("),
        ("compliance.vy", "def wallet_recovered(", "def other_call("),
    )
    stage = StoStage(revm, roles, patched={"compliance": bare})
    stage.mint(roles.depositor, 10)
    stage.send(stage.compliance, "set_max_balance", 5 * TOKEN, sender=roles.owner)
    with refused("compliance_check: the rules forbid it"):
        move(stage, roles.depositor, roles.trader, 6)
    move(stage, roles.depositor, roles.trader, 5)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    assert stage.balance(roles.stranger) == 5 * TOKEN


def test_custodian__with_tokens__cannot_be_named_or_dismissed(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    name = ("set_custodian", roles.trader, True)
    with refused("compliance: custodian holds tokens"):
        stage.send(stage.compliance, *name, sender=roles.owner)
    move(stage, roles.trader, roles.second_depositor, 900)
    stage.send(stage.compliance, *name, sender=roles.owner)
    stage.stake(roles.depositor, 1)
    dismiss = ("set_custodian", stage.staking, False)
    with refused("compliance: custodian holds tokens"):
        stage.send(stage.compliance, *dismiss, sender=roles.owner)
    stage.send(stage.staking, "exit", sender=roles.depositor)
    stage.send(stage.compliance, *dismiss, sender=roles.owner)


@pytest.fixture
def names(stage: StoStage, roles: SimpleNamespace) -> dict[str, str]:
    return {**vars(roles), "nobody": ZERO_ADDRESS, "sto": stage.sto.address}


NOT_OWNER = "ownable: caller is not the owner"
REFUSALS = [
    *(
        Refusal(NOT_OWNER, ("@agent", *call), ("@owner", *call))
        for call in (
            ("set_max_balance", UNLIMITED),
            ("set_country_forbidden", CHILE, True),
            ("set_lockup", "@trader", 1, 2),
            ("set_custodian", "@agent", True),
            ("transferOwnership", "@trader"),
        )
    ),
    Refusal(
        "compliance: owner is the zero address",
        ("@owner", "transferOwnership", "@nobody"),
        ("@owner", "transferOwnership", "@trader"),
    ),
    Refusal(
        "compliance: caller may not bind",
        ("@trader", "bindToken", "@trader"),
        ("@owner", "bindToken", "@trader"),
        before=(("@owner", "unbindToken", "@sto"),),
    ),
    Refusal(
        "compliance: caller may not bind",
        ("@agent", "bindToken", "@sto"),
        ("@owner", "bindToken", "@sto"),
    ),
    Refusal(
        "compliance: token is the zero address",
        ("@owner", "bindToken", "@nobody"),
        ("@owner", "bindToken", "@sto"),
    ),
    Refusal(
        "compliance: caller may not unbind",
        ("@agent", "unbindToken", "@sto"),
        ("@owner", "unbindToken", "@sto"),
    ),
    Refusal(
        "compliance: token is not bound",
        ("@owner", "unbindToken", "@trader"),
        ("@owner", "unbindToken", "@sto"),
    ),
    # While none is bound, zero would be the one that is, and its unbinding be logged.
    Refusal(
        "compliance: token is the zero address",
        ("@owner", "unbindToken", "@nobody"),
        ("@owner", "unbindToken", "@sto"),
        before=(("@owner", "unbindToken", "@sto"),),
        lift=(("@owner", "bindToken", "@sto"),),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, stage: StoStage, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, stage.compliance, names, case)


@pytest.mark.parametrize(
    ("report", "act"),
    [
        (("transferred", "trader", "depositor", 1), ("transfer", "depositor", 1)),
        (("created", "trader", 1), ("mint", "trader", 1)),
        (("destroyed", "trader", 1), ("burn", "trader", 1)),
        (
            ("wallet_recovered", "trader", "auditor"),
            ("recoveryAddress", "trader", "auditor", "identity"),
        ),
    ],
    ids=lambda words: words[0],
)
def test_movement__is_reported_by_the_token_alone(
    stage: StoStage, roles: SimpleNamespace, report: tuple, act: tuple
) -> None:
    known = {**vars(roles), "identity": stage.identities["trader"]}

    def play(contract, words: tuple, sender: str) -> None:
        function, *args = words
        plain = [known.get(word, word) for word in args]
        stage.send(contract, function, *plain, sender=sender)

    with refused("compliance: caller is not the token"):
        play(stage.compliance, report, roles.owner)
    play(stage.sto, act, roles.trader if act[0] == "transfer" else roles.agent)


def test_sync__without_a_listener__books_a_changed_identity_on_request(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.registry, "set_listener", ZERO_ADDRESS, sender=roles.owner)
    new = identity_of(200)
    stage.send(stage.registry, "updateIdentity", roles.depositor, new, sender=roles.agent)
    assert held(stage, "depositor") == 600
    stage.send(stage.compliance, "sync", roles.depositor, sender=roles.stranger)
    assert held(stage, "depositor") == 0
    assert stage.read(stage.compliance, "held_by", new) == 600 * TOKEN
