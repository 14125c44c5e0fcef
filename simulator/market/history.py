"""A user's table of daily, weekly or monthly closes as the history of a bootstrap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.errors import InputError, Problem
from simulator.market.block_length import optimal_block_days
from simulator.market.bootstrap import History
from simulator.market.calibration import (
    Exclusion,
    PriceTable,
    are_averages,
    check_returns,
    chosen_exclusions,
    read_prices,
)
from simulator.market.calibration.layout import Asked
from simulator.market.calibration.prices import DAILY
from simulator.market.calibration.sheet import read_header
from simulator.market.frequency import PERIODS_PER_YEAR, Kind, rows_per_year
from simulator.units import TRADING_DAYS_PER_YEAR, FloatArray

KINDS = (*DAILY, Kind.WEEKLY, Kind.MONTHLY)
LEAST_RETURNS = {Kind.WEEKLY: 104, Kind.MONTHLY: 60}
"""Two years of weeks, five of months: fewer hold hardly a crisis and a calm."""
LEAST_DAILY_RETURNS = 500

Columns = tuple[tuple[str, str], ...]

_IN_A_SCENARIO = ("market.exclude:", "market.keep:")


def read_history(
    path: Path | str,
    assets: tuple[str, ...],
    block_days: float | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    every_day: bool = False,
    exclude: tuple[str, ...] = (),
    keep: tuple[str, ...] = (),
) -> History:
    """Read the periods in which all `assets` have a return, as `assay calibrate` reads them.

    Closes of Saturdays and Sundays are left out, so that a weekend is one step, as in the
    market; so are days whose return is no market's (`default_exclusions`). Other columns than
    the assets' are read past, and units play no part: only ratios of prices count.

    Parameters
    ----------
    block_days : float, optional
        Mean block length in trading days, whatever the table's period; by default the best
        one for the assets' absolute returns, whose memory is longer than that of the returns;
        the longest among the assets.
    columns : mapping of asset to column, optional
        Where a column's name does not say what it holds.
    every_day : bool
        Keep the closes of weekends: the assets all trade on them.
    exclude, keep : tuple of str
        Returns to leave out, and those that stand out and are true, as DATE:ASSET.

    Raises
    ------
    InputError
        The table is faulty or mixes frequencies, lacks an asset, has a return that is no
        market's, the assets have too few periods in common, or a block is shorter than a period.
    """
    file = Path(path)
    stamp = file.stat().st_mtime_ns if file.is_file() else 0
    chosen = tuple(sorted((columns or {}).items()))
    return _read(str(path), stamp, assets, block_days, chosen, every_day, exclude, keep)


# A run checks its history before it begins, and many parameter sets draw from one.
@lru_cache(maxsize=4)
def _read(
    path: str,
    stamp: int,
    assets: tuple[str, ...],
    block_days: float | None,
    columns: Columns,
    every_day: bool,
    exclude: tuple[str, ...],
    keep: tuple[str, ...],
) -> History:
    chosen = dict(columns)
    _check_columns(path, assets, chosen)
    table = read_prices(path, KINDS, Asked(chosen, assets), least=1)
    left_out, kept = chosen_exclusions([table], exclude, keep, _IN_A_SCENARIO)
    told = check_returns([table], left_out, kept, _IN_A_SCENARIO)
    returns, kind = _joint_returns(table, assets, every_day, left_out)
    _check_length(table, assets, returns, kind)
    return History(
        returns=returns,
        mean_block=_mean_block(table, block_days, kind) or best_block(returns),
        kind=kind,
        file=table.file,
        sha256=table.sha256,
        notes=(*table.notes, *told, *_averages(table)),
    )


def _averages(table: PriceTable) -> Iterator[str]:
    """Yield that monthly prices are averages, where they are."""
    if table.frequency.kind is not Kind.MONTHLY:
        return
    for asset in table.assets:
        prices = pd.Series(table.prices[asset], index=pd.Index(table.dates)).dropna()
        if are_averages(prices):
            yield (
                f"{asset} is the average of each month, not its close: the "
                "volatility of what is drawn is 18 % too low"
            )


def best_block(returns: FloatArray) -> float:
    """Return the longest of the best block lengths of |r - mean|, in periods.

    Parameters
    ----------
    returns : ndarray of shape (n_assets, n_periods)
    """
    sizes = np.abs(returns - returns.mean(axis=1, keepdims=True))
    return max(optimal_block_days(series) for series in sizes)


def days_a_period(kind: Kind) -> float:
    """Return the trading days of a period: 1, or 252 / 52, or 21."""
    daily = kind in DAILY
    return 1.0 if daily else TRADING_DAYS_PER_YEAR / PERIODS_PER_YEAR[kind]


def _check_columns(path: str, assets: tuple[str, ...], chosen: Mapping[str, str]) -> None:
    """Refuse a table without a column that the scenario names."""
    header = read_header(path)
    present = ", ".join(name for name in header if name != "date")
    rule = f"is no column of the file, which has {present}"
    lacking = [
        Problem(path, 1, f"market.columns.{asset}", f"'{column.strip().lower()}'", rule)
        for asset, column in chosen.items()
        if column.strip().lower() not in header
    ]
    if lacking:
        raise InputError(lacking)


def _check_length(
    table: PriceTable, assets: tuple[str, ...], returns: FloatArray, kind: Kind
) -> None:
    least = LEAST_RETURNS.get(kind, LEAST_DAILY_RETURNS)
    if returns.shape[1] < least:
        word = "daily" if kind in DAILY else kind
        value = f"{returns.shape[1]} {word} returns in common"
        rule = f"must be at least {least} for a bootstrap"
        raise InputError([Problem(table.path, None, ", ".join(assets), value, rule)])


def _mean_block(table: PriceTable, block_days: float | None, kind: Kind) -> float | None:
    if block_days is None:
        return None
    period = days_a_period(kind)
    if block_days < period:
        rule = f"must be at least {period:.3g}, a period of {table.file}, whose rows are {kind}"
        raise InputError([Problem(table.path, None, "market.block_days", f"{block_days:g}", rule)])
    return block_days / period


def _joint_returns(
    table: PriceTable, assets: tuple[str, ...], every_day: bool, left_out: tuple[Exclusion, ...]
) -> tuple[FloatArray, Kind]:
    """Return log returns of shape (n_assets, n_periods), without gaps, and their period.

    They are scaled to the market's clock where the table has another number of rows a year.
    """
    kind = table.frequency.kind
    weekdays_only = kind is Kind.ALL_DAYS and not every_day
    kept = np.array([not weekdays_only or date.weekday() < 5 for date in table.dates])
    dates = pd.Index([date for date, keep in zip(table.dates, kept, strict=True) if keep])
    logs = pd.DataFrame({asset: np.log(table.prices[asset][kept]) for asset in assets}, index=dates)
    logs = logs.dropna()
    spoiled: list[dt.date] = [e.date for e in left_out if e.asset in assets and kind in DAILY]
    returns = logs.diff().drop(index=spoiled, errors="ignore").dropna()
    found = np.ascontiguousarray(returns.to_numpy(dtype=np.float64).T)
    kind = Kind.TRADING_DAYS if weekdays_only else kind
    counted = rows_per_year(tuple(logs.index), kind)
    return found * np.sqrt(counted / PERIODS_PER_YEAR[kind]), kind
