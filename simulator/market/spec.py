"""A market as numbers: all that prices depend on but seed and path."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.market.bootstrap import History
from simulator.market.draws import IntArray
from simulator.market.macro.model import Macro
from simulator.scenario.shocks import ShockTerms
from simulator.scenario.stablecoin import StablecoinTerms
from simulator.schema.assets import class_of
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray, calendar

Model = Literal["gbm", "jump", "garch", "macro", "bootstrap", "history"]


@dataclass(frozen=True, eq=False)
class Jumps:
    """Merton's jumps; arrays of shape (n_assets,).

    intensity : jumps a year of `periods_per_year` trading days
    mean, sd : of the jump in the log price
    """

    intensity: FloatArray
    mean: FloatArray
    sd: FloatArray

    def variance(self, periods_per_year: FloatArray) -> FloatArray:
        """Return the variance that jumps add to a trading day's log price, shape (n_assets,)."""
        variance: FloatArray = self.intensity / periods_per_year * (self.mean**2 + self.sd**2)
        return variance

    def compensator(self, periods_per_year: FloatArray) -> FloatArray:
        """Return ln E[exp(jumps of one trading day)], shape (n_assets,)."""
        mean_growth: FloatArray = np.expm1(self.mean + self.sd**2 / 2)
        return self.intensity / periods_per_year * mean_growth


@dataclass(frozen=True, eq=False)
class Garch:
    """GJR-GARCH(1,1); arrays of shape (n_assets,).

    alpha, gamma, beta : weights of e^2, of e^2 where e < 0, and of the last variance
    variance_start : filtered variance of the first trading day's log return
    """

    alpha: FloatArray
    gamma: FloatArray
    beta: FloatArray
    variance_start: FloatArray

    @property
    def persistence(self) -> FloatArray:
        """Return alpha + gamma / 2 + beta, shape (n_assets,).

        Below 1 where the variance is stationary.
        """
        return self.alpha + self.gamma / 2 + self.beta

    def memory(self, news: FloatArray) -> FloatArray:
        """Return the share of a surprise in the variance that is left a day on, shape (n_assets,).

        `news` is the variance of what a day's variance learns from, shape (n_assets,): a little
        below 1, because large shocks are cut.
        """
        return (self.alpha + self.gamma / 2) * news + self.beta


@dataclass(frozen=True, eq=False)
class MarketFigures:
    """Everything that prices depend on but seed and path.

    assets : names, each with a stream; an asset's shocks depend on those before it
    start, n_steps : date of index 0 and number of calendar days after it
    spot : (n_assets,), price at index 0
    drift : (n_assets,), annual, ln E[S_T / S_0] / T
    volatility : (n_assets,), annual, of the log price, jumps included
    periods_per_year : (n_assets,), trading days a year
    cholesky : (n_assets, n_assets), lower triangular factor of the correlation
    trading : (n_assets, n_steps + 1), whether the asset moves on the day
    dof : degrees of freedom of the t shocks, even and above 2: one for all, or one for each
        asset, and the same for assets of a class
    history : the days of a bootstrap; its volatility is the returns' own
    past : (n_assets, n_steps + 1), the prices that model history plays on every path
    macro : factors, regimes and views of the model macro
    stablecoin : when USDC falls below a dollar; None where it never does
    shocks : what happens to prices, volatility, correlation or USDC
    year_fraction : years from one step to the next

    Raises
    ------
    ValueError
        A shape does not fit, `model` lacks its numbers, the jumps' variance exceeds
        the total, or the variance is not stationary. What a user may get wrong is
        checked, and explained, when the scenario is read.
    """

    assets: tuple[str, ...]
    model: Model
    start: dt.date
    n_steps: int
    spot: FloatArray
    drift: FloatArray
    volatility: FloatArray
    periods_per_year: FloatArray
    cholesky: FloatArray
    trading: BoolArray
    jumps: Jumps | None = None
    garch: Garch | None = None
    dof: int | tuple[int, ...] = 6
    history: History | None = None
    past: FloatArray | None = None
    macro: Macro | None = None
    stablecoin: StablecoinTerms | None = None
    shocks: tuple[ShockTerms, ...] = ()
    year_fraction: float = 1 / DAYS_PER_YEAR

    def __post_init__(self) -> None:
        n_assets = len(self.assets)
        for name in ("spot", "drift", "volatility", "periods_per_year"):
            check_shape(name, getattr(self, name), (n_assets,))
        check_shape("cholesky", self.cholesky, (n_assets, n_assets))
        check_shape("trading", self.trading, (n_assets, self.n_steps + 1))
        if self.model == "jump" and self.jumps is None:
            raise ValueError("model jump needs jumps")
        if self.model == "garch" and self.garch is None:
            raise ValueError("model garch needs garch")
        if self.model == "macro" and None in (self.macro, self.garch, self.jumps):
            raise ValueError("model macro needs macro, garch and jumps")
        if self.model == "bootstrap":
            if self.history is None:
                raise ValueError("model bootstrap needs a history")
            check_shape("history", self.history.returns[:, 0], (n_assets,))
        if self.model == "history":
            if self.past is None:
                raise ValueError("model history needs a past")
            check_shape("past", self.past, (n_assets, self.n_steps + 1))
        check_shape("dof", self.dofs, (n_assets,))
        if np.any(self.dofs % 2) or np.any(self.dofs <= 2):
            raise ValueError(f"dof is {self.dof}; must be even and above 2")
        if len(set(zip(map(class_of, self.assets), self.dofs.tolist(), strict=True))) > len(
            set(map(class_of, self.assets))
        ):
            raise ValueError(f"dof is {self.dof}; must be the same for all assets of a class")

    @property
    def dofs(self) -> IntArray:
        """Return the degrees of freedom of each asset's shocks, shape (n_assets,)."""
        every = self.dof if isinstance(self.dof, tuple) else (self.dof,) * len(self.assets)
        return np.array(every, dtype=np.int64)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Return the n_steps + 1 dates of the paths."""
        return calendar(self.start, self.n_steps)


def check_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the array is of shape `shape`."""
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; must be {shape}")
