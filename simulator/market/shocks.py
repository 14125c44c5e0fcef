"""Shocks to a block of prices: what is done to them after the market has drawn them.

A shock that begins on step b has on step t the weight

    w = min(1, (t - b + 1) / ramp)             while it comes and stays
    w = 2^-((t - end) / half life), or 0       after its plateau

A price moves by (1 + size)^w, on the steps on which it is traded; while the shock comes, that is
all that it does: its own move of these days is left out, so that on the day of a jump the close is
exactly 1 + size times the close of the day before. Other assets move by (1 + size)^(beta w), beta
being correlation times the ratio of the volatilities, and their own moves of these days are left
out too. A level is the size that leads to it. Volatility times n turns a day's surprise u into
(1 + (n - 1) w) u; correlation a of the way to 1 mixes each standardised surprise z with one that
all share, sqrt(1 - a w) z + sqrt(a w) c. Both keep each day's expected price by the variance
of that day: see `market/surprises.py`.

Shocks act in the order of their list, levels after sizes; a condition sees the closes as those
before it in that order have left them, and acts on the next day. What is drawn is the same as
without shocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from simulator.market.events import NEVER
from simulator.market.macro.model import driver_loadings
from simulator.market.macro.names import CUMULATED, Driver
from simulator.market.normals import normal_paths
from simulator.market.spec import MarketFigures
from simulator.market.streams import Stream
from simulator.market.surprises import Surprises
from simulator.scenario.shock_targets import CORRELATION, FACTOR, VOLATILITY
from simulator.scenario.shocks import ShockTerms, When
from simulator.schema.assets import USDC
from simulator.units import FEED_DECIMALS, BoolArray, FloatArray, StepArray

_FEED_UNITS = 10.0**FEED_DECIMALS


@dataclass(frozen=True)
class Happened:
    """When the shocks began.

    Attributes
    ----------
    begins : dict of str to ndarray of int64, shape (n_paths,)
        By name of the shock: its first step on a path, `NEVER` where it does not happen.
    factors : dict of str to ndarray of shape (n_steps + 1, n_paths)
        By name: what was added to a macro factor.
    """

    begins: Mapping[str, StepArray]
    factors: Mapping[str, FloatArray] = field(default_factory=dict)


def apply_shocks(
    spec: MarketFigures,
    shocks: Sequence[ShockTerms],
    seed: int,
    first_path: int,
    prices: Mapping[str, FloatArray],
    factors: Mapping[str, FloatArray] | None = None,
    surprises: Mapping[str, Surprises] | None = None,
) -> Happened:
    """Change the prices of consecutive paths in place; return when each shock began.

    Parameters
    ----------
    prices : dict of str to ndarray of shape (n_steps + 1, n_paths)
        Of every asset of `spec`, and USDC's in dollars where it moves.
    factors : dict of str to ndarray of shape (n_steps + 1, n_paths), optional
        Macro factors as they are without shocks, of which those are looked at that conditions name.
    surprises : dict of str to Surprises, optional
        Of every asset, where a shock changes volatility or correlation; it is changed.
    """
    # a mapping of factors draws them all where it is only asked whether it is empty
    looked_at = {} if factors is None else factors
    world = _World(spec, seed, first_path, prices, looked_at, surprises or {})
    begins: dict[str, StepArray] = {}
    for shock in sorted(shocks, key=lambda one: one.at is not None):
        begun = world.begins(shock)
        begins[shock.name] = begun
        world.hit(shock, begun)
    return Happened({shock.name: begins[shock.name] for shock in shocks}, world.added)


def weights(shock: ShockTerms, begun: StepArray, n_steps: int) -> FloatArray:
    """Return how much of a shock is there, 0 to 1, shape (n_steps + 1, n_paths).

    Parameters
    ----------
    begun : ndarray of int64, shape (n_paths,)
        Step on which it begins.
    """
    n_paths = begun.size
    if n_paths > 1 and (begun == begun[0]).all():  # a date or a day: what one path has, all have
        return np.repeat(weights(shock, begun[:1], n_steps), n_paths, axis=1)
    since = np.arange(n_steps + 1)[:, None] - np.minimum(begun, n_steps + 1)
    found: FloatArray = np.clip((since + 1) / shock.ramp_days, 0.0, 1.0)
    stays = shock.plateau_days
    if stays is None and shock.half_life_days is None:
        return found
    after = since - (shock.ramp_days - 1) - (stays or 1) + 1
    if shock.half_life_days is None:
        return np.where(after > 0, 0.0, found)
    fades: FloatArray = np.exp2(-np.maximum(after, 0) / shock.half_life_days)
    return found * fades


class _World:
    """A block of prices under way."""

    def __init__(
        self,
        spec: MarketFigures,
        seed: int,
        first_path: int,
        prices: Mapping[str, FloatArray],
        factors: Mapping[str, FloatArray],
        surprises: Mapping[str, Surprises],
    ) -> None:
        self._spec, self._seed, self._first = spec, seed, first_path
        self._surprises = surprises
        self._prices, self._factors = prices, factors
        self.added: dict[str, FloatArray] = {}
        self._paths = next(iter(prices.values())).shape[1]
        self._index = {asset: k for k, asset in enumerate(spec.assets)}
        self._correlation = spec.cholesky @ spec.cholesky.T
        self._moved: dict[str, BoolArray] = {}

    def begins(self, shock: ShockTerms) -> StepArray:
        """Return the first step of a shock on each path, shape (n_paths,)."""
        step = shock.begins(self._spec.start)
        seen = shock.condition
        if seen is not None:
            begun = _first_step(seen, self._level(seen.asset))
        else:
            begun = np.full(self._paths, step, dtype=np.int64)
        if shock.family == "price":
            # A closed market moves on its next open day, and nobody follows it before.
            begun = _next_open(begun, self._spec.trading[self._index[shock.asset]])
        if shock.share < 1.0:
            drawn = normal_paths(self._seed, _stream(shock.name), self._first, 0, self._paths)[0]
            begun = np.where(drawn < _quantile(shock.share), begun, NEVER)
        return begun

    def _level(self, name: str) -> FloatArray:
        """Return a price or a factor as the shocks so far have left it."""
        if name in self._prices:
            return self._prices[name]
        level = self._factors[name]
        return level + self.added[name] if name in self.added else level

    def hit(self, shock: ShockTerms, begun: StepArray) -> None:
        """Change the prices by one shock."""
        there = weights(shock, begun, self._spec.n_steps)
        if shock.family == "price":
            self._move(shock, begun, there)
        elif shock.family == USDC:
            self._dollar(shock, there)
        elif shock.family == FACTOR:
            self._add_to_factor(shock.asset, float(shock.by or 0.0) * there)
        elif shock.family == VOLATILITY:
            for asset in [shock.asset] if shock.asset else self._spec.assets:
                times = 1.0 + ((shock.times or 1.0) - 1.0) * there[1:]
                self._add_own(asset, self._surprises[asset].multiply(times))
        elif shock.family == CORRELATION:
            self._join(shock, there)

    # -- prices --------------------------------------------------------------------------------

    def _move(self, shock: ShockTerms, begun: StepArray, there: FloatArray) -> None:
        own = self._index[shock.asset]
        betas = {shock.asset: 1.0}
        if shock.others == "follow":
            betas |= {a: self._beta(k, own) for a, k in self._index.items() if k != own}
        for asset in betas:
            self._hold_still(asset, begun, shock.ramp_days)
        log_size = self._log_size(shock, begun)
        if (begun == begun[0]).all():
            there = there[:, :1]
        for asset, beta in betas.items():
            more = np.diff(_landed(there, self._spec.trading[self._index[asset]]), axis=0)
            days = np.flatnonzero(more.any(axis=1))
            self._add(asset, more[days] * (beta * log_size), days)

    def _log_size(self, shock: ShockTerms, begun: StepArray) -> FloatArray:
        """Return ln(1 + size) of each path, shape (n_paths,); of a level what leads there."""
        if shock.size is not None:
            return np.full(self._paths, np.log1p(shock.size))
        trading = self._spec.trading[self._index[shock.asset]]
        last = _next_open(np.minimum(begun, NEVER - shock.ramp_days) + shock.ramp_days - 1, trading)
        here = np.minimum(last, self._spec.n_steps), np.arange(self._paths)
        size: FloatArray = np.log(float(shock.at or 1.0) / self._prices[shock.asset][here])
        return size

    def _beta(self, k: int, own: int) -> float:
        """Return the beta of asset `k` to `own` by their calibrated correlation and volatility."""
        volatility = self._spec.volatility
        return float(self._correlation[k, own] * volatility[k] / volatility[own])

    def _hold_still(self, asset: str, begun: StepArray, ramp: int) -> None:
        """Leave out an asset's own moves while a shock comes."""
        coming = self._coming(asset, begun, ramp)
        before = np.flatnonzero(coming[1:].any(axis=1))
        own = np.log(self._prices[asset][before + 1]) - np.log(self._prices[asset][before])
        self._add(asset, np.where(coming[before + 1], -own, 0.0), before)

    def _coming(self, asset: str, begun: StepArray, ramp: int) -> BoolArray:
        """Return the steps on which an asset's own move is left out, once for all shocks.

        They are its trading days from the first step on until the shock is all there, of shape
        (n_steps + 1, n_paths); those that an earlier shock took are not among them.
        """
        trading = self._spec.trading[self._index[asset]]
        first = _next_open(begun, trading)
        last = _next_open(np.minimum(begun, NEVER - ramp) + ramp - 1, trading)
        steps = np.arange(self._spec.n_steps + 1)[:, None]
        found: BoolArray = (steps >= first) & (steps <= last) & trading[:, None]
        before = self._moved.setdefault(asset, np.zeros_like(found))
        fresh = found & ~before
        before |= found
        return fresh

    def _dollar(self, shock: ShockTerms, there: FloatArray) -> None:
        price = self._prices[USDC]
        aim = float(shock.at) if shock.at is not None else price * (1.0 + float(shock.size or 0.0))
        moved = price + there * (aim - price)
        price[...] = np.maximum(np.rint(moved * _FEED_UNITS), 1.0) / _FEED_UNITS

    # -- factors -------------------------------------------------------------------------------

    def _add_to_factor(self, name: str, added: FloatArray) -> None:
        """Add to a factor, and move prices by what the model says that this news does to them.

        A surprise of the real rate acts at once and, day by day, through what it pays; the
        nominal rate and the ex-post real rate go with it. That of the nominal rate alone acts
        through what it pays. `added` is of shape (n_steps + 1, n_paths).
        """
        if self._spec.macro is None:
            raise ValueError("only the model macro has factors")
        for moved in _MOVES_WITH[name]:
            self.added[moved] = self.added.get(moved, 0.0) + added
        loadings = driver_loadings(self._spec.macro.loadings(self._spec.assets))
        summed = np.cumsum(added, axis=0) * self._spec.year_fraction
        every_day = np.arange(self._spec.n_steps)
        for asset, k in self._index.items():
            path = np.zeros_like(added)
            for driver, points in _NEWS[name].items():
                news = summed if driver in CUMULATED else added
                path += loadings[k, driver] * points * news
            if np.any(path):
                moves = np.diff(_landed(path, self._spec.trading[k]), axis=0)
                self._add(asset, moves, every_day)

    # -- surprises -----------------------------------------------------------------------------

    def _alive(self, asset: str) -> BoolArray:
        """Return on which days an asset makes moves of its own, shape (n_steps, n_paths)."""
        traded = np.tile(self._spec.trading[self._index[asset], 1:, None], self._paths)
        held = self._moved.get(asset)
        return traded if held is None else traded & ~held[1:]

    def _join(self, shock: ShockTerms, there: FloatArray) -> None:
        """Mix the surprises of all assets that are at risk with one that they share."""
        share = float(shock.size or 0.0) * there[1:]
        stream = _stream(shock.name, common=True)
        n_steps = self._spec.n_steps
        common = normal_paths(self._seed, stream, self._first, n_steps, self._paths)[1:]
        for asset in self._spec.assets:
            if asset == "treasury_bills":
                continue
            self._add_own(asset, self._surprises[asset].mix(share, common))

    def _add_own(self, asset: str, moves: FloatArray) -> None:
        """Add what changes an asset's own moves, on the days on which it makes any."""
        self._add(asset, np.where(self._alive(asset), moves, 0.0), np.arange(len(moves)))

    def _add(self, asset: str, moves: FloatArray, days: StepArray) -> None:
        """Multiply a price by the exponential of log moves, the first step's being day 0.

        Parameters
        ----------
        moves : ndarray of shape (n_days, n_paths)
        days : ndarray of int64, shape (n_days,)
            On which they happen: a jump moves on one day, and the price keeps its factor after it.
        """
        price, total = self._prices[asset][1:], np.zeros(self._paths)
        ends = np.append(days[1:], len(price))
        for day, until, move in zip(days, ends[: days.size], moves, strict=True):
            total += move
            price[day:until] *= np.exp(total)


