"""Orders: they are filled at the next round, and so are those of the crowd and of who leaves.

What happens on few days. Functions go through the LANES paths from `first` on; `state`, of shape
(n_rows * LANES,), is that of `rows`.
"""

from __future__ import annotations

from simulator.instruments.miner_perp.record import note
from simulator.instruments.miner_perp.rows import (
    CLOSES,
    DOES_CLOSE,
    FILLED,
    HIS_FEES,
    LONG,
    MARGIN,
    MARGINS,
    OF_MARGIN,
    OF_ORDER,
    ORDERED,
    POOL,
    SHORT,
    SIZE,
    STOP,
    TOPPED,
    WAITS,
    WITHDREW,
    add,
    at,
    clear,
    place_of,
    write_where,
)
from simulator.instruments.miner_perp.state import Accounts, ActArray, Drivers, Numbers
from simulator.instruments.miner_perp.trades import (
    charge_of,
    equity,
    fits,
    share_out,
    take,
    trade,
    withdraw,
)
from simulator.jit import inlined, kernel
from simulator.mechanics.perp import size_down
from simulator.mechanics.vectors import (
    WIDTH,
    Mask,
    Vector,
    chosen,
    get,
    get_mask,
    has_any,
    least,
    magnitude,
    most,
    put_where,
    spread,
    up,
)
from simulator.units import LANES, FloatArray

CENTS = 100.0
FEW = 0.05
"""Part of its goal by which a cohort may be off without trading."""
BELOW = 1.0 - 1e-6
"""Part of the open interest that is left over which the crowd asks for."""


@inlined
def is_waiting(state: FloatArray, i: int) -> Mask:
    """Return where an order of the account waits; `state` is of shape (n_rows * LANES,)."""
    return (at(state, i + WAITS) != 0.0) | (at(state, i + CLOSES) != 0.0)


@inlined
def fill(numbers: Numbers, state: FloatArray, k: int, i: int, where: Mask, price: Vector) -> Mask:
    """Fill the order that waits, or drop it; return where it was filled.

    `state` is of shape (n_rows * LANES,).
    """
    closes = at(state, i + CLOSES) > 0.0
    delta = chosen(closes, 0.0 - at(state, i + SIZE), at(state, i + WAITS))
    clear(state, i + WAITS, where)
    clear(state, i + CLOSES, where)
    add(state, i + HIS_FEES, where, 0.0 - take(state, k, i, where, numbers.keeper_fee))
    charge = charge_of(numbers, state, k, delta, price)
    filled = where & (delta != 0.0) & fits(numbers, state, k, i, delta, price, charge)
    trade(state, k, i, filled, delta, price, numbers.max_profit)
    share_out(numbers, state, k, i, filled, charge)
    return filled


@kernel
def fill_all(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    acts: ActArray,
    state: FloatArray,
    step: int,
    first: int,
) -> bool:
    """Fill what waits where there is a round; return whether anything still waits.

    `state` is of shape (n_rows * LANES,).
    """
    left = False
    for k in range(0, LANES, WIDTH):
        price = get(drivers.prices, (step, first + k))
        has_round = get_mask(drivers.rounds, (step, first + k))
        for account in range(cast.sides.shape[0]):
            i = place_of(account) + k
            waits = is_waiting(state, i)
            left = left or has_any(waits & ~has_round)
            due = waits & has_round
            if not has_any(due):
                continue
            opens = at(state, i + SIZE) == 0.0
            filled = fill(numbers, state, k, i, due, price)
            if acts.size > 0:
                note(acts, state, step, account, first, k, due, FILLED)
            trader = account - cast.n_cohorts
            if trader >= 0 and cast.stops[trader] > 0.0:
                level = price * (1.0 - cast.sides[account] * cast.stops[trader])
                write_where(state, i + STOP, filled & opens, level)
    return left


