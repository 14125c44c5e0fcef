"""One verdict for each claim of a simulation: events, effects and premises.

An effect compares a statistic of the paths between two investors, or between this world and a
changed one, path by path on the same random numbers. The standard error of a difference of means,
or of means of the worst, is that of the paired differences of what each path adds; of any other
statistic that of fixed consecutive batches.
The worst 5 % are the lowest values, and their mean has the sign of the measure: more is better.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import special

from simulator.claims.outcomes import Outcomes, is_of_the_market
from simulator.claims.scale import Rating, holding_share, rate, rate_shares
from simulator.claims.verdict import (
    ConditionResult,
    Verdict,
    describe,
    judge_events,
    no_number,
    period_of,
    quantity,
    settled,
)
from simulator.engine.prune import pruned
from simulator.engine.simulate import Simulation, simulate_outcomes, simulate_series
from simulator.engine.stops import static_mixes
from simulator.market.macro.names import FACTOR_UNITS
from simulator.measures import expected_shortfall
from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import ClaimTerms, Estimate
from simulator.scenario.files import with_changes
from simulator.scenario.models import Scenario
from simulator.scenario.pace import late_view
from simulator.schema.raw import ASSUMPTION, Provenance
from simulator.units import FloatArray
from simulator.words import figure, figures

BATCHES = 50
CONFIDENCE = 0.95
TAIL = 0.05
NOTHING = 1e-9
"""Numbers closer than this on every path are the same: rounding is no effect."""
NO_CHANGE = "it changes nothing in this world"

Sides = tuple[FloatArray, FloatArray]
"""What an effect compares, path by path, shape (n_paths,) each."""

_STATISTICS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "mean": lambda values: np.mean(values, axis=0),
    "median": lambda values: np.median(values, axis=0),
    "p05": lambda values: np.quantile(values, TAIL, axis=0),
    "p95": lambda values: np.quantile(values, 1 - TAIL, axis=0),
    "expected_shortfall": lambda values: -expected_shortfall(values, TAIL),
}
"""Over the first axis."""


def judge(
    simulation: Simulation,
    *,
    workers: int | None = None,
    provenance: Mapping[str, Provenance] | None = None,
    on_effect: Callable[[str, Sides], None] = lambda name, samples: None,
) -> tuple[Verdict, ...]:
    """Return one verdict for each claim, in the scenario's order.

    Effects of a changed world simulate that world too, with the same seed and paths; claims
    that change the same share it. Words are those of sampling alone until `with_ranges` adds
    what parameter sets say.

    Parameters
    ----------
    provenance : dict of dotted name to Provenance, optional
        Where figures come from; one that is not named is an assumption.
    on_effect : callable
        Called with each effect's name and what its statistics are taken of, as `sides` has it.

    Raises
    ------
    InputError
        A change makes the scenario invalid.
    """
    claims = simulation.scenario.claims
    events = {found.claim: found for found in judge_events(claims, simulation.outcomes)}
    worlds: dict[str, tuple[Outcomes, str]] = {}

    def changed(name: str, claim: ClaimTerms) -> tuple[Outcomes, str]:
        key = _change(claim)
        if key not in worlds:
            scenario = with_changes(
                simulation.scenario, claim.change or {}, f"claims.{name}.change"
            )
            alike = {n: other for n, other in claims.items() if _change(other) == key}
            other = _outcomes(scenario, simulation.calibration, alike, workers)
            worlds[key] = other, late_view(scenario, simulation.calibration)
        return worlds[key]

    found = []
    for name, claim in claims.items():
        if name in events:
            found.append(events[name])
        elif claim.premise is not None:
            premise = _of_market(claim.premise, simulation.scenario)
            found.append(judge_premise(name, claim, premise, simulation.outcomes))
        else:
            own = simulation.outcomes
            other, late = (own, "") if claim.change is None else changed(name, claim)
            on_effect(name, sides(claim, own, other))
            verdict = judge_effect(name, claim, own, other)
            found.append(replace(verdict, note="; ".join(filter(None, (verdict.note, late)))))
    found = [
        in_units(verdict, claims[verdict.claim], simulation.scenario, simulation.calibration)
        for verdict in found
    ]
    found = [replace(v, mixes=static_mixes(simulation, claims[v.claim])) for v in found]
    return tuple(_assumed(verdict, claims[verdict.claim], provenance or {}) for verdict in found)


def in_units(
    verdict: Verdict, claim: ClaimTerms, scenario: Scenario, calibration: Calibration
) -> Verdict:
    """Return the verdict with the period and the unit of what it measures."""
    if not claim.conditions:
        return verdict
    condition = claim.conditions[0]
    period = period_of(condition, scenario.horizon_days)
    head, *rest = (condition.series or "").split(".")
    unit = ""
    if verdict.scale == "level" and head == "price" and rest[0] in calibration.assets:
        unit = calibration.assets[rest[0]].price.unit
    if verdict.scale == "level" and head == "factor":
        unit = FACTOR_UNITS.get(rest[0], "")
    return replace(verdict, period=period, unit=unit)


def _assumed(verdict: Verdict, claim: ClaimTerms, provenance: Mapping[str, Provenance]) -> Verdict:
    """Return the verdict as one by assumption where all that decides it is assumed."""
    marks = {provenance.get(name, ASSUMPTION).mark for name in claim.follows_from}
    if marks != {ASSUMPTION.mark}:
        return verdict
    found = replace(verdict, follows_from=claim.follows_from, by_assumption=True)
    return settled(found, Rating(verdict.verdict))


def _change(claim: ClaimTerms) -> str:
    return json.dumps(claim.change, sort_keys=True, default=str)


def _outcomes(
    scenario: Scenario,
    calibration: Calibration,
    claims: Mapping[str, ClaimTerms],
    workers: int | None,
) -> Outcomes:
    """Return what claims measure in a changed world: of who they are about, and nothing else.

    Of the market alone where they ask for no more.
    """
    conditions = [condition for claim in claims.values() for condition in claim.measured]
    if all(map(is_of_the_market, conditions)):
        return simulate_series(scenario, calibration, conditions, workers=workers)
    # The change is made already: left in the claims, it would keep all that it may name.
    made = {name: claim.model_copy(update={"change": None}) for name, claim in claims.items()}
    small = pruned(scenario.model_copy(update={"claims": made}), *made)
    measures = {(str(c.measure), c.unit) for c in conditions if c.unit is not None}
    return simulate_outcomes(small, calibration, measures, workers=workers)


def judge_effect(name: str, claim: ClaimTerms, own: Outcomes, other: Outcomes) -> Verdict:
    """Return the verdict on a difference: subject less `against`, or changed less own world."""
    condition = claim.conditions[0]
    first, second = sides(claim, own, other)
    if claim.change is None:
        compared = f"{claim.subject} less {claim.against}"
    else:
        change = ", ".join(f"{place} = {value}" for place, value in claim.change.items())
        compared = f"with {change} less without"
    reason = ""
    if np.isnan(first).any() or np.isnan(second).any():
        reason = no_number(condition)
    elif np.allclose(first, second, rtol=NOTHING, atol=NOTHING):
        reason = NO_CHANGE
    estimate, error = difference(claim.statistic, first, second)
    half = half_width(claim.statistic, first.size, error)
    bounds = (estimate - half, estimate + half)
    holds = holding_share(condition.at_least, condition.at_most, bounds)
    likelihood, rating = rate_shares(np.array([holds]))
    p05, median, p95 = (float(q) for q in np.quantile(first - second, (TAIL, 0.5, 1 - TAIL)))
    found = replace(
        _empty(name, claim),
        subject=claim.subject or str(condition.series),
        reason=reason,
        estimate=estimate,
        interval=bounds,
        conditions=(ConditionResult(describe(condition), math.nan, bounds),),
        p05=p05,
        median=median,
        p95=p95,
        quantity=f"{_spoken(claim.statistic)} {quantity(condition)}",
        compared=compared,
        scale=condition.scale,
        likelihood=math.nan if reason else likelihood,
        paths=first.size,
        holds=math.nan if reason else holds,
        compares=True,
    )
    return settled(found, rating)


def half_width(statistic: str, paths: int, error: float) -> float:
    """Return half of the interval that a standard error over so many paths stands for."""
    return float(special.stdtrit(_freedom(statistic, paths), 0.5 + CONFIDENCE / 2)) * error


def sides(claim: ClaimTerms, own: Outcomes, other: Outcomes) -> Sides:
    """Return what an effect's statistics are taken of, each of shape (n_paths,)."""
    condition = claim.conditions[0]
    if claim.change is None:
        return own.values(condition, claim.subject), own.values(condition, claim.against)
    return other.values(condition, claim.subject), own.values(condition, claim.subject)