_MOVES_WITH: Mapping[str, tuple[str, ...]] = {
    "real_rate": ("real_rate", "nominal_rate", "real_rate_ex_post"),
    "nominal_rate": ("nominal_rate", "real_rate_ex_post"),
    "liquidity": ("liquidity",),
}
"""Factors that go with one: inflation stays."""

_NEWS: Mapping[str, Mapping[Driver, float]] = {
    "real_rate": {Driver.RATE: 100.0, Driver.LEVEL: 100.0, Driver.NOMINAL: 1.0},
    "nominal_rate": {Driver.LEVEL: 100.0, Driver.NOMINAL: 1.0},
    "liquidity": {Driver.LIQUIDITY: 1.0},
}
"""Drivers that one moves, and their units in one of its own: some count in percent."""


def _first_step(seen: When, price: FloatArray) -> StepArray:
    """Return the step after the first close on which a condition holds, shape (n_paths,)."""
    level = price
    if seen.falls:
        level = 1.0 - price / np.maximum.accumulate(price, axis=0)
    holds: BoolArray = _COMPARED[seen.sign](level, seen.bound)
    first = np.argmax(holds, axis=0).astype(np.int64)
    found: StepArray = np.where(holds.any(axis=0), first + 1, NEVER)
    return found


_COMPARED: dict[str, np.ufunc] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _next_open(step: StepArray, trading: BoolArray) -> StepArray:
    """Return the first trading day at or after a step, shape (n_paths,); `NEVER` after the last."""
    days = np.flatnonzero(trading)
    place = np.searchsorted(days, step)
    found: StepArray = np.where(place < days.size, days[np.minimum(place, days.size - 1)], NEVER)
    return found


def _landed(there: FloatArray, trading: BoolArray) -> FloatArray:
    """Return weights as they are at the last close: nothing changes while the market is closed."""
    steps = np.arange(trading.size)
    last = np.maximum.accumulate(np.where(trading, steps, 0))
    found: FloatArray = there[last]
    return found


def _stream(name: str, *, common: bool = False) -> int:
    """Return the stream of a shock's draws: one number for all, and the hash of its name above."""
    number = Stream.SHOCK_COMMON if common else Stream.SHOCK_SHARE
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:3], "big") << 8 | int(number)


def _quantile(share: float) -> float:
    """Return the standard normal quantile of a share between 0 and 1."""
    return float(special.ndtri(share))
