"""What every day costs: funding, who is near liquidation, and what everybody's position is worth.

Functions work on LANES paths side by side: short loops without branches, which become vector
instructions. `own` and `one` have the rows of `rows.Own` and `rows.Account`, of shape
(n_rows * LANES,); prices are of shape (LANES,).
"""

from __future__ import annotations

from simulator.instruments.miner_perp.rows import (
    BAD,
    BASIS,
    BY_CUT,
    BY_FEES,
    BY_FUNDING,
    BY_GAS,
    BY_LIQUIDATION,
    BY_PRICE,
    CASH,
    COST,
    CUT,
    EARNED_FEES,
    EARNED_FUNDING,
    FEES,
    FUNDING,
    HIS_CUT,
    HIS_FEES,
    HIS_FUNDING,
    HIS_LIQUIDATION,
    IN_BAD,
    IN_CUT,
    IN_INSURANCE,
    IN_LIQUIDATED,
    IN_LONG,
    IN_RATE,
    IN_SHORT,
    INSURANCE,
    LIQUIDATED,
    LONG,
    LONG_COST,
    LOST,
    MARGIN,
    MARGINS,
    OF_BAD_DEBT,
    OF_FEES,
    OF_FUNDING,
    OF_GAS,
    OF_ILLIQUIDITY,
    OF_TRADERS,
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
    SETTLED,
    SHORT,
    SHORT_COST,
    SIZE,
    STOP,
    TOUCHED,
)
from simulator.instruments.miner_perp.state import Numbers
from simulator.jit import inlined, kernel
from simulator.mechanics.perp import drifted, funding_of_a_day
from simulator.units import DEAD_BAND, LANES, BoolArray, FloatArray

NOTHING = 1e-9
"""USD, less than any unit: a side that has gained less is not divided by."""


@inlined
def accrue(numbers: Numbers, own: FloatArray, price: FloatArray) -> None:
    """Book a day's funding at the index of the day before.

    `own` is of shape (n_rows * LANES,), `price` of (LANES,).
    """
    for k in range(LANES):
        own[FUNDING + k] += funding_of_a_day(own[RATE + k] + numbers.fixed_rate, price[k])
    for k in range(LANES):
        skew = (own[LONG + k] - own[SHORT + k]) * price[k]
        own[RATE + k] = drifted(
            own[RATE + k], skew, numbers.skew_scale, numbers.velocity, numbers.max_rate
        )


@inlined
def above(own: FloatArray, price: FloatArray, share: float) -> bool:
    """Return whether on any path a side's profit is above a share of the pool.

    `own` is of shape (n_rows * LANES,), `price` of (LANES,).
    """
    beyond = 0
    for k in range(LANES):
        long_gain = own[LONG + k] * price[k] - own[LONG_COST + k]
        beyond |= 1 if long_gain > own[POOL + k] * share else 0
    for k in range(LANES):
        short_gain = own[SHORT_COST + k] - own[SHORT + k] * price[k]
        beyond |= 1 if short_gain > own[POOL + k] * share else 0
    return beyond > 0


@inlined
def shares_paid(
    numbers: Numbers, own: FloatArray, price: FloatArray, longs: FloatArray, shorts: FloatArray
) -> None:
    """Write what share of its profit each side is paid; all but `own` are of shape (LANES,)."""
    if not above(own, price, numbers.max_profit):
        for k in range(LANES):
            longs[k] = 1.0
        for k in range(LANES):
            shorts[k] = 1.0
        return
    for k in range(LANES):
        gain = own[LONG + k] * price[k] - own[LONG_COST + k]
        longs[k] = min(1.0, own[POOL + k] * numbers.max_profit / max(gain, NOTHING))
    for k in range(LANES):
        gain = own[SHORT_COST + k] - own[SHORT + k] * price[k]
        shorts[k] = min(1.0, own[POOL + k] * numbers.max_profit / max(gain, NOTHING))


