"""Reads a table from a file as people have it: CSV or XLSX, its rows by date, oldest first.

Calibration, bootstrap and the comparison with history all read through here. What a spreadsheet
or a download adds is taken off and told: a byte-order mark, empty columns, the other order of
rows, repeated rows. What could mean two things is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.errors import InputError, Problem, UsageError
from simulator.market.calibration.dates import read_dates

DATE_COLUMNS = ("date", "datetime", "timestamp", "time", "snapped_at", "open time", "month")
"""Names of the column of dates, the first of them that there is."""
_DELIMITERS = ",;\t"
_ONCE = "must stand once"
_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_XLSX = (".xlsx", ".xlsm")


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


@dataclass
class Sheet:
    """A table as text.

    Attributes
    ----------
    header : list of str
        Lower-case names; that of the dates is `date`, columns that `columns` names have its names.
    titles : list of str
        The names as the file has them.
    rows : list of Row
        Those with a date, oldest first.
    given : set of str
        Names of `header` that the user gave.
    european : bool
        Whether semicolons part the cells, as where the comma is the decimal mark.
    notes : list of str
        What was left out or assumed.
    by_year : bool
        Whether years stand in place of dates; each stands for its last day.
    """

    reader: Reader
    head_line: int
    header: list[str]
    titles: list[str]
    rows: list[Row]
    given: set[str]
    sha256: str
    european: bool
    notes: list[str]
    by_year: bool = False

    def texts(self, index: int) -> list[str]:
        """Return the cells of a column."""
        return [row.cells[index] for row in self.rows]


def read_sheet(path: Path | str, columns: Mapping[str, str] | None = None) -> Sheet:
    """Read a file's rows and dates; faults of single rows are the reader's.

    Parameters
    ----------
    columns : mapping of str to str
        From a name that Assay knows to the column's name in the file, or FILE:COLUMN.

    Raises
    ------
    InputError
        It cannot be read, or is no table.
    UsageError
        It is a spreadsheet, and no package that reads one is installed.
    """
    raw = read_bytes(path)
    reader = Reader(str(path))
    rows, european = _split(reader, raw)
    head, body = rows[0], rows[1:]
    titles = _without_empty_columns(reader, head, body)
    header = [title.lower() for title in titles]
    given = _rename(header, columns or {}, Path(path).name)
    notes: list[str] = []
    _check_rows(reader, head, body, header)
    by_year = _years_as_dates(header, body)
    _name_the_dates(header, body)
    _date_rows(reader, header, body, notes)
    return Sheet(
        reader=reader,
        head_line=head.line,
        header=header,
        titles=titles,
        rows=_in_order(reader, body, len(header), notes),
        given=given,
        sha256=hashlib.sha256(raw).hexdigest(),
        european=european,
        notes=notes,
        by_year=by_year,
    )


def read_bytes(path: Path | str) -> bytes:
    """Return a file's bytes, or raise an InputError."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        rule = "no such file"
    except OSError as error:
        rule = f"cannot be read: {error.strerror}"
    raise InputError([Problem(str(path), None, "", "", rule)])


