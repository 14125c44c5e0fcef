"""What a price feed says where a shock sets it apart from the price that it is to tell.

A feed says the close of its asset, and on days on which the asset does not trade what it said
last. Shocks act in this order: it is fed with an exchange's trades, also on days on which the
asset itself does not trade; it says (1 + size)^w times the price; it says a level; it stands
still. w is the shock's weight on the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.units import FEED_DECIMALS, BoolArray, FloatArray

FEED_UNITS = 10.0**FEED_DECIMALS

Misread = Literal["exchange", "size", "at", "frozen"]
"""What can befall a feed, in the order in which it acts."""
ORDER: tuple[Misread, ...] = ("exchange", "size", "at", "frozen")


@dataclass(frozen=True)
class FeedBlow:
    """What a shock does to a feed on the paths of a block.

    Attributes
    ----------
    how : Misread
    amount : float
        Of `size` and `at`.
    weight : ndarray of shape (n_steps + 1, n_paths)
        How much of it is there on a step, 0 to 1.
    """

    how: Misread
    amount: float
    weight: FloatArray


def said(
    price: FloatArray,
    is_open: BoolArray,
    blows: Sequence[FeedBlow],
    trades: FloatArray | None = None,
) -> FloatArray:
    """Return the answers of a feed, in its unit of 1e-8; `price` itself where nothing befalls it.

    Parameters
    ----------
    price : ndarray of shape (n_steps + 1, n_paths), USD
        What it is to tell.
    is_open : ndarray of bool, shape (n_steps + 1,)
        Whether the asset trades.
    trades : ndarray of shape (n_steps + 1, n_paths), USD, or None
        Price of the token on its exchange; without one nothing can feed it but `price`.
    """
    if not blows:
        return price
    found = price.astype(np.float64)
    speaks = np.repeat(is_open[:, None], price.shape[1], axis=1)
    for blow in sorted(blows, key=lambda blow: ORDER.index(blow.how)):
        there = blow.weight > 0.0
        if blow.how == "exchange":
            if trades is not None:
                found = np.where(there, trades, found)
                speaks |= there
                # once it is not fed so any more, it says the asset's last close at once
                speaks[1:] |= there[:-1]
        elif blow.how == "size":
            found *= np.exp(np.log1p(blow.amount) * blow.weight)
        elif blow.how == "at":
            found += blow.weight * (blow.amount - found)
        else:
            speaks &= ~there
    speaks[0] = True
    # a feed says at least one unit: zero would be no price
    quantised = np.maximum(np.rint(found * FEED_UNITS), 1.0) / FEED_UNITS
    return _as_last_said(quantised, speaks)


def _as_last_said(answers: FloatArray, speaks: BoolArray) -> FloatArray:
    """Return the newest answer on each step; arrays of shape (n_steps + 1, n_paths)."""
    steps = np.arange(answers.shape[0])[:, None]
    last = np.maximum.accumulate(np.where(speaks, steps, 0), axis=0)
    found: FloatArray = np.take_along_axis(answers, last, axis=0)
    return found
