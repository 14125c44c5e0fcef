"""What nobody orders: liquidations, stops, and reductions of winners.

Rare beside the days on which nothing happens. `state`, of shape (n_rows * LANES,), is that of
`rows`; `k` says which eight paths of those from `first` on, and `i` is the account's place and
`k`. Functions mirror those of the contract of the same name.
"""

from __future__ import annotations

from simulator.instruments.miner_perp.market import get_gains, is_above, side_gain
from simulator.instruments.miner_perp.record import note
from simulator.instruments.miner_perp.rows import (
    BAD,
    CLOSES,
    COST,
    DID_LIQUIDATE,
    DID_REDUCE,
    DID_STOP,
    EVENTS,
    HIS_FEES,
    HIS_LIQUIDATION,
    INSURANCE,
    LIQUIDATED,
    LIQUIDATED_ON,
    LOST,
    OF_REDUCED,
    OF_TOUCH,
    POOL,
    SIZE,
    SLIPPED,
    STOP,
    STOPPED_ON,
    TOUCHED,
    WAITS,
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
    owed_funding,
    share_out,
    take,
    trade,
)
from simulator.jit import inlined, kernel
from simulator.mechanics.perp import size_down, to_reduce
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
    put_where,
    spread,
)
from simulator.units import DEAD_BAND, LANES, BoolArray, FloatArray


@inlined
def draw(state: FloatArray, k: int, where: Mask, usd: Vector) -> None:
    """Take dollars from the insurance fund, and what that lacks from the pool.

    `state` is of shape (n_rows * LANES,).
    """
    insured = least(usd, at(state, INSURANCE + k))
    rest = least(usd - insured, at(state, POOL + k))
    add(state, INSURANCE + k, where, 0.0 - insured)
    add(state, POOL + k, where, 0.0 - rest)
    add(state, LOST + k, where, 0.0 - rest)


@inlined
def is_due(numbers: Numbers, state: FloatArray, k: int, i: int, price: Vector) -> Mask:
    """Return where a position's equity is at or below its maintenance margin.

    `state` is of shape (n_rows * LANES,).
    """
    size = at(state, i + SIZE)
    kept = magnitude(size) * price * numbers.maintenance * (1.0 - DEAD_BAND)
    worth = equity(state, k, i, price, numbers.max_profit)
    return (size != 0.0) & (worth <= kept)


@kernel
def liquidate(
    numbers: Numbers, state: FloatArray, k: int, i: int, where: Mask, price: Vector
) -> None:
    """Liquidate positions; `state` is of shape (n_rows * LANES,)."""
    size = at(state, i + SIZE)
    notional = magnitude(size) * price
    clear(state, i + WAITS, where)
    clear(state, i + CLOSES, where)
    trade(state, k, i, where, 0.0 - size, price, numbers.max_profit)
    reward = take(state, k, i, where, numbers.keeper_fee)
    penalty = take(state, k, i, where, notional * numbers.penalty)
    add(state, INSURANCE + k, where, penalty)
    draw(state, k, where, numbers.keeper_fee - reward)
    add(state, i + HIS_LIQUIDATION, where, 0.0 - (reward + penalty))
    add(state, LIQUIDATED + k, where, notional)


@kernel
def stop(numbers: Numbers, state: FloatArray, k: int, i: int, where: Mask, price: Vector) -> Vector:
    """Close positions whose stop was touched; return how far beyond its level, over it.

    `state` is of shape (n_rows * LANES,).
    """
    size, level = at(state, i + SIZE), at(state, i + STOP)
    add(state, i + HIS_FEES, where, 0.0 - take(state, k, i, where, numbers.keeper_fee))
    charge = charge_of(numbers, state, k, 0.0 - size, price)
    trade(state, k, i, where, 0.0 - size, price, numbers.max_profit)
    share_out(numbers, state, k, i, where, charge)
    return chosen(size > 0.0, level - price, price - level) / level


