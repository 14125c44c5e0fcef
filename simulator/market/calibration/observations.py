"""Reads macro series: yields, price index, money, central banks' purchases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simulator.errors import InputError
from simulator.market.calibration.closes import source_of
from simulator.market.calibration.indicators import INDICATORS, Indicator
from simulator.market.calibration.numbers import read_numbers
from simulator.market.calibration.prices import (
    DAILY,
    MIN_LONG_RETURNS,
    MIN_RETURNS,
    cap,
    check_gaps,
    check_order,
)
from simulator.market.calibration.sheet import Reader, Sheet, read_sheet
from simulator.market.frequency import Kind

KINDS = (*DAILY, Kind.WEEKLY, Kind.MONTHLY, Kind.QUARTERLY, Kind.YEARLY)
MIN_YEARS = 8


@dataclass(frozen=True, eq=False)
class Observations:
    """A macro series.

    Attributes
    ----------
    indicator : Indicator
        What it is, and its unit.
    values : Series of shape (n_dates,), indexed by date, no gaps marked: missing ones are absent
    kind : Kind
        How often the rows come.
    notes : tuple of str
        What was left out of the file or assumed.
    """

    indicator: Indicator
    values: pd.Series[float]
    kind: Kind
    path: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def window(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last date."""
        return self.values.index[0], self.values.index[-1]


def read_observations(
    path: Path | str, columns: Mapping[str, str] | None = None
) -> list[Observations]:
    """Read the macro columns of a table: dates or years, and a column for each series.

    Cells may be empty: a statistical office skips a month, a series begins later.

    Parameters
    ----------
    columns : mapping of str to str, optional
        From a series' name to the file's column, where that has another.

    Raises
    ------
    InputError
        With one problem for each fault.
    """
    sheet = read_sheet(path, columns)
    reader = sheet.reader
    if "date" not in sheet.header:
        reader.fault(sheet.head_line, "date", "", "column is missing; dates as 2026-01-20")
        raise InputError(reader.problems)
    dates = [row.date for row in sheet.rows if row.date is not None]
    lines = [row.line for row in sheet.rows]
    kind = check_order(reader, lines, dates, KINDS)
    check_gaps(reader, lines, dates, kind)
    if kind is None:
        kind = Kind.YEARLY if sheet.by_year else Kind.MONTHLY
    values = {
        INDICATORS[name]: _values(sheet, dates, index, INDICATORS[name])
        for index, name in enumerate(sheet.header)
        if name in INDICATORS
    }
    _check_length(reader, values, kind)
    if reader.problems:
        raise InputError(cap(reader.problems))
    source = source_of(Path(path).name, sheet.sha256)
    return [
        Observations(indicator, series, kind, str(path), source, tuple(sheet.notes))
        for indicator, series in values.items()
    ]


def _values(
    sheet: Sheet, dates: Sequence[dt.date], index: int, indicator: Indicator
) -> pd.Series[float]:
    texts = sheet.texts(index)
    found = read_numbers(texts, indicator.positive, european=sheet.european)
    for row, text, rule in zip(sheet.rows, texts, found.rules, strict=True):
        if rule:
            sheet.reader.fault(row.line, sheet.header[index], f"'{text}'", rule)
    return pd.Series(found.values, pd.Index(dates, name="date"), dtype="float64").dropna()


def _check_length(reader: Reader, values: dict[Indicator, pd.Series[float]], kind: Kind) -> None:
    least = MIN_RETURNS if kind in DAILY else MIN_YEARS if kind is Kind.YEARLY else MIN_LONG_RETURNS
    for indicator, series in values.items():
        if len(series) < least:
            value = f"{len(series)} {kind} values"
            reader.fault(None, indicator.name, value, f"must be at least {least}")
