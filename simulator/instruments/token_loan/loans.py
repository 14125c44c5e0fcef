"""A loan's day: what it is worth, whether somebody liquidates it, and its end.

Functions work on LANES paths side by side; `own` has the rows of `rows.Own`, `loan` those of
`rows.Loan`, both of shape (n_rows * LANES,). `by`, of shape (2, 8, LANES), is the loan's
attribution in USDC and in ounces, `outcome`, of shape (12, LANES), has the rows of `state.Outcome`.
"""

from __future__ import annotations

from simulator.instruments.token_loan.book import get_market, put_market
from simulator.instruments.token_loan.rows import (
    AT_STEP,
    BAD_DEBT,
    BEYOND,
    BID,
    BOOKED,
    BY_DEFAULT,
    BY_DEPLOYED,
    BY_GAS,
    BY_INTEREST,
    BY_PENALTY,
    BY_PRICE,
    BY_SWAPS,
    BY_WRITTEN_OFF,
    DEPLOYED,
    DOLLARS,
    EARNED,
    EARNED_OZ,
    EARNS,
    FEED,
    FREE,
    GROWN,
    INDEX,
    LEAVE,
    LEAVE_OZ,
    LIQUIDATORS,
    LOCKED,
    LOST,
    MARK,
    MARK_OZ,
    METAL,
    OWED,
    PAID_BACK,
    PER_USDC,
    SPENT,
    TOKEN,
    WAS_BAD,
    WAS_BY_FEED,
    WAS_DEPLOYED,
    WAS_DUST,
    WAS_PROFIT,
    WAS_REPAID,
    WAS_RETURNED,
)
from simulator.instruments.token_loan.state import Costs, Numbers, Pool
from simulator.jit import inlined, kernel
from simulator.mechanics import lending
from simulator.mechanics.lending import Position
from simulator.mechanics.loop import returned
from simulator.units import DEAD_BAND, LANES, BoolArray, FloatArray, StepArray


@inlined
def earn(own: FloatArray, loan: FloatArray) -> None:
    """Let deployed dollars earn a day; `own` and `loan` of shape (n_rows * LANES,)."""
    for k in range(LANES):
        earned = loan[DEPLOYED + k] * loan[EARNS + k]
        loan[DEPLOYED + k] += earned
        loan[EARNED + k] += earned
        loan[EARNED_OZ + k] += earned * own[PER_USDC + k]


@inlined
def fail(
    own: FloatArray, loan: FloatArray, loss: float, fails: StepArray, step: int, by: FloatArray
) -> None:
    """Lose a share of the deployed dollars where who has them fails on this step.

    `own` and `loan` are of shape (n_rows * LANES,), `fails` of shape (LANES,), `by` of shape
    (2, 8, LANES).
    """
    for k in range(LANES):
        if fails[k] == step:
            lost = loss * loan[DEPLOYED + k]
            loan[DEPLOYED + k] -= lost
            loan[EARNS + k] = 0.0
            by[0, BY_DEFAULT, k] -= lost
            by[1, BY_DEFAULT, k] -= lost * own[PER_USDC + k]


@inlined
def beyond(own: FloatArray, loan: FloatArray, pool: Pool) -> int:
    """Count the days that a loan has been beyond the threshold; return how many may be closed.

    `own` and `loan` are of shape (n_rows * LANES,).
    """
    limit = pool.threshold * (1.0 + DEAD_BAND)
    due = 0
    for k in range(LANES):
        debt = loan[OWED + k] * own[INDEX + k]
        is_beyond = debt > limit * loan[LOCKED + k] * own[FEED + k]
        days = loan[BEYOND + k] + 1.0 if is_beyond else 0.0
        loan[BEYOND + k] = days
        due += 1 if days > pool.late_days else 0
    return due


