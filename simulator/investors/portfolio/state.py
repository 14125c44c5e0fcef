"""What the portfolio's kernel reads and writes: prices, plan, state of a block of paths.

A step is a calendar day. Amounts of a holding are in units: one is the position that the
instrument's paths describe. Few arrays with named rows, for the sake of compilation: each array
of a tuple costs every function that takes it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.investors.portfolio.rows import Rows
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
SALE, SELLABLE, INCOME, NOTICE, BROUGHT, SOURCES, FIRST = range(7)

# Rows of `State.held`: units held; price that a fall is counted from; units to be sold once
# that is possible; weight that is meant now, with what was stopped out parked elsewhere; cash
# that a unit has paid out so far; what trading cost.
UNITS, REFERENCE, ASKED, GOAL, RECEIVED, COSTS = range(6)

# Rows of `State.clock`: step from which what is asked for can be sold; HELD, LEAVING or OUT;
# step of the last sale by a stop.
DUE, STATUS, SINCE = range(3)

# Rows of `State.purse`: dollars; what withdrawals still wait for; what `Plan.park` has yet to
# take; value at mark; value and highest value of a unit put in, where a stop watches it; what
# came in and what was bought and sold on the day.
CASH, OWED, PARKED, NAV, GROWN, PEAK, FLOW, MOVED = range(8)

# Rows of `State.flags`: 0 nothing, 1 money to invest, 2 weights to restore; step on which what
# waits can next be done; HELD, LEAVING or OUT of the portfolio's own stop; stops set off.
PENDING, WAKE, WHOLE, STOPS = range(4)

MARK, LEAVE = range(2)
"""Rows of `Traces.worth`."""

# Rows of `Traces.days`: cash, what was bought and sold.
IN_CASH, TURNOVER = range(2)

# Rows of `Trades.record`: units bought and sold; price at which a stop stands, 0 for none.
BOUGHT, SOLD, LEVEL = range(3)


class Book(NamedTuple):
    """Prices of a unit and the ways in and out.

    rows : Rows
        Marks of the holdings without cash paid out before; then what exits pay, with it; then
        what only some have: prices of a sale, sellable shares, income, sources.
    at : (n_holdings, 7), int64
        Arrays of the sale's price, the sellable share and the income, NOTHING where there is
        none; days of notice; array of what the sources of a unit brought so
        far, number of these layers (0 where nobody asks) and the first one's row in
        `Trades.brought`.
    is_open : (n_holdings + 1, n_steps + 1), bool
        Whether a holding trades; last row: whether all do.
    next_sale : (n_holdings, n_steps + 2), int64
        First step from a step on at which a holding trades and is not locked up; NEVER if none.
    buy_cost : (n_holdings,)
        Share of the mark that is paid on top, commission included.
    most : (n_holdings,)
        Units beyond which nobody buys after the first day, infinite where there is no end.
    commission : float
    """

    rows: Rows
    at: IntArray
    is_open: BoolArray
    next_sale: IntArray
    buy_cost: FloatArray
    most: FloatArray
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

    held : (6, n_holdings, n_paths)
    clock : (3, n_holdings, n_paths), int64
    purse : (8, n_paths), USD
    flags : (4, n_paths), int64
    """

    held: FloatArray
    clock: IntArray
    purse: FloatArray
    flags: IntArray


class Trades(NamedTuple):
    """What trading adds up to; rows as named above. What is not asked for is empty.

    brought : (n_sources, n_paths), USD
        Taken from each source by sales less given to it by purchases.
    record : (3, n_holdings, n_steps + 1, n_paths), or (3, n_holdings, 0, 0)
    """

    brought: FloatArray
    record: FloatArray


class Traces(NamedTuple):
    """What is kept of the steps; rows as named above. What is not asked for is empty.

    Apart from `Trades`, because each array of a tuple costs every call that takes it.

    worth : (2, n_steps + 1, n_paths), USD at mark and at exit
    shares : (n_holdings + 2, n_steps + 1), or (n_holdings + 2, 0)
        Share of each holding, of cash, and of what was bought and sold in the value: sums over
        the first `n_counted` paths.
    n_counted : int
    flows : (n_steps + 1, n_paths), USD, or (0, 0)
    units : (n_holdings, n_steps + 1, n_paths), held at the end of a step, or (n_holdings, 0, 0)
    days : (2, n_steps + 1, n_paths), USD, or (2, 0, 0)
    """

    worth: FloatArray
    shares: FloatArray
    n_counted: int
    flows: FloatArray
    units: FloatArray
    days: FloatArray


def new_state(n_holdings: int, n_paths: int) -> State:
    """Return the state before the first purchase."""
    flags = np.zeros((4, n_paths), np.int64)
    flags[WAKE] = NEVER
    return State(
        held=np.zeros((6, n_holdings, n_paths)),
        clock=np.zeros((3, n_holdings, n_paths), np.int64),
        purse=np.zeros((8, n_paths)),
        flags=flags,
    )
