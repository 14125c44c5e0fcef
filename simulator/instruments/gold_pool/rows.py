"""The state of LANES paths side by side, in one flat array of rows.

A row holds one number of each path. All rows lie in one array at constant distances: LLVM then
sees that they do not overlap, and turns a loop over lanes into vector instructions. The array,
everywhere called `own`, is of shape (SIZE,), float64; a row's number is its place, and
`own[ROW + lane]` is in ounces or USDC as its name says.
"""

from __future__ import annotations

from simulator.instruments.gold_pool.state import N_SOURCES
from simulator.jit import inlined
from simulator.mechanics.pool import Pool
from simulator.units import LANES, FloatArray

(
    # Today's drivers; prices are yesterday's until they are taken.
    METAL,
    TOKEN,
    METAL_READ,
    TOKEN_READ,
    BACKING,
    BACKING_READ,
    VOLUME,
    IMBALANCE,
    # The pool, the provider's shares of it and what of all that is, 1 = 100 %; what of his money
    # was too little for a token.
    GOLD,
    USDC,
    SHARES,
    OWN_SHARES,
    PART,
    REST,
    # What a visitor leaves on the day.
    VISIT_GOLD,
    VISIT_SHARES,
    VISIT_FEES,
    # Shares with which other providers leave at the end of the day.
    LEAVING,
    # What was paid in last.
    PAID_GOLD,
    PAID_USDC,
    # Sums over the whole pool, and the arbitrageur's.
    ALL_FEES,
    ALL_LOSS,
    PROFIT,
    TRADED,
    OWN_GOLD,
    OWN_USDC,
    # The day's results.
    MARK,
    LEAVE,
    VALUE,
) = range(0, 29 * LANES, LANES)

BY_SOURCE = 29 * LANES
SIZE = BY_SOURCE + N_SOURCES * LANES


@inlined
def get_pool(own: FloatArray, lane: int) -> Pool:
    """Return a lane's reserves and shares; `own` of shape (SIZE,)."""
    return Pool(own[GOLD + lane], own[USDC + lane], own[SHARES + lane])


@inlined
def put_pool(own: FloatArray, lane: int, pool: Pool) -> None:
    """Write a lane's reserves, and its shares with the provider's part of them.

    `own` is of shape (SIZE,).
    """
    own[GOLD + lane] = pool.gold
    own[USDC + lane] = pool.usdc
    own[SHARES + lane] = pool.shares
    own[PART + lane] = own[OWN_SHARES + lane] / pool.shares
