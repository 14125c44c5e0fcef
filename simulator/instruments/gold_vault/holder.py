"""The measured holder: rewards, value, attribution, and the way out, over the lanes.

`state` is the flat array of `lanes`.
"""

from __future__ import annotations

from simulator.instruments.gold_vault import moves
from simulator.instruments.gold_vault.lanes import (
    ATTRIBUTED_OUNCES,
    ATTRIBUTED_USD,
    BACKING,
    EVENTS,
    EXIT_TOKENS,
    FACTOR,
    GAS_TOKENS,
    GOLD_USD,
    HOLDER_SHARES,
    INCOME_TOKENS,
    MARK_TOKENS,
    REWARD_USD,
    REWARDS_CLAIMED,
    REWARDS_UNCLAIMED,
    SOLD_TOKENS,
    STAKED,
    SUPPLY_INDEX,
    TOKEN_USD,
    UNPAID,
    UTILISATION,
    WIDTH,
    get_fund,
    put_fund,
)
from simulator.instruments.gold_vault.moves import MINIMUM_OUNCES, floor_to, liquid, pull, with_room
from simulator.instruments.gold_vault.state import (
    EMISSIONS,
    GAS,
    GOLD_PRICE,
    ILLIQUIDITY,
    PREMIUM,
    SHORTFALL,
    SPREAD,
    Action,
    Terms,
)
from simulator.market.elementary import exponential
from simulator.mechanics import lending, vault
from simulator.mechanics.jit import inlined, kernel
from simulator.mechanics.vault import BAD_DEBT, EXPLOIT, INTEREST, POOL_FEES, VAULT_FEES, BySource
from simulator.units import FloatArray

HOLDER_REDEEM_SHARES = int(Action.HOLDER_REDEEM_SHARES)


@inlined
def attribute(state: FloatArray, lane: int, source: int, tokens: float) -> None:
    """Book a flow of tokens, in ounces and in dollars."""
    row = source * WIDTH + lane
    state[ATTRIBUTED_OUNCES + row] += tokens * state[BACKING + lane]
    state[ATTRIBUTED_USD + row] += tokens * state[TOKEN_USD + lane]


@inlined
def take_prices(
    state: FloatArray,
    gold_usd: FloatArray,
    token_usd: FloatArray,
    premium: FloatArray,
    step: int,
    first: int,
) -> None:
    """Read the day's prices, and book the change of yesterday's tokens: gold and premium."""
    golds = gold_usd[step, first : first + WIDTH]
    tokens_usd = token_usd[step, first : first + WIDTH]
    for lane in range(WIDTH):
        tokens = state[MARK_TOKENS + lane]
        gold, token = golds[lane], tokens_usd[lane]
        base = state[BACKING + lane] * state[FACTOR + lane]
        by_gold = (gold - state[GOLD_USD + lane]) * base
        rest = token - state[TOKEN_USD + lane] - by_gold
        state[ATTRIBUTED_USD + GOLD_PRICE * WIDTH + lane] += tokens * by_gold
        state[ATTRIBUTED_USD + PREMIUM * WIDTH + lane] += tokens * rest
        state[GOLD_USD + lane] = gold
        state[TOKEN_USD + lane] = token
    take_premium(state, premium, step, first)


@inlined
def take_premium(state: FloatArray, premium: FloatArray, step: int, first: int) -> None:
    """Read the day's premium, as the factor on the price."""
    values = premium[step, first : first + WIDTH]
    for lane in range(WIDTH):
        state[FACTOR + lane] = exponential(values[lane])


@inlined
def count_shortfalls(state: FloatArray, backing: FloatArray, step: int, first: int) -> int:
    """Return on how many lanes the backing changes."""
    count = 0
    today = backing[step, first : first + WIDTH]
    for lane in range(WIDTH):
        count += 1 if state[BACKING + lane] != today[lane] else 0
    return count


@inlined
def take_backing(
    state: FloatArray, old_factor: FloatArray, backing: FloatArray, step: int, first: int
) -> None:
    """Read the backing, and move what its change did from the premium to the shortfall.

    Comes after `take_prices`; `old_factor` is yesterday's.
    """
    for lane in range(WIDTH):
        tokens = state[MARK_TOKENS + lane]
        change = backing[step, first + lane] - state[BACKING + lane]
        by_backing = state[GOLD_USD + lane] * change * old_factor[lane]
        state[ATTRIBUTED_USD + SHORTFALL * WIDTH + lane] += tokens * by_backing
        state[ATTRIBUTED_USD + PREMIUM * WIDTH + lane] -= tokens * by_backing
        state[ATTRIBUTED_OUNCES + SHORTFALL * WIDTH + lane] += tokens * change
        state[BACKING + lane] = backing[step, first + lane]


