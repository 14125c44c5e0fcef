"""What the eight cohorts of borrowers do, and what is done to them.

`state` is the flat array of `lanes`. The cohorts of all lanes are gone through side by side;
what is rare, a liquidation or the end of a loan, is done on the marked lanes alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.instruments.gold_vault.lanes import (
    BORROW_INDEX,
    CASH,
    COLLATERAL,
    DEBT,
    DEMAND_OUNCES,
    EVENTS,
    EXPLOIT_DAY,
    GOLD_USD,
    HELD_UP,
    LENDING_SHARES,
    MARKED,
    SCALED_DEBT,
    WIDTH,
    get_fund,
    put_market,
)
from simulator.instruments.gold_vault.moves import (
    DEAD_BAND,
    MINIMUM_LOAN_USD,
    floor_to,
    releasable,
    usdc_up,
    without_room,
)
from simulator.instruments.gold_vault.state import N_COHORTS, Action, Terms
from simulator.mechanics import lending
from simulator.mechanics.jit import inlined, kernel
from simulator.mechanics.lending import Position
from simulator.units import FloatArray

PLENTY_OUNCES = 1e300
"""More cash than any market has."""

LIQUIDATE = int(Action.LIQUIDATE)
REPAY = int(Action.REPAY)
RELEASE_USDC = int(Action.RELEASE_USDC)
BORROW = int(Action.BORROW)
POST_USDC = int(Action.POST_USDC)


Needs = tuple[float, float, float, float, float, float, float, float]
"""By cohort, the collateral over a debt of one at which it opens a loan."""


class Terrain(NamedTuple):
    """What the cohorts of one lane have in common on a day.

    `per_index` is one over the borrow index, `price` the index times gold's price.
    """

    wanted: float
    gold_usd: float
    borrow_index: float
    per_index: float
    price: float


class Loan(NamedTuple):
    """What a cohort does with its debt, negative where it repays, and the USDC it posts."""

    ounces: float
    scaled: float
    posted: float


@inlined
def get_terrain(state: FloatArray, lane: int, terms: Terms) -> Terrain:
    """Return the lane's terrain; a cohort wants no more than leaves the rate bearable."""
    index, gold_usd = state[BORROW_INDEX + lane], state[GOLD_USD + lane]
    bearable = terms.bearable * (state[CASH + lane] + state[SCALED_DEBT + lane] * index)
    demand = state[DEMAND_OUNCES + lane]
    wanted = (bearable if bearable < demand else demand) / N_COHORTS
    return Terrain(wanted, gold_usd, index, 1.0 / index, index * gold_usd)


@inlined
def get_position(state: FloatArray, lane: int, cohort: int) -> Position:
    """Return a cohort's debt and collateral."""
    row = cohort * WIDTH + lane
    return Position(state[DEBT + row], state[COLLATERAL + row])


@inlined
def repayment(position: Position, terrain: Terrain, need: float, terms: Terms) -> Loan:
    """Return what a cohort repays that owes more than it wants, and the USDC it takes back.

    `need` is the collateral over a debt of one at which it opens a loan.
    """
    owed = position.scaled_debt * terrain.borrow_index
    gap = owed - terrain.wanted
    amount = floor_to(gap, terms)
    scaled = amount * terrain.per_index
    scaled = scaled if scaled < position.scaled_debt else position.scaled_debt
    left = usdc_up((position.scaled_debt - scaled) * terrain.price * need)
    released = position.collateral_usdc - left
    released = released if released > 0.0 else 0.0
    acting = gap > terms.inertia * owed
    return Loan(
        -amount if acting else 0.0, -scaled if acting else 0.0, -released if acting else 0.0
    )


@inlined
def loan(position: Position, terrain: Terrain, cash: float, need: float, terms: Terms) -> Loan:
    """Return what a cohort borrows that wants more, as far as there is cash, and posts."""
    owed = position.scaled_debt * terrain.borrow_index
    gap = terrain.wanted - owed
    room = without_room(cash, terms)
    amount = floor_to(room if room < gap else gap, terms)
    acting = gap > terms.inertia * owed and amount * terrain.gold_usd >= MINIMUM_LOAN_USD
    amount = amount if acting else 0.0
    posted = usdc_up((owed + amount) * terrain.gold_usd * need - position.collateral_usdc)
    posted = posted if acting and posted > 0.0 else 0.0
    return Loan(amount, amount * terrain.per_index, posted)


@inlined
def wanting(terrain: Terrain, ounces: float) -> Terrain:
    """Return the terrain with another amount that each cohort wants."""
    return Terrain(ounces, terrain.gold_usd, terrain.borrow_index, terrain.per_index, terrain.price)


@inlined
def closes(terrain: Terrain) -> bool:
    """Return whether the cohorts want so little that they end their loans."""
    return terrain.wanted * terrain.gold_usd < MINIMUM_LOAN_USD


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