@inlined
def any_near(
    numbers: Numbers, own: FloatArray, one: FloatArray, price: FloatArray, paid: FloatArray
) -> bool:
    """Return whether on any path a position may be due for liquidation.

    `paid`, of shape (LANES,), is the share of its profit that its side is paid.
    """
    near = 0
    for k in range(LANES):
        size = one[SIZE + k]
        gain = size * price[k] - one[COST + k]
        owed = size * (own[FUNDING + k] - one[SETTLED + k])
        worth = one[MARGIN + k] + min(gain, gain * paid[k]) - owed
        near |= 1 if worth <= abs(size) * price[k] * numbers.maintenance and size != 0.0 else 0
    return near > 0


@inlined
def touch(one: FloatArray, price: FloatArray, has_round: BoolArray, step: int) -> bool:
    """Note where a round has touched a stop; return whether any stop is touched.

    `price` and `has_round` are of shape (LANES,).
    """
    touched = 0
    for k in range(LANES):
        level, size = one[STOP + k], one[SIZE + k]
        # beyond the level by a hair; without a stop the level is 0, and a short's hit is undone
        beyond = (
            price[k] * (1.0 + DEAD_BAND) <= level
            if size > 0.0
            else (price[k] * (1.0 - DEAD_BAND) >= level)
        )
        hit = beyond and level > 0.0 and size != 0.0 and has_round[k] and one[TOUCHED + k] == 0.0
        one[TOUCHED + k] = float(step) if hit else one[TOUCHED + k]
        touched |= 1 if one[TOUCHED + k] > 0.0 else 0
    return touched > 0


@inlined
def value_trader(
    numbers: Numbers,
    own: FloatArray,
    one: FloatArray,
    price: FloatArray,
    paid: FloatArray,
    spent: float,
    leave_gas: float,
    mark: FloatArray,
    leave: FloatArray,
    notional: FloatArray,
) -> None:
    """Write a trader's position at mark and at exit, and its notional, USD.

    `price`, `paid` as of `any_near`, `mark`, `leave` and `notional` are of shape (LANES,);
    `spent` is his gas so far, `leave_gas` that of leaving today.
    """
    for k in range(LANES):
        notional[k] = abs(one[SIZE + k]) * price[k]
    for k in range(LANES):
        gain = one[SIZE + k] * price[k] - one[COST + k]
        owed = one[SIZE + k] * (own[FUNDING + k] - one[SETTLED + k])
        mark[k] = max(0.0, one[MARGIN + k] + min(gain, gain * paid[k]) - owed)
    for k in range(LANES):
        fee = numbers.keeper_fee if notional[k] > 0.0 else 0.0
        leave[k] = max(0.0, mark[k] - notional[k] * numbers.taker - fee)
    for k in range(LANES):
        leave[k] += one[CASH + k] - spent - leave_gas
    for k in range(LANES):
        mark[k] += one[CASH + k] - spent


