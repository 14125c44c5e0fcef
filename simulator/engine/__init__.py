"""Runs scenarios over many paths and keeps what they found."""

from simulator.engine.assumption_sets import run_assumption_sets, with_assumptions
from simulator.engine.breakeven import BreakEven, break_even, break_evens
from simulator.engine.drift import DriftShare
from simulator.engine.market import AssetSummary, MarketSummary, summarise_market
from simulator.engine.movers import Mover, by_chance, moved_by
from simulator.engine.parameter_sets import run_sets, with_ranges
from simulator.engine.reduce import Block
from simulator.engine.sensitivity import sensitivity
from simulator.engine.simulate import Simulation, simulate
from simulator.engine.sweep import sweep
from simulator.engine.verdicts import judge

__all__ = [
    "AssetSummary",
    "Block",
    "BreakEven",
    "DriftShare",
    "MarketSummary",
    "Mover",
    "Simulation",
    "break_even",
    "break_evens",
    "by_chance",
    "judge",
    "moved_by",
    "run_assumption_sets",
    "run_sets",
    "sensitivity",
    "simulate",
    "summarise_market",
    "sweep",
    "with_assumptions",
    "with_ranges",
]
