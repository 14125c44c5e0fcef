"""What the eight cohorts of borrowers do, and what is done to them.

`state`, of shape (STATE_SIZE,), is the flat array of `lanes`; `acts`, of shape
(WIDTH, N_ACTIONS), are the day's acts of each lane. What all cohorts do every day is in
`cohorts`; what is rare, a liquidation or the end of a loan, is done here on the marked lanes alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.instruments.gold_vault.lanes import (
    BORROW_INDEX,
    CASH,
    COLLATERAL_UNITS,
    DEBT,
    DEMAND_OUNCES,
    EVENTS,
    FEED_USD,
    HELD_UP,
    LENDING_SHARES,
    PER_INDEX,
    SCALED_DEBT,
    WIDTH,
    get_fund,
    put_market,
)
from simulator.instruments.gold_vault.moves import (
    DEAD_BAND,
    MINIMUM_LOAN_USD,
    USDC_UNIT,
    USDC_UNITS,
    floor_to,
    releasable,
    without_room,
)
from simulator.instruments.gold_vault.state import N_COHORTS, Action, Needs, Terms
from simulator.jit import inlined, kernel
from simulator.mechanics import lending
from simulator.mechanics.lending import Position
from simulator.units import FloatArray

PLENTY_OUNCES = 1e300
"""More cash than any market has."""

LIQUIDATE = int(Action.LIQUIDATE)
REPAY = int(Action.REPAY)
RELEASE_USDC = int(Action.RELEASE_USDC)
BORROW = int(Action.BORROW)
POST_USDC = int(Action.POST_USDC)


class Terrain(NamedTuple):
    """What the cohorts of one lane have in common on a day.

    `per_index` is one over the borrow index, `gold_units` gold's price in USDC's units.
    """

    wanted: float
    gold_units: float
    borrow_index: float
    per_index: float


class Loan(NamedTuple):
    """What a cohort does with its debt, negative where it repays.

    `owed_units` is what it owes then in USDC's units, which its collateral is fitted to:
    infinity where nothing is repaid, zero where nothing is borrowed, as no collateral then moves.
    """

    ounces: float
    scaled: float
    owed_units: float


@inlined
def get_terrain(state: FloatArray, lane: int, terms: Terms) -> Terrain:
    """Return the lane's terrain; a cohort wants no more than leaves the rate bearable.

    `state` is of shape (STATE_SIZE,).
    """
    index, gold_usd = state[BORROW_INDEX + lane], state[FEED_USD + lane]
    bearable = terms.bearable * (state[CASH + lane] + state[SCALED_DEBT + lane] * index)
    demand = state[DEMAND_OUNCES + lane]
    wanted = (bearable if bearable < demand else demand) / N_COHORTS
    return Terrain(wanted, gold_usd * USDC_UNITS, index, state[PER_INDEX + lane])


@inlined
def repayment(debt: float, terrain: Terrain, terms: Terms) -> Loan:
    """Return what a cohort repays that owes more than it wants; `debt` is scaled."""
    owed = debt * terrain.borrow_index
    gap = owed - terrain.wanted
    amount = floor_to(gap, terms)
    scaled = amount * terrain.per_index
    # times one over the index is not over the index: a last bit more than is owed
    scaled = scaled if scaled < debt else debt
    owed_units = (debt - scaled) * terrain.borrow_index * terrain.gold_units
    acting = gap > terms.inertia * owed
    return Loan(
        -amount if acting else 0.0, -scaled if acting else 0.0, owed_units if acting else np.inf
    )


@inlined
def units_left(units: float, owed_units: float, need: float) -> float:
    """Return the collateral that a cohort leaves that owes `owed_units` after repaying.

    `need` is the collateral over a debt of one at which it opens a loan.
    """
    needed = np.ceil(owed_units * need)
    return needed if needed < units else units


@inlined
def loan(debt: float, terrain: Terrain, cash: float, terms: Terms) -> Loan:
    """Return what a cohort borrows that wants more, as far as there is cash."""
    owed = debt * terrain.borrow_index
    gap = terrain.wanted - owed
    room = without_room(cash, terms)
    amount = floor_to(room if room < gap else gap, terms)
    enough = amount * terrain.gold_units >= MINIMUM_LOAN_USD * USDC_UNITS
    acting = gap > terms.inertia * owed and enough
    owed_units = (owed + amount) * terrain.gold_units
    amount = amount if acting else 0.0
    return Loan(amount, amount * terrain.per_index, owed_units if acting else 0.0)


@inlined
def units_posted(units: float, owed_units: float, need: float) -> float:
    """Return the collateral that a cohort has that owes `owed_units` after borrowing."""
    needed = np.ceil(owed_units * need)
    return needed if needed > units else units


@inlined
def wanting(terrain: Terrain, ounces: float) -> Terrain:
    """Return the terrain with another amount that each cohort wants."""
    return Terrain(ounces, terrain.gold_units, terrain.borrow_index, terrain.per_index)


@inlined
def closes(terrain: Terrain) -> bool:
    """Return whether the cohorts want so little that they end their loans."""
    return terrain.wanted * terrain.gold_units < MINIMUM_LOAN_USD * USDC_UNITS


@inlined
def wish(debt: float, terrain: Terrain, terms: Terms) -> Loan:
    """Return what a cohort would borrow if there were cash for all."""
    return loan(debt, terrain, PLENTY_OUNCES, terms)


@inlined
def take_collateral(state: FloatArray, row: int, left_usd: float, release_usd: float) -> None:
    """Leave a cohort, whose debt is gone, what it is not paid back of its collateral.

    `state` is of shape (STATE_SIZE,).
    """
    state[DEBT + row] = 0.0
    # USDC's units are whole: what the multiplication leaves behind the point is rounding
    state[COLLATERAL_UNITS + row] = np.rint((left_usd - release_usd) * USDC_UNITS)


@kernel
def liquidations(
    state: FloatArray, lane: int, terms: Terms, acts: FloatArray
) -> tuple[float, float, float]:
    """Close every position of a lane beyond the threshold.

    Returns the vault's loss, the debt written off, and what liquidators repaid, ounces. `state` is
    of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    lost, written_off, repaid = 0.0, 0.0, 0.0
    market = get_fund(state, lane).market
    gold_usd = state[FEED_USD + lane]
    for cohort in range(N_COHORTS):
        row = cohort * WIDTH + lane
        position = Position(state[DEBT + row], state[COLLATERAL_UNITS + row] * USDC_UNIT)
        owed_usd = position.scaled_debt * market.borrow_index * gold_usd
        limit = position.collateral_usdc * terms.liquidation_threshold
        if owed_usd <= limit * (1.0 + DEAD_BAND) or owed_usd <= 0.0:
            continue
        before = lending.supply_index(market)
        repaid += position.scaled_debt * market.borrow_index
        market, position, bad_debt = lending.liquidate(
            market, position, gold_usd, terms.liquidation_bonus
        )
        if bad_debt > 0.0:
            # where the treasury's shares pay for all of it, rounding may even raise the index
            fall = before - lending.supply_index(market)
            lost += state[LENDING_SHARES + lane] * max(fall, 0.0)
        written_off += bad_debt
        release = releasable(position.collateral_usdc, terms, gold_usd)
        take_collateral(state, row, position.collateral_usdc, release)
        acts[lane, RELEASE_USDC + cohort] = release
        acts[lane, LIQUIDATE + cohort] = 1.0
        state[EVENTS + lane] += 1.0
        state[HELD_UP + lane] = 1.0
    put_market(state, lane, market)
    return lost, written_off, repaid - written_off