@inlined
def split_trader(
    own: FloatArray,
    one: FloatArray,
    price: FloatArray,
    paid: FloatArray,
    start_usd: float,
    spent: float,
    mark: FloatArray,
    gains: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write a trader's gains so far by source; what no other source has is the index's.

    `price`, `paid` and `mark` are those of `value_trader`; `start_usd` is what he put in and
    `spent` his gas so far. `gains` is of shape (6, n_steps + 1, n_paths), written on `step` from
    path `first` on.
    """
    for k in range(LANES):
        size = one[SIZE + k]
        gain = size * price[k] - one[COST + k]
        owed = size * (own[FUNDING + k] - one[SETTLED + k])
        cut = one[HIS_CUT + k] - max(gain, 0.0) * (1.0 - paid[k])
        others = one[HIS_FUNDING + k] - owed + one[HIS_FEES + k] + one[HIS_LIQUIDATION + k] + cut
        gains[BY_FUNDING, step, first + k] = one[HIS_FUNDING + k] - owed
        gains[BY_FEES, step, first + k] = one[HIS_FEES + k]
        gains[BY_LIQUIDATION, step, first + k] = one[HIS_LIQUIDATION + k]
        gains[BY_CUT, step, first + k] = cut
        gains[BY_GAS, step, first + k] = -spent
        gains[BY_PRICE, step, first + k] = mark[k] + spent - start_usd - others


@inlined
def pool_worth(own: FloatArray, numbers: Numbers, price: FloatArray, worth: FloatArray) -> None:
    """Write what the pool owns, USD; `price` and `worth` are of shape (LANES,)."""
    for k in range(LANES):
        gain = own[LONG + k] * price[k] - own[LONG_COST + k]
        worth[k] = own[POOL + k] - min(gain, own[POOL + k] * numbers.max_profit)
    for k in range(LANES):
        gain = own[SHORT_COST + k] - own[SHORT + k] * price[k]
        worth[k] -= min(gain, own[POOL + k] * numbers.max_profit)
    for k in range(LANES):
        owed = (own[LONG + k] - own[SHORT + k]) * own[FUNDING + k] - own[BASIS + k]
        worth[k] = max(0.0, worth[k] + owed)


@inlined
def split_pool(
    numbers: Numbers,
    own: FloatArray,
    mark: FloatArray,
    spent: float,
    gains: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write a provider's gains so far by source; what no other source has traders lost.

    `mark`, of shape (LANES,), is his position and `spent` his gas so far, USD. `gains` is of
    shape (6, n_steps + 1, n_paths), written on `step` from path `first` on.
    """
    share = numbers.holder / numbers.deposits
    for k in range(LANES):
        owed = (own[LONG + k] - own[SHORT + k]) * own[FUNDING + k] - own[BASIS + k]
        funding = share * (own[EARNED_FUNDING + k] + owed)
        fees, lost = share * own[EARNED_FEES + k], share * own[LOST + k]
        gains[OF_FUNDING, step, first + k] = funding
        gains[OF_FEES, step, first + k] = fees
        gains[OF_BAD_DEBT, step, first + k] = lost
        gains[OF_ILLIQUIDITY, step, first + k] = 0.0
        gains[OF_GAS, step, first + k] = -spent
        rest = mark[k] + spent - numbers.holder - funding - fees - lost
        gains[OF_TRADERS, step, first + k] = rest


@inlined
def copy(source: FloatArray, first: int, out: FloatArray) -> None:
    """Copy a row of `source`, of shape (n_rows * LANES,), to `out`, of shape (LANES,)."""
    for k in range(LANES):
        out[k] = source[first + k]


@inlined
def tell(own: FloatArray, price: FloatArray, series: FloatArray, step: int, first: int) -> None:
    """Write the market's series of a day.

    `price` is of shape (LANES,), `series` of (7, n_steps + 1, n_paths), written on `step` from
    path `first` on.
    """
    lanes = slice(first, first + LANES)
    longs, shorts = series[IN_LONG, step, lanes], series[IN_SHORT, step, lanes]
    for k in range(LANES):
        longs[k] = own[LONG + k] * price[k]
    for k in range(LANES):
        shorts[k] = own[SHORT + k] * price[k]
    copy(own, RATE, series[IN_RATE, step, lanes])
    copy(own, INSURANCE, series[IN_INSURANCE, step, lanes])
    copy(own, BAD, series[IN_BAD, step, lanes])
    copy(own, CUT, series[IN_CUT, step, lanes])
    copy(own, LIQUIDATED, series[IN_LIQUIDATED, step, lanes])


@kernel
def observe(own: FloatArray, worth: FloatArray, seen: FloatArray, first: int) -> None:
    """Write down what the replay compares of the market.

    `worth` is of shape (LANES,), `seen` of (n_paths, 10), written from path `first` on.
    """
    for k in range(LANES):
        row = seen[first + k]
        row[SEEN_POOL], row[SEEN_INSURANCE] = own[POOL + k], own[INSURANCE + k]
        row[SEEN_FEES], row[SEEN_MARGINS] = own[FEES + k], own[MARGINS + k]
        row[SEEN_LONG], row[SEEN_SHORT] = own[LONG + k], own[SHORT + k]
        row[SEEN_RATE], row[SEEN_VALUE] = own[RATE + k], worth[k]
        row[SEEN_BAD], row[SEEN_CUT] = own[BAD + k], own[CUT + k]
