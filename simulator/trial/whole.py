"""The whole trial, step by step: interface, standard, attacks, economics, verdicts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from simulator.chain import Artifact
from simulator.chain.contract import interface_of
from simulator.claims import Verdict
from simulator.errors import InputError, Problem, TransactionReverted, UsageError
from simulator.scenario import LoadedScenario, load_scenario
from simulator.trial.adapters import FURTHER, READY, Adapter, adapter_for
from simulator.trial.campaign import Trial
from simulator.trial.economics import drive, judged
from simulator.trial.faults import Fault
from simulator.trial.node import is_address, on_node
from simulator.trial.sequences import Year
from simulator.trial.stage import Case
from simulator.trial.standards import (
    Kind,
    Standing,
    abi_of,
    all_lacking,
    kind_of,
    kind_of_code,
    standings,
    standings_of_code,
)
from simulator.trial.subject import read_subject
from simulator.trial.tokens import erc20, permits, supplied
from simulator.trial.years import crisis_years, position_of, years_of

Task = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows a task of so many parts; the function that it yields advances it."""


_ATTACKS: Mapping[Kind, str] = {
    "vault": "callers, receivers and owners, first depositor, re-entry, queues",
    "staking": "periods topped up by us and by strangers, exit, re-entry, queues",
}


@dataclass(frozen=True)
class Summons:
    """What is on trial, and as what.

    Attributes
    ----------
    adapter : str
        Which adapter it is, in words.
    """

    case: Case
    standings: tuple[Standing, ...]
    adapter: str

    @property
    def kind(self) -> Kind:
        """As what it is on trial."""
        return self.case.kind


@dataclass(frozen=True)
class Step:
    """One step of a trial: what was looked at, and whether it is in order."""

    name: str
    is_ok: bool
    said: str


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Attributes
    ----------
    steps : tuple of Step
    faults : tuple of Fault
        One for each rule, in the order in which they were found.
    verdicts : tuple of Verdict
        On the scenario's claims, with the contract in place of `position`; none where it was not
        driven through years, or did not come through.
    unit : int
        One whole unit of the asset, in its smallest.
    """

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    verdicts: tuple[Verdict, ...] = ()
    position: str = ""
    unit: int = 10**18


def summon(
    contract: str,
    kind: Kind | None,
    adapter: str | type[Adapter] | None,
    given: Mapping[str, str],
    rpc: str | None,
) -> Summons:
    """Return what a command line puts on trial.

    Raises
    ------
    UsageError, InputError, ChainUnavailable
        With the file, what is wrong with it, and what to do.
    """
    file = _file_of(adapter)
    if is_address(contract):
        if rpc is None:
            raise UsageError(f"{contract}: an address needs --rpc, the node on which it stands")
        node = on_node(rpc, contract)
        found = kind or kind_of_code(node.code)
        there = standings_of_code(node.code, found)
        _check_complete(contract, there)
        abi = abi_of(found, there, node.code, FURTHER)
        subject = Artifact(contract[:10], abi, b"", len(node.code), "", "")
        chosen, words = adapter_for(interface_of(subject), adapter)
        return Summons(Case(subject, chosen, {}, file, node, found), there, words)
    if rpc is not None:
        raise UsageError("--rpc goes with an address; a file is deployed in this process")
    subject = read_subject(Path(contract))
    found = kind or kind_of(interface_of(subject))
    there = standings(interface_of(subject), found)
    _check_complete(contract, there)
    chosen, words = adapter_for(interface_of(subject), adapter)
    return Summons(Case(subject, chosen, dict(given), file, kind=found), there, words)


def _file_of(adapter: str | type[Adapter] | None) -> Path | None:
    """Return where an adapter of somebody's own stands; None of a ready one."""
    if isinstance(adapter, type):
        return Path(inspect.getsourcefile(adapter) or adapter.__name__)
    return None if adapter is None or adapter in READY else Path(adapter)


def _check_complete(contract: str, found: tuple[Standing, ...]) -> None:
    if lacking := all_lacking(found):
        names = " and ".join(one.standard for one in found if one.lacking)
        rule = f"lacks {len(lacking)} functions of {names}: {', '.join(lacking)}"
        raise InputError([Problem(contract, None, "", "", rule)])


