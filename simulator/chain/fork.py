"""When a scenario can begin on a node that forks another chain."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from simulator.chain.anvil import asked
from simulator.chain.base import LEAST_SETUP_SECONDS
from simulator.chain.rpc import loopback_url
from simulator.errors import ChainUnavailable
from simulator.units import SECONDS_PER_DAY


@dataclass(frozen=True)
class Fork:
    """What an attached node forks: the block's number, and its time in seconds."""

    block: int
    timestamp: int

    def first_day(self) -> dt.date:
        """Return the next day that begins with room for the deployments before it."""
        ready = self.timestamp + LEAST_SETUP_SECONDS
        midnight = -(-ready // SECONDS_PER_DAY) * SECONDS_PER_DAY
        return dt.datetime.fromtimestamp(midnight, dt.UTC).date()


def fork_of(url: str) -> Fork | None:
    """Return what the node at a loopback URL forks, None where it forks nothing.

    It is only asked, and only once it has said that it is a development chain.

    Raises
    ------
    ForbiddenEndpoint, ChainUnavailable
    """
    latest = ("eth_getBlockByNumber", ["latest", False])
    info, block = asked(url, [("anvil_nodeInfo", []), latest])
    if not isinstance(info, dict) or not isinstance(block, dict):
        raise ChainUnavailable(f"{loopback_url(url)} does not say what it is")
    if not (info.get("forkConfig") or {}).get("forkUrl"):
        return None
    return Fork(int(block["number"], 16), int(block["timestamp"], 16))
