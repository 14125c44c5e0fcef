"""The stage of a trial: an EVM in this process, an asset, the contract, and who deals with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from simulator.chain import Artifact, Call, Chain, Contract, Receipt, RevmChain, load_artifact
from simulator.chain.artifacts import too_large
from simulator.chain.codec import Encoder, optional
from simulator.chain.contract import constructor_data, interface_of
from simulator.errors import InputError, Problem, TransactionReverted
from simulator.plain_json import plain_json
from simulator.trial.adapters import MOST_DECIMALS, Adapter, Answers, check_figures, guarded
from simulator.trial.node import Door, OnNode
from simulator.trial.standards import Kind
from simulator.trial.subject import read_subject
from simulator.units import SECONDS_PER_DAY

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
PERIOD = 7 * SECONDS_PER_DAY
"""A period of rewards, where the constructor asks for one."""
PURSE = 10**15
"""Whole units of the asset that each of them begins with."""

_WORD = 32
_NO_ANSWER = "its answer is not what its ABI says"
_ASSET_OF: Mapping[Kind, str] = {"vault": "asset", "staking": "stakingToken"}
_ASSET_NAMES = ("asset", "token", "underlying", "want", "stakingtoken")
_REWARD_NAMES = ("rewardstoken", "rewardtoken")
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
    kind: Kind = "vault"

    def stage(self, *, hears: bool = False, chain: Chain | None = None) -> TrialStage:
        """Return a fresh stage with the contract on it; one that `hears` keeps all receipts.

        A chain of one's own takes the place of that in this process.
        """
        return TrialStage(self, hears=hears, chain=chain)


class TrialStage:
    """A contract on stage, with everybody who deals with it.

    Attributes
    ----------
    chain : Chain
    asset, contract, visitor, reward : Contract
        The reward is what a stake is rewarded with; the asset itself where nothing is.
    roles : namespace of addresses
    unit : int
        One whole unit of the asset.
    born : int
        When it was deployed, seconds; 0 on a node, which does not say.
    start : int
        When its first day begins, seconds.
    """

    def __init__(self, case: Case, *, hears: bool = False, chain: Chain | None = None) -> None:
        node = case.node
        self.start = START if chain is None else chain.timestamp()
        own = RevmChain(START) if node is None else RevmChain(node.start, node.url)
        self.chain: Chain = own if chain is None else chain
        if hears:
            self.chain.heard = []
        try:
            self._set_up(case, own)
        except TransactionReverted as error:
            raise _unfit(case.subject, f"cannot be set up: {error}") from None

    def _set_up(self, case: Case, above: RevmChain) -> None:
        node = case.node
        # On a node the first accounts have mostly been used; these have made no contract yet.
        own = self.chain.accounts if node is None else self.chain.accounts[::-1]
        accounts = dict(zip(ROLES, own, strict=False))
        self.roles = SimpleNamespace(**accounts)
        self.names = {address: role for role, address in accounts.items()}
        self.made: list[Contract] = []
        self.unit, self.born = 10**case.adapter.decimals, 0
        self._doors: dict[str, Door] = {}
        self._file, self.kind = case.adapter_file, case.kind
        check_figures(self._file, case.adapter)
        if node is None:
            self.asset = self.reward = self._own("trial_asset", case.adapter.decimals)
            if case.kind == "staking":
                self.reward = self._own("trial_asset", DECIMALS)
            self._begin(case)
            values = _arguments(case.subject, self._answers.arguments(), case.given, self)
            self.contract = self._deployed(case.subject, values)
            self.born = self.chain.timestamp()
            if "totalSupply" in interface_of(case.subject).functions:
                self.read("totalSupply")  # What answers not even this is other code.
        else:
            self.contract = Contract(case.subject, node.address)
            self.asset = self.reward = self._found(_ASSET_OF.get(self.kind))
            self._begin(case)
        if case.kind == "staking":
            self.reward = self._found("rewardsToken")
        decimals = int(self.ask(self.asset, "decimals"))
        if decimals > MOST_DECIMALS:
            rule = f"its asset has {decimals} decimals; at most {MOST_DECIMALS}"
            raise _unfit(case.subject, rule)
        self.unit = 10**decimals
        for token in [self.asset, self.reward] if node is not None else []:
            if token.address not in self._doors:
                self._doors[token.address] = Door(above, token, self.roles.owner)
        self.visitor = self._own("trial_visitor")
        self.names[self.visitor.address] = "visitor"
        self._fill_purses()
        self.send(self.told("set_up"))

    def _begin(self, case: Case) -> None:
        """Let the adapter see the stage, as far as it stands."""
        self.adapter = guarded(self._file, "__init__", lambda: case.adapter(self))
        self._answers = Answers(self._file, self.adapter)

    def _found(self, view: str | None) -> Contract:
        """Return the token that a view of the contract names; without one the contract itself."""
        address = self.contract.address if view is None else self.read(view)
        return Contract(load_artifact("trial_asset", ARTIFACTS), str(address).lower())

    def _own(self, name: str, *arguments: object) -> Contract:
        return self._kept(
            self.chain.deploy(load_artifact(name, ARTIFACTS), arguments, self.roles.owner)
        )

    def _kept(self, contract: Contract) -> Contract:
        self.made.append(contract)
        return contract

    def _deployed(self, subject: Artifact, values: Sequence[object]) -> Contract:
        if rule := too_large(subject, constructor_data(subject, values)):
            raise _unfit(subject, rule)
        try:
            made = self._kept(self.chain.deploy(subject, values, self.roles.owner))
            if not self.chain.code_size(made.address):
                raise _unfit(subject, "its bytecode creates no code: is it that of a creation?")
            return made
        except TransactionReverted as error:
            told = ", ".join(_shown(value) for value in values)
            rule = f"its constructor reverts with ({told}): {error.reason}"
            raise _unfit(subject, rule) from None

    def _fill_purses(self) -> None:
        """Give everybody assets, and the contract leave to take them."""
        holders = (*self.holders(), self.roles.keeper)
        rich = 100 * PURSE * self.unit
        self.send([door.set(self.roles.owner, rich) for door in self._doors.values()])
        self.send([self.minted(one, PURSE * self.unit) for one in holders])
        approve = ("approve", self.contract, UNLIMITED)
        own = [one for one in holders if one != self.visitor.address]
        visit = ("visit", self.asset, self.asset.call(*approve).data)
        self.send([self.asset.call(*approve, sender=one) for one in own])
        self.send([self.visitor.call(*visit, sender=self.roles.intruder)])

    # -- what an adapter uses --------------------------------------------------------------

    def deploy(self, name: str, *arguments: object) -> Contract:
        """Create one of the packaged contracts, or that of a file, by the owner.

        Raises
        ------
        UsageError, InputError
            The file holds no contract.
        """
        is_file = Path(name).suffix in (".vy", ".json")
        made = read_subject(Path(name)) if is_file else load_artifact(name)
        return self._kept(self.chain.deploy(made, arguments, self.roles.owner))

    def minted(self, to: str, amount: int) -> Call:
        """Return the call by which assets come from outside."""
        return self._brought(self.asset, to, amount)

    def rewarded(self, to: str, amount: int) -> Call:
        """Return the call by which rewards come from outside."""
        return self._brought(self.reward, to, amount)

    def _brought(self, token: Contract, to: str, amount: int) -> Call:
        how = "transfer" if token.address in self._doors else "mint"
        return token.call(how, to, amount, sender=self.roles.owner)

    def burnt(self, owner: str, amount: int) -> Call:
        """Return the call by which assets of somebody's are gone."""
        if door := self._doors.get(self.asset.address):
            return door.set(owner, max(self.held(owner) - amount, 0))
        return self.asset.call("burn", owner, amount, sender=self.roles.owner)

    def held(self, address: str | None = None) -> int:
        """Return the assets that an address holds, by default the contract's."""
        whose = self.contract.address if address is None else address
        return int(self.ask(self.asset, "balanceOf", whose))

    # -- what a trial uses -----------------------------------------------------------------

    def holders(self) -> tuple[str, ...]:
        """Return the addresses of all who deposit."""
        return (*(getattr(self.roles, role) for role in HOLDERS), self.visitor.address)

    def told(self, what: str, *arguments: object) -> list[Call]:
        """Return what the adapter calls to `earn`, `lose` or `report`, or in another method.

        Raises
        ------
        InputError
            The adapter raised, or answered no calls: with its file and line.
        """
        return self._answers.calls(what, *arguments)

    def number_from(self, what: str, *arguments: object) -> int:
        """Return the amount that a method of the adapter tells.

        Raises
        ------
        InputError
            As of `told`.
        """
        return self._answers.number(what, *arguments)

    def refused(self, what: str, error: TransactionReverted) -> InputError:
        """Return what to raise where a call of the adapter's reverts."""
        file = "adapter" if self._file is None else str(self._file)
        rule = f"{what}: {error}"
        return InputError([Problem(file, None, "", "", rule)])

    def there(self) -> int:
        """Return the assets that are really there, as the adapter has it."""
        return self.number_from("assets")

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
        """Return one answer of the contract.

        Raises
        ------
        TransactionReverted
            It answers nothing, or what its ABI does not say.
        """
        return self.ask(self.contract, function, *arguments)

    def ask(self, contract: Contract, function: str, *arguments: object) -> Any:
        """Return one answer of any contract.

        Raises
        ------
        TransactionReverted
            As of `read`.
        """
        call = contract.call(function, *arguments)
        data = self.chain.view_one(call)
        try:
            if len(data) < _WORD:
                raise ValueError("an answer has at least a word")
            return contract.decode(function, data, len(arguments))
        except (ValueError, optional("eth_abi.exceptions").DecodingError):
            raise TransactionReverted(call.label, _NO_ANSWER) from None

    def words(self, calls: Sequence[Call]) -> list[int]:
        """Return the first word of each view.

        Raises
        ------
        TransactionReverted
            One fails, or answers less than a word.
        """
        answers = self.chain.view(calls)
        for call, data in zip(calls, answers, strict=True):
            if len(data) < _WORD:
                raise TransactionReverted(call.label, _NO_ANSWER)
        return [int.from_bytes(data[:_WORD], "big") for data in answers]


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
        raise _unfit(subject, rule)
    values: list[object] = []
    missing = []
    for name, kind in pairs:
        if name in given:
            values.append(_parsed(subject, name, kind, given[name], stage))
            said = f"--arg {name}={given[name]}"
        elif name in own:
            values.append(_plain(own[name]))
            said = f"arguments(): {name} is {own[name]!r}"
        elif (value := _usual(name, kind, stage)) is not None:
            values.append(value)
            continue
        else:
            missing.append(f"{name} {kind}")
            continue
        if not Encoder((kind,)).accepts((values[-1],)):
            raise _unfit(subject, f"{said}: must be {_wanted(kind)}")
    if missing:
        rule = (
            f"constructor arguments are missing: {', '.join(missing)}; give each as --arg "
            "NAME=VALUE, or in an adapter's arguments()"
        )
        raise _unfit(subject, rule)
    return values


