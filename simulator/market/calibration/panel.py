"""What the macro fits read: closes and series by name, from whichever file they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from simulator.market.calibration import months
from simulator.market.calibration.closes import Closes
from simulator.market.calibration.data import MarketData
from simulator.market.calibration.months import by_month
from simulator.market.calibration.observations import Observations
from simulator.market.calibration.prices import DAILY
from simulator.market.frequency import Kind


@dataclass(frozen=True, eq=False)
class Monthly:
    """A series by month, with its source.

    values : Series of shape (n_months,), NaN where a month is missing
    """

    values: pd.Series[float]
    source: str


@dataclass(frozen=True, eq=False)
class Panel:
    """The data of the macro fits.

    Attributes
    ----------
    closes : dict of str to Closes
    used : set of (str, Kind)
        The series that fits have asked for and found.
    """

    data: MarketData
    closes: Mapping[str, Closes]
    used: set[tuple[str, Kind]] = field(default_factory=set)

    def find(self, name: str, *kinds: Kind) -> Observations | None:
        """Return a series in the first of `kinds` that there is."""
        for kind in kinds:
            if (name, kind) in self.data.observations:
                self.used.add((name, kind))
                return self.data.observations[name, kind]
        return None

    def unused(self) -> Iterator[str]:
        """Yield the series that no fit has used, and why."""
        for (name, kind), series in self.data.observations.items():
            if (name, kind) in self.used:
                continue
            why = "no fit of these data asks for it"
            if kind is not Kind.YEARLY and kind not in DAILY:
                why = (
                    "the fits take it by days; values of months are often averages, whose "
                    "changes are too small by 18 %"
                )
            yield f"{series.path}: {name}, {kind}: not used: {why}"

    def monthly(self, name: str) -> Monthly | None:
        """Return a series by month: its monthly values, else the last of each month's days."""
        found = self.find(name, Kind.MONTHLY)
        if found:
            return Monthly(by_month(found.values), found.source)
        return self.month_ends(name)

    def month_ends(self, name: str) -> Monthly | None:
        """Return the last daily value of each month."""
        found = self.find(name, *DAILY)
        return Monthly(months.month_ends(found.values), found.source) if found else None

    def month_returns(self, asset: str) -> Monthly | None:
        """Return an asset's monthly log returns, from daily closes."""
        found = self.closes.get(asset)
        return Monthly(months.month_returns(found), found.source) if found else None

    def long_prices(self, asset: str) -> Monthly | None:
        """Return an asset's monthly prices over the longest past there is."""
        found = self.data.monthly.get(asset)
        if found:
            return Monthly(by_month(found.prices), found.source)
        closes = self.closes.get(asset)
        return Monthly(months.month_ends(closes.prices), closes.source) if closes else None

    def averaged(self, asset: str) -> bool:
        """Return whether `long_prices` are means of months."""
        found = self.data.monthly.get(asset)
        return found is not None and bool(found.averaged)
