"""Reads macro series: yields, price index, money, central banks' purchases."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simulator.errors import InputError
from simulator.market.calibration.closes import source_of
from simulator.market.calibration.indicators import INDICATORS, Indicator
from simulator.market.calibration.prices import (
    DAILY,
    MIN_LONG_RETURNS,
    MIN_RETURNS,
    Reader,
    Row,
    capped,
    check_dates,
    check_order,
    parse_number,
    read_bytes,
    split,
)
from simulator.market.frequency import Kind

KINDS = (*DAILY, Kind.WEEKLY, Kind.MONTHLY, Kind.QUARTERLY, Kind.YEARLY)
MIN_YEARS = 8
_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)


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
    """

    indicator: Indicator
    values: pd.Series[float]
    kind: Kind
    path: str
    source: str

    @property
    def window(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last date."""
        return self.values.index[0], self.values.index[-1]


def read_observations(path: Path | str) -> list[Observations]:
    """Read the macro columns of a CSV: a `date` or `year` column, and one for each series.

    Cells may be empty: a statistical office skips a month, a series begins later.

    Raises
    ------
    InputError
        With one problem for each fault.
    """
    raw = read_bytes(path)
    reader = Reader(str(path))
    rows = split(reader, raw)
    header = [name.strip().lower() for name in rows[0].cells]
    body = rows[1:]
    if "year" in header and "date" not in header:
        _years_as_dates(reader, body, header)
    check_dates(reader, body, ["date" if name == "year" else name for name in header])
    kind = check_order(reader, body, KINDS)
    if kind is None:
        kind = Kind.YEARLY if "year" in header else Kind.MONTHLY
    columns = {index: INDICATORS[name] for index, name in enumerate(header) if name in INDICATORS}
    values = {
        indicator: _values(reader, body, header, index, indicator)
        for index, indicator in columns.items()
    }
    _check_length(reader, values, kind)
    if reader.problems:
        raise InputError(capped(reader.problems))
    source = source_of(Path(path).name, hashlib.sha256(raw).hexdigest())
    return [Observations(i, series, kind, str(path), source) for i, series in values.items()]


def _years_as_dates(reader: Reader, rows: list[Row], header: list[str]) -> None:
    """Let the year 2014 stand for its last day, when its sum is known."""
    index = header.index("year")
    for row in rows:
        if index < len(row.cells) and _YEAR.fullmatch(row.cells[index]):
            row.cells[index] = f"{row.cells[index]}-12-31"


def _values(
    reader: Reader, rows: list[Row], header: list[str], index: int, indicator: Indicator
) -> pd.Series[float]:
    found: dict[dt.date, float] = {}
    for row in rows:
        if len(row.cells) != len(header) or not row.cells[index] or row.date is None:
            continue
        number, rule = parse_number(row.cells[index], indicator.positive)
        if rule:
            reader.fault(row.line, header[index], f"'{row.cells[index]}'", rule)
        else:
            found[row.date] = number
    return pd.Series(list(found.values()), pd.Index(list(found), name="date"), dtype="float64")


def _check_length(reader: Reader, values: dict[Indicator, pd.Series[float]], kind: Kind) -> None:
    least = MIN_RETURNS if kind in DAILY else MIN_YEARS if kind is Kind.YEARLY else MIN_LONG_RETURNS
    for indicator, series in values.items():
        if len(series) < least:
            value = f"{len(series)} {kind} values"
            reader.fault(None, indicator.name, value, f"must be at least {least}")
