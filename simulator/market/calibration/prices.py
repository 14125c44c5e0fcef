"""Reads a table of daily closes and refuses it with every fault at its line."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simulator.errors import InputError, Problem
from simulator.market.calibration.columns import Column, parse_column
from simulator.units import FloatArray

MIN_RETURNS = 500
"""About two years of days; below that a GARCH fit is not worth its name."""
MAX_GAP_DAYS = 7
"""The longest closure of the US exchanges since 2000 is 7 days (September 2001)."""
MAX_MEDIAN_SPACING_DAYS = 3
MAX_SHOWN_PROBLEMS = 20

# Python's float() also reads 1_000, nan, inf and other scripts' digits; a price is none.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class PriceTable:
    """Daily closes of one or more assets.

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
        NaN before an asset's first price, above 0 from there on.
    last_quotes : dict of str to float
        The last price as it stands in the file.
    """

    path: str
    file: str
    sha256: str
    dates: tuple[dt.date, ...]
    columns: tuple[Column, ...]
    prices: dict[str, FloatArray]
    last_quotes: dict[str, float]

    @property
    def assets(self) -> tuple[str, ...]:
        """Return the assets in the order of their columns."""
        return tuple(column.asset for column in self.columns)

    @property
    def as_of(self) -> dt.date:
        """Return the last date."""
        return self.dates[-1]


@dataclass
class _Row:
    line: int
    cells: list[str]
    date: dt.date | None = None


@dataclass
class _Reader:
    """Collects what a file says and what is wrong with it."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int | None, name: str, value: str, rule: str) -> None:
        self.problems.append(Problem(self.file, line, name, value, rule))


def read_prices(path: Path | str) -> PriceTable:
    """Read a CSV of daily closes: a `date` column and one column for each asset.

    Raises
    ------
    InputError
        With one problem for each fault; past 20, the first of each kind, as many more as
        fit, and how many were left out.
    """
    raw = _read_bytes(path)
    reader = _Reader(str(path))
    rows = _split(reader, raw)
    header = [name.strip().lower() for name in rows[0].cells]
    body = rows[1:]
    columns = _check_header(reader, rows[0].line, header)
    _check_dates(reader, body, header)
    quotes = {
        column: _check_prices(reader, body, header, index) for index, column in columns.items()
    }
    if reader.problems:
        raise InputError(capped(reader.problems))
    return PriceTable(
        path=str(path),
        file=Path(path).name,
        sha256=hashlib.sha256(raw).hexdigest(),
        dates=tuple(row.date for row in body if row.date is not None),
        columns=tuple(quotes),
        prices={column.asset: quote * column.factor for column, quote in quotes.items()},
        last_quotes={column.asset: float(quote[-1]) for column, quote in quotes.items()},
    )


def capped(problems: list[Problem], limit: int = MAX_SHOWN_PROBLEMS) -> list[Problem]:
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


