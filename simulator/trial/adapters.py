"""How a contract on trial earns, loses and reports, where its standard does not say.

An adapter of somebody's own is a class in a Python file, with what differs of `Adapter`:

    from simulator.trial.adapters import Adapter

    class MyVault(Adapter):
        def arguments(self):
            return {"fee_bps_": 1_000}

        def report(self):
            return [self.stage.contract.call("harvest", sender=self.stage.roles.keeper)]

It returns calls and sends none: the stage does, so that what fails can be told as calls.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol, TypeVar

from simulator.chain import Call, Contract
from simulator.chain.contract import interface_of
from simulator.errors import AssayError, InputError, Problem, UsageError

Found = TypeVar("Found")
_READY = Path("ready")
"""Where a ready adapter stands, for a reader."""
MOST_DECIMALS = 36
"""Those of an asset: amounts of quadrillions must fit into a word."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_LONGEST = 60
"""Characters of a wrong answer that are shown."""


class Grounds(Protocol):
    """What an adapter sees of the stage.

    Attributes
    ----------
    asset, contract, reward : Contract
        What is deposited, what is on trial, and what a stake is rewarded with.
    roles : namespace of addresses
        owner, keeper, depositor, second_depositor, crowd, intruder, fee_recipient.
    unit : int
        One whole unit of the asset.
    """

    asset: Contract
    contract: Contract
    reward: Contract
    roles: SimpleNamespace
    unit: int

    def deploy(self, name: str, *arguments: object) -> Contract:
        """Create one of the packaged contracts, or that of a file, by the owner."""

    def minted(self, to: str, amount: int) -> Call:
        """Return the call by which assets come from outside."""

    def rewarded(self, to: str, amount: int) -> Call:
        """Return the call by which rewards come from outside."""

    def burnt(self, owner: str, amount: int) -> Call:
        """Return the call by which assets of somebody's are gone."""

    def held(self, address: str | None = None) -> int:
        """Return the assets that an address holds, by default the contract's."""

    def read(self, function: str, *arguments: object) -> Any:
        """Return one answer of the contract."""

    def ask(self, contract: Contract, function: str, *arguments: object) -> Any:
        """Return one answer of any contract."""


class Adapter:
    """A vault whose price follows the assets that it holds: what is donated counts at once.

    Attributes
    ----------
    prices_donations : bool
        Whether assets that anybody sends it count without a report.
    annual_fee : float
        What it may take of its assets in a year, as a share: so much may a price fall by time.
    decimals : int
        Those of the asset that the stage makes.
    """

    prices_donations = True
    annual_fee = 0.0
    decimals = 18

    def __init__(self, stage: Grounds) -> None:
        self.stage = stage

    def arguments(self) -> Mapping[str, object]:
        """Return constructor arguments by name: those that the stage cannot know."""
        return {}

    def set_up(self) -> Sequence[Call]:
        """Return what is called once, after the deployment."""
        return []

    def fund(self, who: str, amount: int) -> Sequence[Call]:
        """Return the calls by which an account gets tokens of a token on trial.

        Raises
        ------
        UsageError
            Its `mint` is not a token's.
        """
        artifact = self.stage.contract.artifact
        mints = interface_of(artifact).functions.get("mint", [])
        if mints and all(one.inputs != ("address", "uint256") for one in mints):
            raise UsageError(
                f"{artifact.name}: its {mints[0].signature} is not a token's "
                "mint(address,uint256): try a vault as one, or give an adapter with "
                "fund(who, amount)"
            )
        return [self.stage.contract.call("mint", who, amount, sender=self.stage.roles.owner)]

    def earn(self, amount: int) -> Sequence[Call]:
        """Return the calls by which it earns so many assets."""
        return [self.stage.minted(self.stage.contract.address, amount)]

    def lose(self, amount: int) -> Sequence[Call]:
        """Return the calls by which it loses so many assets."""
        return [self.stage.burnt(self.stage.contract.address, amount)]

    def report(self) -> Sequence[Call]:
        """Return the calls by which it learns of both."""
        return []

    def assets(self) -> int:
        """Return the assets that are really there."""
        return self.stage.held()


class Donation(Adapter):
    """A vault whose price follows the assets that it holds."""


class Harvest(Adapter):
    """A vault that learns of what it has earned or lost by a call of its own."""

    prices_donations = False
    calls = ("harvest", "report", "sync", "checkpoint")

    def report(self) -> Sequence[Call]:
        """Call the first of `calls` that it has, as the keeper."""
        name = next(one for one in self.calls if _has(self.stage.contract, one, ()))
        return [self.stage.contract.call(name, sender=self.stage.roles.keeper)]


