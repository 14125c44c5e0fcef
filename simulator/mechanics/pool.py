"""A constant-product pool on the values of one path: the twin of `contracts/gold_pool.vy`.

With x gold and y USDC in it, and g of what is paid in at work beside a fee of 1 - g, a trade of a
gold pays

    y g a / (x + g a)

so x y never falls. Amounts are ounces and USDC; shares are the root of ounces times USDC. What is
paid out is not rounded here, what is paid in always is. Functions take values and return values.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import inlined
from simulator.units import DEAD_BAND

USDC_UNIT, USDC_UNITS = 1e-6, 1e6
OUNCE_UNIT, OUNCE_UNITS = 1e-6, 1e6
"""Whoever trades deals in whole millionths of a dollar and of an ounce."""

LEAST_USDC = 1e-4
"""A token that is worth less is worthless: nobody buys it, and no price is reckoned below."""

MOST_SHARE = 0.5
"""Of a reserve: noise traders pay no more in on a day, however large their volume."""

MOST_OUNCES = 1e7
"""Gold up to which arbitrageurs fill a pool, however worthless the token: more than there is."""


class Pool(NamedTuple):
    """Reserves of gold and USDC, and all shares."""

    gold: float
    usdc: float
    shares: float


class Trade(NamedTuple):
    """What is paid in and what is paid out: gold for USDC, or USDC for gold, or nothing."""

    gold: float
    usdc: float
    gold_out: float
    usdc_out: float


@inlined
def usdc_down(usdc: float) -> float:
    """Return USDC rounded down to the millionth."""
    return np.floor(usdc * USDC_UNITS) * USDC_UNIT


@inlined
def ounces_down(ounces: float) -> float:
    """Return ounces rounded down to the millionth."""
    return np.floor(ounces * OUNCE_UNITS) * OUNCE_UNIT


@inlined
def amount_out(paid: float, reserve_in: float, reserve_out: float, keep: float) -> float:
    """Return what a trade pays; `keep` is one less the fee."""
    at_work = paid * keep
    return at_work * reserve_out / (reserve_in + at_work)


@inlined
def purchase(pool: Pool, usdc: float, keep: float) -> Trade:
    """Return the trade of who pays USDC in for gold."""
    return Trade(0.0, usdc, amount_out(usdc, pool.usdc, pool.gold, keep), 0.0)


@inlined
def sale(pool: Pool, gold: float, keep: float) -> Trade:
    """Return the trade of who pays gold in for USDC."""
    return Trade(gold, 0.0, 0.0, amount_out(gold, pool.gold, pool.usdc, keep))


@inlined
def after(pool: Pool, made: Trade) -> Pool:
    """Return the pool after a trade."""
    return Pool(
        pool.gold + made.gold - made.gold_out, pool.usdc + made.usdc - made.usdc_out, pool.shares
    )


@inlined
def worth(pool: Pool, price: float) -> float:
    """Return what the reserves are worth at `price`, USDC."""
    return pool.gold * price + pool.usdc


@inlined
def fee_of(made: Trade, price: float, keep: float) -> float:
    """Return what of a trade stays as its fee, USDC at `price`."""
    return (1.0 - keep) * (made.gold * price + made.usdc)


@inlined
def counted(price: float) -> float:
    """Return the price that is reckoned with: never zero."""
    return price if price > LEAST_USDC else LEAST_USDC


@inlined
def filled(reserve_ounces: float, provided_usdc: float, price: float) -> tuple[Pool, float]:
    """Return a pool at its first day's price, and the ounces that a provider puts into it.

    Others have put in `reserve_ounces` with as much USDC; half of what he provides buys gold, and
    as much USDC as belongs to that goes beside it.
    """
    usdc = usdc_down(reserve_ounces * price)
    ounces = ounces_down(0.5 * provided_usdc / price)
    whole = 1.0 + ounces / reserve_ounces
    shares = np.sqrt(reserve_ounces * usdc)
    return Pool(reserve_ounces + ounces, usdc * whole, shares * whole), ounces


@inlined
def without(pool: Pool, shares: float) -> Pool:
    """Return a pool after some shares have left with their part of both reserves."""
    stays = 1.0 - shares / pool.shares
    return Pool(pool.gold * stays, pool.usdc * stays, pool.shares - shares)


@inlined
def noise_purchase(pool: Pool, volume: float, imbalance: float, price: float, keep: float) -> Trade:
    """Return what noise traders buy of a day's volume, USDC."""
    wanted, most = 0.5 * volume * (1.0 + imbalance), MOST_SHARE * pool.usdc
    usdc = usdc_down(wanted if wanted < most else most)
    return purchase(pool, usdc if price > LEAST_USDC else 0.0, keep)


@inlined
def noise_sale(pool: Pool, volume: float, imbalance: float, price: float, keep: float) -> Trade:
    """Return what noise traders sell of a day's volume, after their purchases."""
    wanted, most = 0.5 * volume * (1.0 - imbalance) / price, MOST_SHARE * pool.gold
    gold = ounces_down(wanted if wanted < most else most)
    # without a branch: what a price of zero makes infinite or nothing is dropped
    return sale(pool, gold if price > LEAST_USDC else 0.0, keep)


@inlined
def arbitrage(pool: Pool, price: float, keep: float, least_profit: float) -> Trade:
    """Return the most profitable trade of who can trade gold elsewhere at `price`.

    Buying gold pays while the next ounce costs less than `price`. With y the reserve of USDC,

        (y + g paid)^2 / (g x y) = price,  so  g paid = sqrt(g x y price) - y

    and alike for selling. It is made where it moves a reserve by more than the dead-band and
    earns more than `least_profit`, USDC. After it the pool's price lies within price x g to
    price / g.
    """
    at = counted(price)
    root = np.sqrt(keep * pool.gold * pool.usdc * at)
    usdc = usdc_down((root - pool.usdc) / keep)
    gold = (root / at - pool.gold) / keep
    room = MOST_OUNCES - pool.gold
    gold = ounces_down(gold if gold < room else room)
    usdc = usdc if usdc > DEAD_BAND * pool.usdc else 0.0
    gold = gold if gold > DEAD_BAND * pool.gold else 0.0
    # of the two at most one is above zero
    gold_out = amount_out(usdc, pool.usdc, pool.gold, keep)
    usdc_out = amount_out(gold, pool.gold, pool.usdc, keep)
    pays = (gold_out - gold) * price + (usdc_out - usdc) > least_profit
    return Trade(
        gold if pays else 0.0,
        usdc if pays else 0.0,
        gold_out if pays else 0.0,
        usdc_out if pays else 0.0,
    )
