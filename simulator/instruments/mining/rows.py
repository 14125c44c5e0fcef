"""The rows of LANES numbers, one for each path, in which the token's kernel keeps its state.

All rows stand one after another in one flat array; the constants say where each begins. LLVM
sees that rows at constant distances do not overlap, and makes vector instructions of the loops
over them.
"""

from __future__ import annotations

from enum import IntEnum

from simulator.instruments.mining.state import From
from simulator.units import LANES


class Own(IntEnum):
    """What a holder has.

    PART : of the supply, 0 to 1
    SHARE : of the mine's worth that his claim is, 0 to 1
    STREAM, ORGANIC : the running stream of all holders and the profit in it, USD a day
    DAYS_LEFT : days that it still runs
    PAID : USD that he received
    CASH : USD that is not in tokens: escrow or refund
    PAR : issue value of his tokens, USD
    LEFT : USD that a default left of his claim, negative: none yet
    SPENT : USD that transactions cost him
    """

    PART = 0
    SHARE = 1
    STREAM = 2
    ORGANIC = 3
    DAYS_LEFT = 4
    PAID = 5
    CASH = 6
    PAR = 7
    LEFT = 8
    SPENT = 9


class Seen(IntEnum):
    """How the market saw the holding on the last day.

    GEARING : dollars of price per dollar of the mine's worth
    GEARED_TONNES, GEARED_COMING : that times the mine's tonnes and its profit to come, USD
    MOOD : as a factor
    TRUST : how far the issue price is believed in, 0 to 1
    PRICE : of the holding, USD
    USD : copper's price, USD per tonne
    ACCRUED : the mine's profit of the running period so far, USD
    AHEAD : the discount that was thought to be left a day later
    HALTED : 1 where the mine stood still, else 0
    """

    GEARING = 0
    GEARED_TONNES = 1
    GEARED_COMING = 2
    MOOD = 3
    TRUST = 4
    PRICE = 5
    USD = 6
    ACCRUED = 7
    AHEAD = 8
    HALTED = 9


class Today(IntEnum):
    """What a day writes anew, but for the last.

    TONNES : change of the mine's worth per USD per tonne, tonnes
    PLANNED : worth of its profit to come at the long-run price, USD
    DISCOUNT, NEXT : for the days of full output to be missed, and for one day fewer
    WHOLE : the mine's worth, USD
    SWING : the mood's change over the new one
    TRUSTED : trust before the period ended, 0 to 1
    BEGUN : outages begun so far while the holder had tokens
    """

    TONNES = 0
    PLANNED = 1
    DISCOUNT = 2
    NEXT = 3
    WHOLE = 4
    SWING = 5
    TRUSTED = 6
    BEGUN = 7


class Issued(IntEnum):
    """What there is of the token; read and written on few days.

    SOLD_SHARE : of the hard cap, 0 to 1
    SUPPLY : tokens in circulation, none where the raise failed
    POT : USD kept for top-ups
    KEPT : 1 while every promise was kept, else 0; 0 without top-ups
    UNPAID : recorded profit that was not paid out yet, USD
    STOOD : 1 where the mine stood still on the day after the close, else 0
    """

    SOLD_SHARE = 0
    SUPPLY = 1
    POT = 2
    KEPT = 3
    UNPAID = 4
    STOOD = 5


PART, SHARE, STREAM, ORGANIC, DAYS_LEFT, PAID, CASH, PAR, LEFT, SPENT = (LANES * row for row in Own)
_SEEN = len(Own)
GEARING, GEARED_TONNES, GEARED_COMING, MOOD, TRUST, PRICE, USD, ACCRUED, AHEAD, HALTED = (
    LANES * (_SEEN + row) for row in Seen
)
_TODAY = _SEEN + len(Seen)
TONNES, PLANNED, DISCOUNT, NEXT, WHOLE, SWING, TRUSTED, BEGUN = (
    LANES * (_TODAY + row) for row in Today
)
_FROM = _TODAY + len(Today)
BY = LANES * _FROM
"""Where the attribution begins: rows of `From`."""
BY_PROFIT, BY_RETURNED, BY_COPPER, BY_ORE_AND_TIME, BY_MOOD, BY_OUTAGE, BY_DELAY, BY_DEFAULT = (
    LANES * (_FROM + row) for row in list(From)[:8]
)
BY_TRUST, BY_ISSUE, BY_ILLIQUIDITY, BY_GAS = (LANES * (_FROM + row) for row in list(From)[8:])
N_SOURCES, GAS_ROW = len(From), int(From.GAS)
# what is used on few days stands last: rows of every day then share lines of the cache evenly
_ISSUED = _FROM + N_SOURCES
SOLD_SHARE, SUPPLY, POT, KEPT, UNPAID, STOOD = (LANES * (_ISSUED + row) for row in Issued)
N_ROWS = _ISSUED + len(Issued)
