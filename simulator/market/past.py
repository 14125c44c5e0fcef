"""A table of closes played as it was: on each day of a run the last close up to that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from simulator.errors import InputError, Problem
from simulator.market.calibration import PriceTable, read_prices
from simulator.market.calibration.layout import Asked
from simulator.market.history import KINDS
from simulator.units import FloatArray, calendar


def read_past(
    path: str,
    assets: tuple[str, ...],
    start: dt.date,
    n_steps: int,
    *,
    columns: Mapping[str, str] | None = None,
) -> FloatArray:
    """Return the closes of a table on the days of a run, shape (n_assets, n_steps + 1).

    Parameters
    ----------
    columns : dict of asset to column, optional
        Where a column's name does not say what it holds.

    Raises
    ------
    InputError
        The table is faulty, lacks an asset, or does not hold the days of the run.
    """
    table = read_prices(path, KINDS, Asked(dict(columns or {}), assets), least=1)
    lacking = [asset for asset in assets if asset not in table.prices]
    if lacking:
        rule = f"has no {', '.join(lacking)}; it has {', '.join(table.assets)}"
        raise InputError([Problem(path, None, "market.history", "", rule)])
    dates = calendar(start, n_steps)
    rows = [_on_days(table, asset, dates) for asset in assets]
    return np.array(rows)


def _on_days(table: PriceTable, asset: str, dates: pd.DatetimeIndex) -> FloatArray:
    """Return an asset's last close up to each day, shape (n_days,).

    Raises
    ------
    InputError
    """
    closes = pd.Series(table.prices[asset], index=pd.DatetimeIndex(table.dates)).dropna()
    first, last = closes.index[0], closes.index[-1]
    if first > dates[0] or last < dates[-1]:
        rule = (
            f"has {asset} from {first:%Y-%m-%d} to {last:%Y-%m-%d}, and the run goes from "
            f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}; set start and horizon_days within it"
        )
        raise InputError([Problem(table.path, None, "market.history", "", rule)])
    found: FloatArray = closes.reindex(dates, method="ffill").to_numpy(dtype=np.float64)
    return found
