"""What the replay is told: acts and their numbers, and what there is at the end of a step.

Called where a record is wanted. `state`, of shape (n_rows * LANES,), is that of
`rows`, and `k` says which eight paths of those from `first` on.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.miner_perp.market import pool_worth
from simulator.instruments.miner_perp.rows import (
    BAD,
    CUT,
    FEES,
    INSURANCE,
    LONG,
    MARGINS,
    MARKED,
    POOL,
    RATE,
    SEEN_BAD,
    SEEN_CUT,
    SEEN_FEES,
    SEEN_INSURANCE,
    SEEN_LONG,
    SEEN_MARGINS,
    SEEN_POOL,
    SEEN_RATE,
    SEEN_SHORT,
    SEEN_VALUE,
    SHORT,
    SIZE,
    at,
    place_of,
    write,
)
from simulator.instruments.miner_perp.state import Accounts, ActArray, Drivers, Numbers, Results
from simulator.instruments.miner_perp.trades import equity
from simulator.jit import kernel
from simulator.mechanics.vectors import WIDTH, Mask, chosen, get, put
from simulator.units import LANES, FloatArray


@kernel
def note(
    acts: ActArray,
    state: FloatArray,
    step: int,
    account: int,
    first: int,
    k: int,
    where: Mask,
    act: int,
) -> None:
    """Add an act to the record on the lanes of a mask.

    `acts` is of shape (n_steps + 1, n_accounts, n_paths), `state` of (n_rows * LANES,).
    """
    write(state, MARKED + k, chosen(where, 1.0, 0.0))
    for lane in range(k, k + WIDTH):
        if state[MARKED + lane] > 0.0:
            acts[step, account, first + lane] |= np.int16(act)


@kernel
def observe(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    results: Results,
    state: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write down what the replay compares; `state` is of shape (n_rows * LANES,)."""
    for k in range(0, LANES, WIDTH):
        price = get(drivers.prices, (step, first + k))
        for account in range(cast.sides.shape[0]):
            i = place_of(account) + k
            worth = equity(state, k, i, price, numbers.max_profit)
            put(results.equities, (step, account, first + k), worth)
            put(results.held, (step, account, first + k), at(state, i + SIZE))
        write(state, MARKED + k, pool_worth(numbers, state, k, price))
    for k in range(LANES):
        row = results.observed[step, first + k]
        row[SEEN_POOL], row[SEEN_INSURANCE] = state[POOL + k], state[INSURANCE + k]
        row[SEEN_FEES], row[SEEN_MARGINS] = state[FEES + k], state[MARGINS + k]
        row[SEEN_LONG], row[SEEN_SHORT] = state[LONG + k], state[SHORT + k]
        row[SEEN_RATE], row[SEEN_VALUE] = state[RATE + k], state[MARKED + k]
        row[SEEN_BAD], row[SEEN_CUT] = state[BAD + k], state[CUT + k]
