"""What the portfolio's kernel reads and writes: prices, plan, state of a block of paths.

Arrays by holding have the holding first; a step is a calendar day. Amounts of a holding are
in units: one is the position that the instrument's paths describe.
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


class Book(NamedTuple):
    """Prices of a unit and the ways in and out; arrays of shape (n_holdings, ...).

    mark, leave : (n_holdings, n_steps + 1, n_paths), USD
        Value, and what an exit on that day pays, both without cash paid out before.
    sale, sellable, income : (n, n_steps + 1, n_paths)
        Of the holdings that have them; `*_at` is a holding's row, or NOTHING.
    is_open : (n_holdings, n_steps + 1), bool
    all_open : (n_steps + 1,), bool
        Steps on which the portfolio is traded as a whole.
    buy_cost : (n_holdings,)
        Share of the mark that is paid on top, commission included.
    lockup, notice : (n_holdings,), int64, days
    commission : float
    """

    mark: FloatArray
    leave: FloatArray
    sale: FloatArray
    sale_at: IntArray
    sellable: FloatArray
    sellable_at: IntArray
    income: FloatArray
    income_at: IntArray
    is_open: BoolArray
    all_open: BoolArray
    buy_cost: FloatArray
    lockup: IntArray
    notice: IntArray
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
    """All that changes on the paths.

    units, reference, asked, goal : (n_holdings, n_paths)
        Held; price that a fall is counted from; units to be sold once that is possible;
        weight that is meant now, with what was stopped out parked elsewhere.
    due, status, since : (n_holdings, n_paths), int64
        Step from which `asked` can be sold; HELD, LEAVING or OUT; step of the last sale.
    cash, owed, parked, nav, grown, peak : (n_paths,), USD, `grown` and `peak` per unit put in
        Owed is what withdrawals still wait for, parked what `Plan.park` has yet to take.
    pending : (n_paths,), int64
        0 nothing, 1 money to invest, 2 weights to restore.
    wake : (n_paths,), int64
        Step on which what waits can next be done: a sale, a payment, the way back in.
    whole : (n_paths,), int64
        HELD, LEAVING or OUT of the portfolio's own stop.
    """

    units: FloatArray
    reference: FloatArray
    asked: FloatArray
    goal: FloatArray
    due: IntArray
    status: IntArray
    since: IntArray
    cash: FloatArray
    owed: FloatArray
    parked: FloatArray
    nav: FloatArray
    grown: FloatArray
    peak: FloatArray
    pending: IntArray
    wake: IntArray
    whole: IntArray


class Traces(NamedTuple):
    """What is kept of every step.

    units : (n_holdings, n_steps + 1, n_paths), held at the end of a step
    cash, nav, leave, flows : (n_steps + 1, n_paths), USD
        `nav` at mark, `leave` what an exit pays; both with cash and what is owed.
    costs : (n_holdings, n_paths), USD
        Proceeds less marks of all sales and marks less payments of all purchases.
    turnover : (n_steps + 1, n_paths), USD
        Bought and sold on a step, at mark.
    stops : (n_paths,), int64
        Stop-losses that were set off.
    bought, sold : (n_holdings, n_steps + 1, n_paths), or of shape (n_holdings, 0, 0)
        Units bought and sold on a step, where they were asked for.
    level : (n_holdings, n_steps + 1, n_paths), or of shape (n_holdings, 0, 0)
        Price at which a holding's stop stands at the end of a step, 0 for none.
    """

    units: FloatArray
    cash: FloatArray
    nav: FloatArray
    leave: FloatArray
    flows: FloatArray
    costs: FloatArray
    turnover: FloatArray
    stops: IntArray
    bought: FloatArray
    sold: FloatArray
    level: FloatArray


def new_state(n_holdings: int, n_paths: int) -> State:
    """Return the state before the first purchase."""
    by_holding = (n_holdings, n_paths)
    return State(
        units=np.zeros(by_holding),
        reference=np.zeros(by_holding),
        asked=np.zeros(by_holding),
        goal=np.zeros(by_holding),
        due=np.zeros(by_holding, np.int64),
        status=np.zeros(by_holding, np.int64),
        since=np.zeros(by_holding, np.int64),
        cash=np.zeros(n_paths),
        owed=np.zeros(n_paths),
        parked=np.zeros(n_paths),
        nav=np.zeros(n_paths),
        grown=np.zeros(n_paths),
        peak=np.zeros(n_paths),
        pending=np.zeros(n_paths, np.int64),
        wake=np.full(n_paths, NEVER),
        whole=np.zeros(n_paths, np.int64),
    )


def new_traces(n_holdings: int, n_steps: int, n_paths: int, record: bool) -> Traces:
    """Return empty traces; sales and stops by step only where they are recorded."""
    by_step = (n_steps + 1, n_paths)
    recorded = (n_holdings, *(by_step if record else (0, 0)))
    return Traces(
        units=np.zeros((n_holdings, *by_step)),
        cash=np.zeros(by_step),
        nav=np.zeros(by_step),
        leave=np.zeros(by_step),
        flows=np.zeros(by_step),
        costs=np.zeros((n_holdings, n_paths)),
        turnover=np.zeros(by_step),
        stops=np.zeros(n_paths, np.int64),
        bought=np.zeros(recorded),
        sold=np.zeros(recorded),
        level=np.zeros(recorded),
    )