def read_header(path: Path | str, columns: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of a file's columns, lower-case, as `Sheet.header` has them."""
    rows, _ = _split(Reader(str(path)), read_bytes(path))
    header = [name.lower() for name in rows[0].cells if name]
    _rename(header, columns or {}, Path(path).name)
    return header


def _split(reader: Reader, raw: bytes) -> tuple[list[Row], bool]:
    """Return the rows that are not blank, the header first; and whether semicolons part them."""
    if reader.file.lower().endswith(_XLSX):
        return _spreadsheet(reader, raw), False
    delimiter = ","
    try:
        text = raw.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("it holds NUL bytes")
        first = text.lstrip().partition("\n")[0]
        delimiter = max(_DELIMITERS, key=first.count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
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
    return rows, delimiter == ";"


def _spreadsheet(reader: Reader, raw: bytes) -> list[Row]:
    """Return the rows of a workbook's first sheet as text."""
    import pandas as pd

    try:
        cells = pd.read_excel(io.BytesIO(raw), header=None, dtype=object)
    except ImportError:
        message = f'{reader.file}: XLSX needs the package openpyxl: pip install "assay-sim[excel]"'
        raise UsageError(message) from None
    except Exception as error:  # whatever a broken archive makes of its reader
        rule = f"not an XLSX file: {error}"
        raise InputError([Problem(reader.file, None, "", "", rule)]) from None
    rows = [
        Row(line, [_as_text(cell) for cell in row])
        for line, row in enumerate(cells.itertuples(index=False, name=None), start=1)
    ]
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        raise InputError([Problem(reader.file, None, "", "", "is empty")])
    return rows


def _as_text(cell: Any) -> str:
    if isinstance(cell, dt.datetime | dt.date):
        return "" if cell != cell else cell.isoformat()[:10]
    return "" if cell is None or cell != cell else str(cell).strip()


def _without_empty_columns(reader: Reader, head: Row, body: list[Row]) -> list[str]:
    """Take off the columns without a name and without a cell; return the other names."""
    width = len(head.cells)
    for row in body:
        while len(row.cells) > width and not row.cells[-1]:
            row.cells.pop()
    kept = [
        index
        for index, name in enumerate(head.cells)
        if name or any(row.cells[index] for row in body if index < len(row.cells))
    ]
    for row in body:
        # A row of another length keeps it, and has its own fault.
        if len(row.cells) == width:
            row.cells = [row.cells[index] for index in kept]
    names = [head.cells[index] for index in kept]
    head.cells = names
    for index, name in enumerate(names):
        if not name:
            reader.fault(head.line, f"column {index + 1}", "", "has no name in the first row")
    return names


def _rename(header: list[str], columns: Mapping[str, str], file: str) -> set[str]:
    """Give the columns that the user chose the names that Assay knows; return these."""
    given = set()
    for name, chosen in columns.items():
        where, colon, theirs = chosen.rpartition(":")
        if colon and where != file:
            continue
        theirs = theirs.strip().lower()
        if theirs in header:
            header[header.index(theirs)] = name.lower()
            given.add(name.lower())
    return given


def _check_rows(reader: Reader, head: Row, body: list[Row], header: list[str]) -> None:
    for index, name in enumerate(header):
        if name and name in header[:index]:
            reader.fault(head.line, name, "", "column stands twice")
    for row in body:
        if len(row.cells) != len(header):
            count = f"{len(row.cells)} cells"
            reader.fault(row.line, "row", count, f"must have {len(header)}, as the header has")


def _years_as_dates(header: list[str], body: list[Row]) -> bool:
    """Let a column of years be one of dates: 2014 is its last day, when its sum is known."""
    if "year" not in header or "date" in header:
        return False
    index = header.index("year")
    header[index] = "date"
    for row in body:
        if index < len(row.cells) and _YEAR.fullmatch(row.cells[index]):
            row.cells[index] += "-12-31"
    return True


def _name_the_dates(header: list[str], body: list[Row]) -> None:
    """Call the column of dates `date`: by its name, else the first that holds nothing else."""
    named = next((name for name in DATE_COLUMNS if name in header), None)
    if named is not None:
        header[header.index(named)] = "date"
        return
    for index, _ in enumerate(header):
        texts = [row.cells[index] for row in body if len(row.cells) == len(header)]
        if texts and read_dates(texts).is_whole:
            header[index] = "date"
            return


def _date_rows(reader: Reader, header: list[str], body: list[Row], notes: list[str]) -> None:
    if "date" not in header:
        return
    index = header.index("date")
    texts = [row.cells[index] if index < len(row.cells) else "" for row in body]
    found = read_dates(texts)
    if found.doubt:
        reader.fault(None, "date", f"'{texts[0]}'", found.doubt)
        return
    for row, text, date in zip(body, texts, found.dates, strict=True):
        row.date = date
        if date is None:
            reader.fault(row.line, "date", f"'{text}'", f"must be a date as {found.example}")
    notes.extend(found.notes)


def _in_order(reader: Reader, body: list[Row], width: int, notes: list[str]) -> list[Row]:
    """Return the whole rows oldest first; equal rows once, unequal ones of one day are faults."""
    dated = [(row.date, row) for row in body if row.date is not None and len(row.cells) == width]
    steps = [(second[0] - first[0]).days for first, second in itertools.pairwise(dated)]
    backwards = sum(step < 0 for step in steps)
    if backwards and backwards == sum(step != 0 for step in steps):
        notes.append("rows stand newest first: turned round")
    elif backwards:
        notes.append(f"rows out of order: {backwards:,}, sorted")
    kept: list[Row] = []
    repeated, unequal = 0, list[tuple[Row, Row]]()
    for date, row in sorted(dated, key=lambda item: item[0]):
        if not kept or kept[-1].date != date:
            kept.append(row)
        elif kept[-1].cells == row.cells:
            repeated += 1
        else:
            unequal.append((row, kept[-1]))
    several = len(unequal) > len(kept)
    rule = "rows come several times a day; must be one close a day" if several else _ONCE
    for row, first in unequal[:1] if several else unequal:
        reader.fault(row.line, "date", f"{row.date} (as on line {first.line})", rule)
    if repeated:
        notes.append(f"rows that stand twice: {repeated:,}, read once")
    return kept
