"""Opens the chain that was asked for, or the best there is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from simulator.chain.anvil import AnvilChain
from simulator.chain.base import Chain
from simulator.chain.node import find_anvil
from simulator.chain.revm import RevmChain
from simulator.errors import ChainUnavailable, UsageError

ChainKind = Literal["anvil", "revm"]


def open_chain(
    kind: ChainKind | None,
    start: int,
    anvil_path: str | Path | None = None,
    rpc: str | None = None,
) -> Chain:
    """Return a fresh chain whose scenario starts at `start`, seconds.

    Parameters
    ----------
    kind : "anvil", "revm" or None
        None takes Anvil where it is found, revm elsewhere. Naming a binary or a URL
        means Anvil.
    start : int
        The first block time of the scenario, seconds.
    anvil_path, rpc : optional
        See `AnvilChain`.

    Raises
    ------
    UsageError
        If revm is asked for together with a binary or a URL.
    ChainUnavailable
        If the chain that was asked for cannot be had.
    """
    wants_anvil = kind == "anvil" or anvil_path is not None or rpc is not None
    if kind == "revm":
        if wants_anvil:
            raise UsageError("--chain revm runs in process; it takes no --anvil and no --rpc")
        return RevmChain(start)
    if wants_anvil or _anvil_is_installed():
        return AnvilChain(start, anvil_path=anvil_path, rpc=rpc)
    return RevmChain(start)


def _anvil_is_installed() -> bool:
    try:
        find_anvil()
    except ChainUnavailable:
        return False
    return True
