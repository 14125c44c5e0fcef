"""Gold alone in a pool of gold and USDC: the twin of `contracts/pool_strategy.vy`.

Whoever brings gold sells part of it to the pool and adds the rest with what he gets; whoever wants
gold back removes liquidity and buys gold for the USDC. Either way the USDC that leaves the pool
comes back to it. With x the reserve of gold, g one less the fee f, a the gold:

    adding     sells s = 2 x a / (x (1 + g) + sqrt(x^2 (1 + g)^2 + 4 g x a))
    removing   takes the part q of the pool for which q + q (1 - q) g / (1 - f q) = a / x

Amounts are ounces and shares of the pool. Functions take values and return values.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import inlined
from simulator.mechanics.pool import Pool


class Moved(NamedTuple):
    """The pool after a move, the strategy's shares of it, and the trade's fee in ounces."""

    pool: Pool
    shares: float
    fee: float


@inlined
def worth(pool: Pool, shares: float, price: float) -> float:
    """Return what shares are worth in ounces, as if the pool stood at `price`, above zero.

    No trade within the pool changes it but for the fee, so nobody can move it by trading.
    """
    return 2.0 * (shares / pool.shares) * np.sqrt(pool.gold * pool.usdc / price)


@inlined
def payable(pool: Pool, shares: float, keep: float) -> float:
    """Return the gold that all of a strategy's shares bring."""
    part = shares / pool.shares
    bought = part * (1.0 - part) * keep / (1.0 - (1.0 - keep) * part)
    return pool.gold * (part + bought)


@inlined
def add(pool: Pool, shares: float, ounces: float, keep: float) -> Moved:
    """Return the pool after gold alone was added; nothing changes where that is zero."""
    base = pool.gold * (1.0 + keep)
    sold = (
        2.0 * pool.gold * ounces / (base + np.sqrt(base * base + 4.0 * keep * pool.gold * ounces))
    )
    minted = pool.shares * (ounces - sold) / (pool.gold + sold)
    after = Pool(pool.gold + ounces, pool.usdc, pool.shares + minted)
    return Moved(after, shares + minted, (1.0 - keep) * sold)


@inlined
def remove(pool: Pool, shares: float, ounces: float, keep: float, price: float) -> Moved:
    """Return the pool after gold alone was taken out, no more than `payable`."""
    wanted = ounces / pool.gold
    sum_ = 1.0 + keep + (1.0 - keep) * wanted
    part = 2.0 * wanted / (sum_ + np.sqrt(sum_ * sum_ - 4.0 * wanted))
    burnt = part * pool.shares
    left = shares - burnt
    after = Pool(pool.gold - ounces, pool.usdc, pool.shares - burnt)
    fee = (1.0 - keep) * part * pool.usdc / price
    return Moved(after, left if left > 0.0 else 0.0, fee)
