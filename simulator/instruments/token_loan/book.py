"""The market's day: interest, what other borrowers do, and the measured supplier's position.

Functions work on LANES paths side by side; `own` has the rows of `rows.Own`, and is of shape
(n_rows * LANES,).
"""

from __future__ import annotations

from simulator.instruments.token_loan.rows import (
    BAD_DEBT,
    BID,
    CASH,
    FEED,
    FROM_BAD_DEBT,
    FROM_GAS,
    FROM_ILLIQUIDITY,
    FROM_INTEREST,
    GROWN,
    INDEX,
    LIQUIDATORS,
    LOST,
    LOWEST,
    METAL,
    OTHERS,
    PER_USDC,
    RATE,
    SCALED,
    SEEN_BAD,
    SEEN_CASH,
    SEEN_EXIT,
    SEEN_GAIN,
    SEEN_SUPPLY,
    SEEN_TREASURY,
    SEEN_UTILISATION,
    SHARES,
    SUPPLIER_LEAVE,
    SUPPLIER_MARK,
    SUPPLY,
    TOKEN,
    TREASURY,
    UTILISATION,
    WANTED,
)
from simulator.instruments.token_loan.state import Pool
from simulator.jit import inlined, kernel
from simulator.mechanics import lending
from simulator.mechanics.lending import Market
from simulator.mechanics.loop import ROOM, usdc_down
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

LOWEST_SHARE = 0.05
"""Of the first day's price: below it other borrowers would no longer be safe, and stand still."""
LEAST_USDC = 1.0
"""Others move no less, and leave so much of cash and debt, whatever the contract's rounding."""


@inlined
def get_market(own: FloatArray, k: int) -> Market:
    """Return the market of a path; `own` of shape (n_rows * LANES,)."""
    return Market(
        own[CASH + k], own[SCALED + k], own[INDEX + k], own[SHARES + k], own[TREASURY + k]
    )


@inlined
def put_market(own: FloatArray, k: int, market: Market) -> None:
    """Write what `get_market` reads; `own` of shape (n_rows * LANES,)."""
    own[CASH + k], own[SCALED + k] = market.cash, market.total_scaled_debt
    own[INDEX + k], own[SHARES + k] = market.borrow_index, market.shares
    own[TREASURY + k] = market.treasury_shares


@inlined
def start(own: FloatArray, pool: Pool) -> None:
    """Let the suppliers come; `own` of shape (n_rows * LANES,) holds the first day's prices."""
    for k in range(LANES):
        own[CASH + k] = own[SHARES + k] = pool.supplied
        own[INDEX + k] = 1.0
        own[LOWEST + k] = LOWEST_SHARE * own[FEED + k]


@inlined
def derive(own: FloatArray, pool: Pool) -> None:
    """Write what follows from the day's prices; `own` of shape (n_rows * LANES,)."""
    for k in range(LANES):
        own[BID + k] = own[TOKEN + k] * (1.0 - pool.spread)
        own[PER_USDC + k] = 1.0 / own[METAL + k]


@inlined
def accrue(own: FloatArray, pool: Pool) -> None:
    """Add the interest of a day at the rate that held; `own` of shape (n_rows * LANES,)."""
    for k in range(LANES):
        market = get_market(own, k)
        after, _ = lending.accrue(market, own[RATE + k] / DAYS_PER_YEAR, pool.reserve_factor)
        own[GROWN + k] += (after.borrow_index - market.borrow_index) * own[PER_USDC + k]
        put_market(own, k, after)


@inlined
def others_move(own: FloatArray) -> None:
    """Let other borrowers bring the market to where they always do; write how in `WANTED`.

    `own`, of shape (n_rows * LANES,), has the wanted utilisation in `WANTED`; after it the
    dollars borrowed, negative where they are repaid.
    """
    for k in range(LANES):
        index, cash = own[INDEX + k], own[CASH + k]
        owed, theirs = own[SCALED + k] * index, own[OTHERS + k] * index
        wanted = own[WANTED + k] * (cash + owed) - (owed - theirs)
        change = (wanted if wanted > 0.0 else 0.0) - theirs
        room = (cash if change > 0.0 else theirs) - LEAST_USDC
        size = change if change > 0.0 else -change
        size = usdc_down(size if size < room else room)
        size = size if size >= LEAST_USDC and own[FEED + k] > own[LOWEST + k] else 0.0
        change = size if change > 0.0 else -size
        scaled = change / index
        own[OTHERS + k] += scaled
        own[SCALED + k] += scaled
        own[CASH + k] = cash - change
        own[WANTED + k] = change


