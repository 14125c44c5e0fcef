"""Where USDC is not always a dollar: all that is settled in it, turned into dollars.

The contracts count in USDC, the market and the investors in dollars. This is the one place where
the paths of one become those of the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.dollars import flows_in_dollars, in_dollars
from simulator.instruments.terms import Position
from simulator.units import FloatArray


def settled_in_usdc(positions: Mapping[str, Position]) -> frozenset[str]:
    """Return the names of what counts in USDC."""
    return frozenset(name for name, position in positions.items() if position.settles == "usdc")


def turn_into_dollars(
    positions: Mapping[str, Position],
    usdc: FloatArray | None,
    instruments: dict[str, InstrumentPaths],
) -> None:
    """Turn what is settled in USDC into dollars, where USDC is not always one.

    Parameters
    ----------
    usdc : ndarray of shape (n_steps + 1, n_paths), dollars, or None
        Price of USDC; None for a dollar on every day.
    instruments : dict of str to InstrumentPaths
        By name; those that settle in USDC are replaced.
    """
    if usdc is None:
        return
    for name, position in positions.items():
        paths = instruments[name]
        if position.settles == "usdc":
            instruments[name] = in_dollars(paths, usdc, position.usdc_moves)
        elif position.settles == "flows":
            instruments[name] = flows_in_dollars(paths, paths.usdc_flows, usdc)
