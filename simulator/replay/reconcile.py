"""Compares the model with the contracts, step by step, to a derived tolerance.

tolerance(step) = operations x (step + 1) x unit + coarser units + 1e-12 x size for
each year begun: every operation may round by one unit, and float64 carries about 1e-12 a year
of the largest numbers that an observable is made of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from simulator.instruments.stage import Key, Observable
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray, StepArray

ByLabel = Mapping[str, Mapping[str, float]]
"""Numbers by label, then by name."""

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

    @property
    def share(self) -> float:
        """Return the error over its tolerance; infinite where nothing was allowed."""
        if self.tolerance > 0.0:
            return self.max_error / self.tolerance
        return 0.0 if self.max_error == 0.0 else math.inf


class _Group:
    """The observables of one label, which stand side by side; a step asks for them all."""

    def __init__(self, label: str, names: tuple[str, ...]) -> None:
        self.label, self._names = label, names
        self._zeros = dict.fromkeys(names, 0.0)
        self._all = itemgetter(*names)

    def values(self, own: Mapping[str, float]) -> Sequence[float]:
        """Return the label's numbers in order."""
        found: tuple[float, ...] = self._all(own) if len(self._names) > 1 else (self._all(own),)
        return found

    def values_or_zeros(self, own: Mapping[str, float]) -> Sequence[float]:
        """Return the label's numbers in order, 0 for what is not named."""
        return self.values({**self._zeros, **own} if own else self._zeros)


class Reconciliation:
    """Collects both engines' numbers over the steps of a replay."""

    def __init__(self, observables: Mapping[Key, Observable]) -> None:
        self._observables = dict(observables)
        self._keys = list(self._observables)
        self._groups = [
            _Group(label, tuple(name for _, name in keys))
            for label, keys in groupby(self._keys, itemgetter(0))
        ]
        self._model: list[list[float]] = []
        self._chain: list[list[float]] = []
        self._coarser: list[list[float]] = []

    @property
    def steps(self) -> int:
        """How many steps have been kept."""
        return len(self._model)

    def add(self, expected: ByLabel, seen: ByLabel, extra: ByLabel) -> None:
        """Keep one step; numbers by label, then by name."""
        model, chain, coarser = list[float](), list[float](), list[float]()
        for group in self._groups:
            model += group.values(expected[group.label])
            chain += group.values(seen[group.label])
            coarser += group.values_or_zeros(extra[group.label])
        self._model.append(model)
        self._chain.append(chain)
        self._coarser.append(coarser)
        self.__dict__.pop("compared", None)  # asked between two steps, it is made anew

    @cached_property
    def compared(self) -> Compared:
        """All numbers so far."""
        shape = (len(self._model), len(self._keys))
        rows = (self._model, self._chain, self._coarser)
        model, chain, coarser = (np.array(row, dtype=np.float64).reshape(shape) for row in rows)
        tolerance = _tolerances(list(self._observables.values()), model, coarser)
        return Compared(model, chain, tolerance)

    def results(self) -> tuple[ObservableResult, ...]:
        """Return one result for each observable: its worst step, by error over tolerance.

        Steps on which the model has no number (NaN) are passed over; a number on chain that
        is not finite where the model has one fails.
        """
        found = self.compared
        worst = found.worst_steps()
        ok = found.fits().all(axis=0)
        results = []
        for column, (label, name) in enumerate(self._keys):
            step = int(worst[column])
            error, tolerance = found.error[step, column], found.tolerance[step, column]
            known = not math.isnan(found.model[step, column])
            numbers = (float(error), float(tolerance), step) if known else (0.0, 0.0, 0)
            results.append(ObservableResult(label, name, *numbers, bool(ok[column])))
        return tuple(results)

    def series(self) -> pd.DataFrame:
        """Return columns step, instrument, observable, model, chain, tolerance."""
        found = self.compared
        steps, columns = found.model.shape
        labels, names = zip(*self._keys, strict=True) if self._keys else ((), ())
        return pd.DataFrame(
            {
                "step": np.tile(np.arange(steps), columns),
                "instrument": np.repeat(np.array(labels, dtype=object), steps),
                "observable": np.repeat(np.array(names, dtype=object), steps),
                "model": found.model.ravel(order="F"),
                "chain": found.chain.ravel(order="F"),
                "tolerance": found.tolerance.ravel(order="F"),
            }
        )


@dataclass(frozen=True)
class Compared:
    """All numbers of a replay, each array of shape (n_steps + 1, n_observables)."""

    model: FloatArray
    chain: FloatArray
    tolerance: FloatArray

    @cached_property
    def error(self) -> FloatArray:
        """How far the engines are apart; infinite where only the model has a number.

        Of shape (n_steps + 1, n_observables).
        """
        apart = np.abs(self.chain - self.model)
        return np.where(np.isnan(apart) & ~np.isnan(self.model), np.inf, apart)

    def fits(self) -> BoolArray:
        """Return where model and chain agree, or the model has no number.

        Of shape (n_steps + 1, n_observables).
        """
        within: BoolArray = (self.error <= self.tolerance) | np.isnan(self.model)
        return within

    def worst_steps(self) -> StepArray:
        """Return the step of the largest error over tolerance, shape (n_observables,).

        Among equals it is that of the largest error, then of the largest tolerance, then the last.
        """
        # a tolerance of nothing is met by equal numbers alone
        size = np.where(self.tolerance > 0.0, self.tolerance, np.finfo(np.float64).tiny)
        with np.errstate(over="ignore"):
            share = np.where(np.isnan(self.model), -1.0, self.error / size)
        order = np.lexsort((self.tolerance, self.error, share), axis=0)
        worst: StepArray = order[-1]
        return worst


def _tolerances(
    observables: Sequence[Observable], model: FloatArray, coarser: FloatArray
) -> FloatArray:
    """Return what rounding alone can explain, shape (n_steps + 1, n_observables).

    `coarser` is what units coarser than an observable's own add up to.
    """
    steps = np.arange(model.shape[0], dtype=np.float64)[:, np.newaxis]
    operations = np.array([float(o.operations) for o in observables])
    unit = np.array([o.unit for o in observables])
    magnitude = np.array([o.magnitude for o in observables])
    size = np.maximum(np.abs(model), magnitude)
    years = np.maximum(1.0, steps / DAYS_PER_YEAR)
    found: FloatArray = operations * (steps + 1.0) * unit + coarser + RELATIVE * years * size
    return found


def apart_words(step: int, row: Mapping[str, Any]) -> str:
    """Return in a line what a row of `first_apart` says."""
    return (
        f"step {step}: {row['instrument']}.{row['observable']} is {row['chain']:.12g} on the chain "
        f"and {row['model']:.12g} in the model; rounding allows {row['tolerance']:.1e}"
    )


def first_apart(series: pd.DataFrame) -> tuple[int, list[dict[str, Any]]] | None:
    """Return the first step that disagrees, and its rows, the furthest beyond tolerance last."""
    apart = (series["chain"] - series["model"]).abs()
    apart = apart.mask(series["chain"].isna() & series["model"].notna(), math.inf)
    bad = series.assign(beyond=apart / series["tolerance"])[apart > series["tolerance"]]
    if bad.empty:
        return None
    step = int(bad["step"].min())
    at = bad[bad["step"] == step].sort_values("beyond", kind="stable")
    return step, [
        {str(name): value for name, value in row.items()} for row in at.to_dict("records")
    ]
