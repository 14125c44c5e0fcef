"""Returns that a fit leaves out, and says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

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


def parse_exclusion(text: str) -> Exclusion:
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
        raise UsageError(f"--exclude {text}: must be DATE:ASSET, such as 2025-07-31:copper")
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


def check_exclusions(table: PriceTable, exclude: Sequence[Exclusion]) -> None:
    """Refuse an exclusion that would leave nothing out.

    Raises
    ------
    UsageError
        The asset is no column, or no return ends on the date.
    """
    for exclusion in exclude:
        given = f"--exclude {exclusion.date}:{exclusion.asset}"
        if exclusion.asset not in table.assets:
            known = ", ".join(table.assets)
            raise UsageError(f"{given}: {table.file} has no {exclusion.asset}, only {known}")
        if exclusion.date not in table.dates[1:]:
            raise UsageError(f"{given}: no return of {table.file} ends on that date")
