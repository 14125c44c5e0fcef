"""The rows of numbers, one for each path, of a pool, of policies, and of what becomes of them.

What changes from day to day stands in rows of LANES numbers, one after another in one flat
array; constants say where each row begins. LLVM sees that rows at constant distances do not
overlap, and makes vector instructions of the loops over them. What a run keeps stands in rows of
n_paths numbers, and constants are their numbers.
"""

from __future__ import annotations

from enum import IntEnum

from simulator.instruments.price_cover.state import Act, From, Miner, Observed, Outcome, Policy
from simulator.units import LANES


class Own(IntEnum):
    """Rows of what there is on each path, USD.

    POOL : what the pool holds, premiums not earned yet apart
    LOCKED, TRIGGERED : all sums insured, and those of triggered policies
    RATE, UNEARNED : premium a day that is being earned, and premiums not earned yet
    OPEN : what open policies would be paid as their settlements stand
    EARNED, PAID : premiums earned and claims paid so far
    PREMIUMS, PAYOUTS, SOLD : the miner's premiums, payouts, and sales less their cost, so far
    COVERED_BEFORE, SOLD_BEFORE : his cash flow up to a period ago with and without cover
    SHARE : the measured underwriter's of the pool, 0 to 1
    """

    POOL = 0
    LOCKED = 1
    RATE = 2
    UNEARNED = 3
    TRIGGERED = 4
    OPEN = 5
    EARNED = 6
    PAID = 7
    PREMIUMS = 8
    PAYOUTS = 9
    SOLD = 10
    COVERED_BEFORE = 11
    SOLD_BEFORE = 12
    SHARE = 13


POOL, LOCKED, RATE, UNEARNED, TRIGGERED, OPEN, EARNED, PAID = (LANES * row for row in list(Own)[:8])
PREMIUMS, PAYOUTS, SOLD, COVERED_BEFORE, SOLD_BEFORE, SHARE = (LANES * row for row in list(Own)[8:])
N_OWN = len(Own)
TONNES, STRIKE, INSURED, DAILY, PREMIUM, MARKED, SEEN = (LANES * row for row in Policy)
N_POLICY = len(Policy)
PAYOUT, MISSING, VOIDED = (int(row) for row in Outcome)
BY_PREMIUMS, BY_CLAIMS, BY_OPEN, BY_ILLIQUIDITY, BY_GAS = (int(row) for row in From)
OF_SALES, OF_PAYOUTS, OF_PREMIUMS = (int(row) for row in Miner)
NONE, TRIGGER, CLEAR, VOID = (int(act) for act in Act)
TOTAL_ASSETS, ALL_LOCKED, ALL_UNEARNED, ALL_TRIGGERED = (int(c) for c in list(Observed)[:4])
UTILISATION, EXIT_VALUE, SETTLEMENT, MINER_PREMIUMS, MINER_PAYOUTS = (
    int(column) for column in list(Observed)[4:]
)
