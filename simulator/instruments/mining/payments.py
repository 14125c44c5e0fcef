"""Who is paid what at the end of a period: profit, and what tops it up.

Amounts are USD, rounded down to USDC's unit. A payment is organic up to the recorded profit
that was not paid out before; the rest is a return of capital, whatever it is called. Every
function works on path `k` of the rows of `rows.Issued`.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.mining.rows import KEPT, POT, SOLD_SHARE, SUPPLY, UNPAID
from simulator.instruments.mining.state import Numbers
from simulator.jit import inlined
from simulator.units import FloatArray


@inlined
def usdc_down(usd: float) -> float:
    """Return USD rounded down to USDC's unit of 1e-6."""
    return float(np.floor(usd * 1e6)) / 1e6


@inlined
def close_raise(rows: FloatArray, k: int, numbers: Numbers, others_usd: float) -> bool:
    """Issue the tokens that were subscribed; return whether the soft cap was reached.

    `rows` is of shape (n_rows * LANES,).
    """
    total = min(numbers.hard_cap_usd, numbers.holder_usd + others_usd)
    if total < numbers.soft_cap_usd:
        return False
    rows[SOLD_SHARE + k] = total / numbers.hard_cap_usd
    rows[SUPPLY + k] = total / numbers.token_price_usd
    rows[POT + k] = usdc_down(total * numbers.reserve_share)
    rows[KEPT + k] = numbers.topped_up
    return True


@inlined
def take_deposits(rows: FloatArray, k: int, numbers: Numbers) -> float:
    """Sell new tokens at the issue price while every promise is kept; return the USD taken.

    `rows` is of shape (n_rows * LANES,).
    """
    if rows[KEPT + k] == 0.0:
        return 0.0
    worth = rows[SUPPLY + k] * numbers.token_price_usd
    deposits = usdc_down(worth * numbers.deposits_a_year / numbers.payments_a_year)
    rows[SUPPLY + k] += deposits / numbers.token_price_usd
    rows[POT + k] += deposits
    return deposits


@inlined
def pay(rows: FloatArray, k: int, numbers: Numbers, profit: float) -> tuple[float, float, float]:
    """Distribute the mine's profit of a period, topped up where the terms say so.

    `rows` is of shape (n_rows * LANES,).

    Returns
    -------
    recorded, payment, organic : float
        The holders' profit as the mine records it, what is paid, and what of that is profit.
    """
    recorded = usdc_down(profit * numbers.payout_ratio * rows[SOLD_SHARE + k])
    payment = recorded
    if rows[KEPT + k] > 0.0:
        worth = rows[SUPPLY + k] * numbers.token_price_usd
        promised = usdc_down(worth * numbers.promised_yield / numbers.payments_a_year)
        added = min(max(promised - recorded, 0.0), usdc_down(rows[POT + k]))
        rows[POT + k] -= added
        # half a unit: both are whole units, but their sum may lie a hair below one
        payment = usdc_down(recorded + added + 5e-7)
        if payment < promised:
            rows[KEPT + k] = 0.0
    rows[UNPAID + k] += recorded
    organic = min(payment, rows[UNPAID + k])
    rows[UNPAID + k] -= organic
    return recorded, payment, organic
