"""Ladders of severity: what can happen, mild, severe and extreme, each with its source.

    title: ...
    ladders:
      gold:
        target: price.gold
        says: Gold falls
        mild:    {size: -0.0574, source: "COMEX, close of 21 October 2025"}
        severe:  {size: -0.0935, source: "COMEX, close of 15 April 2013"}
        extreme: {size: -0.2081, ramp_days: 30, source: "COMEX, 21 trading days to 13 June 2006"}

A rung is a shock without its day. It has a source, or a mark that says that it has none. A target
is one of `docs/shocks.md`; where a product stands by its kind, every label of that kind is hit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from simulator.errors import InputError, Problem, UsageError
from simulator.instruments.registry import cards
from simulator.scenario.files import with_changes
from simulator.scenario.loader import RawFile, read_yaml, validate
from simulator.scenario.models import Scenario
from simulator.scenario.observables import one_of
from simulator.scenario.shipped import shipped_folder
from simulator.scenario.shock_targets import targets
from simulator.scenario.shocks import AMOUNTS, ShockTerms
from simulator.schema.assets import Asset
from simulator.schema.fields import Fraction, Frozen, Label, Positive, Share, Whole, refuse
from simulator.schema.raw import Location

Severity = Literal["mild", "severe", "extreme"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
READY = "ready"
"""Name of the ladders that ship with Assay."""
BEGINS = 30
"""Day on which a shock begins, where nobody says; in a run of less than 60 days half of it."""

Mark = Literal["observed", "secondary", "claimed", "assumption"]
_OF_A_SHOCK = re.compile(r"^shocks\[\d+\]\.?")
_Days = Annotated[Whole, Field(ge=1, le=3660)]
_OF_THE_LADDER = ("ramp_days", "plateau_days", "half_life_days", "others")


class Rung(Frozen):
    """One severity: how much, how long, on how many paths, and where that comes from."""

    size: Fraction | None = None
    """As of a shock: a relative move, or a share."""
    at: Positive | None = None
    """As of a shock: a level."""
    times: Annotated[float, Field(gt=0, le=20)] | None = None
    """As of a shock: a multiple."""
    share: Share = 1.0
    """Share of the paths on which it happens."""
    ramp_days: _Days | None = None
    """Days over which it comes; none = as the ladder says."""
    plateau_days: _Days | None = None
    """Days for which it is all there; none = as the ladder says."""
    half_life_days: Positive | None = None
    """Days in which half of it goes; none = as the ladder says."""
    source: str = ""
    """Who says so, and when it was."""
    mark: Mark | None = None
    """observed, secondary, claimed or assumption; none = observed, for which it has a source."""
    date: str = ""
    """When."""
    note: str = ""
    """What a reader should know."""

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Rung:
        if not self.source and self.mark is None:
            refuse([((), "", "must have a source, or a mark: assumption where there is none")])
        if not self.source and self.mark in ("observed", "secondary"):
            rule = f"is required, because the rung is marked {self.mark}"
            refuse([(("source",), "", rule)])
        return self

    @property
    def marked(self) -> Mark:
        """Return its mark."""
        return self.mark or "observed"


class Ladder(Frozen):
    """Something that can happen, in three severities."""

    target: Annotated[str, Field(pattern=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)?$")]
    """What is hit, as of a shock; KIND.NAME hits every instrument of the kind."""
    says: str = Field(min_length=1)
    """What happens, in words."""
    ramp_days: _Days = 1
    """Days over which it comes."""
    plateau_days: _Days | None = None
    """Days for which it is all there; none = for ever, or until it fades."""
    half_life_days: Positive | None = None
    """Days in which half of it goes, after the plateau."""
    others: Literal["follow", "stay"] = "follow"
    """Whether other assets move with a price."""
    mild: Rung
    """What happens every few years."""
    severe: Rung
    """The worst that a generation has seen, or near it."""
    extreme: Rung
    """Beyond it."""


class Ladders(Frozen):
    """A file of ladders."""

    title: str = ""
    """What they are for."""
    ladders: Annotated[dict[Label, Ladder], Field(min_length=1)]
    """By name."""


@dataclass(frozen=True)
class Rungs:
    """One severity of a ladder over a scenario.

    Attributes
    ----------
    ladder : str
    severity : Severity
    rung : Rung
    shocks : tuple of ShockTerms
        One for each label that is hit.
    """

    ladder: str
    severity: Severity
    rung: Rung
    shocks: tuple[ShockTerms, ...]


@dataclass(frozen=True)
class LadderFile:
    """Ladders with the lines that they were read from."""

    ladders: Ladders
    raw: RawFile


@dataclass(frozen=True)
class Laid:
    """Ladders over a scenario.

    Attributes
    ----------
    ladders : dict of str to Ladder
        Those whose target is there.
    rungs : tuple of Rungs
        Theirs, three each.
    left_out : dict of str to str
        The others, by name: their target.
    """

    ladders: Mapping[str, Ladder]
    rungs: tuple[Rungs, ...]
    left_out: Mapping[str, str]


def ready_ladders() -> Path:
    """Return the file of the ladders that ship with Assay."""
    return shipped_folder() / "ladders" / f"{READY}.yaml"


def read_ladders(name: str) -> LadderFile:
    """Read a file of ladders, or the ready ones by their name.

    Raises
    ------
    InputError
        With one problem for each fault.
    """
    raw = read_yaml(ready_ladders() if name == READY else Path(name))
    return LadderFile(validate(Ladders, raw), raw)


def lay_ladders(
    files: Sequence[LadderFile],
    scenario: Scenario,
    day: int | None = None,
    chosen: Sequence[str] = (),
) -> Laid:
    """Lay ladders over a scenario; what hits something that it does not have is left out.

    Parameters
    ----------
    day : int, optional
        Step on which the shocks begin.
    chosen : sequence of str
        Names of ladders; all where there is none.

    Raises
    ------
    UsageError
        A chosen ladder does not exist, or nothing is left.
    InputError
        A ladder stands twice, hits nothing that there could be, or as it cannot be hit.
    """
    homes = _homes(files)
    unknown = next((name for name in chosen if name not in homes), None)
    if unknown is not None:
        raise UsageError(f"--only {unknown}: {one_of(unknown, homes, 'a ladder')}")
    step = min(BEGINS, max(1, scenario.horizon_days // 2)) if day is None else day
    there, anywhere = _hit(scenario), _anywhere(scenario)
    ladders: dict[str, Ladder] = {}
    rungs: list[Rungs] = []
    left_out: dict[str, str] = {}
    problems: list[Problem] = []
    for name, file in homes.items():
        ladder, place = file.ladders.ladders[name], ("ladders", name)
        if ladder.target not in anywhere:
            rule = one_of(ladder.target, sorted(anywhere), "something that a shock can hit")
            problems.append(file.raw.problem((*place, "target"), f"'{ladder.target}'", rule))
        elif chosen and name not in chosen:
            continue
        elif ladder.target not in there:
            left_out[name] = ladder.target
        else:
            ladders[name] = ladder
            try:
                rungs += _placed(name, ladder, there[ladder.target], scenario, step, file.raw)
            except InputError as error:
                problems += error.problems
    if problems:
        raise InputError(problems)
    if not rungs:
        targets = ", ".join(dict.fromkeys(left_out.values()))
        raise UsageError(f"the scenario has nothing that these ladders hit: {targets}")
    return Laid(ladders, tuple(rungs), left_out)


def _homes(files: Sequence[LadderFile]) -> dict[str, LadderFile]:
    """Return the file of each ladder.

    Raises
    ------
    InputError
        A name stands in two of them.
    """
    found: dict[str, LadderFile] = {}
    for file in files:
        for name in file.ladders.ladders:
            if name in found:
                rule = f"is the name of a ladder of {found[name].raw.path} too"
                raise InputError([file.raw.problem(("ladders", name), "", rule)])
            found[name] = file
    return found


def _hit(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Return, by what a ladder may name, the targets in the scenario.

    A product stands there by its label and by its kind.
    """
    found: dict[str, tuple[str, ...]] = {
        target: (target,) for target in targets(scenario.market.assets)
    }
    for label, terms in scenario.instruments.items():
        for struck in terms.shocks():
            own, of_kind = f"{label}.{struck.name}", f"{terms.kind}.{struck.name}"
            found[own] = (own,)
            if of_kind != own:
                found[of_kind] = (*found.get(of_kind, ()), own)
    return found


