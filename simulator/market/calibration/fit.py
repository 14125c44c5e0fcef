"""Turns the closes of some assets into a calibration."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import ValidationError

from simulator.errors import InputError, Problem
from simulator.market.calibration import diffusion, figures, matrix
from simulator.market.calibration.bills import BILLS, fit_bills
from simulator.market.calibration.closes import Closes, closes_of
from simulator.market.calibration.data import MarketData
from simulator.market.calibration.diffusion import Estimate, FitError, GarchFit
from simulator.market.calibration.exclusions import (
    Exclusion,
    check_exclusions,
    default_exclusions,
)
from simulator.market.calibration.figures import Origin
from simulator.market.calibration.ledger import Ledger
from simulator.market.calibration.macro_fit import fit_macro, macro_section
from simulator.market.calibration.panel import Panel
from simulator.market.calibration.prices import PriceTable
from simulator.scenario.calibration import (
    AssetCalibration,
    Calibration,
    DegreesOfFreedom,
    ExcludedReturn,
)
from simulator.schema.assets import CLASSES, AssetClass, class_of
from simulator.units import DAYS_PER_YEAR, FloatArray

MIN_YEARS = 5.0
"""An asset takes part in a fit on the past from the day on which it has so many years."""
MIN_COMMON_RETURNS = 250
"""Days on which all assets have a return: a joint tail index needs a year of them."""


@dataclass(frozen=True)
class AssetFit:
    """What a return series says of one asset, without the dress of a calibration.

    Attributes
    ----------
    volatility : Estimate
        Annual.
    garch : GarchFit
        Persistence capped, variance targeted; `variance_next` is per period.
    """

    periods_per_year: int
    volatility: Estimate
    garch: GarchFit


def fit_asset(returns: FloatArray, periods_per_year: int) -> AssetFit:
    """Fit volatility and GJR-GARCH-t to log returns; about 0.1 s for 25 years of days.

    Parameters
    ----------
    returns : ndarray of shape (n_returns,), per period, without gaps

    Raises
    ------
    simulator.market.calibration.diffusion.FitError
        The returns do not vary, or the optimiser does not converge.
    UsageError
        The package `arch` is not installed.
    """
    return AssetFit(
        periods_per_year,
        diffusion.volatility(returns, periods_per_year),
        diffusion.fit_garch(returns),
    )


def default_name(table: PriceTable) -> str:
    """Return a calibration's name: `metals_daily.csv` up to 2026-01 makes `metals-2026-01`."""
    stem = table.file.rsplit(".", 1)[0].removesuffix("_daily")
    clean = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)
    return f"{clean.strip('-').lower() or 'market'}-{table.as_of:%Y-%m}"


def fit_calibration(
    tables: PriceTable | Sequence[PriceTable], name: str, exclude: Sequence[Exclusion] = ()
) -> Calibration:
    """Fit all figures of a calibration to one or more price tables.

    Parameters
    ----------
    exclude : sequence of Exclusion
        Returns to leave out; the calibration records them.

    Raises
    ------
    InputError
        A column cannot be fitted, or the columns contradict each other.
    UsageError
        An exclusion names no return of the tables, or `arch` is not installed.
    """
    tables = (tables,) if isinstance(tables, PriceTable) else tuple(tables)
    check_exclusions(tables, exclude)
    return calibrate(closes_of(tables, exclude), name)


def calibrate_until(
    closes: Mapping[str, Closes], date: dt.date, min_years: float = MIN_YEARS
) -> Calibration:
    """Fit what was known at the close of `date`; about a second for nine assets.

    Parameters
    ----------
    closes : mapping of str to Closes
        As `closes_of` returns them.
    min_years : float
        Assets with fewer years of closes are left out.

    Raises
    ------
    InputError
        No asset has so many years, or one cannot be fitted.
    """
    known = {asset: found.until(date) for asset, found in closes.items()}
    old_enough = {
        asset: found
        for asset, found in known.items()
        if len(found.prices) and _years(found.window) >= min_years
    }
    if not old_enough:
        rule = f"no asset has {min_years:g} years of closes"
        raise InputError([Problem(f"until {date}", None, "", "", rule)])
    return calibrate(old_enough, f"until-{date}")


def read_closes(tables: Sequence[PriceTable]) -> dict[str, Closes]:
    """Return the closes of each asset of `tables`, without the days left out by default."""
    return closes_of(tables, [e for table in tables for e in default_exclusions(table)])


def _years(window: tuple[dt.date, dt.date]) -> float:
    return (window[1] - window[0]).days / DAYS_PER_YEAR


def calibrate(closes: Mapping[str, Closes], name: str) -> Calibration:
    """Fit the figures of each asset and of all together.

    Raises
    ------
    InputError
        An asset cannot be fitted, or they contradict each other.
    """
    path = next(iter(closes.values())).path
    with _faults_of(path):
        fits = _fit_all(closes)
        return Calibration(
            name=name,
            as_of=max(found.window[1] for found in closes.values()),
            source=source_of_all(closes.values()),
            excluded=tuple(_excluded(closes)),
            assets={asset: _asset(found, fits[asset]) for asset, found in closes.items()},
            correlations=matrix.correlations(closes),
            joint_degrees_of_freedom=_joint_tails(closes, fits),
        )


