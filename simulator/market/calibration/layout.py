"""Which column of a downloaded table is the price of which asset, where no name says it.

A download names its columns Date, Open, High, Low, Close. What it is of, the user says
(`--column gold=Close`) or the file's name does (`gold-daily.csv`); which of the columns is the
price, the order of `PRICES` says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulator.market.calibration.columns import ALIASES, COINS, QUOTATIONS, Column, parse_column
from simulator.market.calibration.indicators import INDICATORS, is_no_price
from simulator.market.calibration.sheet import Sheet

PRICES = ("adj close", "adj_close", "close", "close/last", "last", "settle", "price", "value")
"""Names of a column of closes, the first of them that there is."""


@dataclass(frozen=True)
class Asked:
    """What a user says of his files.

    columns : from a name that Assay knows (an asset, or gold_usd_per_oz) to the file's column
    wanted : the assets to read, whose units play no part; None for all that the columns name
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    wanted: Collection[str] | None = None


def price_columns(sheet: Sheet, asked: Asked) -> dict[int, Column]:
    """Return the price columns by position; what cannot be told is a fault of the sheet's."""
    header = sheet.header
    if "date" not in header:
        rule = "column is missing; dates as 2026-01-20"
        sheet.reader.fault(sheet.head_line, "date", "", rule)
    names = dict(enumerate(header))
    if not any(_is_known(name) for name in header):
        names = _by_layout(sheet, asked)
    elif asked.wanted is None and sheet.given:
        names = {index: name for index, name in names.items() if _is_known(name)}
    found: dict[int, Column] = {}
    unreadable = False
    for index, name in names.items():
        if name == "date" or not name or is_no_price(name) or name in header[:index]:
            continue
        column = _column(name, asked)
        if column is None:
            continue
        if isinstance(column, str):
            unreadable = True
            sheet.reader.fault(sheet.head_line, name, "", column)
        elif any(column.asset == other.asset for other in found.values()):
            rule = f"is a second column of {column.asset}; keep one"
            sheet.reader.fault(sheet.head_line, name, "", rule)
        else:
            found[index] = column
    if asked.wanted is not None:
        _check_wanted(sheet, asked.wanted, found)
        return found
    _tell_the_rest(sheet, found)
    if not (unreadable or sheet.reader.problems) and not _has_prices(found.values()):
        sheet.reader.fault(sheet.head_line, "", "", "no price column, such as gold_usd_per_oz")
    return found


def _is_known(name: str) -> bool:
    """Return whether a name says that it is a price, in which unit or wrongly, or a series."""
    if name in INDICATORS:
        return True
    word = re.split(r"[_\s]", name)[0]
    return isinstance(parse_column(name), Column) or bool(_asset(name) or _asset(word))


def _asset(word: str) -> str:
    asset = ALIASES.get(word, word)
    return asset if asset in QUOTATIONS or asset in COINS else ""


def _has_prices(columns: Collection[Column]) -> bool:
    return any(column.is_fitted or column.is_coin for column in columns)


def _column(name: str, asked: Asked) -> Column | str | None:
    """Return what a column holds, the rule its name breaks, or None: it is read past."""
    parsed = parse_column(name)
    if asked.wanted is None:
        return parsed
    if isinstance(parsed, str):
        # `copper` alone: which unit is no matter here
        if name not in asked.wanted:
            return None
        quotation = QUOTATIONS[name]
        return Column(name, name, quotation.unit, quotation.unit, 1.0)
    held = "altcoins" if parsed.is_coin else parsed.asset
    taken = held in asked.columns and name != held
    return parsed if held in asked.wanted and not taken else None


def _check_wanted(sheet: Sheet, wanted: Collection[str], found: Mapping[int, Column]) -> None:
    held = {"altcoins" if column.is_coin else column.asset for column in found.values()}
    present = ", ".join(name for name in sheet.header if name and name != "date")
    rule = f"column is missing, and the scenario has this asset; the file has {present}"
    for asset in wanted:
        if asset not in held:
            sheet.reader.fault(sheet.head_line, asset, "", rule)


def _by_layout(sheet: Sheet, asked: Asked) -> dict[int, str]:
    """Return the one price column of a download by the asset that the file's name says."""
    header = sheet.header
    price = next((name for name in PRICES if name in header), None)
    words = re.split(r"[^a-z]+", Path(sheet.reader.file).stem.lower())
    assets = list(dict.fromkeys(asset for word in words if (asset := _asset(word))))
    others = ", ".join(name for name in header if name and name != "date") or "no other column"
    if asked.wanted is not None:
        assets = [asset for asset in assets if asset in asked.wanted]
        if price is None or len(assets) != 1:
            return {}
    if price is None or len(assets) != 1:
        example = f"--column gold={price or 'COLUMN'}"
        rule = f"which asset is it? say so, as in {example} (the file has {others})"
        sheet.reader.fault(sheet.head_line, "", "", rule)
        return {}
    title = sheet.titles[header.index(price)]
    sheet.notes.append(f"column {title} is taken for {assets[0]}, as the file's name says")
    return {header.index(price): assets[0]}


def _tell_the_rest(sheet: Sheet, found: Mapping[int, Column]) -> None:
    """Note which columns of a download are read past."""
    rest = [
        title
        for index, (name, title) in enumerate(zip(sheet.header, sheet.titles, strict=True))
        if name and name != "date" and index not in found and name not in INDICATORS
    ]
    if rest and found:
        sheet.notes.append(f"columns read past: {', '.join(rest)}")
