"""The metal token: gold or silver, less the premium's moods and the custodian's risk."""

from simulator.instruments.gold_token.paths import (
    GOLD,
    SILVER,
    GoldTokenDrivers,
    Metal,
    draw_drivers,
    market_values,
    simulate,
)

__all__ = [
    "GOLD",
    "SILVER",
    "GoldTokenDrivers",
    "Metal",
    "draw_drivers",
    "market_values",
    "simulate",
]
