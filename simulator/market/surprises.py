"""The surprises that a block of prices is made of, and what they add to its expectation.

On a trading day ln S moves by what was expected of it and by a surprise

    u = m sqrt(h) z + jumps + changes of the macro channels,   less k = ln E[exp(u)]

with h and the regime's m as they are on that path and day. Shocks to volatility and correlation
put f u + sqrt(q) c in place of u, c a normal, and k moves with it:

    k(f, q) = ln M(f m sqrt(h)) + rate (exp(f mean + f^2 sd^2 / 2) - 1) + f^2 changes / 2 + q / 2

so that each day's expected price stays what it was, given the days before: E[S] stays as it is
where what is expected does not answer past surprises. Under the model macro two pulls do, that
of silver to gold and copper's way back. They go on to answer u, so that after f u they are weaker
beside the price than before; the expectation of a day's pull under the price as a measure falls
by weight G, which is given back,

    G' = (1 - weight) G + (f - 1) gain,   gain = covariance of u with what is pulled back.

M is the moment generating function of z as the kernel draws it: Student t's of unit variance,
which has none, cut at 15 and at 20 long-run deviations of the day. With P the share beyond,

    M(s) = 1 + s^2 I,   I = 2 integral from 0 to the cut of sinh(s y) / s P(y) dy

The model's own -h / 2 is M's logarithm to second order: enough for its own days, not for days
four times as wild. A bootstrap and a history have no such h: there f and q count by the long-run
variance of normals, and E[S] is kept as far as their days are like that.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from simulator.jit import kernel
from simulator.market.dynamics import MarketSpec
from simulator.market.kernels import MAX_SHOCK
from simulator.market.spec import Jumps
from simulator.scenario.shock_targets import CORRELATION, VOLATILITY
from simulator.scenario.shocks import ShockTerms
from simulator.units import FloatArray

_NO_CUT = np.inf
_LEAST_CUT = 7.0
"""20 long-run deviations are 7.07 of the day's, where its variance is at its bound of 8."""
_PER_UNIT = 128
_CUTS_PER_UNIT = 4
_SCALES = (1e-3, 40.0, 800)
"""Of the deviations for which I is tabulated: from, to, how many, by equal ratios."""


def needs_surprises(shocks: Sequence[ShockTerms]) -> bool:
    """Return whether any of the shocks changes what surprises are."""
    return any(shock.family in (VOLATILITY, CORRELATION) for shock in shocks)


@dataclass(frozen=True, eq=False)
class Pull:
    """What answers an asset's past surprises.

    weight : (n_steps,), share of what is out of place that goes on the day
    gain : (n_steps, n_paths), covariance of the day's surprise and what it puts out of place
    """

    weight: FloatArray
    gain: FloatArray

    def due(self, scale: FloatArray) -> FloatArray:
        """Return what pulls lack where scales change by `scale`, shape (n_steps, n_paths)."""
        found = np.zeros_like(self.gain)
        level = np.zeros(self.gain.shape[1])
        for step, weight in enumerate(self.weight):
            found[step] = weight * level
            level = level - found[step] + scale[step] * self.gain[step]
        return found


