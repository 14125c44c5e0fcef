"""The rows of numbers, one for each path, of a market and of its loans.

What changes from day to day stands in rows of LANES numbers, one after another in a flat array;
constants say where each row begins, so that LLVM sees that rows do not overlap.
"""

from __future__ import annotations

from enum import IntEnum

from simulator.instruments.token_loan.state import From, Observed, Of, Outcome
from simulator.units import LANES


class Own(IntEnum):
    """Rows of the market and of the day.

    CASH, SCALED, INDEX, SHARES, TREASURY : as in `mechanics.lending.Market`
    RATE : borrow rate a year that holds until the next step
    OTHERS : other borrowers' debt over the index
    BAD_DEBT, LIQUIDATORS : as in `state.Observed`
    LOST : what bad debt has taken from the measured supplier, USDC
    GROWN : sum over days of the index's growth over the metal's price
    SUPPLY : USDC per supply share today
    FEED, TOKEN, METAL, WANTED : the day's drivers
    BID : what the desk pays for a token
    PER_USDC : ounces that a dollar is worth
    LOWEST : price below which others borrow and repay no more, USDC per token
    MARK, LEAVE : the measured supplier's, USDC
    UTILISATION : at the end of the day
    """

    CASH = 0
    SCALED = 1
    INDEX = 2
    SHARES = 3
    TREASURY = 4
    RATE = 5
    OTHERS = 6
    BAD_DEBT = 7
    LIQUIDATORS = 8
    LOST = 9
    GROWN = 10
    SUPPLY = 11
    FEED = 12
    TOKEN = 13
    METAL = 14
    WANTED = 15
    BID = 16
    PER_USDC = 17
    LOWEST = 18
    MARK = 19
    LEAVE = 20
    UTILISATION = 21


class Loan(IntEnum):
    """Rows of one loan.

    LOCKED, FREE : tokens in the market, and in the borrower's wallet
    OWED : debt over the index
    DOLLARS, DEPLOYED : in the wallet, and where borrowed dollars earn, USDC
    RATE : what these earn a day
    BEYOND : days on which it has been beyond the threshold, without a break
    SPENT : gas so far, USD
    BOOKED : the token's price up to which its gains are in the attribution
    EARNED, EARNED_OZ : what deployed dollars have earned, USDC and ounces
    MARK, LEAVE, MARK_OZ, LEAVE_OZ : what it is worth, and what leaving pays, USDC and ounces
    """

    LOCKED = 0
    FREE = 1
    OWED = 2
    DOLLARS = 3
    DEPLOYED = 4
    RATE = 5
    BEYOND = 6
    SPENT = 7
    BOOKED = 8
    EARNED = 9
    EARNED_OZ = 10
    MARK = 11
    LEAVE = 12
    MARK_OZ = 13
    LEAVE_OZ = 14


CASH, SCALED, INDEX, SHARES, TREASURY, RATE, OTHERS, BAD_DEBT = (
    LANES * row for row in list(Own)[:8]
)
LIQUIDATORS, LOST, GROWN, SUPPLY, FEED, TOKEN, METAL, WANTED, BID, PER_USDC = (
    LANES * row for row in list(Own)[8:18]
)
LOWEST, SUPPLIER_MARK, SUPPLIER_LEAVE, UTILISATION = (LANES * row for row in list(Own)[18:])
N_OWN = len(Own)
LOCKED, FREE, OWED, DOLLARS, DEPLOYED, EARNS, BEYOND, SPENT, BOOKED, EARNED, EARNED_OZ = (
    LANES * row for row in list(Loan)[:11]
)
MARK, LEAVE, MARK_OZ, LEAVE_OZ = (LANES * row for row in list(Loan)[11:])
N_LOAN = len(Loan)
BY_PRICE, BY_INTEREST, BY_DEPLOYED, BY_DEFAULT, BY_SWAPS, BY_PENALTY, BY_WRITTEN_OFF, BY_GAS = (
    int(row) for row in Of
)
N_SOURCES = len(Of)
FROM_INTEREST, FROM_BAD_DEBT, FROM_ILLIQUIDITY, FROM_GAS = (int(row) for row in From)
WAS_LOCKED, WAS_OWED, AT_STEP, WAS_REPAID, WAS_BAD, WAS_RETURNED = (
    int(row) for row in list(Outcome)[:6]
)
WAS_PROFIT, WAS_BY_FEED, PAID_BACK, WAS_LEFT, WAS_DEPLOYED, WAS_DUST = (
    int(row) for row in list(Outcome)[6:]
)
SEEN_CASH, SEEN_SUPPLY, SEEN_UTILISATION, SEEN_TREASURY, SEEN_BAD, SEEN_GAIN, SEEN_EXIT = (
    int(column) for column in Observed
)
