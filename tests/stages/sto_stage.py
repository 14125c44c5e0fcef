"""A stage for the mine's security token: registry, compliance, USDC, the token, its staking.

Amounts are token wei and millionths of a dollar, times seconds. The token is running;
`agent` acts on wallets, `mine_operator` pays profit, `auditor` records revenue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from props import DAY, DOLLAR

from simulator.chain import Artifact, Chain, Contract, Receipt, load_artifact
from simulator.errors import TransactionReverted

TOKEN = 10**18
QUARTER = 90 * DAY
CHILE, PERU, CONGO = 152, 604, 180
UNLIMITED = 2**256 - 1
DOLLARS = 10**12

VERIFIED = (
    "depositor",
    "second_depositor",
    "trader",
    "staker",
    "second_staker",
    "treasury",
    "market_maker",
)
"""Roles that the registry knows from the start, each as a person of its own."""


def identity_of(number: int) -> str:
    """Return the address of an identity contract that nobody has to deploy."""
    return f"0x1d{number:038x}"


@dataclass
class StoStage:
    """Everything deployed. `patched` replaces packaged artifacts: how tests break a contract."""

    chain: Chain
    roles: SimpleNamespace
    stream_seconds: int = QUARTER
    payout_bps: int = 6_000
    patched: Mapping[str, Artifact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner, roles = self.roles.owner, self.roles
        self.usdc = self.deploy("usdc")
        self.registry = self.deploy("identity_registry")
        self.compliance = self.deploy("compliance")
        self.sto = self.deploy_token()
        self.staking = self.deploy(
            "revenue_staking", owner, roles.rewards_distribution, self.sto, 30 * DAY
        )
        self._appoint()
        self._register_everyone()
        self._hand_out_dollars()

    def deploy(self, name: str, *args: object, sender: str | None = None) -> Contract:
        artifact = self.patched.get(name) or load_artifact(name)
        plain = [getattr(arg, "address", arg) for arg in args]
        return self.chain.deploy(artifact, plain, sender=sender or self.roles.owner)

    def deploy_token(self, compliance: Contract | None = None) -> Contract:
        return self.deploy(
            "mining_sto",
            "Copper Mine One",
            "CU1",
            self.registry,
            compliance or self.compliance,
            self.usdc,
            self.stream_seconds,
            self.payout_bps,
            self.roles.mine_operator,
            self.roles.auditor,
        )

    def _appoint(self) -> None:
        owner, agent = self.roles.owner, self.roles.agent
        for contract in (self.registry, self.sto):
            self.send(contract, "addAgent", agent, sender=owner)
        self.send(self.registry, "addAgent", self.sto, sender=owner)
        self.send(self.registry, "set_listener", self.compliance, sender=owner)
        self.send(self.compliance, "set_custodian", self.staking, True, sender=owner)
        self.send(self.sto, "unpause", sender=agent)

    def _register_everyone(self) -> None:
        self.identities = {role: identity_of(n) for n, role in enumerate(VERIFIED, start=1)}
        for role, identity in self.identities.items():
            self.register(getattr(self.roles, role), identity)
        self.register(self.staking.address, identity_of(100))

    def _hand_out_dollars(self) -> None:
        owner, payer = self.roles.owner, self.roles.mine_operator
        self.send(self.usdc, "configureMinter", owner, UNLIMITED, sender=owner)
        for account in (payer, self.roles.agent):
            self.send(self.usdc, "mint", account, DOLLARS * DOLLAR, sender=owner)
            self.send(self.usdc, "approve", self.sto, UNLIMITED, sender=account)

    # --- Calls ---------------------------------------------------------------

    def send(
        self, contract: Contract, function: str, *args: object, sender: str, at: int | None = None
    ) -> Receipt:
        return self.chain.send(contract.call(function, *args, sender=sender), at)

    def read(self, contract: Contract, function: str, *args: object) -> Any:
        return contract.read(self.chain, function, *args)

    def refusal(self, contract: Contract, function: str, *args: object, sender: str) -> str | None:
        """Return the reason for which the transaction would revert, or None; keep nothing."""
        try:
            contract.read(self.chain, function, *args, sender=sender)
        except TransactionReverted as error:
            return error.reason
        return None

    def wait(self, seconds: int) -> int:
        """Mine an empty block `seconds` after the latest; return its time."""
        at = self.chain.timestamp() + seconds
        self.chain.block(at, [])
        return at

    # --- Acts ----------------------------------------------------------------

    def register(self, wallet: str, identity: str, country: int = CHILE) -> None:
        args = (wallet, identity, country)
        self.send(self.registry, "registerIdentity", *args, sender=self.roles.agent)

    def mint(self, wallet: str, tokens: int, at: int | None = None) -> Receipt:
        """Mint whole tokens."""
        return self.send(self.sto, "mint", wallet, tokens * TOKEN, sender=self.roles.agent, at=at)

    def pay(self, dollars: int, revenue: int | None = None, at: int | None = None) -> Receipt:
        """Record revenue, as much as is paid unless told otherwise, and pay whole dollars."""
        revenue = dollars if revenue is None else revenue
        calls = []
        if revenue:
            record = ("record_revenue", revenue * DOLLAR)
            calls.append(self.sto.call(*record, sender=self.roles.auditor))
        pay = ("distribute_funds", dollars * DOLLAR)
        calls.append(self.sto.call(*pay, sender=self.roles.mine_operator))
        at = self.chain.timestamp() + 1 if at is None else at
        return self.chain.block(at, calls)[-1]

    def stake(self, wallet: str, tokens: int) -> None:
        self.send(self.sto, "approve", self.staking, UNLIMITED, sender=wallet)
        self.send(self.staking, "stake", tokens * TOKEN, sender=wallet)

    # --- What is known ---------------------------------------------------------

    def balance(self, wallet: str) -> int:
        return int(self.read(self.sto, "balanceOf", wallet))

    def claim(self, wallet: str) -> int:
        """Return what a wallet could take out now, in millionths of a dollar."""
        return int(self.read(self.sto, "withdrawableFundsOf", wallet))

    def dollars(self, wallet: str) -> int:
        return int(self.read(self.usdc, "balanceOf", wallet))
