"""Who is paid what at the end of a period: profit, and what tops it up.

Amounts are USD, rounded down to USDC's unit. A payment is organic up to the recorded profit
that was not paid out before; the rest is a return of capital, whatever it is called. Every
function works on one path: `tokens` is a record of `TOKENS`, `terms` one of `state.TERMS`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.jit import inlined

Record = Any

TOKENS = np.dtype(
    [
        (name, np.float64)
        for name in (
            "sold_share",
            "supply",
            "pot",
            "kept",
            "profit_unpaid",
        )
    ]
)
"""One path: share of the hard cap sold, tokens in circulation (none where the raise failed),
money kept for top-ups, whether every promise was kept (1 or 0; 0 without top-ups), and recorded
profit that was not paid out yet."""


@inlined
def usdc_down(amount: float) -> float:
    """Return USD rounded down to USDC's unit of 1e-6."""
    return float(np.floor(amount * 1e6)) / 1e6


@inlined
def close_raise(tokens: Record, terms: Record, others_usd: float) -> bool:
    """Issue the tokens that were subscribed; return whether the soft cap was reached."""
    total = min(terms.hard_cap, terms.holder_usd + others_usd)
    if total < terms.soft_cap:
        return False
    tokens.sold_share = total / terms.hard_cap
    tokens.supply = total / terms.token_price
    tokens.pot = usdc_down(total * terms.reserve_share)
    tokens.kept = terms.topped_up
    return True


@inlined
def take_deposits(tokens: Record, terms: Record) -> float:
    """Sell new tokens at the issue price while every promise is kept; return the USD taken."""
    if tokens.kept == 0.0:
        return 0.0
    worth = tokens.supply * terms.token_price
    deposits = usdc_down(worth * terms.deposits_a_year / terms.payments_a_year)
    tokens.supply += deposits / terms.token_price
    tokens.pot += deposits
    return deposits


@inlined
def pay(tokens: Record, terms: Record, profit: float) -> tuple[float, float, float]:
    """Distribute a period's profit, topped up where the terms say so.

    Returns
    -------
    recorded, payment, organic : float
        The holders' profit as the mine records it, what is paid, and what of that is profit.
    """
    recorded = usdc_down(profit * terms.payout_ratio * tokens.sold_share)
    payment = recorded
    if tokens.kept > 0.0:
        worth = tokens.supply * terms.token_price
        promised = usdc_down(worth * terms.promised / terms.payments_a_year)
        added = min(max(promised - recorded, 0.0), usdc_down(tokens.pot))
        tokens.pot -= added
        payment = usdc_down(recorded + added + 5e-7)
        if payment < promised:
            tokens.kept = 0.0
    tokens.profit_unpaid += recorded
    organic = min(payment, tokens.profit_unpaid)
    tokens.profit_unpaid -= organic
    return recorded, payment, organic
