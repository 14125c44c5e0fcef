"""The first day of a loan: buy tokens, lock them, borrow, and buy again until it stands."""

from __future__ import annotations

from simulator.instruments.token_loan.rows import (
    BOOKED,
    BY_GAS,
    BY_SWAPS,
    CASH,
    DEPLOYED,
    DOLLARS,
    EARNS,
    FEED,
    LOCKED,
    OWED,
    PER_USDC,
    SCALED,
    SPENT,
    TOKEN,
    WAS_LEFT,
    WAS_LOCKED,
    WAS_OWED,
)
from simulator.instruments.token_loan.state import Numbers
from simulator.jit import inlined, kernel
from simulator.mechanics.loop import borrowable, bought, usdc_down, wanted_debt
from simulator.units import LANES, FloatArray

LEAST_LOAN_USDC = 1.0
"""Nobody borrows less at once."""
DOLLARS_BORROWED, TOKENS_BOUGHT = 0, 1
"""Rows of what is written down of the first day."""


@kernel
def open_loan(
    own: FloatArray,
    loan: FloatArray,
    numbers: Numbers,
    i: int,
    by: FloatArray,
    outcome: FloatArray,
    opened: FloatArray,
) -> None:
    """Open loan `i` on each path.

    Parameters
    ----------
    own, loan : ndarray of shape (n_rows * LANES,)
        Rows of `rows.Own` and of `rows.Loan`.
    by : ndarray of shape (2, 8, LANES)
        Added to: the attribution in USDC and in ounces.
    outcome : ndarray of shape (12, LANES)
        Rows of `state.Outcome`.
    opened : ndarray of shape (2, 1 + most_rounds, LANES), or (2, 0, 0)
        Written: dollars borrowed before each purchase, and tokens bought.
    """
    pool, own_terms = numbers.pool, numbers.loans
    loops, capital, ltv = own_terms.loops[i], own_terms.capital[i], own_terms.ltv[i]
    for k in range(LANES):
        feed, ask = own[FEED + k], own[TOKEN + k] * (1.0 + pool.spread)
        tokens = bought(capital, ask, pool.units)
        dollars, debt, deployed = capital - tokens * ask, 0.0, 0.0
        _note(opened, 0, k, 0.0, tokens)
        wanted = wanted_debt(capital, ltv, feed, ask) if loops else ltv * feed * tokens
        wanted, rounds = usdc_down(wanted), 0
        while rounds < pool.most_rounds:
            most = min(borrowable(tokens, debt, feed, pool.max_ltv), own[CASH + k] - debt)
            amount = usdc_down(min(most, wanted - debt))
            if amount < LEAST_LOAN_USDC:
                break
            rounds += 1
            debt += amount
            if not loops:
                deployed = amount
                _note(opened, rounds, k, amount, 0.0)
                break
            more = bought(dollars + amount, ask, pool.units)
            dollars += amount - more * ask
            tokens += more
            _note(opened, rounds, k, amount, more)
        spent = numbers.costs.enter + rounds * numbers.costs.borrow
        spent += rounds * numbers.costs.buy if loops else 0.0
        own[CASH + k] -= debt
        own[SCALED + k] += debt
        loan[LOCKED + k], loan[OWED + k], loan[SPENT + k] = tokens, debt, spent
        loan[DOLLARS + k], loan[DEPLOYED + k] = dollars, deployed
        loan[EARNS + k], loan[BOOKED + k] = own_terms.rate[i], own[TOKEN + k]
        outcome[WAS_LOCKED, k], outcome[WAS_OWED, k] = tokens, debt
        outcome[WAS_LEFT, k] = dollars
        swaps, per_usdc = tokens * (ask - own[TOKEN + k]), own[PER_USDC + k]
        by[0, BY_SWAPS, k], by[1, BY_SWAPS, k] = -swaps, -swaps * per_usdc
        by[0, BY_GAS, k], by[1, BY_GAS, k] = -spent, -spent * per_usdc


@inlined
def _note(opened: FloatArray, turn: int, k: int, borrowed: float, tokens: float) -> None:
    """Write one purchase down, where `opened`, of shape (2, n, LANES), is not empty."""
    if opened.shape[1] > 0:
        opened[DOLLARS_BORROWED, turn, k] = borrowed
        opened[TOKENS_BOUGHT, turn, k] = tokens
