"""An estimate with all that a reader must know of it, on its way into a file."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from simulator.market.calibration.diffusion import Estimate
from simulator.market.calibration.figures import DIGITS, significant
from simulator.scenario.calibration import Figure, Mark
from simulator.scenario.macro_types import Sourced

SourcedModel = TypeVar("SourcedModel", bound=Sourced)


@dataclass(frozen=True)
class Measured:
    """An estimate with unit, source and window; `weak` says why the data hardly show it."""

    estimate: Estimate
    unit: str
    source: str
    window: tuple[dt.date, dt.date]
    weak: str = ""
    note: str = ""
    mark: Mark = "observed"

    def scaled(self, factor: float, unit: str) -> Measured:
        """Return the same in another unit."""
        value, error = self.estimate.value * factor, self.estimate.standard_error * abs(factor)
        return replace(self, estimate=Estimate(value, error), unit=unit)

    def sourced(self, kind: type[SourcedModel]) -> SourcedModel:
        """Return the figure of a macro section."""
        return kind.model_validate(self._fields())

    def finding(self) -> Figure:
        """Return the figure that a reader sees and no model reads."""
        return Figure.model_validate(self._fields())

    def _fields(self) -> dict[str, object]:
        error = self.estimate.standard_error
        known = math.isfinite(error)
        return {
            "value": significant(self.estimate.value, DIGITS),
            "unit": self.unit,
            "source": self.source,
            "window": self.window,
            "standard_error": significant(error, 3) if known else None,
            "mark": self.mark,
            "weak": self.weak,
            "note": self.note if known or self.note else "no standard error",
        }


def both_weak(*reasons: str) -> str:
    """Return the reasons that there are, joined."""
    return "; ".join(reason for reason in reasons if reason)


def sources(parts: Sequence[str]) -> str:
    """Return several sources as one, each once."""
    return "; ".join(dict.fromkeys(parts))
