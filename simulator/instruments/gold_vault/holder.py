"""The measured holder: rewards, value, attribution, and the way out.

Every function works on one path: `path` is a record of `state.PATH`, `world` one of
`state.WORLD`; arrays by cohort have shape (8,), by source (5,). `act` and `seen` are the
rows of the record that the replay reads.
"""

from __future__ import annotations

from typing import Any

from simulator.instruments.gold_vault.moves import (
    MINIMUM_OUNCES,
    floor_to,
    liquid,
    pull,
    with_room,
)
from simulator.instruments.gold_vault.state import (
    EMISSIONS,
    GAS,
    GOLD_PRICE,
    ILLIQUIDITY,
    PREMIUM,
    SHORTFALL,
    SPREAD,
    Action,
)
from simulator.mechanics import vault
from simulator.mechanics.jit import inlined
from simulator.mechanics.vault import N_VAULT_SOURCES
from simulator.units import FloatArray

Record = Any

HOLDER_REDEEM_SHARES = int(Action.HOLDER_REDEEM_SHARES)


@inlined
def earn_rewards(path: Record) -> None:
    """Credit the holder with what the stake has earned since the last look."""
    gain = path.staking.reward_per_share - path.reward_per_share_paid
    path.reward_per_share_paid = path.staking.reward_per_share
    path.rewards_unclaimed += path.holder_shares * gain
    path.rewards_earned += path.holder_shares * gain


@inlined
def sell_rewards(path: Record, world: Record, reward_usd: float, token_usd: float) -> None:
    """Sell the unclaimed rewards for gold tokens, less slippage."""
    usd = path.rewards_unclaimed * reward_usd * (1.0 - world.slippage)
    path.sold_tokens += usd / token_usd if token_usd > 0.0 else 0.0
    path.rewards_unclaimed = 0.0


@inlined
def attribute(
    attribution: FloatArray, source: int, tokens: float, backing: float, token_usd: float
) -> None:
    """Book a flow of tokens in ounces (row 0) and dollars (row 1)."""
    attribution[0, source] += tokens * backing
    attribution[1, source] += tokens * token_usd


@inlined
def attribute_prices(
    attribution: FloatArray, tokens: float, prices: FloatArray, yesterday: FloatArray
) -> None:
    """Book the day's price change of yesterday's tokens: gold, premium, shortfall.

    `prices` holds gold, token, backing and exp(premium).
    """
    by_gold = (prices[0] - yesterday[0]) * yesterday[2] * yesterday[3]
    by_backing = prices[0] * (prices[2] - yesterday[2]) * yesterday[3]
    attribution[1, GOLD_PRICE] += tokens * by_gold
    attribution[1, SHORTFALL] += tokens * by_backing
    attribution[1, PREMIUM] += tokens * (prices[1] - yesterday[1] - by_gold - by_backing)
    attribution[0, SHORTFALL] += tokens * (prices[2] - yesterday[2])


@inlined
def value_holder(
    path: Record,
    world: Record,
    released: FloatArray,
    prices: FloatArray,
    reward_usd: float,
    gas_usd: float,
    attribution: FloatArray,
) -> float:
    """Book what the day brought the holder; return the tokens of an exit on this day."""
    backing, token_usd = prices[2], prices[1]
    for source in range(N_VAULT_SOURCES):
        flow = path.holder_shares * released[source]
        attribute(attribution, source, flow, backing, token_usd)
    pending = path.rewards_unclaimed * reward_usd * (1.0 - world.slippage)
    pending = pending / token_usd if token_usd > 0.0 else 0.0
    income = path.sold_tokens + pending
    attribute(attribution, EMISSIONS, income - path.income_tokens, backing, token_usd)
    path.income_tokens = income
    gas = gas_usd / token_usd if token_usd > 0.0 else 0.0
    attribute(attribution, GAS, -gas, backing, token_usd)
    path.gas_tokens += gas
    in_vault = path.holder_shares * vault.share_price(path.vault)
    path.mark_tokens = in_vault + income - path.gas_tokens
    short = max(0.0, in_vault - liquid(path))
    leave = world.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
    return path.mark_tokens - short * world.haircut - leave


@inlined
def holder_leaves(
    path: Record,
    world: Record,
    prices: FloatArray,
    attribution: FloatArray,
    act: FloatArray,
) -> float:
    """Take the holder out at the horizon, last in the day's line; return the tokens."""
    backing, token_usd = prices[2], prices[1]
    price = vault.share_price(path.vault)
    payable = liquid(path)
    shares = path.holder_shares
    if shares * price > payable:
        shares = floor_to(with_room(payable, world.unit) / price, world.unit)
        shares = shares if shares * price >= MINIMUM_OUNCES else 0.0
        path.events += 1
    pull(path, shares * price)
    path.vault.shares -= shares
    path.unpaid = (path.holder_shares - shares) * price
    act[HOLDER_REDEEM_SHARES] = shares
    discount = path.unpaid * world.haircut
    attribute(attribution, ILLIQUIDITY, -discount, backing, token_usd)
    gas = world.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
    attribute(attribution, GAS, -gas, backing, token_usd)
    tokens = path.mark_tokens - discount - gas
    attribution[1, SPREAD] -= tokens * token_usd * world.sale_spread
    path.staking.staked -= path.holder_shares
    return tokens
