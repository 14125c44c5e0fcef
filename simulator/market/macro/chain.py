"""The Markov chain of regimes: probabilities day by day, and what a regime shifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.jit import kernel
from simulator.scenario.macro import REGIMES, MacroCalibration, RegimeName
from simulator.units import FloatArray

_MONTHS_PER_YEAR = 12
_TERMS = 14
"""Of the series; with entries below 1/16 the next one is below 1e-27."""


@dataclass(frozen=True, eq=False)
class Chain:
    """The chain as a run sees it.

    Attributes
    ----------
    start : int
        Number of the regime on the first day.
    transition : ndarray of shape (4, 4)
        Probability of going from row to column in a step.
    rate_shift, liquidity_shift : ndarray of shape (4,)
        Of the real rate's mean, and of liquidity itself.
    volatility : ndarray of shape (4,)
        Weight of volatility; its square is 1 on average over the stationary distribution.
    shares : ndarray of shape (4,)
        Of time in the long run, whatever a run pins.
    """

    start: int
    transition: FloatArray
    rate_shift: FloatArray
    liquidity_shift: FloatArray
    volatility: FloatArray
    shares: FloatArray

    def probabilities(self, n_steps: int) -> FloatArray:
        """Return the regimes' probabilities on each day, shape (n_steps + 1, 4)."""
        found = np.zeros((n_steps + 1, len(REGIMES)))
        found[0, self.start] = 1.0
        _spread(self.transition, found)
        return found


@kernel
def _spread(transition: FloatArray, shares: FloatArray) -> None:
    """Fill the probabilities, shape (n_steps + 1, 4), from the first row on."""
    for step in range(1, shares.shape[0]):
        for old in range(shares.shape[1]):
            for new in range(shares.shape[1]):
                shares[step, new] += shares[step - 1, old] * transition[old, new]


def regime_chain(
    figures: MacroCalibration, year_fraction: float, *, on: bool, pinned: RegimeName | None
) -> Chain:
    """Return the chain of a run.

    Switched off it never leaves its start and shifts nothing, unless a view pins a regime,
    whose shifts of the factors then hold; volatility and correlation stay as they are.
    """
    regimes = figures.regimes
    states = [regimes.state(name) for name in REGIMES]
    generator = _generator(figures)
    moves = on and pinned is None
    shifts = 1.0 if on or pinned is not None else 0.0
    volatility, shares = np.ones(len(REGIMES)), stationary(generator)
    if on:
        factor = np.array([state.volatility_factor.value for state in states])
        volatility = factor / np.sqrt(shares @ factor**2)
    return Chain(
        start=REGIMES.index(pinned or regimes.start),
        transition=exponential(generator * year_fraction) if moves else np.eye(len(REGIMES)),
        rate_shift=shifts * np.array([state.real_rate_shift.value for state in states]),
        liquidity_shift=shifts * np.array([state.liquidity_shift.value for state in states]),
        volatility=volatility,
        shares=shares,
    )


def _generator(figures: MacroCalibration) -> FloatArray:
    """Return the rates a year of going from row to column; rows add up to 0."""
    rates = np.zeros((len(REGIMES), len(REGIMES)))
    for row, name in enumerate(REGIMES):
        state = figures.regimes.state(name)
        leaving = _MONTHS_PER_YEAR / state.duration.value
        for other, share in state.following.items():
            rates[row, REGIMES.index(other)] = leaving * share.value
        rates[row, row] = -leaving
    return rates


def exponential(matrix: FloatArray) -> FloatArray:
    """Return e^matrix of a small matrix: its series on a part of it, squared again and again.

    Both are of shape (n, n).
    """
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).max(), 1e-300)))) + 4)
    part = matrix / 2.0**halvings
    term = found = np.eye(matrix.shape[0])
    for power in range(1, _TERMS):
        term = term @ part / power
        found = found + term
    for _ in range(halvings):
        found = found @ found
    return found


def stationary(generator: FloatArray) -> FloatArray:
    """Return the shares of time that the regimes have in the long run, shape (4,).

    `generator` is of shape (4, 4), rates a year of going from row to column.
    """
    size = generator.shape[0]
    equations = np.vstack([generator.T, np.ones(size)])
    found: FloatArray = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return found
