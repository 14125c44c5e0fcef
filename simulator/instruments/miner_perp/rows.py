"""The rows of numbers, one for each path, of the market and of accounts.

What changes from day to day stands in rows of LANES numbers, one after another in one flat
array; constants say where each row begins.
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
from simulator.units import LANES


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


N_OWN, N_ACCOUNT = len(Own), len(Account)
POOL, INSURANCE, FEES, MARGINS, LONG, SHORT, LONG_COST, SHORT_COST, BASIS = (
    LANES * row for row in list(Own)[:9]
)
RATE, FUNDING, BAD, CUT, LIQUIDATED, EARNED_FEES, EARNED_FUNDING, LOST = (
    LANES * row for row in list(Own)[9:]
)
SIZE, COST, MARGIN, SETTLED, WAITS, CLOSES, STOP, TOUCHED, CASH = (
    LANES * row for row in list(Account)[:9]
)
HIS_FUNDING, HIS_FEES, HIS_LIQUIDATION, HIS_CUT = (LANES * row for row in list(Account)[9:])
BY_PRICE, BY_FUNDING, BY_FEES, BY_LIQUIDATION, BY_CUT, BY_GAS = (int(row) for row in From)
OF_TRADERS, OF_FUNDING, OF_FEES, OF_BAD_DEBT, OF_ILLIQUIDITY, OF_GAS = (int(row) for row in Of)
WAS_LIQUIDATED, WAS_STOPPED, WAS_CUT = (int(row) for row in Befell)
FILLED, DID_LIQUIDATE, DID_STOP, DID_REDUCE, WITHDREW, TOPPED, ORDERED, DOES_CLOSE = (
    int(act) for act in list(Act)
)
STOPPED_ON, LIQUIDATED_ON, SLIPPED = (int(row) for row in Fate)
OF_ORDER, OF_MARGIN, OF_REDUCED, OF_TOUCH = (int(row) for row in Amount)
IN_LONG, IN_SHORT, IN_RATE, IN_INSURANCE, IN_BAD, IN_CUT, IN_LIQUIDATED = (
    int(row) for row in Series
)
SEEN_POOL, SEEN_INSURANCE, SEEN_FEES, SEEN_MARGINS, SEEN_LONG, SEEN_SHORT = (
    int(column) for column in list(Observed)[:6]
)
SEEN_RATE, SEEN_VALUE, SEEN_BAD, SEEN_CUT = (int(column) for column in list(Observed)[6:])
