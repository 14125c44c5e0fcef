"""What must hold of a product's paths, whoever made them: for its tests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.instruments.base import Access, InstrumentPaths, attribution_gap
from simulator.units import BoolArray, FloatArray

ROOM = 1e-9
"""Of what was put in: so far may sums of parts lie from their whole."""


def faults_of(paths: InstrumentPaths) -> list[str]:
    """Return which identities paths break, in words; empty where all hold.

    Sources sum to the return in every unit. Where days were asked for, with v the value without
    cash, i the income of a step, G what the sources brought so far and P what was put in:

        income[0] = 0                                nothing is paid before the first day is over
        sum G[t] = v[t] - P + sum i[1..t]            on every day, costs of leaving apart
        attribution - G[last] = exit[last] - sum i - v[last]      these are the costs of leaving
        mark[t] = v[t] + sum i[1..t]                 for t > 0; at 0 a mark may be below P

    and of the ways in and out: a cost of buying of 0 or more, parts sold of 0 to 1, a sale that
    pays no more than the mark and, before the last day, no less than leaving then does.
    """
    found = [
        f"sources in {unit} do not sum to the return: off by {gap:.1e} of what was put in"
        for unit in paths.units
        if not (gap := float(attribution_gap(paths, unit).max())) <= ROOM
    ]
    return found + (list(_of_days(paths)) if paths.daily is not None else [])


def _of_days(paths: InstrumentPaths) -> Iterator[str]:
    daily, initial = paths.daily, paths.initial["usd"]
    assert daily is not None
    value = paths.mark["usd"] if daily.value is None else daily.value
    income = np.zeros_like(value) if daily.income is None else daily.income
    cash, room = np.cumsum(income, axis=0), ROOM * initial
    if daily.brought.shape != (len(paths.sources), *value.shape):
        yield f"brought has shape {daily.brought.shape}; must be (n_sources, n_steps + 1, n_paths)"
        return
    if np.any(income[0] != 0.0):
        yield "income of step 0 is not zero"
    if np.any(np.abs(daily.brought.sum(axis=0) - (value - initial) - cash) > room):
        yield "what sources brought does not sum to value and income on some day"
    leaving = (paths.attribution["usd"] - daily.brought[:, -1]).sum(axis=0)
    if np.any(np.abs(leaving - (paths.exit["usd"][-1] - cash[-1] - value[-1])) > room):
        yield "the costs of leaving are not what attribution has beyond the last day"
    if daily.value is not None and np.any(np.abs(paths.mark["usd"] - value - cash)[1:] > room):
        yield "mark is not value and income so far"
    yield from _of_access(paths, daily.access, cash)


def _of_access(paths: InstrumentPaths, access: Access, cash: FloatArray) -> Iterator[str]:
    mark, room = paths.mark["usd"], ROOM * paths.initial["usd"]
    if min(access.buy_cost, access.lockup_days, access.notice_days) < 0:
        yield "a cost or a time of access is negative"
    if access.open_days is not None and not _is_calendar(access.open_days, mark.shape[0]):
        yield "open_days must be bool of shape (n_steps + 1,)"
    sellable = access.sellable
    if sellable is not None and (
        sellable.shape != mark.shape or np.any((sellable < 0.0) | (sellable > 1.0))
    ):
        yield "sellable must be 0 to 1, of shape (n_steps + 1, n_paths)"
    buyable = access.buyable
    if buyable is not None and (
        buyable.shape != mark.shape or not np.all((buyable == 0.0) | (buyable == 1.0))
    ):
        yield "buyable must be 0 or 1, of shape (n_steps + 1, n_paths)"
    if access.sale_usd is not None:
        if access.sale_usd.shape != mark.shape or np.any(access.sale_usd > mark + room):
            yield "sale_usd must be at most the mark, of shape (n_steps + 1, n_paths)"
        # The last step is the real exit, which may find out what a mark did not know.
        elif np.any((access.sale_usd - (paths.exit["usd"] - cash))[1:-1] < -room):
            yield "a sale pays less than leaving on that day"


def _is_calendar(days: BoolArray, n_rows: int) -> bool:
    return days.shape == (n_rows,) and days.dtype == np.bool_
