"""The measured holder: rewards, value, attribution, and the way out, over the lanes.

`state`, of shape (STATE_SIZE,), is the flat array of `lanes`; `acts`, of shape
(WIDTH, N_ACTIONS), are the day's acts of each lane.
"""

from __future__ import annotations

from simulator.instruments.gold_vault import moves
from simulator.instruments.gold_vault.lanes import (
    ATTRIBUTED_OUNCES,
    ATTRIBUTED_USD,
    BACKING,
    BACKING_READ,
    EVENTS,
    EXIT_OUNCES,
    EXIT_TOKENS,
    EXIT_USD,
    GAS_TOKENS,
    GOLD_READ,
    GOLD_USD,
    HOLDER_SHARES,
    INCOME_TOKENS,
    MARK_OUNCES,
    MARK_TOKENS,
    MARK_USD,
    POOL_MOVED,
    REWARD_USD,
    REWARDS_CLAIMED,
    REWARDS_UNCLAIMED,
    SHARE_PRICE,
    SOLD_TOKENS,
    STAKED,
    TOKEN_READ,
    TOKEN_USD,
    UNPAID,
    UTILISATION,
    WIDTH,
    get_fund,
    get_supply,
    put_fund,
)
from simulator.instruments.gold_vault.moves import (
    MINIMUM_OUNCES,
    ROUNDING_ROOM,
    Fund,
    Price,
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
    Terms,
)
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.mechanics import lending, vault
from simulator.mechanics.vault import (
    BAD_DEBT,
    EXPLOIT,
    IMPERMANENT,
    INTEREST,
    POOL_FEES,
    VAULT_FEES,
    BySource,
)
from simulator.units import FloatArray

HOLDER_REDEEM_SHARES = int(Action.HOLDER_REDEEM_SHARES)


@inlined
def attribute(state: FloatArray, lane: int, source: int, tokens: float) -> None:
    """Book a flow of tokens, in ounces and in dollars; `state` of shape (STATE_SIZE,)."""
    row = source * WIDTH + lane
    state[ATTRIBUTED_OUNCES + row] += tokens * state[BACKING + lane]
    state[ATTRIBUTED_USD + row] += tokens * state[TOKEN_USD + lane]


@inlined
def take_prices(state: FloatArray) -> int:
    """Book what the change of prices did to yesterday's tokens; return where backing changed.

    By gold it is the change of gold times yesterday's price over gold, else the premium's.
    `state` is of shape (STATE_SIZE,).
    """
    changed = 0
    for lane in range(WIDTH):
        gold, token = state[GOLD_READ + lane], state[TOKEN_READ + lane]
        gold_before, token_before = state[GOLD_USD + lane], state[TOKEN_USD + lane]
        tokens = state[MARK_TOKENS + lane]
        by_gold = (gold - gold_before) * (token_before / gold_before)
        rest = token - token_before - by_gold
        state[ATTRIBUTED_USD + GOLD_PRICE * WIDTH + lane] += tokens * by_gold
        state[ATTRIBUTED_USD + PREMIUM * WIDTH + lane] += tokens * rest
        state[GOLD_USD + lane] = gold
        state[TOKEN_USD + lane] = token
        changed += 1 if state[BACKING + lane] != state[BACKING_READ + lane] else 0
    return changed


@kernel
def take_backing(state: FloatArray, premium: FloatArray, step: int, first: int) -> None:
    """Take the day's backing, and move what its change did from the premium to the shortfall.

    Comes after `take_prices`, which gave the premium all that gold did not do, and only on days
    on which some backing changes.

    Parameters
    ----------
    premium : ndarray of shape (n_steps + 1, n_paths)
        Log gap between the token and what backs it.
    """
    before = premium[max(step - 1, 0)]
    for lane in range(WIDTH):
        tokens = state[MARK_TOKENS + lane]
        change = state[BACKING_READ + lane] - state[BACKING + lane]
        by_backing = state[GOLD_USD + lane] * change * exponential(before[first + lane])
        state[ATTRIBUTED_USD + SHORTFALL * WIDTH + lane] += tokens * by_backing
        state[ATTRIBUTED_USD + PREMIUM * WIDTH + lane] -= tokens * by_backing
        state[ATTRIBUTED_OUNCES + SHORTFALL * WIDTH + lane] += tokens * change
        state[BACKING + lane] = state[BACKING_READ + lane]