@inlined
def attribute_profit(state: FloatArray, lane: int, released: BySource) -> None:
    """Book what reached the share price; the rare sources apart."""
    shares = state[HOLDER_SHARES + lane]
    attribute(state, lane, INTEREST, shares * released.interest)
    attribute(state, lane, POOL_FEES, shares * released.pool_fees)
    attribute(state, lane, VAULT_FEES, shares * released.vault_fees)


@inlined
def attribute_losses(state: FloatArray, lane: int, released: BySource) -> None:
    """Book what of bad debt and exploits reached the share price."""
    shares = state[HOLDER_SHARES + lane]
    attribute(state, lane, BAD_DEBT, shares * released.bad_debt)
    attribute(state, lane, EXPLOIT, shares * released.exploit)


@inlined
def sell_rewards(state: FloatArray, terms: Terms) -> None:
    """Sell the unclaimed rewards for gold tokens, less slippage."""
    for lane in range(WIDTH):
        token_usd = state[TOKEN_USD + lane]
        usd = state[REWARDS_UNCLAIMED + lane] * state[REWARD_USD + lane] * (1.0 - terms.slippage)
        sold = usd / token_usd
        state[SOLD_TOKENS + lane] += sold if token_usd > 0.0 else 0.0
        state[REWARDS_CLAIMED + lane] += state[REWARDS_UNCLAIMED + lane]
        state[REWARDS_UNCLAIMED + lane] = 0.0


@inlined
def value_holder(state: FloatArray, terms: Terms) -> None:
    """Write mark, exit and utilisation, and book the day's rewards."""
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        token_usd = state[TOKEN_USD + lane]
        per_usd = 1.0 / token_usd
        per_usd = per_usd if token_usd > 0.0 else 0.0
        pending = state[REWARDS_UNCLAIMED + lane] * state[REWARD_USD + lane]
        income = state[SOLD_TOKENS + lane] + pending * (1.0 - terms.slippage) * per_usd
        attribute(state, lane, EMISSIONS, income - state[INCOME_TOKENS + lane])
        state[INCOME_TOKENS + lane] = income
        in_vault = state[HOLDER_SHARES + lane] * vault.share_price(fund.vault)
        mark = in_vault + income - state[GAS_TOKENS + lane]
        short = in_vault - liquid(fund, state[SUPPLY_INDEX + lane])
        short = short if short > 0.0 else 0.0
        state[MARK_TOKENS + lane] = mark
        state[EXIT_TOKENS + lane] = mark - short * terms.haircut - terms.gas_leave_usd * per_usd
        state[UTILISATION + lane] = lending.utilisation(fund.market)


@inlined
def pay_gas(state: FloatArray, gas_usd: float) -> None:
    """Book a transaction's gas."""
    for lane in range(WIDTH):
        token_usd = state[TOKEN_USD + lane]
        gas = gas_usd / token_usd if token_usd > 0.0 else 0.0
        state[GAS_TOKENS + lane] += gas
        attribute(state, lane, GAS, -gas)


@kernel
def holder_leaves(state: FloatArray, terms: Terms, acts: FloatArray) -> None:
    """Take the holder out at the horizon, last in the day's line."""
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        index = state[SUPPLY_INDEX + lane]
        price = vault.share_price(fund.vault)
        payable = liquid(fund, index)
        held = state[HOLDER_SHARES + lane]
        shares = held
        if held * price > payable:
            shares = floor_to(with_room(payable, terms) / price, terms)
            shares = shares if shares * price >= MINIMUM_OUNCES else 0.0
            state[EVENTS + lane] += 1.0
        fund, _, _ = pull(fund, index, shares * price)
        put_fund(state, lane, moves.change_shares(fund, 0.0, -shares))
        acts[lane, HOLDER_REDEEM_SHARES] = shares
        state[STAKED + lane] -= held
        unpaid = (held - shares) * price
        state[UNPAID + lane] = unpaid
        discount = unpaid * terms.haircut
        attribute(state, lane, ILLIQUIDITY, -discount)
        token_usd = state[TOKEN_USD + lane]
        gas = terms.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
        attribute(state, lane, GAS, -gas)
        tokens = state[MARK_TOKENS + lane] - discount - gas
        spread = tokens * token_usd * terms.sale_spread
        state[ATTRIBUTED_USD + SPREAD * WIDTH + lane] -= spread
        state[EXIT_TOKENS + lane] = tokens
        state[UTILISATION + lane] = lending.utilisation(fund.market)
