"""One path of a run as markup: over the fan of all, day by day, and what it did on a chain."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Protocol

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
    drawn = charts.fan(quantiles, unit=unit, hover_format=",.6~g", path=values.to_numpy())
    last, least = (number(float(value), 2) for value in (values.iloc[-1], values.min()))
    label = f"{title}, path {path:,} over the fan of all: {last} at the end, lowest {least}."
    note = "Orange: this path. Bands: p05 to p95 and p25 to p75 of all paths, with their median."
    return charts.embed(drawn, "fan-path", f"{title}, in {unit}", label, note)


def days_table(frame: pd.DataFrame, caption: str) -> Html:
    """Return a row a day; the index are dates, names of two parts have a colon between them."""
    names = [c if isinstance(c, str) else ": ".join(c) for c in frame.columns.to_list()]
    columns = (Column("Day", False), *(Column(name.replace("_", " ")) for name in names))
    rows = (
        Row((f"{date:%Y-%m-%d}", *(_figure(value) for value in values)))
        for date, values in zip(frame.index, frame.to_numpy(), strict=True)
    )
    return table(columns, rows, caption=caption)


def _figure(value: float) -> str:
    """Return a value in six digits, a large one in whole numbers."""
    shown = f"{value:,.0f}" if abs(value) >= 1e6 else f"{value:,.6g}"
    return shown.replace("-", MINUS)


class Played(Protocol):
    """What a path left on a chain: rows of events and transactions, columns as `Evidence` has them.

    `gas_is_exact` is false where the chain counts less than a node charges.
    """

    @property
    def transactions(self) -> pd.DataFrame:
        """Return a row a transaction."""

    @property
    def events(self) -> pd.DataFrame:
        """Return a row an event."""

    @property
    def gas_is_exact(self) -> bool:
        """Return whether the gas is what a node charges."""


def chain_day(played: Played, day: int) -> Iterator[Html]:
    """Yield a day's transactions and events."""
    tables = (("Transactions", played.transactions, _CALL), ("Events", played.events, _EVENT))
    for what, whole, columns in tables:
        rows = whole[whole["step"] == day]
        more = f"; the first {_MOST_ROWS} of {len(rows):,}" if len(rows) > _MOST_ROWS else ""
        cells = [
            Row([_cell(row, c) for c in columns]) for row in rows[:_MOST_ROWS].to_dict("records")
        ]
        caption = f"{what} of day {day:,}{more}"
        gas = "gas" if played.gas_is_exact else "gas, at least"
        heads = [Column(gas) if name == "gas" else Column(name, numeric=False) for name in columns]
        shown = table(heads, cells, caption=caption, class_="stack calls")
        yield shown if cells else element("p", f"{caption}: none.")


def _cell(row: Mapping[Hashable, Any], column: str) -> str:
    """Return what stands in a column: a contract by its label, a call by its contract too."""
    contract = f"{row['label']}/{row['contract']}"
    own = {"contract": contract, "call": f"{contract}.{row.get('function')}"}
    value = own.get(column) or row[column]
    return value if isinstance(value, str) else f"{value:,}"
