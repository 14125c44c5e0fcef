"""What is settled in USDC, turned into dollars at each day's price of USDC.

The contracts count in USDC, and so does their model. With U the price of USDC in dollars, v a
position's value without the cash paid out and g what its sources brought, on each day

    U_t (v_t + income_t) - U_{t-1} v_{t-1} = U_t sum(g_t) + v_{t-1} (U_t - U_{t-1})

so every source counts at the dollars of its day, the last term is what USDC itself did, and what
is paid out is dollars from that day on. All is written as a change by U - 1: where USDC stays a
dollar not a byte changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from simulator.instruments.base import Daily, InstrumentPaths, Source
from simulator.jit import kernel
from simulator.units import FloatArray

STABLECOIN = Source("stablecoin", "market", "USDC against the dollar")


def in_dollars(paths: InstrumentPaths, usdc: FloatArray, moves: str = "") -> InstrumentPaths:
    """Return the paths of a position that was counted in USDC, in dollars.

    Its own observables stay in USDC, as its contract shows them.

    Parameters
    ----------
    paths : InstrumentPaths
        With its days.
    usdc : ndarray of shape (n_steps + 1, n_paths), dollars
        One dollar on step 0.
    moves : str
        Name of the source that takes what USDC did, where the position itself is worth as many
        dollars whatever USDC does: the price of the metal. Else it is `STABLECOIN`.

    Raises
    ------
    ValueError
        The days are missing, or a position without `moves` is measured in ounces too.
    """
    daily = paths.daily
    if daily is None or (not moves and len(paths.units) > 1):
        raise ValueError(f"{paths.name} has no days, or is not of dollars alone")
    off = usdc - 1.0
    value = paths.mark["usd"] if daily.value is None else daily.value
    cash, cash_off = np.zeros_like(value), np.zeros_like(value)
    if daily.income is not None:
        cash, cash_off = so_far(daily.income), so_far(daily.income * off)
    sources, brought, earned = _by_source(paths, daily, value, usdc, moves)
    unpaid = paths.unpaid if "ounces" in paths.units else paths.unpaid * usdc[-1]
    return replace(
        paths,
        sources=sources,
        mark={**paths.mark, "usd": _moved(paths.mark["usd"], cash, off, cash_off)},
        exit={**paths.exit, "usd": _moved(paths.exit["usd"], cash, off, cash_off)},
        attribution={**paths.attribution, "usd": earned},
        unpaid=unpaid,
        daily=_days(daily, brought, usdc),
    )


def _by_source(
    paths: InstrumentPaths, daily: Daily, value: FloatArray, usdc: FloatArray, moves: str
) -> tuple[tuple[Source, ...], FloatArray, FloatArray]:
    """Return the sources, what each brought up to each step, and at the end; in dollars.

    Where nobody asked for sources the days are empty, and the end is NaN: it hangs on every day.

    Parameters
    ----------
    value, usdc : ndarray of shape (n_steps + 1, n_paths)

    Returns
    -------
    tuple of Source
    ndarray of shape (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0)
    ndarray of shape (n_sources, n_paths)
    """
    sources = paths.sources if moves else (*paths.sources, STABLECOIN)
    if daily.brought.shape[1] == 0:
        unknown = np.full((len(sources), usdc.shape[1]), np.nan)
        return sources, np.empty((len(sources), 0, 0)), unknown
    daily_usd = np.ascontiguousarray(daily.brought), np.ascontiguousarray(value)
    brought, more = _count(*daily_usd, np.ascontiguousarray(usdc))
    leaving = paths.attribution["usd"] - daily.brought[:, -1]
    earned = paths.attribution["usd"] + more + leaving * (usdc[-1] - 1.0)
    by_usdc = brought[-1]
    if not moves:
        return sources, brought, np.vstack((earned, by_usdc[-1]))
    row = [source.name for source in sources].index(moves)
    brought = brought[:-1]
    brought[row] += by_usdc
    earned[row] += by_usdc[-1]
    return sources, brought, earned


def so_far(each_day: FloatArray) -> FloatArray:
    """Return sums up to each day, of the shape of `each_day`: (..., n_steps + 1, n_paths).

    They are the bytes of `numpy.cumsum`, which runs down columns a row apart and takes ten times
    as long.
    """
    sums = np.array(each_day, order="C")
    _add_up(sums.reshape(-1, *sums.shape[-2:]))
    return sums


@kernel
def _add_up(days: FloatArray) -> None:
    """Turn what each day brings into sums so far, shape (n, n_steps + 1, n_paths)."""
    for i in range(days.shape[0]):
        for step in range(1, days.shape[1]):
            for k in range(days.shape[2]):
                days[i, step, k] += days[i, step - 1, k]


@kernel
def _count(
    brought: FloatArray, value: FloatArray, usdc: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what sources and USDC brought in dollars, and how much more that is at the end.

    Parameters
    ----------
    brought : ndarray of shape (n_sources, n_steps + 1, n_paths), USDC
        Up to each step.
    value, usdc : ndarray of shape (n_steps + 1, n_paths)

    Returns
    -------
    ndarray of shape (n_sources + 1, n_steps + 1, n_paths), USD
        Up to each step; the last row is what USDC did to `value`.
    ndarray of shape (n_sources, n_paths), USD
    """
    n_sources, n_rows, n_paths = brought.shape
    found, more = np.empty((n_sources + 1, n_rows, n_paths)), np.empty((n_sources, n_paths))
    for i in range(n_sources):
        for k in range(n_paths):
            more[i, k] = brought[i, 0, k] * (usdc[0, k] - 1.0)
            found[i, 0, k] = brought[i, 0, k] + more[i, k]
        for step in range(1, n_rows):
            for k in range(n_paths):
                gain = brought[i, step, k] - brought[i, step - 1, k]
                more[i, k] += gain * (usdc[step, k] - 1.0)
                found[i, step, k] = brought[i, step, k] + more[i, k]
    found[n_sources, 0] = 0.0
    for step in range(1, n_rows):
        for k in range(n_paths):
            moved = value[step - 1, k] * (usdc[step, k] - usdc[step - 1, k])
            found[n_sources, step, k] = found[n_sources, step - 1, k] + moved
    return found, more


def _moved(
    value: FloatArray, cash: FloatArray, off: FloatArray, cash_off: FloatArray
) -> FloatArray:
    """Return value in dollars: what is still held at today's price, cash at its day's."""
    moved: FloatArray = value + ((value - cash) * off + cash_off)
    return moved


def _days(daily: Daily, brought: FloatArray, usdc: FloatArray) -> Daily:
    def times(array: FloatArray | None) -> FloatArray | None:
        return None if array is None else array * usdc

    access = replace(daily.access, sale_usd=times(daily.access.sale_usd))
    return Daily(brought, times(daily.income), access, times(daily.value))


def flows_in_dollars(
    paths: InstrumentPaths, flows: Mapping[str, FloatArray], usdc: FloatArray
) -> InstrumentPaths:
    """Return the paths of who counts in dollars, but pays and is paid some things in USDC.

    Parameters
    ----------
    flows : dict of str to ndarray of shape (n_steps + 1, n_paths)
        By source, what it brought in USDC up to each step, negative what it cost.
    """
    worth, earned = paths.mark["usd"].copy(), paths.attribution["usd"].copy()
    names = [source.name for source in paths.sources]
    for name, brought in flows.items():
        more = so_far(np.diff(brought, axis=0, prepend=0.0) * (usdc - 1.0))
        worth += more
        earned[names.index(name)] += more[-1]
    return replace(paths, mark={"usd": worth}, exit={"usd": worth}, attribution={"usd": earned})
