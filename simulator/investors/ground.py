"""What an instrument sees of those that it stands on, within a block of paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from simulator.instruments.model import Ask, Played, Setting
from simulator.instruments.registry import model_of
from simulator.instruments.terms import InstrumentTerms
from simulator.scenario.models import Scenario

Seen = TypeVar("Seen")


class BlockGround:
    """The `Ground` of one label: what its terms' `needs` declare."""

    def __init__(
        self,
        scenario: Scenario,
        setting: Setting,
        label: str,
        played: Mapping[str, Played[Any, Any]],
        asks: Mapping[str, Ask],
    ) -> None:
        """Take what has been played so far; of what is only drawn, the drivers alone."""
        self._scenario, self._setting, self._label = scenario, setting, label
        self._declared = scenario.instruments[label].needs().instruments
        self._played, self._asks = played, asks

    def _terms(self, label: str) -> InstrumentTerms:
        if label not in self._declared:
            raise LookupError(f"{self._label} did not declare that it needs {label}")
        return self._scenario.instruments[label]

    def terms(self, label: str, of: type[Seen]) -> Seen:
        """Return the terms of an instrument."""
        return self._as(label, self._terms(label), of)

    def drivers(self, label: str, of: type[Seen]) -> Seen:
        """Return the drivers of an instrument on this block."""
        self._terms(label)
        return self._as(label, self._played[label].drivers, of)

    def played(self, label: str, ask: Ask) -> Played[Any, Any]:
        """Return an instrument's paths for another size, days and record than its own."""
        terms, drivers = self._terms(label), self._played[label].drivers
        below = BlockGround(self._scenario, self._setting, label, self._played, self._asks)
        found: Played[Any, Any] = model_of(terms).play(
            label, terms, drivers, self._setting, ask, below
        )
        return found

    def size(self, label: str) -> float:
        """Return the size of an instrument's measured position."""
        self._terms(label)
        return self._asks[label].size

    def visits(self, of: type[Seen]) -> Seen | None:
        """Return what an instrument that trades in this one did here; None where nobody does."""
        found = [p.visits[self._label] for p in self._played.values() if self._label in p.visits]
        return self._as(self._label, found[0], of) if found else None

    def _as(self, label: str, found: object, of: type[Seen]) -> Seen:
        if not isinstance(found, of):
            raise TypeError(f"{self._label} needs {of.__name__} of {label}, a {found!r}")
        return found
