"""The market's numbers, and prices from them.

On a trading day, after d calendar days without trade,

    ln S += drift * d * year_fraction - h / 2 + sqrt(h) * shock + jumps - compensator

so that E[S_t] = S_0 exp(drift * t * year_fraction) on every trading day: the drift
accrues on the calendar and lands on the next trading day, the variance ticks on
trading days alone. By model:

gbm     h = volatility^2 / periods_per_year, normal shocks
jump    as gbm, with h less the jumps' own variance, so that the total volatility is
        what was asked; Merton's compensator lambda (exp(m + s^2 / 2) - 1)
garch   GJR-GARCH(1,1), omega from variance targeting, shocks of a multivariate t
bootstrap   past days in blocks, see `market/bootstrap.py`; no -h / 2 and no shocks

The t shocks have unit variance, share one chi-square per step and are clipped at
+-15. Their -h / 2 leaves out the fat tail's part of ln E[exp], some 1e-5 a year.

References
----------
Merton (1976), https://doi.org/10.1016/0304-405X(76)90022-2
Glosten, Jagannathan, Runkle (1993), https://doi.org/10.1111/j.1540-6261.1993.tb05128.x
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from simulator.market.bootstrap import History, Resampling, fill_resampled, resampling
from simulator.market.draws import GROUP, MAX_JUMPS, Float32Array
from simulator.market.kernels import Tables, fill_block
from simulator.market.philox import WordArray
from simulator.market.streams import diffusion_stream, jump_stream
from simulator.units import DAYS_PER_YEAR, LANES, BoolArray, FloatArray, calendar

Model = Literal["gbm", "jump", "garch", "bootstrap"]


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
        """Return the variance that jumps add to the log price of one trading day."""
        variance: FloatArray = self.intensity / periods_per_year * (self.mean**2 + self.sd**2)
        return variance

    def compensator(self, periods_per_year: FloatArray) -> FloatArray:
        """Return ln E[exp(jumps of one trading day)]."""
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
        """Return alpha + gamma / 2 + beta, below 1 where the variance is stationary."""
        return self.alpha + self.gamma / 2 + self.beta


@dataclass(frozen=True, eq=False)
class MarketSpec:
    """Everything that prices depend on but seed and path.

    assets : names, each with a stream; an asset's shocks depend on those before it
    start, n_steps : date of index 0 and number of calendar days after it
    spot : (n_assets,), price at index 0
    drift : (n_assets,), annual, ln E[S_T / S_0] / T
    volatility : (n_assets,), annual, of the log price, jumps included
    periods_per_year : (n_assets,), trading days a year
    cholesky : (n_assets, n_assets), lower triangular factor of the correlation
    trading : (n_assets, n_steps + 1), whether the asset moves on the day
    dof : degrees of freedom of the t shocks, even and above 2
    history : the days of a bootstrap; its volatility is the returns' own
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
    dof: int = 6
    history: History | None = None
    year_fraction: float = 1 / DAYS_PER_YEAR

    def __post_init__(self) -> None:
        n_assets = len(self.assets)
        for name in ("spot", "drift", "volatility", "periods_per_year"):
            _check_shape(name, getattr(self, name), (n_assets,))
        _check_shape("cholesky", self.cholesky, (n_assets, n_assets))
        _check_shape("trading", self.trading, (n_assets, self.n_steps + 1))
        if self.model == "jump" and self.jumps is None:
            raise ValueError("model jump needs jumps")
        if self.model == "garch" and self.garch is None:
            raise ValueError("model garch needs garch")
        if self.model == "bootstrap":
            if self.history is None:
                raise ValueError("model bootstrap needs a history")
            _check_shape("history", self.history.returns[:, 0], (n_assets,))
        if self.dof % 2 or self.dof <= 2:
            raise ValueError(f"dof is {self.dof}; must be even and above 2")

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Return the n_steps + 1 dates of the paths."""
        return calendar(self.start, self.n_steps)

    @cached_property
    def tables(self) -> Tables:
        """Return the market in the form the kernel reads."""
        jumps = self.jumps if self.model == "jump" else None
        garch = self.garch if self.model == "garch" else None
        tick_variance = self._diffusion_variance(jumps)
        scale = np.ones_like(tick_variance) if garch else np.sqrt(tick_variance)
        rate = np.zeros(len(self.assets)) if jumps is None else jumps.intensity
        size = np.zeros((len(self.assets), 2))
        if jumps is not None:
            size = np.column_stack([jumps.mean, jumps.sd])
        return Tables(
            spot=np.array(self.spot, dtype=np.float64),
            log_spot=np.log(self.spot),
            drift=self._drift(jumps, np.zeros_like(tick_variance) if garch else tick_variance),
            trading=np.array(self.trading, dtype=np.bool_, order="C"),
            mixing=(self.cholesky * scale[:, None]).astype(np.float32),
            garch=_garch_table(garch, tick_variance),
            streams=np.array(
                [[diffusion_stream(asset), jump_stream(asset)] for asset in self.assets],
                dtype=np.uint32,
            ),
            thresholds=_jump_thresholds(rate / self.periods_per_year),
            jump_size=size.astype(np.float32),
            half_dof=self.dof // 2,
            has_garch=garch is not None,
            has_jumps=jumps is not None,
        )

    @cached_property
    def resampling(self) -> Resampling:
        """Return the market of a bootstrap in the form its kernel reads."""
        if self.history is None:
            raise ValueError("only a bootstrap has a history")
        calendar_drift = self._drift(None, np.zeros(len(self.assets)))
        return resampling(self.history, self.spot, calendar_drift, self.trading)

    def _diffusion_variance(self, jumps: Jumps | None) -> FloatArray:
        total = self.volatility**2 / self.periods_per_year
        if jumps is None:
            return total
        rest = total - jumps.variance(self.periods_per_year)
        if np.any(rest < 0):
            raise ValueError("the jumps alone have more variance than the volatility asked for")
        return rest

    def _drift(self, jumps: Jumps | None, tick_variance: FloatArray) -> FloatArray:
        per_tick = -tick_variance / 2
        if jumps is not None:
            per_tick = per_tick - jumps.compensator(self.periods_per_year)
        steps = np.arange(self.n_steps + 1)
        traded = np.where(self.trading, steps, 0)
        last_traded = np.zeros_like(traded)
        last_traded[:, 1:] = np.maximum.accumulate(traded, axis=1)[:, :-1]
        accrued = self.drift[:, None] * self.year_fraction * (steps - last_traded)
        drift = np.where(self.trading, accrued + per_tick[:, None], 0.0)
        return np.ascontiguousarray(drift)


def fill(spec: MarketSpec, seed: int, first_path: int, out: FloatArray) -> None:
    """Fill a block with the prices of consecutive paths.

    A path's prices are the same bytes in whatever block it stands. The lock is
    released: threads fill blocks side by side.

    Parameters
    ----------
    seed : int
        0 to 2^64 - 1.
    first_path : int
        Number of the block's first path.
    out : ndarray of shape (n_assets, n_steps + 1, n_paths), float64, C order
        n_paths a multiple of LANES. 128 to 256 paths stay in the cache.

    Raises
    ------
    ValueError
        `out` has another shape or layout.
    """
    _check_shape("out", out[:, :, 0], (len(spec.assets), spec.n_steps + 1))
    if out.shape[2] % LANES or not out.flags.c_contiguous:
        raise ValueError(f"out must be in C order, its paths a multiple of {LANES}")
    if spec.model == "bootstrap":
        fill_resampled(spec.resampling, np.uint64(seed), np.uint64(first_path), out)
    else:
        fill_block(spec.tables, np.uint64(seed), np.uint64(first_path), out)


def _check_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; must be {shape}")


def _garch_table(garch: Garch | None, tick_variance: FloatArray) -> Float32Array:
    table = np.zeros((len(tick_variance), 5))
    table[:, 4] = tick_variance
    if garch is not None:
        if np.any(garch.persistence >= 1):
            raise ValueError("alpha + gamma / 2 + beta must be below 1")
        table[:, 0] = tick_variance * (1 - garch.persistence)
        table[:, 1:] = np.column_stack([garch.alpha, garch.gamma, garch.beta, garch.variance_start])
    return table.astype(np.float32)


def _jump_thresholds(rate: FloatArray) -> WordArray:
    """Return P(more than k jumps in a group's days) * 2^32, for `rate` jumps a day."""
    more_than = stats.poisson.sf(np.arange(MAX_JUMPS)[None, :], GROUP * rate[:, None])
    words: WordArray = np.minimum(np.rint(more_than * 2.0**32), 2.0**32 - 1).astype(np.uint32)
    return words