@inlined
def attribute_profit(state: FloatArray, lane: int, released: BySource) -> None:
    """Book what reached the share price; the rare sources apart; `state` of shape (STATE_SIZE,)."""
    shares = state[HOLDER_SHARES + lane]
    attribute(state, lane, INTEREST, shares * released.interest)
    attribute(state, lane, POOL_FEES, shares * released.pool_fees)
    attribute(state, lane, VAULT_FEES, shares * released.vault_fees)


@inlined
def attribute_losses(state: FloatArray, lane: int, released: BySource) -> None:
    """Book what of bad debt, exploits and impermanent loss reached the share price.

    `state` is of shape (STATE_SIZE,).
    """
    shares = state[HOLDER_SHARES + lane]
    attribute(state, lane, BAD_DEBT, shares * released.bad_debt)
    attribute(state, lane, EXPLOIT, shares * released.exploit)
    attribute(state, lane, IMPERMANENT, shares * released.impermanent)


@inlined
def sell_rewards(state: FloatArray, terms: Terms) -> None:
    """Sell the unclaimed rewards for gold tokens, less slippage; `state` of shape (STATE_SIZE,)."""
    for lane in range(WIDTH):
        token_usd = state[TOKEN_USD + lane]
        usd = state[REWARDS_UNCLAIMED + lane] * state[REWARD_USD + lane] * (1.0 - terms.slippage)
        sold = usd / token_usd
        state[SOLD_TOKENS + lane] += sold if token_usd > 0.0 else 0.0
        state[REWARDS_CLAIMED + lane] += state[REWARDS_UNCLAIMED + lane]
        state[REWARDS_UNCLAIMED + lane] = 0.0


@inlined
def value_holder(state: FloatArray, leave_usd: float, terms: Terms) -> None:
    """Write mark, exit and utilisation, and book the day's rewards.

    `state` is of shape (STATE_SIZE,), `leave_usd` the gas of leaving today.
    """
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        token_usd = state[TOKEN_USD + lane]
        # without a branch: what a price of zero makes infinite is dropped after
        per_usd = 1.0 / token_usd
        per_usd = per_usd if token_usd > 0.0 else 0.0
        pending = state[REWARDS_UNCLAIMED + lane] * state[REWARD_USD + lane]
        income = state[SOLD_TOKENS + lane] + pending * (1.0 - terms.slippage) * per_usd
        attribute(state, lane, EMISSIONS, income - state[INCOME_TOKENS + lane])
        state[INCOME_TOKENS + lane] = income
        in_vault = state[HOLDER_SHARES + lane] * state[SHARE_PRICE + lane]
        mark = in_vault + income - state[GAS_TOKENS + lane]
        short = unpayable(fund, get_supply(state, lane), in_vault)
        state[MARK_TOKENS + lane] = mark
        state[MARK_OUNCES + lane] = mark * state[BACKING + lane]
        state[MARK_USD + lane] = mark * token_usd
        put_exit(state, lane, mark - short * terms.haircut - leave_usd * per_usd, terms)
        state[UTILISATION + lane] = lending.utilisation(fund.market)


@inlined
def unpayable(fund: Fund, supply: Price, ounces: float) -> float:
    """Return what of `ounces` the vault could not pay out now."""
    short = ounces - liquid(fund, supply)
    return short if short > 0.0 else 0.0