@kernel
def end_loans(state: FloatArray, lane: int, terms: Terms, acts: FloatArray) -> None:
    """Let every cohort of a lane repay all that it owes and take its collateral back.

    `state` is of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    market = get_fund(state, lane).market
    terrain = get_terrain(state, lane, terms)
    for cohort in range(N_COHORTS):
        row = cohort * WIDTH + lane
        debt, collateral_usdc = state[DEBT + row], state[COLLATERAL_UNITS + row] * USDC_UNIT
        owed = debt * market.borrow_index
        if owed <= 0.0 or owed - terrain.wanted <= terms.inertia * owed:
            continue
        market = lending.lend(market, -owed, -debt)
        release = releasable(collateral_usdc, terms, state[FEED_USD + lane])
        take_collateral(state, row, collateral_usdc, release)
        acts[lane, REPAY + cohort] = np.inf
        acts[lane, RELEASE_USDC + cohort] = release
    put_market(state, lane, market)


@kernel
def lend_in_turn(
    state: FloatArray, needs: Needs, lane: int, terms: Terms, acts: FloatArray
) -> None:
    """Let the cohorts of a held-up lane borrow in turn, but those liquidated today.

    `state` is of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    market = get_fund(state, lane).market
    terrain = get_terrain(state, lane, terms)
    for cohort in range(N_COHORTS):
        if acts[lane, LIQUIDATE + cohort] > 0.0:
            continue
        row = cohort * WIDTH + lane
        units = state[COLLATERAL_UNITS + row]
        done = loan(state[DEBT + row], terrain, market.cash, terms)
        market = lending.lend(market, done.ounces, done.scaled)
        state[DEBT + row] += done.scaled
        state[COLLATERAL_UNITS + row] = units_posted(units, done.owed_units, needs[cohort])
        acts[lane, BORROW + cohort] = done.ounces
        acts[lane, POST_USDC + cohort] = (state[COLLATERAL_UNITS + row] - units) * USDC_UNIT
    put_market(state, lane, market)


@kernel
def record_repayments(state: FloatArray, needs: Needs, terms: Terms, acts: FloatArray) -> None:
    """Write down what `repay_all` is about to do.

    `state` is of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    for lane in range(WIDTH):
        terrain = get_terrain(state, lane, terms)
        if closes(terrain):
            continue
        for cohort in range(N_COHORTS):
            row = cohort * WIDTH + lane
            units = state[COLLATERAL_UNITS + row]
            done = repayment(state[DEBT + row], terrain, terms)
            left = units_left(units, done.owed_units, needs[cohort])
            acts[lane, REPAY + cohort] = -done.ounces
            # beside what a liquidation has released
            acts[lane, RELEASE_USDC + cohort] += (units - left) * USDC_UNIT


@kernel
def record_loans(state: FloatArray, needs: Needs, terms: Terms, acts: FloatArray) -> None:
    """Write down what `lend_all` is about to do; `lend_in_turn` writes over it.

    `state` is of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    for lane in range(WIDTH):
        terrain = get_terrain(state, lane, terms)
        for cohort in range(N_COHORTS):
            row = cohort * WIDTH + lane
            units = state[COLLATERAL_UNITS + row]
            done = wish(state[DEBT + row], terrain, terms)
            if acts[lane, LIQUIDATE + cohort] == 0.0:
                posted = units_posted(units, done.owed_units, needs[cohort]) - units
                acts[lane, BORROW + cohort] = done.ounces
                acts[lane, POST_USDC + cohort] = posted * USDC_UNIT


@inlined
def forget_liquidations(acts: FloatArray, lane: int) -> None:
    """Clear the marks of who was liquidated today; `acts` of shape (WIDTH, N_ACTIONS)."""
    for cohort in range(N_COHORTS):
        acts[lane, LIQUIDATE + cohort] = 0.0
