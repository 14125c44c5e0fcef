"""Everything that a user's files hold: closes, long monthly prices, macro series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from simulator.errors import InputError, Problem
from simulator.market.calibration.averages import are_averages
from simulator.market.calibration.closes import Closes, closes_of, source_of
from simulator.market.calibration.columns import Column, parse_column
from simulator.market.calibration.indicators import INDICATORS
from simulator.market.calibration.layout import Asked
from simulator.market.calibration.observations import Observations, read_observations
from simulator.market.calibration.prices import DAILY, MIN_RETURNS, PriceTable, read_prices
from simulator.market.calibration.sessions import PEG_ENDED
from simulator.market.calibration.sheet import read_header
from simulator.market.frequency import Kind

SUFFIXES = (".csv", ".xlsx")
MonthsAre = Literal["averages", "closes"]


@dataclass(frozen=True, eq=False)
class MonthlyPrices:
    """Monthly prices of one asset over a long past.

    prices : Series of shape (n_months,), USD per unit, indexed by a day of the month
    averaged : whether each is the mean of its month, which takes 18 % off volatility; None
        where they do not tell, and it is no matter
    notes : what was left out of the file or assumed
    """

    asset: str
    column: Column
    prices: pd.Series[float]
    path: str
    source: str
    averaged: bool | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MarketData:
    """What some files hold.

    Attributes
    ----------
    tables : tuple of PriceTable
        Of daily closes.
    monthly : dict of str to MonthlyPrices
    observations : dict of (str, Kind) to Observations
        By the indicator's name and frequency.
    left_out : tuple of str
        What was found and not used, in words.
    """

    tables: tuple[PriceTable, ...]
    monthly: dict[str, MonthlyPrices]
    observations: dict[tuple[str, Kind], Observations]
    left_out: tuple[str, ...]


def read_data(
    paths: Sequence[Path | str],
    columns: Mapping[str, str] | None = None,
    *,
    few: bool = False,
    months_are: MonthsAre | None = None,
) -> MarketData:
    """Read tables and folders of tables; columns are known by their names or as `columns` says.

    Parameters
    ----------
    columns : mapping of str to str, optional
        From a name that Assay knows to a column of a file, or FILE:COLUMN.
    few : bool
        Take tables with too few rows for a fit, and months without days, too.
    months_are : str, optional
        Whether monthly prices are averages or closes; by default they are tested.

    Raises
    ------
    InputError
        A file is faulty, two hold the same series, or none has daily closes.
    """
    columns = columns or {}
    given: set[str] = set()
    tables: list[PriceTable] = []
    observations: list[Observations] = []
    left_out: list[str] = []
    problems: list[Problem] = []
    for path, from_folder in _files(paths):
        try:
            header = read_header(path, columns)
            given |= {name for name in columns if name.lower() in header}
            if from_folder and not any(_is_known(name) for name in header):
                left_out.append(f"{path}: no column that a calibration knows")
                continue
            if any(_is_price(name) for name in header) or not _any_indicator(header):
                kinds = (*DAILY, Kind.MONTHLY) if few or len(paths) > 1 or from_folder else DAILY
                least = 1 if few else None
                tables.append(read_prices(path, kinds, Asked(columns), least=least))
            if _any_indicator(header):
                observations += read_observations(path, columns)
        except InputError as error:
            problems += error.problems
    missing = [name for name in columns if name not in given]
    rule = "is no column of the files"
    problems += [Problem("--column", None, n, f"'{columns[n]}'", rule) for n in missing]
    if problems:
        raise InputError(problems)
    daily = tuple(table for table in tables if table.frequency.is_daily)
    if not daily and not (few and tables):
        names = ", ".join(str(path) for path in paths)
        raise InputError(
            [Problem(names, None, "", "", "no daily closes; a calibration needs some")]
        )
    monthly = [table for table in tables if not table.frequency.is_daily]
    return MarketData(
        tables=daily,
        monthly=_monthly(monthly, closes_of(daily, ()), months_are),
        observations=_by_name(observations),
        left_out=tuple(left_out),
    )


def bearing_a_fit(data: MarketData) -> tuple[MarketData, tuple[PriceTable, ...]]:
    """Return the data without the assets of too few daily closes, and the tables of these."""
    long_enough: list[PriceTable] = []
    few: list[PriceTable] = []
    for table in data.tables:
        bears = {
            column: len(table.dates_of(column.asset)) > MIN_RETURNS for column in table.columns
        }
        for found, wanted in ((long_enough, True), (few, False)):
            columns = tuple(column for column, enough in bears.items() if enough is wanted)
            if columns:
                found.append(replace(table, columns=columns))
    return replace(data, tables=tuple(long_enough)), tuple(few)


def _files(paths: Iterable[Path | str]) -> list[tuple[Path, bool]]:
    """Return each file once, and whether it was found in a folder."""
    found: dict[Path, bool] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found.setdefault(path, False)
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not inside:
            rule = "the folder holds no .csv or .xlsx file"
            raise InputError([Problem(str(path), None, "", "", rule)])
        for file in inside:
            found.setdefault(file, True)
    return list(found.items())


def _any_indicator(header: Iterable[str]) -> bool:
    return any(name in INDICATORS for name in header)


def _is_price(name: str) -> bool:
    return name not in INDICATORS and isinstance(parse_column(name), Column)


def _is_known(name: str) -> bool:
    return name in INDICATORS or _is_price(name)


def _monthly(
    tables: Iterable[PriceTable], closes: Mapping[str, Closes], months_are: MonthsAre | None
) -> dict[str, MonthlyPrices]:
    found: dict[str, MonthlyPrices] = {}
    problems = []
    for table in tables:
        averaged = months_are == "averages" if months_are else _averaged(table, closes)
        if averaged is None and any(asset in closes for asset in table.assets):
            rule = (
                "are monthly, and do not tell whether they are closes or averages of months; say "
                "--months closes or --months averages"
            )
            problems.append(Problem(table.path, None, ", ".join(table.assets), "", rule))
        for column in table.columns:
            if column.asset in found:
                rule = "has a second monthly table; keep one"
                problems.append(Problem(table.path, 1, column.name, "", rule))
                continue
            prices = _by_date(table, column.asset)
            found[column.asset] = MonthlyPrices(
                asset=column.asset,
                column=column,
                prices=prices[prices.index >= PEG_ENDED],
                path=table.path,
                source=source_of(table.file, table.sha256),
                averaged=averaged,
                notes=table.notes,
            )
    if problems:
        raise InputError(problems)
    return found


def _by_date(table: PriceTable, asset: str) -> pd.Series[float]:
    return pd.Series(table.prices[asset], index=pd.Index(table.dates)).dropna()


def _averaged(table: PriceTable, closes: Mapping[str, Closes]) -> bool | None:
    """Return whether a table's prices are means of months: one asset speaks for all.

    Those that have daily closes beside them are asked first.
    """
    for asset in sorted(table.assets, key=lambda name: name not in closes):
        told = are_averages(_by_date(table, asset), closes.get(asset))
        if told is not None:
            return told
    return None


def _by_name(observations: Iterable[Observations]) -> dict[tuple[str, Kind], Observations]:
    found: dict[tuple[str, Kind], Observations] = {}
    problems = []
    for series in observations:
        key = (series.indicator.name, series.kind)
        if key in found:
            rule = f"is in {found[key].path} too, as often; keep one"
            problems.append(Problem(series.path, 1, series.indicator.name, "", rule))
        found[key] = series
    if problems:
        raise InputError(problems)
    return found
