"""What the portfolio's kernel reads and writes: prices, plan, state of a block of paths.

A step is a calendar day. Amounts of a holding are in units: one is the position that the
instrument's paths describe. The number of paths is a multiple of WIDTH (`vectors`). Few arrays
with named rows, for the sake of compilation: each array of a tuple costs every function that
takes it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from simulator.investors.portfolio.rows import Rows
from simulator.units import BoolArray, FloatArray

IntArray = np.ndarray[Any, np.dtype[np.int64]]

NOTHING = -1
"""Index that stands for no holding, or for an array that an instrument does not have."""

DEAD_BAND = 1e-6
"""Stops act only when a price is further than this share below its level (both engines)."""

_LINE = 8
"""Float64 in a line of the cache."""

NEVER = np.inf
"""Step on which nothing happens."""

HELD, LEAVING, OUT = 0.0, 1.0, 2.0
"""Where a holding stands: held, sold as soon as it can be, stopped out."""

INVEST, RESTORE = 1.0, 2.0
"""What is to be done: money invested, weights restored."""

# Columns of `Book.at`.
SALE, SELLABLE, INCOME, NOTICE, BROUGHT, SOURCES, FIRST, BUYABLE = range(8)

# Rows of `State.held`: units held; price that a fall is counted from; units to be sold once
# that is possible; weight that is meant now, with what was stopped out parked elsewhere; cash
# that a unit has paid out so far; what trading cost; step from which what is asked for can be
# sold; HELD, LEAVING or OUT; step of the last sale by a stop; dollars to be bought for today.
UNITS, REFERENCE, ASKED, GOAL, RECEIVED, COSTS, DUE, STATUS, SINCE, WANTED = range(10)

# Rows of `State.purse`: dollars; what withdrawals still wait for; what `Plan.park` has yet to
# take; value at mark; value and highest value of a unit put in, where a stop watches it; what
# came in and what was bought and sold on the day; 0, INVEST or RESTORE; step on which what
# waits can next be done; HELD, LEAVING or OUT of the portfolio's own stop; stops set off.
CASH, OWED, PARKED, NAV, GROWN, PEAK, FLOW, MOVED, PENDING, WAKE, WHOLE, STOPS = range(12)

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
        what only some have: prices of a sale, sellable shares, income, sources, and whether they
        can be bought.
    at : (n_holdings, 8), int64
        Arrays of the sale's price, the sellable share and the income, NOTHING where there is
        none; days of notice; array of what the sources of a unit brought so
        far, number of these layers (0 where nobody asks) and the first one's row in
        `Trades.brought`; array of where it can be bought.
    is_open : (n_holdings + 1, n_steps + 1), bool
        Whether a holding trades; last row: whether all do.
    next_sale : (n_holdings, n_steps + 2)
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
    next_sale: FloatArray
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

    Numbers of steps and what is one of a few are float64 too: a vector has one type.

    held : (10, n_holdings, at least n_paths)
    purse : (12, at least n_paths)
    """

    held: FloatArray
    purse: FloatArray


class Trades(NamedTuple):
    """What trading adds up to; rows as named above. What is not asked for is empty.

    brought : (n_sources, at least n_paths), USD
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
    sums : (n_holdings + 2, WIDTH)
        Scratch for these.
    n_counted : int
    flows : (n_steps + 1, n_paths), USD, or (0, 0)
    units : (n_holdings, n_steps + 1, n_paths), held at the end of a step, or (n_holdings, 0, 0)
    days : (2, n_steps + 1, n_paths), USD, or (2, 0, 0)
    """

    worth: FloatArray
    shares: FloatArray
    sums: FloatArray
    n_counted: int
    flows: FloatArray
    units: FloatArray
    days: FloatArray


def zeros_apart(*shape: int) -> FloatArray:
    """Return zeros of shape `shape`, each row followed by a line of the cache that is not used.

    Rows begin with a line, so that no vector lies on two; and equal places of rows, which are
    often whole pages long, do not fall on the same few lines.
    """
    *outer, n_paths = shape
    apart = -(-n_paths // _LINE) * _LINE + _LINE
    memory = np.zeros(math.prod(outer) * apart + _LINE)
    start = -(memory.ctypes.data // memory.itemsize) % _LINE
    found: FloatArray = memory[start : memory.size - _LINE + start].reshape(*outer, apart)
    return found


def new_state(n_holdings: int, n_paths: int) -> State:
    """Return the state before the first purchase."""
    state = State(held=zeros_apart(10, n_holdings, n_paths), purse=zeros_apart(12, n_paths))
    state.purse[WAKE] = NEVER
    return state
