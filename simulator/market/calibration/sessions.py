"""Which rows of a table are a market's own days, and which a calendar or a peg made.

A metal or a share is open on weekdays. Where a table has weekends, as sessions of an hour or as
Friday's close carried forward, their move is a part of Monday's: a weekend is one step, in the
market as in the fit. A coin keeps every day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from simulator.market.calibration.columns import COINS
from simulator.scenario.market import EVERY_DAY
from simulator.units import BoolArray, FloatArray, trading_days

PEG_ENDED = dt.date(1971, 1, 1)
"""Before, the gold price was an official peg, and its moves are no market's."""
PEGGED = ("gold",)
FEW = 0.01
"""A smaller share of odd rows is an odd session or two, and stays."""
STANDS_STILL = 0.2
"""Prices that repeat on more trading days than this say nothing by repeating on a holiday."""
_DAILY_SPACING = 2
_AFTER_FRIDAY = 3
"""Days: a weekend's row that follows later is one of another frequency."""
_WEEKENDS = "rows of Saturdays and Sundays, a part of Monday's step"
_HOLIDAYS = "rows of holidays that carry the day before forward"


def own_days(
    dates: Sequence[dt.date], prices: dict[str, FloatArray]
) -> tuple[dict[str, FloatArray], list[str]]:
    """Return prices with NaN on rows that are not the asset's own, and what was left out.

    Parameters
    ----------
    dates : sequence of date, increasing
    prices : dict of str to ndarray of shape (n_dates,)
    """
    notes: list[str] = []
    found = {asset: values.copy() for asset, values in prices.items()}
    _leave_out_the_peg(dates, found, notes)
    ordinals = np.array([date.toordinal() for date in dates])
    if len(dates) < 2 or np.median(np.diff(ordinals)) > _DAILY_SPACING:
        return found, notes
    closing = [asset for asset in found if asset not in EVERY_DAY and asset not in COINS]
    follows = np.diff(ordinals, prepend=ordinals[0]) <= _AFTER_FRIDAY
    weekend = np.array([date.weekday() >= 5 for date in dates]) & follows
    holiday = ~trading_days(dates[0], int(ordinals[-1] - ordinals[0]))[ordinals - ordinals[0]]
    still = _repeats(found, closing)
    _leave_out(found, closing, weekend, _WEEKENDS, notes)
    if still[~holiday].mean() < STANDS_STILL:
        _leave_out(found, closing, holiday & ~weekend & follows & still, _HOLIDAYS, notes)
    return found, notes


def _leave_out_the_peg(
    dates: Sequence[dt.date], found: dict[str, FloatArray], notes: list[str]
) -> None:
    pegged = np.array([date < PEG_ENDED for date in dates])
    for asset in PEGGED:
        if asset in found and (count := int((pegged & np.isfinite(found[asset])).sum())):
            found[asset][pegged] = np.nan
            notes.append(f"rows before {PEG_ENDED}, when {asset} was pegged: {count:,}, left out")


def _leave_out(
    found: dict[str, FloatArray], assets: list[str], rows: BoolArray, why: str, notes: list[str]
) -> None:
    """Take the prices of `rows` from `assets`, unless they are too few to be a habit."""
    if not assets or rows.mean() <= FEW:
        return
    for asset in assets:
        found[asset][rows] = np.nan
    notes.append(f"{why}: {int(rows.sum()):,}, left out for {', '.join(assets)}")


def _repeats(found: dict[str, FloatArray], assets: list[str]) -> BoolArray:
    """Return the rows on which none of `assets` moves, shape (n_dates,)."""
    still = np.ones(len(next(iter(found.values()))), dtype=np.bool_)
    still[0] = False
    for asset in assets:
        still[1:] &= found[asset][1:] == found[asset][:-1]
    return still
