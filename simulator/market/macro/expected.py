"""What is expected of the factors on the first day, and what a scenario's views add to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.jit import kernel
from simulator.market.macro.chain import Chain
from simulator.market.macro.model import Macro, Steps
from simulator.market.macro.names import CUMULATED, N_DRIVERS, Driver, State
from simulator.scenario.pace import LARGEST_FALLS, LARGEST_RISES, largest_move
from simulator.units import FloatArray


@dataclass(frozen=True, eq=False)
class Expected:
    """Expectations of the first day.

    Attributes
    ----------
    states : ndarray of shape (N_STATES, n_steps + 1)
        Liquidity with its regime's shift.
    values : ndarray of shape (N_DRIVERS, n_steps + 1)
        What a driver's daily value is compared with: in points, 100 tonnes and so on.
    """

    states: FloatArray
    values: FloatArray


def expected(
    macro: Macro, steps: Steps, chain: Chain, n_steps: int, year_fraction: float
) -> Expected:
    """Return the expectations under a chain of regimes."""
    shares = chain.probabilities(n_steps)
    daily = np.tile(steps.constant, (n_steps + 1, 1))
    rate_weight = 1 - steps.decay[State.REAL_RATE]
    daily[:, State.REAL_RATE] += rate_weight * (shares @ chain.rate_shift)
    copper = macro.figures.copper
    daily[:, State.COPPER_SUPPLY] -= macro.outage_rate * year_fraction * copper.outage_size.value
    states = np.empty((n_steps + 1, len(State)))
    states[0] = steps.start
    _move(steps.decay, daily, states)
    states[:, State.LIQUIDITY] += shares @ chain.liquidity_shift
    columns: FloatArray = np.ascontiguousarray(states.T)
    return Expected(columns, _values(macro, steps, columns))


@kernel
def _move(decay: FloatArray, daily: FloatArray, states: FloatArray) -> None:
    """Fill the states, shape (n_steps + 1, N_STATES), from the first row on."""
    for step in range(1, states.shape[0]):
        for state in range(states.shape[1]):
            states[step, state] = decay[state] * states[step - 1, state] + daily[step, state]


def _values(macro: Macro, steps: Steps, states: FloatArray) -> FloatArray:
    real, inflation = states[State.REAL_RATE], states[State.INFLATION]
    k0, k1, n0, n1 = macro.rates
    values = np.zeros((N_DRIVERS, states.shape[1]))
    values[Driver.LEVEL] = 100 * (real + k0 + k1 * inflation)
    values[Driver.BANKS] = (
        flow(steps, states, State.PURCHASES) - flow(steps, states, State.SALES)
    ) / 100
    quantities = states[State.SILVER_INDUSTRIAL : State.SILVER_SUPPLY + 1]
    values[Driver.SILVER] = macro.silver_weights @ quantities
    values[Driver.COPPER] = states[State.COPPER_DEMAND] - states[State.COPPER_SUPPLY]
    values[Driver.LIQUIDITY] = states[State.LIQUIDITY]
    values[Driver.NOMINAL] = real + n0 + n1 * inflation
    return values


def log_variance(steps: Steps, state: State, n_steps: int) -> FloatArray:
    """Return the variance of a state on each day, shape (n_steps + 1,)."""
    decay, deviation = steps.decay[state], steps.deviation[state]
    powers = decay ** (2 * np.arange(n_steps + 1))
    variance: FloatArray = deviation**2 * (1 - powers) / (1 - decay**2)
    return variance


def flow(steps: Steps, states: FloatArray, state: State) -> FloatArray:
    """Return the expected amount of a flow on each day, shape (n_steps + 1,)."""
    variance = log_variance(steps, state, states.shape[1] - 1)
    amount: FloatArray = np.exp(states[state] + variance / 2)
    return amount


def bank_variance(steps: Steps, expectation: Expected, year_fraction: float) -> FloatArray:
    """Return the variance of driver BANKS on each day, shape (n_steps + 1,).

    Cov(P_s, P_t) = E P_s E P_t (exp(decay^(t - s) Var ln P_s) - 1), summed over the days.
    """
    n_steps = expectation.states.shape[1] - 1
    total = np.zeros(n_steps + 1)
    for state in (State.PURCHASES, State.SALES):
        amount = flow(steps, expectation.states, state) / 100 * year_fraction
        variance = log_variance(steps, state, n_steps)
        powers = steps.decay[state] ** np.arange(n_steps + 1)
        total += np.cumsum(_added(amount, variance, powers))
    return total


@kernel
def _added(amount: FloatArray, variance: FloatArray, powers: FloatArray) -> FloatArray:
    """Return what each day adds to the variance of a flow's sum, shape (n_steps + 1,)."""
    added = np.zeros(amount.size)
    for day in range(1, amount.size):
        before = 0.0
        for earlier in range(1, day):
            before += amount[earlier] * np.expm1(powers[day - earlier] * variance[earlier])
        added[day] = amount[day] * (2 * before + amount[day] * np.expm1(variance[day]))
    return added


