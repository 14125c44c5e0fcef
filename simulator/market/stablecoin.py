"""The price of USDC in dollars: one, until it falls, and what of it comes back.

    U_t = 1                                              before the fall on step F
    U_t = low + (1 - lasting - low) min(1, (t - F) / R)  from then on, R the days of recovery

quantised to the feed's 1e-8. F is the scenario's day or the first event of its hazard, whichever
comes first.
"""

from __future__ import annotations

import numpy as np

from simulator.market.events import NEVER, first_event
from simulator.market.streams import Stream
from simulator.scenario.stablecoin import StablecoinTerms
from simulator.units import FEED_DECIMALS, FloatArray

_FEED_UNITS = 10.0**FEED_DECIMALS


def usdc_paths(
    terms: StablecoinTerms, seed: int, first_path: int, n_steps: int, n_paths: int
) -> FloatArray:
    """Return the price of USDC in dollars, shape (n_steps + 1, n_paths).

    Draws depend on seed and path alone.
    """
    drawn = first_event(seed, Stream.STABLECOIN_FALL, first_path, n_paths, terms.hazard)
    falls = np.minimum(drawn, NEVER if terms.day is None else terms.day)
    since = np.arange(n_steps + 1)[:, None] - np.minimum(falls, n_steps + 1)
    back = np.minimum(since / terms.recovers_days, 1.0)
    price = np.where(since < 0, 1.0, terms.low + (1.0 - terms.lasting_loss - terms.low) * back)
    quantised: FloatArray = np.maximum(np.rint(price * _FEED_UNITS), 1.0) / _FEED_UNITS
    return quantised
