"""The stage: who acts, in which order within a step, and what is compared.

A product takes part through its `Stagecraft` (see `casting`), which casts a `Player` for one path:
it deploys its contracts, turns one step of the model's record into calls, and reads the same
observables back.
Everything on the stage is keyed by (label, name), so that two vaults stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Protocol

from simulator.chain.accounts import development_account
from simulator.chain.artifacts import Artifact, artifact_names, load_artifact
from simulator.chain.base import Call, Chain, Receipt
from simulator.chain.contract import Contract
from simulator.units import FloatArray

UNLIMITED = 2**256 - 1

Key = tuple[str, str]
"""A label, and a name that is its own affair."""


class Phase(IntEnum):
    """Order of calls within a step; calls of one phase keep the order of the players.

    Income belongs to who held overnight: what is paid out at once, and not streamed, is paid in
    ACCRUAL, before anybody sells or buys.
    """

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


SHARED_ROLES = ("owner", "custodian")
"""Actors whom all products share; everybody else is dealt an account for each label."""


@dataclass
class Accounts:
    """Deals the development accounts: one for each (label, role), in the order of asking."""

    dealt: dict[Key, str] = field(default_factory=dict)

    def of(self, label: str, role: str) -> str:
        """Return the account of a label's actor."""
        key = ("" if role in SHARED_ROLES else label, role)
        if key not in self.dealt:
            self.dealt[key] = development_account(len(self.dealt))
        return self.dealt[key]


class Roles:
    """The accounts of one label's actors by role, as in `roles.keeper`."""

    def __init__(self, accounts: Accounts, label: str) -> None:
        self._accounts, self._label = accounts, label

    def __getattr__(self, role: str) -> str:
        if role.startswith("_"):
            raise AttributeError(role)
        account = self._accounts.of(self._label, role)
        # An attribute from now on: it is asked for with almost every call.
        setattr(self, role, account)
        return account

    def several(self, role: str, count: int) -> tuple[str, ...]:
        """Return the accounts of `count` actors of one role, such as eight borrowers."""
        return tuple(self._accounts.of(self._label, f"{role} {n}") for n in range(count))


@dataclass(frozen=True)
class Observable:
    """A number that both engines know at the end of a step.

    Attributes
    ----------
    name : str
        Its own among those of its player.
    operations : int
        Roundings a step can add.
    unit : float
        The most one of them can change the observable by.
    magnitude : float
        Size of the numbers it is the sum or difference of, where that exceeds its own.
    """

    name: str
    operations: int
    unit: float
    magnitude: float = 1.0


class TakenTwice(ValueError):
    """A (label, name) that may stand once on the stage was given twice."""


@dataclass
class Stage:
    """A chain as one label's player sees it, with the contracts that all have deployed so far.

    Attributes
    ----------
    label : str
    accounts : Accounts
        Shared by all labels, as `contracts` are.
    artifacts : str
        Package of the label's compiled contracts; what it lacks is taken from Assay's own.
    patched : dict of str to Artifact
        Artifacts that stand in for the packaged ones: how tests break a contract.
    given : dict of Key to str
        Addresses of contracts that stand on the chain already, and are not deployed again.
    """

    chain: Chain
    label: str
    accounts: Accounts = field(default_factory=Accounts)
    contracts: dict[Key, Contract] = field(default_factory=dict)
    artifacts: str = ""
    patched: Mapping[str, Artifact] = field(default_factory=dict)
    given: Mapping[Key, str] = field(default_factory=dict)

    @cached_property
    def roles(self) -> Roles:
        """Return the accounts of the label's own actors."""
        return Roles(self.accounts, self.label)

    def deploy(self, artifact: str, *args: object, name: str = "") -> Contract:
        """Deploy a compiled contract from `owner`; keep it under its artifact's name, or `name`.

        Raises
        ------
        TakenTwice
            The label has a contract of that name already.
        """
        key = (self.label, name or artifact)
        if key in self.contracts:
            raise TakenTwice(f"{self.label} deploys {key[1]} twice")
        compiled = self.patched.get(artifact) or self._compiled(artifact)
        if key in self.given:
            self.contracts[key] = Contract(compiled, self.given[key].lower())
            return self.contracts[key]
        self.contracts[key] = self.chain.deploy(compiled, args, sender=self.roles.owner)
        return self.contracts[key]

    def _compiled(self, artifact: str) -> Artifact:
        if not self.artifacts or artifact in artifact_names(self.artifacts):
            return load_artifact(artifact, *([self.artifacts] if self.artifacts else []))
        # What neither has is missing in the label's own package.
        ours = artifact in artifact_names()
        return load_artifact(artifact) if ours else load_artifact(artifact, self.artifacts)

    def contract(self, name: str, label: str = "") -> Contract:
        """Return a contract that stands already: this label's, or another's."""
        return self.contracts[label or self.label, name]

    def send(self, *calls: Call) -> list[Receipt]:
        """Execute set-up calls in one block, a second after the last."""
        return self.chain.block(self.chain.timestamp() + 1, calls)


class Player(Protocol):
    """One label's part in a replay. Names of observables and acts are its own affair.

    `read`, `expected`, `extra_tolerance` and `gas` change nothing: called twice they say the same.
    """

    @property
    def observables(self) -> tuple[Observable, ...]:
        """Return what is compared on every step."""

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


class PlainPlayer:
    """What a player says that has no coarser units and nobody who decides."""

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return nothing: `Observable.unit` covers all."""
        del step
        return {}

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Return zero decisions: nobody decides by the contract's state."""
        del step, answers
        return 0, 0


@dataclass(frozen=True)
class Actor:
    """A player on the stage, under a label, with the package of its compiled contracts."""

    label: str
    player: Player
    artifacts: str = ""


@dataclass(frozen=True)
class Holder:
    """What a portfolio does with a position on one path; arrays of shape (n_steps + 1,).

    Attributes
    ----------
    units : ndarray
        Units of the position at the end of a step.
    bought, sold : ndarray
        Units bought and sold on a step, before the exit at the horizon.
    level : ndarray, USD per unit
        Price at which its stop stands at the end of a step, 0 for none.
    """

    units: FloatArray
    bought: FloatArray
    sold: FloatArray
    level: FloatArray
