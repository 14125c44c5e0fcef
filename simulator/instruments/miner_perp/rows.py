"""The state of LANES paths side by side: rows of the market, then of each account.

What changes from day to day stands in rows of LANES numbers, one after another in one flat array,
everywhere called `state`, of shape (N_OWN + N_ACCOUNT * n_accounts) * LANES. Constants say where a
row begins: a row of the market at the constant, one of an account so far from the account's place
(`place_of`). Functions work on the vector of eight paths that begins `k` behind.
"""

from __future__ import annotations

from enum import IntEnum

from simulator.instruments.miner_perp.state import (
    Act,
    Amount,
    Befell,
    Fate,
    From,
    Observed,
    Of,
    Series,
)
from simulator.jit import inlined
from simulator.mechanics.vectors import Mask, Vector, chosen, get, put, put_where
from simulator.units import LANES, FloatArray


class Own(IntEnum):
    """Rows of what there is on each path, USD where not said otherwise.

    POOL, INSURANCE, FEES, MARGINS : the four owners of all cash
    LONG, SHORT : sizes of the sides, units of the index
    LONG_COST, SHORT_COST : what they were bought for
    BASIS : sum over positions of size x funding index when it was last settled
    RATE, FUNDING : annual rate that drifts, and what a unit has paid by now
    BAD, CUT : debts that the pool bore, and profits that were cut, so far
    LIQUIDATED : notional that was liquidated so far
    EARNED_FEES, EARNED_FUNDING, LOST : the pool's part of fees, funding that was settled with it,
        and debts and keepers' fees that it bore, so far
    EVENTS : how many liquidations, stops, reductions and bad debts so far
    MARKED : 1 where something just happened, for those who go through single paths
    SHARE : the measured provider's part of the pool, 0 to 1
    """

    POOL = 0
    INSURANCE = 1
    FEES = 2
    MARGINS = 3
    LONG = 4
    SHORT = 5
    LONG_COST = 6
    SHORT_COST = 7
    BASIS = 8
    RATE = 9
    FUNDING = 10
    BAD = 11
    CUT = 12
    LIQUIDATED = 13
    EARNED_FEES = 14
    EARNED_FUNDING = 15
    LOST = 16
    EVENTS = 17
    MARKED = 18
    SHARE = 19


class Account(IntEnum):
    """Rows of one account on each path, USD where not said otherwise.

    SIZE : units of the index, below zero short
    COST : what it was bought for, of the size's sign
    MARGIN : paid in and settled so far
    SETTLED : funding index when it was last settled
    WAITS, CLOSES : size of the order that waits, and 1 where one waits that closes all, else 0
    STOP : index at which its stop stands, 0 for none
    TOUCHED : step on which the stop was touched, 0 for not
    CASH : margin that was paid out
    FUNDING, FEES, LIQUIDATION, CUT : what these brought so far
    STOPPED_ON, LIQUIDATED_ON : the last step on which that befell it, 0 for never
    SLIPPED : how far beyond its level its stop was filled, over the level
    """

    SIZE = 0
    COST = 1
    MARGIN = 2
    SETTLED = 3
    WAITS = 4
    CLOSES = 5
    STOP = 6
    TOUCHED = 7
    CASH = 8
    FUNDING = 9
    FEES = 10
    LIQUIDATION = 11
    CUT = 12
    STOPPED_ON = 13
    LIQUIDATED_ON = 14
    SLIPPED = 15


N_OWN, N_ACCOUNT = len(Own), len(Account)
POOL, INSURANCE, FEES, MARGINS, LONG, SHORT, LONG_COST, SHORT_COST, BASIS, RATE = (
    LANES * row for row in list(Own)[:10]
)
FUNDING, BAD, CUT, LIQUIDATED, EARNED_FEES, EARNED_FUNDING, LOST, EVENTS, MARKED, SHARE = (
    LANES * row for row in list(Own)[10:]
)
SIZE, COST, MARGIN, SETTLED, WAITS, CLOSES, STOP, TOUCHED, CASH = (
    LANES * row for row in list(Account)[:9]
)
HIS_FUNDING, HIS_FEES, HIS_LIQUIDATION, HIS_CUT, STOPPED_ON, LIQUIDATED_ON, SLIPPED = (
    LANES * row for row in list(Account)[9:]
)
BY_PRICE, BY_FUNDING, BY_FEES, BY_LIQUIDATION, BY_CUT, BY_GAS = (int(row) for row in From)
OF_TRADERS, OF_FUNDING, OF_FEES, OF_BAD_DEBT, OF_ILLIQUIDITY, OF_GAS = (int(row) for row in Of)
WAS_LIQUIDATED, WAS_STOPPED, WAS_CUT = (int(row) for row in Befell)
FILLED, DID_LIQUIDATE, DID_STOP, DID_REDUCE, WITHDREW, TOPPED, ORDERED, DOES_CLOSE = (
    int(act) for act in list(Act)
)
FATE_STOPPED, FATE_LIQUIDATED, FATE_SLIP = (int(row) for row in Fate)
OF_ORDER, OF_MARGIN, OF_REDUCED, OF_TOUCH = (int(row) for row in Amount)
IN_LONG, IN_SHORT, IN_RATE, IN_INSURANCE, IN_BAD, IN_CUT, IN_LIQUIDATED = (
    int(row) for row in Series
)
SEEN_POOL, SEEN_INSURANCE, SEEN_FEES, SEEN_MARGINS, SEEN_LONG, SEEN_SHORT = (
    int(column) for column in list(Observed)[:6]
)
SEEN_RATE, SEEN_VALUE, SEEN_BAD, SEEN_CUT = (int(column) for column in list(Observed)[6:])


@inlined
def place_of(account: int) -> int:
    """Return where the rows of an account begin."""
    return (N_OWN + N_ACCOUNT * account) * LANES


@inlined
def at(state: FloatArray, place: int) -> Vector:
    """Return the vector that begins at a place of the state, of shape (n_rows * LANES,)."""
    return get(state, (place,))


@inlined
def write(state: FloatArray, place: int, values: Vector) -> None:
    """Write a vector to a place of the state, of shape (n_rows * LANES,)."""
    put(state, (place,), values)


@inlined
def write_where(state: FloatArray, place: int, where: Mask, values: Vector) -> None:
    """Write the lanes of a mask to a place of the state, of shape (n_rows * LANES,)."""
    put_where(state, (place,), where, values)


@inlined
def add(state: FloatArray, place: int, where: Mask, amount: Vector) -> None:
    """Add to the lanes of a mask at a place of the state, of shape (n_rows * LANES,)."""
    before = at(state, place)
    write(state, place, chosen(where, before + amount, before))


@inlined
def clear(state: FloatArray, place: int, where: Mask) -> None:
    """Write zero to the lanes of a mask at a place of the state, of shape (n_rows * LANES,)."""
    write(state, place, chosen(where, 0.0, at(state, place)))