@inlined
def set_rate(own: FloatArray, pool: Pool) -> None:
    """Write utilisation, rate and price of a share; `own` of shape (n_rows * LANES,)."""
    for k in range(LANES):
        market = get_market(own, k)
        used = lending.utilisation(market)
        own[UTILISATION + k] = used
        own[RATE + k] = lending.kinked_rate(
            used, pool.base_rate, pool.slope1, pool.slope2, pool.kink
        )
        own[SUPPLY + k] = lending.supply_index(market)


@inlined
def value_supplier(own: FloatArray, pool: Pool, gas_times: float) -> None:
    """Write the measured supplier's position at mark and at exit.

    `own` is of shape (n_rows * LANES,); `gas_times` as in `loans.value`.
    """
    for k in range(LANES):
        worth = pool.holder * own[SUPPLY + k]
        paid = worth if worth < own[CASH + k] else own[CASH + k]
        own[SUPPLIER_MARK + k] = worth - pool.supply_gas
        short = pool.haircut * (worth - paid)
        own[SUPPLIER_LEAVE + k] = worth - short - pool.supply_gas - pool.redeem_gas * gas_times


@inlined
def split_supplier(
    own: FloatArray, pool: Pool, supplied: FloatArray, step: int, first: int
) -> None:
    """Write the supplier's gains so far by source, without the costs of leaving.

    `own` is of shape (n_rows * LANES,), `supplied`, zeros, of shape (4, n_steps + 1, n_paths).
    """
    for k in range(LANES):
        gain = pool.holder * (own[SUPPLY + k] - 1.0)
        supplied[FROM_INTEREST, step, first + k] = gain + own[LOST + k]
        supplied[FROM_BAD_DEBT, step, first + k] = -own[LOST + k]
        supplied[FROM_GAS, step, first + k] = -pool.supply_gas


@kernel
def supplier_leaves(
    own: FloatArray,
    pool: Pool,
    gas_times: float,
    by: FloatArray,
    leave: FloatArray,
    unpaid: FloatArray,
) -> None:
    """Pay the measured supplier on the last step, as far as the cash goes.

    Parameters
    ----------
    own : ndarray of shape (n_rows * LANES,)
    gas_times : float
        What gas costs on the day over the scenario's own price.
    by : ndarray of shape (4, LANES), USDC
        Written: rows of `state.From`.
    leave, unpaid : ndarray of shape (LANES,), USDC
        Written: what leaving brought, and what of it was not paid.
    """
    for k in range(LANES):
        worth = pool.holder * own[SUPPLY + k]
        ready = max(0.0, usdc_down(own[CASH + k] * (1.0 - ROOM) - LEAST_USDC))
        unpaid[k] = max(0.0, worth - ready)
        by[FROM_INTEREST, k] = worth - pool.holder + own[LOST + k]
        by[FROM_BAD_DEBT, k] = -own[LOST + k]
        by[FROM_ILLIQUIDITY, k] = -pool.haircut * unpaid[k]
        by[FROM_GAS, k] = -pool.supply_gas - pool.redeem_gas * gas_times
        leave[k] = worth + by[FROM_ILLIQUIDITY, k] + by[FROM_GAS, k]


@kernel
def observe(own: FloatArray, pool: Pool, seen: FloatArray, first: int) -> None:
    """Write down what the replay compares.

    `own` is of shape (n_rows * LANES,); of `seen`, of shape (n_paths, 7), columns of
    `state.Observed`, LANES rows are written from path `first` on.
    """
    for k in range(LANES):
        row = seen[first + k]
        row[SEEN_CASH], row[SEEN_SUPPLY] = own[CASH + k], own[SUPPLY + k]
        row[SEEN_UTILISATION], row[SEEN_TREASURY] = own[UTILISATION + k], own[TREASURY + k]
        row[SEEN_BAD], row[SEEN_GAIN] = own[BAD_DEBT + k], own[LIQUIDATORS + k]
        row[SEEN_EXIT] = min(pool.holder * own[SUPPLY + k], own[CASH + k])