@dataclass
class Surprises:
    """An asset's surprises in a block, as shocks so far have left them.

    Attributes
    ----------
    moves : ndarray of shape (n_steps, n_paths)
        u, and 0 on days without trade.
    deviation : ndarray of shape (n_steps, n_paths)
        m sqrt(h).
    cut : ndarray of shape (n_steps, n_paths)
        What z is cut at; infinite where z is normal.
    dof : int
        Degrees of freedom of z; of no account where it is normal.
    changes : ndarray of shape (n_steps, 1)
        Variance of what channels do from one trading day to the next.
    jumps : tuple of float
        Jumps a day, their mean and standard deviation.
    pull : Pull or None
    scale, noise : float or ndarray of shape (n_steps, n_paths)
        f and q.
    """

    moves: FloatArray
    deviation: FloatArray
    cut: FloatArray
    dof: int
    changes: FloatArray
    jumps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pull: Pull | None = None
    scale: FloatArray | float = 1.0
    noise: FloatArray | float = 0.0
    _kept: FloatArray | None = field(default=None, repr=False)

    def multiply(self, times: FloatArray) -> FloatArray:
        """Multiply the surprises; return what log prices move by in addition, k included.

        `times` and the result are of shape (n_steps, n_paths).
        """
        return self._become(self.moves * times, self.scale * times, self.noise * times**2)

    def mix(self, share: FloatArray, common: FloatArray) -> FloatArray:
        """Put a common normal in place of a share of the variance; return as `multiply` does.

        `share`, `common` and the result are of shape (n_steps, n_paths).
        """
        added = share * (self.scale**2 * self.variance() + self.noise)
        left = np.sqrt(1.0 - share)
        moves = self.moves * left + np.sqrt(added) * common
        return self._become(moves, self.scale * left, self.noise * left**2 + added)

    def variance(self) -> FloatArray:
        """Return the variance of u, shape (n_steps, n_paths)."""
        rate, mean, sd = self.jumps
        found: FloatArray = self.deviation**2 + rate * (mean**2 + sd**2) + self.changes
        return found

    def _become(
        self, moves: FloatArray, scale: FloatArray, noise: FloatArray | float
    ) -> FloatArray:
        before = self._kept if self._kept is not None else self._expected()
        added = moves - self.moves
        if self.pull is not None:
            added += self.pull.due(scale - self.scale)
        self.moves, self.scale, self.noise = moves, scale, noise
        self._kept = self._expected()
        return added - (self._kept - before)

    def _expected(self) -> FloatArray:
        """Return k, shape (n_steps, n_paths)."""
        rate, mean, sd = self.jumps
        found = log_growth(self.scale * self.deviation, self.cut, self.dof)
        found += rate * np.expm1(self.scale * mean + (self.scale * sd) ** 2 / 2)
        return found + (self.scale**2 * self.changes + self.noise) / 2


def noted_surprises(
    spec: MarketSpec, noted: FloatArray, prices: Mapping[str, FloatArray]
) -> dict[str, Surprises]:
    """Return the surprises of every asset of a block, none where no shock asks for them.

    Parameters
    ----------
    noted : ndarray of shape (3, n_assets, n_steps + 1, n_paths), or of size 0
        Of the kernels: surprise, variance h, the regime's factor m.
    prices : dict of str to ndarray of shape (n_steps + 1, n_paths)
        Before all shocks.
    """
    if not needs_surprises(spec.shocks):
        return {}
    if noted.size == 0:
        return {asset: _by_long_run(spec, k, prices[asset]) for k, asset in enumerate(spec.assets)}
    changes, jumps = _parts(spec)
    found = {}
    for k, asset in enumerate(spec.assets):
        moves, variance, factor = noted[:, k, 1:]
        deviation = factor * np.sqrt(variance)
        found[asset] = Surprises(
            moves=moves,
            deviation=deviation,
            cut=_cut(variance, factor, float(spec.tables.garch[k, 6]), spec.tables.has_garch),
            dof=int(spec.dofs[k]),
            changes=changes[k, 1:, None],
            jumps=_of_asset(jumps, k, spec.periods_per_year[k]),
        )
    if spec.model == "macro":
        _find_pulls(spec, found)
    return found


def _find_pulls(spec: MarketSpec, surprises: Mapping[str, Surprises]) -> None:
    """Tell silver's and copper's surprises what pulls them, by the tables of the kernel."""
    tables = spec.macro_plan.kernel
    gold, silver, copper = tables.pulled.tolist()
    days = np.where(spec.trading, tables.waited, 0.0)[:, 1:]
    if silver >= 0:
        own, other = (surprises[spec.assets[k]].variance() for k in (silver, gold))
        together = float(spec.cholesky[silver] @ spec.cholesky[gold]) * np.sqrt(own * other)
        gain = np.where(spec.trading[silver, 1:, None], own - together, 0.0)
        surprises[spec.assets[silver]].pull = Pull(tables.pulls[0] * days[silver], gain)
    if copper >= 0:
        found = surprises[spec.assets[copper]]
        gain = tables.pulls[3] * found.deviation**2
        found.pull = Pull(tables.pulls[2] * days[copper], gain)


def _parts(spec: MarketSpec) -> tuple[FloatArray, Jumps | None]:
    """Return the variance of channels' changes, shape (n_assets, n_steps + 1), and the jumps."""
    if spec.model == "macro":
        return spec.macro_plan.changes, spec.macro_plan.events
    return np.zeros(spec.trading.shape), spec.jumps if spec.model == "jump" else None


