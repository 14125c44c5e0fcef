"""The gold vault: deposit a gold token, earn interest, pool fees and emissions."""

from simulator.instruments.gold_vault.drivers import GoldVaultDrivers, draw_drivers
from simulator.instruments.gold_vault.paths import GoldVaultRecord, simulate
from simulator.instruments.gold_vault.state import Action, Observed

__all__ = [
    "Action",
    "GoldVaultDrivers",
    "GoldVaultRecord",
    "Observed",
    "draw_drivers",
    "simulate",
]
