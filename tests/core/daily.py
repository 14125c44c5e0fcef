"""What must hold of an instrument's days, whoever holds part of it."""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import InstrumentPaths


def check_daily(paths: InstrumentPaths) -> None:
    """Assert the identities of `Daily`, within 1e-9 of what was put in."""
    daily = paths.daily
    assert daily is not None, "the days were not asked for"
    initial = paths.initial["usd"]
    mark = paths.mark["usd"] if daily.value is None else daily.value
    assert daily.brought.shape == (len(paths.sources), *mark.shape)
    income = np.zeros_like(mark) if daily.income is None else daily.income
    room = 1e-9 * initial
    assert np.all(income[0] == 0.0)
    so_far = daily.brought.sum(axis=0)
    assert np.all(np.abs(so_far - (mark - initial) - np.cumsum(income, axis=0)) <= room)
    leaving = paths.attribution["usd"] - daily.brought[:, -1]
    kept = paths.exit["usd"][-1] - income.sum(axis=0) - mark[-1]
    assert np.all(np.abs(leaving.sum(axis=0) - kept) <= room)
    cash = np.cumsum(income, axis=0)
    assert np.all(np.abs(paths.mark["usd"] - mark - cash)[1:] <= room) or daily.value is None
    _check_access(paths, income)


def _check_access(paths: InstrumentPaths, income: np.ndarray) -> None:
    access, shape = paths.daily.access, paths.mark["usd"].shape
    assert access.buy_cost >= 0.0
    assert access.lockup_days >= 0
    assert access.notice_days >= 0
    if access.open_days is not None:
        assert access.open_days.shape == shape[:1]
        assert access.open_days.dtype == bool
    if access.sellable is not None:
        assert access.sellable.shape == shape
        assert np.all((access.sellable >= 0.0) & (access.sellable <= 1.0))
    if access.sale_usd is not None:
        assert access.sale_usd.shape == shape
        assert np.all(access.sale_usd <= paths.mark["usd"] + 1e-9 * paths.initial["usd"])
        leave = paths.exit["usd"] - np.cumsum(income, axis=0)
        # The last step is the real exit, which may find out what a mark did not know.
        assert np.all((access.sale_usd - leave)[1:-1] >= -1e-9 * paths.initial["usd"])
