"""Turns a price table into a calibration."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import ValidationError

from simulator.errors import InputError, Problem
from simulator.market.calibration import diffusion, figures
from simulator.market.calibration.diffusion import FitError, GarchFit
from simulator.market.calibration.exclusions import Exclusion, check_exclusions
from simulator.market.calibration.figures import Origin
from simulator.market.calibration.prices import PriceTable
from simulator.scenario.calibration import AssetCalibration, Calibration, ExcludedReturn
from simulator.units import DAYS_PER_YEAR, TRADING_DAYS_PER_YEAR

KNOWN_DATA = {
    "e8b8a426539df490e43ae335592f2b158eecd53f0beadbcaa6374e1b2e689859": "COMEX front-month closes",
}
"""Data sets recognised by their SHA-256, so that their figures name their true origin."""

WEEKEND_SHARE = 0.1
"""Above this share of Saturdays and Sundays a table is of every day, not of trading days."""


def default_name(table: PriceTable) -> str:
    """Return a calibration's name: `metals_daily.csv` up to 2026-01 makes `metals-2026-01`."""
    stem = table.file.rsplit(".", 1)[0].removesuffix("_daily")
    clean = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)
    return f"{clean.strip('-').lower() or 'market'}-{table.as_of:%Y-%m}"


def fit_calibration(table: PriceTable, name: str, exclude: Sequence[Exclusion] = ()) -> Calibration:
    """Fit all figures of a calibration to a price table.

    Parameters
    ----------
    exclude : sequence of Exclusion
        Returns to leave out; the calibration records them.

    Raises
    ------
    InputError
        A column cannot be fitted, or the columns contradict each other.
    UsageError
        An exclusion names no return of the table, or `arch` is not installed.
    """
    check_exclusions(table, exclude)
    returns = log_returns(table)
    excluded = tuple(_leave_out(returns, exclusion) for exclusion in exclude)
    fits = _fit_all(table, returns)
    source = _source(table)
    try:
        return Calibration(
            name=name,
            as_of=table.as_of,
            source=source,
            excluded=excluded,
            assets=_assets(table, source, returns, fits),
            correlations=tuple(
                figures.correlation(
                    Origin(source, _window(table, pair)), pair, returns, periods_per_year(table)
                )
                for pair in itertools.combinations(table.assets, 2)
            ),
            joint_degrees_of_freedom=figures.joint_degrees_of_freedom(
                Origin(source, _window(table, table.assets)),
                _residuals(returns, fits).to_numpy(dtype=np.float64),
            ),
        )
    except FitError as error:
        raise InputError([Problem(table.path, None, "", "", str(error))]) from None
    except ValidationError as error:
        rules = [str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors()]
        raise InputError([Problem(table.path, None, "", "", rule) for rule in rules]) from None


def log_returns(table: PriceTable) -> pd.DataFrame:
    """Return log returns between successive rows, indexed by the later date.

    Returns
    -------
    DataFrame of shape (n_dates - 1, n_assets)
        NaN up to and including an asset's first price.
    """
    logs = {asset: np.log(prices) for asset, prices in table.prices.items()}
    return pd.DataFrame(logs, index=pd.Index(table.dates, name="date")).diff().iloc[1:]


def periods_per_year(table: PriceTable) -> int:
    """Return 365 for a table with weekends, else 252."""
    weekend = np.mean([date.weekday() >= 5 for date in table.dates])
    return DAYS_PER_YEAR if weekend > WEEKEND_SHARE else TRADING_DAYS_PER_YEAR


def _source(table: PriceTable) -> str:
    prefix = table.sha256[:12]
    known = KNOWN_DATA.get(table.sha256)
    if known:
        return f"{known} ({table.file}, sha256 {prefix})"
    return f"{table.file} (sha256 {prefix})"


def _leave_out(returns: pd.DataFrame, exclusion: Exclusion) -> ExcludedReturn:
    """Blank one of the `returns` in place and return the record of it."""
    row = returns.index.get_loc(exclusion.date)
    value = float(returns[exclusion.asset].to_numpy(dtype=np.float64)[row])
    returns.loc[exclusion.date, exclusion.asset] = math.nan
    return ExcludedReturn(
        date=exclusion.date,
        asset=exclusion.asset,
        log_return=figures.significant(value, 4),
        reason=exclusion.reason,
    )


def _fit_all(table: PriceTable, returns: pd.DataFrame) -> dict[str, GarchFit]:
    fits, problems = {}, []
    for column in table.columns:
        try:
            fits[column.asset] = diffusion.fit_garch(figures.values(returns[column.asset]))
        except FitError as error:
            problems.append(Problem(table.path, None, column.name, "", str(error)))
    if problems:
        raise InputError(problems)
    return fits


def _assets(
    table: PriceTable, source: str, returns: pd.DataFrame, fits: dict[str, GarchFit]
) -> dict[str, AssetCalibration]:
    return {
        column.asset: figures.asset_calibration(
            Origin(source, _window(table, (column.asset,))),
            column,
            table.last_quotes[column.asset],
            figures.values(returns[column.asset]),
            fits[column.asset],
            periods_per_year(table),
        )
        for column in table.columns
    }


def _window(table: PriceTable, assets: Sequence[str]) -> tuple[dt.date, dt.date]:
    """Return the first date on which all `assets` have a price, and the last."""
    priced = np.all([np.isfinite(table.prices[asset]) for asset in assets], axis=0)
    return table.dates[int(np.argmax(priced))], table.as_of


def _residuals(returns: pd.DataFrame, fits: dict[str, GarchFit]) -> pd.DataFrame:
    """Return standardised residuals of the days on which every asset has one."""
    series = {
        asset: pd.Series(fit.residuals, index=returns.index[returns[asset].notna()])
        for asset, fit in fits.items()
    }
    return pd.DataFrame(series).dropna()