def _usual(name: str, kind: str, stage: TrialStage) -> object:
    """Return what an argument of such a name nearly always is; None where that is not clear."""
    plain = name.lower().replace("_", "")
    if kind == "string":
        return next((text for word, text in _STRINGS.items() if word in plain), None)
    if "duration" in plain and stage.kind == "staking" and kind.startswith("uint"):
        return PERIOD
    if kind != "address":
        return None
    if plain in _REWARD_NAMES:
        return stage.reward.address
    if plain in _ASSET_NAMES:
        return stage.asset.address
    if any(word in plain for word in _FEE_WORDS):
        return stage.roles.fee_recipient
    return stage.roles.owner if any(word in plain for word in _OWNER_WORDS) else None


def _parsed(subject: Artifact, name: str, kind: str, text: str, stage: TrialStage) -> object:
    """Return a value of --arg; a role's name stands for its address, `asset` for the asset's.

    Lists and structs are JSON.
    """
    try:
        if kind.endswith(("]", ")")):
            return _composed(kind, plain_json(text), stage)
        return _single(kind, text, stage)
    except (KeyError, TypeError, ValueError):
        raise _unfit(subject, f"--arg {name}={text}: must be {_wanted(kind)}") from None


def _wanted(kind: str) -> str:
    if kind == "address":
        return f"address: 20 bytes in hex, asset, reward, or one of {', '.join(ROLES)}"
    return f"{kind}, as JSON" if kind.endswith(("]", ")")) else kind


