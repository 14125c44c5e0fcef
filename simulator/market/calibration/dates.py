"""Dates in the forms in which tables have them; one form for a whole column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.market.frequency import Kind, frequency

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
)
_MONTHS = ("%Y-%m", "%Y/%m", "%YM%m", "%m/%Y", "%b %Y", "%b-%y")
_EPOCHS = {10: "s", 13: "ms", 16: "us"}
"""By their digits: seconds, milliseconds and microseconds since 1970."""
_LAST_YEAR = 2049
"""Years of two digits lie in the hundred years up to it, today and later: no clock is asked."""
_ISO = "2026-01-20"
_AMBIGUOUS = "reads both as day first and as month first; write it as 2026-01-20"


@dataclass(frozen=True)
class Dates:
    """A column of dates.

    dates : one for each text, None where it has not the form of the others
    example : a text of that form
    doubt : why no form can be chosen; empty where one is
    """

    dates: tuple[dt.date | None, ...]
    example: str = _ISO
    notes: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def is_whole(self) -> bool:
        """Return whether every text is a date."""
        return not self.doubt and all(date is not None for date in self.dates)


def read_dates(texts: Sequence[str]) -> Dates:
    """Read texts as dates in the one form that fits most of them.

    The time of a day is left off. A month stands for its last day. Years of two digits lie
    between 1950 and 2049.
    """
    column = pd.Series(list(texts), dtype=object)
    epochs = _epochs(column)
    if epochs is not None:
        return epochs
    # 2026-01-20 00:00:00 UTC and 2026-01-20T00:00:00Z: the day is the first ten characters.
    timed = column.str.match(r"\d{4}[-/.]\d\d[-/.]\d\d[ T]\d")
    column = column.where(~timed, column.str[:10])
    found = {form: _parsed(column, form) for form in (*_DAYS, *_MONTHS)}
    fits = {form: int(dates.notna().sum()) for form, dates in found.items()}
    best = max(fits.values(), default=0)
    if best == 0:
        return Dates(tuple(None for _ in texts))
    forms = [form for form, count in fits.items() if count == best]
    if len(forms) > 1:
        forms = _plausible(forms, found)
    if len(forms) > 1:
        return Dates(tuple(None for _ in texts), doubt=_AMBIGUOUS)
    return _as_dates(texts, forms[0], found[forms[0]])


def _epochs(column: pd.Series[str]) -> Dates | None:
    """Return counts since 1970 as days, None where the column holds anything else."""
    sizes = column.str.len()
    if column.empty or not column.str.fullmatch(r"[0-9]+").all() or sizes.min() != sizes.max():
        return None
    unit = _EPOCHS.get(int(sizes.iloc[0]))
    if unit is None:
        return None
    counts = column.to_numpy(dtype=np.int64)
    days = pd.Series(counts.astype(f"datetime64[{unit}]").astype("datetime64[ns]"))
    words = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}[unit]
    return Dates(tuple(days.dt.date), column.iloc[0], (f"dates count {words} since 1970, UTC",))


def _parsed(column: pd.Series[str], form: str) -> pd.Series[pd.Timestamp]:
    parsed = pd.to_datetime(column, format=form, errors="coerce")
    if form == "%Y-%m-%d":
        # The parser of ISO dates also reads 2020-1-6 and the like; a table's own form is whole.
        parsed = parsed.where(column.str.fullmatch(r"\d{4}-\d\d-\d\d"))
    if form == "%Y%m%d":
        parsed = parsed.where(column.str.fullmatch(r"\d{8}"))
    return parsed


def _plausible(forms: list[str], found: dict[str, pd.Series[pd.Timestamp]]) -> list[str]:
    """Return the forms in which the rows come at one frequency; all, where none does."""
    usual = [form for form in forms if _frequency(found[form]) is not Kind.MIXED]
    if len(usual) > 1:
        first = found[usual[0]]
        usual = usual[:1] if all(first.equals(found[form]) for form in usual) else usual
    return usual or forms


def _frequency(dates: pd.Series[pd.Timestamp]) -> Kind:
    days = sorted(set(dates.dropna().dt.date))
    kind = frequency(days).kind if len(days) > 1 else Kind.MIXED
    spacings = np.diff([day.toordinal() for day in days])
    # A hole of weeks within days tells of days and months exchanged.
    holes = kind in (Kind.TRADING_DAYS, Kind.ALL_DAYS) and bool((spacings > 10).any())
    return Kind.MIXED if holes else kind


def _as_dates(texts: Sequence[str], form: str, parsed: pd.Series[pd.Timestamp]) -> Dates:
    notes = []
    if form in _MONTHS:
        parsed = parsed + pd.offsets.MonthEnd(0)
        notes.append("months stand for their last day")
    days = [None if pd.isna(day) else day.date() for day in parsed]
    if "%y" in form:
        days = [
            day.replace(year=day.year - 100) if day is not None and day.year > _LAST_YEAR else day
            for day in days
        ]
    example = next(text for text, day in zip(texts, days, strict=True) if day is not None)
    if form != "%Y-%m-%d":
        first = next(day for day in days if day is not None)
        notes.append(f"dates such as {example} are read as {first}")
    return Dates(tuple(days), _ISO if form == "%Y-%m-%d" else example, tuple(notes))
