"""What the eight cohorts of borrowers do, and what is done to them.

Every function works on one path: `path` is a record of `state.PATH`, `world` one of
`state.WORLD`; arrays by cohort have shape (8,), by source (5,). `act` and `seen` are the
rows of the record that the replay reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.instruments.gold_vault.managers import (
    report_lending,
)
from simulator.instruments.gold_vault.moves import (
    DEAD_BAND,
    MINIMUM_LOAN_USD,
    MINIMUM_OUNCES,
    ROUNDING_ROOM,
    floor_to,
    releasable,
    usdc_up,
    with_room,
)
from simulator.instruments.gold_vault.state import N_COHORTS, Action
from simulator.mechanics import lending
from simulator.mechanics.jit import inlined
from simulator.units import FloatArray

Record = Any

LIQUIDATE = int(Action.LIQUIDATE)
REPAY = int(Action.REPAY)
RELEASE_USDC = int(Action.RELEASE_USDC)
BORROW = int(Action.BORROW)
POST_USDC = int(Action.POST_USDC)
REPORT_LOSS = int(Action.REPORT_LOSS)


@inlined
def liquidations(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    buffer: FloatArray,
    released: FloatArray,
    day: float,
    gold_usd: float,
    act: FloatArray,
) -> None:
    """Close every position beyond the threshold; a loss is reported at once."""
    lost = 0.0
    for cohort in range(N_COHORTS):
        owed_usd = scaled_debt[cohort] * path.market.borrow_index * gold_usd
        limit = collateral[cohort] * path.market.liquidation_threshold
        if owed_usd <= limit * (1.0 + DEAD_BAND) or owed_usd <= 0.0:
            continue
        before = lending.supply_index(path.market)
        _, bad_debt = lending.liquidate(path.market, scaled_debt, collateral, cohort, gold_usd)
        if bad_debt > 0.0:
            fall = before - lending.supply_index(path.market)
            lost += path.vault.lending_shares * max(fall, 0.0)
        act[RELEASE_USDC + cohort] = releasable(collateral[cohort], world, gold_usd)
        collateral[cohort] -= act[RELEASE_USDC + cohort]
        path.events += 1
        act[LIQUIDATE + cohort] = 1.0
    if lost > MINIMUM_OUNCES:
        path.bad_debt_pending += lost
        report_lending(path, buffer, released, day)
        act[REPORT_LOSS] = 1.0


@inlined
def wanted_debt(path: Record, world: Record, demand_ounces: float) -> float:
    """Return the ounces that one cohort wants: no more than leave the rate bearable."""
    market = path.market
    bearable = lending.utilisation_at(
        world.reservation_rate, market.base_rate, market.slope1, market.slope2, market.kink
    )
    supplied = market.cash + lending.borrows(market)
    return min(demand_ounces, bearable * supplied) / N_COHORTS


@inlined
def repayments(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    ltv_ladder: FloatArray,
    wanted: float,
    gold_usd: float,
    act: FloatArray,
) -> None:
    """Let cohorts that owe more than they want repay, and take collateral back."""
    for cohort in range(N_COHORTS):
        owed = scaled_debt[cohort] * path.market.borrow_index
        if owed <= 0.0 or owed - wanted <= world.inertia * owed:
            continue
        if wanted * gold_usd < MINIMUM_LOAN_USD:
            lending.close(path.market, scaled_debt, cohort)
            act[REPAY + cohort] = np.inf
            act[RELEASE_USDC + cohort] = releasable(collateral[cohort], world, gold_usd)
            collateral[cohort] -= act[RELEASE_USDC + cohort]
            continue
        amount = floor_to(owed - wanted, world.unit)
        lending.repay(path.market, scaled_debt, cohort, amount)
        act[REPAY + cohort] = amount
        left = scaled_debt[cohort] * path.market.borrow_index
        needed = usdc_up(left * gold_usd / ltv_ladder[cohort] * (1.0 + ROUNDING_ROOM))
        if collateral[cohort] > needed:
            act[RELEASE_USDC + cohort] = collateral[cohort] - needed
            collateral[cohort] = needed


@inlined
def borrowing(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    ltv_ladder: FloatArray,
    wanted: float,
    gold_usd: float,
    act: FloatArray,
) -> None:
    """Let cohorts that want more borrow what cash there is, topping up their collateral."""
    for cohort in range(N_COHORTS):
        owed = scaled_debt[cohort] * path.market.borrow_index
        gap = wanted - owed
        if act[LIQUIDATE + cohort] > 0.0 or gap <= world.inertia * owed:
            continue
        amount = floor_to(min(gap, with_room(path.market.cash, world.unit)), world.unit)
        if amount * gold_usd < MINIMUM_LOAN_USD:
            continue
        needed = (owed + amount) * gold_usd / ltv_ladder[cohort] * (1.0 + ROUNDING_ROOM)
        if needed > collateral[cohort]:
            posted = usdc_up(needed - collateral[cohort])
            collateral[cohort] += posted
            act[POST_USDC + cohort] = posted
        lending.borrow(path.market, scaled_debt, cohort, amount)
        act[BORROW + cohort] = amount
