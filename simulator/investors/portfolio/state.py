"""What the portfolio's kernel reads and writes: prices, plan, state of a block of paths.

A step is a calendar day. Amounts of a holding are in units: one is the position that the
instrument's paths describe. Few arrays with named rows, for the sake of compilation: each array
of a tuple costs every function that takes it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.units import BoolArray, FloatArray

IntArray = np.ndarray[Any, np.dtype[np.int64]]

NOTHING = -1
"""Index that stands for no holding, or for an array that an instrument does not have."""

DEAD_BAND = 1e-6
"""Stops act only when a price is further than this share below its level (both engines)."""

NEVER = np.iinfo(np.int64).max
"""Step on which nothing happens."""

HELD, LEAVING, OUT = 0, 1, 2
"""Where a holding stands: held, sold as soon as it can be, stopped out."""


# Columns of `Book.at`.
SALE, SELLABLE, INCOME, LOCKUP, NOTICE = range(5)

# Rows of `State.held`: units held; price that a fall is counted from; units to be sold once
# that is possible; weight that is meant now, with what was stopped out parked elsewhere.
UNITS, REFERENCE, ASKED, GOAL = range(4)

# Rows of `State.clock`: step from which what is asked for can be sold; HELD, LEAVING or OUT;
# step of the last sale by a stop.
DUE, STATUS, SINCE = range(3)

# Rows of `State.purse`: dollars; what withdrawals still wait for; what `Plan.park` has yet to
# take; value at mark; value and highest value of a unit put in.
CASH, OWED, PARKED, NAV, GROWN, PEAK = range(6)

# Rows of `State.flags`: 0 nothing, 1 money to invest, 2 weights to restore; step on which what
# waits can next be done; HELD, LEAVING or OUT of the portfolio's own stop; stops set off.
PENDING, WAKE, WHOLE, STOPS = range(4)

# Rows of `Traces.days`: value at mark and at exit, cash, flows, what was bought and sold.
MARK, LEAVE, IN_CASH, FLOWS, TURNOVER = range(5)

# Rows of `Traces.record`: units bought and sold; price at which a stop stands, 0 for none.
BOUGHT, SOLD, LEVEL = range(3)


class Book(NamedTuple):
    """Prices of a unit and the ways in and out.

    prices : (n_rows, n_steps + 1, n_paths), USD
        Marks of the holdings, then what exits pay, both without cash paid out before; then
        what only some have: prices of a sale, sellable shares, income.
    at : (n_holdings, 5), int64
        Rows of the sale's price, the sellable share and the income, NOTHING where there is
        none; days of lock-up and of notice.
    is_open : (n_holdings + 1, n_steps + 1), bool
        Whether a holding trades; last row: whether all do.
    buy_cost : (n_holdings,)
        Share of the mark that is paid on top, commission included.
    commission : float
    """

    prices: FloatArray
    at: IntArray
    is_open: BoolArray
    buy_cost: FloatArray
    commission: float


class Plan(NamedTuple):
    """What the investor means to do; `flows` is of shape (n_steps + 1,), USD.

    Zero stands for never in `every_days`, `band`, both stops and `reenter_days`; `park` is
    the holding that takes what stops bring, or NOTHING for cash.
    """

    capital: float
    weights: FloatArray
    every_days: int
    band: float
    holding_stop: float
    portfolio_stop: float
    from_peak: bool
    reenter_days: int
    park: int
    flows: FloatArray


class State(NamedTuple):
    """All that changes on the paths; rows as named above.

    held : (4, n_holdings, n_paths)
    clock : (3, n_holdings, n_paths), int64
    purse : (6, n_paths), USD
    flags : (4, n_paths), int64
    """

    held: FloatArray
    clock: IntArray
    purse: FloatArray
    flags: IntArray


class Traces(NamedTuple):
    """What is kept of every step; rows as named above.

    units : (n_holdings, n_steps + 1, n_paths), held at the end of a step
    days : (5, n_steps + 1, n_paths), USD
    costs : (n_holdings, n_paths), USD
        Proceeds less marks of all sales and marks less payments of all purchases.
    record : (3, n_holdings, n_steps + 1, n_paths), or (3, n_holdings, 0, 0) where unasked for
    """

    units: FloatArray
    days: FloatArray
    costs: FloatArray
    record: FloatArray


def new_state(n_holdings: int, n_paths: int) -> State:
    """Return the state before the first purchase."""
    flags = np.zeros((4, n_paths), np.int64)
    flags[WAKE] = NEVER
    return State(
        held=np.zeros((4, n_holdings, n_paths)),
        clock=np.zeros((3, n_holdings, n_paths), np.int64),
        purse=np.zeros((6, n_paths)),
        flags=flags,
    )


def new_traces(n_holdings: int, n_steps: int, n_paths: int, record: bool) -> Traces:
    """Return empty traces; trades and stops by step only where they are recorded."""
    by_step = (n_steps + 1, n_paths)
    return Traces(
        units=np.zeros((n_holdings, *by_step)),
        days=np.zeros((5, *by_step)),
        costs=np.zeros((n_holdings, n_paths)),
        record=np.zeros((3, n_holdings, *(by_step if record else (0, 0)))),
    )