def difference(statistic: str, first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """Return the difference of a statistic of two paired samples, and its standard error.

    Samples are of shape (n_paths,).
    """
    return contrast(statistic, (first,), (second,))


def contrast(
    statistic: str, plus: Sequence[FloatArray], minus: Sequence[FloatArray]
) -> tuple[float, float]:
    """Return the sum of a statistic over paired samples, those of `minus` taken off.

    Its standard error too: of a mean, and of the mean of the worst, that of what each path adds;
    of any other statistic that of `BATCHES` fixed consecutive batches. Samples are of shape
    (n_paths,).
    """
    measure = _STATISTICS[statistic]
    whole = _summed(plus, measure) - _summed(minus, measure)
    of = _PARTS.get(statistic, partial(_by_batch, measure))
    each = _summed(plus, of) - _summed(minus, of)
    if each.size < 2:
        return float(whole), math.nan
    return float(whole), float(np.std(each, ddof=1) / math.sqrt(each.size))


def _summed(
    samples: Sequence[FloatArray], of: Callable[[FloatArray], FloatArray] = np.asarray
) -> FloatArray:
    return np.asarray(np.sum([of(values) for values in samples], axis=0))


def _by_batch(measure: Callable[[FloatArray], FloatArray], values: FloatArray) -> FloatArray:
    """Return a statistic of each consecutive batch; the first ones are longer by one at most."""
    batches = min(BATCHES, values.size)
    size, longer = divmod(values.size, batches)
    cut = longer * (size + 1)
    parts = values[:cut].reshape(longer, size + 1), values[cut:].reshape(batches - longer, size)
    return np.concatenate([measure(part.T) for part in parts if part.size])


def _tail_parts(values: FloatArray) -> FloatArray:
    """Return what each path adds to the mean of the worst, up to a constant, shape (n_paths,).

    min(x, q) / tail with q the quantile: the influence of an observation on the mean of the
    worst, which in first order is their sum, so that errors of paired differences add up as a
    mean's do. Batches would have two or three observations in the tail of each.

    References
    ----------
    Rockafellar, Uryasev (2000), doi:10.21314/JOR.2000.038, for the minimum behind it.
    """
    found: FloatArray = np.minimum(values, np.quantile(values, TAIL)) / TAIL
    return found


_PARTS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "mean": np.asarray,
    "expected_shortfall": _tail_parts,
}
"""Statistics whose error is that of a mean of parts, path by path."""


