"""The state of WIDTH paths side by side, in one flat array of rows.

A row holds one number of each lane. All rows lie in one array at constant distances: LLVM
then sees that they do not overlap, and turns a loop over lanes into vector instructions.
The array, everywhere called `state`, is of shape (STATE_SIZE,), float64; a row's number is its
place, and `state[ROW + lane]` is in the unit that the name says: ounces or tokens, dollars, days,
shares.
"""

from __future__ import annotations

from simulator.instruments.gold_vault.moves import Fund, Price
from simulator.instruments.gold_vault.state import N_COHORTS, N_SOURCES
from simulator.jit import inlined
from simulator.mechanics.lending import Market
from simulator.mechanics.staking import Staking
from simulator.mechanics.vault import BySource, Vault, share_price, shares_per_ounce
from simulator.units import FloatArray

WIDTH = 32
"""Lanes of a state: few enough for all rows to stay in a fastest cache of 32 KiB."""

_NAMED_ROWS = 69

# Today's drivers.
(
    GOLD_USD,
    FEED_USD,
    TOKEN_USD,
    BACKING,
    DEMAND_OUNCES,
    FLOW,
    REWARD_USD,
    EXPLOIT_DAY,
    EXPLOIT_SHARE,
    # What is read of them, until `take_prices` has compared it with yesterday's.
    GOLD_READ,
    TOKEN_READ,
    BACKING_READ,
    # The market.
    CASH,
    SCALED_DEBT,
    BORROW_INDEX,
    MARKET_SHARES,
    TREASURY_SHARES,
    UTILISATION,
    # Of the day: one over the borrow index, the price of supply shares and of vault shares.
    PER_INDEX,
    SUPPLY_INDEX,
    SHARES_PER_OUNCE,
    SHARE_PRICE,
    VAULT_SHARES_PER_OUNCE,
    # The vault, and its locked profit by source.
    IDLE,
    SHARES,
    LENDING_DEBT,
    POOL_DEBT,
    LOCKED,
    UNLOCK_END_DAY,
    LENDING_SHARES,
    POOL_PAYABLE,
    LENDING_REPORTED_DAY,
    BUFFER_INTEREST,
    BUFFER_POOL_FEES,
    BUFFER_VAULT_FEES,
    BUFFER_BAD_DEBT,
    BUFFER_EXPLOIT,
    BUFFER_IMPERMANENT,
    # Rewards.
    RATE_PER_DAY,
    PERIOD_END_DAY,
    STAKED,
    # The crowd and the holder.
    CROWD_SHARES,
    HOLDER_SHARES,
    REWARDS_UNCLAIMED,
    REWARDS_CLAIMED,
    SOLD_TOKENS,
    INCOME_TOKENS,
    GAS_TOKENS,
    MARK_TOKENS,
    EXIT_TOKENS,
    MARK_OUNCES,
    MARK_USD,
    EXIT_OUNCES,
    EXIT_USD,
    EVENTS,
    UNPAID,
    # Marks, 0 or 1: to be looked at, and somebody was liquidated today.
    MARKED,
    HELD_UP,
    # The pool, the vault's shares of it, what they are worth, and fees that are not booked yet.
    VOLUME,
    IMBALANCE,
    POOL_GOLD,
    POOL_USDC,
    POOL_ALL_SHARES,
    POOL_SHARES,
    POOL_WORTH,
    POOL_FEES_OPEN,
    POOL_REPORTED_DAY,
    # What goes into it on the day, negative what comes out, and the fees that this pays.
    POOL_MOVED,
    POOL_PAID,
) = range(0, _NAMED_ROWS * WIDTH, WIDTH)

ATTRIBUTED_OUNCES = _NAMED_ROWS * WIDTH
ATTRIBUTED_USD = ATTRIBUTED_OUNCES + N_SOURCES * WIDTH
STATE_SIZE = ATTRIBUTED_USD + (N_SOURCES + 2 * N_COHORTS) * WIDTH

# Rows by cohort of borrowers, N_COHORTS each: scaled debt, and collateral in USDC's units.
DEBT = STATE_SIZE - 2 * N_COHORTS * WIDTH
COLLATERAL_UNITS = STATE_SIZE - N_COHORTS * WIDTH


