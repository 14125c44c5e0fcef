"""The cohorts of borrowers of all lanes side by side, every day: they repay, they borrow.

`state`, of shape (STATE_SIZE,), is the flat array of `lanes`. Most of the time the cohorts of a
lane owe the same: they began together and want the same. Then what they repay or borrow is worked
out once for all but the last, which is often liquidated alone, and only the collateral by cohort.

`unlike`, of shape (WIDTH // GROUP,), says of each group of lanes whether in one of them the first
cohorts owe different amounts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.instruments.gold_vault.borrowers import (
    Loan,
    Terrain,
    closes,
    get_terrain,
    repayment,
    units_left,
    units_posted,
    wanting,
    wish,
)
from simulator.instruments.gold_vault.lanes import (
    BORROW_INDEX,
    CASH,
    COLLATERAL_UNITS,
    DEBT,
    EXPLOIT_DAY,
    FEED_USD,
    HELD_UP,
    MARKED,
    SCALED_DEBT,
    WIDTH,
    count_marks,
)
from simulator.instruments.gold_vault.moves import USDC_UNITS, without_room
from simulator.instruments.gold_vault.state import N_COHORTS, Needs, Terms
from simulator.jit import inlined, kernel
from simulator.units import BoolArray, FloatArray

GROUP = 8
"""Lanes that are gone through the short way together: one vector of the widest."""
N_ALIKE = N_COHORTS - 1
"""Cohorts that owe the same until the first of them is liquidated; the last is so often."""
assert N_COHORTS == 8, "the cohorts are written out one by one below"


class Books(NamedTuple):
    """A market's cash and the sum of all scaled debts."""

    cash: float
    total: float


@inlined
def _repay(
    state: FloatArray,
    lane: int,
    cohort: int,
    need: float,
    terrain: Terrain,
    books: Books,
    terms: Terms,
) -> Books:
    """Let a cohort repay what it owes too much; return the books after it.

    `state` is of shape (STATE_SIZE,).
    """
    row = cohort * WIDTH + lane
    done = repayment(state[DEBT + row], terrain, terms)
    state[DEBT + row] += done.scaled
    _release(state, row, done.owed_units, need)
    return Books(books.cash - done.ounces, books.total + done.scaled)


@inlined
def _release(state: FloatArray, row: int, owed_units: float, need: float) -> None:
    """Give a cohort the collateral back that its debt no longer needs.

    `state` is of shape (STATE_SIZE,).
    """
    units = state[COLLATERAL_UNITS + row]
    state[COLLATERAL_UNITS + row] = units_left(units, owed_units, need)


@inlined
def _lend(
    state: FloatArray, lane: int, cohort: int, need: float, done: Loan, goes: bool, books: Books
) -> Books:
    """Let a cohort borrow, if its lane goes the usual way; return the books after it.

    `state` is of shape (STATE_SIZE,).
    """
    row = cohort * WIDTH + lane
    ounces, scaled = done.ounces if goes else 0.0, done.scaled if goes else 0.0
    state[DEBT + row] += scaled
    _post(state, row, done.owed_units if goes else 0.0, need)
    return Books(books.cash - ounces, books.total + scaled)


@inlined
def _post(state: FloatArray, row: int, owed_units: float, need: float) -> None:
    """Let a cohort post the collateral that its debt needs; `state` of shape (STATE_SIZE,)."""
    units = state[COLLATERAL_UNITS + row]
    state[COLLATERAL_UNITS + row] = units_posted(units, owed_units, need)


