"""The holder's position day by day, for investors who hold a changing part of it."""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import Access, Daily, TokenTerms
from simulator.instruments.gas import Gas
from simulator.units import BPS, FloatArray


def day_by_day(
    token: TokenTerms,
    gas: Gas,
    token_usd: FloatArray,
    mark_usd: FloatArray,
    sellable: FloatArray,
    brought: FloatArray,
) -> Daily:
    """Return the days of a position.

    What the vault cannot pay waits: on a day on which it could pay only part, that part of
    the position can be sold, at mark less the token's spread.

    Parameters
    ----------
    gas : Gas
        Of the holder's acts.
    token_usd, mark_usd : ndarray of shape (n_steps + 1, n_paths), USD
        Price of a token, and the position at mark.
    sellable : ndarray of shape (n_steps + 1, n_paths)
        Share of the position that can be sold, 1 = 100 %.
    brought : ndarray of shape (n_sources, n_steps + 1, n_paths), USD
        By source up to each step, without the exit at the horizon; or without steps.
    """
    leave = gas.usd("leave") * gas.factors(token_usd.shape[0] - 1)[:, None]
    leave_usd = np.where(token_usd > 0.0, leave, 0.0)
    spread = token.sale_spread_bps / BPS
    sale = (mark_usd - leave_usd) * (1.0 - spread)
    return Daily(brought, access=Access(buy_cost=spread, sellable=sellable, sale_usd=sale))
