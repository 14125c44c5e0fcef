"""Reads a table of closes and refuses it with every fault at its line."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from simulator.errors import InputError, Problem
from simulator.market.calibration import basket
from simulator.market.calibration.columns import Column, parse_column
from simulator.market.calibration.indicators import is_no_price
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

# Python's float() also reads 1_000, nan, inf and other scripts' digits; a price is none.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


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
        NaN before an asset's first price, above 0 from there on; NaN too on the single day
        that a fund lacks. Coins are put together as altcoins.
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

    @cached_property
    def frequency(self) -> Frequency:
        """Return how often the rows come."""
        return frequency_of(self.dates)


@dataclass
class Row:
    """The cells of a row and the line on which it begins."""

    line: int
    cells: list[str]
    date: dt.date | None = None


@dataclass
class Reader:
    """Collects what a file says and what is wrong with it."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int | None, name: str, value: str, rule: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.file, line, name, value, rule))


ColumnOf = Callable[[str], Column | str | None]
"""From a column's name to what it holds, the rule that the name breaks, or None: read past it."""


def read_prices(
    path: Path | str, kinds: Collection[Kind] = DAILY, column_of: ColumnOf = parse_column
) -> PriceTable:
    """Read a CSV of closes: a `date` column and one column for each asset.

    Parameters
    ----------
    kinds : collection of Kind
        The frequencies that are allowed; a calibration needs days.
    column_of : callable
        What the column of a name holds; by default the name itself must say it.

    Raises
    ------
    InputError
        With one problem for each fault; past 20, the first of each kind, as many more as
        fit, and how many were left out.
    """
    raw = read_bytes(path)
    reader = Reader(str(path))
    rows = split(reader, raw)
    header = [name.strip().lower() for name in rows[0].cells]
    body = rows[1:]
    columns = _check_header(reader, rows[0].line, header, column_of)
    check_dates(reader, body, header)
    kind = check_order(reader, body, kinds)
    quotes = {
        column: _check_prices(reader, body, header, index, column.may_halt)
        for index, column in columns.items()
    }
    _check_length(reader, quotes, kind)
    if reader.problems:
        raise InputError(capped(reader.problems))
    quotes = basket.with_altcoins(quotes)
    _check_length(reader, quotes, kind)
    if reader.problems:
        raise InputError(reader.problems)
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


def read_bytes(path: Path | str) -> bytes:
    """Return a file's bytes, or raise an InputError."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        rule = "no such file"
    except OSError as error:
        rule = f"cannot be read: {error.strerror}"
    raise InputError([Problem(str(path), None, "", "", rule)])


def split(reader: Reader, raw: bytes) -> list[Row]:
    """Return the rows that are not blank, the header first, with the line each begins on."""
    try:
        text = raw.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("it holds NUL bytes")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows, begin = [], 1
        for cells in lines:
            if any(cell.strip() for cell in cells):
                rows.append(Row(begin, [cell.strip() for cell in cells]))
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


def _check_header(
    reader: Reader, line: int, header: list[str], column_of: ColumnOf
) -> dict[int, Column]:
    """Return the price columns by position."""
    if "date" not in header:
        reader.fault(line, "date", "", "column is missing; dates as 2026-01-20")
    columns: dict[int, Column] = {}
    unreadable = False
    for index, name in enumerate(header):
        if name in header[:index]:
            reader.fault(line, name, "", "column stands twice")
        elif name != "date" and not is_no_price(name):
            parsed = column_of(name)
            if parsed is None:
                continue
            if isinstance(parsed, str):
                unreadable = True
                reader.fault(line, name or f"column {index + 1}", "", parsed)
            elif any(parsed.asset == other.asset for other in columns.values()):
                reader.fault(line, name, "", f"is a second column of {parsed.asset}; keep one")
            else:
                columns[index] = parsed
    if not unreadable and not any(c.is_fitted or c.is_coin for c in columns.values()):
        reader.fault(line, "", "", "no price column, such as gold_usd_per_oz")
    return columns


def check_dates(reader: Reader, rows: list[Row], header: list[str]) -> None:
    """Parse each row's date, or fault it."""
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


def _parse_date(text: str) -> dt.date | None:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return date if date.isoformat() == text else None


def check_order(reader: Reader, rows: Iterable[Row], kinds: Collection[Kind]) -> Kind | None:
    """Fault dates that repeat, run backwards or leave gaps; return how often they come."""
    dated = [(row.line, row.date) for row in rows if row.date is not None]
    kind = _check_frequency(reader, dated, kinds)
    longest = MAX_GAP_DAYS.get(kind) if kind else MAX_GAP_DAYS[Kind.TRADING_DAYS]
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
        elif longest and gap > longest and kind in (*kinds, None):
            value = f"{date} ({gap} days after {before})"
            rule = f"must be at most {longest} days after the row before"
            reader.fault(line, "date", value, rule)
        seen.setdefault(date, line)
    return kind


def _check_frequency(
    reader: Reader, dated: list[tuple[int, dt.date]], kinds: Collection[Kind]
) -> Kind | None:
    """Return how often rows come, None where there are too few; fault what is not allowed."""
    if len(dated) < MIN_ROWS:
        return None
    lines = {date: line for line, date in reversed(dated)}
    dates = sorted(lines)
    found = frequency_of(dates)
    if found.kind is Kind.MIXED:
        line = lines[dates[found.changes_at]] if found.changes_at else None
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


def _check_prices(
    reader: Reader, rows: list[Row], header: list[str], index: int, may_halt: bool
) -> FloatArray:
    """Return one column's prices as quoted, shape (n_rows,); NaN where there is none."""
    name = header[index]
    prices = np.full(len(rows), np.nan)
    started = halted = False
    for position, row in enumerate(rows):
        # A row of another length has its own fault; its cells may belong to other columns.
        if len(row.cells) != len(header):
            continue
        text = row.cells[index]
        if not text:
            if started and (halted or not may_halt or position == len(rows) - 1):
                reader.fault(row.line, name, "empty", _empty_rule(may_halt))
            halted = True
            continue
        started, halted = True, False
        price, rule = parse_number(text, positive=True)
        if rule:
            reader.fault(row.line, name, f"'{text}'", rule)
        else:
            prices[position] = price
    return prices


def _empty_rule(may_halt: bool) -> str:
    if may_halt:
        return "must not be empty in two rows running, or at the end, once prices have begun"
    return "must not be empty after the column's first price"


def _check_length(reader: Reader, quotes: dict[Column, FloatArray], kind: Kind | None) -> None:
    daily = kind in DAILY or kind is None or kind is Kind.MIXED
    least = MIN_RETURNS if daily else MIN_LONG_RETURNS
    for column, prices in quotes.items():
        returns = max(0, int(np.isfinite(prices).sum()) - 1)
        if returns < least and (column.is_fitted or column.is_coin):
            value = f"{returns} {'daily' if daily else kind} returns"
            purpose = "a GARCH fit" if daily else "its statistics"
            reader.fault(None, column.name, value, f"must be at least {least} for {purpose}")


def parse_number(text: str, positive: bool) -> tuple[float, str]:
    """Return a number, or the rule that its text breaks."""
    lowered = text.lower().lstrip("+-")
    if lowered in ("nan", "inf", "infinity"):
        return math.nan, "must be a finite number"
    if not _NUMBER.fullmatch(text):
        return math.nan, "must be a number, without thousands separators or units"
    number = float(text)
    if not math.isfinite(number):
        return math.nan, "must be a finite number"
    if positive and number <= 0:
        return math.nan, "must be above 0"
    return number, ""
