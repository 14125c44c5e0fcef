"""Runs scenarios over many paths and keeps what they found."""

from simulator.engine.market import AssetSummary, MarketSummary, summarise_market
from simulator.engine.parameter_sets import run_sets, with_ranges
from simulator.engine.simulate import Block, Simulation, simulate

__all__ = [
    "AssetSummary",
    "Block",
    "MarketSummary",
    "Simulation",
    "run_sets",
    "simulate",
    "summarise_market",
    "with_ranges",
]