class Yearn(Adapter):
    """A vault with strategies that are reported one by one, as Yearn's third version is.

    One strategy of the stage has nine tenths of the assets; what it earns is paid into it.
    """

    prices_donations = False
    placed = (9, 10)

    def set_up(self) -> Sequence[Call]:
        """Add the strategy, and what rights and limits it takes where there are such."""
        stage, roles = self.stage, self.stage.roles
        parts = (stage.asset, stage.contract, roles.keeper, roles.intruder)
        self.strategy = stage.deploy("stage_strategy", *parts)
        vault, owner = stage.contract, roles.owner
        calls = [stage.asset.call("approve", self.strategy, 2**256 - 1, sender=roles.keeper)]
        if _has(vault, "set_role", ("address", "uint256")):
            calls.append(vault.call("set_role", owner, 2**14 - 1, sender=owner))
        if _has(vault, "set_deposit_limit", ("uint256",)):
            calls.append(vault.call("set_deposit_limit", 2**256 - 1, sender=owner))
        calls.append(vault.call("add_strategy", self.strategy, sender=owner))
        if _has(vault, "update_max_debt_for_strategy", ("address", "uint256")):
            most = ("update_max_debt_for_strategy", self.strategy, 2**255)
            calls.append(vault.call(*most, sender=owner))
        return calls

    def earn(self, amount: int) -> Sequence[Call]:
        """Pay income into the strategy."""
        keeper = self.stage.roles.keeper
        return [self.strategy.call("credit", amount, sender=keeper)]

    def lose(self, amount: int) -> Sequence[Call]:
        """Take assets out of the strategy, as far as it has them."""
        there = self.stage.held(self.strategy.address)
        return [self.stage.burnt(self.strategy.address, min(amount, there))]

    def report(self) -> Sequence[Call]:
        """Report the strategy, and place what is idle."""
        stage, owner = self.stage, self.stage.roles.owner
        above, below = self.placed
        target = self.assets() * above // below
        return [
            stage.contract.call("process_report", self.strategy, sender=owner),
            stage.contract.call("update_debt", self.strategy, target, sender=owner),
        ]

    def assets(self) -> int:
        """Return what is idle and what the strategy holds."""
        return self.stage.held() + self.stage.held(self.strategy.address)


class Staking(Adapter):
    """A contract that pays rewards for stakes: what it earns are rewards, which it is notified of.

    Attributes
    ----------
    is_pro_rata : bool
        Whether stakes of one size earn alike, however long they are locked up.
    """

    is_pro_rata = True

    def earn(self, amount: int) -> Sequence[Call]:
        """Hand the rewards over, and start a period or top up the one that runs."""
        stage = self.stage
        teller = stage.roles.owner
        if _has(stage.contract, "rewardsDistribution", ()):
            teller = stage.read("rewardsDistribution")
        return [
            stage.rewarded(stage.contract.address, amount),
            stage.contract.call("notifyRewardAmount", amount, sender=teller),
        ]


READY: Mapping[str, type[Adapter]] = {
    "donation": Donation,
    "harvest": Harvest,
    "yearn": Yearn,
    "staking": Staking,
}
FURTHER = (
    *(f"{name}()->" for name in Harvest.calls),
    "notifyRewardAmount(uint256)->",
    "rewardsDistribution()->address",
)
"""Functions beyond the standards' that the ready adapters call of a contract on a node."""
_NEEDS = {
    "yearn": ("add_strategy", "process_report", "update_debt"),
    "staking": ("notifyRewardAmount",),
}


def adapter_for(
    contract_interface: Any, named: str | type[Adapter] | None
) -> tuple[type[Adapter], str]:
    """Return the adapter that is named, by a file or as a ready one, or the one that fits.

    A class is its own.

    Raises
    ------
    UsageError
        There is no such file, and no ready one of the name.
    InputError
        The file does not load, or has no adapter or several.
    """
    if named is None:
        found = _fitting(contract_interface)
        _check_fits(contract_interface, found)
        return READY[found], f"{found} (ready)"
    if not isinstance(named, str):
        return named, named.__name__
    if named in READY:
        _check_fits(contract_interface, named)
        return READY[named], f"{named} (ready)"
    file = Path(named)
    if not file.is_file():
        ready = ", ".join(READY)
        raise UsageError(f"--adapter {named}: no such file; ready ones: {ready}")
    base = READY["staking"] if _fitting(contract_interface) == "staking" else Adapter
    return _loaded(file, base), str(file)


def _fitting(interface: Any) -> str:
    if {"stake", "earned"} <= interface.functions.keys():
        return "staking"
    if all(name in interface.functions for name in _NEEDS["yearn"]):
        return "yearn"
    return "harvest" if _reports(interface) else "donation"


def _reports(interface: Any) -> bool:
    """Return whether it has one of the harvest's calls, without arguments."""
    named = (interface.functions.get(name, ()) for name in Harvest.calls)
    return any(not one.inputs for own in named for one in own)


def _check_fits(interface: Any, named: str) -> None:
    lacking = [name for name in _NEEDS.get(named, ()) if name not in interface.functions]
    if lacking:
        rule = f"the contract lacks {', '.join(lacking)}; give a file that says how it earns"
        raise UsageError(f"--adapter {named}: {rule}")
    if named == "harvest" and not _reports(interface):
        names = ", ".join(f"{one}()" for one in Harvest.calls)
        raise UsageError(f"--adapter harvest: the contract has none of {names}")


