"""Runs scenarios over many paths and keeps what they found."""

from simulator.engine.parameter_sets import run_sets, with_ranges
from simulator.engine.simulate import Block, Simulation, simulate

__all__ = ["Block", "Simulation", "run_sets", "simulate", "with_ranges"]
