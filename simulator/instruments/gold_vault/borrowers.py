"""What the eight cohorts of borrowers do, and what is done to them.

`state` is the flat array of `lanes`. What all cohorts do every day is in `cohorts`; what is rare,
a liquidation or the end of a loan, is done here on the marked lanes alone.
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
    left_usd = (position.scaled_debt - scaled) * terrain.price
    released = released_usdc(position.collateral_usdc, left_usd, need)
    acting = gap > terms.inertia * owed
    return Loan(
        -amount if acting else 0.0, -scaled if acting else 0.0, -released if acting else 0.0
    )


@inlined
def released_usdc(collateral_usdc: float, owed_usd: float, need: float) -> float:
    """Return what a cohort takes back of its collateral that owes `owed_usd` after repaying."""
    released = collateral_usdc - usdc_up(owed_usd * need)
    return released if released > 0.0 else 0.0


@inlined
def loan(position: Position, terrain: Terrain, cash: float, need: float, terms: Terms) -> Loan:
    """Return what a cohort borrows that wants more, as far as there is cash, and posts."""
    owed = position.scaled_debt * terrain.borrow_index
    gap = terrain.wanted - owed
    room = without_room(cash, terms)
    amount = floor_to(room if room < gap else gap, terms)
    acting = gap > terms.inertia * owed and amount * terrain.gold_usd >= MINIMUM_LOAN_USD
    amount = amount if acting else 0.0
    owed_usd = (owed + amount) * terrain.gold_usd
    posted = posted_usdc(position.collateral_usdc, owed_usd, need)
    return Loan(amount, amount * terrain.per_index, posted if acting else 0.0)


@inlined
def posted_usdc(collateral_usdc: float, owed_usd: float, need: float) -> float:
    """Return what a cohort adds to its collateral that owes `owed_usd` after borrowing."""
    posted = usdc_up(owed_usd * need - collateral_usdc)
    return posted if posted > 0.0 else 0.0


@inlined
def wanting(terrain: Terrain, ounces: float) -> Terrain:
    """Return the terrain with another amount that each cohort wants."""
    return Terrain(ounces, terrain.gold_usd, terrain.borrow_index, terrain.per_index, terrain.price)


@inlined
def closes(terrain: Terrain) -> bool:
    """Return whether the cohorts want so little that they end their loans."""
    return terrain.wanted * terrain.gold_usd < MINIMUM_LOAN_USD


@inlined
def wish(
    state: FloatArray, lane: int, cohort: int, need: float, terrain: Terrain, terms: Terms
) -> Loan:
    """Return what a cohort would borrow if there were cash for all."""
    return loan(get_position(state, lane, cohort), terrain, PLENTY_OUNCES, need, terms)


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
            done = wish(state, lane, cohort, needs[cohort], terrain, terms)
            if acts[lane, LIQUIDATE + cohort] == 0.0:
                acts[lane, BORROW + cohort] = done.ounces
                acts[lane, POST_USDC + cohort] = done.posted


@inlined
def forget_liquidations(acts: FloatArray, lane: int) -> None:
    """Clear the marks of who was liquidated today."""
    for cohort in range(N_COHORTS):
        acts[lane, LIQUIDATE + cohort] = 0.0
