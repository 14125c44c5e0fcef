"""What claims are judged on: investors' measures, and numbers of daily series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulator import measures
from simulator.investors.paths import InvestorMeasures
from simulator.scenario.claims import ClaimTerms, Condition
from simulator.units import BoolArray, FloatArray


@dataclass(frozen=True)
class Outcomes:
    """One number a path for everything that a claim may measure.

    Attributes
    ----------
    investors : dict of name to InvestorMeasures
    series : dict of `Condition.key` to ndarray of shape (n_paths,)
    starts : dict of series to its first value
    """

    investors: Mapping[str, InvestorMeasures]
    series: Mapping[str, FloatArray] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)

    def values(self, condition: Condition, subject: str | None) -> FloatArray:
        """Return what a condition measures on each path, shape (n_paths,)."""
        if condition.series is not None:
            return self.series[condition.key]
        found = self._measure(condition, condition.measure, str(subject))
        if condition.over is None:
            return found
        less: FloatArray = found - self._measure(condition, condition.measure, condition.over)
        return less

    def drawdowns(self, condition: Condition, subject: str | None) -> FloatArray:
        """Return the deepest fall of what a condition is about, shape (n_paths,)."""
        if condition.series is not None:
            return self.series[drawdown_of(condition.series).key]
        return self._measure(condition, "drawdown", str(subject))

    def organic_share(self, subject: str | None, left: BoolArray) -> tuple[float, float] | None:
        """Return the median of organic over positive income, and the share of paths it is of.

        Of what was paid before anything was lost: paths in `left`, of shape (n_paths,), whose
        income no exploit or default ended. None where none of them had any income.
        """
        if subject is None or not left.any():
            return None
        measured = self.investors[subject]
        lasts = left & measured.income_lasts
        organic = measured.organic_share[lasts]
        if np.isnan(organic).all():
            return None
        return float(np.nanmedian(organic)), float(lasts.sum() / left.sum())

    def _measure(self, condition: Condition, measure: str, subject: str) -> FloatArray:
        if condition.unit is None:
            raise ValueError("an investor's condition has a unit")
        return self.investors[subject].values[measure, condition.unit]


def drawdown_of(series: str) -> Condition:
    """Return the condition whose key is a series' deepest fall."""
    return Condition(measure="drawdown", series=series, at_least=0.0)


def series_conditions(claims: Mapping[str, ClaimTerms]) -> dict[str, Condition]:
    """Return what claims measure of series by key, the falls of all these series with it."""
    found: dict[str, Condition] = {}
    for claim in claims.values():
        for condition in claim.measured:
            if condition.series is not None:
                fall = drawdown_of(condition.series)
                found |= {condition.key: condition, fall.key: fall}
    return found


def is_of_the_market(condition: Condition) -> bool:
    """Return whether prices and factors alone give what a condition measures."""
    head = (condition.series or "").partition(".")[0]
    return head in ("price", "ratio", "factor")


def reduce_series(condition: Condition, values: FloatArray) -> FloatArray:
    """Return one number a path of a series of shape (n_steps + 1, n_paths); NaN where a day is."""
    if condition.measure == "highest":
        return np.asarray(values.max(axis=0))
    if condition.measure == "lowest":
        return np.asarray(values.min(axis=0))
    if condition.measure == "last":
        # Not a view: the block that holds the series is filled again.
        return np.where(measures.lost(values), np.nan, values[-1])
    if condition.measure == "mean":
        return np.asarray(values.mean(axis=0))
    if condition.measure == "total_return":
        return measures.total_return(values)
    until = condition.before_reaching
    return measures.max_drawdown(values, np.inf if until is None else until)
