"""Investors: who holds what, and what it comes to."""

from simulator.investors.paths import InvestorMeasures, InvestorPaths, join, measure

__all__ = ["InvestorMeasures", "InvestorPaths", "join", "measure"]
