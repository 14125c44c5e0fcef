"""For tests of one's own contracts: a stage, market's years, and machines that look for faults.

    from simulator.testing import VaultMachine

    class MyVault(VaultMachine):
        contract = "contracts/my_vault.vy"
        arguments = {"fee_bps_": "1_000"}

    TestMyVault = MyVault.TestCase

The names load on first use: this package is loaded by pytest wherever it is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.testing.bench import at_day, market_path, shock, staged
    from simulator.testing.machines import TokenMachine, VaultMachine
    from simulator.testing.securities import Security, StoMachine
    from simulator.testing.strategies import market_days, moves

__all__ = [
    "Security",
    "StoMachine",
    "TokenMachine",
    "VaultMachine",
    "at_day",
    "market_days",
    "market_path",
    "moves",
    "shock",
    "staged",
]

_HOMES = {
    "bench": ("at_day", "market_path", "shock", "staged"),
    "machines": ("TokenMachine", "VaultMachine"),
    "securities": ("Security", "StoMachine"),
    "strategies": ("market_days", "moves"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
