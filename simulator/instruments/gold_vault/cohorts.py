"""The cohorts of borrowers of all lanes side by side, every day: they repay, they borrow.

`state` is the flat array of `lanes`. Most of the time the cohorts of a lane owe the same: they
began together and want the same. Then what they repay or borrow is worked out once for all but
the last, which is often liquidated alone, and only the collateral by cohort.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.instruments.gold_vault.borrowers import (
    Loan,
    Needs,
    Terrain,
    closes,
    get_position,
    get_terrain,
    posted_usdc,
    released_usdc,
    repayment,
    wanting,
    wish,
)
from simulator.instruments.gold_vault.lanes import (
    CASH,
    COLLATERAL,
    DEBT,
    HELD_UP,
    MARKED,
    SCALED_DEBT,
    WIDTH,
)
from simulator.instruments.gold_vault.moves import without_room
from simulator.instruments.gold_vault.state import N_COHORTS, Terms
from simulator.mechanics.jit import inlined, kernel
from simulator.mechanics.lending import Position
from simulator.units import FloatArray

BoolArray = npt.NDArray[np.bool_]

GROUP = 8
"""Lanes that are gone through the short way together: one vector of the widest."""
N_ALIKE = N_COHORTS - 1
"""Cohorts that owe the same until the first of them is liquidated; the last is so often."""


class Books(NamedTuple):
    """A market's cash and the sum of all scaled debts."""

    cash: float
    total: float


@inlined
def apply(
    state: FloatArray, lane: int, cohort: int, position: Position, done: Loan, books: Books
) -> Books:
    """Change a cohort's position; return the market's books after it."""
    state[DEBT + cohort * WIDTH + lane] = position.scaled_debt + done.scaled
    state[COLLATERAL + cohort * WIDTH + lane] = position.collateral_usdc + done.posted
    return Books(books.cash - done.ounces, books.total + done.scaled)


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
    position = get_position(state, lane, cohort)
    return apply(state, lane, cohort, position, repayment(position, terrain, need, terms), books)


@inlined
def _lend(state: FloatArray, lane: int, cohort: int, done: Loan, goes: bool, books: Books) -> Books:
    position = get_position(state, lane, cohort)
    allowed = Loan(
        done.ounces if goes else 0.0, done.scaled if goes else 0.0, done.posted if goes else 0.0
    )
    return apply(state, lane, cohort, position, allowed, books)


