"""Measures of paths: arrays in, arrays out; knows nothing of instruments or claims.

Values have shape (n_steps + 1, n_paths), one row a day, index 0 = what was put in, above 0.
A path with a NaN has NaN measures.
"""

from simulator.measures.errors import (
    mean_error,
    quantile_error,
    share_interval,
    shortfall_error,
)
from simulator.measures.extremes import Extreme, Extremes, extremes_of, most_extreme
from simulator.measures.flows import (
    money_weighted_return,
    money_weighted_yield,
    time_weighted_return,
    unit_values,
)
from simulator.measures.growth import (
    NOTHING_LEFT,
    YIELD_WINDOW_DAYS,
    annual_yield,
    lost,
    total_return,
    yield_deviation,
)
from simulator.measures.risk import (
    Spells,
    calmar,
    daily_returns,
    drawdowns,
    expected_shortfall,
    max_drawdown,
    sortino,
    spell_quantile,
    time_under_water,
    ulcer,
    value_at_risk,
    volatility,
)

__all__ = [
    "NOTHING_LEFT",
    "YIELD_WINDOW_DAYS",
    "Extreme",
    "Extremes",
    "Spells",
    "annual_yield",
    "calmar",
    "daily_returns",
    "drawdowns",
    "expected_shortfall",
    "extremes_of",
    "lost",
    "max_drawdown",
    "mean_error",
    "money_weighted_return",
    "money_weighted_yield",
    "most_extreme",
    "quantile_error",
    "share_interval",
    "shortfall_error",
    "sortino",
    "spell_quantile",
    "time_under_water",
    "time_weighted_return",
    "total_return",
    "ulcer",
    "unit_values",
    "value_at_risk",
    "volatility",
    "yield_deviation",
]
