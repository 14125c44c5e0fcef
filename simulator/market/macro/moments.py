"""Variances of the drivers and of pulled prices, day by day, exactly up to second order.

A scenario's drift is that of the expectation. Channels scatter the logarithm of a price, and
exp of what scatters is larger on average; pulls make it scatter less than its shocks say.
What corrects this is half a variance, which follows here from the linear system itself: the
states, the drivers that add them up, and, where a pull is on, the log prices of gold, silver
and copper, jointly with the chain of regimes (moments are kept for each regime).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.jit import kernel
from simulator.market.macro.chain import Chain
from simulator.market.macro.model import Macro, Steps
from simulator.market.macro.names import N_DRIVERS, Driver, State
from simulator.units import BoolArray, FloatArray

_FACTORS = (
    State.REAL_RATE,
    State.INFLATION,
    State.LIQUIDITY,
    State.SILVER_INDUSTRIAL,
    State.SILVER_JEWELLERY,
    State.SILVER_INVESTMENT,
    State.SILVER_SUPPLY,
    State.COPPER_DEMAND,
    State.COPPER_SUPPLY,
)
_RATE, _LEVEL, _LIQUID, _NOMINAL = range(len(_FACTORS), len(_FACTORS) + 4)
_N_FACTORS = len(_FACTORS) + 4
_GOLD, _SILVER, _COPPER, _SHORT, _GOLD_LANDED, _SILVER_LANDED = range(_N_FACTORS, _N_FACTORS + 6)
_N_ALL = _N_FACTORS + 6


@dataclass(frozen=True, eq=False)
class Prices:
    """What the pulls need to know of gold, silver and copper; arrays in that order.

    Attributes
    ----------
    loadings : ndarray of shape (3, N_DRIVERS)
    correlation : ndarray of shape (3, 3)
        Of their own shocks.
    variance : ndarray of shape (3, n_steps + 1)
        Expected variance of GARCH on each day, before the regime's weight.
    events : ndarray of shape (3,)
        Variance of a trading day's event jumps.
    stress : ndarray of shape (4, 3)
        Weight of the common shock, by regime.
    trading : ndarray of shape (n_steps + 1,)
    ratio_speed, reversion_speed, short_share : float
    """

    loadings: FloatArray
    correlation: FloatArray
    variance: FloatArray
    events: FloatArray
    stress: FloatArray
    trading: BoolArray
    ratio_speed: float
    reversion_speed: float
    short_share: float


@dataclass(frozen=True, eq=False)
class Moments:
    """Variances on each day.

    Attributes
    ----------
    drivers : ndarray of shape (n_steps + 1, N_DRIVERS, N_DRIVERS)
        Without the row and column of BANKS, which are 0 here.
    prices : ndarray of shape (3, n_steps + 1)
        Of the log prices of gold, silver and copper, their drivers' part (but for BANKS)
        included; the value of the last trading day.
    shocks : ndarray of shape (3, n_steps + 1)
        The sum of the variances of their daily shocks.
    """

    drivers: FloatArray
    prices: FloatArray
    shocks: FloatArray


def moments(
    macro: Macro, steps: Steps, chain: Chain, year_fraction: float, prices: Prices
) -> Moments:
    """Return the variances of a run's drivers and of the metals' log prices.

    Worlds that differ in what does not scatter, as a view of rates, share them, read-only.
    """
    system = _system(macro, steps, chain, year_fraction, prices)
    return _solved(_Question(system, np.ascontiguousarray(prices.trading)))


class _Question:
    """A system and its trading days, equal to another one of the same numbers."""

    def __init__(self, system: _System, trading: BoolArray) -> None:
        self.system, self.trading = system, trading
        # At once: the kernel changes the system's moments in place.
        self._numbers = b"".join(np.asarray(part).tobytes() for part in (*system, trading))

    def __hash__(self) -> int:
        return hash(self._numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self._numbers == other._numbers


@functools.lru_cache(maxsize=8)
def _solved(question: _Question) -> Moments:
    n_days = question.trading.size
    covariance = np.zeros((n_days, N_DRIVERS, N_DRIVERS))
    levels, shocks = np.zeros((2, 3, n_days))
    _run(question.system, question.trading, covariance, levels, shocks)
    for shared in (covariance, levels, shocks):
        shared.flags.writeable = False
    return Moments(covariance, levels, shocks)


class _System(NamedTuple):
    """The linear system in the form the kernel reads; n = _N_ALL rows, 4 regimes.

    shares : (4,), probability of each regime on the first day
    first, second : (4, n) and (4, n, n), moments times that probability; changed in place
    transition : (4, 4)
    matrix, constant, noise : (n, n), (4, n) and (n, n) of a day's move
    drivers, logs : (N_DRIVERS, n) and (3, n), sums of rows
    landed : (2, n), what becomes of gold's and silver's landed drivers on a trading day
    volatility, stress : (4,) and (4, 3)
    """

    shares: FloatArray
    first: FloatArray
    second: FloatArray
    transition: FloatArray
    matrix: FloatArray
    constant: FloatArray
    noise: FloatArray
    drivers: FloatArray
    logs: FloatArray
    landed: FloatArray
    volatility: FloatArray
    stress: FloatArray
    correlation: FloatArray
    events: FloatArray
    variance: FloatArray
    ratio_speed: float
    reversion_speed: float
    short_share: float


def _system(
    macro: Macro, steps: Steps, chain: Chain, year_fraction: float, prices: Prices
) -> _System:
    own = np.eye(_N_ALL)
    noise = np.zeros((_N_ALL, len(_FACTORS)))
    constant = np.zeros((4, _N_ALL))
    for place, state in enumerate(_FACTORS):
        own[place, place] = steps.decay[state]
        noise[place, place] = steps.deviation[state]
        constant[:, place] = steps.constant[state]
    noise[_RATE, 0] = 100 * steps.deviation[State.REAL_RATE]
    constant[:, 0] += (1 - steps.decay[State.REAL_RATE]) * chain.rate_shift
    copper, supply = macro.figures.copper, _FACTORS.index(State.COPPER_SUPPLY)
    outages: float = macro.outage_rate * year_fraction
    constant[:, supply] -= outages * copper.outage_size.value
    sums = np.eye(_N_ALL)
    _, k1, _, n1 = macro.rates
    sums[_LEVEL, :2] = 100 * year_fraction * np.array([1.0, k1])
    sums[_NOMINAL, :2] = year_fraction * np.array([1.0, n1])
    sums[_LIQUID, _FACTORS.index(State.LIQUIDITY)] = year_fraction
    constant = constant @ sums.T
    constant[:, _LIQUID] += year_fraction * chain.liquidity_shift
    scattered: FloatArray = sums @ noise
    lost = copper.outage_size.value**2 + copper.outage_deviation.value**2
    joint = scattered @ scattered.T
    joint[supply, supply] += outages * lost
    drivers = _driver_rows(macro)
    logs = np.zeros((3, _N_ALL))
    logs[:, [_GOLD, _SILVER, _COPPER]] = np.eye(3)
    logs += prices.loadings @ drivers
    shares = np.zeros(4)
    shares[chain.start] = 1.0
    first = np.zeros((4, _N_ALL))
    second = np.zeros((4, _N_ALL, _N_ALL))
    for place, state in enumerate(_FACTORS):
        first[chain.start, place] = steps.start[state]
    second[chain.start] = np.outer(first[chain.start], first[chain.start])

    def flat(array: FloatArray) -> FloatArray:
        return np.ascontiguousarray(array, dtype=np.float64)

    return _System(
        shares=shares,
        first=first,
        second=second,
        transition=flat(chain.transition),
        matrix=flat(sums @ own),
        constant=flat(constant),
        noise=flat(joint),
        drivers=flat(drivers),
        logs=flat(logs),
        landed=flat(prices.loadings[:2] @ drivers),
        volatility=flat(chain.volatility),
        stress=flat(prices.stress),
        correlation=flat(prices.correlation),
        events=flat(prices.events),
        variance=flat(prices.variance),
        ratio_speed=year_fraction * float(prices.ratio_speed),
        reversion_speed=year_fraction * float(prices.reversion_speed),
        short_share=float(prices.short_share),
    )


@kernel
def _run(
    system: _System,
    trading: BoolArray,
    covariance: FloatArray,
    levels: FloatArray,
    shocks: FloatArray,
) -> None:
    """Write the variances of every day, shapes (n_steps + 1, N_DRIVERS, N_DRIVERS) and (3, ...)."""
    n = system.matrix.shape[0]
    work, whole = np.empty((n, n)), np.empty((n, n))
    trade = np.eye(n)
    mixed, moved = np.empty(system.second.shape), np.empty(system.first.shape)
    last = 0
    for step in range(1, trading.size):
        _advance(system, mixed, moved, work)
        levels[:, step] = levels[:, step - 1]
        shocks[:, step] = shocks[:, step - 1]
        if trading[step]:
            _pull(system, trade, float(step - last), moved, work)
            _shake(system, step, shocks)
            last = step
        _joint(system, whole)
        _quadratic(system.drivers, whole, work, covariance[step])
        if trading[step]:
            for row in range(3):
                total = 0.0
                for i in range(n):
                    for j in range(n):
                        total += system.logs[row, i] * whole[i, j] * system.logs[row, j]
                levels[row, step] = total


@kernel
def _advance(system: _System, mixed: FloatArray, moved: FloatArray, work: FloatArray) -> None:
    """Take a day: the regime switches, then the factors move.

    `mixed`, shape (4, n, n), `moved`, shape (4, n), and `work`, shape (n, n), are scratch.
    """
    transition, constant = system.transition, system.constant
    n = system.matrix.shape[0]
    shares = np.zeros(4)
    mixed[:] = 0.0
    moved[:] = 0.0
    for old in range(4):
        for new in range(4):
            weight = transition[old, new]
            shares[new] += weight * system.shares[old]
            for i in range(n):
                moved[new, i] += weight * system.first[old, i]
                for j in range(n):
                    mixed[new, i, j] += weight * system.second[old, i, j]
    for regime in range(4):
        _transform(system.matrix, mixed[regime], work, system.second[regime])
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += system.matrix[i, j] * moved[regime, j]
            system.first[regime, i] = total
        for i in range(n):
            for j in range(n):
                cross = system.first[regime, i] * constant[regime, j]
                cross += constant[regime, i] * system.first[regime, j]
                outer = constant[regime, i] * constant[regime, j] + system.noise[i, j]
                system.second[regime, i, j] += cross + shares[regime] * outer
        for i in range(n):
            system.first[regime, i] += shares[regime] * constant[regime, i]
        system.shares[regime] = shares[regime]


@kernel
def _pull(
    system: _System, trade: FloatArray, waited: float, moved: FloatArray, work: FloatArray
) -> None:
    """Take a trading day's pulls, after `waited` days.

    `trade` and `work`, shape (n, n), and `moved`, shape (4, n), are scratch.
    """
    n = trade.shape[0]
    ratio, back = waited * system.ratio_speed, waited * system.reversion_speed
    for i in range(n):
        for j in range(n):
            trade[i, j] = 1.0 if i == j else 0.0
    trade[_SILVER, _GOLD] += ratio
    trade[_SILVER, _GOLD_LANDED] += ratio
    trade[_SILVER, _SILVER] -= ratio
    trade[_SILVER, _SILVER_LANDED] -= ratio
    trade[_COPPER, _SHORT] -= back
    trade[_SHORT, _SHORT] -= back
    trade[_GOLD_LANDED] = system.landed[0]
    trade[_SILVER_LANDED] = system.landed[1]
    before = np.empty((n, n))
    for regime in range(4):
        before[:] = system.second[regime]
        _transform(trade, before, work, system.second[regime])
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += trade[i, j] * system.first[regime, j]
            moved[regime, i] = total
        system.first[regime] = moved[regime]


@kernel
def _shake(system: _System, step: int, shocks: FloatArray) -> None:
    """Add a trading day's shocks to gold, silver and copper, and their variances to `shocks`.

    `shocks` is of shape (3, n_steps + 1).
    """
    place = (_GOLD, _SILVER, _COPPER)
    for regime in range(4):
        share = system.shares[regime]
        if share == 0.0:
            continue
        second = system.second[regime]
        for i in range(3):
            wide = system.volatility[regime] * np.sqrt(system.variance[i, step])
            common = system.stress[regime, i]
            for j in range(3):
                other = system.stress[regime, j]
                own = np.sqrt(1.0 - common**2) * np.sqrt(1.0 - other**2)
                linked = system.correlation[i, j] * own + common * other
                high = system.volatility[regime] * np.sqrt(system.variance[j, step])
                shock = share * linked * wide * high
                second[place[i], place[j]] += shock
                if j == 2:
                    second[place[i], _SHORT] += system.short_share * shock
                    second[_SHORT, place[i]] += system.short_share * shock
                    if i == 2:
                        second[_SHORT, _SHORT] += system.short_share**2 * shock
                if i == j:
                    second[place[i], place[i]] += share * system.events[i]
                    shocks[i, step] += shock + share * system.events[i]


@kernel
def _joint(system: _System, whole: FloatArray) -> None:
    """Write the covariance of all rows, shape (n, n), over regimes."""
    n = whole.shape[0]
    mean = np.zeros(n)
    whole[:] = 0.0
    for regime in range(4):
        for i in range(n):
            mean[i] += system.first[regime, i]
            for j in range(n):
                whole[i, j] += system.second[regime, i, j]
    for i in range(n):
        for j in range(n):
            whole[i, j] -= mean[i] * mean[j]


@kernel
def _transform(matrix: FloatArray, inner: FloatArray, work: FloatArray, out: FloatArray) -> None:
    """Write matrix @ inner @ matrix.T, for an `inner` that is symmetric; all of shape (n, n)."""
    n = matrix.shape[0]
    for i in range(n):
        for j in range(n):
            work[i, j] = 0.0
        for k in range(n):
            weight = matrix[i, k]
            if weight != 0.0:
                for j in range(n):
                    work[i, j] += weight * inner[k, j]
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
        for k in range(n):
            weight = matrix[i, k]
            if weight != 0.0:
                for j in range(n):
                    out[i, j] += weight * work[j, k]


@kernel
def _quadratic(rows: FloatArray, whole: FloatArray, work: FloatArray, out: FloatArray) -> None:
    """Write rows @ whole @ rows.T, of shape (N_DRIVERS, N_DRIVERS)."""
    count, n = rows.shape
    for i in range(count):
        for j in range(n):
            work[0, j] = 0.0
        for k in range(n):
            weight = rows[i, k]
            if weight != 0.0:
                for j in range(n):
                    work[0, j] += weight * whole[k, j]
        for other in range(count):
            total = 0.0
            for j in range(n):
                total += work[0, j] * rows[other, j]
            out[i, other] = total


def _driver_rows(macro: Macro) -> FloatArray:
    """Return the drivers as sums of the system's rows, shape (N_DRIVERS, _N_ALL)."""
    rows = np.zeros((N_DRIVERS, _N_ALL))
    rows[Driver.RATE, _RATE] = 1.0
    rows[Driver.LEVEL, _LEVEL] = 1.0
    rows[Driver.LIQUIDITY, _LIQUID] = 1.0
    rows[Driver.NOMINAL, _NOMINAL] = 1.0
    silver = _FACTORS.index(State.SILVER_INDUSTRIAL)
    rows[Driver.SILVER, silver : silver + 4] = macro.silver_weights
    rows[Driver.COPPER, _FACTORS.index(State.COPPER_DEMAND)] = 1.0
    rows[Driver.COPPER, _FACTORS.index(State.COPPER_SUPPLY)] = -1.0
    return rows