@inlined
def _wish(
    state: FloatArray, lane: int, cohort: int, need: float, terrain: Terrain, terms: Terms
) -> Loan:
    return loan(get_position(state, lane, cohort), terrain, PLENTY_OUNCES, need, terms)


# The cohorts one by one instead of in a loop: LLVM does not unroll one of this size, and
# without that makes no vector instructions of the loop over lanes around it.


@inlined
def repay_all(state: FloatArray, needs: Needs, terms: Terms) -> int:
    """Let the cohorts that owe too much repay; return the number of lanes that end loans.

    Those are marked, and left as they are.
    """
    ending = 0
    for lane in range(WIDTH):
        terrain = get_terrain(state, lane, terms)
        ends = closes(terrain) and state[SCALED_DEBT + lane] > 0.0
        # nobody owes more than infinity
        wanted = np.inf if ends else terrain.wanted
        ground = Terrain(
            wanted, terrain.gold_usd, terrain.borrow_index, terrain.per_index, terrain.price
        )
        books = Books(state[CASH + lane], state[SCALED_DEBT + lane])
        books = _repay(state, lane, 0, needs[0], ground, books, terms)
        books = _repay(state, lane, 1, needs[1], ground, books, terms)
        books = _repay(state, lane, 2, needs[2], ground, books, terms)
        books = _repay(state, lane, 3, needs[3], ground, books, terms)
        books = _repay(state, lane, 4, needs[4], ground, books, terms)
        books = _repay(state, lane, 5, needs[5], ground, books, terms)
        books = _repay(state, lane, 6, needs[6], ground, books, terms)
        books = _repay(state, lane, 7, needs[7], ground, books, terms)
        state[CASH + lane] = books.cash
        state[SCALED_DEBT + lane] = books.total
        state[MARKED + lane] = 1.0 if ends else 0.0
        ending += 1 if ends else 0
    return ending


@inlined
def lend_all(state: FloatArray, needs: Needs, terms: Terms) -> int:
    """Let the cohorts that want more borrow; return the number of lanes that are held up.

    Those are lanes with a liquidation today, or without the cash for all; they are marked, and
    left as they are. To ask for the cash of one cohort after the other would take longest.
    """
    count = 0
    for lane in range(WIDTH):
        terrain = get_terrain(state, lane, terms)
        done0 = _wish(state, lane, 0, needs[0], terrain, terms)
        done1 = _wish(state, lane, 1, needs[1], terrain, terms)
        done2 = _wish(state, lane, 2, needs[2], terrain, terms)
        done3 = _wish(state, lane, 3, needs[3], terrain, terms)
        done4 = _wish(state, lane, 4, needs[4], terrain, terms)
        done5 = _wish(state, lane, 5, needs[5], terrain, terms)
        done6 = _wish(state, lane, 6, needs[6], terrain, terms)
        done7 = _wish(state, lane, 7, needs[7], terrain, terms)
        ounces = (done0.ounces + done1.ounces) + (done2.ounces + done3.ounces)
        ounces += (done4.ounces + done5.ounces) + (done6.ounces + done7.ounces)
        cash = state[CASH + lane]
        short = ounces > 0.0 and ounces > without_room(cash, terms)
        held_up = short or state[HELD_UP + lane] > 0.0
        goes = not held_up
        books = Books(cash, state[SCALED_DEBT + lane])
        books = _lend(state, lane, 0, done0, goes, books)
        books = _lend(state, lane, 1, done1, goes, books)
        books = _lend(state, lane, 2, done2, goes, books)
        books = _lend(state, lane, 3, done3, goes, books)
        books = _lend(state, lane, 4, done4, goes, books)
        books = _lend(state, lane, 5, done5, goes, books)
        books = _lend(state, lane, 6, done6, goes, books)
        books = _lend(state, lane, 7, done7, goes, books)
        state[CASH + lane] = books.cash
        state[SCALED_DEBT + lane] = books.total
        state[HELD_UP + lane] = 1.0 if held_up else 0.0
        count += 1 if held_up else 0
    return count


@inlined
def find_losses(state: FloatArray, day: float, terms: Terms) -> int:
    """Mark the lanes of an exploit, or with a cohort beyond the threshold; return their number."""
    count = 0
    for lane in range(WIDTH):
        price = state[BORROW_INDEX + lane] * state[GOLD_USD + lane]
        marked = state[EXPLOIT_DAY + lane] == day
        for cohort in range(N_COHORTS):
            position = get_position(state, lane, cohort)
            limit = position.collateral_usdc * terms.liquidation_threshold
            marked = marked or position.scaled_debt * price > limit
        state[MARKED + lane] = 1.0 if marked else 0.0
        count += 1 if marked else 0
    return count


