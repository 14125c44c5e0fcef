"""Sensitivity: which inputs a claim hangs on, one at a time, on common random numbers.

Each input goes to the lower and the upper end of its range while the others stay:

calibrated figure   one standard error down and up; without an error it is left out
drift               the error of a mean over the calibration's window, volatility / sqrt(years)
stated range        its ends, whatever the figure is
measured figure     without a stated range it is left out: half of a measured grade is no grade
other number        half and double of what the scenario says
zero                from zero to the model's own default, where that is not zero too

An end that the field or the rest of the scenario does not allow is moved towards the present
value until it is allowed. What cannot move is listed as left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulator.engine.answers import Answer, NotTestable, ask, find_question
from simulator.engine.blocks import are_elsewhere, worlds_in_order
from simulator.engine.inputs import Input, inputs, nearest_allowed, world_with
from simulator.engine.macro_figures import with_errors, with_macro
from simulator.engine.prune import of_the_market_alone, pruned
from simulator.engine.verdicts import contrast, in_units
from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.scenario.calibration import Calibration
from simulator.scenario.loader import RawFile, validate
from simulator.scenario.models import Scenario
from simulator.schema.assets import class_of
from simulator.schema.raw import Provenance
from simulator.units import DAYS_PER_YEAR

_GARCH = ("volatility", "alpha", "gamma", "beta", "variance_start")
_JUMP = ("volatility", "jump_intensity", "jump_mean", "jump_sd")
FIGURES = {
    "gbm": ("volatility",),
    "jump": _JUMP,
    "garch": _GARCH,
    "macro": _GARCH + _JUMP[1:],
    "bootstrap": (),
    "history": (),
}
"""The fitted figures that each model of the market reads, by asset."""
_WITH_GARCH = ("garch", "macro")
_HALVINGS = 6
MEASURED = ("observed", "secondary")
"""Marks of figures that somebody measured: what they may be otherwise only a range can say."""
_UNITS = {"1": "", "1/year": "a year"}
"""How units of the calibration are said; the others as they stand."""

World = tuple[Scenario, Calibration]


@dataclass(frozen=True)
class End:
    """One end of an input's range, and what the claim does there.

    An event has a probability, an effect an estimate; the median is that of the first
    condition's measure, of an effect that of its paired differences.
    """

    value: float
    probability: float | None
    estimate: float | None
    median: float

    @property
    def told(self) -> float:
        """Return the probability or the estimate."""
        return _told(self.probability, self.estimate)


@dataclass(frozen=True)
class Effect:
    """What moving one input does.

    Attributes
    ----------
    present : float
        What stands there now.
    rule : str
        Where the range comes from.
    swing : float
        Probability (an effect's estimate) at the high end less that at the low end.
    standard_error : float
        Of the swing, from the paired paths.
    reach : float
        The largest change of it between any two of low end, now and high end; more than the
        swing where both ends lie on the same side of now.
    median_reach : float
        The same for the median.
    unit : str
        Of the input's values; empty for a plain number.
    """

    name: str
    present: float
    rule: str
    low: End
    high: End
    swing: float
    standard_error: float
    reach: float
    median_reach: float
    unit: str = ""

    @property
    def matters(self) -> bool:
        """Return whether moving the input changes anything."""
        return self.reach > 0 or self.median_reach > 0


@dataclass(frozen=True)
class Sensitivity:
    """What moves a claim, the largest first.

    Attributes
    ----------
    kind : str
        event or effect.
    compared : str
        Of an effect: what is taken from what.
    scale : str
        share where the measure is a fraction, level where it has a unit.
    quantity : str
        The measure with its unit and period.
    days : int
        Of the run, over which an event holds or not.
    probability, estimate : float or None
        As things stand: the former of an event, the latter of an effect.
    left_out : tuple of (name, reason)
    """

    claim: str
    kind: str
    quantity: str
    compared: str
    scale: str
    paths: int
    probability: float | None
    estimate: float | None
    median: float
    effects: tuple[Effect, ...]
    left_out: tuple[tuple[str, str], ...]
    days: int = 0

    @property
    def told(self) -> float:
        """Return the probability or the estimate."""
        return _told(self.probability, self.estimate)


def _told(probability: float | None, estimate: float | None) -> float:
    found = estimate if probability is None else probability
    assert found is not None
    return found


@dataclass(frozen=True)
class Trial:
    """An input with its range and unit: the worlds at both ends, to be simulated."""

    name: str
    present: float
    rule: str
    values: tuple[float, float]
    worlds: tuple[World, World]
    unit: str = ""


def sensitivity(
    scenario: Scenario,
    calibration: Calibration,
    claim: str,
    *,
    provenance: Mapping[str, Provenance] | None = None,
    workers: int | None = None,
    on_effect: Callable[[int], None] = lambda done: None,
) -> Sensitivity:
    """Move every input of a scenario by itself, and return what that does to a claim.

    `provenance` says which figures were measured and which state a range, by dotted name;
    without it every number is moved to half and double.

    Raises
    ------
    UsageError
        There is no such claim, or it is a premise.
    NotTestable
        It cannot be tested as things stand; an input at whose ends that is so is left out.
    """
    find_question(scenario, claim)
    base = ask(scenario, calibration, claim, workers)
    left_out: list[tuple[str, str]] = []
    asked: list[tuple[str, int]] = []  # which input, and how many were left out before it

    def worlds() -> Iterator[Trial]:
        for trial in claim_trials(scenario, calibration, claim, left_out, provenance):
            asked.append((trial.name, len(left_out)))
            yield trial

    within = 1 if are_elsewhere() else workers
    found = []
    # at home one input after the other, its blocks over all threads
    for effect in worlds_in_order(partial(_try, claim, base, within), worlds(), 1):
        found.append(effect)
        on_effect(1)
    for (name, place), effect in reversed(list(zip(asked, found, strict=True))):
        if effect is None:
            left_out.insert(place, (name, "the claim cannot be tested at its ends"))
    effects = [effect for effect in found if effect is not None]
    return Sensitivity(
        claim=claim,
        kind=base.verdict.kind,
        quantity=in_units(base.verdict, scenario.claims[claim], scenario, calibration).measured,
        compared=base.verdict.compared,
        scale=base.verdict.scale,
        paths=scenario.paths,
        probability=_probability(base),
        estimate=_estimate(base),
        median=base.verdict.median,
        effects=tuple(sorted(effects, key=_order)),
        left_out=tuple(left_out),
        days=scenario.horizon_days,
    )


def _try(claim: str, base: Answer, workers: int | None, trial: Trial) -> Effect | None:
    """Return what moving one input does; None where the claim cannot be tested at its ends."""
    try:
        low, high = (ask(*world, claim, workers) for world in trial.worlds)
    except NotTestable:
        return None
    return _effect(trial, base, low, high)


def _order(effect: Effect) -> tuple[float, float, str]:
    return -effect.reach, -effect.median_reach, effect.name


def _effect(trial: Trial, now: Answer, low: Answer, high: Answer) -> Effect:
    swing, error = contrast(now.statistic, (high.first, low.second), (low.first, high.second))
    ends = [
        End(value, _probability(answer), _estimate(answer), answer.verdict.median)
        for value, answer in zip(trial.values, (low, high), strict=True)
    ]
    return Effect(
        name=trial.name,
        present=trial.present,
        rule=trial.rule,
        low=ends[0],
        high=ends[1],
        swing=swing,
        standard_error=error,
        unit=trial.unit,
        reach=_spread(answer.told for answer in (low, now, high)),
        median_reach=_spread(answer.verdict.median for answer in (low, now, high)),
    )


def _probability(answer: Answer) -> float | None:
    return answer.told if answer.verdict.kind == "event" else None


def _estimate(answer: Answer) -> float | None:
    return answer.told if answer.verdict.kind == "effect" else None


def _spread(values: Iterable[float]) -> float:
    found = list(values)
    return max(found) - min(found)


def claim_trials(
    scenario: Scenario,
    calibration: Calibration,
    claim: str,
    left_out: list[tuple[str, str]],
    provenance: Mapping[str, Provenance] | None = None,
) -> Iterator[Trial]:
    """Yield as `trials` does, of what a claim is about: of the market, or of what is kept too."""
    within = ("market.",) if of_the_market_alone(scenario.claims[claim]) else ("",)
    return trials(pruned(scenario, claim), calibration, left_out, within, provenance)


def trials(
    scenario: Scenario,
    calibration: Calibration,
    left_out: list[tuple[str, str]],
    within: tuple[str, ...] = ("",),
    provenance: Mapping[str, Provenance] | None = None,
) -> Iterator[Trial]:
    """Yield every input that can move; what cannot is added to `left_out` with the reason.

    Of the scenario's own inputs only those whose names begin with one of `within`.
    """
    for item in inputs(scenario, calibration).values():
        if _is_calibrated(scenario, item) or not item.name.startswith(within):
            continue
        wanted = _range(calibration, item, (provenance or {}).get(item.name))
        if isinstance(wanted, str):
            left_out.append((item.name, wanted))
            continue
        rule, low, high = wanted
        values = tuple(
            nearest_allowed(scenario, calibration, item, item.bounds.clip(end))
            for end in (low, high)
        )
        if values[0] >= values[1]:
            left_out.append((item.name, "has no room to move"))
            continue
        worlds = tuple(
            (world_with(scenario, calibration, item, value, item.name), calibration)
            for value in values
        )
        ends = values[0], values[1]
        yield Trial(item.name, item.value, rule, ends, (worlds[0], worlds[1]), item.unit)
    yield from _calibrated_trials(scenario, calibration, left_out)


def _is_calibrated(scenario: Scenario, item: Input) -> bool:
    """Return whether the calibration gives the value; it has a range of its own then."""
    if item.location[:2] != ("market", "assets"):
        return False
    asset = scenario.market.asset(str(item.location[2]))
    return getattr(asset, str(item.location[3])) is None


def _range(
    calibration: Calibration, item: Input, origin: Provenance | None
) -> tuple[str, float, float] | str:
    """Return the rule and both ends, or why there are none."""
    if origin is not None and origin.range:
        return "stated range", origin.range[0], origin.range[1]
    if item.location[:2] == ("market", "assets") and item.location[3] == "drift":
        figure = calibration.assets[str(item.location[2])].volatility
        years = (figure.window[1] - figure.window[0]).days / DAYS_PER_YEAR
        error = figure.value / math.sqrt(years)
        return "± volatility / √years of data", item.value - error, item.value + error
    if item.value == 0:
        if not item.default:
            return "is 0, and so is its default"
        return "zero to the default", min(0.0, item.default), max(0.0, item.default)
    if origin is not None and origin.mark in MEASURED:
        return f"is {origin.mark} and states no range"
    ends = (item.value / 2, item.value * 2)
    return "half and double", min(ends), max(ends)


def _calibrated_trials(
    scenario: Scenario, calibration: Calibration, left_out: list[tuple[str, str]]
) -> Iterator[Trial]:
    if scenario.market.model == "macro":
        calibration = with_macro(calibration)
    data = calibration.model_dump()
    for place in _places(scenario, calibration):
        figure = _at(data, place)
        name = _name(data, place)
        if not figure["standard_error"]:
            left_out.append((name, "has no standard error"))
            continue
        ends = [_moved(scenario, calibration, place, sign) for sign in (-1, 1)]
        if ends[0] is None or ends[1] is None:
            left_out.append((name, "has no room to move"))
            continue
        (low, below), (high, above) = ends[0], ends[1]
        worlds = ((scenario, below), (scenario, above))
        unit = _UNITS.get(figure["unit"], figure["unit"])
        yield Trial(name, figure["value"], "± standard error", (low, high), worlds, unit)


def _places(scenario: Scenario, calibration: Calibration) -> Iterator[tuple[str | int, ...]]:
    """Yield where the figures stand that this scenario's market reads."""
    assets = list(scenario.market.assets)
    for asset in assets:
        for figure in FIGURES[scenario.market.model]:
            own = figure == "volatility" and scenario.market.assets[asset].volatility is not None
            if not own or scenario.market.model in _WITH_GARCH:
                yield "assets", asset, figure
    if scenario.market.model in ("bootstrap", "history"):
        return
    for index, pair in enumerate(calibration.correlations):
        if set(pair.between) <= set(assets):
            yield "correlations", index
    if scenario.market.model in _WITH_GARCH:
        for name in dict.fromkeys(map(class_of, assets)):
            yield "joint_degrees_of_freedom", name
    if scenario.market.model == "macro":
        # Most of its figures are choices without an error; those that have one are moved.
        yield from with_errors(calibration.macro_figures)


def _name(data: Any, place: tuple[str | int, ...]) -> str:
    if place[0] == "correlations":
        return "calibration.correlation." + "-".join(_at(data, place)["between"])
    return ".".join(("calibration", *(str(part) for part in place)))


def _at(data: Any, place: tuple[str | int, ...]) -> Any:
    for part in place:
        data = data[part]
    return data


def _moved(
    scenario: Scenario, calibration: Calibration, place: tuple[str | int, ...], sign: int
) -> tuple[float, Calibration] | None:
    """Return the calibration with a figure moved by its error, or by half of it and so on."""
    for halving in range(_HALVINGS):
        data = calibration.model_dump()
        figure = _at(data, place)
        by = sign * figure["standard_error"] * 0.5**halving
        figure["value"] += by
        if "shocks" in figure:
            figure["shocks"] += by
        try:
            changed = validate(Calibration, RawFile(path="calibration", data=data))
            _ = market_spec(scenario, changed).tables
        except (InputError, ValueError):
            continue
        return figure["value"], changed
    return None