@kernel
def liquidate(
    own: FloatArray,
    loan: FloatArray,
    numbers: Numbers,
    step: int,
    backing: FloatArray,
    away: BoolArray,
    by: FloatArray,
    outcome: FloatArray,
) -> None:
    """Close the loans that are due, where that pays the liquidator; the rest goes back.

    Parameters
    ----------
    own, loan : ndarray of shape (n_rows * LANES,)
    backing : ndarray of shape (LANES,), ounces behind a token
    away : ndarray of bool, shape (1, LANES) or empty
        Where no keeper acts today.
    by : ndarray of shape (2, 8, LANES)
    outcome : ndarray of shape (12, LANES)
    """
    pool = numbers.pool
    for k in range(LANES):
        if not loan[BEYOND + k] > pool.late_days or (away.size > 0 and away[0, k]):
            continue
        tokens, feed, token = loan[LOCKED + k], own[FEED + k], own[TOKEN + k]
        market, debt = get_market(own, k), loan[OWED + k] * own[INDEX + k]
        # the twin speaks of the vault's pair: here its gold is USDC, and its USDC are tokens
        after, left, bad_debt = lending.liquidate(
            market, Position(loan[OWED + k], tokens), 1.0 / feed, pool.penalty
        )
        repaid, seized = debt - bad_debt, tokens - left.collateral_usdc
        profit = seized * own[BID + k] - repaid
        # nobody buys for more than he can sell: a feed that is too high protects the loan
        if profit < 0.0:
            continue
        put_market(own, k, after)
        own[BAD_DEBT + k] += bad_debt
        own[LIQUIDATORS + k] += profit
        fall = lending.supply_index(market) - lending.supply_index(after)
        own[LOST + k] += pool.holder * fall if bad_debt > 0.0 else 0.0
        rest = returned(left.collateral_usdc, feed, pool.units)
        _book_held(own, loan, k, by)
        _add(by, BY_PENALTY, k, repaid - (tokens - rest) * token, own[PER_USDC + k])
        _add(by, BY_WRITTEN_OFF, k, bad_debt, own[PER_USDC + k])
        if rest > 0.0:
            _spend(own, loan, k, numbers.costs.release * numbers.gas_times[step], by)
        loan[LOCKED + k], loan[OWED + k], loan[BEYOND + k] = 0.0, 0.0, 0.0
        loan[FREE + k] = rest
        outcome[AT_STEP, k], outcome[WAS_REPAID, k] = step, repaid
        outcome[WAS_BAD, k], outcome[WAS_RETURNED, k] = bad_debt, rest
        outcome[WAS_PROFIT, k] = profit
        outcome[WAS_DUST, k] = left.collateral_usdc - rest
        metal = own[METAL + k] * backing[k]
        outcome[WAS_BY_FEED, k] = 1.0 if debt <= pool.threshold * tokens * metal else 0.0


@inlined
def _add(by: FloatArray, source: int, k: int, usdc: float, per_usdc: float) -> None:
    """Add a gain of today to a source, `by` of shape (2, 8, LANES)."""
    by[0, source, k] += usdc
    by[1, source, k] += usdc * per_usdc


@inlined
def _spend(own: FloatArray, loan: FloatArray, k: int, usd: float, by: FloatArray) -> None:
    """Pay for a transaction.

    `own` and `loan` are of shape (n_rows * LANES,), `by` is of shape (2, 8, LANES).
    """
    loan[SPENT + k] += usd
    _add(by, BY_GAS, k, -usd, own[PER_USDC + k])


@inlined
def _book_held(own: FloatArray, loan: FloatArray, k: int, by: FloatArray) -> None:
    """Book what price and interest have brought until now.

    `own` and `loan` are of shape (n_rows * LANES,), `by` is of shape (2, 8, LANES). A debt has
    been on the index since it was one.
    """
    held = loan[LOCKED + k] + loan[FREE + k]
    by[0, BY_PRICE, k] += held * (own[TOKEN + k] - loan[BOOKED + k])
    by[0, BY_INTEREST, k] -= loan[OWED + k] * (own[INDEX + k] - 1.0)
    by[1, BY_INTEREST, k] -= loan[OWED + k] * own[GROWN + k]
    loan[BOOKED + k] = own[TOKEN + k]