@kernel
def find_unlike(state: FloatArray, unlike: BoolArray) -> None:
    """Find the groups of lanes in one of which the first cohorts do not all owe the same.

    All begin with nothing and want the same: only a liquidation or a lack of cash sets one
    apart.
    """
    for group in range(WIDTH // GROUP):
        unlike[group] = False
        for lane in range(group * GROUP, (group + 1) * GROUP):
            for cohort in range(1, N_ALIKE):
                if state[DEBT + cohort * WIDTH + lane] != state[DEBT + lane]:
                    unlike[group] = True


@inlined
def get_ground(state: FloatArray, lane: int, terms: Terms) -> tuple[Terrain, bool]:
    """Return the terrain for repayments, and whether the lane ends its loans instead."""
    terrain = get_terrain(state, lane, terms)
    ends = closes(terrain) and state[SCALED_DEBT + lane] > 0.0
    # nobody owes more than infinity
    return wanting(terrain, np.inf if ends else terrain.wanted), ends


@inlined
def put_books(state: FloatArray, lane: int, books: Books) -> None:
    """Write the market's cash and the sum of all scaled debts."""
    state[CASH + lane] = books.cash
    state[SCALED_DEBT + lane] = books.total


# The cohorts one by one instead of in a loop: LLVM does not unroll one of this size, and
# without that makes no vector instructions of the loop over lanes around it.


@inlined
def _repay_each(state: FloatArray, lane: int, needs: Needs, ground: Terrain, terms: Terms) -> None:
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
def _release(
    state: FloatArray, lane: int, cohort: int, debt: float, usd: float, need: float, acts: bool
) -> None:
    row = cohort * WIDTH + lane
    collateral = state[COLLATERAL + row]
    released = released_usdc(collateral, usd, need)
    state[DEBT + row] = debt
    state[COLLATERAL + row] = collateral - (released if acts else 0.0)


@inlined
def _repay_alike(state: FloatArray, lane: int, needs: Needs, ground: Terrain, terms: Terms) -> None:
    position = get_position(state, lane, 0)
    done = repayment(position, ground, needs[0], terms)
    debt = position.scaled_debt + done.scaled
    usd, acts = debt * ground.price, done.ounces < 0.0
    _release(state, lane, 0, debt, usd, needs[0], acts)
    _release(state, lane, 1, debt, usd, needs[1], acts)
    _release(state, lane, 2, debt, usd, needs[2], acts)
    _release(state, lane, 3, debt, usd, needs[3], acts)
    _release(state, lane, 4, debt, usd, needs[4], acts)
    _release(state, lane, 5, debt, usd, needs[5], acts)
    _release(state, lane, 6, debt, usd, needs[6], acts)
    cash = state[CASH + lane] - N_ALIKE * done.ounces
    books = Books(cash, state[SCALED_DEBT + lane] + N_ALIKE * done.scaled)
    put_books(state, lane, _repay(state, lane, 7, needs[7], ground, books, terms))


@inlined
def repay_all(state: FloatArray, unlike: BoolArray, needs: Needs, terms: Terms) -> int:
    """Let the cohorts that owe too much repay; return the number of lanes that end loans.

    Those are marked, and left as they are. `unlike` is of `find_unlike`.
    """
    ending = 0
    for group in range(WIDTH // GROUP):
        if unlike[group]:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                ground, ends = get_ground(state, lane, terms)
                _repay_each(state, lane, needs, ground, terms)
                state[MARKED + lane] = 1.0 if ends else 0.0
                ending += 1 if ends else 0
        else:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                ground, ends = get_ground(state, lane, terms)
                _repay_alike(state, lane, needs, ground, terms)
                state[MARKED + lane] = 1.0 if ends else 0.0
                ending += 1 if ends else 0
    return ending


@inlined
def _goes(state: FloatArray, lane: int, ounces: float, terms: Terms) -> bool:
    """Return whether a lane can lend `ounces` in all; mark it as held up where not."""
    short = ounces > 0.0 and ounces > without_room(state[CASH + lane], terms)
    held_up = short or state[HELD_UP + lane] > 0.0
    state[HELD_UP + lane] = 1.0 if held_up else 0.0
    return not held_up


@inlined
def _lend_each(state: FloatArray, lane: int, needs: Needs, terms: Terms) -> bool:
    terrain = get_terrain(state, lane, terms)
    done0 = wish(state, lane, 0, needs[0], terrain, terms)
    done1 = wish(state, lane, 1, needs[1], terrain, terms)
    done2 = wish(state, lane, 2, needs[2], terrain, terms)
    done3 = wish(state, lane, 3, needs[3], terrain, terms)
    done4 = wish(state, lane, 4, needs[4], terrain, terms)
    done5 = wish(state, lane, 5, needs[5], terrain, terms)
    done6 = wish(state, lane, 6, needs[6], terrain, terms)
    done7 = wish(state, lane, 7, needs[7], terrain, terms)
    ounces = (done0.ounces + done1.ounces) + (done2.ounces + done3.ounces)
    ounces += (done4.ounces + done5.ounces) + (done6.ounces + done7.ounces)
    goes = _goes(state, lane, ounces, terms)
    books = Books(state[CASH + lane], state[SCALED_DEBT + lane])
    books = _lend(state, lane, 0, done0, goes, books)
    books = _lend(state, lane, 1, done1, goes, books)
    books = _lend(state, lane, 2, done2, goes, books)
    books = _lend(state, lane, 3, done3, goes, books)
    books = _lend(state, lane, 4, done4, goes, books)
    books = _lend(state, lane, 5, done5, goes, books)
    books = _lend(state, lane, 6, done6, goes, books)
    books = _lend(state, lane, 7, done7, goes, books)
    put_books(state, lane, books)
    return goes


@inlined
def _post(
    state: FloatArray, lane: int, cohort: int, debt: float, usd: float, need: float, acts: bool
) -> None:
    row = cohort * WIDTH + lane
    collateral = state[COLLATERAL + row]
    posted = posted_usdc(collateral, usd, need)
    state[DEBT + row] = debt
    state[COLLATERAL + row] = collateral + (posted if acts else 0.0)


@inlined
def _lend_alike(state: FloatArray, lane: int, needs: Needs, terms: Terms) -> bool:
    terrain = get_terrain(state, lane, terms)
    position = get_position(state, lane, 0)
    done = wish(state, lane, 0, needs[0], terrain, terms)
    done7 = wish(state, lane, 7, needs[7], terrain, terms)
    goes = _goes(state, lane, N_ALIKE * done.ounces + done7.ounces, terms)
    acts = goes and done.ounces > 0.0
    debt = position.scaled_debt + (done.scaled if acts else 0.0)
    usd = (position.scaled_debt * terrain.borrow_index + done.ounces) * terrain.gold_usd
    _post(state, lane, 0, debt, usd, needs[0], acts)
    _post(state, lane, 1, debt, usd, needs[1], acts)
    _post(state, lane, 2, debt, usd, needs[2], acts)
    _post(state, lane, 3, debt, usd, needs[3], acts)
    _post(state, lane, 4, debt, usd, needs[4], acts)
    _post(state, lane, 5, debt, usd, needs[5], acts)
    _post(state, lane, 6, debt, usd, needs[6], acts)
    cash = state[CASH + lane] - N_ALIKE * (done.ounces if acts else 0.0)
    scaled = state[SCALED_DEBT + lane] + N_ALIKE * (done.scaled if acts else 0.0)
    put_books(state, lane, _lend(state, lane, 7, done7, goes, Books(cash, scaled)))
    return goes


@inlined
def lend_all(state: FloatArray, unlike: BoolArray, needs: Needs, terms: Terms) -> int:
    """Let the cohorts that want more borrow; return the number of lanes that are held up.

    Those are lanes with a liquidation today, or without the cash for all; they are marked, and
    left as they are. To ask for the cash of one cohort after the other would take longest.
    """
    count = 0
    for group in range(WIDTH // GROUP):
        if unlike[group]:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                count += 0 if _lend_each(state, lane, needs, terms) else 1
        else:
            for lane in range(group * GROUP, (group + 1) * GROUP):
                count += 0 if _lend_alike(state, lane, needs, terms) else 1
    return count
