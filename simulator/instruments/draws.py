"""Temporary: see market.events and market.normals."""

from simulator.market.events import NEVER, first_event
from simulator.market.normals import normal_paths

__all__ = ["NEVER", "first_event", "normal_paths"]
