"""The stage of a trial: an EVM in this process, an asset, the contract, and who deals with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from simulator.chain import Artifact, Call, Contract, Receipt, RevmChain, load_artifact
from simulator.chain.contract import interface_of
from simulator.errors import InputError, Problem, TransactionReverted, UsageError
from simulator.trial.adapters import Adapter, guarded
from simulator.trial.node import OnNode, make_rich

ARTIFACTS = "simulator.trial.artifacts"
START = 1_735_689_600
"""2025-01-01 00:00 UTC."""
DECIMALS = 18
UNLIMITED = 2**256 - 1
ROLES = (
    "owner",
    "keeper",
    "depositor",
    "second_depositor",
    "crowd",
    "intruder",
    "fee_recipient",
)
HOLDERS = ("depositor", "second_depositor", "crowd", "intruder")
"""Who deposits; the visitor is a contract that does."""
PURSE = 10**15
"""Whole units of the asset that each of them begins with."""

_ASSET_NAMES = ("asset", "token", "underlying", "want", "stakingtoken", "rewardstoken")
_OWNER_WORDS = ("owner", "admin", "governance", "authority", "manager", "distribution", "role")
_STRINGS = {"symbol": "TRIAL", "version": "1", "name": "Trial"}
_FEE_WORDS = ("fee", "treasury", "recipient", "receiver")


@dataclass(frozen=True)
class Case:
    """A contract, and what is needed to put it on a stage.

    Attributes
    ----------
    given : dict of str to str
        Constructor arguments as the command line has them.
    node : OnNode, optional
        Where it stands already, with an ABI of its standard alone as `subject`.
    """

    subject: Artifact
    adapter: type[Adapter]
    given: Mapping[str, str] = field(default_factory=dict)
    adapter_file: Path | None = None
    node: OnNode | None = None

    def stage(self, *, hears: bool = False) -> TrialStage:
        """Return a fresh stage with the contract on it; one that `hears` keeps all receipts."""
        return TrialStage(self, hears=hears)


class TrialStage:
    """A contract on stage, with everybody who deals with it.

    Attributes
    ----------
    chain : RevmChain
    asset, contract, visitor : Contract
    roles : namespace of addresses
    unit : int
        One whole unit of the asset.
    """

    def __init__(self, case: Case, *, hears: bool = False) -> None:
        node = case.node
        self.chain = RevmChain(START) if node is None else RevmChain(node.start, node.url)
        if hears:
            self.chain.heard = []
        # On a node the first accounts have mostly been used; these have made no contract yet.
        own = self.chain.accounts if node is None else self.chain.accounts[::-1]
        accounts = dict(zip(ROLES, own, strict=False))
        self.roles = SimpleNamespace(**accounts)
        self.names = {address: role for role, address in accounts.items()}
        self.made: list[Contract] = []
        self.is_own, self.unit = node is None, 10**DECIMALS
        self._file = case.adapter_file
        if node is None:
            self.asset = self._own("trial_asset", DECIMALS)
            self.adapter = guarded(self._file, "__init__", lambda: case.adapter(self))
            arguments = guarded(self._file, "arguments", self.adapter.arguments)
            values = _arguments(case.subject, arguments, case.given, self)
            self.contract = self._deployed(case.subject, values)
        else:
            self.contract = Contract(case.subject, node.address)
            self.asset = self._found_asset()
            self.adapter = guarded(self._file, "__init__", lambda: case.adapter(self))
        self.unit = 10 ** int(self.asset.read(self.chain, "decimals"))
        self.visitor = self._own("trial_visitor")
        self.names[self.visitor.address] = "visitor"
        self._fill_purses()
        self.send(guarded(self._file, "set_up", self.adapter.set_up))

    def _found_asset(self) -> Contract:
        """Return the asset of a contract that stands on a node: the contract itself of a token."""
        known = interface_of(self.contract.artifact).functions
        address = self.read("asset") if "asset" in known else self.contract.address
        return Contract(load_artifact("trial_asset", ARTIFACTS), str(address).lower())

    def _own(self, name: str, *arguments: object) -> Contract:
        return self._kept(
            self.chain.deploy(load_artifact(name, ARTIFACTS), arguments, self.roles.owner)
        )

    def _kept(self, contract: Contract) -> Contract:
        self.made.append(contract)
        return contract

    def _deployed(self, subject: Artifact, values: Sequence[object]) -> Contract:
        try:
            return self._kept(self.chain.deploy(subject, values, self.roles.owner))
        except TransactionReverted as error:
            told = ", ".join(_shown(value) for value in values)
            rule = f"its constructor reverts with ({told}): {error.reason}"
            raise InputError([Problem(subject.name, None, "", "", rule)]) from None

    def _fill_purses(self) -> None:
        """Give everybody assets, and the contract leave to take them."""
        holders = (*self.holders(), self.roles.keeper)
        if not self.is_own:
            make_rich(self.chain, self.asset, self.roles.owner, 100 * PURSE * self.unit)
        self.send([self.minted(one, PURSE * self.unit) for one in holders])
        approve = ("approve", self.contract, UNLIMITED)
        own = [one for one in holders if one != self.visitor.address]
        visit = ("visit", self.asset, self.asset.call(*approve).data)
        self.send([self.asset.call(*approve, sender=one) for one in own])
        self.send([self.visitor.call(*visit, sender=self.roles.intruder)])

    # -- what an adapter uses --------------------------------------------------------------

    def deploy(self, name: str, *arguments: object) -> Contract:
        """Create one of the packaged contracts, by the owner."""
        return self._kept(self.chain.deploy(load_artifact(name), arguments, self.roles.owner))

    def minted(self, to: str, amount: int) -> Call:
        """Return the call by which assets come from outside."""
        if not self.is_own:
            return self.asset.call("transfer", to, amount, sender=self.roles.owner)
        return self.asset.call("mint", to, amount, sender=self.roles.owner)

    def burnt(self, owner: str, amount: int) -> Call:
        """Return the call by which assets of somebody's are gone; only of the stage's own asset.

        Raises
        ------
        UsageError
        """
        if not self.is_own:
            raise UsageError("the asset of a contract on a node cannot be burnt: no losses there")
        return self.asset.call("burn", owner, amount, sender=self.roles.owner)

    def held(self, address: str | None = None) -> int:
        """Return the assets that an address holds, by default the contract's."""
        whose = self.contract.address if address is None else address
        return int(self.asset.read(self.chain, "balanceOf", whose))

    # -- what a trial uses -----------------------------------------------------------------

    def holders(self) -> tuple[str, ...]:
        """Return the addresses of all who deposit."""
        return (*(getattr(self.roles, role) for role in HOLDERS), self.visitor.address)

    def told(self, what: str, *arguments: object) -> list[Call]:
        """Return what the adapter calls to `earn`, `lose` or `report`.

        Raises
        ------
        InputError
            The adapter raised: with its file and line.
        """
        return list(guarded(self._file, what, lambda: getattr(self.adapter, what)(*arguments)))

    def refused(self, what: str, error: TransactionReverted) -> InputError:
        """Return what to raise where a call of the adapter's reverts."""
        file = "adapter" if self._file is None else str(self._file)
        rule = f"{what}: {error}"
        return InputError([Problem(file, None, "", "", rule)])

    def there(self) -> int:
        """Return the assets that are really there, as the adapter has it."""
        return int(guarded(self._file, "assets", self.adapter.assets))

    def send(self, calls: Sequence[Call]) -> list[Receipt]:
        """Execute calls at the present time.

        Raises
        ------
        TransactionReverted
            Of the first that fails.
        """
        return self.chain.block(self.chain.timestamp(), calls) if calls else []

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.chain.block(self.chain.timestamp() + seconds, [])

    def read(self, function: str, *arguments: object) -> Any:
        """Return one answer of the contract."""
        return self.contract.read(self.chain, function, *arguments)

    def words(self, calls: Sequence[Call]) -> list[int]:
        """Return the first word of each view."""
        return [int.from_bytes(data[:32], "big") for data in self.chain.view(calls)]