@dataclass(frozen=True)
class Fitted:
    """A calibration, and what its file has no place for.

    remarks : tuple of str
        Files that were not used, and fits that the data did not bear.
    """

    calibration: Calibration
    remarks: tuple[str, ...]


def fit_data(data: MarketData, name: str, exclude: Sequence[Exclusion] = ()) -> Fitted:
    """Fit everything that `data` bear: assets, Treasury bills, and the macro section.

    Raises
    ------
    InputError
        An asset cannot be fitted, or they contradict each other.
    UsageError
        An exclusion names no return, or a package is not installed.
    """
    check_exclusions(data.tables, exclude)
    closes = closes_of(data.tables, exclude)
    calibration = calibrate(closes, name)
    panel = Panel(data, closes)
    ledger = fit_macro(panel) if data.observations or data.monthly else Ledger()
    with _faults_of(next(iter(closes.values())).path):
        whole = Calibration.model_validate(
            {
                **{field: getattr(calibration, field) for field in Calibration.model_fields},
                **_with_bills(panel, calibration),
                "macro": macro_section(ledger),
                "findings": {key: found.finding() for key, found in ledger.findings.items()},
            }
        )
    unfit = (f"not fitted: {text}" for text in ledger.unfit)
    return Fitted(whole, (*data.left_out, *unfit, *panel.unused()))


def _with_bills(panel: Panel, calibration: Calibration) -> dict[str, object]:
    """Return assets and correlations with Treasury bills among them, where rates are known."""
    bills = fit_bills(panel, calibration.as_of)
    if bills is None or BILLS in calibration.assets:
        return {}
    names = (*calibration.assets, BILLS)
    pairs = list(calibration.correlations) + list(bills.correlations)
    order = {pair: index for index, pair in enumerate(itertools.combinations(names, 2))}
    pairs.sort(key=lambda pair: order[pair.between])
    return {
        "assets": {**calibration.assets, BILLS: bills.asset},
        "correlations": matrix.consistent(names, tuple(pairs)),
    }


@contextlib.contextmanager
def _faults_of(path: str) -> Iterator[None]:
    """Turn what a fit or the models refuse into faults of the file."""
    try:
        yield
    except FitError as error:
        raise InputError([Problem(path, None, "", "", str(error))]) from None
    except ValidationError as error:
        rules = [str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors()]
        raise InputError([Problem(path, None, "", "", rule) for rule in rules]) from None


def source_of_all(closes: Iterable[Closes]) -> str:
    """Return the sources, each once."""
    return "; ".join(dict.fromkeys(found.source for found in closes))


def _excluded(closes: Mapping[str, Closes]) -> Iterator[ExcludedReturn]:
    for asset, found in closes.items():
        logs = found.log_prices().diff()
        for exclusion in found.excluded:
            yield ExcludedReturn(
                date=exclusion.date,
                asset=asset,
                log_return=figures.significant(float(logs.loc[exclusion.date]), 4),
                reason=exclusion.reason,
            )


def _fit_all(closes: Mapping[str, Closes]) -> dict[str, GarchFit]:
    fits, problems = {}, []
    for asset, found in closes.items():
        try:
            fits[asset] = diffusion.fit_garch(found.returns().to_numpy(dtype=np.float64))
        except FitError as error:
            problems.append(Problem(found.path, None, found.column.name, "", str(error)))
    if problems:
        raise InputError(problems)
    return fits


def _asset(closes: Closes, fit: GarchFit) -> AssetCalibration:
    return figures.asset_calibration(
        Origin(closes.source, closes.window),
        closes.column,
        closes.last_quote,
        closes.returns().to_numpy(dtype=np.float64),
        fit,
        closes.periods_per_year,
        closes.rows_per_year,
    )


def _joint_tails(
    closes: Mapping[str, Closes], fits: Mapping[str, GarchFit]
) -> dict[AssetClass, DegreesOfFreedom]:
    """Return the joint tail index of each class of assets."""
    members = {name: [c for c in closes.values() if class_of(c.asset) == name] for name in CLASSES}
    return {name: _joint_tail(found, fits) for name, found in members.items() if found}


def _joint_tail(closes: Sequence[Closes], fits: Mapping[str, GarchFit]) -> DegreesOfFreedom:
    """Return the joint tail index of assets: those of each table on the days that they share.

    All on the days of all could leave out most of the history, and see the years since the
    youngest began, with tails cut by the assets that do not fall together.
    """
    groups, days, windows = [], [], []
    for path in dict.fromkeys(found.path for found in closes):
        members = [found for found in closes if found.path == path]
        residuals = _residuals(members, fits)
        if len(residuals) < MIN_COMMON_RETURNS:
            names = ", ".join(found.asset for found in members)
            raise FitError(
                f"{names} have {len(residuals)} days in common; must be at least "
                f"{MIN_COMMON_RETURNS} for a joint tail"
            )
        groups.append(residuals.to_numpy(dtype=np.float64))
        days.append(np.array([date.toordinal() for date in residuals.index]))
        windows.append((max(found.window[0] for found in members), residuals.index[-1]))
    window = (min(first for first, _ in windows), max(last for _, last in windows))
    origin = Origin(source_of_all(closes), window)
    return figures.joint_degrees_of_freedom(origin, groups, days)


def _residuals(members: Sequence[Closes], fits: Mapping[str, GarchFit]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            found.asset: pd.Series(fits[found.asset].residuals, index=found.returns().index)
            for found in members
        }
    ).dropna()