def tried(summons: Summons, scenario: str, years: int, seed: int, task: Task) -> Outcome:
    """Put a contract on trial.

    Parameters
    ----------
    scenario : str
        Name or file of the one whose years a vault is driven through.
    years : int
        How many of them, 0 for none; the ready crises come besides.

    Raises
    ------
    UsageError, InputError
        There is no such scenario, or its subject holds no single thing; an adapter raised.
    """
    loaded = load_scenario(scenario)
    position = position_of(loaded)
    with task("deploying", 1):
        trial = Trial(summons.case)
    unit = trial.stage.unit
    steps, faults = [_interface(summons.standings)], list[Fault]()
    with task("standard: sequences against a ledger and the rules", 1):
        step, found = _standard(trial, summons.kind, seed)
    steps.append(step)
    faults += found
    if summons.kind == "token":
        return Outcome(tuple(steps), tuple(faults), unit=unit)
    with task("attacks", 1):
        attacked = [fault for fault in trial.attacks() if fault.rule not in _rules(faults)]
    faults += attacked
    steps.append(Step("attacks", not attacked, _ATTACKS[summons.kind]))
    if years == 0:
        return Outcome(tuple(steps), tuple(faults), unit=unit)
    name = loaded.scenario.name
    with task(f"{years:,} years of {name}, and the crises", years) as advance:
        driven = drive(trial, _years(loaded, scenario, years), seed, advance)
    faults += [fault for fault in driven.faults if fault.rule not in _rules(faults)]
    said = f"{driven.years:,} years of {name} and of crises, {driven.moves:,} moves"
    steps.append(Step("economics", not driven.faults, said))
    verdicts = judged(driven, loaded.scenario, position)
    return Outcome(tuple(steps), tuple(faults), verdicts, position, unit)


def _rules(faults: list[Fault]) -> set[str]:
    return {fault.rule for fault in faults}


def _interface(found: tuple[Standing, ...]) -> Step:
    parts, odd = [], []
    for one in found:
        if one.absent:
            parts.append(f"no {one.standard} (optional)")
            continue
        events = f", {one.events} events" if one.events else ""
        plural = "" if one.functions == 1 else "s"
        parts.append(f"{one.standard}: {one.functions} function{plural}{events}")
        odd += [*(f"lacks {text}" for text in one.lacking), *one.differing]
    return Step("interface", not odd, "; ".join([*odd, *parts]))


def _standard(trial: Trial, kind: Kind, seed: int) -> tuple[Step, list[Fault]]:
    faults, said = list[Fault](), list[str]()
    if kind != "staking":
        said.append("tokens against a ledger")
        try:
            trial.stage.chain.revert(trial.fresh)
            supplied(trial.stage, kind)
        except TransactionReverted as error:
            why = f"no tokens to be had ({error.reason}): give an adapter with fund(who, amount)"
            return Step("standard", False, why), faults
        faults += _as_a_token(trial, kind, seed)
    if kind != "token":
        first = trial.random_sequences(seed)
        faults += [] if first is None else [first]
        said.append(f"{_RULES[kind]} and {trial.n_moves:,} random moves")
        said += _never_done(trial)
    return Step("standard", not faults, "; ".join(said)), faults


def _never_done(trial: Trial) -> Iterator[str]:
    """Yield what people asked for at random and never got, so that no rule saw it."""
    for what, limit in _PEOPLES.items():
        if (asked := trial.asked[what]) and not trial.done[what]:
            why = f", as {limit} allows none" if limit else ""
            yield f"0 of {asked:,} random moves to {what} took place{why}"


_PEOPLES: Mapping[str, str] = {
    "deposit": "",
    "mint": "",
    "withdraw": "maxWithdraw",
    "redeem": "maxRedeem",
    "transfer": "",
    "stake": "",
    "unstake": "",
    "claim": "",
}
"""What people do, and the view that says how much of it they may."""
_RULES: Mapping[Kind, str] = {"vault": "rounding, previews", "staking": "stakes, rewards"}


def _as_a_token(trial: Trial, kind: Kind, seed: int) -> list[Fault]:
    try:
        found = (
            erc20(trial.stage, trial.fresh, kind, seed),
            permits(trial.stage, trial.fresh),
        )
    except TransactionReverted as error:
        return [Fault("views", f"a view reverts: {error}", (), None, 0, "standard")]
    return [one for one in found if one is not None]


def _years(loaded: LoadedScenario, scenario: str, count: int) -> Iterator[tuple[Year, bool]]:
    """Yield the scenario's years, which are judged, then the crises', which are not."""
    yield from ((year, True) for year in years_of(loaded, count, loaded.scenario.name))
    yield from ((year, False) for year in crisis_years(scenario))