@kernel
def reduce(
    numbers: Numbers, state: FloatArray, k: int, i: int, where: Mask, price: Vector
) -> Vector:
    """Reduce winners so far that their side's profit is at the target; return the size closed.

    `state` is of shape (n_rows * LANES,).
    """
    size, pool = at(state, i + SIZE), at(state, POOL + k)
    gain = size * price - at(state, i + COST)
    side = side_gain(state, k, size > 0.0, price)
    # above the trigger by a hair the contract may see it otherwise
    is_beyond = side > pool * numbers.adl_trigger * (1.0 + DEAD_BAND)
    where = where & (size != 0.0) & (gain > 0.0) & is_beyond
    if not has_any(where):
        return spread(0.0)
    owed, available = owed_funding(state, k, i), pool * numbers.max_profit
    gains = to_reduce(side, pool, owed, available, numbers.adl_target) * (1.0 - DEAD_BAND)
    # no more than what is paid of it can be: what is beyond would be cut twice
    share = least(1.0, least(gains, available / least(1.0, available / side)) / gain)
    closed = chosen(where, size_down(magnitude(size) * share), 0.0)
    delta = chosen(size > 0.0, 0.0 - closed, closed)
    trade(state, k, i, closed > 0.0, delta, price, numbers.max_profit)
    return closed


@inlined
def liquidate_all(
    numbers: Numbers,
    acts: ActArray,
    state: FloatArray,
    account: int,
    step: int,
    first: int,
    k: int,
    has_round: Mask,
    price: Vector,
) -> None:
    """Liquidate an account where it is due and a keeper has a round.

    `state` is of shape (n_rows * LANES,).
    """
    i, before = place_of(account) + k, at(state, BAD + k)
    done = has_round & is_due(numbers, state, k, i, price)
    if not has_any(done):
        return
    liquidate(numbers, state, k, i, done, price)
    if acts.size > 0:
        note(acts, state, step, account, first, k, done, DID_LIQUIDATE)
    add(state, EVENTS + k, done, spread(1.0))
    add(state, EVENTS + k, done & (at(state, BAD + k) > before), spread(1.0))
    write_where(state, i + LIQUIDATED_ON, done, spread(float(step)))


@inlined
def stop_all(
    numbers: Numbers,
    acts: ActArray,
    amounts: FloatArray,
    state: FloatArray,
    account: int,
    step: int,
    first: int,
    k: int,
    has_round: Mask,
    price: Vector,
) -> None:
    """Execute an account's stop where it was touched before this round and a keeper acts.

    `state` is of shape (n_rows * LANES,).
    """
    i = place_of(account) + k
    touched = at(state, i + TOUCHED)
    due = has_round & (touched != 0.0)
    if not has_any(due):
        return
    if acts.size > 0:
        put_where(amounts, (OF_TOUCH, step, account, first + k), due, touched)
    slipped = stop(numbers, state, k, i, due, price)
    if acts.size > 0:
        note(acts, state, step, account, first, k, due, DID_STOP)
    add(state, EVENTS + k, due, spread(1.0))
    write_where(state, i + STOPPED_ON, due, spread(float(step)))
    write_where(state, i + SLIPPED, due, slipped)


@inlined
def reduce_all(
    numbers: Numbers,
    acts: ActArray,
    amounts: FloatArray,
    state: FloatArray,
    n_accounts: int,
    step: int,
    first: int,
    k: int,
    has_round: Mask,
    price: Vector,
) -> None:
    """Reduce winners, one after another, where their side's profit is above the trigger.

    `state` is of shape (n_rows * LANES,).
    """
    for account in range(n_accounts):
        closed = reduce(numbers, state, k, place_of(account) + k, has_round, price)
        done = closed > 0.0
        if has_any(done):
            if acts.size > 0:
                note(acts, state, step, account, first, k, done, DID_REDUCE)
                put_where(amounts, (OF_REDUCED, step, account, first + k), done, closed)
            add(state, EVENTS + k, done, spread(1.0))


@kernel
def close_all(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    acts: ActArray,
    amounts: FloatArray,
    state: FloatArray,
    due: BoolArray,
    step: int,
    first: int,
) -> None:
    """Liquidate, execute stops and reduce winners, in this order, where a keeper has a round.

    `state` is of shape (n_rows * LANES,), `due` of (LANES // WIDTH,): vectors without are passed
    over.
    """
    n_accounts = cast.sides.shape[0]
    for number in range(LANES // WIDTH):
        if not due[number]:
            continue
        k = number * WIDTH
        price = get(drivers.prices, (step, first + k))
        has_round = get_mask(drivers.kept, (step, first + k))
        for a in range(n_accounts):
            liquidate_all(numbers, acts, state, a, step, first, k, has_round, price)
        for a in range(cast.n_cohorts, n_accounts):
            stop_all(numbers, acts, amounts, state, a, step, first, k, has_round, price)
        gains = get_gains(state, k, price, numbers.max_profit)
        if has_any(is_above(gains, at(state, POOL + k) * numbers.adl_trigger)):
            reduce_all(numbers, acts, amounts, state, n_accounts, step, first, k, has_round, price)
