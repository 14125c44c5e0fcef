"""The stage: who acts, in which order within a step, and what is compared.

An instrument takes part by implementing `Player`: it deploys its contracts, turns one
step of the model's record into calls, and reads the same observables back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from simulator.chain import Artifact, Call, Chain, Contract, Receipt, load_artifact

UNLIMITED = 2**256 - 1


class Phase(IntEnum):
    """Order of calls within a step; calls of one phase keep the order of the players."""

    PRICES = 0
    ACCRUAL = 1
    LIQUIDATIONS = 2
    EXPLOITS = 3
    STOPS = 4
    ARBITRAGE = 5
    REPAYMENTS = 6
    WITHDRAWALS = 7
    DEPOSITS = 8
    REPORTS = 9
    BORROWS = 10
    CLAIMS = 11


_ACTORS = (
    "owner",
    "custodian",
    "keeper",
    "curator",
    "treasury",
    "fee_recipient",
    "crowd",
    "depositor",
    "intruder",
    "distributor",
)

ACCOUNTS_OF_ROLES = len(_ACTORS) + 8
"""Accounts that actors have, eight borrowers among them."""


@dataclass(frozen=True)
class Roles:
    """Every actor's account; deployments come from `owner`."""

    owner: str
    custodian: str
    keeper: str
    curator: str
    treasury: str
    fee_recipient: str
    crowd: str
    depositor: str
    intruder: str
    distributor: str
    borrowers: tuple[str, ...]

    @classmethod
    def of(cls, accounts: Sequence[str]) -> Roles:
        """Return the roles over a chain's development accounts, at least 18."""
        named = dict(zip(_ACTORS, accounts[:10], strict=True))
        return cls(**named, borrowers=tuple(accounts[10:ACCOUNTS_OF_ROLES]))


@dataclass(frozen=True)
class Observable:
    """A number that both engines know at the end of a step.

    Attributes
    ----------
    instrument, name : str
    operations : int
        Roundings a step can add.
    unit : float
        The most one of them can change the observable by.
    magnitude : float
        Size of the numbers it is the sum or difference of, where that exceeds its own.
    """

    instrument: str
    name: str
    operations: int
    unit: float
    magnitude: float = 1.0


@dataclass
class Stage:
    """A chain, its actors, and the contracts deployed so far by name."""

    chain: Chain
    roles: Roles
    contracts: dict[str, Contract] = field(default_factory=dict)
    patched: Mapping[str, Artifact] = field(default_factory=dict)
    """Artifacts that stand in for the packaged ones: how tests break a contract."""

    def deploy(self, name: str, *args: object, as_name: str | None = None) -> Contract:
        """Deploy a packaged contract from `owner`; keep it under its name, or `as_name`."""
        artifact = self.patched.get(name) or load_artifact(name)
        contract = self.chain.deploy(artifact, args, sender=self.roles.owner)
        self.contracts[as_name or name] = contract
        return contract

    def send(self, *calls: Call) -> list[Receipt]:
        """Execute set-up calls in one block, a second after the last."""
        return self.chain.block(self.chain.timestamp() + 1, calls)


class Player(Protocol):
    """One instrument's part in a replay; one may also have `notes` of what it leaves out."""

    observables: tuple[Observable, ...]

    def deploy(self, stage: Stage) -> None:
        """Create the contracts, hand out roles, allowances and funds."""

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return what happens on a step."""

    def views(self, step: int) -> list[Call]:
        """Return the reads at the end of a step."""

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; `answers` are those of `views`."""

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the observables of the model."""

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what coarser units than `Observable.unit` add up to by this step."""

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Return the decisions compared with the contract's view, and those in the dead-band.

        Raises
        ------
        ReconciliationFailed
            Outside the band the contract sees a decision otherwise than the model.
        """

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the holder's gas of this step by act."""
