"""Compares the model with the contracts, step by step, to a derived tolerance.

tolerance(step) = operations x (step + 1) x unit + coarser units + 1e-12 x size for
each year begun: every operation may round by one unit, and float64 carries about 1e-12 a year
of the largest numbers that an observable is made of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from simulator.instruments.stage import Key, Observable
from simulator.units import DAYS_PER_YEAR

RELATIVE = 1e-12


@dataclass(frozen=True)
class ObservableResult:
    """The worst step of one observable: error, tolerance there, and whether all steps fit."""

    instrument: str
    name: str
    max_error: float
    tolerance: float
    step: int
    ok: bool


@dataclass(frozen=True)
class Comparison:
    """One observable's numbers on every step, from both engines."""

    key: Key
    observable: Observable
    expected: Sequence[float]
    seen: Sequence[float]
    extra: Sequence[float]

    def tolerance(self, step: int) -> float:
        """Return what rounding alone can explain at `step`."""
        rounding = self.observable.operations * (step + 1) * self.observable.unit
        size = max(abs(self.expected[step]), self.observable.magnitude)
        years = max(1.0, step / DAYS_PER_YEAR)
        return rounding + self.extra[step] + RELATIVE * years * size

    def result(self) -> ObservableResult:
        """Return the worst step: the one with the largest error over tolerance.

        Steps on which the model has no number (NaN) are passed over; a number on chain that
        is not finite where the model has one fails.
        """
        worst, ok = (-1.0, 0.0, 0.0, 0), True
        for step, (expected, seen) in enumerate(zip(self.expected, self.seen, strict=True)):
            if math.isnan(expected):
                continue
            error = abs(seen - expected)
            error = math.inf if math.isnan(error) else error
            tolerance = self.tolerance(step)
            ok = ok and error <= tolerance
            worst = max(worst, (error / tolerance, error, tolerance, step))
        _, error, tolerance, step = worst
        return ObservableResult(*self.key, error, tolerance, step, ok)


class Reconciliation:
    """Collects both engines' numbers over the steps of a replay."""

    def __init__(self, observables: Mapping[Key, Observable]) -> None:
        self._observables = dict(observables)
        self._rows: dict[Key, tuple[list[float], list[float], list[float]]] = {
            key: ([], [], []) for key in observables
        }

    def add(
        self, expected: Mapping[Key, float], seen: Mapping[Key, float], extra: Mapping[Key, float]
    ) -> None:
        """Keep one step."""
        for key, (model, chain, coarser) in self._rows.items():
            model.append(expected[key])
            chain.append(seen[key])
            coarser.append(extra.get(key, 0.0))

    def _comparisons(self) -> list[Comparison]:
        return [Comparison(key, o, *self._rows[key]) for key, o in self._observables.items()]

    def results(self) -> tuple[ObservableResult, ...]:
        """Return one result for each observable."""
        return tuple(comparison.result() for comparison in self._comparisons())

    def series(self) -> pd.DataFrame:
        """Return columns step, instrument, observable, model, chain, tolerance."""
        parts = []
        for comparison in self._comparisons():
            label, name = comparison.key
            steps = range(len(comparison.expected))
            parts.append(
                pd.DataFrame(
                    {
                        "step": list(steps),
                        "instrument": label,
                        "observable": name,
                        "model": comparison.expected,
                        "chain": comparison.seen,
                        "tolerance": [comparison.tolerance(step) for step in steps],
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)