@kernel
def find_unlike(state: FloatArray, unlike: BoolArray) -> None:
    """Find the groups of lanes in one of which the first cohorts do not all owe the same.

    All begin with nothing and want the same: only a liquidation or a lack of cash sets one
    apart. `state` is of shape (STATE_SIZE,), `unlike` of (WIDTH // GROUP,).
    """
    for group in range(WIDTH // GROUP):
        unlike[group] = False
        for lane in range(group * GROUP, (group + 1) * GROUP):
            for cohort in range(1, N_ALIKE):
                if state[DEBT + cohort * WIDTH + lane] != state[DEBT + lane]:
                    unlike[group] = True


@kernel
def spread_debts(state: FloatArray, unlike: BoolArray) -> None:
    """Write down the debt of each cohort, where the first one's has stood for all but the last.

    `state` is of shape (STATE_SIZE,), `unlike` of (WIDTH // GROUP,).
    """
    for group in range(WIDTH // GROUP):
        if not unlike[group]:
            for cohort in range(1, N_ALIKE):
                for lane in range(group * GROUP, (group + 1) * GROUP):
                    state[DEBT + cohort * WIDTH + lane] = state[DEBT + lane]


@inlined
def _is_beyond(state: FloatArray, row: int, owed_units: float) -> bool:
    """Return whether a debt is worth more than a cohort's collateral.

    `state` is of shape (STATE_SIZE,).
    """
    return owed_units > state[COLLATERAL_UNITS + row]


@inlined
def _is_lost(state: FloatArray, lane: int, cohort: int, price: float) -> bool:
    """Return whether a cohort is beyond the threshold at this price of a scaled debt.

    `state` is of shape (STATE_SIZE,).
    """
    row = cohort * WIDTH + lane
    return _is_beyond(state, row, state[DEBT + row] * price)


@inlined
def _mark(state: FloatArray, lane: int, day: float, beyond: bool) -> None:
    """Mark a lane, or clear its mark: somebody is beyond the threshold, or an exploit's day.

    `state` is of shape (STATE_SIZE,).
    """
    state[MARKED + lane] = 1.0 if beyond | (state[EXPLOIT_DAY + lane] == day) else 0.0


@kernel
def _find_each(state: FloatArray, group: int, day: float, per_threshold: float) -> None:
    """Mark as `find_losses` does, on a group whose cohorts owe different amounts.

    `state` is of shape (STATE_SIZE,).
    """
    for lane in range(group * GROUP, (group + 1) * GROUP):
        price = state[BORROW_INDEX + lane] * state[FEED_USD + lane] * per_threshold
        beyond = _is_lost(state, lane, 0, price) | _is_lost(state, lane, 1, price)
        beyond |= _is_lost(state, lane, 2, price) | _is_lost(state, lane, 3, price)
        beyond |= _is_lost(state, lane, 4, price) | _is_lost(state, lane, 5, price)
        beyond |= _is_lost(state, lane, 6, price) | _is_lost(state, lane, 7, price)
        _mark(state, lane, day, beyond)


@inlined
def find_losses(state: FloatArray, unlike: BoolArray, day: float, terms: Terms) -> int:
    """Mark the lanes of an exploit, or with a cohort beyond the threshold; return their number.

    A cohort is beyond it where its debt over the threshold is worth more than its collateral.
    `state` is of shape (STATE_SIZE,), `unlike` of (WIDTH // GROUP,).
    """
    per_threshold = USDC_UNITS / terms.liquidation_threshold
    for lane in range(WIDTH):
        price = state[BORROW_INDEX + lane] * state[FEED_USD + lane] * per_threshold
        owed = state[DEBT + lane] * price
        beyond = _is_lost(state, lane, 7, price) | _is_beyond(state, lane, owed)
        beyond |= _is_beyond(state, WIDTH + lane, owed)
        beyond |= _is_beyond(state, 2 * WIDTH + lane, owed)
        beyond |= _is_beyond(state, 3 * WIDTH + lane, owed)
        beyond |= _is_beyond(state, 4 * WIDTH + lane, owed)
        beyond |= _is_beyond(state, 5 * WIDTH + lane, owed)
        beyond |= _is_beyond(state, 6 * WIDTH + lane, owed)
        _mark(state, lane, day, beyond)
    for group in range(WIDTH // GROUP):
        if unlike[group]:
            _find_each(state, group, day, per_threshold)
    return count_marks(state, MARKED)


@inlined
def get_ground(state: FloatArray, lane: int, terms: Terms) -> tuple[Terrain, bool]:
    """Return the terrain for repayments, and whether the lane ends its loans instead.

    `state` is of shape (STATE_SIZE,).
    """
    terrain = get_terrain(state, lane, terms)
    ends = closes(terrain) and state[SCALED_DEBT + lane] > 0.0
    # nobody owes more than infinity
    return wanting(terrain, np.inf if ends else terrain.wanted), ends


@inlined
def put_books(state: FloatArray, lane: int, books: Books) -> None:
    """Write the market's cash and the sum of all scaled debts; `state` of shape (STATE_SIZE,)."""
    state[CASH + lane] = books.cash
    state[SCALED_DEBT + lane] = books.total


# Here and in `find_losses` the cohorts stand one by one instead of in a loop: LLVM does not
# unroll one of this size, and without that makes no vector instructions of the loop over lanes
# around it.


@inlined
def _repay_each(state: FloatArray, lane: int, needs: Needs, ground: Terrain, terms: Terms) -> None:
    """Let the cohorts of a lane repay one after the other; `state` of shape (STATE_SIZE,)."""
    books = Books(state[CASH + lane], state[SCALED_DEBT + lane])
    books = _repay(state, lane, 0, needs[0], ground, books, terms)
    books = _repay(state, lane, 1, needs[1], ground, books, terms)
    books = _repay(state, lane, 2, needs[2], ground, books, terms)
    books = _repay(state, lane, 3, needs[3], ground, books, terms)
    books = _repay(state, lane, 4, needs[4], ground, books, terms)
    books = _repay(state, lane, 5, needs[5], ground, books, terms)
    books = _repay(state, lane, 6, needs[6], ground, books, terms)
    books = _repay(state, lane, 7, needs[7], ground, books, terms)
    put_books(state, lane, books)


@inlined
def _repay_alike(state: FloatArray, lane: int, needs: Needs, ground: Terrain, terms: Terms) -> None:
    """Let the cohorts of a lane repay, of which all but the last owe the same.

    `state` is of shape (STATE_SIZE,).
    """
    done = repayment(state[DEBT + lane], ground, terms)
    state[DEBT + lane] += done.scaled
    _release(state, lane, done.owed_units, needs[0])
    _release(state, WIDTH + lane, done.owed_units, needs[1])
    _release(state, 2 * WIDTH + lane, done.owed_units, needs[2])
    _release(state, 3 * WIDTH + lane, done.owed_units, needs[3])
    _release(state, 4 * WIDTH + lane, done.owed_units, needs[4])
    _release(state, 5 * WIDTH + lane, done.owed_units, needs[5])
    _release(state, 6 * WIDTH + lane, done.owed_units, needs[6])
    cash = state[CASH + lane] - N_ALIKE * done.ounces
    books = Books(cash, state[SCALED_DEBT + lane] + N_ALIKE * done.scaled)
    put_books(state, lane, _repay(state, lane, 7, needs[7], ground, books, terms))


@inlined
def repay_all(state: FloatArray, unlike: BoolArray, needs: Needs, terms: Terms) -> int:
    """Let the cohorts that owe too much repay; return the number of lanes that end loans.

    Those are marked, and left as they are. `state` is of shape (STATE_SIZE,), `unlike` of
    (WIDTH // GROUP,), as `find_unlike` has left it.
    """
    for group in range(WIDTH // GROUP):
        if unlike[group]:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                ground, ends = get_ground(state, lane, terms)
                _repay_each(state, lane, needs, ground, terms)
                state[MARKED + lane] = 1.0 if ends else 0.0
        else:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                ground, ends = get_ground(state, lane, terms)
                _repay_alike(state, lane, needs, ground, terms)
                state[MARKED + lane] = 1.0 if ends else 0.0
    return count_marks(state, MARKED)


@inlined
def _goes(state: FloatArray, lane: int, ounces: float, terms: Terms) -> bool:
    """Return whether a lane can lend `ounces` in all; mark it as held up where not.

    `state` is of shape (STATE_SIZE,).
    """
    short = ounces > 0.0 and ounces > without_room(state[CASH + lane], terms)
    held_up = short or state[HELD_UP + lane] > 0.0
    state[HELD_UP + lane] = 1.0 if held_up else 0.0
    return not held_up


@inlined
def _lend_each(state: FloatArray, lane: int, needs: Needs, terms: Terms) -> None:
    """Let the cohorts of a lane borrow, each by its own debt; `state` of shape (STATE_SIZE,)."""
    terrain = get_terrain(state, lane, terms)
    done0 = wish(state[DEBT + lane], terrain, terms)
    done1 = wish(state[DEBT + WIDTH + lane], terrain, terms)
    done2 = wish(state[DEBT + 2 * WIDTH + lane], terrain, terms)
    done3 = wish(state[DEBT + 3 * WIDTH + lane], terrain, terms)
    done4 = wish(state[DEBT + 4 * WIDTH + lane], terrain, terms)
    done5 = wish(state[DEBT + 5 * WIDTH + lane], terrain, terms)
    done6 = wish(state[DEBT + 6 * WIDTH + lane], terrain, terms)
    done7 = wish(state[DEBT + 7 * WIDTH + lane], terrain, terms)
    ounces = (done0.ounces + done1.ounces) + (done2.ounces + done3.ounces)
    ounces += (done4.ounces + done5.ounces) + (done6.ounces + done7.ounces)
    goes = _goes(state, lane, ounces, terms)
    books = Books(state[CASH + lane], state[SCALED_DEBT + lane])
    books = _lend(state, lane, 0, needs[0], done0, goes, books)
    books = _lend(state, lane, 1, needs[1], done1, goes, books)
    books = _lend(state, lane, 2, needs[2], done2, goes, books)
    books = _lend(state, lane, 3, needs[3], done3, goes, books)
    books = _lend(state, lane, 4, needs[4], done4, goes, books)
    books = _lend(state, lane, 5, needs[5], done5, goes, books)
    books = _lend(state, lane, 6, needs[6], done6, goes, books)
    books = _lend(state, lane, 7, needs[7], done7, goes, books)
    put_books(state, lane, books)


@inlined
def _lend_alike(state: FloatArray, lane: int, needs: Needs, terms: Terms) -> None:
    """Let the cohorts of a lane borrow, of which all but the last owe the same.

    `state` is of shape (STATE_SIZE,).
    """
    terrain = get_terrain(state, lane, terms)
    done = wish(state[DEBT + lane], terrain, terms)
    done7 = wish(state[DEBT + 7 * WIDTH + lane], terrain, terms)
    goes = _goes(state, lane, N_ALIKE * done.ounces + done7.ounces, terms)
    ounces, scaled = done.ounces if goes else 0.0, done.scaled if goes else 0.0
    owed_units = done.owed_units if goes else 0.0
    state[DEBT + lane] += scaled
    _post(state, lane, owed_units, needs[0])
    _post(state, WIDTH + lane, owed_units, needs[1])
    _post(state, 2 * WIDTH + lane, owed_units, needs[2])
    _post(state, 3 * WIDTH + lane, owed_units, needs[3])
    _post(state, 4 * WIDTH + lane, owed_units, needs[4])
    _post(state, 5 * WIDTH + lane, owed_units, needs[5])
    _post(state, 6 * WIDTH + lane, owed_units, needs[6])
    cash = state[CASH + lane] - N_ALIKE * ounces
    books = Books(cash, state[SCALED_DEBT + lane] + N_ALIKE * scaled)
    put_books(state, lane, _lend(state, lane, 7, needs[7], done7, goes, books))


@inlined
def lend_all(state: FloatArray, unlike: BoolArray, needs: Needs, terms: Terms) -> int:
    """Let the cohorts that want more borrow; return the number of lanes that are held up.

    Those are lanes with a liquidation today, or without the cash for all; they are marked, and
    left as they are. To ask for the cash of one cohort after the other would take longest.
    `state` is of shape (STATE_SIZE,), `unlike` of (WIDTH // GROUP,).
    """
    for group in range(WIDTH // GROUP):
        if unlike[group]:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                _lend_each(state, lane, needs, terms)
        else:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                _lend_alike(state, lane, needs, terms)
    return count_marks(state, HELD_UP)
