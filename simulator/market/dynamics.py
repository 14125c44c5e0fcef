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
macro   as garch, with macro factors, regimes and events, see `market/macro/`
bootstrap   past days in blocks, see `market/bootstrap.py`; no -h / 2 and no shocks
history past days as they were, the same on every path

The t shocks have unit variance, share one chi-square per step and class of assets
and are clipped at +-15; see `market/kernels.py` for the bounds of the variance. Their
-h / 2 leaves out the fat tail's part of ln E[exp], some 1e-5 a year.

References
----------
Merton (1976), https://doi.org/10.1016/0304-405X(76)90022-2
Glosten, Jagannathan, Runkle (1993), https://doi.org/10.1111/j.1540-6261.1993.tb05128.x
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from simulator.market.diffusion import (
    diffusion_tables,
    diffusion_variance,
    landing_drift,
    of_normals,
    without_jumps,
)
from simulator.market.kernels import Tables, fill_block
from simulator.market.macro.kernel import fill_macro
from simulator.market.macro.plan import MacroPlan, plan
from simulator.market.macro.tables import MacroTables
from simulator.market.resampling import Resampling, fill_resampled, resampling
from simulator.market.spec import Garch, Jumps, MarketFigures, Model, check_shape
from simulator.units import LANES, FloatArray

__all__ = ["Garch", "Jumps", "MarketSpec", "Model", "fill"]

NOTHING: FloatArray = np.empty((0, 0, 0))
"""In place of an array that is not wanted."""
NO_SURPRISES: FloatArray = np.empty((0, 0, 0, 0))
"""The same of four dimensions."""


class MarketSpec(MarketFigures):
    """A market, and what kernels read of it: made on the first use, then kept."""

    @cached_property
    def tables(self) -> Tables:
        """Return the market in the form the kernel reads."""
        if self.model == "macro":
            return self.macro_plan.tables
        jumps = self.jumps if self.model == "jump" else None
        garch = self.garch if self.model == "garch" else None
        tick_variance = diffusion_variance(self, jumps)
        correlation = without_jumps(self, jumps)
        if garch is not None:
            correlation = of_normals(correlation, self.dofs)
        return diffusion_tables(self, jumps, garch, tick_variance, correlation)

    @cached_property
    def macro_plan(self) -> MacroPlan:
        """Return the macro model's tables, and what of its drift all paths share."""
        if self.macro is None:
            raise ValueError("only the model macro has factors")
        return plan(self, self.macro)

    @cached_property
    def growth(self) -> FloatArray:
        """Return ln E[S_t / S_0] by drift and views, shape (n_assets, n_steps + 1).

        It stands still between trading days, as prices do. The pull of the gold-silver ratio is
        left out: what it adds to silver hangs on the paths.
        """
        steps = np.arange(self.n_steps + 1)
        last = np.maximum.accumulate(np.where(self.trading, steps, 0), axis=1)
        growth: FloatArray = self.drift[:, None] * last * self.year_fraction
        if self.model == "macro":
            growth = sum(self.macro_plan.views.values(), growth)
        return growth

    @cached_property
    def resampling(self) -> Resampling:
        """Return the market of a bootstrap in the form its kernel reads."""
        if self.history is None:
            raise ValueError("only a bootstrap has a history")
        calendar_drift = landing_drift(self, None, np.zeros(len(self.assets)))
        return resampling(self.history, self.spot, calendar_drift, self.trading)


def fill(
    spec: MarketSpec,
    seed: int,
    first_path: int,
    out: FloatArray,
    *,
    states: FloatArray = NOTHING,
    recorded: FloatArray = NOTHING,
    surprises: FloatArray = NO_SURPRISES,
) -> None:
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
        n_paths a multiple of LANES. 128 to 256 paths stay in the cache. With the model macro
        fewer assets will do: the first ones.
    states : ndarray of shape (N_STATES + 1, n_steps + 1, n_paths), optional
        Takes the macro model's states and regime; see `macro/kernel.py`.
    recorded : ndarray of shape (n_assets, N_RECORDED, n_paths), optional
        Takes the macro model's drift by channel.
    surprises : ndarray of shape (3, n_assets, n_steps + 1, n_paths), optional
        Takes each trading day's surprise, its variance h and the regime's factor, of all models
        but those that play past days; see `market/surprises.py`.

    Raises
    ------
    ValueError
        `out` has another shape or layout.
    """
    fewer = spec.model == "macro" and out.shape[0] < len(spec.assets)
    n_assets = out.shape[0] if fewer else len(spec.assets)
    check_shape("out", out[:, :, 0], (n_assets, spec.n_steps + 1))
    if out.shape[2] % LANES or not out.flags.c_contiguous:
        raise ValueError(f"out must be in C order, its paths a multiple of {LANES}")
    key, path = np.uint64(seed), np.uint64(first_path)
    if spec.past is not None:
        out[:] = spec.past[:, :, None]
    elif spec.model == "bootstrap":
        fill_resampled(spec.resampling, key, path, out)
    elif spec.model == "macro":
        tables = spec.tables, spec.macro_plan.kernel
        tables = _of_first(*tables, n_assets) if fewer else tables
        fill_macro(*tables, key, path, out, states, recorded, surprises)
    else:
        fill_block(spec.tables, key, path, out, surprises)


def _of_first(tables: Tables, macro: MacroTables, n_assets: int) -> tuple[Tables, MacroTables]:
    """Return the tables by which nothing is drawn for the assets after the first few."""
    pulled = np.where(macro.pulled < n_assets, macro.pulled, -1)
    return tables._replace(streams=tables.streams[:n_assets]), macro._replace(pulled=pulled)
