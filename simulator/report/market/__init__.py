"""The market of a scenario by itself: on a terminal, and as one HTML file."""

from simulator.report.market.page import render_market
from simulator.report.market.terminal import print_market

__all__ = ["print_market", "render_market"]
