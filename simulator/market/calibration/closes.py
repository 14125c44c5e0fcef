"""The daily closes of each asset, whatever table they stand in and whichever days it has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from simulator.errors import InputError, Problem
from simulator.market.calibration.columns import QUOTATIONS, Column
from simulator.market.calibration.exclusions import Exclusion
from simulator.market.calibration.prices import PriceTable
from simulator.market.frequency import Kind, frequency, rows_per_year
from simulator.scenario.market import EVERY_DAY
from simulator.units import TRADING_DAYS_PER_YEAR

KNOWN_DATA = {
    "e8b8a426539df490e43ae335592f2b158eecd53f0beadbcaa6374e1b2e689859": "COMEX front-month closes",
    "4b12b5762b106ed76a0e1708c882d69bdf3dd8f781d884c8d099bc2ee090ebe4": (
        "World Bank Pink Sheet, monthly averages"
    ),
    "934ac5380252eb553710e3b746a5f016925804e97983e959f8fc38beee98d6d4": "crypto exchange closes",
    "00f5576384eb5ab47e018dc8c130368e664b771554ff0f584a7d1035e0ae786f": (
        "US exchange closes of index funds"
    ),
    "576f88f5688d66b9374ab3cb2c7a9100cfb081888c53ba611dd263209ac345cb": (
        "US Federal Reserve, 10-year yields"
    ),
    "f85c97cca8b188f64c5efb04c70caba47e71748ef6cbe7b1328261b9c860728d": (
        "US BLS and Federal Reserve, monthly"
    ),
    "81115f87bca912d32df1cdea2132fe949971d946669e7becad1f0d43eca90f23": "World Gold Council",
}
"""Data sets recognised by their SHA-256, so that their figures name their true origin."""


def source_of(file: str, sha256: str) -> str:
    """Return what a figure names as its source."""
    known = KNOWN_DATA.get(sha256)
    if known:
        return f"{known} ({file}, sha256 {sha256[:12]})"
    return f"{file} (sha256 {sha256[:12]})"


@dataclass(frozen=True, eq=False)
class Closes:
    """Daily closes of one asset.

    Attributes
    ----------
    column : Column
    prices : Series of shape (n_dates,), USD per unit of the asset, indexed by date, no gaps
    last_quote : float
        The last price as it stands in the file.
    path, source : str
        The file, and what figures name as their source.
    periods_per_year : int
        Of the market's clock: 365 where the asset's rows have weekends, else 252.
    rows_per_year : float
        As counted in the table.
    excluded : tuple of Exclusion
        Days whose return no figure may see.
    """

    column: Column
    prices: pd.Series[float]
    last_quote: float
    path: str
    source: str
    periods_per_year: int
    rows_per_year: float
    excluded: tuple[Exclusion, ...] = ()

    @property
    def asset(self) -> str:
        """Return the asset's name."""
        return self.column.asset

    @property
    def window(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last date."""
        return self.prices.index[0], self.prices.index[-1]

    def log_prices(self) -> pd.Series[float]:
        """Return the logarithms of the prices, indexed by date."""
        return pd.Series(np.log(self.prices.to_numpy(dtype=np.float64)), self.prices.index)

    def returns(self) -> pd.Series[float]:
        """Return daily log returns without the excluded ones, indexed by the later date."""
        logs = self.log_prices().diff().iloc[1:]
        return logs.drop(index=[exclusion.date for exclusion in self.excluded])

    def weekly_returns(self) -> pd.Series[float]:
        """Return log returns from Friday to Friday, without the weeks of excluded days.

        Closes of one Friday are at most hours apart, whichever exchange made them; on a
        Friday without a close the last one before it counts.

        Returns
        -------
        Series indexed by the ordinal of the later Friday
        """
        days = np.array([date.toordinal() for date in self.prices.index])
        fridays = np.arange(_friday(days[0]), days[-1] + 1, 7)
        last = np.searchsorted(days, fridays, side="right") - 1
        returns = np.diff(np.log(self.prices.to_numpy(dtype=np.float64))[last])
        weekly = pd.Series(returns, index=fridays[1:])
        spoiled = [_friday(exclusion.date.toordinal()) for exclusion in self.excluded]
        return weekly.drop(index=spoiled, errors="ignore")

    def until(self, date: dt.date) -> Closes:
        """Return what was known at the close of `date`."""
        kept = self.prices[self.prices.index <= date]
        return replace(
            self,
            prices=kept,
            last_quote=float(kept.iloc[-1]) / self.column.factor if len(kept) else 0.0,
            excluded=tuple(e for e in self.excluded if e.date <= date),
        )


def _friday(day: int) -> int:
    """Return the ordinal of the first Friday from `day` on; ordinal 5 was one."""
    return day + (5 - day) % 7


def closes_of(tables: Sequence[PriceTable], exclude: Iterable[Exclusion]) -> dict[str, Closes]:
    """Return the closes of each asset of the tables, in the market's order.

    Raises
    ------
    InputError
        An asset stands in two tables, or one that moves every day has no weekends.
    """
    found: dict[str, Closes] = {}
    problems = []
    for table in tables:
        for column in table.columns:
            if column.asset in found:
                rule = f"is in {found[column.asset].path} too; keep one"
                problems.append(Problem(table.path, 1, column.name, "", rule))
                continue
            if column.asset in EVERY_DAY and table.frequency.kind is Kind.TRADING_DAYS:
                rule = f"must have all days: {column.asset} moves on weekends too"
                problems.append(Problem(table.path, None, "date", table.frequency.message, rule))
            found[column.asset] = _closes(table, column, exclude)
    if problems:
        raise InputError(problems)
    return in_order(found)


def in_order(closes: Mapping[str, Closes]) -> dict[str, Closes]:
    """Return `closes` in the market's order of assets."""
    return {asset: closes[asset] for asset in QUOTATIONS if asset in closes}


def _closes(table: PriceTable, column: Column, exclude: Iterable[Exclusion]) -> Closes:
    prices = pd.Series(table.prices[column.asset], index=pd.Index(table.dates, name="date"))
    dates = table.dates_of(column.asset)
    often = frequency(dates)
    return Closes(
        column=column,
        prices=prices.dropna(),
        last_quote=table.last_quotes[column.asset],
        path=table.path,
        source=source_of(table.file, table.sha256),
        periods_per_year=often.periods_per_year or TRADING_DAYS_PER_YEAR,
        rows_per_year=rows_per_year(dates, often.kind) or TRADING_DAYS_PER_YEAR,
        excluded=tuple(e for e in exclude if e.asset == column.asset),
    )