def _of_asset(jumps: Jumps | None, k: int, periods: float) -> tuple[float, float, float]:
    if jumps is None:
        return 0.0, 0.0, 0.0
    return float(jumps.intensity[k] / periods), float(jumps.mean[k]), float(jumps.sd[k])


def _cut(variance: FloatArray, factor: FloatArray, largest: float, has_t: bool) -> FloatArray:
    """Return what z is cut at, as the kernels do; all of shape (n_steps, n_paths).

    `largest` is the largest shock, before the regime's factor and after it.
    """
    if not has_t:
        return np.full_like(variance, _NO_CUT)
    deviation = np.sqrt(np.where(variance > 0, variance, 1.0))
    found: FloatArray = np.minimum(MAX_SHOCK, largest / deviation / np.maximum(factor, 1.0))
    return found


def _by_long_run(spec: MarketSpec, k: int, price: FloatArray) -> Surprises:
    """Return what the days of a history have beyond the drift; `price` (n_steps + 1, n_paths)."""
    variance = float(spec.volatility[k] ** 2 / spec.periods_per_year[k])
    steps = np.arange(spec.n_steps + 1)
    last = np.maximum.accumulate(np.where(spec.trading[k], steps, 0))
    drift = spec.drift[k] * np.diff(last) * spec.year_fraction
    moves = np.diff(np.log(price), axis=0) - (drift - variance / 2)[:, None]
    return Surprises(
        moves=np.where(spec.trading[k, 1:, None], moves, 0.0),
        deviation=np.full_like(moves, np.sqrt(variance)),
        cut=np.full_like(moves, _NO_CUT),
        dof=0,
        changes=np.zeros((spec.n_steps, 1)),
    )


def log_growth(deviation: FloatArray, cut: FloatArray, dof: int) -> FloatArray:
    """Return ln E[exp(deviation z)]: of a normal z where the cut is infinite, else of a cut t.

    Parameters
    ----------
    deviation, cut : ndarray of shape (n_steps, n_paths)
    dof : int
        Degrees of freedom, above 2.
    """
    square = deviation**2
    if np.all(np.isinf(cut)):
        return square / 2
    low, high, count = _SCALES
    place = np.log(np.clip(deviation, low, high) / low) / np.log(high / low) * (count - 1)
    across = (np.clip(cut, _LEAST_CUT, MAX_SHOCK) - _LEAST_CUT) * _CUTS_PER_UNIT
    logs = np.empty_like(place)
    _interpolate(_log_integrals(dof), place, across, logs)
    found: FloatArray = np.log1p(square * np.exp(logs))
    return found


@kernel
def _interpolate(
    table: FloatArray, rows: FloatArray, columns: FloatArray, found: FloatArray
) -> None:
    """Write a table's values between its points.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
    rows, columns, found : ndarray of shape (n_steps, n_paths)
    """
    for step in range(rows.shape[0]):
        for path in range(rows.shape[1]):
            row = min(int(rows[step, path]), table.shape[0] - 2)
            column = min(int(columns[step, path]), table.shape[1] - 2)
            down = rows[step, path] - row
            along = columns[step, path] - column
            upper = table[row, column] * (1 - along) + table[row, column + 1] * along
            lower = table[row + 1, column] * (1 - along) + table[row + 1, column + 1] * along
            found[step, path] = upper * (1 - down) + lower * down


@functools.lru_cache(maxsize=16)
def _log_integrals(dof: int) -> FloatArray:
    """Return ln I by deviation and cut, shape (number of scales, number of cuts)."""
    scales = np.geomspace(*_SCALES)[:, None]
    points = np.arange(int(MAX_SHOCK) * _PER_UNIT + 1) / _PER_UNIT
    beyond = special.stdtr(dof, -points * np.sqrt(dof / (dof - 2)))
    values = 2 * np.sinh(scales * points) / scales * beyond
    areas = (values[:, 1:] + values[:, :-1]) / (2 * _PER_UNIT)
    summed = np.cumsum(areas, axis=1)
    first, every = int(_LEAST_CUT) * _PER_UNIT, _PER_UNIT // _CUTS_PER_UNIT
    found: FloatArray = np.log(summed[:, first - 1 :: every])
    return found
