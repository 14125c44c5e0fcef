"""The pool that the vault provides to, over the lanes: its days, its worth, moves into it.

The same rules in the same order as in the pool's own model, which is played after the vault and is
told what the vault did (`base.PoolVisits`). They stand in `mechanics.pool`, and those for who
brings gold alone in `mechanics.pool_strategy`.

`state`, of shape (STATE_SIZE,), is the flat array of `lanes`.
"""

from __future__ import annotations

from simulator.instruments.gold_vault.lanes import (
    IMBALANCE,
    POOL_ALL_SHARES,
    POOL_DEBT,
    POOL_FEES_OPEN,
    POOL_GOLD,
    POOL_MOVED,
    POOL_PAID,
    POOL_PAYABLE,
    POOL_SHARES,
    POOL_USDC,
    POOL_WORTH,
    TOKEN_USD,
    VOLUME,
    WIDTH,
)
from simulator.instruments.gold_vault.state import Terms
from simulator.jit import inlined, kernel
from simulator.mechanics import pool_strategy
from simulator.mechanics.pool import (
    LEAST_USDC,
    Pool,
    Trade,
    after,
    arbitrage,
    counted,
    fee_of,
    filled,
    noise_purchase,
    noise_sale,
    without,
)
from simulator.units import FloatArray


@inlined
def get_pool(state: FloatArray, lane: int) -> Pool:
    """Return the pool of a lane; `state` of shape (STATE_SIZE,)."""
    return Pool(state[POOL_GOLD + lane], state[POOL_USDC + lane], state[POOL_ALL_SHARES + lane])


@inlined
def put_pool(state: FloatArray, lane: int, pool: Pool) -> None:
    """Write the pool of a lane; `state` of shape (STATE_SIZE,)."""
    state[POOL_GOLD + lane] = pool.gold
    state[POOL_USDC + lane] = pool.usdc
    state[POOL_ALL_SHARES + lane] = pool.shares


@inlined
def is_at_price(pool: Pool, price: float, terms: Terms) -> bool:
    """Return whether gold and USDC are worth the same, within the gap."""
    gap = pool.usdc / price - pool.gold
    gap = gap if gap > 0.0 else -gap
    return gap <= terms.pool_gap * pool.gold


@inlined
def value_pool(state: FloatArray, lane: int, terms: Terms) -> None:
    """Write what the vault's shares are worth, and what they would pay of their debt now.

    `state` is of shape (STATE_SIZE,).
    """
    pool, shares = get_pool(state, lane), state[POOL_SHARES + lane]
    price, debt = counted(state[TOKEN_USD + lane]), state[POOL_DEBT + lane]
    worth = pool_strategy.worth(pool, shares, price)
    most = pool_strategy.payable(pool, shares, terms.pool_keep)
    most = most if most < worth else worth
    most = most if most < debt else debt
    state[POOL_WORTH + lane] = worth
    state[POOL_PAYABLE + lane] = most if is_at_price(pool, price, terms) else 0.0


@inlined
def most_of_pool(state: FloatArray, lane: int, terms: Terms) -> float:
    """Return the ounces that may go into the pool or come out of it on a day.

    None while it is off the price, or gold is worthless. `state` is of shape (STATE_SIZE,).
    """
    pool, price = get_pool(state, lane), state[TOKEN_USD + lane]
    goes = is_at_price(pool, counted(price), terms) and price > LEAST_USDC
    return terms.pool_pace * pool.gold if goes else 0.0


@inlined
def move_in_pool(state: FloatArray, lane: int, terms: Terms) -> None:
    """Add `POOL_MOVED` ounces to the pool, or take them out of it; value what is there then.

    `state` is of shape (STATE_SIZE,).
    """
    moved, shares = state[POOL_MOVED + lane], state[POOL_SHARES + lane]
    before, price = get_pool(state, lane), counted(state[TOKEN_USD + lane])
    keep = terms.pool_keep
    into = pool_strategy.add(before, shares, moved if moved > 0.0 else 0.0, keep)
    put_pool(state, lane, into.pool)
    out = pool_strategy.remove(into.pool, into.shares, -moved if moved < 0.0 else 0.0, keep, price)
    put_pool(state, lane, out.pool)
    state[POOL_SHARES + lane] = out.shares
    state[POOL_PAID + lane] += (into.fee + out.fee) * price
    state[POOL_MOVED + lane] = 0.0
    value_pool(state, lane, terms)


@inlined
def make(state: FloatArray, lane: int, made: Trade, terms: Terms) -> None:
    """Book a trade of others, and the vault's part of its fee; `state` of shape (STATE_SIZE,)."""
    pool, price = get_pool(state, lane), state[TOKEN_USD + lane]
    fee = fee_of(made, price, terms.pool_keep) / counted(price)
    state[POOL_FEES_OPEN + lane] += fee * (state[POOL_SHARES + lane] / pool.shares)
    put_pool(state, lane, after(pool, made))


@kernel
def fill_pool(state: FloatArray, terms: Terms) -> None:
    """Fill the pool at the first day's price; `state` of shape (STATE_SIZE,)."""
    for lane in range(WIDTH):
        price = state[TOKEN_USD + lane]
        pool, _ = filled(terms.pool_reserve_ounces, terms.pool_provided_usdc, price)
        put_pool(state, lane, pool)


@kernel
def keep_at_market(state: FloatArray, gas_times: float, terms: Terms) -> None:
    """Let the arbitrageur trade where it pays, and value the pool.

    `state` is of shape (STATE_SIZE,), `gas_times` what gas costs over the scenario's own price.
    """
    for lane in range(WIDTH):
        pool, price = get_pool(state, lane), state[TOKEN_USD + lane]
        made = arbitrage(pool, price, terms.pool_keep, terms.pool_arbitrage_usd * gas_times)
        make(state, lane, made, terms)
        state[POOL_PAID + lane] = 0.0
        value_pool(state, lane, terms)


@kernel
def make_noise(state: FloatArray, terms: Terms) -> None:
    """Let noise traders buy, then sell, and value the pool; `state` of shape (STATE_SIZE,)."""
    for lane in range(WIDTH):
        volume, imbalance = state[VOLUME + lane], state[IMBALANCE + lane]
        price, keep = state[TOKEN_USD + lane], terms.pool_keep
        bought = noise_purchase(get_pool(state, lane), volume, imbalance, price, keep)
        make(state, lane, bought, terms)
        sold = noise_sale(get_pool(state, lane), volume, imbalance, price, keep)
        make(state, lane, sold, terms)
        value_pool(state, lane, terms)


@kernel
def leave_pool(state: FloatArray, shares: FloatArray, terms: Terms) -> None:
    """Let other providers leave with `shares`, of shape (WIDTH,), and value the pool.

    `state` is of shape (STATE_SIZE,).
    """
    for lane in range(WIDTH):
        put_pool(state, lane, without(get_pool(state, lane), shares[lane]))
        value_pool(state, lane, terms)
