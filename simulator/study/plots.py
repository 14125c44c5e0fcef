"""A run's charts, as plotly figures that a notebook shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Plots:
    """Draws daily quantiles."""

    def __init__(
        self, quantiles: Callable[[str], pd.DataFrame], investors: tuple[str, ...]
    ) -> None:
        self._quantiles, self._investors = quantiles, investors

    def __repr__(self) -> str:
        return f"Charts: fan(NAME) of {', '.join(self._investors)}, or of a daily series"

    def fan(self, name: str, unit: str = "usd") -> go.Figure:
        """Return bands p05 to p95 and p25 to p75 with the median.

        Parameters
        ----------
        name : str
            An investor, or a daily series as `price.gold`.
        unit : str
            Of an investor's value.

        Raises
        ------
        UsageError
            There is no such investor or series.
        """
        from simulator.report.charts.fan import fan  # plotly is slow to load

        of_investor = name in self._investors
        found = self._quantiles(f"exit.{name}.{unit}" if of_investor else name)
        return fan(found.reset_index(), unit=unit if of_investor else name)
