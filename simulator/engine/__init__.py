"""Runs scenarios over many paths and keeps what they found."""

from simulator.engine.simulate import Block, Simulation, simulate

__all__ = ["Block", "Simulation", "simulate"]
