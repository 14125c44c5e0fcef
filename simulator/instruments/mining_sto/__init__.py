"""The mining STO: a token on a copper mine's profit, and the same mine's ordinary share."""

from simulator.instruments.mining_sto.drivers import MiningStoDrivers, draw_drivers
from simulator.instruments.mining_sto.equity import draw_equity_drivers, simulate_equity
from simulator.instruments.mining_sto.paths import MiningStoRecord, simulate

__all__ = [
    "MiningStoDrivers",
    "MiningStoRecord",
    "draw_drivers",
    "draw_equity_drivers",
    "simulate",
    "simulate_equity",
]