@kernel
def liquidations(state: FloatArray, lane: int, terms: Terms, acts: FloatArray) -> float:
    """Close every position of a lane beyond the threshold; return the vault's loss in ounces."""
    lost = 0.0
    market = get_fund(state, lane).market
    gold_usd = state[GOLD_USD + lane]
    for cohort in range(N_COHORTS):
        position = get_position(state, lane, cohort)
        owed_usd = position.scaled_debt * market.borrow_index * gold_usd
        limit = position.collateral_usdc * terms.liquidation_threshold
        if owed_usd <= limit * (1.0 + DEAD_BAND) or owed_usd <= 0.0:
            continue
        before = lending.supply_index(market)
        market, position, bad_debt = lending.liquidate(
            market, position, gold_usd, terms.liquidation_bonus
        )
        if bad_debt > 0.0:
            fall = before - lending.supply_index(market)
            lost += state[LENDING_SHARES + lane] * max(fall, 0.0)
        release = releasable(position.collateral_usdc, terms, gold_usd)
        state[DEBT + cohort * WIDTH + lane] = 0.0
        state[COLLATERAL + cohort * WIDTH + lane] = position.collateral_usdc - release
        acts[lane, RELEASE_USDC + cohort] = release
        acts[lane, LIQUIDATE + cohort] = 1.0
        state[EVENTS + lane] += 1.0
        state[HELD_UP + lane] = 1.0
    put_market(state, lane, market)
    return lost


@kernel
def end_loans(state: FloatArray, lane: int, terms: Terms, acts: FloatArray) -> None:
    """Let every cohort of a lane repay all that it owes and take its collateral back."""
    market = get_fund(state, lane).market
    terrain = get_terrain(state, lane, terms)
    for cohort in range(N_COHORTS):
        position = get_position(state, lane, cohort)
        owed = position.scaled_debt * market.borrow_index
        if owed <= 0.0 or owed - terrain.wanted <= terms.inertia * owed:
            continue
        market = lending.lend(market, -owed, -position.scaled_debt)
        release = releasable(position.collateral_usdc, terms, terrain.gold_usd)
        state[DEBT + cohort * WIDTH + lane] = 0.0
        state[COLLATERAL + cohort * WIDTH + lane] = position.collateral_usdc - release
        acts[lane, REPAY + cohort] = np.inf
        acts[lane, RELEASE_USDC + cohort] = release
    put_market(state, lane, market)


@kernel
def lend_in_turn(
    state: FloatArray, needs: Needs, lane: int, terms: Terms, acts: FloatArray
) -> None:
    """Let the cohorts of a held-up lane borrow in turn, but those liquidated today."""
    market = get_fund(state, lane).market
    terrain = get_terrain(state, lane, terms)
    for cohort in range(N_COHORTS):
        if acts[lane, LIQUIDATE + cohort] > 0.0:
            continue
        position = get_position(state, lane, cohort)
        done = loan(position, terrain, market.cash, needs[cohort], terms)
        market = lending.lend(market, done.ounces, done.scaled)
        state[DEBT + cohort * WIDTH + lane] = position.scaled_debt + done.scaled
        state[COLLATERAL + cohort * WIDTH + lane] = position.collateral_usdc + done.posted
        acts[lane, BORROW + cohort] = done.ounces
        acts[lane, POST_USDC + cohort] = done.posted
    put_market(state, lane, market)


@kernel
def record_repayments(state: FloatArray, needs: Needs, terms: Terms, acts: FloatArray) -> None:
    """Write down what `repay_all` is about to do."""
    for lane in range(WIDTH):
        terrain = get_terrain(state, lane, terms)
        if closes(terrain):
            continue
        for cohort in range(N_COHORTS):
            position = get_position(state, lane, cohort)
            done = repayment(position, terrain, needs[cohort], terms)
            acts[lane, REPAY + cohort] = -done.ounces
            acts[lane, RELEASE_USDC + cohort] -= done.posted


@kernel
def record_loans(state: FloatArray, needs: Needs, terms: Terms, acts: FloatArray) -> None:
    """Write down what `lend_all` is about to do; `lend_in_turn` writes over it."""
    for lane in range(WIDTH):
        terrain = get_terrain(state, lane, terms)
        for cohort in range(N_COHORTS):
            done = _wish(state, lane, cohort, needs[cohort], terrain, terms)
            if acts[lane, LIQUIDATE + cohort] == 0.0:
                acts[lane, BORROW + cohort] = done.ounces
                acts[lane, POST_USDC + cohort] = done.posted


@inlined
def forget_liquidations(acts: FloatArray, lane: int) -> None:
    """Clear the marks of who was liquidated today."""
    for cohort in range(N_COHORTS):
        acts[lane, LIQUIDATE + cohort] = 0.0
