"""Collects what the macro fits find, and what they could not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from simulator.market.calibration.diffusion import FitError
from simulator.market.calibration.measured import Measured
from simulator.scenario.macro_types import MacroModel

Result = TypeVar("Result")


@dataclass
class Ledger:
    """What the fits of some data made.

    Attributes
    ----------
    groups : dict of str to MacroModel
        Groups of the macro section that have measured figures.
    findings : dict of str to Measured
        What no model reads.
    unfit : list of str
        Fits that the data did not bear, in words.
    """

    groups: dict[str, MacroModel] = field(default_factory=dict)
    findings: dict[str, Measured] = field(default_factory=dict)
    unfit: list[str] = field(default_factory=list)

    def attempt(self, what: str, fit: Callable[[], Result]) -> Result | None:
        """Return what `fit` makes, or None, and note why it does not."""
        try:
            return fit()
        except FitError as error:
            self.unfit.append(f"{what}: {error}")
            return None

    def keep(self, name: str, measured: Measured | None) -> None:
        """Keep a finding, if there is one."""
        if measured is not None:
            self.findings[name] = measured