def shifts_of_views(
    macro: Macro, here: Expected, without: Expected, year_fraction: float
) -> dict[str, FloatArray]:
    """Return what each view adds to the daily values, shape (N_DRIVERS, n_steps + 1) each.

    Parameters
    ----------
    here : Expected
        Under the chain that the run has: a view of liquidity pins it.
    without : Expected
        Under the chain as it would be without views.
    """
    views = macro.views
    days = np.arange(here.states.shape[1])
    found: dict[str, FloatArray] = {}
    if views.liquidity is not None:
        found["liquidity"] = here.values - without.values
        found["liquidity"][Driver.RATE] = 100 * (
            here.states[State.REAL_RATE] - without.states[State.REAL_RATE]
        )
    if views.real_rate is not None:
        shift = rate_shift(macro, here)
        found["real_rate"] = _only(
            {Driver.RATE: 100 * shift, Driver.LEVEL: 100 * shift, Driver.NOMINAL: shift}
        )
    if views.central_banks_net_t is not None:
        shift = views.central_banks_net_t / 100 - here.values[Driver.BANKS]
        found["central_banks"] = _only({Driver.BANKS: shift})
    years = days * year_fraction
    for metal, driver in (("silver", Driver.SILVER), ("copper", Driver.COPPER)):
        for side, sign in (("demand", 1.0), ("supply", -1.0)):
            growth = getattr(views, f"{metal}_{side}_growth")
            if growth is not None:
                shift = sign * (growth - usual_growth(macro, metal, side)) * years
                found[f"{metal}_{side}"] = _only({driver: shift})
    return found


def _only(rows: dict[Driver, FloatArray]) -> FloatArray:
    found = np.zeros((N_DRIVERS, len(next(iter(rows.values())))))
    for driver, values in rows.items():
        found[driver] = values
    return found


def rate_shift(macro: Macro, here: Expected) -> FloatArray:
    """Return what a view adds to the real rate on each day, shape (n_steps + 1,), as a fraction.

    Straight to the view in `ramp_days`; unless its pace is `any`, the expectation is on no day
    further from the start than the rate has ever come in so many days.
    """
    target, expected_rate = macro.views.real_rate, here.states[State.REAL_RATE]
    if target is None:
        return np.zeros(expected_rate.size)
    days = np.arange(expected_rate.size)
    way = np.minimum(days / macro.views.ramp_days, 1.0)
    shift: FloatArray = way * (target - expected_rate)
    if macro.views.rate_pace == "any":
        return shift
    lowest = expected_rate[0] - largest_move(LARGEST_FALLS, days)
    highest = expected_rate[0] + largest_move(LARGEST_RISES, days)
    return np.clip(shift, lowest - expected_rate, highest - expected_rate)


def usual_growth(macro: Macro, metal: str, side: str) -> float:
    """Return the growth a year of a metal's demand or supply that the calibration expects.

    Silver's demand is the sum of its parts, each with a growth of its own.
    """
    if metal == "copper":
        copper = macro.figures.copper
        return copper.demand.growth.value if side == "demand" else copper.supply.growth.value
    silver = macro.figures.silver
    if side == "supply":
        return silver.supply.growth.value
    parts = (silver.industrial, silver.jewellery, silver.investment)
    growth = [part.growth.value for part in parts]
    return math.fsum(w * g for w, g in zip(macro.silver_weights[:3], growth, strict=True))


def accumulated(values: FloatArray, year_fraction: float) -> FloatArray:
    """Return drivers, shape (N_DRIVERS, n_steps + 1), from their daily values."""
    found: FloatArray = values.copy()
    for driver in CUMULATED:
        found[driver, 0] = 0.0
        found[driver] = np.cumsum(found[driver]) * year_fraction
    return found
