"""A user's table of daily closes as the history of a bootstrap."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.errors import InputError, Problem
from simulator.market.block_length import optimal_block_days
from simulator.market.bootstrap import History
from simulator.market.calibration import PriceTable, default_exclusions, read_prices
from simulator.market.calibration.prices import MIN_RETURNS
from simulator.units import FloatArray


def read_history(
    path: Path | str, assets: tuple[str, ...], block_days: float | None = None
) -> History:
    """Read the days on which all `assets` have a return.

    Closes of Saturdays and Sundays are left out, so that a weekend is one step, as in the
    market; so are days whose return is no market's (`default_exclusions`).

    Parameters
    ----------
    block_days : float, optional
        Mean block length; by default the best one for the assets' absolute returns, whose
        memory is longer than that of the returns; the longest among the assets.

    Raises
    ------
    InputError
        The table is faulty, lacks an asset, or the assets have too few days in common.
    """
    file = Path(path)
    stamp = file.stat().st_mtime_ns if file.is_file() else 0
    return _read(str(path), stamp, assets, block_days)


# A run checks its history before it begins, and many parameter sets draw from one.
@lru_cache(maxsize=4)
def _read(path: str, stamp: int, assets: tuple[str, ...], block_days: float | None) -> History:
    table = read_prices(path)
    _check_assets(table, assets)
    returns = _joint_returns(table, assets)
    if returns.shape[1] < MIN_RETURNS:
        value = f"{returns.shape[1]} daily returns in common"
        rule = f"must be at least {MIN_RETURNS} for a bootstrap"
        raise InputError([Problem(table.path, None, ", ".join(assets), value, rule)])
    return History(
        returns=returns,
        mean_block_days=block_days or best_block_days(returns),
        file=table.file,
        sha256=table.sha256,
    )


def best_block_days(returns: FloatArray) -> float:
    """Return the longest of the best block lengths of |r - mean|, of shape (n_assets, n_days)."""
    sizes = np.abs(returns - returns.mean(axis=1, keepdims=True))
    return max(optimal_block_days(series) for series in sizes)


def _check_assets(table: PriceTable, assets: tuple[str, ...]) -> None:
    known = ", ".join(column.name for column in table.columns)
    rule = f"column is missing, and the scenario has this asset; the file has {known}"
    lacking = [
        Problem(table.path, 1, asset, "", rule) for asset in assets if asset not in table.assets
    ]
    if lacking:
        raise InputError(lacking)


def _joint_returns(table: PriceTable, assets: tuple[str, ...]) -> FloatArray:
    """Return log returns of shape (n_assets, n_days), without gaps."""
    weekdays = np.array([date.weekday() < 5 for date in table.dates])
    dates = pd.Index([date for date in table.dates if date.weekday() < 5])
    logs = pd.DataFrame(
        {asset: np.log(table.prices[asset][weekdays]) for asset in assets}, index=dates
    )
    left_out: list[dt.date] = [e.date for e in default_exclusions(table) if e.asset in assets]
    returns = logs.diff().drop(index=left_out, errors="ignore").dropna()
    return np.ascontiguousarray(returns.to_numpy(dtype=np.float64).T)