def _read_bytes(path: Path | str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        rule = "no such file"
    except OSError as error:
        rule = f"cannot be read: {error.strerror}"
    raise InputError([Problem(str(path), None, "", "", rule)])


def _split(reader: _Reader, raw: bytes) -> list[_Row]:
    """Return the rows that are not blank, the header first, with the line each begins on."""
    try:
        text = raw.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("it holds NUL bytes")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows, begin = [], 1
        for cells in lines:
            if any(cell.strip() for cell in cells):
                rows.append(_Row(begin, [cell.strip() for cell in cells]))
            begin = lines.line_num + 1
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        rule = f"must be UTF-8 text (byte 0x{raw[error.start]:02x})"
        raise InputError([Problem(reader.file, line, "", "", rule)]) from None
    except (csv.Error, ValueError) as error:
        raise InputError([Problem(reader.file, None, "", "", f"not a CSV: {error}")]) from None
    if not rows:
        raise InputError([Problem(reader.file, None, "", "", "is empty")])
    return rows


def _check_header(reader: _Reader, line: int, header: list[str]) -> dict[int, Column]:
    """Return the price columns by position."""
    if "date" not in header:
        reader.fault(line, "date", "", "column is missing; dates as 2026-01-20")
    columns: dict[int, Column] = {}
    unreadable = False
    for index, name in enumerate(header):
        if name in header[:index]:
            reader.fault(line, name, "", "column stands twice")
        elif name != "date":
            parsed = parse_column(name)
            if isinstance(parsed, str):
                unreadable = True
                reader.fault(line, name or f"column {index + 1}", "", parsed)
            elif any(parsed.asset == other.asset for other in columns.values()):
                reader.fault(line, name, "", f"is a second column of {parsed.asset}; keep one")
            else:
                columns[index] = parsed
    if not columns and not unreadable:
        reader.fault(line, "", "", "no price column, such as gold_usd_per_oz")
    return columns


def _check_dates(reader: _Reader, rows: list[_Row], header: list[str]) -> None:
    """Parse each row's date and compare it with those before."""
    for row in rows:
        if len(row.cells) != len(header):
            count = f"{len(row.cells)} cells"
            reader.fault(row.line, "row", count, f"must have {len(header)}, as the header has")
    if "date" not in header:
        return
    index = header.index("date")
    for row in rows:
        text = row.cells[index] if index < len(row.cells) else ""
        row.date = _parse_date(text)
        if row.date is None:
            reader.fault(row.line, "date", f"'{text}'", "must be a date as 2026-01-20")
    _check_order(reader, [row for row in rows if row.date is not None])


def _parse_date(text: str) -> dt.date | None:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return date if date.isoformat() == text else None


def _check_order(reader: _Reader, rows: Iterable[_Row]) -> None:
    dated = [(row.line, row.date) for row in rows if row.date is not None]
    spacing = [abs((b - a).days) for (_, a), (_, b) in itertools.pairwise(dated)]
    daily = not spacing or float(np.median(spacing)) <= MAX_MEDIAN_SPACING_DAYS
    if not daily:
        value = f"every {np.median(spacing):g} days"
        reader.fault(None, "date", value, "must be daily closes; averages understate volatility")
    seen: dict[dt.date, int] = {}
    for position, (line, date) in enumerate(dated):
        before = dated[position - 1][1] if position else date
        gap = (date - before).days
        if date in seen:
            value = f"{date} (as on line {seen[date]})"
            reader.fault(line, "date", value, "must stand once")
        elif gap < 0:
            value = f"{date} (after {before})"
            reader.fault(line, "date", value, "must be later than the row before (oldest first)")
        elif daily and gap > MAX_GAP_DAYS:
            value = f"{date} ({gap} days after {before})"
            rule = f"must be at most {MAX_GAP_DAYS} days after the row before"
            reader.fault(line, "date", value, rule)
        seen.setdefault(date, line)


def _check_prices(reader: _Reader, rows: list[_Row], header: list[str], index: int) -> FloatArray:
    """Return one column's prices as quoted, shape (n_rows,); NaN where there is none."""
    name = header[index]
    prices = np.full(len(rows), np.nan)
    started = False
    for position, row in enumerate(rows):
        # A row of another length has its own fault; its cells may belong to other columns.
        if len(row.cells) != len(header):
            continue
        text = row.cells[index]
        if not text:
            if started:
                rule = "must not be empty after the column's first price"
                reader.fault(row.line, name, "empty", rule)
            continue
        started = True
        price, rule = _parse_price(text)
        if rule:
            reader.fault(row.line, name, f"'{text}'", rule)
        else:
            prices[position] = price
    returns = max(0, int(np.isfinite(prices).sum()) - 1)
    if returns < MIN_RETURNS:
        value = f"{returns} daily returns"
        reader.fault(None, name, value, f"must be at least {MIN_RETURNS} for a GARCH fit")
    return prices


def _parse_price(text: str) -> tuple[float, str]:
    """Return a price, or the rule that its text breaks."""
    lowered = text.lower().lstrip("+-")
    if lowered in ("nan", "inf", "infinity"):
        return math.nan, "must be a finite number"
    if not _NUMBER.fullmatch(text):
        return math.nan, "must be a number, without thousands separators or units"
    price = float(text)
    if not math.isfinite(price):
        return math.nan, "must be a finite number"
    return (price, "") if price > 0 else (math.nan, "must be above 0")
