"""The rows of WIDTH numbers, one for each path, in which the kernel keeps its state.

All rows stand one after another in one flat array; the constants say where each begins. LLVM
sees that rows at constant distances do not overlap, and makes vector instructions of the loops
over them.
"""

from __future__ import annotations

from enum import IntEnum

from simulator.instruments.solar_nft.draws import WIDTH
from simulator.instruments.solar_nft.state import From


class Own(IntEnum):
    """What there is on a path, of the measured position; USD unless said otherwise.

    POWER, SUN, MOOD, SILVER, LOCKED, UNLOCKED : today's drivers
    FAILS : step of the default
    POWER_WAS, MOOD_WAS : the day before
    WORTH, METAL : worth of its energy to come and of its silver, before the mood
    PRICE : of all its tokens, without the running period's revenue
    ACCRUED : the running period's revenue less costs, of all panels
    HELD : the position's part of that, where it is above zero
    PAID, BONUS : income so far, of energy and of the bonus
    CASH : what its silver has paid
    OTHERS : watts that others had locked the day before
    MARK, LEAVE, MARK_LOCKED, LEAVE_LOCKED : what the day writes
    """

    POWER = 0
    SUN = 1
    MOOD = 2
    SILVER = 3
    LOCKED = 4
    UNLOCKED = 5
    FAILS = 6
    POWER_WAS = 7
    MOOD_WAS = 8
    WORTH = 9
    METAL = 10
    PRICE = 11
    ACCRUED = 12
    HELD = 13
    PAID = 14
    BONUS = 15
    CASH = 16
    OTHERS = 17
    MARK = 18
    LEAVE = 19
    MARK_LOCKED = 20
    LEAVE_LOCKED = 21


POWER, SUN, MOOD, SILVER, LOCKED, UNLOCKED, FAILS, POWER_WAS, MOOD_WAS, WORTH, METAL = (
    WIDTH * row for row in list(Own)[:11]
)
PRICE, ACCRUED, HELD, PAID, BONUS, CASH, OTHERS, MARK, LEAVE, MARK_LOCKED, LEAVE_LOCKED = (
    WIDTH * row for row in list(Own)[11:]
)
BY = WIDTH * len(Own)
"""Where the attribution begins: rows of `From`."""
BY_ENERGY, _BY_BONUS, BY_SILVER, BY_POWER, BY_MOOD, BY_AGEING, BY_DEFAULT, BY_ISSUE = (
    BY + WIDTH * row for row in list(From)[:8]
)
N_SOURCES = len(From)
STATE_SIZE = BY + WIDTH * N_SOURCES
