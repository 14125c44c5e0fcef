"""A portfolio: weights, rebalancing, stops, flows and liquidity over instruments' paths."""

from simulator.investors.portfolio.paths import PortfolioPaths, hold

__all__ = ["PortfolioPaths", "hold"]