def _has(contract: Contract, name: str, kinds: tuple[str, ...]) -> bool:
    overloads = interface_of(contract.artifact).functions.get(name, [])
    return any(one.inputs == kinds for one in overloads)


def _loaded(file: Path, base: type[Adapter]) -> type[Adapter]:
    loader = SourceFileLoader(f"assay_adapter_{file.stem}", str(file))
    module = ModuleType(loader.name)
    module.__file__ = str(file)
    guarded(file, "import", lambda: loader.exec_module(module))
    found = _classes(module)
    if len(found) != 1:
        names = ", ".join(one.__name__ for one in found) or "none"
        raise _fault(file, None, f"must have one class with earn, lose or report; has {names}")
    return found[0] if issubclass(found[0], Adapter) else type("_", (found[0], base), {})


def _classes(module: ModuleType) -> list[type[Any]]:
    own = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__
    ]
    said = {"earn", "lose", "report", "arguments", "set_up", "assets", "fund"}
    return [one for one in own if issubclass(one, Adapter) or said & vars(one).keys()]


def guarded(file: Path | None, what: str, do: Callable[[], Found]) -> Found:
    """Return what an adapter says.

    Raises
    ------
    InputError
        It raised, or asked to exit: with its file and line.
    TransactionReverted
        A view of the contract failed: that is the contract's affair.
    """
    try:
        return do()
    except AssayError:
        raise
    except (Exception, SystemExit) as error:
        line, where = _place(file, error)
        said = f"{what} raised {type(error).__name__}: {' '.join(str(error).split())}"
        raise _fault(where, line, said) from None


def check_figures(file: Path | None, adapter: type[Adapter]) -> None:
    """Raise where a figure that an adapter states is none.

    Raises
    ------
    InputError
    """
    where, fee, decimals = file or _READY, adapter.annual_fee, adapter.decimals
    if isinstance(fee, bool) or not isinstance(fee, int | float) or not 0 <= fee < 1:
        raise _fault(where, None, f"annual_fee is {fee!r}; must be a share, 0 to below 1")
    if (
        isinstance(decimals, bool)
        or not isinstance(decimals, int)
        or not 0 <= decimals <= MOST_DECIMALS
    ):
        raise _fault(where, None, f"decimals is {decimals!r}; must be 0 to {MOST_DECIMALS}")


class Answers:
    """An adapter's answers, each of the kind that it must be.

    Raises
    ------
    InputError
        From every method: the adapter raised, or answered something else; with its file and line.
    """

    def __init__(self, file: Path | None, adapter: Adapter) -> None:
        self._file, self._adapter = file, adapter

    @property
    def _where(self) -> Path:
        return self._file or _READY

    def calls(self, what: str, *arguments: object) -> list[Call]:
        """Return the calls that a method answers with."""
        found = self._answer(what, *arguments)
        if not (isinstance(found, list | tuple) and all(isinstance(one, Call) for one in found)):
            raise self._odd(what, found, "a list of calls, as stage.contract.call(...) makes them")
        for call in found:
            if not (isinstance(call.sender, str) and _ADDRESS.fullmatch(call.sender)):
                rule = "an address, as stage.roles.keeper is"
                raise self._odd(f"{what}: the sender of {call.label}", call.sender, rule)
        return list(found)

    def number(self, what: str, *arguments: object) -> int:
        """Return the amount that a method answers with, in the smallest unit of the asset."""
        found = self._answer(what, *arguments)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
        raise self._odd(what, found, "a whole number, in the smallest unit of the asset")

    def arguments(self) -> Mapping[str, object]:
        """Return constructor arguments by name."""
        found = self._answer("arguments")
        if isinstance(found, Mapping) and all(isinstance(name, str) for name in found):
            return found
        raise self._odd("arguments", found, "a dict of values by the arguments' names")

    def _answer(self, what: str, *arguments: object) -> object:
        return guarded(self._file, what, lambda: getattr(self._adapter, what)(*arguments))

    def _odd(self, what: str, found: object, rule: str) -> InputError:
        name, separator, _ = what.partition(":")
        code = getattr(getattr(type(self._adapter), name), "__code__", None)
        said = f"{what} {'is' if separator else 'returns'} {_short(found)}; must be {rule}"
        return _fault(self._where, code.co_firstlineno if code else None, said)


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _place(file: Path | None, error: BaseException) -> tuple[int | None, Path]:
    """Return the line of the adapter's file that the error came through, the last one."""
    if isinstance(error, SyntaxError) and file is not None:
        return error.lineno, file
    if file is None:
        return None, _READY
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == file.absolute()]
    own = own or [frame for frame in frames if Path(frame.filename).name == file.name]
    return (own[-1].lineno if own else None), file


def _fault(file: Path, line: int | None, rule: str) -> InputError:
    return InputError([Problem(str(file), line, "adapter", "", rule)])
