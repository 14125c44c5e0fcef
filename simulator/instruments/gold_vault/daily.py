"""The holder's position day by day, for investors who hold a changing part of it."""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import Access, Daily
from simulator.instruments.gold_vault.state import GAS, HOLDER_GAS, ILLIQUIDITY, SPREAD
from simulator.scenario.instruments import GoldTokenTerms, GoldVaultTerms
from simulator.scenario.models import GasTerms
from simulator.units import BPS, FloatArray


def day_by_day(
    terms: GoldVaultTerms,
    token: GoldTokenTerms,
    gas: GasTerms,
    token_usd: FloatArray,
    mark_usd: FloatArray,
    exit_usd: FloatArray,
    brought: FloatArray,
) -> Daily:
    """Return the days of a position.

    What the vault cannot pay waits: on a day on which it could pay only part, that part of
    the position can be sold, at mark less the token's spread. Where the discount for waiting
    is zero the exit value does not show what could be paid, and all counts as sellable.

    Parameters
    ----------
    token_usd, mark_usd, exit_usd : ndarray of shape (n_steps + 1, n_paths)
    brought : ndarray of shape (n_sources, n_steps + 1, n_paths)
        Dollars by source up to each step, the exit at the horizon included, which is taken
        out; or without steps.
    """
    usd_per_gas = gas.price_gwei * 1e-9 * gas.ether_usd
    leave_usd = np.where(token_usd > 0.0, HOLDER_GAS["leave"] * usd_per_gas, 0.0)
    spread = token.sale_spread_bps / BPS
    haircut = terms.illiquidity_haircut_bps / BPS
    if brought.shape[1] > 0:
        # Both are booked at the exit alone, gas at other times too.
        brought[[ILLIQUIDITY, SPREAD], -1] = 0.0
        brought[GAS, -1] += leave_usd[-1]
    sellable = None
    if haircut > 0.0 and spread < 1.0:
        short = (mark_usd - leave_usd - exit_usd / (1.0 - spread)) / haircut
        part = np.divide(short, mark_usd, out=np.zeros_like(short), where=mark_usd > 0.0)
        # What was put in is no exit: gas and spread of the first day are no shortage.
        part[0] = 0.0
        sellable = np.clip(1.0 - np.where(part > 1e-9, part, 0.0), 0.0, 1.0)
    sale = (mark_usd - leave_usd) * (1.0 - spread)
    return Daily(brought, access=Access(buy_cost=spread, sellable=sellable, sale_usd=sale))
