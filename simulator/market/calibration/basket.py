"""Altcoins: an equal-weight basket of a table's coins, rebalanced each day."""

from __future__ import annotations

import numpy as np

from simulator.market.calibration.columns import Column
from simulator.units import FloatArray

START = 100.0
"""Value of the basket on the first day on which each coin has a price."""


def with_altcoins(quotes: dict[Column, FloatArray]) -> dict[Column, FloatArray]:
    """Return the columns of assets, the coins among them replaced by their basket.

    Quotes are of shape (n_dates,). Where the table has a column of altcoins already, the coins
    are left out.
    """
    assets = {column: quote for column, quote in quotes.items() if column.is_fitted}
    coins = [column for column in quotes if column.is_coin]
    if not coins or any(column.asset == "altcoins" for column in assets):
        return assets
    name = "+".join(column.asset for column in coins)
    basket = Column(f"altcoins ({name})", "altcoins", "index", "index", 1.0)
    return {**assets, basket: equal_weight(np.array([quotes[column] for column in coins]))}


def equal_weight(prices: FloatArray) -> FloatArray:
    """Return the value of a basket whose parts are made equal at each close.

    Parameters
    ----------
    prices : ndarray of shape (n_coins, n_dates), NaN where a coin has no price

    Returns
    -------
    ndarray of shape (n_dates,)
        100 on the first day on which all coins have a price; NaN where one has none.
    """
    value = np.full(prices.shape[1], np.nan)
    together = np.flatnonzero(np.isfinite(prices).all(axis=0))
    if len(together) == 0:
        return value
    common = prices[:, together]
    growth = np.mean(common[:, 1:] / common[:, :-1], axis=0)
    value[together] = START * np.cumprod(np.concatenate(([1.0], growth)))
    return value