@inlined
def wanted(
    numbers: Numbers,
    state: FloatArray,
    k: int,
    i: int,
    sign: float,
    goal: Vector,
    price: Vector,
) -> tuple[Vector, Vector]:
    """Return the size, without its sign, at a cohort's goal, and the order that leads to it.

    As far as open interest allows; the order is 0 where the cohort is near its goal. `state` is
    of shape (n_rows * LANES,); `sign` is 1 for a long cohort and -1 for a short one.
    """
    size = at(state, i + SIZE)
    side = at(state, LONG + k) if sign > 0.0 else at(state, SHORT + k)
    room = at(state, POOL + k) * numbers.max_open_interest * BELOW - side * price
    goal = least(goal, magnitude(size) * price + most(0.0, room))
    # twice the least: at the next round it must still be enough
    after = chosen(goal >= 2.0 * numbers.min_notional, size_down(goal / price), 0.0)
    delta = sign * after - size
    return after, chosen(magnitude(delta) * price <= FEW * goal, 0.0, delta)


@kernel
def decide(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    acts: ActArray,
    amounts: FloatArray,
    state: FloatArray,
    which: int,
    step: int,
    first: int,
) -> None:
    """Let the crowd order what brings it to its goals, and add the margin that this takes.

    What it orders fits today: within open interest, with margin for its own leverage, and no
    position of it is due for liquidation, which was looked at before.

    `state` is of shape (n_rows * LANES,); `which` is the decision.
    """
    for k in range(0, LANES, WIDTH):
        price = get(drivers.prices, (step, first + k))
        has_round = get_mask(drivers.rounds, (step, first + k))
        for account in range(cast.n_cohorts):
            i = place_of(account) + k
            goal = get(drivers.goals, (which, account, first + k))
            after, delta = wanted(numbers, state, k, i, cast.sides[account], goal, price)
            orders = has_round & ~is_waiting(state, i) & (delta != 0.0)
            if not has_any(orders):
                continue
            worth = equity(state, k, i, price, numbers.max_profit)
            needs = charge_of(numbers, state, k, delta, price) + numbers.keeper_fee
            missing = after * price / cast.levers[account] + needs - worth
            added, tops = up(missing * CENTS) / CENTS, orders & (missing > 0.0)
            add(state, i + MARGIN, tops, added)
            add(state, MARGINS + k, tops, added)
            if acts.size > 0:
                note(acts, state, step, account, first, k, tops, TOPPED)
                put_where(amounts, (OF_MARGIN, step, account, first + k), tops, added)
            write_where(state, i + WAITS, orders, delta)
            if acts.size > 0:
                note(acts, state, step, account, first, k, orders, ORDERED)
                put_where(amounts, (OF_ORDER, step, account, first + k), orders, delta)


@kernel
def leave_all(
    cast: Accounts,
    acts: ActArray,
    state: FloatArray,
    step: int,
    first: int,
) -> None:
    """Let every measured trader order that his position be closed; his stop stays.

    `state` is of shape (n_rows * LANES,).
    """
    for account in range(cast.n_cohorts, cast.sides.shape[0]):
        for k in range(0, LANES, WIDTH):
            i = place_of(account) + k
            leaves = (at(state, i + SIZE) != 0.0) & ~is_waiting(state, i)
            write_where(state, i + CLOSES, leaves, spread(1.0))
            if acts.size > 0:
                note(acts, state, step, account, first, k, leaves, ORDERED | DOES_CLOSE)


@kernel
def withdraw_all(
    cast: Accounts,
    acts: ActArray,
    amounts: FloatArray,
    state: FloatArray,
    step: int,
    first: int,
) -> None:
    """Pay every measured trader without a position his margin out.

    `state` is of shape (n_rows * LANES,).
    """
    for account in range(cast.n_cohorts, cast.sides.shape[0]):
        for k in range(0, LANES, WIDTH):
            i = place_of(account) + k
            margin = at(state, i + MARGIN)
            flat = (at(state, i + SIZE) == 0.0) & ~is_waiting(state, i)
            goes = flat & (margin > 0.0)
            if acts.size > 0:
                put_where(amounts, (OF_MARGIN, step, account, first + k), goes, margin)
            withdraw(state, k, i, goes)
            if acts.size > 0:
                note(acts, state, step, account, first, k, goes, WITHDREW)
