"""The parts of a pool's day, over the lanes: prices, arbitrage, noise traders, the provider.

`own`, of shape (SIZE,), is the flat array of `rows`.
"""

from __future__ import annotations

from simulator.instruments.gold_pool.rows import (
    ALL_FEES,
    ALL_LOSS,
    BACKING,
    BACKING_READ,
    BY_SOURCE,
    GOLD,
    IMBALANCE,
    LEAVE,
    LEAVING,
    MARK,
    METAL,
    METAL_READ,
    OWN_GOLD,
    OWN_SHARES,
    OWN_USDC,
    PAID_GOLD,
    PAID_USDC,
    PART,
    PROFIT,
    REST,
    TOKEN,
    TOKEN_READ,
    TRADED,
    USDC,
    VALUE,
    VISIT_FEES,
    VISIT_GOLD,
    VISIT_SHARES,
    VOLUME,
    get_pool,
    put_pool,
)
from simulator.instruments.gold_pool.state import (
    FEES,
    GAS,
    GOLD_PRICE,
    LOSS,
    PREMIUM,
    SHORTFALL,
    SPREAD,
    Numbers,
)
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.mechanics.pool import (
    Pool,
    Trade,
    after,
    arbitrage,
    fee_of,
    filled,
    noise_purchase,
    noise_sale,
    without,
    worth,
)
from simulator.units import LANES, FloatArray

BY_FEES, BY_LOSS = BY_SOURCE + FEES * LANES, BY_SOURCE + LOSS * LANES
BY_GOLD, BY_PREMIUM = BY_SOURCE + GOLD_PRICE * LANES, BY_SOURCE + PREMIUM * LANES
BY_SHORTFALL = BY_SOURCE + SHORTFALL * LANES
BY_SPREAD, BY_GAS = BY_SOURCE + SPREAD * LANES, BY_SOURCE + GAS * LANES


@inlined
def begin(own: FloatArray, numbers: Numbers) -> None:
    """Fill the pool at the first day's price, of which `*_READ` are read already.

    `own` is of shape (SIZE,).
    """
    for lane in range(LANES):
        price = own[TOKEN_READ + lane]
        own[METAL + lane], own[TOKEN + lane] = own[METAL_READ + lane], price
        own[BACKING + lane] = own[BACKING_READ + lane]
        pool, ounces = filled(numbers.reserve_ounces, numbers.holder_usdc, price)
        part = ounces / pool.gold
        own[REST + lane] = numbers.holder_usdc - ounces * price - part * pool.usdc
        own[OWN_SHARES + lane] = part * pool.shares
        put_pool(own, lane, pool)
        own[BY_GAS + lane] = -numbers.gas_enter_usd


@inlined
def take_prices(own: FloatArray) -> int:
    """Book what the change of prices did to yesterday's gold; return where backing changed.

    By gold it is the change of gold times yesterday's price over gold, else the premium's.
    `own` is of shape (SIZE,).
    """
    changed = 0
    for lane in range(LANES):
        metal, token = own[METAL_READ + lane], own[TOKEN_READ + lane]
        metal_before, token_before = own[METAL + lane], own[TOKEN + lane]
        ounces = own[PART + lane] * own[GOLD + lane]
        by_gold = (metal - metal_before) * (token_before / metal_before)
        own[BY_GOLD + lane] += ounces * by_gold
        own[BY_PREMIUM + lane] += ounces * (token - token_before - by_gold)
        own[METAL + lane] = metal
        own[TOKEN + lane] = token
        changed += 1 if own[BACKING + lane] != own[BACKING_READ + lane] else 0
    return changed


@kernel
def take_backing(own: FloatArray, before: FloatArray, first: int) -> None:
    """Move what a change of the backing did from the premium to the shortfall.

    Comes after `take_prices`, which gave the premium all that gold did not do.

    Parameters
    ----------
    before : ndarray of shape (n_paths,)
        Yesterday's premium, of which the lanes begin with `first`.
    """
    for lane in range(LANES):
        change = own[BACKING_READ + lane] - own[BACKING + lane]
        ounces = own[PART + lane] * own[GOLD + lane]
        lost = ounces * own[METAL + lane] * change * exponential(before[first + lane])
        own[BY_SHORTFALL + lane] += lost
        own[BY_PREMIUM + lane] -= lost
        own[BACKING + lane] = own[BACKING_READ + lane]


