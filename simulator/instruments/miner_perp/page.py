"""What the report says of a perpetual."""

from __future__ import annotations

from simulator.instruments.miner_perp.terms import MinerPerpTerms
from simulator.instruments.page import Silent


class PerpPage(Silent[MinerPerpTerms]):
    """A section of its own."""


PAGE = PerpPage()
