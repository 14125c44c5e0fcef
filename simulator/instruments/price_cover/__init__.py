"""The price cover: underwriters insure a miner's copper price from a pool of dollars."""

from simulator.instruments.price_cover.paths import (
    PriceCoverDrivers,
    PriceCoverRecord,
    draw_drivers,
    simulate,
)
from simulator.instruments.price_cover.state import Act, Observed, Policy

__all__ = [
    "Act",
    "Observed",
    "Policy",
    "PriceCoverDrivers",
    "PriceCoverRecord",
    "draw_drivers",
    "simulate",
]
