"""The price cover: underwriters insure a miner's copper price from a pool of dollars."""

from simulator.instruments.price_cover.drivers import PriceCoverDrivers, draw_drivers
from simulator.instruments.price_cover.paths import PriceCoverRecord, simulate
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
