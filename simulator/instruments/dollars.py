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
        cash = np.cumsum(daily.income, axis=0)
        cash_off = np.cumsum(daily.income * off, axis=0)
    by_usdc = np.zeros_like(value)
    by_usdc[1:] = value[:-1] * np.diff(usdc, axis=0)
    by_usdc = np.cumsum(by_usdc, axis=0)
    gains_off = np.diff(daily.brought, axis=1, prepend=0.0) * off
    more = np.cumsum(gains_off, axis=1)
    leaving = paths.attribution["usd"] - daily.brought[:, -1]
    brought = daily.brought + more
    earned = paths.attribution["usd"] + more[:, -1] + leaving * off[-1]
    sources = paths.sources
    if moves:
        row = [source.name for source in sources].index(moves)
        brought[row] += by_usdc
        earned[row] += by_usdc[-1]
    else:
        sources = (*sources, STABLECOIN)
        brought = np.concatenate((brought, by_usdc[None]))
        earned = np.vstack((earned, by_usdc[-1]))
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
    for name, so_far in flows.items():
        more = np.cumsum(np.diff(so_far, axis=0, prepend=0.0) * (usdc - 1.0), axis=0)
        worth += more
        earned[names.index(name)] += more[-1]
    return replace(paths, mark={"usd": worth}, exit={"usd": worth}, attribution={"usd": earned})
