"""Reads a table of closes, tells what it left out, and refuses it with every fault at its line."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from simulator.errors import InputError, Problem
from simulator.market.calibration import basket
from simulator.market.calibration.columns import Column
from simulator.market.calibration.layout import Asked, price_columns
from simulator.market.calibration.levels import distance
from simulator.market.calibration.numbers import read_numbers
from simulator.market.calibration.sessions import own_days
from simulator.market.calibration.sheet import Reader, Sheet, read_sheet
from simulator.market.frequency import Frequency, Kind
from simulator.market.frequency import frequency as frequency_of
from simulator.units import FloatArray

MIN_RETURNS = 500
"""About two years of days; below that a GARCH fit is not worth its name."""
MIN_LONG_RETURNS = 60
"""Five years of months: what statistics of weeks or months need at least."""
DAILY = (Kind.TRADING_DAYS, Kind.ALL_DAYS)
MAX_GAP_DAYS = {
    # The longest closure of the US exchanges since 2000 is 7 days (September 2001).
    Kind.TRADING_DAYS: 7,
    Kind.ALL_DAYS: 7,
    Kind.WEEKLY: 11,
    Kind.MONTHLY: 35,
}
MIN_ROWS = 8
"""Fewer rows have no frequency worth a message; they are too few anyway."""
MAX_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class PriceTable:
    """Closes of one or more assets; daily unless it was read otherwise.

    Attributes
    ----------
    path : str
        As it was given.
    file : str
        The file's name without its folders.
    sha256 : str
        Of the file's bytes.
    dates : tuple of date, strictly increasing
    columns : tuple of Column
    prices : dict of str to ndarray of shape (n_dates,), USD per unit of the asset
        Above 0; NaN before an asset's first price and where it has none. Coins are put together
        as altcoins.
    last_quotes : dict of str to float
        The last price as it stands in the file.
    lines : tuple of int
        The line of each date.
    notes : tuple of str
        What was left out or assumed, in words.
    """

    path: str
    file: str
    sha256: str
    dates: tuple[dt.date, ...]
    columns: tuple[Column, ...]
    prices: dict[str, FloatArray]
    last_quotes: dict[str, float]
    lines: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def assets(self) -> tuple[str, ...]:
        """Return the assets in the order of their columns."""
        return tuple(column.asset for column in self.columns)

    @property
    def as_of(self) -> dt.date:
        """Return the last date."""
        return self.dates[-1]

    @cached_property
    def frequency(self) -> Frequency:
        """Return how often the rows come."""
        return frequency_of(self.dates)

    def dates_of(self, asset: str) -> tuple[dt.date, ...]:
        """Return the dates on which an asset has a price."""
        there = np.isfinite(self.prices[asset])
        return tuple(date for date, has in zip(self.dates, there, strict=True) if has)


def read_prices(
    path: Path | str,
    kinds: Collection[Kind] = DAILY,
    asked: Asked | None = None,
    *,
    least: int | None = None,
) -> PriceTable:
    """Read a table of closes: a column of dates and one column for each asset.

    Parameters
    ----------
    kinds : collection of Kind
        The frequencies that are allowed; a calibration needs days.
    asked : Asked, optional
        What the user says of its columns; by default their names say it.
    least : int, optional
        Fewest returns of an asset; by default what its statistics need.

    Raises
    ------
    InputError
        With one problem for each fault; past 20, the first of each kind, as many more as
        fit, and how many were left out.
    """
    asked = asked or Asked()
    sheet = read_sheet(path, asked.columns)
    columns = price_columns(sheet, asked)
    read = {column: _prices(sheet, index, column) for index, column in columns.items()}
    _stop_at(sheet.reader, capped=True)
    dates = [row.date for row in sheet.rows if row.date is not None]
    wanted = {c: v for c, v in read.items() if c.is_fitted or c.is_coin}
    own, notes = own_days(dates, {column.asset: values for column, values in wanted.items()})
    quotes = {column: own[column.asset] for column in wanted}
    rows = np.flatnonzero(np.isfinite(np.array(list(quotes.values()))).any(axis=0))
    sheet.notes.extend(_missing(wanted))
    dates = [dates[row] for row in rows]
    lines = [sheet.rows[row].line for row in rows]
    quotes = {column: values[rows] for column, values in quotes.items()}
    kind = check_order(sheet.reader, lines, dates, kinds)
    for column, values in quotes.items():
        _check_gaps(sheet.reader, column.name, lines, dates, values, kind)
    _check_length(sheet.reader, quotes, kind, least)
    _stop_at(sheet.reader, capped=True)
    quotes = basket.with_altcoins(quotes)
    _check_length(sheet.reader, quotes, kind, least)
    _stop_at(sheet.reader)
    return PriceTable(
        path=str(path),
        file=Path(path).name,
        sha256=sheet.sha256,
        dates=tuple(dates),
        columns=tuple(quotes),
        prices={column.asset: quote * column.factor for column, quote in quotes.items()},
        last_quotes={
            column.asset: float(quote[np.isfinite(quote)][-1]) for column, quote in quotes.items()
        },
        lines=tuple(lines),
        notes=(*sheet.notes, *notes, *_unchanged(quotes)),
    )


def _stop_at(reader: Reader, capped: bool = False) -> None:
    if reader.problems:
        raise InputError(cap(reader.problems) if capped else reader.problems)


def cap(problems: list[Problem], limit: int = MAX_SHOWN_PROBLEMS) -> list[Problem]:
    """Return at most about `limit` problems, every rule among them, and a line for the rest."""
    if len(problems) <= limit:
        return sorted(problems, key=_place)
    first_of_kind = {problem.rule: problem for problem in reversed(problems)}
    shown = list(first_of_kind.values())
    rest = [problem for problem in sorted(problems, key=_place) if problem not in shown]
    room = max(0, limit - len(shown))
    left = Counter(problem.rule for problem in rest[room:])
    text = "; ".join(f"{count} x {rule}" for rule, count in left.items())
    summary = Problem(problems[0].file, None, "", "", f"and {left.total()} more: {text}")
    return [*sorted(shown + rest[:room], key=_place), summary]


def _place(problem: Problem) -> tuple[int, str]:
    return problem.line or 0, problem.field


def _prices(sheet: Sheet, index: int, column: Column) -> FloatArray:
    """Return one column's prices as quoted, shape (n_rows,); NaN where there is none."""
    texts = sheet.texts(index)
    found = read_numbers(
        texts,
        positive=True,
        european=sheet.european,
        nearness=distance(column.asset, column.factor),
    )
    for row, text, rule in zip(sheet.rows, texts, found.rules, strict=True):
        if rule:
            sheet.reader.fault(row.line, column.name, f"'{text}'", rule)
    sheet.notes.extend(f"{sheet.titles[index]}: {note}" for note in found.notes)
    if not np.isfinite(found.values).any() and not any(found.rules):
        sheet.reader.fault(sheet.head_line, column.name, "", "column has no price")
    return found.values


