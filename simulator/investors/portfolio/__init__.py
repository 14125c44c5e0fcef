"""A portfolio: weights, rebalancing, stops, flows and liquidity over instruments' paths."""

from simulator.investors.portfolio.paths import EVERYTHING, PortfolioPaths, Wanted, hold

__all__ = ["EVERYTHING", "PortfolioPaths", "Wanted", "hold"]
