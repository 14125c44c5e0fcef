"""Central banks' flows around the level of net purchases that a scenario states.

The calibration takes the mean of all its years for the long run. Where purchases have moved to
another level since, that mean is no level at all: the scenario states the new one, and flows begin
there and return to it. The scatter asked for is that of the first year's amount, of which sales
have their part as calibrated, by

    Var(mean of a year) = v^2 / k^2 (1 - 2 (1 - e^-k) / k + (1 - e^-2k) / (2 k))

for a deviation that returns at the speed k and has the volatility v.
"""

from __future__ import annotations

import math

from simulator.scenario.macro_types import CentralBanks, Flow, Sourced
from simulator.scenario.market import NetPurchases


def around_level(banks: CentralBanks, net: NetPurchases) -> CentralBanks:
    """Return flows whose net begins at a level and moves around it; sales move as calibrated."""
    sales = banks.sales.model_copy(update={"start": banks.sales.mean})
    sold = (sales.mean.value * sales.volatility.value) ** 2 * year_variance(sales.speed.value)
    left = max(net.deviation_t**2 - sold, 0.0) / year_variance(net.speed)
    mean = net.level_t + sales.mean.value
    update = {
        "start": _as(banks.purchases.start, mean),
        "mean": _as(banks.purchases.mean, mean),
        "speed": _as(banks.purchases.speed, net.speed),
        "volatility": _as(banks.purchases.volatility, math.sqrt(left) / mean),
    }
    purchases: Flow = banks.purchases.model_copy(update=update)
    return banks.model_copy(update={"purchases": purchases, "sales": sales})


def year_variance(speed: float) -> float:
    """Return Var(mean of the first year) over v^2, from a deviation of nought on the first day."""
    once, twice = -math.expm1(-speed), -math.expm1(-2.0 * speed)
    return (1.0 - 2.0 * once / speed + twice / (2.0 * speed)) / speed**2


def _as(figure: Sourced, value: float) -> Sourced:
    return figure.model_copy(update={"value": value, "standard_error": None})
