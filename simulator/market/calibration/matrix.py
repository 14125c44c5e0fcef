"""The correlation matrix of assets that trade on different days.

Assets of one table are compared day by day. Those of different tables close hours apart, so
that days would understate how they move together: they are compared week by week. Each pair
uses all the history that it has; the matrix that pairs make need not be one of joint returns,
and where it is not, the nearest one that is takes its place.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from simulator.market.calibration import figures
from simulator.market.calibration.closes import Closes
from simulator.market.calibration.diffusion import FitError
from simulator.market.calibration.figures import Origin
from simulator.scenario.calibration import SMALLEST_EIGENVALUE, Correlation
from simulator.scenario.correlation import nearest_correlation

WEEKS_PER_YEAR = 52
MIN_WEEKS = 100
_WEEKLY = "weekly, Friday to Friday, because the closes of the two are hours apart; "


def correlations(closes: Mapping[str, Closes]) -> tuple[Correlation, ...]:
    """Return one figure for each pair of assets; together they are positive definite.

    Raises
    ------
    FitError
        A pair has too few weeks in common.
    """
    returns = {asset: _Returns(found) for asset, found in closes.items()}
    pairs = itertools.combinations(returns.values(), 2)
    return consistent(tuple(closes), tuple(_pair(first, second) for first, second in pairs))


class _Returns:
    """The daily and weekly returns of an asset, each worked out once."""

    def __init__(self, closes: Closes) -> None:
        self.closes = closes
        self.daily = closes.returns()
        self.weekly = closes.weekly_returns()


def _pair(one: _Returns, other: _Returns) -> Correlation:
    first, second = one.closes, other.closes
    pair = (first.asset, second.asset)
    window = (max(first.window[0], second.window[0]), min(first.window[1], second.window[1]))
    if first.path == second.path:
        both = pd.concat([one.daily, other.daily], axis=1).dropna()
        origin = Origin(first.source, window)
        return figures.correlation(
            origin, pair, both.to_numpy(dtype=np.float64), first.periods_per_year
        )
    both = pd.concat([one.weekly, other.weekly], axis=1).dropna()
    if len(both) < MIN_WEEKS:
        raise FitError(
            f"{' and '.join(pair)} have {len(both)} weeks in common; must be at least {MIN_WEEKS}"
        )
    origin = Origin(f"{first.source}; {second.source}", window)
    return figures.correlation(
        origin, pair, both.to_numpy(dtype=np.float64), WEEKS_PER_YEAR, _WEEKLY
    )


def consistent(names: tuple[str, ...], pairs: tuple[Correlation, ...]) -> tuple[Correlation, ...]:
    """Return `pairs` as they are, or those of the nearest matrix that is positive definite."""
    values = consistent_values(names, {pair.between: pair.value for pair in pairs})
    shocks = consistent_values(names, {pair.between: pair.of(shocks=True) for pair in pairs})
    found = []
    for pair in pairs:
        moved = pair
        if values[pair.between] != pair.value:
            note = f"moved from {pair.value:g} to the nearest positive definite matrix; {pair.note}"
            moved = moved.model_copy(update={"value": values[pair.between], "note": note})
        if shocks[pair.between] != moved.of(shocks=True):
            moved = moved.model_copy(update={"shocks": shocks[pair.between]})
        found.append(moved)
    return tuple(found)


def consistent_values(
    names: tuple[str, ...], values: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    """Return correlations as they are, or those of the nearest positive definite matrix."""
    estimated = np.eye(len(names))
    for pair, value in values.items():
        i, j = (names.index(name) for name in pair)
        estimated[i, j] = estimated[j, i] = value
    if np.linalg.eigvalsh(estimated)[0] > SMALLEST_EIGENVALUE:
        return dict(values)
    nearest = nearest_correlation(estimated)
    return {
        pair: figures.significant(float(nearest[names.index(pair[0]), names.index(pair[1])]), 6)
        for pair in values
    }
