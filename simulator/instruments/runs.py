"""A run on a pool: others ask for their money a cooldown before they get it."""

from __future__ import annotations

from typing import NamedTuple

from simulator.chain import Call
from simulator.instruments.stage import Phase


class Run(NamedTuple):
    """The steps on which others ask for their money and claim it, and how many shares they have."""

    asks: int
    claims: int
    shares: int

    def calls(self, step: int, ask: Call, claim: Call) -> list[tuple[Phase, Call]]:
        """Return what they do on a step; without a cooldown they ask ahead of what they claim."""
        found = []
        if step == self.asks:
            found.append((Phase.CLAIMS if self.asks < self.claims else Phase.WITHDRAWALS, ask))
        if step == self.claims:
            found.append((Phase.WITHDRAWALS, claim))
        return found