def _single(kind: str, text: str, stage: TrialStage) -> object:
    if kind == "address":
        tokens = {"asset": stage.asset.address, "reward": stage.reward.address}
        return tokens.get(text) or vars(stage.roles).get(text, text)
    if kind == "bool":
        return {"true": True, "false": False}[text.lower()]
    if kind.startswith(("uint", "int")):
        return int(text.replace("_", ""), 0)
    if kind.startswith("bytes"):
        return bytes.fromhex(text.removeprefix("0x"))
    return text


def _composed(kind: str, value: object, stage: TrialStage) -> object:
    """Return a list, or a struct as a list of its fields, of what JSON has for each."""
    if isinstance(value, list) and kind.endswith("]"):
        return [_composed(kind[: kind.rindex("[")], one, stage) for one in value]
    if isinstance(value, list) and kind.endswith(")"):
        return tuple(_composed(*one, stage) for one in zip(_parts(kind), value, strict=True))
    return _single(kind, value, stage) if isinstance(value, str) else value


def _parts(kind: str) -> list[str]:
    """Return the types of a struct's fields, which may be structs themselves."""
    found, depth = [""], 0
    for letter in kind[1:-1]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return found


def _plain(value: object) -> object:
    """Return a value with addresses in place of contracts."""
    if isinstance(value, list | tuple):
        return type(value)(_plain(one) for one in value)
    return value.address if isinstance(value, Contract) else value


def _unfit(subject: Artifact, rule: str) -> InputError:
    return InputError([Problem(subject.name, None, "", "", rule)])


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