def _arguments(
    subject: Artifact, own: Mapping[str, object], given: Mapping[str, str], stage: TrialStage
) -> list[object]:
    """Return the constructor's arguments: as given, as the adapter says, or as the stage has them.

    Raises
    ------
    InputError
        Some are missing, or have no such name: all are listed.
    """
    interface = interface_of(subject)
    pairs = list(zip(interface.created_with, interface.constructor, strict=True))
    known = {name for name, _ in pairs}
    if unknown := sorted({*own, *given} - known):
        has = ", ".join(f"{name} {kind}" for name, kind in pairs) or "no arguments"
        rule = f"constructor has no argument {', '.join(unknown)}; it has {has}"
        raise InputError([Problem(subject.name, None, "", "", rule)])
    values, missing = [], []
    for name, kind in pairs:
        if name in given:
            values.append(_parsed(subject, name, kind, given[name], stage))
        elif name in own:
            values.append(own[name])
        elif (value := _usual(name, kind, stage)) is not None:
            values.append(value)
        else:
            missing.append(f"{name} {kind}")
    if missing:
        rule = (
            f"constructor arguments are missing: {', '.join(missing)}; give each as --arg "
            "NAME=VALUE, or in an adapter's arguments()"
        )
        raise InputError([Problem(subject.name, None, "", "", rule)])
    return values


def _usual(name: str, kind: str, stage: TrialStage) -> object:
    """Return what an argument of such a name nearly always is; None where that is not clear."""
    plain = name.lower().replace("_", "")
    if kind == "string":
        return next((text for word, text in _STRINGS.items() if word in plain), None)
    if kind != "address":
        return None
    if plain in _ASSET_NAMES:
        return stage.asset.address
    if any(word in plain for word in _FEE_WORDS):
        return stage.roles.fee_recipient
    return stage.roles.owner if any(word in plain for word in _OWNER_WORDS) else None


def _parsed(subject: Artifact, name: str, kind: str, text: str, stage: TrialStage) -> object:
    """Return a value of --arg; a role's name stands for its address, `asset` for the asset's."""
    try:
        if kind == "address":
            return stage.asset.address if text == "asset" else vars(stage.roles).get(text, text)
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        if kind.startswith(("uint", "int")) and not kind.endswith("]"):
            return int(text.replace("_", ""), 0)
        if kind.startswith("bytes"):
            return bytes.fromhex(text.removeprefix("0x"))
    except (KeyError, ValueError):
        rule = f"--arg {name}={text}: must be {kind}"
        raise InputError([Problem(subject.name, None, "", "", rule)]) from None
    return text


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
