"""One path of a run as markup: over the fan of all, day by day, and what it did on a chain."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from simulator.report import charts
from simulator.report.markup import Column, Html, Row, element, table
from simulator.words import MINUS, number

_MOST_ROWS = 30
_CALL = ("call", "sender", "arguments", "gas")
_EVENT = ("contract", "event", "fields")


def befell_markup(events: pd.DataFrame) -> Html:
    """Return what befell whom on a path; columns date, who, what."""
    if events.empty:
        return element("p", "Nothing befell anybody on this path.")
    lines = (
        f"{'' if pd.isna(date) else f'{date:%Y-%m-%d} '}{who}: {what}".replace("_", " ")
        for date, who, what in events.to_numpy()
    )
    return element("ul", *(element("li", line) for line in lines))


def path_fan(
    quantiles: pd.DataFrame, values: pd.Series[float], title: str, unit: str, path: int
) -> Html:
    """Return a path over the fan of all; `quantiles` are rows of `daily`, `values` its days."""
    drawn = charts.fan(
        quantiles, unit=unit, tick_format=",.3~s", hover_format=",.6~g", path=values.to_numpy()
    )
    last, least = (number(float(value), 2) for value in (values.iloc[-1], values.min()))
    label = f"{title}, path {path:,} over the fan of all: {last} at the end, lowest {least}."
    note = "Orange: this path. Bands: p05 to p95 and p25 to p75 of all paths, with their median."
    return charts.embed(drawn, "fan-path", f"{title}, in {unit}", label, note)


def days_table(frame: pd.DataFrame, caption: str) -> Html:
    """Return a row a day; the index are dates, names of two parts have a colon between them."""
    names = [c if isinstance(c, str) else ": ".join(c) for c in frame.columns.to_list()]
    columns = (Column("Day", False), *(Column(name.replace("_", " ")) for name in names))
    rows = (
        Row((f"{date:%Y-%m-%d}", *(f"{value:,.6g}".replace("-", MINUS) for value in values)))
        for date, values in zip(frame.index, frame.to_numpy(), strict=True)
    )
    return table(columns, rows, caption=caption)


def chain_day(transactions: pd.DataFrame, events: pd.DataFrame, day: int) -> Iterator[Html]:
    """Yield a day's transactions and events, columns as `Evidence` has them."""
    for what, whole, columns in (("Transactions", transactions, _CALL), ("Events", events, _EVENT)):
        rows = whole[whole["step"] == day]
        more = f"; the first {_MOST_ROWS} of {len(rows):,}" if len(rows) > _MOST_ROWS else ""
        cells = [
            Row([_cell(row, c) for c in columns]) for row in rows[:_MOST_ROWS].to_dict("records")
        ]
        caption = f"{what} of day {day:,}{more}"
        heads = [Column(name, numeric=name == "gas") for name in columns]
        shown = table(heads, cells, caption=caption, class_="stack calls")
        yield shown if cells else element("p", f"{caption}: none.")


def _cell(row: Mapping[Hashable, Any], column: str) -> str:
    """Return what stands in a column: a contract by its label, a call by its contract too."""
    contract = f"{row['label']}/{row['contract']}"
    own = {"contract": contract, "call": f"{contract}.{row.get('function')}"}
    return own.get(column) or str(row[column])