@inlined
def get_fund(state: FloatArray, lane: int) -> Fund:
    """Return the vault, the market and what the strategies hold; `state` of shape (STATE_SIZE,)."""
    return Fund(
        Market(
            state[CASH + lane],
            state[SCALED_DEBT + lane],
            state[BORROW_INDEX + lane],
            state[MARKET_SHARES + lane],
            state[TREASURY_SHARES + lane],
        ),
        Vault(
            state[IDLE + lane],
            state[SHARES + lane],
            state[LENDING_DEBT + lane],
            state[POOL_DEBT + lane],
            state[LOCKED + lane],
            state[UNLOCK_END_DAY + lane],
        ),
        state[LENDING_SHARES + lane],
        state[POOL_PAYABLE + lane],
    )


@inlined
def get_supply(state: FloatArray, lane: int) -> Price:
    """Return the day's price of the lending market's shares; `state` of shape (STATE_SIZE,)."""
    return Price(state[SUPPLY_INDEX + lane], state[SHARES_PER_OUNCE + lane])


@inlined
def get_price(state: FloatArray, lane: int) -> Price:
    """Return the day's price of the vault's shares, which none of its moves changes.

    `state` is of shape (STATE_SIZE,).
    """
    return Price(state[SHARE_PRICE + lane], state[VAULT_SHARES_PER_OUNCE + lane])


@inlined
def put_price(state: FloatArray, lane: int, vault_now: Vault) -> Price:
    """Write and return the price that the vault's shares have now.

    `state` is of shape (STATE_SIZE,).
    """
    price = Price(share_price(vault_now), shares_per_ounce(vault_now))
    state[SHARE_PRICE + lane] = price.ounces_per_share
    state[VAULT_SHARES_PER_OUNCE + lane] = price.shares_per_ounce
    return price


@inlined
def count_marks(state: FloatArray, row: int) -> int:
    """Return how many lanes have a mark; `state` of shape (STATE_SIZE,)."""
    count = 0
    for lane in range(WIDTH):
        count += 1 if state[row + lane] > 0.0 else 0
    return count


@inlined
def put_fund(state: FloatArray, lane: int, fund: Fund) -> None:
    """Write what `get_fund` reads; `state` of shape (STATE_SIZE,)."""
    put_market(state, lane, fund.market)
    put_vault(state, lane, fund.vault)
    state[LENDING_SHARES + lane] = fund.lending_shares
    state[POOL_PAYABLE + lane] = fund.pool_payable


@inlined
def put_market(state: FloatArray, lane: int, market: Market) -> None:
    """Write the market alone; `state` of shape (STATE_SIZE,)."""
    state[CASH + lane] = market.cash
    state[SCALED_DEBT + lane] = market.total_scaled_debt
    state[BORROW_INDEX + lane] = market.borrow_index
    state[MARKET_SHARES + lane] = market.shares
    state[TREASURY_SHARES + lane] = market.treasury_shares


@inlined
def put_vault(state: FloatArray, lane: int, vault: Vault) -> None:
    """Write the vault alone; `state` of shape (STATE_SIZE,)."""
    state[IDLE + lane] = vault.idle
    state[SHARES + lane] = vault.shares
    state[LENDING_DEBT + lane] = vault.lending_debt
    state[POOL_DEBT + lane] = vault.pool_debt
    state[LOCKED + lane] = vault.locked
    state[UNLOCK_END_DAY + lane] = vault.unlock_end_day


@inlined
def get_staking(state: FloatArray, lane: int) -> Staking:
    """Return the staking contract; the holder stakes to the end, so nothing is ever carried.

    `state` is of shape (STATE_SIZE,).
    """
    return Staking(
        state[RATE_PER_DAY + lane], state[PERIOD_END_DAY + lane], state[STAKED + lane], 0.0, 0.0
    )


@inlined
def get_buffer(state: FloatArray, lane: int) -> BySource:
    """Return the locked profit by source, ounces; `state` of shape (STATE_SIZE,)."""
    return BySource(
        state[BUFFER_INTEREST + lane],
        state[BUFFER_POOL_FEES + lane],
        state[BUFFER_VAULT_FEES + lane],
        state[BUFFER_BAD_DEBT + lane],
        state[BUFFER_EXPLOIT + lane],
        state[BUFFER_IMPERMANENT + lane],
    )


@inlined
def put_profit(state: FloatArray, lane: int, buffer: BySource) -> None:
    """Write the locked profit of the usual sources: interest, fees earned, fees paid.

    `state` is of shape (STATE_SIZE,).
    """
    state[BUFFER_INTEREST + lane] = buffer.interest
    state[BUFFER_POOL_FEES + lane] = buffer.pool_fees
    state[BUFFER_VAULT_FEES + lane] = buffer.vault_fees
