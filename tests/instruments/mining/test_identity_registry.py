"""The identity registry by ERC-3643: names, agents, and the listener that counts wallets."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from handmade import SILENT
from props import Refusal, check_refusal, check_standard, deploy, events, refused, send
from sto_stage import CHILE, PERU, identity_of

from simulator.chain import ZERO_ADDRESS, Chain, Contract, load_artifact

ONE, TWO = identity_of(1), identity_of(2)


@pytest.fixture
def registry(revm: Chain, roles: SimpleNamespace) -> Contract:
    """A registry that knows the depositor, with an agent."""
    registry = deploy(revm, "identity_registry", sender=roles.owner)
    send(revm, registry, "addAgent", roles.agent, sender=roles.owner)
    register = ("registerIdentity", roles.depositor, ONE, CHILE)
    send(revm, registry, *register, sender=roles.agent)
    return registry


@pytest.fixture
def names(roles: SimpleNamespace) -> dict[str, str]:
    return {**vars(roles), "nobody": ZERO_ADDRESS}


def test_interface__has_the_names_of_erc_3643() -> None:
    """Every function and event of `IIdentityRegistry`, `IAgentRole` and ERC-173."""
    functions = {
        "identityStorage()": "address",
        "issuersRegistry()": "address",
        "topicsRegistry()": "address",
        "setIdentityRegistryStorage(address)": "",
        "setClaimTopicsRegistry(address)": "",
        "setTrustedIssuersRegistry(address)": "",
        "registerIdentity(address,address,uint16)": "",
        "deleteIdentity(address)": "",
        "updateCountry(address,uint16)": "",
        "updateIdentity(address,address)": "",
        "batchRegisterIdentity(address[],address[],uint16[])": "",
        "contains(address)": "bool",
        "isVerified(address)": "bool",
        "identity(address)": "address",
        "investorCountry(address)": "uint16",
        "addAgent(address)": "",
        "removeAgent(address)": "",
        "isAgent(address)": "bool",
        "owner()": "address",
        "transferOwnership(address)": "",
    }
    topics = {
        "ClaimTopicsRegistrySet(address)": 1,
        "IdentityStorageSet(address)": 1,
        "TrustedIssuersRegistrySet(address)": 1,
        "IdentityRegistered(address,address)": 2,
        "IdentityRemoved(address,address)": 2,
        "IdentityUpdated(address,address)": 2,
        "CountryUpdated(address,uint16)": 2,
        "AgentAdded(address)": 1,
        "AgentRemoved(address)": 1,
        "OwnershipTransferred(address,address)": 2,
    }
    check_standard(load_artifact("identity_registry"), functions, topics)


REGISTER = ("registerIdentity", "@trader", TWO, PERU)
UNKNOWN = "identity_registry: wallet is not registered"
REFUSALS = [
    *(
        Refusal("agent_role: caller is not an agent", ("@owner", *call), ("@agent", *call))
        for call in (
            REGISTER,
            ("batchRegisterIdentity", [], [], []),
            ("deleteIdentity", "@depositor"),
            ("updateCountry", "@depositor", PERU),
            ("updateIdentity", "@depositor", TWO),
        )
    ),
    *(
        Refusal(UNKNOWN, ("@agent", *call), lift=(("@agent", *REGISTER),))
        for call in (
            ("deleteIdentity", "@trader"),
            ("updateCountry", "@trader", PERU),
            ("updateIdentity", "@trader", ONE),
        )
    ),
    *(
        Refusal("ownable: caller is not the owner", ("@agent", *call), ("@owner", *call))
        for call in (
            ("setIdentityRegistryStorage", "@trader"),
            ("setClaimTopicsRegistry", "@trader"),
            ("setTrustedIssuersRegistry", "@trader"),
            ("set_listener", "@nobody"),
            ("addAgent", "@trader"),
            ("removeAgent", "@agent"),
            ("transferOwnership", "@trader"),
        )
    ),
    Refusal(
        "identity_registry: owner is the zero address",
        ("@owner", "transferOwnership", "@nobody"),
        ("@owner", "transferOwnership", "@trader"),
    ),
    Refusal(
        "identity_registry: wallet is the zero address",
        ("@agent", "registerIdentity", "@nobody", TWO, PERU),
        ("@agent", *REGISTER),
    ),
    Refusal(
        "identity_registry: identity is the zero address",
        ("@agent", "registerIdentity", "@trader", "@nobody", PERU),
        ("@agent", *REGISTER),
    ),
    Refusal(
        "identity_registry: identity is the zero address",
        ("@agent", "updateIdentity", "@depositor", "@nobody"),
        ("@agent", "updateIdentity", "@depositor", TWO),
    ),
    Refusal(
        "identity_registry: wallet is already registered",
        ("@agent", "registerIdentity", "@depositor", TWO, PERU),
        lift=(("@agent", "deleteIdentity", "@depositor"),),
    ),
    Refusal(
        "agent_role: account is not an agent",
        ("@owner", "removeAgent", "@trader"),
        lift=(("@owner", "addAgent", "@trader"),),
    ),
    *(
        Refusal(
            "identity_registry: lists differ in length",
            ("@agent", "batchRegisterIdentity", *lists),
            ("@agent", "batchRegisterIdentity", [], [], []),
        )
        for lists in (([ONE], [], []), ([], [ONE], []), ([], [], [1]))
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, registry: Contract, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, registry, names, case)


def known(chain: Chain, registry: Contract, wallet: str) -> tuple[bool, bool, str, int]:
    views = ("contains", "isVerified", "identity", "investorCountry")
    return tuple(registry.read(chain, view, wallet) for view in views)


def test_wallet__from_registration_to_removal(
    revm: Chain, registry: Contract, roles: SimpleNamespace
) -> None:
    wallet = roles.depositor
    assert known(revm, registry, wallet) == (True, True, ONE, CHILE)
    for call, event, fields in (
        (
            ("updateCountry", wallet, PERU),
            "CountryUpdated",
            {"investorAddress": wallet, "country": PERU},
        ),
        (
            ("updateIdentity", wallet, TWO),
            "IdentityUpdated",
            {"oldIdentity": ONE, "newIdentity": TWO},
        ),
        (
            ("deleteIdentity", wallet),
            "IdentityRemoved",
            {"investorAddress": wallet, "identity": TWO},
        ),
    ):
        receipt = send(revm, registry, *call, sender=roles.agent)
        assert events(registry, receipt) == [(event, fields)]
    assert known(revm, registry, wallet) == (False, False, ZERO_ADDRESS, 0)


def test_batch__registers_each_wallet_with_its_identity_and_country(
    revm: Chain, registry: Contract, roles: SimpleNamespace
) -> None:
    wallets = [roles.trader, roles.staker]
    batch = ("batchRegisterIdentity", wallets, [ONE, TWO], [PERU, CHILE])
    receipt = send(revm, registry, *batch, sender=roles.agent)
    assert events(registry, receipt) == [
        ("IdentityRegistered", {"investorAddress": roles.trader, "identity": ONE}),
        ("IdentityRegistered", {"investorAddress": roles.staker, "identity": TWO}),
    ]
    assert known(revm, registry, roles.trader) == (True, True, ONE, PERU)
    assert known(revm, registry, roles.staker) == (True, True, TWO, CHILE)


def test_batch__of_200__is_the_longest(
    revm: Chain, registry: Contract, roles: SimpleNamespace
) -> None:
    """The bound is `_BATCH`; what is longer does not decode, which reverts without a message."""
    wallets = [identity_of(1_000 + n) for n in range(201)]

    def register(count: int) -> None:
        lists = (wallets[:count], wallets[:count], [PERU] * count)
        call = registry.call("batchRegisterIdentity", *lists, sender=roles.agent, gas=20_000_000)
        revm.send(call)

    with refused("no reason given"):
        register(201)
    register(200)
    assert registry.read(revm, "contains", wallets[199])


def test_change_of_an_identity__is_told_to_the_listener(
    revm: Chain, registry: Contract, roles: SimpleNamespace
) -> None:
    """A listener that refuses stops each of them; without one they pass."""
    deaf = revm.deploy(SILENT, [], roles.owner)
    send(revm, registry, "registerIdentity", roles.staker, ONE, CHILE, sender=roles.agent)
    for call in (
        ("registerIdentity", roles.trader, TWO, PERU),
        ("batchRegisterIdentity", [roles.keeper], [TWO], [PERU]),
        ("updateIdentity", roles.depositor, TWO),
        ("deleteIdentity", roles.staker),
    ):
        send(revm, registry, "set_listener", deaf.address, sender=roles.owner)
        with refused("no reason given"):
            send(revm, registry, *call, sender=roles.agent)
        send(revm, registry, "set_listener", ZERO_ADDRESS, sender=roles.owner)
        send(revm, registry, *call, sender=roles.agent)


@pytest.mark.parametrize(
    ("setter", "getter", "event"),
    [
        ("setIdentityRegistryStorage", "identityStorage", "IdentityStorageSet"),
        ("setClaimTopicsRegistry", "topicsRegistry", "ClaimTopicsRegistrySet"),
        ("setTrustedIssuersRegistry", "issuersRegistry", "TrustedIssuersRegistrySet"),
        ("set_listener", "listener", "ListenerSet"),
    ],
)
def test_accessor__stores_an_address_and_logs_it(
    revm: Chain,
    registry: Contract,
    roles: SimpleNamespace,
    setter: str,
    getter: str,
    event: str,
) -> None:
    receipt = send(revm, registry, setter, roles.trader, sender=roles.owner)
    assert registry.read(revm, getter) == roles.trader
    assert [(name, list(fields.values())) for name, fields in events(registry, receipt)] == [
        (event, [roles.trader])
    ]
