"""A contract through simulated years: rules looked at after every move, and claims judged on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.claims import Outcomes, Verdict
from simulator.claims.verdict import judge_events
from simulator.instruments.base import InstrumentPaths, Unit
from simulator.investors.paths import InvestorPaths, measure
from simulator.scenario import Scenario
from simulator.scenario.claims import ClaimTerms
from simulator.trial.campaign import Trial
from simulator.trial.faults import Breach, Fault
from simulator.trial.moves import Move
from simulator.trial.sequences import HOLDING, Year
from simulator.units import FloatArray

_PROBES_EVERY = 40
"""Moves from probe to probe: a year has more than a thousand."""


@dataclass(frozen=True)
class Economics:
    """What years did to a vault.

    Attributes
    ----------
    faults : tuple of Fault
        At most one: the years end with the first.
    years, moves : int
    worth : ndarray of shape (n_steps + 1, n_years)
        What leaving pays the measured holder on each day, whole units of the asset; index 0 is
        what he put in. Of the scenario's own years alone, without the crises.
    prices : ndarray of shape (n_steps + 1, n_years), USD per unit
    """

    faults: tuple[Fault, ...]
    years: int
    moves: int
    worth: FloatArray
    prices: FloatArray


def drive(
    trial: Trial, years: Iterable[tuple[Year, bool]], seed: int, advance: Callable[[int], None]
) -> Economics:
    """Drive a vault through years, each from where it was just deployed.

    Parameters
    ----------
    years : iterable of (Year, bool)
        Whether the claims are judged on it.
    """
    worths, prices = list[Sequence[float]](), list[Sequence[float]]()
    count, before = 0, trial.n_moves
    for year, is_judged in years:
        played: list[Move] = []
        breach, worth = _year(trial, year, seed + count, played)
        count += 1
        trial.n_moves += len(played)
        if breach is not None:
            fault = trial.shrunk(played, breach, year.name)
            return Economics((fault,), count, trial.n_moves - before, *_joined(worths, prices))
        if is_judged and trial.manner.is_judged:
            worths.append(worth)
            prices.append(year.prices)
        advance(1)
    return Economics((), count, trial.n_moves - before, *_joined(worths, prices))


def _year(
    trial: Trial, year: Year, seed: int, played: list[Move]
) -> tuple[Breach | None, list[float]]:
    """Play one year; return its first breach, and what the holder could leave with each day."""
    stage = trial.stage
    stage.chain.revert(trial.fresh)
    manner = trial.manner
    watch = manner.watch(stage, _PROBES_EVERY)
    worth = [float(HOLDING)]
    for day, moves in enumerate(manner.days(year, seed, stage.unit, stage.there)):
        for move in moves:
            played.append(move)
            if breach := watch.play(move):
                return breach, worth
        if day and manner.is_judged:
            shares = stage.read("balanceOf", stage.roles.depositor)
            worth.append(stage.read("previewRedeem", shares) / stage.unit)
    return None, worth


def _joined(
    worths: Sequence[Sequence[float]], prices: Sequence[Sequence[float]]
) -> tuple[FloatArray, FloatArray]:
    if not worths:
        return np.empty((0, 0)), np.empty((0, 0))
    return np.array(worths).T, np.array(prices).T


def claims_on(scenario: Scenario, position: str) -> dict[str, ClaimTerms]:
    """Return the events that are about somebody who holds a position, and nothing else."""
    holders = {name for name, one in scenario.investors.items() if one.holding == position}
    return {
        name: claim
        for name, claim in scenario.claims.items()
        if claim.kind == "event"
        and claim.subject in holders
        and all(one.series is None and one.over is None for one in claim.measured)
    }


def judged(found: Economics, scenario: Scenario, position: str) -> tuple[Verdict, ...]:
    """Return the verdicts of the same claims with the contract in place of a position."""
    claims = claims_on(scenario, position)
    if found.faults or not claims or not found.worth.size:
        return ()
    worth: dict[Unit, FloatArray] = {scenario.positions[position].units[0]: found.worth}
    worth.setdefault("usd", found.worth * found.prices)
    n_paths = found.worth.shape[1]
    paths = InstrumentPaths(
        name=position,
        sources=(),
        initial={unit: values[0] for unit, values in worth.items()},
        mark=worth,
        exit=worth,
        attribution={unit: np.zeros((0, n_paths)) for unit in worth},
        events=np.zeros(n_paths, dtype=np.int64),
        unpaid=np.zeros(n_paths),
    )
    subjects = {str(claim.subject) for claim in claims.values()}
    measured = {name: measure(InvestorPaths(name, paths)) for name in subjects}
    return judge_events(claims, Outcomes(measured))
