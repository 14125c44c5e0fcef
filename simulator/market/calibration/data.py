"""Everything that a user's files hold: closes, long monthly prices, macro series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simulator.errors import InputError, Problem
from simulator.market.calibration.closes import source_of
from simulator.market.calibration.columns import Column, parse_column
from simulator.market.calibration.indicators import INDICATORS
from simulator.market.calibration.observations import Observations, read_observations
from simulator.market.calibration.prices import (
    DAILY,
    PriceTable,
    Reader,
    read_bytes,
    read_prices,
    split,
)
from simulator.market.frequency import Kind

PEG_ENDED = dt.date(1971, 1, 1)
"""Before, the gold price was an official peg, and its moves are no market's."""


@dataclass(frozen=True, eq=False)
class MonthlyPrices:
    """Monthly prices of one asset over a long past.

    prices : Series of shape (n_months,), USD per unit, indexed by the month's first day
    averaged : whether each is the mean of its month, which takes 18 % off volatility
    """

    asset: str
    prices: pd.Series[float]
    path: str
    source: str
    averaged: bool


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


def read_data(paths: Sequence[Path | str]) -> MarketData:
    """Read CSVs and folders of CSVs; columns are known by their names.

    Raises
    ------
    InputError
        A file is faulty, two hold the same series, or none has daily closes.
    """
    if len(paths) == 1 and not Path(paths[0]).is_dir() and not _has_indicators(paths[0]):
        return MarketData((read_prices(paths[0]),), {}, {}, ())
    tables: list[PriceTable] = []
    observations: list[Observations] = []
    left_out: list[str] = []
    problems: list[Problem] = []
    for path, from_folder in _files(paths):
        try:
            header = _header(path)
            if from_folder and not any(_is_known(name) for name in header):
                left_out.append(f"{path}: no column that a calibration knows")
                continue
            if any(_is_price(name) for name in header) or not _any_indicator(header):
                tables.append(read_prices(path, kinds=(*DAILY, Kind.MONTHLY)))
            if _any_indicator(header):
                observations += read_observations(path)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    daily = tuple(table for table in tables if table.frequency.is_daily)
    if not daily:
        names = ", ".join(str(path) for path in paths)
        raise InputError(
            [Problem(names, None, "", "", "no daily closes; a calibration needs some")]
        )
    return MarketData(
        tables=daily,
        monthly=_monthly(table for table in tables if not table.frequency.is_daily),
        observations=_by_name(observations),
        left_out=tuple(left_out),
    )


def _files(paths: Iterable[Path | str]) -> list[tuple[Path, bool]]:
    """Return each file once, and whether it was found in a folder."""
    found: dict[Path, bool] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found.setdefault(path, False)
            continue
        inside = sorted(path.glob("*.csv"))
        if not inside:
            raise InputError([Problem(str(path), None, "", "", "the folder holds no .csv file")])
        for file in inside:
            found.setdefault(file, True)
    return list(found.items())


def _header(path: Path | str) -> list[str]:
    rows = split(Reader(str(path)), read_bytes(path))
    return [name.strip().lower() for name in rows[0].cells]


def _has_indicators(path: Path | str) -> bool:
    return _any_indicator(_header(path))


def _any_indicator(header: Iterable[str]) -> bool:
    return any(name in INDICATORS for name in header)


def _is_price(name: str) -> bool:
    return name not in INDICATORS and isinstance(parse_column(name), Column)


def _is_known(name: str) -> bool:
    return name in INDICATORS or _is_price(name)


def _monthly(tables: Iterable[PriceTable]) -> dict[str, MonthlyPrices]:
    found: dict[str, MonthlyPrices] = {}
    problems = []
    for table in tables:
        source = source_of(table.file, table.sha256)
        for column in table.columns:
            if column.asset in found:
                rule = "has a second monthly table; keep one"
                problems.append(Problem(table.path, 1, column.name, "", rule))
                continue
            prices = pd.Series(table.prices[column.asset], index=pd.Index(table.dates)).dropna()
            found[column.asset] = MonthlyPrices(
                asset=column.asset,
                prices=prices[prices.index >= PEG_ENDED],
                path=table.path,
                source=source,
                averaged="averages" in source,
            )
    if problems:
        raise InputError(problems)
    return found


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