@inlined
def value(own: FloatArray, loan: FloatArray, costs: Costs, gas_times: float) -> None:
    """Write what a loan is worth, and what leaving would pay: never less than nothing of it.

    `own` and `loan` are of shape (n_rows * LANES,); `gas_times` is what gas costs today over the
    scenario's own price.
    """
    for k in range(LANES):
        debt = loan[OWED + k] * own[INDEX + k]
        rest = loan[DOLLARS + k] + loan[DEPLOYED + k] - loan[SPENT + k]
        worth = loan[LOCKED + k] * own[TOKEN + k] - debt
        sale = loan[LOCKED + k] * own[BID + k] - debt
        worth = worth if worth > 0.0 else 0.0
        sale = sale if sale > 0.0 else 0.0
        out = costs.leave if sale > 0.0 else 0.0
        out = costs.sell if loan[FREE + k] * own[BID + k] > 0.0 else out
        mark = worth + loan[FREE + k] * own[TOKEN + k] + rest
        leave = sale + loan[FREE + k] * own[BID + k] + rest - out * gas_times
        loan[MARK + k], loan[LEAVE + k] = mark, leave
        loan[MARK_OZ + k] = mark * own[PER_USDC + k]
        loan[LEAVE_OZ + k] = leave * own[PER_USDC + k]


@inlined
def split(
    own: FloatArray, loan: FloatArray, by: FloatArray, gains: FloatArray, step: int, first: int
) -> None:
    """Write a loan's gains so far by source, without the costs of leaving.

    `own` and `loan` are of shape (n_rows * LANES,), `by` is of shape (2, 8, LANES), `gains` of
    shape (8, n_steps + 1, n_paths), USDC.
    """
    for k in range(LANES):
        at = first + k
        for source in range(by.shape[1]):
            gains[source, step, at] = by[0, source, k]
        debt = loan[OWED + k] * own[INDEX + k]
        held = loan[LOCKED + k] + loan[FREE + k]
        gains[BY_PRICE, step, at] += held * (own[TOKEN + k] - loan[BOOKED + k])
        gains[BY_INTEREST, step, at] -= debt - loan[OWED + k]
        gains[BY_DEPLOYED, step, at] += loan[EARNED + k]
        # of a loan that is worth less than nothing, the part that is not the borrower's
        gains[BY_WRITTEN_OFF, step, at] += max(0.0, debt - loan[LOCKED + k] * own[TOKEN + k])


@kernel
def end(
    own: FloatArray,
    loan: FloatArray,
    numbers: Numbers,
    capital_oz: FloatArray,
    by: FloatArray,
    outcome: FloatArray,
) -> None:
    """Repay and sell on the last step; who owes more than his tokens bring leaves both.

    Parameters
    ----------
    own, loan : ndarray of shape (n_rows * LANES,)
    capital_oz : ndarray of shape (LANES,), ounces put in
    by : ndarray of shape (2, 8, LANES)
    outcome : ndarray of shape (12, LANES)
    """
    costs, gas_times = numbers.costs, numbers.gas_times[-1]
    for k in range(LANES):
        debt, bid, per_usdc = loan[OWED + k] * own[INDEX + k], own[BID + k], own[PER_USDC + k]
        surplus = loan[LOCKED + k] * bid - debt
        _book_held(own, loan, k, by)
        # what is worth nothing nobody buys
        sold = loan[FREE + k] if bid > 0.0 else 0.0
        if loan[OWED + k] > 0.0 and surplus > 0.0:
            put_market(own, k, lending.lend(get_market(own, k), -debt, -loan[OWED + k]))
            sold += loan[LOCKED + k]
            outcome[PAID_BACK, k] = 1.0
            _spend(own, loan, k, costs.leave * gas_times, by)
        else:
            left = debt - loan[LOCKED + k] * own[TOKEN + k]
            _add(by, BY_WRITTEN_OFF, k, left, per_usdc)
            if sold > 0.0:
                _spend(own, loan, k, costs.sell * gas_times, by)
        by[0, BY_DEPLOYED, k] += loan[EARNED + k]
        by[1, BY_DEPLOYED, k] += loan[EARNED_OZ + k]
        _add(by, BY_SWAPS, k, -sold * (own[TOKEN + k] - bid), per_usdc)
        outcome[WAS_DEPLOYED, k] = loan[DEPLOYED + k]
        leave = max(0.0, surplus) + loan[FREE + k] * bid
        leave += loan[DOLLARS + k] + loan[DEPLOYED + k] - loan[SPENT + k]
        loan[LEAVE + k], loan[LEAVE_OZ + k] = leave, leave * per_usdc
        # what is put in is ounces on the first day: the price takes what they did since
        known = 0.0
        for source in range(by.shape[1]):
            known += by[1, source, k] if source != BY_PRICE else 0.0
        by[1, BY_PRICE, k] = leave * per_usdc - capital_oz[k] - known