@kernel
def write_sellable(
    state: FloatArray, sellable: FloatArray, step: int, first: int, last: bool
) -> None:
    """Write what share of the holder's value vault and wallet can pay on the day.

    Comes last in the day, as only days that are asked for need it. At the horizon it is what the
    exit was paid.

    Parameters
    ----------
    sellable : ndarray of shape (n_steps + 1, n_paths), 1 = 100 %
        Written, from path `first` on.
    """
    for lane in range(WIDTH):
        in_vault = state[HOLDER_SHARES + lane] * state[SHARE_PRICE + lane]
        short = unpayable(get_fund(state, lane), get_supply(state, lane), in_vault)
        short = state[UNPAID + lane] if last else short
        mark = state[MARK_TOKENS + lane]
        part = short / mark if mark > 0.0 else 0.0
        # what is short by rounding alone could be paid
        part = part if part > ROUNDING_ROOM else 0.0
        # gas may have eaten the value up, and more of it is in the vault than there is
        sellable[step, first + lane] = 1.0 - part if part < 1.0 else 0.0


@inlined
def put_exit(state: FloatArray, lane: int, tokens: float, terms: Terms) -> None:
    """Write what leaving pays: in tokens, in ounces, and sold for dollars.

    `state` is of shape (STATE_SIZE,).
    """
    state[EXIT_TOKENS + lane] = tokens
    state[EXIT_OUNCES + lane] = tokens * state[BACKING + lane]
    state[EXIT_USD + lane] = tokens * state[TOKEN_USD + lane] * (1.0 - terms.sale_spread)


@inlined
def pay_gas(state: FloatArray, gas_usd: float) -> None:
    """Book a transaction's gas; `state` of shape (STATE_SIZE,)."""
    for lane in range(WIDTH):
        token_usd = state[TOKEN_USD + lane]
        gas = gas_usd / token_usd if token_usd > 0.0 else 0.0
        state[GAS_TOKENS + lane] += gas
        attribute(state, lane, GAS, -gas)


@kernel
def holder_redeems(state: FloatArray, terms: Terms, acts: FloatArray) -> None:
    """Redeem what the vault can pay of the holder's shares at the horizon, last in the day's line.

    What the pool must pay of it waits in `POOL_MOVED`. `state` is of shape (STATE_SIZE,), `acts`
    of (WIDTH, N_ACTIONS).
    """
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        supply = get_supply(state, lane)
        price = vault.share_price(fund.vault)
        payable = liquid(fund, supply)
        held = state[HOLDER_SHARES + lane]
        shares = held
        if held * price > payable:
            shares = floor_to(with_room(payable, terms) / price, terms)
            shares = shares if shares * price >= MINIMUM_OUNCES else 0.0
            state[EVENTS + lane] += 1.0
        fund, _, from_pool = pull(fund, supply, shares * price)
        put_fund(state, lane, moves.change_shares(fund, 0.0, -shares))
        acts[lane, HOLDER_REDEEM_SHARES] = shares
        state[STAKED + lane] -= held
        state[POOL_MOVED + lane] = -from_pool
        state[HOLDER_SHARES + lane] = held - shares
        state[UNPAID + lane] = (held - shares) * price


@kernel
def holder_leaves(state: FloatArray, leave_usd: float, terms: Terms) -> None:
    """Value what the holder was not paid, after what paying him has cost the others.

    `state` is of shape (STATE_SIZE,), `leave_usd` the gas of leaving.
    """
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        unpaid = state[HOLDER_SHARES + lane] * vault.share_price(fund.vault)
        fallen = state[UNPAID + lane] - unpaid
        state[UNPAID + lane] = unpaid
        discount = unpaid * terms.haircut
        attribute(state, lane, ILLIQUIDITY, -discount)
        token_usd = state[TOKEN_USD + lane]
        gas = leave_usd / token_usd if token_usd > 0.0 else 0.0
        attribute(state, lane, GAS, -gas)
        tokens = state[MARK_TOKENS + lane] - fallen - discount - gas
        spread = tokens * token_usd * terms.sale_spread
        state[ATTRIBUTED_USD + SPREAD * WIDTH + lane] -= spread
        put_exit(state, lane, tokens, terms)
        state[UTILISATION + lane] = lending.utilisation(fund.market)