def _anywhere(scenario: Scenario) -> set[str]:
    """Return all that a ladder may name, in this scenario or in another."""
    kinds = {f"{kind}.{s.name}" for kind, card in cards().items() for s in card.terms.shocks()}
    return {*targets(get_args(Asset)), *kinds, *_hit(scenario)}


def _placed(
    name: str,
    ladder: Ladder,
    targets: Sequence[str],
    scenario: Scenario,
    step: int,
    raw: RawFile,
) -> Iterator[Rungs]:
    """Yield a ladder's severities as shocks on a day.

    Raises
    ------
    InputError
        The scenario cannot be hit so.
    """
    for severity in SEVERITIES:
        rung: Rung = getattr(ladder, severity)
        group = f"{name}-{severity}"
        said = [
            {
                "name": group if len(targets) == 1 else f"{group}-{target.partition('.')[0]}",
                "group": group,
                "target": target,
                "day": step,
                **_terms(ladder, rung),
            }
            for target in targets
        ]
        yield Rungs(name, severity, rung, _added(scenario, said, ("ladders", name, severity), raw))


def _terms(ladder: Ladder, rung: Rung) -> dict[str, Any]:
    """Return how much and how long, in a shock's own fields."""
    given = {name: getattr(ladder, name) for name in _OF_THE_LADDER}
    own = {name: getattr(rung, name) for name in (*AMOUNTS, *_OF_THE_LADDER[:-1], "share")}
    merged = given | {name: value for name, value in own.items() if value is not None}
    return {name: value for name, value in merged.items() if value is not None}


def _added(
    scenario: Scenario, said: Sequence[dict[str, Any]], place: Location, raw: RawFile
) -> tuple[ShockTerms, ...]:
    """Return what a scenario makes of more shocks; their faults are those of the rung.

    Raises
    ------
    InputError
    """
    own = [shock.model_dump(exclude_none=True) for shock in scenario.shocks or ()]
    try:
        found = with_changes(scenario, {"shocks": [*own, *said]}, raw.path)
    except InputError as error:
        problems = [_at(raw, place, problem) for problem in error.problems]
        raise InputError(list(dict.fromkeys(problems))) from None
    return (found.shocks or ())[len(own) :]


def _at(raw: RawFile, place: Location, problem: Problem) -> Problem:
    """Return a shock's fault at its rung, or at its ladder where the rung leaves it to that."""
    field = _OF_A_SHOCK.sub("", problem.field)
    at: Location = (*place, field) if field else place
    if at not in raw.lines and (*place[:-1], field) in raw.lines:
        at = (*place[:-1], field)
    return raw.problem(at, problem.value, problem.rule)