def _freedom(statistic: str, paths: int) -> int:
    """Return the degrees of freedom: of the tail's paths, of all paths, or of the batches."""
    of = {"mean": paths, "expected_shortfall": math.ceil(TAIL * paths)}
    return max(1, of.get(statistic, min(BATCHES, paths)) - 1)


def _of_market(premise: Estimate, scenario: Scenario) -> Estimate:
    """Return a premise with the level that the market states where it has no estimate."""
    net = scenario.market.central_banks
    if premise.estimate is not None or net is None:
        return premise
    level = {"estimate": net.level_t, "standard_error": net.standard_error_t}
    return premise.model_copy(update=level)


def judge_premise(
    name: str, claim: ClaimTerms, premise: Estimate, outcomes: Outcomes | None = None
) -> Verdict:
    """Return the verdict on something that the model assumes.

    By history's estimate and its error: Phi((estimate - bound) / standard error). Where the
    claim's conditions name the factor that the run simulates, by the share of paths on which
    they hold; the estimate stands beside it, and where the two earn different words, the
    verdict says so.
    """
    estimate, history = premise.estimate or 0.0, _by_history(name, claim, premise)
    if not claim.conditions or outcomes is None:
        return history
    (event,) = judge_events({name: claim.model_copy(update={"kind": "event"})}, outcomes)
    found, between = figure(estimate, "level"), figures(history.interval, "level")
    return replace(
        event,
        kind="premise",
        estimate=estimate,
        by_assumption=True,
        history=history.verdict,
        beside=f"{found} {premise.unit}".rstrip() + f" (95 % interval {between})",
    )


def _by_history(name: str, claim: ClaimTerms, premise: Estimate) -> Verdict:
    estimate, error = premise.estimate or 0.0, premise.standard_error or 0.0
    at_least, bound = premise.at_least is not None, premise.at_least
    bound = bound if bound is not None else premise.at_most
    assert bound is not None
    beyond = (estimate - bound) * (1 if at_least else -1)
    if error == 0:
        confidence = 1.0 if beyond >= 0 else 0.0
    else:
        confidence = float(special.ndtr(beyond / error))
    half = float(special.ndtri(0.5 + CONFIDENCE / 2)) * error
    bounds = (estimate - half, estimate + half)
    words = f"{'at least' if at_least else 'at most'} {bound:,.10g} {premise.unit}".rstrip()
    found = replace(
        _empty(name, claim),
        subject="history",
        probability=confidence,
        estimate=estimate,
        interval=bounds,
        conditions=(ConditionResult(f"estimate {words}", confidence, bounds),),
        quantity=f"historical estimate{', ' + premise.unit if premise.unit else ''}",
        scale="level",
        by_assumption=True,
        likelihood=confidence,
    )
    return settled(found, rate(confidence))


def _empty(name: str, claim: ClaimTerms) -> Verdict:
    """Return a verdict that says nothing yet."""
    nothing = math.nan
    return Verdict(
        claim=name,
        kind=claim.kind,
        subject="",
        text=claim.says,
        verdict="not testable",
        reason="",
        probability=nothing,
        interval=(nothing, nothing),
        parameter_range=None,
        conditions=(),
        p05=nothing,
        median=nothing,
        p95=nothing,
        quantity="",
        scale="share",
        max_drawdown_median=nothing,
        organic_share=None,
        above=None,
        met_at_start=False,
        note=claim.note,
    )


def _spoken(statistic: str) -> str:
    words = {"p05": "5th percentile of", "p95": "95th percentile of"}
    words["expected_shortfall"] = "mean of the worst 5 % of"
    return words.get(statistic, statistic)