def _missing(read: Mapping[Column, FloatArray]) -> Iterable[str]:
    """Yield how many rows have no price once the column's prices have begun."""
    for column, values in read.items():
        there = np.flatnonzero(np.isfinite(values))
        count = int(np.isnan(values[there[0] :]).sum()) if len(there) else 0
        if count:
            yield f"rows without a price of {column.asset}: {count:,}, left out"


def _unchanged(quotes: Mapping[Column, FloatArray]) -> Iterable[str]:
    """Yield how many closes repeat the one before, where that is more than now and then."""
    for column, values in quotes.items():
        there = values[np.isfinite(values)]
        count = int((np.diff(there) == 0).sum())
        if count > MANY_UNCHANGED * len(there):
            share = f"{count:,} of {len(there):,}"
            yield f"closes of {column.asset} that repeat the one before: {share}, kept"


MANY_UNCHANGED = 0.02
"""Gold repeats its close on 0.7 % of the days, a small fund on 1.8 %."""


def check_order(
    reader: Reader, lines: Sequence[int], dates: Sequence[dt.date], kinds: Collection[Kind]
) -> Kind | None:
    """Fault a frequency that is not allowed; return it, None where there are too few rows."""
    if len(dates) < MIN_ROWS:
        return None
    found = frequency_of(dates)
    if found.kind is Kind.MIXED:
        line = lines[found.changes_at] if found.changes_at else None
        rule = "must be of one frequency; split the table"
        reader.fault(line, "date", found.message, rule)
    elif found.kind not in kinds:
        value = f"{found.kind}, every {np.median(np.diff([d.toordinal() for d in dates])):g} days"
        wanted = " or ".join(kinds)
        rule = f"must be {wanted} closes"
        if tuple(kinds) == DAILY:
            rule = "must be daily closes; averages understate volatility"
        reader.fault(None, "date", value, rule)
    return found.kind


def _check_gaps(
    reader: Reader,
    name: str,
    lines: Sequence[int],
    dates: Sequence[dt.date],
    values: FloatArray,
    kind: Kind | None,
) -> None:
    """Fault a hole in an asset's prices, and prices that end before the table does.

    Parameters
    ----------
    values : ndarray of shape (n_dates,), NaN where there is no price
    """
    there = np.flatnonzero(np.isfinite(values)).tolist()
    check_gaps(reader, [lines[k] for k in there], [dates[k] for k in there], kind)
    longest = MAX_GAP_DAYS.get(kind or Kind.TRADING_DAYS)
    if there and longest and (dates[-1] - dates[there[-1]]).days > longest:
        value = f"empty after {dates[there[-1]]}"
        reader.fault(lines[there[-1]], name, value, f"must have prices up to {dates[-1]}")


def check_gaps(
    reader: Reader, lines: Sequence[int], dates: Sequence[dt.date], kind: Kind | None
) -> None:
    """Fault rows that come later than their frequency allows, each once."""
    longest = MAX_GAP_DAYS.get(kind or Kind.TRADING_DAYS)
    if longest is None:
        return
    for position in range(1, len(dates)):
        gap = (dates[position] - dates[position - 1]).days
        if gap > longest:
            value = f"{dates[position]} ({gap} days after {dates[position - 1]})"
            rule = f"must be at most {longest} days after the row before"
            problem = Problem(reader.file, lines[position], "date", value, rule)
            if problem not in reader.problems:
                reader.problems.append(problem)


def _check_length(
    reader: Reader, quotes: dict[Column, FloatArray], kind: Kind | None, least: int | None
) -> None:
    daily = kind in DAILY or kind is None or kind is Kind.MIXED
    fewest = least or (MIN_RETURNS if daily else MIN_LONG_RETURNS)
    for column, prices in quotes.items():
        returns = max(0, int(np.isfinite(prices).sum()) - 1)
        if returns < fewest:
            value = f"{returns} {'daily' if daily else kind} returns"
            purpose = "a GARCH fit" if daily else "its statistics"
            reader.fault(None, column.name, value, f"must be at least {fewest} for {purpose}")
