"""Returns that a fit leaves out, and says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.errors import UsageError
from simulator.market.calibration.prices import PriceTable


@dataclass(frozen=True)
class Exclusion:
    """The return that ends on `date` is left out for `asset`."""

    date: dt.date
    asset: str
    reason: str = "left out on request"


DEFAULT_EXCLUSIONS = (
    Exclusion(
        dt.date(2025, 7, 31),
        "copper",
        "basis event: the US tariff premium of COMEX collapsed, the world price did not move",
    ),
)


def parse_exclusion(text: str, option: str = "--exclude") -> Exclusion:
    """Return the exclusion that `2025-07-31:copper` stands for.

    Raises
    ------
    UsageError
        The text is not DATE:ASSET.
    """
    date_text, _, asset = text.partition(":")
    try:
        date = dt.date.fromisoformat(date_text)
    except ValueError:
        date = None
    if date is None or not asset:
        raise UsageError(f"{option} {text}: must be DATE:ASSET, such as 2025-07-31:copper")
    for known in DEFAULT_EXCLUSIONS:
        if (known.date, known.asset) == (date, asset):
            return known
    return Exclusion(date, asset)


def default_exclusions(table: PriceTable) -> tuple[Exclusion, ...]:
    """Return the default exclusions that occur in `table`."""
    return tuple(
        known
        for known in DEFAULT_EXCLUSIONS
        if known.asset in table.assets and known.date in table.dates[1:]
    )


def chosen_exclusions(
    tables: Sequence[PriceTable],
    exclude: Sequence[str],
    keep: Sequence[str],
    options: tuple[str, str] = ("--exclude", "--keep"),
) -> tuple[tuple[Exclusion, ...], tuple[Exclusion, ...]]:
    """Return the returns to leave out, those known among them, and those that are true.

    Parameters
    ----------
    exclude, keep : sequence of str
        As DATE:ASSET; what is kept is not left out.
    options : tuple of str
        What the messages call the two.

    Raises
    ------
    UsageError
        A text is not DATE:ASSET.
    """
    asked = tuple(parse_exclusion(text, options[0]) for text in exclude)
    kept = tuple(parse_exclusion(text, options[1]) for text in keep)
    known = (exclusion for table in tables for exclusion in default_exclusions(table))
    true = {(exclusion.date, exclusion.asset) for exclusion in kept}
    chosen = dict.fromkeys((*asked, *known))
    return tuple(e for e in chosen if (e.date, e.asset) not in true), kept


def check_exclusions(tables: Sequence[PriceTable], exclude: Sequence[Exclusion]) -> None:
    """Refuse an exclusion that would leave nothing out.

    Raises
    ------
    UsageError
        The asset is no column, or no return ends on the date.
    """
    for exclusion in exclude:
        given = f"--exclude {exclusion.date}:{exclusion.asset}"
        having = [table for table in tables if exclusion.asset in table.assets]
        files = ", ".join(table.file for table in having or tables)
        if not having:
            known = ", ".join(asset for table in tables for asset in table.assets)
            raise UsageError(f"{given}: {files} has no {exclusion.asset}, only {known}")
        if not any(_has_return(table, exclusion) for table in having):
            raise UsageError(f"{given}: no return of {files} ends on that date")


def _has_return(table: PriceTable, exclusion: Exclusion) -> bool:
    """Return whether the asset has a price on the date, and one before it."""
    if exclusion.date not in table.dates[1:]:
        return False
    row = table.dates.index(exclusion.date)
    priced = np.isfinite(table.prices[exclusion.asset])
    return bool(priced[row] and priced[:row].any())