@inlined
def make(own: FloatArray, lane: int, made: Trade, keep: float) -> float:
    """Book a trade, its fee and its loss, and return what it brought the pool, USDC.

    The loss is what the pool gets less than the market's price for what it gives, its fee
    apart. `own` is of shape (SIZE,).
    """
    before, price = get_pool(own, lane), own[TOKEN + lane]
    now = after(before, made)
    own[GOLD + lane], own[USDC + lane] = now.gold, now.usdc
    brought = (now.gold - before.gold) * price + (now.usdc - before.usdc)
    fee, part = fee_of(made, price, keep), own[PART + lane]
    own[ALL_FEES + lane] += fee
    own[ALL_LOSS + lane] += brought - fee
    own[BY_FEES + lane] += part * fee
    own[BY_LOSS + lane] += part * (brought - fee)
    return float(brought)


@inlined
def keep_at_market(own: FloatArray, numbers: Numbers, gas: float) -> None:
    """Let the arbitrageur trade where it pays after `gas`, USD; `own` of shape (SIZE,)."""
    for lane in range(LANES):
        price = own[TOKEN + lane]
        made = arbitrage(get_pool(own, lane), price, numbers.keep, gas)
        own[PROFIT + lane] -= make(own, lane, made, numbers.keep)
        own[TRADED + lane] += 1.0 if made.gold + made.usdc > 0.0 else 0.0
        own[OWN_GOLD + lane] += made.gold_out - made.gold
        own[OWN_USDC + lane] += made.usdc_out - made.usdc
        own[PAID_GOLD + lane] = made.gold
        own[PAID_USDC + lane] = made.usdc


@inlined
def receive(own: FloatArray) -> None:
    """Take over what a visitor has left, of which `VISIT_*` are read already.

    What his trades paid is the fees', what else they changed for the provider a loss or a gain of
    his. `own` is of shape (SIZE,).
    """
    for lane in range(LANES):
        price, before = own[TOKEN + lane], get_pool(own, lane)
        held, fee = own[PART + lane], own[VISIT_FEES + lane]
        put_pool(own, lane, Pool(own[VISIT_GOLD + lane], before.usdc, own[VISIT_SHARES + lane]))
        now, part = get_pool(own, lane), own[PART + lane]
        brought = part * worth(now, price) - held * worth(before, price)
        own[ALL_FEES + lane] += fee
        own[BY_FEES + lane] += held * fee
        own[BY_LOSS + lane] += brought - held * fee


@inlined
def make_noise(own: FloatArray, keep: float) -> None:
    """Let noise traders buy, then sell; `own` of shape (SIZE,)."""
    for lane in range(LANES):
        price, volume, imbalance = own[TOKEN + lane], own[VOLUME + lane], own[IMBALANCE + lane]
        bought = noise_purchase(get_pool(own, lane), volume, imbalance, price, keep)
        make(own, lane, bought, keep)
        sold = noise_sale(get_pool(own, lane), volume, imbalance, price, keep)
        make(own, lane, sold, keep)
        own[PAID_USDC + lane] = bought.usdc
        own[PAID_GOLD + lane] = sold.gold


@inlined
def others_leave(own: FloatArray) -> None:
    """Let other providers leave with the shares that were read; `own` of shape (SIZE,)."""
    for lane in range(LANES):
        put_pool(own, lane, without(get_pool(own, lane), own[LEAVING + lane]))


@inlined
def value_provider(own: FloatArray, numbers: Numbers, gas: float) -> None:
    """Write what the deposit and the whole pool are worth, leaving for `gas`, USD.

    `own` is of shape (SIZE,).
    """
    for lane in range(LANES):
        pool, price = get_pool(own, lane), own[TOKEN + lane]
        value, part = worth(pool, price), own[PART + lane]
        mark = part * value + own[REST + lane] - numbers.gas_enter_usd
        own[VALUE + lane] = value
        own[MARK + lane] = mark
        spread = part * pool.gold * price * numbers.sale_spread
        own[LEAVE + lane] = mark - spread - gas


@kernel
def leave_last(own: FloatArray, numbers: Numbers, gas: float) -> None:
    """Book what leaving at the horizon costs, `gas` in USD; `own` of shape (SIZE,)."""
    for lane in range(LANES):
        gold_usdc = own[PART + lane] * own[GOLD + lane] * own[TOKEN + lane]
        own[BY_SPREAD + lane] = -gold_usdc * numbers.sale_spread
        own[BY_GAS + lane] -= gas
