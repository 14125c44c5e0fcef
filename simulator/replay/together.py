"""What all paths of a run found together when each was played through the bytecode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.replay.pace import Spent
from simulator.replay.play import BAND_SHARE
from simulator.replay.reconcile import ObservableResult
from simulator.units import DAYS_PER_YEAR, FloatArray

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Outcome:
    """What is kept of a path.

    Attributes
    ----------
    final : ndarray of shape (3, n_observables)
        Each observable at the end: the model's, the contracts', and the tolerance there; NaN
        where the model has none.
    spent : Spent
        Where its time went.
    failure : str
        Why the path ended early, with its step and call; empty where it did not.
    """

    path: int
    transactions: int = 0
    gas: int = 0
    decisions: int = 0
    in_band: int = 0
    observables: tuple[ObservableResult, ...] = ()
    final: FloatArray = field(default_factory=lambda: np.empty((3, 0)))
    spent: Spent = field(default_factory=Spent)
    failure: str = ""


@dataclass(frozen=True)
class OnEveryPath:
    """An observable over all paths and days.

    Attributes
    ----------
    share : float
        Its largest error, in units of its tolerance on that path and day; infinite where it
        differs though nothing is rounded.
    error, tolerance, path, step
        Where that was.
    model, contracts : tuple of float
        Final values at p05, p50 and p95 of the paths, of both engines; empty where the model has
        none.
    distance : float
        Kolmogorov-Smirnov distance of the final values: the largest difference of the two
        distribution functions. A contract's value within tolerance of its model's counts as that:
        what is rounded moves no probability.
    """

    instrument: str
    name: str
    share: float
    error: float
    tolerance: float
    path: int
    step: int
    model: tuple[float, ...]
    contracts: tuple[float, ...]
    distance: float


@dataclass(frozen=True)
class EveryPath:
    """What all paths of a run found together.

    Attributes
    ----------
    paths, played : int
        How many there are, and how many were played to their end.
    years : float
        What was played, of all those.
    gas : int
        A lower bound of what a node would charge.
    faults : tuple of str
        What failed or differs, each by its path, step, and observable or call.
    """

    paths: int
    played: int
    years: float
    transactions: int
    gas: int
    decisions: int
    in_band: int
    faults: tuple[str, ...]
    observables: tuple[OnEveryPath, ...]

    @property
    def ok(self) -> bool:
        """Whether every path ended and agrees, and few enough decisions are in the band."""
        return not self.faults

    def sentence(self) -> str:
        """Return in a sentence what was shown."""
        if self.ok:
            return f"The model is proven on {self.years:,.0f} years, not on four."
        return f"On {self.years:,.0f} years the model is not proven: {self.faults[0]}."

    @classmethod
    def from_object(cls, found: dict[str, Any]) -> EveryPath:
        """Return what `every_object` made plain."""
        rows = tuple(_row(row) for row in found["observables"])
        own = {name: found[name] for name in cls.__dataclass_fields__}
        return cls(**own | {"faults": tuple(found["faults"]), "observables": rows})


def every_object(found: EveryPath) -> dict[str, Any]:
    """Return it as plain data; null for a share that is infinite."""
    own = {name: getattr(found, name) for name in EveryPath.__dataclass_fields__}
    rows = [
        vars(row) | {"share": row.share if math.isfinite(row.share) else None}
        for row in found.observables
    ]
    told = {"faults": list(found.faults), "observables": rows}
    return own | told | {"ok": found.ok, "gas_is_lower_bound": True}


def _row(found: dict[str, Any]) -> OnEveryPath:
    share = math.inf if found["share"] is None else found["share"]
    quantiles = {name: tuple(found[name]) for name in ("model", "contracts")}
    return OnEveryPath(**found | {"share": share} | quantiles)


def together(outcomes: Sequence[Outcome], days: int) -> EveryPath:
    """Return what the paths found, each of `days` days."""
    whole = [outcome for outcome in outcomes if not outcome.failure]
    decisions = sum(outcome.decisions for outcome in outcomes)
    in_band = sum(outcome.in_band for outcome in outcomes)
    faults = [fault for outcome in outcomes for fault in _faults(outcome)]
    if in_band > BAND_SHARE * max(decisions, 1):
        faults.append(f"{in_band:,} of {decisions:,} decisions are in the dead-band")
    count = len(whole[0].observables) if whole else 0
    return EveryPath(
        paths=len(outcomes),
        played=len(whole),
        years=len(whole) * days / DAYS_PER_YEAR,
        transactions=sum(outcome.transactions for outcome in outcomes),
        gas=sum(outcome.gas for outcome in outcomes),
        decisions=decisions,
        in_band=in_band,
        faults=tuple(faults),
        observables=tuple(_on_every_path(whole, column) for column in range(count)),
    )


def _faults(outcome: Outcome) -> list[str]:
    if outcome.failure:
        return [f"path {outcome.path}: {outcome.failure}"]
    return [
        f"path {outcome.path}: step {item.step}: {item.instrument}.{item.name} is out by "
        f"{item.max_error:.3g} (tolerance {item.tolerance:.3g})"
        for item in outcome.observables
        if not item.ok
    ]


def _on_every_path(whole: Sequence[Outcome], column: int) -> OnEveryPath:
    """Return one observable's worst path and day, and both distributions at the end."""
    found = [outcome.observables[column] for outcome in whole]
    shares = [item.share for item in found]
    place = int(np.argmax(shares))
    item = found[place]
    final = np.array([outcome.final[:, column] for outcome in whole])
    model, contracts, tolerance = final[~np.isnan(final[:, 0])].T
    snapped = np.where(np.abs(contracts - model) <= tolerance, model, contracts)
    return OnEveryPath(
        instrument=item.instrument,
        name=item.name,
        share=shares[place],
        error=item.max_error,
        tolerance=item.tolerance,
        path=whole[place].path,
        step=item.step,
        model=_quantiles(model),
        contracts=_quantiles(contracts),
        distance=distance(model, snapped),
    )


def _quantiles(values: FloatArray) -> tuple[float, ...]:
    """Return p05, p50 and p95 of `values`, of shape (n,); nothing of none."""
    if values.size == 0:
        return ()
    return tuple(float(x) for x in np.quantile(values, QUANTILES))


def distance(one: FloatArray, other: FloatArray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, each of shape (n,).

    sup_x |F_one(x) - F_other(x)|, with the distribution functions of the samples.
    """
    if one.size == 0:
        return 0.0
    at = np.concatenate([one, other])
    first, second = (
        np.searchsorted(np.sort(sample), at, side="right") / sample.size for sample in (one, other)
    )
    return float(np.abs(first - second).max())
